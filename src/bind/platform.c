/* platform.c: require "lre.platform". */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <openssl/crypto.h>
#include <pcre2.h>
#include <sqlite3.h>
#include <utf8proc.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/dotenv.h"
#include "core/fs.h"
#include "core/hash.h"
#include "core/platform.h"
#include "vm/vm.h"

#define SALT_BYTES 32

/* Asks each library for its version; none of them is set up for that. */
static int platform_libraries(lua_State *L) {
  char pcre2[64] = "";
  uint32_t jit = 0;
  if (pcre2_config(PCRE2_CONFIG_VERSION, NULL) < (int)sizeof pcre2) pcre2_config(PCRE2_CONFIG_VERSION, pcre2);
  pcre2_config(PCRE2_CONFIG_JIT, &jit);
  pcre2[strcspn(pcre2, " ")] = '\0'; /* "10.42 2022-12-11" */
  lua_createtable(L, 0, 8);
  lua_pushliteral(L, LUA_VERSION_MAJOR "." LUA_VERSION_MINOR "." LUA_VERSION_RELEASE);
  lua_setfield(L, -2, "lua");
  lua_pushstring(L, curl_version_info(CURLVERSION_NOW)->version);
  lua_setfield(L, -2, "curl");
  lua_pushstring(L, cJSON_Version());
  lua_setfield(L, -2, "cjson");
  lua_pushstring(L, pcre2);
  lua_setfield(L, -2, "pcre2");
  lua_pushboolean(L, jit != 0);
  lua_setfield(L, -2, "pcre2_jit");
  lua_pushstring(L, OpenSSL_version(OPENSSL_VERSION_STRING));
  lua_setfield(L, -2, "openssl");
  lua_pushstring(L, sqlite3_libversion());
  lua_setfield(L, -2, "sqlite");
  lua_pushstring(L, utf8proc_version());
  lua_setfield(L, -2, "utf8proc");
  return 1;
}

static int platform_cpus(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lre_platform_cpus());
  return 1;
}

static int platform_describe(lua_State *L) {
  char text[128];
  lre_platform_describe(text, sizeof text);
  lua_pushstring(L, text);
  return 1;
}

/* ---- the machine's mark ---- */

/* Appends "$XDG_STATE_HOME/lre", or "~/.local/state/lre"; false where there is no home. */
static bool state_dir(struct lre_buf *out) {
  const char *state = getenv("XDG_STATE_HOME"), *home = getenv("HOME");
  if (state && state[0] == '/') return lre_buf_printf(out, "%s/lre", state);
  return home && home[0] == '/' && lre_buf_printf(out, "%s/.local/state/lre", home);
}

/* The user's salt, made at first use; a guessed host name cannot be confirmed without it. */
static bool load_salt(const char *dir, struct lre_buf *salt) {
  char path[4096];
  char fresh[SALT_BYTES];
  bool created;
  if (snprintf(path, sizeof path, "%s/host.salt", dir) >= (int)sizeof path) return false;
  if (lre_fs_read(path, SALT_BYTES, salt, NULL) && salt->len == SALT_BYTES) return true;
  lre_buf_clear(salt);
  return lre_platform_random(fresh, sizeof fresh) && lre_fs_mkdir(dir, true, &created, NULL) &&
         lre_fs_write_atomic(path, fresh, sizeof fresh, NULL) && lre_buf_put(salt, fresh, sizeof fresh);
}

static int platform_host_hash(lua_State *L) {
  struct lre_buf *dir = lre_bind_buf(L), *text = lre_bind_buf(L);
  char host[256], hex[LRE_HASH_HEX_BYTES];
  uint8_t digest[LRE_HASH_BYTES];
  if (state_dir(dir) && dir->data)
    load_salt(dir->data, text); /* without a home: the bare name's hash still tells machines apart */
  if (lre_platform_hostname(host, sizeof host)) lre_buf_puts(text, host);
  if (!lre_hash_sha256(text->data ? text->data : "", text->len, digest))
    return luaL_error(L, "SHA-256 is not available");
  lre_hash_hex(digest, hex);
  lua_pushlstring(L, hex, 16);
  return 1;
}

/* ---- terminals, limits ---- */

static int platform_is_tty(lua_State *L) {
  static const char *const names[] = {"stdin", "stdout", "stderr", NULL};
  static const int fds[] = {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO};
  lua_pushboolean(L, lre_platform_is_tty(fds[luaL_checkoption(L, 1, NULL, names)]));
  return 1;
}

static int platform_columns(lua_State *L) {
  size_t columns = lre_platform_columns(STDOUT_FILENO);
  lua_pushinteger(L, columns ? (lua_Integer)columns : 80);
  return 1;
}

static int platform_trim_memory(lua_State *L) {
  (void)L;
  lre_platform_trim_memory();
  return 0;
}

static int platform_peak_memory(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lre_platform_peak_rss_bytes());
  return 1;
}

static int platform_raise_nofile(lua_State *L) {
  lua_Integer wanted = luaL_checkinteger(L, 1);
  luaL_argcheck(L, wanted > 0, 1, "expected an integer over 0");
  size_t got = 0;
  lre_platform_raise_nofile((size_t)wanted, &got);
  lua_pushinteger(L, (lua_Integer)got);
  return 1;
}

static int platform_hostname(lua_State *L) {
  char host[256];
  lua_pushstring(L, lre_platform_hostname(host, sizeof host) ? host : "unknown");
  return 1;
}

static int platform_pid(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)getpid());
  return 1;
}

/* ---- the environment ---- */

static void collect_name(void *names, const char *name) {
  lre_buf_printf(names, "%s\n", name);
}

/* "A\nB\n" on the stack as { "A", "B" }. */
static void push_lines(lua_State *L, const struct lre_buf *text) {
  lua_Integer n = 0;
  lua_newtable(L);
  for (const char *p = text->data ? text->data : ""; *p;) {
    const char *end = strchr(p, '\n');
    lua_pushlstring(L, p, (size_t)(end - p));
    lua_rawseti(L, -2, ++n);
    p = end + 1;
  }
}

static int platform_load_env(lua_State *L) {
  const char *path = luaL_checkstring(L, 1);
  struct lre_buf *names = lre_bind_buf(L);
  struct lre_err err = {0};
  if (!lre_dotenv_load(path, collect_name, names, &err)) return lre_bind_fail(L, &err);
  push_lines(L, names);
  return 1;
}

extern char **environ;

static int platform_env_names(lua_State *L) {
  size_t len;
  const char *prefix = luaL_checklstring(L, 1, &len);
  struct lre_buf *names = lre_bind_buf(L);
  for (char **p = environ; p && *p; p++) {
    const char *end = strchr(*p, '=');
    if (!end || strncmp(*p, prefix, len) != 0 || memchr(*p, '\n', (size_t)(end - *p))) continue;
    lre_buf_put(names, *p, (size_t)(end - *p));
    lre_buf_putc(names, '\n');
  }
  push_lines(L, names);
  return 1;
}

int luaopen_lre_platform(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"libraries", platform_libraries},
      {"cpus", platform_cpus},
      {"describe", platform_describe},
      {"host_hash", platform_host_hash},
      {"is_tty", platform_is_tty},
      {"columns", platform_columns},
      {"peak_memory", platform_peak_memory},
      {"trim_memory", platform_trim_memory},
      {"raise_nofile", platform_raise_nofile},
      {"getenv", lre_vm_getenv},
      {"load_env", platform_load_env},
      {"env_names", platform_env_names},
      {"pid", platform_pid},
      {"hostname", platform_hostname},
      {NULL, NULL},
  };
  const struct lre_vm *vm = lre_context_get(L)->vm;
  luaL_newlib(L, functions);
  lua_pushstring(L, lre_vm_lua_dir(vm));
  lua_setfield(L, -2, "lua_dir");
  lua_pushstring(L, lre_vm_share_dir(vm));
  lua_setfield(L, -2, "share_dir");
  struct lre_buf *program = lre_bind_buf(L);
  lua_pushstring(L, lre_platform_exe_path(program) ? program->data : NULL);
  lua_setfield(L, -3, "program");
  lua_pop(L, 1);
  lua_pushliteral(L, LRE_VERSION);
  lua_setfield(L, -2, "version");
  return 1;
}
