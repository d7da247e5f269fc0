/* The sandbox: what a rule judge can do, what it cannot, and what is said then. Each file of tests/escapes is a judge
 * that tries to get out; its first line tells what must come of it. */
#include "test.h"

#include <dirent.h>
#include <lauxlib.h>
#include <lualib.h>
#include <pthread.h>

#include "bind/bind.h"
#include "vm/sandbox.h"

#define ROW "{\"trial\":{\"id\":\"t\"},\"response\":{\"text\":\"x\"}}"

struct judge {
  struct lre_sandbox_spec *spec;
  struct lre_sandbox *sb;
  struct lre_buf out;
  struct lre_err err;
};

static void set_up(struct judge *j, const char *name, const char *source, const struct lre_sandbox_limits *limits) {
  memset(j, 0, sizeof *j);
  lre_buf_init(&j->out);
  j->spec = lre_sandbox_spec_new(name, source, strlen(source), limits, lre_bind_preload_pure, &j->err);
  assert_non_null(j->spec);
}

static void open_judge(struct judge *j, const char *source) {
  set_up(j, "@judges/x.lua", source, NULL);
  j->sb = lre_sandbox_new(j->spec, &j->err);
  if (!j->sb) fail_msg("%s", j->err.message);
}

static const char *ask(struct judge *j, const char *row) {
  lre_buf_clear(&j->out);
  if (!lre_sandbox_judge(j->sb, row, strlen(row), &j->out, &j->err)) fail_msg("%s", j->err.message);
  return j->out.data;
}

static void close_judge(struct judge *j) {
  lre_sandbox_free(j->sb);
  lre_sandbox_spec_release(j->spec);
  lre_buf_free(&j->out);
}

static void expect_verdict(const char *source, const char *row, const char *verdict) {
  struct judge j;
  open_judge(&j, source);
  assert_string_equal(ask(&j, row), verdict);
  close_judge(&j);
}

static void expect_part(const char *text, const char *part) {
  if (!strstr(text, part)) fail_msg("expected \"%s\" in: %s", part, text);
}

static void expect_load_error(const char *source, const char *code, const char *part) {
  struct judge j;
  set_up(&j, "@judges/x.lua", source, NULL);
  j.sb = lre_sandbox_new(j.spec, &j.err);
  assert_null(j.sb);
  assert_string_equal(j.err.kind, "script");
  assert_string_equal(j.err.code, code);
  expect_part(j.err.message, part);
  close_judge(&j);
}

/* ---- escapes ---- */

static void check_outcome(const char *expected, const char *got) {
  char kind[32], rest[128], part[192];
  assert_int_equal(sscanf(expected, "-- expect: %31s %127[^\n]", kind, rest), 2);
  if (strcmp(kind, "unscored") == 0) {
    snprintf(part, sizeof part, "{\"reason\":{\"code\":\"%s\",", rest);
    expect_part(got, "\"state\":\"unscored\"");
  } else if (strcmp(kind, "label") == 0) {
    snprintf(part, sizeof part, "\"label\":\"%s\",\"state\":\"scored\"", rest);
  } else if (strcmp(kind, "error") == 0) {
    snprintf(part, sizeof part, "%s", rest);
    expect_part(got, "\"state\":\"error\"");
  } else {
    assert_string_equal(kind, "load");
    snprintf(part, sizeof part, "%s", rest);
  }
  expect_part(got, part);
}

/* *state is the file's name. Judged twice, and in a state of its own: the outcome does not depend on what came before.
 */
static void an_escape_is_contained(void **state) {
  char path[512], name[512], first[2048];
  struct judge j;
  snprintf(path, sizeof path, "tests/escapes/%s", (const char *)*state);
  snprintf(name, sizeof name, "@%s", (const char *)*state);
  char *source = read_whole(path, NULL);
  assert_non_null(source);
  set_up(&j, name, source, NULL);
  j.sb = lre_sandbox_new(j.spec, &j.err);
  if (!j.sb) {
    assert_true(strncmp(source, "-- expect: load ", 16) == 0);
    check_outcome(source, j.err.message);
  } else {
    snprintf(first, sizeof first, "%s", ask(&j, ROW));
    check_outcome(source, first);
    if (strlen(first) < sizeof first - 1) assert_string_equal(ask(&j, ROW), first);
  }
  close_judge(&j);
  free(source);
}

/* ---- verdicts ---- */

static void a_verdict_is_canonical_json(void **state) {
  (void)state;
  expect_verdict(
      "return { labels = { 'b', 'a' }, judge = function(t, r) return { value = 0.5, label = 'a', "
      "evidence = { z = 1, a = { 1, 2.0 }, m = r.text } } end }",
      ROW, "{\"evidence\":{\"a\":[1,2.0],\"m\":\"x\",\"z\":1},\"label\":\"a\",\"state\":\"scored\",\"value\":0.5}");
  expect_verdict("return { judge = function() return 'plain' end }", ROW, "{\"label\":\"plain\",\"state\":\"scored\"}");
}

static void expect_bad_result(const char *result, const char *part) {
  char source[256];
  struct judge j;
  snprintf(source, sizeof source, "return { labels = { 'a' }, judge = function() return %s end }", result);
  open_judge(&j, source);
  const char *verdict = ask(&j, ROW);
  expect_part(verdict, "{\"reason\":{\"code\":\"result\",");
  expect_part(verdict, part);
  expect_part(verdict, "\"state\":\"unscored\"}");
  close_judge(&j);
}

static void undecided_is_what_a_judge_says_and_never_what_it_forgot(void **state) {
  (void)state;
  expect_bad_result("nil", "no verdict");
  expect_bad_result("{}", "no verdict");
  expect_bad_result("{ value = 3 }", "no verdict"); /* labels are declared, and none is given */
  expect_verdict("return { judge = function() return { state = 'undecided' } end }", ROW, "{\"state\":\"undecided\"}");
  expect_verdict("return { judge = function() return { label = 'a', state = 'undecided' } end }", ROW,
                 "{\"label\":\"a\",\"state\":\"undecided\"}");
  expect_verdict("return { judge = function() return { value = 3 } end }", ROW, "{\"state\":\"scored\",\"value\":3}");
}

static void a_result_of_another_shape_is_unscored(void **state) {
  (void)state;
  expect_bad_result("{ label = 'b' }", "is not in the judge's labels");
  expect_bad_result("'b'", "is not in the judge's labels");
  expect_bad_result("{ label = 1 }", "label: expected a string, got number");
  expect_bad_result("12", "expected a table");
  expect_bad_result("true", "expected a table");
  expect_bad_result("{ label = 'a', value = 0/0 }", "not finite");
  expect_bad_result("{ label = 'a', value = {} }", "value: expected a number");
  expect_bad_result("{ label = 'a', state = 'maybe' }", "state: expected");
  expect_bad_result("{ state = 'scored' }", "without a label");
  expect_bad_result("{ label = 'a', evidence = print or function() end }", "evidence: ");
  expect_bad_result("{ label = 'a', value = 1 << 60 }", "2^53");
  expect_bad_result("{ label = 'a', evidence = { -9007199254740993 } }", "2^53");
  expect_bad_result("{ label = 'a', value = '\\xff' }", "value: ");
}

static void long_digits_in_a_string_are_evidence(void **state) {
  (void)state;
  expect_verdict("return { judge = function() return { label = 'a', evidence = { 'say \\\"99999999999999999999\\\\', "
                 "1e300 } } end }",
                 ROW,
                 "{\"evidence\":[\"say \\\"99999999999999999999\\\\\",1e+300],\"label\":\"a\",\"state\":\"scored\"}");
}

static void an_error_names_file_and_line(void **state) {
  (void)state;
  expect_verdict(
      "local function f(x)\n  return x.y.z\nend\nreturn { judge = function(t)\n  return (f(t)) .. ''\nend }", ROW,
      "{\"reason\":{\"code\":\"script\",\"message\":\"judges/x.lua:2: attempt to index a nil value (field 'y')\","
      "\"traceback\":\"judges/x.lua:2: in upvalue 'f'\\njudges/x.lua:5: in function "
      "<judges/x.lua:4>\"},\"state\":\"error\"}");
  struct judge j;
  open_judge(&j, "return { judge = function() error('', 0) end }");
  expect_part(ask(&j, ROW), "{\"reason\":{\"code\":\"script\",\"message\":\"\",\"traceback\":");
  close_judge(&j);
}

static void a_kill_names_limit_and_knob(void **state) {
  (void)state;
  expect_verdict("return { judge = function()\n  while true do end\nend }", ROW,
                 "{\"reason\":{\"code\":\"steps\",\"limit\":5000000,\"message\":\"judges/x.lua:2: the judge used its "
                 "5000000 steps on this "
                 "row; raise --judge-steps\"},\"state\":\"unscored\"}");
  expect_verdict("return { judge = function()\n  local t, s = {}, ('x'):rep(1 << 20)\n  for i = 1, 100 do\n    t[i] = "
                 "s .. i\n  end\nend }",
                 ROW,
                 "{\"reason\":{\"code\":\"memory\",\"limit\":67108864,\"message\":\"judges/x.lua:4: the judge holds "
                 "more than 67108864 bytes; "
                 "raise --judge-memory\"},\"state\":\"unscored\"}");
}

static void a_regex_limit_names_the_pattern_and_the_knob(void **state) {
  (void)state;
  struct judge j;
  open_judge(&j, "return { patterns = { bad = [[^(a+)+$]] }, judge = function(t, r, re)\n  return { value = "
                 "re.bad:count(('a'):rep(60) .. "
                 "'b') }\nend }");
  const char *verdict = ask(&j, ROW);
  expect_part(verdict, "{\"reason\":{\"code\":\"regex\",\"limit\":1000000,\"message\":\"judges/x.lua:2: ");
  expect_part(verdict, "^(a+)+$");
  expect_part(verdict, "; raise --regex-match-limit\"},\"state\":\"unscored\"}");
  close_judge(&j);
}

/* ---- rows ---- */

/* Kills, errors and garbage before a row change nothing of its verdict. */
static void a_row_sees_nothing_of_the_rows_before(void **state) {
  (void)state;
  static const char source[] =
      "local hits = 0\nreturn { judge = function(trial, response)\n"
      "  local what = response.text\n"
      "  if what == 'spin' then while true do end end\n"
      "  if what == 'hold' then local t = {} for i = 1, 1e7 do t[i] = ('x'):rep(1000) .. i end end\n"
      "  if what == 'keep' then hits = hits + 1 end\n"
      "  if what == 'fail' then error('no') end\n"
      "  if what == 'fill' then local t = {} for i = 1, 50 do t[i] = ('x'):rep(900000) .. i end end\n"
      "  local order = {}\n"
      "  for k in pairs(trial) do order[#order + 1] = k end\n"
      "  return { value = hits, evidence = { math.random(1 << 50), order } }\nend }";
  static const char *const texts[] = {"spin", "plain", "hold", "keep", "plain", "fail",
                                      "fill", "plain", "keep", "spin", "plain"};
  struct judge j;
  char row[128], fresh[512], alone[512] = "";
  open_judge(&j, source);
  for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    snprintf(row, sizeof row, "{\"trial\":{\"b\":1,\"a\":2,\"10\":3},\"response\":{\"text\":\"%s\"}}", texts[i]);
    struct judge own;
    open_judge(&own, source);
    snprintf(fresh, sizeof fresh, "%s", ask(&own, row));
    close_judge(&own);
    assert_string_equal(ask(&j, row), fresh);
    if (strcmp(texts[i], "plain") != 0) continue;
    if (*alone) assert_string_equal(alone, fresh);
    snprintf(alone, sizeof alone, "%s", fresh);
  }
  expect_part(alone, "[\"10\",\"a\",\"b\"]");
  close_judge(&j);
}

static void the_budget_is_each_rows_own(void **state) {
  (void)state;
  struct judge j;
  open_judge(&j, "return { judge = function() for _ = 1, 2000000 do end return 'done' end }");
  for (int i = 0; i < 5; i++) assert_string_equal(ask(&j, ROW), "{\"label\":\"done\",\"state\":\"scored\"}");
  close_judge(&j);
}

static void a_block_answers_line_by_line(void **state) {
  (void)state;
  struct judge j;
  open_judge(&j, "return { judge = function(t, r) if r.text == 'e' then error('e', 0) end return r.text end }");
  static const char rows[] =
      "{\"response\":{\"text\":\"a\"}}\n{\"response\":{\"text\":\"e\"}}\n{\"response\":{\"text\":\"b\"}}";
  assert_true(lre_sandbox_judge_block(j.sb, rows, strlen(rows), &j.out, &j.err));
  size_t lines = 0;
  for (size_t i = 0; i < j.out.len; i++) lines += j.out.data[i] == '\n';
  assert_int_equal(lines, 3);
  assert_true(strncmp(j.out.data, "{\"label\":\"a\",\"state\":\"scored\"}\n{\"reason\":", 41) == 0);
  expect_part(j.out.data, "\n{\"label\":\"b\",\"state\":\"scored\"}\n");
  assert_false(lre_sandbox_judge_block(j.sb, "{\"a\":1}\nnot json\n", 17, &j.out, &j.err));
  assert_string_equal(j.err.kind, "json");
  assert_false(lre_sandbox_judge(j.sb, "[1]", 3, &j.out, &j.err));
  close_judge(&j);
}

struct shift {
  pthread_t thread;
  struct lre_sandbox *sb;
  struct lre_buf rows, out;
  bool ok;
};

static void *work_shift(void *ud) {
  struct shift *s = ud;
  struct lre_err err;
  s->ok = lre_sandbox_judge_block(s->sb, s->rows.data, s->rows.len, &s->out, &err);
  return NULL;
}

/* Its point is `./dev check`, where it runs under the thread sanitizer. */
static void states_of_one_judge_run_side_by_side(void **state) {
  (void)state;
  enum { THREADS = 4, ROWS = 200 };
  struct shift shifts[THREADS];
  struct judge j;
  open_judge(&j, "return { patterns = { word = [[\\w+]], all = { a = 'x1', b = 'x2' } }, judge = function(t, r, re)\n"
                 "if t.n == 100 then while true do end end\n"
                 "return { value = re.word:count(r.text), evidence = { math.random(100), re.all:scan(r.text), "
                 "(r.text:gsub('%d', '')) } } end }");
  for (size_t i = 0; i < THREADS; i++) {
    struct shift *s = &shifts[i];
    lre_buf_init(&s->rows);
    lre_buf_init(&s->out);
    for (int n = 0; n < ROWS; n++)
      lre_buf_printf(&s->rows, "{\"trial\":{\"n\":%d},\"response\":{\"text\":\"x%d y z\"}}\n", n, n);
    s->sb = i ? lre_sandbox_new(j.spec, &j.err) : j.sb;
    assert_non_null(s->sb);
    assert_int_equal(pthread_create(&s->thread, NULL, work_shift, s), 0);
  }
  for (size_t i = 0; i < THREADS; i++) {
    struct shift *s = &shifts[i];
    pthread_join(s->thread, NULL);
    assert_true(s->ok);
    assert_int_equal(s->out.len, shifts[0].out.len);
    assert_memory_equal(s->out.data, shifts[0].out.data, s->out.len);
  }
  for (size_t i = 0; i < THREADS; i++) {
    if (i) lre_sandbox_free(shifts[i].sb);
    lre_buf_free(&shifts[i].rows);
    lre_buf_free(&shifts[i].out);
  }
  close_judge(&j);
}

/* ---- loading ---- */

static void a_bad_file_is_refused_with_its_line(void **state) {
  (void)state;
  expect_load_error("return {\n  judge = 1,,\n}", "syntax", "judges/x.lua:2: ");
  expect_load_error("\n\nerror('broken')", "runtime", "judges/x.lua:3: broken");
  expect_load_error("\nlocal x = nil + 1", "runtime", "judges/x.lua:2: ");
  expect_load_error("return 12", "runtime", "judges/x.lua: the file: expected it to return");
  expect_load_error("return { judge = 12 }", "runtime", "judges/x.lua: judge: expected a function, got number");
  expect_load_error("return { labels = { 1 } }", "runtime", "labels: expected a list of strings");
  expect_load_error("return { patterns = { b = '(', a = '[' } }", "runtime", "judges/x.lua: patterns.a: ");
  expect_load_error("return { patterns = { a = 12 } }", "runtime",
                    "patterns.a: expected a pattern or a table of patterns, got number");
  expect_load_error("while true do end", "killed",
                    "judges/x.lua:1: the file used its 100000000 steps while it was loaded");
  expect_load_error("\x1bLua", "syntax", "");
}

static void options_come_from_defaults_and_the_caller(void **state) {
  (void)state;
  static const char source[] =
      "return { options = { a = { 1, 'doc' }, b = { 'x', 'doc' }, c = true },\n"
      "judge = function(t, r, re, opt) return { label = opt.b, value = opt.a, evidence = { opt = opt } } end }";
  struct judge j;
  set_up(&j, "@judges/x.lua", source, NULL);
  assert_true(lre_sandbox_spec_set_options(j.spec, "{\"a\":7}", 7, &j.err));
  j.sb = lre_sandbox_new(j.spec, &j.err);
  assert_non_null(j.sb);
  assert_string_equal(
      ask(&j, ROW),
      "{\"evidence\":{\"opt\":{\"a\":7,\"b\":\"x\",\"c\":true}},\"label\":\"x\",\"state\":\"scored\",\"value\":7}");
  lre_sandbox_free(j.sb);
  assert_true(lre_sandbox_spec_set_options(j.spec, "{\"d\":7}", 7, &j.err));
  j.sb = lre_sandbox_new(j.spec, &j.err);
  assert_null(j.sb);
  expect_part(j.err.message, "judges/x.lua: there is no option 'd'");
  assert_true(lre_sandbox_spec_set_options(j.spec, "{\"a\":\"7\"}", 9, &j.err));
  assert_null(lre_sandbox_new(j.spec, &j.err));
  expect_part(j.err.message, "options.a: expected number, got string");
  assert_false(lre_sandbox_spec_set_options(j.spec, "{", 1, &j.err));
  close_judge(&j);
}

static void add_module(struct judge *j, const char *name, const char *source) {
  assert_true(lre_sandbox_spec_add_module(j->spec, name, "@judges/m.lua", source, strlen(source), &j->err));
}

static void a_module_is_frozen_like_the_file(void **state) {
  (void)state;
  struct judge j;
  set_up(&j, "@judges/x.lua", "return { judge = function() local m = require 'm' m.seen = 1 return 'x' end }", NULL);
  add_module(&j, "m", "return { words = { 'a' } }");
  j.sb = lre_sandbox_new(j.spec, &j.err);
  assert_non_null(j.sb);
  expect_part(ask(&j, ROW), "attempt to change a module-level table");
  close_judge(&j);
}

static void modules_that_require_each_other_are_refused(void **state) {
  (void)state;
  struct judge j;
  set_up(&j, "@judges/x.lua", "local m = require 'm' return { judge = function() return m end }", NULL);
  add_module(&j, "m", "return require 'n'");
  add_module(&j, "n", "return require 'm'");
  j.sb = lre_sandbox_new(j.spec, &j.err);
  assert_null(j.sb);
  expect_part(j.err.message, "judges/m.lua:1: module 'm' requires itself");
  close_judge(&j);
}

static void what_was_declared_is_copied_out(void **state) {
  (void)state;
  struct judge j;
  open_judge(
      &j, "local lre = require 'lre' return lre.judge { name = 'x', labels = { 'a', 'b' }, judge = function() end }");
  lua_State *L = luaL_newstate();
  for (int i = 0; i < 2; i++) {
    assert_true(lre_sandbox_declared(j.sb, L, &j.err));
    assert_int_equal(lua_gettop(L), 1);
    lua_getfield(L, 1, "name");
    assert_string_equal(lua_tostring(L, -1), "x");
    lua_getfield(L, 1, "labels");
    assert_int_equal(lua_rawlen(L, -1), 2);
    lua_getfield(L, 1, "judge");
    assert_int_equal(lua_pcall(L, 0, 0, 0), LUA_ERRRUN);
    lua_settop(L, 0);
  }
  lua_close(L);
  close_judge(&j);
}

/* ---- Lua patterns ---- */

static char *plain_result(const char *source, int seed) {
  lua_State *L = luaL_newstate();
  luaL_openlibs(L);
  assert_int_equal(luaL_dostring(L, source), LUA_OK);
  lua_pushinteger(L, seed);
  if (lua_pcall(L, 1, 1, 0) != LUA_OK) fail_msg("%s", lua_tostring(L, -1));
  size_t len;
  const char *text = lua_tolstring(L, -1, &len);
  char *copy = malloc(2 * len + 1), *out = copy; /* in hex, as the sandbox gives it: results hold any byte */
  assert_non_null(copy);
  for (size_t i = 0; i < len; i++) out += sprintf(out, "%02x", (unsigned char)text[i]);
  *out = '\0';
  lua_close(L);
  return copy;
}

/* Runs the Lua file's function for batches 1..n in both states. */
static void expect_agreement(const char *path, int n) {
  struct lre_sandbox_limits limits = {.steps = 1000000000};
  struct judge j;
  char row[64];
  size_t len;
  char *source = read_whole(path, &len);
  assert_non_null(source);
  static const char judge[] =
      "local results = require 'm' return { judge = function(trial) local hex = results(trial.seed):gsub('.', "
      "function(c) return ('%02x'):format(c:byte()) end) return { value = hex } end }";
  set_up(&j, "@judges/x.lua", judge, &limits);
  add_module(&j, "m", source);
  j.sb = lre_sandbox_new(j.spec, &j.err);
  if (!j.sb) fail_msg("%s", j.err.message);
  for (int seed = 1; seed <= n; seed++) {
    char *expected = plain_result(source, seed);
    snprintf(row, sizeof row, "{\"trial\":{\"seed\":%d}}", seed);
    const char *verdict = ask(&j, row);
    const char *value = strstr(verdict, "\"value\":\"");
    if (!value) fail_msg("seed %d: %s", seed, verdict);
    value += strlen("\"value\":\"");
    size_t same = 0;
    while (expected[same] && expected[same] == value[same]) same++;
    if (expected[same] || strcmp(value + same, "\"}") != 0)
      fail_msg("%s, batch %d: not Lua's results from byte %zu on", path, seed, same / 2);
    free(expected);
  }
  free(source);
  close_judge(&j);
}

static void lua_patterns_mean_what_lua_says(void **state) {
  (void)state;
  expect_agreement("tests/c/patterns_agree.lua", 60);
}

static void the_libraries_mean_what_lua_says(void **state) {
  (void)state;
  expect_agreement("tests/c/libraries_agree.lua", 1);
}

static void malformed_patterns_get_luas_messages(void **state) {
  (void)state;
  static const char *const patterns[] = {"[a",  "[]", "[^]", "%",  "(a",    "(a))", "%b",
                                         "%bx", "%f", "%fa", "%1", "(a%1)", "[%",   "()%2"};
  for (size_t i = 0; i < sizeof patterns / sizeof patterns[0]; i++) {
    char source[256];
    struct judge j;
    lua_State *L = luaL_newstate();
    luaL_openlibs(L);
    lua_getglobal(L, "string");
    lua_getfield(L, -1, "find");
    lua_pushstring(L, "aa");
    lua_pushstring(L, patterns[i]);
    assert_int_equal(lua_pcall(L, 2, 0, 0), LUA_ERRRUN);
    snprintf(source, sizeof source,
             "return { judge = function() return (select(2, pcall(string.find, 'aa', '%s'))) end }", patterns[i]);
    open_judge(&j, source);
    char expected[256];
    snprintf(expected, sizeof expected, "{\"label\":\"%s\",\"state\":\"scored\"}", lua_tostring(L, -1));
    assert_string_equal(ask(&j, ROW), expected);
    close_judge(&j);
    lua_close(L);
  }
}

/* ---- running ---- */

static int is_escape(const struct dirent *entry) {
  size_t len = strlen(entry->d_name);
  return len > 4 && strcmp(entry->d_name + len - 4, ".lua") == 0;
}

int main(void) {
  static const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_verdict_is_canonical_json),
      cmocka_unit_test(undecided_is_what_a_judge_says_and_never_what_it_forgot),
      cmocka_unit_test(a_result_of_another_shape_is_unscored),
      cmocka_unit_test(long_digits_in_a_string_are_evidence),
      cmocka_unit_test(an_error_names_file_and_line),
      cmocka_unit_test(a_kill_names_limit_and_knob),
      cmocka_unit_test(a_regex_limit_names_the_pattern_and_the_knob),
      cmocka_unit_test(a_row_sees_nothing_of_the_rows_before),
      cmocka_unit_test(the_budget_is_each_rows_own),
      cmocka_unit_test(a_block_answers_line_by_line),
      cmocka_unit_test(states_of_one_judge_run_side_by_side),
      cmocka_unit_test(a_bad_file_is_refused_with_its_line),
      cmocka_unit_test(options_come_from_defaults_and_the_caller),
      cmocka_unit_test(a_module_is_frozen_like_the_file),
      cmocka_unit_test(modules_that_require_each_other_are_refused),
      cmocka_unit_test(what_was_declared_is_copied_out),
      cmocka_unit_test(lua_patterns_mean_what_lua_says),
      cmocka_unit_test(the_libraries_mean_what_lua_says),
      cmocka_unit_test(malformed_patterns_get_luas_messages),
  };
  int failed = cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
  struct dirent **names;
  int n = scandir("tests/escapes", &names, is_escape, alphasort);
  if (n <= 0) return 1; /* not run from the repository's root */
  struct CMUnitTest *escapes = calloc((size_t)n, sizeof *escapes);
  if (!escapes) return 1;
  for (int i = 0; i < n; i++) {
    escapes[i].name = names[i]->d_name;
    escapes[i].test_func = an_escape_is_contained;
    escapes[i].initial_state = names[i]->d_name;
  }
  failed += _cmocka_run_group_tests("escapes", escapes, (size_t)n, NULL, NULL);
  for (int i = 0; i < n; i++) free(names[i]);
  free(names);
  free(escapes);
  return failed;
}
