#include "core/clock.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

uint64_t lre_clock_mono_ns(void) {
  struct timespec ts;
  clock_gettime(CLOCK_MONOTONIC, &ts);
  return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

int64_t lre_clock_unix_us(void) {
  int64_t seconds;
  if (lre_clock_epoch(&seconds, NULL)) return seconds * 1000000;
  struct timespec ts;
  clock_gettime(CLOCK_REALTIME, &ts);
  return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

/* 9999-12-31T23:59:59Z: later dates have no four-digit year. */
static const int64_t LAST_SECOND = INT64_C(253402300799);

/* `len` decimal digits and nothing else; -1 where they are not, or where they pass LAST_SECOND. */
static int64_t digits(const char *s, size_t len) {
  int64_t v = 0;
  for (size_t i = 0; i < len; i++) {
    if (s[i] < '0' || s[i] > '9') return -1;
    v = v * 10 + (s[i] - '0');
    if (v > LAST_SECOND) return -1;
  }
  return len ? v : -1;
}

bool lre_clock_epoch(int64_t *seconds, struct lre_err *err) {
  const char *text = getenv("SOURCE_DATE_EPOCH");
  if (!text) return lre_err_set(err, "argument", "unset", "SOURCE_DATE_EPOCH is not set");
  int64_t v = digits(text, strlen(text));
  if (v < 0) {
    return lre_err_set(err, "argument", "invalid",
                       "SOURCE_DATE_EPOCH is \"%.40s\": expected whole seconds since 1970, 0 to %" PRId64, text,
                       LAST_SECOND);
  }
  *seconds = v;
  return true;
}

/* The civil calendar by H. Hinnant, "chrono-Compatible Low-Level Date Algorithms": years begin in March, so that
 * the leap day is the last, and eras of 400 years have 146097 days. Own code since gmtime takes a lock and
 * timegm is not in POSIX. */
struct date {
  int64_t year;
  int month, day; /* 1-based */
};

static int64_t floor_div(int64_t a, int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

static int64_t days_from_date(struct date d) {
  int64_t year = d.year - (d.month <= 2 ? 1 : 0);
  int64_t era = floor_div(year, 400), year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static struct date date_from_days(int64_t days) {
  days += 719468;
  int64_t era = floor_div(days, 146097), day = days - era * 146097;
  int64_t year_of_era = (day - day / 1460 + day / 36524 - day / 146096) / 365;
  int day_of_year = (int)(day - (365 * year_of_era + year_of_era / 4 - year_of_era / 100));
  int month = (5 * day_of_year + 2) / 153;
  struct date d = {.day = day_of_year - (153 * month + 2) / 5 + 1, .month = month < 10 ? month + 3 : month - 9};
  d.year = year_of_era + era * 400 + (d.month <= 2 ? 1 : 0);
  return d;
}

/* `width` decimal digits of v, from the left. Own code: a row has two times, and snprintf took as long as encoding it.
 */
static char *put_digits(char *out, int v, int width) {
  for (int i = width; i-- > 0; v /= 10) out[i] = (char)('0' + v % 10);
  return out + width;
}

static char *put_pair(char *out, char before, int v) {
  *out = before;
  return put_digits(out + 1, v, 2);
}

void lre_clock_iso(int64_t unix_us, bool micros, char out[LRE_CLOCK_ISO_BYTES]) {
  int64_t seconds = floor_div(unix_us, 1000000), days = floor_div(seconds, 86400);
  int us = (int)(unix_us % 1000000 + (unix_us % 1000000 < 0 ? 1000000 : 0)), of_day = (int)(seconds - days * 86400);
  struct date d = date_from_days(days);
  char *p = out;
  if (d.year >= 0 && d.year <= 9999)
    p = put_digits(p, (int)d.year, 4);
  else
    p += snprintf(p, LRE_CLOCK_ISO_BYTES, "%04" PRId64, d.year); /* even the year -290308 leaves room for the rest */
  p = put_pair(p, '-', d.month);
  p = put_pair(p, '-', d.day);
  p = put_pair(p, 'T', of_day / 3600);
  p = put_pair(p, ':', of_day / 60 % 60);
  p = put_pair(p, ':', of_day % 60);
  if (micros) {
    *p = '.';
    p = put_digits(p + 1, us, 6);
  }
  memcpy(p, "Z", 2);
}

/* A text that is eaten from its front. */
struct cursor {
  const char *s;
  size_t len;
};

static bool eat(struct cursor *c, const char *literal) {
  size_t n = strlen(literal);
  if (c->len < n || memcmp(c->s, literal, n) != 0) return false;
  c->s += n;
  c->len -= n;
  return true;
}

static bool eat_number(struct cursor *c, size_t width, int64_t *v) {
  if (c->len < width || (*v = digits(c->s, width)) < 0) return false;
  c->s += width;
  c->len -= width;
  return true;
}

/* asctime's day of the month, padded with a space. */
static bool eat_padded_day(struct cursor *c, int64_t *v) {
  return eat(c, " ") ? eat_number(c, 1, v) : eat_number(c, 2, v);
}

static bool eat_month(struct cursor *c, int *month) {
  static const char names[12][4] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  for (*month = 1; *month <= 12; ++*month) {
    if (eat(c, names[*month - 1])) return true;
  }
  return false;
}

/* The name of a day, cut to three letters or whole. Which day it is follows from the date, so it is not used. */
static bool eat_weekday(struct cursor *c, bool whole) {
  static const char *const names[7] = {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"};
  for (int i = 0; i < 7; i++) {
    char name[16];
    snprintf(name, sizeof name, "%.*s", whole ? 15 : 3, names[i]);
    if (eat(c, name)) return true;
  }
  return false;
}

static bool eat_time(struct cursor *c, int64_t *of_day) {
  int64_t h, m, s;
  if (!eat_number(c, 2, &h) || !eat(c, ":") || !eat_number(c, 2, &m) || !eat(c, ":") || !eat_number(c, 2, &s)) {
    return false;
  }
  *of_day = h * 3600 + m * 60 + s;
  return h < 24 && m < 60 && s <= 60; /* 60: a leap second */
}

struct http_date {
  int64_t year, day, of_day;
  int month;
};

/* Sun, 06 Nov 1994 08:49:37 GMT */
static bool parse_fixed(struct cursor c, struct http_date *d) {
  return eat_weekday(&c, false) && eat(&c, ", ") && eat_number(&c, 2, &d->day) && eat(&c, " ") &&
         eat_month(&c, &d->month) && eat(&c, " ") && eat_number(&c, 4, &d->year) && eat(&c, " ") &&
         eat_time(&c, &d->of_day) && eat(&c, " GMT") && c.len == 0;
}

/* RFC 9110, 5.6.7: a two-digit year more than 50 years ahead is in the past. */
static int64_t full_year(int64_t two_digits) {
  int64_t now = date_from_days(floor_div(lre_clock_unix_us(), INT64_C(86400000000))).year;
  int64_t year = now - now % 100 + 100 + two_digits;
  while (year > now + 50) year -= 100;
  return year;
}

/* Sunday, 06-Nov-94 08:49:37 GMT */
static bool parse_rfc850(struct cursor c, struct http_date *d) {
  bool ok = eat_weekday(&c, true) && eat(&c, ", ") && eat_number(&c, 2, &d->day) && eat(&c, "-") &&
            eat_month(&c, &d->month) && eat(&c, "-") && eat_number(&c, 2, &d->year) && eat(&c, " ") &&
            eat_time(&c, &d->of_day) && eat(&c, " GMT") && c.len == 0;
  if (ok) d->year = full_year(d->year);
  return ok;
}

/* Sun Nov  6 08:49:37 1994 */
static bool parse_asctime(struct cursor c, struct http_date *d) {
  return eat_weekday(&c, false) && eat(&c, " ") && eat_month(&c, &d->month) && eat(&c, " ") &&
         eat_padded_day(&c, &d->day) && eat(&c, " ") && eat_time(&c, &d->of_day) && eat(&c, " ") &&
         eat_number(&c, 4, &d->year) && c.len == 0;
}

bool lre_clock_parse_http_date(const char *s, size_t len, int64_t *seconds) {
  struct cursor c = {s, len};
  struct http_date d;
  if (!parse_fixed(c, &d) && !parse_rfc850(c, &d) && !parse_asctime(c, &d)) return false;
  struct date date = {d.year, d.month, (int)d.day};
  int64_t days = days_from_date(date);
  struct date back = date_from_days(days);
  if (back.month != date.month || back.day != date.day) return false; /* 31 June */
  *seconds = days * 86400 + d.of_day;
  return true;
}
