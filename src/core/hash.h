/* hash.h: SHA-256 by OpenSSL's EVP. The digest is fetched once for the process. */
#ifndef LRE_CORE_HASH_H
#define LRE_CORE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LRE_HASH_BYTES     32
#define LRE_HASH_HEX_BYTES 65 /* with the NUL */

/* Thread-safe. False only where OpenSSL has no memory or no SHA-256. */
/* SHA-1 in hex, for ids that other programs made with it; it protects nothing. */
#define LRE_HASH_SHA1_HEX_BYTES 41
bool lre_hash_sha1_hex(const void *data, size_t len, char out[LRE_HASH_SHA1_HEX_BYTES]);

bool lre_hash_sha256(const void *data, size_t len, uint8_t out[LRE_HASH_BYTES]);
void lre_hash_hex(const uint8_t digest[LRE_HASH_BYTES], char out[LRE_HASH_HEX_BYTES]); /* lower case */

struct lre_hash; /* a running digest */
struct lre_hash *lre_hash_new(void);
bool lre_hash_update(struct lre_hash *h, const void *data, size_t len);
bool lre_hash_final(struct lre_hash *h, uint8_t out[LRE_HASH_BYTES]); /* h can then only be freed */
void lre_hash_free(struct lre_hash *h);

/* First 8 bytes of SHA-256, big-endian: the 64-bit key of sets and scores. */
bool lre_hash_u64(const void *data, size_t len, uint64_t *out);

#endif
