/* stats.h: intervals, tests and agreement. Every function names its source
 * where it is defined. Counts are int64_t and checked: 0 <= x <= n.
 * At most 1e12. `confidence` is in (0,1), usually 0.95. All return false with an err of kind
 * "stats" (code "no_data" for n = 0, "range", "undefined", "no_memory"). */
#ifndef LRE_CORE_STATS_H
#define LRE_CORE_STATS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

struct lre_interval {
  double value, low, high;
};

/* Wichura 1988, AS 241 PPND16, its tails refined by one Newton step. NaN outside [0,1]. */
double lre_stats_normal_quantile(double p);
double lre_stats_normal_cdf(double x);
bool lre_stats_beta_quantile(double p, double a, double b, double *out, struct lre_err *err);
bool lre_stats_t_quantile(double p, double df, double *out, struct lre_err *err);
/* Two-sided p of Student's t on df degrees of freedom. */
bool lre_stats_t_test(double t, double df, double *p, struct lre_err *err);

bool lre_stats_wilson(int64_t x, int64_t n, double confidence, struct lre_interval *out, struct lre_err *err);
/* The same where the n are worth no more than n_eff independent ones: n_eff in (0, n]. */
bool lre_stats_wilson_effective(int64_t x, int64_t n, double n_eff, double confidence, struct lre_interval *out,
                                struct lre_err *err);
/* The same where the n come in clusters that are alike within (the repeats of a sample): x_c[i] of n_c[i], i <
 * n_clusters, empty clusters left out. *n_eff (may be NULL) is n / DEFF; *n_full (may be NULL) how many are not empty.
 */
bool lre_stats_wilson_clustered(const int64_t *x_c, const int64_t *n_c, size_t n_clusters, double confidence,
                                struct lre_interval *out, double *n_eff, size_t *n_full, struct lre_err *err);
bool lre_stats_jeffreys(int64_t x, int64_t n, double confidence, struct lre_interval *out, struct lre_err *err);
bool lre_stats_clopper_pearson(int64_t x, int64_t n, double confidence, struct lre_interval *out, struct lre_err *err);

/* p1 - p2, independent samples: Newcombe 1998, Stat Med 17:873, method 10. */
bool lre_stats_newcombe(int64_t x1, int64_t n1, int64_t x2, int64_t n2, double confidence, struct lre_interval *out,
                        struct lre_err *err);
/* p1 - p2, paired: Newcombe 1998, Stat Med 17:2635, method 10 (continuity-corrected phi).
 * a both, b only first, c only second, d neither. *phi may be NULL. */
bool lre_stats_newcombe_paired(int64_t a, int64_t b, int64_t c, int64_t d, double confidence, struct lre_interval *out,
                               double *phi, struct lre_err *err);
/* Two-sided p of the pooled z-test of p1 = p2; 1 where the variance is 0 (all or none positive in both). */
bool lre_stats_ztest(int64_t x1, int64_t n1, int64_t x2, int64_t n2, double *p, struct lre_err *err);

struct lre_mcnemar {
  double exact, midp;
};
bool lre_stats_mcnemar(int64_t b, int64_t c, struct lre_mcnemar *out, struct lre_err *err);

/* n two-sided p-values adjusted for one another, in the order given; out[n] may not be p. Holm bounds the chance of any
 * false finding, Benjamini-Hochberg the share of false ones among the findings. */
bool lre_stats_holm(const double *p, size_t n, double *out, struct lre_err *err);
bool lre_stats_benjamini_hochberg(const double *p, size_t n, double *out, struct lre_err *err);

struct lre_kappa {
  double kappa, se, low, high; /* high is clamped to 1 */
  double se0;                  /* under the null */
  double observed, expected;
};
/* table: [k, k] row-major counts. "undefined" where expected agreement is 1. */
bool lre_stats_kappa(const int64_t *table, size_t k, double confidence, struct lre_kappa *out, struct lre_err *err);

/* Hyndman & Fan 1996 type 1 (nearest rank): the smallest v with at least q of the data at or below, for q in [0,1].
 * Sorts a copy; a value that is not finite is "range". */
bool lre_stats_quantile(const double *values, size_t n, double q, double *out, struct lre_err *err);

/* Mean with a percentile interval over whole clusters drawn with replacement (MT19937 from `seed`).
 * values[n], cluster[n] (0..n_clusters-1, none empty). At least 2/(1-confidence) replicates: with fewer the interval is
 * their range. Collapses to zero width at constant data: the caller says so. */
bool lre_stats_bootstrap(const double *values, const size_t *cluster, size_t n, size_t n_clusters, size_t replicates,
                         uint64_t seed, double confidence, struct lre_interval *out, struct lre_err *err);

#endif
