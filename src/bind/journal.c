/* journal.c: require "lre.journal". */
#include <stdio.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/fs.h"
#include "core/journal.h"
#include "core/json.h"
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

struct scan {
  struct lre_fs_lines *reader;
  struct lre_json_doc doc;
  bool has_doc, rows_only;
};

static void free_doc(struct scan *s) {
  if (s->has_doc) lre_json_free(&s->doc);
  s->has_doc = false;
}

static int scan_gc(lua_State *L) {
  struct scan *s = luaL_checkudata(L, 1, SCAN_TYPE);
  free_doc(s);
  if (s->reader) lre_fs_lines_close(s->reader);
  s->reader = NULL;
  return 0;
}

static const struct cJSON *member(const struct cJSON *object, const char *name, size_t len) {
  if (!cJSON_IsObject(object)) return NULL;
  for (const struct cJSON *child = object->child; child; child = child->next) {
    if (strncmp(child->string, name, len) == 0 && child->string[len] == '\0') return child;
  }
  return NULL;
}

/* The value at a dotted path; a name with a dot in it is found where it is a whole field. */
static const struct cJSON *pick(const struct cJSON *row, const char *path) {
  const struct cJSON *item = row;
  while (item && *path) {
    size_t len = strcspn(path, ".");
    item = member(item, path, len);
    path += len + (path[len] == '.');
  }
  return item;
}

/* Upvalues: 1 the scan, 2 the list of fields. Pushes the row of the parsed line. */
static void push_row(lua_State *L, const struct cJSON *row, int fields) {
  int n = (int)lua_rawlen(L, fields);
  lua_createtable(L, 0, n);
  for (int i = 1; i <= n; i++) {
    lua_rawgeti(L, fields, i);
    const struct cJSON *item = pick(row, lua_tostring(L, -1));
    if (item)
      lre_value_push_item(L, item);
    else
      lua_pushboolean(L, 0);
    lua_rawset(L, -3);
  }
}

static int fail_line(lua_State *L, uint64_t number, const struct lre_err *err) {
  lua_pushnil(L);
  lua_pushinteger(L, (lua_Integer)number);
  lre_bind_push_err(L, err);
  return 3;
}

/* What lre_row_read asks of a line, of its tree. */
static bool check_row(const struct cJSON *root, struct lre_err *err) {
  const struct cJSON *v = member(root, "v", 1), *type = member(root, "type", 4), *key = member(root, "key", 3);
  const char *said = cJSON_IsString(type) ? type->valuestring : "";
  if (cJSON_IsNumber(v) && v->valuedouble > LRE_ROW_VERSION)
    return lre_err_set(err, "journal", "future", "v: expected at most %d, found %.0f: written by a newer lre",
                       LRE_ROW_VERSION, v->valuedouble);
  if (!cJSON_IsNumber(v) || (strcmp(said, "trial") != 0 && strcmp(said, "verdict") != 0))
    return lre_err_set(err, "journal", "foreign", "is no row of a run: type: expected \"trial\" or \"verdict\", and v");
  if (cJSON_IsString(key) && key->valuestring[0]) return true;
  return lre_err_set(err, "journal", "foreign", "is no row of a run: key: expected a string");
}

static int next_row(lua_State *L) {
  static const struct lre_json_limits limits = {.max_depth = 128, .bigint_as_string = true};
  struct scan *s = lua_touserdata(L, lua_upvalueindex(1));
  const char *line;
  size_t len;
  uint64_t offset, number;
  bool ended;
  struct lre_err err;
  free_doc(s); /* after an error in between */
  if (!s->reader) return 0;
  int got = lre_fs_lines_next(s->reader, &line, &len, &offset, &number, &ended, &err);
  if (got < 0) return lre_bind_raise(L, &err);
  if (got == 0 || !ended) { /* the end, or a torn last line: that is not a row */
    lre_fs_lines_close(s->reader);
    s->reader = NULL;
    return 0;
  }
  if (!lre_json_parse(&s->doc, line, len, &limits, &err)) return fail_line(L, number, &err);
  s->has_doc = true;
  if (!cJSON_IsObject(s->doc.root)) {
    lre_err_set(&err, "json", "type", "line %llu: expected an object", (unsigned long long)number);
    return fail_line(L, number, &err);
  }
  if (s->rows_only && !check_row(s->doc.root, &err)) return fail_line(L, number, &err);
  push_row(L, s->doc.root, lua_upvalueindex(2));
  free_doc(s);
  lua_pushinteger(L, (lua_Integer)number);
  return 2;
}

static void check_fields(lua_State *L, int index) {
  luaL_checktype(L, index, LUA_TTABLE);
  for (lua_Integer i = 1, n = (lua_Integer)lua_rawlen(L, index); i <= n; i++) {
    luaL_argcheck(L, lua_rawgeti(L, index, i) == LUA_TSTRING, index, "fields: expected a list of strings");
    lua_pop(L, 1);
  }
}

static int journal_scan(lua_State *L) {
  size_t len;
  const char *path = luaL_checklstring(L, 1, &len);
  luaL_argcheck(L, len > 0 && strlen(path) == len, 1, "a path must not be empty or hold a zero byte");
  check_fields(L, 2);
  lua_settop(L, 3);
  struct scan *s = lua_newuserdatauv(L, sizeof *s, 0);
  *s = (struct scan){.rows_only = lua_toboolean(L, 3)};
  luaL_setmetatable(L, SCAN_TYPE);
  struct lre_err err;
  s->reader = lre_fs_lines_open(path, LRE_ROW_MAX_BYTES, &err);
  if (!s->reader) return lre_bind_fail(L, &err);
  lua_pushvalue(L, 2);
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
