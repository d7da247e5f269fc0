#include "test.h"

#include "core/buf.h"
#include "core/mt19937.h"
#include "core/regex.h"
#include "core/regex_bank.h"
#include "core/regex_literals.h"

/* Long enough that the bank searches it. */
#define PADDING "................................"

static struct lre_regex_scratch *scratch;

static struct lre_regex *from_bank(struct lre_regex_bank *bank, const char *pattern, unsigned flags) {
  struct lre_err err;
  struct lre_regex *re = lre_regex_bank_get(bank, pattern, strlen(pattern), flags, &err);
  if (!re) fail_msg("%s: %s", pattern, err.message);
  return re;
}

static int match(struct lre_regex *re, const char *text, struct lre_regex_span *span) {
  struct lre_err err;
  *span = (struct lre_regex_span){0};
  return lre_regex_match(re, scratch, text, strlen(text), 0, span, 1, &err);
}

/* The same answer with and without a bank. Returns it. */
static int match_both(const char *pattern, unsigned flags, const char *text) {
  struct lre_err err;
  struct lre_regex_bank *bank = lre_regex_bank_new(&err);
  struct lre_regex *re = from_bank(bank, pattern, flags);
  struct lre_regex *alone = lre_regex_new(pattern, strlen(pattern), flags, &err);
  lre_regex_bank_seal(bank);
  struct lre_regex_span a, b;
  int banked = match(re, text, &a), plain = match(alone, text, &b);
  bool limited = plain < 0 && banked <= 0; /* where nothing matches, the bank may spare the search */
  if (limited) a = b;
  if ((banked != plain && !limited) || a.start != b.start || a.end != b.end)
    fail_msg("`%s` on \"%s\": %d with a bank, %d without", pattern, text, banked, plain);
  lre_regex_free(re);
  lre_regex_free(alone);
  lre_regex_bank_free(bank);
  return banked;
}

static bool has_literal(const char *pattern, const char *word) {
  struct lre_literals l;
  bool found = false;
  if (!lre_literals_read(pattern, strlen(pattern), 0, &l)) return false;
  for (size_t i = 0; i < l.n; i++)
    found = found || (l.list[i].len == strlen(word) && memcmp(l.list[i].bytes, word, l.list[i].len) == 0);
  lre_literals_free(&l);
  return found;
}

static bool has_none(const char *pattern) {
  struct lre_literals l;
  bool any = lre_literals_read(pattern, strlen(pattern), 0, &l);
  lre_literals_free(&l);
  return !any;
}

static void words_are_read_off_a_pattern(void **state) {
  (void)state;
  assert_true(has_literal("can(?:not|['’]?t) (?:help|assist)", "can't assist"));
  assert_true(has_literal("can(?:not|['’]?t) (?:help|assist)", "cannot help"));
  assert_true(has_literal("\\w+ (?i)REQUEST\\b.*", " request"));
  assert_true(has_literal("(?=.*secret)x*", "secret"));
  assert_true(has_literal("(?:abc){2,3}|(?<name>defg)", "abc"));
  assert_true(has_literal("first\\x{41}later", "first"));
}

static void what_is_not_needed_or_not_understood_gives_no_word(void **state) {
  (void)state;
  const char *patterns[] = {"",           "abc|",       "(?:abc)?",  "(?:abc)*",   "(?!abc)x",     "a.b.c",
                            "abc|[a-z]",  "(?x) a b c", "(abc)(?1)", "\\Qabc\\E",  "(*COMMIT)abc", "(a)?(?(1)bcd|efg)",
                            "(?i)привет", "ab",         "(abc)\\1",  "[[:alpha:]]"};
  for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
    if (!has_none(patterns[i])) fail_msg("`%s` has words", patterns[i]);
  }
}

static void a_pattern_matches_as_it_does_alone(void **state) {
  (void)state;
  assert_int_equal(match_both("can(?:not|'t) help", LRE_REGEX_CASELESS, PADDING "I CAN'T HELP you"), 1);
  assert_int_equal(match_both("can(?:not|'t) help", LRE_REGEX_CASELESS, PADDING "I can help you"), 0);
  assert_int_equal(match_both("[\\n*]star", 0, PADDING "\nstar"), 1);
  assert_int_equal(match_both("(?m)^line two$", 0, PADDING "\nline two\n"), 1);
  assert_int_equal(match_both("\\bword\\b", 0, PADDING " swords"), 0);
  assert_int_equal(match_both("(?<=not )allowed", 0, PADDING "not allowed"), 1);
  assert_int_equal(match_both("élan|naïve", LRE_REGEX_CASELESS, PADDING "NAÏVE"), 1);
  assert_int_equal(match_both("不能帮", 0, PADDING "我不能帮你"), 1);
  assert_int_equal(match_both("[]abc]def", 0, PADDING "]def"), 1);
  assert_int_equal(match_both("a{,3}bcd", 0, PADDING "a{,3}bcd"), 1);
  assert_int_equal(match_both("[^]]xyz[a\\]]", 0, PADDING "-xyz]"), 1);
  assert_int_equal(match_both("(?i:ABC)(?-i)def", LRE_REGEX_CASELESS, PADDING "abcdef"), 1);
}

/* U+017F, U+212A, U+1E9E, U+212B, U+0178 are cases of s, k, ß, å and ÿ. */
static void letters_with_a_case_in_another_block_match(void **state) {
  (void)state;
  assert_int_equal(match_both("mistake", LRE_REGEX_CASELESS, PADDING "mi\u017Ftake"), 1);
  assert_int_equal(match_both("mistake", LRE_REGEX_CASELESS, PADDING "mista\u212Ae"), 1);
  match_both("straße", LRE_REGEX_CASELESS, PADDING "STRA\u1E9EE");
  match_both("ångström", LRE_REGEX_CASELESS, PADDING "\u212Bngström");
  match_both("haÿe", LRE_REGEX_CASELESS, PADDING "HA\u0178E");
}

/* ---- patterns and texts at random, of few letters so that many match ---- */

static struct lre_mt19937 random_numbers;

static unsigned below(unsigned n) {
  return lre_mt19937_u32(&random_numbers) % n;
}

static void put_random(struct lre_buf *out, int depth) {
  static const char *const atoms[] = {"a", "b",    "c",    "ab",  "bca", "cab", "abc",
                                      ".", "[ab]", "[^a]", "\\w", "\\b", "A",   "é"};
  static const char *const tails[] = {"?", "*", "+", "{2}", "{0,1}", "{1,2}", "??", "*?", "++"};
  static const char *const groups[] = {"(?:", "(", "(?=", "(?!", "(?<=", "(?>", "(?i:"};
  for (unsigned n = 1 + below(4); n > 0; n--) {
    if (depth > 0 && below(3) == 0) {
      const char *group = groups[below(7)];
      bool looks_back = strcmp(group, "(?<=") == 0,
           looks = looks_back || strcmp(group, "(?=") == 0 || strcmp(group, "(?!") == 0;
      lre_buf_puts(out, group);
      if (looks_back) {
        lre_buf_puts(out, atoms[below(7)]);
      } else {
        put_random(out, depth - 1);
        if (below(2)) lre_buf_putc(out, '|'), put_random(out, depth - 1);
      }
      lre_buf_putc(out, ')');
      if (looks) continue;
    } else {
      const char *atom = atoms[below(14)];
      lre_buf_puts(out, atom);
      if (strcmp(atom, "\\b") == 0) continue;
    }
    if (below(4) == 0) lre_buf_puts(out, tails[below(9)]);
  }
}

static void put_random_text(struct lre_buf *out) {
  static const char *const parts[] = {"a", "b", "c", "A", "B", " ", "é", "É", "abc", "cab"};
  lre_buf_puts(out, PADDING);
  for (unsigned n = below(20); n > 0; n--) lre_buf_puts(out, parts[below(10)]);
}

static void random_patterns_match_as_they_do_alone(void **state) {
  (void)state;
  struct lre_buf pattern, text;
  int matched = 0, missed = 0;
  lre_mt19937_seed(&random_numbers, 20240607);
  lre_buf_init(&pattern);
  lre_buf_init(&text);
  for (int i = 0; i < 4000; i++) {
    lre_buf_clear(&pattern);
    put_random(&pattern, 2);
    for (int k = 0; k < 4; k++) {
      lre_buf_clear(&text);
      put_random_text(&text);
      int rc = match_both(pattern.data, below(2) ? LRE_REGEX_CASELESS : 0, text.data);
      matched += rc == 1;
      missed += rc == 0;
    }
  }
  assert_true(matched > 2000 && missed > 2000);
  lre_buf_free(&pattern);
  lre_buf_free(&text);
}

/* ---- the bank ---- */

static void a_pattern_is_compiled_once(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_regex_bank *bank = lre_regex_bank_new(&err);
  struct lre_regex *first = from_bank(bank, "one word", 0), *again = from_bank(bank, "one word", 0);
  struct lre_regex *caseless = from_bank(bank, "one word", LRE_REGEX_CASELESS);
  assert_ptr_equal(first, again);
  assert_ptr_not_equal(first, caseless);
  lre_regex_bank_seal(bank);
  struct lre_regex *late = from_bank(bank, "another word", 0);
  struct lre_regex_span span;
  assert_int_equal(match(late, PADDING "another word", &span), 1);
  lre_regex_free(first);
  lre_regex_free(again);
  lre_regex_free(caseless);
  lre_regex_free(late);
  lre_regex_bank_free(bank);
}

static void the_leftmost_of_a_set_wins_and_of_equals_the_first(void **state) {
  (void)state;
  const char *patterns[] = {"later", "soon er", "soon", "_\\Kunder"};
  const size_t lens[] = {5, 7, 4, 8};
  struct lre_err err;
  struct lre_regex_bank *bank = lre_regex_bank_new(&err);
  struct lre_regex_set *set = lre_regex_set_new(bank, patterns, lens, 4, 0, &err);
  lre_regex_bank_seal(bank);
  struct lre_regex_span span;
  size_t i;
  const char *text = PADDING "soon er later _under";
  assert_int_equal(lre_regex_set_leftmost(set, scratch, text, strlen(text), &i, &span, &err), 1);
  assert_int_equal(i, 1);
  assert_int_equal(span.end - span.start, 7);
  assert_int_equal(lre_regex_set_leftmost(set, scratch, "_under later", 12, &i, &span, &err), 1);
  assert_int_equal(i, 3);
  assert_int_equal(span.start, 1);
  assert_int_equal(lre_regex_set_leftmost(set, scratch, "nothing", 7, &i, &span, &err), 0);
  lre_regex_set_free(set);
  lre_regex_bank_free(bank);
}

static int new_scratch(void **state) {
  (void)state;
  scratch = lre_regex_scratch_new(NULL, NULL);
  return scratch ? 0 : -1;
}

static int free_scratch(void **state) {
  (void)state;
  lre_regex_scratch_free(scratch);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(words_are_read_off_a_pattern),
      cmocka_unit_test(what_is_not_needed_or_not_understood_gives_no_word),
      cmocka_unit_test(a_pattern_matches_as_it_does_alone),
      cmocka_unit_test(letters_with_a_case_in_another_block_match),
      cmocka_unit_test(random_patterns_match_as_they_do_alone),
      cmocka_unit_test(a_pattern_is_compiled_once),
      cmocka_unit_test(the_leftmost_of_a_set_wins_and_of_equals_the_first),
  };
  return cmocka_run_group_tests(tests, new_scratch, free_scratch);
}
