/* fuzz: what the mock reads of a request lies inside it, and no beginning of a good request is refused. */
#include "core/serve_parse.h"

#include "fuzz.h"

enum { MAX_BODY = 4096 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static struct lre_serve_head head, part;
  char *text = fuzz_copy(data, size);
  if (lre_serve_parse(text, size, MAX_BODY, &head) == LRE_SERVE_WHOLE) {
    FUZZ_HOLDS(head.used <= size && head.body >= text && head.body + head.body_len == text + head.used);
    FUZZ_HOLDS(head.method.len > 0 && head.target.len > 0);
    for (size_t cut = 0; cut < head.used && cut < 256; cut++)
      FUZZ_HOLDS(lre_serve_parse(text, cut, MAX_BODY, &part) == LRE_SERVE_MORE);
  }
  free(text);
  return 0;
}
