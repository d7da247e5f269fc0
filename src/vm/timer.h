/* timer.h: a binary heap of intrusive timers, earliest first, equal times in the order in which they were added. */
#ifndef LRE_VM_TIMER_H
#define LRE_VM_TIMER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct lre_timer {
  uint64_t mono_ns;
  uint64_t seq;
  size_t place; /* 1-based index in the heap; 0: not in it */
  void (*fire)(struct lre_timer *timer);
};

struct lre_timers {
  struct lre_timer **heap;
  size_t n, cap;
  uint64_t seq;
};

void lre_timers_free(struct lre_timers *ts); /* the timers are their owners' */
/* A timer that is already in the heap is moved. */
bool lre_timers_add(struct lre_timers *ts, struct lre_timer *timer, uint64_t mono_ns, struct lre_err *err);
void lre_timers_remove(struct lre_timers *ts, struct lre_timer *timer); /* harmless where it is not in the heap */
struct lre_timer *lre_timers_first(const struct lre_timers *ts);        /* NULL: none */
/* Fires, in order, all that are due at now_ns; each is out of the heap before its `fire` is called. */
void lre_timers_run(struct lre_timers *ts, uint64_t now_ns);

#endif
