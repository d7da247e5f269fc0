/* coroutine.c: coroutine.*, pcall and xpcall of the main state. They do what Lua's do, and two things more: an engine
 * wait passes through any depth of a script's own coroutines, and a kill passes through every protected call. */
#include "vm/task.h"

/* ---- kills ---- */

static unsigned kills_of(lua_State *L) {
  const struct lre_task *t = lre_task_current(L);
  return t ? t->kills : 0;
}

/* A protected call that began before the kill must not end it, whatever error it caught: a __close handler may have
 * put its own in the kill's place. One that began after it belongs to such a handler and ends only the kill's own
 * error. */
static bool must_pass_kill(lua_State *L, bool failed, unsigned kills_before) {
  struct lre_task *t = lre_task_current(L);
  if (!lre_task_killed(t)) return false;
  return t->kills != kills_before || (failed && lre_task_is_kill(L, -1));
}

void lre_coroutine_reset(lua_State *co, lua_State *from) {
#if LUA_VERSION_RELEASE_NUM >= 50406
  lua_closethread(co, from);
#else
  (void)from;
  lua_resetthread(co);
#endif
}

/* ---- resume and wrap ---- */

static lua_State *check_coroutine(lua_State *L, int index) {
  lua_State *co = lua_tothread(L, index);
  luaL_argexpected(L, co, index, "coroutine");
  return co;
}

enum status { RUNNING, SUSPENDED, NORMAL, DEAD };

static enum status status_of(lua_State *L, lua_State *co) {
  lua_Debug ar;
  if (L == co) return RUNNING;
  if (lre_task_in_wait(co)) return NORMAL; /* active: what it called has not returned */
  if (lua_status(co) == LUA_YIELD) return SUSPENDED;
  if (lua_status(co) != LUA_OK) return DEAD;
  if (lua_getstack(co, 0, &ar)) return NORMAL;
  return lua_gettop(co) == 0 ? DEAD : SUSPENDED;
}

enum outcome { ENDED, WAITS, FAILED };

/* Resumes co with n_args from the top of L. ENDED: *n_results are on L's top; FAILED: an error is; WAITS: co sits in an
 * engine wait. */
static enum outcome step(lua_State *L, lua_State *co, int n_args, int *n_results) {
  int status = lre_sched_resume(co, L, n_args, n_results);
  struct lre_task *t = lre_task_current(L);
  if (lre_task_killed(t)) lre_sched_arm(L, t);
  if (status == LUA_YIELD && lre_task_in_wait(co)) return WAITS;
  if (status != LUA_OK && status != LUA_YIELD) {
    lua_xmove(co, L, 1);
    return FAILED;
  }
  if (!lua_checkstack(L, *n_results + 1)) {
    lua_pop(co, *n_results);
    lua_pushliteral(L, "too many results to resume");
    return FAILED;
  }
  lua_xmove(co, L, *n_results);
  return ENDED;
}

static enum outcome begin(lua_State *L, lua_State *co, int n_args, int *n_results) {
  enum status status = status_of(L, co);
  if (status != SUSPENDED) {
    lua_settop(L, lua_gettop(L) - n_args);
    if (lre_task_in_wait(co))
      lua_pushliteral(L, "cannot resume a coroutine that waits for the engine; only its own task goes on with it");
    else if (status == DEAD)
      lua_pushliteral(L, "cannot resume dead coroutine");
    else
      lua_pushliteral(L, "cannot resume non-suspended coroutine");
    return FAILED;
  }
  if (!lua_checkstack(co, n_args)) {
    lua_settop(L, lua_gettop(L) - n_args);
    lua_pushliteral(L, "too many arguments to resume");
    return FAILED;
  }
  lua_xmove(L, co, n_args);
  return step(L, co, n_args, n_results);
}

static int pass_wait(lua_State *L, unsigned kills, lua_KFunction go_on) {
  luaL_checkstack(L, 1, NULL);
  lua_pushlightuserdata(L, (void *)&lre_sentinel);
  return lua_yieldk(L, 1, (lua_KContext)kills, go_on);
}

/* A killed coroutine's variables are closed before the kill goes on to its owner. */
static void pass_kill(lua_State *L, lua_State *co, bool failed, unsigned kills) {
  if (!must_pass_kill(L, failed, kills)) return;
  if (status_of(L, co) != NORMAL) {
    lre_coroutine_reset(co, L);
    lua_settop(co, 0);
  }
  lre_task_raise_kill(L, lre_task_current(L));
}

static int go_on_resume(lua_State *L, int status, lua_KContext context);

static int end_resume(lua_State *L, lua_State *co, enum outcome outcome, int n_results, unsigned kills) {
  if (outcome == WAITS) return pass_wait(L, kills, go_on_resume);
  pass_kill(L, co, outcome == FAILED, kills);
  if (outcome == FAILED) n_results = 1;
  lua_pushboolean(L, outcome == ENDED);
  lua_insert(L, -(n_results + 1));
  return n_results + 1;
}

static int go_on_resume(lua_State *L, int status, lua_KContext context) {
  (void)status;
  lua_State *co = lua_tothread(L, 1);
  int n_results = 0;
  lua_pop(co, 1); /* the sentinel */
  enum outcome outcome = step(L, co, 0, &n_results);
  return end_resume(L, co, outcome, n_results, (unsigned)context);
}

static int coroutine_resume(lua_State *L) {
  lua_State *co = check_coroutine(L, 1);
  unsigned kills = kills_of(L);
  int n_results = 0;
  enum outcome outcome = begin(L, co, lua_gettop(L) - 1, &n_results);
  return end_resume(L, co, outcome, n_results, kills);
}

static int go_on_wrap(lua_State *L, int status, lua_KContext context);

static int fail_wrap(lua_State *L, lua_State *co) {
  int status = lua_status(co);
  if (status != LUA_OK &&
      status != LUA_YIELD) { /* it failed inside: close its variables, which may bring another error */
    lre_coroutine_reset(co, L);
    lua_xmove(co, L, 1);
  }
  if (status != LUA_ERRMEM && lua_type(L, -1) == LUA_TSTRING) { /* say where, as Lua does */
    luaL_where(L, 1);
    lua_insert(L, -2);
    lua_concat(L, 2);
  }
  return lua_error(L);
}

static int end_wrap(lua_State *L, lua_State *co, enum outcome outcome, int n_results, unsigned kills) {
  if (outcome == WAITS) return pass_wait(L, kills, go_on_wrap);
  pass_kill(L, co, outcome == FAILED, kills);
  return outcome == FAILED ? fail_wrap(L, co) : n_results;
}

static int go_on_wrap(lua_State *L, int status, lua_KContext context) {
  (void)status;
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  int n_results = 0;
  lua_pop(co, 1);
  enum outcome outcome = step(L, co, 0, &n_results);
  return end_wrap(L, co, outcome, n_results, (unsigned)context);
}

static int call_wrapped(lua_State *L) {
  lua_State *co = lua_tothread(L, lua_upvalueindex(1));
  unsigned kills = kills_of(L);
  int n_results = 0;
  enum outcome outcome = begin(L, co, lua_gettop(L), &n_results);
  return end_wrap(L, co, outcome, n_results, kills);
}

static int coroutine_create(lua_State *L) {
  luaL_checktype(L, 1, LUA_TFUNCTION);
  lua_State *co = lua_newthread(L);
  lua_pushvalue(L, 1);
  lua_xmove(L, co, 1);
  return 1;
}

static int coroutine_wrap(lua_State *L) {
  coroutine_create(L);
  lua_pushcclosure(L, call_wrapped, 1);
  return 1;
}

/* ---- yield, status, close ---- */

static bool is_task_body(lua_State *L) {
  const struct lre_task *t = lre_task_current(L);
  return !t || t->co == L;
}

static int coroutine_yield(lua_State *L) {
  const struct lre_task *t = lre_task_current(L);
  if (is_task_body(L)) return luaL_error(L, "attempt to yield from outside a coroutine");
  if (t->deadlines && t->deadlines->L == L)
    return luaL_error(
        L, "coroutine.yield: a coroutine cannot be left from inside sched.deadline; put the deadline around its owner");
  return lua_yield(L, lua_gettop(L));
}

static int coroutine_isyieldable(lua_State *L) {
  lua_State *co = lua_isnoneornil(L, 1) ? L : check_coroutine(L, 1);
  lua_pushboolean(L, lua_isyieldable(co) && !is_task_body(co));
  return 1;
}

static int coroutine_running(lua_State *L) {
  lua_pushthread(L);
  lua_pushboolean(L, is_task_body(L)); /* a task's own coroutine is what "main" is to a script */
  return 2;
}

static int coroutine_status(lua_State *L) {
  static const char *const names[] = {"running", "suspended", "normal", "dead"};
  lua_pushstring(L, names[status_of(L, check_coroutine(L, 1))]);
  return 1;
}

static int coroutine_close(lua_State *L) {
  lua_State *co = check_coroutine(L, 1);
  enum status status = status_of(L, co);
  if (lre_task_in_wait(co))
    return luaL_error(L, "cannot close a coroutine that waits for the engine; cancel its task instead");
  if (status != DEAD && status != SUSPENDED)
    return luaL_error(L, "cannot close a %s coroutine", status == RUNNING ? "running" : "normal");
  unsigned kills = kills_of(L);
  lua_settop(L, 1);
  bool failed = false;
#if LUA_VERSION_RELEASE_NUM >= 50406
  failed = lua_closethread(co, L) != LUA_OK;
#else
  failed = lua_resetthread(co) != LUA_OK;
#endif
  if (failed) lua_xmove(co, L, 1);
  if (must_pass_kill(L, failed, kills)) return lre_task_raise_kill(L, lre_task_current(L));
  lua_pushboolean(L, !failed);
  if (failed) lua_insert(L, -2);
  return failed ? 2 : 1;
}

/* ---- pcall and xpcall ---- */

/* Stack from n_below + 1: results, or one error on top. */
static int end_protected(lua_State *L, int status, int n_below, unsigned kills) {
  bool ok = status == LUA_OK || status == LUA_YIELD;
  if (must_pass_kill(L, !ok, kills)) return lre_task_raise_kill(L, lre_task_current(L));
  if (ok) return lua_gettop(L) - n_below + 1; /* with the `true` just below them */
  lua_pushboolean(L, 0);
  lua_insert(L, -2);
  return 2;
}

static int after_pcall(lua_State *L, int status, lua_KContext context) {
  return end_protected(L, status, 1, (unsigned)context);
}

static int base_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  unsigned kills = kills_of(L);
  lua_pushboolean(L, 1);
  lua_insert(L, 1);
  int status = lua_pcallk(L, lua_gettop(L) - 2, LUA_MULTRET, 0, (lua_KContext)kills, after_pcall);
  return after_pcall(L, status, (lua_KContext)kills);
}

/* The script's message handler (an upvalue) sees every error but the kill. */
static int handle_message(lua_State *L) {
  lua_settop(L, 1);
  if (lre_task_is_kill(L, 1)) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, 1, 1);
  return 1;
}

/* Stack: 1 the handler, 2 true, then results or one error. */
static int after_xpcall(lua_State *L, int status, lua_KContext context) {
  return end_protected(L, status, 2, (unsigned)context);
}

static int base_xpcall(lua_State *L) {
  int n_args = lua_gettop(L) - 2;
  luaL_checktype(L, 2, LUA_TFUNCTION);
  unsigned kills = kills_of(L);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, handle_message, 1);
  lua_replace(L, 2);
  lua_pushboolean(L, 1); /* function, handler, arguments, true */
  lua_pushvalue(L, 1);
  lua_rotate(L, 3, 2); /* function, handler, true, function, arguments */
  lua_remove(L, 1);
  int status = lua_pcallk(L, n_args, LUA_MULTRET, 1, (lua_KContext)kills, after_xpcall);
  return after_xpcall(L, status, (lua_KContext)kills);
}

void lre_sched_open(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"create", coroutine_create}, {"wrap", coroutine_wrap},       {"resume", coroutine_resume},
      {"yield", coroutine_yield},   {"status", coroutine_status},   {"isyieldable", coroutine_isyieldable},
      {"close", coroutine_close},   {"running", coroutine_running}, {NULL, NULL},
  };
  lre_task_open(L);
  luaL_newlib(L, functions);
  luaL_getsubtable(L, LUA_REGISTRYINDEX, LUA_LOADED_TABLE);
  lua_pushvalue(L, -2);
  lua_setfield(L, -2, "coroutine");
  lua_pop(L, 1);
  lua_setglobal(L, "coroutine");
  lua_register(L, "pcall", base_pcall);
  lua_register(L, "xpcall", base_xpcall);
}
