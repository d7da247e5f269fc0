/* batch.h: continuous batching. Requests come in at any time; all that run are decoded together, a token each a step;
 * prompts are read in blocks between them. A thread of its own, with a team of its own, does it.
 *
 * What a request gets does not depend on the others (model.h), so neither batch nor threads are part of its identity.
 */
#ifndef LRE_INFER_BATCH_H
#define LRE_INFER_BATCH_H

#include <stdatomic.h>

#include "core/buf.h"
#include "infer/model.h"
#include "infer/sample.h"
#include "infer/tokenizer.h"

struct lre_batch;

struct lre_batch_options {
  size_t n_threads;        /* 0: one a core */
  size_t kv_bytes;         /* cap of keys and values; 0: 1 GiB */
  size_t max_sequences;    /* decoded together; 0: 64 */
  size_t block_tokens;     /* most tokens in a step; 0: 256 */
  void (*wake)(void *arg); /* called on the batch's thread after requests ended; thread-safe */
  void *wake_arg;
};

enum lre_finish { LRE_FINISH_STOP, LRE_FINISH_LENGTH };

/* The part of a prompt that is read in one go: a template's text may hold special tokens, a user's must not. */
struct lre_prompt_part {
  struct lre_buf text;
  unsigned flags; /* LRE_TOKENIZER_... */
};

struct lre_request {
  /* The caller's, unchanged while it runs. Freed by lre_request_free. */
  struct lre_prompt_part *parts;
  size_t n_parts;
  struct lre_sampling sampling;
  size_t max_tokens;
  struct lre_buf *stops; /* texts that end the answer; they are not part of it */
  size_t n_stops;
  size_t n_top; /* how many alternatives each token's log-probabilities name; with want_logprobs */
  bool want_logprobs;
  bool ignore_end; /* measuring: end tokens are tokens like others */
  void *owner;     /* the caller's */
  /* The answer. */
  bool ok;
  struct lre_err
      err; /* where not ok: kind "infer", code "context", "kv_memory", "cancelled", "tokenizer"; or "memory" */
  enum lre_finish finish;
  struct lre_ids prompt, ids; /* ids: what was generated, an end token included */
  size_t n_reused;            /* prompt tokens whose keys and values were there already */
  struct lre_buf text;
  float *logprobs;   /* [ids.len]: log of the model's own probability, before temperature and filters */
  uint32_t *top_ids; /* [ids.len, n_top] */
  float *top_logprobs;
  /* The batch's. */
  atomic_bool cancelled;
  struct lre_request *next;
};

struct lre_request *lre_request_new(void); /* zero; NULL: no memory */
void lre_request_free(struct lre_request *r);

/* Uses model and tokenizer until it is freed. NULL: err. */
struct lre_batch *lre_batch_new(struct lre_model *m, struct lre_tokenizer *t, const struct lre_batch_options *options,
                                struct lre_err *err);
/* Waits for the step that runs; requests that have not ended come out of lre_batch_done before, as cancelled. */
void lre_batch_stop(struct lre_batch *b);
void lre_batch_free(struct lre_batch *b);

void lre_batch_submit(struct lre_batch *b, struct lre_request *r);
/* Ends it within a step; it still comes out of lre_batch_done. */
void lre_batch_cancel(struct lre_batch *b, struct lre_request *r);
/* A request that ended, or NULL. */
struct lre_request *lre_batch_done(struct lre_batch *b);

struct lre_batch_facts {
  size_t n_threads, n_steps, n_tokens, peak_sequences, kv_peak_bytes;
};
void lre_batch_describe(struct lre_batch *b, struct lre_batch_facts *out);

#endif
