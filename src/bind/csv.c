/* csv.c: require "lre.csv". */
#include "core/csv.h"
#include "bind/bind.h"
#include "core/buf.h"

/* A wider record is taken for a file that is not CSV. */
#define MAX_FIELDS 4096

/* Upvalues of the iterator: 1 the text, 2 the reader, 3 the buffer of fields. */
static int next_record(lua_State *L) {
  struct lre_csv *csv = lua_touserdata(L, lua_upvalueindex(2));
  struct lre_buf *fields = lua_touserdata(L, lua_upvalueindex(3));
  size_t ends[MAX_FIELDS], n, start = 0;
  struct lre_err err;
  lre_buf_clear(fields);
  int got = lre_csv_next(csv, fields, ends, MAX_FIELDS, &n, &err);
  if (got < 0) return lre_bind_raise(L, &err);
  if (got == 0) return 0;
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    lua_pushlstring(L, fields->data ? fields->data + start : "", ends[i] - start);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
    start = ends[i];
  }
  lua_pushinteger(L, (lua_Integer)csv->line);
  return 2;
}

static int csv_records(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  lua_settop(L, 1);
  struct lre_csv *csv = lua_newuserdatauv(L, sizeof *csv, 0);
  lre_csv_init(csv, text, len);
  lre_bind_buf(L);
  lua_pushcclosure(L, next_record, 3);
  return 1;
}

static int csv_format(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lua_Integer n = luaL_len(L, 1);
  struct lre_buf *out = lre_bind_buf(L);
  for (lua_Integer i = 1; i <= n; i++) {
    size_t len;
    lua_rawgeti(L, 1, i);
    const char *field = lua_tolstring(L, -1, &len);
    if (!field)
      return luaL_error(L, "csv.format: field %I: expected a string or a number, got %s", (LUAI_UACINT)i,
                        luaL_typename(L, -1));
    if (i > 1) lre_buf_putc(out, ',');
    lre_csv_put(out, field, len);
    lua_pop(L, 1);
  }
  lre_buf_putc(out, '\n');
  return lre_bind_push_buf(L, out);
}

int luaopen_lre_csv(lua_State *L) {
  static const luaL_Reg functions[] = {{"records", csv_records}, {"format", csv_format}, {NULL, NULL}};
  luaL_newlib(L, functions);
  return 1;
}
