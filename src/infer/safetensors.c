#include "infer/safetensors.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cjson/cJSON.h>

#include "core/fs.h"
#include "core/json.h"

/* The reference implementation's own bound; a larger header is a mistake or an attack. */
#define MAX_HEADER_BYTES 100000000u
#define MAX_INDEX_BYTES  100000000u
#define MAX_SHARDS       10000

struct file {
  char *name;
  void *map;
  size_t len;
};

struct lre_safetensors {
  struct file *files;
  size_t n_files;
  struct lre_tensor *tensors; /* sorted by name */
  size_t n_tensors;
};

static const struct {
  const char *name;
  enum lre_dtype dtype;
  size_t bits;
} dtypes[] = {
    {"F32", LRE_DTYPE_F32, 32},   {"F16", LRE_DTYPE_F16, 16},      {"BF16", LRE_DTYPE_BF16, 16},
    {"F64", LRE_DTYPE_OTHER, 64}, {"I64", LRE_DTYPE_OTHER, 64},    {"I32", LRE_DTYPE_OTHER, 32},
    {"I16", LRE_DTYPE_OTHER, 16}, {"I8", LRE_DTYPE_OTHER, 8},      {"U64", LRE_DTYPE_OTHER, 64},
    {"U32", LRE_DTYPE_OTHER, 32}, {"U16", LRE_DTYPE_OTHER, 16},    {"U8", LRE_DTYPE_OTHER, 8},
    {"BOOL", LRE_DTYPE_OTHER, 8}, {"F8_E4M3", LRE_DTYPE_OTHER, 8}, {"F8_E5M2", LRE_DTYPE_OTHER, 8},
};

const char *lre_dtype_name(enum lre_dtype dtype) {
  static const char *const names[] = {"float32", "float16", "bfloat16", "int8", "other"};
  return names[dtype];
}

#define BAD(...) lre_err_set(err, "infer", "safetensors", __VA_ARGS__)

/* A JSON number as a size: whole, not negative, exact. */
static bool read_size(const cJSON *item, size_t *out) {
  if (!cJSON_IsNumber(item) || (item->type & LRE_JSON_FLOAT)) return false;
  if (item->valuedouble < 0 || item->valuedouble > 9007199254740992.0) return false;
  *out = (size_t)item->valuedouble;
  return true;
}

static bool read_dtype(const cJSON *item, struct lre_tensor *t, size_t *bits, const char *file, struct lre_err *err) {
  const char *name = cJSON_GetStringValue(item);
  for (size_t i = 0; name && i < sizeof dtypes / sizeof *dtypes; i++) {
    if (strcmp(name, dtypes[i].name) != 0) continue;
    t->dtype = dtypes[i].dtype;
    *bits = dtypes[i].bits;
    return true;
  }
  return BAD("%s: tensor %s: dtype: expected F32, F16, BF16, ..., found %s", file, t->name, name ? name : "no text");
}

static bool read_shape(const cJSON *shape, struct lre_tensor *t, size_t *n, const char *file, struct lre_err *err) {
  if (!cJSON_IsArray(shape)) return BAD("%s: tensor %s: shape: expected a list of sizes", file, t->name);
  *n = 1;
  const cJSON *item;
  cJSON_ArrayForEach(item, shape) {
    if (t->n_dims == LRE_TENSOR_DIMS)
      return BAD("%s: tensor %s: more than %d dimensions", file, t->name, LRE_TENSOR_DIMS);
    size_t *dim = &t->dims[t->n_dims++];
    if (!read_size(item, dim) || __builtin_mul_overflow(*n, *dim, n))
      return BAD("%s: tensor %s: shape: a size is no whole number, or the product is too large", file, t->name);
  }
  return true;
}

static bool read_tensor(const cJSON *item, struct lre_tensor *t, const struct file *f, const char *data, size_t n_data,
                        struct lre_err *err) {
  const cJSON *offsets = cJSON_GetObjectItemCaseSensitive(item, "data_offsets");
  size_t bits = 0, n = 0, begin = 0, end = 0, n_bits;
  if (!cJSON_IsObject(item)) return BAD("%s: tensor %s: expected an object", f->name, t->name);
  if (!read_dtype(cJSON_GetObjectItemCaseSensitive(item, "dtype"), t, &bits, f->name, err)) return false;
  if (!read_shape(cJSON_GetObjectItemCaseSensitive(item, "shape"), t, &n, f->name, err)) return false;
  if (cJSON_GetArraySize(offsets) != 2 || !read_size(offsets->child, &begin) || !read_size(offsets->child->next, &end))
    return BAD("%s: tensor %s: data_offsets: expected two whole numbers", f->name, t->name);
  if (begin > end) return BAD("%s: tensor %s: data_offsets: begins at %zu, ends at %zu", f->name, t->name, begin, end);
  if (end > n_data)
    return BAD("%s: tensor %s ends at byte %zu of the data, but the file has %zu: it is truncated; fetch it again",
               f->name, t->name, end, n_data);
  if (__builtin_mul_overflow(n, bits, &n_bits) || n_bits / 8 != end - begin)
    return BAD("%s: tensor %s: %zu bytes for %zu numbers of %zu bits", f->name, t->name, end - begin, n, bits);
  t->data = data + begin;
  t->n_bytes = end - begin;
  return true;
}

static int by_data(const void *a, const void *b) {
  const struct lre_tensor *x = a, *y = b;
  if (x->data != y->data) return (const char *)x->data < (const char *)y->data ? -1 : 1;
  return (x->n_bytes > y->n_bytes) - (x->n_bytes < y->n_bytes);
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct lre_tensor *)a)->name, ((const struct lre_tensor *)b)->name);
}

/* The format wants the data filled by tensors without holes and without overlaps. */
static bool check_layout(struct lre_tensor *tensors, size_t n, const char *data, size_t n_data, const char *file,
                         struct lre_err *err) {
  const char *at = data;
  if (n) qsort(tensors, n, sizeof *tensors, by_data);
  for (size_t i = 0; i < n; i++) {
    const char *begin = tensors[i].data;
    if (begin < at) return BAD("%s: tensor %s overlaps the one before it", file, tensors[i].name);
    if (begin > at)
      return BAD("%s: %zu bytes before tensor %s belong to none", file, (size_t)(begin - at), tensors[i].name);
    at = begin + tensors[i].n_bytes;
  }
  size_t rest = n_data - (size_t)(at - data);
  return rest == 0 || BAD("%s: %zu bytes after the last tensor belong to none", file, rest);
}

static bool add_tensors(struct lre_safetensors *st, const cJSON *root, const struct file *f, const char *data,
                        size_t n_data, struct lre_err *err) {
  size_t first = st->n_tensors, n = (size_t)cJSON_GetArraySize(root);
  struct lre_tensor *grown = realloc(st->tensors, (first + n + 1) * sizeof *grown);
  if (!grown) return lre_err_memory(err);
  st->tensors = grown;
  const cJSON *item;
  cJSON_ArrayForEach(item, root) {
    if (strcmp(item->string, "__metadata__") == 0) continue;
    struct lre_tensor *t = &st->tensors[st->n_tensors];
    memset(t, 0, sizeof *t);
    t->name = strdup(item->string);
    t->file = f->name;
    if (!t->name) return lre_err_memory(err);
    st->n_tensors++;
    if (!read_tensor(item, t, f, data, n_data, err)) return false;
  }
  return check_layout(st->tensors + first, st->n_tensors - first, data, n_data, f->name, err);
}

static bool read_header(struct lre_safetensors *st, const struct file *f, struct lre_err *err) {
  const unsigned char *p = f->map;
  uint64_t n = 0;
  if (f->len < 8) return BAD("%s: %zu bytes are no safetensors file", f->name, f->len);
  for (int i = 7; i >= 0; i--) n = n << 8 | p[i];
  if (n > MAX_HEADER_BYTES || n > f->len - 8)
    return BAD("%s: the header claims %llu bytes, the file has %zu (at most %u are taken)", f->name,
               (unsigned long long)n, f->len, MAX_HEADER_BYTES);
  const char *text = (const char *)p + 8;
  struct lre_json_doc doc;
  struct lre_json_limits limits = {.max_depth = 8};
  struct lre_err json;
  if (!lre_json_parse(&doc, text, (size_t)n, &limits, &json)) return BAD("%s: header: %s", f->name, json.message);
  bool ok = cJSON_IsObject(doc.root) ? add_tensors(st, doc.root, f, text + n, f->len - 8 - (size_t)n, err)
                                     : BAD("%s: header: expected an object", f->name);
  lre_json_free(&doc);
  return ok;
}

static bool map_file(struct file *f, const char *path, struct lre_err *err) {
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not make us wait for a writer */
  struct stat info;
  if (fd < 0) return lre_err_errno(err, errno, "%s", path);
  bool ok = fstat(fd, &info) == 0 || lre_err_errno(err, errno, "%s", path);
  if (ok && (!S_ISREG(info.st_mode) || info.st_size < 8))
    ok = BAD("%s: no regular file, or shorter than 8 bytes", f->name);
  if (ok) {
    f->len = (size_t)info.st_size;
    f->map = mmap(NULL, f->len, PROT_READ, MAP_SHARED, fd, 0);
    if (f->map == MAP_FAILED) {
      f->map = NULL;
      ok = lre_err_errno(err, errno, "%s: mapping %zu bytes", path, f->len);
    }
  }
  close(fd);
  return ok;
}

static bool add_file(struct lre_safetensors *st, const char *folder, const char *name, struct lre_err *err) {
  struct file *grown = realloc(st->files, (st->n_files + 1) * sizeof *grown);
  if (!grown) return lre_err_memory(err);
  st->files = grown;
  struct file *f = &st->files[st->n_files++];
  *f = (struct file){.name = strdup(name)};
  struct lre_buf path;
  lre_buf_init(&path);
  lre_buf_printf(&path, "%s/%s", folder, name);
  bool ok = f->name && !path.failed ? map_file(f, path.data, err) && read_header(st, f, err) : lre_err_memory(err);
  lre_buf_free(&path);
  return ok;
}

static bool known_file(const struct lre_safetensors *st, const char *name) {
  for (size_t i = 0; i < st->n_files; i++)
    if (strcmp(st->files[i].name, name) == 0) return true;
  return false;
}

/* A shard lies beside its index: a name with a folder in it could name any file of this machine. */
static bool plain_name(const char *name) {
  size_t n = strlen(name), tail = strlen(".safetensors");
  return n > tail && !strchr(name, '/') && name[0] != '.' && strcmp(name + n - tail, ".safetensors") == 0;
}

static bool add_shards(struct lre_safetensors *st, const char *folder, const cJSON *map, struct lre_err *err) {
  const cJSON *item;
  if (!cJSON_IsObject(map) || !map->child) return BAD("model.safetensors.index.json: weight_map: expected an object");
  cJSON_ArrayForEach(item, map) {
    const char *name = cJSON_GetStringValue(item);
    if (!name || !plain_name(name))
      return BAD(
          "model.safetensors.index.json: weight_map[%s]: expected the name of a .safetensors file beside it, found %s",
          item->string, name ? name : "no text");
    if (known_file(st, name)) continue;
    if (st->n_files == MAX_SHARDS) return BAD("model.safetensors.index.json: more than %d shards", MAX_SHARDS);
    if (!add_file(st, folder, name, err)) return false;
  }
  return true;
}

static bool check_map(const struct lre_safetensors *st, const cJSON *map, struct lre_err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, map) {
    if (!lre_safetensors_find(st, item->string))
      return BAD("model.safetensors.index.json: tensor %s is in no shard (%s should have it)", item->string,
                 item->valuestring);
  }
  return true;
}

/* Names in order; a tensor that two shards have is an error. */
static bool sort_names(struct lre_safetensors *st, struct lre_err *err) {
  if (st->n_tensors) qsort(st->tensors, st->n_tensors, sizeof *st->tensors, by_name);
  for (size_t i = 1; i < st->n_tensors; i++) {
    const struct lre_tensor *a = &st->tensors[i - 1], *b = &st->tensors[i];
    if (strcmp(a->name, b->name) == 0) return BAD("tensor %s is in two shards: %s and %s", a->name, a->file, b->file);
  }
  return true;
}

static bool open_index(struct lre_safetensors *st, const char *folder, const struct lre_buf *text,
                       struct lre_err *err) {
  struct lre_json_doc doc;
  struct lre_err json;
  if (!lre_json_parse(&doc, text->data, text->len, NULL, &json))
    return BAD("model.safetensors.index.json: %s", json.message);
  const cJSON *map = cJSON_GetObjectItemCaseSensitive(doc.root, "weight_map");
  bool ok = add_shards(st, folder, map, err) && sort_names(st, err) && check_map(st, map, err);
  lre_json_free(&doc);
  return ok;
}

static bool open_folder(struct lre_safetensors *st, const char *folder, struct lre_err *err) {
  struct lre_buf path, text;
  struct lre_fs_info info;
  lre_buf_init(&path);
  lre_buf_init(&text);
  bool ok = lre_buf_printf(&path, "%s/model.safetensors", folder) || lre_err_memory(err);
  ok = ok && lre_fs_stat(path.data, &info, err);
  if (ok && info.type != LRE_FS_MISSING) {
    ok = add_file(st, folder, "model.safetensors", err) && sort_names(st, err);
  } else if (ok) {
    ok = lre_buf_puts(&path, ".index.json") || lre_err_memory(err);
    ok = ok && lre_fs_stat(path.data, &info, err);
    if (ok && info.type == LRE_FS_MISSING)
      ok = BAD("%s: neither model.safetensors nor model.safetensors.index.json is there", folder);
    ok = ok && lre_fs_read(path.data, MAX_INDEX_BYTES, &text, err) && open_index(st, folder, &text, err);
  }
  lre_buf_free(&path);
  lre_buf_free(&text);
  return ok;
}

struct lre_safetensors *lre_safetensors_open(const char *folder, struct lre_err *err) {
  struct lre_safetensors *st = calloc(1, sizeof *st);
  if (!st) {
    lre_err_memory(err);
    return NULL;
  }
  if (open_folder(st, folder, err)) return st;
  lre_safetensors_close(st);
  return NULL;
}

static void free_tensors(struct lre_safetensors *st) {
  for (size_t i = 0; i < st->n_tensors; i++) free(st->tensors[i].name);
  free(st->tensors);
}

void lre_safetensors_close(struct lre_safetensors *st) {
  if (!st) return;
  free_tensors(st);
  for (size_t i = 0; i < st->n_files; i++) {
    if (st->files[i].map) munmap(st->files[i].map, st->files[i].len);
    free(st->files[i].name);
  }
  free(st->files);
  free(st);
}

bool lre_safetensors_check(const void *data, size_t len, struct lre_err *err) {
  struct lre_safetensors st = {0};
  char name[] = "memory";
  struct file f = {.name = name, .map = (void *)(uintptr_t)data, .len = len};
  bool ok = read_header(&st, &f, err) && sort_names(&st, err);
  free_tensors(&st);
  return ok;
}

const struct lre_tensor *lre_safetensors_find(const struct lre_safetensors *st, const char *name) {
  size_t low = 0, high = st->n_tensors;
  while (low < high) {
    size_t mid = low + (high - low) / 2;
    int order = strcmp(st->tensors[mid].name, name);
    if (order == 0) return &st->tensors[mid];
    if (order < 0)
      low = mid + 1;
    else
      high = mid;
  }
  return NULL;
}

size_t lre_safetensors_count(const struct lre_safetensors *st) {
  return st->n_tensors;
}

const struct lre_tensor *lre_safetensors_at(const struct lre_safetensors *st, size_t i) {
  return &st->tensors[i];
}

size_t lre_safetensors_files(const struct lre_safetensors *st) {
  return st->n_files;
}

const char *lre_safetensors_file(const struct lre_safetensors *st, size_t i) {
  return st->files[i].name;
}
