#include <string.h>

#include "infer/steps.h"

/* Adds parts of a piece to `out`, as a split's behaviour puts matches and what is between them together. */
struct splitter {
  struct lre_pieces *out;
  enum lre_split how;
  bool open;          /* something was put that is not ended yet */
  bool open_is_match; /* what that was */
};

static void end_open(struct splitter *s) {
  if (s->open) lre_pieces_end(s->out);
  s->open = false;
}

/* Whether a part goes on with what is open. */
static bool goes_on(const struct splitter *s, bool match) {
  if (!s->open) return false;
  if (s->how == LRE_SPLIT_PREVIOUS) return match && !s->open_is_match;
  if (s->how == LRE_SPLIT_NEXT) return !match && s->open_is_match;
  return s->how == LRE_SPLIT_CONTIGUOUS && match == s->open_is_match;
}

static void put_part(struct splitter *s, const char *text, size_t len, bool match) {
  if (!len) return;
  if (match && s->how == LRE_SPLIT_REMOVED) {
    end_open(s);
    return;
  }
  bool on = goes_on(s, match);
  if (!on) end_open(s);
  lre_buf_put(&s->out->text, text, len);
  s->open = true;
  s->open_is_match = match;
}

static bool split(const struct lre_step *step, const char *text, size_t len, struct lre_pieces *out,
                  struct lre_regex_scratch *scratch, struct lre_err *err) {
  struct splitter s = {.out = out, .how = step->split};
  struct lre_regex_span span;
  size_t done = 0, at = 0;
  int found;
  while ((found = lre_regex_match(step->re, scratch, text, len, at, &span, 1, err)) == 1) {
    at = span.end;
    if (span.start == span.end) {
      if (at >= len) break;
      const char *next = text + at;
      lre_steps_next_char(&next, text + len);
      at = (size_t)(next - text);
      continue;
    }
    put_part(&s, text + done, span.start - done, step->invert);
    put_part(&s, text + span.start, span.end - span.start, !step->invert);
    done = span.end;
  }
  put_part(&s, text + done, len - done, step->invert);
  end_open(&s);
  return found >= 0;
}

static bool begins_with(const char *text, size_t len, const struct lre_buf *what) {
  return len >= what->len && memcmp(text, what->data, what->len) == 0;
}

static void metaspace(const struct lre_step *step, const char *text, size_t len, bool first, struct lre_pieces *out) {
  const struct lre_buf *mark = &step->text;
  bool marked = begins_with(text, len, mark) || (len && *text == ' ');
  size_t begin = out->text.len;
  if (!marked && (step->scheme == LRE_SCHEME_ALWAYS || (step->scheme == LRE_SCHEME_FIRST && first)))
    lre_buf_put(&out->text, mark->data, mark->len);
  for (const char *s = text, *end = text + len; s < end;) {
    bool space = *s == ' ', at_mark = space || begins_with(s, (size_t)(end - s), mark);
    if (at_mark && step->invert && out->text.len > begin) {
      lre_pieces_end(out);
      begin = out->text.len;
    }
    if (at_mark) {
      lre_buf_put(&out->text, mark->data, mark->len);
      s += space ? 1 : mark->len;
    } else {
      lre_buf_putc(&out->text, *s++);
    }
  }
  if (out->text.len > begin) lre_pieces_end(out);
}

static void put_space(const struct lre_step *step, const char *text, size_t len, struct lre_pieces *out) {
  if (step->flags && len && *text != ' ') lre_buf_putc(&out->text, ' ');
  lre_buf_put(&out->text, text, len);
  lre_pieces_end(out);
}

static bool run_step(const struct lre_step *step, const struct lre_pieces *in, bool first, struct lre_pieces *out,
                     struct lre_regex_scratch *scratch, struct lre_err *err) {
  lre_pieces_clear(out);
  for (size_t i = 0, begin = 0; i < in->n; begin = in->ends[i++]) {
    const char *text = in->text.data + begin;
    size_t len = in->ends[i] - begin;
    if (!len) continue;
    if (step->kind == LRE_STEP_SPLIT && !split(step, text, len, out, scratch, err)) return false;
    if (step->kind == LRE_STEP_METASPACE) metaspace(step, text, len, first && i == 0, out);
    if (step->kind == LRE_STEP_BYTE_LEVEL) put_space(step, text, len, out);
  }
  return !(out->failed || out->text.failed) || lre_err_memory(err);
}

bool lre_pretokenize(const struct lre_steps *s, const char *text, size_t len, bool first, struct lre_pieces *out,
                     struct lre_pieces *spare, struct lre_regex_scratch *scratch, struct lre_err *err) {
  lre_pieces_clear(out);
  lre_buf_put(&out->text, text, len);
  lre_pieces_end(out);
  if (out->failed || out->text.failed) return lre_err_memory(err);
  for (size_t i = 0; i < s->n; i++) {
    if (!run_step(&s->list[i], out, first, spare, scratch, err)) return false;
    struct lre_pieces swapped = *out;
    *out = *spare;
    *spare = swapped;
  }
  return true;
}
