#include "core/hash.h"

#include <pthread.h>

#include "test.h"

/* FIPS 180-4 examples. */
static const char *const EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
static const char *const ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
static const char *const MILLION_A = "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0";

static void assert_digest(const uint8_t digest[LRE_HASH_BYTES], const char *want) {
  char hex[LRE_HASH_HEX_BYTES];
  lre_hash_hex(digest, hex);
  assert_string_equal(hex, want);
}

static void digests_are_those_of_the_standard(void **state) {
  (void)state;
  uint8_t digest[LRE_HASH_BYTES];
  assert_true(lre_hash_sha256(NULL, 0, digest));
  assert_digest(digest, EMPTY);
  assert_true(lre_hash_sha256("abc", 3, digest));
  assert_digest(digest, ABC);
}

static void sha1_is_that_of_the_standard(void **state) {
  (void)state;
  char hex[LRE_HASH_SHA1_HEX_BYTES];
  assert_true(lre_hash_sha1_hex("abc", 3, hex)); /* FIPS 180-4's example */
  assert_string_equal(hex, "a9993e364706816aba3e25717850c26c9cd0d89d");
  assert_true(lre_hash_sha1_hex("", 0, hex));
  assert_string_equal(hex, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
}

static void pieces_give_the_digest_of_the_whole(void **state) {
  (void)state;
  uint8_t digest[LRE_HASH_BYTES];
  char piece[1000];
  memset(piece, 'a', sizeof piece);
  struct lre_hash *h = lre_hash_new();
  assert_non_null(h);
  assert_true(lre_hash_update(h, NULL, 0));
  for (int i = 0; i < 1000; i++) assert_true(lre_hash_update(h, piece, sizeof piece));
  assert_true(lre_hash_final(h, digest));
  assert_digest(digest, MILLION_A);
  lre_hash_free(h);
}

static void a_finished_digest_takes_no_more(void **state) {
  (void)state;
  uint8_t digest[LRE_HASH_BYTES];
  struct lre_hash *h = lre_hash_new();
  assert_true(lre_hash_final(h, digest));
  assert_digest(digest, EMPTY);
  assert_false(lre_hash_update(h, "x", 1));
  assert_false(lre_hash_final(h, digest));
  lre_hash_free(h);
  lre_hash_free(NULL);
}

static void the_short_key_is_the_head_of_the_digest(void **state) {
  (void)state;
  uint64_t key = 0;
  assert_true(lre_hash_u64("abc", 3, &key));
  assert_true(key == UINT64_C(0xba7816bf8f01cfea));
}

static void *hash_often(void *arg) {
  uint8_t digest[LRE_HASH_BYTES];
  char hex[LRE_HASH_HEX_BYTES];
  size_t *wrong = arg;
  for (int i = 0; i < 1000; i++) {
    bool ok = lre_hash_sha256("abc", 3, digest);
    lre_hash_hex(digest, hex);
    *wrong += !ok || strcmp(hex, ABC) != 0;
  }
  return NULL;
}

static void threads_do_not_disturb_each_other(void **state) {
  (void)state;
  pthread_t threads[4];
  size_t wrong[4] = {0};
  for (int i = 0; i < 4; i++) assert_int_equal(pthread_create(&threads[i], NULL, hash_often, &wrong[i]), 0);
  for (int i = 0; i < 4; i++) pthread_join(threads[i], NULL);
  for (int i = 0; i < 4; i++) assert_int_equal(wrong[i], 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(threads_do_not_disturb_each_other), /* first: the fetch of the digest is shared too */
      cmocka_unit_test(sha1_is_that_of_the_standard),
      cmocka_unit_test(digests_are_those_of_the_standard),
      cmocka_unit_test(pieces_give_the_digest_of_the_whole),
      cmocka_unit_test(a_finished_digest_takes_no_more),
      cmocka_unit_test(the_short_key_is_the_head_of_the_digest),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
