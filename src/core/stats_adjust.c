/* p-values adjusted for many tests at once. */
#include <math.h>
#include <stdlib.h>

#include "core/stats.h"

struct ranked {
  double p;
  size_t place; /* in the caller's list: ties keep its order */
};

static int by_p(const void *a, const void *b) {
  const struct ranked *x = a, *y = b;
  if (x->p != y->p) return x->p < y->p ? -1 : 1;
  return (x->place > y->place) - (x->place < y->place);
}

static bool rank(const double *p, size_t n, struct ranked **out, struct lre_err *err) {
  if (n == 0) return lre_err_set(err, "stats", "no_data", "no p-values to adjust");
  for (size_t i = 0; i < n; i++) {
    if (!(p[i] >= 0 && p[i] <= 1)) {
      return lre_err_set(err, "stats", "range", "p-value %zu: expected a number from 0 to 1, got %g", i + 1, p[i]);
    }
  }
  struct ranked *list = calloc(n, sizeof *list);
  if (!list) return lre_err_memory(err);
  for (size_t i = 0; i < n; i++) list[i] = (struct ranked){.p = p[i], .place = i};
  qsort(list, n, sizeof *list, by_p);
  *out = list;
  return true;
}

/* Holm 1979, Scandinavian Journal of Statistics 6:65. */
bool lre_stats_holm(const double *p, size_t n, double *out, struct lre_err *err) {
  struct ranked *list;
  if (!rank(p, n, &list, err)) return false;
  double largest = 0;
  for (size_t i = 0; i < n; i++) {
    largest = fmax(largest, fmin(1, (double)(n - i) * list[i].p));
    out[list[i].place] = largest;
  }
  free(list);
  return true;
}

/* Benjamini & Hochberg 1995, J R Stat Soc B 57:289, as adjusted p-values. */
bool lre_stats_benjamini_hochberg(const double *p, size_t n, double *out, struct lre_err *err) {
  struct ranked *list;
  if (!rank(p, n, &list, err)) return false;
  double smallest = 1;
  for (size_t i = n; i-- > 0;) {
    smallest = fmin(smallest, (double)n / (double)(i + 1) * list[i].p);
    out[list[i].place] = smallest;
  }
  free(list);
  return true;
}
