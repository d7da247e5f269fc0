#include "core/regex_literals.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/regex.h"

enum {
  MAX_WORDS = 4000,     /* of an alternation; more are not worth looking for */
  MAX_DEPTH = 100,      /* of groups in one another */
  MAX_CLASS_CHARS = 16, /* ['’] is two words; [a-z] is any character */
};

struct parser {
  const char *at, *end;
  bool caseless;
  bool failed; /* something that is not understood, or no memory */
  int depth;
};

/* What a part of a pattern asks of a text. */
struct part {
  struct lre_literals run;  /* the text holds one of these, up to where the part ends */
  bool whole;               /* the part is one of them, nothing else */
  struct lre_literals must; /* n = 0: nothing is known; else the text holds one of these as well */
};

void lre_literals_free(struct lre_literals *l) {
  free(l->list);
  *l = (struct lre_literals){0};
}

static void free_part(struct part *p) {
  lre_literals_free(&p->run);
  lre_literals_free(&p->must);
}

static void add_word(struct parser *ps, struct lre_literals *l, const char *a, size_t a_len, const char *b,
                     size_t b_len) {
  if ((l->n & (l->n - 1)) == 0) { /* full at each power of two */
    struct lre_literal *grown = realloc(l->list, (l->n ? 2 * l->n : 1) * sizeof *grown);
    if (!grown) {
      ps->failed = true;
      return;
    }
    l->list = grown;
  }
  struct lre_literal *w = &l->list[l->n++];
  w->len = (unsigned char)(a_len + b_len);
  if (a_len) memcpy(w->bytes, a, a_len);
  if (b_len) memcpy(w->bytes + a_len, b, b_len);
}

static void add_words(struct parser *ps, struct lre_literals *to, const struct lre_literals *from) {
  for (size_t i = 0; i < from->n && !ps->failed; i++) add_word(ps, to, from->list[i].bytes, from->list[i].len, NULL, 0);
}

static size_t shortest(const struct lre_literals *l) {
  size_t least = LRE_LITERAL_MAX;
  for (size_t i = 0; i < l->n; i++) least = l->list[i].len < least ? l->list[i].len : least;
  return l->n ? least : 0;
}

static size_t longest(const struct lre_literals *l) {
  size_t most = 0;
  for (size_t i = 0; i < l->n; i++) most = l->list[i].len > most ? l->list[i].len : most;
  return most;
}

/* How many places of a text hold one, roughly: each further character is one in three. */
static double frequency(const struct lre_literals *l) {
  double sum = 0;
  for (size_t i = 0; i < l->n; i++) sum += pow(3, -(double)l->list[i].len);
  return sum;
}

/* Keeps the one that fewer texts hold in `best`, and frees `other`. */
static void keep_better(struct lre_literals *best, struct lre_literals *other) {
  bool better = shortest(other) >= LRE_LITERAL_MIN && (!best->n || frequency(other) < frequency(best));
  if (better) {
    struct lre_literals swap = *best;
    *best = *other;
    *other = swap;
  }
  lre_literals_free(other);
}

/* Begins as the empty text. */
static struct part new_part(struct parser *ps) {
  struct part p = {.whole = true};
  add_word(ps, &p.run, NULL, 0, NULL, 0);
  return p;
}

/* What follows is not known. */
static void break_run(struct parser *ps, struct part *p) {
  keep_better(&p->must, &p->run);
  add_word(ps, &p->run, NULL, 0, NULL, 0);
  p->whole = false;
}

/* Each of a's followed by each of b's. False: they are too many or too long, and nothing was done. */
static bool cross(struct parser *ps, struct lre_literals *a, const struct lre_literals *b) {
  if (a->n * b->n > MAX_WORDS || longest(a) + longest(b) > LRE_LITERAL_MAX) return false;
  struct lre_literals both = {0};
  for (size_t i = 0; i < a->n; i++) {
    for (size_t j = 0; j < b->n && !ps->failed; j++)
      add_word(ps, &both, a->list[i].bytes, a->list[i].len, b->list[j].bytes, b->list[j].len);
  }
  lre_literals_free(a);
  *a = both;
  return true;
}

/* p becomes p followed by next, which is freed. */
static void follow(struct parser *ps, struct part *p, struct part *next) {
  keep_better(&p->must, &next->must);
  if (!next->whole || !cross(ps, &p->run, &next->run)) {
    break_run(ps, p);
    lre_literals_free(&p->run);
    p->run = next->run;
    next->run = (struct lre_literals){0};
  }
  free_part(next);
}

/* All that is known of a part, in `must`. */
static struct lre_literals close_part(struct part *p) {
  keep_better(&p->must, &p->run);
  return p->must;
}

/* p becomes p or other, which is freed. */
static void either(struct parser *ps, struct part *p, struct part *other) {
  if (p->whole && other->whole && p->run.n + other->run.n <= MAX_WORDS) {
    add_words(ps, &p->run, &other->run);
    lre_literals_free(&p->must);
    free_part(other);
    return;
  }
  struct lre_literals a = close_part(p), b = close_part(other);
  bool known = a.n && b.n && a.n + b.n <= MAX_WORDS;
  if (known) add_words(ps, &a, &b);
  if (!known) lre_literals_free(&a);
  lre_literals_free(&b);
  *p = new_part(ps);
  p->whole = false;
  p->must = a;
}

/* ---- reading ---- */

static struct part read_alternatives(struct parser *ps);

static bool take(struct parser *ps, const char *text) {
  size_t len = strlen(text);
  if ((size_t)(ps->end - ps->at) < len || memcmp(ps->at, text, len) != 0) return false;
  ps->at += len;
  return true;
}

static struct part any_character(struct parser *ps) {
  struct part p = new_part(ps);
  p.whole = false;
  return p;
}

/* Bytes of the character at s; the pattern is valid UTF-8 (PCRE2 has compiled it). */
static size_t character_bytes(const char *s, const char *end) {
  unsigned char c = (unsigned char)*s;
  size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
  return n <= (size_t)(end - s) ? n : (size_t)(end - s);
}

static uint32_t decode(const char *s, size_t n) {
  const unsigned char *u = (const unsigned char *)s;
  if (n == 2) return (uint32_t)(u[0] & 0x1F) << 6 | (u[1] & 0x3F);
  if (n == 3) return (uint32_t)(u[0] & 0x0F) << 12 | (uint32_t)(u[1] & 0x3F) << 6 | (u[2] & 0x3F);
  return n == 1 ? u[0] : UINT32_MAX;
}

/* Do all cases of the character become the same bytes when they are folded, but for the letters that the header names?
 * ASCII, Latin-1 without the micro sign, and what has no case. */
static bool folds(uint32_t c) {
  if (c < 0x100) return c < 0x80 || (c >= 0xA0 && c != 0xB5);
  return (c >= 0x2010 && c <= 0x2027) || (c >= 0x3000 && c <= 0x9FFF);
}

/* A newline and a star are folded into one. */
static void add_character(struct parser *ps, struct lre_literals *l, const char *s, size_t n) {
  char folded[4];
  for (size_t i = 0; i < n; i++) folded[i] = (char)(s[i] | LRE_LITERAL_FOLD);
  for (size_t i = 0; i < l->n; i++) {
    if (l->list[i].len == n && memcmp(l->list[i].bytes, folded, n) == 0) return;
  }
  add_word(ps, l, folded, n, NULL, 0);
}

static struct part one_character(struct parser *ps, const char *s, size_t n) {
  if (ps->caseless && !folds(decode(s, n))) return any_character(ps);
  struct part p = {.whole = true};
  add_character(ps, &p.run, s, n);
  return p;
}

static struct part fail(struct parser *ps) {
  ps->failed = true;
  return new_part(ps);
}

/* Passes "{...}" behind \p, \P or \x, or the one character of \pL. */
static void skip_braces(struct parser *ps) {
  const char *close = ps->at < ps->end && *ps->at == '{' ? memchr(ps->at, '}', (size_t)(ps->end - ps->at)) : NULL;
  if (close) {
    ps->at = close + 1;
  } else {
    ps->failed = true; /* \pL and \x41: not written here */
  }
}

static bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* What \n, \t and \r stand for; NULL for other letters. */
static const char *control_of(char c) {
  static const char letters[] = "ntr", controls[] = "\n\t\r";
  const char *found = strchr(letters, c);
  return found ? &controls[found - letters] : NULL;
}

/* Behind a backslash, outside of a class. */
static struct part read_escape(struct parser *ps) {
  if (ps->at == ps->end) return fail(ps);
  char c = *ps->at;
  const char *control = control_of(c);
  if (!is_word(c)) {
    size_t n = character_bytes(ps->at, ps->end);
    ps->at += n;
    return one_character(ps, ps->at - n, n);
  }
  ps->at++;
  if (control) return one_character(ps, control, 1);
  if (strchr("bBAzZGK", c)) return new_part(ps);
  if (strchr("pPx", c)) skip_braces(ps);
  return strchr("wWdDsShHvVRNXpPx", c) ? any_character(ps) : fail(ps);
}

/* "[:alpha:]" in a class. */
static bool skip_named_class(struct parser *ps) {
  if (ps->end - ps->at < 2 || *ps->at != '[' || !strchr(":.=", ps->at[1])) return false;
  const char *close = memchr(ps->at, ']', (size_t)(ps->end - ps->at));
  if (!close || close[-1] != ps->at[1]) ps->failed = true;
  ps->at = close ? close + 1 : ps->end;
  return true;
}

/* One character of a class, added to the words. False: it stands for several. */
static bool read_member(struct parser *ps, struct lre_literals *words, bool first) {
  bool single = true;
  if (*ps->at == '\\') {
    ps->at++;
    if (ps->at == ps->end) return false;
    const char *control = control_of(*ps->at);
    if (control) return ps->at++, add_character(ps, words, control, 1), true;
    single = !is_word(*ps->at);
    if (*ps->at == 'Q' || *ps->at == 'E') ps->failed = true;
  } else if (*ps->at == '-' && !first && ps->at + 1 < ps->end && ps->at[1] != ']') {
    single = false;
  }
  size_t n = character_bytes(ps->at, ps->end);
  if (ps->caseless && !folds(decode(ps->at, n))) single = false;
  if (single) add_character(ps, words, ps->at, n);
  ps->at += n;
  return single;
}

/* A few single characters are words of one character; everything else is any character. Behind the '['. */
static struct part read_class(struct parser *ps) {
  struct part p = {.whole = true};
  bool simple = !take(ps, "^");
  for (bool first = true; ps->at < ps->end && (first || *ps->at != ']'); first = false) {
    if (skip_named_class(ps) || !read_member(ps, &p.run, first)) simple = false;
  }
  if (!take(ps, "]")) ps->failed = true;
  if (simple && p.run.n && p.run.n <= MAX_CLASS_CHARS) return p;
  free_part(&p);
  return any_character(ps);
}

/* "(?i)", "(?s-i)", "(?m:": flags. True where a group follows. */
static bool read_flags(struct parser *ps) {
  bool on = true;
  for (; ps->at < ps->end; ps->at++) {
    if (*ps->at == '-') on = false;
    if (*ps->at == 'i') ps->caseless = on;
    if (*ps->at == ')' || *ps->at == ':') break;
    if (!strchr("-ims", *ps->at)) ps->failed = true;
  }
  if (ps->at == ps->end) ps->failed = true;
  return !ps->failed && *ps->at++ == ':';
}

enum group { GROUP, FLAGS, AHEAD, NOT_AHEAD, COMMENT };

/* What stands behind "(". */
static enum group group_kind(struct parser *ps) {
  if (take(ps, "*")) ps->failed = true;
  if (!take(ps, "?")) return GROUP;
  if (take(ps, "=") || take(ps, "<=")) return AHEAD;
  if (take(ps, "!") || take(ps, "<!")) return NOT_AHEAD;
  if (take(ps, "#")) return COMMENT;
  if (take(ps, ":") || take(ps, ">") || take(ps, "|")) return GROUP;
  bool named = take(ps, "P<") || take(ps, "<");
  if (!named) return read_flags(ps) ? GROUP : FLAGS;
  while (ps->at < ps->end && *ps->at != '>') ps->at++;
  if (!take(ps, ">")) ps->failed = true;
  return GROUP;
}

/* Behind a '('. Flags that are set alone stay for the rest of the group that they are in. */
static struct part read_group(struct parser *ps) {
  bool caseless = ps->caseless;
  enum group kind = group_kind(ps);
  if (ps->failed || ++ps->depth > MAX_DEPTH) return fail(ps);
  struct part p = {0};
  if (kind == COMMENT) {
    while (ps->at < ps->end && *ps->at != ')') ps->at++;
    p = new_part(ps);
  } else if (kind == FLAGS) {
    ps->depth--;
    return new_part(ps);
  } else {
    p = read_alternatives(ps);
  }
  if (!take(ps, ")")) ps->failed = true;
  ps->caseless = caseless;
  ps->depth--;
  if (kind == AHEAD || kind == NOT_AHEAD) {
    struct part nothing = new_part(ps);
    if (kind == AHEAD) nothing.must = close_part(&p);
    if (kind == NOT_AHEAD) free_part(&p);
    return nothing;
  }
  return p;
}

/* Reads a quantifier, if one is there: least and whether it is exactly once or never. */
static bool read_quantifier(struct parser *ps, unsigned *least, bool *at_most_once) {
  const char *start = ps->at;
  *least = 1, *at_most_once = true;
  if (ps->at == ps->end) return false;
  if (take(ps, "?")) {
    *least = 0;
  } else if (take(ps, "*")) {
    *least = 0, *at_most_once = false;
  } else if (take(ps, "+")) {
    *at_most_once = false;
  } else if (*ps->at == '{') {
    const char *p = ps->at + 1;
    while (p < ps->end && ((*p >= '0' && *p <= '9') || *p == ',')) p++;
    if (p == ps->end || *p != '}' || ps->at[1] < '0' || ps->at[1] > '9') return false; /* a plain brace */
    *least = strtoul(ps->at + 1, NULL, 10) > 0;
    *at_most_once = false;
    ps->at = p + 1;
  }
  if (ps->at == start) return false;
  if (!take(ps, "?")) take(ps, "+");
  return true;
}

static struct part read_atom(struct parser *ps) {
  if (take(ps, "(")) return read_group(ps);
  if (take(ps, "[")) return read_class(ps);
  if (take(ps, "\\")) return read_escape(ps);
  if (take(ps, ".")) return any_character(ps);
  if (take(ps, "^") || take(ps, "$")) return new_part(ps);
  size_t n = character_bytes(ps->at, ps->end);
  ps->at += n;
  return one_character(ps, ps->at - n, n);
}

static struct part read_sequence(struct parser *ps) {
  struct part p = new_part(ps);
  while (!ps->failed && ps->at < ps->end && *ps->at != '|' && *ps->at != ')') {
    unsigned least;
    bool at_most_once;
    struct part next = read_atom(ps);
    read_quantifier(ps, &least, &at_most_once);
    if (least == 0 && at_most_once) {
      struct part nothing = new_part(ps);
      either(ps, &next, &nothing);
    } else if (least == 0) {
      free_part(&next);
      next = any_character(ps);
    }
    follow(ps, &p, &next);
    if (least == 1 && !at_most_once) break_run(ps, &p);
  }
  return p;
}

static struct part read_alternatives(struct parser *ps) {
  struct part p = read_sequence(ps);
  while (!ps->failed && take(ps, "|")) {
    struct part other = read_sequence(ps);
    either(ps, &p, &other);
  }
  return p;
}

bool lre_literals_read(const char *pattern, size_t len, unsigned flags, struct lre_literals *out) {
  *out = (struct lre_literals){0};
  if (flags & (LRE_REGEX_EXTENDED | LRE_REGEX_BYTES) || memchr(pattern, '\0', len)) return false;
  struct parser ps = {.at = pattern, .end = pattern + len, .caseless = flags & LRE_REGEX_CASELESS};
  struct part p = read_alternatives(&ps);
  *out = close_part(&p);
  if (!ps.failed && ps.at == ps.end && shortest(out) >= LRE_LITERAL_MIN) return true;
  lre_literals_free(out);
  return false;
}
