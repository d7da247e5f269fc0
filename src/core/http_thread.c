/* http_thread.c: the side of the client that runs on a thread of its own: see http_thread.h.
 *
 * All functions here run on the thread, but for those of the header. */
#include "core/http_thread.h"

#include <string.h>

#include "core/clock.h"
#include "core/thread.h"

enum {
  FIRST_RESERVE = 1 << 20,     /* a server's Content-Length is believed up to here */
  MAX_IDLE_CONNECTIONS = 4096, /* libcurl's own default shrinks with the calls in flight */
};

static const uint64_t NEVER = UINT64_MAX;
static const uint64_t NS_PER_MS = 1000000;

/* Lists ------------------------------------------------------------------- */

void lre_http_list_push(struct lre_http_list *list, struct lre_http_call *call) {
  call->list = list;
  call->prev = list->last;
  call->next = NULL;
  *(list->last ? &list->last->next : &list->first) = call;
  list->last = call;
}

void lre_http_list_unlink(struct lre_http_call *call) {
  struct lre_http_list *list = call->list;
  *(call->prev ? &call->prev->next : &list->first) = call->next;
  *(call->next ? &call->next->prev : &list->last) = call->prev;
  call->prev = call->next = NULL;
  call->list = NULL;
}

struct lre_http_call *lre_http_list_pop(struct lre_http_list *list) {
  struct lre_http_call *call = list->first;
  if (call) lre_http_list_unlink(call);
  return call;
}

void lre_http_list_move(struct lre_http_list *from, struct lre_http_list *to) {
  struct lre_http_call *call;
  while ((call = lre_http_list_pop(from))) lre_http_list_push(to, call);
}

/* Callbacks of libcurl ----------------------------------------------------- */

static void expect_by(struct lre_http *http, uint64_t since_ns, uint32_t timeout_ms) {
  if (timeout_ms == 0) return;
  uint64_t deadline = since_ns + timeout_ms * NS_PER_MS;
  if (deadline < http->next_check) http->next_check = deadline;
}

static void note_bytes(struct lre_http_call *call) {
  call->last_ns = call->http->now_ns;
  if (call->first_ns) return;
  call->first_ns = call->last_ns;
  expect_by(call->http, call->last_ns, call->timeouts.stall_ms);
}

/* Runs once a request, after the connection is there. A second time means that libcurl found the kept-alive connection
 * dead and is about to send again. Where some of the request had gone out, asking twice is our caller's to decide. */
static bool sent_something(const struct lre_http_call *call) {
  long bytes = 0;
  curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &bytes);
  return bytes > 0;
}

static int on_ready(void *ud, char *remote, char *local, int remote_port, int local_port) {
  struct lre_http_call *call = ud;
  (void)remote, (void)local, (void)remote_port, (void)local_port;
  if (call->ready_ns && sent_something(call)) {
    call->resent = true;
    return CURL_PREREQFUNC_ABORT;
  }
  call->ready_ns = call->http->now_ns;
  expect_by(call->http, call->ready_ns, call->timeouts.first_byte_ms);
  return CURL_PREREQFUNC_OK;
}

static size_t refuse_bytes(struct lre_http_call *call) {
  call->too_large = true;
  return 0;
}

static size_t on_body(char *bytes, size_t size, size_t n, void *ud) {
  struct lre_http_call *call = ud;
  struct lre_buf *body = &call->response.body;
  n *= size;
  note_bytes(call);
  if (n > body->max_bytes - body->len) return refuse_bytes(call);
  return lre_buf_put(body, bytes, n) ? n : 0;
}

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static void reserve_body(struct lre_http_call *call, const char *value, size_t len) {
  size_t bytes = 0;
  for (size_t i = 0; i < len && value[i] >= '0' && value[i] <= '9' && bytes < FIRST_RESERVE; i++)
    bytes = bytes * 10 + (size_t)(value[i] - '0');
  if (bytes > FIRST_RESERVE) bytes = FIRST_RESERVE;
  if (bytes <= call->response.body.max_bytes) lre_buf_reserve(&call->response.body, bytes);
}

/* "Name: value" becomes "name: value\n". */
static bool keep_header(struct lre_http_call *call, const char *line, const char *colon, const char *end) {
  struct lre_buf *headers = &call->response.headers;
  const char *value = colon + 1;
  while (value < end && (*value == ' ' || *value == '\t')) value++;
  size_t name_len = (size_t)(colon - line), value_len = (size_t)(end - value);
  if (!lre_buf_reserve(headers, name_len + 2 + value_len + 1)) return false;
  char *out = headers->data + headers->len;
  for (const char *p = line; p < colon; p++) *out++ = lower(*p);
  if (name_len == 14 && memcmp(out - 14, "content-length", 14) == 0) reserve_body(call, value, value_len);
  *out++ = ':';
  *out++ = ' ';
  memcpy(out, value, value_len);
  out[value_len] = '\n';
  out[value_len + 1] = '\0';
  headers->len += name_len + 2 + value_len + 1;
  return true;
}

static size_t on_header(char *line, size_t size, size_t n, void *ud) {
  struct lre_http_call *call = ud;
  n *= size;
  note_bytes(call);
  const char *end = line + n;
  while (end > line && (end[-1] == '\n' || end[-1] == '\r' || end[-1] == ' ')) end--;
  if (n > 5 && memcmp(line, "HTTP/", 5) == 0) { /* of the final response, or of an interim one before it */
    lre_buf_clear(&call->response.headers);
    return n;
  }
  const char *colon = memchr(line, ':', (size_t)(end - line));
  if (colon && !keep_header(call, line, colon, end)) return refuse_bytes(call);
  return n;
}

/* What libcurl wants to be told. It is asked about those sockets alone that have something (curl_multi_perform would
 * look at each of 1,000 for one answer). */
static int on_socket(CURL *easy, curl_socket_t fd, int what, void *ud, void *ignored) {
  struct lre_http *http = ud;
  (void)easy, (void)ignored;
  int wanted = (what & CURL_POLL_IN ? LRE_POLLER_IN : 0) | (what & CURL_POLL_OUT ? LRE_POLLER_OUT : 0);
  if (what == CURL_POLL_REMOVE) wanted = 0;
  return lre_poller_set(&http->poller, fd, wanted) || wanted == 0 ? 0 : -1;
}

static int on_timer(CURLM *multi, long timeout_ms, void *ud) {
  struct lre_http *http = ud;
  (void)multi;
  http->curl_due = timeout_ms < 0 ? NEVER : lre_clock_mono_ns() + (uint64_t)timeout_ms * NS_PER_MS;
  return 0;
}

bool lre_http_thread_attach(struct lre_http_call *call) {
  CURL *e = call->easy;
  bool ok = true;
#define SET(option, value) ok = ok && curl_easy_setopt(e, option, value) == CURLE_OK
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, call);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, call);
  SET(CURLOPT_PREREQFUNCTION, on_ready);
  SET(CURLOPT_PREREQDATA, call);
#undef SET
  return ok;
}

/* Running ------------------------------------------------------------------------ */

static bool run_call(struct lre_http_call *call, struct lre_err *err) {
  struct lre_http *http = call->http;
  CURLMcode code = curl_multi_add_handle(http->multi, call->easy);
  if (code != CURLM_OK) return lre_err_set(err, "http", "other", "libcurl: %s", curl_multi_strerror(code));
  call->start_ns = lre_clock_mono_ns();
  call->host->n_running++;
  lre_http_list_push(&http->running, call);
  expect_by(http, call->start_ns, call->timeouts.total_ms);
  return true;
}

static bool enqueue(struct lre_http_call *call, struct lre_err *err) {
  struct lre_http_host *host = call->host;
  if (call->http->max_per_host <= 0 || host->n_running < call->http->max_per_host) return run_call(call, err);
  lre_http_list_push(&host->waiting, call);
  return true;
}

/* It leaves the thread's hands at the thread's next look around. */
static void end_call(struct lre_http_call *call, bool ok, const struct lre_err *err) {
  call->ok = ok;
  if (!ok) call->err = *err;
  lre_http_list_push(&call->http->finished, call);
}

/* A place to this host is free. */
static void run_waiting(struct lre_http_host *host) {
  struct lre_err err;
  while (host->waiting.first) {
    struct lre_http_call *call = host->waiting.first;
    if (call->http->max_per_host > 0 && host->n_running >= call->http->max_per_host) return;
    lre_http_list_unlink(call);
    if (!run_call(call, &err)) end_call(call, false, &err);
  }
}

/* Takes a call out of its list and, where it runs, out of libcurl; its place goes to the next one. */
void lre_http_thread_drop(struct lre_http_call *call) {
  bool runs = call->list == &call->http->running;
  lre_http_list_unlink(call);
  if (!runs) return;
  curl_multi_remove_handle(call->http->multi, call->easy);
  call->host->n_running--;
  run_waiting(call->host);
}

/* Finishing ------------------------------------------------------------------------ */

static uint32_t micros_since(uint64_t start_ns, uint64_t ns) {
  uint64_t us = ns > start_ns ? (ns - start_ns) / 1000 : 0;
  return us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static bool was_sent(const struct lre_http_call *call) {
  curl_off_t uploaded = 0;
  long head_bytes = 0;
  if (call->resent) return true;
  curl_easy_getinfo(call->easy, CURLINFO_SIZE_UPLOAD_T, &uploaded);
  curl_easy_getinfo(call->easy, CURLINFO_REQUEST_SIZE, &head_bytes);
  return call->ready_ns && head_bytes > 0 && (uint64_t)uploaded >= call->body.len;
}

static long version_number(long version) {
  switch (version) {
  case CURL_HTTP_VERSION_1_0:
    return 10;
  case CURL_HTTP_VERSION_1_1:
    return 11;
  case CURL_HTTP_VERSION_2_0:
    return 20;
  case CURL_HTTP_VERSION_3:
    return 30;
  default:
    return 0;
  }
}

static void describe(struct lre_http_call *call) {
  struct lre_http_response *r = &call->response;
  long connects = 0, version = 0;
  curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &r->status);
  curl_easy_getinfo(call->easy, CURLINFO_NUM_CONNECTS, &connects);
  curl_easy_getinfo(call->easy, CURLINFO_HTTP_VERSION, &version);
  r->sent = was_sent(call);
  r->reused = call->ready_ns && connects == 0;
  r->http_version = version_number(version);
  r->connect_us = call->ready_ns ? micros_since(call->start_ns, call->ready_ns) : 0;
  r->first_byte_us = call->first_ns ? micros_since(call->start_ns, call->first_ns) : 0;
  r->total_us = micros_since(call->start_ns, lre_clock_mono_ns());
}

static const char *error_code(const struct lre_http_call *call, CURLcode result) {
  if (call->resent) return "reset";
  switch (result) {
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    return "resolve";
  case CURLE_COULDNT_CONNECT:
    return "connect";
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CIPHER:
  case CURLE_SSL_CACERT_BADFILE:
  case CURLE_SSL_ISSUER_ERROR:
  case CURLE_SSL_INVALIDCERTSTATUS:
    return "tls";
  case CURLE_OPERATION_TIMEDOUT:
    return "timeout_connect"; /* the only timeout that libcurl is given */
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
  case CURLE_SEND_FAIL_REWIND:
  case CURLE_GOT_NOTHING:
    return "reset";
  case CURLE_PARTIAL_FILE:
    return "partial";
  case CURLE_WRITE_ERROR:
    return call->too_large ? "too_large" : "other";
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_BAD_CONTENT_ENCODING:
  case CURLE_HTTP2:
  case CURLE_HTTP2_STREAM:
    return "protocol";
  default:
    return "other";
  }
}

static void set_failure(struct lre_http_call *call, CURLcode result, struct lre_err *err) {
  const char *code = error_code(call, result), *host = call->host->name;
  const struct lre_http_response *r = &call->response;
  if (call->too_large && r->headers.failed)
    lre_err_set(err, "http", code, "%s: the response's headers are over %d KiB", host, LRE_HTTP_MAX_HEADERS >> 10);
  else if (call->too_large)
    lre_err_set(err, "http", code, "%s: the response is over %zu bytes", host, r->body.max_bytes);
  else if (call->resent)
    lre_err_set(err, "http", code, "%s: the kept-alive connection was closed without an answer", host);
  else if (result == CURLE_OPERATION_TIMEDOUT)
    lre_err_set(err, "http", code, "%s: no connection within %u ms", host, call->timeouts.connect_ms);
  else
    lre_err_set(err, "http", code, "%s: %s", host, call->problem[0] ? call->problem : curl_easy_strerror(result));
}

static void finish_transfer(struct lre_http_call *call, CURLcode result) {
  struct lre_err err;
  bool ok = result == CURLE_OK;
  describe(call);
  if (!ok) set_failure(call, result, &err);
  lre_http_thread_drop(call);
  end_call(call, ok, &err);
}

static void read_messages(struct lre_http *http) {
  int left;
  const CURLMsg *msg;
  while ((msg = curl_multi_info_read(http->multi, &left))) {
    char *call = NULL;
    CURLcode result = msg->data.result; /* msg dies with the handle's removal */
    if (msg->msg != CURLMSG_DONE) continue;
    curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, &call);
    finish_transfer((struct lre_http_call *)(void *)call, result);
  }
}

/* Timeouts --------------------------------------------------------------------------- */

struct deadline {
  uint64_t ns;
  const char *code, *what;
  uint32_t timeout_ms;
};

static void sooner(struct deadline *d, uint64_t since_ns, uint32_t timeout_ms, const char *code, const char *what) {
  uint64_t ns = since_ns + timeout_ms * NS_PER_MS;
  if (timeout_ms && ns < d->ns) *d = (struct deadline){ns, code, what, timeout_ms};
}

static struct deadline next_deadline(const struct lre_http_call *call) {
  struct deadline d = {.ns = NEVER};
  const struct lre_http_timeouts *t = &call->timeouts;
  sooner(&d, call->start_ns, t->total_ms, "timeout_total", "no whole response");
  if (call->first_ns)
    sooner(&d, call->last_ns, t->stall_ms, "timeout_stall", "the response stalled: no byte");
  else if (call->ready_ns)
    sooner(&d, call->ready_ns, t->first_byte_ms, "timeout_first_byte", "no answer");
  return d;
}

static void time_out(struct lre_http_call *call, const struct deadline *d) {
  struct lre_err err;
  lre_err_set(&err, "http", d->code, "%s: %s within %u ms", call->host->name, d->what, d->timeout_ms);
  describe(call);
  lre_http_thread_drop(call);
  end_call(call, false, &err);
}

static void check_deadlines(struct lre_http *http) {
  uint64_t now = lre_clock_mono_ns();
  if (now < http->next_check) return;
  http->next_check = NEVER;
  struct lre_http_call *next;
  for (struct lre_http_call *call = http->running.first; call; call = next) {
    struct deadline d = next_deadline(call);
    next = call->next;
    if (d.ns <= now)
      time_out(call, &d); /* what begins to run in its place goes to the end of the list */
    else if (d.ns < http->next_check)
      http->next_check = d.ns;
  }
}

static int wait_ms(const struct lre_http *http) {
  if (http->finished.first) return 0; /* a call that could not even begin */
  uint64_t due = http->curl_due < http->next_check ? http->curl_due : http->next_check;
  if (due == NEVER) return LRE_HTTP_LONGEST_WAIT_MS;
  uint64_t now = lre_clock_mono_ns();
  uint64_t left = due > now ? (due - now + NS_PER_MS - 1) / NS_PER_MS : 0;
  return left < LRE_HTTP_LONGEST_WAIT_MS ? (int)left : LRE_HTTP_LONGEST_WAIT_MS;
}

static CURLMcode run_timers(struct lre_http *http) {
  int running;
  if (http->curl_due > http->now_ns) return CURLM_OK;
  http->curl_due = NEVER; /* libcurl sets it anew where it wants more */
  return curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
}

static CURLMcode run_events(struct lre_http *http, const struct lre_poller_event *events, size_t n) {
  CURLMcode code = CURLM_OK;
  int running;
  for (size_t i = 0; i < n && code == CURLM_OK; i++) {
    if (events[i].fd == http->attention.read_fd)
      lre_wake_drain(&http->attention);
    else
      code = curl_multi_socket_action(http->multi, events[i].fd, events[i].what, &running);
  }
  return code;
}

static bool send_and_receive(struct lre_http *http, struct lre_err *err) {
  struct lre_poller_event events[LRE_POLLER_EVENTS];
  struct lre_http_call *call;
  while ((call = lre_http_list_pop(&http->fresh)))
    if (!enqueue(call, err)) end_call(call, false, err);
  size_t n = lre_poller_wait(&http->poller, events, LRE_POLLER_EVENTS, wait_ms(http));
  atomic_store(&http->polls, false);
  http->now_ns = lre_clock_mono_ns();
  CURLMcode code = run_events(http, events, n);
  if (code == CURLM_OK) code = run_timers(http);
  if (code != CURLM_OK) return lre_err_set(err, "http", "other", "libcurl: %s", curl_multi_strerror(code));
  read_messages(http);
  check_deadlines(http);
  return true;
}

/* The thread ----------------------------------------------------------------------- */

/* With the mutex held. */
static void deliver(struct lre_http *http) {
  if (!http->finished.first && !http->broken) return;
  lre_http_list_move(&http->finished, &http->outbox);
  if (!http->sleeping || http->woken) return;
  http->woken = true;
  lre_wake_signal(&http->wake);
}

/* With the mutex held. */
static void stand_still(struct lre_http *http) {
  while ((http->hold || http->broken) && !http->stop) {
    http->stands = true;
    pthread_cond_signal(&http->standing);
    pthread_cond_wait(&http->go_on, &http->mutex);
  }
  http->stands = false;
}

static void *run_thread(void *arg) {
  struct lre_http *http = arg;
  struct lre_err err;
  pthread_mutex_lock(&http->mutex);
  for (;;) {
    stand_still(http);
    if (http->stop) break;
    lre_http_list_move(&http->inbox, &http->fresh);
    atomic_store(&http->polls, true);
    pthread_mutex_unlock(&http->mutex);
    bool ok = send_and_receive(http, &err);
    pthread_mutex_lock(&http->mutex);
    if (!ok) http->err = err;
    http->broken = !ok;
    deliver(http);
  }
  pthread_mutex_unlock(&http->mutex);
  return NULL;
}

/* The caller's functions -------------------------------------------------------------- */

static bool create_thread(struct lre_http *http, struct lre_err *err) {
  int failed = lre_thread_start(&http->thread, run_thread, http);
  http->has_thread = failed == 0;
  return http->has_thread || lre_err_errno(err, failed, "cannot start the thread that sends requests");
}

bool lre_http_thread_start(struct lre_http *http, struct lre_err *err) {
  http->next_check = http->curl_due = NEVER;
  http->multi = curl_multi_init();
  if (!http->multi) return lre_err_memory(err);
  curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)MAX_IDLE_CONNECTIONS);
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
  if (!lre_wake_open(&http->wake, err) || !lre_wake_open(&http->attention, err) || !lre_poller_open(&http->poller, err))
    return false;
  if (!lre_poller_set(&http->poller, http->attention.read_fd, LRE_POLLER_IN)) return lre_err_memory(err);
  return create_thread(http, err);
}

void lre_http_thread_stop(struct lre_http *http) {
  if (!http->has_thread) return;
  pthread_mutex_lock(&http->mutex);
  http->stop = true;
  pthread_cond_signal(&http->go_on);
  pthread_mutex_unlock(&http->mutex);
  lre_wake_signal(&http->attention);
  pthread_join(http->thread, NULL);
  http->has_thread = false;
}

/* To the thread. It takes the whole inbox each time it looks around, so only the first one in it needs to wake it, and
 * that only where the thread waits. */
void lre_http_thread_give(struct lre_http *http, struct lre_http_call *call) {
  pthread_mutex_lock(&http->mutex);
  bool first = !http->inbox.first;
  lre_http_list_push(&http->inbox, call);
  pthread_mutex_unlock(&http->mutex);
  if (first && atomic_load(&http->polls)) lre_wake_signal(&http->attention);
}

void lre_http_thread_hold(struct lre_http *http) {
  pthread_mutex_lock(&http->mutex);
  http->hold = true;
  lre_wake_signal(&http->attention);
  while (http->has_thread && !http->stands) pthread_cond_wait(&http->standing, &http->mutex);
}

void lre_http_thread_let_go(struct lre_http *http) {
  http->hold = false;
  pthread_cond_signal(&http->go_on);
  pthread_mutex_unlock(&http->mutex);
}

bool lre_http_thread_take(struct lre_http *http, bool will_wait, struct lre_err *err) {
  pthread_mutex_lock(&http->mutex);
  lre_http_list_move(&http->outbox, &http->arrived);
  bool ok = !http->broken;
  if (!ok) *err = http->err;
  if (http->woken) lre_wake_drain(&http->wake);
  http->woken = false;
  http->sleeping = will_wait && ok && !http->arrived.first;
  pthread_mutex_unlock(&http->mutex);
  return ok;
}
