/* http.c: see http.h.
 *
 * libcurl runs on a thread of its own (measured: a fifth of the main thread's time was sending and receiving). The
 * caller's thread prepares a call, hands it over through `inbox` and takes it back through `outbox`; in between the
 * call is the thread's. To cancel one that is under way, the caller first makes the thread stand still (hold). */
#include "core/http.h"

#include <curl/curl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/clock.h"
#include "core/http_check.h"
#include "core/platform.h"

enum {
  DEFAULT_MAX_RESPONSE = 16 << 20,
  MAX_HEADERS = 256 << 10,       /* of a response; real ones have 1 or 2 KiB */
  FIRST_RESERVE = 1 << 20,       /* a server's Content-Length is believed up to here */
  MAX_IDLE_CONNECTIONS = 4096,   /* libcurl's own default shrinks with the calls in flight */
  LONGEST_WAIT_MS = 3600 * 1000, /* of one poll */
  UPLOAD_BYTES = 16 << 10,       /* of each call under way; libcurl's own is four times that, new for each request */
  TCP_KEEPALIVE_S = 60,          /* a reasoning model is silent for minutes, and NATs forget */
};

static const uint64_t NEVER = UINT64_MAX;
static const uint64_t NS_PER_MS = 1000000;

struct list {
  struct lre_http_call *first, *last;
};

struct host {
  struct host *next;
  char *name; /* "https://host:443" */
  long n_running;
  struct list waiting;
};

struct lre_http_call {
  struct lre_http *http;
  struct lre_http_call *prev, *next;
  struct list *list; /* the one it is in */
  bool under_way;    /* from its start until `done` or its end; the caller's thread alone looks at this */
  CURL *easy;
  struct host *host;
  struct curl_slist *headers; /* the first one is the key's, where there is a key */
  bool has_key;
  struct lre_buf body;
  struct lre_http_response response;
  struct lre_http_timeouts timeouts;
  lre_http_done *done;
  void *ud;
  uint64_t start_ns, ready_ns, first_ns, last_ns; /* 0: not yet. ready: connected, the request is about to be sent */
  bool resent, too_large;
  bool ok; /* how it ended */
  struct lre_err err;
  char problem[CURL_ERROR_SIZE];
};

struct lre_http {
  long max_per_host;
  const struct lre_secrets *secrets;
  char *user_agent, *ca_file, *proxy;

  /* the caller's thread */
  struct host *hosts; /* but for what is counted and queued in them */
  struct list idle, arrived;
  size_t n_calls;
  char *last_url; /* parsed and found good; most calls go where the last one went */
  struct host *last_host;

  /* the thread's, and the caller's while it is held */
  CURLM *multi;
  struct lre_poller poller; /* libcurl's sockets and `attention` */
  uint64_t curl_due;        /* when libcurl wants to be called without an event */
  struct list fresh, running, finished;
  uint64_t now_ns;     /* taken once a poll */
  uint64_t next_check; /* no deadline is before it */

  pthread_t thread;
  bool has_thread;
  pthread_mutex_t mutex;          /* guards the rest */
  pthread_cond_t standing, go_on; /* the thread stands still; it may go on */
  struct list inbox, outbox;
  bool stop, hold, stands;
  bool sleeping, woken; /* the caller waits at `wake`; it was signalled */
  bool broken;          /* libcurl failed: err */
  struct lre_err err;
  struct lre_wake wake;      /* for the caller */
  struct lre_wake attention; /* for the thread */
};

/* Lists ------------------------------------------------------------------- */

static void push(struct list *list, struct lre_http_call *call) {
  call->list = list;
  call->prev = list->last;
  call->next = NULL;
  *(list->last ? &list->last->next : &list->first) = call;
  list->last = call;
}

static void unlink_call(struct lre_http_call *call) {
  struct list *list = call->list;
  *(call->prev ? &call->prev->next : &list->first) = call->next;
  *(call->next ? &call->next->prev : &list->last) = call->prev;
  call->prev = call->next = NULL;
  call->list = NULL;
}

static struct lre_http_call *pop(struct list *list) {
  struct lre_http_call *call = list->first;
  if (call) unlink_call(call);
  return call;
}

static void move_all(struct list *from, struct list *to) {
  struct lre_http_call *call;
  while ((call = pop(from))) push(to, call);
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

/* Making --------------------------------------------------------------------- */

static pthread_once_t global_once = PTHREAD_ONCE_INIT;
static CURLcode global_result;

static void global_init(void) {
  global_result = curl_global_init(CURL_GLOBAL_DEFAULT);
}

static bool copy_string(char **to, const char *from) {
  *to = from ? strdup(from) : NULL;
  return *to || !from;
}

/* The variables that the curl tool and OpenSSL read; libcurl itself reads neither. */
static const char *ca_from_environment(void) {
  const char *path = getenv("CURL_CA_BUNDLE");
  if (!path || !*path) path = getenv("SSL_CERT_FILE");
  return path && *path ? path : NULL;
}

static void *run_thread(void *http);

/* The thread takes no signals: they are the caller's. */
static bool start_thread(struct lre_http *http, struct lre_err *err) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failed = pthread_create(&http->thread, NULL, run_thread, http);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  http->has_thread = failed == 0;
  return http->has_thread || lre_err_errno(err, failed, "cannot start the thread that sends requests");
}

static bool set_up(struct lre_http *http, const struct lre_http_options *options, struct lre_err *err) {
  http->next_check = http->curl_due = NEVER;
  http->max_per_host = options->max_connections_per_host;
  http->secrets = options->secrets;
  http->multi = curl_multi_init();
  const char *ca_file = options->ca_file ? options->ca_file : ca_from_environment();
  if (!http->multi || !copy_string(&http->user_agent, options->user_agent) ||
      !copy_string(&http->proxy, options->proxy) || !copy_string(&http->ca_file, ca_file))
    return lre_err_memory(err);
  curl_multi_setopt(http->multi, CURLMOPT_MAXCONNECTS, (long)MAX_IDLE_CONNECTIONS);
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(http->multi, CURLMOPT_SOCKETDATA, http);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(http->multi, CURLMOPT_TIMERDATA, http);
  if (!lre_wake_open(&http->wake, err) || !lre_wake_open(&http->attention, err) || !lre_poller_open(&http->poller, err))
    return false;
  if (!lre_poller_set(&http->poller, http->attention.read_fd, LRE_POLLER_IN)) return lre_err_memory(err);
  return start_thread(http, err);
}

struct lre_http *lre_http_new(const struct lre_http_options *options, struct lre_err *err) {
  pthread_once(&global_once, global_init);
  if (global_result != CURLE_OK) {
    lre_err_set(err, "http", "other", "libcurl: %s", curl_easy_strerror(global_result));
    return NULL;
  }
  struct lre_http *http = calloc(1, sizeof *http);
  if (!http) return lre_err_memory(err), NULL;
  http->wake = http->attention = (struct lre_wake){-1, -1};
  http->poller.fd = -1;
  pthread_mutex_init(&http->mutex, NULL);
  pthread_cond_init(&http->standing, NULL);
  pthread_cond_init(&http->go_on, NULL);
  if (set_up(http, options, err)) return http;
  lre_http_free(http);
  return NULL;
}

/* What is the same for every call of an easy handle. */
static bool set_up_easy(struct lre_http_call *call) {
  CURL *e = call->easy;
  const struct lre_http *http = call->http;
  bool ok = true;
#define SET(option, value) ok = ok && curl_easy_setopt(e, option, value) == CURLE_OK
  SET(CURLOPT_PRIVATE, call);
  SET(CURLOPT_ERRORBUFFER, call->problem);
  SET(CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075500
  SET(CURLOPT_PROTOCOLS_STR, "http,https");
#else
  SET(CURLOPT_PROTOCOLS, (long)(CURLPROTO_HTTP | CURLPROTO_HTTPS));
#endif
  SET(CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
  SET(CURLOPT_FOLLOWLOCATION, 0L);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_2TLS);
  SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(CURLOPT_ACCEPT_ENCODING, ""); /* all that this libcurl decodes */
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(CURLOPT_TCP_NODELAY, 1L);
  SET(CURLOPT_TCP_KEEPALIVE, 1L);
  SET(CURLOPT_TCP_KEEPIDLE, (long)TCP_KEEPALIVE_S);
  SET(CURLOPT_NOPROGRESS, 1L);
  SET(CURLOPT_UPLOAD_BUFFERSIZE, (long)UPLOAD_BYTES);
  SET(CURLOPT_HEADERFUNCTION, on_header);
  SET(CURLOPT_HEADERDATA, call);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, call);
  SET(CURLOPT_PREREQFUNCTION, on_ready);
  SET(CURLOPT_PREREQDATA, call);
  if (http->user_agent) SET(CURLOPT_USERAGENT, http->user_agent);
  if (http->ca_file) SET(CURLOPT_CAINFO, http->ca_file);
  if (http->proxy) SET(CURLOPT_PROXY, http->proxy);
#undef SET
  return ok;
}

static void destroy_call(struct lre_http_call *call) {
  if (call->easy) curl_easy_cleanup(call->easy);
  free(call);
}

/* An idle call with its easy handle, or a new one. */
static struct lre_http_call *take_call(struct lre_http *http) {
  struct lre_http_call *call = http->idle.last; /* the last used is the warmest */
  if (call) {
    unlink_call(call);
    return call;
  }
  call = calloc(1, sizeof *call);
  if (!call) return NULL;
  call->http = http;
  call->easy = curl_easy_init();
  if (call->easy && set_up_easy(call)) return call;
  destroy_call(call);
  return NULL;
}

static void free_headers(struct lre_http_call *call) {
  if (call->has_key) explicit_bzero(call->headers->data, strlen(call->headers->data));
  curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, NULL);
  curl_slist_free_all(call->headers);
  call->headers = NULL;
  call->has_key = false;
}

static void release_call(struct lre_http_call *call) {
  free_headers(call);
  curl_easy_setopt(call->easy, CURLOPT_POSTFIELDS, NULL);
  lre_buf_free(&call->body);
  lre_buf_free(&call->response.headers);
  lre_buf_free(&call->response.body);
  push(&call->http->idle, call);
}

/* Setting up a request ---------------------------------------------------------- */

static struct host *find_host(struct lre_http *http, const struct lre_buf *name) {
  for (struct host *h = http->hosts; h; h = h->next)
    if (strcmp(h->name, name->data) == 0) return h;
  struct host *h = calloc(1, sizeof *h);
  if (!h) return NULL;
  h->name = strdup(name->data);
  if (!h->name) {
    free(h);
    return NULL;
  }
  h->next = http->hosts;
  http->hosts = h;
  return h;
}

/* The queue that a URL's calls share; the last URL is not parsed again. */
static struct host *host_of(struct lre_http *http, const char *url, struct lre_err *err) {
  if (http->last_url && strcmp(http->last_url, url) == 0) return http->last_host;
  struct lre_buf name;
  lre_buf_init(&name);
  struct host *host = NULL;
  if (lre_http_check_url(url, &name, err) && !(host = find_host(http, &name))) lre_err_memory(err);
  lre_buf_free(&name);
  char *copy = host ? strdup(url) : NULL;
  if (copy) {
    free(http->last_url);
    http->last_url = copy;
    http->last_host = host;
  }
  return host;
}

static bool add_line(struct lre_http_call *call, const char *line, struct lre_err *err) {
  struct curl_slist *grown = curl_slist_append(call->headers, line);
  if (!grown) return lre_err_memory(err);
  call->headers = grown;
  return true;
}

static bool add_header(struct lre_http_call *call, const char *line, struct lre_err *err) {
  if (!lre_http_check_header(line, err)) return false;
  const char *colon = strchr(line, ':');
  if (colon[1 + strspn(colon + 1, " ")]) return add_line(call, line, err);
  char *empty = strdup(line); /* to libcurl "Name:" means none at all; "Name;" is the empty one */
  if (!empty) return lre_err_memory(err);
  empty[colon - line] = ';';
  empty[colon - line + 1] = '\0';
  bool ok = add_line(call, empty, err);
  free(empty);
  return ok;
}

static void wipe(struct lre_buf *b) {
  if (b->data) explicit_bzero(b->data, b->cap);
  lre_buf_free(b);
}

static bool add_key(struct lre_http_call *call, const struct lre_http_request *request, struct lre_err *err) {
  if (!request->auth_env) return true;
  const struct lre_secrets *secrets = call->http->secrets;
  const char *name = request->auth_header ? request->auth_header : "Authorization";
  const char *prefix = request->auth_prefix ? request->auth_prefix : "";
  struct lre_buf line;
  lre_buf_init(&line);
  lre_buf_reserve(&line, 4096); /* one block, so that growing leaves no copy behind */
  bool ok = false;
  if (!lre_http_is_token(name, strlen(name)) || lre_http_has_control(prefix))
    lre_err_set(err, "argument", "header", "the key's header or prefix is not fit for a header");
  else if (!lre_buf_puts(&line, name) || !lre_buf_puts(&line, ": ") || !lre_buf_puts(&line, prefix))
    lre_err_memory(err);
  else if (!secrets || !lre_secrets_append(secrets, request->auth_env, &line))
    lre_err_set(err, "argument", "no_key", "no key was loaded from %s", request->auth_env);
  else
    ok = call->has_key = add_line(call, line.data, err); /* the list is empty yet: this is its first line */
  wipe(&line);
  return ok;
}

static bool names_content_type(const char *line) {
  return strncasecmp(line, "Content-Type:", 13) == 0;
}

static bool add_headers(struct lre_http_call *call, const struct lre_http_request *request, struct lre_err *err) {
  bool typed = false;
  if (!add_key(call, request, err)) return false;
  for (size_t i = 0; i < request->n_headers; i++) {
    if (!add_header(call, request->headers[i], err)) return false;
    typed = typed || names_content_type(request->headers[i]);
  }
  if (!typed && !add_line(call, "Content-Type:", err)) return false; /* else libcurl says it is a form */
  return add_line(call, "Expect:", err);
}

static bool set_method(struct lre_http_call *call, const char *method, struct lre_err *err) {
  CURL *e = call->easy;
  if (!lre_http_is_token(method, strlen(method))) return lre_err_set(err, "argument", "method", "not an HTTP method");
  bool head = strcmp(method, "HEAD") == 0;
  bool body = strcmp(method, "POST") == 0 || call->body.len > 0;
  bool plain = head || strcmp(method, body ? "POST" : "GET") == 0;
  CURLcode code = curl_easy_setopt(e, CURLOPT_NOBODY, head ? 1L : 0L);
  if (!code && !head) code = body ? curl_easy_setopt(e, CURLOPT_POST, 1L) : curl_easy_setopt(e, CURLOPT_HTTPGET, 1L);
  if (!code && body) code = curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)call->body.len);
  if (!code && body) code = curl_easy_setopt(e, CURLOPT_POSTFIELDS, call->body.data ? call->body.data : "");
  if (!code) code = curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, plain ? NULL : method);
  return code == CURLE_OK || lre_err_memory(err);
}

static bool set_request(struct lre_http_call *call, const struct lre_http_request *request, struct lre_err *err) {
  long connect_ms = request->timeouts.connect_ms ? (long)request->timeouts.connect_ms : LONGEST_WAIT_MS * 24L;
  if (!add_headers(call, request, err) || !set_method(call, request->method, err)) return false;
  bool ok = curl_easy_setopt(call->easy, CURLOPT_URL, request->url) == CURLE_OK &&
            curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK &&
            curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK;
  return ok || lre_err_memory(err);
}

/* Running ------------------------------------------------------------------------ */

static bool run_call(struct lre_http_call *call, struct lre_err *err) {
  struct lre_http *http = call->http;
  CURLMcode code = curl_multi_add_handle(http->multi, call->easy);
  if (code != CURLM_OK) return lre_err_set(err, "http", "other", "libcurl: %s", curl_multi_strerror(code));
  call->start_ns = lre_clock_mono_ns();
  call->host->n_running++;
  push(&http->running, call);
  expect_by(http, call->start_ns, call->timeouts.total_ms);
  return true;
}

static void reset_call(struct lre_http_call *call, const struct lre_http_request *request, lre_http_done *done,
                       void *ud) {
  call->response = (struct lre_http_response){0};
  lre_buf_init(&call->response.headers);
  lre_buf_init(&call->response.body);
  call->response.headers.max_bytes = MAX_HEADERS;
  call->response.body.max_bytes = request->max_response_bytes ? request->max_response_bytes : DEFAULT_MAX_RESPONSE;
  call->timeouts = request->timeouts;
  call->done = done;
  call->ud = ud;
  call->start_ns = call->ready_ns = call->first_ns = call->last_ns = 0;
  call->resent = call->too_large = false;
  call->problem[0] = '\0';
}

/* To the thread. It takes the whole inbox each time it looks around, so only the first one in it needs to wake it. */
static void hand_over(struct lre_http *http, struct lre_http_call *call) {
  pthread_mutex_lock(&http->mutex);
  bool first = !http->inbox.first;
  push(&http->inbox, call);
  pthread_mutex_unlock(&http->mutex);
  if (first) lre_wake_signal(&http->attention);
}

static bool enqueue(struct lre_http_call *call, struct lre_err *err) {
  struct host *host = call->host;
  if (call->http->max_per_host <= 0 || host->n_running < call->http->max_per_host) return run_call(call, err);
  push(&host->waiting, call);
  return true;
}

struct lre_http_call *lre_http_start(struct lre_http *http, struct lre_http_request *request, lre_http_done *done,
                                     void *ud, struct lre_err *err) {
  struct lre_buf body = request->body;
  lre_buf_init(&request->body);
  struct host *host = host_of(http, request->url, err);
  struct lre_http_call *call = host ? take_call(http) : NULL;
  if (!call) {
    if (host) lre_err_memory(err);
    lre_buf_free(&body);
    return NULL;
  }
  call->host = host;
  call->body = body;
  reset_call(call, request, done, ud);
  if (body.failed ? !lre_err_memory(err) : !set_request(call, request, err)) {
    release_call(call);
    return NULL;
  }
  http->n_calls++;
  call->under_way = true;
  hand_over(http, call);
  return call;
}

/* It leaves the thread's hands at the thread's next look around. */
static void end_call(struct lre_http_call *call, bool ok, const struct lre_err *err) {
  call->ok = ok;
  if (!ok) call->err = *err;
  push(&call->http->finished, call);
}

/* A place to this host is free. */
static void run_waiting(struct host *host) {
  struct lre_err err;
  while (host->waiting.first) {
    struct lre_http_call *call = host->waiting.first;
    if (call->http->max_per_host > 0 && host->n_running >= call->http->max_per_host) return;
    unlink_call(call);
    if (!run_call(call, &err)) end_call(call, false, &err);
  }
}

/* Takes a call out of its list and, where it runs, out of libcurl; its place goes to the next one. */
static void stop_call(struct lre_http_call *call) {
  bool runs = call->list == &call->http->running;
  unlink_call(call);
  if (!runs) return;
  curl_multi_remove_handle(call->http->multi, call->easy);
  call->host->n_running--;
  run_waiting(call->host);
}

/* Between these two the thread stands still, and what is its own may be touched. */
static void hold(struct lre_http *http) {
  pthread_mutex_lock(&http->mutex);
  http->hold = true;
  lre_wake_signal(&http->attention);
  while (http->has_thread && !http->stands) pthread_cond_wait(&http->standing, &http->mutex);
}

static void let_go(struct lre_http *http) {
  http->hold = false;
  pthread_cond_signal(&http->go_on);
  pthread_mutex_unlock(&http->mutex);
}

void lre_http_cancel(struct lre_http_call *call) {
  if (!call || !call->under_way) return;
  struct lre_http *http = call->http;
  hold(http);
  stop_call(call);
  let_go(http);
  http->n_calls--;
  call->under_way = false;
  release_call(call);
}

static void stop_thread(struct lre_http *http) {
  if (!http->has_thread) return;
  pthread_mutex_lock(&http->mutex);
  http->stop = true;
  pthread_cond_signal(&http->go_on);
  pthread_mutex_unlock(&http->mutex);
  lre_wake_signal(&http->attention);
  pthread_join(http->thread, NULL);
  http->has_thread = false;
}

static void cancel_list(struct list *list) {
  while (list->first) lre_http_cancel(list->first);
}

void lre_http_free(struct lre_http *http) {
  if (!http) return;
  stop_thread(http);
  for (struct host *h = http->hosts; h; h = h->next) cancel_list(&h->waiting);
  cancel_list(&http->inbox);
  cancel_list(&http->running);
  cancel_list(&http->finished);
  cancel_list(&http->outbox);
  cancel_list(&http->arrived);
  struct lre_http_call *call;
  while ((call = pop(&http->idle))) destroy_call(call);
  if (http->multi) curl_multi_cleanup(http->multi);
  while (http->hosts) {
    struct host *next = http->hosts->next;
    free(http->hosts->name);
    free(http->hosts);
    http->hosts = next;
  }
  free(http->last_url);
  free(http->user_agent);
  free(http->ca_file);
  free(http->proxy);
  lre_poller_close(&http->poller);
  lre_wake_close(&http->attention);
  lre_wake_close(&http->wake);
  pthread_cond_destroy(&http->go_on);
  pthread_cond_destroy(&http->standing);
  pthread_mutex_destroy(&http->mutex);
  free(http);
}

size_t lre_http_in_flight(const struct lre_http *http) {
  return http->n_calls;
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
    lre_err_set(err, "http", code, "%s: the response's headers are over %d KiB", host, MAX_HEADERS >> 10);
  else if (call->too_large)
    lre_err_set(err, "http", code, "%s: the response is over %zu bytes", host, r->body.max_bytes);
  else if (call->resent)
    lre_err_set(err, "http", code, "%s: the kept-alive connection was closed without an answer", host);
  else if (result == CURLE_OPERATION_TIMEDOUT)
    lre_err_set(err, "http", code, "%s: no connection within %u ms", host, call->timeouts.connect_ms);
  else
    lre_err_set(err, "http", code, "%s: %s", host, call->problem[0] ? call->problem : curl_easy_strerror(result));
}

static void redact_message(const struct lre_secrets *secrets, struct lre_err *err) {
  struct lre_buf text;
  lre_buf_init(&text);
  lre_buf_puts(&text, err->message);
  if (lre_secrets_redact(secrets, &text))
    lre_err_set(err, err->kind, err->code, "%s", text.data ? text.data : "(redacted)");
  lre_buf_free(&text);
}

/* The call is out of all lists. The callee may start calls, which may take this one's easy handle only afterwards. */
static void finish_call(struct lre_http_call *call) {
  struct lre_http *http = call->http;
  if (!call->ok) redact_message(http->secrets, &call->err);
  lre_secrets_redact(http->secrets, &call->response.headers);
  lre_secrets_redact(http->secrets, &call->response.body);
  call->response.body.max_bytes = call->response.headers.max_bytes = 0; /* the new owner may append */
  http->n_calls--;
  call->under_way = false;
  free_headers(call); /* the key goes first */
  call->done(call->ud, call->ok, &call->response, call->ok ? NULL : &call->err);
  release_call(call);
}

/* ---- the thread ---- */

static void finish_transfer(struct lre_http_call *call, CURLcode result) {
  struct lre_err err;
  bool ok = result == CURLE_OK;
  describe(call);
  if (!ok) set_failure(call, result, &err);
  stop_call(call);
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
  stop_call(call);
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
  if (due == NEVER) return LONGEST_WAIT_MS;
  uint64_t now = lre_clock_mono_ns();
  uint64_t left = due > now ? (due - now + NS_PER_MS - 1) / NS_PER_MS : 0;
  return left < LONGEST_WAIT_MS ? (int)left : LONGEST_WAIT_MS;
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
  while ((call = pop(&http->fresh)))
    if (!enqueue(call, err)) end_call(call, false, err);
  size_t n = lre_poller_wait(&http->poller, events, LRE_POLLER_EVENTS, wait_ms(http));
  http->now_ns = lre_clock_mono_ns();
  CURLMcode code = run_events(http, events, n);
  if (code == CURLM_OK) code = run_timers(http);
  if (code != CURLM_OK) return lre_err_set(err, "http", "other", "libcurl: %s", curl_multi_strerror(code));
  read_messages(http);
  check_deadlines(http);
  return true;
}

/* With the mutex held. */
static void deliver(struct lre_http *http) {
  if (!http->finished.first && !http->broken) return;
  move_all(&http->finished, &http->outbox);
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
    move_all(&http->inbox, &http->fresh);
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

/* ---- the caller's side of it ---- */

/* What the thread is done with becomes ours. Where there is nothing and the caller will wait, the thread is told to
 * wake it. */
static bool take_outbox(struct lre_http *http, bool will_wait, struct lre_err *err) {
  pthread_mutex_lock(&http->mutex);
  move_all(&http->outbox, &http->arrived);
  bool ok = !http->broken;
  if (!ok) *err = http->err;
  if (http->woken) lre_wake_drain(&http->wake);
  http->woken = false;
  http->sleeping = will_wait && ok && !http->arrived.first;
  pthread_mutex_unlock(&http->mutex);
  return ok;
}

static void await(const struct lre_http *http, int wake_fd, int timeout_ms) {
  struct pollfd fds[2] = {{.fd = http->wake.read_fd, .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
  poll(fds, wake_fd >= 0 ? 2 : 1, timeout_ms); /* a signal ends the wait: its handler may have work for the caller */
}

bool lre_http_poll(struct lre_http *http, int wake_fd, int timeout_ms, struct lre_err *err) {
  struct lre_http_call *call;
  if (!take_outbox(http, timeout_ms != 0, err)) return false;
  if (!http->arrived.first && timeout_ms != 0) {
    await(http, wake_fd, timeout_ms);
    if (!take_outbox(http, false, err)) return false;
  }
  while ((call = pop(&http->arrived))) finish_call(call);
  return true;
}
