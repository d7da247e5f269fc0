#include "core/pool.h"

#include <pthread.h>
#include <stdlib.h>

#include "core/thread.h"

/* Far over any machine's cores: a larger number is a mistake. */
#define MAX_THREADS 1024

struct queue {
  struct lre_job *head, *tail;
  size_t n;
};

struct lre_pool {
  pthread_mutex_t mutex; /* guards what follows, up to wake */
  pthread_cond_t work;   /* a job was queued, or stop was set */
  struct queue queued, done;
  bool stop;
  size_t n_waiting; /* threads without a job */
  size_t n_threads, max_threads;

  void (*wake)(void *ud);
  void *ud;
  pthread_t threads[]; /* [max_threads] */
};

static void push(struct queue *q, struct lre_job *job) {
  job->next = NULL;
  if (q->tail) {
    q->tail->next = job;
  } else {
    q->head = job;
  }
  q->tail = job;
  q->n++;
}

static struct lre_job *pop(struct queue *q) {
  struct lre_job *job = q->head;
  if (!job) return NULL;
  q->head = job->next;
  if (!q->head) q->tail = NULL;
  job->next = NULL;
  q->n--;
  return job;
}

static bool unlink_job(struct queue *q, struct lre_job *job) {
  struct lre_job *before = NULL, *at = q->head;
  for (; at && at != job; at = at->next) before = at;
  if (!at) return false;
  if (before) {
    before->next = job->next;
  } else {
    q->head = job->next;
  }
  if (q->tail == job) q->tail = before;
  job->next = NULL;
  q->n--;
  return true;
}

/* The next job, or NULL when the pool stops. */
static struct lre_job *wait_for_job(struct lre_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  pool->n_waiting++;
  while (!pool->queued.head && !pool->stop) pthread_cond_wait(&pool->work, &pool->mutex);
  pool->n_waiting--;
  struct lre_job *job = pool->stop ? NULL : pop(&pool->queued);
  pthread_mutex_unlock(&pool->mutex);
  return job;
}

static void *worker(void *arg) {
  struct lre_pool *pool = arg;
  struct lre_job *job;
  while ((job = wait_for_job(pool))) {
    job->run(job);
    pthread_mutex_lock(&pool->mutex);
    push(&pool->done, job);
    pthread_mutex_unlock(&pool->mutex);
    if (pool->wake) pool->wake(pool->ud);
  }
  return NULL;
}

static int start_thread(struct lre_pool *pool) {
  int rc = lre_thread_start(&pool->threads[pool->n_threads], worker, pool);
  if (rc == 0) pool->n_threads++;
  return rc;
}

struct lre_pool *lre_pool_new(size_t max_threads, void (*wake)(void *ud), void *ud, struct lre_err *err) {
  if (max_threads == 0 || max_threads > MAX_THREADS) {
    lre_err_set(err, "argument", "range", "a pool takes 1..%d threads, got %zu", MAX_THREADS, max_threads);
    return NULL;
  }
  struct lre_pool *pool = calloc(1, sizeof *pool + max_threads * sizeof pool->threads[0]);
  if (!pool) {
    lre_err_memory(err);
    return NULL;
  }
  pool->max_threads = max_threads;
  pool->wake = wake;
  pool->ud = ud;
  pthread_mutex_init(&pool->mutex, NULL);
  pthread_cond_init(&pool->work, NULL);
  int rc = start_thread(pool);
  if (rc == 0) return pool;
  lre_err_errno(err, rc, "starting a worker thread");
  lre_pool_free(pool);
  return NULL;
}

void lre_pool_free(struct lre_pool *pool) {
  if (!pool) return;
  pthread_mutex_lock(&pool->mutex);
  pool->stop = true;
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->mutex);
  for (size_t i = 0; i < pool->n_threads; i++) pthread_join(pool->threads[i], NULL);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->mutex);
  free(pool);
}

void lre_pool_submit(struct lre_pool *pool, struct lre_job *job) {
  pthread_mutex_lock(&pool->mutex);
  job->cancelled = false;
  push(&pool->queued, job);
  if (pool->queued.n > pool->n_waiting && pool->n_threads < pool->max_threads) start_thread(pool);
  pthread_cond_signal(&pool->work);
  pthread_mutex_unlock(&pool->mutex);
}

struct lre_job *lre_pool_done(struct lre_pool *pool) {
  pthread_mutex_lock(&pool->mutex);
  struct lre_job *job = pop(&pool->done);
  pthread_mutex_unlock(&pool->mutex);
  return job;
}

/* A walk along the queue: cancelling is rare, and queues are short. */
bool lre_pool_cancel(struct lre_pool *pool, struct lre_job *job) {
  pthread_mutex_lock(&pool->mutex);
  bool queued = unlink_job(&pool->queued, job);
  if (queued) job->cancelled = true;
  pthread_mutex_unlock(&pool->mutex);
  return queued;
}
