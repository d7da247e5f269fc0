#include "core/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "core/buf.h"
#include "core/fs.h"
#include "core/hash.h"

/* "lres", and the version of the tables: another one is thrown away. */
enum { APPLICATION_ID = 0x6c726573, SCHEMA = 1 };
/* So much of the journal's beginning, and so much before the byte where the index stops, is kept as a hash: a journal
 * that is another one is noticed by either. */
enum { SAMPLE_BYTES = 4096 };

struct lre_store {
  sqlite3 *db;
  char *path; /* NULL: temporary */
};

static const char TABLES[] =
    "CREATE TABLE done(key TEXT PRIMARY KEY, at INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE failed(key TEXT PRIMARY KEY, at INTEGER NOT NULL, size INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE judge(id INTEGER PRIMARY KEY, name TEXT NOT NULL, hash TEXT NOT NULL, UNIQUE(name, hash));"
    "CREATE TABLE verdict(key TEXT NOT NULL, judge INTEGER NOT NULL, n INTEGER NOT NULL, at INTEGER NOT NULL,"
    " size INTEGER NOT NULL, PRIMARY KEY(key, judge, n)) WITHOUT ROWID;"
    "CREATE TABLE journal(bytes INTEGER NOT NULL, lines INTEGER NOT NULL, head TEXT NOT NULL, tail TEXT NOT NULL);";

static bool fail(const struct lre_store *s, const char *what, struct lre_err *err) {
  int code = sqlite3_errcode(s->db);
  const char *word = code == SQLITE_FULL ? "enospc" : code == SQLITE_NOMEM ? "no_memory" : "sqlite";
  return lre_err_set(err, "io", word, "%s: %s: %s", s->path ? s->path : "temporary index", what, sqlite3_errmsg(s->db));
}

static bool run(struct lre_store *s, const char *sql, struct lre_err *err) {
  return sqlite3_exec(s->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(s, "cannot write", err);
}

static sqlite3_stmt *prepare(struct lre_store *s, const char *sql, struct lre_err *err) {
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2(s->db, sql, -1, &statement, NULL) != SQLITE_OK) fail(s, "cannot read", err);
  return statement;
}

static int64_t ask_number(struct lre_store *s, const char *sql) {
  sqlite3_stmt *statement = prepare(s, sql, NULL);
  int64_t number = statement && sqlite3_step(statement) == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : -1;
  sqlite3_finalize(statement);
  return number;
}

/* ---- opening ---- */

static bool is_ours(struct lre_store *s) {
  return ask_number(s, "PRAGMA application_id") == APPLICATION_ID && ask_number(s, "PRAGMA user_version") == SCHEMA &&
         ask_number(s, "SELECT count(*) FROM sqlite_master WHERE name IN ('done', 'failed', 'judge', 'verdict', "
                       "'journal')") == 5;
}

static bool make_tables(struct lre_store *s, struct lre_err *err) {
  char sql[sizeof TABLES + 128];
  snprintf(sql, sizeof sql, "BEGIN;%sPRAGMA application_id=%d;PRAGMA user_version=%d;COMMIT", TABLES, APPLICATION_ID,
           SCHEMA);
  return run(s, sql, err);
}

static bool connect_to(struct lre_store *s, struct lre_err *err) {
  int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  if (sqlite3_open_v2(s->path ? s->path : "", &s->db, flags, NULL) != SQLITE_OK) {
    if (!s->db) return lre_err_memory(err);
    return fail(s, "cannot open", err);
  }
  sqlite3_busy_timeout(s->db, 0);
  /* 8 MiB of pages at most; the exclusive lock is kept, which saves its system calls (the run has a lock anyway). */
  return run(s,
             s->path ? "PRAGMA cache_size=-8000;PRAGMA locking_mode=EXCLUSIVE;PRAGMA synchronous=FULL"
                     : "PRAGMA cache_size=-8000;PRAGMA journal_mode=OFF;PRAGMA synchronous=OFF",
             err);
}

static void throw_away(struct lre_store *s) {
  char journal[4200];
  sqlite3_close(s->db);
  s->db = NULL;
  if (!s->path) return;
  unlink(s->path);
  snprintf(journal, sizeof journal, "%s-journal", s->path);
  unlink(journal);
}

static bool start_anew(struct lre_store *s, struct lre_err *err) {
  throw_away(s);
  return connect_to(s, err) && make_tables(s, err);
}

/* A folder or a device in its place is not thrown away. */
static bool check_place(const char *path, bool *is_there, struct lre_err *err) {
  struct lre_fs_info info;
  if (!lre_fs_stat(path, &info, err)) return false;
  *is_there = info.type != LRE_FS_MISSING && info.size_bytes > 0;
  if (info.type == LRE_FS_MISSING || info.type == LRE_FS_FILE) return true;
  return lre_err_set(err, "io", "not_a_file", "%s is not a regular file", path);
}

struct lre_store *lre_store_open(const char *path, struct lre_err *err) {
  struct lre_store *s = calloc(1, sizeof *s);
  bool is_there = false;
  if (!s || (path && !(s->path = strdup(path)))) {
    lre_err_memory(err);
    lre_store_close(s);
    return NULL;
  }
  bool ok = (!path || check_place(path, &is_there, err));
  if (ok && is_there)
    ok = (connect_to(s, err) && is_ours(s)) || start_anew(s, err);
  else if (ok)
    ok = start_anew(s, err);
  if (ok) return s;
  lre_store_close(s);
  return NULL;
}

void lre_store_close(struct lre_store *s) {
  if (!s) return;
  sqlite3_close_v2(s->db); /* a walk that is still open keeps it until it ends */
  free(s->path);
  free(s);
}

/* ---- where the index stops ---- */

struct position {
  uint64_t bytes, lines;
  char head[LRE_HASH_HEX_BYTES], tail[LRE_HASH_HEX_BYTES];
};

static bool hash_at(int fd, uint64_t from, uint64_t to, char hex[LRE_HASH_HEX_BYTES]) {
  char bytes[SAMPLE_BYTES];
  uint8_t digest[LRE_HASH_BYTES];
  size_t want = (size_t)(to - from), got = 0;
  while (got < want) {
    ssize_t n = pread(fd, bytes + got, want - got, (off_t)(from + got));
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    got += (size_t)n;
  }
  if (!lre_hash_sha256(bytes, want, digest)) return false;
  lre_hash_hex(digest, hex);
  return true;
}

/* The hashes of a journal that is read as far as p->bytes. */
static bool sample(const char *journal, struct position *p) {
  int fd = open(journal, O_RDONLY | O_CLOEXEC);
  uint64_t length = p->bytes < SAMPLE_BYTES ? p->bytes : SAMPLE_BYTES;
  bool ok = fd >= 0 && hash_at(fd, 0, length, p->head) && hash_at(fd, p->bytes - length, p->bytes, p->tail);
  if (fd >= 0) close(fd);
  return ok;
}

/* False where nothing is indexed, or what is indexed is not this journal's beginning. */
static bool read_position(struct lre_store *s, const char *journal, struct position *p) {
  struct position now;
  sqlite3_stmt *q = prepare(s, "SELECT bytes, lines, head, tail FROM journal", NULL);
  bool ok = q && sqlite3_step(q) == SQLITE_ROW;
  if (ok) {
    p->bytes = (uint64_t)sqlite3_column_int64(q, 0);
    p->lines = (uint64_t)sqlite3_column_int64(q, 1);
    snprintf(p->head, sizeof p->head, "%s", (const char *)sqlite3_column_text(q, 2));
    snprintf(p->tail, sizeof p->tail, "%s", (const char *)sqlite3_column_text(q, 3));
  }
  sqlite3_finalize(q);
  now.bytes = ok ? p->bytes : 0;
  ok = ok && sample(journal, &now) && strcmp(now.head, p->head) == 0 && strcmp(now.tail, p->tail) == 0;
  if (!ok) *p = (struct position){0};
  return ok;
}

static bool write_position(struct lre_store *s, const char *journal, struct position *p, struct lre_err *err) {
  char sql[512];
  if (!sample(journal, p)) return lre_err_errno(err, errno, "cannot read %s", journal);
  snprintf(sql, sizeof sql, "DELETE FROM journal; INSERT INTO journal VALUES(%llu, %llu, '%s', '%s')",
           (unsigned long long)p->bytes, (unsigned long long)p->lines, p->head, p->tail);
  return run(s, sql, err);
}

/* ---- writing ---- */

struct writer {
  struct lre_store *s;
  sqlite3_stmt *is_done, *put[2], *drop[2]; /* 0: done, 1: failed */
  sqlite3_stmt *put_new, *put_verdict;
  bool any_failed; /* mostly there is none, and then none is looked for */
  struct {
    char *name, *hash;
    int64_t id;
  } last; /* the judge of the row before: rows of one judge come in blocks */
};

static bool open_writer(struct writer *w, struct lre_store *s, struct lre_err *err) {
  static const char *const sql[] = {"SELECT 1 FROM done WHERE key = ?1",
                                    "INSERT OR REPLACE INTO done VALUES(?1, ?2, ?3)",
                                    "INSERT OR REPLACE INTO failed VALUES(?1, ?2, ?3)",
                                    "DELETE FROM done WHERE key = ?1",
                                    "DELETE FROM failed WHERE key = ?1",
                                    "INSERT OR IGNORE INTO done VALUES(?1, ?2, ?3)",
                                    "INSERT OR REPLACE INTO verdict VALUES(?1, ?2, ?3, ?4, ?5)"};
  *w = (struct writer){.s = s, .any_failed = ask_number(s, "SELECT EXISTS(SELECT 1 FROM failed)") != 0};
  sqlite3_stmt **to[] = {&w->is_done, &w->put[0], &w->put[1], &w->drop[0], &w->drop[1], &w->put_new, &w->put_verdict};
  for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
    if (!(*to[i] = prepare(s, sql[i], err))) return false;
  }
  return true;
}

static void close_writer(struct writer *w) {
  sqlite3_stmt *all[] = {w->is_done, w->put[0], w->put[1], w->drop[0], w->drop[1], w->put_new, w->put_verdict};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) sqlite3_finalize(all[i]);
  free(w->last.name);
  free(w->last.hash);
}

static bool bind_text(sqlite3_stmt *q, int at, struct lre_row_text text) {
  return sqlite3_bind_text64(q, at, text.s, text.len, SQLITE_STATIC, SQLITE_UTF8) == SQLITE_OK;
}

/* Runs a statement with a key; *found: it gave a row. */
static bool step(struct writer *w, sqlite3_stmt *q, struct lre_row_text key, bool *found, struct lre_err *err) {
  bind_text(q, 1, key);
  int got = sqlite3_step(q);
  if (found) *found = got == SQLITE_ROW;
  sqlite3_reset(q);
  return got == SQLITE_ROW || got == SQLITE_DONE || fail(w->s, "cannot write", err);
}

static bool put_at(struct writer *w, sqlite3_stmt *put, struct lre_row_text key, struct lre_store_place place,
                   struct lre_err *err) {
  sqlite3_bind_int64(put, 2, (int64_t)place.at);
  sqlite3_bind_int64(put, 3, (int64_t)place.size);
  return step(w, put, key, NULL, err);
}

static bool put_failed(struct writer *w, struct lre_row_text key, struct lre_store_place place, bool *again,
                       struct lre_err *err) {
  w->any_failed = true;
  return step(w, w->is_done, key, again, err) && step(w, w->drop[0], key, NULL, err) &&
         put_at(w, w->put[1], key, place, err);
}

/* Nearly every key is a new one: one statement tells that and puts it. */
static bool put_done(struct writer *w, struct lre_row_text key, struct lre_store_place place, bool *again,
                     struct lre_err *err) {
  if (!put_at(w, w->put_new, key, place, err)) return false;
  *again = sqlite3_changes(w->s->db) == 0;
  if (*again && !put_at(w, w->put[0], key, place, err)) return false;
  return !w->any_failed || step(w, w->drop[1], key, NULL, err);
}

static bool put_trial(struct writer *w, const struct lre_row *row, struct lre_store_place place, bool *again,
                      struct lre_err *err) {
  return (row->failed ? put_failed : put_done)(w, row->key, place, again, err);
}

static bool same(const char *known, struct lre_row_text text) {
  return known && strlen(known) == text.len && memcmp(known, text.s, text.len) == 0;
}

static int64_t find_judge(struct lre_store *s, struct lre_row_text name, struct lre_row_text hash,
                          struct lre_err *err) {
  sqlite3_stmt *q = prepare(s, "SELECT id FROM judge WHERE name = ?1 AND hash = ?2", err);
  if (!q) return -1;
  bind_text(q, 1, name);
  bind_text(q, 2, hash);
  int got = sqlite3_step(q);
  int64_t id = got == SQLITE_ROW ? sqlite3_column_int64(q, 0) : 0;
  if (got != SQLITE_ROW && got != SQLITE_DONE) {
    fail(s, "cannot read", err);
    id = -1;
  }
  sqlite3_finalize(q);
  return id;
}

static bool add_judge(struct writer *w, const struct lre_row *row, struct lre_err *err) {
  sqlite3_stmt *q = prepare(w->s, "INSERT INTO judge(name, hash) VALUES(?1, ?2)", err);
  if (!q) return false;
  bind_text(q, 2, row->judge_hash);
  bool ok = step(w, q, row->judge, NULL, err);
  sqlite3_finalize(q);
  w->last.id = sqlite3_last_insert_rowid(w->s->db);
  return ok;
}

static bool number_judge(struct writer *w, const struct lre_row *row, struct lre_err *err) {
  if (same(w->last.name, row->judge) && same(w->last.hash, row->judge_hash)) return true;
  free(w->last.name);
  free(w->last.hash);
  w->last.name = strndup(row->judge.s, row->judge.len);
  w->last.hash = strndup(row->judge_hash.s, row->judge_hash.len);
  if (!w->last.name || !w->last.hash) return lre_err_memory(err);
  w->last.id = find_judge(w->s, row->judge, row->judge_hash, err);
  return w->last.id > 0 || (w->last.id == 0 && add_judge(w, row, err));
}

static bool put_verdict(struct writer *w, const struct lre_row *row, struct lre_store_place place,
                        struct lre_err *err) {
  if (!number_judge(w, row, err)) return false;
  sqlite3_bind_int64(w->put_verdict, 2, w->last.id);
  sqlite3_bind_int64(w->put_verdict, 3, row->n);
  sqlite3_bind_int64(w->put_verdict, 4, (int64_t)place.at);
  sqlite3_bind_int64(w->put_verdict, 5, (int64_t)place.size);
  return step(w, w->put_verdict, row->key, NULL, err);
}

/* Each whole line of the journal from p on. `take` false: stop, err is set. */
struct lines {
  bool (*take)(void *ud, const struct lre_row *row, struct lre_store_place place, uint64_t number, struct lre_err *err);
  lre_store_problem *problem;
  void *ud, *problem_ud;
};

static bool read_lines(const char *journal, struct position *p, const struct lines *to, struct lre_err *err) {
  struct lre_fs_lines *r = lre_fs_lines_open_at(journal, LRE_ROW_MAX_BYTES, p->bytes, p->lines, err);
  struct lre_row_reader reader = {0};
  const char *line;
  size_t len;
  uint64_t at, number;
  bool ended, ok = r != NULL;
  int got = 0;
  while (ok && (got = lre_fs_lines_next(r, &line, &len, &at, &number, &ended, err)) == 1 && ended) {
    struct lre_row row;
    struct lre_err bad;
    if (lre_row_read(&reader, line, len, &row, &bad))
      ok = to->take(to->ud, &row, (struct lre_store_place){at, len}, number, err);
    else if (to->problem)
      to->problem(to->problem_ud, number, &bad);
    p->bytes = at + len + 1;
    p->lines = number;
  }
  lre_row_reader_free(&reader);
  lre_fs_lines_close(r);
  return ok && got >= 0;
}

struct update {
  struct writer writer;
  lre_store_problem *problem;
  void *ud;
};

static bool take_row(void *ud, const struct lre_row *row, struct lre_store_place place, uint64_t number,
                     struct lre_err *err) {
  struct update *u = ud;
  struct lre_err twice;
  bool again = false;
  if (row->is_verdict) return put_verdict(&u->writer, row, place, err);
  if (!put_trial(&u->writer, row, place, &again, err)) return false;
  if (again && u->problem) {
    lre_err_set(&twice, "journal", "duplicate", "%.*s has an answer already: the last line counts",
                (int)(row->key.len < 160 ? row->key.len : 160), row->key.s);
    u->problem(u->ud, number, &twice);
  }
  return true;
}

static bool index_lines(struct lre_store *s, const char *journal, struct position *p, lre_store_problem *problem,
                        void *ud, struct lre_err *err) {
  struct update u = {.problem = problem, .ud = ud};
  struct lines to = {.take = take_row, .problem = problem, .ud = &u, .problem_ud = ud};
  bool ok = open_writer(&u.writer, s, err) && run(s, "BEGIN IMMEDIATE", err);
  if (ok) {
    ok = read_lines(journal, p, &to, err) && write_position(s, journal, p, err) && run(s, "COMMIT", err);
    if (!ok) run(s, "ROLLBACK", NULL);
  }
  close_writer(&u.writer);
  return ok;
}

bool lre_store_update(struct lre_store *s, const char *journal, lre_store_problem *problem, void *ud, bool *rebuilt,
                      struct lre_err *err) {
  struct position p;
  struct lre_fs_info info;
  bool known = read_position(s, journal, &p), again = false;
  if (rebuilt) *rebuilt = false;
  if (known && lre_fs_stat(journal, &info, NULL) && info.size_bytes == p.bytes) return true;
  if (!known) {
    again = ask_number(s, "SELECT count(*) FROM journal") != 0;
    if (again && !start_anew(s, err)) return false;
  }
  bool ok = index_lines(s, journal, &p, problem, ud, err);
  if (!ok && known && sqlite3_errcode(s->db) == SQLITE_CORRUPT) { /* damaged in a way that opening did not see */
    again = true;
    p = (struct position){0};
    ok = start_anew(s, err) && index_lines(s, journal, &p, problem, ud, err);
  }
  if (rebuilt) *rebuilt = again;
  return ok;
}

/* ---- reading ---- */

static bool add_key(struct lre_set *set, const char *key, size_t len, int *added, struct lre_err *err) {
  uint64_t hash;
  if (!lre_hash_u64(key, len, &hash) || (*added = lre_set_add(set, hash)) < 0) return lre_err_memory(err);
  return true;
}

static bool add_done(struct lre_store *s, struct lre_set *set, struct lre_err *err) {
  sqlite3_stmt *q = prepare(s, "SELECT key FROM done", err);
  int got = SQLITE_ROW, added;
  bool ok = q != NULL;
  while (ok && (got = sqlite3_step(q)) == SQLITE_ROW) {
    const char *key = (const char *)sqlite3_column_text(q, 0);
    ok = key && add_key(set, key, (size_t)sqlite3_column_bytes(q, 0), &added, err);
  }
  if (ok && got != SQLITE_DONE) ok = fail(s, "cannot read", err);
  sqlite3_finalize(q);
  return ok;
}

struct answers {
  struct lre_set *set;
  struct lre_set *taken_back; /* had an answer, and then an error: to be settled by the index */
};

static bool take_answer(void *ud, const struct lre_row *row, struct lre_store_place place, uint64_t number,
                        struct lre_err *err) {
  struct answers *a = ud;
  uint64_t hash;
  int added;
  (void)place, (void)number;
  if (row->is_verdict) return true;
  if (!row->failed) return add_key(a->set, row->key.s, row->key.len, &added, err);
  if (!lre_hash_u64(row->key.s, row->key.len, &hash)) return lre_err_memory(err);
  if (lre_set_has(a->set, hash) && lre_set_add(a->taken_back, hash) < 0) return lre_err_memory(err);
  return true;
}

bool lre_store_answered(struct lre_store *s, const char *journal, struct lre_set *set, struct lre_err *err) {
  struct position p;
  struct answers a = {.set = set, .taken_back = lre_set_new(0)};
  struct lines to = {.take = take_answer, .ud = &a};
  bool ok = a.taken_back != NULL || lre_err_memory(err);
  if (ok && read_position(s, journal, &p)) ok = add_done(s, set, err);
  ok = ok && read_lines(journal, &p, &to, err);
  bool settle = ok && lre_set_count(a.taken_back) > 0;
  lre_set_free(a.taken_back);
  if (!settle) return ok;
  lre_set_clear(set);
  return lre_store_update(s, journal, NULL, NULL, NULL, err) && add_done(s, set, err);
}

bool lre_store_count(struct lre_store *s, struct lre_store_counts *out, struct lre_err *err) {
  int64_t done = ask_number(s, "SELECT count(*) FROM done"), failed = ask_number(s, "SELECT count(*) FROM failed");
  int64_t verdicts = ask_number(s, "SELECT count(*) FROM verdict");
  int64_t lines = ask_number(s, "SELECT coalesce(sum(lines), 0) FROM journal");
  if (done < 0 || failed < 0 || verdicts < 0 || lines < 0) return fail(s, "cannot read", err);
  *out = (struct lre_store_counts){(uint64_t)done, (uint64_t)failed, (uint64_t)verdicts, (uint64_t)lines};
  return true;
}

int64_t lre_store_judge(struct lre_store *s, const char *name, const char *hash, struct lre_err *err) {
  return find_judge(s, (struct lre_row_text){name, strlen(name)}, (struct lre_row_text){hash, strlen(hash)}, err);
}

struct lre_store_walk {
  struct lre_store *s;
  sqlite3_stmt *trials, *verdicts;
  bool more_verdicts;
  struct lre_buf found; /* struct lre_store_verdict */
};

static struct lre_store_place place_at(sqlite3_stmt *q, int column) {
  return (struct lre_store_place){(uint64_t)sqlite3_column_int64(q, column),
                                  (uint64_t)sqlite3_column_int64(q, column + 1)};
}

static bool step_verdicts(struct lre_store_walk *w, struct lre_err *err) {
  int got = sqlite3_step(w->verdicts);
  w->more_verdicts = got == SQLITE_ROW;
  return w->more_verdicts || got == SQLITE_DONE || fail(w->s, "cannot read", err);
}

struct lre_store_walk *lre_store_walk_open(struct lre_store *s, struct lre_err *err) {
  struct lre_store_walk *w = calloc(1, sizeof *w);
  if (!w) {
    lre_err_memory(err);
    return NULL;
  }
  w->s = s;
  lre_buf_init(&w->found);
  w->trials =
      prepare(s, "SELECT key, 0, at, size FROM done UNION ALL SELECT key, 1, at, size FROM failed ORDER BY key", err);
  if (w->trials) w->verdicts = prepare(s, "SELECT key, judge, n, at, size FROM verdict ORDER BY key, judge, n", err);
  if (w->verdicts && step_verdicts(w, err)) return w;
  lre_store_walk_close(w);
  return NULL;
}

static struct lre_row_text key_of(sqlite3_stmt *q) {
  const char *key = (const char *)sqlite3_column_text(q, 0);
  return (struct lre_row_text){key, (size_t)sqlite3_column_bytes(q, 0)};
}

static int compare_texts(struct lre_row_text a, struct lre_row_text b) {
  int order = memcmp(a.s, b.s, a.len < b.len ? a.len : b.len);
  return order ? order : (a.len > b.len) - (a.len < b.len);
}

static int by_place(const void *a, const void *b) {
  uint64_t x = ((const struct lre_store_verdict *)a)->place.at, y = ((const struct lre_store_verdict *)b)->place.at;
  return (x > y) - (x < y);
}

/* In the journal's order: of several the last is the latest. Verdicts on keys before this one have no trial: a foreign
 * line, left out. */
static bool gather_verdicts(struct lre_store_walk *w, struct lre_row_text key, struct lre_err *err) {
  lre_buf_clear(&w->found);
  while (w->more_verdicts) {
    int order = compare_texts(key_of(w->verdicts), key);
    if (order > 0) break;
    if (order == 0) {
      struct lre_store_verdict v = {sqlite3_column_int64(w->verdicts, 1), sqlite3_column_int64(w->verdicts, 2),
                                    place_at(w->verdicts, 3)};
      if (!lre_buf_put(&w->found, &v, sizeof v)) return lre_err_memory(err);
    }
    if (!step_verdicts(w, err)) return false;
  }
  size_t n = w->found.len / sizeof(struct lre_store_verdict);
  if (n > 1) qsort(w->found.data, n, sizeof(struct lre_store_verdict), by_place);
  return true;
}

int lre_store_walk_next(struct lre_store_walk *w, struct lre_store_trial *trial, struct lre_err *err) {
  int got = sqlite3_step(w->trials);
  if (got == SQLITE_DONE) return 0;
  if (got != SQLITE_ROW) {
    fail(w->s, "cannot read", err);
    return -1;
  }
  *trial = (struct lre_store_trial){
      .key = key_of(w->trials), .failed = sqlite3_column_int(w->trials, 1) != 0, .place = place_at(w->trials, 2)};
  if (!trial->key.s || !gather_verdicts(w, trial->key, err)) return -1;
  trial->verdicts = (const struct lre_store_verdict *)(const void *)w->found.data;
  trial->n_verdicts = w->found.len / sizeof *trial->verdicts;
  return 1;
}

void lre_store_walk_close(struct lre_store_walk *w) {
  if (!w) return;
  sqlite3_finalize(w->trials);
  sqlite3_finalize(w->verdicts);
  lre_buf_free(&w->found);
  free(w);
}
