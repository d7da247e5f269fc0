#include "core/row.h"

#include <stdlib.h>
#include <string.h>

#include "core/json.h"
#include "core/json_span.h"

static const struct lre_json_limits LIMITS = {.max_depth = 128, .bigint_as_string = true};

/* Into `memory` where there is an escape in it. */
static struct lre_row_text text_of(struct lre_json_span value, struct lre_buf *memory) {
  struct lre_row_text none = {NULL, 0};
  if (value.len < 2 || value.s[0] != '"') return none;
  if (!memchr(value.s, '\\', value.len)) return (struct lre_row_text){value.s + 1, value.len - 2};
  size_t at = memory->len;
  if (!lre_json_span_string(value, memory)) return none;
  return (struct lre_row_text){memory->data + at, memory->len - at};
}

static bool is_error(struct lre_json_span response) {
  struct lre_json_span name, value;
  if (response.len < 2 || response.s[0] != '{') return true;
  const char *p = response.s + 1, *end = response.s + response.len;
  while (lre_json_span_member(&p, end, &name, &value)) {
    if (lre_json_span_is(name, "error") && value.s[0] == '{') return true;
  }
  return false;
}

static int64_t integer_of(struct lre_json_span value) {
  char digits[24] = "";
  if (value.len >= sizeof digits) return 0;
  memcpy(digits, value.s, value.len);
  return strtoll(digits, NULL, 10);
}

struct fields {
  struct lre_json_span type, v, key, judge, judge_hash, response_hash, n, response;
};

static struct lre_json_span *field_named(struct fields *f, struct lre_json_span name) {
  static const struct {
    const char *name;
    size_t at;
  } known[] = {{"type", offsetof(struct fields, type)},
               {"v", offsetof(struct fields, v)},
               {"key", offsetof(struct fields, key)},
               {"judge", offsetof(struct fields, judge)},
               {"judge_hash", offsetof(struct fields, judge_hash)},
               {"response_hash", offsetof(struct fields, response_hash)},
               {"n", offsetof(struct fields, n)},
               {"response", offsetof(struct fields, response)}};
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (name.s[0] == known[i].name[0] && lre_json_span_is(name, known[i].name))
      return (struct lre_json_span *)(void *)((char *)f + known[i].at);
  }
  return NULL;
}

static bool is_foreign(struct lre_err *err, const char *what) {
  return lre_err_set(err, "journal", "foreign", "is no row of a run: %s", what);
}

static bool check_version(struct lre_json_span v, struct lre_err *err) {
  int64_t version = v.s ? integer_of(v) : 0;
  if (version > LRE_ROW_VERSION)
    return lre_err_set(err, "journal", "future", "v: expected at most %d, found %lld: written by a newer lre",
                       LRE_ROW_VERSION, (long long)version);
  return version == LRE_ROW_VERSION || is_foreign(err, "v: expected 1");
}

bool lre_row_read(struct lre_row_reader *r, const char *line, size_t len, struct lre_row *row, struct lre_err *err) {
  struct lre_buf *memory = &r->memory;
  struct fields f = {0};
  r->checked.wants_members = true;
  if (!lre_json_check(&r->checked, line, len, &LIMITS, err)) return false;
  if (*lre_json_span_of(line, len).s != '{') return is_foreign(err, "expected an object");
  const struct lre_json_member *members = (const struct lre_json_member *)(const void *)r->checked.members.data;
  for (size_t i = 0; i < r->checked.members.len / sizeof *members; i++) {
    struct lre_json_span *to = field_named(&f, (struct lre_json_span){members[i].name, members[i].name_len});
    if (to) *to = (struct lre_json_span){members[i].value, members[i].value_len};
  }
  if (!check_version(f.v, err)) return false;
  bool is_trial = f.type.s && lre_json_span_is(f.type, "\"trial\"");
  if (!is_trial && !(f.type.s && lre_json_span_is(f.type, "\"verdict\"")))
    return is_foreign(err, "type: expected \"trial\" or \"verdict\"");
  lre_buf_clear(memory);
  if (!lre_buf_reserve(memory, len)) return lre_err_memory(err); /* so that no text in it moves */
  *row = (struct lre_row){.is_verdict = !is_trial, .key = text_of(f.key, memory)};
  if (!row->key.s || row->key.len == 0) return is_foreign(err, "key: expected a string");
  if (is_trial) {
    row->failed = is_error(f.response);
    return true;
  }
  row->judge = text_of(f.judge, memory);
  row->judge_hash = text_of(f.judge_hash, memory);
  row->response_hash = text_of(f.response_hash, memory);
  row->n = f.n.s ? integer_of(f.n) : 1;
  if (!row->judge.s || !row->judge_hash.s) return is_foreign(err, "judge, judge_hash: expected strings");
  return true;
}

void lre_row_reader_free(struct lre_row_reader *r) {
  lre_json_text_free(&r->checked);
  lre_buf_free(&r->memory);
}
