/* special.h: the special functions under stats.c, none of which calls lgamma
 * (its sign is a global variable, and its error grows with the counts).
 *
 * A probability x is given by its logit u = ln(x/(1-x)): x and 1-x are then
 * both exact to the last bit, however close x is to 0 or 1. */
#ifndef LRE_CORE_SPECIAL_H
#define LRE_CORE_SPECIAL_H

#include <stdbool.h>

/* The parameters for which the functions below converge to full precision. */
#define LRE_SPECIAL_MIN_SHAPE 0.1
#define LRE_SPECIAL_MAX_SHAPE 2e12

/* ln of x^a (1-x)^b / B(a,b). a, b > 0. */
double lre_special_log_beta_term(double a, double b, double u);

/* ln of I_x(a,b), the regularised incomplete beta function, and its derivative by u. False where the continued fraction
 * did not converge. */
bool lre_special_log_beta(double a, double b, double u, double *log_cdf, double *slope);

#endif
