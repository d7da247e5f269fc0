#include "core/table.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/buf.h"
#include "core/hash.h"
#include "core/json_span.h"
#include "core/table_out.h"

struct left_out {
  const char *const *names;
  size_t n;
  size_t skip;           /* bytes of the name in hand that the names do not begin with */
  uint64_t lengths[256]; /* by first byte, a bit for each length modulo 64: nearly every name is told by it */
};

static void fill_left_out(struct left_out *out, const char *const *names, size_t n) {
  *out = (struct left_out){.names = names, .n = n};
  for (size_t i = 0; i < n; i++) out->lengths[(unsigned char)names[i][0]] |= UINT64_C(1) << (strlen(names[i]) % 64);
}

struct column {
  char *name;
  unsigned seen; /* a bit for each lre_cell_type */
  size_t place;  /* in the file */
};

/* A part of the journal. Rows that are asked for one after the other mostly lie so, too: then many are read at once. */
struct window {
  struct lre_buf bytes;
  uint64_t at; /* where they are from */
};
enum { WINDOW_BYTES = 64 << 10 };

struct table {
  const struct lre_table_spec *spec;
  int fd; /* the journal */
  struct left_out out_trial, out_verdict;
  int64_t *judges;
  struct column *columns; /* in the order in which they were met */
  size_t n, cap, hint;    /* hint: where the next name probably is: rows are alike */
  bool filling;           /* else it is only looked what columns there are */
  struct lre_buf name;    /* of the field that is walked */
  struct lre_buf scratch;
  struct window trials, verdicts;
  struct lre_table_row row; /* in hand, by place */
  enum lre_cell_type *types;
};

/* ---- columns ---- */

static bool is_column(const struct table *t, size_t i) {
  return i < t->n && strcmp(t->columns[i].name, t->name.data) == 0;
}

static struct column *add_column(struct table *t, struct lre_err *err) {
  if (t->n == t->cap) {
    size_t cap = t->cap ? 2 * t->cap : 64;
    struct column *more = realloc(t->columns, cap * sizeof *more);
    if (!more) {
      lre_err_memory(err);
      return NULL;
    }
    t->columns = more;
    t->cap = cap;
  }
  char *name = strdup(t->name.data);
  if (!name) {
    lre_err_memory(err);
    return NULL;
  }
  t->columns[t->n] = (struct column){.name = name};
  return &t->columns[t->n++];
}

/* The column of the name in hand; NULL: err. */
static struct column *find_column(struct table *t, struct lre_err *err) {
  if (!is_column(t, t->hint)) {
    for (t->hint = 0; t->hint < t->n && !is_column(t, t->hint);) t->hint++;
  }
  if (t->hint == t->n) return add_column(t, err);
  return &t->columns[t->hint++];
}

static int by_name(const void *a, const void *b) {
  const struct column *const *x = a, *const *y = b;
  int key = strcmp((*y)->name, "key") == 0 ? 1 : 0;
  key -= strcmp((*x)->name, "key") == 0 ? 1 : 0;
  return key ? key : strcmp((*x)->name, (*y)->name);
}

static enum lre_cell_type type_of(unsigned seen) {
  if (seen == 1u << LRE_CELL_BOOL) return LRE_CELL_BOOL;
  if (seen == 1u << LRE_CELL_INT) return LRE_CELL_INT;
  if (seen && !(seen & ~(1u << LRE_CELL_INT | 1u << LRE_CELL_FLOAT))) return LRE_CELL_FLOAT;
  return LRE_CELL_TEXT;
}

/* ---- one field ---- */

static bool is_left_out(const struct table *t, const struct left_out *out) {
  const char *name = t->name.data + out->skip;
  if (!(out->lengths[(unsigned char)name[0]] >> ((t->name.len - out->skip) % 64) & 1)) return false;
  for (size_t i = 0; i < out->n; i++) {
    if (name[0] == out->names[i][0] && strcmp(name, out->names[i]) == 0) return true;
  }
  return false;
}

/* Goes one member down: its name joins the one in hand. False: no memory. */
static bool enter(struct table *t, struct lre_json_span name) {
  if (t->name.len > 0) lre_buf_putc(&t->name, '.');
  return lre_buf_put(&t->name, name.s, name.len);
}

static void leave(struct table *t, size_t base) {
  t->name.len = base;
  t->name.data[base] = '\0';
}

/* Copies a list without what is left out of the objects in it. */
static bool copy_value(struct table *t, struct lre_json_span value, const struct left_out *out, struct lre_err *err) {
  struct lre_buf *b = t->row.texts;
  struct lre_json_span name, inner;
  const char *p = value.s + 1, *end = value.s + value.len;
  size_t base = t->name.len, n = 0;
  bool ok = true;
  if (value.s[0] == '[') {
    lre_buf_putc(b, '[');
    for (; ok && lre_json_span_element(&p, end, &inner); n++) {
      if (n > 0) lre_buf_putc(b, ',');
      ok = copy_value(t, inner, out, err);
    }
    return ok && (lre_buf_putc(b, ']') || lre_err_memory(err));
  }
  if (value.s[0] != '{') return lre_buf_put(b, value.s, value.len) || lre_err_memory(err);
  lre_buf_putc(b, '{');
  while (ok && lre_json_span_member(&p, end, &name, &inner)) {
    if (!enter(t, name)) return lre_err_memory(err);
    if (!is_left_out(t, out)) {
      if (n++ > 0) lre_buf_putc(b, ',');
      lre_buf_put(b, name.s - 1, name.len + 2);
      lre_buf_putc(b, ':');
      ok = copy_value(t, inner, out, err);
    }
    leave(t, base);
  }
  return ok && (lre_buf_putc(b, '}') || lre_err_memory(err));
}

static enum lre_cell_type cell_type(struct lre_json_span value) {
  char c = value.s[0];
  if (c == 't' || c == 'f') return LRE_CELL_BOOL;
  if (c == '-' || (c >= '0' && c <= '9')) return lre_json_span_is_float(value) ? LRE_CELL_FLOAT : LRE_CELL_INT;
  return LRE_CELL_TEXT;
}

static int64_t integer_of(struct lre_json_span value) {
  char digits[32];
  size_t len = value.len < sizeof digits - 1 ? value.len : sizeof digits - 1;
  memcpy(digits, value.s, len);
  digits[len] = '\0';
  return strtoll(digits, NULL, 10);
}

static bool fill_cell(struct table *t, size_t place, struct lre_json_span value, const struct left_out *out,
                      struct lre_err *err) {
  struct lre_cell *cell = &t->row.cells[place];
  struct lre_buf *texts = t->row.texts;
  cell->type = t->types[place];
  if (cell->type == LRE_CELL_BOOL) {
    cell->as.yes = value.s[0] == 't';
  } else if (cell->type == LRE_CELL_INT) {
    cell->as.integer = integer_of(value);
  } else if (cell->type == LRE_CELL_FLOAT) {
    cell->as.number = lre_json_span_is_float(value) ? lre_json_span_double(value) : (double)integer_of(value);
  } else {
    t->row.text_at[place] = texts->len;
    if (value.s[0] == '[' && !copy_value(t, value, out, err)) return false;
    if (value.s[0] != '[' && !lre_json_span_string(value, texts)) lre_buf_put(texts, value.s, value.len);
    cell->as.text.len = texts->len - t->row.text_at[place];
  }
  return !texts->failed || lre_err_memory(err);
}

static bool take_leaf(struct table *t, struct lre_json_span value, const struct left_out *out, struct lre_err *err) {
  struct column *c = find_column(t, err);
  if (!c) return false;
  unsigned seen = c->seen | 1u << cell_type(value);
  t->filling = t->filling && c->seen && type_of(seen) == t->types[c->place];
  c->seen = seen;
  return !t->filling || fill_cell(t, c->place, value, out, err);
}

/* Members of an object under the name in hand. Null, and a list without elements, is no value. */
static bool walk(struct table *t, struct lre_json_span object, const struct left_out *out, struct lre_err *err) {
  size_t base = t->name.len;
  struct lre_json_span name, value;
  const char *p = object.s + 1, *end = object.s + object.len;
  while (lre_json_span_member(&p, end, &name, &value)) {
    if (!enter(t, name)) return lre_err_memory(err);
    bool none = lre_json_span_is(value, "null") || lre_json_span_is(value, "[]") || is_left_out(t, out);
    bool ok = none || (value.s[0] == '{' ? walk(t, value, out, err) : take_leaf(t, value, out, err));
    if (!ok) return false;
    leave(t, base);
  }
  return true;
}

/* The member of an object with a name; {NULL} where it has none. */
static struct lre_json_span member(struct lre_json_span object, const char *wanted) {
  struct lre_json_span name, value;
  const char *p = object.s + 1, *end = object.s + object.len;
  if (!object.s || object.s[0] != '{') return (struct lre_json_span){NULL, 0};
  while (lre_json_span_member(&p, end, &name, &value)) {
    if (lre_json_span_is(name, wanted)) return value;
  }
  return (struct lre_json_span){NULL, 0};
}

/* ---- one row ---- */

static bool holds(const struct window *w, struct lre_store_place place) {
  return place.at >= w->at && place.at - w->at <= w->bytes.len && place.size <= w->bytes.len - (place.at - w->at);
}

static bool fill_window(const struct table *t, struct window *w, struct lre_store_place place, struct lre_err *err) {
  bool onward = place.at >= w->at && place.at - w->at < w->bytes.len + WINDOW_BYTES;
  size_t want = (size_t)place.size;
  if (onward && want < WINDOW_BYTES) want = WINDOW_BYTES;
  lre_buf_clear(&w->bytes);
  w->at = place.at;
  if (!lre_buf_reserve(&w->bytes, want)) return lre_err_memory(err);
  while (w->bytes.len < place.size) {
    ssize_t n = pread(t->fd, w->bytes.data + w->bytes.len, want - w->bytes.len, (off_t)(place.at + w->bytes.len));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return lre_err_errno(err, n < 0 ? errno : EIO, "cannot read the journal");
    w->bytes.len += (size_t)n;
  }
  return true;
}

/* The index has only rows that lre_row_read took. */
static bool read_line(const struct table *t, struct window *w, struct lre_store_place place, struct lre_json_span *row,
                      struct lre_err *err) {
  if (!holds(w, place) && !fill_window(t, w, place, err)) return false;
  *row = lre_json_span_of(w->bytes.data + (place.at - w->at), (size_t)place.size);
  return true;
}

/* What a verdict's response_hash is made of: see rundir.response_hash. Rows are canonical, so parts of them are. */
static bool hash_response(struct lre_json_span trial, struct lre_buf *b, char hex[LRE_HASH_HEX_BYTES],
                          struct lre_err *err) {
  struct lre_json_span response = member(trial, "response");
  struct lre_json_span text = member(response, "text"), reason = member(response, "finish_reason");
  uint8_t digest[LRE_HASH_BYTES];
  lre_buf_clear(b);
  lre_buf_putc(b, '{');
  if (reason.s && reason.s[0] == '"') {
    lre_buf_puts(b, "\"finish_reason\":");
    lre_buf_put(b, reason.s, reason.len);
    lre_buf_putc(b, ',');
  }
  lre_buf_puts(b, "\"text\":");
  lre_buf_put(b, text.s ? text.s : "\"\"", text.s ? text.len : 2);
  if (!lre_buf_putc(b, '}') || !lre_hash_sha256(b->data, b->len, digest)) return lre_err_memory(err);
  lre_hash_hex(digest, hex);
  return true;
}

static const struct lre_table_judge *judge_of(const struct table *t, int64_t id) {
  for (size_t i = 0; i < t->spec->n_judges; i++) {
    if (t->judges[i] == id) return &t->spec->judges[i];
  }
  return NULL;
}

/* Is there a later verdict of a judge of the same name? Then that one speaks for both. */
static bool is_followed(const struct table *t, const struct lre_store_trial *trial, const struct lre_store_verdict *v) {
  const struct lre_table_judge *judge = judge_of(t, v->judge);
  for (size_t i = 0; judge && i < trial->n_verdicts; i++) {
    const struct lre_store_verdict *other = &trial->verdicts[i];
    const struct lre_table_judge *its = other->judge != v->judge ? judge_of(t, other->judge) : NULL;
    bool later = its && other->n == v->n && other->place.at > v->place.at;
    if (later && strcmp(its->name, judge->name) == 0) return true;
  }
  return false;
}

static bool take_verdict(struct table *t, const struct lre_store_verdict *v, const char *response_hash,
                         struct lre_err *err) {
  struct lre_json_span row, about;
  const struct lre_table_judge *judge = judge_of(t, v->judge);
  if (!judge) return true;
  if (!read_line(t, &t->verdicts, v->place, &row, err)) return false;
  about = member(row, "response_hash");
  if (about.len != LRE_HASH_HEX_BYTES + 1 || memcmp(about.s + 1, response_hash, about.len - 2) != 0) return true;
  lre_buf_clear(&t->name);
  lre_buf_printf(&t->name, "verdicts.%s", judge->name);
  if (v->n > 1) lre_buf_printf(&t->name, "#%lld", (long long)v->n);
  if (t->name.failed) return lre_err_memory(err);
  t->out_verdict.skip = t->name.len + 1;
  return walk(t, row, &t->out_verdict, err);
}

static bool take_trial(struct table *t, const struct lre_store_trial *trial, struct lre_err *err) {
  struct lre_json_span row;
  char response_hash[LRE_HASH_HEX_BYTES] = "";
  if (!read_line(t, &t->trials, trial->place, &row, err)) return false;
  lre_buf_clear(&t->name);
  t->hint = 0;
  if (!walk(t, row, &t->out_trial, err)) return false;
  if (trial->failed || trial->n_verdicts == 0) return true;
  bool ok = hash_response(row, &t->scratch, response_hash, err);
  for (size_t i = 0; ok && i < trial->n_verdicts; i++) {
    const struct lre_store_verdict *v = &trial->verdicts[i];
    ok = is_followed(t, trial, v) || take_verdict(t, v, response_hash, err);
  }
  return ok;
}

/* ---- the files ---- */

/* Columns are known when all rows were seen. Rows are mostly alike: what the first ones have is believed, and the files
 * are begun with it. A row that has more ends that: then the other rows are only looked at, and the files begun anew.
 */
enum { LOOKED_AT = 256 };

/* Each trial in the order of the keys, or the first `most` of them. Without t->filling they are only looked at, and so
 * are those that follow a row which the columns do not fit. */
static bool pass(struct table *t, struct lre_store *s, struct lre_table_out *out, size_t most, struct lre_err *err) {
  struct lre_store_walk *w = lre_store_walk_open(s, err);
  struct lre_store_trial trial;
  int got = w ? 1 : -1;
  while (got == 1 && most-- > 0 && (got = lre_store_walk_next(w, &trial, err)) == 1) {
    bool ok = !t->filling || lre_table_out_next(out, &t->row, err);
    ok = ok && take_trial(t, &trial, err);
    if (ok && t->filling) lre_table_out_add(out);
    if (!ok) got = -1;
  }
  lre_store_walk_close(w);
  return got >= 0;
}

/* Sorts the columns; fills what is to be known of them when rows are written. */
static bool settle(struct table *t, struct lre_parquet_column **out, struct lre_err *err) {
  struct column **order = malloc((t->n + 1) * sizeof *order);
  free(t->types);
  *out = calloc(t->n + 1, sizeof **out);
  t->types = calloc(t->n + 1, sizeof *t->types);
  bool ok = order && *out && t->types;
  if (ok) {
    for (size_t i = 0; i < t->n; i++) order[i] = &t->columns[i];
    qsort(order, t->n, sizeof *order, by_name);
    for (size_t i = 0; i < t->n; i++) {
      order[i]->place = i;
      t->types[i] = type_of(order[i]->seen);
      (*out)[i] = (struct lre_parquet_column){order[i]->name, t->types[i]};
    }
    t->filling = true;
  }
  free(order);
  return ok || lre_err_memory(err);
}

/* t->filling is false afterwards where the columns did not fit. Then no file is written. */
static bool write_files(struct table *t, struct lre_store *s, const char *csv, const char *parquet,
                        struct lre_err *err) {
  static const struct lre_parquet_column no_trials = {"key", LRE_CELL_TEXT};
  struct lre_parquet_column *columns = NULL;
  struct lre_table_out *out = NULL;
  bool ok = settle(t, &columns, err);
  if (ok) out = lre_table_out_open(csv, parquet, t->n ? columns : &no_trials, t->n ? t->n : 1, err);
  ok = out && pass(t, s, out, SIZE_MAX, err);
  free(columns);
  if (ok && t->filling) return lre_table_out_commit(out, err);
  lre_table_out_abort(out);
  return ok;
}

static bool number_judges(struct table *t, struct lre_store *s, struct lre_err *err) {
  t->judges = calloc(t->spec->n_judges + 1, sizeof *t->judges);
  if (!t->judges) return lre_err_memory(err);
  for (size_t i = 0; i < t->spec->n_judges; i++) {
    t->judges[i] = lre_store_judge(s, t->spec->judges[i].name, t->spec->judges[i].hash, err);
    if (t->judges[i] < 0) return false;
    if (t->judges[i] == 0) t->judges[i] = -1; /* none of its verdicts is there */
  }
  return true;
}

bool lre_table_write(struct lre_store *s, const char *journal, const struct lre_table_spec *spec, const char *csv,
                     const char *parquet, struct lre_err *err) {
  struct table t = {.spec = spec};
  fill_left_out(&t.out_trial, spec->left_out, spec->n_left_out);
  fill_left_out(&t.out_verdict, spec->left_out_verdict, spec->n_left_out_verdict);
  lre_buf_init(&t.name);
  lre_buf_init(&t.trials.bytes);
  lre_buf_init(&t.verdicts.bytes);
  lre_buf_init(&t.scratch);
  t.fd = open(journal, O_RDONLY | O_CLOEXEC);
  bool ok = t.fd >= 0 || lre_err_errno(err, errno, "cannot open %s", journal);
  ok = ok && number_judges(&t, s, err) && pass(&t, s, NULL, LOOKED_AT, err);
  while (ok && !t.filling) ok = write_files(&t, s, csv, parquet, err); /* twice at most */
  if (t.fd >= 0) close(t.fd);
  for (size_t i = 0; i < t.n; i++) free(t.columns[i].name);
  free(t.columns);
  free(t.types);
  free(t.judges);
  lre_buf_free(&t.name);
  lre_buf_free(&t.trials.bytes);
  lre_buf_free(&t.verdicts.bytes);
  lre_buf_free(&t.scratch);
  return ok;
}
