#include "core/parquet.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/fs.h"

/* A group of rows is written when it has so many bytes or rows: it bounds what a writer, and a reader, holds. */
enum { GROUP_BYTES = 4 << 20, GROUP_ROWS = 1 << 17 };

static const char MAGIC[] = "PAR1";

/* parquet.thrift's numbers */
enum { T_BOOLEAN = 0, T_INT64 = 2, T_DOUBLE = 5, T_BYTE_ARRAY = 6 };
enum { E_PLAIN = 0, E_RLE = 3 };
enum { OPTIONAL = 1, UTF8 = 0, UNCOMPRESSED = 0, DATA_PAGE = 0 };
/* thrift's compact protocol */
enum { I32 = 5, I64 = 6, BINARY = 8, LIST = 9, STRUCT = 12 };

struct column {
  char *name;
  enum lre_cell_type type;
  struct lre_buf values;  /* of this group, PLAIN */
  struct lre_buf present; /* a bit a row */
  uint32_t n_values;      /* that are not null */
};

struct lre_parquet {
  struct lre_fs_out *out;
  struct column *columns;
  size_t n;
  uint64_t written; /* bytes */
  uint64_t rows, group_rows;
  struct lre_buf groups; /* thrift of the row groups so far */
  size_t n_groups;
};

/* ---- thrift ---- */

static void put_varint(struct lre_buf *b, uint64_t v) {
  for (; v >= 0x80; v >>= 7) lre_buf_putc(b, (char)(v | 0x80));
  lre_buf_putc(b, (char)v);
}

static void put_zigzag(struct lre_buf *b, int64_t v) {
  put_varint(b, ((uint64_t)v << 1) ^ (uint64_t)(v >> 63));
}

/* *last: the id of the field before in the same struct. All ids here ascend by less than 16. */
static void put_field(struct lre_buf *b, int *last, int id, int type) {
  lre_buf_putc(b, (char)((id - *last) << 4 | type));
  *last = id;
}

static void put_i32(struct lre_buf *b, int *last, int id, int64_t v) {
  put_field(b, last, id, I32);
  put_zigzag(b, v);
}

static void put_i64(struct lre_buf *b, int *last, int id, uint64_t v) {
  put_field(b, last, id, I64);
  put_zigzag(b, (int64_t)v);
}

static void put_bytes(struct lre_buf *b, const char *s, size_t len) {
  put_varint(b, len);
  lre_buf_put(b, s, len);
}

static void put_list(struct lre_buf *b, int *last, int id, size_t n, int type) {
  put_field(b, last, id, LIST);
  if (n < 15) {
    lre_buf_putc(b, (char)(n << 4 | (unsigned)type));
    return;
  }
  lre_buf_putc(b, (char)(0xF0 | type));
  put_varint(b, n);
}

static void put_stop(struct lre_buf *b) {
  lre_buf_putc(b, 0);
}

/* ---- pages ---- */

static int physical_type(enum lre_cell_type type) {
  switch (type) {
  case LRE_CELL_BOOL:
    return T_BOOLEAN;
  case LRE_CELL_INT:
    return T_INT64;
  case LRE_CELL_FLOAT:
    return T_DOUBLE;
  default:
    return T_BYTE_ARRAY;
  }
}

static void put_little_endian(struct lre_buf *b, uint64_t v, int bytes) {
  for (int i = 0; i < bytes; i++) lre_buf_putc(b, (char)(v >> (8 * i)));
}

static void put_bit(struct lre_buf *b, uint64_t index, bool bit) {
  if (index % 8 == 0) lre_buf_putc(b, 0);
  if (bit && !b->failed) b->data[b->len - 1] = (char)(b->data[b->len - 1] | 1 << (index % 8));
}

/* Definition levels (0: null) as RLE/bit-packing hybrid of width 1, behind their length. */
static void put_levels(struct lre_buf *b, const struct column *c, uint64_t rows) {
  struct lre_buf levels;
  lre_buf_init(&levels);
  if (c->n_values == rows || c->n_values == 0) {
    put_varint(&levels, rows << 1);
    lre_buf_putc(&levels, c->n_values > 0);
  } else {
    put_varint(&levels, c->present.len << 1 | 1);
    lre_buf_put(&levels, c->present.data, c->present.len);
  }
  put_little_endian(b, levels.len, 4);
  lre_buf_put(b, levels.data, levels.len);
  if (levels.failed) b->failed = true;
  lre_buf_free(&levels);
}

static void put_page_header(struct lre_buf *b, uint64_t rows, size_t bytes) {
  int last = 0, inner = 0;
  put_i32(b, &last, 1, DATA_PAGE);
  put_i32(b, &last, 2, (int64_t)bytes);
  put_i32(b, &last, 3, (int64_t)bytes);
  put_field(b, &last, 5, STRUCT);
  put_i32(b, &inner, 1, (int64_t)rows);
  put_i32(b, &inner, 2, E_PLAIN);
  put_i32(b, &inner, 3, E_RLE);
  put_i32(b, &inner, 4, E_RLE);
  put_stop(b);
  put_stop(b);
}

static bool put_out(struct lre_parquet *p, const char *data, size_t len, struct lre_err *err) {
  p->written += len;
  return lre_fs_out_put(p->out, data, len, err);
}

/* One page a column and group. *bytes: header and page. */
static bool write_page(struct lre_parquet *p, struct column *c, size_t *bytes, struct lre_err *err) {
  struct lre_buf head, levels;
  lre_buf_init(&head);
  lre_buf_init(&levels);
  put_levels(&levels, c, p->group_rows);
  size_t page = levels.len + c->values.len;
  bool ok = page <= INT32_MAX || lre_err_set(err, "limit", "too_large", "column %s: over 2 GiB in one group", c->name);
  put_page_header(&head, p->group_rows, page);
  if (ok && (head.failed || levels.failed)) ok = lre_err_memory(err);
  ok = ok && put_out(p, head.data, head.len, err) && put_out(p, levels.data, levels.len, err) &&
       (c->values.len == 0 || put_out(p, c->values.data, c->values.len, err));
  *bytes = head.len + page;
  lre_buf_free(&head);
  lre_buf_free(&levels);
  return ok;
}

static void put_chunk(struct lre_buf *b, const struct column *c, uint64_t rows, uint64_t offset, size_t bytes) {
  int last = 0, inner = 0;
  put_i64(b, &last, 2, offset);
  put_field(b, &last, 3, STRUCT);
  put_i32(b, &inner, 1, physical_type(c->type));
  put_list(b, &inner, 2, 2, I32);
  put_zigzag(b, E_PLAIN);
  put_zigzag(b, E_RLE);
  put_list(b, &inner, 3, 1, BINARY);
  put_bytes(b, c->name, strlen(c->name));
  put_i32(b, &inner, 4, UNCOMPRESSED);
  put_i64(b, &inner, 5, rows);
  put_i64(b, &inner, 6, bytes);
  put_i64(b, &inner, 7, bytes);
  put_i64(b, &inner, 9, offset);
  put_stop(b);
  put_stop(b);
}

static bool write_group(struct lre_parquet *p, struct lre_err *err) {
  int last = 0;
  uint64_t total = 0;
  if (p->group_rows == 0) return true;
  put_list(&p->groups, &last, 1, p->n, STRUCT);
  for (size_t i = 0; i < p->n; i++) {
    uint64_t offset = p->written;
    size_t bytes = 0;
    struct column *c = &p->columns[i];
    if (!write_page(p, c, &bytes, err)) return false;
    put_chunk(&p->groups, c, p->group_rows, offset, bytes);
    total += bytes;
    lre_buf_clear(&c->values);
    lre_buf_clear(&c->present);
    c->n_values = 0;
  }
  put_i64(&p->groups, &last, 2, total);
  put_i64(&p->groups, &last, 3, p->group_rows);
  put_stop(&p->groups);
  p->n_groups++;
  p->rows += p->group_rows;
  p->group_rows = 0;
  return !p->groups.failed || lre_err_memory(err);
}

/* ---- the footer ---- */

static void put_schema(struct lre_buf *b, const struct lre_parquet *p) {
  int root = 0;
  put_field(b, &root, 4, BINARY);
  put_bytes(b, "trials", 6);
  put_i32(b, &root, 5, (int64_t)p->n);
  put_stop(b);
  for (size_t i = 0; i < p->n; i++) {
    const struct column *c = &p->columns[i];
    int last = 0, inner = 0;
    put_i32(b, &last, 1, physical_type(c->type));
    put_i32(b, &last, 3, OPTIONAL);
    put_field(b, &last, 4, BINARY);
    put_bytes(b, c->name, strlen(c->name));
    if (c->type == LRE_CELL_TEXT) {
      put_i32(b, &last, 6, UTF8);
      put_field(b, &last, 10, STRUCT); /* LogicalType: STRING */
      put_field(b, &inner, 1, STRUCT);
      put_stop(b);
      put_stop(b);
    }
    put_stop(b);
  }
}

static bool write_footer(struct lre_parquet *p, struct lre_err *err) {
  struct lre_buf b;
  int last = 0;
  lre_buf_init(&b);
  put_i32(&b, &last, 1, 2);
  put_list(&b, &last, 2, p->n + 1, STRUCT);
  put_schema(&b, p);
  put_i64(&b, &last, 3, p->rows);
  put_list(&b, &last, 4, p->n_groups, STRUCT);
  lre_buf_put(&b, p->groups.data, p->groups.len);
  put_field(&b, &last, 6, BINARY);
  put_bytes(&b, "lre", 3);
  put_stop(&b);
  put_little_endian(&b, b.len, 4);
  lre_buf_put(&b, MAGIC, 4);
  bool ok = b.failed ? lre_err_memory(err) : put_out(p, b.data, b.len, err);
  lre_buf_free(&b);
  return ok;
}

/* ---- */

static void free_writer(struct lre_parquet *p) {
  for (size_t i = 0; i < p->n && p->columns; i++) {
    free(p->columns[i].name);
    lre_buf_free(&p->columns[i].values);
    lre_buf_free(&p->columns[i].present);
  }
  free(p->columns);
  lre_buf_free(&p->groups);
  free(p);
}

struct lre_parquet *lre_parquet_open(const char *path, const struct lre_parquet_column *columns, size_t n,
                                     struct lre_err *err) {
  struct lre_parquet *p = calloc(1, sizeof *p);
  bool ok = p != NULL;
  if (ok) {
    p->n = n;
    p->columns = calloc(n, sizeof *p->columns);
    lre_buf_init(&p->groups);
    ok = p->columns != NULL;
  }
  for (size_t i = 0; ok && i < n; i++) {
    struct column *c = &p->columns[i];
    c->type = columns[i].type;
    lre_buf_init(&c->values);
    lre_buf_init(&c->present);
    c->name = strdup(columns[i].name);
    ok = c->name != NULL;
  }
  if (!ok)
    lre_err_memory(err);
  else
    ok = (p->out = lre_fs_out_open(path, err)) && put_out(p, MAGIC, 4, err);
  if (ok) return p;
  lre_parquet_abort(p);
  return NULL;
}

static void put_cell(struct column *c, const struct lre_cell *cell) {
  uint64_t bits;
  switch (c->type) {
  case LRE_CELL_BOOL:
    put_bit(&c->values, c->n_values, cell->as.yes);
    break;
  case LRE_CELL_INT:
    put_little_endian(&c->values, (uint64_t)cell->as.integer, 8);
    break;
  case LRE_CELL_FLOAT:
    memcpy(&bits, &cell->as.number, sizeof bits);
    put_little_endian(&c->values, bits, 8);
    break;
  default:
    put_little_endian(&c->values, cell->as.text.len, 4);
    lre_buf_put(&c->values, cell->as.text.s, cell->as.text.len);
  }
  c->n_values++;
}

bool lre_parquet_row(struct lre_parquet *p, const struct lre_cell *cells, struct lre_err *err) {
  size_t bytes = 0;
  for (size_t i = 0; i < p->n; i++) {
    struct column *c = &p->columns[i];
    put_bit(&c->present, p->group_rows, cells[i].type != LRE_CELL_NONE);
    if (cells[i].type != LRE_CELL_NONE) put_cell(c, &cells[i]);
    if (c->values.failed || c->present.failed) return lre_err_memory(err);
    bytes += c->values.len;
  }
  p->group_rows++;
  return (bytes < GROUP_BYTES && p->group_rows < GROUP_ROWS) || write_group(p, err);
}

bool lre_parquet_commit(struct lre_parquet *p, struct lre_err *err) {
  bool ok = write_group(p, err) && write_footer(p, err);
  if (ok)
    ok = lre_fs_out_commit(p->out, err);
  else
    lre_fs_out_abort(p->out);
  free_writer(p);
  return ok;
}

void lre_parquet_abort(struct lre_parquet *p) {
  if (!p) return;
  lre_fs_out_abort(p->out);
  free_writer(p);
}
