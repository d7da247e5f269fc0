/* text.h: text for people: terminals, HTML pages, "did you mean". */
#ifndef LRE_CORE_TEXT_H
#define LRE_CORE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

/* Appends s so that it can do nothing to a terminal: control bytes (C0, DEL, C1), bidirectional controls and bad UTF-8
 * become visible
 * ("\x1b", "\u{202e}"). Newline and tab stay where `multiline`. Check out->failed. */
void lre_text_terminal(const char *s, size_t len, bool multiline, struct lre_buf *out);

/* Appends s with & < > " ' as character references; good in element text and in quoted attributes. */
void lre_text_html(const char *s, size_t len, struct lre_buf *out);

/* Edits (insert, delete, replace a byte, swap two neighbours; each place once) that turn a into b: Damerau 1964,
 * Levenshtein 1966, in the "optimal string alignment" form. Texts over LRE_TEXT_DISTANCE_BYTES are cut there: it is for
 * names. */
#define LRE_TEXT_DISTANCE_BYTES 255
size_t lre_text_distance(const char *a, size_t a_len, const char *b, size_t b_len);

/* Columns that s takes on a terminal: wide characters (East Asian Wide and Fullwidth, emoji) 2, combining marks and
 * zero-width ones 0, all else 1 (a control byte, a bad byte: 1, as the escaped forms are for lre_text_terminal to
 * count). */
size_t lre_text_columns(const char *s, size_t len);

/* The part of s without leading and trailing ASCII whitespace. */
const char *lre_text_trim(const char *s, size_t len, size_t *out_len);

#endif
