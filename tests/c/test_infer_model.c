#include "infer.h"

#include <math.h>

#include "folder.h"

/* Runs n ids of sequence `slot` from position `from`, `chunk` at a time; the logits of each position go to `out`. */
static void feed(struct bench *b, size_t slot, const uint32_t *ids, size_t n, size_t chunk, float *out) {
  struct lre_model_token tokens[128];
  size_t n_vocab = lre_model_config(b->model)->n_vocab;
  struct lre_err err;
  for (size_t at = 0; at < n; at += chunk) {
    size_t take = n - at < chunk ? n - at : chunk;
    const float *logits;
    for (size_t i = 0; i < take; i++)
      tokens[i] = (struct lre_model_token){ids[at + i], (uint32_t)(at + i), b->pages[slot], true};
    assert_true(lre_stepper_run(b->stepper, tokens, take, &logits, &err));
    memcpy(out + at * n_vocab, logits, take * n_vocab * sizeof *out);
  }
}

static void check_logits(const char *name, const struct recorded *p, const float *got) {
  const size_t kept[KEPT_LOGITS] = {0, p->n_prompt / 2, p->n_prompt - 1};
  float top = 0, worst = 0;
  for (size_t k = 0; k < KEPT_LOGITS; k++)
    for (size_t i = 0; i < p->n_vocab; i++) {
      float want = p->logits[k * p->n_vocab + i], off = fabsf(got[kept[k] * p->n_vocab + i] - want);
      top = fabsf(want) > top ? fabsf(want) : top;
      if (!(off <= worst)) worst = off;
    }
  if (!(worst <= 2e-5f * top)) fail_msg("%s: a logit is off by %g of %g", name, (double)worst, (double)top);
}

static void logits_are_those_of_transformers_in_float32(void **state) {
  (void)state;
  for (size_t m = 0; m < N_FIXTURES; m++) {
    struct recording r;
    struct bench b;
    char folder[128];
    snprintf(folder, sizeof folder, FIXTURES "%s", fixture_models[m]);
    open_recording(&r, fixture_models[m]);
    open_bench(&b, folder, NULL, 2, false);
    assert_true(r.n >= 3);
    for (size_t i = 0; i < r.n; i++) {
      struct recorded *p = &r.prompts[i];
      float *logits = malloc(p->n_prompt * p->n_vocab * sizeof *logits);
      feed(&b, i, p->ids, p->n_prompt, p->n_prompt, logits);
      check_logits(fixture_models[m], p, logits);
      free(logits);
    }
    close_bench(&b);
    lre_buf_free(&r.text);
  }
}

/* The largest errors of one checkpoint's recorded logits, relative to the largest logit, in float64's eyes. */
struct errors {
  double ours, transformers;
};

/* `missing`: what float64 adds to each recorded logit. Returns what follows these. */
static const float *errors_of(const char *name, const float *missing, struct errors *out) {
  struct recording r;
  struct bench b;
  char folder[128];
  double top = 0, ours = 0, theirs = 0;
  snprintf(folder, sizeof folder, FIXTURES "%s", name);
  open_recording(&r, name);
  open_bench(&b, folder, NULL, 2, false);
  for (size_t i = 0; i < r.n; i++) {
    struct recorded *p = &r.prompts[i];
    const size_t kept[KEPT_LOGITS] = {0, p->n_prompt / 2, p->n_prompt - 1};
    float *got = malloc(p->n_prompt * p->n_vocab * sizeof *got);
    feed(&b, i, p->ids, p->n_prompt, p->n_prompt, got);
    for (size_t k = 0; k < KEPT_LOGITS * p->n_vocab; k++) {
      double exact = (double)p->logits[k] + (double)*missing;
      top = fmax(top, fabs(exact));
      ours = fmax(ours, fabs((double)got[kept[k / p->n_vocab] * p->n_vocab + k % p->n_vocab] - exact));
      theirs = fmax(theirs, fabs((double)*missing++));
    }
    free(got);
  }
  close_bench(&b);
  lre_buf_free(&r.text);
  *out = (struct errors){ours / top, theirs / top};
  return missing;
}

/* " 6.1e-7 |": C writes two digits of the exponent. */
static void put_figure(char *row, size_t size, double x) {
  size_t at = strlen(row);
  snprintf(row + at, size - at, " %.1e |", x);
  char *zero = strstr(row + at, "e-0");
  if (zero) memmove(zero + 2, zero + 3, strlen(zero + 3) + 1);
}

static void errors_against_float64_are_those_that_are_documented(void **state) {
  (void)state;
  struct lre_buf text, docs;
  struct lre_err err;
  char ours[256] = "| lre |", theirs[256] = "| `transformers` float32 |";
  lre_buf_init(&text);
  lre_buf_init(&docs);
  assert_true(lre_fs_read("tests/infer/float64.bin", 0, &text, &err));
  assert_true(lre_fs_read("docs/inference.md", 0, &docs, &err));
  const float *at = (const float *)(const void *)text.data;
  for (size_t m = 0; m < N_FIXTURES; m++) {
    struct errors e;
    at = errors_of(fixture_models[m], at, &e);
    assert_true(e.ours < 3e-6);
    put_figure(ours, sizeof ours, e.ours);
    put_figure(theirs, sizeof theirs, e.transformers);
  }
  assert_ptr_equal(at, text.data + text.len);
  print_message("%s\n%s\n", ours, theirs); /* the same on every machine: bits are */
  if (!strstr(docs.data, ours) || !strstr(docs.data, theirs)) fail_msg("docs/inference.md has other figures");
  lre_buf_free(&text);
  lre_buf_free(&docs);
}

/* Where the reference's two best logits are closer than this, another rounding may choose the other one. */
#define CLOSE 1e-4f

static void greedy_tokens_are_those_of_transformers(void **state) {
  (void)state;
  for (size_t m = 0; m < N_FIXTURES; m++) {
    struct recording r;
    struct bench b;
    char folder[128];
    snprintf(folder, sizeof folder, FIXTURES "%s", fixture_models[m]);
    open_recording(&r, fixture_models[m]);
    open_bench(&b, folder, NULL, 2, false);
    for (size_t i = 0; i < r.n; i++) {
      struct recorded *p = &r.prompts[i];
      size_t n = p->n_prompt + p->n_new;
      float *logits = malloc(n * p->n_vocab * sizeof *logits);
      feed(&b, i, p->ids, n, 1, logits); /* one by one, as it is generated */
      for (size_t k = 0; k < p->n_new; k++) {
        size_t best = best_of(logits + (p->n_prompt + k - 1) * p->n_vocab, p->n_vocab);
        if (best == p->ids[p->n_prompt + k]) continue;
        if (p->gaps[k] >= CLOSE)
          fail_msg("%s: prompt %zu: token %zu is %zu, not %u", fixture_models[m], i, k, best, p->ids[p->n_prompt + k]);
        print_message("%s: prompt %zu: stopped comparing at token %zu: the reference's gap is %g\n", fixture_models[m],
                      i, k, (double)p->gaps[k]);
        break;
      }
      free(logits);
    }
    close_bench(&b);
    lre_buf_free(&r.text);
  }
}

/* All logits of a prompt, by one way to compute them. */
static float *all_logits(const char *name, const char *kernels, size_t threads, size_t chunk, bool int8,
                         const struct recorded *p) {
  struct bench b;
  char folder[128];
  snprintf(folder, sizeof folder, FIXTURES "%s", name);
  open_bench(&b, folder, kernels, threads, int8);
  size_t n = p->n_prompt;
  float *logits = malloc(n * p->n_vocab * sizeof *logits);
  feed(&b, 0, p->ids, n, chunk, logits);
  close_bench(&b);
  return logits;
}

static void check_same(const char *name, const char *what, const float *a, const float *b, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (memcmp(&a[i], &b[i], sizeof *a) != 0)
      fail_msg("%s: %s: number %zu: %a, not %a", name, what, i, (double)b[i], (double)a[i]);
}

static void bits_are_the_same_on_each_instruction_set_and_number_of_threads_and_block(void **state) {
  (void)state;
  for (size_t m = 0; m < N_FIXTURES; m++)
    for (int int8 = 0; int8 < (m < 2 ? 2 : 1); int8++) {
      struct recording r;
      open_recording(&r, fixture_models[m]);
      struct recorded *p = &r.prompts[1];
      size_t n = p->n_prompt * p->n_vocab;
      float *want = all_logits(fixture_models[m], "portable", 1, 1, int8, p);
      const struct lre_kernels *k;
      for (size_t i = 0; (k = lre_kernels_at(i)); i++)
        for (size_t threads = 1; threads <= 3; threads++) {
          float *got = all_logits(fixture_models[m], k->name, threads, threads == 1 ? 1 : threads * 5, int8, p);
          check_same(fixture_models[m], k->name, want, got, n);
          free(got);
        }
      free(want);
      lre_buf_free(&r.text);
    }
}

/* FNV-1a of all logits' bits of the second prompt: what every machine and compiler must come to. */
static const uint32_t golden[N_FIXTURES] = {0x65ceffcb, 0x93ae6321, 0xbec4e9ca, 0x4eb2a5fe,
                                            0x33187822, 0x9260e960, 0x01ee65ae, 0x5828df12};

static void bits_are_the_same_on_each_machine_and_compiler(void **state) {
  (void)state;
  for (size_t m = 0; m < N_FIXTURES; m++) {
    struct recording r;
    open_recording(&r, fixture_models[m]);
    struct recorded *p = &r.prompts[1];
    float *logits = all_logits(fixture_models[m], NULL, 2, 16, false, p);
    uint32_t h = 0x811c9dc5u;
    for (size_t i = 0; i < p->n_prompt * p->n_vocab; i++) {
      uint32_t bits;
      memcpy(&bits, &logits[i], sizeof bits);
      h = (h ^ bits) * 0x01000193u;
    }
    if (h != golden[m]) fail_msg("%s: 0x%08x, not 0x%08x", fixture_models[m], h, golden[m]);
    free(logits);
    lre_buf_free(&r.text);
  }
}

static void a_token_does_not_depend_on_what_is_computed_beside_it(void **state) {
  (void)state;
  struct recording r;
  struct bench b;
  open_recording(&r, "qwen3");
  open_bench(&b, FIXTURES "qwen3", NULL, 2, false);
  struct recorded *p = r.prompts;
  size_t n = p->n_prompt, n_vocab = p->n_vocab;
  float *alone = malloc(n * n_vocab * sizeof *alone);
  feed(&b, 0, p->ids, n, n, alone);
  struct lre_model_token tokens[4];
  const float *logits;
  struct lre_err err;
  for (size_t t = 0; t < n; t++) { /* four different prompts in step */
    for (size_t s = 0; s < 4; s++)
      tokens[s] = (struct lre_model_token){s == 2 ? p->ids[t] : (uint32_t)(t * 7 + s), (uint32_t)t, b.pages[s], true};
    assert_true(lre_stepper_run(b.stepper, tokens, 4, &logits, &err));
    check_same("qwen3", "beside others", alone + t * n_vocab, logits + 2 * n_vocab, n_vocab);
  }
  free(alone);
  close_bench(&b);
  lre_buf_free(&r.text);
}

static void int8_stays_near_the_stored_weights(void **state) {
  (void)state;
  struct recording r;
  open_recording(&r, "llama");
  struct recorded *p = r.prompts;
  size_t n = p->n_prompt * p->n_vocab;
  float *exact = all_logits("llama", NULL, 2, 16, false, p), *quick = all_logits("llama", NULL, 2, 16, true, p);
  double off = 0, size = 0;
  for (size_t i = 0; i < n; i++) off += pow(exact[i] - quick[i], 2), size += pow(exact[i], 2);
  assert_true(off > 0 && sqrt(off / size) < 0.05);
  free(exact);
  free(quick);
  lre_buf_free(&r.text);
}

/* A copy of a fixture with its config.json changed by sed. */
static float *changed_logits(const char *model, const char *script, const struct recorded *p) {
  char command[512];
  struct bench b;
  snprintf(command, sizeof command, "rm -rf %s/m && cp -r " FIXTURES "%s %s/m && sed -i '%s' %s/m/config.json",
           test_folder, model, test_folder, script, test_folder);
  assert_int_equal(system(command), 0);
  open_bench(&b, in_folder("m"), NULL, 2, false);
  float *logits = malloc(p->n_prompt * p->n_vocab * sizeof *logits);
  feed(&b, 0, p->ids, p->n_prompt, p->n_prompt, logits);
  close_bench(&b);
  return logits;
}

static void a_cap_or_a_window_that_no_field_names_is_there(void **state) {
  (void)state;
  static const struct {
    const char *model, *absent, *given, *none; /* `none`: what it must not be taken for */
  } rows[] = {
      {"gemma2", "/attn_logit_softcapping/d; /final_logit_softcapping/d",
       "s/\\(attn_logit_softcapping\": \\).*/\\150,/; s/\\(final_logit_softcapping\": \\).*/\\130,/",
       "s/\\(_logit_softcapping\": \\).*/\\1null,/"},
      /* with a window, too, a layer that slides has a rope of its own */
      {"gemma3", "/\"sliding_window\"/d", "s/\\(\"sliding_window\": \\).*/\\14096,/",
       "/\"sliding_window\"/d; s/\"sliding_attention\",/\"full_attention\",/"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct recording r;
    open_recording(&r, rows[i].model);
    struct recorded *p = r.prompts;
    size_t n = p->n_prompt * p->n_vocab;
    float *absent = changed_logits(rows[i].model, rows[i].absent, p);
    float *given = changed_logits(rows[i].model, rows[i].given, p);
    float *none = changed_logits(rows[i].model, rows[i].none, p);
    check_same(rows[i].model, "as the default", absent, given, n);
    assert_memory_not_equal(absent, none, n * sizeof *none);
    free(absent);
    free(given);
    free(none);
    lre_buf_free(&r.text);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(logits_are_those_of_transformers_in_float32),
      cmocka_unit_test(errors_against_float64_are_those_that_are_documented),
      cmocka_unit_test(greedy_tokens_are_those_of_transformers),
      cmocka_unit_test(bits_are_the_same_on_each_instruction_set_and_number_of_threads_and_block),
      cmocka_unit_test(bits_are_the_same_on_each_machine_and_compiler),
      cmocka_unit_test(a_token_does_not_depend_on_what_is_computed_beside_it),
      cmocka_unit_test(int8_stays_near_the_stored_weights),
      cmocka_unit_test(a_cap_or_a_window_that_no_field_names_is_there),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
