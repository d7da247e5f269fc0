/* json.h: a guarded parse and a canonical writer.
 *
 * cJSON builds the tree. In front of it stands a scan of ours, since cJSON
 * 1.7.15 lets duplicate keys, invalid UTF-8, `01`, raw newlines in strings and
 * trailing text pass, cuts strings at \u0000 and turns 9007199254740993 into a
 * double. Each of these is an error here, with a byte offset.
 *
 * The writer is ours because no packaged library promises what "same inputs,
 * same bytes" needs: sorted keys, integers kept apart from floats, floats in
 * their shortest round-trip form (as Python's repr writes them: 0.0, 4e-07,
 * 1e+16), no NaN or infinity, valid UTF-8 only. */
#ifndef LRE_CORE_JSON_H
#define LRE_CORE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct cJSON;

struct lre_json_limits {
  size_t max_depth;      /* 0: 64 */
  size_t max_bytes;      /* 0: no bound */
  bool bigint_as_string; /* integers beyond +-2^53: true: strings of their digits (providers); false: an error */
};

struct lre_json_doc {
  struct cJSON *root; /* lives in the arena: it is never given to cJSON_Delete */
  struct lre_json_chunk *arena;
};

/* Set in cJSON's item->type beside cJSON_Number: the token had a '.', 'e' or
 * 'E', so it is a float even where its value is whole. cJSON_IsNumber masks it out. */
#define LRE_JSON_FLOAT (1 << 12)

/* Parses one JSON text (surrounding whitespace and a UTF-8 BOM allowed, nothing else).
 * False: err is kind "json", code one of "syntax", "depth", "utf8", "duplicate_key", "nul", "bigint", "range" (1e999),
 * "trailing", "empty", "too_large"; the message ends in "at byte N" (0-based). Or kind "memory". max_depth over 1000
 * counts as 1000, cJSON's own limit. Free the doc only after true. */
bool lre_json_parse(struct lre_json_doc *doc, const char *text, size_t len, const struct lre_json_limits *limits,
                    struct lre_err *err);
void lre_json_free(struct lre_json_doc *doc);

/* A text that has passed the scan, for who reads it without a tree: strict JSON, keys told apart, numbers that a double
 * or 53 bits hold, of at most LRE_JSON_NUMBER_MAX bytes. All zero at first; it keeps its memory from check to check. */
#define LRE_JSON_NUMBER_MAX 63
struct lre_json_member { /* as they are written in the caller's text; the name without its quotes */
  const char *name, *value;
  size_t name_len, value_len;
};
struct lre_json_text {
  const char *text; /* the caller's, or `rewritten`, where integers became strings */
  size_t len;
  struct lre_buf sizes; /* uint32_t: the number of elements of each object and array, in the order in which they open */
  struct lre_buf rewritten;
  struct lre_buf is_float;   /* one byte a number in document order, up to the last float */
  struct lre_json_key *keys; /* of every open object, innermost last */
  size_t key_cap;
  bool wants_members;     /* the caller's: note those of the outermost object */
  struct lre_buf members; /* struct lre_json_member */
};
bool lre_json_check(struct lre_json_text *t, const char *text, size_t len, const struct lre_json_limits *limits,
                    struct lre_err *err); /* limits and errors as above */
void lre_json_text_free(struct lre_json_text *t);

struct lre_json_string {
  const char *s; /* decoded */
  size_t len;
};

/* Reads, in one pass and without a check before it, an object of n members, each a string, in any order: out[i] is what
 * names[i] has. It lies in `text` or, where that has escapes, in `room` (of at least len bytes). False: it is anything
 * else; lre_json_parse says what. */
bool lre_json_read_strings(const char *text, size_t len, const char *const *names, size_t n,
                           struct lre_json_string *out, char *room);
/* The same of an object with some of these members and no others: out[i].s NULL where names[i] is not there. */
bool lre_json_read_some_strings(const char *text, size_t len, const char *const *names, size_t n,
                                struct lre_json_string *out, char *room);

/* Canonical tokens, appended to b. Strings: only '"', '\\' and controls below 0x20 are escaped. */
bool lre_json_put_string(struct lre_buf *b, const char *s, size_t len, struct lre_err *err); /* invalid UTF-8: "utf8" */
bool lre_json_put_int(struct lre_buf *b, int64_t v);
bool lre_json_put_double(struct lre_buf *b, double v, struct lre_err *err); /* NaN, infinity: "not_finite" */

#define LRE_JSON_NUMBER_BYTES 32
/* The shortest decimal that reads back as v, in Python's repr form. Returns its length. */
size_t lre_json_format_double(double v, char out[LRE_JSON_NUMBER_BYTES]);

/* v to 12 significant digits: derived numbers in canonical files (libm differs in the last bits). */
double lre_json_round12(double v);

#endif
