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

/* Smallest first; the caller frees it. NULL with err where it cannot be. */
static struct ranked *rank(const double *p, size_t n, struct lre_err *err) {
  if (n == 0) {
    lre_err_set(err, "stats", "no_data", "no p-values to adjust");
    return NULL;
  }
  for (size_t i = 0; i < n; i++) {
    if (!(p[i] >= 0 && p[i] <= 1)) {
      lre_err_set(err, "stats", "range", "p-value %zu: expected a number from 0 to 1, got %g", i + 1, p[i]);
      return NULL;
    }
  }
  struct ranked *list = calloc(n, sizeof *list);
  if (!list) {
    lre_err_set(err, "stats", "no_memory", "no memory for %zu p-values", n);
    return NULL;
  }
  for (size_t i = 0; i < n; i++) list[i] = (struct ranked){.p = p[i], .place = i};
  qsort(list, n, sizeof *list, by_p);
  return list;
}

/* Holm 1979, Scandinavian Journal of Statistics 6:65. */
bool lre_stats_holm(const double *p, size_t n, double *out, struct lre_err *err) {
  struct ranked *list = rank(p, n, err);
  if (!list) return false;
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
  struct ranked *list = rank(p, n, err);
  if (!list) return false;
  double smallest = 1;
  for (size_t i = n; i-- > 0;) {
    smallest = fmin(smallest, (double)n / (double)(i + 1) * list[i].p);
    out[list[i].place] = smallest;
  }
  free(list);
  return true;
}
