#include "infer/bpe.h"

#include <stdlib.h>
#include <string.h>

struct lre_bpe_merge {
  uint32_t left, right, rank, id; /* left LRE_NO_TOKEN: an empty slot */
};

/* A piece of the word: doubly linked, so that a merge is cheap. */
struct lre_bpe_symbol {
  uint32_t id;
  int32_t before, after; /* -1: none */
  bool gone;
};

struct lre_bpe_candidate {
  uint32_t rank, id;
  int32_t at;
};

static size_t slots_for(size_t n) {
  size_t slots = 16;
  while (slots < 2 * n) slots *= 2;
  return slots;
}

bool lre_bpe_init(struct lre_bpe *b, size_t n_tokens, size_t n_merges, struct lre_err *err) {
  memset(b, 0, sizeof *b);
  b->n_texts = n_tokens;
  b->n_slots = slots_for(n_tokens);
  b->n_merge_slots = slots_for(n_merges);
  b->unknown = LRE_NO_TOKEN;
  for (int i = 0; i < 256; i++) b->byte_ids[i] = LRE_NO_TOKEN;
  b->texts = calloc(n_tokens + 1, sizeof *b->texts);
  b->ids = malloc(b->n_slots * sizeof *b->ids);
  b->merges = malloc(b->n_merge_slots * sizeof *b->merges);
  if (!b->texts || !b->ids || !b->merges) return lre_err_memory(err);
  for (size_t i = 0; i < b->n_slots; i++) b->ids[i] = LRE_NO_TOKEN;
  for (size_t i = 0; i < b->n_merge_slots; i++) b->merges[i].left = LRE_NO_TOKEN;
  return true;
}

void lre_bpe_free(struct lre_bpe *b) {
  free(b->texts);
  free(b->ids);
  free(b->merges);
  memset(b, 0, sizeof *b);
}

/* FNV-1a, 64 bits. */
static size_t hash_text(const char *s, size_t len) {
  uint64_t h = 0xcbf29ce484222325u;
  for (size_t i = 0; i < len; i++) h = (h ^ (unsigned char)s[i]) * 0x100000001b3u;
  return (size_t)(h ^ h >> 32);
}

static size_t find_slot(const struct lre_bpe *b, const char *text, size_t len) {
  size_t slot = hash_text(text, len) & (b->n_slots - 1);
  for (; b->ids[slot] != LRE_NO_TOKEN; slot = (slot + 1) & (b->n_slots - 1)) {
    const struct lre_bpe_text *t = &b->texts[b->ids[slot]];
    if (t->len == len && memcmp(t->data, text, len) == 0) break;
  }
  return slot;
}

void lre_bpe_add(struct lre_bpe *b, uint32_t id, const char *text, size_t len) {
  size_t slot = find_slot(b, text, len);
  b->texts[id] = (struct lre_bpe_text){text, (uint32_t)len};
  if (b->ids[slot] == LRE_NO_TOKEN) b->ids[slot] = id;
}

uint32_t lre_bpe_find(const struct lre_bpe *b, const char *text, size_t len) {
  return b->ids[find_slot(b, text, len)];
}

static struct lre_bpe_merge *merge_slot(const struct lre_bpe *b, uint32_t left, uint32_t right) {
  uint64_t h = ((uint64_t)left << 32 | right) * 0x9e3779b97f4a7c15u;
  size_t slot = (size_t)(h >> 32) & (b->n_merge_slots - 1);
  for (;; slot = (slot + 1) & (b->n_merge_slots - 1)) {
    struct lre_bpe_merge *m = &b->merges[slot];
    if (m->left == LRE_NO_TOKEN || (m->left == left && m->right == right)) return m;
  }
}

bool lre_bpe_merge(struct lre_bpe *b, const char *left, size_t left_len, const char *right, size_t right_len) {
  if (2 * b->n_merges >= b->n_merge_slots) return false;
  char small[256], *both = left_len + right_len > sizeof small ? malloc(left_len + right_len) : small;
  if (!both) return false;
  memcpy(both, left, left_len);
  memcpy(both + left_len, right, right_len);
  uint32_t l = lre_bpe_find(b, left, left_len), r = lre_bpe_find(b, right, right_len);
  uint32_t id = lre_bpe_find(b, both, left_len + right_len);
  if (both != small) free(both);
  if (l == LRE_NO_TOKEN || r == LRE_NO_TOKEN || id == LRE_NO_TOKEN) return false;
  /* A pair that comes twice has its last rank, as in a map that is filled in order. */
  *merge_slot(b, l, r) = (struct lre_bpe_merge){l, r, (uint32_t)b->n_merges++, id};
  return true;
}

void lre_ids_put(struct lre_ids *ids, uint32_t id) {
  if (ids->len == ids->cap) {
    size_t cap = ids->cap ? 2 * ids->cap : 64;
    uint32_t *grown = ids->failed ? NULL : realloc(ids->data, cap * sizeof *grown);
    if (!grown) {
      ids->failed = true;
      return;
    }
    ids->data = grown, ids->cap = cap;
  }
  ids->data[ids->len++] = id;
}

void lre_ids_free(struct lre_ids *ids) {
  free(ids->data);
  memset(ids, 0, sizeof *ids);
}

void lre_bpe_scratch_free(struct lre_bpe_scratch *s) {
  free(s->symbols);
  free(s->heap);
  memset(s, 0, sizeof *s);
}

/* The heap: lowest rank first, then from the left ---------------------------------------------------------------------
 */

static bool sooner(const struct lre_bpe_candidate *a, const struct lre_bpe_candidate *b) {
  return a->rank != b->rank ? a->rank < b->rank : a->at < b->at;
}

static bool push(struct lre_bpe_scratch *s, struct lre_bpe_candidate c) {
  if (s->n_heap == s->heap_cap) {
    size_t cap = s->heap_cap ? 2 * s->heap_cap : 64;
    struct lre_bpe_candidate *grown = realloc(s->heap, cap * sizeof *grown);
    if (!grown) return false;
    s->heap = grown, s->heap_cap = cap;
  }
  size_t i = s->n_heap++;
  for (; i && sooner(&c, &s->heap[(i - 1) / 2]); i = (i - 1) / 2) s->heap[i] = s->heap[(i - 1) / 2];
  s->heap[i] = c;
  return true;
}

static struct lre_bpe_candidate pop(struct lre_bpe_scratch *s) {
  struct lre_bpe_candidate top = s->heap[0], last = s->heap[--s->n_heap];
  size_t i = 0;
  for (size_t child; (child = 2 * i + 1) < s->n_heap; i = child) {
    if (child + 1 < s->n_heap && sooner(&s->heap[child + 1], &s->heap[child])) child++;
    if (!sooner(&s->heap[child], &last)) break;
    s->heap[i] = s->heap[child];
  }
  s->heap[i] = last;
  return top;
}

/* A word
 * --------------------------------------------------------------------------------------------------------------- */

static bool consider(const struct lre_bpe *b, struct lre_bpe_scratch *s, int32_t at) {
  if (at < 0 || s->symbols[at].after < 0) return true;
  const struct lre_bpe_merge *m = merge_slot(b, s->symbols[at].id, s->symbols[s->symbols[at].after].id);
  if (m->left == LRE_NO_TOKEN) return true;
  return push(s, (struct lre_bpe_candidate){m->rank, m->id, at});
}

/* True where the pair at c.at still gives what it gave when it was pushed. */
static bool valid(const struct lre_bpe *b, const struct lre_bpe_scratch *s, struct lre_bpe_candidate c) {
  const struct lre_bpe_symbol *x = &s->symbols[c.at];
  if (x->gone || x->after < 0) return false;
  const struct lre_bpe_merge *m = merge_slot(b, x->id, s->symbols[x->after].id);
  return m->left != LRE_NO_TOKEN && m->id == c.id;
}

static bool merge_all(const struct lre_bpe *b, struct lre_bpe_scratch *s, size_t n) {
  s->n_heap = 0;
  for (size_t i = 0; i + 1 < n; i++)
    if (!consider(b, s, (int32_t)i)) return false;
  while (s->n_heap) {
    struct lre_bpe_candidate c = pop(s);
    if (!valid(b, s, c)) continue;
    struct lre_bpe_symbol *x = &s->symbols[c.at], *right = &s->symbols[x->after];
    x->id = c.id;
    right->gone = true;
    x->after = right->after;
    if (x->after >= 0) s->symbols[x->after].before = c.at;
    if (!consider(b, s, x->before) || !consider(b, s, c.at)) return false;
  }
  return true;
}

static size_t char_bytes(unsigned char first) {
  return first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
}

static bool all_bytes_known(const struct lre_bpe *b, const char *s, size_t n) {
  for (size_t i = 0; i < n; i++)
    if (b->byte_ids[(unsigned char)s[i]] == LRE_NO_TOKEN) return false;
  return true;
}

static void put_symbol(struct lre_bpe_scratch *s, size_t *n, uint32_t id) {
  s->symbols[*n] = (struct lre_bpe_symbol){.id = id, .before = (int32_t)*n - 1, .after = (int32_t)*n + 1};
  ++*n;
}

/* The word's characters as tokens; one that is none becomes its bytes' tokens, or the unknown one (a run of them one,
 * where these are fused), or nothing. */
static size_t split_chars(const struct lre_bpe *b, struct lre_bpe_scratch *s, const char *word, size_t len) {
  size_t n = 0;
  bool unknown = false;
  for (size_t i = 0, size; i < len; i += size) {
    size = b->byte_level ? 1 : char_bytes((unsigned char)word[i]);
    if (size > len - i) size = len - i;
    uint32_t id = b->byte_level ? b->byte_ids[(unsigned char)word[i]] : lre_bpe_find(b, word + i, size);
    bool fall = id == LRE_NO_TOKEN && b->byte_fallback && all_bytes_known(b, word + i, size);
    if (id != LRE_NO_TOKEN) put_symbol(s, &n, id);
    for (size_t k = 0; fall && k < size; k++) put_symbol(s, &n, b->byte_ids[(unsigned char)word[i + k]]);
    bool unknown_now = id == LRE_NO_TOKEN && !fall && b->unknown != LRE_NO_TOKEN;
    if (unknown_now && !(unknown && b->fuse_unknown)) put_symbol(s, &n, b->unknown);
    unknown = unknown_now;
  }
  if (n) s->symbols[n - 1].after = -1;
  return n;
}

bool lre_bpe_word(const struct lre_bpe *b, struct lre_bpe_scratch *s, const char *word, size_t len,
                  struct lre_ids *out) {
  if (!len) return true;
  uint32_t whole = b->ignore_merges ? lre_bpe_find(b, word, len) : LRE_NO_TOKEN;
  if (whole != LRE_NO_TOKEN) {
    lre_ids_put(out, whole);
    return !out->failed;
  }
  if (len > INT32_MAX / 2) return false;
  if (len > s->cap) {
    struct lre_bpe_symbol *grown = realloc(s->symbols, len * sizeof *grown);
    if (!grown) return false;
    s->symbols = grown, s->cap = len;
  }
  size_t n = split_chars(b, s, word, len);
  if (!merge_all(b, s, n)) return false;
  for (size_t i = 0; i < n; i++)
    if (!s->symbols[i].gone) lre_ids_put(out, s->symbols[i].id);
  return !out->failed;
}
