/* answers.h: the lines of a file of answers, judged.
 *
 * A file may have millions, nearly all of one shape: { id, prompt, response }, three texts. These are read, judged and
 * written by a worker without becoming Lua values of the main state. Any other line is left for the caller, with the
 * place where its verdicts belong. */
#ifndef LRE_VM_ANSWERS_H
#define LRE_VM_ANSWERS_H

#include "vm/sandbox.h"

struct lre_answers_judge {
  struct lre_sandbox *state;
  const char *name; /* {"id":...<name>{verdict}}: `,"judge":"refusal","verdict":` */
  size_t name_len;
};

struct lre_answers_odd { /* a line of another shape */
  size_t line;           /* 1.. */
  size_t start, len;
  size_t at; /* in out: its verdicts come before this byte */
};

struct lre_answers {
  struct lre_buf out; /* a line a row and judge, in order */
  struct lre_answers_odd *odd;
  size_t n_odd;
  size_t lines, rows; /* of the text; rows that are judged here */
  size_t errors;      /* verdicts of state "error" */
};

void lre_answers_init(struct lre_answers *a);
void lre_answers_free(struct lre_answers *a);
/* Blank lines and those that begin with # are passed over. False: as lre_sandbox_judge. */
bool lre_answers_judge(const char *text, size_t len, const struct lre_answers_judge *judges, size_t n,
                       struct lre_answers *a, struct lre_err *err);

#endif
