/* Intervals and tests for proportions, and agreement. */
#include "core/stats.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "core/special.h"

/* Exact in a double with room for sums, and as far as the special functions converge. */
#define MAX_COUNT 1000000000000

static bool confidence_ok(double confidence, struct lre_err *err) {
  if (confidence > 0 && confidence < 1) return true;
  return lre_err_set(err, "stats", "range", "confidence must be in (0,1), got %g (0.95 means 95 %%)", confidence);
}

static bool counts_ok(int64_t x, int64_t n, struct lre_err *err) {
  if (n == 0 && x == 0) return lre_err_set(err, "stats", "no_data", "no data: n is 0");
  if (n < 0 || n > MAX_COUNT) {
    return lre_err_set(err, "stats", "range", "n must be in 1..%lld, got %lld", (long long)MAX_COUNT, (long long)n);
  }
  if (x < 0 || x > n) {
    return lre_err_set(err, "stats", "range", "x must be in 0..n (%lld), got %lld", (long long)n, (long long)x);
  }
  return true;
}

/* Adds a cell of a table to *n. */
static bool add_cell(int64_t cell, int64_t *n, struct lre_err *err) {
  if (cell >= 0 && cell <= MAX_COUNT - *n) {
    *n += cell;
    return true;
  }
  return lre_err_set(err, "stats", "range", "counts must be 0 or more and sum to at most %lld, found %lld",
                     (long long)MAX_COUNT, (long long)cell);
}

static double z_of(double confidence) {
  return -lre_stats_normal_quantile((1 - confidence) / 2);
}

/* Wilson 1927, JASA 22:209, as Brown, Cai & DasGupta 2001, Stat Sci 16:101, eq. 4. Pinned at 0 and n, where rounding
 * would leave 1e-17. */
static struct lre_interval wilson_of(double k, double m, double z) {
  double z2 = z * z;
  double centre = (k + z2 / 2) / (m + z2);
  double half = z / (m + z2) * sqrt(k * (m - k) / m + z2 / 4);
  return (struct lre_interval){k / m, k <= 0 ? 0 : centre - half, k >= m ? 1 : centre + half};
}

static struct lre_interval wilson(int64_t x, int64_t n, double z) {
  return wilson_of((double)x, (double)n, z);
}

bool lre_stats_wilson(int64_t x, int64_t n, double confidence, struct lre_interval *out, struct lre_err *err) {
  if (!confidence_ok(confidence, err) || !counts_ok(x, n, err)) return false;
  *out = wilson(x, n, z_of(confidence));
  return true;
}

/* Kott & Carr 1997, J Off Stat 13:1: the share as it is, the sample size divided by the design effect. */
static struct lre_interval wilson_effective(int64_t x, int64_t n, double n_eff, double z) {
  double p = (double)x / (double)n;
  struct lre_interval out = wilson_of(x == n ? n_eff : p * n_eff, n_eff, z);
  out.value = p;
  return out;
}

bool lre_stats_wilson_effective(int64_t x, int64_t n, double n_eff, double confidence, struct lre_interval *out,
                                struct lre_err *err) {
  if (!confidence_ok(confidence, err) || !counts_ok(x, n, err)) return false;
  if (!(n_eff > 0 && n_eff <= (double)n)) {
    return lre_err_set(err, "stats", "range", "n_eff must be in (0, n] (n is %lld), got %g", (long long)n, n_eff);
  }
  *out = wilson_effective(x, n, n_eff, z_of(confidence));
  return true;
}

/* Sums of the clusters; *n_full of them are not empty. */
static bool sum_clusters(const int64_t *x_c, const int64_t *n_c, size_t n_clusters, int64_t *x, int64_t *n,
                         size_t *n_full, struct lre_err *err) {
  *x = *n = 0;
  *n_full = 0;
  for (size_t i = 0; i < n_clusters; i++) {
    if (x_c[i] == 0 && n_c[i] == 0) continue;
    if (!counts_ok(x_c[i], n_c[i], err) || !add_cell(n_c[i], n, err)) return false;
    *x += x_c[i];
    *n_full += 1;
  }
  return counts_ok(*x, *n, err);
}

/* DEFF = (cluster SE / naive SE)^2, at least 1. Cluster SE^2 = (1/n^2) sum over clusters of the squared sum of their
 * deviations (Miller 2024, arXiv 2411.00640, section 2.2), times G/(G-1) (CR1: Cameron & Miller 2015, J Hum Resour
 * 50:317); naive SE^2 = p(1-p)/n. Where all agree, or there is one cluster, nothing tells how alike the trials of a
 * cluster are: they are taken for one each. Clusters of one are no clusters. */
static double effective_size(const int64_t *x_c, const int64_t *n_c, size_t n_clusters, int64_t x, int64_t n,
                             size_t n_full) {
  double g = (double)n_full, m = (double)n, p = (double)x / m, squares = 0;
  if (x == 0 || x == n || n_full < 2 || (int64_t)n_full == n) return g;
  for (size_t i = 0; i < n_clusters; i++) {
    double deviation = (double)x_c[i] - (double)n_c[i] * p;
    squares += deviation * deviation;
  }
  double deff = g / (g - 1) * squares / (m * p * (1 - p));
  return m / fmax(1, deff);
}

bool lre_stats_wilson_clustered(const int64_t *x_c, const int64_t *n_c, size_t n_clusters, double confidence,
                                struct lre_interval *out, double *n_eff, size_t *n_full, struct lre_err *err) {
  int64_t x, n;
  size_t full;
  if (!confidence_ok(confidence, err) || !sum_clusters(x_c, n_c, n_clusters, &x, &n, &full, err)) return false;
  double size = effective_size(x_c, n_c, n_clusters, x, n, full);
  *out = wilson_effective(x, n, size, z_of(confidence));
  if (n_eff) *n_eff = size;
  if (n_full) *n_full = full;
  return true;
}

/* Brown, Cai & DasGupta 2001, section 3.1.2: the equal-tailed interval of Beta(x + 1/2, n - x + 1/2), its low end 0 at
 * x = 0 and its high end 1 at x = n. */
bool lre_stats_jeffreys(int64_t x, int64_t n, double confidence, struct lre_interval *out, struct lre_err *err) {
  if (!confidence_ok(confidence, err) || !counts_ok(x, n, err)) return false;
  double a = (double)x + 0.5, b = (double)(n - x) + 0.5, tail = (1 - confidence) / 2;
  *out = (struct lre_interval){(double)x / (double)n, 0, 1};
  if (x > 0 && !lre_stats_beta_quantile(tail, a, b, &out->low, err)) return false;
  return x == n || lre_stats_beta_quantile(1 - tail, a, b, &out->high, err);
}

/* Clopper & Pearson 1934, Biometrika 26:404, by beta quantiles (Brown, Cai & DasGupta 2001, section 4.2.1). */
bool lre_stats_clopper_pearson(int64_t x, int64_t n, double confidence, struct lre_interval *out, struct lre_err *err) {
  if (!confidence_ok(confidence, err) || !counts_ok(x, n, err)) return false;
  double k = (double)x, m = (double)n, tail = (1 - confidence) / 2;
  *out = (struct lre_interval){k / m, 0, 1};
  if (x > 0 && !lre_stats_beta_quantile(tail, k, m - k + 1, &out->low, err)) return false;
  return x == n || lre_stats_beta_quantile(1 - tail, k + 1, m - k, &out->high, err);
}

/* Both of Newcombe's hybrid score intervals; phi is 0 for independent samples. */
static struct lre_interval hybrid(double difference, struct lre_interval p1, struct lre_interval p2, double phi) {
  double dl1 = p1.value - p1.low, du1 = p1.high - p1.value, dl2 = p2.value - p2.low, du2 = p2.high - p2.value;
  double below = sqrt(fmax(0, dl1 * dl1 - 2 * phi * dl1 * du2 + du2 * du2));
  double above = sqrt(fmax(0, dl2 * dl2 - 2 * phi * dl2 * du1 + du1 * du1));
  return (struct lre_interval){difference, fmax(-1, difference - below), fmin(1, difference + above)};
}

bool lre_stats_newcombe(int64_t x1, int64_t n1, int64_t x2, int64_t n2, double confidence, struct lre_interval *out,
                        struct lre_err *err) {
  if (!confidence_ok(confidence, err) || !counts_ok(x1, n1, err) || !counts_ok(x2, n2, err)) return false;
  double z = z_of(confidence);
  struct lre_interval p1 = wilson(x1, n1, z), p2 = wilson(x2, n2, z);
  *out = hybrid(p1.value - p2.value, p1, p2, 0);
  return true;
}

/* The continuity correction lowers a positive association only. */
static double corrected_phi(double a, double b, double c, double d) {
  double margins = (a + b) * (c + d) * (a + c) * (b + d), n = a + b + c + d;
  double association = a * d - b * c;
  if (margins == 0) return 0;
  if (association > 0) association = fmax(0, association - n / 2);
  return association / sqrt(margins);
}

bool lre_stats_newcombe_paired(int64_t a, int64_t b, int64_t c, int64_t d, double confidence, struct lre_interval *out,
                               double *phi, struct lre_err *err) {
  int64_t n = 0;
  if (!confidence_ok(confidence, err)) return false;
  if (!add_cell(a, &n, err) || !add_cell(b, &n, err) || !add_cell(c, &n, err) || !add_cell(d, &n, err)) return false;
  if (!counts_ok(0, n, err)) return false;
  double z = z_of(confidence), r = corrected_phi((double)a, (double)b, (double)c, (double)d);
  *out = hybrid((double)(b - c) / (double)n, wilson(a + b, n, z), wilson(a + c, n, z), r);
  if (phi) *phi = r;
  return true;
}

/* Pooled variance, as every textbook's two-sample test of proportions. It is 0 only where all or none are positive in
 * both samples, so that the proportions are equal. */
bool lre_stats_ztest(int64_t x1, int64_t n1, int64_t x2, int64_t n2, double *p, struct lre_err *err) {
  if (!counts_ok(x1, n1, err) || !counts_ok(x2, n2, err)) return false;
  double m1 = (double)n1, m2 = (double)n2, difference = (double)x1 / m1 - (double)x2 / m2;
  double pooled = (double)(x1 + x2) / (m1 + m2), variance = pooled * (1 - pooled) * (1 / m1 + 1 / m2);
  *p = difference == 0 ? 1 : 2 * lre_stats_normal_cdf(-fabs(difference) / sqrt(variance));
  return true;
}

/* P(X = k), X ~ Bin(m, 1/2). */
static double half_binomial(double k, double m) {
  if (k == 0) return exp2(-m);
  return exp(lre_special_log_beta_term(k, m - k, 0) + log(m / k) - log(m - k));
}

/* P(X <= k) / P(X = k), k <= m/2: the terms below k, each from the one above it. */
static double half_binomial_tail_ratio(double k, double m) {
  double sum = 1, term = 1;
  for (; k > 0 && term > DBL_EPSILON * sum / 16; k -= 1) {
    term *= k / (m - k + 1);
    sum += term;
  }
  return sum;
}

/* McNemar 1947; exact and mid-P as Fagerland, Lydersen & Laake 2013, BMC Med Res Methodol 13:91. */
bool lre_stats_mcnemar(int64_t b, int64_t c, struct lre_mcnemar *out, struct lre_err *err) {
  int64_t discordant = 0;
  if (!add_cell(b, &discordant, err) || !add_cell(c, &discordant, err)) return false;
  *out = (struct lre_mcnemar){1, 1};
  if (b == c) return true;
  double k = (double)(b < c ? b : c), m = (double)discordant;
  double point = half_binomial(k, m), tail = point * half_binomial_tail_ratio(k, m);
  out->exact = fmin(1, 2 * tail);
  out->midp = fmin(1, 2 * tail - point);
  return true;
}

struct margins {
  double *row, *col; /* [k] shares */
  double n;
};

/* Cohen 1960: observed and expected agreement. */
static void agreement(const double *share, size_t k, struct margins m, struct lre_kappa *out) {
  out->observed = out->expected = 0;
  for (size_t i = 0; i < k; i++) {
    out->observed += share[i * k + i];
    out->expected += m.row[i] * m.col[i];
  }
}

/* Fleiss, Cohen & Everitt 1969, Psychol Bull 72:323, large-sample variance, and variance under independence. */
static void kappa_errors(const double *share, size_t k, struct margins m, struct lre_kappa *out) {
  double pe = out->expected, away = 1 - out->kappa, diagonal = 0, rest = 0, null = 0;
  for (size_t i = 0; i < k; i++) {
    double own = m.row[i] + m.col[i];
    diagonal += share[i * k + i] * (1 - own * away) * (1 - own * away);
    null += m.row[i] * m.col[i] * own;
    for (size_t j = 0; j < k; j++) {
      double cross = m.col[i] + m.row[j];
      if (i != j) rest += share[i * k + j] * cross * cross;
    }
  }
  double bias = out->kappa - pe * away, scale = m.n * (1 - pe) * (1 - pe);
  out->se = sqrt(fmax(0, diagonal + away * away * rest - bias * bias) / scale);
  out->se0 = sqrt(fmax(0, pe + pe * pe - null) / scale);
}

/* Fills shares and margins from counts; one rater or both in one category throughout is caught by the caller. */
static bool kappa_margins(const int64_t *table, size_t k, double *share, struct margins *m, struct lre_err *err) {
  int64_t n = 0;
  for (size_t i = 0; i < k * k; i++) {
    if (!add_cell(table[i], &n, err)) return false;
  }
  if (!counts_ok(0, n, err)) return false;
  m->n = (double)n;
  for (size_t i = 0; i < k * k; i++) {
    share[i] = (double)table[i] / m->n;
    m->row[i / k] += share[i];
    m->col[i % k] += share[i];
    if (table[i] == n && i / k == i % k) {
      return lre_err_set(err, "stats", "undefined",
                         "kappa is undefined: both raters gave one and the same category %lld times, so agreement by "
                         "chance is 1; report the agreement itself",
                         (long long)n);
    }
  }
  return true;
}

bool lre_stats_kappa(const int64_t *table, size_t k, double confidence, struct lre_kappa *out, struct lre_err *err) {
  if (!confidence_ok(confidence, err)) return false;
  if (k == 0 || k > 1000) return lre_err_set(err, "stats", "range", "kappa takes 1..1000 categories, got %zu", k);
  double *share = calloc(k * k + 2 * k, sizeof *share);
  if (!share) return lre_err_set(err, "stats", "no_memory", "no memory for a table of %zu categories", k);
  struct margins m = {.row = share + k * k, .col = share + k * k + k};
  bool ok = kappa_margins(table, k, share, &m, err);
  if (ok) {
    agreement(share, k, m, out);
    out->kappa = (out->observed - out->expected) / (1 - out->expected);
    kappa_errors(share, k, m, out);
    double half = z_of(confidence) * out->se;
    out->low = out->kappa - half;
    out->high = fmin(1, out->kappa + half);
  }
  free(share);
  return ok;
}
