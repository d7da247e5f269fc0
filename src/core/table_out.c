#include "core/table_out.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/csv.h"
#include "core/fs.h"
#include "core/json.h"
#include "core/thread.h"

/* A batch is handed over when it has so much; a table may have thousands of columns, and a text 16 MiB. */
enum { BATCH_CELLS = 8192, BATCH_TEXT_BYTES = 256 << 10 };

struct batch {
  struct lre_cell *cells; /* [room * n] */
  size_t *text_at;
  struct lre_buf texts;
  size_t rows;
  bool full; /* the thread's turn; else the caller's */
};

struct lre_table_out {
  size_t n, room; /* columns; rows that a batch has room for */
  struct lre_fs_out *csv;
  struct lre_parquet *parquet;
  struct lre_buf record;   /* the thread's */
  struct batch batches[2]; /* filled and emptied in turn */
  size_t at;               /* the caller's batch */
  size_t text_mark;        /* its texts, without those of the row in hand */
  pthread_t thread;
  bool has_thread;
  pthread_mutex_t mutex;
  pthread_cond_t handed;
  bool ended, failed; /* no more batches; the thread met err */
  struct lre_err err;
};

/* ---- the thread ---- */

static bool put_csv_cell(struct lre_buf *b, const struct lre_cell *cell, struct lre_err *err) {
  switch (cell->type) {
  case LRE_CELL_BOOL:
    return lre_buf_puts(b, cell->as.yes ? "true" : "false");
  case LRE_CELL_INT:
    return lre_json_put_int(b, cell->as.integer);
  case LRE_CELL_FLOAT:
    return lre_json_put_double(b, cell->as.number, err);
  case LRE_CELL_TEXT: /* "" is an empty text; nothing is no value */
    return cell->as.text.len ? lre_csv_put(b, cell->as.text.s, cell->as.text.len) : lre_buf_puts(b, "\"\"");
  default:
    return true;
  }
}

static bool write_row(struct lre_table_out *out, const struct batch *b, size_t row, struct lre_err *err) {
  struct lre_cell *cells = b->cells + row * out->n;
  lre_buf_clear(&out->record);
  for (size_t i = 0; i < out->n; i++) {
    if (cells[i].type == LRE_CELL_TEXT) cells[i].as.text.s = b->texts.data + b->text_at[row * out->n + i];
    if (i > 0) lre_buf_putc(&out->record, ',');
    if (!put_csv_cell(&out->record, &cells[i], err)) return false;
  }
  if (!lre_buf_putc(&out->record, '\n')) return lre_err_memory(err);
  return lre_fs_out_put(out->csv, out->record.data, out->record.len, err) && lre_parquet_row(out->parquet, cells, err);
}

static bool write_batch(struct lre_table_out *out, const struct batch *b, struct lre_err *err) {
  for (size_t row = 0; row < b->rows; row++) {
    if (!write_row(out, b, row, err)) return false;
  }
  return true;
}

static void *run_thread(void *arg) {
  struct lre_table_out *out = arg;
  struct lre_err err;
  pthread_mutex_lock(&out->mutex);
  for (size_t i = 0;; i = 1 - i) {
    struct batch *b = &out->batches[i];
    while (!b->full && !out->ended) pthread_cond_wait(&out->handed, &out->mutex);
    if (!b->full) break;
    pthread_mutex_unlock(&out->mutex);
    bool ok = out->failed || write_batch(out, b, &err);
    pthread_mutex_lock(&out->mutex);
    if (!ok) out->err = err;
    out->failed = out->failed || !ok;
    b->full = false;
    pthread_cond_signal(&out->handed);
  }
  pthread_mutex_unlock(&out->mutex);
  return NULL;
}

/* ---- the caller ---- */

static bool put_header(struct lre_table_out *out, const struct lre_parquet_column *columns, struct lre_err *err) {
  for (size_t i = 0; i < out->n; i++) {
    if (i > 0) lre_buf_putc(&out->record, ',');
    lre_csv_put(&out->record, columns[i].name, strlen(columns[i].name));
  }
  if (!lre_buf_putc(&out->record, '\n')) return lre_err_memory(err);
  return lre_fs_out_put(out->csv, out->record.data, out->record.len, err);
}

static bool make_batches(struct lre_table_out *out, struct lre_err *err) {
  out->room = out->n < BATCH_CELLS ? BATCH_CELLS / out->n : 1;
  for (size_t i = 0; i < 2; i++) {
    struct batch *b = &out->batches[i];
    b->cells = calloc(out->room * out->n, sizeof *b->cells);
    b->text_at = calloc(out->room * out->n, sizeof *b->text_at);
    if (!b->cells || !b->text_at) return lre_err_memory(err);
  }
  return true;
}

static bool start_thread(struct lre_table_out *out, struct lre_err *err) {
  int failed = lre_thread_start(&out->thread, run_thread, out);
  out->has_thread = failed == 0;
  return out->has_thread || lre_err_errno(err, failed, "cannot start the thread that writes tables");
}

struct lre_table_out *lre_table_out_open(const char *csv, const char *parquet, const struct lre_parquet_column *columns,
                                         size_t n, struct lre_err *err) {
  struct lre_table_out *out = calloc(1, sizeof *out);
  if (!out) {
    lre_err_memory(err);
    return NULL;
  }
  out->n = n;
  pthread_mutex_init(&out->mutex, NULL);
  pthread_cond_init(&out->handed, NULL);
  if (make_batches(out, err) && (out->csv = lre_fs_out_open(csv, err)) &&
      (out->parquet = lre_parquet_open(parquet, columns, n, err)) && put_header(out, columns, err) &&
      start_thread(out, err))
    return out;
  lre_table_out_abort(out);
  return NULL;
}

/* Gives the caller's batch to the thread and waits until the other one is empty. */
static bool hand_over(struct lre_table_out *out, struct lre_err *err) {
  pthread_mutex_lock(&out->mutex);
  out->batches[out->at].full = true;
  out->at = 1 - out->at;
  struct batch *b = &out->batches[out->at];
  pthread_cond_signal(&out->handed);
  while (b->full) pthread_cond_wait(&out->handed, &out->mutex);
  bool ok = !out->failed;
  if (!ok) *err = out->err;
  pthread_mutex_unlock(&out->mutex);
  b->rows = 0;
  lre_buf_clear(&b->texts);
  out->text_mark = 0;
  return ok;
}

bool lre_table_out_next(struct lre_table_out *out, struct lre_table_row *row, struct lre_err *err) {
  struct batch *b = &out->batches[out->at];
  if (b->rows == out->room || b->texts.len > BATCH_TEXT_BYTES) {
    if (!hand_over(out, err)) return false;
    b = &out->batches[out->at];
  }
  b->texts.len = out->text_mark; /* what a row that was not added left */
  *row = (struct lre_table_row){b->cells + b->rows * out->n, b->text_at + b->rows * out->n, &b->texts};
  for (size_t i = 0; i < out->n; i++) row->cells[i].type = LRE_CELL_NONE;
  return true;
}

void lre_table_out_add(struct lre_table_out *out) {
  struct batch *b = &out->batches[out->at];
  b->rows++;
  out->text_mark = b->texts.len;
}

static void end_thread(struct lre_table_out *out) {
  if (!out->has_thread) return;
  pthread_mutex_lock(&out->mutex);
  out->ended = true;
  pthread_cond_signal(&out->handed);
  pthread_mutex_unlock(&out->mutex);
  pthread_join(out->thread, NULL);
  out->has_thread = false;
}

static void free_out(struct lre_table_out *out) {
  for (size_t i = 0; i < 2; i++) {
    free(out->batches[i].cells);
    free(out->batches[i].text_at);
    lre_buf_free(&out->batches[i].texts);
  }
  lre_buf_free(&out->record);
  pthread_cond_destroy(&out->handed);
  pthread_mutex_destroy(&out->mutex);
  free(out);
}

void lre_table_out_abort(struct lre_table_out *out) {
  if (!out) return;
  end_thread(out);
  lre_fs_out_abort(out->csv);
  lre_parquet_abort(out->parquet);
  free_out(out);
}

bool lre_table_out_commit(struct lre_table_out *out, struct lre_err *err) {
  if (!out) return true;
  if (!hand_over(out, err)) {
    lre_table_out_abort(out);
    return false;
  }
  end_thread(out);
  if (out->failed) *err = out->err;
  bool ok = !out->failed && lre_fs_out_commit(out->csv, err);
  if (!out->failed) out->csv = NULL;
  if (ok) {
    ok = lre_parquet_commit(out->parquet, err);
    out->parquet = NULL;
  }
  lre_table_out_abort(out); /* what is left of it */
  return ok;
}
