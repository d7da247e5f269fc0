/* text.c: require "lre.text". */
#include "core/text.h"
#include "bind/bind.h"
#include "core/buf.h"
#include "core/utf8.h"
#include "vm/vm.h"

static const char *check_text(lua_State *L, int index, size_t *len) {
  const char *s = luaL_checklstring(L, index, len);
  lre_context_charge(L, *len);
  return s;
}

static int text_valid_utf8(lua_State *L) {
  size_t len, bad;
  const char *s = check_text(L, 1, &len);
  bool valid = lre_utf8_valid(s, len, &bad);
  lua_pushboolean(L, valid);
  if (valid) return 1;
  lua_pushinteger(L, (lua_Integer)bad);
  return 2;
}

static int text_repair_utf8(lua_State *L) {
  size_t len;
  const char *s = check_text(L, 1, &len);
  struct lre_buf *out = lre_bind_buf(L);
  size_t n = lre_utf8_repair(s, len, out);
  lre_bind_push_buf(L, out);
  lua_pushinteger(L, (lua_Integer)n);
  return 2;
}

static int text_terminal(lua_State *L) {
  size_t len;
  const char *s = check_text(L, 1, &len);
  bool multiline = lua_toboolean(L, 2);
  struct lre_buf *out = lre_bind_buf(L);
  lre_text_terminal(s, len, multiline, out);
  return lre_bind_push_buf(L, out);
}

static int text_html(lua_State *L) {
  size_t len;
  const char *s = check_text(L, 1, &len);
  struct lre_buf *out = lre_bind_buf(L);
  lre_text_html(s, len, out);
  return lre_bind_push_buf(L, out);
}

static int text_distance(lua_State *L) {
  size_t a_len, b_len;
  const char *a = check_text(L, 1, &a_len), *b = check_text(L, 2, &b_len);
  lre_context_charge(L, (a_len > LRE_TEXT_DISTANCE_BYTES ? LRE_TEXT_DISTANCE_BYTES : a_len) *
                            (b_len > LRE_TEXT_DISTANCE_BYTES ? LRE_TEXT_DISTANCE_BYTES : b_len));
  lua_pushinteger(L, (lua_Integer)lre_text_distance(a, a_len, b, b_len));
  return 1;
}

static int text_columns(lua_State *L) {
  size_t len;
  const char *s = check_text(L, 1, &len);
  lua_pushinteger(L, (lua_Integer)lre_text_columns(s, len));
  return 1;
}

static int text_trim(lua_State *L) {
  size_t len, trimmed_len;
  const char *s = check_text(L, 1, &len);
  const char *trimmed = lre_text_trim(s, len, &trimmed_len);
  lua_pushlstring(L, trimmed, trimmed_len);
  return 1;
}

int luaopen_lre_text(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"valid_utf8", text_valid_utf8},
      {"repair_utf8", text_repair_utf8},
      {"terminal", text_terminal},
      {"html", text_html},
      {"distance", text_distance},
      {"columns", text_columns},
      {"trim", text_trim},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
