#include "infer/checkpoint.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/fs.h"

/* What besides the tensors has a say in an answer. An index has none of its own: it names shards, no tensor is in two
 * of them, and each is hashed. */
static const char *const texts[] = {"chat_template.jinja",     "config.json",    "generation_config.json",
                                    "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json"};

static bool hash_open(FILE *f, const char *path, char out[LRE_HASH_HEX_BYTES], struct lre_err *err) {
  enum { CHUNK = 1 << 20 };
  struct lre_hash *h = lre_hash_new();
  char *chunk = malloc(CHUNK);
  uint8_t digest[LRE_HASH_BYTES];
  bool ok = h && chunk;
  for (size_t n; ok && (n = fread(chunk, 1, CHUNK, f)) > 0;) ok = lre_hash_update(h, chunk, n);
  ok = ok && lre_hash_final(h, digest);
  if (ok) lre_hash_hex(digest, out);
  if (!ok) lre_err_memory(err);
  if (ok && ferror(f)) ok = lre_err_errno(err, errno, "%s", path);
  free(chunk);
  lre_hash_free(h);
  return ok;
}

static bool hash_file(const char *path, char out[LRE_HASH_HEX_BYTES], struct lre_err *err) {
  FILE *f = fopen(path, "rbe");
  if (!f) return lre_err_errno(err, errno, "%s", path);
  bool ok = hash_open(f, path, out, err);
  fclose(f);
  return ok;
}

static bool add_file(struct lre_checkpoint *c, const char *folder, const char *name, bool optional,
                     struct lre_err *err) {
  struct lre_buf path;
  struct lre_fs_info info;
  lre_buf_init(&path);
  bool ok = lre_buf_printf(&path, "%s/%s", folder, name) || lre_err_memory(err);
  ok = ok && lre_fs_stat(path.data, &info, err);
  if (ok && info.type != LRE_FS_FILE && info.type != LRE_FS_MISSING)
    ok = lre_err_set(err, "infer", "checkpoint", "%s: is no regular file", name);
  if (ok && !(optional && info.type == LRE_FS_MISSING)) {
    struct lre_checkpoint_file *grown = realloc(c->files, (c->n_files + 1) * sizeof *grown);
    if (grown) c->files = grown;
    ok = grown && (grown[c->n_files].name = strdup(name)) != NULL;
    if (ok) c->n_files++;
    ok = ok ? hash_file(path.data, c->files[c->n_files - 1].hash, err) : lre_err_memory(err);
  }
  lre_buf_free(&path);
  return ok;
}

static int by_name(const void *a, const void *b) {
  return strcmp(((const struct lre_checkpoint_file *)a)->name, ((const struct lre_checkpoint_file *)b)->name);
}

static bool hash_files(struct lre_checkpoint *c, const char *folder, struct lre_err *err) {
  const struct lre_safetensors *st = lre_model_tensors(c->model);
  for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
    if (!add_file(c, folder, texts[i], true, err)) return false;
  for (size_t i = 0; i < lre_safetensors_files(st); i++)
    if (!add_file(c, folder, lre_safetensors_file(st, i), false, err)) return false;
  qsort(c->files, c->n_files, sizeof *c->files, by_name);
  return true;
}

bool lre_checkpoint_open(struct lre_checkpoint *c, const char *folder, const struct lre_model_options *options,
                         struct lre_err *err) {
  memset(c, 0, sizeof *c);
  c->model = lre_model_open(folder, options, err);
  if (!c->model) return false;
  c->tokenizer = lre_tokenizer_open(folder, lre_model_config(c->model)->n_vocab, err);
  return c->tokenizer && hash_files(c, folder, err);
}

void lre_checkpoint_free(struct lre_checkpoint *c) {
  lre_tokenizer_free(c->tokenizer);
  lre_model_close(c->model);
  for (size_t i = 0; i < c->n_files; i++) free(c->files[i].name);
  free(c->files);
  memset(c, 0, sizeof *c);
}
