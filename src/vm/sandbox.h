/* sandbox.h: a Lua state of its own for one rule judge.
 *
 * Pure and bounded: an allow-list of globals, frozen (read-only) globals, library tables and module-level tables,
 * sorted pairs/next, no addresses, source only, one step budget that Lua instructions and C helpers share, a memory cap
 * counted after a full collection, a seeded math.random. A kill (budget, memory, regex limit, impurity) is caught by no
 * pcall; the state is thrown away and built again. The state may be run by any thread, one at a time. */
#ifndef LRE_VM_SANDBOX_H
#define LRE_VM_SANDBOX_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"

struct lre_sandbox;

struct lre_sandbox_limits {
  uint64_t steps;       /* a row's; 0: 5,000,000 */
  size_t bytes;         /* live Lua memory; 0: 64 MiB */
  uint32_t regex_match; /* 0: 1,000,000 */
};

/* `preload` puts the modules that a judge may use ("lre.regex", "lre.json", "lre.stats", "lre.text") into
 * package.preload of the state (vm/ knows no binding); `patterns` are compiled by its lre.regex.
 *
 * Everything a state is built from, so that it can be built again, and on another thread. Immutable once built, shared
 * by the states of one judge, freed when the last is gone. */
struct lre_sandbox_spec;
struct lre_sandbox_spec *lre_sandbox_spec_new(const char *chunk_name /* "@judges/x.lua" */, const char *source,
                                              size_t len, const struct lre_sandbox_limits *limits,
                                              void (*preload)(lua_State *L), struct lre_err *err);
bool lre_sandbox_spec_add_module(struct lre_sandbox_spec *spec, const char *name, const char *chunk_name,
                                 const char *source, size_t len, struct lre_err *err); /* for its require */
bool lre_sandbox_spec_set_options(struct lre_sandbox_spec *spec, const char *json, size_t len, struct lre_err *err);
void lre_sandbox_spec_retain(struct lre_sandbox_spec *spec);
void lre_sandbox_spec_release(struct lre_sandbox_spec *spec);

/* Builds a state: runs the chunk, compiles its `patterns`, freezes. Loading has a budget of its own (100,000,000
 * steps). kind "script" (code "syntax", "runtime", "killed"), message with file:line. */
struct lre_sandbox *lre_sandbox_new(struct lre_sandbox_spec *spec, struct lre_err *err);
void lre_sandbox_free(struct lre_sandbox *sb);

/* Pushes onto `to` a plain copy of the table that the chunk returned (functions as placeholders). */
bool lre_sandbox_declared(struct lre_sandbox *sb, lua_State *to, struct lre_err *err);

/* Judges one row: `row` is {"trial":{...},"response":{...}} as JSON. Appends the verdict as canonical compact JSON:
 *   {"label":..,"value":..,"evidence":..,"state":"scored"|"undecided"}        what the judge returned
 *   {"state":"error","reason":{"code":"script","message":"judges/x.lua:12: ...","traceback":".."}}
 *   {"state":"unscored","reason":{"code":"steps"|"memory"|"regex"|"impure"|"result","message":"... (knob)","limit":n}}
 * Absent fields are left out. A judge returns a string (the label) or a table; "undecided" is what it says, never what
 * it forgot. "result" means: no label (or, where the file declares no labels, no value) without that state, a label
 * that is not declared, a field that no verdict has, a value that is not finite, evidence over 64 KiB, deeper than 32,
 * or not JSON, an integer over 2^53.
 *
 * A row's verdict depends on the row alone: budget, random numbers and iteration order start anew, and a row that
 * reaches the memory cap is judged again in a state that has judged nothing.
 *
 * False only for what is not the judge's fault (no memory for us, a row that is not JSON); then the row is not
 * answered. */
bool lre_sandbox_judge(struct lre_sandbox *sb, const char *row, size_t len, struct lre_buf *out, struct lre_err *err);
/* A row of a file of answers: what is asked of the judge is lre_answer_put's text. */
struct lre_answer {
  struct lre_json_string id, prompt, text;
};
/* Appends {"response":{"finish_reason":"stop","text":..},"trial":{..}} of a sample `id` of the suite "file". */
bool lre_answer_put(const struct lre_answer *answer, struct lre_buf *out, struct lre_err *err);
/* As lre_sandbox_judge of that text, which is not made. */
bool lre_sandbox_judge_answer(struct lre_sandbox *sb, const struct lre_answer *answer, struct lre_buf *out,
                              struct lre_err *err);
/* The same for lines: one verdict line a row line, in order. */
bool lre_sandbox_judge_block(struct lre_sandbox *sb, const char *rows, size_t len, struct lre_buf *out,
                             struct lre_err *err);

/* For helpers in C (through lre_context_charge). Raises the kill when the budget is gone. */
void lre_sandbox_charge(struct lre_sandbox *sb, lua_State *L, size_t steps);
/* Raises the kill for a regex limit, naming the pattern. */
int lre_sandbox_kill_regex(struct lre_sandbox *sb, lua_State *L, const struct lre_err *err);

#endif
