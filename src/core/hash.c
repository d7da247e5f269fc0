#include "core/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

/* EVP_sha256() would look the implementation up again for every digest; a fetched one is looked up once
 * (OpenSSL's own advice). It lives as long as the process. */
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256_md;

/* A context a thread: making one costs more than hashing 1,000 bytes. */
static pthread_key_t context_key;

static void free_context(void *ctx) {
  EVP_MD_CTX_free(ctx);
}

static void fetch_sha256(void) {
  if (pthread_key_create(&context_key, free_context) == 0) sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static const EVP_MD *sha256(void) {
  pthread_once(&sha256_once, fetch_sha256);
  return sha256_md;
}

static EVP_MD_CTX *thread_context(void) {
  EVP_MD_CTX *ctx = pthread_getspecific(context_key);
  if (ctx || !(ctx = EVP_MD_CTX_new())) return ctx;
  if (pthread_setspecific(context_key, ctx) == 0) return ctx;
  EVP_MD_CTX_free(ctx);
  return NULL;
}

bool lre_hash_sha256(const void *data, size_t len, uint8_t out[LRE_HASH_BYTES]) {
  const EVP_MD *md = sha256();
  EVP_MD_CTX *ctx = md ? thread_context() : NULL;
  return ctx && EVP_DigestInit_ex(ctx, md, NULL) == 1 && (len == 0 || EVP_DigestUpdate(ctx, data, len) == 1) &&
         EVP_DigestFinal_ex(ctx, out, NULL) == 1;
}

static void to_hex(const uint8_t *digest, size_t n, char *out) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < n; i++) {
    out[2 * i] = digits[digest[i] >> 4];
    out[2 * i + 1] = digits[digest[i] & 15];
  }
  out[2 * n] = '\0';
}

void lre_hash_hex(const uint8_t digest[LRE_HASH_BYTES], char out[LRE_HASH_HEX_BYTES]) {
  to_hex(digest, LRE_HASH_BYTES, out);
}

bool lre_hash_sha1_hex(const void *data, size_t len, char out[LRE_HASH_SHA1_HEX_BYTES]) {
  uint8_t digest[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  if (EVP_Digest(data, len, digest, &n, EVP_sha1(), NULL) != 1 || 2 * n + 1 != LRE_HASH_SHA1_HEX_BYTES) return false;
  to_hex(digest, n, out);
  return true;
}

struct lre_hash {
  EVP_MD_CTX *ctx;
  bool done;
};

struct lre_hash *lre_hash_new(void) {
  const EVP_MD *md = sha256();
  struct lre_hash *h = md ? calloc(1, sizeof *h) : NULL;
  if (!h) return NULL;
  h->ctx = EVP_MD_CTX_new();
  if (h->ctx && EVP_DigestInit_ex(h->ctx, md, NULL) == 1) return h;
  lre_hash_free(h);
  return NULL;
}

bool lre_hash_update(struct lre_hash *h, const void *data, size_t len) {
  if (h->done) return false;
  return len == 0 || EVP_DigestUpdate(h->ctx, data, len) == 1;
}

bool lre_hash_final(struct lre_hash *h, uint8_t out[LRE_HASH_BYTES]) {
  if (h->done) return false;
  h->done = true;
  return EVP_DigestFinal_ex(h->ctx, out, NULL) == 1;
}

void lre_hash_free(struct lre_hash *h) {
  if (!h) return;
  EVP_MD_CTX_free(h->ctx);
  free(h);
}

bool lre_hash_u64(const void *data, size_t len, uint64_t *out) {
  uint8_t digest[LRE_HASH_BYTES];
  if (!lre_hash_sha256(data, len, digest)) return false;
  uint64_t v = 0;
  for (int i = 0; i < 8; i++) v = v << 8 | digest[i];
  *out = v;
  return true;
}
