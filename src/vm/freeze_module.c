/* freeze_module.c: a rule judge keeps nothing between rows. What its functions can reach is frozen once it is loaded;
 * the locals that they share are noted, and compared after every row. */
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>

#include "vm/freeze.h"
#include "vm/sandbox_state.h"
#include "vm/value.h"

static const char library_key = 0; /* in the registry: the set of our libraries' functions */
static const char snapshot_key =
    0;                       /* in the registry: the thread whose stack is function 1, value 1, function 2, ... */
enum { SNAPSHOT_SPARE = 4 }; /* places on it for a comparison */

/* Pushes the registry's table at `key`, made when it is not there. */
static void push_registry_table(lua_State *L, const void *key) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, key) == LUA_TTABLE) return;
  lua_pop(L, 1);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

void lre_sandbox_mark_library(lua_State *L, int index) {
  index = lua_absindex(L, index);
  push_registry_table(L, &library_key);
  for (lua_pushnil(L); lua_next(L, index);) {
    if (lua_type(L, -1) != LUA_TFUNCTION) {
      lua_pop(L, 1);
      continue;
    }
    lua_pushboolean(L, 1);
    lua_rawset(L, -4);
  }
  lua_pop(L, 1);
}

void lre_sandbox_freeze_library(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (lre_freeze_target(L, index)) {
    lua_pop(L, 1);
    return;
  }
  luaL_checkstack(L, 8, "freezing");
  lre_sandbox_mark_library(L, index);
  for (lua_pushnil(L); lua_next(L, index); lua_pop(L, 1)) {
    if (lua_type(L, -1) == LUA_TTABLE && !lua_rawequal(L, -1, index)) lre_sandbox_freeze_library(L, -1);
  }
  lre_freeze_table(L, index, LRE_FREEZE_LIBRARY);
}

/* A walk over all that is reachable, breadth first, so that deep data needs no deep stack. */
struct walk {
  struct lre_sandbox *sb;
  lua_State *L;
  int queue, seen; /* stack places: value 1, name 1, value 2, ...; the set of what was queued */
  lua_Integer n, at;
};

/* Takes value and name from the stack. */
static void enqueue(struct walk *w) {
  lua_State *L = w->L;
  int type = lua_type(L, -2);
  lua_pushvalue(L, -2);
  bool known = (type != LUA_TTABLE && type != LUA_TFUNCTION) || lua_rawget(L, w->seen) != LUA_TNIL;
  lua_pop(L, 1);
  if (known) {
    lua_pop(L, 2);
    return;
  }
  lua_rawseti(L, w->queue, 2 * w->n + 2);
  lua_pushvalue(L, -1);
  lua_rawseti(L, w->queue, 2 * w->n + 1);
  lua_pushboolean(L, 1);
  lua_rawset(L, w->seen);
  w->n++;
}

static void refuse_state(struct walk *w, int name) {
  luaL_error(w->L,
             "%s: %s is an iterator made while the file was loaded; a rule judge keeps nothing between rows (make it "
             "in the function)",
             w->sb->spec->main.chunk_name + 1, lua_tostring(w->L, name));
}

static void visit_c_function(struct walk *w, int function, int name) {
  lua_State *L = w->L;
  if (!lua_getupvalue(L, function, 1)) return;
  lua_pop(L, 1);
  push_registry_table(L, &library_key);
  lua_pushvalue(L, function);
  if (lua_rawget(L, -2) == LUA_TNIL) refuse_state(w, name);
  lua_pop(L, 2);
}

/* Appends upvalue n of the function to the snapshot; its value is on the top and stays. */
static void note_upvalue(struct walk *w, int function, int n) {
  lua_State *L = w->L;
  struct lre_sandbox *sb = w->sb;
  int *grown = realloc(sb->upvalues, (sb->n_upvalues + 1) * sizeof *grown);
  if (!grown) luaL_error(L, "not enough memory");
  sb->upvalues = grown;
  if (!lua_checkstack(sb->snapshot, 2 + SNAPSHOT_SPARE)) luaL_error(L, "it has too many functions and locals");
  lua_pushvalue(L, function);
  lua_pushvalue(L, -2);
  lua_xmove(L, sb->snapshot, 2);
  sb->upvalues[sb->n_upvalues++] = n;
}

static void visit_function(struct walk *w, int function, int name) {
  lua_State *L = w->L;
  if (lua_iscfunction(L, function)) {
    visit_c_function(w, function, name);
    return;
  }
  const char *upvalue;
  for (int n = 1; (upvalue = lua_getupvalue(L, function, n)); n++) {
    void *id = lua_upvalueid(L, function, n); /* functions share them */
    if (lua_rawgetp(L, w->seen, id) == LUA_TNIL) {
      lua_pushboolean(L, 1);
      lua_rawsetp(L, w->seen, id);
      lua_pop(L, 1);
      note_upvalue(w, function, n);
      lua_pushfstring(L, "local '%s'", upvalue);
      enqueue(w);
    } else {
      lua_pop(L, 2);
    }
  }
}

static void visit_table(struct walk *w, int table, int name) {
  lua_State *L = w->L;
  if (lre_freeze_target(L, table)) {
    lua_pop(L, 1);
    return;
  }
  if (lua_getmetatable(L, table) && !lre_value_is_array(L, table))
    luaL_error(L,
               "%s: %s has a metatable; a module-level table of a rule judge is read-only and must be plain (set the "
               "metatable in the function)",
               w->sb->spec->main.chunk_name + 1, lua_tostring(L, name));
  lua_settop(L, name);
  for (lua_pushnil(L); lua_next(L, table);) { /* key value */
    lua_pushvalue(L, -2);
    if (lua_type(L, -1) == LUA_TSTRING) {
      lua_pushfstring(L, "%s.%s", lua_tostring(L, name), lua_tostring(L, -1));
    } else {
      lua_pushfstring(L, "%s[...]", lua_tostring(L, name));
    }
    lua_remove(L, -2);
    enqueue(w);
    lua_pushvalue(L, -1);
    lua_pushfstring(L, "a key of %s", lua_tostring(L, name));
    enqueue(w);
  }
  lre_freeze_table(L, table, LRE_FREEZE_MODULE);
}

void lre_sandbox_freeze(struct lre_sandbox *sb, lua_State *L, int first, int last) {
  luaL_checkstack(L, 20, "freezing");
  int top = lua_gettop(L);
  sb->snapshot = lua_newthread(L);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &snapshot_key);
  sb->n_upvalues = 0;
  lua_newtable(L);
  lua_newtable(L);
  struct walk w = {.sb = sb, .L = L, .queue = top + 1, .seen = top + 2};
  for (int i = first; i <= last; i++) {
    lua_pushvalue(L, i);
    lua_pushliteral(L, "the returned table");
    enqueue(&w);
  }
  for (; w.at < w.n; w.at++) {
    lua_rawgeti(L, w.queue, 2 * w.at + 1);
    lua_rawgeti(L, w.queue, 2 * w.at + 2);
    if (lua_type(L, top + 3) == LUA_TTABLE) {
      visit_table(&w, top + 3, top + 4);
    } else {
      visit_function(&w, top + 3, top + 4);
    }
    lua_settop(L, top + 2);
  }
  lua_settop(L, top);
}

/* The value is on the top. Nearly all are functions and tables: the same object, told without a look at it. */
static bool is_same(lua_State *L, int before) {
  const void *object = lua_topointer(L, -1);
  if (object && object == lua_topointer(L, before)) return true;
  if (lua_rawequal(L, -1, before)) return true;
  bool nan_now = lua_type(L, -1) == LUA_TNUMBER && !lua_rawequal(L, -1, -1);
  bool nan_before = lua_type(L, before) == LUA_TNUMBER && !lua_rawequal(L, before, before);
  return nan_now && nan_before;
}

/* Upvalue `name` of function i of the snapshot was changed. */
static void note_impure(struct lre_sandbox *sb, lua_State *L, size_t i, const char *name) {
  lua_Debug ar;
  char text[384];
  lua_pushvalue(sb->snapshot, 2 * (int)i + 1);
  lua_getinfo(sb->snapshot, ">S", &ar);
  snprintf(text, sizeof text,
           "%s:%d: a function changed '%s', a local of the file; a rule judge keeps nothing between rows (make it a "
           "local of the function)",
           *ar.source == '@' ? ar.source + 1 : ar.short_src, ar.linedefined, name);
  lre_sandbox_note_kill(sb, L, "impure", 0, text);
}

bool lre_sandbox_verify(struct lre_sandbox *sb, lua_State *L) {
  lua_State *kept = sb->snapshot;
  for (size_t i = 0; i < sb->n_upvalues; i++) {
    const char *name = lua_getupvalue(kept, 2 * (int)i + 1, sb->upvalues[i]);
    bool same = is_same(kept, 2 * (int)i + 2);
    lua_pop(kept, 1);
    if (same) continue;
    note_impure(sb, L, i, name);
    return false;
  }
  return true;
}
