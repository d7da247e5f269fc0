/* writer.c: require "lre.writer". Objects whose fields are known beforehand, as canonical JSON: their names are sorted
 * and quoted once, and no table is made of the values. */
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "vm/value.h"

#define WRITER_TYPE "lre.writer"

enum { MAX_FIELDS = 40, KEPT_BYTES = 65536 };

struct field {
  const char *key; /* `"name":`, kept by the writer's user value */
  size_t len;
  int argument;
  bool encoded; /* its value is canonical JSON already */
};

struct writer {
  struct lre_buf out; /* keeps its memory from object to object */
  size_t n;
  struct field fields[MAX_FIELDS]; /* in the order of their names */
};

static bool put_field(lua_State *L, const struct field *f, struct lre_buf *out, struct lre_err *err) {
  size_t len;
  const char *text;
  if (out->len > 1) lre_buf_putc(out, ',');
  lre_buf_put(out, f->key, f->len);
  if (f->encoded) {
    text = luaL_checklstring(L, f->argument, &len);
    return lre_buf_put(out, text, len) || lre_err_memory(err);
  }
  if (lua_type(L, f->argument) != LUA_TSTRING) return lre_value_encode(L, f->argument, out, 0, err);
  text = lua_tolstring(L, f->argument, &len); /* most are strings */
  return lre_json_put_string(out, text, len, err);
}

static bool put_fields(lua_State *L, struct writer *w, struct lre_err *err) {
  lre_buf_clear(&w->out);
  lre_buf_putc(&w->out, '{');
  for (size_t i = 0; i < w->n; i++) {
    const struct field *f = &w->fields[i];
    if (!lua_isnil(L, f->argument) && !put_field(L, f, &w->out, err)) return false;
  }
  return lre_buf_putc(&w->out, '}') || lre_err_memory(err);
}

/* Upvalue 1: the writer. Arguments: the values in the order in which the fields were named; nil leaves one out. */
static int write_object(lua_State *L) {
  struct writer *w = lua_touserdata(L, lua_upvalueindex(1));
  struct lre_err err;
  lua_settop(L, (int)w->n);
  bool ok = put_fields(L, w, &err);
  if (ok) lua_pushlstring(L, w->out.data, w->out.len);
  if (w->out.cap > KEPT_BYTES) lre_buf_free(&w->out);
  return ok ? 1 : lre_bind_fail(L, &err);
}

static int writer_gc(lua_State *L) {
  lre_buf_free(&((struct writer *)lua_touserdata(L, 1))->out);
  return 0;
}

static bool is_among(lua_State *L, int name, int list) {
  bool found = false;
  for (lua_Integer i = 1; !found && lua_rawgeti(L, list, i) != LUA_TNIL; i++) {
    found = lua_rawequal(L, name, -1);
    lua_pop(L, 1);
  }
  lua_settop(L, name);
  return found;
}

/* Of ASCII names the order of the quoted ones is that of canonical JSON: '"' is before every letter. */
static int by_key(const void *a, const void *b) {
  return strcmp(((const struct field *)a)->key, ((const struct field *)b)->key);
}

static int writer_new(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  if (lua_isnoneornil(L, 2)) {
    lua_settop(L, 1);
    lua_newtable(L);
  }
  lua_settop(L, 2);
  lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
  luaL_argcheck(L, n <= MAX_FIELDS, 1, "too many fields");
  struct writer *w = lua_newuserdatauv(L, sizeof *w, 1);
  lre_buf_init(&w->out);
  w->n = (size_t)n;
  luaL_setmetatable(L, WRITER_TYPE);
  lua_newtable(L); /* 4: the keys, as they are written */
  for (lua_Integer i = 1; i <= n; i++) {
    struct field *f = &w->fields[i - 1];
    luaL_argcheck(L, lua_rawgeti(L, 1, i) == LUA_TSTRING, 1, "expected a list of names");
    luaL_argcheck(L, strspn(lua_tostring(L, 5), "abcdefghijklmnopqrstuvwxyz_") == lua_rawlen(L, 5), 1,
                  "expected names of small letters and _");
    f->encoded = is_among(L, 5, 2);
    f->argument = (int)i;
    f->key = lua_pushfstring(L, "\"%s\":", lua_tostring(L, 5));
    f->len = lua_rawlen(L, 6);
    lua_rawseti(L, 4, i);
    lua_settop(L, 4);
  }
  lua_setiuservalue(L, 3, 1);
  qsort(w->fields, w->n, sizeof w->fields[0], by_key);
  lua_pushcclosure(L, write_object, 1);
  return 1;
}

int luaopen_lre_writer(lua_State *L) {
  static const luaL_Reg functions[] = {{"new", writer_new}, {NULL, NULL}}, none[] = {{NULL, NULL}};
  lre_bind_type(L, WRITER_TYPE, none, writer_gc);
  luaL_newlib(L, functions);
  return 1;
}
