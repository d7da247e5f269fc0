/* regex_bank.h: the patterns of one judge, compiled once for all of its states, and one search for all of them.
 *
 * Most texts match few of a judge's patterns. The bank reads off each pattern which words a match needs
 * (core/regex_literals.h), and finds the words of all patterns in one pass over a text; a pattern without a word of its
 * own there is not run. The pass over a text is remembered, for the next pattern that is asked about it. What a match
 * gives is the same with and without a bank, but for a pattern that would have met a limit where nothing matches.
 *
 * Built by one thread until it is sealed; then any thread may read it. */
#ifndef LRE_CORE_REGEX_BANK_H
#define LRE_CORE_REGEX_BANK_H

#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"

struct lre_regex;
struct lre_regex_bank;
struct lre_regex_scans; /* what was found in the last texts: of one thread, in its scratch */

struct lre_regex_bank *lre_regex_bank_new(struct lre_err *err);
void lre_regex_bank_free(struct lre_regex_bank *bank); /* its patterns must not match any more */
/* The compiled pattern, a reference of the caller's (lre_regex_free). One that the bank has; else a new one, which it
 * keeps where it is not sealed. NULL: as lre_regex_new. */
struct lre_regex *lre_regex_bank_get(struct lre_regex_bank *bank, const char *pattern, size_t len, unsigned flags,
                                     struct lre_err *err);
void lre_regex_bank_seal(struct lre_regex_bank *bank); /* again: nothing happens */

struct lre_regex_scans *lre_regex_scans_new(void); /* NULL: no memory; then every pattern is run */
void lre_regex_scans_free(struct lre_regex_scans *scans);

#endif
