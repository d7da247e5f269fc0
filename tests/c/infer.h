/* infer.h: the fixture checkpoints of tests/infer/make_fixtures.py, for the tests of src/infer. */
#ifndef LRE_TESTS_INFER_H
#define LRE_TESTS_INFER_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"
#include "infer/model.h"
#include "test.h"

#define FIXTURES "tests/infer/models/"
static const char *const fixture_models[] = {"llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3", "phi3", "olmo2"};
enum { N_FIXTURES = sizeof fixture_models / sizeof *fixture_models, KEPT_LOGITS = 3, MAX_PAGES = 16 };

/* One recorded prompt: its ids and the greedy ones after them, the gaps of the reference's two best logits, and the
 * logits at positions 0, n_prompt / 2 and n_prompt - 1. */
struct recorded {
  uint32_t n_prompt, n_new, n_vocab;
  const uint32_t *ids;
  const float *gaps, *logits;
};

struct recording {
  struct lre_buf text;
  struct recorded prompts[8];
  size_t n;
};

static inline void open_recording(struct recording *r, const char *model) {
  char path[128];
  snprintf(path, sizeof path, FIXTURES "%s/expected.bin", model);
  struct lre_err err;
  lre_buf_init(&r->text);
  if (!lre_fs_read(path, 0, &r->text, &err)) fail_msg("%s", err.message);
  r->n = 0;
  for (size_t at = 0; at < r->text.len;) {
    const uint32_t *head = (const uint32_t *)(const void *)(r->text.data + at);
    struct recorded *p = &r->prompts[r->n++];
    *p = (struct recorded){.n_prompt = head[0], .n_new = head[1], .n_vocab = head[2], .ids = head + 3};
    p->gaps = (const float *)(const void *)(p->ids + p->n_prompt + p->n_new);
    p->logits = p->gaps + p->n_new;
    at += sizeof(uint32_t) * (3 + p->n_prompt + 2 * p->n_new + KEPT_LOGITS * p->n_vocab);
  }
}

/* A model with a team, a stepper, and pages for a few sequences of 256 positions. */
struct bench {
  struct lre_model *model;
  struct lre_team *team;
  struct lre_stepper *stepper;
  float *pages[8][MAX_PAGES];
};

static inline void open_bench(struct bench *b, const char *folder, const char *kernels, size_t threads, bool int8) {
  struct lre_err err;
  struct lre_model_options options = {.kernels = kernels ? lre_kernels_named(kernels) : NULL, .int8 = int8};
  b->model = lre_model_open(folder, &options, &err);
  if (!b->model) fail_msg("%s: %s", folder, err.message);
  b->team = lre_team_new(threads, &err);
  b->stepper = lre_stepper_new(b->model, b->team, 128, &err);
  assert_non_null(b->team);
  assert_non_null(b->stepper);
  for (size_t i = 0; i < 8 * MAX_PAGES; i++) {
    b->pages[i / MAX_PAGES][i % MAX_PAGES] = malloc(lre_model_page_floats(b->model) * sizeof(float));
    assert_non_null(b->pages[i / MAX_PAGES][i % MAX_PAGES]);
  }
}

static inline void close_bench(struct bench *b) {
  for (size_t i = 0; i < 8 * MAX_PAGES; i++) free(b->pages[i / MAX_PAGES][i % MAX_PAGES]);
  lre_stepper_free(b->stepper);
  lre_team_free(b->team);
  lre_model_close(b->model);
}

static inline size_t best_of(const float *logits, size_t n) {
  size_t best = 0;
  for (size_t i = 1; i < n; i++)
    if (logits[i] > logits[best]) best = i;
  return best;
}

#endif
