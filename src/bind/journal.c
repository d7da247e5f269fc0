/* journal.c: require "lre.journal". */
#include <stdio.h>
#include <string.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/fs.h"
#include "core/journal.h"
#include "core/json.h"
#include "core/json_span.h"
#include "core/row.h"
#include "core/secret.h"
#include "vm/sched.h"
#include "vm/value.h"
#include "vm/vm.h"

#define JOURNAL_TYPE "lre.journal"
#define SCAN_TYPE    "lre.journal.scan"

/* ---- writing ---- */

struct journal {
  struct lre_sched_source source;
  struct lre_sched *sched;
  struct lre_journal *journal; /* NULL: closed */
  uint64_t appended;
  struct lre_wait *waiters; /* flushes, oldest first */
};

struct flush {
  struct lre_wait wait;
  struct journal *journal;
  uint64_t ticket;
  struct lre_err err;
  bool failed;
};

static void end_flush(struct flush *f, const struct lre_err *err) {
  f->failed = err != NULL;
  if (err) f->err = *err;
  lre_sched_complete(&f->wait);
}

static void check_synced(struct lre_sched_source *source) {
  struct journal *j = (struct journal *)source;
  uint64_t lines = 0;
  struct lre_err err;
  if (!j->journal || !j->waiters) return;
  bool ok = lre_journal_synced(j->journal, &lines, &err);
  while (j->waiters) {
    struct flush *f = (struct flush *)j->waiters;
    if (ok && f->ticket > lines) return;
    j->waiters = f->wait.next;
    end_flush(f, ok ? NULL : &err);
  }
}

static int journal_open(lua_State *L) {
  size_t len;
  const char *path = luaL_checklstring(L, 1, &len);
  luaL_argcheck(L, len > 0 && strlen(path) == len, 1, "a path must not be empty or hold a zero byte");
  struct lre_sched *sched = lre_vm_sched(lre_context_get(L)->vm);
  struct lre_journal_repair repair;
  struct lre_err err;
  lua_createtable(L, 0, 2);
  struct journal *j = lua_newuserdatauv(L, sizeof *j, 0);
  *j = (struct journal){.source.check = check_synced, .sched = sched};
  luaL_setmetatable(L, JOURNAL_TYPE);
  j->journal = lre_journal_open(path, &repair, lre_sched_wake, sched, &err);
  if (!j->journal) return lre_bind_fail(L, &err);
  lre_sched_source_add(sched, &j->source);
  lua_insert(L, -2);
  lua_pushinteger(L, (lua_Integer)repair.torn_bytes);
  lua_setfield(L, -2, "torn_bytes");
  lua_pushinteger(L, (lua_Integer)repair.lines);
  lua_setfield(L, -2, "lines");
  return 2;
}

static struct journal *check_journal(lua_State *L) {
  struct journal *j = luaL_checkudata(L, 1, JOURNAL_TYPE);
  if (!j->journal) luaL_error(L, "the journal is closed");
  return j;
}

static int push_done(lua_State *L, bool ok, const struct lre_err *err) {
  if (!ok) return lre_bind_fail(L, err);
  lua_pushboolean(L, 1);
  return 1;
}

static int journal_append(lua_State *L) {
  struct journal *j = check_journal(L);
  int last = lua_gettop(L);
  for (int i = 2; i <= last || i == 2; i++) luaL_checkstring(L, i);
  struct lre_buf safe;
  struct lre_err err;
  lre_buf_init(&safe); /* nothing below can raise before it is freed */
  for (int i = 2; i <= last; i++) {
    size_t len;
    const char *line = lua_tolstring(L, i, &len);
    if (i > 2) lre_buf_putc(&safe, '\n');
    lre_buf_put(&safe, line, len);
  }
  lre_secrets_redact(lre_vm_secrets(lre_context_get(L)->vm), &safe);
  bool ok = !safe.failed ? lre_journal_append_lines(j->journal, safe.data ? safe.data : "", safe.len, (size_t)last - 1,
                                                    &j->appended, &err)
                         : lre_err_memory(&err);
  lre_buf_free(&safe);
  return push_done(L, ok, &err);
}

static int journal_synced(lua_State *L) {
  struct journal *j = check_journal(L);
  uint64_t lines;
  struct lre_err err;
  if (!lre_journal_synced(j->journal, &lines, &err)) return lre_bind_fail(L, &err);
  lua_pushinteger(L, (lua_Integer)lines);
  return 1;
}

static int push_flush(lua_State *L, struct lre_wait *w) {
  struct flush *f = (struct flush *)w;
  return push_done(L, !f->failed, &f->err);
}

static void cancel_flush(struct lre_wait *w) {
  struct lre_wait **link = &((struct flush *)w)->journal->waiters;
  while (*link && *link != w) link = &(*link)->next;
  if (*link) *link = w->next;
}

static int journal_flush(lua_State *L) {
  struct journal *j = check_journal(L);
  lua_settop(L, 1);
  uint64_t lines;
  struct lre_err err;
  if (!lre_journal_synced(j->journal, &lines, &err)) return lre_bind_fail(L, &err);
  if (lines >= j->appended) return push_done(L, true, NULL);
  lre_sched_check_wait(L, "journal:flush");
  struct flush *f = lua_newuserdatauv(L, sizeof *f, 0);
  *f = (struct flush){
      .wait = {.what = "journal", .push = push_flush, .cancel = cancel_flush}, .journal = j, .ticket = j->appended};
  snprintf(f->wait.detail, sizeof f->wait.detail, "line %llu", (unsigned long long)f->ticket);
  struct lre_wait **link = &j->waiters;
  while (*link) link = &(*link)->next;
  *link = &f->wait;
  lre_journal_hurry(j->journal);
  check_synced(&j->source); /* the sync may have ended since it was asked for */
  return lre_sched_wait(L, &f->wait);
}

static bool close_journal(struct journal *j, struct lre_err *err) {
  static const struct lre_err closed = {.kind = "io", .code = "closed", .message = "the journal was closed"};
  if (!j->journal) return true;
  lre_sched_source_remove(j->sched, &j->source);
  bool ok = lre_journal_close(j->journal, err);
  j->journal = NULL;
  while (j->waiters) {
    struct flush *f = (struct flush *)j->waiters;
    j->waiters = f->wait.next;
    end_flush(f, ok ? NULL : &closed);
  }
  return ok;
}

static int journal_close(lua_State *L) {
  struct lre_err err;
  bool ok = close_journal(luaL_checkudata(L, 1, JOURNAL_TYPE), &err);
  return push_done(L, ok, &err);
}

static int journal_gc(lua_State *L) {
  struct lre_err err;
  close_journal(luaL_checkudata(L, 1, JOURNAL_TYPE), &err);
  return 0;
}

/* ---- scanning ---- */

struct field {
  const char *path; /* of the list that the iterator holds */
  size_t first;     /* bytes of its first name */
  struct lre_json_span found;
};

struct scan {
  struct lre_fs_lines *reader;
  struct lre_json_text line, part; /* as they were checked */
  struct lre_buf name, inner_name; /* of a member of the line, and of one further inside, decoded from its escapes */
  bool rows_only;
  size_t n_fields;
  struct field fields[];
};

static const struct lre_json_limits scan_limits = {.max_depth = 128, .bigint_as_string = true};

static int scan_gc(lua_State *L) {
  struct scan *s = luaL_checkudata(L, 1, SCAN_TYPE);
  if (s->reader) lre_fs_lines_close(s->reader);
  s->reader = NULL;
  lre_json_text_free(&s->line);
  lre_json_text_free(&s->part);
  lre_buf_free(&s->name);
  lre_buf_free(&s->inner_name);
  return 0;
}

/* The next member of an object, its name decoded: into `room`, where it is written with escapes. */
static bool next_member(struct lre_buf *room, const char **p, const char *end, struct lre_json_span *name,
                        struct lre_json_span *value) {
  if (!lre_json_span_member(p, end, name, value)) return false;
  if (!memchr(name->s, '\\', name->len)) return true;
  lre_buf_clear(room);
  if (lre_json_span_string((struct lre_json_span){name->s - 1, name->len + 2}, room))
    *name = (struct lre_json_span){room->data, room->len};
  return true;
}

/* The value at a dotted path inside of `value`. */
static struct lre_json_span pick(struct scan *s, struct lre_json_span value, const char *path) {
  while (value.s && *path) {
    size_t len = strcspn(path, ".");
    struct lre_json_span name, inner, found = {NULL, 0};
    const char *p = value.s + 1, *end = value.s + value.len;
    while (*value.s == '{' && !found.s && next_member(&s->inner_name, &p, end, &name, &inner)) {
      if (name.len == len && memcmp(name.s, path, len) == 0) found = inner;
    }
    value = found;
    path += len + (path[len] == '.');
  }
  return value;
}

static void note_member(struct scan *s, struct lre_json_span name, struct lre_json_span value) {
  for (size_t i = 0; i < s->n_fields; i++) {
    struct field *f = &s->fields[i];
    if (name.len != f->first || memcmp(name.s, f->path, name.len) != 0) continue;
    const char *rest = f->path + f->first;
    f->found = *rest ? pick(s, value, rest + 1) : value;
  }
}

/* What lre_row_read asks of a line, said of these members. */
static bool check_row(struct lre_json_span v, struct lre_json_span type, struct lre_json_span key,
                      struct lre_err *err) {
  bool is_number = v.s && (*v.s == '-' || (*v.s >= '0' && *v.s <= '9'));
  double version = !is_number ? 0 : v.len == 1 ? *v.s - '0' : lre_json_span_double(v);
  if (version > LRE_ROW_VERSION)
    return lre_err_set(err, "journal", "future", "v: expected at most %d, found %.0f: written by a newer lre",
                       LRE_ROW_VERSION, version);
  bool is_row = type.s && (lre_json_span_is(type, "\"trial\"") || lre_json_span_is(type, "\"verdict\""));
  if (!is_number || !is_row)
    return lre_err_set(err, "journal", "foreign", "is no row of a run: type: expected \"trial\" or \"verdict\", and v");
  if (key.s && *key.s == '"' && key.len > 2) return true;
  return lre_err_set(err, "journal", "foreign", "is no row of a run: key: expected a string");
}

/* Finds the fields of a line. */
static bool read_line(struct scan *s, struct lre_json_span row, struct lre_err *err) {
  struct lre_json_span name, value, v = {NULL, 0}, type = {NULL, 0}, key = {NULL, 0};
  const char *p = row.s + 1, *end = row.s + row.len;
  for (size_t i = 0; i < s->n_fields; i++) s->fields[i].found = (struct lre_json_span){NULL, 0};
  while (next_member(&s->name, &p, end, &name, &value)) {
    note_member(s, name, value);
    if (lre_json_span_is(name, "v")) v = value;
    if (lre_json_span_is(name, "type")) type = value;
    if (lre_json_span_is(name, "key")) key = value;
  }
  return !s->rows_only || check_row(v, type, key, err);
}

/* A part of the line as a value; it was checked with the line, but how large its tables are is not known. */
static void push_part(lua_State *L, struct scan *s, struct lre_json_span value) {
  struct lre_err err;
  if (!lre_json_check(&s->part, value.s, value.len, &scan_limits, &err)) lre_bind_raise(L, &err);
  lre_value_push_text(L, &s->part);
}

/* Upvalues: 1 the scan, 2 the list of fields. Pushes what was found. */
static void push_row(lua_State *L, struct scan *s, int fields) {
  lua_createtable(L, 0, (int)s->n_fields);
  for (size_t i = 0; i < s->n_fields; i++) {
    struct lre_json_span value = s->fields[i].found;
    lua_rawgeti(L, fields, (lua_Integer)i + 1);
    if (!value.s) {
      lua_pushboolean(L, 0);
    } else if (*value.s == '"' && !memchr(value.s, '\\', value.len)) {
      lua_pushlstring(L, value.s + 1, value.len - 2);
    } else {
      push_part(L, s, value);
    }
    lua_rawset(L, -3);
  }
}

static int fail_line(lua_State *L, uint64_t number, const struct lre_err *err) {
  lua_pushnil(L);
  lua_pushinteger(L, (lua_Integer)number);
  lre_bind_push_err(L, err);
  return 3;
}

static int next_row(lua_State *L) {
  struct scan *s = lua_touserdata(L, lua_upvalueindex(1));
  const char *line;
  size_t len;
  uint64_t offset, number;
  bool ended;
  struct lre_err err;
  if (!s->reader) return 0;
  int got = lre_fs_lines_next(s->reader, &line, &len, &offset, &number, &ended, &err);
  if (got < 0) return lre_bind_raise(L, &err);
  if (got == 0 || !ended) { /* the end, or a torn last line: that is not a row */
    lre_fs_lines_close(s->reader);
    s->reader = NULL;
    return 0;
  }
  if (!lre_json_check(&s->line, line, len, &scan_limits, &err)) return fail_line(L, number, &err);
  struct lre_json_span row = lre_json_span_of(s->line.text, s->line.len);
  if (*row.s != '{') {
    lre_err_set(&err, "json", "type", "line %llu: expected an object", (unsigned long long)number);
    return fail_line(L, number, &err);
  }
  if (!read_line(s, row, &err)) return fail_line(L, number, &err);
  push_row(L, s, lua_upvalueindex(2));
  lua_pushinteger(L, (lua_Integer)number);
  return 2;
}

/* Pushes a copy of the list of fields at `index`: who gave it may change it. */
static size_t copy_fields(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  lua_Integer n = (lua_Integer)lua_rawlen(L, index);
  lua_newtable(L);
  for (lua_Integer i = 1; i <= n; i++) {
    luaL_argcheck(L, lua_rawgeti(L, index, i) == LUA_TSTRING, index, "fields: expected a list of strings");
    lua_rawseti(L, -2, i);
  }
  return (size_t)n;
}

static struct scan *push_scan(lua_State *L, int fields, size_t n) {
  struct scan *s = lua_newuserdatauv(L, sizeof *s + n * sizeof s->fields[0], 0);
  *s = (struct scan){.n_fields = n};
  for (size_t i = 0; i < n; i++) {
    lua_rawgeti(L, fields, (lua_Integer)i + 1);
    const char *path = lua_tostring(L, -1);
    s->fields[i] = (struct field){.path = path, .first = strcspn(path, ".")};
    lua_pop(L, 1);
  }
  luaL_setmetatable(L, SCAN_TYPE);
  return s;
}

static int journal_scan(lua_State *L) {
  size_t len;
  const char *path = luaL_checklstring(L, 1, &len);
  luaL_argcheck(L, len > 0 && strlen(path) == len, 1, "a path must not be empty or hold a zero byte");
  lua_settop(L, 3);
  size_t n = copy_fields(L, 2);
  struct scan *s = push_scan(L, 4, n);
  s->rows_only = lua_toboolean(L, 3);
  struct lre_err err;
  s->reader = lre_fs_lines_open(path, LRE_ROW_MAX_BYTES, &err);
  if (!s->reader) return lre_bind_fail(L, &err);
  lua_pushvalue(L, 4);
  lua_pushcclosure(L, next_row, 2);
  return 1;
}

static int journal_holder(lua_State *L) {
  long pid = 0;
  lua_pushboolean(L, lre_journal_held(luaL_checkstring(L, 1), &pid));
  if (pid == 0) return 1;
  lua_pushinteger(L, pid);
  return 2;
}

int luaopen_lre_journal(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"open", journal_open}, {"scan", journal_scan}, {"holder", journal_holder}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"append", journal_append},
                                     {"synced", journal_synced},
                                     {"flush", journal_flush},
                                     {"close", journal_close},
                                     {NULL, NULL}};
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, JOURNAL_TYPE, methods, journal_gc);
  lre_bind_type(L, SCAN_TYPE, none, scan_gc);
  luaL_newlib(L, functions);
  return 1;
}
