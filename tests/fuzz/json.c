/* fuzz: the two readers of JSON take the same texts, and neither reads beyond them. */
#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "fuzz.h"

static struct lre_json_text checked;

static void read_both(const char *text, size_t len, bool bigint_as_string) {
  struct lre_json_limits limits = {.bigint_as_string = bigint_as_string};
  struct lre_json_doc doc;
  struct lre_err a, b;
  bool tree = lre_json_parse(&doc, text, len, &limits, &a);
  bool scan = lre_json_check(&checked, text, len, &limits, &b);
  if (tree) lre_json_free(&doc);
  FUZZ_HOLDS(tree == scan);
  if (!tree) FUZZ_HOLDS(strcmp(a.code, b.code) == 0 && strcmp(a.message, b.message) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const names[] = {"a", "text"};
  struct lre_json_string out[2];
  char *text = fuzz_copy(data, size), *room = malloc(size ? size : 1);
  FUZZ_HOLDS(room != NULL);
  read_both(text, size, false);
  read_both(text, size, true);
  lre_json_read_strings(text, size, names, 2, out, room);
  free(room);
  free(text);
  return 0;
}
