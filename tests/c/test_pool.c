#include "test.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>

#include "core/pool.h"

#define JOBS 500

struct counted_job {
  struct lre_job job; /* first, so that the pool's pointer is ours */
  int input, output;
  atomic_int *runs;
};

static void square(struct lre_job *job) {
  struct counted_job *c = (struct counted_job *)job;
  c->output = c->input * c->input;
  if (c->runs) atomic_fetch_add(c->runs, 1);
}

/* A job that says that it runs, then waits to be let go. */
struct gate_job {
  struct lre_job job;
  sem_t entered, leave;
};

static void wait_at_gate(struct lre_job *job) {
  struct gate_job *g = (struct gate_job *)job;
  sem_post(&g->entered);
  sem_wait(&g->leave);
}

static void gate_init(struct gate_job *g) {
  g->job = (struct lre_job){.run = wait_at_gate};
  sem_init(&g->entered, 0, 0);
  sem_init(&g->leave, 0, 0);
}

static void gate_free(struct gate_job *g) {
  sem_destroy(&g->entered);
  sem_destroy(&g->leave);
}

static void post(void *ud) {
  sem_post(ud);
}

static struct lre_pool *new_pool(size_t threads, sem_t *woken) {
  if (woken) sem_init(woken, 0, 0);
  struct lre_pool *pool = lre_pool_new(threads, woken ? post : NULL, woken, NULL);
  assert_non_null(pool);
  return pool;
}

static void every_job_runs_once_and_comes_back_once(void **state) {
  (void)state;
  static struct counted_job jobs[JOBS];
  sem_t woken;
  struct lre_pool *pool = new_pool(4, &woken);
  for (int i = 0; i < JOBS; i++) {
    jobs[i] = (struct counted_job){.job.run = square, .input = i, .output = -1};
    lre_pool_submit(pool, &jobs[i].job);
  }
  bool seen[JOBS] = {false};
  for (int i = 0; i < JOBS; i++) {
    sem_wait(&woken);
    struct counted_job *c = (struct counted_job *)lre_pool_done(pool);
    assert_non_null(c);
    assert_false(c->job.cancelled);
    assert_int_equal(c->output, c->input * c->input);
    assert_false(seen[c->input]);
    seen[c->input] = true;
  }
  assert_null(lre_pool_done(pool));
  lre_pool_free(pool);
  sem_destroy(&woken);
}

static void one_thread_keeps_the_order(void **state) {
  (void)state;
  static struct counted_job jobs[JOBS];
  sem_t woken;
  struct lre_pool *pool = new_pool(1, &woken);
  for (int i = 0; i < JOBS; i++) {
    jobs[i] = (struct counted_job){.job.run = square, .input = i};
    lre_pool_submit(pool, &jobs[i].job);
  }
  for (int i = 0; i < JOBS; i++) {
    sem_wait(&woken);
    assert_ptr_equal(lre_pool_done(pool), &jobs[i].job);
  }
  lre_pool_free(pool);
  sem_destroy(&woken);
}

static void jobs_run_side_by_side(void **state) {
  (void)state;
  struct gate_job gates[3];
  struct lre_pool *pool = new_pool(3, NULL);
  for (int i = 0; i < 3; i++) {
    gate_init(&gates[i]);
    lre_pool_submit(pool, &gates[i].job);
  }
  for (int i = 0; i < 3; i++) sem_wait(&gates[i].entered); /* hangs unless all three are inside at once */
  assert_null(lre_pool_done(pool));
  for (int i = 0; i < 3; i++) sem_post(&gates[i].leave);
  lre_pool_free(pool);
  for (int i = 0; i < 3; i++) gate_free(&gates[i]);
}

static void a_cancelled_job_never_runs_and_the_others_do(void **state) {
  (void)state;
  struct gate_job gate;
  struct counted_job jobs[4];
  atomic_int runs = 0;
  sem_t woken;
  struct lre_pool *pool = new_pool(1, &woken);
  gate_init(&gate);
  lre_pool_submit(pool, &gate.job);
  sem_wait(&gate.entered);
  for (int i = 0; i < 4; i++) {
    jobs[i] = (struct counted_job){.job.run = square, .input = i, .runs = &runs};
    lre_pool_submit(pool, &jobs[i].job);
  }
  assert_true(lre_pool_cancel(pool, &jobs[1].job)); /* in the middle */
  assert_true(lre_pool_cancel(pool, &jobs[0].job)); /* first */
  assert_true(lre_pool_cancel(pool, &jobs[3].job)); /* last: jobs queued after it must not be lost */
  assert_false(lre_pool_cancel(pool, &jobs[3].job));
  assert_false(lre_pool_cancel(pool, &gate.job)); /* it runs */
  lre_pool_submit(pool, &jobs[0].job);
  sem_post(&gate.leave);
  for (int i = 0; i < 3; i++) sem_wait(&woken);
  assert_ptr_equal(lre_pool_done(pool), &gate.job);
  assert_ptr_equal(lre_pool_done(pool), &jobs[2].job);
  assert_ptr_equal(lre_pool_done(pool), &jobs[0].job);
  assert_null(lre_pool_done(pool));
  assert_false(lre_pool_cancel(pool, &jobs[2].job)); /* it ran */
  assert_true(jobs[1].job.cancelled && jobs[3].job.cancelled && !jobs[0].job.cancelled && !jobs[2].job.cancelled);
  assert_int_equal(atomic_load(&runs), 2);
  lre_pool_free(pool);
  gate_free(&gate);
  sem_destroy(&woken);
}

static void *let_go(void *gate) {
  sem_post(&((struct gate_job *)gate)->leave);
  return NULL;
}

static void freeing_waits_for_what_runs_and_drops_what_waits(void **state) {
  (void)state;
  struct gate_job gate;
  struct counted_job waiting = {.job.run = square};
  atomic_int runs = 0;
  sem_t woken;
  int wakes = 0;
  pthread_t opener;
  waiting.runs = &runs;
  struct lre_pool *pool = new_pool(1, &woken);
  gate_init(&gate);
  lre_pool_submit(pool, &gate.job);
  sem_wait(&gate.entered);
  lre_pool_submit(pool, &waiting.job);
  assert_true(lre_pool_cancel(pool, &waiting.job)); /* were the gate's job done first, the next one might run */
  assert_int_equal(pthread_create(&opener, NULL, let_go, &gate), 0);
  lre_pool_free(pool);
  pthread_join(opener, NULL);
  sem_getvalue(&woken, &wakes);
  assert_int_equal(wakes, 1); /* the gate's job had ended when lre_pool_free returned */
  assert_int_equal(atomic_load(&runs), 0);
  gate_free(&gate);
  sem_destroy(&woken);
}

/* Jobs that are still queued when the pool goes: each ran whole or not at all, and none runs later. */
static void a_pool_may_be_freed_with_a_full_queue(void **state) {
  (void)state;
  static struct counted_job jobs[JOBS];
  atomic_int runs = 0;
  int finished = 0;
  struct lre_pool *pool = new_pool(2, NULL);
  for (int i = 0; i < JOBS; i++) {
    jobs[i] = (struct counted_job){.job.run = square, .input = i + 1, .runs = &runs};
    lre_pool_submit(pool, &jobs[i].job);
  }
  lre_pool_free(pool);
  for (int i = 0; i < JOBS; i++) finished += jobs[i].output != 0;
  assert_int_equal(finished, atomic_load(&runs));
}

static void a_pool_without_threads_is_refused(void **state) {
  (void)state;
  struct lre_err err;
  assert_null(lre_pool_new(0, NULL, NULL, &err));
  assert_string_equal(err.kind, "argument");
  assert_null(lre_pool_new((size_t)-1, NULL, NULL, &err));
  lre_pool_free(NULL);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(every_job_runs_once_and_comes_back_once),
      cmocka_unit_test(one_thread_keeps_the_order),
      cmocka_unit_test(jobs_run_side_by_side),
      cmocka_unit_test(a_cancelled_job_never_runs_and_the_others_do),
      cmocka_unit_test(freeing_waits_for_what_runs_and_drops_what_waits),
      cmocka_unit_test(a_pool_may_be_freed_with_a_full_queue),
      cmocka_unit_test(a_pool_without_threads_is_refused),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
