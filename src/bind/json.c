/* json.c: require "lre.json". */
#include <math.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/json.h"
#include "vm/freeze.h"
#include "vm/value.h"
#include "vm/vm.h"

#define TEXT_TYPE "lre.json.text"
static const char text_key = 0;
/* A tree is walked by recursion: this many levels are sure to fit on the C stack. */
#define MAX_DEPTH        190
#define SPARE_TEXT_BYTES 65536
/* What a rule judge may write at once: the text is charged when it is done, and a small table can stand for an endless
 * one. */
#define SANDBOX_BYTES (4u << 20)

static lua_Integer size_option(lua_State *L, int index, const char *name, lua_Integer least, lua_Integer most) {
  lua_Integer value = 0;
  if (lua_getfield(L, index, name) != LUA_TNIL) {
    int ok;
    value = lua_tointegerx(L, -1, &ok);
    if (!ok || value < least || value > most)
      luaL_error(L, "json.decode: option %s: expected an integer from %I to %I", name, (LUAI_UACINT)least,
                 (LUAI_UACINT)most);
  }
  lua_pop(L, 1);
  return value;
}

static void read_options(lua_State *L, int index, struct lre_json_limits *limits) {
  if (lua_isnoneornil(L, index)) return;
  luaL_checktype(L, index, LUA_TTABLE);
  limits->max_depth = (size_t)size_option(L, index, "max_depth", 1, MAX_DEPTH);
  limits->max_bytes = (size_t)size_option(L, index, "max_bytes", 1, LUA_MAXINTEGER);
  if (lua_getfield(L, index, "bigint") != LUA_TNIL) {
    static const char *const names[] = {"error", "string", NULL};
    limits->bigint_as_string = luaL_checkoption(L, -1, NULL, names) == 1;
  }
  lua_pop(L, 1);
}

static int text_gc(lua_State *L) {
  lre_json_text_free(lua_touserdata(L, 1));
  return 0;
}

static struct lre_json_text *new_text(lua_State *L) {
  struct lre_json_text *text = lre_bind_spare_take(L, &text_key);
  if (text) return text;
  text = lua_newuserdatauv(L, sizeof *text, 0);
  *text = (struct lre_json_text){0};
  luaL_setmetatable(L, TEXT_TYPE);
  return text;
}

/* The spare keeps its memory for the next text, but not what a large one needed. */
static void give_text(lua_State *L, int index, struct lre_json_text *text, size_t len) {
  if (len > SPARE_TEXT_BYTES) lre_json_text_free(text);
  lre_bind_spare_give(L, index, &text_key);
}

static int json_decode(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  struct lre_json_limits limits = {0};
  struct lre_err err;
  read_options(L, 2, &limits);
  lre_context_charge(L, len);
  lua_settop(L, 1);
  struct lre_json_text *text = new_text(L);
  if (!lre_json_check(text, s, len, &limits, &err)) {
    give_text(L, 2, text, len);
    return lre_bind_fail(L, &err);
  }
  lre_value_push_text(L, text);
  give_text(L, 2, text, len);
  return 1;
}

static int json_encode(lua_State *L) {
  luaL_checkany(L, 1);
  lua_Integer indent = luaL_optinteger(L, 2, 0);
  luaL_argcheck(L, indent == 0 || indent == 2, 2, "indent: expected 0 or 2");
  lua_settop(L, 1);
  struct lre_buf *out = lre_bind_buf(L);
  struct lre_err err;
  if (lre_context_get(L)->sandbox) out->max_bytes = SANDBOX_BYTES;
  bool ok = lre_value_encode(L, 1, out, (int)indent, &err);
  lre_context_charge(L, out->len);
  if (!ok) {
    lre_buf_free(out);
    return lre_bind_fail(L, &err);
  }
  return lre_bind_push_buf(L, out);
}

static int json_array(lua_State *L) {
  if (lua_isnoneornil(L, 1)) {
    lua_settop(L, 0);
    lua_newtable(L);
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  if (lre_freeze_target(L, 1)) return luaL_error(L, "json.array: attempt to change a read-only table");
  lre_value_set_array(L, 1);
  return 1;
}

static int json_is_array(lua_State *L) {
  lua_pushboolean(L, lre_value_is_array(L, 1));
  return 1;
}

static int json_round(lua_State *L) {
  if (lua_isinteger(L, 1))
    lua_settop(L, 1);
  else
    lua_pushnumber(L, lre_json_round12(luaL_checknumber(L, 1)));
  return 1;
}

int luaopen_lre_json(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"decode", json_decode},     {"encode", json_encode}, {"array", json_array},
      {"is_array", json_is_array}, {"round", json_round},   {NULL, NULL},
  };
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, TEXT_TYPE, none, text_gc);
  luaL_newlib(L, functions);
  lre_value_push_null(L);
  lua_setfield(L, -2, "null");
  return 1;
}
