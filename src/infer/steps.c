#include "infer/steps.h"

#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <utf8proc.h>

#define BAD(...) lre_err_set(err, "infer", "tokenizer", __VA_ARGS__)

/* GPT-2's split, which ByteLevel means where it says use_regex. */
static const char gpt2_pattern[] = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";

struct loader {
  struct lre_steps *s;
  const char *where;
  struct lre_err *err;
};

static const char *string_of(const cJSON *json, const char *name) {
  return cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(json, name));
}

static bool truth(const cJSON *json, const char *name, bool fallback) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
  return cJSON_IsBool(item) ? cJSON_IsTrue(item) : fallback;
}

static int whole(const cJSON *json, const char *name) {
  const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
  return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 1e6 ? (int)item->valuedouble : 0;
}

static struct lre_step *add_step(struct loader *l, enum lre_step_kind kind) {
  struct lre_err *err = l->err;
  if (l->s->n == LRE_MAX_STEPS) {
    BAD("tokenizer.json: %s: more than %d steps", l->where, LRE_MAX_STEPS);
    return NULL;
  }
  struct lre_step *step = &l->s->list[l->s->n++];
  memset(step, 0, sizeof *step);
  step->kind = kind;
  lre_buf_init(&step->text);
  lre_buf_init(&step->with);
  return step;
}

static bool set_regex(struct loader *l, struct lre_step *step, const char *pattern) {
  struct lre_err why, *err = l->err;
  step->re = lre_regex_new(pattern, strlen(pattern), 0, &why);
  return step->re || BAD("tokenizer.json: %s: pattern: %s", l->where, why.message);
}

/* { "String": "x" } or { "Regex": "x" }. A literal is kept as text, unless a step needs an expression. */
static bool set_pattern(struct loader *l, struct lre_step *step, const cJSON *json, bool need_regex) {
  struct lre_err *err = l->err;
  const cJSON *pattern = cJSON_GetObjectItemCaseSensitive(json, "pattern");
  const char *literal = string_of(pattern, "String"), *regex = string_of(pattern, "Regex");
  if (regex) return set_regex(l, step, regex);
  if (!literal || !*literal) return BAD("tokenizer.json: %s: pattern: expected String or Regex", l->where);
  if (!need_regex) return lre_buf_puts(&step->text, literal) || lre_err_memory(err);
  struct lre_buf quoted; /* \Q...\E ends at an \E inside */
  lre_buf_init(&quoted);
  for (const char *p = literal; *p; p++) {
    if (!(*p & 0x80) && !strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_ \n\r\t", *p))
      lre_buf_putc(&quoted, '\\');
    lre_buf_putc(&quoted, *p);
  }
  bool ok = quoted.failed ? lre_err_memory(err) : set_regex(l, step, quoted.data);
  lre_buf_free(&quoted);
  return ok;
}

static bool set_split(struct loader *l, struct lre_step *step, const cJSON *json) {
  static const char *const names[] = {"Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"};
  struct lre_err *err = l->err;
  const char *name = string_of(json, "behavior");
  for (int i = 0; name && i < 5; i++) {
    if (strcmp(name, names[i]) != 0) continue;
    step->split = (enum lre_split)i;
    step->invert = truth(json, "invert", false);
    return true;
  }
  return BAD("tokenizer.json: %s: behavior: %.40s is not known", l->where, name ? name : "nothing");
}

static bool add_split(struct loader *l, const char *pattern, enum lre_split split) {
  struct lre_step *step = add_step(l, LRE_STEP_SPLIT);
  if (!step) return false;
  step->split = split;
  return set_regex(l, step, pattern);
}

static bool add_metaspace(struct loader *l, const cJSON *json) {
  struct lre_step *step = add_step(l, LRE_STEP_METASPACE);
  if (!step) return false;
  const char *scheme = string_of(json, "prepend_scheme"), *replacement = string_of(json, "replacement");
  step->scheme = truth(json, "add_prefix_space", true) ? LRE_SCHEME_ALWAYS : LRE_SCHEME_NEVER;
  if (scheme)
    step->scheme = !strcmp(scheme, "never")   ? LRE_SCHEME_NEVER
                   : !strcmp(scheme, "first") ? LRE_SCHEME_FIRST
                                              : LRE_SCHEME_ALWAYS;
  step->invert = truth(json, "split", true); /* pieces begin at each */
  if (!lre_buf_puts(&step->text, replacement ? replacement : "\xe2\x96\x81")) return lre_err_memory(l->err);
  return true;
}

static bool add_byte_level(struct loader *l, const cJSON *json) {
  bool encodes = strcmp(l->where, "pre_tokenizer") == 0;
  struct lre_step *step = add_step(l, LRE_STEP_BYTE_LEVEL);
  if (!step) return false;
  step->flags = encodes && truth(json, "add_prefix_space", true);
  return !encodes || !truth(json, "use_regex", true) || add_split(l, gpt2_pattern, LRE_SPLIT_ISOLATED);
}

static bool add_strip(struct loader *l, const cJSON *json) {
  struct lre_step *step = add_step(l, LRE_STEP_STRIP);
  if (!step) return false;
  const char *content = string_of(json, "content");
  step->left = truth(json, "strip_left", true);
  step->right = truth(json, "strip_right", true);
  step->flags = whole(json, "start");
  step->stop = whole(json, "stop");
  return !content || lre_buf_puts(&step->text, content) || lre_err_memory(l->err);
}

static bool add_replace(struct loader *l, const cJSON *json) {
  struct lre_step *step = add_step(l, LRE_STEP_REPLACE);
  const char *with = string_of(json, "content");
  if (!step || !set_pattern(l, step, json, false)) return false;
  return lre_buf_puts(&step->with, with ? with : "") || lre_err_memory(l->err);
}

static bool add_compose(struct loader *l, const char *type) {
  struct lre_step *step = add_step(l, LRE_STEP_COMPOSE);
  if (!step) return false;
  bool compose = type[strlen(type) - 1] == 'C';
  step->flags = UTF8PROC_STABLE | (compose ? UTF8PROC_COMPOSE : UTF8PROC_DECOMPOSE);
  if (type[2] == 'K') step->flags |= UTF8PROC_COMPAT;
  return true;
}

static bool add_one(struct loader *l, const cJSON *json, const char *type) {
  struct lre_err *err = l->err;
  struct lre_step *step;
  if (!strcmp(type, "NFC") || !strcmp(type, "NFD") || !strcmp(type, "NFKC") || !strcmp(type, "NFKD"))
    return add_compose(l, type);
  if (!strcmp(type, "Replace")) return add_replace(l, json);
  if (!strcmp(type, "Strip")) return add_strip(l, json);
  if (!strcmp(type, "ByteLevel")) return add_byte_level(l, json);
  if (!strcmp(type, "Metaspace")) return add_metaspace(l, json);
  if (!strcmp(type, "ByteFallback")) return add_step(l, LRE_STEP_BYTE_FALLBACK) != NULL;
  if (!strcmp(type, "Fuse")) return add_step(l, LRE_STEP_FUSE) != NULL;
  if (!strcmp(type, "Lowercase")) return add_step(l, LRE_STEP_LOWER) != NULL;
  if (!strcmp(type, "Digits"))
    return add_split(l, truth(json, "individual_digits", false) ? "\\p{N}" : "\\p{N}+", LRE_SPLIT_ISOLATED);
  if (!strcmp(type, "Whitespace"))
    return add_split(l, "\\s+", LRE_SPLIT_REMOVED) && add_split(l, "\\w+|[^\\w\\s]+", LRE_SPLIT_ISOLATED);
  if (!strcmp(type, "WhitespaceSplit")) return add_split(l, "\\s+", LRE_SPLIT_REMOVED);
  if (!strcmp(type, "Prepend")) {
    const char *text = string_of(json, "prepend");
    step = add_step(l, LRE_STEP_PREPEND);
    return step && (lre_buf_puts(&step->text, text ? text : "") || lre_err_memory(err));
  }
  if (!strcmp(type, "Punctuation")) {
    step = add_step(l, LRE_STEP_SPLIT);
    return step && set_split(l, step, json) && set_regex(l, step, "[\\p{P}!-/:-@\\[-`{-~]");
  }
  if (!strcmp(type, "Split")) {
    step = add_step(l, LRE_STEP_SPLIT);
    return step && set_split(l, step, json) && set_pattern(l, step, json, true);
  }
  return BAD("tokenizer.json: %s: type %.60s is not supported", l->where, type);
}

static bool add_all(struct loader *l, const cJSON *json, int depth) {
  struct lre_err *err = l->err;
  const char *type = string_of(json, "type");
  if (!type || depth > 8) return BAD("tokenizer.json: %s: expected an object with a type", l->where);
  if (strcmp(type, "Sequence") != 0) return add_one(l, json, type);
  const cJSON *list = NULL, *item;
  const char *names[] = {"normalizers", "pretokenizers", "decoders"};
  for (int i = 0; i < 3 && !list; i++) list = cJSON_GetObjectItemCaseSensitive(json, names[i]);
  if (!cJSON_IsArray(list)) return BAD("tokenizer.json: %s: a Sequence without its list", l->where);
  cJSON_ArrayForEach(item, list) {
    if (!add_all(l, item, depth + 1)) return false;
  }
  return true;
}

bool lre_steps_load(struct lre_steps *s, const cJSON *json, const char *where, struct lre_err *err) {
  struct loader l = {s, where, err};
  s->n = 0;
  return !json || cJSON_IsNull(json) || add_all(&l, json, 0);
}

void lre_steps_free(struct lre_steps *s) {
  for (size_t i = 0; i < s->n; i++) {
    lre_buf_free(&s->list[i].text);
    lre_buf_free(&s->list[i].with);
    lre_regex_free(s->list[i].re);
  }
  s->n = 0;
}

bool lre_steps_have(const struct lre_steps *s, enum lre_step_kind kind) {
  for (size_t i = 0; i < s->n; i++)
    if (s->list[i].kind == kind) return true;
  return false;
}

void lre_pieces_clear(struct lre_pieces *p) {
  lre_buf_clear(&p->text);
  p->n = 0;
  p->failed = false;
}

void lre_pieces_end(struct lre_pieces *p) {
  if (p->n == p->cap) {
    size_t cap = p->cap ? 2 * p->cap : 64;
    size_t *grown = realloc(p->ends, cap * sizeof *grown);
    if (!grown) {
      p->failed = true;
      return;
    }
    p->ends = grown, p->cap = cap;
  }
  p->ends[p->n++] = p->text.len;
}

void lre_pieces_free(struct lre_pieces *p) {
  lre_buf_free(&p->text);
  free(p->ends);
  p->ends = NULL, p->n = p->cap = 0;
}

uint32_t lre_steps_next_char(const char **s, const char *end) {
  utf8proc_int32_t c;
  utf8proc_ssize_t n = utf8proc_iterate((const utf8proc_uint8_t *)*s, end - *s, &c);
  if (n <= 0) return (unsigned char)*(*s)++;
  *s += n;
  return (uint32_t)c;
}

/* GPT-2's bytes_to_unicode: printable bytes are themselves, the others 256 and up in order. */
int lre_steps_byte_of(uint32_t c) {
  if ((c >= '!' && c <= '~') || (c >= 0xa1 && c <= 0xac) || (c >= 0xae && c <= 0xff)) return (int)c;
  if (c < 256 || c > 323) return -1;
  c -= 256;
  return c < 33 ? (int)c : c < 67 ? (int)(c - 33 + 127) : 0xad;
}
