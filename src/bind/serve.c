/* serve.c: require "lre.serve": the server of `lre mock`. */
#include "core/serve.h"

#include <math.h>
#include <string.h>

#include "bind/bind.h"
#include "vm/vm.h"

#define SERVE_TYPE "lre.serve"

struct server {
  struct lre_serve *serve; /* NULL: closed */
};

/* One turn's handler: it lies on L's stack. */
struct turn {
  lua_State *L;
  int handler;
};

static struct lre_serve *check_serve(lua_State *L) {
  struct server *s = luaL_checkudata(L, 1, SERVE_TYPE);
  if (!s->serve) luaL_error(L, "the server is closed");
  return s->serve;
}

static const char *string_field(lua_State *L, const char *name, const char *otherwise) {
  lua_getfield(L, 1, name); /* stays on the stack, so that the pointer stays good */
  return luaL_optstring(L, -1, otherwise);
}

static int serve_open(lua_State *L) {
  static const char *const names[] = {"host", "port", "cert", "max_body_bytes", NULL};
  luaL_checktype(L, 1, LUA_TTABLE);
  lua_settop(L, 1);
  lre_bind_check_fields(L, 1, "serve.open", names);
  struct lre_serve_options options = {.host = string_field(L, "host", "127.0.0.1"),
                                      .cert_path = string_field(L, "cert", NULL)};
  lua_getfield(L, 1, "port");
  lua_Integer port = luaL_optinteger(L, -1, 0);
  luaL_argcheck(L, port >= 0 && port <= UINT16_MAX, 1, "port: expected an integer from 0 to 65535");
  lua_getfield(L, 1, "max_body_bytes");
  lua_Integer max_body = luaL_optinteger(L, -1, 0);
  luaL_argcheck(L, max_body >= 0, 1, "max_body_bytes: expected an integer from 0");
  options.port = (uint16_t)port;
  options.max_body_bytes = (size_t)max_body;
  struct server *s = lua_newuserdatauv(L, sizeof *s, 0);
  s->serve = NULL;
  luaL_setmetatable(L, SERVE_TYPE);
  struct lre_err err;
  s->serve = lre_serve_open(&options, &err);
  return s->serve ? 1 : lre_bind_fail(L, &err);
}

static void set_string(lua_State *L, const char *name, const char *s, size_t len) {
  lua_pushlstring(L, s, len);
  lua_setfield(L, -2, name);
}

static void push_headers(lua_State *L, const char *line, const char *end) {
  lua_newtable(L);
  while (line < end) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    const char *colon = memchr(line, ':', (size_t)(stop - line));
    lua_pushlstring(L, line, (size_t)(colon - line));
    lua_pushlstring(L, colon + 2, (size_t)(stop - colon - 2));
    lua_rawset(L, -3);
    line = stop + 1;
  }
}

static int push_request(lua_State *L) {
  const struct lre_serve_request *r = lua_touserdata(L, 1);
  lua_createtable(L, 0, 5);
  set_string(L, "method", r->method, strlen(r->method));
  set_string(L, "target", r->target, strlen(r->target));
  set_string(L, "body", r->body, r->body_len);
  lua_pushinteger(L, (lua_Integer)r->connection);
  lua_setfield(L, -2, "connection");
  push_headers(L, r->headers, r->headers + r->headers_len);
  lua_setfield(L, -2, "headers");
  return 1;
}

/* A number is a pause in seconds, a string bytes. */
static int add_piece(lua_State *L, struct lre_serve_reply *reply) {
  if (lua_type(L, -1) == LUA_TNUMBER) {
    double seconds = lua_tonumber(L, -1);
    if (!(seconds >= 0 && seconds <= 4e6))
      return luaL_error(L, "a reply's pause: expected seconds from 0 to 4,000,000");
    lre_serve_pause(reply, (uint32_t)ceil(seconds * 1e3));
    return 0;
  }
  size_t len;
  const char *bytes = lua_tolstring(L, -1, &len);
  if (!bytes) return luaL_error(L, "a reply is a list of strings and pauses, got a %s in it", luaL_typename(L, -1));
  lre_serve_send(reply, bytes, len);
  return 0;
}

/* The handler's answer: { "bytes", 0.5, "bytes", ending = "keep" }. Stack: handler, request, reply. */
static int answer(lua_State *L) {
  static const char *const endings[] = {"keep", "close", "reset", "hang", NULL};
  struct lre_serve_reply *reply = lua_touserdata(L, 3);
  lua_pushcfunction(L, push_request);
  lua_pushvalue(L, 2);
  lua_call(L, 1, 1);
  lua_pushvalue(L, 1);
  lua_insert(L, -2);
  lua_call(L, 1, 1);
  luaL_checktype(L, 4, LUA_TTABLE);
  for (lua_Integer i = 1; lua_rawgeti(L, 4, i) != LUA_TNIL; i++) {
    add_piece(L, reply);
    lua_pop(L, 1);
  }
  lua_pop(L, 1);
  lua_getfield(L, 4, "ending");
  lre_serve_end(reply, (enum lre_serve_ending)luaL_checkoption(L, -1, "keep", endings));
  return 0;
}

/* An error of the handler's must not cross the server's frames: it resets the connection, and turn() tells it. */
static void handle(void *ud, const struct lre_serve_request *request, struct lre_serve_reply *reply) {
  struct turn *t = ud;
  lua_State *L = t->L;
  lua_pushcfunction(L, answer);
  lua_pushvalue(L, t->handler);
  lua_pushlightuserdata(L, (void *)request);
  lua_pushlightuserdata(L, reply);
  if (lua_pcall(L, 3, 0, 0) == LUA_OK) return;
  lre_serve_end(reply, LRE_SERVE_RESET);
  lua_replace(L, t->handler + 1);
}

/* turn(seconds, handler): nil, or what the handler raised last. */
static int serve_turn(lua_State *L) {
  struct lre_serve *s = check_serve(L);
  double seconds = luaL_checknumber(L, 2);
  luaL_checktype(L, 3, LUA_TFUNCTION);
  lua_settop(L, 3);
  lua_pushnil(L);
  luaL_checkstack(L, 8, "serve");
  struct turn t = {.L = L, .handler = 3};
  lre_serve_turn(s, seconds < 0 ? -1 : (int)ceil(seconds * 1e3), handle, &t);
  return 1;
}

static int serve_port(lua_State *L) {
  lua_pushinteger(L, lre_serve_port(check_serve(L)));
  return 1;
}

static int serve_connections(lua_State *L) {
  lua_pushinteger(L, (lua_Integer)lre_serve_connections(check_serve(L)));
  return 1;
}

static int serve_gc(lua_State *L) {
  struct server *s = luaL_checkudata(L, 1, SERVE_TYPE);
  lre_serve_close(s->serve);
  s->serve = NULL;
  return 0;
}

int luaopen_lre_serve(lua_State *L) {
  static const luaL_Reg functions[] = {{"open", serve_open}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"turn", serve_turn},
                                     {"port", serve_port},
                                     {"connections", serve_connections},
                                     {"close", serve_gc},
                                     {NULL, NULL}};
  lre_bind_type(L, SERVE_TYPE, methods, serve_gc);
  luaL_newlib(L, functions);
  return 1;
}
