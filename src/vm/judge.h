/* judge.h: loading a judge's file into its state, calling it, and reading its verdict; sandbox.c decides when. */
#ifndef LRE_VM_JUDGE_H
#define LRE_VM_JUDGE_H

#include <lua.h>

#include "vm/sandbox_state.h"
#include "vm/value.h"

struct lre_load {
  struct lre_sandbox *sb;
  const struct lre_json_doc *options; /* may be NULL */
  bool syntax;                        /* set where the file is not Lua */
};

/* Opens the libraries, runs the chunk, freezes. Lua's status; where not LUA_OK the message is on the stack. */
int lre_judge_load(lua_State *L, struct lre_load *load);
/* Once the file is loaded: what every row needs, where it is at hand. May raise a memory error. */
void lre_judge_prepare(lua_State *L);
void lre_judge_push_declared(lua_State *L); /* the table that the chunk returned, without what no row needs */
/* Adds that to a copy of it, which is on the top of `to`. */
bool lre_judge_add_resting(const struct lre_sandbox_spec *spec, lua_State *to, struct lre_err *err);

struct lre_row {
  const struct lre_json_text *text; /* { trial, response }; or: */
  const struct lre_answer *answer;  /* what stands for them */
  /* the verdict: */
  bool failed; /* the judge raised an error */
  bool undecided;
  struct lre_buf label, value;     /* JSON tokens; empty: absent */
  struct lre_buf *evidence;        /* the sandbox's */
  struct lre_buf bad;              /* what is wrong with the result */
  struct lre_buf error, traceback; /* of a script's error */
};

void lre_judge_row_init(struct lre_row *row);
void lre_judge_row_free(struct lre_row *row);
/* Calls the judge and reads its result into the row. A kill is left in the sandbox. */
void lre_judge_row(lua_State *L, struct lre_row *row);
/* Appends the verdict's JSON, from the row or the sandbox's kill. */
bool lre_judge_put_verdict(const struct lre_sandbox *sb, const struct lre_row *row, struct lre_buf *out,
                           struct lre_err *err);

#endif
