/* value.c: see value.h. */
#include "vm/value.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>
#include <lauxlib.h>

#include "vm/freeze.h"

/* Deeper tables are taken for a cycle. Over the parse's own bound, so what was read can be written. */
#define MAX_DEPTH 200

static const char null_key = 0;
static const char array_key = 0; /* in the registry: the metatable that marks arrays */

/* ---- marks and errors ---- */

void lre_value_push_null(lua_State *L) {
  lua_pushlightuserdata(L, (void *)&null_key);
}

bool lre_value_is_null(lua_State *L, int index) {
  return lua_islightuserdata(L, index) && lua_touserdata(L, index) == (void *)&null_key;
}

void lre_value_set_array(lua_State *L, int index) {
  index = lua_absindex(L, index);
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key) == LUA_TNIL) {
    lua_pop(L, 1);
    lua_createtable(L, 0, 0);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &array_key);
  }
  lua_setmetatable(L, index);
}

/* The table at index, which is not frozen, has the mark. */
static bool has_array_mark(lua_State *L, int index) {
  if (!lua_getmetatable(L, index)) return false;
  lua_rawgetp(L, LUA_REGISTRYINDEX, &array_key);
  bool same = lua_rawequal(L, -1, -2);
  lua_pop(L, 2);
  return same;
}

bool lre_value_is_array(lua_State *L, int index) {
  if (lre_freeze_target(L, index)) {
    bool marked = lre_value_is_array(L, -1);
    lua_pop(L, 1);
    return marked;
  }
  return lua_istable(L, index) && has_array_mark(L, index);
}

static int err_tostring(lua_State *L) {
  if (!lua_istable(L, 1)) return lua_pushliteral(L, "error"), 1;
  lua_pushliteral(L, "message");
  if (lua_rawget(L, 1) != LUA_TSTRING) lua_pushliteral(L, "error without a message");
  return 1;
}

void lre_value_push_err(lua_State *L, const struct lre_err *err) {
  lua_createtable(L, 0, 4);
  lua_pushstring(L, err->kind);
  lua_setfield(L, -2, "kind");
  lua_pushstring(L, err->code);
  lua_setfield(L, -2, "code");
  lua_pushstring(L, err->message);
  lua_setfield(L, -2, "message");
  if (luaL_newmetatable(L, "lre.error")) {
    lua_pushcfunction(L, err_tostring);
    lua_setfield(L, -2, "__tostring");
  }
  lua_setmetatable(L, -2);
}

/* ---- in ---- */

static void push_array(lua_State *L, const struct cJSON *item) {
  lua_createtable(L, cJSON_GetArraySize(item), 0);
  lua_Integer i = 0;
  for (const struct cJSON *child = item->child; child; child = child->next) {
    lre_value_push_item(L, child);
    lua_rawseti(L, -2, ++i);
  }
  lre_value_set_array(L, -1);
}

static void push_object(lua_State *L, const struct cJSON *item) {
  lua_createtable(L, 0, cJSON_GetArraySize(item));
  for (const struct cJSON *child = item->child; child; child = child->next) {
    lua_pushlstring(L, child->string, strlen(child->string)); /* lua_pushstring's cache of addresses never hits here */
    lre_value_push_item(L, child);
    lua_rawset(L, -3);
  }
}

void lre_value_push_item(lua_State *L, const struct cJSON *item) {
  luaL_checkstack(L, 4, "JSON is nested too deeply");
  switch (item->type & 0xff) {
  case cJSON_False:
    lua_pushboolean(L, 0);
    break;
  case cJSON_True:
    lua_pushboolean(L, 1);
    break;
  case cJSON_String:
    lua_pushlstring(L, item->valuestring, strlen(item->valuestring));
    break;
  case cJSON_Array:
    push_array(L, item);
    break;
  case cJSON_Object:
    push_object(L, item);
    break;
  case cJSON_Number:
    if (item->type & LRE_JSON_FLOAT)
      lua_pushnumber(L, item->valuedouble);
    else
      lua_pushinteger(L, (lua_Integer)item->valuedouble); /* within 2^53: the parse saw to it */
    break;
  default:
    lre_value_push_null(L);
  }
}

void lre_value_push(lua_State *L, const struct lre_json_doc *doc) {
  lre_value_push_item(L, doc->root);
}

/* ---- out ---- */

/* Where the encoder is, for messages: a chain on the C stack. */
struct path {
  const struct path *up;
  const char *key; /* NULL: index */
  size_t key_len;
  lua_Integer index;
};

struct encoder {
  lua_State *L;
  struct lre_buf *out;
  int indent;
  struct lre_err *err;
};

static void put_path(struct lre_buf *b, const struct path *p) {
  if (!p) return;
  put_path(b, p->up);
  if (!p->key)
    lre_buf_printf(b, "[%lld]", (long long)p->index);
  else
    lre_buf_printf(b, "%s%.*s", p->up ? "." : "", (int)p->key_len, p->key);
}

static bool fail_at(struct encoder *e, const struct path *at, const char *code, const char *problem) {
  struct lre_buf where;
  lre_buf_init(&where);
  put_path(&where, at);
  lre_err_set(e->err, "json", code, "%s: %s", where.len && where.data ? where.data : "value", problem);
  lre_buf_free(&where);
  return false;
}

static bool encode(struct encoder *e, const struct path *at, int depth);

static void new_line(struct encoder *e, int depth) {
  if (!e->indent) return;
  lre_buf_putc(e->out, '\n');
  for (int i = 0; i < depth * e->indent; i++) lre_buf_putc(e->out, ' ');
}

/* The table on top: its length as an array, or -1 where it is an object, or -2 where it has the mark of an array and
 * other keys. */
static lua_Integer array_length(lua_State *L) {
  bool marked = has_array_mark(L, -1);
  lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
  if (!marked && lua_rawgeti(L, -1, 1) == LUA_TNIL) return lua_pop(L, 1), -1;
  if (!marked) lua_pop(L, 1);
  lua_Integer seen = 0;
  lua_pushnil(L);
  while (lua_next(L, -2)) {
    lua_pop(L, 1);
    bool inside = lua_isinteger(L, -1) && lua_tointeger(L, -1) >= 1 && lua_tointeger(L, -1) <= n;
    if (!inside) return lua_pop(L, 1), marked ? -2 : -1;
    seen++;
  }
  if (seen == n) return n;
  return marked ? -2 : -1;
}

static bool encode_array(struct encoder *e, const struct path *at, int depth, lua_Integer n) {
  lre_buf_putc(e->out, '[');
  for (lua_Integer i = 1; i <= n; i++) {
    struct path here = {.up = at, .index = i};
    if (i > 1) lre_buf_putc(e->out, ',');
    new_line(e, depth + 1);
    lua_rawgeti(e->L, -1, i);
    bool ok = encode(e, &here, depth + 1);
    lua_pop(e->L, 1);
    if (!ok) return false;
  }
  if (n > 0) new_line(e, depth);
  return lre_buf_putc(e->out, ']') || lre_err_memory(e->err);
}

struct key {
  const char *s;
  size_t len;
  uint64_t prefix; /* its first 8 bytes, big-endian: decides most comparisons */
  int value;       /* stack index: keys and values stay there until the object is written */
};

static uint64_t prefix_of(const char *s, size_t len) {
  uint64_t prefix = 0;
  if (len >= 8) {
    for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (unsigned char)s[i]; /* compiles to one load */
    return prefix;
  }
  for (size_t i = 0; i < 8; i++) prefix = prefix << 8 | (i < len ? (unsigned char)s[i] : 0);
  return prefix;
}

static int compare_keys(const void *a, const void *b) {
  const struct key *x = a, *y = b;
  if (x->prefix != y->prefix) return x->prefix < y->prefix ? -1 : 1;
  size_t n = x->len < y->len ? x->len : y->len;
  int order = n ? memcmp(x->s, y->s, n) : 0;
  return order ? order : (x->len > y->len) - (x->len < y->len);
}

enum { FEW_KEYS = 32 };

/* By insertion where they are few: most rows have a dozen. */
static void sort_keys(struct key *keys, size_t n) {
  if (n > FEW_KEYS) {
    qsort(keys, n, sizeof *keys, compare_keys);
    return;
  }
  for (size_t i = 1; i < n; i++) {
    struct key moved = keys[i];
    size_t k = i;
    for (; k > 0 && compare_keys(&keys[k - 1], &moved) > 0; k--) keys[k] = keys[k - 1];
    keys[k] = moved;
  }
}

/* Pushes key, value, key, value... of the table at index; *n pairs. False: a key that is no string, or no room. */
static bool push_members(struct encoder *e, int table, const struct path *at, size_t *n) {
  lua_State *L = e->L;
  *n = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (lua_type(L, -2) != LUA_TSTRING)
      return fail_at(e, at, "key",
                     lua_isnumber(L, -2) ? "a list with holes, or with other keys beside it, cannot be written as JSON"
                                         : "a key of an object must be a string");
    if (!lua_checkstack(L, 16)) return lre_err_memory(e->err);
    ++*n;
    lua_pushvalue(L, -2);
  }
  return true;
}

static void read_keys(lua_State *L, int table, struct key *keys, size_t n) {
  for (size_t i = 0; i < n; i++) {
    int slot = table + 1 + 2 * (int)i;
    keys[i].s = lua_tolstring(L, slot, &keys[i].len);
    keys[i].prefix = prefix_of(keys[i].s, keys[i].len);
    keys[i].value = slot + 1;
  }
}

static bool encode_members(struct encoder *e, const struct path *at, int depth, const struct key *keys, size_t n) {
  for (size_t i = 0; i < n; i++) {
    struct path here = {.up = at, .key = keys[i].s, .key_len = keys[i].len};
    if (i > 0) lre_buf_putc(e->out, ',');
    new_line(e, depth + 1);
    if (!lre_json_put_string(e->out, keys[i].s, keys[i].len, e->err))
      return fail_at(e, &here, "utf8", "a key that is not valid UTF-8");
    lre_buf_putc(e->out, ':');
    if (e->indent) lre_buf_putc(e->out, ' ');
    lua_pushvalue(e->L, keys[i].value);
    bool ok = encode(e, &here, depth + 1);
    lua_pop(e->L, 1);
    if (!ok) return false;
  }
  if (n > 0) new_line(e, depth);
  return true;
}

static bool encode_object(struct encoder *e, const struct path *at, int depth) {
  lua_State *L = e->L;
  int table = lua_gettop(L);
  size_t n;
  struct key few[FEW_KEYS], *keys = few;
  bool ok = push_members(e, table, at, &n);
  if (ok && n > FEW_KEYS && !(keys = malloc(n * sizeof *keys))) ok = lre_err_memory(e->err);
  if (ok) {
    read_keys(L, table, keys, n);
    sort_keys(keys, n);
    lre_buf_putc(e->out, '{');
    ok = encode_members(e, at, depth, keys, n);
    lre_buf_putc(e->out, '}');
  }
  if (keys != few) free(keys);
  lua_settop(L, table);
  return ok;
}

static bool encode_table(struct encoder *e, const struct path *at, int depth) {
  if (lre_freeze_target(e->L, -1)) {
    bool ok = encode_table(e, at, depth);
    lua_pop(e->L, 1);
    return ok;
  }
  if (depth >= MAX_DEPTH) return fail_at(e, at, "depth", "nested over 200 deep: does the table contain itself?");
  lua_Integer n = array_length(e->L);
  if (n == -2) return fail_at(e, at, "key", "an array with holes or with other keys cannot be written as JSON");
  return n >= 0 ? encode_array(e, at, depth, n) : encode_object(e, at, depth);
}

static bool encode_string(struct encoder *e, const struct path *at) {
  size_t len;
  const char *s = lua_tolstring(e->L, -1, &len);
  struct lre_err err;
  if (lre_json_put_string(e->out, s, len, &err)) return true;
  return fail_at(e, at, err.code, err.message);
}

static bool encode_number(struct encoder *e, const struct path *at) {
  struct lre_err err;
  if (lua_isinteger(e->L, -1)) return lre_json_put_int(e->out, lua_tointeger(e->L, -1)) || lre_err_memory(e->err);
  if (lre_json_put_double(e->out, lua_tonumber(e->L, -1), &err)) return true;
  return fail_at(e, at, err.code, err.message);
}

static bool encode_other(struct encoder *e, const struct path *at) {
  if (lre_value_is_null(e->L, -1)) return lre_buf_puts(e->out, "null") || lre_err_memory(e->err);
  char problem[80];
  const char *type = lua_typename(e->L, lua_type(e->L, -1));
  lre_err_set(e->err, "json", "type", "%s", type);
  strcpy(problem, "a ");
  strncat(problem, type, 30);
  strcat(problem, " cannot be written as JSON");
  return fail_at(e, at, "type", problem);
}

/* The value on top of the stack; leaves the stack as it was. */
static bool encode(struct encoder *e, const struct path *at, int depth) {
  if (e->out->failed || !lua_checkstack(e->L, 8))
    return lre_err_memory(e->err); /* a table may hold another twice, and so on: 2^n */
  switch (lua_type(e->L, -1)) {
  case LUA_TBOOLEAN:
    return lre_buf_puts(e->out, lua_toboolean(e->L, -1) ? "true" : "false") || lre_err_memory(e->err);
  case LUA_TNUMBER:
    return encode_number(e, at);
  case LUA_TSTRING:
    return encode_string(e, at);
  case LUA_TTABLE:
    return encode_table(e, at, depth);
  default:
    return encode_other(e, at);
  }
}

bool lre_value_encode(lua_State *L, int index, struct lre_buf *out, int indent, struct lre_err *err) {
  struct encoder e = {.L = L, .out = out, .indent = indent, .err = err};
  int top = lua_gettop(L);
  if (!lua_checkstack(L, 8)) return lre_err_memory(err);
  lua_pushvalue(L, index);
  bool ok = encode(&e, NULL, 0);
  lua_settop(L, top);
  if (ok && indent) lre_buf_putc(out, '\n');
  return ok && (!out->failed || lre_err_memory(err));
}

/* ---- from state to state ---- */

struct copy {
  lua_State *from;
  bool placeholders;
  struct lre_err *err;
  bool ok;
};

static int refuse_call(lua_State *L) {
  return luaL_error(L, "this function lives in a judge's own state and cannot be called from here");
}

static bool copy_top(struct copy *c, lua_State *to, int depth);

/* The table on top of both stacks. */
static bool copy_members(struct copy *c, lua_State *to, int depth) {
  lua_pushnil(c->from);
  while (lua_next(c->from, -2)) {
    lua_pushvalue(c->from, -2);
    if (!copy_top(c, to, depth + 1)) return false;
    lua_pop(c->from, 1);
    if (!copy_top(c, to, depth + 1)) return false;
    lua_rawset(to, -3);
    lua_pop(c->from, 1);
  }
  return true;
}

static bool copy_table(struct copy *c, lua_State *to, int depth) {
  if (lre_freeze_target(c->from, -1)) {
    bool ok = copy_table(c, to, depth);
    if (ok) lua_pop(c->from, 1);
    return ok;
  }
  if (depth >= MAX_DEPTH)
    return lre_err_set(c->err, "script", "depth", "a table is nested over 200 deep, or contains itself");
  lua_createtable(to, (int)lua_rawlen(c->from, -1), 0);
  if (lre_value_is_array(c->from, -1)) lre_value_set_array(to, -1);
  return copy_members(c, to, depth);
}

/* Copies the top of `from`, which stays. */
static bool copy_top(struct copy *c, lua_State *to, int depth) {
  size_t len;
  const char *s;
  luaL_checkstack(to, 6, "too deep a copy");
  if (!lua_checkstack(c->from, 6)) return lre_err_memory(c->err);
  switch (lua_type(c->from, -1)) {
  case LUA_TNIL:
    lua_pushnil(to);
    return true;
  case LUA_TBOOLEAN:
    lua_pushboolean(to, lua_toboolean(c->from, -1));
    return true;
  case LUA_TNUMBER:
    if (lua_isinteger(c->from, -1))
      lua_pushinteger(to, lua_tointeger(c->from, -1));
    else
      lua_pushnumber(to, lua_tonumber(c->from, -1));
    return true;
  case LUA_TSTRING:
    s = lua_tolstring(c->from, -1, &len);
    lua_pushlstring(to, s, len);
    return true;
  case LUA_TTABLE:
    return copy_table(c, to, depth);
  default:
    break;
  }
  if (lre_value_is_null(c->from, -1))
    lre_value_push_null(to);
  else if (c->placeholders)
    lua_pushcfunction(to, refuse_call);
  else
    return lre_err_set(c->err, "script", "type", "a %s cannot be copied to another state",
                       lua_typename(c->from, lua_type(c->from, -1)));
  return true;
}

static int copy_protected(lua_State *to) {
  struct copy *c = lua_touserdata(to, 1);
  c->ok = copy_top(c, to, 0);
  return c->ok ? 1 : 0;
}

bool lre_value_copy(lua_State *from, int index, lua_State *to, bool placeholders, struct lre_err *err) {
  struct copy c = {.from = from, .placeholders = placeholders, .err = err};
  int top = lua_gettop(from), to_top = lua_gettop(to);
  if (!lua_checkstack(from, 2) || !lua_checkstack(to, 3)) return lre_err_memory(err);
  lua_pushvalue(from, index);
  lua_pushcfunction(to, copy_protected);
  lua_pushlightuserdata(to, &c);
  int status = lua_pcall(to, 1, 1, 0);
  lua_settop(from, top);
  if (status == LUA_OK && c.ok) return true;
  lua_settop(to, to_top);
  return status == LUA_OK ? false : lre_err_memory(err);
}
