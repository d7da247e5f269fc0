/* serve.h: a small HTTP/1.1 server that can misbehave to the byte, used by `lre mock` alone.
 *
 * Own code, though Debian has libmicrohttpd: that library sees to it that replies are well-formed, and what the mock is
 * for is the opposite: a reset after a given byte of the body, a last byte that never comes, a head that drips.
 *
 * One thread; every reply is a run of bytes with pauses at given places and an ending. */
#ifndef LRE_CORE_SERVE_H
#define LRE_CORE_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/buf.h"
#include "core/err.h"

struct lre_serve;
struct lre_serve_reply;

struct lre_serve_options {
  const char *host;      /* an IPv4 address: "127.0.0.1" */
  uint16_t port;         /* 0: a free one */
  const char *cert_path; /* TLS, with the certificate written there; NULL: none */
  size_t max_body_bytes; /* of a request; 0: 16 MiB */
};

struct lre_serve_request { /* good while the handler runs */
  const char *method, *target;
  const char *headers; /* "name: value\n" lines, names in lower case */
  size_t headers_len;
  const char *body;
  size_t body_len;
  uint64_t connection; /* the first is 1 */
};

enum lre_serve_ending {
  LRE_SERVE_KEEP,  /* the connection is kept where the request allows it */
  LRE_SERVE_CLOSE, /* orderly */
  LRE_SERVE_RESET, /* with RST */
  LRE_SERVE_HANG   /* nothing more is sent until the client goes away */
};

/* Answers one request: fills `reply` by the functions below. */
typedef void lre_serve_handle(void *ud, const struct lre_serve_request *request, struct lre_serve_reply *reply);
void lre_serve_send(struct lre_serve_reply *reply, const void *bytes, size_t len);
void lre_serve_pause(struct lre_serve_reply *reply, uint32_t ms); /* before what is sent next, or before the ending */
void lre_serve_end(struct lre_serve_reply *reply, enum lre_serve_ending ending); /* default: KEEP */

struct lre_serve *lre_serve_open(const struct lre_serve_options *options, struct lre_err *err);
uint16_t lre_serve_port(const struct lre_serve *s);
size_t lre_serve_connections(const struct lre_serve *s); /* open now */
/* Waits up to timeout_ms for traffic or a pause's end (a signal ends the wait, too), then does what is due. */
void lre_serve_turn(struct lre_serve *s, int timeout_ms, lre_serve_handle *handle, void *ud);
void lre_serve_close(struct lre_serve *s);

#endif
