/* Over real sockets: the tests' nginx plays the provider, tests/nginx/faults.lua what it can do to us. */
#include "core/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/platform.h"
#include "nginx.h"

static const char KEY[] = "sk-test/0123456789+key";
static const char CHAT[] =
    "{\"max_tokens\":8,\"messages\":[{\"content\":\"hello\",\"role\":\"user\"}],\"model\":\"mock\",\"temperature\":0}";
static const char *const JSON_HEADERS[] = {"Content-Type: application/json"};

static const struct lre_http_timeouts PATIENT = {10000, 20000, 20000, 30000};

static struct nginx server;
static struct lre_secrets *secrets;

struct outcome {
  bool done, ok;
  struct lre_http_response response;
  struct lre_err err;
};

static void keep_outcome(void *ud, bool ok, struct lre_http_response *response, const struct lre_err *err) {
  struct outcome *o = ud;
  assert_false(o->done);
  o->done = true;
  o->ok = ok;
  o->response = *response;
  lre_buf_init(&response->headers);
  lre_buf_init(&response->body);
  if (!ok) o->err = *err;
}

static void free_outcome(struct outcome *o) {
  lre_buf_free(&o->response.headers);
  lre_buf_free(&o->response.body);
}

static struct lre_http *new_http(long max_per_host, const char *ca_file) {
  struct lre_err err;
  struct lre_http_options options = {.user_agent = "lre-test",
                                     .proxy = "",
                                     .ca_file = ca_file,
                                     .max_connections_per_host = max_per_host,
                                     .secrets = secrets};
  struct lre_http *http = lre_http_new(&options, &err);
  assert_non_null(http);
  return http;
}

static struct lre_http_request new_request(const char *url) {
  struct lre_http_request r = {.method = "POST", .url = url, .headers = JSON_HEADERS, .n_headers = 1};
  r.timeouts = PATIENT;
  lre_buf_init(&r.body);
  assert_true(lre_buf_puts(&r.body, CHAT));
  return r;
}

static const char *url_of(const char *path) {
  static char url[256];
  snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
  return url;
}

static struct lre_http_call *start(struct lre_http *http, struct lre_http_request *request, struct outcome *o) {
  struct lre_err err = {0};
  *o = (struct outcome){0};
  struct lre_http_call *call = lre_http_start(http, request, keep_outcome, o, &err);
  if (!call) fail_msg("%s: %s", err.code, err.message);
  return call;
}

static void finish(struct lre_http *http) {
  struct lre_err err;
  while (lre_http_in_flight(http) > 0) assert_true(lre_http_poll(http, -1, -1, &err));
}

static void ask_request(struct lre_http *http, struct lre_http_request *request, struct outcome *o) {
  start(http, request, o);
  finish(http);
  assert_true(o->done);
}

static void ask(struct lre_http *http, const char *path, struct outcome *o) {
  struct lre_http_request request = new_request(url_of(path));
  ask_request(http, &request, o);
}

static void get(struct lre_http *http, const char *path, struct outcome *o) {
  struct lre_http_request request = {.method = "GET", .url = url_of(path), .timeouts = PATIENT};
  ask_request(http, &request, o);
  assert_true(o->ok);
}

static void expect_error(const struct outcome *o, const char *code) {
  assert_true(o->done);
  if (o->ok) fail_msg("expected %s, got status %ld", code, o->response.status);
  assert_string_equal(o->err.kind, "http");
  assert_string_equal(o->err.code, code);
}

/* A fault that ends in `code`, asked with `timeouts`. */
static void expect_fault(const char *path, struct lre_http_timeouts timeouts, const char *code) {
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url_of(path));
  struct outcome o;
  request.timeouts = timeouts;
  ask_request(http, &request, &o);
  expect_error(&o, code);
  free_outcome(&o);
  lre_http_free(http);
}

static bool body_has(const struct outcome *o, const char *text) {
  return o->response.body.data && strstr(o->response.body.data, text);
}

static bool headers_have(const struct outcome *o, const char *text) {
  return o->response.headers.data && strstr(o->response.headers.data, text);
}

#define NEED_SERVER()                                                                                                  \
  do {                                                                                                                 \
    if (server.port == 0) skip();                                                                                      \
  } while (0)

static void an_answer_comes_with_status_headers_and_body(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct outcome o;
  ask(http, "/v1/chat/completions", &o);
  assert_true(o.ok);
  assert_int_equal(o.response.status, 200);
  assert_int_equal(o.response.http_version, 11);
  assert_true(o.response.sent);
  assert_false(o.response.reused);
  assert_true(o.response.first_byte_us > 0 && o.response.total_us >= o.response.first_byte_us);
  assert_true(headers_have(&o, "content-type: application/json\n"));
  cJSON *root = cJSON_Parse(o.response.body.data);
  assert_string_equal(string_at(root, "model"), "mock");
  cJSON_Delete(root);
  free_outcome(&o);
  lre_http_free(http);
}

static void a_connection_is_used_again(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct outcome o;
  for (int i = 0; i < 5; i++) {
    ask(http, "/v1/chat/completions", &o);
    assert_true(o.ok);
    assert_int_equal(o.response.reused, i > 0);
    free_outcome(&o);
  }
  ask(http, "/close/v1/chat/completions", &o);
  free_outcome(&o);
  ask(http, "/v1/chat/completions", &o);
  assert_true(o.ok);
  assert_false(o.response.reused);
  free_outcome(&o);
  lre_http_free(http);
}

static void what_is_sent_is_what_was_given(void **state) {
  (void)state;
  NEED_SERVER();
  const char *const headers[] = {"Content-Type: application/json", "X-Empty:", "X-Two: a b"};
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url_of("/faults/ok/sent/v1/chat/completions"));
  struct outcome o;
  request.headers = headers;
  request.n_headers = 3;
  request.auth_env = "LRE_TEST_KEY";
  request.auth_header = "Authorization";
  request.auth_prefix = "Bearer ";
  ask_request(http, &request, &o);
  assert_true(o.ok);
  free_outcome(&o);
  get(http, "/count/sent", &o);
  assert_string_equal(o.response.body.data, "1\n");
  free_outcome(&o);
  /* The key of this client would be redacted, so another one looks. */
  struct lre_secrets *own = secrets;
  secrets = NULL;
  struct lre_http *other = new_http(0, NULL);
  get(other, "/requests/sent", &o);
  secrets = own;
  cJSON *list = cJSON_Parse(o.response.body.data), *sent = cJSON_GetArrayItem(list, 0);
  const cJSON *got = cJSON_GetObjectItem(sent, "headers");
  assert_string_equal(string_at(sent, "body"), CHAT);
  assert_string_equal(string_at(sent, "method"), "POST");
  assert_string_equal(string_at(got, "authorization"), "Bearer sk-test/0123456789+key");
  assert_string_equal(string_at(got, "content-type"), "application/json");
  assert_string_equal(string_at(got, "x-empty"), "");
  assert_string_equal(string_at(got, "x-two"), "a b");
  assert_string_equal(string_at(got, "user-agent"), "lre-test");
  assert_null(cJSON_GetObjectItem(got, "expect"));
  cJSON_Delete(list);
  free_outcome(&o);
  lre_http_free(other);
  lre_http_free(http);
}

static void a_handle_keeps_nothing_of_its_last_request(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url_of("/faults/401/left/v1/chat/completions"));
  struct outcome o;
  request.auth_env = "LRE_TEST_KEY";
  request.method = "PUT";
  ask_request(http, &request, &o);
  assert_int_equal(o.response.status, 405);
  free_outcome(&o);
  ask(http, "/faults/401/left/v1/chat/completions", &o);
  assert_int_equal(o.response.status, 401);
  assert_true(body_has(&o, "(none)"));
  free_outcome(&o);
  get(http, "/requests/left", &o);
  cJSON *list = cJSON_Parse(o.response.body.data), *second = cJSON_GetArrayItem(list, 1);
  assert_string_equal(string_at(second, "method"), "POST");
  assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(second, "headers"), "authorization"));
  cJSON_Delete(list);
  free_outcome(&o);
  lre_http_free(http);
}

static void methods_follow_each_other_on_one_handle(void **state) {
  (void)state;
  NEED_SERVER();
  const char *const methods[] = {"HEAD", "GET", "HEAD", "DELETE", "POST", "OPTIONS", "GET"};
  struct lre_http *http = new_http(0, NULL);
  struct outcome o;
  for (size_t i = 0; i < 7; i++) {
    struct lre_http_request request = {.method = methods[i], .url = url_of("/faults/ok/methods/v1/messages")};
    request.timeouts = PATIENT;
    ask_request(http, &request, &o);
    assert_true(o.ok);
    assert_int_equal(o.response.status, strcmp(methods[i], "POST") == 0 ? 400 : 405); /* POST without a body */
    assert_int_equal(o.response.body.len == 0, strcmp(methods[i], "HEAD") == 0);
    free_outcome(&o);
  }
  get(http, "/requests/methods", &o);
  cJSON *list = cJSON_Parse(o.response.body.data);
  for (int i = 0; i < 7; i++) {
    const cJSON *sent = cJSON_GetArrayItem(list, i);
    assert_string_equal(string_at(sent, "method"), methods[i]);
    assert_string_equal(string_at(sent, "body"), "");
    assert_null(cJSON_GetObjectItem(cJSON_GetObjectItem(sent, "headers"), "content-type"));
  }
  cJSON_Delete(list);
  free_outcome(&o);
  lre_http_free(http);
}

static void a_key_that_the_server_echoes_is_redacted(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url_of("/faults/401/v1/chat/completions"));
  struct outcome o;
  request.auth_env = "LRE_TEST_KEY";
  request.auth_prefix = "Bearer ";
  ask_request(http, &request, &o);
  assert_true(o.ok);
  assert_int_equal(o.response.status, 401);
  assert_true(body_has(&o, "provided: Bearer [redacted]"));
  assert_true(headers_have(&o, "www-authenticate: Bearer realm=\"Bearer [redacted]\"\n"));
  assert_false(body_has(&o, "0123456789"));
  assert_false(headers_have(&o, "0123456789"));
  free_outcome(&o);
  lre_http_free(http);
}

static void any_status_is_a_response(void **state) {
  (void)state;
  NEED_SERVER();
  struct {
    const char *path, *text;
    long status;
  } cases[] = {{"/faults/404-html/v1/messages", "<h1>404 Not Found</h1>", 404},
               {"/faults/302/v1/chat/completions", "moved", 302}, /* and not followed */
               {"/faults/500/v1/chat/completions", "server had an error", 500},
               {"/faults/529/v1/messages", "Overloaded", 529},
               {"/faults/200-error/v1/chat/completions", "502", 200},
               {"/faults/truncated-json/v1/chat/completions", "chatcmpl", 200},
               {"/faults/invalid-utf8/v1/chat/completions", "\xff\xfe", 200}};
  struct lre_http *http = new_http(0, NULL);
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct outcome o;
    ask(http, cases[i].path, &o);
    assert_true(o.ok);
    assert_int_equal(o.response.status, cases[i].status);
    assert_true(body_has(&o, cases[i].text));
    free_outcome(&o);
  }
  lre_http_free(http);
}

static void a_broken_connection_is_named(void **state) {
  (void)state;
  NEED_SERVER();
  expect_fault("/faults/reset-mid-body/v1/chat/completions", PATIENT, "reset");
  expect_fault("/faults/reset-before-headers/v1/chat/completions", PATIENT, "reset");
  expect_fault("/faults/close-mid-body/v1/chat/completions", PATIENT, "partial");
}

static void each_timeout_has_its_name(void **state) {
  (void)state;
  NEED_SERVER();
  expect_fault("/faults/slow-headers/v1/messages", (struct lre_http_timeouts){10000, 100, 20000, 30000},
               "timeout_first_byte");
  expect_fault("/faults/hang-body/v1/messages", (struct lre_http_timeouts){10000, 20000, 100, 30000}, "timeout_stall");
  expect_fault("/faults/hang-last-byte/v1/messages", (struct lre_http_timeouts){10000, 20000, 100, 30000},
               "timeout_stall");
  expect_fault("/faults/drip/v1/messages", (struct lre_http_timeouts){10000, 20000, 20000, 200}, "timeout_total");
  expect_fault("/faults/slow-headers/v1/messages", (struct lre_http_timeouts){0, 0, 0, 100}, "timeout_total");
}

static void a_timeout_after_sending_says_that_it_was_sent(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url_of("/faults/slow-headers/v1/messages"));
  struct outcome o;
  request.timeouts.first_byte_ms = 500;
  ask_request(http, &request, &o);
  expect_error(&o, "timeout_first_byte");
  assert_true(o.response.sent);
  assert_int_equal(o.response.status, 0);
  free_outcome(&o);
  lre_http_free(http);
}

static void a_slow_body_is_no_stall(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct outcome o;
  ask(http, "/faults/slow-body/v1/chat/completions", &o);
  assert_true(o.ok);
  cJSON *root = cJSON_Parse(o.response.body.data);
  assert_non_null(root);
  cJSON_Delete(root);
  free_outcome(&o);
  lre_http_free(http);
}

static int listen_somewhere(struct sockaddr_in *address) {
  socklen_t len = sizeof *address;
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  *address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
  assert_int_equal(bind(fd, (struct sockaddr *)address, sizeof *address), 0);
  assert_int_equal(getsockname(fd, (struct sockaddr *)address, &len), 0);
  return fd;
}

static void a_refused_connection_was_not_sent(void **state) {
  (void)state;
  struct sockaddr_in address;
  char url[64];
  int fd = listen_somewhere(&address); /* bound, not listening: nobody else gets this port, and it refuses */
  snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", ntohs(address.sin_port));
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url);
  struct outcome o;
  ask_request(http, &request, &o);
  expect_error(&o, "connect");
  assert_false(o.response.sent);
  assert_non_null(strstr(o.err.message, "127.0.0.1"));
  free_outcome(&o);
  lre_http_free(http);
  close(fd);
}

static void a_connection_that_is_never_made_times_out(void **state) {
  (void)state;
  struct sockaddr_in address;
  char url[64];
  int fd = listen_somewhere(&address), fillers[8];
  assert_int_equal(listen(fd, 0), 0); /* a full queue: further SYNs are dropped */
  for (int i = 0; i < 8; i++) {
    fillers[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (connect(fillers[i], (struct sockaddr *)&address, sizeof address) < 0) assert_int_equal(errno, EINPROGRESS);
  }
  snprintf(url, sizeof url, "http://127.0.0.1:%d/v1", ntohs(address.sin_port));
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url);
  struct outcome o;
  request.timeouts.connect_ms = 200;
  ask_request(http, &request, &o);
  expect_error(&o, "timeout_connect");
  assert_false(o.response.sent);
  free_outcome(&o);
  lre_http_free(http);
  for (int i = 0; i < 8; i++) close(fillers[i]);
  close(fd);
}

static void a_name_that_no_host_has_is_a_resolve_error(void **state) {
  (void)state;
  char url[128]; /* a label of 70 bytes fails in the resolver itself: no DNS server is asked */
  snprintf(url, sizeof url, "http://%070d.invalid/v1", 0);
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url);
  struct outcome o;
  ask_request(http, &request, &o);
  expect_error(&o, "resolve");
  free_outcome(&o);
  lre_http_free(http);
}

static void a_response_over_the_cap_is_an_error(void **state) {
  (void)state;
  NEED_SERVER();
  expect_fault("/faults/huge/v1/chat/completions", PATIENT, "too_large");
  expect_fault("/gzip/faults/huge/v1/chat/completions", PATIENT, "too_large"); /* 76 KiB on the wire */
  expect_fault("/faults/big-headers/v1/chat/completions", PATIENT, "too_large");
}

static void a_response_at_the_cap_is_whole(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url_of("/gzip/faults/huge/v1/chat/completions"));
  struct outcome first, second, third;
  request.max_response_bytes = 18 << 20;
  ask_request(http, &request, &first);
  assert_true(first.ok);
  assert_true(headers_have(&first, "content-encoding: gzip\n"));
  assert_true(first.response.body.len > 17 << 20);
  request = new_request(url_of("/faults/huge/v1/chat/completions"));
  request.max_response_bytes = first.response.body.len;
  ask_request(http, &request, &second);
  assert_true(second.ok);
  assert_int_equal(second.response.body.len, first.response.body.len);
  request = new_request(url_of("/faults/huge/v1/chat/completions"));
  request.max_response_bytes = first.response.body.len - 1;
  ask_request(http, &request, &third);
  expect_error(&third, "too_large");
  free_outcome(&first);
  free_outcome(&second);
  free_outcome(&third);
  lre_http_free(http);
}

static void never_done(void *ud, bool ok, struct lre_http_response *response, const struct lre_err *err) {
  (void)ud, (void)ok, (void)response, (void)err;
  fail_msg("done was called");
}

static void expect_refused(struct lre_http *http, struct lre_http_request *request, const char *code) {
  struct lre_err err = {0};
  assert_null(lre_http_start(http, request, never_done, NULL, &err));
  assert_string_equal(err.kind, "argument");
  assert_string_equal(err.code, code);
  assert_int_equal(lre_http_in_flight(http), 0);
  assert_null(request->body.data); /* taken in any case */
}

static void a_bad_url_is_refused_before_anything_is_sent(void **state) {
  (void)state;
  const char *const urls[] = {"",
                              "nonsense",
                              "127.0.0.1:80/v1",
                              "file:///etc/passwd",
                              "ftp://127.0.0.1/x",
                              "http://",
                              "http://user:pw@127.0.0.1/v1",
                              "http://user@127.0.0.1/v1",
                              "http://127.0.0.1:99999/",
                              "http://127.0.0.1/a b",
                              "http://127.0.0.1/a\r\nX: y"};
  struct lre_http *http = new_http(0, NULL);
  for (size_t i = 0; i < sizeof urls / sizeof *urls; i++) {
    struct lre_http_request request = new_request(urls[i]);
    expect_refused(http, &request, "url");
  }
  lre_http_free(http);
}

static void a_header_cannot_be_split(void **state) {
  (void)state;
  const char *const bad[] = {"X: a\r\nY: b", "X: a\nb", "no colon", ": no name", "X Y: space", "X: \x01", "X: a\x7f"};
  struct lre_http *http = new_http(0, NULL);
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    struct lre_http_request request = new_request("http://127.0.0.1:1/");
    request.headers = &bad[i];
    expect_refused(http, &request, "header");
  }
  struct lre_http_request request = new_request("http://127.0.0.1:1/");
  request.method = "POST / HTTP/1.1\r\nX:";
  expect_refused(http, &request, "method");
  lre_http_free(http);
}

static void a_key_that_was_not_loaded_is_refused(void **state) {
  (void)state;
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request("http://127.0.0.1:1/");
  request.auth_env = "LRE_TEST_OTHER_KEY";
  expect_refused(http, &request, "no_key");
  lre_http_free(http);
}

/* How many connections carried the requests whose URI holds `token`; -1 where the log has not `n` of them yet. */
static int connections_of(const char *token, int n) {
  char path[128], *rest;
  long seen[64];
  int found = 0, connections = 0;
  snprintf(path, sizeof path, "%s/access.log", server.dir);
  char *text = read_whole(path, NULL);
  for (char *line = text ? strtok_r(text, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
    if (!strstr(line, token)) continue;
    long id = atol(line);
    int i = 0;
    while (i < connections && seen[i] != id) i++;
    if (i == connections && connections < 64) seen[connections++] = id;
    found++;
  }
  free(text);
  return found == n ? connections : -1;
}

static void no_more_connections_than_allowed(void **state) {
  (void)state;
  NEED_SERVER();
  enum { N = 12, BOUND = 3 };
  struct lre_http *http = new_http(BOUND, NULL);
  struct outcome o[N];
  for (int i = 0; i < N; i++) {
    struct lre_http_request request = new_request(url_of("/delay/20/bounded/v1/chat/completions"));
    start(http, &request, &o[i]);
  }
  assert_int_equal(lre_http_in_flight(http), N);
  finish(http);
  for (int i = 0; i < N; i++) {
    assert_true(o[i].ok);
    free_outcome(&o[i]);
  }
  int connections;
  while ((connections = connections_of("bounded", N)) < 0) usleep(1000); /* logged after the answer */
  assert_int_equal(connections, BOUND);
  lre_http_free(http);
}

static void no_clock_runs_in_the_queue(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(1, NULL);
  struct outcome o[6]; /* 6 x 500 ms one after another; each alone is far below its limits of 2.5 s */
  for (int i = 0; i < 6; i++) {
    struct lre_http_request request = new_request(url_of("/delay/500/v1/chat/completions"));
    request.timeouts = (struct lre_http_timeouts){2500, 2500, 2500, 2500};
    start(http, &request, &o[i]);
  }
  finish(http);
  for (int i = 0; i < 6; i++) {
    assert_true(o[i].ok);
    free_outcome(&o[i]);
  }
  lre_http_free(http);
}

static void a_cancelled_call_is_never_done(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(1, NULL);
  struct lre_err err;
  struct outcome o;
  struct lre_http_call *calls[3];
  for (int i = 0; i < 3; i++) {
    struct lre_http_request request = new_request(url_of("/delay/100000/v1/chat/completions"));
    calls[i] = lre_http_start(http, &request, never_done, NULL, &err);
    assert_non_null(calls[i]);
  }
  assert_true(lre_http_poll(http, -1, 5, &err));
  lre_http_cancel(calls[1]); /* waits */
  lre_http_cancel(calls[0]); /* runs; the third takes its place */
  lre_http_cancel(calls[2]);
  assert_int_equal(lre_http_in_flight(http), 0);
  ask(http, "/v1/chat/completions", &o);
  assert_true(o.ok);
  free_outcome(&o);
  struct lre_http_request request = new_request(url_of("/delay/100/v1/chat/completions"));
  assert_non_null(lre_http_start(http, &request, never_done, NULL, &err));
  lre_http_free(http); /* cancels what is left */
}

struct chain {
  struct lre_http *http;
  struct lre_http_call *victim;
  int left;
};

static void ask_next(void *ud, bool ok, struct lre_http_response *response, const struct lre_err *err) {
  struct chain *chain = ud;
  struct lre_err problem;
  (void)response, (void)err;
  assert_true(ok);
  lre_http_cancel(chain->victim);
  chain->victim = NULL;
  if (--chain->left <= 0) return;
  struct lre_http_request request = new_request(url_of("/v1/chat/completions"));
  assert_non_null(lre_http_start(chain->http, &request, ask_next, chain, &problem));
}

static void done_may_start_and_cancel_calls(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_err err;
  struct chain chain = {.http = new_http(2, NULL), .left = 20};
  struct lre_http_request request = new_request(url_of("/faults/slow-headers/v1/chat/completions"));
  chain.victim = lre_http_start(chain.http, &request, never_done, NULL, &err);
  request = new_request(url_of("/v1/chat/completions"));
  assert_non_null(lre_http_start(chain.http, &request, ask_next, &chain, &err));
  finish(chain.http);
  assert_int_equal(chain.left, 0);
  lre_http_free(chain.http);
}

static void a_call_is_never_sent_twice_behind_our_back(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct outcome o;
  ask(http, "/v1/chat/completions", &o); /* now there is a kept-alive connection, and libcurl would try again */
  free_outcome(&o);
  ask(http, "/faults/reset-before-headers/once/v1/chat/completions", &o);
  expect_error(&o, "reset");
  assert_true(o.response.sent);
  free_outcome(&o);
  get(http, "/count/once", &o);
  assert_string_equal(o.response.body.data, "1\n");
  free_outcome(&o);
  lre_http_free(http);
}

static void an_idle_connection_that_the_server_closed_costs_nothing(void **state) {
  (void)state;
  NEED_SERVER();
  struct lre_http *http = new_http(0, NULL);
  struct outcome o;
  for (int i = 0; i < 3; i++) {
    ask(http, "/stale/v1/chat/completions", &o);
    assert_true(o.ok);
    assert_false(o.response.reused);
    free_outcome(&o);
    usleep(250 * 1000); /* the server closes after 1 ms */
  }
  lre_http_free(http);
}

static void tls_brings_http2_and_needs_a_known_certificate(void **state) {
  (void)state;
  if (server.tls_port == 0) skip();
  char url[128], ca_file[128];
  struct outcome o;
  snprintf(url, sizeof url, "https://127.0.0.1:%d/v1/chat/completions", server.tls_port);
  snprintf(ca_file, sizeof ca_file, "%s/ca.pem", server.dir);
  struct lre_http *http = new_http(0, NULL);
  struct lre_http_request request = new_request(url);
  ask_request(http, &request, &o);
  expect_error(&o, "tls");
  assert_false(o.response.sent);
  free_outcome(&o);
  lre_http_free(http);
  http = new_http(0, ca_file);
  for (int i = 0; i < 2; i++) {
    request = new_request(url);
    ask_request(http, &request, &o);
    assert_true(o.ok);
    assert_int_equal(o.response.status, 200);
    assert_int_equal(o.response.http_version, 20);
    assert_int_equal(o.response.reused, i > 0);
    assert_true(headers_have(&o, "content-type: application/json\n"));
    free_outcome(&o);
  }
  lre_http_free(http);
  assert_int_equal(setenv("SSL_CERT_FILE", ca_file, 1), 0);
  http = new_http(0, NULL);
  request = new_request(url);
  ask_request(http, &request, &o);
  unsetenv("SSL_CERT_FILE");
  assert_true(o.ok);
  free_outcome(&o);
  lre_http_free(http);
}

static void a_proxy_is_taken_from_the_environment_unless_told(void **state) {
  (void)state;
  NEED_SERVER();
  char proxy[64];
  struct lre_err err;
  struct outcome o;
  struct lre_http_options options = {.user_agent = "lre-test"};
  snprintf(proxy, sizeof proxy, "http://127.0.0.1:%d", server.port);
  setenv("http_proxy", proxy, 1);
  struct lre_http *http = lre_http_new(&options, &err);
  struct lre_http_request request = new_request("http://provider.invalid/v1/chat/completions");
  ask_request(http, &request, &o);
  unsetenv("http_proxy");
  assert_true(o.ok);
  assert_int_equal(o.response.status, 200);
  free_outcome(&o);
  lre_http_free(http);
}

static void a_wake_ends_the_wait(void **state) {
  (void)state;
  struct lre_wake wake;
  struct lre_err err;
  assert_true(lre_wake_open(&wake, &err));
  struct lre_http *http = new_http(0, NULL);
  lre_wake_signal(&wake);
  assert_true(lre_http_poll(http, wake.read_fd, -1, &err)); /* would wait an hour */
  lre_wake_drain(&wake);
  assert_false(lre_wake_wait(&wake, 0));
  assert_true(lre_http_poll(http, wake.read_fd, 10, &err));
  lre_http_free(http);
  lre_wake_close(&wake);
}

static void many_calls_at_once_all_come_back(void **state) {
  (void)state;
  NEED_SERVER();
  enum { N = 300 };
  struct lre_http *http = new_http(0, NULL);
  static struct outcome o[N];
  for (int round = 0; round < 2; round++) {
    for (int i = 0; i < N; i++) {
      struct lre_http_request request = new_request(url_of("/delay/30/v1/messages"));
      start(http, &request, &o[i]);
    }
    finish(http);
    for (int i = 0; i < N; i++) {
      assert_true(o[i].ok);
      assert_int_equal(o[i].response.status, 200);
      assert_int_equal(o[i].response.reused, round > 0);
      free_outcome(&o[i]);
    }
  }
  lre_http_free(http);
}

static void escape_leaves_only_unreserved_characters(void **state) {
  (void)state;
  struct lre_buf out;
  lre_buf_init(&out);
  assert_true(lre_http_escape("aZ09-._~ /?&=%\xc3\xa9\0", 17, &out));
  assert_string_equal(out.data, "aZ09-._~%20%2F%3F%26%3D%25%C3%A9%00");
  lre_buf_free(&out);
}

static int set_up(void **state) {
  (void)state;
  struct lre_err err;
  const char *const proxies[] = {"http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY",
                                 "all_proxy",  "no_proxy",    "NO_PROXY",    "CURL_CA_BUNDLE"};
  for (size_t i = 0; i < sizeof proxies / sizeof *proxies; i++) unsetenv(proxies[i]);
  secrets = lre_secrets_new();
  setenv("LRE_TEST_KEY", KEY, 1);
  if (!secrets || !lre_secrets_load(secrets, "LRE_TEST_KEY", &err)) return -1;
  if (!nginx_start(&server)) return -1;
  if (server.port == 0) print_message("skipped: all that needs nginx\n");
  return 0;
}

static int tear_down(void **state) {
  (void)state;
  nginx_stop(&server);
  lre_secrets_free(secrets);
  return 0;
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(an_answer_comes_with_status_headers_and_body),
      cmocka_unit_test(a_connection_is_used_again),
      cmocka_unit_test(what_is_sent_is_what_was_given),
      cmocka_unit_test(a_handle_keeps_nothing_of_its_last_request),
      cmocka_unit_test(methods_follow_each_other_on_one_handle),
      cmocka_unit_test(a_key_that_the_server_echoes_is_redacted),
      cmocka_unit_test(any_status_is_a_response),
      cmocka_unit_test(a_broken_connection_is_named),
      cmocka_unit_test(each_timeout_has_its_name),
      cmocka_unit_test(a_timeout_after_sending_says_that_it_was_sent),
      cmocka_unit_test(a_slow_body_is_no_stall),
      cmocka_unit_test(a_refused_connection_was_not_sent),
      cmocka_unit_test(a_connection_that_is_never_made_times_out),
      cmocka_unit_test(a_name_that_no_host_has_is_a_resolve_error),
      cmocka_unit_test(a_response_over_the_cap_is_an_error),
      cmocka_unit_test(a_response_at_the_cap_is_whole),
      cmocka_unit_test(a_bad_url_is_refused_before_anything_is_sent),
      cmocka_unit_test(a_header_cannot_be_split),
      cmocka_unit_test(a_key_that_was_not_loaded_is_refused),
      cmocka_unit_test(no_more_connections_than_allowed),
      cmocka_unit_test(no_clock_runs_in_the_queue),
      cmocka_unit_test(a_cancelled_call_is_never_done),
      cmocka_unit_test(done_may_start_and_cancel_calls),
      cmocka_unit_test(a_call_is_never_sent_twice_behind_our_back),
      cmocka_unit_test(an_idle_connection_that_the_server_closed_costs_nothing),
      cmocka_unit_test(tls_brings_http2_and_needs_a_known_certificate),
      cmocka_unit_test(a_proxy_is_taken_from_the_environment_unless_told),
      cmocka_unit_test(a_wake_ends_the_wait),
      cmocka_unit_test(many_calls_at_once_all_come_back),
      cmocka_unit_test(escape_leaves_only_unreserved_characters),
  };
  return cmocka_run_group_tests(tests, set_up, tear_down);
}
