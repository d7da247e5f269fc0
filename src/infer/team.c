#include "infer/team.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "core/thread.h"

/* A pass through a model has some hundred loops, tens of microseconds apart: a waiting thread looks that long before it
 * sleeps. Where more threads run than there are cores it must not be longer. */
#define SPINS 4000

/* What nobody took yet of a thread's share. A line of its own: its thread takes from it all the time. */
struct share {
  _Alignas(64) atomic_size_t next;
  size_t end;
};

struct worker {
  struct lre_team *team;
  size_t index;
  pthread_t thread;
};

struct lre_team {
  size_t n_threads;
  struct worker *workers; /* n_threads - 1 */
  struct share *shares;   /* n_threads */
  pthread_mutex_t lock;
  pthread_cond_t begun, ended;
  atomic_uint round;  /* one more for each loop */
  atomic_size_t busy; /* workers that have not finished the round */
  atomic_bool quitting;
  size_t grain;
  void (*work)(void *arg, size_t begin, size_t end, size_t worker);
  void *arg;
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void take_share(struct lre_team *t, struct share *s, size_t worker) {
  for (;;) {
    size_t begin = atomic_fetch_add_explicit(&s->next, t->grain, memory_order_relaxed);
    if (begin >= s->end) return;
    t->work(t->arg, begin, s->end - begin < t->grain ? s->end : begin + t->grain, worker);
  }
}

static void take_items(struct lre_team *t, size_t worker) {
  for (size_t i = 0; i < t->n_threads; i++) take_share(t, &t->shares[(worker + i) % t->n_threads], worker);
}

/* The next round's number. */
static unsigned await_round(struct lre_team *t, unsigned seen) {
  unsigned round;
  for (int i = 0; i < SPINS; i++) {
    round = atomic_load_explicit(&t->round, memory_order_acquire);
    if (round != seen) return round;
    relax();
  }
  pthread_mutex_lock(&t->lock);
  while ((round = atomic_load_explicit(&t->round, memory_order_acquire)) == seen)
    pthread_cond_wait(&t->begun, &t->lock);
  pthread_mutex_unlock(&t->lock);
  return round;
}

static void *run_worker(void *arg) {
  struct worker *w = arg;
  struct lre_team *t = w->team;
  for (unsigned seen = 0;;) {
    seen = await_round(t, seen);
    if (atomic_load_explicit(&t->quitting, memory_order_acquire)) return NULL;
    take_items(t, w->index);
    if (atomic_fetch_sub_explicit(&t->busy, 1, memory_order_acq_rel) == 1) {
      pthread_mutex_lock(&t->lock);
      pthread_cond_signal(&t->ended);
      pthread_mutex_unlock(&t->lock);
    }
  }
}

static void begin_round(struct lre_team *t) {
  pthread_mutex_lock(&t->lock);
  atomic_fetch_add_explicit(&t->round, 1, memory_order_release);
  pthread_cond_broadcast(&t->begun);
  pthread_mutex_unlock(&t->lock);
}

static void await_workers(struct lre_team *t) {
  for (int i = 0; i < SPINS; i++) {
    if (atomic_load_explicit(&t->busy, memory_order_acquire) == 0) return;
    relax();
  }
  pthread_mutex_lock(&t->lock);
  while (atomic_load_explicit(&t->busy, memory_order_acquire)) pthread_cond_wait(&t->ended, &t->lock);
  pthread_mutex_unlock(&t->lock);
}

void lre_team_run(struct lre_team *t, size_t n_items, size_t grain,
                  void (*work)(void *arg, size_t begin, size_t end, size_t worker), void *arg) {
  if (!n_items) return;
  if (t->n_threads == 1 || n_items <= grain) {
    for (size_t i = 0; i < n_items; i += grain) work(arg, i, n_items - i < grain ? n_items : i + grain, 0);
    return;
  }
  t->grain = grain, t->work = work, t->arg = arg;
  for (size_t i = 0; i < t->n_threads; i++) {
    atomic_store_explicit(&t->shares[i].next, lre_team_share(t, n_items, i), memory_order_relaxed);
    t->shares[i].end = lre_team_share(t, n_items, i + 1);
  }
  atomic_store_explicit(&t->busy, t->n_threads - 1, memory_order_relaxed);
  begin_round(t);
  take_items(t, 0);
  await_workers(t);
}

size_t lre_team_threads(const struct lre_team *t) {
  return t->n_threads;
}

size_t lre_team_share(const struct lre_team *t, size_t n_items, size_t worker) {
  return n_items / t->n_threads * worker + n_items % t->n_threads * worker / t->n_threads;
}

static bool start_workers(struct lre_team *t, size_t n_threads, struct lre_err *err) {
  t->workers = calloc(n_threads, sizeof *t->workers);
  t->shares = aligned_alloc(_Alignof(struct share), n_threads * sizeof *t->shares);
  if (!t->workers || !t->shares) return lre_err_memory(err);
  for (size_t i = 1; i < n_threads; i++, t->n_threads++) {
    struct worker *w = &t->workers[i - 1];
    *w = (struct worker){.team = t, .index = i};
    int failed = lre_thread_start(&w->thread, run_worker, w);
    if (failed) return lre_err_errno(err, failed, "starting thread %zu of %zu", i, n_threads);
  }
  return true;
}

struct lre_team *lre_team_new(size_t n_threads, struct lre_err *err) {
  struct lre_team *t = calloc(1, sizeof *t);
  if (!t) {
    lre_err_memory(err);
    return NULL;
  }
  t->n_threads = 1;
  pthread_mutex_init(&t->lock, NULL);
  pthread_cond_init(&t->begun, NULL);
  pthread_cond_init(&t->ended, NULL);
  if (start_workers(t, n_threads, err)) return t;
  lre_team_free(t);
  return NULL;
}

void lre_team_free(struct lre_team *t) {
  if (!t) return;
  atomic_store_explicit(&t->quitting, true, memory_order_release);
  begin_round(t);
  for (size_t i = 0; i + 1 < t->n_threads; i++) pthread_join(t->workers[i].thread, NULL);
  pthread_cond_destroy(&t->begun);
  pthread_cond_destroy(&t->ended);
  pthread_mutex_destroy(&t->lock);
  free(t->workers);
  free(t->shares);
  free(t);
}
