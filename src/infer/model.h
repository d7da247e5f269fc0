/* model.h: a checkpoint, and one step through it: some tokens of some sequences in, logits out.
 *
 * A token's numbers do not depend on which others are in the step, on the team's size or on the instruction set: every
 * output is one sum in a fixed order (kernels.h). Keys and values live in pages that the caller owns. */
#ifndef LRE_INFER_MODEL_H
#define LRE_INFER_MODEL_H

#include "infer/config.h"
#include "infer/kernels.h"
#include "infer/team.h"

struct lre_model;

struct lre_model_options {
  const struct lre_kernels *kernels; /* NULL: the best here */
  bool int8;                         /* weight-only int8 */
};

/* Opens a checkpoint's folder. NULL: err. The weights are shared by whoever uses the model; it may be used by several
 * steppers, each on its own thread. */
struct lre_model *lre_model_open(const char *folder, const struct lre_model_options *options, struct lre_err *err);
void lre_model_close(struct lre_model *m);
const struct lre_config *lre_model_config(const struct lre_model *m);
const struct lre_safetensors *lre_model_tensors(const struct lre_model *m);
const char *lre_model_kernels(const struct lre_model *m); /* name of the instruction set */
bool lre_model_int8(const struct lre_model *m);
size_t lre_model_parameters(const struct lre_model *m);    /* numbers in the matrices and vectors used */
enum lre_dtype lre_model_dtype(const struct lre_model *m); /* of the embedding, as stored */
size_t lre_model_page_floats(const struct lre_model *m);   /* of a page: LRE_PAGE_TOKENS positions, all layers */

struct lre_model_token {
  uint32_t id, position;
  float *const *pages; /* of its sequence: page position / LRE_PAGE_TOKENS is written, the ones before are read */
  bool wants_logits;
};

/* The memory of steps. */
struct lre_stepper;
struct lre_stepper *lre_stepper_new(const struct lre_model *m, struct lre_team *team, size_t max_tokens,
                                    struct lre_err *err);
void lre_stepper_free(struct lre_stepper *s);
/* n <= max_tokens; tokens of one sequence stand in order of their positions, one after the other. `logits` gets a
 * pointer to [number that want them, n_vocab], good until the next step. False: no memory. */
bool lre_stepper_run(struct lre_stepper *s, const struct lre_model_token *tokens, size_t n, const float **logits,
                     struct lre_err *err);
/* Of the last step, a row of logits each: the largest, the first among equals, and whether all are finite. */
const struct lre_top *lre_stepper_tops(const struct lre_stepper *s);

#endif
