/* regex.h: PCRE2 with limits. A limit that was hit is an error, never "no match".
 *
 * A compiled pattern may be shared by threads; each thread
 * brings its own scratch (match data and JIT stack). Patterns are compiled
 * with UTF, UCP and MATCH_INVALID_UTF, and JIT where the machine has it (the
 * interpreter gives the same answers under the same match limit semantics
 * only as far as PCRE2 promises; lre_regex_jit says which is in use). JIT
 * counts matching steps its own way, has no depth limit, and its stack takes
 * the place of the heap: heap_kib bounds both. PCRE2 counts the match limit anew at each place where a match may begin:
 * a pattern whose work grows with a power of the text may take that many steps at each. A start-of-pattern verb such as
 * (*LIMIT_MATCH=...) can lower a limit, never raise it. At most 64 KiB. */
#ifndef LRE_CORE_REGEX_H
#define LRE_CORE_REGEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct lre_regex;
struct lre_regex_scratch;

enum {
  LRE_REGEX_CASELESS = 1,  /* i */
  LRE_REGEX_MULTILINE = 2, /* m */
  LRE_REGEX_DOTALL = 4,    /* s */
  LRE_REGEX_EXTENDED = 8,  /* x */
  LRE_REGEX_BYTES = 16,    /* no UTF: bytes are characters (Lua patterns) */
  LRE_REGEX_OF_SET = 32,   /* a set's own: where a match may begin can be limited */
};

struct lre_regex_limits {
  uint32_t match;    /* 0: 1,000,000 */
  uint32_t depth;    /* 0: 10,000 (backtracking depth of the interpreter) */
  uint32_t heap_kib; /* 0: 20,000 */
};

/* NULL: err kind "regex", code "syntax", message with the offset in the pattern. */
struct lre_regex *lre_regex_new(const char *pattern, size_t len, unsigned flags, struct lre_err *err);
void lre_regex_free(struct lre_regex *re); /* gives back one reference */
bool lre_regex_jit(struct lre_regex *re);
uint32_t lre_regex_captures(const struct lre_regex *re); /* without the whole match */

struct lre_regex_scratch *lre_regex_scratch_new(const struct lre_regex_limits *limits, struct lre_err *err);
void lre_regex_scratch_free(struct lre_regex_scratch *s);

#define LRE_REGEX_UNSET ((size_t)-1)
struct lre_regex_span {
  size_t start, end; /* byte offsets, end exclusive; LRE_REGEX_UNSET where the group did not take part */
};

/* Searches s[from..len) (text before `from` is seen by look-behind).
 * 1: match, spans[0..max_spans) filled (0 the whole); 0: no match; -1: err, kind "regex", code
 * "match_limit", "depth_limit", "heap_limit", "jit_stack" or "internal". `spans` may be NULL when max_spans is 0.
 * Bytes that are not UTF-8 match nothing; a `from` inside a character means the next one. */
int lre_regex_match(struct lre_regex *re, struct lre_regex_scratch *scratch, const char *s, size_t len, size_t from,
                    struct lre_regex_span *spans, size_t max_spans, struct lre_err *err);

/* A set: patterns with ids, asked together. `bank` (core/regex_bank.h) may be NULL. A bad pattern's index is in the
 * message. */
struct lre_regex_set;
struct lre_regex_bank;
struct lre_regex_set *lre_regex_set_new(struct lre_regex_bank *bank, const char *const *patterns, const size_t *lens,
                                        size_t n, unsigned flags, struct lre_err *err);
void lre_regex_set_free(struct lre_regex_set *set);
size_t lre_regex_set_count(const struct lre_regex_set *set);
/* The first match of pattern i, as lre_regex_match. */
int lre_regex_set_match(const struct lre_regex_set *set, size_t i, struct lre_regex_scratch *scratch, const char *s,
                        size_t len, struct lre_regex_span *span, struct lre_err *err);
/* The match that begins first, of those that begin there the one of the first pattern: 1, its span and its pattern's
 * place *i; 0: no pattern matches; -1: one met a limit (*i says which). Each pattern is asked only for a match that
 * begins before those of the patterns before it. */
int lre_regex_set_leftmost(const struct lre_regex_set *set, struct lre_regex_scratch *scratch, const char *s,
                           size_t len, size_t *i, struct lre_regex_span *span, struct lre_err *err);
/* 1 where any pattern matches, also where another met a limit; 0 where none; -1 where none did and one met a limit. */
int lre_regex_set_any(const struct lre_regex_set *set, struct lre_regex_scratch *scratch, const char *s, size_t len,
                      struct lre_err *err);

#endif
