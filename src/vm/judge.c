/* judge.c: one row: call the judge, check what it returned, write the verdict. */
#include "vm/judge.h"

#include <errno.h>
#include <lauxlib.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/utf8.h"
#include "vm/freeze.h"
#include "vm/judge_parts.h"

#define LARGEST_INTEGER 9007199254740992ull /* 2^53 */

enum { MAX_EVIDENCE_DEPTH = 32, MAX_MESSAGE_BYTES = 4 << 10 };

static void each_buf(struct lre_row *row, void (*fn)(struct lre_buf *b)) {
  fn(&row->label);
  fn(&row->value);
  fn(&row->bad);
  fn(&row->error);
  fn(&row->traceback);
}

void lre_judge_row_init(struct lre_row *row) {
  each_buf(row, lre_buf_init);
}

void lre_judge_row_free(struct lre_row *row) {
  each_buf(row, lre_buf_free);
}

/* ---- the result ---- */

static bool reject(struct lre_row *row, const char *problem) {
  lre_buf_clear(&row->bad);
  lre_buf_puts(&row->bad, problem);
  return false;
}

/* Pushes a field of the result at `result`, without its metamethods. */
static int push_field(lua_State *L, int result, const char *name) {
  lua_pushstring(L, name);
  return lua_rawget(L, result);
}

static bool is_declared_label(lua_State *L, int label) {
  bool found = false;
  int top = lua_gettop(L);
  lre_judge_push_declared(L);
  lre_freeze_look(L, -1);
  bool any = push_field(L, lua_gettop(L), "labels") == LUA_TTABLE;
  if (any) lre_freeze_look(L, -1);
  for (lua_Integer i = 1; any && !found && lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
    found = lua_rawequal(L, -1, label);
    lua_pop(L, 1);
  }
  lua_settop(L, top);
  return found || !any;
}

/* A forgotten `return` must not look like a judge that cannot tell. */
#define NO_VERDICT "no verdict: return a label, or state = \"undecided\" where the judge cannot tell"

/* The label is on the top. */
static bool read_label(lua_State *L, struct lre_row *row) {
  struct lre_err err;
  int type = lua_type(L, -1), index = lua_gettop(L);
  if (type == LUA_TNIL) return true;
  if (type != LUA_TSTRING) {
    lre_buf_printf(&row->bad, "label: expected a string, got %s", luaL_typename(L, -1));
    return false;
  }
  if (!lre_value_encode(L, index, &row->label, 0, &err)) return reject(row, "label: not valid UTF-8");
  if (is_declared_label(L, index)) return true;
  lre_buf_printf(&row->bad, "label: %s is not in the judge's labels", row->label.data);
  return false;
}

/* Reads back what the strict parser would refuse in our own files: deep nesting, and integers that doubles do not hold.
 */
static bool is_readable(const struct lre_buf *json, const char **problem) {
  bool in_string = false;
  int depth = 0;
  for (const char *p = json->data, *end = p + json->len; p < end; p++) {
    if (in_string) {
      if (*p == '\\') {
        p++; /* what is escaped, a quote too */
      } else {
        in_string = *p != '"';
      }
      continue;
    }
    in_string = *p == '"';
    depth += (*p == '[' || *p == '{') - (*p == ']' || *p == '}');
    *problem = "nested over 32 deep; return something flatter";
    if (depth > MAX_EVIDENCE_DEPTH) return false;
    if (*p < '0' || *p > '9') continue;
    char *stop;
    errno = 0;
    unsigned long long digits = strtoull(p, &stop, 10);
    *problem = "an integer over 2^53 is not the same everywhere; return a string";
    bool is_float = *stop == '.' || *stop == 'e';
    if (!is_float && (errno || digits > LARGEST_INTEGER)) return false;
    if (is_float) stop += strspn(stop, ".eE+-0123456789");
    p = stop - 1;
  }
  return true;
}

static bool read_value(lua_State *L, struct lre_row *row) {
  struct lre_err err;
  int type = lua_type(L, -1);
  if (type == LUA_TNIL) return true;
  if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TBOOLEAN) {
    lre_buf_printf(&row->bad, "value: expected a number, string or boolean, got %s", luaL_typename(L, -1));
    return false;
  }
  if (type == LUA_TNUMBER && !isfinite(lua_tonumber(L, -1))) return reject(row, "value: the number is not finite");
  const char *problem;
  if (lre_value_encode(L, -1, &row->value, 0, &err)) {
    if (is_readable(&row->value, &problem)) return true;
    lre_buf_printf(&row->bad, "value: %s", problem);
    return false;
  }
  lre_buf_printf(&row->bad, "value: %s", err.message);
  return false;
}

static bool read_evidence(lua_State *L, struct lre_row *row) {
  struct lre_err err;
  const char *problem;
  if (lua_isnil(L, -1)) return true;
  if (lre_value_encode(L, -1, row->evidence, 0, &err)) {
    if (is_readable(row->evidence, &problem)) return true;
    lre_buf_printf(&row->bad, "evidence: %s", problem);
    return false;
  }
  if (!row->evidence->failed && strcmp(err.kind, "memory") == 0) {
    lre_sandbox_note_status(lre_sandbox_of(L), L, LUA_ERRMEM);
    return false;
  }
  if (row->evidence->failed) return reject(row, "evidence: over 64 KiB; return less");
  lre_buf_printf(&row->bad, "evidence: %s", err.message);
  return false;
}

static bool read_state(lua_State *L, struct lre_row *row) {
  bool given = !lua_isnil(L, -1);
  const char *state = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "";
  if (given && strcmp(state, "undecided") != 0 && strcmp(state, "scored") != 0)
    return reject(row, "state: expected \"scored\", \"undecided\" or nothing");
  if (strcmp(state, "scored") == 0 && !row->label.len && !row->value.len)
    return reject(row, "state: \"scored\" without a label or a value");
  row->undecided = strcmp(state, "undecided") == 0;
  return true;
}

/* A judge without labels measures: its value alone is a verdict. */
static bool measures(lua_State *L) {
  int top = lua_gettop(L);
  lre_judge_push_declared(L);
  lre_freeze_look(L, -1);
  bool none = push_field(L, lua_gettop(L), "labels") == LUA_TNIL;
  lua_settop(L, top);
  return none;
}

static bool is_field(const char *name) {
  return strcmp(name, "label") == 0 || strcmp(name, "value") == 0 || strcmp(name, "evidence") == 0 ||
         strcmp(name, "state") == 0;
}

/* A misspelt field must not become an undecided verdict. Of several the first in order is named. */
static bool check_fields(lua_State *L, int result, struct lre_row *row) {
  const char *unknown = NULL; /* it stays in the table */
  lua_pushnil(L);
  while (lua_next(L, result)) {
    lua_pop(L, 1);
    const char *name = lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "[...]";
    if (!is_field(name) && (!unknown || strcmp(name, unknown) < 0)) unknown = name;
  }
  if (!unknown) return true;
  lre_buf_printf(&row->bad, "%.40s: no field of a verdict; it has label, value, evidence and state", unknown);
  return false;
}

/* The table that the judge returned is on the top. */
static bool read_table(lua_State *L, struct lre_row *row) {
  lre_freeze_look(L, -1);
  int result = lua_gettop(L);
  if (!check_fields(L, result, row)) return false;
  push_field(L, result, "label");
  bool ok = read_label(L, row);
  push_field(L, result, "value");
  ok = ok && read_value(L, row);
  push_field(L, result, "evidence");
  ok = ok && read_evidence(L, row);
  push_field(L, result, "state");
  ok = ok && read_state(L, row);
  if (!ok || row->undecided || row->label.len || (row->value.len && measures(L))) return ok;
  return reject(row, NO_VERDICT);
}

static void read_result(lua_State *L, struct lre_row *row) {
  switch (lua_type(L, -1)) {
  case LUA_TTABLE:
    read_table(L, row);
    break;
  case LUA_TSTRING:
    read_label(L, row);
    break;
  case LUA_TNIL:
    reject(row, NO_VERDICT);
    break;
  default:
    lre_buf_printf(&row->bad, "expected a table { label = ..., value = ..., evidence = ... }, got %s",
                   luaL_typename(L, -1));
  }
}

/* ---- the call ---- */

/* Lines of luaL_traceback without its title, tabs, and our own frames at the end. */
static void put_traceback(struct lre_buf *out, const char *text) {
  const char *line = strchr(text, '\n'), *next;
  for (; line; line = next) {
    line += strspn(line, "\n\t");
    next = strchr(line, '\n');
    size_t len = next ? (size_t)(next - line) : strlen(line);
    if (!next && len >= 3 && memcmp(line, "[C]", 3) == 0) break;
    if (out->len) lre_buf_putc(out, '\n');
    lre_buf_put(out, line, len);
  }
}

/* Message handler: notes message and traceback while the frames are there. */
static int note_error(lua_State *L) {
  struct lre_sandbox *sb = lre_sandbox_of(L);
  struct lre_row *row = sb->row;
  size_t len;
  if (sb->kill.code) return 1;
  if (lua_type(L, 1) != LUA_TSTRING) {
    for (int level = 0; level < 3; level++) { /* error { ... } adds no place itself */
      luaL_where(L, level);
      if (lua_rawlen(L, -1)) break;
    }
    lre_sandbox_push_text(L, 1);
    lua_concat(L, 2);
    lua_replace(L, 1);
  }
  lre_buf_clear(&row->error);
  lre_buf_clear(&row->traceback);
  const char *message = lua_tolstring(L, 1, &len);
  lre_buf_put(&row->error, message, len < MAX_MESSAGE_BYTES ? len : MAX_MESSAGE_BYTES);
  luaL_traceback(L, L, NULL, 1);
  put_traceback(&row->traceback, lua_tostring(L, -1));
  lua_settop(L, 1);
  return 1;
}

static void set_text(lua_State *L, const char *name, struct lre_json_string text) {
  lua_pushlstring(L, text.s, text.len);
  lua_setfield(L, -2, name);
}

static void set_word(lua_State *L, const char *name, const char *word) {
  lua_pushstring(L, word);
  lua_setfield(L, -2, name);
}

/* Pushes trial and response as lre_value_push would of lre_answer_put's text. */
static void push_answer(lua_State *L, const struct lre_answer *a) {
  lua_createtable(L, 0, 8);
  set_text(L, "key", a->id);
  lua_createtable(L, 1, 0);
  lre_value_set_array(L, -1);
  lua_createtable(L, 0, 2);
  set_text(L, "content", a->prompt);
  set_word(L, "role", "user");
  lua_rawseti(L, -2, 1);
  lua_setfield(L, -2, "messages");
  set_word(L, "model", "unknown");
  set_word(L, "persona", "none");
  set_text(L, "prompt", a->prompt);
  lua_pushinteger(L, 1);
  lua_setfield(L, -2, "repeat");
  set_text(L, "sample_id", a->id);
  set_word(L, "suite", "file");
  lua_createtable(L, 0, 2);
  set_word(L, "finish_reason", "stop");
  set_text(L, "text", a->text);
}

static int call_judge(lua_State *L) {
  struct lre_row *row = lre_sandbox_of(L)->row;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &lre_judge_function) != LUA_TFUNCTION)
    return luaL_error(L, "the file declares no judge function");
  if (row->answer) {
    push_answer(L, row->answer);
  } else {
    lre_value_push_text(L, row->text);
    push_field(L, 2, "trial");
    push_field(L, 2, "response");
    lua_remove(L, 2);
  }
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lre_judge_patterns);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lre_judge_options);
  lua_call(L, 4, 1);
  read_result(L, row);
  return 0;
}

void lre_judge_row(lua_State *L, struct lre_row *row) {
  struct lre_sandbox *sb = lre_sandbox_of(L);
  each_buf(row, lre_buf_clear);
  lre_buf_clear(row->evidence);
  row->undecided = false;
  sb->row = row;
  lua_settop(L, 0);
  lua_pushcfunction(L, note_error);
  lua_pushcfunction(L, call_judge);
  int status = lua_pcall(L, 0, 0, 1);
  row->failed = status != LUA_OK;
  lre_sandbox_note_status(sb, L, status);
  if (row->failed && !row->error.len)
    lre_buf_puts(&row->error,
                 lua_type(L, -1) == LUA_TSTRING ? lua_tostring(L, -1) : "an error in the error's own __tostring");
  lua_settop(L, 0);
}

/* ---- the verdict ---- */

static bool put_text(struct lre_buf *out, const char *s, size_t len, struct lre_err *err) {
  struct lre_buf valid;
  lre_buf_init(&valid);
  lre_utf8_repair(s, len, &valid);
  bool ok = valid.failed ? lre_err_memory(err) : lre_json_put_string(out, valid.data ? valid.data : "", valid.len, err);
  lre_buf_free(&valid);
  return ok;
}

/* {"reason":{"code":..,"limit":..,"message":..},"state":"unscored"} */
static bool put_unscored(struct lre_buf *out, const char *code, uint64_t limit, const char *message, size_t len,
                         struct lre_err *err) {
  lre_buf_printf(out, "{\"reason\":{\"code\":\"%s\",", code);
  if (limit) {
    lre_buf_puts(out, "\"limit\":");
    lre_json_put_int(out, limit > INT64_MAX ? INT64_MAX : (int64_t)limit);
    lre_buf_putc(out, ',');
  }
  lre_buf_puts(out, "\"message\":");
  return put_text(out, message, len, err) && lre_buf_puts(out, "},\"state\":\"unscored\"}");
}

static bool put_error(struct lre_buf *out, const struct lre_row *row, struct lre_err *err) {
  lre_buf_puts(out, "{\"reason\":{\"code\":\"script\",\"message\":");
  if (!put_text(out, row->error.data ? row->error.data : "", row->error.len, err)) return false;
  if (row->traceback.len) {
    lre_buf_puts(out, ",\"traceback\":");
    if (!put_text(out, row->traceback.data, row->traceback.len, err)) return false;
  }
  return lre_buf_puts(out, "},\"state\":\"error\"}");
}

static void put_member(struct lre_buf *out, const char *name, const struct lre_buf *token) {
  if (!token->len) return;
  lre_buf_putc(out, '"');
  lre_buf_puts(out, name);
  lre_buf_puts(out, "\":");
  lre_buf_put(out, token->data, token->len);
  lre_buf_putc(out, ',');
}

static bool put_scored(struct lre_buf *out, const struct lre_row *row) {
  lre_buf_putc(out, '{');
  put_member(out, "evidence", row->evidence);
  put_member(out, "label", &row->label);
  lre_buf_puts(out, row->undecided ? "\"state\":\"undecided\"" : "\"state\":\"scored\"");
  if (row->value.len) {
    lre_buf_puts(out, ",\"value\":");
    lre_buf_put(out, row->value.data, row->value.len);
  }
  return lre_buf_putc(out, '}');
}

bool lre_judge_put_verdict(const struct lre_sandbox *sb, const struct lre_row *row, struct lre_buf *out,
                           struct lre_err *err) {
  const struct lre_kill *kill = &sb->kill;
  if (row->label.failed || row->value.failed || row->bad.failed || row->error.failed || row->traceback.failed)
    return lre_err_memory(err);
  bool ok = kill->code     ? put_unscored(out, kill->code, kill->limit, kill->message, strlen(kill->message), err)
            : row->failed  ? put_error(out, row, err)
            : row->bad.len ? put_unscored(out, "result", 0, row->bad.data, row->bad.len, err)
                           : put_scored(out, row);
  return ok && (!out->failed || lre_err_memory(err));
}
