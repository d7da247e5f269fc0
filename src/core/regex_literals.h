/* regex_literals.h: what a text must hold for a pattern to match it.
 *
 * Read off the pattern's own text: of `(?:can(?:not|'t)|unable to) (?:help|assist)` it finds "cannot help",
 * "cannot assist" and so on. A search for such words passes over most texts far faster than the pattern does. What is
 * not understood (a verb, a recursion, a condition) gives no literals: then the pattern itself must be asked. */
#ifndef LRE_CORE_REGEX_LITERALS_H
#define LRE_CORE_REGEX_LITERALS_H

#include <stdbool.h>
#include <stddef.h>

enum {
  LRE_LITERAL_MIN = 3, /* shorter ones are in nearly every text */
  LRE_LITERAL_MAX = 27,
};

/* Every byte has LRE_LITERAL_FOLD or-ed in, which makes one of the two cases of ASCII and Latin-1 letters. */
#define LRE_LITERAL_FOLD 0x20

struct lre_literal {
  unsigned char len;
  char bytes[LRE_LITERAL_MAX];
};

struct lre_literals {
  struct lre_literal *list;
  size_t n;
};

/* Each text that the pattern (of UTF, with these LRE_REGEX_ flags) matches, folded, holds one of out's; or it holds a
 * letter whose other case is ASCII or Latin-1 and does not fold to it: U+0178, U+017F, U+1E9E, U+212A, U+212B. False:
 * there are no such literals, or no memory for them. */
bool lre_literals_read(const char *pattern, size_t len, unsigned flags, struct lre_literals *out);
void lre_literals_free(struct lre_literals *l);

#endif
