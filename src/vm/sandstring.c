/* sandstring.c: the string and utf8 libraries of a sandbox. What looks at many bytes pays for them first. */
#include <lauxlib.h>
#include <limits.h>
#include <lualib.h>
#include <stdint.h>
#include <string.h>

#include "vm/sandbox_state.h"
#include "vm/sandpattern.h"

static size_t string_bytes(lua_State *L) {
  size_t sum = 1;
  for (int i = lua_gettop(L); i > 0; i--) sum += lua_type(L, i) == LUA_TSTRING ? lua_rawlen(L, i) : 1;
  return sum;
}

/* Upvalue 1: the library's own function, which has no upvalues itself. */
static int call_charged(lua_State *L) {
  lre_context_charge(L, string_bytes(L));
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void lre_sandbox_charged(lua_State *L, const char *name) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, call_charged, 1);
  lua_setfield(L, -2, name);
}

/* Lua's relative position, from the end where negative; 0 where before the start. */
static lua_Integer position(lua_Integer at, size_t len) {
  if (at >= 0) return at;
  return at < -(lua_Integer)len ? 0 : (lua_Integer)len + at + 1;
}

/* How many of a string's bytes i..j there are; *i becomes the first one's place. */
static size_t count_range(size_t len, lua_Integer *i, lua_Integer j) {
  *i = position(*i, len);
  j = position(j, len);
  if (*i < 1) *i = 1;
  if (j > (lua_Integer)len) j = (lua_Integer)len;
  return j < *i ? 0 : (size_t)(j - *i) + 1;
}

/* The same for the arguments at `arg`, to be charged. */
static size_t range_bytes(lua_State *L, int arg, lua_Integer first, lua_Integer last) {
  size_t len;
  luaL_checklstring(L, 1, &len);
  lua_Integer i = luaL_optinteger(L, arg, first), j = luaL_optinteger(L, arg + 1, last == 0 ? i : last);
  size_t n = count_range(len, &i, j);
  return n ? n : 1;
}

/* The judges' most frequent call: its own, so that its arguments are looked at once. */
static int string_sub(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  lua_Integer i = luaL_checkinteger(L, 2);
  size_t n = count_range(len, &i, luaL_optinteger(L, 3, -1));
  lre_context_charge(L, n ? n : 1);
  lua_pushlstring(L, n ? s + i - 1 : "", n);
  return 1;
}

/* For byte(s, i [i]), utf8.codepoint(s, i [i]) and utf8.len(s, i, j [-1]). Upvalue 2: the default of
 * j (0: i). */
static int call_ranged(lua_State *L) {
  lre_context_charge(L, range_bytes(L, 2, 1, lua_tointeger(L, lua_upvalueindex(2))));
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static void set_ranged(lua_State *L, const char *name, lua_Integer last) {
  lua_getfield(L, -1, name);
  lua_pushinteger(L, last);
  lua_pushcclosure(L, call_ranged, 2);
  lua_setfield(L, -2, name);
}

/* ("").rep(n) of lstrlib counts to n, 2^62 or not. */
static int string_rep(lua_State *L) {
  size_t len, separator_len;
  luaL_checklstring(L, 1, &len);
  lua_Integer n = luaL_checkinteger(L, 2);
  luaL_optlstring(L, 3, "", &separator_len);
  if (n <= 0 || len + separator_len == 0) {
    lua_pushliteral(L, "");
    return 1;
  }
  size_t each = len + separator_len;
  lre_context_charge(L, (uint64_t)n > SIZE_MAX / each ? SIZE_MAX : each * (size_t)n);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

/* Arguments that a conversion would print with an address become text here; %p has nothing else to show. */
static int string_format(lua_State *L) {
  size_t len;
  const char *p = luaL_checklstring(L, 1, &len), *end = p + len;
  int arg = 1, top = lua_gettop(L);
  lre_context_charge(L, string_bytes(L));
  for (; p < end; p++) {
    if (*p != '%') continue;
    if (++p < end && *p == '%') continue;
    while (p < end && *p && strchr("-+ #0123456789.", *p)) p++;
    arg++;
    if (p < end && *p == 'p') return luaL_error(L, "'%%p' shows an address, which a rule judge must not see");
    if (p < end && *p == 's' && arg <= top && !lua_isstring(L, arg)) {
      lre_sandbox_push_text(L, arg);
      lre_context_charge(L, lua_rawlen(L, -1));
      lua_replace(L, arg);
    }
  }
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static void set_wrapped(lua_State *L, const char *name, lua_CFunction wrapper) {
  lua_getfield(L, -1, name);
  lua_pushcclosure(L, wrapper, 1);
  lua_setfield(L, -2, name);
}

/* Arithmetic on strings ("10" + 1) reads them whole. */
static void charge_metamethods(lua_State *L) {
  static const char *const events[] = {"__add", "__sub", "__mul", "__mod", "__pow", "__div", "__idiv", "__unm"};
  for (size_t i = 0; i < sizeof events / sizeof events[0]; i++) lre_sandbox_charged(L, events[i]);
}

void lre_sandbox_open_string(lua_State *L) {
  static const char *const whole[] = {"char", "lower", "upper", "reverse", "pack", "packsize", "unpack"};
  lua_pushcfunction(L, luaopen_string);
  lua_call(L, 0, 1);
  lua_pushnil(L);
  lua_setfield(L, -2, "dump");
  for (size_t i = 0; i < sizeof whole / sizeof whole[0]; i++) lre_sandbox_charged(L, whole[i]);
  set_ranged(L, "byte", 0);
  lua_pushcfunction(L, string_sub);
  lua_setfield(L, -2, "sub");
  set_wrapped(L, "rep", string_rep);
  set_wrapped(L, "format", string_format);
  static const luaL_Reg patterns[] = {{"find", lre_sandpattern_find},
                                      {"match", lre_sandpattern_match},
                                      {"gmatch", lre_sandpattern_gmatch},
                                      {"gsub", lre_sandpattern_gsub},
                                      {NULL, NULL}};
  luaL_setfuncs(L, patterns, 0);
  lua_pushliteral(L, "");
  lua_getmetatable(L, -1);
  charge_metamethods(L);
  lua_pop(L, 2);
}

/* ---- utf8 ---- */

/* Each step of utf8.codes skips the continuation bytes behind the last character: in broken text that may be all of
 * them. */
static int codes_step(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  lua_Integer at = luaL_checkinteger(L, 2);
  size_t i = at > 0 ? (size_t)at : 0, steps = 8;
  for (; i < len && ((unsigned char)s[i] & 0xC0) == 0x80; i++) steps++;
  lre_context_charge(L, steps);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

static int utf8_codes(lua_State *L) {
  int n = lua_tocfunction(L, lua_upvalueindex(1))(L);
  int first = lua_gettop(L) - n + 1;
  lua_pushvalue(L, first);
  lua_pushcclosure(L, codes_step, 1);
  lua_replace(L, first);
  return n;
}

/* utf8.offset(s, n) walks n characters, and at most the text. */
static int utf8_offset(lua_State *L) {
  size_t len;
  luaL_checklstring(L, 1, &len);
  lua_Integer n = luaL_checkinteger(L, 2);
  uint64_t characters = n < 0 ? -(uint64_t)n : (uint64_t)n;
  lre_context_charge(L, characters >= len / 4 ? len + 1 : (size_t)characters * 4 + 1);
  return lua_tocfunction(L, lua_upvalueindex(1))(L);
}

void lre_sandbox_open_utf8(lua_State *L) {
  lua_pushcfunction(L, luaopen_utf8);
  lua_call(L, 0, 1);
  lre_sandbox_charged(L, "char");
  set_ranged(L, "codepoint", 0);
  set_ranged(L, "len", -1);
  set_wrapped(L, "codes", utf8_codes);
  set_wrapped(L, "offset", utf8_offset);
}
