#include <stdlib.h>

#include "infer/batch.h"

struct lre_request *lre_request_new(void) {
  return calloc(1, sizeof(struct lre_request));
}

void lre_request_free(struct lre_request *r) {
  if (!r) return;
  for (size_t i = 0; i < r->n_parts; i++) lre_buf_free(&r->parts[i].text);
  for (size_t i = 0; i < r->n_stops; i++) lre_buf_free(&r->stops[i]);
  free(r->parts);
  free(r->stops);
  lre_ids_free(&r->prompt);
  lre_ids_free(&r->ids);
  lre_buf_free(&r->text);
  free(r->logprobs);
  free(r->top_ids);
  free(r->top_logprobs);
  free(r);
}
