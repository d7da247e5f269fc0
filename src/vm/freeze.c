/* freeze.c: see freeze.h. */
#include "vm/freeze.h"

#include <lauxlib.h>

static const char hidden_key = 0; /* in a frozen table's metatable: the hidden table */
static const char fronts_key = 0; /* in the registry: hidden table -> frozen table */

bool lre_freeze_target(lua_State *L, int index) {
  if (lua_type(L, index) != LUA_TTABLE || !lua_getmetatable(L, index)) return false;
  if (lua_rawgetp(L, -1, &hidden_key) == LUA_TTABLE) {
    lua_remove(L, -2);
    return true;
  }
  lua_pop(L, 2);
  return false;
}

void lre_freeze_look(lua_State *L, int index) {
  if (!lre_freeze_target(L, index)) lua_pushvalue(L, index);
}

bool lre_freeze_front(lua_State *L) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &fronts_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    return false;
  }
  lua_pushvalue(L, -2);
  bool found = lua_rawget(L, -2) == LUA_TTABLE;
  if (found) lua_replace(L, -3);
  lua_pop(L, found ? 1 : 2);
  return found;
}

static int refuse_write(lua_State *L) {
  switch ((enum lre_freeze_kind)lua_tointeger(L, lua_upvalueindex(1))) {
  case LRE_FREEZE_GLOBALS:
    return luaL_error(L, "attempt to set the global '%s'; a rule judge has no globals of its own (make it local)",
                      lua_type(L, 2) == LUA_TSTRING ? lua_tostring(L, 2) : "?");
  case LRE_FREEZE_LIBRARY:
    return luaL_error(L, "attempt to change a library table; in a rule judge they are read-only");
  default:
    return luaL_error(L, "attempt to change a module-level table; a rule judge keeps nothing between rows");
  }
}

static int frozen_length(lua_State *L) {
  lua_pushinteger(L, lre_freeze_target(L, 1) ? (lua_Integer)lua_rawlen(L, -1) : 0);
  return 1;
}

/* Moves every entry of the table at `from` to the empty table at `to`. */
static void move_entries(lua_State *L, int from, int to) {
  lua_pushnil(L);
  while (lua_next(L, from)) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2); /* key key value */
    lua_rawset(L, to);
  }
  lua_pushnil(L);
  while (lua_next(L, to)) {
    lua_pop(L, 1);
    lua_pushvalue(L, -1);
    lua_pushnil(L);
    lua_rawset(L, from);
  }
}

static void remember_front(lua_State *L, int front, int hidden) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &fronts_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &fronts_key);
  }
  lua_pushvalue(L, hidden);
  lua_pushvalue(L, front);
  lua_rawset(L, -3);
  lua_pop(L, 1);
}

/* One a kind: a judge has thousands of tables. */
static void push_refusal(lua_State *L, enum lre_freeze_kind kind) {
  static const char keys[LRE_FREEZE_MODULE + 1] = {0};
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &keys[kind]) == LUA_TFUNCTION) return;
  lua_pop(L, 1);
  lua_pushinteger(L, (lua_Integer)kind);
  lua_pushcclosure(L, refuse_write, 1);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &keys[kind]);
}

void lre_freeze_table(lua_State *L, int index, enum lre_freeze_kind kind) {
  int front = lua_absindex(L, index);
  luaL_checkstack(L, 8, "freezing");
  lua_newtable(L);
  int hidden = lua_gettop(L);
  move_entries(L, front, hidden);
  if (lua_getmetatable(L, front)) lua_setmetatable(L, hidden); /* the array mark moves along */
  remember_front(L, front, hidden);
  lua_createtable(L, 0, 5);
  lua_pushvalue(L, hidden);
  lua_setfield(L, -2, "__index");
  push_refusal(L, kind);
  lua_setfield(L, -2, "__newindex");
  lua_pushcfunction(L, frozen_length);
  lua_setfield(L, -2, "__len");
  lua_pushboolean(L, 0);
  lua_setfield(L, -2, "__metatable");
  lua_pushvalue(L, hidden);
  lua_rawsetp(L, -2, &hidden_key);
  lua_setmetatable(L, front);
  lua_settop(L, hidden - 1);
}
