#include "infer/kv.h"

#include <stdlib.h>
#include <string.h>

struct lre_kv {
  size_t page_floats, max_pages, n_pages;
  struct lre_kv_page *pages;
  struct lre_kv_page **buckets;
  size_t n_buckets;
  struct lre_kv_page *oldest, *newest; /* pages that nobody holds */
  uint64_t next_serial;
};

struct lre_kv *lre_kv_new(size_t page_floats, size_t max_pages, struct lre_err *err) {
  struct lre_kv *kv = calloc(1, sizeof *kv);
  if (!kv) {
    lre_err_memory(err);
    return NULL;
  }
  *kv = (struct lre_kv){.page_floats = page_floats, .max_pages = max_pages, .n_buckets = 16, .next_serial = 1};
  while (kv->n_buckets < max_pages) kv->n_buckets *= 2;
  kv->pages = calloc(max_pages + 1, sizeof *kv->pages);
  kv->buckets = calloc(kv->n_buckets, sizeof(struct lre_kv_page *));
  if (kv->pages && kv->buckets) return kv;
  lre_kv_free(kv);
  lre_err_memory(err);
  return NULL;
}

void lre_kv_free(struct lre_kv *kv) {
  if (!kv) return;
  for (size_t i = 0; i < kv->n_pages; i++) free(kv->pages[i].data);
  free(kv->pages);
  free(kv->buckets);
  free(kv);
}

size_t lre_kv_max_pages(const struct lre_kv *kv) {
  return kv->max_pages;
}

size_t lre_kv_peak_pages(const struct lre_kv *kv) {
  return kv->n_pages;
}

static struct lre_kv_page **bucket_of(struct lre_kv *kv, uint64_t parent, const uint32_t *ids) {
  uint64_t h = 0xcbf29ce484222325u ^ parent * 0x9e3779b97f4a7c15u;
  for (int i = 0; i < LRE_PAGE_TOKENS; i++) h = (h ^ ids[i]) * 0x100000001b3u;
  return &kv->buckets[(size_t)(h ^ h >> 29) & (kv->n_buckets - 1)];
}

static void leave_idle(struct lre_kv *kv, struct lre_kv_page *p) {
  *(p->older ? &p->older->newer : &kv->oldest) = p->newer;
  *(p->newer ? &p->newer->older : &kv->newest) = p->older;
  p->older = p->newer = NULL;
}

static void forget(struct lre_kv *kv, struct lre_kv_page *p) {
  if (!p->indexed) return;
  struct lre_kv_page **at = bucket_of(kv, p->parent, p->ids);
  while (*at != p) at = &(*at)->in_bucket;
  *at = p->in_bucket;
  p->indexed = false;
}

static struct lre_kv_page *new_page(struct lre_kv *kv) {
  if (kv->n_pages == kv->max_pages) return NULL;
  struct lre_kv_page *p = &kv->pages[kv->n_pages];
  p->data = calloc(kv->page_floats, sizeof *p->data);
  if (!p->data) return NULL;
  kv->n_pages++;
  return p;
}

struct lre_kv_page *lre_kv_take(struct lre_kv *kv) {
  struct lre_kv_page *p = kv->oldest && !kv->oldest->indexed ? NULL : new_page(kv);
  if (!p && kv->oldest) {
    p = kv->oldest;
    leave_idle(kv, p);
    forget(kv, p);
  }
  if (!p) return NULL;
  p->serial = kv->next_serial++;
  p->n_holders = 1;
  return p;
}

struct lre_kv_page *lre_kv_find(struct lre_kv *kv, uint64_t parent, const uint32_t *ids) {
  struct lre_kv_page *p = *bucket_of(kv, parent, ids);
  while (p && (p->parent != parent || memcmp(p->ids, ids, sizeof p->ids) != 0)) p = p->in_bucket;
  if (!p) return NULL;
  if (p->n_holders++ == 0) leave_idle(kv, p);
  return p;
}

void lre_kv_index(struct lre_kv *kv, struct lre_kv_page *page, uint64_t parent, const uint32_t *ids) {
  struct lre_kv_page **bucket = bucket_of(kv, parent, ids);
  for (struct lre_kv_page *p = *bucket; p; p = p->in_bucket)
    if (p->parent == parent && memcmp(p->ids, ids, sizeof p->ids) == 0) return;
  if (page->indexed) return;
  page->parent = parent;
  memcpy(page->ids, ids, sizeof page->ids);
  page->in_bucket = *bucket;
  page->indexed = true;
  *bucket = page;
}

/* Idle pages that can be found go to the new end, the others to the old one: they are taken first. */
void lre_kv_release(struct lre_kv *kv, struct lre_kv_page *page) {
  if (--page->n_holders) return;
  bool keep = page->indexed;
  page->older = keep ? kv->newest : NULL;
  page->newer = keep ? NULL : kv->oldest;
  *(page->older ? &page->older->newer : &kv->oldest) = page;
  *(page->newer ? &page->newer->older : &kv->newest) = page;
}
