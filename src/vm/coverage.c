/* coverage.c: see coverage.h. The lines stand in the registry: ["lre.coverage"][source][line] = true. */
#include "vm/coverage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

static const char *file_of_lines(void) {
  const char *path = getenv("LRE_COVERAGE");
  return path && *path ? path : NULL;
}

static void count_line(lua_State *L, lua_Debug *ar) {
  if (!lua_checkstack(L, 4) || !lua_getinfo(L, "Sl", ar) || ar->source[0] != '@') return;
  luaL_getsubtable(L, LUA_REGISTRYINDEX, "lre.coverage");
  luaL_getsubtable(L, -1, ar->source + 1);
  lua_pushboolean(L, 1);
  lua_rawseti(L, -2, ar->currentline);
  lua_pop(L, 2);
}

void lre_coverage_attach(lua_State *L) {
  if (file_of_lines())
    lua_sethook(L, count_line, LUA_MASKLINE, 0);
  else
    lua_sethook(L, NULL, 0, 0);
}

/* The table of one source's lines is on top of the stack. */
static void write_source(lua_State *L, FILE *out, const char *path) {
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    fprintf(out, "%s:%lld\n", path, (long long)lua_tointeger(L, -2));
    lua_pop(L, 1);
  }
}

/* `source` below share_dir, or NULL. Adapters, reports, personas are loaded by a name that begins there already. */
static const char *below(const char *source, const char *share_dir) {
  size_t len = strlen(share_dir);
  if (strncmp(source, share_dir, len) == 0 && source[len] == '/') return source + len + 1;
  return strncmp(source, "lua/", 4) == 0 ? source : NULL;
}

void lre_coverage_write(lua_State *L, const char *share_dir) {
  const char *file = file_of_lines();
  FILE *out = file ? fopen(file, "a") : NULL;
  if (!out) return;
  lua_sethook(L, NULL, 0, 0);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, "lre.coverage");
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    const char *path = below(lua_tostring(L, -2), share_dir);
    if (path) write_source(L, out, path);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  fclose(out);
}
