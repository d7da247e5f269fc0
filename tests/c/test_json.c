#include "core/json.h"

#include <locale.h>

#include "core/hash.h"
#include "core/mt19937.h"
#include "oom.h"
#include "test.h"

static struct lre_json_limits providers = {.bigint_as_string = true};

static struct lre_json_doc parse_or_fail(const char *text, size_t len, const struct lre_json_limits *limits) {
  struct lre_json_doc doc;
  struct lre_err err;
  if (!lre_json_parse(&doc, text, len, limits, &err)) fail_msg("refused: %.80s: %s", text, err.message);
  return doc;
}

/* Copied to the end of an allocation, so that a read past it is seen by the sanitizer. */
static void assert_refused_bytes(const char *text, size_t len, const char *code, size_t at) {
  struct lre_json_doc doc;
  struct lre_err err;
  char place[32], *tight = malloc(len ? len : 1);
  assert_non_null(tight);
  if (len) memcpy(tight, text, len);
  if (lre_json_parse(&doc, tight, len, NULL, &err)) fail_msg("accepted: %.80s", text);
  free(tight);
  assert_string_equal(err.kind, "json");
  if (strcmp(err.code, code) != 0) fail_msg("%.80s: expected %s, got %s: %s", text, code, err.code, err.message);
  snprintf(place, sizeof place, " at byte %zu", at);
  size_t tail = strlen(place), whole = strlen(err.message);
  if (whole < tail || strcmp(err.message + whole - tail, place) != 0) {
    fail_msg("%.80s: expected \"...%s\", got \"%s\"", text, place, err.message);
  }
}

static void assert_refused(const char *text, const char *code, size_t at) {
  assert_refused_bytes(text, strlen(text), code, at);
}

/* ---- the parse ---- */

static void a_chat_completion_parses(void **state) {
  (void)state;
  const char *text =
      " {\"id\":\"x\",\"choices\":[{\"index\":0,\"message\":{\"role\":\"assistant\",\"content\":\"caf\\u00e9 "
      "\\ud83d\\ude00 \xE2\x82\xAC\\n\",\"refusal\":null},\"logprobs\":false}],\"usage\":{\"cost\":1e-05}} ";
  struct lre_json_doc doc = parse_or_fail(text, strlen(text), NULL);
  const cJSON *choice = cJSON_GetObjectItem(doc.root, "choices")->child;
  assert_string_equal(string_at(cJSON_GetObjectItem(choice, "message"), "content"),
                      "caf\xC3\xA9 \xF0\x9F\x98\x80 \xE2\x82\xAC\n");
  assert_true(number_at(cJSON_GetObjectItem(doc.root, "usage"), "cost") == 1e-05);
  lre_json_free(&doc);
}

static void any_value_may_stand_at_the_top(void **state) {
  (void)state;
  static const char *const good[] = {"null",
                                     "true",
                                     "false",
                                     "0",
                                     "-0",
                                     "-1.5e-3",
                                     "\"\"",
                                     "[]",
                                     "{}",
                                     "[[],{}]",
                                     "\xEF\xBB\xBF{}",
                                     "\xEF\xBB\xBF 1.5 ",
                                     "\t\r\n [1 , 2 ] \n",
                                     "{\"\":1,\"a\":{\"\":2}}",
                                     "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\x7F\"",
                                     "1E+2",
                                     "1e05",
                                     "0.0e0"};
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    struct lre_json_doc doc = parse_or_fail(good[i], strlen(good[i]), NULL);
    lre_json_free(&doc);
  }
}

static void nothing_is_not_json(void **state) {
  (void)state;
  assert_refused("", "empty", 0);
  assert_refused(" \n\t", "empty", 3);
  assert_refused("\xEF\xBB\xBF", "empty", 3);
  assert_refused_bytes(NULL, 0, "empty", 0);
}

static void text_after_the_value_is_an_error(void **state) {
  (void)state;
  assert_refused("{} x", "trailing", 3);
  assert_refused("1 2", "trailing", 2);
  assert_refused("nullx", "trailing", 4);
  assert_refused("{}\n{}", "trailing", 3);
  assert_refused_bytes("{}\0", 3, "trailing", 2);
}

static void what_the_grammar_does_not_know_is_an_error(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t at;
  } bad[] = {{"{", 1},       {"[", 1},        {"[1,]", 3},       {"[,1]", 1},      {"[1 2]", 3},     {"[1}", 2},
             {"{\"a\"}", 4}, {"{\"a\":}", 5}, {"{\"a\":1,}", 7}, {"{a:1}", 1},     {"{1:1}", 1},     {"{\"a\":1]", 6},
             {"tru", 0},     {"True", 0},     {"NaN", 0},        {"-Infinity", 1}, {"undefined", 0}, {"'a'", 0},
             {"// x\n1", 0}, {"]", 0},        {"[\"a\":1]", 4},  {"{\"a\",1}", 4}, {"\v1", 0},       {"[1", 2}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_refused(bad[i].text, "syntax", bad[i].at);
}

static void numbers_follow_the_grammar(void **state) {
  (void)state;
  static const struct {
    const char *text;
    size_t at;
  } bad[] = {{"01", 0},   {"-01", 1},  {"+1", 0}, {".5", 0},  {"1.", 2},    {"-", 1},
             {"[1.]", 3}, {"1.e5", 2}, {"1e", 2}, {"1e+", 3}, {"[-.5]", 2}, {"00.5", 0}};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) assert_refused(bad[i].text, "syntax", bad[i].at);
  assert_refused("0x10", "trailing", 1);
  assert_refused("1.2.3", "trailing", 3);
}

static void strings_follow_the_grammar(void **state) {
  (void)state;
  assert_refused("[\"abc", "syntax", 1);
  assert_refused("\"a\nb\"", "syntax", 2);
  assert_refused("\"a\tb\"", "syntax", 2);
  assert_refused("\"01234567\x1F\"", "syntax", 9);
  assert_refused("\"a\\x\"", "syntax", 2);
  assert_refused("\"\\u12G4\"", "syntax", 1);
  assert_refused("\"\\u12", "syntax", 1);
  assert_refused("\"\\", "syntax", 2);
  assert_refused("\"\\\"", "syntax", 0);
}

static void half_a_surrogate_pair_is_an_error(void **state) {
  (void)state;
  assert_refused("\"x\\ud83d\"", "syntax", 2);
  assert_refused("\"\\ude00\"", "syntax", 1);
  assert_refused("\"\\ud83dx\\ude00\"", "syntax", 1);
  assert_refused("\"\\ud83d\\ud83d\"", "syntax", 1);
  assert_refused("\"\\ud83d\\n\"", "syntax", 1);
}

static void a_nul_never_cuts_a_string(void **state) {
  (void)state;
  assert_refused("{\"a\":\"b\\u0000c\"}", "nul", 7);
  assert_refused_bytes("\"a\0b\"", 5, "nul", 2);
  assert_refused_bytes("[\0]", 3, "nul", 1);
}

static void invalid_utf8_is_an_error(void **state) {
  (void)state;
  assert_refused("\"a\xFF\"", "utf8", 2);
  assert_refused("\"caf\xC3\xA9 \xC3\"", "utf8", 7);
  assert_refused("{\"\xED\xA0\x80\":1}", "utf8", 2);
  assert_refused("[\x80]", "utf8", 1);
  assert_refused("[\xC3\xA9]", "syntax", 1);
}

static void a_key_is_there_once_however_it_is_written(void **state) {
  (void)state;
  assert_refused("{\"a\":1,\"b\":2,\"a\":3}", "duplicate_key", 13);
  assert_refused("{\"a\":1,\"\\u0061\":2}", "duplicate_key", 7);
  assert_refused("{\"\\u00e9\":1,\"\xC3\xA9\":2}", "duplicate_key", 12);
  assert_refused("{\"\\ud83d\\ude00\":1,\"\xF0\x9F\x98\x80\":2}", "duplicate_key", 18);
  assert_refused("{\"\\/\\n\":1,\"/\\u000A\":2}", "duplicate_key", 10);
  assert_refused("[{\"x\":{\"\":1,\"\":2}}]", "duplicate_key", 12);
  assert_refused("{\"a\":{\"b\":1},\"c\":[{\"a\":1}],\"a\":1}", "duplicate_key", 27);
}

static void keys_that_only_look_alike_are_different(void **state) {
  (void)state;
  const char *text =
      "{\"a\":1,\"A\":2,\"a \":3,\"aa\":4,\"\\u0061b\":5,\"\\\\u0061\":6,\"\":{\"a\":7,\"\":[{\"a\":8}]},\"n\":9,"
      "\"\\n\":10}";
  struct lre_json_doc doc = parse_or_fail(text, strlen(text), NULL);
  assert_int_equal(cJSON_GetArraySize(doc.root), 9);
  lre_json_free(&doc);
}

/* An object of n keys; the key at `repeat` is again that of 0, unless repeat is 0. Gives the offset of that key. */
static size_t big_object(struct lre_buf *b, size_t n, size_t repeat) {
  size_t at = 0;
  lre_buf_init(b);
  for (size_t i = 0; i < n; i++) {
    lre_buf_putc(b, i ? ',' : '{');
    if (repeat && i == repeat) at = b->len;
    lre_buf_printf(b, i % 2 ? "\"same_beginning_%zu\":0" : "\"\\u0073ame_beginning_%zu\":0",
                   repeat && i == repeat ? 0 : i);
  }
  lre_buf_putc(b, '}');
  assert_false(b->failed);
  return at;
}

static void large_objects_are_checked_too(void **state) {
  (void)state;
  static const size_t sizes[] = {15, 16, 17, 18, 1000, 100000};
  for (size_t i = 0; i < 6; i++) {
    struct lre_buf b;
    big_object(&b, sizes[i], 0);
    struct lre_json_doc doc = parse_or_fail(b.data, b.len, NULL);
    lre_json_free(&doc);
    lre_buf_free(&b);
    size_t at = big_object(&b, sizes[i], sizes[i] - 3);
    assert_refused_bytes(b.data, b.len, "duplicate_key", at);
    lre_buf_free(&b);
  }
}

static void the_first_repeated_key_of_the_text_is_named(void **state) {
  (void)state;
  struct lre_buf b;
  lre_buf_init(&b);
  lre_buf_puts(&b, "{\"z\":0,\"a\":0");
  for (int i = 0; i < 40; i++) lre_buf_printf(&b, ",\"k%d\":0", i);
  size_t at = b.len + 1;
  lre_buf_puts(&b, ",\"z\":1,\"a\":1,\"z\":2}");
  assert_refused_bytes(b.data, b.len, "duplicate_key", at);
  lre_buf_free(&b);
}

static char *nested(size_t depth, char open, char close) {
  char *text = malloc(2 * depth + 1);
  memset(text, open, depth);
  memset(text + depth, close, depth);
  text[2 * depth] = '\0';
  return text;
}

static void depth_has_a_limit_and_a_name(void **state) {
  (void)state;
  static const struct { size_t limit, real; } depths[] = {{0, 64}, {3, 3}, {1000, 1000}, {1000000, 1000}};
  for (size_t i = 0; i < 4; i++) {
    struct lre_json_limits limits = {.max_depth = depths[i].limit};
    struct lre_json_doc doc;
    struct lre_err err;
    char *text = nested(depths[i].real, '[', ']');
    doc = parse_or_fail(text, strlen(text), &limits);
    lre_json_free(&doc);
    free(text);
    text = nested(depths[i].real + 1, '[', ']');
    assert_false(lre_json_parse(&doc, text, strlen(text), &limits, &err));
    assert_string_equal(err.code, "depth");
    free(text);
  }
}

static void ten_thousand_deep_input_does_not_reach_the_stack(void **state) {
  (void)state;
  struct lre_buf b;
  char *text = nested(10000, '[', ']');
  assert_refused(text, "depth", 64);
  free(text);
  lre_buf_init(&b);
  for (int i = 0; i < 1000000; i++) lre_buf_puts(&b, "{\"a\":");
  assert_refused_bytes(b.data, b.len, "depth", 64 * 5);
  lre_buf_free(&b);
}

static void a_text_over_the_limit_is_not_looked_at(void **state) {
  (void)state;
  struct lre_json_limits limits = {.max_bytes = 4};
  struct lre_json_doc doc;
  struct lre_err err;
  assert_false(lre_json_parse(&doc, "12345", 5, &limits, &err));
  assert_string_equal(err.code, "too_large");
  doc = parse_or_fail("1234", 4, &limits);
  lre_json_free(&doc);
}

/* ---- numbers ---- */

static void floats_and_integers_stay_apart(void **state) {
  (void)state;
  const char *text = "[1,1.0,{\"a\":1e2,\"b\":[0,-0.0]},9007199254740992,1E0,-7]";
  static const bool want[] = {false, true, true, false, true, false, true, false};
  struct lre_json_doc doc = parse_or_fail(text, strlen(text), NULL);
  const cJSON *top = doc.root->child, *object = top->next->next, *inner = object->child->next;
  const cJSON *found[] = {top,          top->next,          object->child,           inner->child, inner->child->next,
                          object->next, object->next->next, object->next->next->next};
  for (size_t i = 0; i < 8; i++) {
    assert_true(cJSON_IsNumber(found[i]));
    assert_int_equal((found[i]->type & LRE_JSON_FLOAT) != 0, want[i]);
  }
  assert_true(found[5]->valuedouble == 9007199254740992.0);
  lre_json_free(&doc);
}

static void an_integer_no_double_holds_is_an_error(void **state) {
  (void)state;
  assert_refused("[9007199254740993]", "bigint", 1);
  assert_refused("[-9007199254740993]", "bigint", 1);
  assert_refused("{\"id\":12345678901234567890}", "bigint", 6);
  struct lre_json_doc doc = parse_or_fail("[9007199254740992,-9007199254740992]", 36, NULL);
  lre_json_free(&doc);
}

static void an_integer_no_double_holds_can_become_a_string(void **state) {
  (void)state;
  const char *text = "\xEF\xBB\xBF{\"a\":12345678901234567890,\"b\":1.5,\"c\":[-9007199254740993],\"d\":3}";
  struct lre_json_doc doc = parse_or_fail(text, strlen(text), &providers);
  assert_string_equal(string_at(doc.root, "a"), "12345678901234567890");
  assert_true(cJSON_GetObjectItem(doc.root, "b")->type & LRE_JSON_FLOAT);
  assert_string_equal(cJSON_GetObjectItem(doc.root, "c")->child->valuestring, "-9007199254740993");
  assert_false(cJSON_GetObjectItem(doc.root, "d")->type & LRE_JSON_FLOAT);
  lre_json_free(&doc);
  doc = parse_or_fail("9007199254740993", 16, &providers);
  assert_string_equal(doc.root->valuestring, "9007199254740993");
  lre_json_free(&doc);
}

static void infinity_does_not_come_in_as_a_number(void **state) {
  (void)state;
  assert_refused("[1e999]", "range", 1);
  assert_refused("-1e309", "range", 0);
  char text[420];
  memset(text, '9', 410);
  strcpy(text + 410, ".5");
  assert_refused(text, "range", 0);
  struct lre_json_doc doc = parse_or_fail("[1.7976931348623157e308,1e-999]", 31, NULL);
  assert_true(doc.root->child->valuedouble == 1.7976931348623157e308);
  assert_true(doc.root->child->next->valuedouble == 0);
  lre_json_free(&doc);
}

/* cJSON 1.7.15 reads 63 bytes of a number and takes the rest for something else. */
static void long_numbers_keep_their_value(void **state) {
  (void)state;
  char text[300] = "[1,0.3333333333333333";
  for (int i = 0; i < 100; i++) strcat(text, "3");
  strcat(text, ",2]");
  struct lre_json_doc doc = parse_or_fail(text, strlen(text), NULL);
  assert_int_equal(cJSON_GetArraySize(doc.root), 3);
  assert_true(doc.root->child->next->valuedouble == 1.0 / 3.0);
  assert_true(doc.root->child->next->type & LRE_JSON_FLOAT);
  lre_json_free(&doc);
}

static void the_locale_changes_nothing(void **state) {
  (void)state;
  static const char *const comma[] = {"de_DE.UTF-8", "de_DE.utf8", "fr_FR.UTF-8", "fr_FR.utf8", "es_ES.UTF-8"};
  const char *found = NULL;
  for (size_t i = 0; i < 5 && !found; i++) found = setlocale(LC_ALL, comma[i]);
  if (!found) {
    print_message("skipped: no locale with a decimal comma is installed\n");
    skip();
  }
  char out[LRE_JSON_NUMBER_BYTES];
  lre_json_format_double(1.5e-7, out);
  double rounded = lre_json_round12(1.0 / 3.0);
  struct lre_json_doc doc = parse_or_fail("[1.5,2.5e0]", 11, NULL);
  char still[8];
  snprintf(still, sizeof still, "%.1f", 0.5);
  setlocale(LC_ALL, "C");
  assert_string_equal(still, "0,5"); /* and the thread's own locale is as it was */
  assert_string_equal(out, "1.5e-07");
  assert_true(rounded == 0.333333333333);
  assert_true(doc.root->child->valuedouble == 1.5);
  assert_true(doc.root->child->next->valuedouble == 2.5);
  lre_json_free(&doc);
}

/* ---- memory ---- */

static void a_parse_without_memory_says_so_and_leaks_nothing(void **state) {
  (void)state;
  const char *text = "{\"a\":[1,2.5,{\"b\":\"c\"}],\"id\":12345678901234567890,\"long\":0."
                     "1000000000000000000000000000000000000000000000000000000000000000000001,\"x\":1e5}";
  long n = 0;
  for (;; n++) {
    struct lre_json_doc doc;
    struct lre_err err;
    oom_arm(n);
    bool ok = lre_json_parse(&doc, text, strlen(text), &providers, &err);
    bool failed = oom_disarm();
    assert_int_equal(ok, !failed);
    if (ok) lre_json_free(&doc);
    if (ok) break;
    assert_string_equal(err.kind, "memory");
  }
  assert_true(n > 3); /* keys, float marks, rewritten text, the tree's chunk */
}

static void a_writer_without_memory_says_so(void **state) {
  (void)state;
  long n = 0;
  for (;; n++) {
    struct lre_buf b;
    struct lre_err err;
    lre_buf_init(&b);
    oom_arm(n);
    bool ok = lre_json_put_string(&b, "a\nb\x01", 4, &err) && lre_json_put_int(&b, 7);
    for (int i = 0; ok && i < 100; i++) ok = lre_json_put_double(&b, 0.1, &err);
    bool failed = oom_disarm();
    lre_buf_free(&b);
    assert_int_equal(ok, !failed);
    if (!failed) break;
  }
  assert_true(n > 1);
}

/* ---- the writer ---- */

static void assert_format(double v, const char *want) {
  char out[LRE_JSON_NUMBER_BYTES];
  size_t n = lre_json_format_double(v, out);
  assert_string_equal(out, want);
  assert_int_equal(n, strlen(want));
}

static void floats_are_written_as_python_writes_them(void **state) {
  (void)state;
  assert_format(0.0, "0.0");
  assert_format(-0.0, "-0.0");
  assert_format(1.0, "1.0");
  assert_format(-1.0, "-1.0");
  assert_format(0.7, "0.7");
  assert_format(0.1 + 0.2, "0.30000000000000004");
  assert_format(100.0, "100.0");
  assert_format(123.456, "123.456");
  assert_format(4e-07, "4e-07");
  assert_format(1.5e-07, "1.5e-07");
  assert_format(0.0001, "0.0001");
  assert_format(0.00012345, "0.00012345");
  assert_format(0.00001, "1e-05");
  assert_format(1e15, "1000000000000000.0");
  assert_format(9999999999999998.0, "9999999999999998.0");
  assert_format(1e16, "1e+16");
  assert_format(1e22, "1e+22");
  assert_format(123456789012345680.0, "1.2345678901234568e+17");
  assert_format(1e100, "1e+100");
  assert_format(5e-324, "5e-324");
  assert_format(2.2250738585072014e-308, "2.2250738585072014e-308");
  assert_format(2.225073858507201e-308, "2.225073858507201e-308");
  assert_format(-1.7976931348623157e308, "-1.7976931348623157e+308");
  assert_format(5e-324 * 3, "1.5e-323");
  assert_format(9007199254740993.0, "9007199254740992.0");
  assert_format(0x1p-44, "5.684341886080802e-14"); /* powers of two: the nearest 16 digits do not read back */
  assert_format(0x1p-1017, "7.120236347223045e-307");
}

static void any_double_reads_back(void **state) {
  (void)state;
  struct lre_mt19937 mt;
  lre_mt19937_seed(&mt, 7);
  for (int i = 0; i < 20000; i++) {
    char out[LRE_JSON_NUMBER_BYTES];
    uint64_t bits = (uint64_t)lre_mt19937_u32(&mt) << 32;
    bits |= lre_mt19937_u32(&mt);
    double v;
    memcpy(&v, &bits, sizeof v);
    if (!isfinite(v)) continue;
    lre_json_format_double(v, out);
    if (strtod(out, NULL) != v || !strpbrk(out, ".e")) fail_msg("%a became %s", v, out);
  }
}

static void numbers_json_does_not_have_are_not_written(void **state) {
  (void)state;
  struct lre_buf b;
  struct lre_err err;
  lre_buf_init(&b);
  const double bad[] = {(double)NAN, (double)INFINITY, -(double)INFINITY};
  for (size_t i = 0; i < 3; i++) {
    assert_false(lre_json_put_double(&b, bad[i], &err));
    assert_string_equal(err.code, "not_finite");
  }
  assert_int_equal(b.len, 0);
  lre_json_put_int(&b, INT64_MIN);
  assert_string_equal(b.data, "-9223372036854775808");
  lre_buf_free(&b);
}

static void only_what_must_be_is_escaped(void **state) {
  (void)state;
  struct lre_buf b;
  struct lre_err err;
  lre_buf_init(&b);
  const char text[] = "q\" b\\ /\b\f\n\r\t\0\x01\x1f\x7F caf\xC3\xA9 \xF0\x9F\x98\x80 0123456789\n";
  assert_true(lre_json_put_string(&b, text, sizeof text - 1, &err));
  assert_string_equal(b.data, "\"q\\\" b\\\\ /\\b\\f\\n\\r\\t\\u0000\\u0001\\u001f\x7F caf\xC3\xA9 \xF0\x9F\x98\x80 "
                              "0123456789\\n\"");
  lre_buf_clear(&b);
  assert_true(lre_json_put_string(&b, NULL, 0, &err));
  assert_string_equal(b.data, "\"\"");
  lre_buf_free(&b);
}

static void invalid_utf8_is_not_written(void **state) {
  (void)state;
  struct lre_buf b;
  struct lre_err err;
  lre_buf_init(&b);
  assert_false(lre_json_put_string(&b, "abc\xC3", 4, &err));
  assert_string_equal(err.code, "utf8");
  assert_non_null(strstr(err.message, "at byte 3"));
  assert_int_equal(b.len, 0);
  lre_buf_free(&b);
}

static void what_is_written_reads_back(void **state) {
  (void)state;
  char text[128];
  struct lre_buf b;
  struct lre_err err;
  lre_buf_init(&b);
  for (int c = 1; c < 128; c++) text[c - 1] = (char)c;
  assert_true(lre_json_put_string(&b, text, 127, &err));
  struct lre_json_doc doc = parse_or_fail(b.data, b.len, NULL);
  assert_memory_equal(doc.root->valuestring, text, 127);
  lre_json_free(&doc);
  lre_buf_free(&b);
}

static void derived_numbers_have_twelve_digits(void **state) {
  (void)state;
  assert_true(lre_json_round12(1.0 / 3.0) == 0.333333333333);
  assert_true(lre_json_round12(-2.0 / 3.0) == -0.666666666667);
  assert_true(lre_json_round12(0.1 + 0.2) == 0.3);
  assert_true(lre_json_round12(123456789012345.0) == 123456789012000.0);
  assert_true(lre_json_round12(0.0) == 0.0);
  assert_true(isinf(lre_json_round12((double)INFINITY)));
  assert_true(isnan(lre_json_round12((double)NAN)));
}

/* ---- the seed's cache keys: SHA-256 of compact sorted JSON ---- */

static int by_name(const void *a, const void *b) {
  return strcmp((*(cJSON *const *)a)->string, (*(cJSON *const *)b)->string);
}

static void put_flat_object(struct lre_buf *b, const cJSON *object) {
  const cJSON *items[16], *item;
  size_t n = 0;
  cJSON_ArrayForEach(item, object) items[n++] = item;
  qsort(items, n, sizeof *items, by_name);
  for (size_t i = 0; i < n; i++) {
    lre_buf_putc(b, i ? ',' : '{');
    assert_true(lre_json_put_string(b, items[i]->string, strlen(items[i]->string), NULL));
    lre_buf_putc(b, ':');
    if (cJSON_IsString(items[i])) {
      assert_true(lre_json_put_string(b, items[i]->valuestring, strlen(items[i]->valuestring), NULL));
    } else if (items[i]->type & LRE_JSON_FLOAT) {
      /* The seed rounds temperatures to six decimals, so 4e-07 has the key of 0.0. */
      assert_true(lre_json_put_double(b, round(items[i]->valuedouble * 1e6) / 1e6, NULL));
    } else {
      lre_json_put_int(b, (int64_t)items[i]->valuedouble);
    }
  }
  lre_buf_putc(b, '}');
}

static void assert_cache_key(const cJSON *object, const char *want) {
  uint8_t digest[LRE_HASH_BYTES];
  char hex[LRE_HASH_HEX_BYTES];
  struct lre_buf text;
  lre_buf_init(&text);
  put_flat_object(&text, object);
  assert_true(lre_hash_sha256(text.data, text.len, digest));
  lre_hash_hex(digest, hex);
  if (strcmp(hex, want) != 0) fail_msg("expected %s, got %s for %s", want, hex, text.data);
  lre_buf_free(&text);
}

static void a_known_cache_key_follows_from_our_tokens(void **state) {
  (void)state;
  const char *text = "{\"model\":\"fake-1b\",\"prompt\":\"hello\",\"seed\":42,\"temperature\":0.0,\"max_tokens\":256}";
  struct lre_json_doc doc = parse_or_fail(text, strlen(text), NULL);
  assert_cache_key(doc.root, "e8f0dab5d25fbf0f764a71a15057534f25176b94b6cf2e74cf5d56c809689ece");
  lre_json_free(&doc);
}

static void the_shared_cache_keys_follow_from_our_tokens(void **state) {
  (void)state;
  size_t len = 0, checked = 0;
  char *text = read_whole(shared_path("vectors/refusal.json"), &len);
  if (!text) {
    print_message("skipped: no %s (set LRE_SHARED to its folder)\n", shared_path("vectors/refusal.json"));
    skip();
  }
  struct lre_json_doc doc = parse_or_fail(text, len, NULL);
  const cJSON *vector;
  cJSON_ArrayForEach(vector, cJSON_GetObjectItem(doc.root, "cache_keys")) {
    assert_cache_key(cJSON_GetObjectItem(vector, "in"), string_at(vector, "key"));
    checked++;
  }
  assert_true(checked >= 5);
  lre_json_free(&doc);
  free(text);
}

static bool read_two(const char *text, struct lre_json_string out[2]) {
  static char room[200];
  static const char *const names[] = {"a", "b"};
  return lre_json_read_strings(text, strlen(text), names, 2, out, room);
}

static void assert_string(struct lre_json_string got, const char *expected) {
  assert_int_equal(got.len, strlen(expected));
  assert_memory_equal(got.s, expected, got.len);
}

static void an_object_of_strings_is_read_without_a_tree(void **state) {
  (void)state;
  struct lre_json_string out[2];
  assert_true(read_two(" { \"b\" : \"\", \"a\":\"x\" } ", out));
  assert_string(out[0], "x");
  assert_string(out[1], "");
  assert_true(read_two("{\"a\":\"\\\"\\\\\\/\\b\\f\\n\\r\\t\",\"b\":\"\\u00e9\\u4e0d\\ud83d\\ude00!\"}", out));
  assert_string(out[0], "\"\\/\b\f\n\r\t");
  assert_string(out[1], "\u00e9\u4e0d\U0001F600!");
}

static void anything_else_is_not_read(void **state) {
  (void)state;
  struct lre_json_string out[2];
  const char *texts[] = {"",
                         "{}",
                         "[\"a\"]",
                         "{\"a\":\"x\"}",
                         "{\"a\":\"x\",\"a\":\"y\"}",
                         "{\"a\":\"x\",\"b\":1}",
                         "{\"a\":\"x\",\"b\":\"y\",\"c\":\"z\"}",
                         "{\"a\":\"x\",\"b\":\"y\",}",
                         "{\"a\":\"x\",\"b\":\"y\"}1",
                         "{\"a\":\"x\" \"b\":\"y\"}",
                         "{\"a\":\"x\",\"b\":\"y",
                         "{\"a\":\"x\",\"b\":\"\\u0000\"}",
                         "{\"a\":\"x\",\"b\":\"\\ud800\"}",
                         "{\"a\":\"x\",\"b\":\"\n\"}",
                         "{\"a\":\"x\",\"b\":\"\xff\"}",
                         "{\"\\u0061\":\"x\",\"b\":\"y\"}"};
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    if (read_two(texts[i], out)) fail_msg("%s was read", texts[i]);
  }
}

static void some_of_the_strings_may_be_missing_and_no_other_is_there(void **state) {
  (void)state;
  static const char *const names[] = {"a", "b"};
  static char room[200];
  struct lre_json_string out[2];
  const char *text = " {\"b\":\"x\"} ", *other = "{\"b\":\"x\",\"c\":\"y\"}";
  assert_true(lre_json_read_some_strings(text, strlen(text), names, 2, out, room));
  assert_null(out[0].s);
  assert_string(out[1], "x");
  assert_false(lre_json_read_some_strings(other, strlen(other), names, 2, out, room));
  assert_false(lre_json_read_some_strings("{}", 2, names, 2, out, room));
}

static void the_members_of_the_outermost_object_are_noted_as_they_are_written(void **state) {
  (void)state;
  static const char *const expected[][2] = {
      {"a", "[1,{\"b\":{}}]"}, {"\\u0063", "{ }"}, {"d", "\"x\\\"\""}, {"e", "9007199254740993"}, {"f", "null"}};
  const char *text = "\xEF\xBB\xBF {\"a\":[1,{\"b\":{}}] , \"\\u0063\" : { },\"d\":\"x\\\"\","
                     "\"e\":9007199254740993,\"f\":null } ";
  struct lre_json_text checked = {.wants_members = true};
  struct lre_json_limits limits = {.bigint_as_string = true};
  assert_true(lre_json_check(&checked, text, strlen(text), &limits, NULL));
  const struct lre_json_member *members = (const void *)checked.members.data;
  assert_int_equal(checked.members.len, 5 * sizeof *members);
  for (size_t i = 0; i < 5; i++) {
    assert_string((struct lre_json_string){members[i].name, members[i].name_len}, expected[i][0]);
    assert_string((struct lre_json_string){members[i].value, members[i].value_len}, expected[i][1]);
  }
  assert_true(lre_json_check(&checked, "[{\"a\":1}]", 9, &limits, NULL));
  assert_int_equal(checked.members.len, 0);
  lre_json_text_free(&checked);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_chat_completion_parses),
      cmocka_unit_test(any_value_may_stand_at_the_top),
      cmocka_unit_test(nothing_is_not_json),
      cmocka_unit_test(text_after_the_value_is_an_error),
      cmocka_unit_test(what_the_grammar_does_not_know_is_an_error),
      cmocka_unit_test(numbers_follow_the_grammar),
      cmocka_unit_test(strings_follow_the_grammar),
      cmocka_unit_test(half_a_surrogate_pair_is_an_error),
      cmocka_unit_test(a_nul_never_cuts_a_string),
      cmocka_unit_test(invalid_utf8_is_an_error),
      cmocka_unit_test(a_key_is_there_once_however_it_is_written),
      cmocka_unit_test(keys_that_only_look_alike_are_different),
      cmocka_unit_test(large_objects_are_checked_too),
      cmocka_unit_test(the_first_repeated_key_of_the_text_is_named),
      cmocka_unit_test(depth_has_a_limit_and_a_name),
      cmocka_unit_test(ten_thousand_deep_input_does_not_reach_the_stack),
      cmocka_unit_test(a_text_over_the_limit_is_not_looked_at),
      cmocka_unit_test(floats_and_integers_stay_apart),
      cmocka_unit_test(an_integer_no_double_holds_is_an_error),
      cmocka_unit_test(an_integer_no_double_holds_can_become_a_string),
      cmocka_unit_test(infinity_does_not_come_in_as_a_number),
      cmocka_unit_test(long_numbers_keep_their_value),
      cmocka_unit_test(the_locale_changes_nothing),
      cmocka_unit_test(a_parse_without_memory_says_so_and_leaks_nothing),
      cmocka_unit_test(a_writer_without_memory_says_so),
      cmocka_unit_test(floats_are_written_as_python_writes_them),
      cmocka_unit_test(any_double_reads_back),
      cmocka_unit_test(numbers_json_does_not_have_are_not_written),
      cmocka_unit_test(only_what_must_be_is_escaped),
      cmocka_unit_test(invalid_utf8_is_not_written),
      cmocka_unit_test(what_is_written_reads_back),
      cmocka_unit_test(derived_numbers_have_twelve_digits),
      cmocka_unit_test(a_known_cache_key_follows_from_our_tokens),
      cmocka_unit_test(an_object_of_strings_is_read_without_a_tree),
      cmocka_unit_test(anything_else_is_not_read),
      cmocka_unit_test(some_of_the_strings_may_be_missing_and_no_other_is_there),
      cmocka_unit_test(the_members_of_the_outermost_object_are_noted_as_they_are_written),
      cmocka_unit_test(the_shared_cache_keys_follow_from_our_tokens),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
