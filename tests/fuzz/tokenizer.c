/* fuzz: a tokenizer.json, a zero byte, a text. What is taken gives ids that are its own, and text that is UTF-8 again;
 * a marked text holds no special token. */
#include "infer/tokenizer.h"

#include "core/utf8.h"
#include "fuzz.h"

static void check_ids(struct lre_tokenizer *t, const struct lre_ids *ids) {
  struct lre_buf out;
  struct lre_err err;
  for (size_t i = 0; i < ids->len; i++) {
    FUZZ_HOLDS(ids->data[i] < lre_tokenizer_size(t));
  }
  lre_buf_init(&out);
  if (lre_tokenizer_decode(t, ids->data, ids->len, false, &out, &err))
    FUZZ_HOLDS(lre_utf8_valid(out.data ? out.data : "", out.len, NULL));
  lre_buf_free(&out);
}

static void encode(struct lre_tokenizer *t, const char *text, size_t len, unsigned flags) {
  struct lre_ids ids = {0};
  struct lre_err err;
  if (lre_tokenizer_encode(t, text, len, flags, &ids, &err)) check_ids(t, &ids);
  lre_ids_free(&ids);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *end = size ? memchr(data, 0, size) : NULL;
  size_t n_json = end ? (size_t)(end - data) : size, n_text = end ? size - n_json - 1 : 0;
  char *json = fuzz_copy(data, n_json), *text = fuzz_copy(end ? end + 1 : data, n_text);
  struct lre_err err;
  struct lre_tokenizer *t = lre_tokenizer_parse(json, n_json, 1000, &err);
  if (t && lre_utf8_valid(text, n_text, NULL)) {
    struct lre_buf marked;
    lre_buf_init(&marked);
    encode(t, text, n_text, 0);
    encode(t, text, n_text, LRE_TOKENIZER_SPECIAL | LRE_TOKENIZER_FRAME);
    lre_tokenizer_guard(t, text, n_text, &marked);
    encode(t, marked.data ? marked.data : "", marked.len, LRE_TOKENIZER_SPECIAL | LRE_TOKENIZER_GUARDED);
    lre_buf_free(&marked);
  }
  lre_tokenizer_free(t);
  free(json);
  free(text);
  return 0;
}
