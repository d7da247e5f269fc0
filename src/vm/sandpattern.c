/* sandpattern.c: string.find, match, gmatch and gsub over luapattern.c, with Lua 5.4's meaning. */
#include "vm/sandpattern.h"

#include <lauxlib.h>
#include <string.h>

#include "vm/luapattern.h"
#include "vm/vm.h"

/* Lua's relative start position as an offset; len + 1 where it is behind the end. */
static size_t start_offset(lua_Integer at, size_t len) {
  if (at > 0) return (size_t)(at - 1) > len ? len + 1 : (size_t)(at - 1);
  if (at == 0 || at < -(lua_Integer)len) return 0;
  return (size_t)((lua_Integer)len + at);
}

/* Pushes capture i of a match; the whole match where the pattern has none. */
static void push_capture(lua_State *L, const struct lre_luapattern_match *m, int i) {
  if (i >= m->n_captures) {
    if (i != 0) luaL_error(L, "invalid capture index %%%d", i + 1);
    lua_pushlstring(L, m->start, (size_t)(m->stop - m->start));
  } else if (m->captures[i].len == LRE_LUAPATTERN_POSITION) {
    lua_pushinteger(L, m->captures[i].start - m->subject + 1);
  } else {
    lua_pushlstring(L, m->captures[i].start, (size_t)m->captures[i].len);
  }
}

/* All captures, or the whole match where there is none and `whole`. */
static int push_captures(lua_State *L, const struct lre_luapattern_match *m, bool whole) {
  int n = m->n_captures == 0 && whole ? 1 : m->n_captures;
  luaL_checkstack(L, n, "too many captures");
  for (int i = 0; i < n; i++) push_capture(L, m, i);
  return n;
}

static bool is_plain(const char *pattern, size_t len) {
  for (size_t i = 0; i < len; i++) {
    if (pattern[i] && strchr("^$*+?.([%-", pattern[i])) return false;
  }
  return true;
}

static int find_plain(lua_State *L, const char *s, size_t len, size_t from, const char *what, size_t what_len) {
  lre_context_charge(L, what_len + 1);
  const char *hit = memmem(s + from, len - from, what, what_len);
  lre_context_charge(L, hit ? (size_t)(hit - s) - from : len - from);
  if (!hit) {
    luaL_pushfail(L);
    return 1;
  }
  lua_pushinteger(L, hit - s + 1);
  lua_pushinteger(L, hit - s + (lua_Integer)what_len);
  return 2;
}

static int find_or_match(lua_State *L, bool find) {
  size_t len, pattern_len;
  const char *s = luaL_checklstring(L, 1, &len);
  const char *pattern = luaL_checklstring(L, 2, &pattern_len);
  size_t from = start_offset(luaL_optinteger(L, 3, 1), len);
  if (from > len) {
    luaL_pushfail(L);
    return 1;
  }
  if (find && (lua_toboolean(L, 4) || is_plain(pattern, pattern_len)))
    return find_plain(L, s, len, from, pattern, pattern_len);
  struct lre_luapattern_match m = {.subject = s, .end = s + len};
  const struct lre_luapattern *compiled = lre_luapattern_new(L, pattern, pattern_len, true);
  if (!lre_luapattern_search(L, compiled, s + from, &m)) {
    luaL_pushfail(L);
    return 1;
  }
  if (!find) return push_captures(L, &m, true);
  lua_pushinteger(L, m.start - s + 1);
  lua_pushinteger(L, m.stop - s);
  return push_captures(L, &m, false) + 2;
}

int lre_sandpattern_find(lua_State *L) {
  return find_or_match(L, true);
}

int lre_sandpattern_match(lua_State *L) {
  return find_or_match(L, false);
}

/* Where an iteration stands: in a userdata, upvalue 3 of the iterator (1: the text, 2: the compiled pattern). */
struct iteration {
  const char *s, *end, *at;
  const char *last; /* where the last match ended: an empty match there again would be the same one */
};

/* The next match that is not an empty one at `last`. */
static bool next_match(lua_State *L, const struct lre_luapattern *pattern, struct iteration *it,
                       struct lre_luapattern_match *m) {
  while (it->at <= it->end && lre_luapattern_search(L, pattern, it->at, m)) {
    if (m->stop != it->last) {
      it->at = it->last = m->stop;
      return true;
    }
    it->at = m->start + 1;
  }
  it->at = it->end + 1;
  return false;
}

static int gmatch_step(lua_State *L) {
  struct iteration *it = lua_touserdata(L, lua_upvalueindex(3));
  struct lre_luapattern_match m = {.subject = it->s, .end = it->end};
  if (!next_match(L, lua_touserdata(L, lua_upvalueindex(2)), it, &m)) return 0;
  return push_captures(L, &m, true);
}

int lre_sandpattern_gmatch(lua_State *L) {
  size_t len, pattern_len;
  const char *s = luaL_checklstring(L, 1, &len);
  const char *pattern = luaL_checklstring(L, 2, &pattern_len);
  size_t from = start_offset(luaL_optinteger(L, 3, 1), len);
  lua_settop(L, 2);
  lua_createtable(L, 2, 0); /* the pattern's text lives as long as the iterator */
  lua_pushvalue(L, 1);
  lua_rawseti(L, -2, 1);
  lua_pushvalue(L, 2);
  lua_rawseti(L, -2, 2);
  lre_luapattern_new(L, pattern, pattern_len, false);
  struct iteration *it = lua_newuserdatauv(L, sizeof *it, 0);
  *it = (struct iteration){.s = s, .end = s + len, .at = s + from};
  lua_pushcclosure(L, gmatch_step, 3);
  return 1;
}

/* One replacement: "%1" in the text at index 3. */
static void add_text(lua_State *L, luaL_Buffer *b, const struct lre_luapattern_match *m) {
  size_t len;
  const char *text = lua_tolstring(L, 3, &len);
  lre_context_charge(L, len);
  for (const char *p = text, *end = text + len; p < end; p++) {
    if (*p != '%') {
      luaL_addchar(b, *p);
      continue;
    }
    p++;
    if (p < end && *p == '%') {
      luaL_addchar(b, '%');
    } else if (p < end && *p == '0') {
      lre_context_charge(L, (size_t)(m->stop - m->start));
      luaL_addlstring(b, m->start, (size_t)(m->stop - m->start));
    } else if (p < end && *p >= '1' && *p <= '9') {
      int i = *p - '1';
      if (i >= m->n_captures && i != 0) luaL_error(L, "invalid capture index %%%d in replacement string", i + 1);
      push_capture(L, m, i);
      lre_context_charge(L, lua_type(L, -1) == LUA_TSTRING ? lua_rawlen(L, -1) : 1);
      luaL_tolstring(L, -1, NULL);
      lua_remove(L, -2);
      luaL_addvalue(b);
    } else {
      luaL_error(L, "invalid use of '%%' in replacement string");
    }
  }
}

/* One replacement from the function or table at index 3; false or nil keeps the match. */
static void add_value(lua_State *L, luaL_Buffer *b, const struct lre_luapattern_match *m) {
  if (lua_type(L, 3) == LUA_TFUNCTION) {
    lua_pushvalue(L, 3);
    lua_call(L, push_captures(L, m, true), 1);
  } else {
    push_capture(L, m, 0);
    lua_gettable(L, 3);
  }
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    lua_pushlstring(L, m->start, (size_t)(m->stop - m->start));
  } else if (!lua_isstring(L, -1)) {
    luaL_error(L, "invalid replacement value (a %s)", luaL_typename(L, -1));
  }
  lre_context_charge(L, lua_type(L, -1) == LUA_TSTRING ? lua_rawlen(L, -1) : 1);
  luaL_addvalue(b);
}

int lre_sandpattern_gsub(lua_State *L) {
  size_t len, pattern_len;
  const char *s = luaL_checklstring(L, 1, &len);
  const char *pattern = luaL_checklstring(L, 2, &pattern_len);
  int type = lua_type(L, 3);
  luaL_argexpected(L, type == LUA_TNUMBER || type == LUA_TSTRING || type == LUA_TFUNCTION || type == LUA_TTABLE, 3,
                   "string/function/table");
  lua_Integer most = luaL_optinteger(L, 4, (lua_Integer)len + 1), n = 0;
  if (type == LUA_TNUMBER) lua_tostring(L, 3);
  lua_settop(L, 3);
  const struct lre_luapattern *compiled = lre_luapattern_new(L, pattern, pattern_len, true);
  struct lre_luapattern_match m = {.subject = s, .end = s + len};
  struct iteration it = {.s = s, .end = s + len, .at = s};
  const char *copied = s;
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  while (n < most && next_match(L, compiled, &it, &m)) {
    n++;
    luaL_addlstring(&b, copied, (size_t)(m.start - copied));
    copied = m.stop;
    if (type == LUA_TNUMBER || type == LUA_TSTRING) {
      add_text(L, &b, &m);
    } else {
      add_value(L, &b, &m);
    }
    if (lre_luapattern_anchored(compiled)) break;
  }
  luaL_addlstring(&b, copied, (size_t)(it.end - copied));
  luaL_pushresult(&b);
  lua_pushinteger(L, n);
  return 2;
}
