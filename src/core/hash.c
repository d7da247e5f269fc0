#include "core/hash.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>

/* EVP_sha256() would look the implementation up again for every digest; a fetched one is looked up once
 * (OpenSSL's own advice). It lives as long as the process. */
static pthread_once_t sha256_once = PTHREAD_ONCE_INIT;
static EVP_MD *sha256_md;

static void fetch_sha256(void) {
  sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL);
}

static const EVP_MD *sha256(void) {
  pthread_once(&sha256_once, fetch_sha256);
  return sha256_md;
}

bool lre_hash_sha256(const void *data, size_t len, uint8_t out[LRE_HASH_BYTES]) {
  const EVP_MD *md = sha256();
  return md && EVP_Digest(len ? data : "", len, out, NULL, md, NULL) == 1;
}

void lre_hash_hex(const uint8_t digest[LRE_HASH_BYTES], char out[LRE_HASH_HEX_BYTES]) {
  static const char digits[] = "0123456789abcdef";
  for (size_t i = 0; i < LRE_HASH_BYTES; i++) {
    out[2 * i] = digits[digest[i] >> 4];
    out[2 * i + 1] = digits[digest[i] & 15];
  }
  out[LRE_HASH_HEX_BYTES - 1] = '\0';
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
