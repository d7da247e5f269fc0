/* A real model (./dev deps --real-model) against what transformers in float32 answered: tests/infer/real_model.json. */
#include "infer.h"

#include <cjson/cJSON.h>
#include <math.h>

/* Where the model lies; NULL, said aloud, where it does not. */
static const char *real_folder(void) {
  static char folder[512];
  const char *named = getenv("LRE_REAL_MODEL"), *cache = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  if (named)
    snprintf(folder, sizeof folder, "%s", named);
  else
    snprintf(folder, sizeof folder, "%s%s/lre/SmolLM2-135M-Instruct",
             cache  ? cache
             : home ? home
                    : "",
             cache ? "" : "/.cache");
  char config[600];
  snprintf(config, sizeof config, "%s/config.json", folder);
  FILE *f = fopen(config, "r");
  if (!f) {
    print_message("no real model at %s: ./dev deps --real-model makes it\n", folder);
    return NULL;
  }
  fclose(f);
  return folder;
}

static cJSON *recorded(void) {
  struct lre_buf text;
  struct lre_err err;
  lre_buf_init(&text);
  if (!lre_fs_read("tests/infer/real_model.json", 0, &text, &err)) fail_msg("%s", err.message);
  cJSON *json = cJSON_ParseWithLength((const char *)text.data, text.len);
  lre_buf_free(&text);
  assert_non_null(json);
  return json;
}

static size_t ids_of(const cJSON *row, const char *name, uint32_t *out, size_t max) {
  size_t n = 0;
  const cJSON *id;
  cJSON_ArrayForEach(id, cJSON_GetObjectItem(row, name)) {
    assert_true(n < max);
    out[n++] = (uint32_t)id->valuedouble;
  }
  return n;
}

static bool is_close(const cJSON *row, size_t step) {
  const cJSON *at;
  cJSON_ArrayForEach(at, cJSON_GetObjectItem(row, "close")) if ((size_t)at->valuedouble == step) return true;
  return false;
}

/* All ids but the last `n` are the prompt; logits of the last n + 1 positions, in blocks as an engine reads them. */
static void run_row(struct bench *b, const uint32_t *ids, size_t n_prompt, size_t n, float *out) {
  size_t n_vocab = lre_model_config(b->model)->n_vocab, total = n_prompt + n;
  struct lre_model_token tokens[128];
  struct lre_err err;
  for (size_t at = 0; at < total;) {
    size_t take = total - at < 128 ? total - at : 128, kept = 0;
    const float *logits;
    for (size_t i = 0; i < take; i++) {
      bool wanted = at + i + 1 >= n_prompt;
      tokens[i] = (struct lre_model_token){ids[at + i], (uint32_t)(at + i), b->pages[0], wanted};
      kept += wanted;
    }
    assert_true(lre_stepper_run(b->stepper, tokens, take, &logits, &err));
    memcpy(out, logits, kept * n_vocab * sizeof *out);
    out += kept * n_vocab;
    at += take;
  }
}

static void check_row(const cJSON *row, size_t nth, const float *logits, const uint32_t *tokens, size_t n,
                      size_t n_vocab) {
  double largest = cJSON_GetObjectItem(row, "largest")->valuedouble;
  const cJSON *logit;
  cJSON_ArrayForEach(logit, cJSON_GetObjectItem(row, "logits")) {
    double off = fabs((double)logits[strtoul(logit->string, NULL, 10)] - logit->valuedouble);
    if (!(off <= 2e-5 * largest)) fail_msg("prompt %zu: logit %s is off by %g of %g", nth, logit->string, off, largest);
  }
  for (size_t k = 0; k < n; k++) {
    size_t best = best_of(logits + k * n_vocab, n_vocab);
    if (best == tokens[k]) continue;
    if (!is_close(row, k)) fail_msg("prompt %zu: token %zu is %zu, not %u", nth, k, best, tokens[k]);
    print_message("prompt %zu: stopped comparing at token %zu: the reference's two best are within 1e-4\n", nth, k);
    return;
  }
}

static void logits_and_64_greedy_tokens_of_20_prompts_are_those_of_transformers(void **state) {
  (void)state;
  const char *folder = real_folder();
  if (!folder) skip();
  cJSON *json = recorded();
  struct bench b;
  open_bench(&b, folder, NULL, 2, false);
  size_t n_vocab = lre_model_config(b.model)->n_vocab, nth = 0;
  float *logits = malloc(65 * n_vocab * sizeof *logits);
  const cJSON *row;
  cJSON_ArrayForEach(row, cJSON_GetObjectItem(json, "prompts")) {
    uint32_t ids[MAX_PAGES * LRE_PAGE_TOKENS];
    size_t n_prompt = ids_of(row, "ids", ids, 190), n = ids_of(row, "tokens", ids + n_prompt, 65);
    assert_int_equal(n, 64);
    run_row(&b, ids, n_prompt, n, logits);
    check_row(row, nth++, logits, ids + n_prompt, n, n_vocab);
  }
  assert_int_equal(nth, 20);
  free(logits);
  close_bench(&b);
  cJSON_Delete(json);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(logits_and_64_greedy_tokens_of_20_prompts_are_those_of_transformers),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
