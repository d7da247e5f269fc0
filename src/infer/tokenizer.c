#include "infer/tokenizer.h"

#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "infer/tokenizer_parts.h"

/* A text to be cut at added tokens, and what is done with it. */
struct encoding {
  struct lre_tokenizer *t;
  bool special, guarded;
  struct lre_ids *out;
  struct lre_err *err;
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

/* U+FDD0, a noncharacter: no text has a use for it. One that is in a text is doubled. */
#define MARK       "\xef\xb7\x90"
#define MARK_BYTES 3

static bool at_mark(const char *s, const char *end) {
  return end - s >= MARK_BYTES && memcmp(s, MARK, MARK_BYTES) == 0;
}

bool lre_tokenizer_guard(struct lre_tokenizer *t, const char *text, size_t len, struct lre_buf *out) {
  const char *end = text + len;
  bool marked = false;
  for (const char *s = text; s < end;) {
    bool breaks = at_mark(s, end);
    for (size_t i = 0; t->added_first[(unsigned char)*s] && !breaks && i < t->n_added; i++) {
      const struct lre_added *a = &t->added[i];
      breaks = a->special && a->len <= (size_t)(end - s) && memcmp(a->text, s, a->len) == 0;
    }
    const char *next = s;
    lre_steps_next_char(&next, end);
    lre_buf_put(out, s, (size_t)(next - s));
    if (breaks) lre_buf_puts(out, MARK);
    marked = marked || breaks;
    s = next;
  }
  return marked;
}

static void take_marks_out(struct lre_buf *text) {
  char *to = text->data;
  const char *end = text->data + text->len;
  for (const char *s = text->data; s < end;) {
    if (at_mark(s, end)) {
      s += MARK_BYTES;
      if (!at_mark(s, end)) continue;
      memcpy(to, MARK, MARK_BYTES);
      to += MARK_BYTES, s += MARK_BYTES;
    } else {
      *to++ = *s++;
    }
  }
  if (text->data) *to = '\0';
  text->len = (size_t)(to - text->data);
}

/* The longest added token that begins at `at`. In a guarded text special ones are looked for before the marks are out,
 * and not after. */
static const struct lre_added *added_at(const struct encoding *e, const char *at, const char *end, bool normalized) {
  if (!e->t->added_first[(unsigned char)*at]) return NULL;
  for (size_t i = 0; i < e->t->n_added; i++) {
    const struct lre_added *a = &e->t->added[i];
    bool late = a->normalized && !(e->guarded && a->special);
    if (late != normalized || (a->special && !e->special) || a->len > (size_t)(end - at)) continue;
    if (memcmp(a->text, at, a->len) == 0) return a;
  }
  return NULL;
}

/* Calls `between` for what is between added tokens; appends the tokens. */
static bool cut_at_added(struct encoding *e, const char *text, size_t len, bool normalized, bool first,
                         bool (*between)(struct encoding *e, const char *text, size_t len, bool first)) {
  const char *end = text + len, *done = text;
  for (const char *at = text; at < end;) {
    const struct lre_added *a = added_at(e, at, end, normalized);
    if (!a || (a->whole_word && !stands_alone(text, at, at + a->len, end))) {
      at += a ? a->len : 1;
      continue;
    }
    const char *from = at, *after = at + a->len;
    for (uint32_t c; a->strip_left && from > done;) {
      const char *before = char_before(done, from, &c);
      if (!is_space(c)) break;
      from = before;
    }
    for (const char *next = after; a->strip_right && next < end; after = next)
      if (!is_space(lre_steps_next_char(&next, end))) break;
    if (from > done && !between(e, done, (size_t)(from - done), first && done == text)) return false;
    lre_ids_put(e->out, a->id);
    at = done = after;
  }
  return done == end || between(e, done, (size_t)(end - done), first && done == text);
}

static bool encode_normal(struct encoding *e, const char *text, size_t len, bool first) {
  struct lre_tokenizer *t = e->t;
  if (!lre_pretokenize(&t->pre, text, len, first, &t->pieces, &t->spare, t->scratch, e->err)) return false;
  for (size_t i = 0, begin = 0; i < t->pieces.n; begin = t->pieces.ends[i++])
    if (!lre_bpe_word(&t->bpe, &t->words, t->pieces.text.data + begin, t->pieces.ends[i] - begin, e->out))
      return lre_err_memory(e->err);
  return true;
}

static bool encode_raw(struct encoding *e, const char *text, size_t len, bool first) {
  struct lre_buf normal;
  lre_buf_init(&normal);
  bool ok = lre_buf_put(&normal, text, len) || lre_err_memory(e->err);
  if (ok && e->guarded) take_marks_out(&normal);
  ok = ok && lre_normalize(&e->t->normalizer, &normal, e->t->scratch, e->err);
  ok = ok && (!normal.len || cut_at_added(e, normal.data, normal.len, true, first, encode_normal));
  lre_buf_free(&normal);
  return ok;
}

bool lre_tokenizer_encode(struct lre_tokenizer *t, const char *text, size_t len, unsigned flags, struct lre_ids *out,
                          struct lre_err *err) {
  struct encoding e = {t, flags & LRE_TOKENIZER_SPECIAL, flags & LRE_TOKENIZER_GUARDED, out, err};
  bool frame = flags & LRE_TOKENIZER_FRAME;
  for (size_t i = 0; frame && i < t->n_before; i++) lre_ids_put(out, t->before[i]);
  pthread_mutex_lock(&t->lock);
  bool ok = !len || cut_at_added(&e, text, len, false, true, encode_raw);
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
