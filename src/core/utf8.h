/* utf8.h: UTF-8 as RFC 3629 has it: no surrogates, no overlong forms, nothing over U+10FFFF. */
#ifndef LRE_CORE_UTF8_H
#define LRE_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* True where all of s is valid; else *bad (may be NULL) is the offset of the first bad byte. */
bool lre_utf8_valid(const char *s, size_t len, size_t *bad);
/* Copies s to out, each maximal bad part replaced by U+FFFD (W3C practice).
 * Returns the number of replacements; check out->failed. */
size_t lre_utf8_repair(const char *s, size_t len, struct lre_buf *out);

#endif
