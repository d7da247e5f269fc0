/* alloc.c: see alloc.h. */
#include "vm/alloc.h"

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { GRAIN = 16, SLAB_BYTES = 64 << 10 };
_Static_assert(alignof(max_align_t) <= GRAIN, "every block is aligned for any type");

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define PLAIN_MALLOC 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define PLAIN_MALLOC 1
#endif

/* Under AddressSanitizer every block is malloc's, so that it sees what is used after its end. */
static bool is_small(size_t bytes) {
#ifdef PLAIN_MALLOC
  (void)bytes;
  return false;
#else
  return bytes > 0 && bytes <= LRE_ALLOC_SMALL;
#endif
}

struct lre_alloc_slab {
  struct lre_alloc_slab *next;
  max_align_t data[];
};

struct lre_alloc_block {
  struct lre_alloc_block *next;
};

static size_t class_of(size_t bytes) {
  return (bytes - 1) / GRAIN;
}

static void put(struct lre_alloc *a, void *p, size_t class) {
  struct lre_alloc_block *block = p;
  block->next = a->free[class];
  a->free[class] = block;
}

/* What is left of the old slab is one block of its size: the slab's size and every block's are whole grains. */
static bool add_slab(struct lre_alloc *a) {
  struct lre_alloc_slab *slab = malloc(sizeof *slab + SLAB_BYTES);
  if (!slab) return false;
  if (a->next < a->end) put(a, a->next, class_of((size_t)(a->end - a->next)));
  slab->next = a->slabs;
  a->slabs = slab;
  a->next = (char *)slab->data;
  a->end = a->next + SLAB_BYTES;
  return true;
}

static void *take(struct lre_alloc *a, size_t class) {
  struct lre_alloc_block *block = a->free[class];
  if (block) {
    a->free[class] = block->next;
    __builtin_prefetch(block->next, 1); /* a swept heap is cold: most of the time here was this one miss */
    return block;
  }
  size_t bytes = (class + 1) * GRAIN;
  if ((size_t)(a->end - a->next) < bytes && !add_slab(a)) return NULL;
  void *p = a->next;
  a->next += bytes;
  return p;
}

static void give_back(struct lre_alloc *a, void *block, size_t bytes) {
  if (is_small(bytes))
    put(a, block, class_of(bytes));
  else
    free(block);
}

/* To or from a small block of another size. */
static void *move(struct lre_alloc *a, void *block, size_t old_bytes, size_t new_bytes) {
  void *p = is_small(new_bytes) ? take(a, class_of(new_bytes)) : malloc(new_bytes);
  if (!p) return new_bytes <= old_bytes ? block : NULL;
  memcpy(p, block, old_bytes < new_bytes ? old_bytes : new_bytes);
  give_back(a, block, old_bytes);
  return p;
}

void *lre_alloc_resize(struct lre_alloc *a, void *block, size_t old_bytes, size_t new_bytes) {
  if (new_bytes == 0) {
    if (block) give_back(a, block, old_bytes);
    return NULL;
  }
  if (!block) return is_small(new_bytes) ? take(a, class_of(new_bytes)) : malloc(new_bytes);
  bool was_small = is_small(old_bytes), small = is_small(new_bytes);
  if (was_small && small && class_of(old_bytes) == class_of(new_bytes)) return block;
  if (was_small || small) return move(a, block, old_bytes, new_bytes);
  void *p = realloc(block, new_bytes);
  return p || new_bytes > old_bytes ? p : block;
}

void lre_alloc_free(struct lre_alloc *a) {
  while (a->slabs) {
    struct lre_alloc_slab *next = a->slabs->next;
    free(a->slabs);
    a->slabs = next;
  }
  *a = (struct lre_alloc){0};
}
