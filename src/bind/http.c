/* http.c: require "lre.http". */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "bind/bind.h"
#include "core/buf.h"
#include "core/http.h"
#include "core/platform.h"
#include "core/secret.h"
#include "vm/sched.h"
#include "vm/vm.h"

#define CALL_TYPE     "lre.http.call"
#define PREPARED_TYPE "lre.http.prepared"

static const char idle_key = 0; /* in the registry: calls that are done with, for the next ones */

struct call {
  struct lre_wait wait;
  int index;                  /* where it is on its coroutine's stack */
  struct lre_http_call *call; /* NULL: not in flight */
  bool ok;
  struct lre_http_response response;
  struct lre_err err;
};

static struct lre_secrets *secrets_of(lua_State *L) {
  return lre_vm_secrets(lre_context_get(L)->vm);
}

static void stop_call(struct call *c) {
  if (c->call) lre_http_cancel(c->call);
  c->call = NULL;
  lre_buf_free(&c->response.headers);
  lre_buf_free(&c->response.body);
}

static int call_gc(lua_State *L) {
  stop_call(luaL_checkudata(L, 1, CALL_TYPE));
  return 0;
}

static void cancel_call(struct lre_wait *w) {
  stop_call((struct call *)w);
}

/* Inside lre_http_poll. The buffers are moved from, the rest is plain data. */
static void on_done(void *ud, bool ok, struct lre_http_response *response, const struct lre_err *err) {
  struct call *c = ud;
  c->call = NULL;
  c->ok = ok;
  c->response = *response;
  lre_buf_init(&response->headers);
  lre_buf_init(&response->body);
  if (!ok) c->err = *err;
  lre_sched_complete(&c->wait);
}

/* ---- the response ---- */

/* Repeated headers are joined with ", " (RFC 9110, 5.3). The table is on top of the stack. */
static void add_header(lua_State *L, const char *name, size_t name_len, const char *value, size_t value_len) {
  lua_pushlstring(L, name, name_len);
  lua_pushvalue(L, -1);
  if (lua_rawget(L, -3) == LUA_TSTRING) {
    lua_pushliteral(L, ", ");
    lua_pushlstring(L, value, value_len);
    lua_concat(L, 3);
  } else {
    lua_pop(L, 1);
    lua_pushlstring(L, value, value_len);
  }
  lua_rawset(L, -3);
}

static int count_lines(const char *text, const char *end) {
  int n = 0;
  while (text && (text = memchr(text, '\n', (size_t)(end - text)))) n++, text++;
  return n;
}

static void push_headers(lua_State *L, const struct lre_buf *headers) {
  const char *line = headers->data, *end = line ? line + headers->len : NULL;
  lua_createtable(L, 0, count_lines(line, end));
  while (line && line < end) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    if (!stop) stop = end;
    const char *colon = memchr(line, ':', (size_t)(stop - line));
    if (colon) {
      const char *value = colon + 1;
      while (value < stop && *value == ' ') value++;
      add_header(L, line, (size_t)(colon - line), value, (size_t)(stop - value));
    }
    line = stop + 1;
  }
}

static void push_seconds(lua_State *L, const struct lre_http_response *r) {
  lua_createtable(L, 0, 3);
  lua_pushnumber(L, (double)r->connect_us / 1e6);
  lua_setfield(L, -2, "connect");
  lua_pushnumber(L, (double)r->first_byte_us / 1e6);
  lua_setfield(L, -2, "first_byte");
  lua_pushnumber(L, (double)r->total_us / 1e6);
  lua_setfield(L, -2, "total");
}

static int push_failure(lua_State *L, const struct call *c) {
  lre_bind_fail(L, &c->err);
  lua_pushboolean(L, c->response.sent);
  lua_setfield(L, -2, "sent");
  if (c->response.status > 0) {
    lua_pushinteger(L, c->response.status);
    lua_setfield(L, -2, "status");
  }
  return 2;
}

/* An object with a finalizer lives for two collections: calls are used again, as many as were in flight at once. */
static struct call *take_call(lua_State *L) {
  struct call *c = NULL;
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &idle_key) == LUA_TTABLE) {
    lua_Integer n = (lua_Integer)lua_rawlen(L, -1);
    if (n > 0) {
      lua_rawgeti(L, -1, n);
      c = lua_touserdata(L, -1);
      lua_pushnil(L);
      lua_rawseti(L, -3, n);
    }
  }
  if (!c) {
    c = lua_newuserdatauv(L, sizeof *c, 0);
    c->call = NULL;
    lre_buf_init(&c->response.headers);
    lre_buf_init(&c->response.body);
    luaL_setmetatable(L, CALL_TYPE);
  }
  c->index = lua_gettop(L);
  return c;
}

static void give_call(lua_State *L, int index) {
  if (lua_rawgetp(L, LUA_REGISTRYINDEX, &idle_key) != LUA_TTABLE) {
    lua_pop(L, 1);
    lua_newtable(L);
    lua_pushvalue(L, -1);
    lua_rawsetp(L, LUA_REGISTRYINDEX, &idle_key);
  }
  lua_pushvalue(L, index);
  lua_rawseti(L, -2, (lua_Integer)lua_rawlen(L, -2) + 1);
  lua_pop(L, 1);
}

static int push_response(lua_State *L, struct lre_wait *w) {
  struct call *c = (struct call *)w;
  struct lre_http_response *r = &c->response;
  if (!c->ok) return push_failure(L, c);
  lua_createtable(L, 0, 6);
  lua_pushinteger(L, r->status);
  lua_setfield(L, -2, "status");
  push_headers(L, &r->headers);
  lua_setfield(L, -2, "headers");
  lre_bind_push_buf(L, &r->body);
  lua_setfield(L, -2, "body");
  lua_pushboolean(L, r->sent);
  lua_setfield(L, -2, "sent");
  lua_pushboolean(L, r->reused);
  lua_setfield(L, -2, "reused");
  push_seconds(L, r);
  lua_setfield(L, -2, "seconds");
  stop_call(c);
  give_call(L, c->index);
  return 1;
}

/* ---- the request: stack 1 its table ---- */

/* Stays on the stack, so that the pointer stays good. */
static const char *string_field(lua_State *L, int table, const char *name, const char *otherwise) {
  int type = lua_getfield(L, table, name);
  if (type == LUA_TNIL) return otherwise;
  if (type != LUA_TSTRING) luaL_error(L, "http.request: %s: expected a string, got %s", name, lua_typename(L, type));
  if (strlen(lua_tostring(L, -1)) != lua_rawlen(L, -1)) luaL_error(L, "http.request: %s holds a zero byte", name);
  return lua_tostring(L, -1);
}

static uint32_t milliseconds(lua_State *L, int table, const char *name) {
  double seconds = 0;
  if (lua_getfield(L, table, name) != LUA_TNIL) {
    int is_number;
    seconds = lua_tonumberx(L, -1, &is_number);
    if (!is_number || !(seconds >= 0 && seconds <= 4e6))
      luaL_error(L, "http.request: timeouts.%s: expected seconds from 0 to 4,000,000", name);
  }
  lua_pop(L, 1);
  return (uint32_t)ceil(seconds * 1e3);
}

static void read_timeouts(lua_State *L, struct lre_http_timeouts *t) {
  if (lua_getfield(L, 1, "timeouts") == LUA_TTABLE) {
    int table = lua_gettop(L);
    t->connect_ms = milliseconds(L, table, "connect");
    t->first_byte_ms = milliseconds(L, table, "first_byte");
    t->stall_ms = milliseconds(L, table, "stall");
    t->total_ms = milliseconds(L, table, "total");
  }
  lua_pop(L, 1);
}

static void read_auth(lua_State *L, struct lre_http_request *r) {
  if (lua_getfield(L, 1, "auth") != LUA_TTABLE) return;
  int table = lua_gettop(L);
  r->auth_env = string_field(L, table, "env", NULL);
  r->auth_header = string_field(L, table, "header", "Authorization");
  r->auth_prefix = string_field(L, table, "prefix", "");
  if (!r->auth_env) luaL_error(L, "http.request: auth.env: expected the name of an environment variable");
}

/* A list of "Name: value" lines in one userdata, the strings kept by a table beside it. Sorted, so that the wire has
 * one order. */
static void read_headers(lua_State *L, struct lre_http_request *r) {
  if (lua_getfield(L, 1, "headers") == LUA_TNIL) return;
  luaL_checktype(L, -1, LUA_TTABLE);
  int table = lua_gettop(L);
  lua_newtable(L);
  int lines = table + 1;
  lua_Integer n = 0;
  lua_pushnil(L);
  while (lua_next(L, table)) {
    if (lua_type(L, -2) != LUA_TSTRING || !lua_isstring(L, -1))
      luaL_error(L, "http.request: headers: expected names with strings");
    lua_pushfstring(L, "%s: %s", lua_tostring(L, -2), lua_tostring(L, -1));
    lua_rawseti(L, lines, ++n);
    lua_pop(L, 1);
  }
  const char **list = lua_newuserdatauv(L, ((size_t)n + 1) * sizeof *list, 0);
  for (lua_Integer i = 0; i < n; i++) {
    lua_rawgeti(L, lines, i + 1);
    const char *line = lua_tostring(L, -1);
    lua_pop(L, 1);
    lua_Integer at = i;
    for (; at > 0 && strcmp(list[at - 1], line) > 0; at--) list[at] = list[at - 1];
    list[at] = line;
  }
  r->headers = list;
  r->n_headers = (size_t)n;
}

/* "api.example:443" of "https://api.example:443/v1": for the status print; no path, no query, no user. */
static void host_of(const char *url, char *out, size_t size) {
  const char *host = strstr(url, "://");
  host = host ? host + 3 : url;
  size_t len = strcspn(host, "/?#");
  const char *at = memchr(host, '@', len);
  if (at) {
    len -= (size_t)(at + 1 - host);
    host = at + 1;
  }
  if (len > size - 1) len = size - 1;
  memcpy(out, host, len);
  out[len] = '\0';
}

/* The table at 1. What `r` points to is on the stack afterwards. */
static void read_request(lua_State *L, struct lre_http_request *r) {
  *r = (struct lre_http_request){0};
  r->method = string_field(L, 1, "method", "GET");
  r->url = string_field(L, 1, "url", NULL);
  if (!r->url) luaL_error(L, "http.request: url: expected a string, got nil");
  read_timeouts(L, &r->timeouts);
  read_auth(L, r);
  read_headers(L, r);
  lua_getfield(L, 1, "max_bytes");
  r->max_response_bytes = (size_t)luaL_optinteger(L, -1, 0);
}

static int http_prepare(lua_State *L) {
  struct lre_http_request request;
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  read_request(L, &request);
  int last = lua_gettop(L);
  struct lre_http_request *r = lua_newuserdatauv(L, sizeof *r, 1);
  *r = request;
  luaL_setmetatable(L, PREPARED_TYPE);
  lua_createtable(L, last, 0);
  for (int i = 2; i <= last; i++) {
    lua_pushvalue(L, i);
    lua_rawseti(L, -2, i - 1);
  }
  lua_setiuservalue(L, -2, 1);
  return 1;
}

/* Pushes the body, or nil. */
static void prepare(lua_State *L, struct lre_http_request *request) {
  const struct lre_http_request *prepared = luaL_testudata(L, 1, PREPARED_TYPE);
  if (prepared) {
    lua_settop(L, 2);
    *request = *prepared;
    return;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  read_request(L, request);
  lua_getfield(L, 1, "body");
}

static int http_request(lua_State *L) {
  lre_sched_check_wait(L, "http.request");
  struct lre_http_request request;
  struct lre_err err;
  prepare(L, &request);
  size_t body_len = 0;
  const char *body = lua_isnil(L, -1) ? NULL : luaL_checklstring(L, -1, &body_len);
  struct lre_http *http = lre_sched_http(lre_vm_sched(lre_context_get(L)->vm), &err);
  if (!http) return lre_bind_fail(L, &err);
  struct call *c = take_call(L);
  int index = c->index;
  *c = (struct call){.wait = {.what = "http", .push = push_response, .cancel = cancel_call}, .index = index};
  host_of(request.url, c->wait.detail, sizeof c->wait.detail);
  lre_buf_init(&request.body);
  if (body) lre_buf_put(&request.body, body, body_len);
  c->call = request.body.failed ? (lre_err_memory(&err), NULL) : lre_http_start(http, &request, on_done, c, &err);
  lre_buf_free(&request.body); /* empty where it was moved */
  if (!c->call) {
    c->err = err;
    return push_failure(L, c);
  }
  return lre_sched_wait(L, &c->wait);
}

/* ---- the rest ---- */

static int http_configure(lua_State *L) {
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  struct lre_http_options options = {0};
  struct lre_err err;
  options.user_agent = string_field(L, 1, "user_agent", NULL);
  options.ca_file = string_field(L, 1, "ca_file", NULL);
  options.proxy = string_field(L, 1, "proxy", NULL);
  lua_getfield(L, 1, "max_connections");
  options.max_connections_per_host = (long)luaL_optinteger(L, -1, 0);
  if (!lre_sched_configure_http(lre_vm_sched(lre_context_get(L)->vm), &options, &err))
    return luaL_error(L, "%s", err.message);
  return 0;
}

static int http_allow(lua_State *L) {
  struct lre_http_allow *allow = lre_sched_http_allow(lre_vm_sched(lre_context_get(L)->vm));
  struct lre_err err;
  if (lua_isnoneornil(L, 1)) {
    lre_http_allow_all(allow);
    return 0;
  }
  luaL_checktype(L, 1, LUA_TTABLE);
  lre_http_allow_none(allow);
  for (lua_Integer i = 1; lua_rawgeti(L, 1, i) != LUA_TNIL; i++) {
    if (!lre_http_allow_add(allow, luaL_checkstring(L, -1), &err)) return lre_bind_raise(L, &err);
    lua_pop(L, 1);
  }
  return 0;
}

static int http_escape(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  struct lre_buf *out = lre_bind_buf(L);
  lre_http_escape(s, len, out);
  return lre_bind_push_buf(L, out);
}

static int http_load_key(lua_State *L) {
  const char *name = luaL_checkstring(L, 1);
  struct lre_err err = {.kind = NULL};
  bool loaded = lre_secrets_load(secrets_of(L), name, &err);
  if (!loaded && err.code && strcmp(err.code, "unset") != 0) return lre_bind_fail(L, &err);
  if (loaded) {
    lre_vm_hide_env(L, name);
    lre_platform_no_core_dump();
  }
  lua_pushboolean(L, loaded);
  return 1;
}

static int http_redact(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  struct lre_buf *out = lre_bind_buf(L);
  lre_buf_put(out, s, len);
  if (!lre_secrets_redact(secrets_of(L), out) && !out->failed) {
    lre_buf_free(out);
    lua_settop(L, 1);
    return 1;
  }
  return lre_bind_push_buf(L, out);
}

int luaopen_lre_http(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"request", http_request}, {"prepare", http_prepare},   {"configure", http_configure}, {"escape", http_escape},
      {"allow", http_allow},     {"load_key", http_load_key}, {"redact", http_redact},       {NULL, NULL},
  };
  static const luaL_Reg none[] = {{NULL, NULL}};
  lre_bind_type(L, CALL_TYPE, none, call_gc);
  lre_bind_type(L, PREPARED_TYPE, none, NULL);
  luaL_newlib(L, functions);
  return 1;
}
