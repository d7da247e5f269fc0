/* steps.h: what tokenizer.json does to text around its model: normalizers, pre-tokenizers, decoders, each a list of
 * steps. Private to src/infer. */
#ifndef LRE_INFER_STEPS_H
#define LRE_INFER_STEPS_H

#include "core/buf.h"
#include "core/regex.h"

struct cJSON;

enum lre_step_kind {
  LRE_STEP_COMPOSE,    /* NFC, NFD, NFKC, NFKD: `flags` are utf8proc's */
  LRE_STEP_REPLACE,    /* `text` (or `re`) becomes `with` */
  LRE_STEP_PREPEND,    /* `text` before what is not empty */
  LRE_STEP_STRIP,      /* white space: left, right (a normalizer); or `flags` and `stop` times `text` (a decoder) */
  LRE_STEP_LOWER,      /* lower case */
  LRE_STEP_SPLIT,      /* at matches of `re` */
  LRE_STEP_BYTE_LEVEL, /* the rest is bytes; `flags`: a space is put before */
  LRE_STEP_METASPACE,  /* spaces become `text`, and one is put before (`scheme`) */
  LRE_STEP_BYTE_FALLBACK,
  LRE_STEP_FUSE,
};
enum lre_split { LRE_SPLIT_REMOVED, LRE_SPLIT_ISOLATED, LRE_SPLIT_PREVIOUS, LRE_SPLIT_NEXT, LRE_SPLIT_CONTIGUOUS };
enum lre_scheme { LRE_SCHEME_ALWAYS, LRE_SCHEME_FIRST, LRE_SCHEME_NEVER };

struct lre_step {
  enum lre_step_kind kind;
  enum lre_split split;
  enum lre_scheme scheme;
  bool invert, left, right;
  int flags, stop;
  struct lre_buf text, with;
  struct lre_regex *re;
};

enum { LRE_MAX_STEPS = 32 };
struct lre_steps {
  struct lre_step list[LRE_MAX_STEPS];
  size_t n;
};

/* From tokenizer.json's "normalizer", "pre_tokenizer" or "decoder" (null: no steps); `where` is that name. False: err
 * kind "infer", code "tokenizer", names the type that is not known. Free in any case. */
bool lre_steps_load(struct lre_steps *s, const struct cJSON *json, const char *where, struct lre_err *err);
void lre_steps_free(struct lre_steps *s);
bool lre_steps_have(const struct lre_steps *s, enum lre_step_kind kind);

/* A text in pieces: piece i is [i ? ends[i - 1] : 0, ends[i]) of text. */
struct lre_pieces {
  struct lre_buf text;
  size_t *ends, n, cap;
  bool failed;
};
void lre_pieces_clear(struct lre_pieces *p);
void lre_pieces_end(struct lre_pieces *p); /* what was put since the last end is a piece, also where it is empty */
void lre_pieces_free(struct lre_pieces *p);

/* Runs the normalizers over text, in place; `inside`: without those that change its ends. */
bool lre_normalize(const struct lre_steps *s, struct lre_buf *text, bool inside, struct lre_regex_scratch *scratch,
                   struct lre_err *err);
/* Splits one text into pieces; `first`: it is the begin of the whole input. `spare` is working memory. */
bool lre_pretokenize(const struct lre_steps *s, const char *text, size_t len, bool first, struct lre_pieces *out,
                     struct lre_pieces *spare, struct lre_regex_scratch *scratch, struct lre_err *err);
/* Tokens (pieces) to text, in place: afterwards the whole of pieces->text is the answer. */
bool lre_detokenize(const struct lre_steps *s, struct lre_pieces *tokens, struct lre_pieces *spare,
                    struct lre_err *err);

/* The alphabet in which byte-level vocabularies write bytes: the character's byte, or -1. */
int lre_steps_byte_of(uint32_t character);
/* The next character at *s, which moves on; bad bytes count as themselves. */
uint32_t lre_steps_next_char(const char **s, const char *end);

#endif
