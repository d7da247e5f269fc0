/* sandbox.c: require "lre.sandbox". A judge has as many states as blocks are judged at once; each is used by one thread
 * at a time. */
#include "vm/sandbox.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/json.h"
#include "vm/sched.h"
#include "vm/value.h"
#include "vm/vm.h"

#define SANDBOX_TYPE "lre.sandbox"
#define SPEC_TYPE    "lre.sandbox.spec"
#define DOC_TYPE     "lre.sandbox.doc"
#define BLOCK_TYPE   "lre.sandbox.block"

enum { MAX_IDLE = 64 }; /* states that wait for the next block; more than any pool has threads */

/* The states of one judge: shared by the handle and by the blocks that are under way, gone with the last of them. */
struct crew {
  atomic_int references;
  pthread_mutex_t mutex;
  struct lre_sandbox_spec *spec;
  struct lre_sandbox *idle[MAX_IDLE];
  size_t n_idle;
};

static void release_crew(struct crew *c) {
  if (!c || atomic_fetch_sub(&c->references, 1) != 1) return;
  for (size_t i = 0; i < c->n_idle; i++) lre_sandbox_free(c->idle[i]);
  lre_sandbox_spec_release(c->spec);
  pthread_mutex_destroy(&c->mutex);
  free(c);
}

static struct crew *new_crew(struct lre_sandbox_spec *spec, struct lre_sandbox *first) {
  struct crew *c = calloc(1, sizeof *c);
  if (!c) return NULL;
  if (pthread_mutex_init(&c->mutex, NULL) != 0) {
    free(c);
    return NULL;
  }
  atomic_init(&c->references, 1);
  lre_sandbox_spec_retain(spec);
  c->spec = spec;
  c->idle[c->n_idle++] = first;
  return c;
}

/* An idle state, or a new one. Any thread. */
static struct lre_sandbox *take_state(struct crew *c, struct lre_err *err) {
  pthread_mutex_lock(&c->mutex);
  struct lre_sandbox *sb = c->n_idle ? c->idle[--c->n_idle] : NULL;
  pthread_mutex_unlock(&c->mutex);
  return sb ? sb : lre_sandbox_new(c->spec, err);
}

static void give_state(struct crew *c, struct lre_sandbox *sb) {
  pthread_mutex_lock(&c->mutex);
  bool kept = c->n_idle < MAX_IDLE;
  if (kept) c->idle[c->n_idle++] = sb;
  pthread_mutex_unlock(&c->mutex);
  if (!kept) lre_sandbox_free(sb);
}

/* ---- making one ---- */

struct handle {
  struct crew *crew; /* NULL: closed */
};

struct spec_box {
  struct lre_sandbox_spec *spec; /* until the crew has it */
};

static int spec_gc(lua_State *L) {
  struct spec_box *box = lua_touserdata(L, 1);
  lre_sandbox_spec_release(box->spec);
  box->spec = NULL;
  return 0;
}

static const char *check_field(lua_State *L, int table, const char *name, size_t *len) {
  if (lua_getfield(L, table, name) != LUA_TSTRING)
    luaL_error(L, "sandbox.new: %s: expected a string, got %s", name, luaL_typename(L, -1));
  return lua_tolstring(L, -1, len);
}

static uint64_t read_limit(lua_State *L, const char *name, uint64_t most) {
  int type = lua_getfield(L, -1, name), ok = 1;
  lua_Integer value = type == LUA_TNIL ? 0 : lua_tointegerx(L, -1, &ok);
  if (!ok || value < 0 || (uint64_t)value > most)
    luaL_error(L, "sandbox.new: limits.%s: expected an integer from 0 to %I", name, (LUAI_UACINT)most);
  lua_pop(L, 1);
  return (uint64_t)value;
}

static void read_limits(lua_State *L, struct lre_sandbox_limits *limits) {
  if (lua_getfield(L, 1, "limits") != LUA_TNIL) {
    luaL_checktype(L, -1, LUA_TTABLE);
    limits->steps = read_limit(L, "steps", INT64_MAX);
    limits->bytes = (size_t)read_limit(L, "bytes", INT64_MAX);
    limits->regex_match = (uint32_t)read_limit(L, "regex_match", UINT32_MAX);
  }
  lua_pop(L, 1);
}

/* False: err. */
static bool add_modules(lua_State *L, struct lre_sandbox_spec *spec, struct lre_err *err) {
  bool ok = true;
  if (lua_getfield(L, 1, "modules") != LUA_TNIL) {
    luaL_checktype(L, -1, LUA_TTABLE);
    int modules = lua_gettop(L);
    for (lua_pushnil(L); ok && lua_next(L, modules); lua_settop(L, modules + 1)) {
      size_t len;
      if (lua_type(L, modules + 1) != LUA_TSTRING || !lua_istable(L, modules + 2))
        luaL_error(L, "sandbox.new: modules: expected name = { chunk = ..., source = ... }");
      const char *chunk = check_field(L, modules + 2, "chunk", NULL);
      const char *source = check_field(L, modules + 2, "source", &len);
      ok = lre_sandbox_spec_add_module(spec, lua_tostring(L, modules + 1), chunk, source, len, err);
    }
  }
  return ok;
}

static bool set_options(lua_State *L, struct lre_sandbox_spec *spec, struct lre_err *err) {
  bool ok = true;
  if (lua_getfield(L, 1, "options") != LUA_TNIL) {
    luaL_checktype(L, -1, LUA_TTABLE);
    struct lre_buf *json = lre_bind_buf(L);
    ok = lre_value_encode(L, -2, json, 0, err) && lre_sandbox_spec_set_options(spec, json->data, json->len, err);
    lre_buf_free(json);
  }
  return ok;
}

static int sandbox_new(lua_State *L) {
  struct lre_sandbox_limits limits = {0};
  struct lre_err err;
  size_t len;
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *name = check_field(L, 1, "name", NULL), *source = check_field(L, 1, "source", &len);
  read_limits(L, &limits);
  struct handle *h = lua_newuserdatauv(L, sizeof *h, 0);
  int handle = lua_gettop(L);
  h->crew = NULL;
  luaL_setmetatable(L, SANDBOX_TYPE);
  struct spec_box *box = lua_newuserdatauv(L, sizeof *box, 0);
  box->spec = NULL;
  luaL_setmetatable(L, SPEC_TYPE);
  box->spec = lre_sandbox_spec_new(name, source, len, &limits, lre_bind_preload_pure, &err);
  if (!box->spec || !add_modules(L, box->spec, &err) || !set_options(L, box->spec, &err)) return lre_bind_fail(L, &err);
  struct lre_sandbox *first = lre_sandbox_new(box->spec, &err);
  if (!first) return lre_bind_fail(L, &err);
  h->crew = new_crew(box->spec, first);
  if (!h->crew) {
    lre_sandbox_free(first);
    lre_err_memory(&err);
    return lre_bind_fail(L, &err);
  }
  lua_settop(L, handle);
  return 1;
}

static struct handle *check_handle(lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, SANDBOX_TYPE);
  luaL_argcheck(L, h->crew, 1, "the sandbox is closed");
  return h;
}

/* ---- asking it ---- */

static int sandbox_declared(lua_State *L) {
  struct handle *h = check_handle(L);
  struct lre_err err;
  struct lre_sandbox *sb = take_state(h->crew, &err);
  if (!sb) return lre_bind_fail(L, &err);
  bool ok = lre_sandbox_declared(sb, L, &err);
  give_state(h->crew, sb);
  return ok ? 1 : lre_bind_fail(L, &err);
}

static int push_verdict(lua_State *L, const struct lre_buf *text) {
  struct lre_err err;
  struct lre_bind_doc *d = lua_newuserdatauv(L, sizeof *d, 0);
  d->open = false;
  luaL_setmetatable(L, DOC_TYPE);
  if (!lre_json_parse(&d->doc, text->data, text->len, NULL, &err)) return lre_bind_fail(L, &err);
  d->open = true;
  lre_value_push(L, &d->doc);
  lre_json_free(&d->doc);
  d->open = false;
  return 1;
}

static int sandbox_judge(lua_State *L) {
  struct handle *h = check_handle(L);
  struct lre_err err;
  size_t len;
  const char *row = luaL_checklstring(L, 2, &len);
  struct lre_buf *out = lre_bind_buf(L);
  struct lre_sandbox *sb = take_state(h->crew, &err);
  if (!sb) return lre_bind_fail(L, &err);
  bool ok = lre_sandbox_judge(sb, row, len, out, &err);
  give_state(h->crew, sb);
  if (!ok) return lre_bind_fail(L, &err);
  int n = push_verdict(L, out);
  lre_buf_free(out);
  return n;
}

/* ---- a block on a worker ---- */

/* What the thread works on: its own memory, for the task may be gone before the block is done. Freed by the main
 * thread. */
struct work {
  struct lre_sched_job job;
  struct block *owner; /* NULL: nobody waits any more */
  struct crew *crew;
  char *rows;
  size_t len;
  struct lre_buf out;
  struct lre_err err;
  bool ok;
};

struct block {
  struct lre_wait wait;
  struct lre_sched *sched;
  struct work *work; /* NULL: never begun, or given up */
};

static void free_work(struct work *w) {
  if (!w) return;
  release_crew(w->crew);
  free(w->rows);
  lre_buf_free(&w->out);
  free(w);
}

static void run_block(struct lre_job *job) {
  struct work *w = (struct work *)job;
  struct lre_sandbox *sb = take_state(w->crew, &w->err);
  w->ok = sb && lre_sandbox_judge_block(sb, w->rows, w->len, &w->out, &w->err);
  if (sb) give_state(w->crew, sb);
}

static void end_block(struct lre_sched_job *job) {
  struct work *w = (struct work *)job;
  if (w->owner) {
    lre_sched_complete(&w->owner->wait);
  } else {
    free_work(w);
  }
}

static void give_up(struct block *b) {
  struct work *w = b->work;
  if (!w) return;
  b->work = NULL;
  if (b->wait.complete) { /* the thread is done with it */
    free_work(w);
    return;
  }
  w->owner = NULL;
  if (lre_sched_unsubmit(b->sched, &w->job)) free_work(w);
}

static void cancel_block(struct lre_wait *wait) {
  give_up((struct block *)wait);
}

static int block_gc(lua_State *L) {
  give_up(luaL_checkudata(L, 1, BLOCK_TYPE));
  return 0;
}

static int push_block(lua_State *L, struct lre_wait *wait) {
  struct block *b = (struct block *)wait;
  struct work *w = b->work;
  if (!w->ok) {
    struct lre_err err = w->err;
    give_up(b);
    return lre_bind_fail(L, &err);
  }
  lua_pushlstring(L, w->out.data ? w->out.data : "", w->out.len);
  give_up(b);
  return 1;
}

static struct work *new_work(struct crew *crew, const char *rows, size_t len) {
  struct work *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  lre_buf_init(&w->out);
  w->rows = malloc(len + 1);
  if (!w->rows) {
    free(w);
    return NULL;
  }
  memcpy(w->rows, rows, len);
  w->len = len;
  w->crew = crew;
  atomic_fetch_add(&crew->references, 1);
  w->job = (struct lre_sched_job){.job.run = run_block, .done = end_block};
  return w;
}

static int sandbox_judge_block(lua_State *L) {
  struct handle *h = check_handle(L);
  struct lre_err err;
  size_t len;
  const char *rows = luaL_checklstring(L, 2, &len);
  lre_sched_check_wait(L, "sandbox:judge_block");
  struct block *b = lua_newuserdatauv(L, sizeof *b, 0);
  *b = (struct block){.wait = {.what = "judge", .push = push_block, .cancel = cancel_block}};
  luaL_setmetatable(L, BLOCK_TYPE);
  b->sched = lre_vm_sched(lre_context_get(L)->vm);
  struct work *w = new_work(h->crew, rows, len); /* from here to its submission nothing raises */
  if (!w) {
    lre_err_memory(&err);
    return lre_bind_fail(L, &err);
  }
  w->owner = b;
  if (!lre_sched_submit(b->sched, &w->job, &err)) {
    free_work(w);
    return lre_bind_fail(L, &err);
  }
  b->work = w;
  return lre_sched_wait(L, &b->wait);
}

/* Blocks under way go on to their end. */
static int sandbox_close(lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, SANDBOX_TYPE);
  release_crew(h->crew);
  h->crew = NULL;
  return 0;
}

int luaopen_lre_sandbox(lua_State *L) {
  static const luaL_Reg functions[] = {{"new", sandbox_new}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"declared", sandbox_declared},
                                     {"judge", sandbox_judge},
                                     {"judge_block", sandbox_judge_block},
                                     {"close", sandbox_close},
                                     {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, SANDBOX_TYPE, methods, sandbox_close);
  lre_bind_type(L, SPEC_TYPE, none, spec_gc);
  lre_bind_type(L, DOC_TYPE, none, lre_bind_doc_gc);
  lre_bind_type(L, BLOCK_TYPE, none, block_gc);
  luaL_newlib(L, functions);
  return 1;
}
