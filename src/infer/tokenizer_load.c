#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "core/fs.h"
#include "core/json.h"
#include "infer/tokenizer_parts.h"

#define MAX_TOKENIZER_BYTES (256u << 20)
#define MAX_TOKENS          (1u << 24)
#define BAD(...)            lre_err_set(err, "infer", "tokenizer", __VA_ARGS__)

static const cJSON *field(const cJSON *json, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
  return cJSON_IsNull(item) ? NULL : item;
}

static bool truth(const cJSON *json, const char *name) {
  return cJSON_IsTrue(field(json, name));
}

static bool read_id(const cJSON *item, size_t n_vocab, uint32_t *out) {
  double limit = n_vocab ? (double)n_vocab : MAX_TOKENS;
  if (!cJSON_IsNumber(item) || item->valuedouble < 0 || item->valuedouble >= limit) return false;
  *out = (uint32_t)item->valuedouble;
  return *out == item->valuedouble;
}

/* The vocabulary
 * ------------------------------------------------------------------------------------------------------- */

/* The bytes that a byte-level token stands for; false: it is not written in the alphabet. */
static bool put_bytes(const char *text, struct lre_buf *out) {
  size_t before = out->len;
  for (const char *s = text, *end = text + strlen(text); s < end;) {
    int byte = lre_steps_byte_of(lre_steps_next_char(&s, end));
    if (byte < 0) {
      out->len = before;
      return false;
    }
    lre_buf_putc(out, (char)byte);
  }
  return true;
}

static bool size_vocabulary(struct lre_tokenizer *t, const cJSON *vocab, size_t n_vocab, size_t *n_bytes,
                            struct lre_err *err) {
  const cJSON *item;
  *n_bytes = 1;
  cJSON_ArrayForEach(item, vocab) {
    uint32_t id;
    if (!read_id(item, n_vocab, &id))
      return BAD("tokenizer.json: model.vocab[%.60s]: expected an id under %zu", item->string,
                 n_vocab ? n_vocab : MAX_TOKENS);
    if (id >= t->n_ids) t->n_ids = (size_t)id + 1;
    *n_bytes += strlen(item->string);
  }
  return true;
}

/* Texts lie one after the other in one buffer, which does not move any more once it has its size. */
static bool fill_vocabulary(struct lre_tokenizer *t, const cJSON *vocab, size_t n_bytes, struct lre_err *err) {
  const cJSON *item;
  if (!lre_buf_reserve(&t->texts, n_bytes)) return lre_err_memory(err);
  cJSON_ArrayForEach(item, vocab) {
    uint32_t id = (uint32_t)item->valuedouble;
    size_t begin = t->texts.len;
    if (t->bpe.texts[id].data) return BAD("tokenizer.json: model.vocab: id %u is there twice", id);
    if (!t->bpe.byte_level || !put_bytes(item->string, &t->texts)) {
      if (t->bpe.byte_level) continue; /* no byte string: only an added token can be meant */
      lre_buf_puts(&t->texts, item->string);
    }
    lre_bpe_add(&t->bpe, id, t->texts.data + begin, t->texts.len - begin);
  }
  return true;
}

static void find_bytes(struct lre_bpe *b) {
  for (int i = 0; i < 256; i++) {
    char byte = (char)i, name[8] = "<0x00>";
    name[3] = "0123456789ABCDEF"[i / 16], name[4] = "0123456789ABCDEF"[i % 16];
    b->byte_ids[i] = b->byte_level ? lre_bpe_find(b, &byte, 1) : lre_bpe_find(b, name, 6);
  }
}

/* "left right", or [left, right]. */
static bool split_merge(const cJSON *item, struct lre_buf *left, struct lre_buf *right) {
  const char *text = cJSON_GetStringValue(item), *gap = text ? strchr(text, ' ') : NULL;
  lre_buf_clear(left);
  lre_buf_clear(right);
  if (gap) {
    lre_buf_put(left, text, (size_t)(gap - text));
    lre_buf_puts(right, gap + 1);
    return true;
  }
  if (cJSON_GetArraySize(item) != 2) return false;
  const char *a = cJSON_GetStringValue(item->child), *b = cJSON_GetStringValue(item->child->next);
  if (!a || !b) return false;
  lre_buf_puts(left, a);
  lre_buf_puts(right, b);
  return true;
}

static bool to_bytes(struct lre_buf *b) {
  struct lre_buf out;
  lre_buf_init(&out);
  bool ok = b->len && put_bytes(b->data, &out) && !out.failed;
  lre_buf_free(b);
  *b = out;
  return ok;
}

static bool add_merges(struct lre_tokenizer *t, const cJSON *merges, struct lre_err *err) {
  struct lre_buf left, right;
  const cJSON *item;
  size_t n = 0;
  bool ok = true;
  lre_buf_init(&left);
  lre_buf_init(&right);
  cJSON_ArrayForEach(item, merges) {
    ok = split_merge(item, &left, &right);
    if (!ok) BAD("tokenizer.json: model.merges[%zu]: expected two tokens", n);
    if (ok && t->bpe.byte_level) ok = to_bytes(&left) && to_bytes(&right);
    ok = ok && lre_bpe_merge(&t->bpe, left.data ? left.data : "", left.len, right.data ? right.data : "", right.len);
    if (!ok) {
      BAD("tokenizer.json: model.merges[%zu]: one of the two tokens, or what they make, is not in the vocabulary", n);
      break;
    }
    n++;
  }
  lre_buf_free(&left);
  lre_buf_free(&right);
  return ok;
}

/* What would change ids and is not done here. */
static bool check_model(const cJSON *model, struct lre_err *err) {
  static const char *const refused[] = {"dropout", "continuing_subword_prefix", "end_of_word_suffix"};
  const char *type = cJSON_GetStringValue(field(model, "type"));
  if (type && strcmp(type, "BPE") != 0) return BAD("tokenizer.json: model.type: %.40s is not supported (BPE is)", type);
  if (!cJSON_IsObject(field(model, "vocab"))) return BAD("tokenizer.json: model.vocab: expected an object");
  if (!cJSON_IsArray(field(model, "merges"))) return BAD("tokenizer.json: model.merges: expected a list");
  for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
    const cJSON *item = field(model, refused[i]);
    const char *text = cJSON_GetStringValue(item);
    if (item && !(text && !*text) && !(cJSON_IsNumber(item) && item->valuedouble == 0))
      return BAD("tokenizer.json: model.%s is not supported", refused[i]);
  }
  return true;
}

static bool read_model(struct lre_tokenizer *t, const cJSON *model, size_t n_vocab, struct lre_err *err) {
  size_t n_bytes;
  if (!check_model(model, err)) return false;
  const cJSON *vocab = field(model, "vocab"), *merges = field(model, "merges");
  if (!size_vocabulary(t, vocab, n_vocab, &n_bytes, err)) return false;
  if (!lre_bpe_init(&t->bpe, t->n_ids, (size_t)cJSON_GetArraySize(merges), err)) return false;
  t->bpe.byte_level = lre_steps_have(&t->pre, LRE_STEP_BYTE_LEVEL);
  t->bpe.byte_fallback = truth(model, "byte_fallback");
  t->bpe.fuse_unknown = truth(model, "fuse_unk");
  t->bpe.ignore_merges = truth(model, "ignore_merges");
  if (!fill_vocabulary(t, vocab, n_bytes, err)) return false;
  const char *unknown = cJSON_GetStringValue(field(model, "unk_token"));
  if (unknown) t->bpe.unknown = lre_bpe_find(&t->bpe, unknown, strlen(unknown));
  if (unknown && t->bpe.unknown == LRE_NO_TOKEN)
    return BAD("tokenizer.json: model.unk_token %.40s is not in the vocabulary", unknown);
  find_bytes(&t->bpe);
  return add_merges(t, merges, err);
}

/* Added tokens
 * ---------------------------------------------------------------------------------------------------------- */

static int longest_first(const void *a, const void *b) {
  const struct lre_added *x = a, *y = b;
  if (x->pattern.len != y->pattern.len) return x->pattern.len > y->pattern.len ? -1 : 1;
  if (x->special != y->special) return x->special ? -1 : 1;
  return (x->id > y->id) - (x->id < y->id);
}

static bool normalize_into(struct lre_tokenizer *t, const struct lre_added *a, bool inside, struct lre_buf *out,
                           struct lre_err *err) {
  if (!lre_buf_put(out, a->text, a->len)) return lre_err_memory(err);
  return lre_normalize(&t->normalizer, out, inside, t->scratch, err);
}

/* Hugging Face `tokenizers` puts the content of a normalized token, as if it were a whole text, through the normalizer,
 * and looks for that in normalized text. */
static bool set_pattern(struct lre_tokenizer *t, struct lre_added *a, size_t i, struct lre_err *err) {
  if (!a->normalized) return lre_buf_put(&a->pattern, a->text, a->len) || lre_err_memory(err);
  if (!normalize_into(t, a, false, &a->pattern, err)) return false;
  if (!a->pattern.len) return BAD("tokenizer.json: added_tokens[%zu].content: the normalizer leaves nothing of it", i);
  t->late_specials = t->late_specials || a->special;
  return !a->special || normalize_into(t, a, true, &a->core, err);
}

/* An id may lie beyond the model's vocabulary: gemma-3-1b's image token does. It is an error of a prompt that has it.
 */
static bool read_added(struct lre_tokenizer *t, const cJSON *list, struct lre_err *err) {
  const cJSON *item;
  size_t n = (size_t)cJSON_GetArraySize(list), i = 0;
  t->added = calloc(n + 1, sizeof *t->added);
  if (!t->added) return lre_err_memory(err);
  cJSON_ArrayForEach(item, list) {
    struct lre_added *a = &t->added[t->n_added];
    const char *text = cJSON_GetStringValue(field(item, "content"));
    if (!text || !*text || !read_id(field(item, "id"), 0, &a->id))
      return BAD("tokenizer.json: added_tokens[%zu]: expected content, and an id under %d", i, (int)MAX_TOKENS);
    a->text = strdup(text);
    if (!a->text) return lre_err_memory(err);
    t->n_added++, i++;
    a->len = strlen(text);
    a->special = truth(item, "special"), a->normalized = truth(item, "normalized");
    a->whole_word = truth(item, "single_word");
    a->strip_left = truth(item, "lstrip"), a->strip_right = truth(item, "rstrip");
    if (!set_pattern(t, a, i - 1, err)) return false;
    if (a->id >= t->n_ids) t->n_ids = (size_t)a->id + 1;
  }
  return true;
}

static void fill_by_id(struct lre_tokenizer *t) {
  for (size_t i = 0; i < t->n_ids; i++) t->added_by_id[i] = LRE_NO_TOKEN;
  for (size_t i = 0; i < t->n_added; i++) t->added_by_id[t->added[i].id] = (uint32_t)i;
}

/* Hugging Face `tokenizers` gives an added token an id of its own where the file's is another token's. */
static bool check_added(const struct lre_tokenizer *t, const cJSON *vocab, struct lre_err *err) {
  const cJSON *item;
  cJSON_ArrayForEach(item, vocab) {
    uint32_t id = (uint32_t)item->valuedouble, i = t->added_by_id[id];
    if (i != LRE_NO_TOKEN && strcmp(t->added[i].text, item->string) != 0)
      return BAD("tokenizer.json: added_tokens[%u].id: %u is that of %.60s in model.vocab, not of %.60s", i, id,
                 item->string, t->added[i].text);
  }
  return true;
}

static bool index_added(struct lre_tokenizer *t, const cJSON *vocab, struct lre_err *err) {
  t->added_by_id = malloc((t->n_ids + 1) * sizeof *t->added_by_id);
  if (!t->added_by_id) return lre_err_memory(err);
  fill_by_id(t); /* in the file's order, for its faults */
  if (!check_added(t, vocab, err)) return false;
  qsort(t->added, t->n_added, sizeof *t->added, longest_first);
  fill_by_id(t);
  for (size_t i = 0; i < t->n_added; i++) {
    t->added_first[(unsigned char)t->added[i].pattern.data[0]] = true;
    if (t->added[i].special) t->special_first[(unsigned char)t->added[i].text[0]] = true;
  }
  return true;
}

/* The post-processor
 * ------------------------------------------------------------------------------------------------------ */

static bool template_id(const cJSON *post, const char *name, uint32_t *id) {
  const cJSON *special = field(field(post, "special_tokens"), name), *ids = field(special, "ids");
  return cJSON_GetArraySize(ids) == 1 && read_id(ids->child, 0, id);
}

static bool read_template(struct lre_tokenizer *t, const cJSON *post, struct lre_err *err) {
  const cJSON *list = field(post, "single"), *item;
  size_t n = (size_t)cJSON_GetArraySize(list);
  bool seen = false;
  free(t->before);
  free(t->after);
  t->n_before = t->n_after = 0;
  t->before = malloc((n + 1) * sizeof *t->before);
  t->after = malloc((n + 1) * sizeof *t->after);
  if (!t->before || !t->after) return lre_err_memory(err);
  cJSON_ArrayForEach(item, list) {
    const char *name = cJSON_GetStringValue(field(field(item, "SpecialToken"), "id"));
    uint32_t id;
    if (field(item, "Sequence")) {
      seen = true;
      continue;
    }
    if (!name || !template_id(post, name, &id) || id >= t->n_ids)
      return BAD("tokenizer.json: post_processor.single: a special token without its id");
    if (seen)
      t->after[t->n_after++] = id;
    else
      t->before[t->n_before++] = id;
  }
  return true;
}

static bool read_post(struct lre_tokenizer *t, const cJSON *post, int depth, struct lre_err *err) {
  const char *type = cJSON_GetStringValue(field(post, "type"));
  if (!post || (type && strcmp(type, "ByteLevel") == 0)) return true; /* it moves offsets, not ids */
  if (type && strcmp(type, "TemplateProcessing") == 0) return read_template(t, post, err);
  if (!type || strcmp(type, "Sequence") != 0 || depth > 4)
    return BAD("tokenizer.json: post_processor: type %.40s is not supported", type ? type : "nothing");
  const cJSON *item;
  cJSON_ArrayForEach(item, field(post, "processors")) {
    if (!read_post(t, item, depth + 1, err)) return false;
  }
  return true;
}

static bool read_all(struct lre_tokenizer *t, const cJSON *root, size_t n_vocab, struct lre_err *err) {
  if (!cJSON_IsObject(root)) return BAD("tokenizer.json: expected an object");
  return lre_steps_load(&t->normalizer, field(root, "normalizer"), "normalizer", err) &&
         lre_steps_load(&t->pre, field(root, "pre_tokenizer"), "pre_tokenizer", err) &&
         lre_steps_load(&t->decoder, field(root, "decoder"), "decoder", err) &&
         read_added(t, field(root, "added_tokens"), err) && read_model(t, field(root, "model"), n_vocab, err) &&
         index_added(t, field(field(root, "model"), "vocab"), err) &&
         read_post(t, field(root, "post_processor"), 0, err);
}

struct lre_tokenizer *lre_tokenizer_parse(const char *json, size_t len, size_t n_vocab, struct lre_err *err) {
  struct lre_tokenizer *t = calloc(1, sizeof *t);
  struct lre_json_doc doc;
  struct lre_err why;
  if (!t) {
    lre_err_memory(err);
    return NULL;
  }
  pthread_mutex_init(&t->lock, NULL);
  bool ok = (t->scratch = lre_regex_scratch_new(NULL, err)) != NULL;
  ok = ok && (lre_json_parse(&doc, json, len, NULL, &why) || BAD("tokenizer.json: %s", why.message));
  if (ok) {
    ok = read_all(t, doc.root, n_vocab, err);
    lre_json_free(&doc);
  }
  if (ok) return t;
  lre_tokenizer_free(t);
  return NULL;
}

struct lre_tokenizer *lre_tokenizer_open(const char *folder, size_t n_vocab, struct lre_err *err) {
  struct lre_buf path, text;
  struct lre_tokenizer *t = NULL;
  struct lre_fs_info info;
  lre_buf_init(&path);
  lre_buf_init(&text);
  bool ok = lre_buf_printf(&path, "%s/tokenizer.json", folder) || lre_err_memory(err);
  ok = ok && lre_fs_stat(path.data, &info, err);
  if (ok && info.type != LRE_FS_FILE)
    ok = BAD("%s: tokenizer.json is not there (a tokenizer.model alone is not read)", folder);
  if (ok && lre_fs_read(path.data, MAX_TOKENIZER_BYTES, &text, err))
    t = lre_tokenizer_parse(text.data, text.len, n_vocab, err);
  lre_buf_free(&path);
  lre_buf_free(&text);
  return t;
}

void lre_tokenizer_free(struct lre_tokenizer *t) {
  if (!t) return;
  for (size_t i = 0; i < t->n_added; i++) {
    free(t->added[i].text);
    lre_buf_free(&t->added[i].pattern);
    lre_buf_free(&t->added[i].core);
  }
  free(t->added);
  free(t->added_by_id);
  free(t->before);
  free(t->after);
  pthread_mutex_destroy(&t->lock);
  lre_bpe_free(&t->bpe);
  lre_buf_free(&t->texts);
  lre_steps_free(&t->normalizer);
  lre_steps_free(&t->pre);
  lre_steps_free(&t->decoder);
  lre_regex_scratch_free(t->scratch);
  lre_bpe_scratch_free(&t->words);
  lre_pieces_free(&t->pieces);
  lre_pieces_free(&t->spare);
  free(t);
}
