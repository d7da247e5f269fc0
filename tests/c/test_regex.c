#include "test.h"

#include <pthread.h>

#include "core/regex.h"
#include "oom.h"

static struct lre_regex *compile(const char *pattern, unsigned flags) {
  struct lre_err err;
  struct lre_regex *re = lre_regex_new(pattern, strlen(pattern), flags, &err);
  if (!re) fail_msg("%s: %s", pattern, err.message);
  return re;
}

static struct lre_regex_scratch *new_scratch(const struct lre_regex_limits *limits) {
  struct lre_regex_scratch *s = lre_regex_scratch_new(limits, NULL);
  assert_non_null(s);
  return s;
}

/* One match with scratch of its own: what lre_regex_match returns, its whole span and its error. */
struct once {
  int rc;
  struct lre_regex_span span;
  struct lre_err err;
};

static struct once match_limited(const char *pattern, unsigned flags, const char *text, size_t len, size_t from,
                                 const struct lre_regex_limits *limits) {
  struct once o = {0};
  struct lre_regex *re = compile(pattern, flags);
  struct lre_regex_scratch *s = new_scratch(limits);
  o.rc = lre_regex_match(re, s, text, len, from, &o.span, 1, &o.err);
  lre_regex_scratch_free(s);
  lre_regex_free(re);
  return o;
}

static struct once match(const char *pattern, unsigned flags, const char *text) {
  return match_limited(pattern, flags, text, strlen(text), 0, NULL);
}

static void assert_span(struct once o, size_t start, size_t end) {
  assert_int_equal(o.rc, 1);
  assert_int_equal(o.span.start, start);
  assert_int_equal(o.span.end, end);
}

static void assert_limit(struct once o, const char *code) {
  assert_int_equal(o.rc, -1);
  assert_string_equal(o.err.kind, "regex");
  assert_string_equal(o.err.code, code);
}

static void assert_syntax_error(const char *pattern, size_t len, unsigned flags, const char *part) {
  struct lre_err err;
  assert_null(lre_regex_new(pattern, len, flags, &err));
  assert_string_equal(err.kind, "regex");
  assert_string_equal(err.code, "syntax");
  if (!strstr(err.message, part)) fail_msg("\"%s\" does not say \"%s\"", err.message, part);
}

static void a_match_gives_byte_offsets(void **state) {
  (void)state;
  assert_span(match("\\w+", 0, "¡año!"), 2, 6);
  assert_int_equal(match("x", 0, "abc").rc, 0);
  assert_span(match("", 0, ""), 0, 0);
}

static void each_flag_does_what_its_letter_says(void **state) {
  (void)state;
  assert_int_equal(match("ÑAME", 0, "ñame").rc, 0);
  assert_span(match("ÑAME", LRE_REGEX_CASELESS, "ñame"), 0, 5);
  assert_int_equal(match("^b", 0, "a\nb").rc, 0);
  assert_span(match("^b", LRE_REGEX_MULTILINE, "a\nb"), 2, 3);
  assert_int_equal(match("a.b", 0, "a\nb").rc, 0);
  assert_span(match("a.b", LRE_REGEX_DOTALL, "a\nb"), 0, 3);
  assert_int_equal(match("a b # c", 0, "ab").rc, 0);
  assert_span(match("a b # c", LRE_REGEX_EXTENDED, "ab"), 0, 2);
  assert_int_equal(match("^.$", LRE_REGEX_BYTES, "ñ").rc, 0);
  assert_span(match("^..$", LRE_REGEX_BYTES, "ñ"), 0, 2);
}

static void a_search_from_an_offset_sees_the_text_before_it(void **state) {
  (void)state;
  assert_span(match_limited("(?<=a)b", 0, "abab", 4, 1, NULL), 1, 2);
  assert_span(match_limited("b", 0, "abab", 4, 2, NULL), 3, 4);
  assert_int_equal(match_limited("^a", 0, "aa", 2, 1, NULL).rc, 0);
  assert_span(match_limited("$", 0, "aa", 2, 2, NULL), 2, 2);
  assert_int_equal(match_limited("a", 0, "aa", 2, 3, NULL).rc, 0);
}

/* With JIT and without: the interpreter alone would refuse the offset. */
static void a_search_from_inside_a_character_starts_at_the_next(void **state) {
  (void)state;
  const char *text = "ñb";
  assert_span(match_limited(".", 0, text, 3, 1, NULL), 2, 3);
  assert_span(match_limited("(*NO_JIT).", 0, text, 3, 1, NULL), 2, 3);
  assert_span(match_limited("(*NO_JIT)$", 0, "añ", 3, 2, NULL), 3, 3);
}

static void bytes_that_are_not_utf8_match_nothing_and_hide_nothing(void **state) {
  (void)state;
  const char text[] = "a\xff\xfe"
                      "b\xc3"
                      "\0c";
  assert_span(match_limited("b", 0, text, 7, 0, NULL), 3, 4);
  assert_int_equal(match_limited("a.", 0, text, 7, 0, NULL).rc, 0);
  assert_int_equal(match_limited("(*NO_JIT)a.", 0, text, 7, 0, NULL).rc, 0);
  assert_span(match_limited("\\x00c", 0, text, 7, 0, NULL), 5, 7);
  assert_span(match_limited("\\xff\\xfe", LRE_REGEX_BYTES, text, 7, 0, NULL), 1, 3);
}

static void captures_have_numbers_whether_named_or_not(void **state) {
  (void)state;
  struct lre_regex *re = compile("(?<year>\\d+)-(x)?(?<month>\\d+)", 0);
  struct lre_regex_scratch *s = new_scratch(NULL);
  struct lre_regex_span spans[6];
  assert_int_equal(lre_regex_captures(re), 3);
  assert_int_equal(lre_regex_match(re, s, "in 2024-05", 10, 0, spans, 6, NULL), 1);
  assert_int_equal(spans[1].start, 3);
  assert_int_equal(spans[1].end, 7);
  assert_true(spans[2].start == LRE_REGEX_UNSET && spans[2].end == LRE_REGEX_UNSET);
  assert_int_equal(spans[3].start, 8);
  assert_true(spans[4].start == LRE_REGEX_UNSET && spans[5].end == LRE_REGEX_UNSET);
  assert_int_equal(lre_regex_match(re, s, "1-2", 3, 0, NULL, 0, NULL), 1);
  lre_regex_scratch_free(s);
  lre_regex_free(re);
}

static void more_captures_than_the_scratch_had_room_for_are_filled(void **state) {
  (void)state;
  enum { GROUPS = 40 };
  char pattern[3 * GROUPS + 1] = "", text[GROUPS + 1];
  struct lre_regex_span spans[GROUPS + 1];
  for (int i = 0; i < GROUPS; i++) strcat(pattern, "(.)");
  memset(text, 'x', GROUPS);
  struct lre_regex *re = compile(pattern, 0);
  struct lre_regex_scratch *s = new_scratch(NULL);
  assert_int_equal(lre_regex_match(re, s, text, GROUPS, 0, spans, 1, NULL), 1);
  assert_int_equal(lre_regex_match(re, s, text, GROUPS, 0, spans, GROUPS + 1, NULL), 1);
  assert_int_equal(spans[GROUPS].start, GROUPS - 1);
  assert_int_equal(spans[GROUPS].end, GROUPS);
  lre_regex_scratch_free(s);
  lre_regex_free(re);
}

static void a_span_never_ends_before_it_starts(void **state) {
  (void)state;
  struct once o = match("(?(DEFINE)(?<k>c\\K))(?=ab(?&k))", 0, "abcd");
  assert_int_equal(o.rc, 1);
  assert_true(o.span.start <= o.span.end);
}

static void a_bad_pattern_names_the_offset(void **state) {
  (void)state;
  assert_syntax_error("a(b", 3, 0, "offset 3 of the pattern `a(b`");
  assert_syntax_error("a[b", 3, 0, "offset 3");
  assert_syntax_error("x\xff", 2, 0, "UTF-8");
  assert_syntax_error("a\\Cb", 4, 0, "\\C");
  assert_syntax_error("(*UTF)a", 7, LRE_REGEX_BYTES, "UTF");
  assert_syntax_error("(*UCP)a", 7, LRE_REGEX_BYTES, "UCP");
}

static void a_pattern_over_64_kib_is_refused(void **state) {
  (void)state;
  enum { TOO_LONG = 65537 };
  char *pattern = malloc(TOO_LONG);
  assert_non_null(pattern);
  memset(pattern, 'a', TOO_LONG);
  assert_syntax_error(pattern, TOO_LONG, 0, "65536");
  free(pattern);
  assert_syntax_error("(?:(?:a{1000}){1000}){1000}", 27, 0, "large");
}

static char *letters(char c, size_t n, char last) {
  char *text = malloc(n + 1);
  assert_non_null(text);
  memset(text, c, n);
  text[n - 1] = last;
  text[n] = '\0';
  return text;
}

static void a_limit_is_an_error_never_no_match(void **state) {
  (void)state;
  char *text = letters('a', 40, 'b');
  assert_limit(match("(a+)+$", 0, text), "match_limit");
  assert_limit(match("(?:a|aa)+$", 0, text), "match_limit");
  assert_limit(match("(*NO_JIT)(a+)+$", 0, text), "match_limit");
  free(text);
}

static void a_limit_error_says_the_limit(void **state) {
  (void)state;
  const struct lre_regex_limits limits = {.match = 12345};
  struct once o = match_limited("(a+)+$", 0, "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", 36, 0, &limits);
  assert_limit(o, "match_limit");
  assert_non_null(strstr(o.err.message, "12345"));
}

static void the_interpreters_depth_and_heap_have_limits(void **state) {
  (void)state;
  char *text = letters('a', 100000, 'b');
  assert_limit(match("(*NO_JIT)(?:a|b)*[cd]", 0, text), "depth_limit");
  const struct lre_regex_limits low_heap = {.depth = 10000000, .match = 10000000, .heap_kib = 100};
  assert_limit(match_limited("(*NO_JIT)(?:a|b)*[cd]", 0, text, 100000, 0, &low_heap), "heap_limit");
  free(text);
}

/* Where there is no JIT, the interpreter stops at its own heap limit. */
static void jits_stack_has_a_limit(void **state) {
  (void)state;
  const struct lre_regex_limits low = {.depth = 10000000, .match = 100000000, .heap_kib = 64};
  char *text = letters('a', 1000000, 'b');
  struct lre_regex *re = compile("(?:(a)|(b))*[cd]", 0);
  struct once o = match_limited("(?:(a)|(b))*[cd]", 0, text, 1000000, 0, &low);
  assert_limit(o, lre_regex_jit(re) ? "jit_stack" : "heap_limit");
  lre_regex_free(re);
  free(text);
}

static void a_pattern_cannot_raise_its_limits(void **state) {
  (void)state;
  char *text = letters('a', 40, 'b'), *deep = letters('a', 100000, 'b');
  assert_limit(match("(*LIMIT_MATCH=4000000000)(a+)+$", 0, text), "match_limit");
  assert_limit(match("(*NO_JIT)(*LIMIT_MATCH=4000000000)(a+)+$", 0, text), "match_limit");
  assert_limit(match("(*NO_JIT)(*LIMIT_DEPTH=4000000000)(?:a|b)*[cd]", 0, deep), "depth_limit");
  const struct lre_regex_limits low_heap = {.depth = 10000000, .match = 10000000, .heap_kib = 100};
  assert_limit(match_limited("(*NO_JIT)(*LIMIT_HEAP=4000000)(?:a|b)*[cd]", 0, deep, 100000, 0, &low_heap),
               "heap_limit");
  free(text);
  free(deep);
}

static void a_pattern_may_lower_its_limits(void **state) {
  (void)state;
  assert_span(match("(a+)+$", 0, "aaaaaaaaab aa"), 11, 13);
  assert_limit(match("(*LIMIT_MATCH=10)(a+)+$", 0, "aaaaaaaaab aa"), "match_limit");
}

static void a_scratch_works_again_after_a_limit(void **state) {
  (void)state;
  char *text = letters('a', 40, 'b');
  struct lre_regex *bad = compile("(a+)+$", 0), *good = compile("a+b", 0);
  struct lre_regex_scratch *s = new_scratch(NULL);
  struct lre_regex_span span;
  struct lre_err err;
  assert_int_equal(lre_regex_match(bad, s, text, 40, 0, &span, 1, &err), -1);
  assert_int_equal(lre_regex_match(good, s, text, 40, 0, &span, 1, &err), 1);
  assert_int_equal(span.end, 40);
  lre_regex_scratch_free(s);
  lre_regex_free(good);
  lre_regex_free(bad);
  free(text);
}

static void the_interpreter_gives_jits_answers(void **state) {
  (void)state;
  const char *patterns[] = {"\\bi (?:can't|cannot) \\w+", "(?i)SORRY", "(\\w)\\1", "^$", "[^a-z ]+", "no (?!way)\\w+"};
  const char *texts[] = {"well, i cannot help", "I'm sorry", "", "no way, no how", "\xff sorry \xc3", "año niño"};
  char interpreted[80];
  for (size_t i = 0; i < 6; i++) {
    snprintf(interpreted, sizeof interpreted, "(*NO_JIT)%s", patterns[i]);
    for (size_t j = 0; j < 6; j++) {
      struct once a = match(patterns[i], 0, texts[j]), b = match(interpreted, 0, texts[j]);
      assert_int_equal(a.rc, b.rc);
      assert_int_equal(a.span.start, b.span.start);
      assert_int_equal(a.span.end, b.span.end);
    }
  }
}

static struct lre_regex_set *compile_set(const char *const *patterns, size_t n) {
  size_t lens[8];
  assert_true(n <= 8);
  for (size_t i = 0; i < n; i++) lens[i] = strlen(patterns[i]);
  struct lre_regex_set *set = lre_regex_set_new(NULL, patterns, lens, n, LRE_REGEX_CASELESS, NULL);
  assert_non_null(set);
  assert_int_equal(lre_regex_set_count(set), n);
  return set;
}

/* Groups, back references and comments of one pattern do not leak into another. */
static void the_patterns_of_a_set_stay_apart(void **state) {
  (void)state;
  const char *patterns[] = {"(?x)(?<q>z) # )", "(?<q>b)\\1", "\\Qc|d", "(*ANYCRLF)e"};
  struct lre_regex_set *set = compile_set(patterns, 4);
  struct lre_regex_scratch *s = new_scratch(NULL);
  struct lre_regex_span span;
  assert_int_equal(lre_regex_set_match(set, 1, s, "abBa", 4, &span, NULL), 1);
  assert_int_equal(span.start, 1);
  assert_int_equal(lre_regex_set_match(set, 0, s, "abBa", 4, &span, NULL), 0);
  assert_int_equal(lre_regex_set_match(set, 1, s, "abBa", 4, NULL, NULL), 1);
  assert_int_equal(lre_regex_set_any(set, s, "abBa", 4, NULL), 1);
  assert_int_equal(lre_regex_set_any(set, s, "c", 1, NULL), 0);
  assert_int_equal(lre_regex_set_any(set, s, "c|D", 3, NULL), 1);
  struct lre_err err;
  assert_int_equal(lre_regex_set_match(set, 4, s, "a", 1, &span, &err), -1);
  lre_regex_scratch_free(s);
  lre_regex_set_free(set);
}

static void a_set_names_its_bad_pattern(void **state) {
  (void)state;
  const char *patterns[] = {"a", "b", "c("};
  const size_t lens[] = {1, 1, 2};
  struct lre_err err;
  assert_null(lre_regex_set_new(NULL, patterns, lens, 3, 0, &err));
  assert_string_equal(err.code, "syntax");
  assert_non_null(strstr(err.message, "pattern 3: "));
}

static void a_limit_in_a_set_hides_no_match_and_is_never_no_match(void **state) {
  (void)state;
  const char *patterns[] = {"(a+)+$", "b"};
  char *text = letters('a', 40, 'b'), *unmatched = letters('a', 40, 'c');
  struct lre_regex_set *set = compile_set(patterns, 2);
  struct lre_regex_scratch *s = new_scratch(NULL);
  struct lre_err err;
  assert_int_equal(lre_regex_set_any(set, s, text, 40, &err), 1);
  assert_int_equal(lre_regex_set_any(set, s, unmatched, 40, &err), -1);
  assert_string_equal(err.code, "match_limit");
  assert_non_null(strstr(err.message, "pattern 1: "));
  lre_regex_scratch_free(s);
  lre_regex_set_free(set);
  free(text);
  free(unmatched);
}

static void an_empty_set_matches_nothing(void **state) {
  (void)state;
  struct lre_regex_set *set = lre_regex_set_new(NULL, NULL, NULL, 0, 0, NULL);
  struct lre_regex_scratch *s = new_scratch(NULL);
  assert_non_null(set);
  assert_int_equal(lre_regex_set_any(set, s, "", 0, NULL), 0);
  lre_regex_scratch_free(s);
  lre_regex_set_free(set);
}

static void *match_many_times(void *shared) {
  struct lre_regex *re = shared;
  struct lre_regex_scratch *s = lre_regex_scratch_new(NULL, NULL);
  size_t wrong = 0;
  for (int i = 0; s && i < 2000; i++) {
    struct lre_regex_span span = {0};
    struct lre_err err;
    wrong += lre_regex_match(re, s, "xxaab", 5, 0, &span, 1, &err) != 1 || span.start != 2 || span.end != 5;
  }
  lre_regex_scratch_free(s);
  return s && !wrong ? shared : NULL;
}

static void a_pattern_is_shared_by_threads_with_a_scratch_each(void **state) {
  (void)state;
  struct lre_regex *re = compile("(a+)+b$", 0);
  pthread_t threads[4];
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, match_many_times, re), 0);
  for (int i = 0; i < 4; i++) {
    void *result = NULL;
    pthread_join(threads[i], &result);
    assert_ptr_equal(result, re);
  }
  lre_regex_free(re);
}

/* Our own allocations; PCRE2 is a shared library, and what leaks, LeakSanitizer says. */
static void each_failed_allocation_is_an_error(void **state) {
  (void)state;
  const char *patterns[] = {"a", "(b)"};
  const size_t lens[] = {1, 3};
  struct lre_err err;
  struct lre_regex_set *set = NULL;
  for (long nth = 0; !set; nth++) {
    oom_arm(nth);
    set = lre_regex_set_new(NULL, patterns, lens, 2, 0, &err);
    if (oom_disarm()) {
      assert_null(set);
      assert_string_equal(err.kind, "memory");
    }
  }
  lre_regex_set_free(set);
  oom_arm(0);
  assert_null(lre_regex_scratch_new(NULL, &err));
  assert_true(oom_disarm());
  assert_string_equal(err.kind, "memory");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_match_gives_byte_offsets),
      cmocka_unit_test(each_flag_does_what_its_letter_says),
      cmocka_unit_test(a_search_from_an_offset_sees_the_text_before_it),
      cmocka_unit_test(a_search_from_inside_a_character_starts_at_the_next),
      cmocka_unit_test(bytes_that_are_not_utf8_match_nothing_and_hide_nothing),
      cmocka_unit_test(captures_have_numbers_whether_named_or_not),
      cmocka_unit_test(more_captures_than_the_scratch_had_room_for_are_filled),
      cmocka_unit_test(a_span_never_ends_before_it_starts),
      cmocka_unit_test(a_bad_pattern_names_the_offset),
      cmocka_unit_test(a_pattern_over_64_kib_is_refused),
      cmocka_unit_test(a_limit_is_an_error_never_no_match),
      cmocka_unit_test(a_limit_error_says_the_limit),
      cmocka_unit_test(the_interpreters_depth_and_heap_have_limits),
      cmocka_unit_test(jits_stack_has_a_limit),
      cmocka_unit_test(a_pattern_cannot_raise_its_limits),
      cmocka_unit_test(a_pattern_may_lower_its_limits),
      cmocka_unit_test(a_scratch_works_again_after_a_limit),
      cmocka_unit_test(the_interpreter_gives_jits_answers),
      cmocka_unit_test(the_patterns_of_a_set_stay_apart),
      cmocka_unit_test(a_set_names_its_bad_pattern),
      cmocka_unit_test(a_limit_in_a_set_hides_no_match_and_is_never_no_match),
      cmocka_unit_test(an_empty_set_matches_nothing),
      cmocka_unit_test(a_pattern_is_shared_by_threads_with_a_scratch_each),
      cmocka_unit_test(each_failed_allocation_is_an_error),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
