/* json_scan.h: private to what reads and writes JSON: the scan's text, and where strings can be copied as they are. */
#ifndef LRE_CORE_JSON_SCAN_H
#define LRE_CORE_JSON_SCAN_H

#include <locale.h>
#include <string.h>

#include "core/json.h"

enum {
  LRE_JSON_MAX_DEPTH = 1000
}; /* CJSON_NESTING_LIMIT of the packaged libraries: it recurses that deep and no deeper */

/* This thread's locale becomes "C"; give the result to uselocale() afterwards. strtod and printf use its decimal point,
 * and a host program may have set one. */
locale_t lre_json_enter_c_locale(void);

static inline uint64_t lre_json_load_little_endian(const char *s) {
  uint64_t word;
  memcpy(&word, s, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The high bit of each byte that is '"', '\\', a control or not ASCII. The lowest bit set is exact; above it a
 * borrow may have set others (Mycroft's test for a byte below n). */
static inline uint64_t lre_json_special_bytes(uint64_t word) {
  const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
  uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
  return (word | (word - ones * 0x20) | (quote - ones) | (slash - ones)) & highs;
}

static inline size_t lre_json_skip_plain(const char *s, size_t i, size_t len) {
  for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
    uint64_t special = lre_json_special_bytes(lre_json_load_little_endian(s + i));
    if (special) return i + (size_t)__builtin_ctzll(special) / 8;
  }
  while (i < len && (unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x80 && s[i] != '"' && s[i] != '\\') i++;
  return i;
}

#endif
