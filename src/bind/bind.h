/* bind.h: what the Lua modules in C share. One file a module; only luaopen_lre_<noun> is visible.
 *
 * Raise for a script's bug (luaL_argerror and friends). Return nil, err for the world, err being a table
 * { kind, code, message, ... } whose __tostring is its message. */
#ifndef LRE_BIND_BIND_H
#define LRE_BIND_BIND_H

#include <lauxlib.h>
#include <lua.h>

#include "core/err.h"
#include "core/json.h"

/* Pushes the error table (metatable "lre.error"). */
void lre_bind_push_err(lua_State *L, const struct lre_err *err);
int lre_bind_fail(lua_State *L, const struct lre_err *err);  /* pushes nil, err; returns 2 */
int lre_bind_raise(lua_State *L, const struct lre_err *err); /* raises the error table */

/* An idle userdata of a kind (`key` is some static's address), so that a hot call needs no new one: an object with a
 * finalizer lives for two collections, and a million of them outgrow what they hold. take: pushes one and returns its
 * memory, or NULL and pushes nothing. */
void *lre_bind_spare_take(lua_State *L, const void *key);
void lre_bind_spare_give(lua_State *L, int index, const void *key);

/* Raises "<what>: unknown field 'x'" where the table at index has a string key that is not in `names`
 * (NULL-terminated). */
void lre_bind_check_fields(lua_State *L, int index, const char *what, const char *const *names);

/* A struct lre_buf in a userdata with __gc and __close, for memory that must survive a Lua error. */
struct lre_buf *lre_bind_buf(lua_State *L);

/* The bytes as a string; the buffer is given back at once, and is no longer the caller's. Raises where it failed. */
int lre_bind_push_buf(lua_State *L, struct lre_buf *b);
/* Makes a userdata type once a state: methods as __index, and `gc` (idempotent; may be NULL) as __gc and __close.
 * Leaves nothing. */
void lre_bind_type(lua_State *L, const char *name, const luaL_Reg *methods, lua_CFunction gc);

/* A parsed JSON text in a userdata whose __gc is lre_bind_doc_gc: it must survive a Lua error while it is pushed. */
struct lre_bind_doc {
  struct lre_json_doc doc;
  bool open; /* there is something to free */
};
int lre_bind_doc_gc(lua_State *L);

/* Pushes an empty set (require "lre.set") and returns what is in it. */
struct lre_set;
struct lre_set *lre_bind_set_new(lua_State *L, size_t expected);

/* Preloads every module into package.loaded lazily (package.preload). */
void lre_bind_preload(lua_State *L);
/* The pure ones among them, for a sandbox: json, regex, stats, text, hash. */
void lre_bind_preload_pure(lua_State *L);

int luaopen_lre_json(lua_State *L);
int luaopen_lre_hash(lua_State *L);
int luaopen_lre_clock(lua_State *L);
int luaopen_lre_mt19937(lua_State *L);
int luaopen_lre_csv(lua_State *L);
int luaopen_lre_set(lua_State *L);
int luaopen_lre_store(lua_State *L);
int luaopen_lre_text(lua_State *L);
int luaopen_lre_regex(lua_State *L);
int luaopen_lre_stats(lua_State *L);
int luaopen_lre_fs(lua_State *L);
int luaopen_lre_journal(lua_State *L);
int luaopen_lre_http(lua_State *L);
int luaopen_lre_process(lua_State *L);
int luaopen_lre_sched(lua_State *L);
int luaopen_lre_serve(lua_State *L);
int luaopen_lre_sandbox(lua_State *L);
int luaopen_lre_platform(lua_State *L);
int luaopen_lre_suite_row(lua_State *L);
int luaopen_lre_writer(lua_State *L);
int luaopen_lre_infer(lua_State *L);

#endif
