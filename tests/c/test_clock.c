#include "core/clock.h"

#include "test.h"

static int forget_epoch(void **state) {
  (void)state;
  return unsetenv("SOURCE_DATE_EPOCH");
}

static void the_monotonic_clock_does_not_go_back(void **state) {
  (void)state;
  uint64_t last = lre_clock_mono_ns();
  assert_true(last > 0);
  for (int i = 0; i < 1000; i++) {
    uint64_t now = lre_clock_mono_ns();
    assert_true(now >= last);
    last = now;
  }
}

static void the_wall_clock_is_in_this_century(void **state) {
  (void)state;
  int64_t now = lre_clock_unix_us();
  assert_true(now > INT64_C(1700000000) * 1000000);
  assert_true(now < INT64_C(4102444800) * 1000000);
}

static void source_date_epoch_fixes_every_date(void **state) {
  (void)state;
  int64_t seconds = 0;
  setenv("SOURCE_DATE_EPOCH", "1735734600", 1);
  assert_true(lre_clock_epoch(&seconds, NULL));
  assert_int_equal(seconds, 1735734600);
  assert_int_equal(lre_clock_unix_us(), INT64_C(1735734600000000));
  setenv("SOURCE_DATE_EPOCH", "0", 1);
  assert_int_equal(lre_clock_unix_us(), 0);
}

static void what_is_no_epoch_is_said_and_ignored(void **state) {
  (void)state;
  static const char *const bad[] = {
      "", "-1", "+1", " 1", "1 ", "1.0", "1e9", "0x10", "now", "253402300800", "99999999999999999999999999"};
  struct lre_err err;
  int64_t seconds;
  assert_false(lre_clock_epoch(&seconds, &err));
  assert_string_equal(err.code, "unset");
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    setenv("SOURCE_DATE_EPOCH", bad[i], 1);
    assert_false(lre_clock_epoch(&seconds, &err));
    assert_string_equal(err.code, "invalid");
    assert_true(lre_clock_unix_us() > INT64_C(1700000000) * 1000000);
  }
}

static void assert_iso(int64_t unix_us, const char *seconds, const char *micros) {
  char out[LRE_CLOCK_ISO_BYTES];
  lre_clock_iso(unix_us, false, out);
  assert_string_equal(out, seconds);
  lre_clock_iso(unix_us, true, out);
  assert_string_equal(out, micros);
}

static void times_are_written_in_utc(void **state) {
  (void)state;
  setenv("TZ", "Asia/Tokyo", 1);
  assert_iso(INT64_C(1735734600123456), "2025-01-01T12:30:00Z", "2025-01-01T12:30:00.123456Z");
  assert_iso(0, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000000Z");
  assert_iso(-1, "1969-12-31T23:59:59Z", "1969-12-31T23:59:59.999999Z");
  assert_iso(INT64_C(951782400000000), "2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000000Z");
  assert_iso(INT64_C(4107542400000000), "2100-03-01T00:00:00Z", "2100-03-01T00:00:00.000000Z");
  assert_iso(INT64_C(253402300799999999), "9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z");
  unsetenv("TZ");
}

static void any_time_fits_its_buffer(void **state) {
  (void)state;
  assert_iso(INT64_MIN, "-290308-12-21T19:59:05Z", "-290308-12-21T19:59:05.224192Z");
  assert_iso(INT64_MAX, "294247-01-10T04:00:54Z", "294247-01-10T04:00:54.775807Z");
}

static bool parses_to(const char *date, int64_t want) {
  int64_t seconds = -1;
  return lre_clock_parse_http_date(date, strlen(date), &seconds) && seconds == want;
}

static void http_dates_are_read_in_all_three_forms(void **state) {
  (void)state;
  assert_true(parses_to("Sun, 06 Nov 1994 08:49:37 GMT", 784111777));
  assert_true(parses_to("Sunday, 06-Nov-94 08:49:37 GMT", 784111777));
  assert_true(parses_to("Sun Nov  6 08:49:37 1994", 784111777));
  assert_true(parses_to("Wed Nov 16 08:49:37 1994", 784975777));
  assert_true(parses_to("Tue, 29 Feb 2000 00:00:00 GMT", 951782400));
  assert_true(parses_to("Sat, 31 Dec 2016 23:59:60 GMT", 1483228800));
}

static void a_two_digit_year_is_never_more_than_fifty_years_ahead(void **state) {
  (void)state;
  setenv("SOURCE_DATE_EPOCH", "1735734600", 1); /* 2025 */
  assert_true(parses_to("Tuesday, 01-Jan-75 00:00:00 GMT", INT64_C(3313526400)));
  assert_true(parses_to("Thursday, 01-Jan-76 00:00:00 GMT", INT64_C(189302400)));
  assert_true(parses_to("Wednesday, 01-Jan-25 00:00:00 GMT", INT64_C(1735689600)));
}

static void what_is_no_http_date_is_refused(void **state) {
  (void)state;
  static const char *const bad[] = {"",
                                    "120",
                                    "Sun, 06 Nov 1994 08:49:37",
                                    "Sun, 06 Nov 1994 08:49:37 GMT ",
                                    "Sun, 06 Nov 1994 08:49:37 UTC",
                                    "Sun, 6 Nov 1994 08:49:37 GMT",
                                    "Sun, 06 nov 1994 08:49:37 GMT",
                                    "Son, 06 Nov 1994 08:49:37 GMT",
                                    "Sun, 31 Jun 1994 08:49:37 GMT",
                                    "Sun, 29 Feb 1900 08:49:37 GMT",
                                    "Sun, 00 Nov 1994 08:49:37 GMT",
                                    "Sun, 06 Nov 1994 24:00:00 GMT",
                                    "Sun, 06 Nov 1994 08:60:37 GMT",
                                    "Sun, 06 Nov 1994 08:49:61 GMT",
                                    "Sun, 06 Nov -994 08:49:37 GMT",
                                    "Sunday, 06-Nov-1994 08:49:37 GMT",
                                    "Sun Nov 6 08:49:37 1994",
                                    "1994-11-06T08:49:37Z"};
  int64_t seconds;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (lre_clock_parse_http_date(bad[i], strlen(bad[i]), &seconds)) fail_msg("accepted: %s", bad[i]);
  }
}

static void a_date_ends_where_its_length_says(void **state) {
  (void)state;
  const char *date = "Sun, 06 Nov 1994 08:49:37 GMT";
  int64_t seconds;
  for (size_t len = 0; len < strlen(date); len++) assert_false(lre_clock_parse_http_date(date, len, &seconds));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_monotonic_clock_does_not_go_back),
      cmocka_unit_test_setup(the_wall_clock_is_in_this_century, forget_epoch),
      cmocka_unit_test_setup_teardown(source_date_epoch_fixes_every_date, forget_epoch, forget_epoch),
      cmocka_unit_test_setup_teardown(what_is_no_epoch_is_said_and_ignored, forget_epoch, forget_epoch),
      cmocka_unit_test(times_are_written_in_utc),
      cmocka_unit_test(any_time_fits_its_buffer),
      cmocka_unit_test(http_dates_are_read_in_all_three_forms),
      cmocka_unit_test_setup_teardown(a_two_digit_year_is_never_more_than_fifty_years_ahead, forget_epoch,
                                      forget_epoch),
      cmocka_unit_test(what_is_no_http_date_is_refused),
      cmocka_unit_test(a_date_ends_where_its_length_says),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
