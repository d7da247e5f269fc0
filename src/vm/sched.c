/* sched.c: the ready queue, the loop, what it waits on, signals. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/clock.h"
#include "vm/coverage.h"
#include "vm/task.h"

/* Child programs that can be waited for at once: as many as the largest sensible concurrency of a `call` adapter. The
 * threads sleep. */
#define BLOCKING_THREADS 64

static struct lre_sched *_Atomic signalled; /* who gets the signals */

struct lre_sched *lre_sched_of(lua_State *L) {
  const struct lre_context *context = lre_context_get(L);
  return context && context->vm ? lre_vm_sched(context->vm) : NULL;
}

/* ---- life ---- */

struct lre_sched *lre_sched_new(struct lre_vm *vm, struct lre_err *err) {
  struct lre_sched *s = calloc(1, sizeof *s);
  if (!s) return lre_err_memory(err), NULL;
  if (!lre_wake_open(&s->wake, err)) {
    free(s);
    return NULL;
  }
  s->vm = vm;
  s->L = lre_vm_state(vm);
  s->thread = pthread_self();
  atomic_store(&signalled, s);
  return s;
}

static void run_done_jobs(struct lre_sched *s, struct lre_pool *pool) {
  struct lre_job *job;
  while (pool && (job = lre_pool_done(pool))) {
    struct lre_sched_job *mine = (struct lre_sched_job *)job;
    s->n_jobs--;
    mine->done(mine);
  }
}

/* Jobs that still run were told to stop when their waits were collected. */
static void finish_jobs(struct lre_sched *s) {
  while (s->n_jobs > 0) {
    run_done_jobs(s, s->pool);
    run_done_jobs(s, s->blocking_pool);
    if (s->n_jobs > 0) lre_wake_wait(&s->wake, 100);
    lre_wake_drain(&s->wake);
  }
}

void lre_sched_free(struct lre_sched *s) {
  if (!s) return;
  struct lre_sched *me = s;
  atomic_compare_exchange_strong(&signalled, &me, NULL);
  finish_jobs(s);
  if (s->pool) lre_pool_free(s->pool);
  if (s->blocking_pool) lre_pool_free(s->blocking_pool);
  if (s->http) lre_http_free(s->http);
  for (size_t i = 0; i < sizeof s->http_strings / sizeof *s->http_strings; i++) free(s->http_strings[i]);
  lre_http_allow_all(&s->http_allow);
  lre_timers_free(&s->timers);
  lre_wake_close(&s->wake);
  free(s->notice);
  free(s);
}

/* ---- HTTP, pools, sources ---- */

static bool keep_string(struct lre_sched *s, size_t i, const char *text, const char **out, struct lre_err *err) {
  if (!text) return true;
  char *copy = strdup(text);
  if (!copy) return lre_err_memory(err);
  free(s->http_strings[i]);
  *out = s->http_strings[i] = copy;
  return true;
}

static bool differs(const char *text, const char *mine) {
  return text && (!mine || strcmp(text, mine) != 0);
}

/* Only the bound of connections can change once requests were sent. */
static bool configure_again(struct lre_sched *s, const struct lre_http_options *options, struct lre_err *err) {
  const struct lre_http_options *mine = &s->http_options;
  if (differs(options->user_agent, mine->user_agent) || differs(options->ca_file, mine->ca_file) ||
      differs(options->proxy, mine->proxy))
    return lre_err_set(err, "argument", "late",
                       "http.configure: user_agent, ca_file and proxy are set before the first request");
  if (options->max_connections_per_host) lre_http_set_max_connections(s->http, options->max_connections_per_host);
  return true;
}

bool lre_sched_configure_http(struct lre_sched *s, const struct lre_http_options *options, struct lre_err *err) {
  if (s->http) return configure_again(s, options, err);
  struct lre_http_options *mine = &s->http_options;
  if (options->max_connections_per_host) mine->max_connections_per_host = options->max_connections_per_host;
  return keep_string(s, 0, options->user_agent, &mine->user_agent, err) &&
         keep_string(s, 1, options->ca_file, &mine->ca_file, err) &&
         keep_string(s, 2, options->proxy, &mine->proxy, err);
}

struct lre_http_allow *lre_sched_http_allow(struct lre_sched *s) {
  return &s->http_allow;
}

struct lre_http *lre_sched_http(struct lre_sched *s, struct lre_err *err) {
  if (s->http) return s->http;
  s->http_options.allow = &s->http_allow;
  s->http_options.secrets = lre_vm_secrets(s->vm);
  if (!s->http_options.user_agent) s->http_options.user_agent = "lre/" LRE_VERSION;
  return s->http = lre_http_new(&s->http_options, err);
}

struct lre_pool *lre_sched_pool(struct lre_sched *s, struct lre_err *err) {
  if (!s->pool) s->pool = lre_pool_new(lre_platform_cpus(), lre_sched_wake, s, err);
  return s->pool;
}

static struct lre_pool *blocking_pool(struct lre_sched *s, struct lre_err *err) {
  if (!s->blocking_pool) s->blocking_pool = lre_pool_new(BLOCKING_THREADS, lre_sched_wake, s, err);
  return s->blocking_pool;
}

bool lre_sched_submit(struct lre_sched *s, struct lre_sched_job *job, struct lre_err *err) {
  struct lre_pool *pool = job->blocks ? blocking_pool(s, err) : lre_sched_pool(s, err);
  if (!pool) return false;
  s->n_jobs++;
  lre_pool_submit(pool, &job->job);
  return true;
}

bool lre_sched_unsubmit(struct lre_sched *s, struct lre_sched_job *job) {
  struct lre_pool *pool = job->blocks ? s->blocking_pool : s->pool;
  if (!pool || !lre_pool_cancel(pool, &job->job)) return false;
  s->n_jobs--;
  return true;
}

void lre_sched_source_add(struct lre_sched *s, struct lre_sched_source *source) {
  source->next = s->sources;
  s->sources = source;
}

void lre_sched_source_remove(struct lre_sched *s, struct lre_sched_source *source) {
  struct lre_sched_source **link = &s->sources;
  while (*link && *link != source) link = &(*link)->next;
  if (*link) *link = source->next;
}

/* First the flag, then the descriptor, which the loop empties before it looks at the flag: no wake-up is lost, and a
 * worker that is held up between the two leaves nothing readable that a waiting loop would turn around. */
void lre_sched_wake(void *sched) {
  struct lre_sched *s = sched;
  if (!atomic_exchange(&s->woken, true)) lre_wake_signal(&s->wake);
}

static void attend_woken(struct lre_sched *s) {
  if (!atomic_exchange(&s->woken, false)) return;
  run_done_jobs(s, s->pool);
  run_done_jobs(s, s->blocking_pool);
  struct lre_sched_source *next;
  for (struct lre_sched_source *source = s->sources; source; source = next) {
    next = source->next;
    source->check(source);
  }
}

/* ---- signals ---- */

bool lre_sched_signal(int signum) {
  struct lre_sched *s = atomic_load(&signalled);
  if (!s) return false;
  if (!pthread_equal(pthread_self(), s->thread)) return pthread_kill(s->thread, signum) == 0;
  bool stop = signum == SIGINT || signum == SIGTERM;
  if (!stop)
    s->dump_wanted = 1;
  else if (s->n_interrupts < 2 && s->n_interrupts++ == 0)
    s->signum = signum;
  lua_State *L = s->running;
  if (L && (!stop || s->n_interrupts > 1)) lua_sethook(L, lre_sched_hook, LUA_MASKCOUNT, 1); /* as lua.c does */
  lre_sched_wake(s);
  return true;
}

static void cancel_all(struct lre_sched *s) {
  s->all_cancelled = true;
  for (struct lre_task *t = s->all_first; t; t = t->after) {
    if (t->cancelled) continue;
    t->cancelled = true;
    lre_task_kill(t);
  }
}

static void dump_to_stderr(struct lre_sched *s) {
  struct lre_buf text;
  lre_buf_init(&text);
  lre_sched_dump(s, &text);
  if (text.data) lre_vm_complain(s->L, text.data);
  lre_buf_free(&text);
}

bool lre_sched_notice(struct lre_sched *s, const char *text) {
  char *copy = text ? strdup(text) : NULL;
  if (text && !copy) return false;
  free(s->notice);
  s->notice = copy;
  return true;
}

void lre_sched_attend_signals(struct lre_sched *s) {
  if (s->n_interrupts > 0 && s->notice) {
    lre_vm_complain(s->L, s->notice);
    lre_sched_notice(s, NULL);
  }
  if (s->dump_wanted) {
    s->dump_wanted = 0;
    dump_to_stderr(s);
  }
  if (s->n_interrupts > 1 && !s->all_cancelled) cancel_all(s);
}

int lre_sched_interrupted(const struct lre_sched *s) {
  return s->n_interrupts > 0 ? (int)s->signum : 0;
}

static void dump_task(const struct lre_sched *s, const struct lre_task *t, uint64_t now, struct lre_buf *out) {
  lre_buf_printf(out, "task %llu (%s) ", (unsigned long long)t->id, t->name);
  const struct lre_wait *w = t->wait;
  if (t == s->current)
    lre_buf_puts(out, "runs\n");
  else if (!w)
    lre_buf_puts(out, "is ready to run\n");
  else
    lre_buf_printf(out, "waits for %s%s%s since %.1f s\n", w->what, w->detail[0] ? " " : "", w->detail,
                   (double)(now - w->since_ns) / 1e9);
}

void lre_sched_dump(struct lre_sched *s, struct lre_buf *out) {
  uint64_t now = lre_clock_mono_ns();
  size_t n = 0;
  for (const struct lre_task *t = s->all_first; t; t = t->after, n++) dump_task(s, t, now, out);
  lre_buf_printf(out, "%zu tasks, %zu requests in flight, %zu jobs, %zu timers\n", n,
                 s->http ? lre_http_in_flight(s->http) : 0, s->n_jobs, s->timers.n);
}

int lre_sched_exit(lua_State *L, int code) {
  struct lre_sched *s = lre_sched_of(L);
  if (!s->exiting) s->exit_code = code;
  s->exiting = true;
  cancel_all(s);
  return s->current ? lre_task_raise_kill(L, s->current) : luaL_error(L, "os.exit: no task runs");
}

bool lre_sched_exiting(const struct lre_sched *s, int *code) {
  if (s->exiting) *code = s->exit_code;
  return s->exiting;
}

size_t lre_sched_unreported(const struct lre_sched *s) {
  return s->n_unreported;
}

/* ---- tasks ---- */

void lre_task_queue(struct lre_task *t) {
  struct lre_sched *s = t->sched;
  t->next_ready = NULL;
  if (s->ready_last)
    s->ready_last->next_ready = t;
  else
    s->ready_first = t;
  s->ready_last = t;
}

static struct lre_task *next_ready(struct lre_sched *s) {
  struct lre_task *t = s->ready_first;
  s->ready_first = t->next_ready;
  if (!s->ready_first) s->ready_last = NULL;
  return t;
}

static void link_task(struct lre_sched *s, struct lre_task *t) {
  t->before = s->all_last;
  if (s->all_last)
    s->all_last->after = t;
  else
    s->all_first = t;
  s->all_last = t;
}

void lre_sched_spawn(lua_State *L, int n_args) {
  struct lre_sched *s = lre_sched_of(L);
  int function = lua_gettop(L) - n_args;
  luaL_checkstack(L, 4, "too many arguments");
  struct lre_task *t = lua_newuserdatauv(L, sizeof *t, LRE_TASK_VALUES);
  *t = (struct lre_task){.sched = s, .state = LRE_TASK_DONE, .asked = true, .name = "unnamed"};
  luaL_setmetatable(L, "lre.task");
  t->co = lua_newthread(L);
  lre_coverage_attach(t->co); /* not its maker's hook */
  lua_setiuservalue(L, -2, TASK_THREAD);
  if (!lua_checkstack(t->co, n_args + 2)) luaL_error(L, "too many arguments");
  lua_pushvalue(L, -1);
  lua_rawsetp(L, LUA_REGISTRYINDEX, t);
  lua_insert(L, function); /* handle, function, arguments */
  lua_pushcfunction(t->co, lre_task_body);
  lua_xmove(L, t->co, n_args + 1);
  t->id = ++s->next_id;
  t->state = LRE_TASK_RUNNING;
  t->asked = false;
  t->cancelled = s->all_cancelled;
  link_task(s, t);
  lre_task_queue(t);
}

static int resume_in(struct lre_sched *s, struct lre_resume *chain, lua_State *co, lua_State *from, int n_args,
                     int *n_results) {
  struct lre_resume *outer_chain = s->resumes;
  lua_State *outer = s->running;
  lre_sched_arm(co, s->current);
  s->resumes = chain;
  s->running = co;
  int status = lua_resume(co, from, n_args, n_results);
  s->running = outer;
  s->resumes = outer_chain;
  return status;
}

int lre_sched_resume(lua_State *co, lua_State *from, int n_args, int *n_results) {
  struct lre_sched *s = lre_sched_of(from);
  struct lre_resume link = {.from = from, .up = s->resumes};
  return resume_in(s, &link, co, from, n_args, n_results);
}

/* An error outside the body's protected call: no memory, or a yield that is not ours. Leaves false, error. */
static void settle_failed(struct lre_task *t, int status) {
  lre_coroutine_reset(t->co, t->sched->L);
  if (status == LUA_YIELD) {
    lua_settop(t->co, 0);
    lua_pushliteral(t->co, "a C library yielded outside a coroutine of the script");
  }
  lua_pushboolean(t->co, 0);
  lua_insert(t->co, 1);
}

static void run_task(struct lre_sched *s, struct lre_task *t) {
  int n_args = 0, n_results;
  if (t->started) {
    lua_pop(t->co, 1); /* the sentinel */
  } else if (t->cancelled) {
    lre_task_end(t, LRE_TASK_CANCELLED);
    return;
  } else {
    n_args = lua_gettop(t->co) - 1;
  }
  t->started = true;
  s->current = t;
  /* the chain of resumes ends at the task: how the loop itself was called is not its matter */
  int status = resume_in(s, NULL, t->co, s->L, n_args, &n_results);
  s->current = NULL;
  if (lre_task_in_wait(t->co)) return;
  if (status != LUA_OK) settle_failed(t, status);
  if (lua_toboolean(t->co, 1))
    lre_task_end(t, LRE_TASK_DONE);
  else
    lre_task_end(t, t->cancelled ? LRE_TASK_CANCELLED : LRE_TASK_FAILED);
}

static void run_ready(struct lre_sched *s) {
  struct lre_task *last = s->ready_last; /* those that come meanwhile get their turn after a look outside */
  while (s->ready_first) {
    struct lre_task *t = next_ready(s);
    run_task(s, t);
    if (t == last) break;
  }
}

/* ---- the loop ---- */

static int timeout_ms(struct lre_sched *s) {
  if (s->ready_first) return 0;
  const struct lre_timer *first = lre_timers_first(&s->timers);
  if (!first) return -1;
  uint64_t now = lre_clock_mono_ns();
  if (first->mono_ns <= now) return 0;
  uint64_t ms = (first->mono_ns - now + 999999) / 1000000; /* up: rather late than spinning */
  return ms > INT_MAX ? INT_MAX : (int)ms;
}

static void look_outside(lua_State *L, struct lre_sched *s) {
  struct lre_err err;
  int ms = timeout_ms(s);
  if (s->http && (ms != 0 || lre_http_in_flight(s->http) > 0)) {
    if (!lre_http_poll(s->http, s->wake.read_fd, ms, &err)) luaL_error(L, "%s", err.message);
  } else if (ms != 0) {
    lre_wake_wait(&s->wake, ms);
  }
  if (ms != 0) lre_wake_drain(&s->wake);
  attend_woken(s);
  lre_sched_attend_signals(s);
  if (s->timers.n > 0) lre_timers_run(&s->timers, lre_clock_mono_ns());
}

static bool is_stuck(const struct lre_sched *s) {
  return !s->ready_first && s->n_external == 0 && s->timers.n == 0;
}

bool lre_sched_run(lua_State *L, int index) {
  struct lre_task *t = lre_task_check(L, index);
  struct lre_sched *s = t->sched;
  if (s->current) return luaL_error(L, "the loop runs already");
  while (t->state == LRE_TASK_RUNNING) {
    run_ready(s);
    if (t->state != LRE_TASK_RUNNING) break;
    if (is_stuck(s)) lre_task_deadlock(t);
    look_outside(L, s);
  }
  return t->state == LRE_TASK_DONE;
}

void lre_sched_drain(lua_State *L) {
  struct lre_sched *s = lre_sched_of(L);
  cancel_all(s);
  while (s->all_first) {
    if (s->ready_first)
      run_ready(s);
    else
      look_outside(L, s);
  }
}
