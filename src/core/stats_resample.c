/* Quantiles of data, and the cluster bootstrap. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/mt19937.h"
#include "core/stats.h"

#define MAX_REPLICATES 10000000

static int compare_doubles(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

/* An array that fits in memory's own terms, or NULL with the error. */
static double *new_doubles(size_t n, struct lre_err *err) {
  double *v = n <= SIZE_MAX / sizeof *v ? calloc(n, sizeof *v) : NULL;
  if (!v) lre_err_set(err, "stats", "no_memory", "no memory for %zu numbers", n);
  return v;
}

static bool values_ok(const double *values, size_t n, struct lre_err *err) {
  if (n == 0) return lre_err_set(err, "stats", "no_data", "no data: no values");
  for (size_t i = 0; i < n; i++) {
    if (!isfinite(values[i])) {
      return lre_err_set(err, "stats", "range", "value %zu is %g: expected a finite number", i + 1, values[i]);
    }
  }
  return true;
}

/* The rank (1..n) of quantile q: ceil(q n), but 0.07 * 100 = 7.000000000000001 is meant to be 7. */
static size_t rank_of(double q, size_t n) {
  double rank = ceil(q * (double)n * (1 - 1e-15));
  return rank < 1 ? 1 : rank > (double)n ? n : (size_t)rank;
}

bool lre_stats_quantile(const double *values, size_t n, double q, double *out, struct lre_err *err) {
  if (!(q >= 0 && q <= 1)) return lre_err_set(err, "stats", "range", "a quantile must be in [0,1], got %g", q);
  if (!values_ok(values, n, err)) return false;
  double *sorted = new_doubles(n, err);
  if (!sorted) return false;
  memcpy(sorted, values, n * sizeof *sorted);
  qsort(sorted, n, sizeof *sorted, compare_doubles);
  *out = sorted[rank_of(q, n) - 1];
  free(sorted);
  return true;
}

struct clusters {
  double *sum, *size; /* [n] */
  size_t n;
};

static bool sum_clusters(const double *values, const size_t *cluster, size_t n, struct clusters *c,
                         struct lre_err *err) {
  for (size_t i = 0; i < n; i++) {
    if (cluster[i] >= c->n) {
      return lre_err_set(err, "stats", "range", "value %zu is in cluster %zu: expected 0..%zu", i + 1, cluster[i],
                         c->n - 1);
    }
    c->sum[cluster[i]] += values[i];
    c->size[cluster[i]] += 1;
  }
  for (size_t i = 0; i < c->n; i++) {
    if (c->size[i] == 0) return lre_err_set(err, "stats", "range", "cluster %zu has no values", i);
  }
  return true;
}

static double resampled_mean(const struct clusters *c, struct lre_mt19937 *mt) {
  double sum = 0, size = 0;
  for (size_t i = 0; i < c->n; i++) {
    size_t drawn = (size_t)lre_mt19937_below(mt, c->n);
    sum += c->sum[drawn];
    size += c->size[drawn];
  }
  return sum / size;
}

static bool bootstrap_ok(size_t n_clusters, size_t replicates, double confidence, struct lre_err *err) {
  if (!(confidence > 0 && confidence < 1)) {
    return lre_err_set(err, "stats", "range", "confidence must be in (0,1), got %g (0.95 means 95 %%)", confidence);
  }
  if (n_clusters == 0) return lre_err_set(err, "stats", "no_data", "no data: no clusters");
  /* With fewer, the interval is the whole range of the replicates, whatever the confidence. */
  double least = ceil(2 / (1 - confidence) * (1 - 1e-15));
  if ((double)replicates >= least && replicates <= MAX_REPLICATES) return true;
  return lre_err_set(err, "stats", "range", "replicates must be in %.0f..%d at a confidence of %g, got %zu", least,
                     MAX_REPLICATES, confidence, replicates);
}

static void percentile_interval(double *means, size_t replicates, double confidence, struct lre_interval *out) {
  qsort(means, replicates, sizeof *means, compare_doubles);
  size_t rank = rank_of((1 - confidence) / 2, replicates);
  out->low = means[rank - 1];
  out->high = means[replicates - rank]; /* the same rank from above: negated data give the negated interval */
}

/* Efron & Tibshirani 1993, chapter 13 (percentile interval), over whole clusters: Davison & Hinkley 1997, section 3.8,
 * strategy 1. */
bool lre_stats_bootstrap(const double *values, const size_t *cluster, size_t n, size_t n_clusters, size_t replicates,
                         uint64_t seed, double confidence, struct lre_interval *out, struct lre_err *err) {
  if (!values_ok(values, n, err) || !bootstrap_ok(n_clusters, replicates, confidence, err)) return false;
  struct clusters c = {.n = n_clusters};
  double *means = NULL;
  bool ok = (c.sum = new_doubles(n_clusters, err)) && (c.size = new_doubles(n_clusters, err)) &&
            (means = new_doubles(replicates, err)) && sum_clusters(values, cluster, n, &c, err);
  if (ok) {
    struct lre_mt19937 mt;
    lre_mt19937_seed(&mt, seed);
    double total = 0;
    for (size_t i = 0; i < n; i++) total += values[i];
    out->value = total / (double)n;
    for (size_t r = 0; r < replicates; r++) means[r] = resampled_mean(&c, &mt);
    percentile_interval(means, replicates, confidence, out);
  }
  free(c.sum);
  free(c.size);
  free(means);
  return ok;
}
