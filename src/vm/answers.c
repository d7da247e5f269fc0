#include "vm/answers.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"

void lre_answers_init(struct lre_answers *a) {
  *a = (struct lre_answers){0};
  lre_buf_init(&a->out);
}

void lre_answers_free(struct lre_answers *a) {
  lre_buf_free(&a->out);
  free(a->odd);
  lre_answers_init(a);
}

/* The first byte that is no blank as Lua's %s has it, or `end`. */
static const char *skip_blank(const char *s, const char *end) {
  while (s < end && (*s == ' ' || (*s >= '\t' && *s <= '\r'))) s++;
  return s;
}

static bool note_odd(struct lre_answers *a, size_t start, size_t len, struct lre_err *err) {
  struct lre_answers_odd *grown = realloc(a->odd, (a->n_odd + 1) * sizeof *grown);
  if (!grown) return lre_err_memory(err);
  a->odd = grown;
  grown[a->n_odd++] = (struct lre_answers_odd){.line = a->lines, .start = start, .len = len, .at = a->out.len};
  return true;
}

static bool ends_in_error(const struct lre_buf *out) {
  static const char tail[] = "\"state\":\"error\"}";
  size_t n = sizeof tail - 1;
  return out->len >= n && memcmp(out->data + out->len - n, tail, n) == 0;
}

static bool judge_answer(const struct lre_answer *answer, const struct lre_answers_judge *judges, size_t n,
                         struct lre_answers *a, struct lre_err *err) {
  for (size_t i = 0; i < n; i++) {
    lre_buf_puts(&a->out, "{\"id\":");
    if (!lre_json_put_string(&a->out, answer->id.s, answer->id.len, err)) return false;
    lre_buf_put(&a->out, judges[i].name, judges[i].name_len);
    if (!lre_sandbox_judge_answer(judges[i].state, answer, &a->out, err)) return false;
    a->errors += ends_in_error(&a->out);
    if (!lre_buf_puts(&a->out, "}\n")) return lre_err_memory(err);
  }
  a->rows++;
  return true;
}

/* An answer without a word is not for the judge to say. */
static bool read_answer(const char *line, size_t len, struct lre_answer *answer, char *room) {
  static const char *const names[] = {"id", "prompt", "response"};
  struct lre_json_string values[3];
  if (!lre_json_read_strings(line, len, names, 3, values, room)) return false;
  *answer = (struct lre_answer){.id = values[0], .prompt = values[1], .text = values[2]};
  const char *end = answer->text.s + answer->text.len;
  return skip_blank(answer->text.s, end) < end;
}

bool lre_answers_judge(const char *text, size_t len, const struct lre_answers_judge *judges, size_t n,
                       struct lre_answers *a, struct lre_err *err) {
  char *room = malloc(len + 1); /* for what was escaped, of one line at a time */
  bool ok = room || lre_err_memory(err);
  for (size_t at = 0; ok && at < len;) {
    const char *newline = memchr(text + at, '\n', len - at);
    size_t start = at, stop = newline ? (size_t)(newline - text) : len;
    at = stop + 1;
    a->lines++;
    if (stop > start && text[stop - 1] == '\r') stop--;
    const char *first = skip_blank(text + start, text + stop);
    struct lre_answer answer;
    if (first == text + stop || *first == '#') continue;
    ok = read_answer(text + start, stop - start, &answer, room) ? judge_answer(&answer, judges, n, a, err)
                                                                : note_odd(a, start, stop - start, err);
  }
  free(room);
  return ok;
}
