#include "core/json.h"

#include <cjson/cJSON.h>
#include <pthread.h>
#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#include "core/json_scan.h"

/* ---- the tree's memory ----
 *
 * cJSON allocates each node and each string by itself, and frees them one by one: most of the time of a parse. Its
 * hooks take them from chunks of ours instead, which go all at once. They are the process's, so outside a parse of ours
 * they are malloc and free. */

struct lre_json_chunk {
  struct lre_json_chunk *next;
  size_t used, cap;
  max_align_t data[];
};

static _Thread_local struct lre_json_doc *building; /* whose arena cJSON allocates from on this thread */
static _Thread_local size_t first_chunk_bytes;

static bool add_chunk(struct lre_json_doc *doc, size_t size) {
  size_t cap = doc->arena ? 2 * doc->arena->cap : first_chunk_bytes;
  if (cap < size) cap = size;
  struct lre_json_chunk *chunk = malloc(sizeof *chunk + cap);
  if (!chunk) return false;
  *chunk = (struct lre_json_chunk){.next = doc->arena, .cap = cap};
  doc->arena = chunk;
  return true;
}

static void *allocate(size_t size) {
  if (!building) return malloc(size);
  if (size > PTRDIFF_MAX / 4) return NULL;
  size = (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
  struct lre_json_chunk *chunk = building->arena;
  if (!chunk || chunk->cap - chunk->used < size) {
    if (!add_chunk(building, size)) return NULL;
    chunk = building->arena;
  }
  void *p = (char *)chunk->data + chunk->used;
  chunk->used += size;
  return p;
}

static void deallocate(void *p) {
  if (!building) free(p);
}

static pthread_once_t hooks_once = PTHREAD_ONCE_INIT;

static void set_hooks(void) {
  cJSON_InitHooks(&(cJSON_Hooks){.malloc_fn = allocate, .free_fn = deallocate});
}

static cJSON *parse_into(struct lre_json_doc *doc, const char *text, size_t len) {
  pthread_once(&hooks_once, set_hooks);
  first_chunk_bytes = 3 * len + 512; /* a chat completion's tree takes about three times its text */
  building = doc;
  cJSON *root = cJSON_ParseWithLengthOpts(text, len, NULL, 0);
  building = NULL;
  return root;
}

/* ---- the parse ---- */

/* Numbers come in document order, as the scan met them; `index` is that of the next one. Recursion is bounded by
 * max_depth. */
static size_t mark_floats(cJSON *item, const struct lre_buf *is_float, size_t index) {
  for (; item && index < is_float->len; item = item->next) {
    if (cJSON_IsNumber(item) && is_float->data[index++]) item->type |= LRE_JSON_FLOAT;
    if (item->child) index = mark_floats(item->child, is_float, index);
  }
  return index;
}

static bool build_tree(struct lre_json_doc *doc, const struct lre_json_text *t, struct lre_err *err) {
  locale_t old = lre_json_enter_c_locale();
  doc->root = parse_into(doc, t->text, t->len);
  uselocale(old);
  if (!doc->root) return lre_err_memory(err); /* the scan passed, so nothing else is left */
  mark_floats(doc->root, &t->is_float, 0);
  return true;
}

bool lre_json_parse(struct lre_json_doc *doc, const char *text, size_t len, const struct lre_json_limits *limits,
                    struct lre_err *err) {
  struct lre_json_text checked = {0};
  *doc = (struct lre_json_doc){0};
  bool ok = lre_json_check(&checked, text, len, limits, err) && build_tree(doc, &checked, err);
  lre_json_text_free(&checked);
  if (!ok) lre_json_free(doc);
  return ok;
}

void lre_json_free(struct lre_json_doc *doc) {
  while (doc->arena) {
    struct lre_json_chunk *next = doc->arena->next;
    free(doc->arena);
    doc->arena = next;
  }
  doc->root = NULL;
}
