#include "infer/batch.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/platform.h"
#include "core/thread.h"
#include "infer/kv.h"

/* A request that runs. */
struct sequence {
  struct lre_request *request;
  struct lre_ids all; /* prompt and answer */
  size_t n_done;      /* tokens whose keys and values are there */
  size_t n_planned;   /* tokens of it in this step */
  size_t n_reserved;  /* pages it may come to hold */
  struct lre_kv_page **pages;
  float **page_data;
  size_t n_pages;
  bool ended, broken; /* broken: its last logits were no numbers */
  struct sequence *next;
};

struct lre_batch {
  struct lre_model *model;
  struct lre_tokenizer *tokenizer;
  struct lre_batch_options options;
  struct lre_team *team;
  struct lre_stepper *stepper;
  struct lre_kv *kv;
  pthread_t thread;
  bool started;

  pthread_mutex_t lock; /* over these: */
  pthread_cond_t wanted;
  struct lre_request *inbox, **inbox_end, *outbox, **outbox_end;
  bool stopping;
  struct lre_batch_facts facts;

  struct lre_request *waiting, **waiting_end; /* the thread's from here on */
  struct sequence *sequences;                 /* in order of admission */
  size_t n_sequences, n_reserved;
  struct lre_model_token *tokens; /* of a step */
  struct sequence **wanting;      /* the sequence of each row of logits */
  const float *logits;
  struct lre_candidate *scratch; /* [threads, n_vocab] */
  float *penalised;              /* [threads, n_vocab] */
};

static void append(struct lre_request ***end, struct lre_request *r) {
  r->next = NULL;
  **end = r;
  *end = &r->next;
}

static struct lre_request *take_first(struct lre_request **list, struct lre_request ***end) {
  struct lre_request *r = *list;
  if (!r) return NULL;
  *list = r->next;
  if (!*list) *end = list;
  return r;
}

static void end_request(struct lre_batch *b, struct lre_request *r) {
  pthread_mutex_lock(&b->lock);
  append(&b->outbox_end, r);
  pthread_mutex_unlock(&b->lock);
  if (b->options.wake) b->options.wake(b->options.wake_arg);
}

static void refuse(struct lre_batch *b, struct lre_request *r) {
  r->ok = false;
  end_request(b, r);
}

/* Admission ----------------------------------------------------------------------------------------------------------
 */

static bool read_prompt(struct lre_batch *b, struct lre_request *r) {
  for (size_t i = 0; i < r->n_parts; i++) {
    const struct lre_buf *text = &r->parts[i].text;
    if (!lre_tokenizer_encode(b->tokenizer, text->data ? text->data : "", text->len, r->parts[i].flags, &r->prompt,
                              &r->err))
      return false;
  }
  if (!r->prompt.len) return lre_err_set(&r->err, "infer", "context", "the prompt has no token");
  size_t n_vocab = lre_model_config(b->model)->n_vocab;
  for (size_t i = 0; i < r->prompt.len; i++)
    if (r->prompt.data[i] >= n_vocab)
      return lre_err_set(&r->err, "infer", "tokenizer",
                         "token %u of the prompt is not in the model's vocabulary of %zu", r->prompt.data[i], n_vocab);
  return true;
}

/* Room in the context and in memory. An answer that would not fit the context ends there, with finish "length". */
static bool check_room(struct lre_batch *b, struct lre_request *r, size_t *n_pages) {
  size_t context = lre_model_config(b->model)->max_positions, n = r->prompt.len;
  if (n >= context)
    return lre_err_set(&r->err, "infer", "context",
                       "the prompt has %zu tokens, the model's context %zu: nothing can follow", n, context);
  if (r->max_tokens > context - n) r->max_tokens = context - n;
  *n_pages = (n + r->max_tokens + LRE_PAGE_TOKENS - 1) / LRE_PAGE_TOKENS;
  size_t max = lre_kv_max_pages(b->kv), page_bytes = lre_model_page_floats(b->model) * sizeof(float);
  if (*n_pages > max)
    return lre_err_set(
        &r->err, "infer", "kv_memory",
        "%zu prompt tokens and up to %zu new ones need %zu MiB of keys and values, --kv-memory allows %zu MiB", n,
        r->max_tokens, (*n_pages * page_bytes >> 20) + 1, max * page_bytes >> 20);
  return true;
}

static void free_sequence(struct lre_batch *b, struct sequence *s) {
  for (size_t i = 0; i < s->n_pages; i++) lre_kv_release(b->kv, s->pages[i]);
  free(s->pages);
  free(s->page_data);
  lre_ids_free(&s->all);
  free(s);
}

static struct sequence *new_sequence(struct lre_request *r, size_t n_pages) {
  struct sequence *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->request = r;
  s->n_reserved = n_pages;
  s->pages = calloc(n_pages, sizeof(struct lre_kv_page *));
  s->page_data = calloc(n_pages, sizeof(float *));
  for (size_t i = 0; i < r->prompt.len; i++) lre_ids_put(&s->all, r->prompt.data[i]);
  if (s->pages && s->page_data && !s->all.failed) return s;
  free(s->pages);
  free(s->page_data);
  lre_ids_free(&s->all);
  free(s);
  return NULL;
}

static bool make_room_for_logprobs(struct lre_request *r) {
  if (!r->want_logprobs) return true;
  r->logprobs = malloc(r->max_tokens * sizeof *r->logprobs);
  r->top_ids = malloc(r->max_tokens * r->n_top * sizeof *r->top_ids + 1);
  r->top_logprobs = malloc(r->max_tokens * r->n_top * sizeof *r->top_logprobs + 1);
  return r->logprobs && r->top_ids && r->top_logprobs;
}

/* True: it runs, or was refused. False: there is no room now. */
static bool admit(struct lre_batch *b, struct lre_request *r) {
  size_t n_pages = 0;
  if (!r->prompt.len && !read_prompt(b, r)) {
    refuse(b, r);
    return true;
  }
  if (!check_room(b, r, &n_pages)) {
    refuse(b, r);
    return true;
  }
  if (b->n_sequences == b->options.max_sequences || b->n_reserved + n_pages > lre_kv_max_pages(b->kv)) return false;
  struct sequence *s = make_room_for_logprobs(r) ? new_sequence(r, n_pages) : NULL;
  if (!s) {
    lre_err_memory(&r->err);
    refuse(b, r);
    return true;
  }
  struct sequence **end = &b->sequences;
  while (*end) end = &(*end)->next;
  *end = s;
  b->n_reserved += n_pages;
  b->n_sequences++;
  return true;
}

static bool is_cancelled(const struct lre_request *r) {
  return atomic_load_explicit(&r->cancelled, memory_order_acquire);
}

static void admit_waiting(struct lre_batch *b) {
  while (b->waiting) {
    struct lre_request *r = b->waiting, *after = r->next;
    if (is_cancelled(r)) {
      lre_err_set(&r->err, "infer", "cancelled", "cancelled");
      take_first(&b->waiting, &b->waiting_end);
      refuse(b, r);
      continue;
    }
    if (!admit(b, r)) return; /* in order: a large one is not passed by for ever */
    b->waiting = after;
    if (!after) b->waiting_end = &b->waiting;
  }
}

/* A step -------------------------------------------------------------------------------------------------------------
 */

/* Pages of others that hold what comes next; at least one token is left to compute, for its logits. */
static void reuse_pages(struct lre_batch *b, struct sequence *s) {
  while (s->n_done % LRE_PAGE_TOKENS == 0 && s->n_done + LRE_PAGE_TOKENS < s->all.len) {
    uint64_t parent = s->n_pages ? s->pages[s->n_pages - 1]->serial : 0;
    struct lre_kv_page *page = lre_kv_find(b->kv, parent, s->all.data + s->n_done);
    if (!page) return;
    s->pages[s->n_pages] = page;
    s->page_data[s->n_pages++] = page->data;
    s->n_done += LRE_PAGE_TOKENS;
    s->request->n_reused += LRE_PAGE_TOKENS;
  }
}

/* Whether a sequence before this one is about to compute the very page that this one needs next. */
static bool comes_soon(const struct lre_batch *b, const struct sequence *s) {
  size_t end = s->n_done + LRE_PAGE_TOKENS;
  if (s->n_done % LRE_PAGE_TOKENS || end >= s->all.len) return false;
  for (const struct sequence *other = b->sequences; other != s; other = other->next)
    if (!other->ended && other->n_done < end && other->all.len >= end &&
        memcmp(other->all.data, s->all.data, end * sizeof *s->all.data) == 0)
      return true;
  return false;
}

static bool take_pages(struct lre_batch *b, struct sequence *s, size_t n_tokens) {
  while (s->n_pages * LRE_PAGE_TOKENS < s->n_done + n_tokens) {
    struct lre_kv_page *page = lre_kv_take(b->kv);
    if (!page) return lre_err_memory(&s->request->err);
    s->pages[s->n_pages] = page;
    s->page_data[s->n_pages++] = page->data;
  }
  return true;
}

static size_t plan_tokens(struct lre_batch *b, struct sequence *s, size_t at, size_t n_tokens, size_t *n_wanting) {
  if (!take_pages(b, s, n_tokens)) {
    s->ended = true;
    s->request->ok = false;
    return at;
  }
  for (size_t i = 0; i < n_tokens; i++) {
    size_t position = s->n_done + i;
    bool last = position + 1 == s->all.len;
    b->tokens[at++] = (struct lre_model_token){s->all.data[position], (uint32_t)position, s->page_data, last};
    if (last) b->wanting[(*n_wanting)++] = s;
  }
  s->n_planned = n_tokens;
  return at;
}

/* First those that decode, then as much of prompts as fits. */
static size_t plan_step(struct lre_batch *b, size_t *n_wanting) {
  size_t n = 0;
  *n_wanting = 0;
  for (struct sequence *s = b->sequences; s; s = s->next) s->n_planned = 0;
  for (struct sequence *s = b->sequences; s; s = s->next)
    if (s->all.len - s->n_done == 1 && s->n_done) n = plan_tokens(b, s, n, 1, n_wanting);
  for (struct sequence *s = b->sequences; s && n < b->options.block_tokens; s = s->next) {
    if (s->n_planned || s->ended) continue;
    reuse_pages(b, s);
    if (comes_soon(b, s)) continue;
    size_t left = s->all.len - s->n_done, room = b->options.block_tokens - n;
    n = plan_tokens(b, s, n, left < room ? left : room, n_wanting);
  }
  return n;
}

static void index_pages(struct lre_batch *b, struct sequence *s) {
  size_t first = s->n_done / LRE_PAGE_TOKENS;
  s->n_done += s->n_planned;
  for (size_t i = first; i < s->n_done / LRE_PAGE_TOKENS; i++)
    lre_kv_index(b->kv, s->pages[i], i ? s->pages[i - 1]->serial : 0, s->all.data + i * LRE_PAGE_TOKENS);
}

/* What a token adds
 * ----------------------------------------------------------------------------------------------------- */

static void note_logprobs(const struct lre_batch *b, struct lre_request *r, const float *logits, uint32_t id) {
  size_t n_vocab = lre_model_config(b->model)->n_vocab, at = r->ids.len;
  double sum = lre_sample_log_sum(logits, n_vocab);
  r->logprobs[at] = (float)(logits[id] - sum);
  lre_sample_top(logits, n_vocab, r->n_top, r->top_ids + at * r->n_top);
  for (size_t i = 0; i < r->n_top; i++)
    r->top_logprobs[at * r->n_top + i] = (float)(logits[r->top_ids[at * r->n_top + i]] - sum);
}

static bool ends(const struct lre_batch *b, const struct lre_request *r, uint32_t id) {
  const struct lre_config *c = lre_model_config(b->model);
  for (size_t i = 0; !r->ignore_end && i < c->n_stops; i++)
    if (c->stops[i] == id) return true;
  return false;
}

static bool make_text(struct lre_batch *b, struct lre_request *r) {
  size_t n = r->ids.len;
  if (n && ends(b, r, r->ids.data[n - 1])) n--;
  lre_buf_clear(&r->text);
  return lre_tokenizer_decode(b->tokenizer, r->ids.data, n, true, &r->text, &r->err);
}

/* The answer ends before the first stop text in it. */
static bool cut_at_stop(struct lre_request *r) {
  size_t at = SIZE_MAX;
  for (size_t i = 0; i < r->n_stops && r->text.len; i++) {
    const char *hit = r->stops[i].len ? memmem(r->text.data, r->text.len, r->stops[i].data, r->stops[i].len) : NULL;
    if (hit && (size_t)(hit - r->text.data) < at) at = (size_t)(hit - r->text.data);
  }
  if (at == SIZE_MAX) return false;
  r->text.data[r->text.len = at] = '\0';
  return true;
}

static void finish(struct sequence *s, enum lre_finish why, bool ok) {
  s->ended = true;
  s->request->finish = why;
  s->request->ok = ok;
}

/* One row of logits: a token for its sequence. Rows are independent, so the team shares them. */
static void draw_rows(void *arg, size_t begin, size_t end, size_t worker) {
  struct lre_batch *b = arg;
  size_t n_vocab = lre_model_config(b->model)->n_vocab;
  struct lre_candidate *scratch = b->scratch + worker * n_vocab;
  float *copy = b->penalised + worker * n_vocab;
  for (size_t i = begin; i < end; i++) {
    struct sequence *s = b->wanting[i];
    struct lre_request *r = s->request;
    const float *logits = b->logits + i * n_vocab;
    const struct lre_top *top = lre_stepper_tops(b->stepper) + i;
    bool penalty = r->sampling.repetition_penalty != 1; /* without one, sampling leaves logits as they are */
    uint32_t id = (uint32_t)top->at;
    s->broken = !top->finite;
    if (s->broken) continue;
    if (penalty) memcpy(copy, logits, n_vocab * sizeof *copy);
    if (penalty || r->sampling.temperature > 0)
      id = lre_sample(penalty ? copy : (float *)logits, n_vocab, &r->sampling, s->all.data, s->all.len, s->all.len,
                      scratch);
    if (r->want_logprobs) note_logprobs(b, r, logits, id);
    lre_ids_put(&r->ids, id);
    lre_ids_put(&s->all, id);
  }
}

/* After its new token: does the sequence end? */
static void settle(struct lre_batch *b, struct sequence *s) {
  struct lre_request *r = s->request;
  if (r->ids.failed || s->all.failed) {
    lre_err_memory(&r->err);
    finish(s, LRE_FINISH_STOP, false);
    return;
  }
  if (s->broken) {
    lre_err_set(&r->err, "infer", "not_finite",
                "token %zu: the model's logits are not all finite: its weights are damaged, or overflow",
                r->ids.len + 1);
    finish(s, LRE_FINISH_STOP, false);
    return;
  }
  bool end = ends(b, r, r->ids.data[r->ids.len - 1]), full = r->ids.len >= r->max_tokens;
  if (!end && !full && !r->n_stops) return;
  if (!make_text(b, r)) {
    finish(s, LRE_FINISH_STOP, false);
    return;
  }
  if (cut_at_stop(r) || end)
    finish(s, LRE_FINISH_STOP, true);
  else if (full)
    finish(s, LRE_FINISH_LENGTH, true);
}

static void drop_ended(struct lre_batch *b) {
  for (struct sequence **at = &b->sequences; *at;) {
    struct sequence *s = *at;
    if (!s->ended && is_cancelled(s->request)) {
      lre_err_set(&s->request->err, "infer", "cancelled", "cancelled");
      finish(s, LRE_FINISH_STOP, false);
    }
    if (!s->ended) {
      at = &s->next;
      continue;
    }
    *at = s->next;
    b->n_reserved -= s->n_reserved;
    b->n_sequences--;
    struct lre_request *r = s->request;
    free_sequence(b, s);
    end_request(b, r);
  }
}

static void fail_all(struct lre_batch *b, const struct lre_err *err) {
  for (struct sequence *s = b->sequences; s; s = s->next) {
    s->request->err = *err;
    finish(s, LRE_FINISH_STOP, false);
  }
}

static void step(struct lre_batch *b) {
  size_t n_wanting;
  struct lre_err err;
  size_t n = plan_step(b, &n_wanting);
  if (n && !lre_stepper_run(b->stepper, b->tokens, n, &b->logits, &err)) {
    fail_all(b, &err);
    return;
  }
  for (struct sequence *s = b->sequences; s; s = s->next)
    if (s->n_planned) index_pages(b, s);
  lre_team_run(b->team, n_wanting, 1, draw_rows, b);
  for (size_t i = 0; i < n_wanting; i++) settle(b, b->wanting[i]);
  pthread_mutex_lock(&b->lock);
  b->facts.n_steps++;
  b->facts.n_tokens += n;
  if (b->n_sequences > b->facts.peak_sequences) b->facts.peak_sequences = b->n_sequences;
  b->facts.kv_peak_bytes = lre_kv_peak_pages(b->kv) * lre_model_page_floats(b->model) * sizeof(float);
  pthread_mutex_unlock(&b->lock);
}

/* The thread ----------------------------------------------------------------------------------------------------------
 */

/* Waits where there is nothing to do. False: stop. */
static bool take_inbox(struct lre_batch *b) {
  pthread_mutex_lock(&b->lock);
  while (!b->stopping && !b->inbox && !b->waiting && !b->sequences) pthread_cond_wait(&b->wanted, &b->lock);
  for (struct lre_request *r; (r = take_first(&b->inbox, &b->inbox_end));) append(&b->waiting_end, r);
  bool on = !b->stopping;
  pthread_mutex_unlock(&b->lock);
  return on;
}

static void *run_batch(void *arg) {
  struct lre_batch *b = arg;
  while (take_inbox(b)) {
    admit_waiting(b);
    if (b->sequences) step(b);
    drop_ended(b);
  }
  struct lre_err err;
  lre_err_set(&err, "infer", "cancelled", "the engine was stopped");
  fail_all(b, &err);
  drop_ended(b);
  for (struct lre_request *r; (r = take_first(&b->waiting, &b->waiting_end));) {
    r->err = err;
    refuse(b, r);
  }
  return NULL;
}

void lre_batch_submit(struct lre_batch *b, struct lre_request *r) {
  pthread_mutex_lock(&b->lock);
  append(&b->inbox_end, r);
  pthread_cond_signal(&b->wanted);
  pthread_mutex_unlock(&b->lock);
}

void lre_batch_cancel(struct lre_batch *b, struct lre_request *r) {
  (void)b;
  atomic_store_explicit(&r->cancelled, true, memory_order_release);
}

struct lre_request *lre_batch_done(struct lre_batch *b) {
  pthread_mutex_lock(&b->lock);
  struct lre_request *r = take_first(&b->outbox, &b->outbox_end);
  pthread_mutex_unlock(&b->lock);
  return r;
}

void lre_batch_describe(struct lre_batch *b, struct lre_batch_facts *out) {
  pthread_mutex_lock(&b->lock);
  *out = b->facts;
  pthread_mutex_unlock(&b->lock);
  out->n_threads = lre_team_threads(b->team);
}

static bool make_parts(struct lre_batch *b, struct lre_err *err) {
  size_t n_vocab = lre_model_config(b->model)->n_vocab, page_bytes = lre_model_page_floats(b->model) * sizeof(float);
  size_t threads = b->options.n_threads;
  b->team = lre_team_new(threads, err);
  if (!b->team) return false;
  b->stepper = lre_stepper_new(b->model, b->team, b->options.block_tokens, err);
  if (!b->stepper) return false;
  b->kv = lre_kv_new(lre_model_page_floats(b->model), b->options.kv_bytes / page_bytes, err);
  if (!b->kv) return false;
  b->tokens = malloc(b->options.block_tokens * sizeof *b->tokens);
  b->wanting = malloc(b->options.block_tokens * sizeof(struct sequence *));
  b->scratch = malloc(threads * n_vocab * sizeof *b->scratch);
  b->penalised = malloc(threads * n_vocab * sizeof *b->penalised);
  return (b->tokens && b->wanting && b->scratch && b->penalised) || lre_err_memory(err);
}

static bool start_thread(struct lre_batch *b, struct lre_err *err) {
  if (!make_parts(b, err)) return false;
  int failed = lre_thread_start(&b->thread, run_batch, b);
  b->started = failed == 0;
  return b->started || lre_err_errno(err, failed, "starting the engine's thread");
}

struct lre_batch *lre_batch_new(struct lre_model *m, struct lre_tokenizer *t, const struct lre_batch_options *options,
                                struct lre_err *err) {
  struct lre_batch *b = calloc(1, sizeof *b);
  if (!b) {
    lre_err_memory(err);
    return NULL;
  }
  b->model = m, b->tokenizer = t, b->options = *options;
  struct lre_batch_options *o = &b->options;
  if (!o->n_threads) o->n_threads = lre_platform_cpus();
  if (!o->kv_bytes) o->kv_bytes = (size_t)1 << 30;
  if (!o->max_sequences) o->max_sequences = 64;
  if (!o->block_tokens) o->block_tokens = 256;
  if (o->block_tokens < o->max_sequences) o->block_tokens = o->max_sequences;
  pthread_mutex_init(&b->lock, NULL);
  pthread_cond_init(&b->wanted, NULL);
  b->inbox_end = &b->inbox, b->outbox_end = &b->outbox, b->waiting_end = &b->waiting;
  if (start_thread(b, err)) return b;
  lre_batch_free(b);
  return NULL;
}

void lre_batch_stop(struct lre_batch *b) {
  if (!b->started) return;
  pthread_mutex_lock(&b->lock);
  b->stopping = true;
  pthread_cond_signal(&b->wanted);
  pthread_mutex_unlock(&b->lock);
  pthread_join(b->thread, NULL);
  b->started = false;
}

void lre_batch_free(struct lre_batch *b) {
  if (!b) return;
  lre_batch_stop(b);
  for (struct lre_request *r; (r = take_first(&b->inbox, &b->inbox_end));) lre_request_free(r);
  for (struct lre_request *r; (r = take_first(&b->outbox, &b->outbox_end));) lre_request_free(r);
  lre_kv_free(b->kv);
  lre_stepper_free(b->stepper);
  lre_team_free(b->team);
  free(b->tokens);
  free(b->wanting);
  free(b->scratch);
  free(b->penalised);
  pthread_mutex_destroy(&b->lock);
  pthread_cond_destroy(&b->wanted);
  free(b);
}
