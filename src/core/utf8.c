#include "core/utf8.h"

#include <stdint.h>
#include <string.h>

/* What may follow a lead byte: the length of the sequence, and the range of the second byte, which is where
 * overlong forms, surrogates and values over U+10FFFF are kept out (Unicode 15, table 3-7). */
struct lead {
  unsigned char length, low, high;
};

static struct lead classify(unsigned char c) {
  if (c < 0x80) return (struct lead){1, 0, 0};
  if (c < 0xC2) return (struct lead){0, 0, 0};
  if (c < 0xE0) return (struct lead){2, 0x80, 0xBF};
  if (c < 0xF0) return (struct lead){3, c == 0xE0 ? 0xA0 : 0x80, c == 0xED ? 0x9F : 0xBF};
  if (c < 0xF5) return (struct lead){4, c == 0xF0 ? 0x90 : 0x80, c == 0xF4 ? 0x8F : 0xBF};
  return (struct lead){0, 0, 0};
}

/* The bytes of the sequence at s, and whether it is whole; of a bad one the maximal part that could have begun
 * a good one (at least one byte). */
static bool sequence(const unsigned char *s, size_t len, size_t *bytes) {
  struct lead lead = classify(s[0]);
  size_t n = 1;
  if (lead.length > 1 && n < len && s[n] >= lead.low && s[n] <= lead.high) {
    for (n = 2; n < lead.length && n < len && (s[n] & 0xC0) == 0x80; n++) continue;
  }
  *bytes = n;
  return n == lead.length;
}

/* ASCII is most of all text: eight bytes at a time. */
static size_t skip_ascii(const unsigned char *s, size_t i, size_t len) {
  for (uint64_t word; len - i >= sizeof word; i += sizeof word) {
    memcpy(&word, s + i, sizeof word);
    if (word & UINT64_C(0x8080808080808080)) break;
  }
  while (i < len && s[i] < 0x80) i++;
  return i;
}

bool lre_utf8_valid(const char *s, size_t len, size_t *bad) {
  const unsigned char *u = (const unsigned char *)s;
  size_t n = 0;
  for (size_t i = skip_ascii(u, 0, len); i < len; i = skip_ascii(u, i + n, len)) {
    if (sequence(u + i, len - i, &n)) continue;
    if (bad) *bad = i;
    return false;
  }
  return true;
}

size_t lre_utf8_repair(const char *s, size_t len, struct lre_buf *out) {
  size_t replaced = 0, bad = 0, n = 0;
  while (!lre_utf8_valid(s, len, &bad)) {
    sequence((const unsigned char *)s + bad, len - bad, &n);
    lre_buf_put(out, s, bad);
    lre_buf_put(out, "\xEF\xBF\xBD", 3);
    replaced++;
    s += bad + n;
    len -= bad + n;
  }
  lre_buf_put(out, s, len);
  return replaced;
}
