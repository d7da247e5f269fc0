#include "core/serve_parse.h"

#include "test.h"

enum { MAX_BODY = 1000 };

static struct lre_serve_head head;

static enum lre_serve_parsed parse(const char *text) {
  return lre_serve_parse(text, strlen(text), MAX_BODY, &head);
}

static int reset_head(void **state) {
  (void)state;
  lre_serve_head_free(&head);
  return 0;
}

static void one_request_is_read_and_what_follows_is_left(void **state) {
  (void)state;
  const char *text =
      "POST /v1/messages?x=1 HTTP/1.1\r\nHost: a\r\nX-Thing:  two words \r\nContent-Length: 3\r\n\r\nabcGET /";
  assert_int_equal(parse(text), LRE_SERVE_WHOLE);
  assert_string_equal(head.method.data, "POST");
  assert_string_equal(head.target.data, "/v1/messages?x=1");
  assert_string_equal(head.headers.data, "host: a\nx-thing: two words\ncontent-length: 3\n");
  assert_int_equal(head.body_len, 3);
  assert_memory_equal(head.body, "abc", 3);
  assert_int_equal(head.used, strlen(text) - 5);
  assert_true(head.keep_alive);
}

static void every_cut_of_a_request_asks_for_more(void **state) {
  (void)state;
  const char *text = "POST /a HTTP/1.1\r\nContent-Length: 5\r\n\r\nhello";
  for (size_t len = 0; len < strlen(text); len++)
    assert_int_equal(lre_serve_parse(text, len, MAX_BODY, &head), LRE_SERVE_MORE);
  assert_int_equal(parse(text), LRE_SERVE_WHOLE);
}

static void a_connection_is_kept_by_version_and_wish(void **state) {
  (void)state;
  assert_int_equal(parse("GET / HTTP/1.0\r\n\r\n"), LRE_SERVE_WHOLE);
  assert_false(head.keep_alive);
  assert_int_equal(parse("GET / HTTP/1.1\r\nConnection: Close\r\n\r\n"), LRE_SERVE_WHOLE);
  assert_false(head.keep_alive);
  assert_int_equal(parse("GET / HTTP/1.1\r\n\r\n"), LRE_SERVE_WHOLE);
  assert_true(head.keep_alive);
}

static void what_is_no_request_has_the_status_that_says_why(void **state) {
  (void)state;
  static const struct {
    const char *text;
    int status;
  } cases[] = {
      {"\r\n\r\n", 400},
      {"GET /\r\n\r\n", 400},
      {"GET  / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\n\r\n", 400},
      {"GET / HTTP/1.1 \r\n\r\n", 400},
      {"G(T / HTTP/1.1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nno colon\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nA : b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nA: b\r\n folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nA: b\x01\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: \r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: 99999999999999999999999\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nContent-Length: 1001\r\n\r\n", 413},
      {"GET / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 501},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    assert_int_equal(parse(cases[i].text), LRE_SERVE_BAD);
    assert_int_equal(head.status, cases[i].status);
  }
}

static void a_head_without_an_end_is_refused(void **state) {
  (void)state;
  char *text = malloc(LRE_SERVE_MAX_HEAD + 1);
  assert_non_null(text);
  memset(text, 'a', LRE_SERVE_MAX_HEAD + 1);
  assert_int_equal(lre_serve_parse(text, LRE_SERVE_MAX_HEAD - 1, MAX_BODY, &head), LRE_SERVE_MORE);
  assert_int_equal(lre_serve_parse(text, LRE_SERVE_MAX_HEAD, MAX_BODY, &head), LRE_SERVE_BAD);
  assert_int_equal(head.status, 431);
  free(text);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_teardown(one_request_is_read_and_what_follows_is_left, reset_head),
      cmocka_unit_test_teardown(every_cut_of_a_request_asks_for_more, reset_head),
      cmocka_unit_test_teardown(a_connection_is_kept_by_version_and_wish, reset_head),
      cmocka_unit_test_teardown(what_is_no_request_has_the_status_that_says_why, reset_head),
      cmocka_unit_test_teardown(a_head_without_an_end_is_refused, reset_head),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
