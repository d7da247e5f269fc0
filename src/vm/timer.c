/* timer.c: see timer.h. */
#include "vm/timer.h"

#include <stdlib.h>

static bool earlier(const struct lre_timer *a, const struct lre_timer *b) {
  return a->mono_ns != b->mono_ns ? a->mono_ns < b->mono_ns : a->seq < b->seq;
}

static void put(struct lre_timers *ts, size_t i, struct lre_timer *timer) {
  ts->heap[i] = timer;
  timer->place = i + 1;
}

static void sift_up(struct lre_timers *ts, size_t i, struct lre_timer *timer) {
  while (i > 0 && earlier(timer, ts->heap[(i - 1) / 2])) {
    put(ts, i, ts->heap[(i - 1) / 2]);
    i = (i - 1) / 2;
  }
  put(ts, i, timer);
}

static void sift_down(struct lre_timers *ts, size_t i, struct lre_timer *timer) {
  for (;;) {
    size_t child = 2 * i + 1;
    if (child >= ts->n) break;
    if (child + 1 < ts->n && earlier(ts->heap[child + 1], ts->heap[child])) child++;
    if (!earlier(ts->heap[child], timer)) break;
    put(ts, i, ts->heap[child]);
    i = child;
  }
  put(ts, i, timer);
}

void lre_timers_free(struct lre_timers *ts) {
  free(ts->heap);
  *ts = (struct lre_timers){0};
}

static bool grow(struct lre_timers *ts) {
  size_t cap = ts->cap ? ts->cap * 2 : 16;
  struct lre_timer **heap = realloc(ts->heap, cap * sizeof *heap);
  if (!heap) return false;
  ts->heap = heap;
  ts->cap = cap;
  return true;
}

bool lre_timers_add(struct lre_timers *ts, struct lre_timer *timer, uint64_t mono_ns, struct lre_err *err) {
  lre_timers_remove(ts, timer);
  if (ts->n == ts->cap && !grow(ts)) return lre_err_memory(err);
  timer->mono_ns = mono_ns;
  timer->seq = ts->seq++;
  sift_up(ts, ts->n++, timer);
  return true;
}

void lre_timers_remove(struct lre_timers *ts, struct lre_timer *timer) {
  if (timer->place == 0) return;
  size_t hole = timer->place - 1;
  struct lre_timer *last = ts->heap[--ts->n];
  timer->place = 0;
  if (last == timer) return;
  if (hole > 0 && earlier(last, ts->heap[(hole - 1) / 2]))
    sift_up(ts, hole, last);
  else
    sift_down(ts, hole, last);
}

struct lre_timer *lre_timers_first(const struct lre_timers *ts) {
  return ts->n ? ts->heap[0] : NULL;
}

void lre_timers_run(struct lre_timers *ts, uint64_t now_ns) {
  struct lre_timer *timer;
  while ((timer = lre_timers_first(ts)) && timer->mono_ns <= now_ns) {
    lre_timers_remove(ts, timer);
    timer->fire(timer);
  }
}
