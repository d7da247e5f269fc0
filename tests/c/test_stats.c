/* Each promise is held twice: against known answers that stand here, and against the shared vectors where they are. */
#include "test.h"

#include "core/stats.h"
#include "oom.h"

#define EXACT 1e-12

/* 1e-12 relative, and 1e-15 where differences of proportions cancel. */
static void assert_close(double expected, double got) {
  if (fabs(got - expected) > 1e-15) assert_near(expected, got, EXACT);
}

static void assert_interval(double low, double high, struct lre_interval got) {
  assert_close(low, got.low);
  assert_close(high, got.high);
}

static void assert_code(bool ok, const struct lre_err *err, const char *code) {
  assert_false(ok);
  assert_string_equal(err->kind, "stats");
  assert_string_equal(err->code, code);
}

static struct lre_interval wilson_of(int64_t x, int64_t n, double confidence) {
  struct lre_interval out = {0};
  assert_true(lre_stats_wilson(x, n, confidence, &out, NULL));
  return out;
}

static double number_in(const cJSON *array, int i) {
  const cJSON *item = cJSON_GetArrayItem(array, i);
  assert_non_null(item);
  assert_true(cJSON_IsNumber(item));
  return item->valuedouble;
}

static int64_t count_in(const cJSON *array, int i) {
  return (int64_t)number_in(array, i);
}

static int64_t count_at(const cJSON *object, const char *key) {
  return (int64_t)number_at(object, key);
}

static cJSON *vectors_or_skip(const char *name) {
  cJSON *root = shared_json(name);
  if (!root) skip();
  return root;
}

static const cJSON *list_at(const cJSON *root, const char *key) {
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(root, key);
  assert_true(cJSON_GetArraySize(list) > 0);
  return list;
}

static void the_normal_quantile_is_exact_from_centre_to_far_tail(void **state) {
  (void)state;
  assert_near(1.959963984540054, lre_stats_normal_quantile(0.975), 2e-15);
  assert_near(-1.6448536269514722, lre_stats_normal_quantile(0.05), 2e-15);
  assert_near(2.5758293035489004, lre_stats_normal_quantile(0.995), 2e-15);
  assert_near(-37.0470962993612, lre_stats_normal_quantile(1e-300), 2e-15);
  assert_near(2.506572823701861e-12, lre_stats_normal_quantile(0.5 + 1e-12), 2e-15);
  assert_true(lre_stats_normal_quantile(0.5) == 0);
  assert_true(isinf(lre_stats_normal_quantile(0)) && isinf(lre_stats_normal_quantile(1)));
  assert_true(isnan(lre_stats_normal_quantile(-0.1)) && isnan(lre_stats_normal_quantile((double)NAN)));
}

static void the_normal_cdf_undoes_its_quantile(void **state) {
  (void)state;
  for (double p = 1e-12; p < 1; p = p * 1.7 + 1e-3) {
    assert_near(p, lre_stats_normal_cdf(lre_stats_normal_quantile(p)), EXACT);
  }
}

static void beta_quantiles_agree_with_closed_forms(void **state) {
  (void)state;
  double q;
  for (double p = 0.001; p < 1; p += 0.0371) {
    for (double a = 0.5; a < 5000; a *= 3.7) {
      assert_true(lre_stats_beta_quantile(p, a, 1, &q, NULL));
      assert_near(exp(log(p) / a), q, EXACT);
      assert_true(lre_stats_beta_quantile(p, 1, a, &q, NULL));
      assert_near(-expm1(log1p(-p) / a), q, EXACT);
    }
    double sine = sin(acos(-1) * p / 2);
    assert_true(lre_stats_beta_quantile(p, 0.5, 0.5, &q, NULL));
    assert_near(sine * sine, q, EXACT);
  }
  assert_true(lre_stats_beta_quantile(0, 2, 3, &q, NULL) && q == 0);
  assert_true(lre_stats_beta_quantile(1, 2, 3, &q, NULL) && q == 1);
}

/* The cdf by way of the quantile of the mirrored tail: both must be found and meet at 1. */
static void beta_quantiles_are_found_wherever_they_are_promised(void **state) {
  (void)state;
  struct lre_err err;
  for (double a = 0.1; a < 1e12; a *= 17) {
    for (double b = 0.1; b < 1e12; b *= 23) {
      for (double p = 1e-300; p < 0.5; p = p < 1e-20 ? p * 1e40 : p * 30) {
        double low, mirrored;
        if (!lre_stats_beta_quantile(p, a, b, &low, &err)) fail_msg("%s", err.message);
        assert_true(lre_stats_beta_quantile(1 - p, b, a, &mirrored, &err));
        assert_true(low >= 0 && low <= 1);
        if (p > 1e-6) assert_true(fabs(low - (1 - mirrored)) < 1e-9);
      }
    }
  }
}

static void t_quantiles_agree_with_closed_forms_and_tables(void **state) {
  (void)state;
  double t;
  for (double p = 0.0003; p < 1; p += 0.0171) {
    assert_true(lre_stats_t_quantile(p, 1, &t, NULL)); /* Cauchy */
    assert_near(tan(acos(-1) * (p - 0.5)), t, 1e-10);
    assert_true(lre_stats_t_quantile(p, 2, &t, NULL));
    assert_near((2 * p - 1) / sqrt(2 * p * (1 - p)), t, 1e-10);
  }
  assert_true(lre_stats_t_quantile(0.975, 9, &t, NULL));
  assert_near(2.262157162798205, t, 1e-10);
  assert_true(lre_stats_t_quantile(0.025, 30, &t, NULL));
  assert_near(-2.042272456301238, t, 1e-10);
  assert_true(lre_stats_t_quantile(0.975, 1e12, &t, NULL));
  assert_near(1.959963984540054, t, 1e-10);
  assert_true(lre_stats_t_quantile(0.5, 7, &t, NULL) && t == 0);
}

static void a_t_test_is_the_inverse_of_its_quantile(void **state) {
  (void)state;
  double t, p;
  for (double df = 1; df < 200; df += 7.5) {
    for (double tail = 1e-9; tail < 0.5; tail = tail * 3 + 0.001) {
      assert_true(lre_stats_t_quantile(tail, df, &t, NULL));
      assert_true(lre_stats_t_test(t, df, &p, NULL));
      assert_near(2 * tail, p, 1e-9);
      assert_true(lre_stats_t_test(-t, df, &p, NULL) && fabs(2 * tail - p) < 1e-9);
    }
  }
  assert_true(lre_stats_t_test(1, 1, &p, NULL)); /* Cauchy */
  assert_near(0.5, p, 1e-12);
  assert_true(lre_stats_t_test(0, 5, &p, NULL) && p == 1);
}

static void quantiles_outside_their_domain_are_errors(void **state) {
  (void)state;
  struct lre_err err;
  double q;
  assert_code(lre_stats_beta_quantile(1.5, 1, 1, &q, &err), &err, "range");
  assert_code(lre_stats_beta_quantile(0.5, 0, 1, &q, &err), &err, "range");
  assert_code(lre_stats_beta_quantile(0.5, 1, (double)INFINITY, &q, &err), &err, "range");
  assert_code(lre_stats_t_quantile(0, 3, &q, &err), &err, "range");
  assert_code(lre_stats_t_quantile(0.5, (double)NAN, &q, &err), &err, "range");
  assert_code(lre_stats_t_test((double)INFINITY, 3, &q, &err), &err, "range");
  assert_code(lre_stats_t_test(1, 0, &q, &err), &err, "range");
}

static void wilson_gives_known_intervals(void **state) {
  (void)state;
  assert_interval(0.2552885198782742, 0.36620957698280004, wilson_of(81, 263, 0.95));
  assert_interval(0.006113214292762653, 0.17175521879320288, wilson_of(1, 29, 0.95));
  assert_interval(0.33315492963762094, 0.7233245567217029, wilson_of(8, 15, 0.9));
  assert_interval(0.00011741635361832078, 0.008460566219981694, wilson_of(1, 1000, 0.99));
  assert_near(81.0 / 263, wilson_of(81, 263, 0.95).value, 0);
}

static struct lre_interval clustered_of(const int64_t *x, const int64_t *n, size_t clusters, double *n_eff) {
  struct lre_interval out = {0};
  assert_true(lre_stats_wilson_clustered(x, n, clusters, 0.95, &out, n_eff, NULL, NULL));
  return out;
}

/* By hand: p = 1/2, deviations 1, -1, 1, -1 and CR1 4/3, so DEFF = 4/3 * 4 / (8/4) = 8/3 and n_eff = 3. */
static void repeats_that_agree_are_worth_one_trial_less_than_the_samples(void **state) {
  (void)state;
  double n_eff;
  struct lre_interval out = clustered_of((int64_t[]){2, 0, 2, 0}, (int64_t[]){2, 2, 2, 2}, 4, &n_eff);
  assert_near(3, n_eff, EXACT);
  assert_near(0.5, out.value, 0);
  assert_interval(0.1253344719102632, 0.8746655280897369, out);
}

static void repeats_that_differ_as_by_chance_keep_their_worth(void **state) {
  (void)state;
  double n_eff;
  struct lre_interval out = clustered_of((int64_t[]){1, 1, 1, 1}, (int64_t[]){2, 2, 2, 2}, 4, &n_eff);
  assert_near(8, n_eff, 0); /* never more than n: DEFF is at least 1 */
  assert_interval(wilson_of(4, 8, 0.95).low, wilson_of(4, 8, 0.95).high, out);
  out = clustered_of((int64_t[]){1, 0, 1, 0, 0}, (int64_t[]){1, 1, 1, 0, 1}, 5, &n_eff);
  assert_near(4, n_eff, 0); /* clusters of one are no clusters, empty ones none at all */
  assert_interval(wilson_of(2, 4, 0.95).low, wilson_of(2, 4, 0.95).high, out);
}

static void where_all_or_none_are_positive_a_cluster_counts_as_one(void **state) {
  (void)state;
  double n_eff;
  struct lre_interval out = clustered_of((int64_t[]){0, 0, 0}, (int64_t[]){5, 5, 4}, 3, &n_eff);
  assert_near(3, n_eff, 0);
  assert_interval(0, wilson_of(0, 3, 0.95).high, out);
  out = clustered_of((int64_t[]){5, 5, 4}, (int64_t[]){5, 5, 4}, 3, &n_eff);
  assert_interval(wilson_of(3, 3, 0.95).low, 1, out);
  clustered_of((int64_t[]){3}, (int64_t[]){7}, 1, &n_eff);
  assert_near(1, n_eff, 0);
}

static void clusters_that_make_no_sense_are_errors(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_interval out;
  const int64_t two[] = {2, 2}, less[] = {1, 2}, negative[] = {-1, 2}, none[] = {0, 0};
  assert_code(lre_stats_wilson_clustered(two, less, 2, 0.95, &out, NULL, NULL, &err), &err, "range");
  assert_code(lre_stats_wilson_clustered(negative, two, 2, 0.95, &out, NULL, NULL, &err), &err, "range");
  assert_code(lre_stats_wilson_clustered(none, none, 2, 0.95, &out, NULL, NULL, &err), &err, "no_data");
  assert_code(lre_stats_wilson_clustered(NULL, NULL, 0, 0.95, &out, NULL, NULL, &err), &err, "no_data");
  assert_code(lre_stats_wilson_clustered(less, two, 2, 95, &out, NULL, NULL, &err), &err, "range");
  assert_code(lre_stats_wilson_effective(1, 2, 0, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_wilson_effective(1, 2, 2.5, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_wilson_effective(1, 2, (double)NAN, 0.95, &out, &err), &err, "range");
}

static void intervals_end_at_exactly_0_and_1_at_the_extremes(void **state) {
  (void)state;
  for (int64_t n = 1; n < 60; n++) {
    struct lre_interval none[3], all[3];
    assert_true(lre_stats_wilson(0, n, 0.95, &none[0], NULL) && lre_stats_wilson(n, n, 0.95, &all[0], NULL));
    assert_true(lre_stats_jeffreys(0, n, 0.95, &none[1], NULL) && lre_stats_jeffreys(n, n, 0.95, &all[1], NULL));
    assert_true(lre_stats_clopper_pearson(0, n, 0.95, &none[2], NULL));
    assert_true(lre_stats_clopper_pearson(n, n, 0.95, &all[2], NULL));
    for (int i = 0; i < 3; i++) {
      assert_true(none[i].low == 0 && none[i].high > 0 && none[i].high < 1);
      assert_true(all[i].high == 1 && all[i].low > 0 && all[i].low < 1);
      assert_near(none[i].high, 1 - all[i].low, EXACT);
    }
  }
}

static void jeffreys_and_clopper_pearson_give_known_intervals(void **state) {
  (void)state;
  struct lre_interval out;
  assert_true(lre_stats_jeffreys(81, 263, 0.95, &out, NULL));
  assert_interval(0.25452193499102305, 0.3656474991740829, out);
  assert_true(lre_stats_jeffreys(1, 29, 0.95, &out, NULL));
  assert_interval(0.0037461736490571095, 0.15007768600223143, out);
  assert_true(lre_stats_clopper_pearson(81, 263, 0.95, &out, NULL));
  assert_interval(0.25273674558527026, 0.3676219226013525, out);
  assert_true(lre_stats_clopper_pearson(1, 29, 0.95, &out, NULL));
  assert_interval(0.0008726468835799218, 0.17764429548872235, out);
}

/* 1 - (alpha/2)^(1/n) is the closed form at x = 0. */
static void clopper_pearson_keeps_its_digits_at_large_counts(void **state) {
  (void)state;
  struct lre_interval out;
  for (int64_t n = 10; n <= 1000000000000; n *= 10) {
    assert_true(lre_stats_clopper_pearson(0, n, 0.95, &out, NULL));
    assert_near(-expm1(log((1 - 0.95) / 2) / (double)n), out.high, EXACT);
  }
}

static void counts_that_make_no_sense_are_errors(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_interval out;
  struct lre_mcnemar mcnemar;
  double p;
  assert_code(lre_stats_wilson(0, 0, 0.95, &out, &err), &err, "no_data");
  assert_code(lre_stats_jeffreys(0, 0, 0.95, &out, &err), &err, "no_data");
  assert_code(lre_stats_clopper_pearson(0, 0, 0.95, &out, &err), &err, "no_data");
  assert_code(lre_stats_newcombe(1, 2, 0, 0, 0.95, &out, &err), &err, "no_data");
  assert_code(lre_stats_newcombe_paired(0, 0, 0, 0, 0.95, &out, NULL, &err), &err, "no_data");
  assert_code(lre_stats_ztest(0, 0, 1, 2, &p, &err), &err, "no_data");
  assert_code(lre_stats_wilson(3, 2, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_wilson(-1, 2, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_wilson(0, INT64_MIN, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_wilson(1, INT64_MAX, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_wilson(1, 2, 1, &out, &err), &err, "range");
  assert_code(lre_stats_wilson(1, 2, 95, &out, &err), &err, "range");
  assert_code(lre_stats_wilson(1, 2, (double)NAN, &out, &err), &err, "range");
  assert_code(lre_stats_newcombe_paired(1, -1, 0, 0, 0.95, &out, NULL, &err), &err, "range");
  assert_code(lre_stats_newcombe_paired(INT64_MAX, INT64_MAX, 1, 1, 0.95, &out, NULL, &err), &err, "range");
  assert_code(lre_stats_mcnemar(-1, 1, &mcnemar, &err), &err, "range");
}

static void newcombe_gives_the_published_intervals(void **state) {
  (void)state;
  struct lre_interval out;
  assert_true(lre_stats_newcombe(56, 70, 48, 80, 0.95, &out, NULL));
  assert_interval(0.05243147240236498, 0.333872654036906, out);
  assert_true(lre_stats_newcombe(5, 56, 0, 29, 0.95, &out, NULL));
  assert_interval(-0.03813714790353688, 0.19256001385511162, out);
  assert_true(lre_stats_newcombe(10, 10, 0, 20, 0.95, &out, NULL));
  assert_interval(0.6790860371419147, 1, out);
}

static void the_paired_newcombe_interval_corrects_a_positive_phi_only(void **state) {
  (void)state;
  struct lre_interval out;
  double phi;
  assert_true(lre_stats_newcombe_paired(59, 6, 16, 80, 0.95, &out, &phi, NULL));
  assert_interval(-0.11862119563870992, -0.004625113933050047, out);
  assert_close(0.7161737195063973, phi);
  assert_true(lre_stats_newcombe_paired(1, 1, 7, 12, 0.95, &out, &phi, NULL));
  assert_interval(-0.506920226686141, -0.02555912416485978, out);
  assert_close(0, phi);
  assert_true(lre_stats_newcombe_paired(36, 12, 2, 0, 0.95, &out, &phi, NULL));
  assert_interval(0.05692958400323869, 0.3404276029749407, out);
  assert_close(-0.11470786693528089, phi);
}

static void the_paired_interval_turns_round_with_the_runs(void **state) {
  (void)state;
  struct lre_interval ab, ba;
  assert_true(lre_stats_newcombe_paired(10, 15, 5, 20, 0.9, &ab, NULL, NULL));
  assert_true(lre_stats_newcombe_paired(10, 5, 15, 20, 0.9, &ba, NULL, NULL));
  assert_interval(-ab.high, -ab.low, ba);
}

static void the_z_test_is_1_where_the_variance_is_0_and_keeps_tiny_p(void **state) {
  (void)state;
  double p;
  assert_true(lre_stats_ztest(48, 80, 56, 70, &p, NULL));
  assert_near(0.008045081368196705, p, EXACT);
  assert_true(lre_stats_ztest(0, 10, 0, 20, &p, NULL) && p == 1);
  assert_true(lre_stats_ztest(10, 10, 20, 20, &p, NULL) && p == 1);
  assert_true(lre_stats_ztest(1, 3, 2, 6, &p, NULL) && p == 1);
  assert_true(lre_stats_ztest(90, 100, 30, 100, &p, NULL));
  assert_true(p > 1e-18 && p < 1e-17);
}

static void mcnemar_gives_exact_and_mid_p(void **state) {
  (void)state;
  struct lre_mcnemar out;
  assert_true(lre_stats_mcnemar(121, 59, &out, NULL));
  assert_near(4.434449263755176e-06, out.exact, EXACT);
  assert_near(3.266646795774592e-06, out.midp, EXACT);
  assert_true(lre_stats_mcnemar(1, 7, &out, NULL));
  assert_near(0.0703125, out.exact, EXACT);
  assert_near(0.0390625, out.midp, EXACT);
  assert_true(lre_stats_mcnemar(0, 5, &out, NULL));
  assert_true(out.exact == 0.0625 && out.midp == 0.03125);
  assert_true(lre_stats_mcnemar(0, 0, &out, NULL) && out.exact == 1 && out.midp == 1);
  assert_true(lre_stats_mcnemar(10, 10, &out, NULL) && out.exact == 1 && out.midp == 1);
}

/* The sum of C(m, i) is exact in a double up to m = 53. */
static void mcnemar_agrees_with_exact_integers(void **state) {
  (void)state;
  for (int m = 1; m <= 50; m++) {
    double coefficient = 1, sum = 0;
    for (int k = 0; 2 * k < m; k++) {
      struct lre_mcnemar out;
      sum += coefficient;
      assert_true(lre_stats_mcnemar(k, m - k, &out, NULL));
      assert_near(fmin(1, ldexp(sum, 1 - m)), out.exact, EXACT);
      assert_near(ldexp(2 * sum - coefficient, -m), out.midp, EXACT);
      coefficient = coefficient * (m - k) / (k + 1);
    }
  }
}

/* P(|X - m/2| >= d) nears the normal tail with its continuity correction. */
static void mcnemar_works_at_large_counts(void **state) {
  (void)state;
  struct lre_mcnemar out;
  const int64_t half = 50000000000;
  assert_true(lre_stats_mcnemar(half - 300000, half + 300000, &out, NULL));
  assert_near(2 * lre_stats_normal_cdf(-(300000 - 0.5) / sqrt((double)half / 2)), out.exact, 1e-9);
}

static void kappa_agrees_with_the_sas_documentation(void **state) {
  (void)state;
  const int64_t table[] = {0, 4, 1, 0, 8, 0, 0, 1, 5};
  struct lre_kappa out;
  assert_true(lre_stats_kappa(table, 3, 0.95, &out, NULL));
  assert_near(0.4841628959276017, out.kappa, EXACT);
  assert_near(0.1380135783058146, out.se, EXACT);
  assert_near(0.1483982818901329, out.se0, EXACT);
  assert_near(0.21366125307070655, out.low, EXACT);
  assert_near(0.7546645387844968, out.high, EXACT);
  assert_near(13.0 / 19, out.observed, EXACT);
}

static void kappa_never_says_more_than_1(void **state) {
  (void)state;
  const int64_t table[] = {9, 0, 3, 18}, perfect[] = {4, 0, 0, 3};
  struct lre_kappa out;
  assert_true(lre_stats_kappa(table, 2, 0.95, &out, NULL));
  assert_true(out.high == 1);
  assert_near(0.11622250396173464, out.se, EXACT);
  assert_true(lre_stats_kappa(perfect, 2, 0.95, &out, NULL));
  assert_near(1, out.kappa, EXACT);
  assert_true(out.high == 1 && out.low > 1 - 1e-7);
}

static void kappa_is_undefined_where_chance_agrees_always(void **state) {
  (void)state;
  const int64_t same[] = {3, 0, 0, 0}, apart[] = {0, 3, 0, 0}, none[] = {0, 0, 0, 0}, bad[] = {1, -1, 0, 0};
  struct lre_kappa out;
  struct lre_err err;
  assert_code(lre_stats_kappa(same, 2, 0.95, &out, &err), &err, "undefined");
  assert_code(lre_stats_kappa(same, 1, 0.95, &out, &err), &err, "undefined");
  assert_true(lre_stats_kappa(apart, 2, 0.95, &out, &err));
  assert_true(out.kappa == 0);
  assert_code(lre_stats_kappa(none, 2, 0.95, &out, &err), &err, "no_data");
  assert_code(lre_stats_kappa(bad, 2, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_kappa(same, 0, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_kappa(same, SIZE_MAX, 0.95, &out, &err), &err, "range");
}

static void a_quantile_is_one_of_the_data(void **state) {
  (void)state;
  const double v[] = {3, 1, 4, 2};
  double q;
  assert_true(lre_stats_quantile(v, 4, 0, &q, NULL) && q == 1);
  assert_true(lre_stats_quantile(v, 4, 0.25, &q, NULL) && q == 1);
  assert_true(lre_stats_quantile(v, 4, 0.5, &q, NULL) && q == 2);
  assert_true(lre_stats_quantile(v, 4, 0.51, &q, NULL) && q == 3);
  assert_true(lre_stats_quantile(v, 4, 1, &q, NULL) && q == 4);
  assert_true(v[0] == 3 && v[3] == 2);
}

static void rounding_of_q_does_not_move_the_rank(void **state) {
  (void)state;
  double v[1000], q;
  for (int i = 0; i < 1000; i++) v[i] = i + 1;
  for (int percent = 1; percent <= 100; percent++) {
    assert_true(lre_stats_quantile(v, 100, percent / 100.0, &q, NULL));
    assert_true(q == percent);
    assert_true(lre_stats_quantile(v, 1000, percent / 100.0, &q, NULL));
    assert_true(q == 10 * percent);
  }
}

static void a_quantile_of_nothing_or_of_nan_is_an_error(void **state) {
  (void)state;
  const double v[] = {1, (double)NAN};
  struct lre_err err;
  double q;
  assert_code(lre_stats_quantile(v, 0, 0.5, &q, &err), &err, "no_data");
  assert_code(lre_stats_quantile(v, 2, 0.5, &q, &err), &err, "range");
  assert_code(lre_stats_quantile(v, 1, 1.1, &q, &err), &err, "range");
  assert_code(lre_stats_quantile(v, 1, (double)NAN, &q, &err), &err, "range");
}

#define ROWS     40
#define CLUSTERS 8

/* Rows that differ between clusters only, so that clustering must widen the interval. */
static void make_rows(double *values, size_t *by_cluster, size_t *by_row) {
  for (size_t i = 0; i < ROWS; i++) {
    by_row[i] = i;
    by_cluster[i] = i % CLUSTERS;
    values[i] = (double)(by_cluster[i] % 2);
  }
}

static void the_bootstrap_repeats_itself_for_a_seed_only(void **state) {
  (void)state;
  double values[ROWS];
  size_t by_cluster[ROWS], by_row[ROWS];
  struct lre_interval a, b, c;
  make_rows(values, by_cluster, by_row);
  for (size_t i = 0; i < ROWS; i++) values[i] += (double)i / 7;
  assert_true(lre_stats_bootstrap(values, by_row, ROWS, ROWS, 2000, 1, 0.95, &a, NULL));
  assert_true(lre_stats_bootstrap(values, by_row, ROWS, ROWS, 2000, 1, 0.95, &b, NULL));
  assert_true(lre_stats_bootstrap(values, by_row, ROWS, ROWS, 2000, 2, 0.95, &c, NULL));
  assert_true(a.value == b.value && a.low == b.low && a.high == b.high);
  assert_true(a.low != c.low || a.high != c.high);
  assert_true(a.low < a.value && a.value < a.high);
}

static void the_bootstrap_draws_whole_clusters(void **state) {
  (void)state;
  double values[ROWS];
  size_t by_cluster[ROWS], by_row[ROWS];
  struct lre_interval clustered, naive;
  make_rows(values, by_cluster, by_row);
  assert_true(lre_stats_bootstrap(values, by_cluster, ROWS, CLUSTERS, 4000, 7, 0.95, &clustered, NULL));
  assert_true(lre_stats_bootstrap(values, by_row, ROWS, ROWS, 4000, 7, 0.95, &naive, NULL));
  assert_true(clustered.value == 0.5 && naive.value == 0.5);
  assert_true(clustered.high - clustered.low > 1.8 * (naive.high - naive.low));
  /* Means of 8 equal clusters of zeros or ones are eighths. */
  assert_true(clustered.low * 8 == floor(clustered.low * 8));
  /* The normal approximation: 0.5 +- 1.96 * 0.5 / sqrt(40). */
  assert_true(fabs(naive.low - 0.345) < 0.031 && fabs(naive.high - 0.655) < 0.031);
}

static void the_bootstrap_collapses_at_constant_data(void **state) {
  (void)state;
  const double values[] = {1, 1, 1};
  const size_t cluster[] = {0, 1, 2};
  struct lre_interval out;
  assert_true(lre_stats_bootstrap(values, cluster, 3, 3, 100, 0, 0.95, &out, NULL));
  assert_true(out.low == 1 && out.value == 1 && out.high == 1);
}

static void a_bootstrap_that_would_mislead_is_an_error(void **state) {
  (void)state;
  const double values[] = {1, 2, (double)INFINITY};
  const size_t cluster[] = {0, 1, 1}, outside[] = {0, 2};
  struct lre_interval out;
  struct lre_err err;
  assert_code(lre_stats_bootstrap(values, cluster, 0, 2, 100, 0, 0.95, &out, &err), &err, "no_data");
  assert_code(lre_stats_bootstrap(values, cluster, 2, 0, 100, 0, 0.95, &out, &err), &err, "no_data");
  assert_code(lre_stats_bootstrap(values, outside, 2, 2, 100, 0, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_bootstrap(values, cluster, 2, 3, 100, 0, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_bootstrap(values, cluster, 3, 2, 100, 0, 0.95, &out, &err), &err, "range");
  assert_code(lre_stats_bootstrap(values, cluster, 2, 2, 39, 0, 0.95, &out, &err), &err, "range");
  assert_true(lre_stats_bootstrap(values, cluster, 2, 2, 40, 0, 0.95, &out, &err));
  assert_code(lre_stats_bootstrap(values, cluster, 2, 2, 100, 0, 1, &out, &err), &err, "range");
}

/* What leaks, LeakSanitizer says. */
/* The fifteen tests of Benjamini & Hochberg 1995, section 4. */
static void adjusted_p_values_find_what_the_paper_finds(void **state) {
  (void)state;
  const double p[] = {1.0,    0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344,
                      0.0459, 0.3240, 0.4262, 0.5719, 0.6528, 0.7590, 0.0001};
  double holm[15], bh[15];
  int n_holm = 0, n_bh = 0;
  assert_true(lre_stats_holm(p, 15, holm, NULL));
  assert_true(lre_stats_benjamini_hochberg(p, 15, bh, NULL));
  for (int i = 0; i < 15; i++) {
    n_holm += holm[i] < 0.05;
    n_bh += bh[i] < 0.05;
    assert_true(holm[i] >= bh[i] && bh[i] >= p[i] && holm[i] <= 1);
  }
  assert_int_equal(n_holm, 3);
  assert_int_equal(n_bh, 4);
  assert_true(fabs(holm[14] - 0.0015) < 1e-15);
}

static void adjusting_nothing_or_a_nan_is_an_error(void **state) {
  (void)state;
  const double p[] = {0.5, NAN};
  double out[2];
  struct lre_err err;
  assert_code(lre_stats_holm(p, 0, out, &err), &err, "no_data");
  assert_code(lre_stats_benjamini_hochberg(p, 2, out, &err), &err, "range");
  oom_arm(0);
  assert_code(lre_stats_holm(p, 1, out, &err), &err, "no_memory");
  oom_disarm();
}

static void each_failed_allocation_is_an_error(void **state) {
  (void)state;
  const double values[] = {1, 2};
  const size_t cluster[] = {0, 1};
  const int64_t table[] = {1, 2, 3, 4};
  struct lre_err err;
  struct lre_interval interval;
  struct lre_kappa kappa;
  double q;
  for (long nth = 0; nth < 3; nth++) {
    oom_arm(nth);
    bool ok = lre_stats_bootstrap(values, cluster, 2, 2, 100, 0, 0.95, &interval, &err);
    assert_true(oom_disarm());
    assert_code(ok, &err, "no_memory");
  }
  oom_arm(0);
  assert_code(lre_stats_quantile(values, 2, 0.5, &q, &err), &err, "no_memory");
  oom_arm(0);
  assert_code(lre_stats_kappa(table, 2, 0.95, &kappa, &err), &err, "no_memory");
  oom_disarm();
}

static void shared_proportions_agree(void **state) {
  (void)state;
  cJSON *root = vectors_or_skip("vectors/statistics.json");
  const cJSON *v;
  assert_near(number_at(root, "z95"), lre_stats_normal_quantile(0.975), 1e-15);
  cJSON_ArrayForEach(v, list_at(root, "single")) {
    struct lre_interval out;
    int64_t x = count_at(v, "x"), n = count_at(v, "n");
    const cJSON *wilson_ = list_at(v, "wilson"), *jeffreys = list_at(v, "jeffreys"),
                *cp = list_at(v, "clopper_pearson");
    assert_interval(number_in(wilson_, 0), number_in(wilson_, 1), wilson_of(x, n, 0.95));
    assert_true(lre_stats_jeffreys(x, n, 0.95, &out, NULL));
    assert_interval(number_in(jeffreys, 0), number_in(jeffreys, 1), out);
    assert_true(lre_stats_clopper_pearson(x, n, 0.95, &out, NULL));
    assert_interval(number_in(cp, 0), number_in(cp, 1), out);
  }
  cJSON_Delete(root);
}

static void assert_paired(const cJSON *counts, double confidence, const cJSON *expected) {
  struct lre_interval out;
  double phi;
  assert_true(lre_stats_newcombe_paired(count_in(counts, 0), count_in(counts, 1), count_in(counts, 2),
                                        count_in(counts, 3), confidence, &out, &phi, NULL));
  assert_close(number_in(expected, 0), out.value);
  assert_interval(number_in(expected, 1), number_in(expected, 2), out);
  assert_close(number_in(expected, 3), phi);
}

static void shared_differences_agree(void **state) {
  (void)state;
  cJSON *root = vectors_or_skip("vectors/statistics.json");
  const cJSON *v;
  cJSON_ArrayForEach(v, list_at(root, "independent")) {
    struct lre_interval out;
    const cJSON *expected = list_at(v, "d_lo_hi");
    assert_true(lre_stats_newcombe(count_at(v, "x1"), count_at(v, "n1"), count_at(v, "x2"), count_at(v, "n2"), 0.95,
                                   &out, NULL));
    assert_close(number_in(expected, 0), out.value);
    assert_interval(number_in(expected, 1), number_in(expected, 2), out);
  }
  cJSON_ArrayForEach(v, list_at(root, "paired")) {
    assert_paired(v, 0.95, list_at(v, "m10")); /* a, b, c, d come first, in this order */
  }
  cJSON_Delete(root);
}

static void shared_mcnemar_and_kappa_agree(void **state) {
  (void)state;
  cJSON *root = vectors_or_skip("vectors/statistics.json");
  const cJSON *v;
  cJSON_ArrayForEach(v, list_at(root, "mcnemar")) {
    struct lre_mcnemar out;
    assert_true(lre_stats_mcnemar(count_at(v, "b"), count_at(v, "c"), &out, NULL));
    assert_near(number_at(v, "exact"), out.exact, EXACT);
    assert_near(number_at(v, "midp"), out.midp, EXACT);
  }
  cJSON_ArrayForEach(v, list_at(root, "kappa")) {
    const cJSON *rows = list_at(v, "table"), *ci = list_at(v, "ci");
    int64_t table[9];
    int k = cJSON_GetArraySize(rows);
    assert_true(k <= 3);
    for (int i = 0; i < k * k; i++) table[i] = count_in(cJSON_GetArrayItem(rows, i / k), i % k);
    struct lre_kappa out;
    assert_true(lre_stats_kappa(table, (size_t)k, 0.95, &out, NULL));
    assert_near(number_at(v, "kappa"), out.kappa, EXACT);
    assert_near(number_at(v, "ase"), out.se, EXACT);
    assert_near(number_at(v, "ase0"), out.se0, EXACT);
    assert_near(number_in(ci, 0), out.low, EXACT);
    assert_near(fmin(1, number_in(ci, 1)), out.high, EXACT); /* printed unclamped: 1.01 */
  }
  cJSON_Delete(root);
}

static void the_seeds_proportions_agree(void **state) {
  (void)state;
  cJSON *root = vectors_or_skip("vectors/refusal.json");
  const cJSON *v;
  cJSON_ArrayForEach(v, list_at(root, "wilson")) {
    const cJSON *ci = list_at(v, "ci");
    assert_interval(number_in(ci, 0), number_in(ci, 1),
                    wilson_of(count_at(v, "k"), count_at(v, "n"), number_at(v, "conf")));
  }
  /* x_a, n_a, x_b, n_b; delta is b - a. Its p is 1 - cdf, so 0 below 1e-16. */
  cJSON_ArrayForEach(v, list_at(root, "newcombe10_independent")) {
    const cJSON *args = list_at(v, "args"), *expected = list_at(v, "out");
    int64_t xa = count_in(args, 0), na = count_in(args, 1), xb = count_in(args, 2), nb = count_in(args, 3);
    struct lre_interval out;
    double p;
    assert_true(lre_stats_newcombe(xb, nb, xa, na, 0.95, &out, NULL));
    assert_true(lre_stats_ztest(xb, nb, xa, na, &p, NULL));
    assert_close(number_at(expected, "delta"), out.value);
    assert_interval(number_at(expected, "ci_low"), number_at(expected, "ci_high"), out);
    assert_close(number_at(expected, "p_value"), p);
  }
  cJSON_ArrayForEach(v, list_at(root, "newcombe10_paired_reference")) {
    assert_paired(list_at(v, "table_a_b_c_d"), number_at(v, "conf"), list_at(v, "diff_lo_hi_phi"));
  }
  cJSON_Delete(root);
}

static void the_seeds_kappa_agrees_but_for_constant_raters(void **state) {
  (void)state;
  cJSON *root = vectors_or_skip("vectors/refusal.json");
  const cJSON *v;
  cJSON_ArrayForEach(v, list_at(root, "kappa")) {
    const cJSON *a = list_at(v, "a"), *b = list_at(v, "b");
    int64_t table[4] = {0};
    for (int i = 0; i < cJSON_GetArraySize(a); i++) {
      table[2 * cJSON_IsTrue(cJSON_GetArrayItem(a, i)) + cJSON_IsTrue(cJSON_GetArrayItem(b, i))]++;
    }
    struct lre_kappa out;
    struct lre_err err;
    bool ok = lre_stats_kappa(table, 2, 0.95, &out, &err);
    if (table[0] == cJSON_GetArraySize(a) || table[3] == cJSON_GetArraySize(a)) {
      assert_code(ok, &err, "undefined"); /* the seed says 1: its mistake */
    } else {
      assert_true(ok);
      assert_close(number_at(v, "k"), out.kappa);
    }
  }
  cJSON_Delete(root);
}

static void the_seeds_percentiles_agree(void **state) {
  (void)state;
  cJSON *root = vectors_or_skip("vectors/refusal.json");
  const cJSON *v;
  cJSON_ArrayForEach(v, list_at(root, "percentile")) {
    const cJSON *list = list_at(v, "v");
    double values[16], q;
    int n = cJSON_GetArraySize(list);
    assert_true(n <= 16);
    for (int i = 0; i < n; i++) values[i] = number_in(list, i);
    assert_true(lre_stats_quantile(values, (size_t)n, number_at(v, "q"), &q, NULL));
    assert_true(q == number_at(v, "out"));
  }
  cJSON_Delete(root);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(the_normal_quantile_is_exact_from_centre_to_far_tail),
      cmocka_unit_test(the_normal_cdf_undoes_its_quantile),
      cmocka_unit_test(beta_quantiles_agree_with_closed_forms),
      cmocka_unit_test(beta_quantiles_are_found_wherever_they_are_promised),
      cmocka_unit_test(t_quantiles_agree_with_closed_forms_and_tables),
      cmocka_unit_test(a_t_test_is_the_inverse_of_its_quantile),
      cmocka_unit_test(quantiles_outside_their_domain_are_errors),
      cmocka_unit_test(wilson_gives_known_intervals),
      cmocka_unit_test(repeats_that_agree_are_worth_one_trial_less_than_the_samples),
      cmocka_unit_test(repeats_that_differ_as_by_chance_keep_their_worth),
      cmocka_unit_test(where_all_or_none_are_positive_a_cluster_counts_as_one),
      cmocka_unit_test(clusters_that_make_no_sense_are_errors),
      cmocka_unit_test(intervals_end_at_exactly_0_and_1_at_the_extremes),
      cmocka_unit_test(jeffreys_and_clopper_pearson_give_known_intervals),
      cmocka_unit_test(clopper_pearson_keeps_its_digits_at_large_counts),
      cmocka_unit_test(counts_that_make_no_sense_are_errors),
      cmocka_unit_test(newcombe_gives_the_published_intervals),
      cmocka_unit_test(the_paired_newcombe_interval_corrects_a_positive_phi_only),
      cmocka_unit_test(the_paired_interval_turns_round_with_the_runs),
      cmocka_unit_test(the_z_test_is_1_where_the_variance_is_0_and_keeps_tiny_p),
      cmocka_unit_test(mcnemar_gives_exact_and_mid_p),
      cmocka_unit_test(mcnemar_agrees_with_exact_integers),
      cmocka_unit_test(mcnemar_works_at_large_counts),
      cmocka_unit_test(kappa_agrees_with_the_sas_documentation),
      cmocka_unit_test(kappa_never_says_more_than_1),
      cmocka_unit_test(kappa_is_undefined_where_chance_agrees_always),
      cmocka_unit_test(a_quantile_is_one_of_the_data),
      cmocka_unit_test(rounding_of_q_does_not_move_the_rank),
      cmocka_unit_test(a_quantile_of_nothing_or_of_nan_is_an_error),
      cmocka_unit_test(the_bootstrap_repeats_itself_for_a_seed_only),
      cmocka_unit_test(the_bootstrap_draws_whole_clusters),
      cmocka_unit_test(the_bootstrap_collapses_at_constant_data),
      cmocka_unit_test(a_bootstrap_that_would_mislead_is_an_error),
      cmocka_unit_test(adjusted_p_values_find_what_the_paper_finds),
      cmocka_unit_test(adjusting_nothing_or_a_nan_is_an_error),
      cmocka_unit_test(each_failed_allocation_is_an_error),
      cmocka_unit_test(shared_proportions_agree),
      cmocka_unit_test(shared_differences_agree),
      cmocka_unit_test(shared_mcnemar_and_kappa_agree),
      cmocka_unit_test(the_seeds_proportions_agree),
      cmocka_unit_test(the_seeds_kappa_agrees_but_for_constant_raters),
      cmocka_unit_test(the_seeds_percentiles_agree),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
