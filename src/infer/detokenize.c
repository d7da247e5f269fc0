#include <string.h>

#include "core/utf8.h"
#include "infer/steps.h"

static void replace_in(const struct lre_step *step, const char *text, size_t len, struct lre_buf *out) {
  const char *end = text + len;
  while (text < end) {
    const char *hit = memmem(text, (size_t)(end - text), step->text.data, step->text.len);
    if (!hit) break;
    lre_buf_put(out, text, (size_t)(hit - text));
    lre_buf_put(out, step->with.data, step->with.len);
    text = hit + step->text.len;
  }
  lre_buf_put(out, text, (size_t)(end - text));
}

static int hex(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
                                : -1;
}

/* The byte of a token <0xXX>, or -1. */
static int byte_token(const char *text, size_t len) {
  if (len != 6 || memcmp(text, "<0x", 3) != 0 || text[5] != '>') return -1;
  int high = hex(text[3]), low = hex(text[4]);
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/* A run of byte tokens is text where the bytes are valid; else each byte is U+FFFD. */
static void end_bytes(struct lre_buf *bytes, struct lre_pieces *out) {
  if (!bytes->len) return;
  bool valid = lre_utf8_valid(bytes->data, bytes->len, NULL);
  if (valid) lre_buf_put(&out->text, bytes->data, bytes->len);
  for (size_t i = 0; !valid && i < bytes->len; i++) lre_buf_puts(&out->text, "\xEF\xBF\xBD");
  lre_pieces_end(out);
  lre_buf_clear(bytes);
}

static void byte_fallback(const struct lre_pieces *in, struct lre_pieces *out) {
  struct lre_buf bytes;
  lre_buf_init(&bytes);
  for (size_t i = 0, begin = 0; i < in->n; begin = in->ends[i++]) {
    const char *text = in->text.data + begin;
    size_t len = in->ends[i] - begin;
    int byte = byte_token(text, len);
    if (byte >= 0) {
      lre_buf_putc(&bytes, (char)byte);
      continue;
    }
    end_bytes(&bytes, out);
    lre_buf_put(&out->text, text, len);
    lre_pieces_end(out);
  }
  end_bytes(&bytes, out);
  out->failed = out->failed || bytes.failed;
  lre_buf_free(&bytes);
}

static void strip(const struct lre_step *step, const char *text, size_t len, struct lre_buf *out) {
  size_t n = step->text.len;
  for (int i = 0; n && i < step->flags && len >= n && memcmp(text, step->text.data, n) == 0; i++) text += n, len -= n;
  for (int i = 0; n && i < step->stop && len >= n && memcmp(text + len - n, step->text.data, n) == 0; i++) len -= n;
  lre_buf_put(out, text, len);
}

static void metaspace(const struct lre_step *step, const char *text, size_t len, bool first, struct lre_buf *out) {
  const char *end = text + len;
  const struct lre_buf *mark = &step->text;
  while (text < end) {
    bool at_mark = (size_t)(end - text) >= mark->len && memcmp(text, mark->data, mark->len) == 0;
    if (!at_mark) {
      lre_buf_putc(out, *text++);
      continue;
    }
    if (!(first && step->scheme != LRE_SCHEME_NEVER)) lre_buf_putc(out, ' ');
    text += mark->len;
  }
}

/* All tokens at once: characters may be parts of several. A token that is not written in the alphabet is taken as it
 * is. */
static void byte_level(const struct lre_pieces *in, struct lre_pieces *out) {
  struct lre_buf bytes;
  lre_buf_init(&bytes);
  for (size_t i = 0, begin = 0; i < in->n; begin = in->ends[i++]) {
    const char *text = in->text.data + begin, *end = in->text.data + in->ends[i];
    size_t before = bytes.len;
    for (const char *s = text; s < end;) {
      int byte = lre_steps_byte_of(lre_steps_next_char(&s, end));
      if (byte >= 0) {
        lre_buf_putc(&bytes, (char)byte);
        continue;
      }
      bytes.len = before;
      lre_buf_put(&bytes, text, (size_t)(end - text));
      break;
    }
  }
  lre_utf8_repair(bytes.data ? bytes.data : "", bytes.len, &out->text);
  lre_pieces_end(out);
  out->failed = out->failed || bytes.failed;
  lre_buf_free(&bytes);
}

static void each_token(const struct lre_step *step, const struct lre_pieces *in, struct lre_pieces *out) {
  for (size_t i = 0, begin = 0; i < in->n; begin = in->ends[i++]) {
    const char *text = in->text.data + begin;
    size_t len = in->ends[i] - begin;
    if (step->kind == LRE_STEP_REPLACE && !step->re)
      replace_in(step, text, len, &out->text);
    else if (step->kind == LRE_STEP_STRIP)
      strip(step, text, len, &out->text);
    else if (step->kind == LRE_STEP_METASPACE)
      metaspace(step, text, len, i == 0, &out->text);
    else
      lre_buf_put(&out->text, text, len);
    if (step->kind != LRE_STEP_FUSE) lre_pieces_end(out);
  }
  if (step->kind == LRE_STEP_FUSE) lre_pieces_end(out);
}

bool lre_detokenize(const struct lre_steps *s, struct lre_pieces *tokens, struct lre_pieces *spare,
                    struct lre_err *err) {
  for (size_t i = 0; i < s->n; i++) {
    const struct lre_step *step = &s->list[i];
    lre_pieces_clear(spare);
    if (step->kind == LRE_STEP_BYTE_LEVEL)
      byte_level(tokens, spare);
    else if (step->kind == LRE_STEP_BYTE_FALLBACK)
      byte_fallback(tokens, spare);
    else
      each_token(step, tokens, spare);
    if (spare->failed || spare->text.failed) return lre_err_memory(err);
    struct lre_pieces swapped = *tokens;
    *tokens = *spare;
    *spare = swapped;
  }
  return true;
}
