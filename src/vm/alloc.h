/* alloc.h: memory for a Lua state.
 *
 * Lua asks for small blocks by the million, says the size when it gives one back, and does all of it on one thread. So
 * a free list a size does what malloc does, without its search, its headers and its lock: malloc and free took a fifth
 * of a trial's time. Blocks over LRE_ALLOC_SMALL bytes are malloc's. */
#ifndef LRE_VM_ALLOC_H
#define LRE_VM_ALLOC_H

#include <stddef.h>

#define LRE_ALLOC_SMALL 512

struct lre_alloc_slab;
struct lre_alloc_block;

/* All zero: empty. Used by one thread at a time. */
struct lre_alloc {
  struct lre_alloc_slab *slabs;
  char *next, *end; /* what is left of the newest slab */
  struct lre_alloc_block *free[LRE_ALLOC_SMALL / 16];
};

/* As a lua_Alloc with sizes that Lua promises: old_bytes is what the block was asked for (0 where block is NULL),
 * new_bytes 0 frees. NULL where there is no memory; shrinking cannot fail. */
void *lre_alloc_resize(struct lre_alloc *a, void *block, size_t old_bytes, size_t new_bytes);
/* Small blocks go all at once: after lua_close. */
void lre_alloc_free(struct lre_alloc *a);

#endif
