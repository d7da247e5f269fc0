/* sandlib.c: the globals of a sandbox: an allow-list, with own versions of what would show an address, an order or a
 * clock. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdint.h>

#include "core/hash.h"
#include "vm/freeze.h"
#include "vm/sandbox_state.h"
#include "vm/value.h"

void lre_sandbox_push_text(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (luaL_callmeta(L, index, "__tostring")) {
    if (!lua_isstring(L, -1)) luaL_error(L, "'__tostring' must return a string");
    return;
  }
  switch (lua_type(L, index)) {
  case LUA_TNIL:
  case LUA_TBOOLEAN:
  case LUA_TNUMBER:
  case LUA_TSTRING:
    luaL_tolstring(L, index, NULL);
    return;
  default:
    if (luaL_getmetafield(L, index, "__name") == LUA_TSTRING) return;
    lua_pushstring(L, luaL_typename(L, index));
  }
}

int lre_sandbox_tostring(lua_State *L) {
  luaL_checkany(L, 1);
  lre_sandbox_push_text(L, 1);
  return 1;
}

static int base_tonumber(lua_State *L) {
  lre_context_charge(L, lua_type(L, 1) == LUA_TSTRING ? lua_rawlen(L, 1) + 1 : 1);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int base_select(lua_State *L) {
  lre_context_charge(L, (size_t)lua_gettop(L) / 8);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int base_rawget(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  lua_settop(L, 2);
  lre_freeze_look(L, 1);
  lua_insert(L, 2);
  lua_rawget(L, 2);
  return 1;
}

static int base_rawlen(lua_State *L) {
  int type = lua_type(L, 1);
  luaL_argexpected(L, type == LUA_TTABLE || type == LUA_TSTRING, 1, "table or string");
  lre_freeze_look(L, 1);
  lua_pushinteger(L, (lua_Integer)lua_rawlen(L, -1));
  return 1;
}

static int base_rawset(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_checkany(L, 2);
  luaL_checkany(L, 3);
  lua_settop(L, 3);
  if (lre_freeze_target(L, 1)) return luaL_error(L, "attempt to change a read-only table with rawset");
  lua_rawset(L, 1);
  return 1;
}

/* True where the metatable on the top is one of ours: of a string, a userdata, an error, an array. */
static bool is_internal(lua_State *L, int object) {
  if (lua_type(L, object) != LUA_TTABLE || lre_value_is_array(L, object)) return true;
  lua_pushliteral(L, "__name");
  bool ours = false;
  if (lua_rawget(L, -2) == LUA_TSTRING) {
    lua_rawget(L, LUA_REGISTRYINDEX);
    ours = lua_rawequal(L, -1, -2);
  }
  lua_pop(L, 1);
  return ours;
}

static int base_getmetatable(lua_State *L) {
  luaL_checkany(L, 1);
  if (!lua_getmetatable(L, 1)) {
    luaL_pushfail(L);
    return 1;
  }
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return 1;
  if (is_internal(L, 1)) {
    luaL_pushfail(L);
    return 1;
  }
  lre_freeze_front(L);
  return 1;
}

/* A finaliser would run with the hook off; a weak table would show when memory is collected. */
static void refuse_field(lua_State *L, const char *name) {
  lua_pushstring(L, name);
  if (lua_rawget(L, -2) != LUA_TNIL)
    luaL_error(L, "a rule judge has no '%s': it would see the collector at work", name);
  lua_pop(L, 1);
}

static int base_setmetatable(lua_State *L) {
  int type = lua_type(L, 2);
  luaL_checktype(L, 1, LUA_TTABLE);
  luaL_argexpected(L, type == LUA_TNIL || type == LUA_TTABLE, 2, "nil or table");
  if (luaL_getmetafield(L, 1, "__metatable") != LUA_TNIL) return luaL_error(L, "cannot change a protected metatable");
  lua_settop(L, 2);
  if (type == LUA_TTABLE) {
    lre_freeze_look(L, 2);
    refuse_field(L, "__gc");
    refuse_field(L, "__mode");
  }
  lua_setmetatable(L, 1);
  lua_settop(L, 1);
  return 1;
}

/* ---- math ---- */

/* A row that came as an answer is written out only where its judge draws a number. */
static void seed_from_answer(struct lre_sandbox *sb, lua_State *L, uint64_t *seed) {
  struct lre_buf row;
  struct lre_err err;
  lre_buf_init(&row);
  bool ok = lre_answer_put(sb->seed_answer, &row, &err) && lre_hash_u64(row.data, row.len, seed);
  size_t len = row.len;
  lre_buf_free(&row);
  if (!ok) luaL_error(L, "math.random has no seed");
  lre_context_charge(L, len);
}

static struct lre_mt19937 *random_of(lua_State *L) {
  struct lre_sandbox *sb = lre_sandbox_of(L);
  uint64_t seed = 0;
  if (!sb->seeded) {
    if (!sb->seed_answer) lre_context_charge(L, sb->seed_len);
    if (sb->seed_answer) {
      seed_from_answer(sb, L, &seed);
    } else if (!lre_hash_u64(sb->seed, sb->seed_len, &seed)) {
      luaL_error(L, "math.random has no seed: SHA-256 failed");
    }
    lre_mt19937_seed(&sb->random, seed);
  }
  sb->seeded = true;
  return &sb->random;
}

/* As Lua's math.random; each row starts the generator anew, from the row's own text. */
static int math_random(lua_State *L) {
  struct lre_mt19937 *mt = random_of(L);
  int n = lua_gettop(L);
  if (n == 0) {
    lua_pushnumber(L, lre_mt19937_double(mt));
    return 1;
  }
  lua_Integer low = n == 1 ? 1 : luaL_checkinteger(L, 1), high = luaL_checkinteger(L, n == 1 ? 1 : 2);
  if (n > 2) return luaL_error(L, "wrong number of arguments");
  uint64_t span = (uint64_t)high - (uint64_t)low + 1;
  if (n == 1 && high == 0) span = 0;
  if (span != 0 || n == 2) luaL_argcheck(L, low <= high, n, "interval is empty");
  uint64_t drawn = span ? lre_mt19937_below(mt, span) : (uint64_t)lre_mt19937_u32(mt) << 32 | lre_mt19937_u32(mt);
  lua_pushinteger(L, (lua_Integer)((span ? (uint64_t)low : 0) + drawn));
  return 1;
}

void lre_sandbox_open_math(lua_State *L) {
  lua_pushcfunction(L, luaopen_math);
  lua_call(L, 0, 1);
  lua_pushcfunction(L, math_random);
  lua_setfield(L, -2, "random");
  lua_pushnil(L);
  lua_setfield(L, -2, "randomseed");
}

/* ---- globals ---- */

void lre_sandbox_name_library(lua_State *L, int index, const char *name) {
  lre_freeze_look(L, index);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_insert(L, -2);
  lua_setfield(L, -2, name);
  lua_pop(L, 1);
}

/* Sets field `name` of the globals at index to the library on the top, frozen. */
static void set_library(lua_State *L, int globals, const char *name) {
  lre_sandbox_freeze_library(L, lua_gettop(L));
  lre_sandbox_name_library(L, lua_gettop(L), name);
  lua_setfield(L, globals, name);
}

/* Methods of strings are found in the frozen library at once; no script gets at this metatable. */
static void index_strings(lua_State *L, int globals) {
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_getfield(L, globals, "string");
  lre_freeze_look(L, -1);
  lua_setfield(L, -3, "__index");
  lua_pop(L, 3);
}

/* From Lua's base library at index `base`. */
static void copy_base(lua_State *L, int base, int globals) {
  static const char *const kept[] = {"assert", "error", "ipairs", "rawequal", "type", "_VERSION"};
  for (size_t i = 0; i < sizeof kept / sizeof kept[0]; i++) {
    lua_getfield(L, base, kept[i]);
    lua_setfield(L, globals, kept[i]);
  }
  static const luaL_Reg wrapped[] = {{"tonumber", base_tonumber}, {"select", base_select}, {NULL, NULL}};
  for (const luaL_Reg *r = wrapped; r->name; r++) {
    lua_getfield(L, base, r->name);
    lua_pushcclosure(L, r->func, 1);
    lua_setfield(L, globals, r->name);
  }
}

void lre_sandbox_open(lua_State *L) {
  static const luaL_Reg own[] = {{"getmetatable", base_getmetatable},
                                 {"next", lre_sandbox_next},
                                 {"pairs", lre_sandbox_pairs},
                                 {"pcall", lre_sandbox_pcall},
                                 {"rawget", base_rawget},
                                 {"rawlen", base_rawlen},
                                 {"rawset", base_rawset},
                                 {"setmetatable", base_setmetatable},
                                 {"tostring", lre_sandbox_tostring},
                                 {"xpcall", lre_sandbox_xpcall},
                                 {NULL, NULL}};
  int top = lua_gettop(L);
  lua_pushcfunction(L, luaopen_base);
  lua_call(L, 0, 1);
  lua_newtable(L);
  int globals = lua_gettop(L);
  copy_base(L, top + 1, globals);
  luaL_setfuncs(L, own, 0);
  lre_sandbox_open_string(L);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pop(L, 2);
  set_library(L, globals, "string");
  index_strings(L, globals);
  lre_sandbox_open_table(L);
  set_library(L, globals, "table");
  lre_sandbox_open_math(L);
  set_library(L, globals, "math");
  lre_sandbox_open_utf8(L);
  set_library(L, globals, "utf8");
  lua_pushvalue(L, globals);
  lua_rawseti(L, LUA_REGISTRYINDEX, LUA_RIDX_GLOBALS);
  lua_settop(L, globals);
  lua_replace(L, top + 1);
  lua_settop(L, top + 1); /* the globals: `require` is added, then they are frozen */
}
