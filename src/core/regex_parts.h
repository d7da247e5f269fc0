/* regex_parts.h: a compiled pattern, for regex.c and regex_bank.c; nobody else includes it. */
#ifndef LRE_CORE_REGEX_PARTS_H
#define LRE_CORE_REGEX_PARTS_H

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>
#include <stdatomic.h>

#include "core/regex.h"
#include "core/regex_bank.h"

struct lre_regex {
  atomic_int references;
  pcre2_code *code;
  const char **names; /* [captures + 1], into the code's name table */
  uint32_t captures;
  bool utf;
  atomic_bool jit_tried; /* the first match compiles it */
  bool jit;
  const struct lre_regex_bank *bank; /* NULL: none, or it knows nothing of this pattern */
  size_t place;                      /* its bit there */
};

/* regex_bank.c: what one pass found in a text; NULL: nothing is known. Good until the next one. */
struct lre_regex_scan;
const struct lre_regex_scan *lre_regex_scan(const struct lre_regex_bank *bank, struct lre_regex_scans *scans,
                                            const char *s, size_t len);
/* False: the text holds none of the words that the pattern (of that bank) needs. */
bool lre_regex_may_match(const struct lre_regex *re, const struct lre_regex_scan *scan);

#endif
