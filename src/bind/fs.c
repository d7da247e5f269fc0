/* fs.c: require "lre.fs". */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/fs.h"

#define LINES_TYPE "lre.lines"

/* Files that are read whole; more than a suite or a result has, less than a machine. */
#define DEFAULT_LINE_BYTES (64u << 20)

/* A path as C sees it: a zero byte would cut it. */
static const char *check_path(lua_State *L, int index) {
  size_t len;
  const char *path = luaL_checklstring(L, index, &len);
  luaL_argcheck(L, len > 0 && strlen(path) == len, index, "a path must not be empty or hold a zero byte");
  return path;
}

static size_t opt_size(lua_State *L, int index, size_t otherwise) {
  lua_Integer n = luaL_optinteger(L, index, (lua_Integer)otherwise);
  luaL_argcheck(L, n >= 0, index, "expected an integer from 0");
  return (size_t)n;
}

static int fs_read(lua_State *L) {
  const char *path = check_path(L, 1);
  size_t max_bytes = opt_size(L, 2, 0);
  struct lre_buf *out = lre_bind_buf(L);
  struct lre_err err;
  if (!lre_fs_read(path, max_bytes, out, &err)) {
    lre_buf_free(out);
    return lre_bind_fail(L, &err);
  }
  return lre_bind_push_buf(L, out);
}

static int push_done(lua_State *L, bool ok, const struct lre_err *err) {
  if (!ok) return lre_bind_fail(L, err);
  lua_pushboolean(L, 1);
  return 1;
}

static int fs_write(lua_State *L) {
  size_t len;
  const char *path = check_path(L, 1), *data = luaL_checklstring(L, 2, &len);
  struct lre_err err;
  bool ok = lre_fs_write_atomic(path, data, len, &err);
  return push_done(L, ok, &err);
}

static int fs_mkdir(lua_State *L) {
  const char *path = check_path(L, 1);
  bool created;
  struct lre_err err;
  if (!lre_fs_mkdir(path, lua_toboolean(L, 2), &created, &err)) return lre_bind_fail(L, &err);
  lua_pushboolean(L, created);
  return 1;
}

static int fs_stat(lua_State *L) {
  static const char *const names[] = {NULL, "file", "folder", "other"};
  struct lre_fs_info info;
  struct lre_err err;
  if (!lre_fs_stat(check_path(L, 1), &info, &err)) return lre_bind_fail(L, &err);
  if (info.type == LRE_FS_MISSING) return lua_pushnil(L), 1;
  lua_createtable(L, 0, 3);
  lua_pushstring(L, names[info.type]);
  lua_setfield(L, -2, "type");
  lua_pushinteger(L, (lua_Integer)info.size_bytes);
  lua_setfield(L, -2, "size");
  lua_pushinteger(L, info.mtime_s);
  lua_setfield(L, -2, "mtime");
  return 1;
}

static int fs_same(lua_State *L) {
  lua_pushboolean(L, lre_fs_same(check_path(L, 1), check_path(L, 2)));
  return 1;
}

static int fs_list(lua_State *L) {
  const char *path = check_path(L, 1);
  struct lre_buf *names = lre_bind_buf(L);
  struct lre_err err;
  size_t n;
  if (!lre_fs_list(path, names, &n, &err)) return lre_bind_fail(L, &err);
  lua_createtable(L, n > 1000000 ? 1000000 : (int)n, 0);
  const char *name = names->data;
  for (size_t i = 1; i <= n; i++, name += strlen(name) + 1) {
    lua_pushstring(L, name);
    lua_rawseti(L, -2, (lua_Integer)i);
  }
  lre_buf_free(names);
  return 1;
}

static int fs_remove(lua_State *L) {
  const char *path = check_path(L, 1);
  struct lre_err err;
  bool ok = remove(path) == 0 || lre_err_errno(&err, errno, "%s", path);
  return push_done(L, ok, &err);
}

/* ---- lines ---- */

struct lines {
  struct lre_fs_lines *reader;
};

static int lines_gc(lua_State *L) {
  struct lines *lines = luaL_checkudata(L, 1, LINES_TYPE);
  if (lines->reader) lre_fs_lines_close(lines->reader);
  lines->reader = NULL;
  return 0;
}

static int next_line(lua_State *L) {
  struct lines *lines = lua_touserdata(L, lua_upvalueindex(1));
  const char *line;
  size_t len;
  uint64_t offset, number;
  bool ended;
  struct lre_err err;
  if (!lines->reader) return 0;
  int got = lre_fs_lines_next(lines->reader, &line, &len, &offset, &number, &ended, &err);
  if (got <= 0) {
    lre_fs_lines_close(lines->reader);
    lines->reader = NULL;
    return got < 0 ? lre_bind_raise(L, &err) : 0;
  }
  lua_pushlstring(L, line, len);
  lua_pushinteger(L, (lua_Integer)number);
  lua_pushinteger(L, (lua_Integer)offset);
  lua_pushboolean(L, ended);
  return 4;
}

static int fs_lines(lua_State *L) {
  const char *path = check_path(L, 1);
  size_t max_line_bytes = opt_size(L, 2, DEFAULT_LINE_BYTES);
  struct lines *lines = lua_newuserdatauv(L, sizeof *lines, 0);
  lines->reader = NULL;
  luaL_setmetatable(L, LINES_TYPE);
  struct lre_err err;
  lines->reader = lre_fs_lines_open(path, max_line_bytes, &err);
  if (!lines->reader) return lre_bind_raise(L, &err);
  lua_pushvalue(L, -1);
  lua_pushcclosure(L, next_line, 1); /* and the file as the loop's closing value: `break` closes it */
  lua_insert(L, -2);
  lua_pushnil(L);
  lua_pushnil(L);
  lua_rotate(L, -3, 2);
  return 4;
}

/* ---- standard streams ---- */

static int fs_print(lua_State *L) {
  static const char *const names[] = {"stdout", "stderr", NULL};
  FILE *stream = luaL_checkoption(L, 1, NULL, names) == 0 ? stdout : stderr;
  size_t len;
  const char *data = luaL_checklstring(L, 2, &len);
  struct lre_err err;
  errno = 0;
  bool ok = fwrite(data, 1, len, stream) == len && fflush(stream) == 0;
  if (!ok) {
    lre_err_errno(&err, errno ? errno : EIO, "%s", stream == stdout ? "standard output" : "standard error");
    clearerr(stream);
  }
  return push_done(L, ok, &err);
}

int luaopen_lre_fs(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"read", fs_read}, {"write", fs_write}, {"mkdir", fs_mkdir},   {"stat", fs_stat},   {"same", fs_same},
      {"list", fs_list}, {"lines", fs_lines}, {"remove", fs_remove}, {"print", fs_print}, {NULL, NULL},
  };
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, LINES_TYPE, none, lines_gc);
  luaL_newlib(L, functions);
  return 1;
}
