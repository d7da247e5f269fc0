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

enum { MAX_EVIDENCE_DEPTH = 32, MAX_MESSAGE_BYTES = 4 << 10, INTERNED_BYTES = 40 /* by Lua: LUAI_MAXSHORTLEN */ };

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

/* ---- what every row needs ---- */

/* Upvalues of call_judge: pushing one costs a tenth of looking a name up. The names of fields follow CALL_LABEL. */
enum {
  CALL_FUNCTION = 1,
  CALL_PATTERNS,
  CALL_OPTIONS,
  CALL_LABELS,
  CALL_NEW_ANSWER,
  CALL_LABEL,
  CALL_VALUE,
  CALL_EVIDENCE,
  CALL_STATE,
  CALL_UPVALUES = CALL_STATE
};

static const char call_key = 0; /* in the registry: call_judge */

/* In Lua: building a table takes half of what it takes through lua_setfield. As lre_value_push of lre_answer_put's
 * text, but for the mark of the list. */
static const char NEW_ANSWER[] =
    "return function(id, sample_id, prompt, content, text)\n"
    "  local messages = { { content = content, role = 'user' } }\n"
    "  return { key = id, messages = messages, model = 'unknown', persona = 'none', prompt = prompt, ['repeat'] = 1,\n"
    "    sample_id = sample_id, suite = 'file' }, { finish_reason = 'stop', text = text }, messages\n"
    "end";

/* Pushes the list of labels as it is, or nil. */
static void push_labels(lua_State *L) {
  int top = lua_gettop(L);
  lre_judge_push_declared(L);
  lre_freeze_look(L, -1);
  lua_pushliteral(L, "labels");
  if (lua_rawget(L, -2) == LUA_TTABLE) {
    lre_freeze_look(L, -1);
  } else {
    lua_pushnil(L);
  }
  lua_replace(L, top + 1);
  lua_settop(L, top + 1);
}

static int call_judge(lua_State *L);

void lre_judge_prepare(lua_State *L) {
  static const char *const names[] = {"label", "value", "evidence", "state"};
  luaL_checkstack(L, CALL_UPVALUES + 8, "preparing the rows");
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lre_judge_function);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lre_judge_patterns);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lre_judge_options);
  push_labels(L);
  if (luaL_loadbufferx(L, NEW_ANSWER, sizeof NEW_ANSWER - 1, LRE_SANDBOX_OWN_CHUNK, "t") != LUA_OK) lua_error(L);
  lua_call(L, 0, 1);
  for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) lua_pushstring(L, names[i]);
  lua_pushcclosure(L, call_judge, CALL_UPVALUES);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &call_key);
}

/* ---- the result ---- */

static bool reject(struct lre_row *row, const char *problem) {
  lre_buf_clear(&row->bad);
  lre_buf_puts(&row->bad, problem);
  return false;
}

static bool is_declared_label(lua_State *L, int label) {
  const int labels = lua_upvalueindex(CALL_LABELS);
  if (lua_isnil(L, labels)) return true;
  bool found = false;
  for (lua_Integer i = 1; !found && lua_rawgeti(L, labels, i) != LUA_TNIL; i++) {
    found = lua_rawequal(L, -1, label);
    lua_pop(L, 1);
  }
  if (!found) lua_pop(L, 1);
  return found;
}

/* A forgotten `return` must not look like a judge that cannot tell. */
#define NO_VERDICT "no verdict: return a label, or state = \"undecided\" where the judge cannot tell"

static bool read_label(lua_State *L, int index, struct lre_row *row) {
  struct lre_err err;
  int type = lua_type(L, index);
  if (type == LUA_TNIL) return true;
  if (type != LUA_TSTRING) {
    lre_buf_printf(&row->bad, "label: expected a string, got %s", luaL_typename(L, index));
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

static bool read_value(lua_State *L, int index, struct lre_row *row) {
  struct lre_err err;
  int type = lua_type(L, index);
  if (type == LUA_TNIL) return true;
  if (type != LUA_TNUMBER && type != LUA_TSTRING && type != LUA_TBOOLEAN) {
    lre_buf_printf(&row->bad, "value: expected a number, string or boolean, got %s", luaL_typename(L, index));
    return false;
  }
  if (type == LUA_TNUMBER && !isfinite(lua_tonumber(L, index))) return reject(row, "value: the number is not finite");
  const char *problem;
  if (lre_value_encode(L, index, &row->value, 0, &err)) {
    if (is_readable(&row->value, &problem)) return true;
    lre_buf_printf(&row->bad, "value: %s", problem);
    return false;
  }
  lre_buf_printf(&row->bad, "value: %s", err.message);
  return false;
}

static bool read_evidence(lua_State *L, int index, struct lre_row *row) {
  struct lre_err err;
  const char *problem;
  if (lua_isnil(L, index)) return true;
  if (lre_value_encode(L, index, row->evidence, 0, &err)) {
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

static bool read_state(lua_State *L, int index, struct lre_row *row) {
  if (lua_isnil(L, index)) return true;
  const char *state = lua_type(L, index) == LUA_TSTRING ? lua_tostring(L, index) : "";
  row->undecided = strcmp(state, "undecided") == 0;
  if (!row->undecided && strcmp(state, "scored") != 0)
    return reject(row, "state: expected \"scored\", \"undecided\" or nothing");
  if (!row->undecided && !row->label.len && !row->value.len)
    return reject(row, "state: \"scored\" without a label or a value");
  return true;
}

static bool is_field(const char *name) {
  return strcmp(name, "label") == 0 || strcmp(name, "value") == 0 || strcmp(name, "evidence") == 0 ||
         strcmp(name, "state") == 0;
}

/* Of several the first in order is named. */
static bool reject_field(lua_State *L, int result, struct lre_row *row) {
  const char *unknown = NULL; /* it stays in the table */
  for (lua_pushnil(L); lua_next(L, result); lua_pop(L, 1)) {
    const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "[...]";
    if (!is_field(name) && (!unknown || strcmp(name, unknown) < 0)) unknown = name;
  }
  lre_buf_printf(&row->bad, "%.40s: no field of a verdict; it has label, value, evidence and state", unknown);
  return false;
}

/* Pushes the four fields of the table at `result`, without its metamethods. False: it has others. A misspelt field must
 * not become an undecided verdict. */
static bool push_fields(lua_State *L, int result) {
  int n = 0;
  for (int name = CALL_LABEL; name <= CALL_STATE; name++) {
    lua_pushvalue(L, lua_upvalueindex(name));
    n += lua_rawget(L, result) != LUA_TNIL;
  }
  for (lua_pushnil(L); lua_next(L, result); lua_pop(L, 1)) n--;
  return n == 0;
}

/* The table that the judge returned is on the top. */
static bool read_table(lua_State *L, struct lre_row *row) {
  lre_freeze_look(L, -1);
  int result = lua_gettop(L);
  if (!push_fields(L, result)) return reject_field(L, result, row);
  bool ok = read_label(L, result + 1, row) && read_value(L, result + 2, row) && read_evidence(L, result + 3, row) &&
            read_state(L, result + 4, row);
  bool measures = lua_isnil(L, lua_upvalueindex(CALL_LABELS)); /* then its value alone is a verdict */
  if (!ok || row->undecided || row->label.len || (row->value.len && measures)) return ok;
  return reject(row, NO_VERDICT);
}

static void read_result(lua_State *L, struct lre_row *row) {
  switch (lua_type(L, -1)) {
  case LUA_TTABLE:
    read_table(L, row);
    break;
  case LUA_TSTRING:
    read_label(L, lua_gettop(L), row);
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

/* Twice. Long ones are charged, so each is a string of its own, as it is where a row comes as JSON. */
static void push_twice(lua_State *L, struct lre_json_string s) {
  lua_pushlstring(L, s.s, s.len);
  if (s.len < INTERNED_BYTES) {
    lua_pushvalue(L, -1);
  } else {
    lua_pushlstring(L, s.s, s.len);
  }
}

/* Pushes trial and response. That this is Lua is not charged to the judge. */
static void push_answer(lua_State *L, const struct lre_answer *a) {
  lre_sandbox_pause_hook(L);
  lua_pushvalue(L, lua_upvalueindex(CALL_NEW_ANSWER));
  push_twice(L, a->id);
  push_twice(L, a->prompt);
  lua_pushlstring(L, a->text.s, a->text.len);
  lua_call(L, 5, 3);
  lre_value_set_array(L, -1);
  lua_pop(L, 1);
  lre_sandbox_start_hook(L);
}

/* Pushes trial and response. */
static void push_row(lua_State *L, const struct lre_json_text *text) {
  lre_value_push_text(L, text);
  int row = lua_gettop(L);
  lua_pushliteral(L, "trial");
  lua_rawget(L, row);
  lua_pushliteral(L, "response");
  lua_rawget(L, row);
  lua_remove(L, row);
}

static int call_judge(lua_State *L) {
  struct lre_row *row = lre_sandbox_of(L)->row;
  lua_pushvalue(L, lua_upvalueindex(CALL_FUNCTION));
  if (!lua_isfunction(L, -1)) return luaL_error(L, "the file declares no judge function");
  if (row->answer) {
    push_answer(L, row->answer);
  } else {
    push_row(L, row->text);
  }
  lua_pushvalue(L, lua_upvalueindex(CALL_PATTERNS));
  lua_pushvalue(L, lua_upvalueindex(CALL_OPTIONS));
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
  lua_rawgetp(L, LUA_REGISTRYINDEX, &call_key);
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
