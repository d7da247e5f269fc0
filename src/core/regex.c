#include "core/regex.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/regex_parts.h"

/* A pattern is written by a person; PCRE2's own link size stops at the same place. */
#define MAX_PATTERN_BYTES 65536
#define SHOWN_BYTES       80

/* JIT's stack starts small (a page or two is touched) and may grow to heap_kib. */
#define JIT_STACK_START_KIB 32

static const struct lre_regex_limits default_limits = {.match = 1000000, .depth = 10000, .heap_kib = 20000};

struct lre_regex_scratch {
  pcre2_match_context *context;
  pcre2_match_data *data;
  pcre2_jit_stack *jit_stack; /* NULL where PCRE2 was built without JIT */
  struct lre_regex_limits limits;
  struct lre_regex_scans *scans; /* made when a pattern of a bank first asks; may stay NULL */
};

/* BYTES forbids (*UTF) and (*UCP) at the start of a pattern: with them a subject that is not UTF-8 would be an error
 * of each match instead of one of the pattern. \C could split a character, so it is never let in. The (*LIMIT_...)
 * verbs can lower the limits of the scratch and never raise them. */
static uint32_t compile_options(unsigned flags) {
  uint32_t options = PCRE2_NEVER_BACKSLASH_C;
  if (flags & LRE_REGEX_CASELESS) options |= PCRE2_CASELESS;
  if (flags & LRE_REGEX_MULTILINE) options |= PCRE2_MULTILINE;
  if (flags & LRE_REGEX_DOTALL) options |= PCRE2_DOTALL;
  if (flags & LRE_REGEX_EXTENDED) options |= PCRE2_EXTENDED;
  if (flags & LRE_REGEX_OF_SET) options |= PCRE2_USE_OFFSET_LIMIT;
  if (flags & LRE_REGEX_BYTES) return options | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP;
  return options | PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF;
}

/* How much of a pattern an error shows: it ends between characters. */
static int shown_length(const char *pattern, size_t len) {
  if (len <= SHOWN_BYTES) return (int)len;
  size_t n = SHOWN_BYTES;
  while (n > 0 && ((unsigned char)pattern[n] & 0xC0) == 0x80) n--;
  return (int)n;
}

static bool syntax_error(int code, size_t offset, const char *pattern, size_t len, struct lre_err *err) {
  if (code == PCRE2_ERROR_HEAP_FAILED) return lre_err_memory(err);
  PCRE2_UCHAR text[120];
  pcre2_get_error_message(code, text, sizeof text);
  if (code < 0) { /* not UTF-8: not to be shown */
    return lre_err_set(err, "regex", "syntax", "%s at offset %zu of the pattern", (const char *)text, offset);
  }
  int shown = shown_length(pattern, len);
  return lre_err_set(err, "regex", "syntax", "%s at offset %zu of the pattern `%.*s%s`", (const char *)text, offset,
                     shown, pattern, (size_t)shown < len ? "..." : "");
}

/* Most patterns of a judge are never asked, and JIT takes most of a compilation's time: so the first match makes it.
 * All matches wait for that one, for it writes into the code. Without JIT (a machine or a policy that has no executable
 * memory) the interpreter is used. */
static void compile_jit(struct lre_regex *re) {
  static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
  if (atomic_load_explicit(&re->jit_tried, memory_order_acquire)) return;
  pthread_mutex_lock(&one_at_a_time);
  if (!atomic_load_explicit(&re->jit_tried, memory_order_relaxed)) {
    size_t size = 0;
    bool ok = pcre2_jit_compile(re->code, PCRE2_JIT_COMPLETE) == 0;
    re->jit = ok && pcre2_pattern_info(re->code, PCRE2_INFO_JITSIZE, &size) == 0 && size > 0;
    atomic_store_explicit(&re->jit_tried, true, memory_order_release);
  }
  pthread_mutex_unlock(&one_at_a_time);
}

struct lre_regex *lre_regex_new(const char *pattern, size_t len, unsigned flags, struct lre_err *err) {
  if (len > MAX_PATTERN_BYTES) {
    lre_err_set(err, "regex", "syntax", "the pattern has %zu bytes: at most %d are allowed", len, MAX_PATTERN_BYTES);
    return NULL;
  }
  struct lre_regex *re = calloc(1, sizeof *re);
  if (!re) {
    lre_err_memory(err);
    return NULL;
  }
  int code;
  size_t offset;
  atomic_init(&re->references, 1);
  re->utf = !(flags & LRE_REGEX_BYTES);
  re->code = pcre2_compile((PCRE2_SPTR)(len ? pattern : ""), len, compile_options(flags), &code, &offset, NULL);
  if (!re->code) {
    syntax_error(code, offset, pattern, len, err);
  } else {
    pcre2_pattern_info(re->code, PCRE2_INFO_CAPTURECOUNT, &re->captures);
    return re;
  }
  lre_regex_free(re);
  return NULL;
}

void lre_regex_free(struct lre_regex *re) {
  if (!re || atomic_fetch_sub(&re->references, 1) != 1) return;
  pcre2_code_free(re->code);
  free(re);
}

bool lre_regex_jit(struct lre_regex *re) {
  compile_jit(re);
  return re->jit;
}

uint32_t lre_regex_captures(const struct lre_regex *re) {
  return re->captures;
}

static struct lre_regex_limits limits_or_default(const struct lre_regex_limits *limits) {
  struct lre_regex_limits l = limits ? *limits : default_limits;
  if (!l.match) l.match = default_limits.match;
  if (!l.depth) l.depth = default_limits.depth;
  if (!l.heap_kib) l.heap_kib = default_limits.heap_kib;
  return l;
}

/* Memory that JIT maps but does not touch until a pattern backtracks that deep. */
static bool new_jit_stack(struct lre_regex_scratch *s) {
  uint32_t jit = 0;
  pcre2_config(PCRE2_CONFIG_JIT, &jit);
  if (!jit) return true;
  size_t max_kib = s->limits.heap_kib, start_kib = max_kib < JIT_STACK_START_KIB ? max_kib : JIT_STACK_START_KIB;
  s->jit_stack = pcre2_jit_stack_create(start_kib * 1024, max_kib * 1024, NULL);
  if (s->jit_stack) pcre2_jit_stack_assign(s->context, NULL, s->jit_stack);
  return s->jit_stack != NULL;
}

struct lre_regex_scratch *lre_regex_scratch_new(const struct lre_regex_limits *limits, struct lre_err *err) {
  struct lre_regex_scratch *s = calloc(1, sizeof *s);
  if (s) {
    s->limits = limits_or_default(limits);
    s->data = pcre2_match_data_create(16, NULL);
    s->context = pcre2_match_context_create(NULL);
  }
  if (!s || !s->data || !s->context || !new_jit_stack(s)) {
    lre_regex_scratch_free(s);
    lre_err_memory(err);
    return NULL;
  }
  pcre2_set_match_limit(s->context, s->limits.match);
  pcre2_set_depth_limit(s->context, s->limits.depth);
  pcre2_set_heap_limit(s->context, s->limits.heap_kib);
  return s;
}

void lre_regex_scratch_free(struct lre_regex_scratch *s) {
  if (!s) return;
  pcre2_match_data_free(s->data);
  pcre2_match_context_free(s->context);
  if (s->jit_stack) pcre2_jit_stack_free(s->jit_stack);
  lre_regex_scans_free(s->scans);
  free(s);
}

static int match_error(int rc, const struct lre_regex_limits *l, struct lre_err *err) {
  const char *knob = "; make nested repeats such as (a+)+ possessive or simpler";
  PCRE2_UCHAR text[120];
  switch (rc) {
  case PCRE2_ERROR_MATCHLIMIT:
    lre_err_set(err, "regex", "match_limit", "the match limit of %u steps was reached%s", l->match, knob);
    break;
  case PCRE2_ERROR_DEPTHLIMIT:
    lre_err_set(err, "regex", "depth_limit", "the backtracking depth limit of %u was reached%s", l->depth, knob);
    break;
  case PCRE2_ERROR_HEAPLIMIT:
    lre_err_set(err, "regex", "heap_limit", "the heap limit of %u KiB was reached%s", l->heap_kib, knob);
    break;
  case PCRE2_ERROR_JIT_STACKLIMIT:
    lre_err_set(err, "regex", "jit_stack", "JIT's stack of %u KiB was used up%s", l->heap_kib, knob);
    break;
  case PCRE2_ERROR_NOMEMORY:
    lre_err_memory(err);
    break;
  default:
    pcre2_get_error_message(rc, text, sizeof text);
    lre_err_set(err, "regex", "internal", "PCRE2 error %d: %s", rc, (const char *)text);
  }
  return -1;
}

/* Room for as many spans as are asked for. */
static bool fit_data(struct lre_regex_scratch *s, size_t pairs) {
  if (pairs <= pcre2_get_ovector_count(s->data)) return true;
  pcre2_match_data *data = pcre2_match_data_create((uint32_t)pairs, NULL);
  if (!data) return false;
  pcre2_match_data_free(s->data);
  s->data = data;
  return true;
}

static void copy_spans(pcre2_match_data *data, int rc, struct lre_regex_span *spans, size_t max_spans) {
  const PCRE2_SIZE *ovector = pcre2_get_ovector_pointer(data);
  size_t found = rc > 0 ? (size_t)rc : pcre2_get_ovector_count(data);
  for (size_t i = 0; i < max_spans; i++) {
    spans[i] = (struct lre_regex_span){LRE_REGEX_UNSET, LRE_REGEX_UNSET};
    if (i < found && ovector[2 * i] != PCRE2_UNSET) {
      spans[i] = (struct lre_regex_span){ovector[2 * i], ovector[2 * i + 1]};
      /* \K in a subroutine that a look-ahead calls puts the start behind the end. */
      if (spans[i].start > spans[i].end) spans[i].start = spans[i].end;
    }
  }
}

/* One pass over the text for all patterns of re's bank. */
static const struct lre_regex_scan *scan_text(const struct lre_regex *re, struct lre_regex_scratch *scratch,
                                              const char *s, size_t len) {
  if (!scratch->scans) scratch->scans = lre_regex_scans_new();
  return lre_regex_scan(re->bank, scratch->scans, s, len);
}

static int run(struct lre_regex *re, struct lre_regex_scratch *scratch, const char *s, size_t len, size_t from,
               struct lre_regex_span *spans, size_t max_spans, struct lre_err *err) {
  compile_jit(re);
  /* The interpreter refuses to start inside a character and JIT does not: both start at the next one. */
  while (re->utf && from > 0 && from < len && ((unsigned char)s[from] & 0xC0) == 0x80) from++;
  size_t groups = (size_t)re->captures + 1;
  if (!fit_data(scratch, max_spans < groups ? max_spans : groups)) {
    lre_err_memory(err);
    return -1;
  }
  int (*match)(const pcre2_code *, PCRE2_SPTR, PCRE2_SIZE, PCRE2_SIZE, uint32_t, pcre2_match_data *,
               pcre2_match_context *) = re->jit ? pcre2_jit_match : pcre2_match;
  int rc = match(re->code, (PCRE2_SPTR)(len ? s : ""), len, from, 0, scratch->data, scratch->context);
  if (rc == PCRE2_ERROR_NOMATCH) return 0;
  if (rc < 0) return match_error(rc, &scratch->limits, err);
  copy_spans(scratch->data, rc, spans, max_spans);
  return 1;
}

int lre_regex_match(struct lre_regex *re, struct lre_regex_scratch *scratch, const char *s, size_t len, size_t from,
                    struct lre_regex_span *spans, size_t max_spans, struct lre_err *err) {
  if (from > len) return 0;
  /* Of a walk the first match alone is worth it: the text holds what the others need. */
  if (re->bank && from == 0 && !lre_regex_may_match(re, scan_text(re, scratch, s, len))) return 0;
  return run(re, scratch, s, len, from, spans, max_spans, err);
}

struct lre_regex_set {
  struct lre_regex **patterns; /* [n] */
  size_t n;
};

struct lre_regex_set *lre_regex_set_new(struct lre_regex_bank *bank, const char *const *patterns, const size_t *lens,
                                        size_t n, unsigned flags, struct lre_err *err) {
  struct lre_regex_set *set = calloc(1, sizeof *set);
  flags |= LRE_REGEX_OF_SET;
  if (set) set->patterns = calloc(n ? n : 1, sizeof(struct lre_regex *));
  if (!set || !set->patterns) {
    lre_regex_set_free(set);
    lre_err_memory(err);
    return NULL;
  }
  for (; set->n < n; set->n++) {
    struct lre_err why;
    set->patterns[set->n] = bank ? lre_regex_bank_get(bank, patterns[set->n], lens[set->n], flags, &why)
                                 : lre_regex_new(patterns[set->n], lens[set->n], flags, &why);
    if (set->patterns[set->n]) continue;
    lre_err_set(err, why.kind, why.code, "pattern %zu: %s", set->n + 1, why.message);
    lre_regex_set_free(set);
    return NULL;
  }
  return set;
}

void lre_regex_set_free(struct lre_regex_set *set) {
  if (!set) return;
  for (size_t i = 0; i < set->n; i++) lre_regex_free(set->patterns[i]);
  free(set->patterns);
  free(set);
}

size_t lre_regex_set_count(const struct lre_regex_set *set) {
  return set->n;
}

int lre_regex_set_match(const struct lre_regex_set *set, size_t i, struct lre_regex_scratch *scratch, const char *s,
                        size_t len, struct lre_regex_span *span, struct lre_err *err) {
  if (i >= set->n) {
    lre_err_set(err, "argument", "range", "no pattern %zu in a set of %zu", i + 1, set->n);
    return -1;
  }
  return lre_regex_match(set->patterns[i], scratch, s, len, 0, span, span ? 1 : 0, err);
}

int lre_regex_set_leftmost(const struct lre_regex_set *set, struct lre_regex_scratch *scratch, const char *s,
                           size_t len, size_t *i, struct lre_regex_span *span, struct lre_err *err) {
  size_t first = SIZE_MAX; /* where the match began, whatever \K says of its start */
  int failed = 0;
  const struct lre_regex_scan *scan = NULL;
  for (size_t k = 0; k < set->n && first > 0 && !failed; k++) {
    struct lre_regex *re = set->patterns[k];
    struct lre_regex_span found;
    if (re->bank && !scan) scan = scan_text(re, scratch, s, len);
    if (re->bank && !lre_regex_may_match(re, scan)) continue;
    int rc = run(re, scratch, s, len, 0, &found, 1, err);
    if (rc == 0) continue;
    *i = k;
    if (rc < 0) failed = rc;
    if (rc < 0) continue;
    first = pcre2_get_startchar(scratch->data);
    *span = found;
    if (first > 0) pcre2_set_offset_limit(scratch->context, first - 1); /* another counts only before it */
  }
  pcre2_set_offset_limit(scratch->context, PCRE2_UNSET);
  return failed ? failed : first < SIZE_MAX;
}

/* One pattern after the other: JIT looks for each one's first characters with vector instructions, and one alternation
 * of 15 refusal patterns took 8 times as long on a text of 600 bytes. A limit of one pattern does not hide a match of
 * another. */
int lre_regex_set_any(const struct lre_regex_set *set, struct lre_regex_scratch *scratch, const char *s, size_t len,
                      struct lre_err *err) {
  int answer = 0;
  for (size_t i = 0; i < set->n; i++) {
    struct lre_err why;
    int rc = lre_regex_set_match(set, i, scratch, s, len, NULL, &why);
    if (rc == 1) return 1;
    if (rc < 0 && answer == 0) {
      answer = -1;
      lre_err_set(err, why.kind, why.code, "pattern %zu: %s", i + 1, why.message);
    }
  }
  return answer;
}
