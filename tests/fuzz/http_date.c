/* fuzz: an HTTP date is a moment between the years 1 and 9999, or none. */
#include "core/clock.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int64_t seconds = 0;
  char *text = fuzz_copy(data, size);
  if (lre_clock_parse_http_date(text, size, &seconds)) FUZZ_HOLDS(seconds >= -62135596800 && seconds <= 253402300800);
  free(text);
  return 0;
}
