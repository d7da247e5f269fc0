#include "infer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "infer/tokenizer_parts.h"

struct encoding {
  struct lre_tokenizer *t;
  bool special;
  struct lre_ids *out;
  struct lre_err *err;
};

/* A text to be cut at added tokens. */
struct part {
  const char *text;
  size_t len;
  const char *breaks; /* a user's special tokens, see tokenizer_parts.h; NULL: there are none */
  bool first;         /* it is the begin of the whole */
};

static bool is_space(uint32_t c) {
  return (c >= 9 && c <= 13) || c == 0x85 || utf8proc_category((utf8proc_int32_t)c) == UTF8PROC_CATEGORY_ZS ||
         c == 0x2028 || c == 0x2029;
}

static bool is_word(uint32_t c) {
  switch (utf8proc_category((utf8proc_int32_t)c)) {
  case UTF8PROC_CATEGORY_LU:
  case UTF8PROC_CATEGORY_LL:
  case UTF8PROC_CATEGORY_LT:
  case UTF8PROC_CATEGORY_LM:
  case UTF8PROC_CATEGORY_LO:
  case UTF8PROC_CATEGORY_MN:
  case UTF8PROC_CATEGORY_MC:
  case UTF8PROC_CATEGORY_ME:
  case UTF8PROC_CATEGORY_ND:
  case UTF8PROC_CATEGORY_NL:
  case UTF8PROC_CATEGORY_PC:
    return true;
  default:
    return false;
  }
}

/* The character that ends at `end`; it begins at the result. */
static const char *char_before(const char *begin, const char *end, uint32_t *c) {
  const char *at = end - 1;
  while (at > begin && ((unsigned char)*at & 0xc0) == 0x80) at--;
  const char *next = at;
  *c = lre_steps_next_char(&next, end);
  return at;
}

static bool stands_alone(const char *begin, const char *at, const char *after, const char *end) {
  uint32_t c;
  if (at > begin) {
    char_before(begin, at, &c);
    if (is_word(c)) return false;
  }
  if (after == end) return true;
  return !is_word(lre_steps_next_char(&after, end));
}

/* The longest added token whose pattern is at `at`. */
static const struct lre_added *added_at(const struct lre_tokenizer *t, const char *at, const char *end,
                                        bool normalized) {
  if (!t->added_first[(unsigned char)*at]) return NULL;
  for (size_t i = 0; i < t->n_added; i++) {
    const struct lre_added *a = &t->added[i];
    if (a->normalized != normalized || a->pattern.len > (size_t)(end - at)) continue;
    if (memcmp(a->pattern.data, at, a->pattern.len) == 0) return a;
  }
  return NULL;
}

/* Whether what was found is taken as the token; where it is not, it is text as a whole: Hugging Face `tokenizers` looks
 * for no shorter token in it. */
static bool is_meant(const struct encoding *e, const struct part *p, const struct lre_added *a, size_t at) {
  const char *found = p->text + at;
  if (a->special && !e->special) return false;
  if (a->special && p->breaks && lre_guard_broken(p->breaks, at, a->pattern.len)) return false;
  return !a->whole_word || stands_alone(p->text, found, found + a->pattern.len, p->text + p->len);
}

static bool put_between(struct encoding *e, const struct part *p, const char *begin, const char *end,
                        bool (*between)(struct encoding *e, const struct part *p)) {
  if (begin >= end) return true;
  size_t at = (size_t)(begin - p->text);
  struct part inner = {begin, (size_t)(end - begin), p->breaks ? p->breaks + at : NULL, p->first && !at};
  return between(e, &inner);
}

/* Calls `between` for what is between added tokens; appends the tokens. */
static bool cut_at_added(struct encoding *e, const struct part *p, bool normalized,
                         bool (*between)(struct encoding *e, const struct part *p)) {
  const char *end = p->text + p->len, *done = p->text;
  for (const char *at = p->text; at < end;) {
    const struct lre_added *a = added_at(e->t, at, end, normalized);
    const char *from = at, *after = a ? at + a->pattern.len : at + 1;
    at = after;
    if (!a || !is_meant(e, p, a, (size_t)(from - p->text))) continue;
    for (uint32_t c; a->strip_left && from > done;) {
      const char *before = char_before(done, from, &c);
      if (!is_space(c)) break;
      from = before;
    }
    for (const char *next = after; a->strip_right && next < end; after = next)
      if (!is_space(lre_steps_next_char(&next, end))) break;
    if (!put_between(e, p, done, from, between)) return false;
    lre_ids_put(e->out, a->id);
    done = after; /* the search goes on at `at`: a token may begin in the space that this one took */
  }
  return put_between(e, p, done, end, between);
}

static bool encode_normal(struct encoding *e, const struct part *p) {
  struct lre_tokenizer *t = e->t;
  if (!lre_pretokenize(&t->pre, p->text, p->len, p->first, &t->pieces, &t->spare, t->scratch, e->err)) return false;
  for (size_t i = 0, begin = 0; i < t->pieces.n; begin = t->pieces.ends[i++])
    if (!lre_bpe_word(&t->bpe, &t->words, t->pieces.text.data + begin, t->pieces.ends[i] - begin, e->out))
      return lre_err_memory(e->err);
  return true;
}

static size_t count_breaks(const char *breaks, size_t n) {
  size_t count = 0;
  for (size_t i = 0; i < n; i++) count += breaks[i] != 0;
  return count;
}

/* Normalizes a text with its breaks in it. Where the normalizer takes some away, no place is safe. */
static bool normalize_marked(struct encoding *e, const struct part *p, struct lre_buf *normal, struct lre_buf *breaks) {
  if (!lre_guard_mark(p->text, p->len, p->breaks, normal)) return lre_err_memory(e->err);
  if (!lre_normalize(&e->t->normalizer, normal, false, e->t->scratch, e->err)) return false;
  if (!lre_guard_unmark(normal, breaks)) return lre_err_memory(e->err);
  if (count_breaks(breaks->data, breaks->len) != count_breaks(p->breaks, p->len + 1))
    memset(breaks->data, 1, breaks->len);
  return true;
}

static bool encode_raw(struct encoding *e, const struct part *p) {
  bool marked = p->breaks && e->t->late_specials && memchr(p->breaks, 1, p->len + 1);
  struct lre_buf normal, breaks;
  lre_buf_init(&normal);
  lre_buf_init(&breaks);
  bool ok = marked ? normalize_marked(e, p, &normal, &breaks)
                   : (lre_buf_put(&normal, p->text, p->len) || lre_err_memory(e->err)) &&
                         lre_normalize(&e->t->normalizer, &normal, false, e->t->scratch, e->err);
  struct part inner = {normal.data, normal.len, marked ? breaks.data : NULL, p->first};
  ok = ok && (!normal.len || cut_at_added(e, &inner, true, encode_normal));
  lre_buf_free(&normal);
  lre_buf_free(&breaks);
  return ok;
}

static bool encode_guarded(struct encoding *e, const char *text, size_t len) {
  struct lre_buf clean, breaks;
  lre_buf_init(&clean);
  lre_buf_init(&breaks);
  bool ok = (lre_buf_put(&clean, text, len) && lre_guard_unmark(&clean, &breaks)) || lre_err_memory(e->err);
  struct part all = {clean.data, clean.len, breaks.data, true};
  ok = ok && cut_at_added(e, &all, false, encode_raw);
  lre_buf_free(&clean);
  lre_buf_free(&breaks);
  return ok;
}

bool lre_tokenizer_encode(struct lre_tokenizer *t, const char *text, size_t len, unsigned flags, struct lre_ids *out,
                          struct lre_err *err) {
  struct encoding e = {t, flags & LRE_TOKENIZER_SPECIAL, out, err};
  struct part all = {text, len, NULL, true};
  bool frame = flags & LRE_TOKENIZER_FRAME;
  for (size_t i = 0; frame && i < t->n_before; i++) lre_ids_put(out, t->before[i]);
  pthread_mutex_lock(&t->lock);
  bool ok = !len ||
            (flags & LRE_TOKENIZER_GUARDED ? encode_guarded(&e, text, len) : cut_at_added(&e, &all, false, encode_raw));
  pthread_mutex_unlock(&t->lock);
  if (!ok) return false;
  for (size_t i = 0; frame && i < t->n_after; i++) lre_ids_put(out, t->after[i]);
  return !out->failed || lre_err_memory(err);
}

/* Byte-level tokens are kept as bytes; the decoder wants the alphabet. */
static void put_alphabet(const char *text, size_t len, struct lre_buf *out) {
  for (size_t i = 0; i < len; i++) {
    uint32_t byte = (unsigned char)text[i], c = byte;
    utf8proc_uint8_t bytes[4];
    if (lre_steps_byte_of(byte) < 0) c = byte < 33 ? 256 + byte : byte < 161 ? 256 + 33 + byte - 127 : 323;
    lre_buf_put(out, bytes, (size_t)utf8proc_encode_char((utf8proc_int32_t)c, bytes));
  }
}

static void put_token(const struct lre_tokenizer *t, uint32_t id, bool skip_special, struct lre_pieces *out) {
  uint32_t added = id < t->n_ids ? t->added_by_id[id] : LRE_NO_TOKEN;
  if (added != LRE_NO_TOKEN) {
    if (skip_special && t->added[added].special) return;
    lre_buf_put(&out->text, t->added[added].text, t->added[added].len);
  } else if (id < t->bpe.n_texts && t->bpe.texts[id].data) {
    const struct lre_bpe_text *text = &t->bpe.texts[id];
    if (t->bpe.byte_level)
      put_alphabet(text->data, text->len, &out->text);
    else
      lre_buf_put(&out->text, text->data, text->len);
  } else {
    return;
  }
  lre_pieces_end(out);
}

static bool decode(struct lre_tokenizer *t, const uint32_t *ids, size_t n, bool skip_special, struct lre_buf *out,
                   struct lre_err *err) {
  lre_pieces_clear(&t->pieces);
  for (size_t i = 0; i < n; i++) put_token(t, ids[i], skip_special, &t->pieces);
  if (t->pieces.failed || t->pieces.text.failed) return lre_err_memory(err);
  if (!lre_detokenize(&t->decoder, &t->pieces, &t->spare, err)) return false;
  lre_buf_put(out, t->pieces.text.data ? t->pieces.text.data : "", t->pieces.text.len);
  return !out->failed || lre_err_memory(err);
}

bool lre_tokenizer_decode(struct lre_tokenizer *t, const uint32_t *ids, size_t n, bool skip_special,
                          struct lre_buf *out, struct lre_err *err) {
  pthread_mutex_lock(&t->lock);
  bool ok = decode(t, ids, n, skip_special, out, err);
  pthread_mutex_unlock(&t->lock);
  return ok;
}

size_t lre_tokenizer_size(const struct lre_tokenizer *t) {
  return t->n_ids;
}

uint32_t lre_tokenizer_find(const struct lre_tokenizer *t, const char *token, size_t len) {
  for (size_t i = 0; i < t->n_added; i++)
    if (t->added[i].len == len && memcmp(t->added[i].text, token, len) == 0) return t->added[i].id;
  return lre_bpe_find(&t->bpe, token, len);
}

bool lre_tokenizer_is_special(const struct lre_tokenizer *t, uint32_t id) {
  uint32_t added = id < t->n_ids ? t->added_by_id[id] : LRE_NO_TOKEN;
  return added != LRE_NO_TOKEN && t->added[added].special;
}
