#include "infer.h"

#include <poll.h>
#include <sched.h>

#include "core/platform.h"
#include "infer/batch.h"

#define FOLDER FIXTURES "qwen2"

struct harness {
  struct lre_model *model;
  struct lre_tokenizer *tokenizer;
  struct lre_batch *batch;
  struct lre_wake wake;
};

static void signal_done(void *arg) {
  lre_wake_signal(arg);
}

static void open_harness(struct harness *h, const char *folder, struct lre_batch_options options) {
  struct lre_err err;
  h->model = lre_model_open(folder, NULL, &err);
  assert_non_null(h->model);
  h->tokenizer = lre_tokenizer_open(folder, 0, &err);
  assert_non_null(h->tokenizer);
  assert_true(lre_wake_open(&h->wake, &err));
  options.wake = signal_done, options.wake_arg = &h->wake;
  h->batch = lre_batch_new(h->model, h->tokenizer, &options, &err);
  if (!h->batch) fail_msg("%s", err.message);
}

static void close_harness(struct harness *h) {
  lre_batch_free(h->batch);
  lre_tokenizer_free(h->tokenizer);
  lre_model_close(h->model);
  lre_wake_close(&h->wake);
}

static struct lre_request *ask(const char *text, size_t max_tokens, double temperature) {
  struct lre_request *r = lre_request_new();
  r->parts = calloc(1, sizeof *r->parts);
  r->n_parts = 1;
  lre_buf_puts(&r->parts[0].text, text);
  r->max_tokens = max_tokens;
  r->sampling =
      (struct lre_sampling){.temperature = temperature, .top_p = 0.95, .top_k = 50, .repetition_penalty = 1.1};
  for (size_t i = 0; i < sizeof r->sampling.key; i++) r->sampling.key[i] = (uint8_t)(i * 17 + strlen(text));
  r->ignore_end = true;
  return r;
}

static struct lre_request *await(struct harness *h) {
  for (;;) {
    struct lre_request *r = lre_batch_done(h->batch);
    if (r) return r;
    lre_wake_wait(&h->wake, -1);
    lre_wake_drain(&h->wake);
  }
}

enum { N_PROMPTS = 32 };
static const char shared_text[] =
    "A persona's text that all of these prompts begin with, long enough for some pages of keys. ";

static void prompt_text(char out[256], size_t i) {
  snprintf(out, 256, "%s%zu: say %zu words about %zu larks", i % 2 ? shared_text : "", i, i * 7 % 13, i * i);
}

/* All prompts' answers, however they are batched: one run of ids after the other. */
static void run_all(struct lre_batch_options options, bool together, struct lre_ids out[N_PROMPTS], size_t *n_reused) {
  struct harness h;
  open_harness(&h, FOLDER, options);
  char text[256];
  *n_reused = 0;
  for (size_t i = 0; i < N_PROMPTS; i++) {
    prompt_text(text, i);
    struct lre_request *r = ask(text, 8 + i % 5, i % 3 ? 0.8 : 0);
    r->owner = &out[i];
    lre_batch_submit(h.batch, r);
    for (size_t k = together ? (i + 1 == N_PROMPTS ? N_PROMPTS : 0) : 1; k; k--) {
      struct lre_request *done = await(&h);
      if (!done->ok) fail_msg("%s", done->err.message);
      *(struct lre_ids *)done->owner = done->ids;
      done->ids = (struct lre_ids){0};
      *n_reused += done->n_reused;
      lre_request_free(done);
    }
  }
  close_harness(&h);
}

static void an_answer_does_not_depend_on_batch_threads_or_block(void **state) {
  (void)state;
  struct lre_ids want[N_PROMPTS], got[N_PROMPTS];
  size_t reused;
  run_all((struct lre_batch_options){.n_threads = 1, .max_sequences = 1, .block_tokens = 5}, false, want, &reused);
  const struct lre_batch_options ways[] = {
      {.n_threads = 2, .max_sequences = 32},
      {.n_threads = 3, .max_sequences = 7, .block_tokens = 24},
      {.n_threads = 1, .max_sequences = 32, .kv_bytes = 64 << 10},
  };
  for (size_t w = 0; w < sizeof ways / sizeof *ways; w++) {
    run_all(ways[w], true, got, &reused);
    assert_true(reused > 0);
    for (size_t i = 0; i < N_PROMPTS; i++) {
      assert_int_equal(got[i].len, want[i].len);
      assert_memory_equal(got[i].data, want[i].data, want[i].len * sizeof *want[i].data);
      lre_ids_free(&got[i]);
    }
  }
  for (size_t i = 0; i < N_PROMPTS; i++) lre_ids_free(&want[i]);
}

static void a_shared_beginning_is_computed_once(void **state) {
  (void)state;
  struct harness h;
  struct lre_batch_facts facts;
  open_harness(&h, FOLDER, (struct lre_batch_options){.n_threads = 1});
  size_t n_prompt = 0, n_reused = 0;
  for (int i = 0; i < 4; i++) lre_batch_submit(h.batch, ask(shared_text, 1, 0));
  for (int i = 0; i < 4; i++) {
    struct lre_request *r = await(&h);
    n_prompt += r->prompt.len, n_reused += r->n_reused;
    lre_request_free(r);
  }
  size_t pages = (n_prompt / 4 - 1) / LRE_PAGE_TOKENS;
  assert_int_equal(n_reused, 3 * pages * LRE_PAGE_TOKENS);
  lre_batch_describe(h.batch, &facts);
  assert_int_equal(facts.n_tokens, n_prompt - n_reused);
  close_harness(&h);
}

static void what_cannot_be_answered_is_an_error_that_says_why(void **state) {
  (void)state;
  struct harness h;
  char text[4096];
  open_harness(&h, FOLDER, (struct lre_batch_options){.n_threads = 1, .kv_bytes = 40 << 10});
  memset(text, '!', sizeof text);
  for (size_t i = 0; i < sizeof text; i += 2) text[i] = 'x';
  text[1500] = '\0';
  const struct {
    struct lre_request *request;
    const char *code, *says;
  } cases[] = {
      {ask(text, 4, 0), "context", "context 256"},
      {ask("x", 250, 0), "kv_memory", "--kv-memory"},
      {ask("", 4, 0), "context", "no token"},
  };
  for (size_t i = 0; i < 3; i++) {
    lre_batch_submit(h.batch, cases[i].request);
    struct lre_request *r = await(&h);
    assert_false(r->ok);
    assert_string_equal(r->err.code, cases[i].code);
    if (!strstr(r->err.message, cases[i].says)) fail_msg("%s", r->err.message);
    lre_request_free(r);
  }
  close_harness(&h);
}

static void an_answer_that_fills_the_context_ends_for_its_length(void **state) {
  (void)state;
  struct harness h;
  open_harness(&h, FOLDER, (struct lre_batch_options){.n_threads = 2});
  lre_batch_submit(h.batch, ask("x", 100000, 0));
  struct lre_request *r = await(&h);
  assert_true(r->ok);
  assert_int_equal(r->finish, LRE_FINISH_LENGTH);
  assert_int_equal(r->prompt.len + r->ids.len, 256);
  lre_request_free(r);
  close_harness(&h);
}

static void a_cancelled_request_ends_and_the_others_go_on(void **state) {
  (void)state;
  struct harness h;
  open_harness(&h, FOLDER, (struct lre_batch_options){.n_threads = 1, .max_sequences = 1});
  struct lre_request *first = ask("one", 200, 0), *second = ask("two", 200, 0), *third = ask("three", 3, 0);
  lre_batch_submit(h.batch, first);
  lre_batch_submit(h.batch, second);
  lre_batch_submit(h.batch, third);
  lre_batch_cancel(h.batch, first);
  lre_batch_cancel(h.batch, second);
  for (int i = 0; i < 3; i++) {
    struct lre_request *r = await(&h);
    if (r == third) {
      assert_true(r->ok);
    } else if (!r->ok) { /* the first may have been done before it was cancelled */
      assert_string_equal(r->err.code, "cancelled");
    }
    lre_request_free(r);
  }
  close_harness(&h);
}

static struct lre_batch_facts facts_of(const struct harness *h) {
  struct lre_batch_facts facts;
  lre_batch_describe(h->batch, &facts);
  return facts;
}

/* Cancels a request in the midst of its answer. How many tokens were computed after that; SIZE_MAX: it was done first.
 */
static size_t tokens_after_cancel(struct harness *h) {
  size_t before = facts_of(h).n_steps;
  struct lre_request *r = ask("Tell me everything", 200, 0);
  lre_batch_submit(h->batch, r);
  while (facts_of(h).n_steps < before + 3) sched_yield();
  lre_batch_cancel(h->batch, r);
  size_t then = facts_of(h).n_tokens;
  assert_ptr_equal(await(h), r);
  bool ok = r->ok;
  if (!ok) assert_string_equal(r->err.code, "cancelled");
  lre_request_free(r);
  return ok ? SIZE_MAX : facts_of(h).n_tokens - then;
}

static void a_cancelled_answer_ends_with_the_step_that_runs(void **state) {
  (void)state;
  struct harness h;
  open_harness(&h, FOLDER, (struct lre_batch_options){.n_threads = 1});
  size_t n_caught = 0;
  /* On a busy machine an answer may be whole before it is cancelled: then it is asked again. */
  for (int i = 0; i < 1000 && n_caught < 5; i++) {
    size_t more = tokens_after_cancel(&h);
    if (more == SIZE_MAX) continue;
    assert_true(more <= 1);
    n_caught++;
  }
  assert_int_equal(n_caught, 5);
  close_harness(&h);
}

static void a_stop_text_ends_the_answer_and_is_not_part_of_it(void **state) {
  (void)state;
  struct harness h;
  open_harness(&h, FOLDER, (struct lre_batch_options){.n_threads = 1});
  lre_batch_submit(h.batch, ask("Say something", 24, 0));
  struct lre_request *whole = await(&h);
  assert_true(whole->ok && whole->text.len > 8);
  struct lre_request *r = ask("Say something", 24, 0);
  r->stops = calloc(1, sizeof *r->stops);
  r->n_stops = 1;
  size_t at = whole->text.len / 2;
  while (((unsigned char)whole->text.data[at] & 0xc0) == 0x80) at++;
  lre_buf_put(&r->stops[0], whole->text.data + at, whole->text.len - at > 4 ? 4 : whole->text.len - at);
  lre_batch_submit(h.batch, r);
  r = await(&h);
  assert_true(r->ok);
  assert_int_equal(r->finish, LRE_FINISH_STOP);
  assert_true(r->text.len <= at);
  assert_memory_equal(r->text.data, whole->text.data, r->text.len);
  assert_true(r->ids.len < whole->ids.len);
  lre_request_free(r);
  lre_request_free(whole);
  close_harness(&h);
}

static void logprobs_are_those_of_the_models_distribution(void **state) {
  (void)state;
  struct harness h;
  open_harness(&h, FOLDER, (struct lre_batch_options){.n_threads = 1});
  struct lre_request *r = ask("Say something", 3, 0);
  r->want_logprobs = true, r->n_top = 5, r->sampling.repetition_penalty = 1;
  lre_batch_submit(h.batch, r);
  assert_ptr_equal(await(&h), r);
  for (size_t i = 0; i < r->ids.len; i++) {
    assert_int_equal(r->top_ids[i * 5], r->ids.data[i]); /* greedy */
    assert_true(r->logprobs[i] < 0 && near((double)r->logprobs[i], (double)r->top_logprobs[i * 5], 0));
    for (size_t k = 1; k < 5; k++) assert_true(r->top_logprobs[i * 5 + k] <= r->top_logprobs[i * 5 + k - 1]);
  }
  lre_request_free(r);
  size_t n_vocab = lre_model_config(h.model)->n_vocab;
  double sum = 0;
  r = ask("Say something", 1, 0.7);
  r->want_logprobs = true, r->n_top = n_vocab; /* all of them: whatever the temperature, their shares add up to 1 */
  lre_batch_submit(h.batch, r);
  assert_ptr_equal(await(&h), r);
  for (size_t k = 0; k < n_vocab; k++) sum += exp((double)r->top_logprobs[k]);
  assert_true(fabs(sum - 1) < 1e-5);
  lre_request_free(r);
  close_harness(&h);
}

/* Random123's known answer: philox4x32-10 of counter 0 and key 0 begins 6627e8d5 e169c58d. */
static void random_numbers_are_philoxs(void **state) {
  (void)state;
  const uint8_t key[16] = {0};
  assert_true(lre_sample_uniform(key, 0) == (double)(UINT64_C(0x6627e8d5e169c58d) >> 11) * 0x1p-53);
}

static void draws_follow_the_weights(void **state) {
  (void)state;
  float logits[4] = {0, 1.0986123f, -100, 0}; /* weights 1, 3, 0, 1 */
  struct lre_candidate scratch[4];
  struct lre_sampling s = {.temperature = 1, .top_p = 1, .repetition_penalty = 1, .key = {1, 2, 3}};
  size_t counts[4] = {0};
  enum { N = 20000 };
  for (uint64_t i = 0; i < N; i++) counts[lre_sample(logits, 4, &s, NULL, 0, i, scratch)]++;
  assert_int_equal(counts[2], 0);
  assert_true(fabs((double)counts[1] / N - 0.6) < 0.02); /* 5.8 standard errors; the draws are fixed */
  s.top_k = 1;
  assert_int_equal(lre_sample(logits, 4, &s, NULL, 0, 7, scratch), 1);
  s.top_k = 0, s.top_p = 0.5;
  for (uint64_t i = 0; i < 100; i++) assert_int_equal(lre_sample(logits, 4, &s, NULL, 0, i, scratch), 1);
  s.top_p = 1, s.min_p = 0.5;
  for (uint64_t i = 0; i < 100; i++) assert_int_equal(lre_sample(logits, 4, &s, NULL, 0, i, scratch), 1);
}

enum { MAX_RECORDED = 64 };

/* A row of tests/infer/sampling.json. */
struct drawn {
  struct lre_sampling sampling;
  float logits[MAX_RECORDED];
  double probabilities[MAX_RECORDED];
  uint32_t history[MAX_RECORDED], order[MAX_RECORDED];
  size_t n, n_history;
};

static double number_or(const cJSON *row, const char *name, double fallback) {
  const cJSON *item = cJSON_GetObjectItem(row, name);
  return item ? item->valuedouble : fallback;
}

static void read_drawn(struct drawn *d, const cJSON *row) {
  const cJSON *item;
  *d = (struct drawn){.sampling = {.key = {9, 8, 7}}};
  d->sampling.temperature = number_at(row, "temperature");
  d->sampling.top_k = (uint32_t)number_or(row, "top_k", 0);
  d->sampling.top_p = number_or(row, "top_p", 1);
  d->sampling.min_p = number_or(row, "min_p", 0);
  d->sampling.repetition_penalty = number_or(row, "repetition_penalty", 1);
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(row, "logits")) d->logits[d->n++] = (float)item->valuedouble;
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(row, "history")) d->history[d->n_history++] =
      (uint32_t)item->valuedouble;
  size_t i = 0;
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(row, "probabilities")) d->probabilities[i++] = item->valuedouble;
  assert_int_equal(i, d->n);
}

/* The token that a number in [0, 1) means: candidates come heaviest first, or by id where none is left out. The gap to
 * the nearest border of it goes to `gap`. */
static uint32_t token_at(const struct drawn *d, double u, double *gap) {
  const struct lre_sampling *s = &d->sampling;
  bool sorted = s->top_k || s->top_p < 1 || s->min_p > 0, used[MAX_RECORDED] = {false};
  uint32_t at = 0;
  double sum = 0;
  for (size_t k = 0; k < d->n; k++) {
    at = UINT32_MAX;
    for (uint32_t i = 0; i < d->n; i++)
      if (!used[i] && (at == UINT32_MAX || (sorted && d->probabilities[i] > d->probabilities[at]))) at = i;
    used[at] = true;
    sum += d->probabilities[at];
    if (u < sum) break;
  }
  *gap = fmin(sum - u, u - (sum - d->probabilities[at]));
  return at;
}

static void check_drawn(const struct drawn *d, uint32_t greedy) {
  struct lre_candidate scratch[MAX_RECORDED];
  struct lre_sampling s = d->sampling;
  float logits[MAX_RECORDED];
  enum { DRAWS = 400 };
  size_t n_compared = 0;
  for (uint64_t position = 0; position < DRAWS; position++) {
    double gap;
    uint32_t want = token_at(d, lre_sample_uniform(s.key, position), &gap);
    memcpy(logits, d->logits, sizeof logits);
    uint32_t got = lre_sample(logits, d->n, &s, d->history, d->n_history, position, scratch);
    assert_true(d->probabilities[got] > 0);
    if (gap < 1e-6) continue; /* the record is in float32 */
    assert_int_equal(got, want);
    n_compared++;
  }
  assert_true(n_compared > DRAWS - 10);
  s.temperature = 0;
  memcpy(logits, d->logits, sizeof logits);
  assert_int_equal(lre_sample(logits, d->n, &s, d->history, d->n_history, 0, scratch), greedy);
}

static void draws_are_from_what_the_processors_of_transformers_leave(void **state) {
  (void)state;
  cJSON *rows = load_json("tests/infer/sampling.json");
  const cJSON *row;
  size_t n = 0;
  cJSON_ArrayForEach(row, rows) {
    struct drawn d;
    read_drawn(&d, row);
    check_drawn(&d, (uint32_t)number_at(row, "greedy"));
    n++;
  }
  assert_true(n >= 36);
  cJSON_Delete(rows);
}

static void a_stop_ends_what_runs(void **state) {
  (void)state;
  struct harness h;
  open_harness(&h, FOLDER, (struct lre_batch_options){.n_threads = 2});
  for (int i = 0; i < 5; i++) lre_batch_submit(h.batch, ask("x", 200, 0));
  lre_batch_stop(h.batch);
  for (int i = 0; i < 5; i++) {
    struct lre_request *r = lre_batch_done(h.batch);
    assert_non_null(r);
    lre_request_free(r);
  }
  close_harness(&h);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_does_not_depend_on_batch_threads_or_block),
      cmocka_unit_test(a_shared_beginning_is_computed_once),
      cmocka_unit_test(what_cannot_be_answered_is_an_error_that_says_why),
      cmocka_unit_test(an_answer_that_fills_the_context_ends_for_its_length),
      cmocka_unit_test(a_cancelled_request_ends_and_the_others_go_on),
      cmocka_unit_test(a_cancelled_answer_ends_with_the_step_that_runs),
      cmocka_unit_test(a_stop_text_ends_the_answer_and_is_not_part_of_it),
      cmocka_unit_test(logprobs_are_those_of_the_models_distribution),
      cmocka_unit_test(random_numbers_are_philoxs),
      cmocka_unit_test(draws_follow_the_weights),
      cmocka_unit_test(draws_are_from_what_the_processors_of_transformers_leave),
      cmocka_unit_test(a_stop_ends_what_runs),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
