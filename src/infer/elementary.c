#include "infer/elementary.h"

#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2 and pi/2 in two parts: the first has so few bits that its product with a small whole number is exact
 * (Cody and Waite 1980). */
#define LN2_HIGH 0x1.62e42fee00000p-1
#define LN2_LOW  0x1.a39ef35793c76p-33

#define PIO2_HIGH 0x1.921fb54400000p+0
#define PIO2_MID  0x1.0b4611a600000p-34
#define PIO2_LOW  0x1.3198a2e037073p-69

/* 2^n for n in the normal range. */
static double power_of_two(int n) {
  uint64_t bits = (uint64_t)(n + 1023) << 52;
  double x;
  memcpy(&x, &bits, sizeof x);
  return x;
}

/* Taylor's series on |r| <= ln 2 / 2; the first term left out is under 2e-17. */
static double exp_near_zero(double r) {
  static const double inverse_factorials[] = {1.0 / 87178291200,
                                              1.0 / 6227020800,
                                              1.0 / 479001600,
                                              1.0 / 39916800,
                                              1.0 / 3628800,
                                              1.0 / 362880,
                                              1.0 / 40320,
                                              1.0 / 5040,
                                              1.0 / 720,
                                              1.0 / 120,
                                              1.0 / 24,
                                              1.0 / 6,
                                              0.5,
                                              1.0,
                                              1.0};
  double sum = inverse_factorials[0];
  for (int i = 1; i < 15; i++) sum = sum * r + inverse_factorials[i];
  return sum;
}

double lre_elementary_exp(double x) {
  if (x != x) return x;
  if (x > 709.78) return (double)INFINITY;
  if (x < -745.0) return 0;
  double k = floor(x * 1.44269504088896340736 + 0.5);
  double r = (x - k * LN2_HIGH) - k * LN2_LOW;
  int n = (int)k, half = n / 2; /* in two steps: 2^n alone may be no normal number */
  return exp_near_zero(r) * power_of_two(half) * power_of_two(n - half);
}

double lre_elementary_log(double x) {
  uint64_t bits;
  memcpy(&bits, &x, sizeof bits);
  int e = (int)(bits >> 52) - 1023;
  bits = (bits & 0xfffffffffffffu) | 0x3ff0000000000000u;
  double m;
  memcpy(&m, &bits, sizeof m);
  if (m > 1.41421356237309504880) {
    m *= 0.5;
    e++;
  }
  /* log m = 2 artanh(s) = 2 (s + s^3/3 + ...), |s| <= 0.1716; the first term left out is under 1e-19. */
  double s = (m - 1) / (m + 1), s2 = s * s, sum = 0;
  for (int n = 23; n >= 3; n -= 2) sum = (sum + 1.0 / n) * s2;
  double small = 2 * s + 2 * s * sum;
  return e * LN2_HIGH + (small + e * LN2_LOW);
}

double lre_elementary_pow(double x, double y) {
  return lre_elementary_exp(y * lre_elementary_log(x));
}

/* Taylor's series on |r| <= pi/4. */
static double sin_near_zero(double r) {
  double r2 = r * r, sum = 1;
  for (int n = 19; n >= 3; n -= 2) sum = 1 - sum * r2 / (n * (n - 1));
  return r * sum;
}

static double cos_near_zero(double r) {
  double r2 = r * r, sum = 1;
  for (int n = 20; n >= 2; n -= 2) sum = 1 - sum * r2 / (n * (n - 1));
  return sum;
}

void lre_elementary_sincos(double x, double *sine, double *cosine) {
  double k = floor(x * 0.63661977236758134308 + 0.5);
  double r = ((x - k * PIO2_HIGH) - k * PIO2_MID) - k * PIO2_LOW;
  double s = sin_near_zero(r), c = cos_near_zero(r);
  switch ((int)(k - 4 * floor(k / 4))) {
  case 0:
    *sine = s, *cosine = c;
    break;
  case 1:
    *sine = c, *cosine = -s;
    break;
  case 2:
    *sine = -s, *cosine = -c;
    break;
  default:
    *sine = -c, *cosine = s;
    break;
  }
}
