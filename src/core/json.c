#include "core/json.h"

#include <cjson/cJSON.h>
#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"

enum {
  DEFAULT_DEPTH = 64,
  MAX_DEPTH = 1000,      /* CJSON_NESTING_LIMIT of the packaged libraries: it recurses that deep and no deeper */
  MAX_NUMBER_BYTES = 63, /* cJSON 1.7.15 copies a number into 64 bytes and breaks a longer one in two */
  FEW_KEYS = 16,         /* objects up to here compare their keys pair by pair */
  EXACT_INTEGER_DIGITS = 16
};
static const char EXACT_INTEGER[] = "9007199254740992"; /* 2^53: from here on doubles skip integers */

/* ---- the locale: strtod and printf use its decimal point, and a host program may have set one ---- */

static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_c_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

/* This thread's locale becomes "C"; give the result to uselocale() afterwards. */
static locale_t enter_c_locale(void) {
  pthread_once(&c_locale_once, make_c_locale);
  return uselocale(c_locale);
}

/* ---- the scan ---- */

struct key {
  const char *s; /* between the quotes, as written */
  size_t len;
  bool escaped;
};

struct frame {
  size_t keys_at; /* number of keys when the object opened: its own follow */
  bool is_object;
  bool fresh; /* nothing read in it yet */
};

struct scan {
  const char *text;
  size_t len, pos;
  size_t depth, max_depth;
  bool bigint_as_string;
  struct key *keys; /* of every open object, innermost last */
  size_t key_count, key_cap;
  size_t number_count;
  struct lre_buf is_float; /* one byte a number in document order, up to the last float */
  struct lre_buf *rewritten;
  size_t copied; /* bytes of text that `rewritten` stands for; 0: nothing is rewritten */
  struct lre_err *err;
  struct frame frames[MAX_DEPTH];
};

static bool fail_at(const struct scan *s, const char *code, size_t at, const char *what) {
  return lre_err_set(s->err, "json", code, "%s at byte %zu", what, at);
}

static bool unexpected(const struct scan *s, const char *expected) {
  if (s->pos == s->len) {
    return lre_err_set(s->err, "json", "syntax", "expected %s, found the end of the text at byte %zu", expected,
                       s->pos);
  }
  unsigned char c = (unsigned char)s->text[s->pos];
  size_t bad = 0;
  if (c >= 0x80 && !lre_utf8_valid(s->text + s->pos, s->len - s->pos < 4 ? s->len - s->pos : 4, &bad) && bad == 0) {
    return fail_at(s, "utf8", s->pos, "invalid UTF-8");
  }
  if (c > 0x20 && c < 0x7F) {
    return lre_err_set(s->err, "json", "syntax", "expected %s, found '%c' at byte %zu", expected, c, s->pos);
  }
  return lre_err_set(s->err, "json", c ? "syntax" : "nul", "expected %s, found 0x%02X at byte %zu", expected, c,
                     s->pos);
}

static bool at(const struct scan *s, char c) {
  return s->pos < s->len && s->text[s->pos] == c;
}

static bool at_digit(const struct scan *s) {
  return s->pos < s->len && s->text[s->pos] >= '0' && s->text[s->pos] <= '9';
}

static void skip_space(struct scan *s) {
  while (at(s, ' ') || at(s, '\n') || at(s, '\r') || at(s, '\t')) s->pos++;
}

/* ---- strings ---- */

static uint64_t load_little_endian(const char *s) {
  uint64_t word;
  memcpy(&word, s, sizeof word);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  return word;
}

/* The high bit of each byte that is '"', '\\', a control or not ASCII. The lowest bit set is exact; above it a
 * borrow may have set others (Mycroft's test for a byte below n). */
static uint64_t special_bytes(uint64_t word) {
  const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
  uint64_t quote = word ^ ones * '"', slash = word ^ ones * '\\';
  return (word | (word - ones * 0x20) | (quote - ones) | (slash - ones)) & highs;
}

static size_t skip_plain(const char *s, size_t i, size_t len) {
  for (; len - i >= sizeof(uint64_t); i += sizeof(uint64_t)) {
    uint64_t special = special_bytes(load_little_endian(s + i));
    if (special) return i + (size_t)__builtin_ctzll(special) / 8;
  }
  while (i < len && (unsigned char)s[i] >= 0x20 && (unsigned char)s[i] < 0x80 && s[i] != '"' && s[i] != '\\') i++;
  return i;
}

/* -1 where there are no four hex digits. */
static int32_t hex4(const char *s, size_t len) {
  int32_t v = 0;
  if (len < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = s[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    v = v * 16 + digit;
  }
  return v;
}

static bool is_high_surrogate(int32_t v) {
  return v >= 0xD800 && v < 0xDC00;
}

static bool is_low_surrogate(int32_t v) {
  return v >= 0xDC00 && v < 0xE000;
}

/* At the four digits of \uXXXX; reads the second half of a surrogate pair with the first. */
static bool scan_unicode_escape(struct scan *s, size_t escape_at) {
  int32_t v = hex4(s->text + s->pos, s->len - s->pos);
  if (v < 0) return fail_at(s, "syntax", escape_at, "\\u without four hex digits");
  if (v == 0) return fail_at(s, "nul", escape_at, "\\u0000 in a string");
  s->pos += 4;
  if (is_low_surrogate(v)) return fail_at(s, "syntax", escape_at, "lone surrogate");
  if (!is_high_surrogate(v)) return true;
  bool paired = s->len - s->pos >= 6 && s->text[s->pos] == '\\' && s->text[s->pos + 1] == 'u' &&
                is_low_surrogate(hex4(s->text + s->pos + 2, 4));
  if (!paired) return fail_at(s, "syntax", escape_at, "lone surrogate");
  s->pos += 6;
  return true;
}

static bool scan_escape(struct scan *s) {
  size_t escape_at = s->pos++;
  if (s->pos == s->len) return unexpected(s, "an escape");
  char c = s->text[s->pos++];
  if (c == 'u') return scan_unicode_escape(s, escape_at);
  return (c && strchr("\"\\/bfnrt", c)) || fail_at(s, "syntax", escape_at, "unknown escape");
}

static bool scan_non_ascii(struct scan *s) {
  size_t end = s->pos, bad = 0;
  while (end < s->len && (unsigned char)s->text[end] >= 0x80) end++;
  if (!lre_utf8_valid(s->text + s->pos, end - s->pos, &bad)) {
    return fail_at(s, "utf8", s->pos + bad, "invalid UTF-8");
  }
  s->pos = end;
  return true;
}

/* At the opening quote. The span between the quotes goes to *span. */
static bool scan_string(struct scan *s, struct key *span) {
  size_t opened = s->pos++;
  span->escaped = false;
  for (;;) {
    s->pos = skip_plain(s->text, s->pos, s->len);
    if (s->pos == s->len) return fail_at(s, "syntax", opened, "unterminated string that begins");
    unsigned char c = (unsigned char)s->text[s->pos];
    if (c == '"') break;
    if (c == 0) return fail_at(s, "nul", s->pos, "NUL byte in a string");
    if (c < 0x20) return fail_at(s, "syntax", s->pos, "raw control character in a string");
    if (c == '\\') span->escaped = true;
    if (c == '\\' ? !scan_escape(s) : !scan_non_ascii(s)) return false;
  }
  span->s = s->text + opened + 1;
  span->len = s->pos - opened - 1;
  s->pos++;
  return true;
}

/* ---- duplicate keys ---- */

/* The next code point of a checked string, escapes decoded; -1 at its end. */
static int32_t next_code_point(struct key *k) {
  if (k->len == 0) return -1;
  unsigned char c = (unsigned char)*k->s;
  size_t n = c < 0x80 ? 1 : c < 0xE0 ? 2 : c < 0xF0 ? 3 : 4;
  int32_t v = c < 0x80 ? c : c & (0x7F >> n);
  for (size_t i = 1; i < n; i++) v = v << 6 | (k->s[i] & 0x3F);
  if (c == '\\') {
    static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
    const char *named = strchr(names, k->s[1]);
    n = 2;
    v = named ? values[named - names] : k->s[1];
    if (k->s[1] == 'u') {
      n = 6;
      v = hex4(k->s + 2, 4);
    }
    if (is_high_surrogate(v)) {
      n = 12;
      v = 0x10000 + ((v - 0xD800) << 10) + (hex4(k->s + 8, 4) - 0xDC00);
    }
  }
  k->s += n;
  k->len -= n;
  return v;
}

/* The order of code points, which in UTF-8 is the order of bytes. */
static int compare_keys(const struct key *a, const struct key *b) {
  if (!a->escaped && !b->escaped) {
    int order = memcmp(a->s, b->s, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
  }
  struct key x = *a, y = *b;
  int32_t u, v;
  do {
    u = next_code_point(&x);
    v = next_code_point(&y);
  } while (u == v && u >= 0);
  return (u > v) - (u < v);
}

static bool same_key(const struct key *a, const struct key *b) {
  if (a->escaped || b->escaped) return compare_keys(a, b) == 0;
  return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

/* Equal keys in the order of the text. */
static int by_key_and_place(const void *a, const void *b) {
  const struct key *x = a, *y = b;
  int order = compare_keys(x, y);
  return order ? order : (x->s > y->s) - (x->s < y->s);
}

static const struct key *earlier(const struct key *a, const struct key *b) {
  return !a || b->s < a->s ? b : a;
}

/* The first key of the object that was there before, or NULL. Sorting many keys bounds the work whatever they are. */
static const struct key *find_repeated(struct key *keys, size_t n) {
  const struct key *found = NULL;
  if (n <= FEW_KEYS) {
    for (size_t i = 1; i < n; i++) {
      for (size_t j = 0; j < i; j++) {
        if (same_key(&keys[i], &keys[j])) return &keys[i];
      }
    }
    return NULL;
  }
  qsort(keys, n, sizeof *keys, by_key_and_place);
  for (size_t i = 1; i < n; i++) {
    if (same_key(&keys[i - 1], &keys[i])) found = earlier(found, &keys[i]);
  }
  return found;
}

static bool push_key(struct scan *s, const struct key *key) {
  if (s->key_count == s->key_cap) {
    size_t cap = s->key_cap ? s->key_cap * 2 : 32; /* a key has at least 4 bytes of text, so this cannot wrap */
    struct key *keys = realloc(s->keys, cap * sizeof *keys);
    if (!keys) return lre_err_memory(s->err);
    s->keys = keys;
    s->key_cap = cap;
  }
  s->keys[s->key_count++] = *key;
  return true;
}

static bool check_keys(struct scan *s, size_t keys_at) {
  size_t n = s->key_count - keys_at;
  const struct key *again = n > 1 ? find_repeated(s->keys + keys_at, n) : NULL;
  s->key_count = keys_at;
  if (!again) return true;
  size_t shown = again->len < 60 ? again->len : 60;
  while (shown < again->len && ((unsigned char)again->s[shown] & 0xC0) == 0x80) shown--;
  return lre_err_set(s->err, "json", "duplicate_key", "duplicate key \"%.*s%s\" at byte %zu", (int)shown, again->s,
                     shown < again->len ? "..." : "", (size_t)(again->s - s->text) - 1);
}

/* ---- numbers ---- */

/* Replaces [from, s->pos) in the text that cJSON will see. */
static bool rewrite(struct scan *s, size_t from, const char *token, size_t len) {
  lre_buf_put(s->rewritten, s->text + s->copied, from - s->copied);
  s->copied = s->pos;
  return lre_buf_put(s->rewritten, token, len) || lre_err_memory(s->err);
}

static bool rewrite_as_string(struct scan *s, size_t from) {
  size_t len = s->pos - from;
  lre_buf_put(s->rewritten, s->text + s->copied, from - s->copied);
  lre_buf_putc(s->rewritten, '"');
  lre_buf_put(s->rewritten, s->text + from, len);
  s->copied = s->pos;
  return lre_buf_putc(s->rewritten, '"') || lre_err_memory(s->err);
}

static bool is_exact_integer(const char *digits, size_t n) {
  if (n != EXACT_INTEGER_DIGITS) return n < EXACT_INTEGER_DIGITS;
  return memcmp(digits, EXACT_INTEGER, EXACT_INTEGER_DIGITS) <= 0;
}

static bool read_double(const char *token, size_t len, double *v) {
  struct lre_buf copy; /* the text need not end in a NUL */
  lre_buf_init(&copy);
  bool ok = lre_buf_put(&copy, token, len);
  if (ok) {
    locale_t old = enter_c_locale();
    *v = strtod(copy.data, NULL);
    uselocale(old);
  }
  lre_buf_free(&copy);
  return ok;
}

/* Values no double holds, and tokens longer than cJSON can read, need a look at the value. */
static bool check_float(struct scan *s, size_t from, bool has_exponent) {
  size_t len = s->pos - from;
  double v;
  if (!has_exponent && len <= MAX_NUMBER_BYTES) return true;
  if (!read_double(s->text + from, len, &v)) return lre_err_memory(s->err);
  if (isinf(v)) return fail_at(s, "range", from, "number beyond the range of a double");
  if (len <= MAX_NUMBER_BYTES) return true;
  char shorter[LRE_JSON_NUMBER_BYTES];
  size_t n = lre_json_format_double(v, shorter);
  return rewrite(s, from, shorter, n);
}

static bool check_integer(struct scan *s, size_t from, size_t digits_at) {
  if (is_exact_integer(s->text + digits_at, s->pos - digits_at)) return true;
  if (s->bigint_as_string) return rewrite_as_string(s, from);
  return fail_at(s, "bigint", from, "integer beyond +-2^53, which numbers cannot hold exactly (write it as a string)");
}

static bool scan_digits(struct scan *s) {
  if (!at_digit(s)) return unexpected(s, "a digit");
  while (at_digit(s)) s->pos++;
  return true;
}

static bool scan_exponent(struct scan *s) {
  s->pos++;
  if (at(s, '+') || at(s, '-')) s->pos++;
  return scan_digits(s);
}

static bool note_number(struct scan *s, bool is_float) {
  size_t index = s->number_count++;
  if (!is_float) return true;
  while (s->is_float.len < index && lre_buf_putc(&s->is_float, 0)) continue;
  return lre_buf_putc(&s->is_float, 1) || lre_err_memory(s->err);
}

static bool scan_number(struct scan *s) {
  size_t from = s->pos;
  if (at(s, '-')) s->pos++;
  size_t digits_at = s->pos;
  if (!scan_digits(s)) return false;
  if (s->text[digits_at] == '0' && s->pos - digits_at > 1) {
    return fail_at(s, "syntax", digits_at, "number with a leading zero");
  }
  size_t whole_end = s->pos;
  if (at(s, '.')) {
    s->pos++;
    if (!scan_digits(s)) return false;
  }
  bool has_exponent = at(s, 'e') || at(s, 'E');
  if (has_exponent && !scan_exponent(s)) return false;
  bool is_float = s->pos > whole_end;
  size_t copied = s->copied;
  if (is_float ? !check_float(s, from, has_exponent) : !check_integer(s, from, digits_at)) return false;
  if (!is_float && s->copied != copied) return true; /* it is a string now */
  return note_number(s, is_float);
}

/* ---- values ---- */

static bool scan_literal(struct scan *s, const char *word, size_t len) {
  if (s->len - s->pos < len || memcmp(s->text + s->pos, word, len) != 0) return unexpected(s, "a value");
  s->pos += len;
  return true;
}

static bool open_container(struct scan *s, bool is_object) {
  if (s->depth == s->max_depth) {
    return lre_err_set(s->err, "json", "depth", "nested more than %zu deep at byte %zu", s->max_depth, s->pos);
  }
  s->frames[s->depth++] = (struct frame){.keys_at = s->key_count, .is_object = is_object, .fresh = true};
  s->pos++;
  return true;
}

static bool scan_value(struct scan *s) {
  struct key ignored;
  switch (s->pos < s->len ? s->text[s->pos] : 0) {
  case '{':
    return open_container(s, true);
  case '[':
    return open_container(s, false);
  case '"':
    return scan_string(s, &ignored);
  case 't':
    return scan_literal(s, "true", 4);
  case 'f':
    return scan_literal(s, "false", 5);
  case 'n':
    return scan_literal(s, "null", 4);
  default:
    return at(s, '-') || at_digit(s) ? scan_number(s) : unexpected(s, "a value");
  }
}

static bool scan_key(struct scan *s) {
  struct key key;
  if (!at(s, '"')) return unexpected(s, "a key in quotes");
  if (!scan_string(s, &key)) return false;
  if (!push_key(s, &key)) return false;
  skip_space(s);
  if (!at(s, ':')) return unexpected(s, "':'");
  s->pos++;
  skip_space(s);
  return true;
}

/* One step in the innermost container: its end, or its next element. */
static bool scan_element(struct scan *s) {
  struct frame *frame = &s->frames[s->depth - 1];
  skip_space(s);
  if (at(s, frame->is_object ? '}' : ']')) {
    s->pos++;
    s->depth--;
    return !frame->is_object || check_keys(s, frame->keys_at);
  }
  if (!frame->fresh) {
    if (!at(s, ',')) return unexpected(s, frame->is_object ? "',' or '}'" : "',' or ']'");
    s->pos++;
    skip_space(s);
  }
  frame->fresh = false;
  return (!frame->is_object || scan_key(s)) && scan_value(s);
}

static bool scan_text(struct scan *s) {
  skip_space(s);
  if (s->pos == s->len) return fail_at(s, "empty", s->pos, "no JSON value before the end");
  if (!scan_value(s)) return false;
  while (s->depth) {
    if (!scan_element(s)) return false;
  }
  skip_space(s);
  if (s->pos < s->len) return fail_at(s, "trailing", s->pos, "text after the JSON value");
  if (s->copied && !lre_buf_put(s->rewritten, s->text + s->copied, s->len - s->copied)) return lre_err_memory(s->err);
  return true;
}

/* ---- the tree's memory ----
 *
 * cJSON allocates each node and each string by itself, and frees them one by one: most of the time of a parse. Its
 * hooks take them from chunks of ours instead, which go all at once. They are the process's, so outside a parse of ours
 * they are malloc and free. */

struct lre_json_chunk {
  struct lre_json_chunk *next;
  size_t used, cap;
  max_align_t data[];
};

static _Thread_local struct lre_json_doc *building; /* whose arena cJSON allocates from on this thread */
static _Thread_local size_t first_chunk_bytes;

static bool add_chunk(struct lre_json_doc *doc, size_t size) {
  size_t cap = doc->arena ? 2 * doc->arena->cap : first_chunk_bytes;
  if (cap < size) cap = size;
  struct lre_json_chunk *chunk = malloc(sizeof *chunk + cap);
  if (!chunk) return false;
  *chunk = (struct lre_json_chunk){.next = doc->arena, .cap = cap};
  doc->arena = chunk;
  return true;
}

static void *allocate(size_t size) {
  if (!building) return malloc(size);
  if (size > PTRDIFF_MAX / 4) return NULL;
  size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
  struct lre_json_chunk *chunk = building->arena;
  if (!chunk || chunk->cap - chunk->used < size) {
    if (!add_chunk(building, size)) return NULL;
    chunk = building->arena;
  }
  void *p = (char *)chunk->data + chunk->used;
  chunk->used += size;
  return p;
}

static void deallocate(void *p) {
  if (!building) free(p);
}

static pthread_once_t hooks_once = PTHREAD_ONCE_INIT;

static void set_hooks(void) {
  cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = allocate, .free_fn = deallocate});
}

static cJSON *parse_into(struct lre_json_doc *doc, const char *text, size_t len) {
  pthread_once(&hooks_once, set_hooks);
  first_chunk_bytes = 3 * len + 512; /* a chat completion's tree takes about three times its text */
  building = doc;
  cJSON *root = cJSON_ParseWithLengthOpts(text, len, NULL, 0);
  building = NULL;
  return root;
}

/* ---- the parse ---- */

/* Numbers come in document order, as the scan met them; `index` is that of the next one. Recursion is bounded by
 * max_depth. */
static size_t mark_floats(cJSON *item, const struct lre_buf *is_float, size_t index) {
  for (; item && index < is_float->len; item = item->next) {
    if (cJSON_IsNumber(item) && is_float->data[index++]) item->type |= LRE_JSON_FLOAT;
    if (item->child) index = mark_floats(item->child, is_float, index);
  }
  return index;
}

static bool build_tree(struct lre_json_doc *doc, const struct scan *s, size_t start) {
  const char *text = s->copied ? doc->text.data : s->text + start;
  size_t len = s->copied ? doc->text.len : s->len - start;
  locale_t old = enter_c_locale();
  doc->root = parse_into(doc, text, len);
  uselocale(old);
  if (!doc->root) return lre_err_memory(s->err); /* the scan passed, so nothing else is left */
  mark_floats(doc->root, &s->is_float, 0);
  return true;
}

static size_t depth_limit(const struct lre_json_limits *limits) {
  if (!limits || limits->max_depth == 0) return DEFAULT_DEPTH;
  return limits->max_depth < MAX_DEPTH ? limits->max_depth : MAX_DEPTH;
}

bool lre_json_parse(struct lre_json_doc *doc, const char *text, size_t len, const struct lre_json_limits *limits,
                    struct lre_err *err) {
  size_t max_bytes = limits ? limits->max_bytes : 0;
  if (max_bytes && len > max_bytes) {
    return lre_err_set(err, "json", "too_large", "text of %zu bytes, the limit is %zu: cut off at byte %zu", len,
                       max_bytes, max_bytes);
  }
  size_t start = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  *doc = (struct lre_json_doc){0};
  struct scan s; /* field by field: clearing the 16 kB of frames would cost more than the scan */
  s.text = text;
  s.len = len;
  s.pos = start;
  s.depth = 0;
  s.max_depth = depth_limit(limits);
  s.bigint_as_string = limits && limits->bigint_as_string;
  s.keys = NULL;
  s.key_count = s.key_cap = s.number_count = 0;
  s.rewritten = &doc->text;
  s.copied = 0;
  s.err = err;
  lre_buf_init(&s.is_float);
  bool ok = scan_text(&s) && build_tree(doc, &s, start);
  free(s.keys);
  lre_buf_free(&s.is_float);
  if (!ok) lre_json_free(doc);
  return ok;
}

void lre_json_free(struct lre_json_doc *doc) {
  while (doc->arena) {
    struct lre_json_chunk *next = doc->arena->next;
    free(doc->arena);
    doc->arena = next;
  }
  doc->root = NULL;
  lre_buf_free(&doc->text);
}

/* ---- the writer ---- */

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
  if (skip_plain(s, 0, len) == len) return put_plain(b, s, len) || lre_err_memory(err);
  if (!lre_utf8_valid(s, len, &bad)) {
    return lre_err_set(err, "json", "utf8", "a string to be written holds invalid UTF-8 at byte %zu", bad);
  }
  lre_buf_putc(b, '"');
  for (size_t i = 0, start = 0; start < len; start = i) {
    for (i = skip_plain(s, start, len); i < len && (unsigned char)s[i] >= 0x80; i = skip_plain(s, i, len)) {
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
  locale_t old = enter_c_locale();
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
  locale_t old = enter_c_locale();
  snprintf(text, sizeof text, "%.11e", v);
  v = strtod(text, NULL);
  uselocale(old);
  return v;
}
