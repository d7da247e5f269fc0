#include "core/utf8.h"

#include "test.h"

/* The bytes of a code point by the scheme alone, whether it may be encoded or not. */
static size_t encode(uint32_t v, char out[4]) {
  static const unsigned char marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
  size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
  if (n == 1) {
    out[0] = (char)v;
    return n;
  }
  for (size_t i = n - 1; i > 0; i--, v >>= 6) out[i] = (char)(0x80 | (v & 0x3F));
  out[0] = (char)(marks[n] | v);
  return n;
}

static void every_code_point_but_surrogates_is_valid(void **state) {
  (void)state;
  for (uint32_t v = 0; v <= 0x13FFFF; v++) {
    char text[4];
    size_t n = encode(v, text);
    bool want = v <= 0x10FFFF && !(v >= 0xD800 && v <= 0xDFFF);
    if (lre_utf8_valid(text, n, NULL) != want) fail_msg("U+%04X", (unsigned)v);
    if (n > 1 && lre_utf8_valid(text, n - 1, NULL)) fail_msg("U+%04X without its last byte", (unsigned)v);
  }
}

static void assert_bad_at(const char *text, size_t len, size_t want) {
  size_t bad = SIZE_MAX;
  assert_false(lre_utf8_valid(text, len, &bad));
  assert_int_equal(bad, want);
}

static void the_first_bad_byte_is_named(void **state) {
  (void)state;
  assert_bad_at("\x80", 1, 0);
  assert_bad_at("abc\xFFzzzzzzzzzzzzzz", 18, 3);
  assert_bad_at("0123456789abcdefg\xC3", 18, 17);
  assert_bad_at("\xC3\xA9\xC3\xA9 \xED\xA0\x80", 8, 5);
  assert_bad_at("\xC0\xAF", 2, 0);         /* overlong '/' */
  assert_bad_at("\xE0\x80\xAF", 3, 0);     /* and again */
  assert_bad_at("\xF0\x80\x80\xAF", 4, 0); /* and again */
  assert_bad_at("\xF4\x90\x80\x80", 4, 0); /* U+110000 */
  assert_bad_at("\xF8\x88\x80\x80\x80", 5, 0);
}

static void text_of_any_length_and_alignment_is_seen_whole(void **state) {
  (void)state;
  char text[64];
  for (size_t len = 1; len < sizeof text; len++) {
    for (size_t at = 0; at < len; at++) {
      memset(text, 'a', sizeof text);
      assert_true(lre_utf8_valid(text, len, NULL));
      text[at] = '\xFE';
      assert_bad_at(text, len, at);
    }
  }
  assert_true(lre_utf8_valid("", 0, NULL));
  assert_true(lre_utf8_valid("a\0b", 3, NULL));
}

static void assert_repair(const char *text, size_t len, const char *want, size_t replaced) {
  struct lre_buf b;
  lre_buf_init(&b);
  assert_int_equal(lre_utf8_repair(text, len, &b), replaced);
  assert_false(b.failed);
  assert_string_equal(b.data, want);
  assert_true(lre_utf8_valid(b.data, b.len, NULL));
  lre_buf_free(&b);
}

#define BAD "\xEF\xBF\xBD"

/* The examples of Unicode 15, tables 3-8 to 3-11. */
static void each_maximal_bad_part_becomes_one_replacement(void **state) {
  (void)state;
  assert_repair("", 0, "", 0);
  assert_repair("caf\xC3\xA9", 5, "caf\xC3\xA9", 0);
  assert_repair("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41", 9, BAD BAD BAD BAD BAD BAD BAD BAD "A", 8);
  assert_repair("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41", 9, BAD BAD BAD BAD BAD BAD BAD BAD "A", 8);
  assert_repair("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42", 9, BAD BAD BAD BAD BAD "A" BAD BAD "B", 7);
  assert_repair("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41", 9, BAD BAD BAD BAD "A", 4);
  assert_repair("x\xE2\x82", 3, "x" BAD, 1);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_code_point_but_surrogates_is_valid),
      cmocka_unit_test(the_first_bad_byte_is_named),
      cmocka_unit_test(text_of_any_length_and_alignment_is_seen_whole),
      cmocka_unit_test(each_maximal_bad_part_becomes_one_replacement),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
