/* lre.regex: patterns and pattern sets.
 *
 * A limit gives nil, err in the main state; in a rule judge it ends the row. */
#include "core/regex.h"

#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "core/regex_bank.h"
#include "vm/freeze.h"
#include "vm/sandbox.h"
#include "vm/vm.h"

#define PATTERN     "lre.pattern"
#define PATTERN_SET "lre.pattern_set"

/* Steps that a judge's budget is charged: compiling takes 10 to 100 us and memory that Lua does not count; a match
 * found costs its captures' strings. Charges never depend on JIT: the same judge ends at the same row anywhere. */
#define COMPILE_STEPS          5000
#define COMPILE_STEPS_PER_BYTE 100
#define MATCH_STEPS            16

#define MAX_PATTERNS 100000

/* User value 1 is the pattern's text. */
struct pattern {
  struct lre_regex *re;         /* NULL: closed */
  struct lre_regex_span *spans; /* [n_spans], of the last match: read before Lua is called again */
  size_t n_spans;
};

/* User value 1 is the list of ids. */
struct pattern_set {
  struct lre_regex_set *set; /* NULL: closed */
};

/* By its metatable's name it takes longer to tell. */
static bool is_type(lua_State *L, int index, const void *metatable) {
  if (!lua_getmetatable(L, index)) return false;
  bool same = lua_topointer(L, -1) == metatable;
  lua_pop(L, 1);
  return same && lua_isuserdata(L, index);
}

static struct pattern *check_pattern(lua_State *L, int index) {
  bool known = is_type(L, index, lre_context_get(L)->pattern_type);
  struct pattern *p = known ? lua_touserdata(L, index) : luaL_checkudata(L, index, PATTERN);
  luaL_argcheck(L, p->re, index, "the pattern is closed");
  return p;
}

static struct pattern_set *check_set(lua_State *L) {
  bool known = is_type(L, 1, lre_context_get(L)->pattern_set_type);
  struct pattern_set *ps = known ? lua_touserdata(L, 1) : luaL_checkudata(L, 1, PATTERN_SET);
  luaL_argcheck(L, ps->set, 1, "the pattern set is closed");
  return ps;
}

static struct lre_regex_scratch *scratch_of(lua_State *L) {
  return lre_context_get(L)->scratch;
}

static unsigned check_flags(lua_State *L, int index) {
  unsigned flags = 0;
  for (const char *c = luaL_optstring(L, index, ""); *c; c++) {
    switch (*c) {
    case 'i':
      flags |= LRE_REGEX_CASELESS;
      break;
    case 'm':
      flags |= LRE_REGEX_MULTILINE;
      break;
    case 's':
      flags |= LRE_REGEX_DOTALL;
      break;
    case 'x':
      flags |= LRE_REGEX_EXTENDED;
      break;
    default:
      luaL_argerror(L, index, lua_pushfstring(L, "unknown flag '%c': expected i, m, s or x", *c));
    }
  }
  return flags;
}

/* nil, err; or the end of the row. */
static int fail(lua_State *L, const struct lre_err *err) {
  struct lre_sandbox *sandbox = lre_context_get(L)->sandbox;
  if (!sandbox) return lre_bind_fail(L, err);
  if (strcmp(err->kind, "regex") == 0) return lre_sandbox_kill_regex(sandbox, L, err);
  return lre_bind_raise(L, err);
}

/* The same, naming the pattern by the string on the top of the stack. */
static int fail_named(lua_State *L, const struct lre_err *err) {
  struct lre_err named;
  lre_err_set(&named, err->kind, err->code, "%s (pattern `%s`)", err->message, lua_tostring(L, -1));
  return fail(L, &named);
}

static int fail_pattern(lua_State *L, const struct lre_err *err) {
  lua_getiuservalue(L, 1, 1);
  return fail_named(L, err);
}

static int pattern_gc(lua_State *L) {
  struct pattern *p = luaL_checkudata(L, 1, PATTERN);
  lre_regex_free(p->re);
  free(p->spans);
  *p = (struct pattern){0};
  return 0;
}

static int regex_new(lua_State *L) {
  size_t len;
  const char *text = luaL_checklstring(L, 1, &len);
  unsigned flags = check_flags(L, 2);
  lre_context_charge(L, COMPILE_STEPS + COMPILE_STEPS_PER_BYTE * len);
  struct pattern *p = lua_newuserdatauv(L, sizeof *p, 1);
  *p = (struct pattern){0};
  luaL_setmetatable(L, PATTERN);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, -2, 1);
  struct lre_err err;
  struct lre_regex_bank *bank = lre_context_get(L)->bank;
  p->re = bank ? lre_regex_bank_get(bank, text, len, flags, &err) : lre_regex_new(text, len, flags, &err);
  if (!p->re) return luaL_argerror(L, 1, lua_pushstring(L, err.message));
  p->n_spans = (size_t)lre_regex_captures(p->re) + 1;
  p->spans = calloc(p->n_spans, sizeof *p->spans);
  if (!p->spans) return luaL_error(L, "not enough memory");
  return 1;
}

/* A byte position as string.find takes it, 0-based; past the end: nothing can match. */
static size_t check_init(lua_State *L, int index, size_t len) {
  lua_Integer init = luaL_optinteger(L, index, 1);
  if (init > 0) return (lua_Integer)len < init - 1 ? len + 1 : (size_t)init - 1;
  if (init == 0 || init < -(lua_Integer)len) return 0;
  return len - (size_t)-init;
}

static void push_span(lua_State *L, const char *s, struct lre_regex_span span) {
  if (span.start == LRE_REGEX_UNSET) {
    lua_pushboolean(L, 0);
  } else {
    lua_pushlstring(L, s + span.start, span.end - span.start);
  }
}

/* The captures, or with `whole` the whole match where the pattern has none. */
static int push_captures(lua_State *L, const struct pattern *p, const char *s, bool whole) {
  size_t first = whole && p->n_spans == 1 ? 0 : 1;
  luaL_checkstack(L, (int)p->n_spans, "too many captures");
  for (size_t i = first; i < p->n_spans; i++) push_span(L, s, p->spans[i]);
  return (int)(p->n_spans - first);
}

/* The first match in the string at 2 from the position at `init`; max_spans as the caller needs. */
static int match_once(lua_State *L, struct pattern *p, int init, size_t max_spans, struct lre_err *err) {
  size_t len;
  const char *s = luaL_checklstring(L, 2, &len);
  size_t from = init ? check_init(L, init, len) : 0;
  lre_context_charge(L, MATCH_STEPS + (from <= len ? len - from : 0));
  return lre_regex_match(p->re, scratch_of(L), s, len, from, p->spans, max_spans, err);
}

static int pattern_find(lua_State *L) {
  struct pattern *p = check_pattern(L, 1);
  struct lre_err err;
  int rc = match_once(L, p, 3, p->n_spans, &err);
  if (rc < 0) return fail_pattern(L, &err);
  if (rc == 0) return lua_pushnil(L), 1;
  lua_pushinteger(L, (lua_Integer)p->spans[0].start + 1);
  lua_pushinteger(L, (lua_Integer)p->spans[0].end);
  return 2 + push_captures(L, p, lua_tostring(L, 2), false);
}

static int pattern_match(lua_State *L) {
  struct pattern *p = check_pattern(L, 1);
  struct lre_err err;
  int rc = match_once(L, p, 3, p->n_spans, &err);
  if (rc < 0) return fail_pattern(L, &err);
  if (rc == 0) return lua_pushnil(L), 1;
  return push_captures(L, p, lua_tostring(L, 2), true);
}

static int pattern_test(lua_State *L) {
  struct pattern *p = check_pattern(L, 1);
  struct lre_err err;
  int rc = match_once(L, p, 0, 0, &err);
  if (rc < 0) return fail_pattern(L, &err);
  lua_pushboolean(L, rc);
  return 1;
}

/* A walk over the matches of a text. As in string.gmatch of Lua 5.4, an empty match right after a match is none. */
struct walk {
  const char *s;
  size_t len, from;
  size_t last; /* where the last match ended, or LRE_REGEX_UNSET */
};

static struct walk start_walk(lua_State *L, int index) {
  struct walk w = {.last = LRE_REGEX_UNSET};
  w.s = luaL_checklstring(L, index, &w.len);
  lre_context_charge(L, w.len);
  return w;
}

/* As lre_regex_match, for the next match. A start before `from` (\K in a look-behind) is moved there. */
static int next_match(lua_State *L, struct pattern *p, struct walk *w, struct lre_err *err) {
  while (w->from <= w->len) {
    lre_context_charge(L, MATCH_STEPS);
    int rc = lre_regex_match(p->re, scratch_of(L), w->s, w->len, w->from, p->spans, p->n_spans, err);
    if (rc != 1) return rc;
    struct lre_regex_span *whole = &p->spans[0];
    if (whole->end <= w->from && w->last == w->from) {
      w->from++;
      continue;
    }
    if (whole->start < w->from) whole->start = w->from;
    if (whole->end < whole->start) whole->end = whole->start;
    w->from = w->last = whole->end;
    return 1;
  }
  return 0;
}

static int pattern_count(lua_State *L) {
  struct pattern *p = check_pattern(L, 1);
  struct walk w = start_walk(L, 2);
  struct lre_err err;
  lua_Integer n = 0;
  int rc;
  while ((rc = next_match(L, p, &w, &err)) == 1) n++;
  if (rc < 0) return fail_pattern(L, &err);
  lua_pushinteger(L, n);
  return 1;
}

/* Upvalues: the pattern, the text, the walk. */
static int gmatch_next(lua_State *L) {
  struct pattern *p = check_pattern(L, lua_upvalueindex(1));
  struct walk *w = lua_touserdata(L, lua_upvalueindex(3));
  struct lre_err err;
  int rc = next_match(L, p, w, &err);
  if (rc == 1) return push_captures(L, p, w->s, true);
  if (rc == 0) return lua_pushnil(L), 1;
  lua_getiuservalue(L, lua_upvalueindex(1), 1);
  fail_named(L, &err); /* nil, err in the main state */
  return lua_error(L);
}

static int pattern_gmatch(lua_State *L) {
  check_pattern(L, 1);
  struct walk w = start_walk(L, 2);
  lua_settop(L, 2);
  struct walk *own = lua_newuserdatauv(L, sizeof *own, 0);
  *own = w;
  lua_pushcclosure(L, gmatch_next, 3);
  return 1;
}

/* Refuses a replacement that names a group the pattern does not have, before anything is replaced. */
static void check_template(lua_State *L, int index, const struct pattern *p) {
  size_t len;
  const char *t = luaL_checklstring(L, index, &len);
  for (size_t i = 0; i < len; i++) {
    if (t[i] != '$') continue;
    char c = i + 1 < len ? t[i + 1] : '\0';
    bool group = c >= '0' && c <= '9' && (size_t)(c - '0') < p->n_spans;
    if (c != '$' && !group) {
      luaL_argerror(L, index, "after '$' expected '$', or the number (0 to 9) of a group of the pattern");
    }
    i++;
  }
}

static void add_template(luaL_Buffer *b, const char *t, size_t len, const char *s, const struct pattern *p) {
  for (size_t i = 0; i < len; i++) {
    if (t[i] != '$' || t[i + 1] == '$') {
      luaL_addchar(b, t[i]);
      i += t[i] == '$';
      continue;
    }
    struct lre_regex_span span = p->spans[t[++i] - '0'];
    if (span.start != LRE_REGEX_UNSET) luaL_addlstring(b, s + span.start, span.end - span.start);
  }
}

/* Calls the function at 3 with the captures; nil or false keeps the match. */
static void add_called(lua_State *L, luaL_Buffer *b, const struct pattern *p, const char *s) {
  struct lre_regex_span whole = p->spans[0];
  lua_pushvalue(L, 3);
  int arguments = push_captures(L, p, s, true);
  lua_call(L, arguments, 1);
  if (!lua_toboolean(L, -1)) {
    lua_pop(L, 1);
    luaL_addlstring(b, s + whole.start, whole.end - whole.start);
  } else if (lua_isstring(L, -1)) {
    luaL_addvalue(b);
  } else {
    luaL_error(L, "expected a string from the replacement function, got %s", luaL_typename(L, -1));
  }
}

static int pattern_gsub(lua_State *L) {
  struct pattern *p = check_pattern(L, 1);
  struct walk w = start_walk(L, 2);
  bool calls = lua_type(L, 3) == LUA_TFUNCTION;
  if (!calls) check_template(L, 3, p);
  lua_settop(L, 3);
  size_t template_len = 0, copied = 0;
  const char *template_text = calls ? NULL : lua_tolstring(L, 3, &template_len);
  lua_Integer n = 0;
  struct lre_err err;
  luaL_Buffer b;
  int rc;
  luaL_buffinit(L, &b);
  while ((rc = next_match(L, p, &w, &err)) == 1) {
    luaL_addlstring(&b, w.s + copied, p->spans[0].start - copied);
    copied = w.last;
    n++;
    if (calls) {
      add_called(L, &b, p, w.s);
    } else {
      lre_context_charge(L, template_len);
      add_template(&b, template_text, template_len, w.s, p);
    }
  }
  if (rc < 0) return fail_pattern(L, &err);
  luaL_addlstring(&b, w.s + copied, w.len - copied);
  luaL_pushresult(&b);
  lua_pushinteger(L, n);
  return 2;
}

static int pattern_tostring(lua_State *L) {
  luaL_checkudata(L, 1, PATTERN);
  lua_getiuservalue(L, 1, 1);
  lua_pushfstring(L, PATTERN ": %s", lua_tostring(L, -1));
  return 1;
}

struct named_pattern {
  const char *id, *text;
  size_t id_len, len;
};

static int compare_ids(const void *a, const void *b) {
  const struct named_pattern *x = a, *y = b;
  int order = memcmp(x->id, y->id, x->id_len < y->id_len ? x->id_len : y->id_len);
  return order ? order : (x->id_len > y->id_len) - (x->id_len < y->id_len);
}

/* Appends the string field `name` of the table at 4 to the list at 3. */
static void append_field(lua_State *L, lua_Integer i, const char *name) {
  if (lua_getfield(L, 4, name) != LUA_TSTRING) {
    luaL_error(L, "patterns[%I].%s: expected a string, got %s", (LUAI_UACINT)i, name, luaL_typename(L, -1));
  }
  lua_rawseti(L, 3, (lua_Integer)lua_rawlen(L, 3) + 1);
}

static void append_list(lua_State *L, lua_Integer n) {
  for (lua_Integer i = 1; i <= n; i++) {
    if (lua_geti(L, 1, i) != LUA_TTABLE) {
      luaL_error(L, "patterns[%I]: expected { id = ..., pattern = ... }, got %s", (LUAI_UACINT)i, luaL_typename(L, -1));
    }
    append_field(L, i, "id");
    append_field(L, i, "pattern");
    lua_pop(L, 1);
  }
}

static void append_map(lua_State *L) {
  lua_Integer n = 0;
  lre_freeze_look(L, 1);
  for (lua_pushnil(L); lua_next(L, 4); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TSTRING) {
      luaL_error(L, "patterns: expected ids with patterns, both strings, found %s = %s", luaL_typename(L, -2),
                 luaL_typename(L, -1));
    }
    lua_pushvalue(L, -2);
    lua_rawseti(L, 3, ++n);
    lua_pushvalue(L, -1);
    lua_rawseti(L, 3, ++n);
  }
  lua_pop(L, 1);
}

/* The patterns of the table at 1, in a userdata at 4. A list of ours at 3 keeps their strings: id, pattern, id, ... */
static struct named_pattern *read_patterns(lua_State *L, size_t *n) {
  lua_Integer count = luaL_len(L, 1);
  luaL_argcheck(L, count <= MAX_PATTERNS, 1, "too many patterns");
  lua_newtable(L);
  if (count > 0) {
    append_list(L, count);
  } else {
    append_map(L);
  }
  *n = lua_rawlen(L, 3) / 2;
  struct named_pattern *list = lua_newuserdatauv(L, (*n + 1) * sizeof *list, 0);
  for (size_t i = 0; i < *n; i++) {
    lua_rawgeti(L, 3, (lua_Integer)(2 * i + 1));
    list[i].id = lua_tolstring(L, -1, &list[i].id_len);
    lua_rawgeti(L, 3, (lua_Integer)(2 * i + 2));
    list[i].text = lua_tolstring(L, -1, &list[i].len);
    lua_pop(L, 2);
  }
  if (count <= 0 && *n) qsort(list, *n, sizeof *list, compare_ids);
  return list;
}

static void push_ids(lua_State *L, const struct named_pattern *list, size_t n) {
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    lua_pushlstring(L, list[i].id, list[i].id_len);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

/* Compiles into a closed set; the arrays for the core are in userdata. */
static void compile_set(lua_State *L, struct pattern_set *ps, const struct named_pattern *list, size_t n,
                        unsigned flags) {
  const char **texts = lua_newuserdatauv(L, (n + 1) * sizeof *texts, 0);
  size_t *lens = lua_newuserdatauv(L, (n + 1) * sizeof *lens, 0);
  for (size_t i = 0; i < n; i++) {
    texts[i] = list[i].text;
    lens[i] = list[i].len;
    lre_context_charge(L, COMPILE_STEPS + COMPILE_STEPS_PER_BYTE * lens[i]);
  }
  struct lre_err err;
  ps->set = lre_regex_set_new(lre_context_get(L)->bank, texts, lens, n, flags, &err);
  if (!ps->set) luaL_error(L, "%s", err.message);
  lua_pop(L, 2);
}

static int set_gc(lua_State *L) {
  struct pattern_set *ps = luaL_checkudata(L, 1, PATTERN_SET);
  lre_regex_set_free(ps->set);
  ps->set = NULL;
  return 0;
}

static int regex_set(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  unsigned flags = check_flags(L, 2);
  lua_settop(L, 2);
  size_t n;
  struct named_pattern *list = read_patterns(L, &n);
  struct pattern_set *ps = lua_newuserdatauv(L, sizeof *ps, 1);
  *ps = (struct pattern_set){0};
  luaL_setmetatable(L, PATTERN_SET);
  push_ids(L, list, n);
  lua_setiuservalue(L, -2, 1);
  compile_set(L, ps, list, n, flags);
  return 1;
}

/* Matches pattern i of the set at 1 against the string at 2; pushes its id where it matches or fails. */
static int match_in_set(lua_State *L, struct pattern_set *ps, size_t i, struct lre_regex_span *span,
                        struct lre_err *err) {
  size_t len;
  const char *s = luaL_checklstring(L, 2, &len);
  lre_context_charge(L, MATCH_STEPS + len);
  int rc = lre_regex_set_match(ps->set, i, scratch_of(L), s, len, span, err);
  if (rc == 0) return 0;
  lua_getiuservalue(L, 1, 1);
  lua_rawgeti(L, -1, (lua_Integer)i + 1);
  lua_remove(L, -2);
  return rc;
}

/* { id, start, stop, text } of the match whose id is on the top, which it replaces. */
static void push_found(lua_State *L, struct lre_regex_span span) {
  lua_createtable(L, 0, 4);
  lua_insert(L, -2);
  lua_setfield(L, -2, "id");
  lua_pushinteger(L, (lua_Integer)span.start + 1);
  lua_setfield(L, -2, "start");
  lua_pushinteger(L, (lua_Integer)span.end);
  lua_setfield(L, -2, "stop");
  push_span(L, lua_tostring(L, 2), span);
  lua_setfield(L, -2, "text");
}

static int set_scan(lua_State *L) {
  struct pattern_set *ps = check_set(L);
  luaL_checkstring(L, 2);
  lua_Integer found = 0;
  lua_settop(L, 2);
  lua_newtable(L);
  for (size_t i = 0; i < lre_regex_set_count(ps->set); i++) {
    struct lre_regex_span span;
    struct lre_err err;
    int rc = match_in_set(L, ps, i, &span, &err);
    if (rc < 0) return fail_named(L, &err);
    if (rc == 0) continue;
    push_found(L, span);
    lua_rawseti(L, 3, ++found);
  }
  return 1;
}

static int set_first(lua_State *L) {
  struct pattern_set *ps = check_set(L);
  luaL_checkstring(L, 2);
  for (size_t i = 0; i < lre_regex_set_count(ps->set); i++) {
    struct lre_regex_span span;
    struct lre_err err;
    int rc = match_in_set(L, ps, i, &span, &err);
    if (rc < 0) return fail_named(L, &err);
    if (rc == 0) continue;
    lua_pushinteger(L, (lua_Integer)span.start + 1);
    lua_pushinteger(L, (lua_Integer)span.end);
    return 3;
  }
  lua_pushnil(L);
  return 1;
}

/* id, start, stop of the match that begins first. */
static int set_leftmost(lua_State *L) {
  struct pattern_set *ps = check_set(L);
  size_t len, i = 0;
  const char *s = luaL_checklstring(L, 2, &len);
  struct lre_regex_span span;
  struct lre_err err;
  lre_context_charge(L, lre_regex_set_count(ps->set) * (MATCH_STEPS + len));
  int rc = lre_regex_set_leftmost(ps->set, scratch_of(L), s, len, &i, &span, &err);
  if (rc == 0) return lua_pushnil(L), 1;
  lua_getiuservalue(L, 1, 1);
  lua_rawgeti(L, -1, (lua_Integer)i + 1);
  if (rc < 0) return fail_named(L, &err);
  lua_pushinteger(L, (lua_Integer)span.start + 1);
  lua_pushinteger(L, (lua_Integer)span.end);
  return 3;
}

static int set_any(lua_State *L) {
  struct pattern_set *ps = check_set(L);
  size_t len;
  const char *s = luaL_checklstring(L, 2, &len);
  struct lre_err err;
  lre_context_charge(L, lre_regex_set_count(ps->set) * (MATCH_STEPS + len));
  int rc = lre_regex_set_any(ps->set, scratch_of(L), s, len, &err);
  if (rc < 0) return fail(L, &err);
  lua_pushboolean(L, rc);
  return 1;
}

/* Before each byte of ASCII punctuation and space, a backslash; that is never an escape with a meaning. */
static int regex_escape(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  lre_context_charge(L, len);
  luaL_Buffer b;
  luaL_buffinit(L, &b);
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)s[i];
    bool word = (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_' || c >= 0x80;
    if (!word) luaL_addchar(&b, '\\');
    luaL_addchar(&b, s[i]);
  }
  luaL_pushresult(&b);
  return 1;
}

static int set_tostring(lua_State *L) {
  luaL_checkudata(L, 1, PATTERN_SET);
  lua_pushliteral(L, PATTERN_SET);
  return 1;
}

int luaopen_lre_regex(lua_State *L) {
  static const luaL_Reg pattern_methods[] = {
      {"find", pattern_find},     {"match", pattern_match}, {"test", pattern_test},           {"count", pattern_count},
      {"gmatch", pattern_gmatch}, {"gsub", pattern_gsub},   {"__tostring", pattern_tostring}, {NULL, NULL},
  };
  static const luaL_Reg set_methods[] = {
      {"scan", set_scan}, {"first", set_first},         {"leftmost", set_leftmost},
      {"any", set_any},   {"__tostring", set_tostring}, {NULL, NULL},
  };
  static const luaL_Reg functions[] = {{"new", regex_new}, {"set", regex_set}, {"escape", regex_escape}, {NULL, NULL}};
  lre_bind_type(L, PATTERN, pattern_methods, pattern_gc);
  lre_bind_type(L, PATTERN_SET, set_methods, set_gc);
  luaL_getmetatable(L, PATTERN);
  lre_context_get(L)->pattern_type = lua_topointer(L, -1);
  luaL_getmetatable(L, PATTERN_SET);
  lre_context_get(L)->pattern_set_type = lua_topointer(L, -1);
  lua_pop(L, 2);
  luaL_newlib(L, functions);
  return 1;
}
