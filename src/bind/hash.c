/* hash.c: require "lre.hash". */
#include "core/hash.h"
#include "bind/bind.h"
#include "vm/vm.h"

#define HASHER_TYPE "lre.hasher"

struct hasher {
  struct lre_hash *hash; /* NULL: closed */
};

static int fail_hash(lua_State *L) {
  return luaL_error(L, "SHA-256 is not available from OpenSSL, or there is no memory");
}

static int hash_sha256(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  uint8_t digest[LRE_HASH_BYTES];
  char hex[LRE_HASH_HEX_BYTES];
  lre_context_charge(L, len);
  if (!lre_hash_sha256(s, len, digest)) return fail_hash(L);
  lre_hash_hex(digest, hex);
  lua_pushlstring(L, hex, LRE_HASH_HEX_BYTES - 1);
  return 1;
}

static int hash_sha1(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  char hex[LRE_HASH_SHA1_HEX_BYTES];
  lre_context_charge(L, len);
  if (!lre_hash_sha1_hex(s, len, hex)) return luaL_error(L, "SHA-1 is not available from OpenSSL");
  lua_pushstring(L, hex);
  return 1;
}

static int hash_unit(lua_State *L) {
  size_t len;
  const char *s = luaL_checklstring(L, 1, &len);
  uint64_t key;
  lre_context_charge(L, len);
  if (!lre_hash_u64(s, len, &key)) return fail_hash(L);
  double unit = (double)key / 18446744073709551616.0;            /* 2^64 */
  lua_pushnumber(L, unit < 1.0 ? unit : 0.99999999999999988898); /* the top keys round to 1 */
  return 1;
}

static int hash_new(lua_State *L) {
  struct hasher *h = lua_newuserdatauv(L, sizeof *h, 0);
  h->hash = NULL;
  luaL_setmetatable(L, HASHER_TYPE);
  h->hash = lre_hash_new();
  return h->hash ? 1 : fail_hash(L);
}

static struct hasher *check_open(lua_State *L) {
  struct hasher *h = luaL_checkudata(L, 1, HASHER_TYPE);
  if (!h->hash) luaL_error(L, "the hasher has given its hex already");
  return h;
}

static int hasher_update(lua_State *L) {
  struct hasher *h = check_open(L);
  size_t len;
  const char *s = luaL_checklstring(L, 2, &len);
  lre_context_charge(L, len);
  if (!lre_hash_update(h->hash, s, len)) return fail_hash(L);
  lua_settop(L, 1);
  return 1;
}

static int hasher_gc(lua_State *L) {
  struct hasher *h = luaL_checkudata(L, 1, HASHER_TYPE);
  if (h->hash) lre_hash_free(h->hash);
  h->hash = NULL;
  return 0;
}

static int hasher_hex(lua_State *L) {
  struct hasher *h = check_open(L);
  uint8_t digest[LRE_HASH_BYTES];
  char hex[LRE_HASH_HEX_BYTES];
  bool ok = lre_hash_final(h->hash, digest);
  lre_hash_free(h->hash);
  h->hash = NULL;
  if (!ok) return fail_hash(L);
  lre_hash_hex(digest, hex);
  lua_pushlstring(L, hex, LRE_HASH_HEX_BYTES - 1);
  return 1;
}

int luaopen_lre_hash(lua_State *L) {
  static const luaL_Reg functions[] = {
      {"sha256", hash_sha256}, {"sha1", hash_sha1}, {"unit", hash_unit}, {"new", hash_new}, {NULL, NULL}};
  static const luaL_Reg methods[] = {{"update", hasher_update}, {"hex", hasher_hex}, {NULL, NULL}};
  lre_bind_type(L, HASHER_TYPE, methods, hasher_gc);
  luaL_newlib(L, functions);
  return 1;
}
