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
#include "vm/answers.h"
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
  struct crew **crews; /* [n_crews] */
  char **names;        /* [n_crews], of judge_lines: what stands before each one's verdict; NULL: judge_block */
  size_t n_crews;
  char *rows;
  size_t len;
  struct lre_answers answers; /* of judge_block its `out` alone */
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
  for (size_t i = 0; i < w->n_crews; i++) release_crew(w->crews[i]);
  for (size_t i = 0; w->names && i < w->n_crews; i++) free(w->names[i]);
  free(w->crews);
  free(w->names);
  free(w->rows);
  lre_answers_free(&w->answers);
  free(w);
}

static void run_block(struct lre_job *job) {
  struct work *w = (struct work *)job;
  struct lre_sandbox *sb = take_state(w->crews[0], &w->err);
  w->ok = sb && lre_sandbox_judge_block(sb, w->rows, w->len, &w->answers.out, &w->err);
  if (sb) give_state(w->crews[0], sb);
}

static void run_lines(struct lre_job *job) {
  struct work *w = (struct work *)job;
  struct lre_answers_judge *judges = calloc(w->n_crews, sizeof *judges);
  size_t n = 0;
  w->ok = judges || lre_err_memory(&w->err);
  while (w->ok && n < w->n_crews) {
    struct lre_sandbox *sb = take_state(w->crews[n], &w->err);
    w->ok = sb != NULL;
    if (sb) judges[n] = (struct lre_answers_judge){.state = sb, .name = w->names[n], .name_len = strlen(w->names[n])};
    if (sb) n++;
  }
  w->ok = w->ok && lre_answers_judge(w->rows, w->len, judges, n, &w->answers, &w->err);
  for (size_t i = 0; i < n; i++) give_state(w->crews[i], judges[i].state);
  free(judges);
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

/* { lines, rows, errors, odd = { { line, at, text }, ... } } */
static void push_counts(lua_State *L, const struct work *w) {
  const struct lre_answers *a = &w->answers;
  lua_createtable(L, 0, 4);
  lua_pushinteger(L, (lua_Integer)a->lines);
  lua_setfield(L, -2, "lines");
  lua_pushinteger(L, (lua_Integer)a->rows);
  lua_setfield(L, -2, "rows");
  lua_pushinteger(L, (lua_Integer)a->errors);
  lua_setfield(L, -2, "errors");
  lua_createtable(L, (int)a->n_odd, 0);
  for (size_t i = 0; i < a->n_odd; i++) {
    lua_createtable(L, 3, 0);
    lua_pushinteger(L, (lua_Integer)a->odd[i].line);
    lua_rawseti(L, -2, 1);
    lua_pushinteger(L, (lua_Integer)a->odd[i].at);
    lua_rawseti(L, -2, 2);
    lua_pushlstring(L, w->rows + a->odd[i].start, a->odd[i].len);
    lua_rawseti(L, -2, 3);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  lua_setfield(L, -2, "odd");
}

static int push_block(lua_State *L, struct lre_wait *wait) {
  struct block *b = (struct block *)wait;
  struct work *w = b->work;
  if (!w->ok) {
    struct lre_err err = w->err;
    give_up(b);
    return lre_bind_fail(L, &err);
  }
  lua_pushlstring(L, w->answers.out.data ? w->answers.out.data : "", w->answers.out.len);
  int n = w->names ? 2 : 1;
  if (n == 2) push_counts(L, w);
  give_up(b);
  return n;
}

static char *copy_bytes(const char *s, size_t len) {
  char *copy = malloc(len + 1);
  if (!copy) return NULL;
  memcpy(copy, s, len);
  copy[len] = '\0';
  return copy;
}

static struct work *new_work(const char *rows, size_t len, size_t n_crews) {
  struct work *w = calloc(1, sizeof *w);
  if (!w) return NULL;
  lre_answers_init(&w->answers);
  w->rows = copy_bytes(rows, len);
  w->crews = calloc(n_crews, sizeof(struct crew *));
  w->len = len;
  if (w->rows && w->crews) return w;
  free_work(w);
  return NULL;
}

static void add_crew(struct work *w, struct crew *crew) {
  atomic_fetch_add(&crew->references, 1);
  w->crews[w->n_crews++] = crew;
}

static struct block *push_new_block(lua_State *L) {
  struct block *b = lua_newuserdatauv(L, sizeof *b, 0);
  *b = (struct block){.wait = {.what = "judge", .push = push_block, .cancel = cancel_block}};
  luaL_setmetatable(L, BLOCK_TYPE);
  b->sched = lre_vm_sched(lre_context_get(L)->vm);
  return b;
}

/* `w` may be NULL: there was no memory for it. */
static int submit(lua_State *L, struct block *b, struct work *w, void (*run)(struct lre_job *job)) {
  struct lre_err err;
  if (!w) {
    lre_err_memory(&err);
    return lre_bind_fail(L, &err);
  }
  w->owner = b;
  w->job = (struct lre_sched_job){.job.run = run, .done = end_block};
  if (!lre_sched_submit(b->sched, &w->job, &err)) {
    free_work(w);
    return lre_bind_fail(L, &err);
  }
  b->work = w;
  return lre_sched_wait(L, &b->wait);
}

static int sandbox_judge_block(lua_State *L) {
  struct handle *h = check_handle(L);
  size_t len;
  const char *rows = luaL_checklstring(L, 2, &len);
  lre_sched_check_wait(L, "sandbox:judge_block");
  struct block *b = push_new_block(L);
  struct work *w = new_work(rows, len, 1); /* from here to its submission nothing raises */
  if (w) add_crew(w, h->crew);
  return submit(L, b, w, run_block);
}

/* The judge at place i of the list at 1: { sandbox, name }, pushed. */
static struct crew *check_judge(lua_State *L, lua_Integer i) {
  luaL_argcheck(L, lua_geti(L, 1, i) == LUA_TTABLE, 1, "expected a list of { sandbox, name }");
  lua_geti(L, -1, 1);
  lua_geti(L, -2, 2);
  struct handle *h = luaL_checkudata(L, -2, SANDBOX_TYPE);
  luaL_argcheck(L, h->crew && lua_type(L, -1) == LUA_TSTRING, 1, "expected open sandboxes, each with a name");
  return h->crew;
}

static int sandbox_judge_lines(lua_State *L) {
  size_t len;
  luaL_checktype(L, 1, LUA_TTABLE);
  const char *text = luaL_checklstring(L, 2, &len);
  lua_Integer n = luaL_len(L, 1);
  luaL_argcheck(L, n >= 1 && n <= MAX_IDLE, 1, "expected one judge or more");
  luaL_checkstack(L, 3 * (int)n + 10, "too many judges");
  for (lua_Integer i = 1; i <= n; i++) check_judge(L, i); /* at 2 + 3 * i: its name */
  lre_sched_check_wait(L, "sandbox.judge_lines");
  struct block *b = push_new_block(L);
  struct work *w = new_work(text, len, (size_t)n); /* from here to its submission nothing raises */
  if (w) w->names = calloc((size_t)n, sizeof(char *));
  for (int i = 1; w && w->names && i <= (int)n; i++) {
    size_t name_len;
    const char *name = lua_tolstring(L, 2 + 3 * i, &name_len);
    add_crew(w, ((struct handle *)lua_touserdata(L, 1 + 3 * i))->crew);
    if (!(w->names[i - 1] = copy_bytes(name, name_len))) break;
  }
  if (w && (!w->names || w->n_crews < (size_t)n || !w->names[n - 1])) {
    free_work(w);
    w = NULL;
  }
  return submit(L, b, w, run_lines);
}

/* States that wait are freed; who needs one again has it built. */
static int sandbox_rest(lua_State *L) {
  struct crew *c = check_handle(L)->crew;
  struct lre_sandbox *idle[MAX_IDLE];
  pthread_mutex_lock(&c->mutex);
  size_t n = c->n_idle;
  memcpy(idle, c->idle, n * sizeof *idle);
  c->n_idle = 0;
  pthread_mutex_unlock(&c->mutex);
  for (size_t i = 0; i < n; i++) lre_sandbox_free(idle[i]);
  return 0;
}

/* Blocks under way go on to their end. */
static int sandbox_close(lua_State *L) {
  struct handle *h = luaL_checkudata(L, 1, SANDBOX_TYPE);
  release_crew(h->crew);
  h->crew = NULL;
  return 0;
}

int luaopen_lre_sandbox(lua_State *L) {
  static const luaL_Reg functions[] = {{"new", sandbox_new}, {"judge_lines", sandbox_judge_lines}, {NULL, NULL}};
  static const luaL_Reg methods[] = {
      {"declared", sandbox_declared}, {"judge", sandbox_judge}, {"judge_block", sandbox_judge_block},
      {"rest", sandbox_rest},         {"close", sandbox_close}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, SANDBOX_TYPE, methods, sandbox_close);
  lre_bind_type(L, SPEC_TYPE, none, spec_gc);
  lre_bind_type(L, DOC_TYPE, none, lre_bind_doc_gc);
  lre_bind_type(L, BLOCK_TYPE, none, block_gc);
  luaL_newlib(L, functions);
  return 1;
}
