/* serve.c: see serve.h. */
#include "core/serve.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/clock.h"
#include "core/platform.h"
#include "core/serve_parse.h"
#include "core/serve_tls.h"

enum {
  DEFAULT_MAX_BODY = 16 << 20,
  READ_BYTES = 16 << 10,
  BACKLOG = 4096, /* thousands of clients that come at once are what a rehearsal is about */
};

struct pause {
  size_t at; /* before the byte of the reply with this offset */
  uint32_t ms;
};

struct lre_serve_reply {
  struct lre_buf bytes;
  struct pause *pauses;
  size_t n_pauses, cap_pauses;
  enum lre_serve_ending ending;
  bool failed; /* out of memory: the connection is closed */
};

struct conn {
  int fd;
  SSL *ssl; /* NULL: plain */
  uint64_t id;
  struct lre_buf in;
  struct lre_serve_reply reply;
  bool replying, keep_alive, hanging;
  size_t sent, next_pause;
  uint64_t due_ns; /* 0: not pausing */
  int watched;     /* what the poller looks for */
  bool read_wants_write, write_wants_read;
};

struct lre_serve {
  int fd;
  uint16_t port;
  size_t max_body;
  SSL_CTX *tls;
  struct lre_poller poller;
  struct conn **conns; /* by descriptor */
  size_t n_slots, n_open, n_pausing;
  uint64_t n_accepted;
  struct lre_serve_head head; /* of the request that is being read */
};

/* Replies ---------------------------------------------------------------------- */

void lre_serve_send(struct lre_serve_reply *reply, const void *bytes, size_t len) {
  if (!lre_buf_put(&reply->bytes, bytes, len)) reply->failed = true;
}

void lre_serve_pause(struct lre_serve_reply *reply, uint32_t ms) {
  if (reply->n_pauses == reply->cap_pauses) {
    size_t cap = reply->cap_pauses ? reply->cap_pauses * 2 : 4;
    struct pause *more = realloc(reply->pauses, cap * sizeof *more);
    if (!more) {
      reply->failed = true;
      return;
    }
    reply->pauses = more;
    reply->cap_pauses = cap;
  }
  reply->pauses[reply->n_pauses++] = (struct pause){.at = reply->bytes.len, .ms = ms};
}

void lre_serve_end(struct lre_serve_reply *reply, enum lre_serve_ending ending) {
  reply->ending = ending;
}

static void clear_reply(struct lre_serve_reply *reply) {
  lre_buf_clear(&reply->bytes);
  reply->n_pauses = 0;
  reply->ending = LRE_SERVE_KEEP;
  reply->failed = false;
}

/* Connections ------------------------------------------------------------------ */

static void set_due(struct lre_serve *s, struct conn *c, uint64_t due_ns) {
  if (c->due_ns) s->n_pausing--;
  if (due_ns) s->n_pausing++;
  c->due_ns = due_ns;
}

static void drop(struct lre_serve *s, struct conn *c, bool reset) {
  set_due(s, c, 0);
  lre_poller_set(&s->poller, c->fd, 0);
  if (reset) { /* RST instead of FIN */
    struct linger none = {.l_onoff = 1, .l_linger = 0};
    setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &none, sizeof none);
  } else if (c->ssl && !SSL_in_init(c->ssl)) {
    SSL_shutdown(c->ssl);
  }
  SSL_free(c->ssl);
  close(c->fd);
  s->conns[c->fd] = NULL;
  s->n_open--;
  lre_buf_free(&c->in);
  lre_buf_free(&c->reply.bytes);
  free(c->reply.pauses);
  free(c);
}

static bool watch(struct lre_serve *s, struct conn *c, bool out) {
  int what = LRE_POLLER_IN | (out ? LRE_POLLER_OUT : 0);
  if (what == c->watched) return true;
  c->watched = what;
  return lre_poller_set(&s->poller, c->fd, what);
}

static bool make_room(struct lre_serve *s, int fd) {
  if ((size_t)fd < s->n_slots) return true;
  size_t n = s->n_slots ? s->n_slots : 64;
  while (n <= (size_t)fd) n *= 2;
  struct conn **conns = realloc(s->conns, n * sizeof *conns);
  if (!conns) return false;
  memset(conns + s->n_slots, 0, (n - s->n_slots) * sizeof *conns);
  s->conns = conns;
  s->n_slots = n;
  return true;
}

static bool start_tls(const struct lre_serve *s, struct conn *c) {
  if (!s->tls) return true;
  c->ssl = SSL_new(s->tls);
  if (!c->ssl || SSL_set_fd(c->ssl, c->fd) != 1) return false;
  SSL_set_accept_state(c->ssl);
  return true;
}

static void add_connection(struct lre_serve *s, int fd) {
  struct conn *c = make_room(s, fd) ? calloc(1, sizeof *c) : NULL;
  if (!c) {
    close(fd);
    return;
  }
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  c->fd = fd;
  c->id = ++s->n_accepted;
  lre_buf_init(&c->in);
  c->in.max_bytes = LRE_SERVE_MAX_HEAD + s->max_body;
  lre_buf_init(&c->reply.bytes);
  s->conns[fd] = c;
  s->n_open++;
  if (!start_tls(s, c) || !watch(s, c, false)) drop(s, c, false);
}

static void accept_all(struct lre_serve *s) {
  int fd;
  while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
    fcntl(fd, F_SETFD, FD_CLOEXEC);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    add_connection(s, fd);
  }
}

/* Bytes ------------------------------------------------------------------------ */

/* Like read and send: > 0 bytes, 0: would block, -1: the connection is gone. */
static ssize_t tls_result(struct conn *c, int n, bool reading) {
  int why = SSL_get_error(c->ssl, n);
  if (n > 0) return n;
  if (why == SSL_ERROR_WANT_WRITE && reading) c->read_wants_write = true;
  if (why == SSL_ERROR_WANT_READ && !reading) c->write_wants_read = true;
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static ssize_t plain_result(ssize_t n, bool reading) {
  if (n > 0 || (n == 0 && !reading)) return n;
  return n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR) ? 0 : -1;
}

static ssize_t receive(struct conn *c, char *to, size_t size) {
  if (!c->ssl) return plain_result(recv(c->fd, to, size, 0), true);
  c->read_wants_write = false;
  return tls_result(c, SSL_read(c->ssl, to, (int)size), true);
}

static ssize_t put_out(struct conn *c, const char *from, size_t len) {
  if (!c->ssl) return plain_result(send(c->fd, from, len, MSG_NOSIGNAL), false);
  c->write_wants_read = false;
  return tls_result(c, SSL_write(c->ssl, from, (int)(len < 1 << 20 ? len : 1 << 20)), false);
}

/* False: the client is gone, or sent more than it may. */
static bool read_in(struct conn *c) {
  char block[READ_BYTES];
  ssize_t n;
  while ((n = receive(c, block, sizeof block)) > 0)
    if (!lre_buf_put(&c->in, block, (size_t)n)) return false;
  return n == 0;
}

enum progress { BLOCKED, PAUSED, SENT, GONE };

/* Sends until the next pause, the end, or the socket is full. */
static enum progress send_out(struct lre_serve *s, struct conn *c) {
  struct lre_serve_reply *r = &c->reply;
  while (true) {
    bool pausing = c->next_pause < r->n_pauses;
    size_t until = pausing ? r->pauses[c->next_pause].at : r->bytes.len;
    if (c->sent < until) {
      ssize_t n = put_out(c, r->bytes.data + c->sent, until - c->sent);
      if (n <= 0) return n < 0 ? GONE : BLOCKED;
      c->sent += (size_t)n;
    } else if (pausing) {
      set_due(s, c, lre_clock_mono_ns() + (uint64_t)r->pauses[c->next_pause++].ms * 1000000);
      return PAUSED;
    } else {
      return SENT;
    }
  }
}

/* The conversation --------------------------------------------------------------- */

static void refuse(struct conn *c, int status) {
  char text[96];
  int n = snprintf(text, sizeof text, "HTTP/1.1 %d Refused\r\nContent-Length: 0\r\nConnection: close\r\n\r\n", status);
  lre_serve_send(&c->reply, text, (size_t)n);
  lre_serve_end(&c->reply, LRE_SERVE_CLOSE);
}

/* True where a whole request is there (or what can never become one): then a reply is under way. */
static bool take_request(struct lre_serve *s, struct conn *c, lre_serve_handle *handle, void *ud) {
  struct lre_serve_head *head = &s->head;
  enum lre_serve_parsed parsed = lre_serve_parse(c->in.data ? c->in.data : "", c->in.len, s->max_body, head);
  if (parsed == LRE_SERVE_MORE) return false;
  clear_reply(&c->reply);
  c->sent = c->next_pause = 0;
  c->replying = true;
  c->keep_alive = parsed == LRE_SERVE_WHOLE && head->keep_alive;
  if (parsed == LRE_SERVE_BAD) {
    refuse(c, head->status);
    return true;
  }
  struct lre_serve_request request = {.method = head->method.data,
                                      .target = head->target.data,
                                      .headers = head->headers.data ? head->headers.data : "",
                                      .headers_len = head->headers.len,
                                      .body = head->body,
                                      .body_len = head->body_len,
                                      .connection = c->id};
  handle(ud, &request, &c->reply);
  memmove(c->in.data, c->in.data + head->used, c->in.len - head->used);
  c->in.len -= head->used;
  return true;
}

/* The reply went out whole. True: the connection may take another request. */
static bool end_reply(struct lre_serve *s, struct conn *c) {
  enum lre_serve_ending ending = c->reply.ending;
  if (ending == LRE_SERVE_HANG) {
    c->hanging = true;
    if (!watch(s, c, false)) drop(s, c, false);
    return false;
  }
  if (ending != LRE_SERVE_KEEP || !c->keep_alive) {
    drop(s, c, ending == LRE_SERVE_RESET);
    return false;
  }
  c->replying = false;
  return true;
}

/* Sends what there is to send. True: the connection may take another request. */
static bool go_on_sending(struct lre_serve *s, struct conn *c) {
  enum progress progress = c->reply.failed ? GONE : send_out(s, c);
  if (progress == SENT) return end_reply(s, c);
  bool out = progress == BLOCKED && !c->write_wants_read;
  if (progress == GONE || !watch(s, c, out)) drop(s, c, false);
  return false;
}

/* Goes as far as it can; the connection may be gone after. */
static void advance(struct lre_serve *s, struct conn *c, lre_serve_handle *handle, void *ud) {
  while (c->replying || take_request(s, c, handle, ud))
    if (!go_on_sending(s, c)) return;
  if (!watch(s, c, c->read_wants_write)) drop(s, c, false);
}

static void serve_event(struct lre_serve *s, const struct lre_poller_event *event, lre_serve_handle *handle, void *ud) {
  struct conn *c = (size_t)event->fd < s->n_slots ? s->conns[event->fd] : NULL;
  if (event->fd == s->fd)
    accept_all(s);
  else if (c && (event->what & (LRE_POLLER_IN | LRE_POLLER_ERR) || c->read_wants_write) && !read_in(c))
    drop(s, c, false);
  else if (c && !c->hanging && !c->due_ns)
    advance(s, c, handle, ud);
}

static void serve_pauses(struct lre_serve *s, lre_serve_handle *handle, void *ud) {
  uint64_t now = s->n_pausing ? lre_clock_mono_ns() : 0;
  for (size_t i = 0; i < s->n_slots && s->n_pausing; i++) {
    struct conn *c = s->conns[i];
    if (!c || !c->due_ns || c->due_ns > now) continue;
    set_due(s, c, 0);
    advance(s, c, handle, ud);
  }
}

/* Until the first pause ends, at most timeout_ms; rounded up, so that no turn is for nothing. */
static int wait_ms(const struct lre_serve *s, int timeout_ms) {
  if (!s->n_pausing) return timeout_ms;
  uint64_t first = UINT64_MAX, now = lre_clock_mono_ns();
  for (size_t i = 0; i < s->n_slots; i++)
    if (s->conns[i] && s->conns[i]->due_ns && s->conns[i]->due_ns < first) first = s->conns[i]->due_ns;
  uint64_t ms = first > now ? (first - now + 999999) / 1000000 : 0;
  return timeout_ms < 0 || ms < (uint64_t)timeout_ms ? (int)(ms < 1000000 ? ms : 1000000) : timeout_ms;
}

void lre_serve_turn(struct lre_serve *s, int timeout_ms, lre_serve_handle *handle, void *ud) {
  struct lre_poller_event events[LRE_POLLER_EVENTS];
  size_t n = lre_poller_wait(&s->poller, events, LRE_POLLER_EVENTS, wait_ms(s, timeout_ms));
  for (size_t i = 0; i < n; i++) serve_event(s, &events[i], handle, ud);
  serve_pauses(s, handle, ud);
}

/* Opening ------------------------------------------------------------------------ */

static bool listen_on(struct lre_serve *s, const struct lre_serve_options *options, struct lre_err *err) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(options->port)};
  socklen_t len = sizeof address;
  int one = 1;
  if (inet_pton(AF_INET, options->host, &address.sin_addr) != 1)
    return lre_err_set(err, "argument", "host", "%s: expected an IPv4 address such as 127.0.0.1", options->host);
  s->fd = socket(AF_INET, SOCK_STREAM, 0);
  if (s->fd < 0) return lre_err_errno(err, errno, "socket");
  fcntl(s->fd, F_SETFD, FD_CLOEXEC);
  fcntl(s->fd, F_SETFL, O_NONBLOCK);
  setsockopt(s->fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
  if (bind(s->fd, (struct sockaddr *)&address, sizeof address) < 0 || listen(s->fd, BACKLOG) < 0 ||
      getsockname(s->fd, (struct sockaddr *)&address, &len) < 0)
    return lre_err_errno(err, errno, "%s:%d", options->host, (int)options->port);
  s->port = ntohs(address.sin_port);
  return lre_poller_set(&s->poller, s->fd, LRE_POLLER_IN) || lre_err_errno(err, errno, "poll");
}

struct lre_serve *lre_serve_open(const struct lre_serve_options *options, struct lre_err *err) {
  struct lre_serve *s = calloc(1, sizeof *s);
  if (!s) return lre_err_memory(err), NULL;
  s->fd = s->poller.fd = -1;
  s->max_body = options->max_body_bytes ? options->max_body_bytes : DEFAULT_MAX_BODY;
  bool ok = lre_poller_open(&s->poller, err);
  if (ok && options->cert_path) ok = (s->tls = lre_serve_tls_new(options->cert_path, err)) != NULL;
  if (ok && listen_on(s, options, err)) return s;
  lre_serve_close(s);
  return NULL;
}

uint16_t lre_serve_port(const struct lre_serve *s) {
  return s->port;
}

size_t lre_serve_connections(const struct lre_serve *s) {
  return s->n_open;
}

void lre_serve_close(struct lre_serve *s) {
  if (!s) return;
  for (size_t i = 0; i < s->n_slots; i++)
    if (s->conns[i]) drop(s, s->conns[i], false);
  if (s->fd >= 0) close(s->fd);
  lre_poller_close(&s->poller);
  SSL_CTX_free(s->tls);
  lre_serve_head_free(&s->head);
  free(s->conns);
  free(s);
}
