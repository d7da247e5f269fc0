/* json_write.c: canonical tokens. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/json_scan.h"
#include "core/utf8.h"

static void put_escape(struct lre_buf *b, unsigned char c) {
  static const char names[] = "\"\\bfnrt", values[] = "\"\\\b\f\n\r\t";
  const char *named = strchr(values, c);
  if (c && named) {
    lre_buf_putc(b, '\\');
    lre_buf_putc(b, names[named - values]);
  } else {
    lre_buf_printf(b, "\\u%04x", c);
  }
}

static bool put_plain(struct lre_buf *b, const char *s, size_t len) {
  if (len > PTRDIFF_MAX / 2 || !lre_buf_reserve(b, len + 2)) return false;
  char *to = b->data + b->len;
  *to = '"';
  if (len) memcpy(to + 1, s, len);
  memcpy(to + 1 + len, "\"", 2);
  b->len += len + 2;
  return true;
}

bool lre_json_put_string(struct lre_buf *b, const char *s, size_t len, struct lre_err *err) {
  size_t bad;
  if (lre_json_skip_plain(s, 0, len) == len) return put_plain(b, s, len) || lre_err_memory(err);
  if (!lre_utf8_valid(s, len, &bad)) {
    return lre_err_set(err, "json", "utf8", "a string to be written holds invalid UTF-8 at byte %zu", bad);
  }
  lre_buf_putc(b, '"');
  for (size_t i = 0, start = 0; start < len; start = i) {
    for (i = lre_json_skip_plain(s, start, len); i < len && (unsigned char)s[i] >= 0x80;
         i = lre_json_skip_plain(s, i, len)) {
      while (i < len && (unsigned char)s[i] >= 0x80) i++;
    }
    lre_buf_put(b, s + start, i - start);
    if (i < len) put_escape(b, (unsigned char)s[i++]);
  }
  return lre_buf_putc(b, '"') || lre_err_memory(err);
}

bool lre_json_put_int(struct lre_buf *b, int64_t v) {
  char digits[20], *first = digits + sizeof digits;
  uint64_t rest = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
  do *--first = (char)('0' + rest % 10);
  while (rest /= 10);
  if (v < 0) *--first = '-';
  return lre_buf_put(b, first, (size_t)(digits + sizeof digits - first));
}

bool lre_json_put_double(struct lre_buf *b, double v, struct lre_err *err) {
  char text[LRE_JSON_NUMBER_BYTES];
  if (!isfinite(v)) {
    return lre_err_set(err, "json", "not_finite", "JSON has no %s", isnan(v) ? "NaN" : "infinity");
  }
  return lre_buf_put(b, text, lre_json_format_double(v, text)) || lre_err_memory(err);
}

/* The next larger number of as many digits; 9.99 is left alone. */
static void bump_last_digit(char *scientific) {
  char *last = strchr(scientific, 'e') - 1;
  while (*last == '9' && last > scientific + 1) *last-- = '0';
  if (*last >= '0' && *last < '9') ++*last;
}

static bool reads_back(char *scientific, double v) {
  if (strtod(scientific, NULL) == v) return true;
  /* Doubles just below a power of two lie twice as close as those above it, so the nearest decimal may miss it where
   * the next one above hits (2^-44 has 16 digits, not 17). */
  int exponent;
  if (frexp(v, &exponent) != 0.5) return false;
  bump_last_digit(scientific);
  return strtod(scientific, NULL) == v;
}

/* Fewest significant digits, as "d.ddde+xx", that read back as v. A normal double has 15 to 17 of them once
 * trailing zeros are left out (DBL_DIG is 15); below DBL_MIN precision is lost, so all lengths are tried. */
static void shortest_scientific(double v, char out[LRE_JSON_NUMBER_BYTES]) {
  int precision = v < 2.2250738585072014e-308 ? 0 : 14;
  locale_t old = lre_json_enter_c_locale();
  do {
    snprintf(out, LRE_JSON_NUMBER_BYTES, "%.*e", precision, v);
  } while (precision++ < 16 && !reads_back(out, v));
  uselocale(old);
}

/* Digits without point and trailing zeros, and the power of ten of the first. */
static size_t split_scientific(const char *text, char digits[LRE_JSON_NUMBER_BYTES], int *exponent) {
  size_t n = 0;
  for (; *text != 'e'; text++) {
    if (*text >= '0' && *text <= '9') digits[n++] = *text;
  }
  while (n > 1 && digits[n - 1] == '0') n--;
  *exponent = atoi(text + 1);
  return n;
}

struct writer {
  char *out;
  size_t len;
};

static void write_bytes(struct writer *w, const char *s, size_t n) {
  memcpy(w->out + w->len, s, n);
  w->len += n;
}

static void write_zeros(struct writer *w, int n) {
  while (n-- > 0) w->out[w->len++] = '0';
}

static void write_exponent_form(struct writer *w, const char *digits, size_t n, int exponent) {
  write_bytes(w, digits, 1);
  if (n > 1) write_bytes(w, ".", 1);
  write_bytes(w, digits + 1, n - 1);
  w->len += (size_t)snprintf(w->out + w->len, 8, "e%+03d", exponent);
}

static void write_plain_form(struct writer *w, const char *digits, size_t n, int exponent) {
  if (exponent < 0) {
    write_bytes(w, "0.", 2);
    write_zeros(w, -exponent - 1);
    write_bytes(w, digits, n);
    return;
  }
  size_t whole = (size_t)exponent + 1, given = n < whole ? n : whole;
  write_bytes(w, digits, given);
  write_zeros(w, (int)(whole - given));
  write_bytes(w, ".", 1);
  write_bytes(w, n > whole ? digits + whole : "0", n > whole ? n - whole : 1);
}

/* Times and rates mostly are whole millionths. m / 10^6 is rounded as strtod rounds its decimals, and of two decimals
 * of at most 15 digits no more than one reads back as v: so this is the shortest, at a tenth of the general way's cost.
 */
static bool write_millionths(struct writer *w, double v) {
  if (!(v >= 1e-4 && v < 1e9)) return false;
  uint64_t m = (uint64_t)(v * 1e6 + 0.5);
  if ((double)m / 1e6 != v) return false;
  char decimals[6];
  int n = 6;
  for (uint64_t rest = m % 1000000; n > 0; rest /= 10) decimals[--n] = (char)('0' + rest % 10);
  for (n = 6; n > 1 && decimals[n - 1] == '0';) n--;
  char whole[20], *first = whole + sizeof whole;
  uint64_t rest = m / 1000000;
  do *--first = (char)('0' + rest % 10);
  while (rest /= 10);
  write_bytes(w, first, (size_t)(whole + sizeof whole - first));
  write_bytes(w, ".", 1);
  write_bytes(w, decimals, (size_t)n);
  return true;
}

/* Python's repr: plain from 1e-04 up to below 1e+16, and always a '.' or an exponent. */
size_t lre_json_format_double(double v, char out[LRE_JSON_NUMBER_BYTES]) {
  char scientific[LRE_JSON_NUMBER_BYTES], digits[LRE_JSON_NUMBER_BYTES];
  if (!isfinite(v))
    return (size_t)snprintf(out, LRE_JSON_NUMBER_BYTES, "%s", isnan(v) ? "nan" : v < 0 ? "-inf" : "inf");
  struct writer w = {out, 0};
  int exponent;
  if (signbit(v)) write_bytes(&w, "-", 1);
  if (write_millionths(&w, fabs(v))) return out[w.len] = '\0', w.len;
  shortest_scientific(fabs(v), scientific);
  size_t n = split_scientific(scientific, digits, &exponent);
  if (exponent < -4 || exponent >= 16) {
    write_exponent_form(&w, digits, n, exponent);
  } else {
    write_plain_form(&w, digits, n, exponent);
  }
  out[w.len] = '\0';
  return w.len;
}

double lre_json_round12(double v) {
  char text[LRE_JSON_NUMBER_BYTES];
  if (!isfinite(v)) return v;
  locale_t old = lre_json_enter_c_locale();
  snprintf(text, sizeof text, "%.11e", v);
  v = strtod(text, NULL);
  uselocale(old);
  return v;
}
