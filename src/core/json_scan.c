/* json_scan.c: the strict look at a text that comes before anything reads it. */
#include "core/json_scan.h"

#include <math.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/utf8.h"

enum {
  DEFAULT_DEPTH = 64,
  MAX_NUMBER_BYTES =
      LRE_JSON_NUMBER_MAX, /* cJSON 1.7.15 copies a number into 64 bytes and breaks a longer one in two */
  FEW_KEYS = 16,           /* objects up to here compare their keys pair by pair */
  EXACT_INTEGER_DIGITS = 16
};
static const char EXACT_INTEGER[] = "9007199254740992"; /* 2^53: from here on doubles skip integers */

/* ---- the locale ---- */

static pthread_once_t c_locale_once = PTHREAD_ONCE_INIT;
static locale_t c_locale;

static void make_c_locale(void) {
  c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
}

locale_t lre_json_enter_c_locale(void) {
  pthread_once(&c_locale_once, make_c_locale);
  return uselocale(c_locale);
}

/* ---- the scan ---- */

struct lre_json_key {
  const char *s; /* between the quotes, as written */
  size_t len;
  bool escaped;
};

struct frame {
  size_t keys_at; /* number of keys when the object opened: its own follow */
  size_t size_at; /* its number of elements is counted there */
  bool is_object;
  bool fresh; /* nothing read in it yet */
};

struct scan {
  const char *text;
  size_t len, pos;
  size_t depth, max_depth;
  bool bigint_as_string;
  size_t key_count, number_count;
  struct lre_json_text *to;
  size_t copied; /* bytes of text that the rewritten one stands for; 0: nothing is rewritten */
  struct lre_err *err;
  struct frame frames[LRE_JSON_MAX_DEPTH];
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
static bool scan_string(struct scan *s, struct lre_json_key *span) {
  size_t opened = s->pos++;
  span->escaped = false;
  for (;;) {
    s->pos = lre_json_skip_plain(s->text, s->pos, s->len);
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
static int32_t next_code_point(struct lre_json_key *k) {
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

static char *put_code_point(char *out, int32_t v) {
  size_t n = v < 0x80 ? 1 : v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
  static const int lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
  for (size_t i = n - 1; i > 0; i--, v >>= 6) out[i] = (char)(0x80 | (v & 0x3F));
  out[0] = (char)(lead[n] | v);
  return out + n;
}

/* Returns behind the last byte: never more of them than were read. */
static char *decode(struct lre_json_key span, char *out) {
  while (span.len) {
    const char *slash = memchr(span.s, '\\', span.len);
    size_t plain = slash ? (size_t)(slash - span.s) : span.len;
    memcpy(out, span.s, plain);
    out += plain;
    span.s += plain;
    span.len -= plain;
    if (slash) out = put_code_point(out, next_code_point(&span));
  }
  return out;
}

/* The order of code points, which in UTF-8 is the order of bytes. */
static int compare_keys(const struct lre_json_key *a, const struct lre_json_key *b) {
  if (!a->escaped && !b->escaped) {
    int order = memcmp(a->s, b->s, a->len < b->len ? a->len : b->len);
    return order ? order : (a->len > b->len) - (a->len < b->len);
  }
  struct lre_json_key x = *a, y = *b;
  int32_t u, v;
  do {
    u = next_code_point(&x);
    v = next_code_point(&y);
  } while (u == v && u >= 0);
  return (u > v) - (u < v);
}

static bool same_key(const struct lre_json_key *a, const struct lre_json_key *b) {
  if (a->escaped || b->escaped) return compare_keys(a, b) == 0;
  return a->len == b->len && memcmp(a->s, b->s, a->len) == 0;
}

/* Equal keys in the order of the text. */
static int by_key_and_place(const void *a, const void *b) {
  const struct lre_json_key *x = a, *y = b;
  int order = compare_keys(x, y);
  return order ? order : (x->s > y->s) - (x->s < y->s);
}

static const struct lre_json_key *earlier(const struct lre_json_key *a, const struct lre_json_key *b) {
  return !a || b->s < a->s ? b : a;
}

/* As canonical texts have them. */
static bool are_sorted(const struct lre_json_key *keys, size_t n) {
  for (size_t i = 1; i < n; i++) {
    if (compare_keys(&keys[i - 1], &keys[i]) >= 0) return false;
  }
  return true;
}

/* The first key of the object that was there before, or NULL. Sorting many keys bounds the work whatever they are. */
static const struct lre_json_key *find_repeated(struct lre_json_key *keys, size_t n) {
  const struct lre_json_key *found = NULL;
  if (are_sorted(keys, n)) return NULL;
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

static bool push_key(struct scan *s, const struct lre_json_key *key) {
  struct lre_json_text *t = s->to;
  if (s->key_count == t->key_cap) {
    size_t cap = t->key_cap ? t->key_cap * 2 : 32; /* a key has at least 4 bytes of text, so this cannot wrap */
    struct lre_json_key *keys = realloc(t->keys, cap * sizeof *keys);
    if (!keys) return lre_err_memory(s->err);
    t->keys = keys;
    t->key_cap = cap;
  }
  t->keys[s->key_count++] = *key;
  return true;
}

static bool check_keys(struct scan *s, size_t keys_at) {
  size_t n = s->key_count - keys_at;
  const struct lre_json_key *again = n > 1 ? find_repeated(s->to->keys + keys_at, n) : NULL;
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
  lre_buf_put(&s->to->rewritten, s->text + s->copied, from - s->copied);
  s->copied = s->pos;
  return lre_buf_put(&s->to->rewritten, token, len) || lre_err_memory(s->err);
}

static bool rewrite_as_string(struct scan *s, size_t from) {
  size_t len = s->pos - from;
  lre_buf_put(&s->to->rewritten, s->text + s->copied, from - s->copied);
  lre_buf_putc(&s->to->rewritten, '"');
  lre_buf_put(&s->to->rewritten, s->text + from, len);
  s->copied = s->pos;
  return lre_buf_putc(&s->to->rewritten, '"') || lre_err_memory(s->err);
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
    locale_t old = lre_json_enter_c_locale();
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
  while (s->to->is_float.len < index && lre_buf_putc(&s->to->is_float, 0)) continue;
  return lre_buf_putc(&s->to->is_float, 1) || lre_err_memory(s->err);
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
  static const uint32_t none = 0;
  struct lre_buf *sizes = &s->to->sizes;
  s->frames[s->depth++] =
      (struct frame){.keys_at = s->key_count, .size_at = sizes->len, .is_object = is_object, .fresh = true};
  s->pos++;
  return lre_buf_put(sizes, &none, sizeof none) || lre_err_memory(s->err);
}

static bool scan_value(struct scan *s) {
  struct lre_json_key ignored;
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
  struct lre_json_key key;
  if (!at(s, '"')) return unexpected(s, "a key in quotes");
  if (!scan_string(s, &key)) return false;
  if (!push_key(s, &key)) return false;
  skip_space(s);
  if (!at(s, ':')) return unexpected(s, "':'");
  s->pos++;
  skip_space(s);
  return true;
}

static void count_element(struct scan *s, const struct frame *frame) {
  uint32_t n;
  char *at = s->to->sizes.data + frame->size_at;
  memcpy(&n, at, sizeof n);
  n++; /* where it wraps, a table is made too small at first */
  memcpy(at, &n, sizeof n);
}

/* At a value of the outermost object, behind its key. */
static bool begin_member(struct scan *s) {
  const struct lre_json_key *key = &s->to->keys[s->key_count - 1];
  struct lre_json_member member = {key->s, s->text + s->pos, key->len, 0};
  return lre_buf_put(&s->to->members, &member, sizeof member) || lre_err_memory(s->err);
}

/* Behind it; of a container when it is closed. */
static void end_member(const struct scan *s) {
  struct lre_buf *b = &s->to->members;
  if (s->depth != 1 || b->len == 0) return;
  struct lre_json_member *last = (struct lre_json_member *)(void *)(b->data + b->len) - 1;
  last->value_len = (size_t)(s->text + s->pos - last->value);
}

static bool scan_member(struct scan *s) {
  if (!scan_key(s)) return false;
  if (!s->to->wants_members || s->depth > 1) return scan_value(s);
  if (!begin_member(s) || !scan_value(s)) return false;
  end_member(s);
  return true;
}

/* One step in the innermost container: its end, or its next element. */
static bool scan_element(struct scan *s) {
  struct frame *frame = &s->frames[s->depth - 1];
  skip_space(s);
  if (at(s, frame->is_object ? '}' : ']')) {
    s->pos++;
    s->depth--;
    end_member(s);
    return !frame->is_object || check_keys(s, frame->keys_at);
  }
  if (!frame->fresh) {
    if (!at(s, ',')) return unexpected(s, frame->is_object ? "',' or '}'" : "',' or ']'");
    s->pos++;
    skip_space(s);
  }
  frame->fresh = false;
  count_element(s, frame);
  return frame->is_object ? scan_member(s) : scan_value(s);
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
  if (s->copied && !lre_buf_put(&s->to->rewritten, s->text + s->copied, s->len - s->copied))
    return lre_err_memory(s->err);
  return true;
}

/* ---- the whole ---- */

static size_t depth_limit(const struct lre_json_limits *limits) {
  if (!limits || limits->max_depth == 0) return DEFAULT_DEPTH;
  return limits->max_depth < LRE_JSON_MAX_DEPTH ? limits->max_depth : LRE_JSON_MAX_DEPTH;
}

static void clear_text(struct lre_json_text *t) {
  lre_buf_clear(&t->rewritten);
  lre_buf_clear(&t->sizes);
  lre_buf_clear(&t->is_float);
  lre_buf_clear(&t->members);
}

bool lre_json_check(struct lre_json_text *t, const char *text, size_t len, const struct lre_json_limits *limits,
                    struct lre_err *err) {
  size_t max_bytes = limits ? limits->max_bytes : 0;
  if (max_bytes && len > max_bytes) {
    return lre_err_set(err, "json", "too_large", "text of %zu bytes, the limit is %zu: cut off at byte %zu", len,
                       max_bytes, max_bytes);
  }
  size_t start = len >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
  clear_text(t);
  struct scan s; /* field by field: clearing the 24 kB of frames would cost more than the scan */
  s.text = text;
  s.len = len;
  s.pos = start;
  s.depth = 0;
  s.max_depth = depth_limit(limits);
  s.bigint_as_string = limits && limits->bigint_as_string;
  s.key_count = s.number_count = 0;
  s.to = t;
  s.copied = 0;
  s.err = err;
  if (!scan_text(&s)) return false;
  t->text = s.copied ? t->rewritten.data : text + start;
  t->len = s.copied ? t->rewritten.len : len - start;
  return true;
}

void lre_json_text_free(struct lre_json_text *t) {
  lre_buf_free(&t->rewritten);
  lre_buf_free(&t->sizes);
  lre_buf_free(&t->is_float);
  lre_buf_free(&t->members);
  free(t->keys);
  *t = (struct lre_json_text){0};
}

/* ---- flat objects ---- */

static size_t index_of(const struct lre_json_key *key, const char *const *names, size_t n) {
  for (size_t i = 0; i < n; i++) {
    if (strlen(names[i]) == key->len && memcmp(names[i], key->s, key->len) == 0) return i;
  }
  return n;
}

/* One member, at its key. */
static bool read_member(struct scan *s, const char *const *names, size_t n, struct lre_json_string *out, char **room) {
  struct lre_json_key key, value;
  if (!at(s, '"') || !scan_string(s, &key)) return false;
  size_t i = key.escaped ? n : index_of(&key, names, n);
  if (i == n || out[i].s) return false;
  skip_space(s);
  if (!at(s, ':')) return false;
  s->pos++;
  skip_space(s);
  if (!at(s, '"') || !scan_string(s, &value)) return false;
  out[i] = (struct lre_json_string){value.s, value.len};
  if (value.escaped) {
    char *end = decode(value, *room);
    out[i] = (struct lre_json_string){*room, (size_t)(end - *room)};
    *room = end;
  }
  skip_space(s);
  return true;
}

bool lre_json_read_some_strings(const char *text, size_t len, const char *const *names, size_t n,
                                struct lre_json_string *out, char *room) {
  struct lre_err err;
  struct scan s;
  s.text = text;
  s.len = len;
  s.pos = 0;
  s.err = &err;
  for (size_t i = 0; i < n; i++) out[i] = (struct lre_json_string){0};
  skip_space(&s);
  for (size_t i = 0; i < n && (i == 0 || !at(&s, '}')); i++) {
    if (!at(&s, i ? ',' : '{')) return false;
    s.pos++;
    skip_space(&s);
    if (!read_member(&s, names, n, out, &room)) return false;
  }
  if (!at(&s, '}')) return false;
  s.pos++;
  skip_space(&s);
  return s.pos == len;
}

bool lre_json_read_strings(const char *text, size_t len, const char *const *names, size_t n,
                           struct lre_json_string *out, char *room) {
  if (!lre_json_read_some_strings(text, len, names, n, out, room)) return false;
  for (size_t i = 0; i < n; i++) {
    if (!out[i].s) return false;
  }
  return true;
}
