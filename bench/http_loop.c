/* http_loop.c: the reference of `./dev bench`: libcurl and cJSON alone, asking one chat completion again and again.
 *
 *   http_loop URL REQUESTS CONCURRENCY
 *
 * Prints one JSON line: requests, seconds, requests a second, CPU microseconds a request, kept-alive share. */
#include <cjson/cJSON.h>
#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

struct reply {
  CURL *easy;
  char *body;
  size_t len, cap;
};

static const char request_format[] =
    "{\"max_tokens\":512,\"messages\":[{\"content\":\"Question number %ld: what is the boiling point of water?\","
    "\"role\":\"user\"}],\"model\":\"mock\",\"temperature\":0}";

static long n_started, n_done, n_connects;

static double seconds(clockid_t id) {
  struct timespec t;
  clock_gettime(id, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "http_loop: %s\n", what);
  exit(1);
}

static size_t keep(char *bytes, size_t size, size_t n, void *ud) {
  struct reply *r = ud;
  n *= size;
  if (r->len + n + 1 > r->cap) {
    r->cap = (r->len + n + 1) * 2;
    r->body = realloc(r->body, r->cap);
    if (!r->body) return 0;
  }
  memcpy(r->body + r->len, bytes, n);
  r->len += n;
  r->body[r->len] = '\0';
  return n;
}

static void ask(CURLM *multi, struct reply *r) {
  char body[512];
  snprintf(body, sizeof body, request_format, n_started++);
  r->len = 0;
  curl_easy_setopt(r->easy, CURLOPT_COPYPOSTFIELDS, body);
  if (curl_multi_add_handle(multi, r->easy) != CURLM_OK) die("curl_multi_add_handle failed");
}

/* The reply must be the answer that a client of the API would read out of it. */
static void read_reply(const struct reply *r) {
  cJSON *root = cJSON_ParseWithLength(r->body, r->len);
  const cJSON *choice = cJSON_GetArrayItem(cJSON_GetObjectItemCaseSensitive(root, "choices"), 0);
  const cJSON *message = cJSON_GetObjectItemCaseSensitive(choice, "message");
  if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(message, "content"))) die("a reply without an answer");
  cJSON_Delete(root);
}

static void set_up(struct reply *r, const char *url, struct curl_slist *headers) {
  r->easy = curl_easy_init();
  if (!r->easy) die("no memory");
  curl_easy_setopt(r->easy, CURLOPT_URL, url);
  curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, headers);
  curl_easy_setopt(r->easy, CURLOPT_PROXY, "");
  curl_easy_setopt(r->easy, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(r->easy, CURLOPT_WRITEFUNCTION, keep);
  curl_easy_setopt(r->easy, CURLOPT_WRITEDATA, r);
  curl_easy_setopt(r->easy, CURLOPT_PRIVATE, r);
}

static void take_replies(CURLM *multi, long n_requests) {
  const CURLMsg *msg;
  int left;
  while ((msg = curl_multi_info_read(multi, &left))) {
    CURL *easy = msg->easy_handle;
    struct reply *r = NULL;
    long connects = 0;
    if (msg->data.result != CURLE_OK) die(curl_easy_strerror(msg->data.result));
    curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&r);
    curl_easy_getinfo(easy, CURLINFO_NUM_CONNECTS, &connects);
    n_connects += connects;
    curl_multi_remove_handle(multi, easy);
    read_reply(r);
    n_done++;
    if (n_started < n_requests) ask(multi, r);
  }
}

static void run(CURLM *multi, long n_requests) {
  int running;
  while (n_done < n_requests) {
    if (curl_multi_poll(multi, NULL, 0, 60000, NULL) != CURLM_OK) die("curl_multi_poll failed");
    if (curl_multi_perform(multi, &running) != CURLM_OK) die("curl_multi_perform failed");
    take_replies(multi, n_requests);
  }
}

int main(int argc, char **argv) {
  if (argc != 4) die("usage: http_loop URL REQUESTS CONCURRENCY");
  long n_requests = atol(argv[2]), concurrency = atol(argv[3]);
  if (n_requests < 1 || concurrency < 1) die("REQUESTS and CONCURRENCY are 1 or more");
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CURLM *multi = curl_multi_init();
  struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");
  struct reply *replies = calloc((size_t)concurrency, sizeof *replies);
  if (!multi || !headers || !replies) die("no memory");
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, concurrency);
  double wall = seconds(CLOCK_MONOTONIC), cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  for (long i = 0; i < concurrency; i++) {
    set_up(&replies[i], argv[1], headers);
    if (n_started < n_requests) ask(multi, &replies[i]);
  }
  run(multi, n_requests);
  wall = seconds(CLOCK_MONOTONIC) - wall;
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("{\"requests\":%ld,\"seconds\":%.3f,\"per_second\":%.0f,\"cpu_us\":%.2f,\"reused\":%.4f}\n", n_requests, wall,
         (double)n_requests / wall, cpu * 1e6 / (double)n_requests, 1 - (double)n_connects / (double)n_requests);
  for (long i = 0; i < concurrency; i++) {
    curl_easy_cleanup(replies[i].easy);
    free(replies[i].body);
  }
  free(replies);
  curl_slist_free_all(headers);
  curl_multi_cleanup(multi);
  curl_global_cleanup();
  return 0;
}
