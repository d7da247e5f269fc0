/* checkpoint.h: everything of a checkpoint's folder that a run uses, opened together, and the hashes of its files. */
#ifndef LRE_INFER_CHECKPOINT_H
#define LRE_INFER_CHECKPOINT_H

#include "core/hash.h"
#include "infer/model.h"
#include "infer/tokenizer.h"

struct lre_checkpoint_file {
  char *name;
  char hash[LRE_HASH_HEX_BYTES]; /* SHA-256 */
};

struct lre_checkpoint {
  struct lre_model *model;
  struct lre_tokenizer *tokenizer;
  struct lre_checkpoint_file *files; /* in order of names */
  size_t n_files;
};

/* False: err. Free in any case. */
bool lre_checkpoint_open(struct lre_checkpoint *c, const char *folder, const struct lre_model_options *options,
                         struct lre_err *err);
void lre_checkpoint_free(struct lre_checkpoint *c);

#endif
