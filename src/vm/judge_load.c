/* judge_load.c: a judge's file becomes a judge: libraries, modules, options, patterns. */
#include <cjson/cJSON.h>
#include <lauxlib.h>
#include <lualib.h>
#include <string.h>

#include "vm/freeze.h"
#include "vm/judge.h"
#include "vm/judge_parts.h"

/* In the registry, by address. */
const char lre_judge_declared = 0, lre_judge_function = 0, lre_judge_options = 0, lre_judge_patterns = 0;
static const char modules_key = 0;  /* name -> what the module returned */
static const char running_mark = 0; /* in its place while the module runs */

/* The bindings that a rule judge may use: pure, and bounded by its budget. */
static const char *const LIBRARIES[] = {"json", "regex", "stats", "text"};
enum { N_LIBRARIES = sizeof LIBRARIES / sizeof LIBRARIES[0], MAX_RESTING_BYTES = 16 << 20 };

static const char *file_of(const struct lre_sandbox *sb) {
  const char *name = sb->spec->main.chunk_name;
  return *name == '@' ? name + 1 : name;
}

/* ---- modules ---- */

/* Runs the chunk; leaves one result. */
static void run_chunk(lua_State *L, struct lre_load *load, const struct lre_module *m) {
  lre_context_charge(L, m->len);
  if (luaL_loadbufferx(L, m->source, m->len, m->chunk_name, "t") != LUA_OK) {
    load->syntax = true;
    lua_error(L);
  }
  lua_call(L, 0, 1);
}

static const struct lre_module *find_module(const struct lre_sandbox *sb, const char *name) {
  for (size_t i = 0; i < sb->spec->n_modules; i++) {
    if (strcmp(sb->spec->modules[i].name, name) == 0) return &sb->spec->modules[i];
  }
  return NULL;
}

/* require(name). Upvalue 1: the struct lre_load, valid while loading; all modules are loaded by then. */
static int judge_require(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  lua_settop(L, 1);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key);
  lre_freeze_look(L, 2); /* frozen once all is loaded */
  lua_replace(L, 2);
  lua_pushvalue(L, 1);
  if (lua_rawget(L, 2) == LUA_TLIGHTUSERDATA && lua_touserdata(L, 3) == (void *)&running_mark)
    return luaL_error(L, "module '%s' requires itself, through other modules", name);
  if (!lua_isnil(L, 3)) return 1;
  struct lre_sandbox *sb = lre_sandbox_of(L);
  const struct lre_module *m = sb->loading ? find_module(sb, name) : NULL;
  if (!m)
    return luaL_error(
        L,
        "module '%s' is not there for a rule judge: it has lre, lre.json, lre.regex, lre.stats, lre.text and the "
        "modules that its file was given",
        name);
  lua_pushvalue(L, 1);
  lua_pushlightuserdata(L, (void *)&running_mark);
  lua_rawset(L, 2);
  run_chunk(L, lua_touserdata(L, lua_upvalueindex(1)), m);
  if (lua_isnil(L, -1)) {
    lua_pushboolean(L, 1);
    lua_replace(L, -2);
  }
  lua_pushvalue(L, 1);
  lua_pushvalue(L, -2);
  lua_rawset(L, 2);
  return 1;
}

/* Those that are only required inside functions: a row must not be the first to run one. */
static void load_other_modules(lua_State *L, struct lre_load *load) {
  for (size_t i = 0; i < load->sb->spec->n_modules; i++) {
    lua_pushlightuserdata(L, load);
    lua_pushcclosure(L, judge_require, 1);
    lua_pushstring(L, load->sb->spec->modules[i].name);
    lua_call(L, 1, 0);
  }
}

/* ---- our libraries ---- */

static int return_argument(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  return 1;
}

/* Of a class of ours, whose metatable is on the top: its methods cannot be changed, and a script cannot close what it
 * shares. */
static void seal_class(lua_State *L) {
  lua_pushnil(L);
  lua_setfield(L, -2, "__close");
  if (lua_getfield(L, -1, "__index") == LUA_TTABLE && !lua_rawequal(L, -1, -2)) {
    lre_sandbox_freeze_library(L, -1);
    lre_freeze_look(L, -1); /* methods are found at once; no script gets at this metatable */
    lua_setfield(L, -3, "__index");
  }
  lua_pop(L, 1);
}

/* luaL_newmetatable keeps each class under its name. */
static void seal_classes(lua_State *L) {
  int top = lua_gettop(L);
  lua_newtable(L);
  lua_Integer n = 0;
  for (lua_pushnil(L); lua_next(L, LUA_REGISTRYINDEX); lua_pop(L, 1)) {
    if (lua_type(L, -2) != LUA_TSTRING || lua_type(L, -1) != LUA_TTABLE) continue;
    lua_pushliteral(L, "__name");
    bool ours = lua_rawget(L, -2) == LUA_TSTRING && lua_rawequal(L, -1, -3); /* key metatable name */
    lua_pop(L, 1);
    if (!ours) continue;
    lua_pushvalue(L, -1);
    lua_rawseti(L, top + 1, ++n);
  }
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, top + 1, i);
    seal_class(L);
    lua_pop(L, 1);
  }
  lua_settop(L, top);
}

/* Pushes library `name` where the state has it. */
static bool open_library(lua_State *L, const char *name) {
  lua_pushfstring(L, "lre.%s", name);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_PRELOAD_TABLE);
  if (lua_getfield(L, -1, lua_tostring(L, -2)) != LUA_TFUNCTION) {
    lua_pop(L, 3);
    return false;
  }
  lua_pushvalue(L, -3);
  lua_call(L, 1, 1);
  lua_replace(L, -3);
  lua_pop(L, 1);
  lre_sandbox_freeze_library(L, -1);
  return true;
}

static void open_libraries(lua_State *L, struct lre_sandbox *sb) {
  int top = lua_gettop(L);
  lua_newtable(L);
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, &modules_key);
  lua_newtable(L); /* top + 2: what require "lre" gives */
  lua_pushcfunction(L, return_argument);
  lua_setfield(L, -2, "judge");
  if (sb->spec->preload) sb->spec->preload(L);
  lua_settop(L, top + 2);
  for (int i = 0; i < N_LIBRARIES; i++) {
    if (!open_library(L, LIBRARIES[i])) continue;
    lua_pushfstring(L, "lre.%s", LIBRARIES[i]);
    lua_pushvalue(L, -2);
    lua_rawset(L, top + 1);
    lua_setfield(L, top + 2, LIBRARIES[i]);
  }
  seal_classes(L);
  lre_sandbox_freeze_library(L, -1);
  lua_setfield(L, top + 1, "lre");
  lua_settop(L, top);
}

/* ---- what the file declares ---- */

static void fail_field(lua_State *L, const char *field, const char *expected) {
  luaL_error(L, "%s: %s: expected %s, got %s", file_of(lre_sandbox_of(L)), field, expected, luaL_typename(L, -1));
}

/* Pushes field `name` of the declared table at 2. False where it is absent (nothing is pushed). */
static bool push_field(lua_State *L, const char *name, int type, const char *expected) {
  lua_pushstring(L, name);
  int got = lua_rawget(L, 2);
  if (got == LUA_TNIL) {
    lua_pop(L, 1);
    return false;
  }
  if (got != type) fail_field(L, name, expected);
  return true;
}

/* Sets option `name` of the table on the top to the JSON value. */
static void override_option(lua_State *L, const struct cJSON *item) {
  lua_pushstring(L, item->string);
  int expected = lua_rawget(L, -2);
  if (expected == LUA_TNIL) luaL_error(L, "%s: there is no option '%s'", file_of(lre_sandbox_of(L)), item->string);
  lua_pop(L, 1);
  lua_pushstring(L, item->string);
  lre_value_push_item(L, item);
  if (lua_type(L, -1) != expected) {
    lua_pushfstring(L, "options.%s", item->string);
    lua_insert(L, -2);
    fail_field(L, lua_tostring(L, -2), lua_typename(L, expected));
  }
  lua_rawset(L, -3);
}

/* Pushes the options: { default, "what it is" } or a plain default, then what the caller set. */
static void push_options(lua_State *L, const struct lre_load *load) {
  lua_newtable(L);
  if (push_field(L, "options", LUA_TTABLE, "a table of { default, \"what it is\" }")) {
    for (lua_pushnil(L); lua_next(L, -2);) {
      lua_pushvalue(L, -2);
      if (lua_type(L, -2) == LUA_TTABLE) {
        lua_rawgeti(L, -2, 1);
      } else {
        lua_pushvalue(L, -2);
      }
      lua_rawset(L, -6); /* options declared key value | key default */
      lua_pop(L, 1);
    }
    lua_pop(L, 1);
  }
  const struct cJSON *item;
  if (!load->options) return;
  cJSON_ArrayForEach(item, load->options->root) if (item->string) override_option(L, item);
}

/* The pattern or set named on the top becomes compiled: name text -> compiled. */
static void compile_pattern(lua_State *L, int regex) {
  const char *name = lua_tostring(L, -2);
  int type = lua_type(L, -1);
  if (type != LUA_TSTRING && type != LUA_TTABLE) {
    lua_pushfstring(L, "patterns.%s", name);
    lua_insert(L, -2);
    fail_field(L, lua_tostring(L, -2), "a pattern or a table of patterns");
  }
  lua_getfield(L, regex, type == LUA_TSTRING ? "new" : "set");
  lua_pushvalue(L, -2);
  if (lua_pcall(L, 1, 1, 0) == LUA_OK) return;
  if (lre_sandbox_of(L)->kill.code) lua_error(L);
  lre_sandbox_push_text(L, -1);
  const char *text = lua_tostring(L, -1), *problem = strchr(text, '(');
  bool wrapped = problem && strncmp(text, "bad argument", 12) == 0; /* luaL_argerror knows no name of ours */
  if (wrapped) text = lua_pushlstring(L, problem + 1, strlen(problem) - 2);
  luaL_error(L, "%s: patterns.%s: %s", file_of(lre_sandbox_of(L)), name, text);
}

/* Pushes the table of compiled patterns. In the order of names, so that of two bad ones always the same is told. */
static void push_patterns(lua_State *L) {
  lua_newtable(L);
  int compiled = lua_gettop(L);
  if (!push_field(L, "patterns", LUA_TTABLE, "a table of patterns")) return;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key);
  lua_pushliteral(L, "lre.regex");
  if (lua_rawget(L, -2) != LUA_TTABLE)
    luaL_error(L, "%s: patterns: this build of the sandbox has no lre.regex", file_of(lre_sandbox_of(L)));
  lua_remove(L, -2);
  lua_pushnil(L); /* compiled declared regex key */
  for (;;) {
    lua_pushcfunction(L, lre_sandbox_next);
    lua_pushvalue(L, compiled + 1);
    lua_pushvalue(L, compiled + 3);
    lua_call(L, 2, 2);
    if (lua_isnil(L, compiled + 4)) break;
    if (lua_type(L, compiled + 4) != LUA_TSTRING)
      luaL_error(L, "%s: patterns: expected names as keys", file_of(lre_sandbox_of(L)));
    compile_pattern(L, compiled + 2);
    lua_pushvalue(L, compiled + 4);
    lua_insert(L, -2);
    lua_rawset(L, compiled);
    lua_copy(L, compiled + 4, compiled + 3);
    lua_settop(L, compiled + 3);
  }
  lua_settop(L, compiled);
}

static void check_labels(lua_State *L) {
  if (!push_field(L, "labels", LUA_TTABLE, "a list of strings")) return;
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  for (lua_Integer i = 1; i <= n; i++) {
    if (lua_rawgeti(L, -1, i) != LUA_TSTRING) fail_field(L, "labels", "a list of strings");
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

/* Notes the value on the top in the registry, and leaves it. */
static void keep(lua_State *L, const void *key) {
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, key);
}

/* ---- what no row needs ---- */

/* Examples and the texts of patterns are most of a judge's tables, and each collection would mark them. */
static const char *const RESTING[] = {"examples", "patterns"};
enum { N_RESTING = sizeof RESTING / sizeof RESTING[0] };

static const struct lre_json_limits resting_limits = {.max_depth = 1000};

/* The spec gets them as JSON from its first state. Where JSON does not hold them they stay where they are. */
static void write_resting(lua_State *L, struct lre_sandbox *sb) {
  struct lre_err err;
  struct lre_buf json;
  int top = lua_gettop(L);
  lua_createtable(L, 0, N_RESTING);
  for (int i = 0; i < N_RESTING; i++) {
    lua_pushstring(L, RESTING[i]);
    lua_pushvalue(L, -1);
    lua_rawget(L, 2);
    lua_rawset(L, top + 1);
  }
  lre_buf_init(&json);
  json.max_bytes = MAX_RESTING_BYTES;
  bool ok = lre_value_encode(L, top + 1, &json, 0, &err) &&
            lre_json_check(&sb->text, json.data, json.len, &resting_limits, &err) &&
            lre_buf_take(&json, &sb->spec->resting, &sb->spec->resting_len);
  if (!ok) lre_buf_free(&json);
  lua_settop(L, top);
}

/* The declared table at 2 becomes a copy without them. The file's own functions may hold the table itself and read all
 * of it; where none does, the collector takes it. */
static void drop_resting(lua_State *L, struct lre_sandbox *sb) {
  if (!sb->spec->loaded) write_resting(L, sb);
  if (!sb->spec->resting) return;
  lua_newtable(L);
  int copy = lua_gettop(L);
  for (lua_pushnil(L); lua_next(L, 2);) {
    lua_pushvalue(L, -2);
    lua_insert(L, -2);
    lua_rawset(L, copy);
  }
  for (int i = 0; i < N_RESTING; i++) {
    lua_pushnil(L);
    lua_setfield(L, copy, RESTING[i]);
  }
  if (lua_getmetatable(L, 2)) lua_setmetatable(L, copy); /* freezing says what is wrong with it */
  lua_replace(L, 2);
  lua_pushvalue(L, 2);
  keep(L, &lre_judge_declared);
  lua_pop(L, 1);
}

/* Arguments: the declared table's copy in another state, the document. */
static int add_resting(lua_State *L) {
  lre_value_push(L, lua_touserdata(L, 2));
  for (int i = 0; i < N_RESTING; i++) {
    lua_getfield(L, 3, RESTING[i]);
    lua_setfield(L, 1, RESTING[i]);
  }
  return 0;
}

bool lre_judge_add_resting(const struct lre_sandbox_spec *spec, lua_State *to, struct lre_err *err) {
  struct lre_json_doc doc;
  if (!spec->resting) return true;
  if (!lua_checkstack(to, 3)) return lre_err_memory(err);
  if (!lre_json_parse(&doc, spec->resting, spec->resting_len, &resting_limits, err)) return false;
  lua_pushcfunction(to, add_resting);
  lua_pushvalue(to, -2);
  lua_pushlightuserdata(to, &doc);
  int status = lua_pcall(to, 2, 0, 0);
  lre_json_free(&doc);
  if (status == LUA_OK) return true;
  lua_pop(to, 1);
  return lre_err_memory(err);
}

static int load_main(lua_State *L) {
  struct lre_load *load = lua_touserdata(L, 1);
  struct lre_sandbox *sb = load->sb;
  lua_settop(L, 0);
  lre_sandbox_open(L); /* 1: the globals */
  lua_pushlightuserdata(L, load);
  lua_pushcclosure(L, judge_require, 1);
  lua_setfield(L, 1, "require");
  open_libraries(L, sb);
  lre_sandbox_mark_library(L, 1);
  lre_freeze_table(L, 1, LRE_FREEZE_GLOBALS);
  lre_sandbox_name_library(L, 1, "_G");
  run_chunk(L, load, &sb->spec->main); /* 2: what it declares */
  if (!lua_istable(L, 2)) fail_field(L, "the file", "it to return lre.judge { ... }");
  keep(L, &lre_judge_declared);
  load_other_modules(L, load);
  check_labels(L);
  if (push_field(L, "judge", LUA_TFUNCTION, "a function")) {
    keep(L, &lre_judge_function);
    lua_pop(L, 1);
  }
  push_options(L, load);
  keep(L, &lre_judge_options);
  push_patterns(L);
  keep(L, &lre_judge_patterns);
  drop_resting(L, sb);
  lua_rawgetp(L, LUA_REGISTRYINDEX, &modules_key);
  lre_sandbox_freeze(sb, L, 2, lua_gettop(L));
  lre_judge_prepare(L);
  return 0;
}

/* The message becomes a string while the frames are still there. */
static int explain(lua_State *L) {
  if (!lre_sandbox_of(L)->kill.code && lua_type(L, 1) != LUA_TSTRING) lre_sandbox_push_text(L, 1);
  return 1;
}

int lre_judge_load(lua_State *L, struct lre_load *load) {
  lua_pushcfunction(L, explain);
  lua_pushcfunction(L, load_main);
  lua_pushlightuserdata(L, load);
  int status = lua_pcall(L, 1, 0, 1);
  lua_remove(L, 1);
  return status;
}

void lre_judge_push_declared(lua_State *L) {
  lua_rawgetp(L, LUA_REGISTRYINDEX, &lre_judge_declared);
}
