/* clock.c: require "lre.clock". */
#include <math.h>
#include <string.h>

#include "bind/bind.h"
#include "core/clock.h"

/* Seconds that a four-digit year can say: 0000-01-01 to 9999-12-31. */
#define MIN_UNIX (-62167219200.0)
#define MAX_UNIX 253402300799.0

static int clock_mono(lua_State *L) {
  lua_pushnumber(L, (double)lre_clock_mono_ns() / 1e9);
  return 1;
}

static int clock_unix(lua_State *L) {
  lua_pushnumber(L, (double)lre_clock_unix_us() / 1e6);
  return 1;
}

static int64_t unix_us(lua_State *L, int index) {
  if (lua_isnoneornil(L, index)) return lre_clock_unix_us();
  double seconds = luaL_checknumber(L, index);
  luaL_argcheck(L, seconds >= MIN_UNIX && seconds <= MAX_UNIX, index, "seconds since 1970: out of the years 0 to 9999");
  return (int64_t)floor(seconds * 1e6 + 0.5);
}

static int clock_iso(lua_State *L) {
  char text[LRE_CLOCK_ISO_BYTES];
  bool micros = lua_isnoneornil(L, 2) || lua_toboolean(L, 2);
  lre_clock_iso(unix_us(L, 1), micros, text);
  lua_pushstring(L, text);
  return 1;
}

/* "2025-01-01T12:30:00Z" to "20250101_123000" */
static int clock_stamp(lua_State *L) {
  char iso[LRE_CLOCK_ISO_BYTES], stamp[16];
  size_t n = 0;
  lre_clock_iso(unix_us(L, 1), false, iso);
  for (const char *s = iso; *s && n < sizeof stamp - 1; s++) {
    if (*s == 'T')
      stamp[n++] = '_';
    else if (*s >= '0' && *s <= '9')
      stamp[n++] = *s;
  }
  lua_pushlstring(L, stamp, n);
  return 1;
}

static int clock_http_date(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  int64_t seconds;
  if (lre_clock_parse_http_date(s, len, &seconds))
    lua_pushinteger(L, seconds);
  else
    lua_pushnil(L);
  return 1;
}

static int clock_epoch(lua_State *L) {
  int64_t seconds;
  struct lre_err err;
  if (lre_clock_epoch(&seconds, &err)) {
    lua_pushinteger(L, seconds);
    return 1;
  }
  if (strcmp(err.code, "unset") != 0) return lre_bind_fail(L, &err);
  lua_pushnil(L);
  return 1;
}

int luaopen_lre_clock(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"mono", clock_mono},           {"unix", clock_unix},   {"iso", clock_iso}, {"stamp", clock_stamp},
      {"http_date", clock_http_date}, {"epoch", clock_epoch}, {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
