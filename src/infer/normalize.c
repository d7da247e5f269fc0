#include <stdlib.h>
#include <string.h>

#include <utf8proc.h>

#include "infer/steps.h"

static bool compose(const struct lre_step *step, struct lre_buf *text, struct lre_err *err) {
  utf8proc_uint8_t *out = NULL;
  utf8proc_ssize_t n = utf8proc_map((const utf8proc_uint8_t *)text->data, (utf8proc_ssize_t)text->len, &out,
                                    (utf8proc_option_t)step->flags);
  if (n < 0) return lre_err_set(err, "infer", "tokenizer", "normalizing: %s", utf8proc_errmsg(n));
  lre_buf_clear(text);
  lre_buf_put(text, out, (size_t)n);
  free(out);
  return !text->failed || lre_err_memory(err);
}

static bool lower(struct lre_buf *text, struct lre_err *err) {
  struct lre_buf out;
  lre_buf_init(&out);
  for (const char *s = text->data, *end = s + text->len; s < end;) {
    utf8proc_uint8_t bytes[4];
    utf8proc_int32_t c = utf8proc_tolower((utf8proc_int32_t)lre_steps_next_char(&s, end));
    lre_buf_put(&out, bytes, (size_t)utf8proc_encode_char(c, bytes));
  }
  if (out.failed) return lre_err_memory(err);
  lre_buf_free(text);
  *text = out;
  return true;
}

/* 1: the next match from `at`; 0: none; -1: err. */
static int next_match(const struct lre_step *step, const struct lre_buf *text, size_t at, size_t *start, size_t *end,
                      struct lre_regex_scratch *scratch, struct lre_err *err) {
  if (step->re) {
    struct lre_regex_span span;
    int found = lre_regex_match(step->re, scratch, text->data, text->len, at, &span, 1, err);
    if (found == 1) *start = span.start, *end = span.end;
    return found;
  }
  const char *hit = at < text->len ? memmem(text->data + at, text->len - at, step->text.data, step->text.len) : NULL;
  if (!hit) return 0;
  *start = (size_t)(hit - text->data);
  *end = *start + step->text.len;
  return 1;
}

static bool replace(const struct lre_step *step, struct lre_buf *text, struct lre_regex_scratch *scratch,
                    struct lre_err *err) {
  struct lre_buf out;
  size_t done = 0, at = 0, start = 0, end = 0;
  int found;
  lre_buf_init(&out);
  while ((found = next_match(step, text, at, &start, &end, scratch, err)) == 1) {
    at = end;
    if (start == end) { /* an empty match: go on a character further */
      if (end >= text->len) break;
      const char *s = text->data + end;
      lre_steps_next_char(&s, text->data + text->len);
      at = (size_t)(s - text->data);
      continue;
    }
    lre_buf_put(&out, text->data + done, start - done);
    lre_buf_put(&out, step->with.data, step->with.len);
    done = end;
  }
  lre_buf_put(&out, text->data + done, text->len - done);
  if (found < 0 || out.failed) {
    lre_buf_free(&out);
    return found < 0 ? false : lre_err_memory(err);
  }
  lre_buf_free(text);
  *text = out;
  return true;
}

static bool prepend(const struct lre_step *step, struct lre_buf *text, struct lre_err *err) {
  size_t n = step->text.len, old = text->len;
  if (!old || !n) return true;
  if (!lre_buf_put(text, step->text.data, n)) return lre_err_memory(err); /* room */
  memmove(text->data + n, text->data, old);
  memcpy(text->data, step->text.data, n);
  return true;
}

static bool is_space(uint32_t c) {
  return (c >= 9 && c <= 13) || c == 0x20 || c == 0x85 || c == 0xa0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200a) ||
         c == 0x2028 || c == 0x2029 || c == 0x202f || c == 0x205f || c == 0x3000;
}

static void strip(const struct lre_step *step, struct lre_buf *text) {
  const char *begin = text->data, *end = text->data + text->len, *next = begin;
  while (step->left && begin < end && is_space(lre_steps_next_char(&next, end))) begin = next;
  for (const char *last; step->right && end > begin; end = last) {
    for (last = end - 1; last > begin && ((unsigned char)*last & 0xc0) == 0x80; last--) continue;
    next = last;
    if (!is_space(lre_steps_next_char(&next, end))) break;
  }
  size_t n = (size_t)(end - begin);
  memmove(text->data, begin, n);
  text->data[text->len = n] = '\0';
}

bool lre_normalize(const struct lre_steps *s, struct lre_buf *text, bool inside, struct lre_regex_scratch *scratch,
                   struct lre_err *err) {
  for (size_t i = 0; i < s->n && text->len; i++) {
    const struct lre_step *step = &s->list[i];
    bool ok = true;
    if (step->kind == LRE_STEP_COMPOSE) ok = compose(step, text, err);
    if (step->kind == LRE_STEP_REPLACE) ok = replace(step, text, scratch, err);
    if (step->kind == LRE_STEP_PREPEND && !inside) ok = prepend(step, text, err);
    if (step->kind == LRE_STEP_LOWER) ok = lower(text, err);
    if (step->kind == LRE_STEP_STRIP && !inside) strip(step, text);
    if (!ok) return false;
  }
  return true;
}
