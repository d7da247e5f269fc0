#include "core/special.h"

#include <float.h>
#include <math.h>

#define LN_2PI 1.8378770664093454836

static double log_x(double u) {
  return u < 0 ? u - log1p(exp(u)) : -log1p(exp(-u));
}

static double x_of(double u) {
  return u < 0 ? exp(u) / (1 + exp(u)) : 1 / (1 + exp(-u));
}

/* ln Gamma(z+1) - [(z + 1/2) ln z - z + ln(2 pi)/2]. The series (DLMF 5.11.1) is exact to the last bit from 16 on;
 * below, it is carried down by the recurrence of Gamma. */
static double stirling_error(double z) {
  double carried = 0;
  for (; z < 16; z += 1) carried += (z + 0.5) * log1p(1 / z) - 1;
  double w = 1 / (z * z);
  return carried +
         (1.0 / 12 - w * (1.0 / 360 - w * (1.0 / 1260 - w * (1.0 / 1680 - w * (1.0 / 1188 - w * 691.0 / 360360))))) / z;
}

/* a ln(a/m) + m - a without cancellation where m is near a: Loader 2000, "Fast and accurate computation of binomial
 * probabilities", section 5. `log_m` is ln m, for an m that underflows. */
static double deviance(double a, double m, double log_m) {
  if (fabs(a - m) >= 0.1 * (a + m)) return a * (log(a) - log_m) + m - a;
  double v = (a - m) / (a + m), sum = (a - m) * v, term = 2 * a * v;
  for (int j = 1; j < 100; j++) {
    term *= v * v;
    double next = sum + term / (2 * j + 1);
    if (next == sum) break;
    sum = next;
  }
  return sum;
}

/* Loader's form of the binomial term: x^a (1-x)^b / B(a,b) = ab/(a+b) * binomial(a; a+b, x). */
double lre_special_log_beta_term(double a, double b, double u) {
  double n = a + b;
  double dev = deviance(a, n * x_of(u), log(n) + log_x(u)) + deviance(b, n * x_of(-u), log(n) + log_x(-u));
  double err = stirling_error(n) - stirling_error(a) - stirling_error(b);
  return err - dev + 0.5 * (log(a) + log(b) - log(n) - LN_2PI);
}

/* The continued fraction of Didonato & Morris 1992, ACM TOMS 18:360 (algorithm 708), by the modified Lentz method: I_x
 * is the term over it. For x up to the mean, in O(sqrt(max(a,b))) steps. NaN: no convergence. */
static double beta_fraction(double a, double b, double x, double y) {
  double lambda = x < y ? a - (a + b) * x : (a + b) * y - b; /* without cancellation at either end */
  double f = a / (a + 1) * (lambda + 1), c = f, d = 0, steps = 1000 + 20 * sqrt(a + b);
  for (double n = 1; n < steps; n += 1) {
    double s = a + 2 * n - 1, w = n * (b - n) * x;
    double alpha = (a + n - 1) / s * ((a + b + n - 1) / s) * w * x;
    double beta = n + w / s + (a + n) / (s + 2) * (lambda + 1 + n * (1 + y));
    d = 1 / (beta + alpha * d);
    c = beta + alpha / c;
    f *= c * d;
    if (fabs(c * d - 1) < 2 * DBL_EPSILON) return f;
  }
  return (double)NAN;
}

bool lre_special_log_beta(double a, double b, double u, double *log_cdf, double *slope) {
  double log_term = lre_special_log_beta_term(a, b, u), x = x_of(u), y = x_of(-u);
  if (a * y >= b * x) {
    *slope = beta_fraction(a, b, x, y);
    *log_cdf = log_term - log(*slope);
  } else {
    *log_cdf = log1p(-exp(log_term) / beta_fraction(b, a, y, x));
    *slope = exp(log_term - *log_cdf);
  }
  return !isnan(*log_cdf);
}
