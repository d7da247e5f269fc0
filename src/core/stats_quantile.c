/* Quantiles of the normal, beta and t distributions. */
#include "core/stats.h"

#include <math.h>

#include "core/special.h"

#define SQRT_HALF    0.70710678118654752440
#define SQRT_2PI     2.50662827463100050242
#define NEWTON_STEPS 200

static double ratio(const double *num, const double *den, double r) {
  double p = num[7], q = den[7];
  for (int i = 6; i >= 0; i--) {
    p = p * r + num[i];
    q = q * r + den[i];
  }
  return p / q;
}

/* Wichura 1988, Applied Statistics 37:477, algorithm AS 241, PPND16: centre, tail, far tail. */
static const double centre_num[8] = {3.3871328727963666080e0,  1.3314166789178437745e+2, 1.9715909503065514427e+3,
                                     1.3731693765509461125e+4, 4.5921953931549871457e+4, 6.7265770927008700853e+4,
                                     3.3430575583588128105e+4, 2.5090809287301226727e+3};
static const double centre_den[8] = {1.0,
                                     4.2313330701600911252e+1,
                                     6.8718700749205790830e+2,
                                     5.3941960214247511077e+3,
                                     2.1213794301586595867e+4,
                                     3.9307895800092710610e+4,
                                     2.8729085735721942674e+4,
                                     5.2264952788528545610e+3};
static const double tail_num[8] = {1.42343711074968357734e0,  4.63033784615654529590e0, 5.76949722146069140550e0,
                                   3.64784832476320460504e0,  1.27045825245236838258e0, 2.41780725177450611770e-1,
                                   2.27238449892691845833e-2, 7.74545014278341407640e-4};
static const double tail_den[8] = {1.0,
                                   2.05319162663775882187e0,
                                   1.67638483018380384940e0,
                                   6.89767334985100004550e-1,
                                   1.48103976427480074590e-1,
                                   1.51986665636164571966e-2,
                                   5.47593808499534494600e-4,
                                   1.05075007164441684324e-9};
static const double far_num[8] = {6.65790464350110377720e0,  5.46378491116411436990e0,  1.78482653991729133580e0,
                                  2.96560571828504891230e-1, 2.65321895265761230930e-2, 1.24266094738807843860e-3,
                                  2.71155556874348757815e-5, 2.01033439929228813265e-7};
static const double far_den[8] = {1.0,
                                  5.99832206555887937690e-1,
                                  1.36929880922735805310e-1,
                                  1.48753612908506148525e-2,
                                  7.86869131145613259100e-4,
                                  1.84631831751005468180e-5,
                                  1.42151175831644588870e-7,
                                  2.04426310338993978564e-15};

double lre_stats_normal_cdf(double x) {
  return 0.5 * erfc(-x * SQRT_HALF);
}

/* p in (0, 0.075): AS 241, then one Newton step, on the side where the cdf keeps its relative precision. */
static double normal_lower_tail(double p) {
  double r = sqrt(-log(p));
  double x = r <= 5 ? -ratio(tail_num, tail_den, r - 1.6) : -ratio(far_num, far_den, r - 5);
  double density = exp(-0.5 * x * x) / SQRT_2PI;
  return density > 0 ? x - (lre_stats_normal_cdf(x) - p) / density : x;
}

double lre_stats_normal_quantile(double p) {
  if (!(p >= 0 && p <= 1)) return (double)NAN;
  if (p == 0 || p == 1) return p == 0 ? -(double)INFINITY : (double)INFINITY;
  double q = p - 0.5;
  /* No Newton step in the centre: the cdf has no digits to give there, and AS 241 is exact to 1e-16. */
  if (fabs(q) <= 0.425) return q * ratio(centre_num, centre_den, 0.180625 - q * q);
  return q < 0 ? normal_lower_tail(p) : -normal_lower_tail(1 - p);
}

/* The logit of the p-quantile of Beta(a, b). In the logit the log of the cdf is increasing and concave, so Newton's
 * method converges from anywhere (from the left after one step): no bracket is needed. It converges quadratically, so
 * the step after a residual of 1e-9 leaves nothing that a double can hold. */
static bool beta_logit(double p, double a, double b, double *out, struct lre_err *err) {
  double u = log(a) - log(b), log_p = log(p), log_cdf, slope;
  for (int i = 0; i < NEWTON_STEPS && lre_special_log_beta(a, b, u, &log_cdf, &slope); i++) {
    u += (log_p - log_cdf) / slope;
    if (fabs(log_p - log_cdf) > 1e-9) continue;
    *out = u;
    return true;
  }
  return lre_err_set(err, "stats", "undefined", "the %g quantile of Beta(%g, %g) was not found", p, a, b);
}

static bool shape_ok(double a) {
  return a >= LRE_SPECIAL_MIN_SHAPE && a <= LRE_SPECIAL_MAX_SHAPE;
}

bool lre_stats_beta_quantile(double p, double a, double b, double *out, struct lre_err *err) {
  if (!(p >= 0 && p <= 1)) return lre_err_set(err, "stats", "range", "p must be in [0,1], got %g", p);
  if (!shape_ok(a) || !shape_ok(b)) {
    return lre_err_set(err, "stats", "range", "the parameters of a beta quantile must be in [%g,%g], got %g and %g",
                       LRE_SPECIAL_MIN_SHAPE, LRE_SPECIAL_MAX_SHAPE, a, b);
  }
  double u = p == 0 ? -(double)INFINITY : (double)INFINITY;
  if (p > 0 && p <= 0.5 && !beta_logit(p, a, b, &u, err)) return false;
  if (p > 0.5 && p < 1) {
    if (!beta_logit(1 - p, b, a, &u, err)) return false;
    u = -u;
  }
  *out = u < 0 ? exp(u) / (1 + exp(u)) : 1 / (1 + exp(-u));
  return true;
}

/* |T| > t with probability I_x(df/2, 1/2), x = df/(df + t^2) (DLMF 8.17; Abramowitz & Stegun 26.7.1): t^2/df is
 * e^-u. The smaller of the two tails is the one that is solved. */
bool lre_stats_t_quantile(double p, double df, double *out, struct lre_err *err) {
  if (!(p > 0 && p < 1)) return lre_err_set(err, "stats", "range", "p must be in (0,1), got %g", p);
  if (!shape_ok(df / 2)) {
    return lre_err_set(err, "stats", "range", "degrees of freedom must be in [%g,%g], got %g",
                       2 * LRE_SPECIAL_MIN_SHAPE, 2 * LRE_SPECIAL_MAX_SHAPE, df);
  }
  double tail = p < 0.5 ? p : 1 - p, u;
  *out = 0;
  if (tail == 0.5) return true;
  if (tail <= 0.25) {
    if (!beta_logit(2 * tail, df / 2, 0.5, &u, err)) return false;
    u = -u;
  } else if (!beta_logit(1 - 2 * tail, 0.5, df / 2, &u, err)) {
    return false;
  }
  *out = (p < 0.5 ? -1 : 1) * sqrt(df) * exp(u / 2);
  return true;
}

/* The same integral, from the side on which it is the smaller share. */
bool lre_stats_t_test(double t, double df, double *p, struct lre_err *err) {
  if (!isfinite(t) || !shape_ok(df / 2)) {
    return lre_err_set(err, "stats", "range", "expected a finite t and degrees of freedom in [%g,%g], got %g and %g",
                       2 * LRE_SPECIAL_MIN_SHAPE, 2 * LRE_SPECIAL_MAX_SHAPE, t, df);
  }
  double u = log(df) - 2 * log(fabs(t)), log_cdf, slope;
  *p = 1;
  if (t == 0) return true;
  bool centre = u > 0; /* t^2 < df */
  bool ok = centre ? lre_special_log_beta(0.5, df / 2, -u, &log_cdf, &slope)
                   : lre_special_log_beta(df / 2, 0.5, u, &log_cdf, &slope);
  if (!ok) return lre_err_set(err, "stats", "undefined", "the tail of t = %g, df = %g was not found", t, df);
  *p = centre ? -expm1(log_cdf) : exp(log_cdf);
  return true;
}
