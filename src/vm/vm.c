/* vm.c: the main state: its libraries, its paths, its first task, its last words. */
#include "vm/vm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>
#include <lualib.h>

#include "core/fs.h"
#include "core/platform.h"
#include "core/text.h"
#include "vm/alloc.h"
#include "vm/coverage.h"
#include "vm/sched.h"
#include "vm/value.h"

struct lre_vm {
  lua_State *L;
  struct lre_sched *sched;
  struct lre_secrets *secrets;
  struct lre_context context;
  struct lre_alloc memory;
  struct lre_buf warning; /* the pieces of one so far */
  struct lre_buf lua_dir, share_dir;
  int argc;
  char **argv;
};

lua_State *lre_vm_state(struct lre_vm *vm) {
  return vm->L;
}

struct lre_sched *lre_vm_sched(struct lre_vm *vm) {
  return vm->sched;
}

struct lre_secrets *lre_vm_secrets(struct lre_vm *vm) {
  return vm->secrets;
}

const char *lre_vm_lua_dir(const struct lre_vm *vm) {
  return vm->lua_dir.data;
}

const char *lre_vm_share_dir(const struct lre_vm *vm) {
  return vm->share_dir.data;
}

/* ---- where our Lua is ---- */

static bool has_cli(const char *lua_dir) {
  struct lre_buf path;
  struct lre_fs_info info = {.type = LRE_FS_MISSING};
  lre_buf_init(&path);
  lre_buf_printf(&path, "%s/lre/cli.lua", lua_dir);
  bool found = path.data && !path.failed && lre_fs_stat(path.data, &info, NULL) && info.type == LRE_FS_FILE;
  lre_buf_free(&path);
  return found;
}

static bool try_dir(struct lre_vm *vm, const char *base, size_t len, const char *share) {
  lre_buf_clear(&vm->share_dir);
  lre_buf_clear(&vm->lua_dir);
  lre_buf_printf(&vm->share_dir, "%.*s%s", (int)len, base, share);
  lre_buf_printf(&vm->lua_dir, "%s/lua", vm->share_dir.data ? vm->share_dir.data : "");
  return !vm->lua_dir.failed && has_cli(vm->lua_dir.data);
}

/* Beside the binary: `source` is a link that the build makes to the tree it was configured from. */
static bool find_beside_binary(struct lre_vm *vm) {
  static const char *const shares[] = {"/source", "/../share/lre", "/.."};
  struct lre_buf exe;
  lre_buf_init(&exe);
  bool found = false;
  if (lre_platform_exe_path(&exe) && exe.data) {
    const char *slash = strrchr(exe.data, '/');
    size_t len = slash ? (size_t)(slash - exe.data) : 0;
    for (size_t i = 0; !found && i < sizeof shares / sizeof *shares; i++) found = try_dir(vm, exe.data, len, shares[i]);
  }
  lre_buf_free(&exe);
  return found;
}

static bool find_lua(struct lre_vm *vm, const char *lua_dir, struct lre_err *err) {
  const char *home = getenv("LRE_HOME");
  if (lua_dir) {
    lre_buf_puts(&vm->lua_dir, lua_dir);
    lre_buf_printf(&vm->share_dir, "%s/..", lua_dir);
    return !vm->share_dir.failed || lre_err_memory(err);
  }
  if (home && *home) {
    if (try_dir(vm, home, strlen(home), "")) return true;
    return lre_err_set(err, "io", "enoent", "LRE_HOME is %s, but there is no lua/lre/cli.lua in it", home);
  }
  if (find_beside_binary(vm)) return true;
  return lre_err_set(
      err, "io", "enoent",
      "cannot find lua/lre/cli.lua beside the program or in ../share/lre; set LRE_HOME to the folder that "
      "holds our `lua`");
}

/* ---- libraries ---- */

static const char hidden_key = 0;

void lre_vm_hide_env(lua_State *L, const char *name) {
  luaL_checkstack(L, 3, NULL);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &hidden_key);
  lua_pushboolean(L, 1);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

int lre_vm_getenv(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &hidden_key);
  if (lua_getfield(L, -1, name) != LUA_TNIL)
    return luaL_error(L, "getenv: %s was loaded as a key; its value stays out of scripts", name);
  lua_pushstring(L, getenv(name));
  return 1;
}

static int os_exit(lua_State *L) {
  int code = lua_isboolean(L, 1) ? (lua_toboolean(L, 1) ? 0 : 1) : (int)luaL_optinteger(L, 1, 0);
  return lre_sched_exit(L, code & 0xff);
}

/* Takes fields out of a library: what would end the process, change it for all, or go round the scheduler. */
static void remove_fields(lua_State *L, const char *library, const char *const *names) {
  lua_getglobal(L, library);
  for (; *names; names++) {
    lua_pushnil(L);
    lua_setfield(L, -2, *names);
  }
  lua_pop(L, 1);
}

static void replace_field(lua_State *L, const char *library, const char *name, lua_CFunction f) {
  lua_getglobal(L, library);
  lua_pushcfunction(L, f);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

static void restrict_libraries(lua_State *L) {
  static const char *const os_names[] = {"setlocale", NULL};
  static const char *const package_names[] = {"loadlib", NULL};
  static const char *const debug_names[] = {"debug",   "getregistry",  "gethook",      "setcstacklimit",
                                            "sethook", "setmetatable", "setuservalue", NULL};
  remove_fields(L, "os", os_names);
  remove_fields(L, "package", package_names);
  remove_fields(L, "debug", debug_names);
  replace_field(L, "os", "getenv", lre_vm_getenv);
  replace_field(L, "os", "exit", os_exit);
}

/* Appends the templates of `path` but those of the working directory: a file there must not come before the system's.
 */
static void add_system_path(luaL_Buffer *b, const char *path) {
  while (*path) {
    size_t len = strcspn(path, ";");
    if (len > 0 && path[0] == '/') {
      luaL_addchar(b, ';');
      luaL_addlstring(b, path, len);
    }
    path += len + (path[len] == ';');
  }
}

static void set_path(lua_State *L, const char *field, const char *ours) {
  luaL_Buffer b;
  lua_getglobal(L, "package");
  lua_getfield(L, -1, field);
  const char *system_path = lua_tostring(L, -1); /* stays below the buffer */
  luaL_buffinit(L, &b);
  luaL_addstring(&b, ours);
  add_system_path(&b, system_path ? system_path : "");
  luaL_pushresult(&b);
  lua_setfield(L, -3, field);
  lua_pop(L, 2);
}

static void *allocate(void *vm, void *block, size_t old_bytes, size_t new_bytes) {
  size_t old = block ? old_bytes : 0; /* of a new block it is a type's number */
  return lre_alloc_resize(&((struct lre_vm *)vm)->memory, block, old, new_bytes);
}

static void warn(void *ud, const char *piece, int to_be_continued) {
  struct lre_vm *vm = ud;
  if (vm->warning.len == 0 && !to_be_continued && *piece == '@') return; /* a control message: ours are always on */
  if (vm->warning.len == 0) lre_buf_puts(&vm->warning, "Lua warning: ");
  lre_buf_puts(&vm->warning, piece);
  if (to_be_continued) return;
  if (vm->warning.data) lre_vm_complain(vm->L, vm->warning.data);
  lre_buf_clear(&vm->warning);
}

static int open_state(lua_State *L) {
  const struct lre_vm_options *options = lua_touserdata(L, 1);
  struct lre_vm *vm = lre_context_get(L)->vm;
  lua_settop(L, 0);
  luaL_openlibs(L);
  /* Incremental collection stays: measured over 300,000 tasks with JSON, generational gives 2.20 s for 2.22 s and the
   * same memory. */
  lua_newtable(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &hidden_key);
  restrict_libraries(L);
  lre_sched_open(L);
  lua_pushfstring(L, "%s/?.lua;%s/?/init.lua", lre_vm_lua_dir(vm), lre_vm_lua_dir(vm));
  set_path(L, "path", lua_tostring(L, -1));
  set_path(L, "cpath", "");
  if (options->preload) options->preload(L);
  lua_setwarnf(L, warn, vm); /* an error in a finalizer is said, not lost */
  lre_coverage_attach(L);
  return 0;
}

static bool open_protected(struct lre_vm *vm, const struct lre_vm_options *options, struct lre_err *err) {
  lua_pushcfunction(vm->L, open_state);
  lua_pushlightuserdata(vm->L, (void *)options);
  if (lua_pcall(vm->L, 1, 0, 0) == LUA_OK) return true;
  return lre_err_set(err, "script", "runtime", "%s", luaL_tolstring(vm->L, -1, NULL));
}

/* ---- life ---- */

struct lre_vm *lre_vm_new(const struct lre_vm_options *options, struct lre_err *err) {
  struct lre_vm *vm = calloc(1, sizeof *vm);
  if (!vm) return lre_err_memory(err), NULL;
  vm->argc = options->argc;
  vm->argv = options->argv;
  lre_buf_init(&vm->warning);
  lre_buf_init(&vm->lua_dir);
  lre_buf_init(&vm->share_dir);
  bool ok = find_lua(vm, options->lua_dir, err);
  if (ok && !(vm->secrets = lre_secrets_new())) ok = lre_err_memory(err);
  if (ok && !(vm->context.scratch = lre_regex_scratch_new(NULL, err))) ok = false;
  if (ok && !(vm->L = lua_newstate(allocate, vm))) ok = lre_err_memory(err);
  if (ok) {
    vm->context.vm = vm;
    *(struct lre_context **)lua_getextraspace(vm->L) = &vm->context;
    ok = (vm->sched = lre_sched_new(vm, err)) && open_protected(vm, options, err);
  }
  if (ok) return vm;
  lre_vm_free(vm);
  return NULL;
}

void lre_vm_free(struct lre_vm *vm) {
  if (!vm) return;
  if (vm->L) lua_close(vm->L); /* finalizers cancel what is under way, through the scheduler */
  lre_alloc_free(&vm->memory);
  lre_sched_free(vm->sched);
  lre_regex_scratch_free(vm->context.scratch);
  lre_secrets_free(vm->secrets);
  lre_buf_free(&vm->warning);
  lre_buf_free(&vm->lua_dir);
  lre_buf_free(&vm->share_dir);
  free(vm);
}

/* ---- the first task ---- */

static int after_cli(lua_State *L, int status, lua_KContext context) {
  (void)L;
  (void)status;
  (void)context;
  return 1;
}

static int run_cli(lua_State *L) {
  struct lre_vm *vm = lre_context_get(L)->vm;
  lua_getglobal(L, "require");
  lua_pushliteral(L, "lre.cli");
  lua_call(L, 1, 1);
  lua_getfield(L, -1, "main");
  lua_createtable(L, vm->argc, 1);
  for (int i = 0; i < vm->argc; i++) {
    lua_pushstring(L, vm->argv[i]);
    lua_rawseti(L, -2, i);
  }
  lua_callk(L, 1, 1, 0, after_cli);
  return after_cli(L, LUA_OK, 0);
}

void lre_vm_complain(lua_State *L, const char *text) {
  struct lre_vm *vm = lre_context_get(L)->vm;
  struct lre_buf raw, safe;
  lre_buf_init(&raw);
  lre_buf_init(&safe);
  lre_buf_puts(&raw, text);
  lre_secrets_redact(vm->secrets, &raw);
  if (raw.data) lre_text_terminal(raw.data, raw.len, true, &safe);
  if (safe.len == 0 || safe.data[safe.len - 1] != '\n') lre_buf_putc(&safe, '\n');
  fflush(stdout);
  if (safe.data) fwrite(safe.data, 1, safe.len, stderr);
  lre_buf_free(&raw);
  lre_buf_free(&safe);
}

int lre_vm_traceback(lua_State *L) {
  if (lua_type(L, 1) == LUA_TTABLE) return 1;
  luaL_traceback(L, L, luaL_tolstring(L, 1, NULL), 1);
  return 1;
}

/* Stack: 1 the task's handle, 2 its error. An error table with `exit` is a message for the person at the terminal, not
 * a bug. */
static int report_failure(lua_State *L) {
  int code = 3;
  bool plain = false;
  if (lua_istable(L, 2)) {
    lua_pushliteral(L, "exit");
    plain = lua_rawget(L, 2) == LUA_TNUMBER;
    if (plain) code = (int)lua_tointeger(L, -1) & 0xff;
    lua_pushliteral(L, "message");
    if (lua_rawget(L, 2) != LUA_TSTRING) lua_pop(L, 1), luaL_tolstring(L, 2, NULL);
  } else {
    luaL_tolstring(L, 2, NULL);
  }
  lua_pushfstring(L, "lre: %s", lua_tostring(L, -1));
  if (!plain) {
    lre_task_push_traceback(L, 1);
    if (lua_isstring(L, -1)) {
      lua_pushliteral(L, "\n");
      lua_insert(L, -2);
      lua_concat(L, 3);
    } else
      lua_pop(L, 1);
  }
  lre_vm_complain(L, lua_tostring(L, -1));
  return code;
}

static int read_error(lua_State *L) {
  return lre_task_wait(L);
}

static int exit_code(lua_State *L, struct lre_vm *vm) {
  int code = 0;
  enum lre_task_state state = lre_task_state(lre_task_check(L, 1));
  lua_pushcfunction(L, read_error);
  lua_pushvalue(L, 1);
  int status = lua_pcall(L, 1, 1, 0); /* 2: what cli.main returned, or the error */
  if (lre_sched_exiting(vm->sched, &code)) return code;
  if (state == LRE_TASK_CANCELLED && lre_sched_interrupted(vm->sched)) return 128 + lre_sched_interrupted(vm->sched);
  if (status != LUA_OK) return report_failure(L);
  return lua_isinteger(L, 2) ? (int)lua_tointeger(L, 2) & 0xff : 0;
}

static int run_main(lua_State *L) {
  struct lre_vm *vm = lre_context_get(L)->vm;
  lua_settop(L, 0);
  lua_pushcfunction(L, run_cli);
  lre_sched_spawn(L, 0);
  lre_task_name(lre_task_check(L, 1), "main", 4);
  lre_sched_run(L, 1);
  int code = exit_code(L, vm);
  lre_sched_drain(L);
  lua_gc(L, LUA_GCCOLLECT); /* journals and places close, failures that nobody asked for are said */
  if (code == 0 && lre_sched_unreported(vm->sched) > 0) code = 1;
  lua_pushinteger(L, code);
  return 1;
}

int lre_vm_main(struct lre_vm *vm) {
  lua_State *L = vm->L;
  lua_settop(L, 0);
  lua_pushcfunction(L, lre_vm_traceback);
  lua_pushcfunction(L, run_main);
  int code = 3;
  if (lua_pcall(L, 0, 1, 1) == LUA_OK)
    code = (int)lua_tointeger(L, -1);
  else
    lre_vm_complain(L, luaL_tolstring(L, -1, NULL));
  lua_settop(L, 0);
  lre_coverage_write(L, lre_vm_share_dir(vm));
  if (fflush(stdout) != 0 && code == 0) code = 4;
  return code;
}
