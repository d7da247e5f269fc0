/* http_thread.h: private to http.c and http_thread.c: the two sides of the client, and what crosses between them.
 *
 * http.c is the caller's side: it makes handles, prepares a call, hands it over, takes it back and calls `done`.
 * http_thread.c is the thread's side: libcurl, its sockets, timeouts, and the queue of each host. A call belongs to one
 * side at a time; it crosses through `inbox` and `outbox`, under the mutex. To touch what is the thread's (to cancel),
 * the caller makes the thread stand still first. Why there is a thread at all: docs/internals.md. */
#ifndef LRE_CORE_HTTP_THREAD_H
#define LRE_CORE_HTTP_THREAD_H

#include <curl/curl.h>
#include <pthread.h>
#include <stdatomic.h>

#include "core/http.h"
#include "core/platform.h"

enum {
  LRE_HTTP_MAX_HEADERS = 256 << 10,       /* of a response; real ones have 1 or 2 KiB */
  LRE_HTTP_LONGEST_WAIT_MS = 3600 * 1000, /* of one poll */
};

struct lre_http_list {
  struct lre_http_call *first, *last;
};

struct lre_http_host {
  struct lre_http_host *next;
  char *name; /* "https://host:443" */
  long n_running;
  struct lre_http_list waiting;
};

struct lre_http_call {
  struct lre_http *http;
  struct lre_http_call *prev, *next;
  struct lre_http_list *list; /* the one it is in */
  bool under_way;             /* from its start until `done` or its end; the caller's thread alone looks at this */
  CURL *easy;
  struct lre_http_host *host;
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
  const struct lre_http_allow *allow;
  char *user_agent, *ca_file, *proxy;

  /* the caller's thread */
  struct lre_http_host *hosts; /* but for what is counted and queued in them */
  struct lre_http_list idle, arrived;
  size_t n_calls;
  char *last_url; /* parsed and found good; most calls go where the last one went */
  struct lre_http_host *last_host;
  unsigned last_allow; /* the version of `allow` that it was found good by */

  /* the thread's, and the caller's while it is held */
  CURLM *multi;
  struct lre_poller poller; /* libcurl's sockets and `attention` */
  uint64_t curl_due;        /* when libcurl wants to be called without an event */
  struct lre_http_list fresh, running, finished;
  uint64_t now_ns;     /* taken once a poll */
  uint64_t next_check; /* no deadline is before it */

  pthread_t thread;
  bool has_thread;
  pthread_mutex_t mutex;          /* guards the rest */
  pthread_cond_t standing, go_on; /* the thread stands still; it may go on */
  struct lre_http_list inbox, outbox;
  bool stop, hold, stands;
  bool sleeping, woken; /* the caller waits at `wake`; it was signalled */
  bool broken;          /* libcurl failed: err */
  struct lre_err err;
  atomic_bool polls;         /* the thread may wait at `attention` before it looks at its inbox again */
  struct lre_wake wake;      /* for the caller */
  struct lre_wake attention; /* for the thread */
};

/* Lists: whoever owns the list calls these; inbox and outbox are under the mutex. */
void lre_http_list_push(struct lre_http_list *list, struct lre_http_call *call);
void lre_http_list_unlink(struct lre_http_call *call);
struct lre_http_call *lre_http_list_pop(struct lre_http_list *list);
void lre_http_list_move(struct lre_http_list *from, struct lre_http_list *to); /* all of them */

/* ---- what the caller's side calls ---- */

/* Makes the curl_multi and starts the thread. False: err; lre_http_thread_stop and a cleanup of `multi` undo it. */
bool lre_http_thread_start(struct lre_http *http, struct lre_err *err);
void lre_http_thread_stop(struct lre_http *http); /* waits for its end; may be called twice */

/* Tells a new easy handle whom to give what it receives: callbacks that run on the thread. */
bool lre_http_thread_attach(struct lre_http_call *call);

void lre_http_thread_give(struct lre_http *http, struct lre_http_call *call);

/* What the thread is done with moves to `arrived`. Where there is nothing and the caller will wait, the thread is told
 * to wake it. False: libcurl failed, err. */
bool lre_http_thread_take(struct lre_http *http, bool will_wait, struct lre_err *err);

/* Between these two the thread stands still, the caller has the mutex, and what is the thread's may be touched. */
void lre_http_thread_hold(struct lre_http *http);
void lre_http_thread_let_go(struct lre_http *http);

/* Takes a call out of its list and, where it runs, out of libcurl; its place goes to the next one. On the thread, or
 * while it stands still. */
void lre_http_thread_drop(struct lre_http_call *call);

#endif
