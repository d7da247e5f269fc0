/* sandbox.c: specs, states and rows. The other parts: budget.c (limits), sandlib.c and its neighbours (what a judge may
 * call), freeze_module.c (what it may keep: nothing), verdict.c (what it may return). */
#include "vm/sandbox.h"

#include <lauxlib.h>
#include <stdlib.h>
#include <string.h>

#include "core/json_span.h"
#include "vm/freeze.h"
#include "vm/judge.h"
#include "vm/sandbox_state.h"

enum {
  DEFAULT_STEPS = 5000000,
  DEFAULT_BYTES = 64 << 20,
  DEFAULT_REGEX_MATCH = 1000000,
  EVIDENCE_BYTES = 64 << 10,
  KEPT_TEXT_BYTES = 64 << 10, /* of the memory that reading a row takes */
  /* What rows may leave behind until it is collected, between two rows: as much as the judge itself, within these. A
   * megabyte stays in the second cache; a collection of a large judge marks more than that. */
  LEAST_GARBAGE = 1 << 20,
  MOST_GARBAGE = 4 << 20
};

/* ---- specs ---- */

static char *copy_bytes(const char *s, size_t len) {
  char *copy = malloc(len + 1);
  if (!copy) return NULL;
  if (len) memcpy(copy, s, len);
  copy[len] = '\0';
  return copy;
}

static void free_module(struct lre_module *m) {
  free(m->name);
  free(m->chunk_name);
  free(m->source);
}

static bool fill_module(struct lre_module *m, const char *name, const char *chunk_name, const char *source,
                        size_t len) {
  m->name = copy_bytes(name, strlen(name));
  m->chunk_name = copy_bytes(chunk_name, strlen(chunk_name));
  m->source = copy_bytes(source, len);
  m->len = len;
  return m->name && m->chunk_name && m->source;
}

struct lre_sandbox_spec *lre_sandbox_spec_new(const char *chunk_name, const char *source, size_t len,
                                              const struct lre_sandbox_limits *limits, void (*preload)(lua_State *L),
                                              struct lre_err *err) {
  struct lre_sandbox_spec *spec = calloc(1, sizeof *spec);
  if (spec) spec->bank = lre_regex_bank_new(err);
  if (!spec || !spec->bank || !fill_module(&spec->main, "", chunk_name, source, len)) {
    if (spec) lre_regex_bank_free(spec->bank);
    if (spec) free_module(&spec->main);
    free(spec);
    lre_err_memory(err);
    return NULL;
  }
  atomic_init(&spec->references, 1);
  spec->preload = preload;
  if (limits) spec->limits = *limits;
  if (!spec->limits.steps) spec->limits.steps = DEFAULT_STEPS;
  if (!spec->limits.bytes) spec->limits.bytes = DEFAULT_BYTES;
  if (!spec->limits.regex_match) spec->limits.regex_match = DEFAULT_REGEX_MATCH;
  return spec;
}

bool lre_sandbox_spec_add_module(struct lre_sandbox_spec *spec, const char *name, const char *chunk_name,
                                 const char *source, size_t len, struct lre_err *err) {
  struct lre_module *grown = realloc(spec->modules, (spec->n_modules + 1) * sizeof *grown);
  if (!grown) return lre_err_memory(err);
  spec->modules = grown;
  struct lre_module module = {0};
  if (!fill_module(&module, name, chunk_name, source, len)) {
    free_module(&module);
    return lre_err_memory(err);
  }
  size_t at = spec->n_modules++;
  for (; at > 0 && strcmp(grown[at - 1].name, name) > 0; at--) grown[at] = grown[at - 1];
  grown[at] = module; /* by name: whoever adds them, they load in one order */
  return true;
}

bool lre_sandbox_spec_set_options(struct lre_sandbox_spec *spec, const char *json, size_t len, struct lre_err *err) {
  char *copy = copy_bytes(json, len);
  if (!copy) return lre_err_memory(err);
  struct lre_json_doc doc;
  if (!lre_json_parse(&doc, copy, len, NULL, err)) {
    free(copy);
    return false;
  }
  lre_json_free(&doc);
  free(spec->options);
  spec->options = copy;
  spec->options_len = len;
  return true;
}

void lre_sandbox_spec_retain(struct lre_sandbox_spec *spec) {
  atomic_fetch_add(&spec->references, 1);
}

void lre_sandbox_spec_release(struct lre_sandbox_spec *spec) {
  if (!spec || atomic_fetch_sub(&spec->references, 1) != 1) return;
  free_module(&spec->main);
  for (size_t i = 0; i < spec->n_modules; i++) free_module(&spec->modules[i]);
  free(spec->modules);
  lre_regex_bank_free(spec->bank);
  free(spec->options);
  free(spec->resting);
  free(spec);
}

/* ---- states ---- */

static void close_state(struct lre_sandbox *sb) {
  if (sb->L) lua_close(sb->L);
  sb->L = NULL;
  lre_alloc_free(&sb->memory);
  free(sb->upvalues);
  sb->upvalues = NULL;
  sb->n_upvalues = 0;
}

/* What a protected call of judge.c failed with, as an error of kind "script". */
static bool fail_load(struct lre_sandbox *sb, int status, struct lre_err *err) {
  if (sb->kill.code && strcmp(sb->kill.code, "no_memory") == 0) return lre_err_memory(err);
  if (sb->kill.code) return lre_err_set(err, "script", "killed", "%s", sb->kill.message);
  const char *message = lua_type(sb->L, -1) == LUA_TSTRING ? lua_tostring(sb->L, -1) : "error in error handling";
  return lre_err_set(err, "script", status == LUA_ERRSYNTAX ? "syntax" : "runtime", "%s", message);
}

static bool build_state(struct lre_sandbox *sb, struct lre_err *err) {
  struct lre_load load = {.sb = sb};
  struct lre_json_doc options;
  bool has_options = sb->spec->options != NULL;
  if (has_options && !lre_json_parse(&options, sb->spec->options, sb->spec->options_len, NULL, err)) return false;
  load.options = has_options ? &options : NULL;
  sb->used = 0;
  sb->L = lua_newstate(lre_sandbox_alloc, sb);
  bool ok = sb->L || lre_err_memory(err);
  if (ok) {
    *(struct lre_context **)lua_getextraspace(sb->L) = &sb->context;
    lua_gc(sb->L, LUA_GCSTOP); /* only between rows, or where the cap is reached: see lre_sandbox_judge */
    sb->loading = true;
    sb->seed = sb->spec->main.source;
    sb->seed_len = sb->spec->main.len;
    sb->seed_answer = NULL;
    lre_sandbox_arm(sb);
    int status = lre_judge_load(sb->L, &load);
    lre_sandbox_note_status(sb, sb->L, status);
    ok = status == LUA_OK || fail_load(sb, load.syntax ? LUA_ERRSYNTAX : status, err);
    sb->loading = false;
    sb->fresh = true;
  }
  if (has_options) lre_json_free(&options);
  if (!ok) {
    close_state(sb);
    return false;
  }
  if (!sb->spec->loaded) {
    sb->spec->loaded = true;
    lre_regex_bank_seal(sb->spec->bank);
  }
  lua_gc(sb->L, LUA_GCCOLLECT);
  sb->baseline = sb->used;
  return true;
}

struct lre_sandbox *lre_sandbox_new(struct lre_sandbox_spec *spec, struct lre_err *err) {
  struct lre_sandbox *sb = calloc(1, sizeof *sb);
  if (!sb) {
    lre_err_memory(err);
    return NULL;
  }
  struct lre_regex_limits limits = {.match = spec->limits.regex_match};
  sb->spec = spec;
  lre_sandbox_spec_retain(spec);
  sb->context.sandbox = sb;
  sb->context.bank = spec->bank;
  sb->context.scratch = lre_regex_scratch_new(&limits, err);
  lre_buf_init(&sb->evidence);
  sb->evidence.max_bytes = EVIDENCE_BYTES;
  bool ok = sb->context.scratch && (lre_buf_reserve(&sb->evidence, EVIDENCE_BYTES) || lre_err_memory(err));
  if (!ok || !build_state(sb, err)) {
    lre_sandbox_free(sb);
    return NULL;
  }
  return sb;
}

void lre_sandbox_free(struct lre_sandbox *sb) {
  if (!sb) return;
  close_state(sb);
  lre_buf_free(&sb->evidence);
  lre_json_text_free(&sb->text);
  lre_regex_scratch_free(sb->context.scratch);
  lre_sandbox_spec_release(sb->spec);
  free(sb);
}

bool lre_sandbox_declared(struct lre_sandbox *sb, lua_State *to, struct lre_err *err) {
  if (!sb->L && !build_state(sb, err)) return false;
  lre_judge_push_declared(sb->L);
  bool ok = lre_value_copy(sb->L, -1, to, true, err);
  lua_pop(sb->L, 1);
  if (ok && !lre_judge_add_resting(sb->spec, to, err)) {
    lua_pop(to, 1);
    ok = false;
  }
  return ok;
}

/* ---- rows ---- */

struct seed {
  const char *text;
  size_t len;
};

/* One attempt. False: not the judge's fault. */
static bool judge_once(struct lre_sandbox *sb, struct lre_row *row, const struct seed *seed, struct lre_err *err) {
  sb->seed = seed->text;
  sb->seed_len = seed->len;
  sb->seed_answer = row->answer;
  lre_sandbox_arm(sb);
  lre_judge_row(sb->L, row);
  sb->fresh = false;
  if (!sb->kill.code) lre_sandbox_verify(sb, sb->L);
  if (!sb->kill.code) return true;
  close_state(sb);
  return strcmp(sb->kill.code, "no_memory") != 0 || lre_err_memory(err);
}

/* A row that reaches the memory cap is judged again in a new state, so that what it sees of the collector does not
 * depend on the rows before it. */
static bool judge_attempts(struct lre_sandbox *sb, struct lre_row *row, const struct seed *seed, struct lre_err *err) {
  for (int attempt = 0; attempt < 2; attempt++) {
    if (!sb->L && !build_state(sb, err)) return false;
    bool fresh = sb->fresh;
    if (!judge_once(sb, row, seed, err)) return false;
    if (fresh || !sb->collected) break;
    close_state(sb);
  }
  return true;
}

static bool has_garbage(const struct lre_sandbox *sb) {
  size_t kept = sb->baseline, most = kept < LEAST_GARBAGE ? LEAST_GARBAGE : kept > MOST_GARBAGE ? MOST_GARBAGE : kept;
  return sb->used > kept + most;
}

/* Judges what `row` holds; its verdict goes to out. */
static bool judge_row(struct lre_sandbox *sb, struct lre_row *row, const struct seed *seed, struct lre_buf *out,
                      struct lre_err *err) {
  row->evidence = &sb->evidence;
  lre_judge_row_init(row);
  bool ok = judge_attempts(sb, row, seed, err) && lre_judge_put_verdict(sb, row, out, err);
  lre_judge_row_free(row);
  if (ok && sb->L && has_garbage(sb)) lua_gc(sb->L, LUA_GCCOLLECT);
  return ok;
}

bool lre_answer_put(const struct lre_answer *a, struct lre_buf *out, struct lre_err *err) {
  lre_buf_puts(out, "{\"response\":{\"finish_reason\":\"stop\",\"text\":");
  bool ok = lre_json_put_string(out, a->text.s, a->text.len, err);
  lre_buf_puts(out, "},\"trial\":{\"key\":");
  ok = ok && lre_json_put_string(out, a->id.s, a->id.len, err);
  lre_buf_puts(out, ",\"messages\":[{\"content\":");
  ok = ok && lre_json_put_string(out, a->prompt.s, a->prompt.len, err);
  lre_buf_puts(out, ",\"role\":\"user\"}],\"model\":\"unknown\",\"persona\":\"none\",\"prompt\":");
  ok = ok && lre_json_put_string(out, a->prompt.s, a->prompt.len, err);
  lre_buf_puts(out, ",\"repeat\":1,\"sample_id\":");
  ok = ok && lre_json_put_string(out, a->id.s, a->id.len, err);
  return ok && (lre_buf_puts(out, ",\"suite\":\"file\"}}") || lre_err_memory(err));
}

bool lre_sandbox_judge_answer(struct lre_sandbox *sb, const struct lre_answer *answer, struct lre_buf *out,
                              struct lre_err *err) {
  struct lre_row row = {.answer = answer};
  struct seed seed = {0};
  return judge_row(sb, &row, &seed, out, err);
}

bool lre_sandbox_judge(struct lre_sandbox *sb, const char *text, size_t len, struct lre_buf *out, struct lre_err *err) {
  if (!lre_json_check(&sb->text, text, len, NULL, err)) return false;
  if (*lre_json_span_of(sb->text.text, sb->text.len).s != '{')
    return lre_err_set(err, "json", "shape", "a row to judge: expected an object with trial and response");
  struct lre_row row = {.text = &sb->text};
  struct seed seed = {text, len};
  bool ok = judge_row(sb, &row, &seed, out, err);
  if (len > KEPT_TEXT_BYTES) lre_json_text_free(&sb->text);
  return ok;
}

bool lre_sandbox_judge_block(struct lre_sandbox *sb, const char *rows, size_t len, struct lre_buf *out,
                             struct lre_err *err) {
  const char *end = rows + len;
  for (const char *line = rows; line < end;) {
    const char *newline = memchr(line, '\n', (size_t)(end - line));
    const char *stop = newline ? newline : end;
    if (!lre_sandbox_judge(sb, line, (size_t)(stop - line), out, err)) return false;
    if (!lre_buf_putc(out, '\n')) return lre_err_memory(err);
    line = stop + 1;
  }
  return true;
}
