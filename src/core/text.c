/* text.c: see text.h. */
#include "core/text.h"

#include <stdint.h>
#include <string.h>

/* Decodes one character of valid UTF-8; returns its length, or 0 where the bytes at s are not one (RFC 3629). */
static size_t decode(const char *s, size_t len, uint32_t *code) {
  const unsigned char *u = (const unsigned char *)s;
  static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
  size_t n = u[0] < 0x80 ? 1 : u[0] < 0xc2 ? 0 : u[0] < 0xe0 ? 2 : u[0] < 0xf0 ? 3 : u[0] < 0xf5 ? 4 : 0;
  if (n == 0 || n > len) return 0;
  uint32_t c = n == 1 ? u[0] : u[0] & (0x7fU >> n);
  for (size_t i = 1; i < n; i++) {
    if ((u[i] & 0xc0) != 0x80) return 0;
    c = c << 6 | (u[i] & 0x3fU);
  }
  if (n > 1 && (c < least[n] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))) return 0;
  *code = c;
  return n;
}

/* Directional formatting (UAX #9) and line, paragraph separators: they can show a text in another order than it is. */
static bool changes_order(uint32_t c) {
  return c == 0x61c || c == 0x200e || c == 0x200f || (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069);
}

static bool is_control(uint32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0);
}

void lre_text_terminal(const char *s, size_t len, bool multiline, struct lre_buf *out) {
  size_t plain = 0; /* where the run of harmless bytes began */
  for (size_t i = 0; i < len;) {
    uint32_t c = (unsigned char)s[i];
    size_t n = decode(s + i, len - i, &c);
    bool stays = multiline && (c == '\n' || c == '\t');
    if (n > 0 && (stays || (!is_control(c) && !changes_order(c)))) {
      i += n;
      continue;
    }
    lre_buf_put(out, s + plain, i - plain);
    if (n == 0 || c < 0x80)
      lre_buf_printf(out, "\\x%02x", (unsigned)(unsigned char)s[i]);
    else
      lre_buf_printf(out, "\\u{%x}", (unsigned)c);
    i += n ? n : 1;
    plain = i;
  }
  lre_buf_put(out, s + plain, len - plain);
}

void lre_text_html(const char *s, size_t len, struct lre_buf *out) {
  for (size_t i = 0; i < len; i++) {
    switch (s[i]) {
    case '&':
      lre_buf_puts(out, "&amp;");
      break;
    case '<':
      lre_buf_puts(out, "&lt;");
      break;
    case '>':
      lre_buf_puts(out, "&gt;");
      break;
    case '"':
      lre_buf_puts(out, "&quot;");
      break;
    case '\'':
      lre_buf_puts(out, "&#39;");
      break;
    default:
      lre_buf_putc(out, s[i]);
    }
  }
}

static size_t least(size_t a, size_t b) {
  return a < b ? a : b;
}

size_t lre_text_distance(const char *a, size_t a_len, const char *b, size_t b_len) {
  a_len = least(a_len, LRE_TEXT_DISTANCE_BYTES);
  b_len = least(b_len, LRE_TEXT_DISTANCE_BYTES);
  size_t rows[3][LRE_TEXT_DISTANCE_BYTES + 1]; /* of the table of prefixes: this row and the two before it */
  for (size_t j = 0; j <= b_len; j++) rows[0][j] = j;
  for (size_t i = 1; i <= a_len; i++) {
    size_t *row = rows[i % 3];
    const size_t *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
    row[0] = i;
    for (size_t j = 1; j <= b_len; j++) {
      size_t change = up[j - 1] + (a[i - 1] != b[j - 1]);
      row[j] = least(change, least(up[j], row[j - 1]) + 1);
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = least(row[j], up2[j - 2] + 1);
    }
  }
  return rows[a_len % 3][b_len];
}

struct range {
  uint32_t first, last;
};

/* Unicode 15.1, general categories Mn, Me, Cf, by block where a block is nearly all marks. */
static const struct range zero_width[] = {
    {0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},   {0x5bf, 0x5bf},     {0x5c1, 0x5c2},     {0x5c4, 0x5c5},
    {0x5c7, 0x5c7},   {0x610, 0x61a},   {0x61c, 0x61c},   {0x64b, 0x65f},     {0x670, 0x670},     {0x6d6, 0x6dc},
    {0x6df, 0x6e4},   {0x6e7, 0x6e8},   {0x6ea, 0x6ed},   {0x711, 0x711},     {0x730, 0x74a},     {0x7a6, 0x7b0},
    {0x7eb, 0x7f3},   {0x816, 0x819},   {0x81b, 0x823},   {0x825, 0x827},     {0x829, 0x82d},     {0x859, 0x85b},
    {0x8d3, 0x8e1},   {0x8e3, 0x902},   {0x93a, 0x93a},   {0x93c, 0x93c},     {0x941, 0x948},     {0x94d, 0x94d},
    {0x951, 0x957},   {0x962, 0x963},   {0x981, 0x981},   {0x9bc, 0x9bc},     {0x9c1, 0x9c4},     {0x9cd, 0x9cd},
    {0xe31, 0xe31},   {0xe34, 0xe3a},   {0xe47, 0xe4e},   {0xeb1, 0xeb1},     {0xeb4, 0xebc},     {0xec8, 0xecd},
    {0xf18, 0xf19},   {0xf71, 0xf7e},   {0xf80, 0xf84},   {0x1ab0, 0x1aff},   {0x1dc0, 0x1dff},   {0x200b, 0x200f},
    {0x202a, 0x202e}, {0x2060, 0x2064}, {0x2066, 0x206f}, {0x20d0, 0x20f0},   {0x302a, 0x302d},   {0x3099, 0x309a},
    {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}, {0x1d167, 0x1d169}, {0xe0001, 0xe007f}, {0xe0100, 0xe01ef},
};

/* Unicode 15.1 EastAsianWidth.txt, W and F. */
static const struct range wide[] = {
    {0x1100, 0x115f},   {0x231a, 0x231b},   {0x2329, 0x232a},   {0x23e9, 0x23ec},   {0x23f0, 0x23f0},
    {0x23f3, 0x23f3},   {0x25fd, 0x25fe},   {0x2614, 0x2615},   {0x2648, 0x2653},   {0x267f, 0x267f},
    {0x2693, 0x2693},   {0x26a1, 0x26a1},   {0x26aa, 0x26ab},   {0x26bd, 0x26be},   {0x26c4, 0x26c5},
    {0x26ce, 0x26ce},   {0x26d4, 0x26d4},   {0x26ea, 0x26ea},   {0x26f2, 0x26f3},   {0x26f5, 0x26f5},
    {0x26fa, 0x26fa},   {0x26fd, 0x26fd},   {0x2705, 0x2705},   {0x270a, 0x270b},   {0x2728, 0x2728},
    {0x274c, 0x274c},   {0x274e, 0x274e},   {0x2753, 0x2755},   {0x2757, 0x2757},   {0x2795, 0x2797},
    {0x27b0, 0x27b0},   {0x27bf, 0x27bf},   {0x2b1b, 0x2b1c},   {0x2b50, 0x2b50},   {0x2b55, 0x2b55},
    {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},   {0x4e00, 0xa4cf},   {0xa960, 0xa97f},
    {0xac00, 0xd7a3},   {0xf900, 0xfaff},   {0xfe10, 0xfe19},   {0xfe30, 0xfe6f},   {0xff01, 0xff60},
    {0xffe0, 0xffe6},   {0x16fe0, 0x18cff}, {0x18d00, 0x18d08}, {0x1aff0, 0x1b2fb}, {0x1f004, 0x1f004},
    {0x1f0cf, 0x1f0cf}, {0x1f18e, 0x1f18e}, {0x1f191, 0x1f19a}, {0x1f200, 0x1f320}, {0x1f32d, 0x1f335},
    {0x1f337, 0x1f37c}, {0x1f37e, 0x1f393}, {0x1f3a0, 0x1f3ca}, {0x1f3cf, 0x1f3d3}, {0x1f3e0, 0x1f3f0},
    {0x1f3f4, 0x1f3f4}, {0x1f3f8, 0x1f43e}, {0x1f440, 0x1f440}, {0x1f442, 0x1f4fc}, {0x1f4ff, 0x1f53d},
    {0x1f54b, 0x1f54e}, {0x1f550, 0x1f567}, {0x1f57a, 0x1f57a}, {0x1f595, 0x1f596}, {0x1f5a4, 0x1f5a4},
    {0x1f5fb, 0x1f64f}, {0x1f680, 0x1f6c5}, {0x1f6cc, 0x1f6cc}, {0x1f6d0, 0x1f6d2}, {0x1f6d5, 0x1f6d7},
    {0x1f6dc, 0x1f6df}, {0x1f6eb, 0x1f6ec}, {0x1f6f4, 0x1f6fc}, {0x1f7e0, 0x1f7eb}, {0x1f7f0, 0x1f7f0},
    {0x1f90c, 0x1f93a}, {0x1f93c, 0x1f945}, {0x1f947, 0x1f9ff}, {0x1fa70, 0x1faff}, {0x20000, 0x2fffd},
    {0x30000, 0x3fffd},
};

static bool is_in(const struct range *ranges, size_t n, uint32_t c) {
  size_t low = 0, high = n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (c > ranges[middle].last)
      low = middle + 1;
    else
      high = middle;
  }
  return low < n && c >= ranges[low].first;
}

size_t lre_text_columns(const char *s, size_t len) {
  size_t columns = 0;
  for (size_t i = 0; i < len;) {
    uint32_t c = 0;
    size_t n = decode(s + i, len - i, &c);
    if (c < 0x300 || n == 0)
      columns++;
    else if (!is_in(zero_width, sizeof zero_width / sizeof *zero_width, c))
      columns += is_in(wide, sizeof wide / sizeof *wide, c) ? 2 : 1;
    i += n ? n : 1;
  }
  return columns;
}

static bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

const char *lre_text_trim(const char *s, size_t len, size_t *out_len) {
  while (len > 0 && is_space(*s)) {
    s++;
    len--;
  }
  while (len > 0 && is_space(s[len - 1])) len--;
  *out_len = len;
  return s;
}
