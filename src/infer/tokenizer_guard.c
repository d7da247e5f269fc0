/* A user's text among a template's own. Inside what looks like a special token stands U+FDD0, a break: no special token
 * is found over one. Before a U+FDD0 or U+FDD1 that is the text's own stands U+FDD1. Both are noncharacters: no text
 * has a use for them, and no normalization changes them. */
#include <stdlib.h>
#include <string.h>

#include "infer/tokenizer_parts.h"

#define BREAK      "\xef\xb7\x90"
#define ESCAPE     "\xef\xb7\x91"
#define MARK_BYTES 3

static bool at_mark(const char *s, const char *end, const char *mark) {
  return end - s >= MARK_BYTES && memcmp(s, mark, MARK_BYTES) == 0;
}

static bool at_either(const char *s, const char *end) {
  return at_mark(s, end, BREAK) || at_mark(s, end, ESCAPE);
}

bool lre_guard_mark(const char *text, size_t len, const char *breaks, struct lre_buf *out) {
  const char *end = text + len;
  for (const char *s = text, *next = text; s < end; s = next) {
    if (breaks[s - text]) lre_buf_puts(out, BREAK);
    if (at_either(s, end)) lre_buf_puts(out, ESCAPE);
    lre_steps_next_char(&next, end);
    lre_buf_put(out, s, (size_t)(next - s));
  }
  if (breaks[len]) lre_buf_puts(out, BREAK);
  return !out->failed;
}

bool lre_guard_unmark(struct lre_buf *text, struct lre_buf *breaks) {
  char *to = text->data;
  const char *end = text->data + text->len;
  lre_buf_clear(breaks);
  if (!lre_buf_reserve(breaks, text->len + 1)) return false;
  memset(breaks->data, 0, text->len + 1);
  for (const char *s = text->data; s < end;) {
    if (at_mark(s, end, BREAK)) {
      breaks->data[to - text->data] = 1;
      s += MARK_BYTES;
      continue;
    }
    if (at_mark(s, end, ESCAPE) && at_either(s + MARK_BYTES, end)) {
      s += MARK_BYTES;
      memmove(to, s, MARK_BYTES);
      to += MARK_BYTES, s += MARK_BYTES;
    } else {
      *to++ = *s++;
    }
  }
  if (text->data) *to = '\0';
  text->len = (size_t)(to - text->data);
  breaks->len = text->len + 1;
  return true;
}

bool lre_guard_broken(const char *breaks, size_t at, size_t len) {
  return (breaks[at] && breaks[at + len]) || memchr(breaks + at + 1, 1, len - 1);
}

static size_t edge_from(const char *text, size_t at, size_t len) {
  while (at < len && ((unsigned char)text[at] & 0xc0) == 0x80) at++;
  return at;
}

/* A token of one character is broken at both its ends. */
static void break_early(const struct lre_tokenizer *t, const char *text, size_t len, char *breaks) {
  for (size_t at = 0; at < len; at++) {
    for (size_t i = 0; t->special_first[(unsigned char)text[at]] && i < t->n_added; i++) {
      const struct lre_added *a = &t->added[i];
      if (!a->special || a->len > len - at || memcmp(a->text, text + at, a->len) != 0) continue;
      size_t second = edge_from(text, at + 1, len);
      breaks[second] = 1;
      if (second == at + a->len) breaks[at] = 1;
    }
  }
}

/* Whether what the normalizer makes of a text has a special token in it. True where that cannot be told. */
static bool holds_late(struct lre_tokenizer *t, const char *text, size_t len) {
  struct lre_buf normal;
  struct lre_err err;
  lre_buf_init(&normal);
  bool found = !lre_buf_put(&normal, text, len) || !lre_normalize(&t->normalizer, &normal, true, t->scratch, &err);
  for (size_t i = 0; !found && normal.len && i < t->n_added; i++) {
    const struct lre_buf *core = &t->added[i].core;
    found = core->len && memmem(normal.data, normal.len, core->data, core->len);
  }
  lre_buf_free(&normal);
  return found;
}

/* The end of the first look-alike from `from` on; 0: there is none. The texts tried double, so that a text of many
 * look-alikes takes no square of its length. */
static size_t end_of_late(struct lre_tokenizer *t, const char *text, size_t len, size_t from) {
  size_t low = from, high = from;
  for (size_t step = 64;; step *= 2) {
    high = step < len - from ? edge_from(text, from + step, len) : len;
    if (holds_late(t, text + from, high - from)) break;
    if (high == len) return 0;
    low = high;
  }
  for (;;) {
    size_t middle = edge_from(text, low + (high - low) / 2, len), next = edge_from(text, low + 1, len);
    if (middle <= low || middle >= high) middle = next;
    if (middle >= high) return high;
    if (holds_late(t, text + from, middle - from))
      high = middle;
    else
      low = middle;
  }
}

static void break_late(struct lre_tokenizer *t, const char *text, size_t len, char *breaks) {
  for (size_t from = 0, end; from < len && (end = end_of_late(t, text, len, from)) != 0;) {
    size_t last = end - 1;
    while (last > from && ((unsigned char)text[last] & 0xc0) == 0x80) last--;
    breaks[last] = breaks[end] = 1;
    from = last > from ? last : end;
  }
}

bool lre_tokenizer_guard(struct lre_tokenizer *t, const char *text, size_t len, struct lre_buf *out) {
  char *breaks = calloc(len + 1, 1);
  if (!breaks) {
    out->failed = true;
    return true;
  }
  break_early(t, text, len, breaks);
  pthread_mutex_lock(&t->lock);
  if (t->late_specials) break_late(t, text, len, breaks);
  pthread_mutex_unlock(&t->lock);
  size_t before = out->len;
  lre_guard_mark(text, len, breaks, out);
  free(breaks);
  return out->failed || out->len - before > len;
}
