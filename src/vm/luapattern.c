/* luapattern.c: see luapattern.h. A pattern becomes a list of items; matching walks the list and backtracks where an
 * item repeats. */
#include "vm/luapattern.h"

#include <lauxlib.h>
#include <stdint.h>
#include <string.h>

#include "vm/vm.h"

enum item_kind {
  ITEM_SET,
  ITEM_OPEN,
  ITEM_POSITION,
  ITEM_CLOSE,
  ITEM_BACK,
  ITEM_BALANCE,
  ITEM_FRONTIER,
  ITEM_END,
  ITEM_MATCH
};

struct byte_set {
  uint64_t word[4];
};

struct item {
  uint8_t kind;
  uint8_t repeat;      /* of a set: 0 once, or one of "*+-?" */
  uint8_t index;       /* of a capture */
  uint8_t first, last; /* of a balance */
  struct byte_set set;
};

struct lre_luapattern {
  bool anchored;
  struct item items[];
};

enum {
  MAX_DEPTH = 200,   /* of backtracking points, as Lua's MAXCCALLS: C stack, not time */
  CHARGE_STEPS = 256 /* tests between two charges */
};

struct matcher {
  lua_State *L;
  const struct lre_luapattern *pattern;
  struct lre_luapattern_match *match;
  int depth;
  unsigned tests;
};

#define UNFINISHED (-1)

/* ---- compiling ---- */

static bool set_has(const struct byte_set *set, unsigned char c) {
  return set->word[c >> 6] >> (c & 63) & 1;
}

static void set_add(struct byte_set *set, unsigned char c) {
  set->word[c >> 6] |= (uint64_t)1 << (c & 63);
}

static void set_join(struct byte_set *set, const struct byte_set *other) {
  for (int i = 0; i < 4; i++) set->word[i] |= other->word[i];
}

static void set_invert(struct byte_set *set) {
  for (int i = 0; i < 4; i++) set->word[i] = ~set->word[i];
}

/* The classes of the C locale, bytes 0..63 and 64..127; no byte over 127 is in one. */
static const struct {
  char letter;
  uint64_t low, high;
} CLASSES[] = {
    {'a', 0, 0x07FFFFFE07FFFFFE},
    {'c', 0x00000000FFFFFFFF, 0x8000000000000000},
    {'d', 0x03FF000000000000, 0},
    {'g', 0xFFFFFFFE00000000, 0x7FFFFFFFFFFFFFFF},
    {'l', 0, 0x07FFFFFE00000000},
    {'p', 0xFC00FFFE00000000, 0x78000001F8000001},
    {'s', 0x0000000100003E00, 0},
    {'u', 0, 0x0000000007FFFFFE},
    {'w', 0x03FF000000000000, 0x07FFFFFE07FFFFFE},
    {'x', 0x03FF000000000000, 0x0000007E0000007E},
    {'z', 1, 0},
};

/* What "%c" stands for. */
static struct byte_set class_of(unsigned char c) {
  struct byte_set set = {{0}};
  bool upper = c >= 'A' && c <= 'Z';
  char letter = (char)(upper ? c + 32 : c);
  for (size_t i = 0; i < sizeof CLASSES / sizeof CLASSES[0]; i++) {
    if (CLASSES[i].letter != letter) continue;
    set.word[0] = CLASSES[i].low;
    set.word[1] = CLASSES[i].high;
    if (upper) set_invert(&set);
    return set;
  }
  set_add(&set, c);
  return set;
}

struct compiler {
  lua_State *L;
  const char *p, *end;
  struct item *items;
  size_t n;
  int n_captures;
  bool open[LRE_LUAPATTERN_CAPTURES], position[LRE_LUAPATTERN_CAPTURES];
};

static struct item *add_item(struct compiler *c, enum item_kind kind) {
  struct item *item = &c->items[c->n++];
  memset(item, 0, sizeof *item);
  item->kind = (uint8_t)kind;
  return item;
}

/* The ']' that ends the set whose text starts at p, after '[' and '^'. The first character is never the end. */
static const char *find_set_end(struct compiler *c, const char *p) {
  do {
    if (p < c->end && *p++ == '%' && p < c->end) p++;
    if (p >= c->end) luaL_error(c->L, "malformed pattern (missing ']')");
  } while (*p != ']');
  return p;
}

/* Reads "[...]"; c->p is after the '['. */
static struct byte_set read_set(struct compiler *c) {
  struct byte_set set = {{0}};
  const char *p = c->p;
  bool negated = p < c->end && *p == '^';
  if (negated) p++;
  const char *stop = find_set_end(c, p);
  while (p < stop) {
    if (*p == '%') {
      struct byte_set of = class_of((unsigned char)p[1]);
      set_join(&set, &of);
      p += 2;
    } else if (p[1] == '-' && p + 2 < stop) {
      for (int b = (unsigned char)p[0]; b <= (unsigned char)p[2]; b++) set_add(&set, (unsigned char)b);
      p += 3;
    } else {
      set_add(&set, (unsigned char)*p++);
    }
  }
  if (negated) set_invert(&set);
  c->p = stop + 1;
  return set;
}

static void read_open(struct compiler *c) {
  bool position = c->p < c->end && *c->p == ')';
  if (c->n_captures >= LRE_LUAPATTERN_CAPTURES) luaL_error(c->L, "too many captures");
  struct item *item = add_item(c, position ? ITEM_POSITION : ITEM_OPEN);
  item->index = (uint8_t)c->n_captures;
  c->open[c->n_captures] = !position;
  c->position[c->n_captures++] = position;
  if (position) c->p++;
}

static void read_close(struct compiler *c) {
  int i = c->n_captures - 1;
  while (i >= 0 && !c->open[i]) i--;
  if (i < 0) luaL_error(c->L, "invalid pattern capture");
  c->open[i] = false;
  add_item(c, ITEM_CLOSE)->index = (uint8_t)i;
}

static void read_back(struct compiler *c, char digit) {
  int i = digit - '1';
  if (i < 0 || i >= c->n_captures || c->open[i]) luaL_error(c->L, "invalid capture index %%%d", i + 1);
  add_item(c, ITEM_BACK)->index = (uint8_t)i;
}

static void read_balance(struct compiler *c) {
  if (c->end - c->p < 2) luaL_error(c->L, "malformed pattern (missing arguments to '%%b')");
  struct item *item = add_item(c, ITEM_BALANCE);
  item->first = (uint8_t)*c->p++;
  item->last = (uint8_t)*c->p++;
}

static void read_frontier(struct compiler *c) {
  if (c->p >= c->end || *c->p != '[') luaL_error(c->L, "missing '[' after '%%f' in pattern");
  c->p++;
  struct byte_set set = read_set(c);
  add_item(c, ITEM_FRONTIER)->set = set;
}

static void add_single(struct compiler *c, struct byte_set set) {
  struct item *item = add_item(c, ITEM_SET);
  item->set = set;
  if (c->p < c->end && *c->p && strchr("*+-?", *c->p)) item->repeat = (uint8_t)*c->p++;
}

static void read_escape(struct compiler *c) {
  if (c->p >= c->end) luaL_error(c->L, "malformed pattern (ends with '%%')");
  char e = *c->p++;
  if (e == 'b') {
    read_balance(c);
  } else if (e == 'f') {
    read_frontier(c);
  } else if (e >= '0' && e <= '9') {
    read_back(c, e);
  } else {
    add_single(c, class_of((unsigned char)e));
  }
}

static struct byte_set plain_set(char ch) {
  struct byte_set set = {{0}};
  if (ch == '.') {
    set_invert(&set);
  } else {
    set_add(&set, (unsigned char)ch);
  }
  return set;
}

static void read_item(struct compiler *c) {
  char ch = *c->p++;
  if (ch == '(') {
    read_open(c);
  } else if (ch == ')') {
    read_close(c);
  } else if (ch == '%') {
    read_escape(c);
  } else if (ch == '$' && c->p == c->end) {
    add_item(c, ITEM_END);
  } else if (ch == '[') {
    struct byte_set set = read_set(c);
    add_single(c, set);
  } else {
    add_single(c, plain_set(ch));
  }
}

const struct lre_luapattern *lre_luapattern_new(lua_State *L, const char *text, size_t len, bool anchors) {
  lre_context_charge(L, len + 1);
  struct lre_luapattern *pattern = lua_newuserdatauv(L, sizeof *pattern + (len + 1) * sizeof(struct item), 0);
  struct compiler c = {.L = L, .p = text, .end = text + len, .items = pattern->items};
  pattern->anchored = anchors && len && *text == '^';
  if (pattern->anchored) c.p++;
  while (c.p < c.end) read_item(&c);
  for (int i = 0; i < c.n_captures; i++) {
    if (c.open[i]) luaL_error(L, "unfinished capture");
  }
  add_item(&c, ITEM_MATCH);
  return pattern;
}

bool lre_luapattern_anchored(const struct lre_luapattern *p) {
  return p->anchored;
}

/* ---- matching ---- */

static void count_test(struct matcher *m) {
  if (++m->tests < CHARGE_STEPS) return;
  m->tests = 0;
  lre_context_charge(m->L, CHARGE_STEPS);
}

static bool test(struct matcher *m, const struct item *item, const char *s) {
  count_test(m);
  return s < m->match->end && set_has(&item->set, (unsigned char)*s);
}

static const char *match_items(struct matcher *m, const struct item *item, const char *s);

/* Greedy: as many as there are, then one less at a time. */
static const char *match_most(struct matcher *m, const struct item *item, const char *s, const char *least) {
  const char *most = s;
  while (test(m, item, most)) most++;
  for (; most >= least; most--) {
    const char *stop = match_items(m, item + 1, most);
    if (stop) return stop;
  }
  return NULL;
}

static const char *match_fewest(struct matcher *m, const struct item *item, const char *s) {
  for (;; s++) {
    const char *stop = match_items(m, item + 1, s);
    if (stop || !test(m, item, s)) return stop;
  }
}

static const char *match_repeat(struct matcher *m, const struct item *item, const char *s) {
  if (item->repeat == '*') return match_most(m, item, s, s);
  if (item->repeat == '+') return match_most(m, item, s, s + 1);
  if (item->repeat == '-') return match_fewest(m, item, s);
  const char *stop = test(m, item, s) ? match_items(m, item + 1, s + 1) : NULL;
  return stop ? stop : match_items(m, item + 1, s);
}

static const char *match_open(struct matcher *m, const struct item *item, const char *s) {
  struct lre_luapattern_match *r = m->match;
  r->captures[item->index].start = s;
  r->captures[item->index].len = item->kind == ITEM_POSITION ? LRE_LUAPATTERN_POSITION : UNFINISHED;
  r->n_captures = item->index + 1;
  return match_items(m, item + 1, s);
}

static const char *match_close(struct matcher *m, const struct item *item, const char *s) {
  struct lre_luapattern_capture *capture = &m->match->captures[item->index];
  capture->len = s - capture->start;
  const char *stop = match_items(m, item + 1, s);
  if (!stop) capture->len = UNFINISHED;
  return stop;
}

/* Where the balanced run that starts at s ends, or NULL. */
static const char *skip_balance(struct matcher *m, const struct item *item, const char *s) {
  const char *end = m->match->end;
  if (s >= end || (uint8_t)*s != item->first) return NULL;
  for (size_t depth = 1; ++s < end;) {
    count_test(m);
    if ((uint8_t)*s == item->last) {
      if (--depth == 0) return s + 1;
    } else if ((uint8_t)*s == item->first) {
      depth++;
    }
  }
  return NULL;
}

static const char *skip_back(struct matcher *m, const struct item *item, const char *s) {
  const struct lre_luapattern_capture *capture = &m->match->captures[item->index];
  if (capture->len < 0 || m->match->end - s < capture->len) return NULL; /* a position matches nothing */
  lre_context_charge(m->L, (size_t)capture->len);
  return memcmp(capture->start, s, (size_t)capture->len) == 0 ? s + capture->len : NULL;
}

/* Both ends of the text count as a byte 0. */
static bool at_frontier(struct matcher *m, const struct item *item, const char *s) {
  unsigned char before = s == m->match->subject ? 0 : (unsigned char)s[-1];
  unsigned char here = s == m->match->end ? 0 : (unsigned char)*s;
  count_test(m);
  return !set_has(&item->set, before) && set_has(&item->set, here);
}

/* Items without a choice, one after the other; NULL where one fails. */
static const char *step(struct matcher *m, const struct item *item, const char *s) {
  switch (item->kind) {
  case ITEM_SET:
    return test(m, item, s) ? s + 1 : NULL;
  case ITEM_BACK:
    return skip_back(m, item, s);
  case ITEM_BALANCE:
    return skip_balance(m, item, s);
  case ITEM_FRONTIER:
    return at_frontier(m, item, s) ? s : NULL;
  default: /* ITEM_END */
    return s == m->match->end ? s : NULL;
  }
}

static const char *match_here(struct matcher *m, const struct item *item, const char *s) {
  for (; s; item++) {
    if (item->kind == ITEM_MATCH) return s;
    if (item->kind == ITEM_SET && item->repeat) return match_repeat(m, item, s);
    if (item->kind == ITEM_OPEN || item->kind == ITEM_POSITION) return match_open(m, item, s);
    if (item->kind == ITEM_CLOSE) return match_close(m, item, s);
    s = step(m, item, s);
  }
  return NULL;
}

static const char *match_items(struct matcher *m, const struct item *item, const char *s) {
  if (++m->depth > MAX_DEPTH) luaL_error(m->L, "pattern too complex");
  const char *stop = match_here(m, item, s);
  m->depth--;
  return stop;
}

static bool match_at(struct matcher *m, const char *s) {
  m->match->n_captures = 0;
  m->match->start = s;
  m->match->stop = match_items(m, m->pattern->items, s);
  return m->match->stop != NULL;
}

bool lre_luapattern_search(lua_State *L, const struct lre_luapattern *p, const char *s,
                           struct lre_luapattern_match *match) {
  struct matcher m = {.L = L, .pattern = p, .match = match};
  bool found;
  do {
    found = match_at(&m, s);
  } while (!found && !p->anchored && s++ < match->end);
  lre_context_charge(L, m.tests);
  return found;
}
