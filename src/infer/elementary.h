/* elementary.h: exp, log, pow, sin, cos with one answer on every machine.
 *
 * libm's differ in the last bits between versions and processors. These use only +, -, *, / of IEEE doubles (the build
 * forbids contraction), so their bits are the same wherever doubles are. Errors, against exact values: under 1e-15
 * relative (exp, log, pow with |y log x| <= 64), under 2e-16 absolute plus 1e-16 |x| (sin, cos up to |x| = 1e6). */
#ifndef LRE_INFER_ELEMENTARY_H
#define LRE_INFER_ELEMENTARY_H

double lre_elementary_exp(double x);           /* 0 below -745, infinity over 709.78 */
double lre_elementary_log(double x);           /* x > 0 and normal */
double lre_elementary_pow(double x, double y); /* x > 0 */
void lre_elementary_sincos(double x, double *sine, double *cosine);

#endif
