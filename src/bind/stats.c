/* lre.stats: intervals, tests and agreement. */
#include "core/stats.h"

#include <string.h>

#include "bind/bind.h"
#include "vm/freeze.h"
#include "vm/vm.h"

#define CONFIDENCE 0.95
#define REPLICATES 2000

#define MAX_CATEGORIES 1000

/* { value, low, high, method, confidence } */
static int push_interval(lua_State *L, bool ok, const struct lre_interval *out, const char *method, double confidence,
                         const struct lre_err *err) {
  if (!ok) return lre_bind_fail(L, err);
  lua_createtable(L, 0, 6);
  lua_pushnumber(L, out->value);
  lua_setfield(L, -2, "value");
  lua_pushnumber(L, out->low);
  lua_setfield(L, -2, "low");
  lua_pushnumber(L, out->high);
  lua_setfield(L, -2, "high");
  lua_pushstring(L, method);
  lua_setfield(L, -2, "method");
  lua_pushnumber(L, confidence);
  lua_setfield(L, -2, "confidence");
  return 1;
}

static int push_number(lua_State *L, bool ok, double x, const struct lre_err *err) {
  if (!ok) return lre_bind_fail(L, err);
  lua_pushnumber(L, x);
  return 1;
}

typedef bool one_proportion(int64_t x, int64_t n, double confidence, struct lre_interval *out, struct lre_err *err);

static int proportion(lua_State *L, one_proportion *interval, const char *method) {
  lua_Integer x = luaL_checkinteger(L, 1), n = luaL_checkinteger(L, 2);
  double confidence = luaL_optnumber(L, 3, CONFIDENCE);
  struct lre_interval out;
  struct lre_err err;
  bool ok = interval(x, n, confidence, &out, &err);
  return push_interval(L, ok, &out, method, confidence, &err);
}

static int stats_wilson(lua_State *L) {
  return proportion(L, lre_stats_wilson, "wilson");
}

static int stats_jeffreys(lua_State *L) {
  return proportion(L, lre_stats_jeffreys, "jeffreys");
}

static int stats_clopper_pearson(lua_State *L) {
  return proportion(L, lre_stats_clopper_pearson, "clopper_pearson");
}

static int stats_newcombe(lua_State *L) {
  lua_Integer x1 = luaL_checkinteger(L, 1), n1 = luaL_checkinteger(L, 2);
  lua_Integer x2 = luaL_checkinteger(L, 3), n2 = luaL_checkinteger(L, 4);
  double confidence = luaL_optnumber(L, 5, CONFIDENCE);
  struct lre_interval out;
  struct lre_err err;
  bool ok = lre_stats_newcombe(x1, n1, x2, n2, confidence, &out, &err);
  return push_interval(L, ok, &out, "newcombe", confidence, &err);
}

static int stats_newcombe_paired(lua_State *L) {
  lua_Integer a = luaL_checkinteger(L, 1), b = luaL_checkinteger(L, 2);
  lua_Integer c = luaL_checkinteger(L, 3), d = luaL_checkinteger(L, 4);
  double confidence = luaL_optnumber(L, 5, CONFIDENCE), phi;
  struct lre_interval out;
  struct lre_err err;
  bool ok = lre_stats_newcombe_paired(a, b, c, d, confidence, &out, &phi, &err);
  int results = push_interval(L, ok, &out, "newcombe_paired", confidence, &err);
  if (ok) {
    lua_pushnumber(L, phi);
    lua_setfield(L, -2, "phi");
  }
  return results;
}

static int stats_ztest(lua_State *L) {
  lua_Integer x1 = luaL_checkinteger(L, 1), n1 = luaL_checkinteger(L, 2);
  lua_Integer x2 = luaL_checkinteger(L, 3), n2 = luaL_checkinteger(L, 4);
  double p = 0;
  struct lre_err err;
  bool ok = lre_stats_ztest(x1, n1, x2, n2, &p, &err);
  return push_number(L, ok, p, &err);
}

static int stats_mcnemar(lua_State *L) {
  lua_Integer b = luaL_checkinteger(L, 1), c = luaL_checkinteger(L, 2);
  struct lre_mcnemar out;
  struct lre_err err;
  if (!lre_stats_mcnemar(b, c, &out, &err)) return lre_bind_fail(L, &err);
  lua_createtable(L, 0, 2);
  lua_pushnumber(L, out.exact);
  lua_setfield(L, -2, "exact");
  lua_pushnumber(L, out.midp);
  lua_setfield(L, -2, "midp");
  return 1;
}

/* Memory that Lua owns, so that an error while it is filled leaks nothing. */
static void *scratch(lua_State *L, size_t n, size_t size) {
  if (n > SIZE_MAX / 2 / size) luaL_error(L, "too many values: %I", (LUAI_UACINT)n);
  return lua_newuserdatauv(L, n ? n * size : 1, 0);
}

/* Row i (1-based) of the table at 1, which must have k whole numbers. */
static void read_row(lua_State *L, lua_Integer i, lua_Integer k, int64_t *counts) {
  if (lua_geti(L, 1, i) != LUA_TTABLE || luaL_len(L, -1) != k) {
    luaL_error(L, "row %I of the table: expected %I counts, as there are rows", (LUAI_UACINT)i, (LUAI_UACINT)k);
  }
  for (lua_Integer j = 1; j <= k; j++) {
    int whole;
    lua_geti(L, -1, j);
    counts[j - 1] = lua_tointegerx(L, -1, &whole);
    if (!whole) {
      luaL_error(L, "row %I, column %I of the table: expected a whole number, got %s", (LUAI_UACINT)i, (LUAI_UACINT)j,
                 luaL_tolstring(L, -1, NULL));
    }
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
}

static void push_kappa(lua_State *L, const struct lre_kappa *kappa) {
  const struct {
    const char *name;
    double value;
  } fields[] = {{"kappa", kappa->kappa},      {"se", kappa->se},   {"low", kappa->low},
                {"high", kappa->high},        {"se0", kappa->se0}, {"observed", kappa->observed},
                {"expected", kappa->expected}};
  lua_createtable(L, 0, 8);
  for (size_t i = 0; i < sizeof fields / sizeof fields[0]; i++) {
    lua_pushnumber(L, fields[i].value);
    lua_setfield(L, -2, fields[i].name);
  }
}

static int stats_kappa(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  double confidence = luaL_optnumber(L, 2, CONFIDENCE);
  lua_Integer k = luaL_len(L, 1);
  luaL_argcheck(L, k >= 1 && k <= MAX_CATEGORIES, 1, "expected 1 to 1000 rows of counts");
  lre_context_charge(L, (size_t)(k * k));
  int64_t *counts = scratch(L, (size_t)(k * k), sizeof *counts);
  for (lua_Integer i = 0; i < k; i++) read_row(L, i + 1, k, counts + i * k);
  struct lre_kappa out;
  struct lre_err err;
  if (!lre_stats_kappa(counts, (size_t)k, confidence, &out, &err)) return lre_bind_fail(L, &err);
  push_kappa(L, &out);
  return 1;
}

/* The numbers of the list at 1, in a userdata that is pushed. */
static double *read_values(lua_State *L, size_t *n) {
  luaL_checktype(L, 1, LUA_TTABLE);
  *n = (size_t)luaL_len(L, 1);
  lre_context_charge(L, *n);
  double *values = scratch(L, *n, sizeof *values);
  for (size_t i = 0; i < *n; i++) {
    int is_number;
    lua_geti(L, 1, (lua_Integer)i + 1);
    values[i] = lua_tonumberx(L, -1, &is_number);
    if (!is_number) {
      luaL_error(L, "value %I: expected a number, got %s", (LUAI_UACINT)i + 1, luaL_typename(L, -1));
    }
    lua_pop(L, 1);
  }
  return values;
}

/* The counts of the list at `index`, in a userdata that is pushed. */
static int64_t *read_counts(lua_State *L, int index, size_t n) {
  luaL_checktype(L, index, LUA_TTABLE);
  luaL_argcheck(L, (size_t)luaL_len(L, index) == n, index, "expected as many counts in both lists");
  lre_context_charge(L, n);
  int64_t *counts = scratch(L, n, sizeof *counts);
  for (size_t i = 0; i < n; i++) {
    int whole;
    lua_geti(L, index, (lua_Integer)i + 1);
    counts[i] = lua_tointegerx(L, -1, &whole);
    if (!whole) luaL_error(L, "count %I: expected a whole number", (LUAI_UACINT)i + 1);
    lua_pop(L, 1);
  }
  return counts;
}

static int push_effective(lua_State *L, bool ok, const struct lre_interval *out, double n_eff, double confidence,
                          const struct lre_err *err) {
  int results = push_interval(L, ok, out, "wilson_clustered", confidence, err);
  if (!ok) return results;
  lua_pushnumber(L, n_eff);
  lua_setfield(L, -2, "n_eff");
  return results;
}

static int stats_wilson_clustered(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  double confidence = luaL_optnumber(L, 3, CONFIDENCE), n_eff = 0;
  size_t n_clusters = (size_t)luaL_len(L, 1), n_full = 0;
  int64_t *x_c = read_counts(L, 1, n_clusters), *n_c = read_counts(L, 2, n_clusters);
  struct lre_interval out;
  struct lre_err err;
  bool ok = lre_stats_wilson_clustered(x_c, n_c, n_clusters, confidence, &out, &n_eff, &n_full, &err);
  int results = push_effective(L, ok, &out, n_eff, confidence, &err);
  if (!ok) return results;
  lua_pushinteger(L, (lua_Integer)n_full);
  lua_setfield(L, -2, "clusters");
  return results;
}

static int stats_wilson_effective(lua_State *L) {
  lua_Integer x = luaL_checkinteger(L, 1), n = luaL_checkinteger(L, 2);
  double n_eff = luaL_checknumber(L, 3), confidence = luaL_optnumber(L, 4, CONFIDENCE);
  struct lre_interval out;
  struct lre_err err;
  bool ok = lre_stats_wilson_effective(x, n, n_eff, confidence, &out, &err);
  return push_effective(L, ok, &out, n_eff, confidence, &err);
}

static int stats_quantile(lua_State *L) {
  double q = luaL_checknumber(L, 2), out = 0;
  size_t n;
  double *values = read_values(L, &n);
  struct lre_err err;
  bool ok = lre_stats_quantile(values, n, q, &out, &err);
  return push_number(L, ok, out, &err);
}

typedef bool adjustment(const double *p, size_t n, double *out, struct lre_err *err);

static int adjust(lua_State *L, adjustment *method) {
  size_t n;
  double *p = read_values(L, &n);
  double *out = scratch(L, n, sizeof *out);
  struct lre_err err;
  if (!method(p, n, out, &err)) return lre_bind_fail(L, &err);
  lua_createtable(L, (int)n, 0);
  for (size_t i = 0; i < n; i++) {
    lua_pushnumber(L, out[i]);
    lua_rawseti(L, -2, (lua_Integer)i + 1);
  }
  return 1;
}

static int stats_holm(lua_State *L) {
  return adjust(L, lre_stats_holm);
}

static int stats_benjamini_hochberg(lua_State *L) {
  return adjust(L, lre_stats_benjamini_hochberg);
}

/* Numbers the clusters of the list at 2 in order of their first value, in a userdata that is pushed. */
static size_t *read_clusters(lua_State *L, size_t n, size_t *n_clusters) {
  luaL_checktype(L, 2, LUA_TTABLE);
  if ((size_t)luaL_len(L, 2) != n) {
    luaL_error(L, "expected a cluster for each of %I values, got %I", (LUAI_UACINT)n, (LUAI_UACINT)luaL_len(L, 2));
  }
  size_t *clusters = scratch(L, n, sizeof *clusters);
  *n_clusters = 0;
  lua_newtable(L); /* cluster -> its number from 0 */
  int numbers = lua_gettop(L);
  for (size_t i = 0; i < n; i++) {
    int type = lua_geti(L, 2, (lua_Integer)i + 1);
    if (type != LUA_TSTRING && type != LUA_TNUMBER) {
      luaL_error(L, "cluster %I: expected a string, got %s", (LUAI_UACINT)i + 1, luaL_typename(L, -1));
    }
    lua_pushvalue(L, -1);
    if (lua_rawget(L, numbers) == LUA_TNIL) {
      lua_pushvalue(L, -2);
      lua_pushinteger(L, (lua_Integer)*n_clusters);
      lua_rawset(L, numbers);
      clusters[i] = (*n_clusters)++;
    } else {
      clusters[i] = (size_t)lua_tointeger(L, -1);
    }
    lua_settop(L, numbers);
  }
  lua_pop(L, 1);
  return clusters;
}

struct bootstrap_options {
  lua_Integer replicates, seed;
  double confidence;
};

static lua_Integer integer_option(lua_State *L, const char *name) {
  int whole;
  lua_Integer value = lua_tointegerx(L, -1, &whole);
  if (!whole) luaL_error(L, "option '%s': expected a whole number, got %s", name, luaL_tolstring(L, -1, NULL));
  return value;
}

/* One option: its name at -2, its value at -1. */
static void read_option(lua_State *L, struct bootstrap_options *options) {
  const char *name = lua_type(L, -2) == LUA_TSTRING ? lua_tostring(L, -2) : "?";
  if (strcmp(name, "replicates") == 0) {
    options->replicates = integer_option(L, name);
  } else if (strcmp(name, "seed") == 0) {
    options->seed = integer_option(L, name);
  } else if (strcmp(name, "confidence") == 0) {
    int is_number;
    options->confidence = lua_tonumberx(L, -1, &is_number);
    if (!is_number) luaL_error(L, "option 'confidence': expected a number, got %s", luaL_typename(L, -1));
  } else {
    luaL_error(L, "unknown option '%s': expected replicates, seed or confidence", name);
  }
}

static struct bootstrap_options read_options(lua_State *L) {
  struct bootstrap_options options = {.replicates = REPLICATES, .seed = 0, .confidence = CONFIDENCE};
  if (lua_isnoneornil(L, 3)) return options;
  luaL_checktype(L, 3, LUA_TTABLE);
  lre_freeze_look(L, 3);
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    read_option(L, &options);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  if (options.replicates < 0) luaL_error(L, "option 'replicates': expected a number above 0");
  return options;
}

/* As CPython seeds by |seed|. */
static uint64_t magnitude(lua_Integer seed) {
  return seed < 0 ? 0 - (uint64_t)seed : (uint64_t)seed;
}

static int stats_bootstrap(lua_State *L) {
  struct bootstrap_options options = read_options(L);
  size_t n, n_clusters, replicates = (size_t)options.replicates;
  double *values = read_values(L, &n);
  size_t *clusters = read_clusters(L, n, &n_clusters);
  lre_context_charge(L, n_clusters && replicates > SIZE_MAX / n_clusters ? SIZE_MAX : replicates * n_clusters);
  struct lre_interval out;
  struct lre_err err;
  bool ok = lre_stats_bootstrap(values, clusters, n, n_clusters, replicates, magnitude(options.seed),
                                options.confidence, &out, &err);
  return push_interval(L, ok, &out, "bootstrap", options.confidence, &err);
}

static int stats_normal_quantile(lua_State *L) {
  lua_pushnumber(L, lre_stats_normal_quantile(luaL_checknumber(L, 1)));
  return 1;
}

static int stats_t_quantile(lua_State *L) {
  double p = luaL_checknumber(L, 1), df = luaL_checknumber(L, 2), t = 0;
  struct lre_err err;
  bool ok = lre_stats_t_quantile(p, df, &t, &err);
  return push_number(L, ok, t, &err);
}

static int stats_t_test(lua_State *L) {
  double t = luaL_checknumber(L, 1), df = luaL_checknumber(L, 2), p = 0;
  struct lre_err err;
  bool ok = lre_stats_t_test(t, df, &p, &err);
  return push_number(L, ok, p, &err);
}

int luaopen_lre_stats(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"wilson", stats_wilson},
      {"wilson_clustered", stats_wilson_clustered},
      {"wilson_effective", stats_wilson_effective},
      {"jeffreys", stats_jeffreys},
      {"clopper_pearson", stats_clopper_pearson},
      {"newcombe", stats_newcombe},
      {"newcombe_paired", stats_newcombe_paired},
      {"ztest", stats_ztest},
      {"mcnemar", stats_mcnemar},
      {"holm", stats_holm},
      {"benjamini_hochberg", stats_benjamini_hochberg},
      {"kappa", stats_kappa},
      {"quantile", stats_quantile},
      {"bootstrap", stats_bootstrap},
      {"normal_quantile", stats_normal_quantile},
      {"t_quantile", stats_t_quantile},
      {"t_test", stats_t_test},
      {NULL, NULL},
  };
  luaL_newlib(L, functions);
  return 1;
}
