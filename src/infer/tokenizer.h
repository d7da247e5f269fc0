/* tokenizer.h: text to ids and back, from `tokenizer.json`, with the ids that Hugging Face `tokenizers` gives.
 *
 * BPE only: byte-level, and SentencePiece-style with byte fallback. Threads may share one; they take turns. */
#ifndef LRE_INFER_TOKENIZER_H
#define LRE_INFER_TOKENIZER_H

#include "core/buf.h"
#include "infer/bpe.h"

struct lre_tokenizer;

/* Reads <folder>/tokenizer.json; ids of model.vocab from n_vocab on are an error (0: any). NULL: err kind "infer", code
 * "tokenizer", names the field. */
struct lre_tokenizer *lre_tokenizer_open(const char *folder, size_t n_vocab, struct lre_err *err);
struct lre_tokenizer *lre_tokenizer_parse(const char *json, size_t len, size_t n_vocab, struct lre_err *err);
void lre_tokenizer_free(struct lre_tokenizer *t);

enum {
  LRE_TOKENIZER_SPECIAL = 1, /* special tokens that stand in the text are recognised: for text of a template, never for
                                a user's */
  LRE_TOKENIZER_GUARDED = 4, /* with LRE_TOKENIZER_SPECIAL: the text has parts that went through lre_tokenizer_guard */
  LRE_TOKENIZER_FRAME = 2,   /* with what the post-processor puts around a text: a begin-of-text token */
};
/* Appends the ids of valid UTF-8. */
bool lre_tokenizer_encode(struct lre_tokenizer *t, const char *text, size_t len, unsigned flags, struct lre_ids *out,
                          struct lre_err *err);
/* Appends the text of ids; ids that are none are left out, as special ones are where `skip_special`. Always UTF-8. */
bool lre_tokenizer_decode(struct lre_tokenizer *t, const uint32_t *ids, size_t n, bool skip_special,
                          struct lre_buf *out, struct lre_err *err);

/* Appends a user's text, marked so that nothing in it is read as a special token when a template has put it among its
 * own text, neither as it is nor as the normalizer makes it. (An added token that the file does not call special is
 * text, and stays a token.) True where a mark was needed: the whole is then encoded as LRE_TOKENIZER_GUARDED, which
 * takes them out. */
bool lre_tokenizer_guard(struct lre_tokenizer *t, const char *text, size_t len, struct lre_buf *out);

size_t lre_tokenizer_size(const struct lre_tokenizer *t); /* one more than the largest id */
/* The id of a token written as in the file (an added token first), or LRE_NO_TOKEN. */
uint32_t lre_tokenizer_find(const struct lre_tokenizer *t, const char *token, size_t len);
bool lre_tokenizer_is_special(const struct lre_tokenizer *t, uint32_t id);

#endif
