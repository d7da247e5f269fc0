/* suite_row.c: require "lre.suite_row". */
#include "core/suite_row.h"

#include "bind/bind.h"
#include "core/buf.h"

#define ROOM_TYPE "lre.suite_row.room"

enum { MOST_BYTES = 64 << 10 }; /* of a line: a longer one is no common row, and takes no memory that stays */

struct room {
  struct lre_buf out, decoded; /* keep their memory from row to row */
};

static int room_gc(lua_State *L) {
  struct room *r = lua_touserdata(L, 1);
  lre_buf_free(&r->out);
  lre_buf_free(&r->decoded);
  return 0;
}

static void push_text(lua_State *L, struct lre_json_string text) {
  if (text.s)
    lua_pushlstring(L, text.s, text.len);
  else
    lua_pushnil(L);
}

/* Upvalue 1: the room. */
static int suite_row_common(lua_State *L) {
  struct room *r = lua_touserdata(L, lua_upvalueindex(1));
  struct lre_suite_row row;
  struct lre_err err;
  size_t len;
  const char *line = luaL_checklstring(L, 1, &len);
  lre_buf_clear(&r->out);
  lre_buf_clear(&r->decoded);
  if (len > MOST_BYTES || !lre_buf_reserve(&r->decoded, len)) return 0;
  if (!lre_suite_row_read(line, len, &row, r->decoded.data) || !lre_suite_row_put(&row, &r->out, &err)) return 0;
  push_text(L, row.id);
  push_text(L, row.category);
  lua_pushlstring(L, r->out.data, r->out.len);
  return 3;
}

int luaopen_lre_suite_row(lua_State *L) {
  static const luaL_Reg functions[] = {{"common", suite_row_common}, {NULL, NULL}}, none[] = {{NULL, NULL}};
  lre_bind_type(L, ROOM_TYPE, none, room_gc);
  luaL_newlibtable(L, functions);
  struct room *r = lua_newuserdatauv(L, sizeof *r, 0);
  lre_buf_init(&r->out);
  lre_buf_init(&r->decoded);
  luaL_setmetatable(L, ROOM_TYPE);
  luaL_setfuncs(L, functions, 1);
  return 1;
}
