/* serve_tls.c: see serve_tls.h. */
#include "core/serve_tls.h"

#include <errno.h>
#include <stdio.h>

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

enum { DAY_S = 24 * 60 * 60 };

static bool add_extension(X509 *cert, int nid, const char *value) {
  X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
  bool ok = ext && X509_add_ext(cert, ext, -1);
  X509_EXTENSION_free(ext);
  return ok;
}

static bool fill(X509 *cert, EVP_PKEY *key) {
  X509_NAME *name = X509_get_subject_name(cert);
  return X509_set_version(cert, 2) && ASN1_INTEGER_set(X509_get_serialNumber(cert), 1) &&
         X509_gmtime_adj(X509_getm_notBefore(cert), -(long)DAY_S) &&
         X509_gmtime_adj(X509_getm_notAfter(cert), (long)DAY_S) && X509_set_pubkey(cert, key) &&
         X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, (const unsigned char *)"localhost", -1, -1, 0) &&
         X509_set_issuer_name(cert, name) && add_extension(cert, NID_basic_constraints, "critical,CA:TRUE") &&
         add_extension(cert, NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1,IP:::1") &&
         X509_sign(cert, key, EVP_sha256()) > 0;
}

static bool write_cert(X509 *cert, const char *path, struct lre_err *err) {
  FILE *file = fopen(path, "w");
  if (!file) return lre_err_errno(err, errno, "%s", path);
  bool ok = PEM_write_X509(file, cert) == 1;
  if (fclose(file) != 0) ok = false;
  return ok || lre_err_errno(err, errno, "%s", path);
}

SSL_CTX *lre_serve_tls_new(const char *cert_path, struct lre_err *err) {
  SSL_CTX *ctx = NULL;
  EVP_PKEY *key = EVP_EC_gen("P-256");
  X509 *cert = X509_new();
  if (!key || !cert || !fill(cert, key)) {
    lre_err_set(err, "http", "tls", "OpenSSL could not make a certificate");
    goto done;
  }
  if (!write_cert(cert, cert_path, err)) goto done;
  ctx = SSL_CTX_new(TLS_server_method());
  if (!ctx || SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1) {
    lre_err_set(err, "http", "tls", "OpenSSL could not use the certificate it made");
    SSL_CTX_free(ctx);
    ctx = NULL;
    goto done;
  }
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
done:
  X509_free(cert);
  EVP_PKEY_free(key);
  return ctx;
}
