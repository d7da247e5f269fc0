#include "core/set.h"

#include <stdlib.h>
#include <string.h>

/* Linear probing over slots kept in ascending order: a key's home is its rank in the key space scaled to
 * `cap`, it stands at its home or to the right of it, and probing never wraps (a short tail past `cap` takes
 * what runs over). Because the order does not depend on `cap`, the table grows inside its own memory
 * (see spread), in steps of a quarter: 10 to 12.5 bytes a key, also while it grows. */
struct lre_set {
  uint64_t *slots; /* 0: empty */
  size_t cap;      /* homes */
  size_t tail;     /* slots past the last home */
  size_t count;    /* of non-zero keys */
  bool has_zero;
};

enum { MIN_CAP = 64, MIN_TAIL = 64 };
static const size_t MAX_SLOTS = SIZE_MAX / sizeof(uint64_t) / 4;

/* 80 % full: at 90 % an insertion already shifts about 50 slots, at 80 % about 12 (Knuth vol. 3, 6.4). */
static size_t max_count(size_t cap) {
  return cap / 5 * 4;
}

/* Multiplying by an odd number maps keys one to one, and spreads keys that are not hashes (2^64 / golden ratio). */
static uint64_t mix(uint64_t key) {
  return key * UINT64_C(0x9E3779B97F4A7C15);
}

/* floor(key * cap / 2^64): monotone in key. */
static size_t home(uint64_t key, size_t cap) {
  uint64_t hi = key >> 32, lo = key & 0xFFFFFFFFu;
  uint64_t cap_hi = (uint64_t)cap >> 32, cap_lo = (uint64_t)cap & 0xFFFFFFFFu;
  uint64_t cross = hi * cap_lo + ((lo * cap_lo) >> 32);
  uint64_t low_cross = lo * cap_hi + (cross & 0xFFFFFFFFu);
  return (size_t)(hi * cap_hi + (cross >> 32) + (low_cross >> 32));
}

struct lre_set *lre_set_new(size_t expected) {
  if (expected > MAX_SLOTS / 2) return NULL;
  struct lre_set *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->cap = expected / 4 * 5 + MIN_CAP;
  s->tail = MIN_TAIL;
  s->slots = calloc(s->cap + s->tail, sizeof *s->slots);
  if (s->slots) return s;
  free(s);
  return NULL;
}

void lre_set_free(struct lre_set *s) {
  if (!s) return;
  free(s->slots);
  free(s);
}

/* Adds `more` empty slots at the end of the memory (mremap'd, not copied, where it is large). */
static bool extend(struct lre_set *s, size_t more) {
  size_t old = s->cap + s->tail;
  if (old > MAX_SLOTS || more > MAX_SLOTS) return false;
  uint64_t *slots = realloc(s->slots, (old + more) * sizeof *slots);
  if (!slots) return false;
  memset(slots + old, 0, more * sizeof *slots);
  s->slots = slots;
  return true;
}

/* Moves the keys of a table of `old` slots, now `more` longer, to their homes under the larger cap. The old
 * table is first moved to the end. A key's new place is then never right of the place it is read from: homes
 * grow by at most `more`, and both sequences ascend by at least one a key. */
static void spread(struct lre_set *s, size_t old, size_t more) {
  uint64_t *slots = s->slots;
  memmove(slots + more, slots, old * sizeof *slots);
  memset(slots, 0, more * sizeof *slots);
  size_t next = 0;
  for (size_t from = more; from < more + old; from++) {
    uint64_t key = slots[from];
    if (!key) continue;
    slots[from] = 0;
    size_t to = home(key, s->cap);
    if (to < next) to = next;
    slots[to] = key;
    next = to + 1;
  }
}

static bool grow(struct lre_set *s) {
  size_t old = s->cap + s->tail, more = s->cap / 4;
  if (!extend(s, more)) return false;
  s->cap += more;
  spread(s, old, more);
  return true;
}

/* The slot of key, or the one before which it belongs. */
static size_t find(const struct lre_set *s, uint64_t key) {
  size_t i = home(key, s->cap), end = s->cap + s->tail;
  while (i < end && s->slots[i] && s->slots[i] < key) i++;
  return i;
}

/* Shifts the run at `at` one to the right and writes key. The tail grows where the run touches its end. */
static bool insert(struct lre_set *s, size_t at, uint64_t key) {
  size_t end = s->cap + s->tail, gap = at;
  while (gap < end && s->slots[gap]) gap++;
  if (gap == end) {
    if (!extend(s, s->tail)) return false;
    s->tail *= 2;
  }
  memmove(s->slots + at + 1, s->slots + at, (gap - at) * sizeof *s->slots);
  s->slots[at] = key;
  s->count++;
  return true;
}

int lre_set_add(struct lre_set *s, uint64_t key) {
  if (key == 0) {
    bool was_there = s->has_zero;
    s->has_zero = true;
    return was_there ? 0 : 1;
  }
  key = mix(key);
  size_t at = find(s, key);
  if (at < s->cap + s->tail && s->slots[at] == key) return 0;
  if (s->count >= max_count(s->cap)) {
    if (!grow(s)) return -1;
    at = find(s, key);
  }
  return insert(s, at, key) ? 1 : -1;
}

bool lre_set_has(const struct lre_set *s, uint64_t key) {
  if (key == 0) return s->has_zero;
  key = mix(key);
  size_t at = find(s, key);
  return at < s->cap + s->tail && s->slots[at] == key;
}

size_t lre_set_count(const struct lre_set *s) {
  return s->count + (s->has_zero ? 1 : 0);
}

void lre_set_clear(struct lre_set *s) {
  memset(s->slots, 0, (s->cap + s->tail) * sizeof *s->slots);
  s->count = 0;
  s->has_zero = false;
}
