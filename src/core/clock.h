/* clock.h: time, in one place. Nothing here is used for a canonical file. */
#ifndef LRE_CORE_CLOCK_H
#define LRE_CORE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

uint64_t lre_clock_mono_ns(void); /* CLOCK_MONOTONIC; never jumps */

/* Microseconds since 1970 in UTC. SOURCE_DATE_EPOCH, where it is a
 * non-negative integer, fixes it (so that every date of a run is fixed). */
int64_t lre_clock_unix_us(void);

/* Reads SOURCE_DATE_EPOCH: true and *seconds where set and valid; false with
 * err.code "unset" or "invalid". */
bool lre_clock_epoch(int64_t *seconds, struct lre_err *err);

#define LRE_CLOCK_ISO_BYTES 32
/* "2025-01-01T12:30:00.123456Z" (`micros`) or "2025-01-01T12:30:00Z". UTC. */
void lre_clock_iso(int64_t unix_us, bool micros, char out[LRE_CLOCK_ISO_BYTES]);

/* Seconds since 1970 of an HTTP date (RFC 9110, all three forms). */
bool lre_clock_parse_http_date(const char *s, size_t len, int64_t *seconds);

#endif
