/* serve_tls.h: TLS for `lre mock`: a certificate of its own, made when it starts and trusted by nobody until
 * somebody says so (--ca-file). OpenSSL. */
#ifndef LRE_CORE_SERVE_TLS_H
#define LRE_CORE_SERVE_TLS_H

#include <openssl/ssl.h>

#include "core/err.h"

/* A context with a fresh key and a self-signed certificate for localhost, 127.0.0.1 and ::1, valid for a day; the
 * certificate is written to cert_path as PEM. The key never leaves the process. NULL: err. */
SSL_CTX *lre_serve_tls_new(const char *cert_path, struct lre_err *err);

#endif
