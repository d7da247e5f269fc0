/* http.c: the caller's side: see http.h and http_thread.h. */
#include "core/http.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/http_check.h"
#include "core/http_thread.h"

enum {
  DEFAULT_MAX_RESPONSE = 16 << 20,
  UPLOAD_BYTES = 16 << 10, /* of each call under way; libcurl's own is four times that, new for each request */
  TCP_KEEPALIVE_S = 60,    /* a reasoning model is silent for minutes, and NATs forget */
};

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

/* libcurl looks for them, and copies them, at every request. */
static bool is_proxy_in_environment(void) {
  static const char *const names[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    if (getenv(names[i])) return true;
  }
  return false;
}

static bool set_up(struct lre_http *http, const struct lre_http_options *options, struct lre_err *err) {
  http->max_per_host = options->max_connections_per_host;
  http->secrets = options->secrets;
  http->allow = options->allow;
  const char *ca_file = options->ca_file ? options->ca_file : ca_from_environment();
  if (!copy_string(&http->user_agent, options->user_agent) ||
      !copy_string(&http->proxy, options->proxy || is_proxy_in_environment() ? options->proxy : "") ||
      !copy_string(&http->ca_file, ca_file))
    return lre_err_memory(err);
  return lre_http_thread_start(http, err);
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
  if (http->user_agent) SET(CURLOPT_USERAGENT, http->user_agent);
  if (http->ca_file) SET(CURLOPT_CAINFO, http->ca_file);
  if (http->proxy) SET(CURLOPT_PROXY, http->proxy);
#undef SET
  return ok && lre_http_thread_attach(call);
}

static void destroy_call(struct lre_http_call *call) {
  if (call->easy) curl_easy_cleanup(call->easy);
  free(call);
}

/* An idle call with its easy handle, or a new one. */
static struct lre_http_call *take_call(struct lre_http *http) {
  struct lre_http_call *call = http->idle.last; /* the last used is the warmest */
  if (call) {
    lre_http_list_unlink(call);
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
  lre_http_list_push(&call->http->idle, call);
}

/* Setting up a request ---------------------------------------------------------- */

static struct lre_http_host *find_host(struct lre_http *http, const struct lre_buf *name) {
  for (struct lre_http_host *h = http->hosts; h; h = h->next)
    if (strcmp(h->name, name->data) == 0) return h;
  struct lre_http_host *h = calloc(1, sizeof *h);
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
static struct lre_http_host *host_of(struct lre_http *http, const char *url, struct lre_err *err) {
  unsigned version = http->allow ? http->allow->version : 0;
  if (http->last_url && http->last_allow == version && strcmp(http->last_url, url) == 0) return http->last_host;
  struct lre_buf name;
  lre_buf_init(&name);
  struct lre_http_host *host = NULL;
  if (lre_http_check_url(url, &name, err)) {
    if (http->allow && !lre_http_allows(http->allow, name.data))
      lre_err_set(err, "http", "host", "%s is none of the hosts that this run asks", name.data);
    else if (!(host = find_host(http, &name)))
      lre_err_memory(err);
  }
  lre_buf_free(&name);
  char *copy = host ? strdup(url) : NULL;
  if (copy) {
    free(http->last_url);
    http->last_url = copy;
    http->last_host = host;
    http->last_allow = version;
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
  long connect_ms = request->timeouts.connect_ms ? (long)request->timeouts.connect_ms : LRE_HTTP_LONGEST_WAIT_MS * 24L;
  if (!add_headers(call, request, err) || !set_method(call, request->method, err)) return false;
  bool ok = curl_easy_setopt(call->easy, CURLOPT_URL, request->url) == CURLE_OK &&
            curl_easy_setopt(call->easy, CURLOPT_HTTPHEADER, call->headers) == CURLE_OK &&
            curl_easy_setopt(call->easy, CURLOPT_CONNECTTIMEOUT_MS, connect_ms) == CURLE_OK;
  return ok || lre_err_memory(err);
}

static void reset_call(struct lre_http_call *call, const struct lre_http_request *request, lre_http_done *done,
                       void *ud) {
  call->response = (struct lre_http_response){0};
  lre_buf_init(&call->response.headers);
  lre_buf_init(&call->response.body);
  call->response.headers.max_bytes = LRE_HTTP_MAX_HEADERS;
  call->response.body.max_bytes = request->max_response_bytes ? request->max_response_bytes : DEFAULT_MAX_RESPONSE;
  call->timeouts = request->timeouts;
  call->done = done;
  call->ud = ud;
  call->start_ns = call->ready_ns = call->first_ns = call->last_ns = 0;
  call->resent = call->too_large = false;
  call->problem[0] = '\0';
}

struct lre_http_call *lre_http_start(struct lre_http *http, struct lre_http_request *request, lre_http_done *done,
                                     void *ud, struct lre_err *err) {
  struct lre_buf body = request->body;
  lre_buf_init(&request->body);
  struct lre_http_host *host = host_of(http, request->url, err);
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
  lre_http_thread_give(http, call);
  return call;
}

void lre_http_cancel(struct lre_http_call *call) {
  if (!call || !call->under_way) return;
  struct lre_http *http = call->http;
  lre_http_thread_hold(http);
  lre_http_thread_drop(call);
  lre_http_thread_let_go(http);
  http->n_calls--;
  call->under_way = false;
  release_call(call);
}

static void cancel_list(struct lre_http_list *list) {
  while (list->first) lre_http_cancel(list->first);
}

void lre_http_free(struct lre_http *http) {
  if (!http) return;
  lre_http_thread_stop(http);
  for (struct lre_http_host *h = http->hosts; h; h = h->next) cancel_list(&h->waiting);
  cancel_list(&http->inbox);
  cancel_list(&http->running);
  cancel_list(&http->finished);
  cancel_list(&http->outbox);
  cancel_list(&http->arrived);
  struct lre_http_call *call;
  while ((call = lre_http_list_pop(&http->idle))) destroy_call(call);
  if (http->multi) curl_multi_cleanup(http->multi);
  while (http->hosts) {
    struct lre_http_host *next = http->hosts->next;
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

void lre_http_set_max_connections(struct lre_http *http, long max_connections_per_host) {
  lre_http_thread_hold(http);
  http->max_per_host = max_connections_per_host;
  lre_http_thread_let_go(http);
}

size_t lre_http_in_flight(const struct lre_http *http) {
  return http->n_calls;
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

static void await(const struct lre_http *http, int wake_fd, int timeout_ms) {
  struct pollfd fds[2] = {{.fd = http->wake.read_fd, .events = POLLIN}, {.fd = wake_fd, .events = POLLIN}};
  poll(fds, wake_fd >= 0 ? 2 : 1, timeout_ms); /* a signal ends the wait: its handler may have work for the caller */
}

bool lre_http_poll(struct lre_http *http, int wake_fd, int timeout_ms, struct lre_err *err) {
  struct lre_http_call *call;
  if (!lre_http_thread_take(http, timeout_ms != 0, err)) return false;
  if (!http->arrived.first && timeout_ms != 0) {
    await(http, wake_fd, timeout_ms);
    if (!lre_http_thread_take(http, false, err)) return false;
  }
  while ((call = lre_http_list_pop(&http->arrived))) finish_call(call);
  return true;
}
