/* http.h: HTTP over one curl_multi. It sends, limits and reports; it decides nothing (no retry, no reading of bodies).
 *
 * libcurl works on a thread inside; all functions here are called on one thread, where `done` runs, too, with SIGPIPE
 * ignored (older libcurl writes to TLS sockets without MSG_NOSIGNAL). A call over its host's bound waits in a queue of
 * ours, with no clock running: all times and timeouts count from when it leaves that queue. libcurl's own silent resend
 * on a dead kept-alive connection is cut off ("reset").
 *
 * http and https only, redirects off, keep-alive, HTTP/2 where the server offers it over TLS, proxies and CA from the
 * environment (http_proxy, https_proxy, no_proxy, CURL_CA_BUNDLE, SSL_CERT_FILE) or from the options. Easy handles
 * are reused. The body is received into one buffer and handed over by move. */
#ifndef LRE_CORE_HTTP_H
#define LRE_CORE_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/http_allow.h"
#include "core/secret.h"

struct lre_http;
struct lre_http_call;

struct lre_http_options {
  const char *user_agent;
  const char *ca_file;                /* NULL: the environment, then the system's */
  const char *proxy;                  /* NULL: the environment; "": none */
  long max_connections_per_host;      /* calls at once to one scheme, host and port; 0: no bound */
  const struct lre_secrets *secrets;  /* borrowed; may be NULL */
  const struct lre_http_allow *allow; /* borrowed; NULL: every host. A call to another one fails: code "host" */
};

struct lre_http_timeouts { /* milliseconds; 0: none */
  uint32_t connect_ms;     /* resolve, TCP and TLS */
  uint32_t first_byte_ms;  /* from the moment the request starts until the first header byte */
  uint32_t stall_ms;       /* between bytes, after the first */
  uint32_t total_ms;
};

struct lre_http_request { /* all borrowed until lre_http_start returns, but for the body, which is moved (or freed) */
  const char *method;     /* "GET", "POST", ... */
  const char *url;
  const char *const *headers; /* "Name: value" lines */
  size_t n_headers;
  struct lre_buf body;
  const char *auth_env;    /* a loaded secret, or NULL */
  const char *auth_header; /* "Authorization" */
  const char *auth_prefix; /* "Bearer " */
  struct lre_http_timeouts timeouts;
  size_t max_response_bytes; /* 0: 16 MiB */
};

struct lre_http_response {
  long status;            /* 0 where none came */
  struct lre_buf headers; /* the final response's lines, "name: value\n", names in lower case; redacted */
  struct lre_buf body;    /* redacted */
  bool sent;              /* the whole request was sent: a retry might ask (and pay) twice */
  bool reused;            /* on a kept-alive connection */
  uint32_t connect_us, first_byte_us, total_us; /* each from the start of the call; 0: did not come to that */
  long http_version;                            /* 10, 11, 20 */
};

/* NULL: err. curl_global_init is called once, here. */
struct lre_http *lre_http_new(const struct lre_http_options *options, struct lre_err *err);
/* Another bound of calls at once to one host; 0: none. Those under way go on. */
void lre_http_set_max_connections(struct lre_http *http, long max_connections_per_host);
void lre_http_free(struct lre_http *http); /* cancels all calls */

/* `done` runs inside lre_http_poll, at most once: ok is true where a whole response came (any status), else err has
 * code "resolve", "connect", "tls", "timeout_connect", "timeout_first_byte", "timeout_stall", "timeout_total", "reset",
 * "partial", "too_large", "protocol" or "other". It may start and cancel calls. The response is the callee's to move
 * from; the call is freed after. */
typedef void lre_http_done(void *ud, bool ok, struct lre_http_response *response, const struct lre_err *err);

/* NULL: err (bad URL, scheme, header with a control byte, unknown secret): nothing was sent, done is not called. */
struct lre_http_call *lre_http_start(struct lre_http *http, struct lre_http_request *request, lre_http_done *done,
                                     void *ud, struct lre_err *err);
void lre_http_cancel(struct lre_http_call *call); /* done is not called */

/* Waits up to timeout_ms (-1: no bound) for traffic or for wake_fd to be readable, then runs what is due. */
bool lre_http_poll(struct lre_http *http, int wake_fd, int timeout_ms, struct lre_err *err);
size_t lre_http_in_flight(const struct lre_http *http);

/* Percent-encodes everything but unreserved characters (RFC 3986). */
bool lre_http_escape(const char *s, size_t len, struct lre_buf *out);

#endif
