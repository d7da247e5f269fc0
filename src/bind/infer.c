/* infer.c: require "lre.infer". Opening reads on a thread of the blocking pool; answers come from the batch's thread.
 */
#include <stdlib.h>
#include <string.h>

#include "bind/bind.h"
#include "infer/batch.h"
#include "infer/checkpoint.h"
#include "vm/sched.h"
#include "vm/vm.h"

#define ENGINE_TYPE  "lre.infer.engine"
#define OPENING_TYPE "lre.infer.opening"
#define ANSWER_TYPE  "lre.infer.answer"

struct engine {
  struct lre_sched_source source;
  struct lre_sched *sched;
  struct lre_checkpoint checkpoint;
  struct lre_batch *batch; /* NULL: closed */
};

/* What the pool's thread works on: its own memory, for the task may be gone before it is done. */
struct work {
  struct lre_sched_job job;
  struct opening *owner; /* NULL: nobody waits any more */
  char *folder;
  struct lre_model_options options;
  struct lre_batch_options batch_options;
  struct lre_checkpoint checkpoint;
  struct lre_batch *batch;
  struct lre_err err;
  bool ok;
};

struct opening {
  struct lre_wait wait;
  struct lre_sched *sched;
  struct work *work;
};

struct answer {
  struct lre_wait wait;
  struct engine *engine;
  struct lre_request *request; /* NULL: given up */
};

/* Opening ------------------------------------------------------------------------------------------------------------
 */

static void free_work(struct work *w) {
  lre_batch_free(w->batch);
  lre_checkpoint_free(&w->checkpoint);
  free(w->folder);
  free(w);
}

static void run_open(struct lre_job *job) {
  struct work *w = (struct work *)job;
  w->ok = lre_checkpoint_open(&w->checkpoint, w->folder, &w->options, &w->err);
  if (w->ok) w->batch = lre_batch_new(w->checkpoint.model, w->checkpoint.tokenizer, &w->batch_options, &w->err);
  w->ok = w->batch != NULL;
}

static void end_open(struct lre_sched_job *job) {
  struct work *w = (struct work *)job;
  if (w->owner)
    lre_sched_complete(&w->owner->wait);
  else
    free_work(w);
}

static void give_up_opening(struct opening *o) {
  struct work *w = o->work;
  if (!w) return;
  o->work = NULL;
  w->owner = NULL;
  if (o->wait.complete || lre_sched_unsubmit(o->sched, &w->job)) free_work(w);
}

static void cancel_opening(struct lre_wait *wait) {
  give_up_opening((struct opening *)wait);
}

static int opening_gc(lua_State *L) {
  give_up_opening(luaL_checkudata(L, 1, OPENING_TYPE));
  return 0;
}

/* Ends what came out of the batch; what nobody waits for is freed. */
static void check_done(struct lre_sched_source *source) {
  struct engine *e = (struct engine *)source;
  for (struct lre_request *r; e->batch && (r = lre_batch_done(e->batch));) {
    struct answer *a = r->owner;
    if (a)
      lre_sched_complete(&a->wait);
    else
      lre_request_free(r);
  }
}

static int push_engine(lua_State *L, struct lre_wait *wait) {
  struct opening *o = (struct opening *)wait;
  if (!o->work->ok) return lre_bind_fail(L, &o->work->err);
  struct engine *e = lua_newuserdatauv(L, sizeof *e, 0);
  *e = (struct engine){.source.check = check_done, .sched = o->sched};
  luaL_setmetatable(L, ENGINE_TYPE);
  e->checkpoint = o->work->checkpoint;
  e->batch = o->work->batch;
  memset(&o->work->checkpoint, 0, sizeof o->work->checkpoint);
  o->work->batch = NULL;
  lre_sched_source_add(e->sched, &e->source);
  give_up_opening(o);
  return 1;
}

/* An integer field of the table at index, from 0. */
static size_t size_field(lua_State *L, int index, const char *name) {
  lua_getfield(L, index, name);
  lua_Integer n = luaL_optinteger(L, -1, 0);
  if (n < 0) luaL_error(L, "infer: %s: expected an integer from 0", name);
  lua_pop(L, 1);
  return (size_t)n;
}

static double number_field(lua_State *L, int index, const char *name, double fallback) {
  lua_getfield(L, index, name);
  double x = luaL_optnumber(L, -1, fallback);
  lua_pop(L, 1);
  return x;
}

static void read_open_options(lua_State *L, struct lre_model_options *model, struct lre_batch_options *batch) {
  static const char *const fields[] = {"threads", "kv_bytes", "max_sequences", "block_tokens", "kernels", "int8", NULL};
  lre_bind_check_fields(L, 2, "infer.open", fields);
  batch->n_threads = size_field(L, 2, "threads");
  batch->kv_bytes = size_field(L, 2, "kv_bytes");
  batch->max_sequences = size_field(L, 2, "max_sequences");
  batch->block_tokens = size_field(L, 2, "block_tokens");
  lua_getfield(L, 2, "int8");
  model->int8 = lua_toboolean(L, -1);
  lua_getfield(L, 2, "kernels");
  const char *kernels = luaL_optstring(L, -1, NULL);
  if (kernels && !(model->kernels = lre_kernels_named(kernels)))
    luaL_error(L, "infer.open: kernels: this processor has no '%s'", kernels);
  lua_pop(L, 2);
}

static int infer_open(lua_State *L) {
  size_t len;
  const char *folder = luaL_checklstring(L, 1, &len);
  luaL_argcheck(L, len > 0 && strlen(folder) == len, 1, "a path must not be empty or hold a zero byte");
  struct lre_model_options model = {0};
  struct lre_batch_options batch = {0};
  struct lre_err err;
  lua_settop(L, 2);
  if (lua_isnil(L, 2)) {
    lua_newtable(L);
    lua_replace(L, 2);
  }
  luaL_checktype(L, 2, LUA_TTABLE);
  read_open_options(L, &model, &batch);
  lre_sched_check_wait(L, "infer.open");
  struct opening *o = lua_newuserdatauv(L, sizeof *o, 0);
  *o = (struct opening){
      .wait = {.what = "infer", .detail = "opening a checkpoint", .push = push_engine, .cancel = cancel_opening}};
  luaL_setmetatable(L, OPENING_TYPE);
  o->sched = lre_vm_sched(lre_context_get(L)->vm);
  struct work *w = calloc(1, sizeof *w); /* from here to its submission nothing raises */
  if (!w || !(w->folder = strdup(folder))) {
    free(w);
    lre_err_memory(&err);
    return lre_bind_fail(L, &err);
  }
  batch.wake = lre_sched_wake, batch.wake_arg = o->sched;
  w->owner = o, w->options = model, w->batch_options = batch;
  w->job = (struct lre_sched_job){.job.run = run_open, .blocks = true, .done = end_open};
  if (!lre_sched_submit(o->sched, &w->job, &err)) {
    free_work(w);
    return lre_bind_fail(L, &err);
  }
  o->work = w;
  return lre_sched_wait(L, &o->wait);
}

/* An engine ----------------------------------------------------------------------------------------------------------
 */

static struct engine *check_engine(lua_State *L) {
  struct engine *e = luaL_checkudata(L, 1, ENGINE_TYPE);
  if (!e->batch) luaL_error(L, "the engine is closed");
  return e;
}

static int engine_gc(lua_State *L) {
  struct engine *e = luaL_checkudata(L, 1, ENGINE_TYPE);
  if (!e->batch) return 0;
  lre_batch_stop(e->batch);
  check_done(&e->source);
  lre_sched_source_remove(e->sched, &e->source);
  lre_batch_free(e->batch);
  e->batch = NULL;
  lre_checkpoint_free(&e->checkpoint);
  return 0;
}

static void set_count(lua_State *L, const char *name, size_t n) {
  lua_pushinteger(L, (lua_Integer)n);
  lua_setfield(L, -2, name);
}

static void set_text(lua_State *L, const char *name, const char *text) {
  lua_pushstring(L, text);
  lua_setfield(L, -2, name);
}

static int engine_info(lua_State *L) {
  struct engine *e = check_engine(L);
  const struct lre_model *m = e->checkpoint.model;
  const struct lre_config *c = lre_model_config(m);
  lua_createtable(L, 0, 12);
  set_text(L, "architecture", c->model_type);
  set_text(L, "dtype", lre_dtype_name(lre_model_dtype(m)));
  set_text(L, "quantisation", lre_model_int8(m) ? "int8" : "none");
  set_text(L, "kernels", lre_model_kernels(m));
  set_count(L, "parameters", lre_model_parameters(m));
  set_count(L, "vocabulary", c->n_vocab);
  set_count(L, "context", c->max_positions);
  set_count(L, "layers", c->n_layers);
  lua_createtable(L, 0, (int)e->checkpoint.n_files);
  for (size_t i = 0; i < e->checkpoint.n_files; i++)
    set_text(L, e->checkpoint.files[i].name, e->checkpoint.files[i].hash);
  lua_setfield(L, -2, "files");
  return 1;
}

static int engine_facts(lua_State *L) {
  struct lre_batch_facts facts;
  lre_batch_describe(check_engine(L)->batch, &facts);
  lua_createtable(L, 0, 5);
  set_count(L, "threads", facts.n_threads);
  set_count(L, "steps", facts.n_steps);
  set_count(L, "tokens", facts.n_tokens);
  set_count(L, "peak_sequences", facts.peak_sequences);
  set_count(L, "kv_peak_bytes", facts.kv_peak_bytes);
  return 1;
}

static int engine_encode(lua_State *L) {
  struct engine *e = check_engine(L);
  size_t len;
  const char *text = luaL_checklstring(L, 2, &len);
  unsigned flags = lua_toboolean(L, 3) ? LRE_TOKENIZER_SPECIAL : 0;
  struct lre_ids ids = {0};
  struct lre_err err;
  if (!lre_tokenizer_encode(e->checkpoint.tokenizer, text, len, flags, &ids, &err)) {
    lre_ids_free(&ids);
    return lre_bind_fail(L, &err);
  }
  struct lre_buf *b = lre_bind_buf(L); /* the ids survive an error of Lua's in it */
  lre_buf_put(b, ids.data ? (const void *)ids.data : "", ids.len * sizeof *ids.data);
  size_t n = ids.len;
  lre_ids_free(&ids);
  if (b->failed) {
    lre_err_memory(&err);
    return lre_bind_raise(L, &err);
  }
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    uint32_t id;
    memcpy(&id, b->data + i * sizeof id, sizeof id);
    lua_pushinteger(L, id);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int engine_decode(lua_State *L) {
  struct engine *e = check_engine(L);
  luaL_checktype(L, 2, LUA_TTABLE);
  bool skip_special = lua_toboolean(L, 3); /* before anything is pushed where it may be missing */
  size_t n = lua_rawlen(L, 2);
  uint32_t *ids = lua_newuserdatauv(L, (n + 1) * sizeof *ids, 0);
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, 2, (lua_Integer)i + 1);
    lua_Integer id = luaL_checkinteger(L, -1);
    luaL_argcheck(L, id >= 0 && id < UINT32_MAX, 2, "expected ids from 0");
    ids[i] = (uint32_t)id;
    lua_pop(L, 1);
  }
  struct lre_buf *b = lre_bind_buf(L);
  struct lre_err err;
  if (!lre_tokenizer_decode(e->checkpoint.tokenizer, ids, n, skip_special, b, &err)) return lre_bind_fail(L, &err);
  return lre_bind_push_buf(L, b);
}

static int engine_token(lua_State *L) {
  struct engine *e = check_engine(L);
  size_t len;
  const char *name = luaL_checklstring(L, 2, &len);
  uint32_t id = lre_tokenizer_find(e->checkpoint.tokenizer, name, len);
  if (id == LRE_NO_TOKEN) return 0;
  lua_pushinteger(L, id);
  return 1;
}

static int engine_guard(lua_State *L) {
  struct engine *e = check_engine(L);
  size_t len;
  const char *text = luaL_checklstring(L, 2, &len);
  struct lre_buf *b = lre_bind_buf(L);
  bool marked = lre_tokenizer_guard(e->checkpoint.tokenizer, text, len, b);
  lre_bind_push_buf(L, b);
  lua_pushboolean(L, marked);
  return 2;
}

/* Answers ------------------------------------------------------------------------------------------------------------
 */

static void give_up_answer(struct answer *a) {
  struct lre_request *r = a->request;
  if (!r) return;
  a->request = NULL;
  r->owner = NULL;
  if (a->wait.complete)
    lre_request_free(r);
  else
    lre_batch_cancel(a->engine->batch, r);
}

static void cancel_answer(struct lre_wait *wait) {
  give_up_answer((struct answer *)wait);
}

static int answer_gc(lua_State *L) {
  give_up_answer(luaL_checkudata(L, 1, ANSWER_TYPE));
  return 0;
}

static void push_logprobs(lua_State *L, const struct lre_request *r) {
  lua_createtable(L, (int)r->ids.len, 0);
  for (size_t i = 0; i < r->ids.len; i++) {
    lua_createtable(L, 0, 3);
    set_count(L, "id", r->ids.data[i]);
    lua_pushnumber(L, (double)r->logprobs[i]);
    lua_setfield(L, -2, "logprob");
    lua_createtable(L, (int)r->n_top, 0);
    for (size_t k = 0; k < r->n_top; k++) {
      lua_createtable(L, 0, 2);
      set_count(L, "id", r->top_ids[i * r->n_top + k]);
      lua_pushnumber(L, (double)r->top_logprobs[i * r->n_top + k]);
      lua_setfield(L, -2, "logprob");
      lua_rawseti(L, -2, (lua_Integer)k + 1);
    }
    lua_setfield(L, -2, "top");
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
}

static int push_answer(lua_State *L, struct lre_wait *wait) {
  struct answer *a = (struct answer *)wait;
  struct lre_request *r = a->request;
  if (!r->ok) {
    struct lre_err err = r->err;
    give_up_answer(a);
    return lre_bind_fail(L, &err);
  }
  lua_createtable(L, 0, 7);
  lua_pushlstring(L, r->text.data ? r->text.data : "", r->text.len);
  lua_setfield(L, -2, "text");
  set_text(L, "finish_reason", r->finish == LRE_FINISH_LENGTH ? "length" : "stop");
  set_count(L, "input_tokens", r->prompt.len);
  set_count(L, "output_tokens", r->ids.len);
  set_count(L, "reused_tokens", r->n_reused);
  if (r->want_logprobs) {
    push_logprobs(L, r);
    lua_setfield(L, -2, "logprobs");
  }
  give_up_answer(a);
  return 1;
}

static bool copy_text(lua_State *L, int index, struct lre_buf *out) {
  size_t len;
  const char *text = luaL_checklstring(L, index, &len);
  return lre_buf_put(out, text, len);
}

static unsigned flag_at(lua_State *L, int index, unsigned flag) {
  return lua_toboolean(L, index) ? flag : 0;
}

/* parts = { { text, special?, frame?, guarded? }, ... } */
static bool read_parts(lua_State *L, struct lre_request *r) {
  lua_getfield(L, 2, "parts");
  luaL_checktype(L, -1, LUA_TTABLE);
  size_t n = lua_rawlen(L, -1);
  int list = lua_gettop(L);
  r->parts = calloc(n + 1, sizeof *r->parts);
  for (size_t i = 0; r->parts && i < n; i++) {
    lua_rawgeti(L, list, (lua_Integer)i + 1);
    luaL_checktype(L, -1, LUA_TTABLE);
    lua_getfield(L, -1, "special");
    lua_getfield(L, -2, "frame");
    lua_getfield(L, -3, "guarded");
    lua_getfield(L, -4, "text");
    r->n_parts++;
    r->parts[i].flags = flag_at(L, -4, LRE_TOKENIZER_SPECIAL) | flag_at(L, -3, LRE_TOKENIZER_FRAME) |
                        flag_at(L, -2, LRE_TOKENIZER_GUARDED);
    if (!copy_text(L, -1, &r->parts[i].text)) return false;
    lua_pop(L, 5);
  }
  return r->parts != NULL;
}

static bool read_stops(lua_State *L, struct lre_request *r) {
  lua_getfield(L, 2, "stop");
  if (lua_isnil(L, -1)) return true;
  luaL_checktype(L, -1, LUA_TTABLE);
  size_t n = lua_rawlen(L, -1);
  r->stops = calloc(n + 1, sizeof *r->stops);
  for (size_t i = 0; r->stops && i < n; i++) {
    lua_rawgeti(L, -1, (lua_Integer)i + 1);
    r->n_stops++;
    if (!copy_text(L, -1, &r->stops[i])) return false;
    lua_pop(L, 1);
  }
  return r->stops != NULL;
}

/* The sampling key: the first 16 bytes of a hash in hex. */
static void read_key(lua_State *L, uint8_t key[16]) {
  size_t len;
  lua_getfield(L, 2, "key");
  const char *hex = luaL_optlstring(L, -1, "00000000000000000000000000000000", &len);
  if (len < 32) luaL_error(L, "generate: key: expected 32 hexadecimal digits");
  for (int i = 0; i < 16; i++) {
    char two[3] = {hex[2 * i], hex[2 * i + 1], 0}, *end;
    key[i] = (uint8_t)strtoul(two, &end, 16);
    if (*end) luaL_error(L, "generate: key: expected 32 hexadecimal digits");
  }
}

static void read_sampling(lua_State *L, struct lre_sampling *s) {
  s->temperature = number_field(L, 2, "temperature", 0);
  s->top_p = number_field(L, 2, "top_p", 1);
  s->min_p = number_field(L, 2, "min_p", 0);
  s->repetition_penalty = number_field(L, 2, "repetition_penalty", 1);
  size_t top_k = size_field(L, 2, "top_k");
  s->top_k = top_k > UINT32_MAX ? UINT32_MAX : (uint32_t)top_k;
  if (!(s->temperature >= 0 && s->top_p >= 0 && s->min_p >= 0 && s->repetition_penalty > 0))
    luaL_error(L, "generate: a sampling parameter is out of its range");
  read_key(L, s->key);
}

static int engine_generate(lua_State *L) {
  static const char *const fields[] = {
      "parts",      "temperature", "top_k",    "top_p", "min_p",      "repetition_penalty",
      "max_tokens", "stop",        "logprobs", "key",   "ignore_end", NULL};
  struct engine *e = check_engine(L);
  lua_settop(L, 2);
  luaL_checktype(L, 2, LUA_TTABLE);
  lre_bind_check_fields(L, 2, "generate", fields);
  lre_sched_check_wait(L, "generate");
  struct answer *a = lua_newuserdatauv(L, sizeof *a, 1);
  *a = (struct answer){.wait = {.what = "infer", .push = push_answer, .cancel = cancel_answer}, .engine = e};
  a->wait.complete = true; /* not submitted: its __gc frees the request */
  luaL_setmetatable(L, ANSWER_TYPE);
  lua_pushvalue(L, 1);
  lua_setiuservalue(L, 3, 1);
  struct lre_request *r = a->request = lre_request_new();
  struct lre_err err;
  bool ok = r && read_parts(L, r) && (lua_settop(L, 3), read_stops(L, r));
  if (!ok) {
    lre_err_memory(&err);
    return lre_bind_raise(L, &err);
  }
  read_sampling(L, &r->sampling);
  r->max_tokens = size_field(L, 2, "max_tokens");
  luaL_argcheck(L, r->max_tokens > 0, 2, "max_tokens: expected an integer from 1");
  lua_getfield(L, 2, "logprobs");
  r->want_logprobs = !lua_isnil(L, -1);
  r->n_top = size_field(L, 2, "logprobs");
  luaL_argcheck(L, r->n_top <= 100, 2, "logprobs: at most 100 alternatives");
  lua_getfield(L, 2, "ignore_end");
  r->ignore_end = lua_toboolean(L, -1);
  lua_settop(L, 3);
  r->owner = a;
  a->wait.complete = false;
  lre_batch_submit(e->batch, r);
  return lre_sched_wait(L, &a->wait);
}

static int infer_kernels(lua_State *L) {
  const struct lre_kernels *k;
  lua_newtable(L);
  for (size_t i = 0; (k = lre_kernels_at(i)); i++) {
    lua_pushstring(L, k->name);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

int luaopen_lre_infer(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", infer_open}, {"kernels", infer_kernels}, {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  static const luaL_Reg methods[] = {{"info", engine_info},     {"facts", engine_facts}, {"encode", engine_encode},
                                     {"decode", engine_decode}, {"token", engine_token}, {"generate", engine_generate},
                                     {"guard", engine_guard},   {"close", engine_gc},    {NULL, NULL}};
  lre_bind_type(L, OPENING_TYPE, none, opening_gc);
  lre_bind_type(L, ANSWER_TYPE, none, answer_gc);
  lre_bind_type(L, ENGINE_TYPE, methods, engine_gc);
  luaL_newlib(L, functions);
  return 1;
}
