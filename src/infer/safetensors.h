/* safetensors.h: a checkpoint's tensors, as they lie in the files of its folder.
 *
 * Files are mapped read-only and stay mapped until the close; a tensor's data points into the map. Every number of a
 * header is held against the file before anything is read through it: a truncated, overlapping or hostile file is an
 * error that names the file and the tensor. The format: https://huggingface.co/docs/safetensors. */
#ifndef LRE_INFER_SAFETENSORS_H
#define LRE_INFER_SAFETENSORS_H

#include <stddef.h>
#include <stdint.h>

#include "core/err.h"

enum lre_dtype { LRE_DTYPE_F32, LRE_DTYPE_F16, LRE_DTYPE_BF16, LRE_DTYPE_I8, LRE_DTYPE_OTHER };

enum { LRE_TENSOR_DIMS = 8 };
struct lre_tensor {
  char *name;
  const char *file;     /* its name, for errors */
  enum lre_dtype dtype; /* LRE_DTYPE_OTHER: checked, not usable; LRE_DTYPE_I8 only where we quantised */
  size_t n_dims, dims[LRE_TENSOR_DIMS];
  const void *data; /* little-endian, row-major; may be unaligned */
  size_t n_bytes;
};

struct lre_safetensors;

/* Opens `model.safetensors` of the folder, or the shards that `model.safetensors.index.json` lists. NULL: err kind
 * "infer", code "safetensors" (what is wrong with which tensor of which file), or kind "io", "json", "memory". */
struct lre_safetensors *lre_safetensors_open(const char *folder, struct lre_err *err);
void lre_safetensors_close(struct lre_safetensors *st);

const struct lre_tensor *lre_safetensors_find(const struct lre_safetensors *st, const char *name); /* NULL: not there */
size_t lre_safetensors_count(const struct lre_safetensors *st);
const struct lre_tensor *lre_safetensors_at(const struct lre_safetensors *st, size_t i); /* in order of names */
/* The files that were mapped, in order of names, for provenance. */
size_t lre_safetensors_files(const struct lre_safetensors *st);
const char *lre_safetensors_file(const struct lre_safetensors *st, size_t i);

/* The header and data of one file in memory, as a fuzzer sees it: true where lre_safetensors_open would take it. */
bool lre_safetensors_check(const void *data, size_t len, struct lre_err *err);

static inline size_t lre_dtype_bytes(enum lre_dtype dtype) {
  return dtype == LRE_DTYPE_F32 ? 4 : dtype == LRE_DTYPE_I8 ? 1 : 2;
}
const char *lre_dtype_name(enum lre_dtype dtype);

#endif
