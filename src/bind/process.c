/* process.c: require "lre.process". The child is waited for on a thread of the blocking pool. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/process.h"
#include "vm/sched.h"
#include "vm/vm.h"

#define RUN_TYPE "lre.process.run"

/* What the thread works on: its own memory, for the task may be gone before the child is. Freed by the main thread. */
struct work {
  struct lre_sched_job job;
  struct run *owner; /* NULL: nobody waits any more */
  char **argv;
  struct lre_buf input;
  struct lre_process_request request;
  struct lre_process_result result;
  struct lre_err err;
  atomic_bool cancel;
  bool ok;
};

struct run {
  struct lre_wait wait;
  struct lre_sched *sched;
  struct work *work; /* NULL: never begun, or given up */
};

static void free_work(struct work *w) {
  if (!w) return;
  for (char **arg = w->argv; arg && *arg; arg++) free(*arg);
  free(w->argv);
  lre_buf_free(&w->input);
  lre_process_result_free(&w->result); /* a failed run may have left output, too */
  free(w);
}

static void run_job(struct lre_job *job) {
  struct work *w = (struct work *)job;
  w->ok = lre_process_run(&w->request, &w->result, &w->err);
}

static void end_job(struct lre_sched_job *job) {
  struct work *w = (struct work *)job;
  if (w->owner)
    lre_sched_complete(&w->owner->wait);
  else
    free_work(w);
}

static void give_up(struct run *r) {
  struct work *w = r->work;
  if (!w) return;
  r->work = NULL;
  if (r->wait.complete) { /* the thread is done with it */
    free_work(w);
    return;
  }
  w->owner = NULL;
  atomic_store(&w->cancel, true);
  if (lre_sched_unsubmit(r->sched, &w->job)) free_work(w);
}

static void cancel_run(struct lre_wait *wait) {
  give_up((struct run *)wait);
}

static int run_gc(lua_State *L) {
  give_up(luaL_checkudata(L, 1, RUN_TYPE));
  return 0;
}

static int push_result(lua_State *L, struct lre_wait *wait) {
  struct run *r = (struct run *)wait;
  struct work *w = r->work;
  if (!w->ok) return lre_bind_fail(L, &w->err);
  lua_createtable(L, 0, 4);
  if (w->result.exit_code >= 0)
    lua_pushinteger(L, w->result.exit_code);
  else
    lua_pushnil(L);
  lua_setfield(L, -2, "exit");
  if (w->result.signal > 0) {
    lua_pushinteger(L, w->result.signal);
    lua_setfield(L, -2, "signal");
  }
  lre_bind_push_buf(L, &w->result.out);
  lua_setfield(L, -2, "out");
  lre_bind_push_buf(L, &w->result.err_out);
  lua_setfield(L, -2, "err");
  give_up(r);
  return 1;
}

/* The list part of the table at 1 as argv. */
static bool copy_argv(lua_State *L, struct work *w, lua_Integer n) {
  w->argv = calloc((size_t)n + 1, sizeof *w->argv);
  for (lua_Integer i = 1; w->argv && i <= n; i++) {
    lua_rawgeti(L, 1, i);
    w->argv[i - 1] = strdup(lua_tostring(L, -1));
    lua_pop(L, 1);
    if (!w->argv[i - 1]) return false;
  }
  return w->argv != NULL;
}

static lua_Integer check_argv(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_Integer n = (lua_Integer)lua_rawlen(L, 1);
  luaL_argcheck(L, n > 0, 1, "expected a program and its arguments");
  for (lua_Integer i = 1; i <= n; i++) {
    lua_rawgeti(L, 1, i);
    if (lua_type(L, -1) != LUA_TSTRING || strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1))
      luaL_error(L, "process.run: argument %I: expected a string without zero bytes", (LUAI_UACINT)i);
    lua_pop(L, 1);
  }
  return n;
}

static uint32_t timeout_ms(lua_State *L) {
  lua_getfield(L, 1, "timeout");
  double seconds = luaL_optnumber(L, -1, 0);
  if (!(seconds >= 0 && seconds <= 4e6)) luaL_error(L, "process.run: timeout: expected seconds from 0 to 4,000,000");
  lua_pop(L, 1);
  return (uint32_t)ceil(seconds * 1e3);
}

static int process_run(lua_State *L) {
  static const char *const fields[] = {"input", "timeout", "max_bytes", NULL};
  lua_settop(L, 1);
  lua_Integer n = check_argv(L);
  lre_bind_check_fields(L, 1, "process.run", fields);
  uint32_t timeout = timeout_ms(L);
  lua_getfield(L, 1, "max_bytes");
  lua_Integer max_bytes = luaL_optinteger(L, -1, 0);
  luaL_argcheck(L, max_bytes >= 0, 1, "max_bytes: expected an integer from 0");
  size_t input_len = 0;
  lua_getfield(L, 1, "input");
  const char *input = luaL_optlstring(L, -1, "", &input_len);
  lre_sched_check_wait(L, "process.run");
  struct run *r = lua_newuserdatauv(L, sizeof *r, 0);
  *r = (struct run){.wait = {.what = "process", .push = push_result, .cancel = cancel_run}};
  luaL_setmetatable(L, RUN_TYPE);
  r->sched = lre_vm_sched(lre_context_get(L)->vm);
  struct lre_err err;
  struct work *w = calloc(1, sizeof *w); /* from here to its submission nothing raises */
  bool ok = w && copy_argv(L, w, n) && lre_buf_put(&w->input, input, input_len);
  if (!ok) {
    free_work(w);
    lre_err_memory(&err);
    return lre_bind_fail(L, &err);
  }
  snprintf(r->wait.detail, sizeof r->wait.detail, "%s", w->argv[0]);
  atomic_init(&w->cancel, false);
  w->request = (struct lre_process_request){.argv = (const char *const *)w->argv,
                                            .input = w->input.data,
                                            .input_len = input_len,
                                            .max_output_bytes = (size_t)max_bytes,
                                            .timeout_ms = timeout,
                                            .cancel = &w->cancel};
  w->owner = r;
  w->job = (struct lre_sched_job){.job.run = run_job, .blocks = true, .done = end_job};
  if (!lre_sched_submit(r->sched, &w->job, &err)) {
    free_work(w);
    return lre_bind_fail(L, &err);
  }
  r->work = w;
  return lre_sched_wait(L, &r->wait);
}

int luaopen_lre_process(lua_State *L) {
  static const luaL_Reg functions[] = {{"run", process_run}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, RUN_TYPE, none, run_gc);
  luaL_newlib(L, functions);
  return 1;
}
