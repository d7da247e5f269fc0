/* The forward pass. Each stage is a loop that the team shares: over tokens, over rows of matrices, or over heads. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "infer/elementary.h"
#include "infer/model_parts.h"

enum { MAX_MATRICES = 3 };

struct lre_stepper {
  const struct lre_model *m;
  struct lre_team *team;
  size_t max_tokens;
  size_t n_qkv, n_packed, n_active, n_gate_up; /* widths */
  float *x;                                    /* [max_tokens, d_model]: the residual stream */
  float *h;                                    /* [max_tokens, d_model]: what a matrix gave, before it is added */
  float *qkv;                                  /* [max_tokens, (n_heads + 2 n_kv_heads) head_dim] */
  float *mixed;                                /* [max_tokens, n_heads, head_stride]: attention's output */
  float *gate_up;     /* [threads, n_gate_up]: a worker's [tokens, 2, rows at once] of gate and up */
  float *packed;      /* [max_tokens, n_packed]: input of matrices that are no bfloat16 */
  float *packed_bf16; /* the same for bfloat16 */
  float *active;      /* [max_tokens, n_active]: activations, packed for the down projection */
  float *turns;       /* [max_tokens, 2, rotary_dim]: cos, then sin, of full and of sliding layers */
  float *scratch;     /* [threads, widest row] */
  size_t n_scratch;
  float *scores; /* [threads, n_scores] */
  size_t n_scores;
  float *logits; /* [n_logits, n_vocab] */
  size_t n_logits;
  struct lre_top *tops; /* [threads, max_tokens]: of the logits that a worker made; in the end the first row, of all */

  const struct lre_model_token *tokens; /* of this step; in the end, those that want logits, */
  struct lre_model_token *wanting;      /* [max_tokens]: here */
  size_t n;
  size_t layer;
};

/* Matrices times packed rows ----------------------------------------------------------------------------------------
 */

/* Matrices that take the same rows, in the order of a step: four groups a layer, then the head's. Workers share a group
 * by items of `unit` rows: whole blocks of what the next group reads, where that is packed at once. */
enum { QKV, O, GATE_UP, DOWN, LAYER_GROUPS };
enum { ROW_UNIT = 8, PIECES = 16 };
struct group {
  const struct lre_matrix *w[MAX_MATRICES];
  size_t n, rows, unit, n_items, grain;
};

/* After the last layer comes the head, whatever the kind. */
static struct group group_of(const struct lre_stepper *s, size_t layer, size_t kind) {
  struct group g = {.unit = ROW_UNIT};
  const struct lre_matrix *all[MAX_MATRICES] = {&s->m->weights.head};
  if (layer < s->m->config.n_layers) {
    const struct lre_layer *l = &s->m->weights.layers[layer];
    const struct lre_matrix *of[LAYER_GROUPS][MAX_MATRICES] = {{&l->q, &l->k, &l->v}, {&l->o}, {&l->gate}, {&l->down}};
    memcpy(all, of[kind], sizeof all);
  }
  for (; g.n < MAX_MATRICES && all[g.n] && all[g.n]->rows; g.n++) {
    g.w[g.n] = all[g.n];
    g.rows += all[g.n]->rows;
  }
  if (layer < s->m->config.n_layers && kind == GATE_UP) /* each with its row of `up` */
    g.unit = LRE_BLOCK, g.rows = s->m->config.d_ffn;
  g.n_items = (g.rows + g.unit - 1) / g.unit;
  size_t bands = LRE_BAND / ROW_UNIT, share = g.n_items / (lre_team_threads(s->team) * PIECES);
  g.grain = share > bands ? share / bands * bands : bands; /* whole bands: of a unit of blocks, too */
  return g;
}

static const void *row_at(const struct lre_matrix *w, size_t row) {
  return (const char *)w->data + row * w->cols * lre_dtype_bytes(w->dtype);
}

static const void *row_of(const struct group *g, size_t row) {
  size_t i = 0;
  for (; row >= g->w[i]->rows; i++) row -= g->w[i]->rows;
  return row_at(g->w[i], row);
}

struct product {
  struct lre_stepper *s;
  struct group now, next; /* next: what is multiplied after this */
  float *y;               /* [tokens, y_stride]: outputs stand side by side in a row */
  size_t y_stride;
};

/* Rows [*begin, *end) of what a worker took. */
static void rows_of(const struct group *g, size_t *begin, size_t *end) {
  *begin *= g->unit, *end *= g->unit;
  if (*end > g->rows) *end = g->rows;
}

/* What a worker reads after item `end`, unless another is faster or slower than usual. */
static const void *weights_after(const struct product *p, size_t end, size_t worker) {
  const struct lre_team *team = p->s->team;
  if (end < p->now.n_items && end != lre_team_share(team, p->now.n_items, worker + 1))
    return row_of(&p->now, end * p->now.unit);
  size_t begin = lre_team_share(team, p->next.n_items, worker) * p->next.unit;
  return begin < p->next.rows ? row_of(&p->next, begin) : NULL;
}

static void multiply_rows(void *arg, size_t begin, size_t end, size_t worker) {
  const struct product *p = arg;
  const struct lre_stepper *s = p->s;
  const void *after = weights_after(p, end, worker);
  rows_of(&p->now, &begin, &end);
  for (size_t i = 0, first = 0; i < p->now.n; first += p->now.w[i++]->rows) {
    const struct lre_matrix *w = p->now.w[i];
    size_t low = begin > first ? begin - first : 0, high = end > first ? end - first : 0;
    if (high > w->rows) high = w->rows;
    if (low >= high) continue;
    const float *x = w->dtype == LRE_DTYPE_BF16 ? s->packed_bf16 : s->packed;
    s->m->kernels->matmul(w, low, high, x, s->n, s->n_packed, p->y + first, p->y_stride,
                          first + high < end ? p->now.w[i + 1]->data : after);
  }
}

typedef void work_fn(void *arg, size_t begin, size_t end, size_t worker);

/* y[t] = W x[t] for the matrices of a group. */
static void multiply(struct lre_stepper *s, size_t layer, size_t kind, work_fn *work, float *y, size_t y_stride) {
  bool last = kind + 1 == LAYER_GROUPS, head = layer == s->m->config.n_layers;
  struct product p = {.s = s, .now = group_of(s, layer, kind), .y = y, .y_stride = y_stride};
  p.next = head ? group_of(s, 0, QKV) : last ? group_of(s, layer + 1, QKV) : group_of(s, layer, kind + 1);
  lre_team_run(s->team, p.now.n_items, p.now.grain, work, &p);
}

/* Packs token t's row for a matrix (the others that take the same row have the same type, or the other order is packed,
 * too). */
static void pack_for(const struct lre_stepper *s, size_t t, const float *row, const struct lre_matrix *const w[],
                     size_t n) {
  bool bf16 = false, other = false;
  for (size_t i = 0; i < n && w[i]->rows; i++) *(w[i]->dtype == LRE_DTYPE_BF16 ? &bf16 : &other) = true;
  if (bf16) s->m->kernels->pack(LRE_DTYPE_BF16, row, w[0]->cols, s->packed_bf16 + t * s->n_packed);
  if (other) s->m->kernels->pack(LRE_DTYPE_F32, row, w[0]->cols, s->packed + t * s->n_packed);
}

/* Stages ------------------------------------------------------------------------------------------------------------
 */

static void add(float *x, const float *y, size_t n) {
  for (size_t i = 0; y && i < n; i++) x[i] += y[i];
}

static void norm_row(const struct lre_stepper *s, const float *x, const float *weight, size_t n, float *out) {
  s->m->kernels->norm(x, weight, n, s->m->config.norm_eps, out);
}

/* x += what a sub-layer gave, through its norm where there is one. */
static void add_output(const struct lre_stepper *s, size_t t, const float *bias, const float *weight) {
  size_t d = s->m->config.d_model;
  float *h = s->h + t * d;
  add(h, bias, d);
  if (weight) norm_row(s, h, weight, d, h);
  add(s->x + t * d, h, d);
}

/* Token t's residual, normed where there is a norm, packed for the matrices. */
static void prepare(const struct lre_stepper *s, size_t t, size_t worker, const float *weight,
                    const struct lre_matrix *const w[], size_t n) {
  size_t d = s->m->config.d_model;
  const float *row = s->x + t * d;
  float *normed = s->scratch + worker * s->n_scratch;
  if (weight) {
    norm_row(s, row, weight, d, normed);
    row = normed;
  }
  pack_for(s, t, row, w, n);
}

static const struct lre_layer *layer_of(const struct lre_stepper *s) {
  return &s->m->weights.layers[s->layer];
}

/* The end of the layer before, and the begin of this one. */
static void before_attention(void *arg, size_t begin, size_t end, size_t worker) {
  const struct lre_stepper *s = arg;
  const struct lre_layer *l = layer_of(s), *before = s->layer ? l - 1 : NULL;
  const struct lre_matrix *w[] = {&l->q, &l->k, &l->v};
  for (size_t t = begin; t < end; t++) {
    if (before) add_output(s, t, before->down_bias, before->norm_after_mlp);
    prepare(s, t, worker, l->norm_before, w, 3);
  }
}

static void embed(void *arg, size_t begin, size_t end, size_t worker) {
  const struct lre_stepper *s = arg;
  const struct lre_matrix *w = &s->m->weights.embedding;
  const struct lre_config *c = &s->m->config;
  size_t d = c->d_model, row_bytes = d * lre_dtype_bytes(w->dtype);
  (void)worker;
  for (size_t t = begin; t < end; t++) {
    float *x = s->x + t * d;
    lre_kernels_to_float(w->dtype, (const char *)w->data + s->tokens[t].id * row_bytes, d, x);
    for (size_t i = 0; c->embedding_scale != 1.0f && i < d; i++) x[i] *= c->embedding_scale;
    for (size_t kind = 0; kind < 2; kind++) {
      float *cosine = s->turns + (t * 2 + kind) * c->rotary_dim, *sine = cosine + c->rotary_dim / 2;
      float factor = c->rope[kind].attention_factor;
      for (size_t i = 0; i < c->rotary_dim / 2; i++) {
        double sn, cs;
        lre_elementary_sincos((double)(s->m->frequencies[kind][i] * (float)s->tokens[t].position), &sn, &cs);
        cosine[i] = (float)cs * factor, sine[i] = (float)sn * factor;
      }
    }
  }
}

/* Turns pairs (i, i + half) of a head, as transformers' rotate_half does. */
static void rotate(float *head, const float *cosine, size_t half) {
  const float *sine = cosine + half;
  for (size_t i = 0; i < half; i++) {
    float a = head[i], b = head[i + half];
    head[i] = a * cosine[i] - b * sine[i];
    head[i + half] = b * cosine[i] + a * sine[i];
  }
}

static void finish_heads(const struct lre_stepper *s, size_t t, float *heads, size_t n_heads, const float *weight) {
  const struct lre_config *c = &s->m->config;
  const float *cosine = s->turns + (t * 2 + c->sliding[s->layer]) * c->rotary_dim;
  if (weight && c->qk_norm_whole) norm_row(s, heads, weight, n_heads * c->head_dim, heads);
  for (size_t h = 0; h < n_heads; h++) {
    float *head = heads + h * c->head_dim;
    if (weight && c->qk_norm) norm_row(s, head, weight, c->head_dim, head);
    rotate(head, cosine, c->rotary_dim / 2);
  }
}

/* Keys go across the page's lanes, values along them. */
static void store_kv(const struct lre_stepper *s, size_t t, const float *k, const float *v) {
  const struct lre_model *m = s->m;
  size_t position = s->tokens[t].position, slot = position % LRE_PAGE_TOKENS, dim = m->config.head_dim;
  float *page = s->tokens[t].pages[position / LRE_PAGE_TOKENS];
  for (size_t h = 0; h < m->config.n_kv_heads; h++) {
    float *keys = page + lre_model_page_offset(m, s->layer, h), *values = keys + lre_model_page_block(m);
    for (size_t d = 0; d < dim; d++) keys[d * LRE_PAGE_TOKENS + slot] = k[h * dim + d];
    memcpy(values + slot * m->head_stride, v + h * dim, dim * sizeof *v);
  }
}

static void finish_qkv(void *arg, size_t begin, size_t end, size_t worker) {
  const struct lre_stepper *s = arg;
  const struct lre_config *c = &s->m->config;
  const struct lre_layer *l = layer_of(s);
  size_t n_q = c->n_heads * c->head_dim, n_kv = c->n_kv_heads * c->head_dim;
  (void)worker;
  for (size_t t = begin; t < end; t++) {
    float *q = s->qkv + t * s->n_qkv, *k = q + n_q, *v = k + n_kv;
    add(q, l->q_bias, n_q);
    add(k, l->k_bias, n_kv);
    add(v, l->v_bias, n_kv);
    finish_heads(s, t, q, c->n_heads, l->q_norm);
    finish_heads(s, t, k, c->n_kv_heads, l->k_norm);
    store_kv(s, t, k, v);
  }
}

/* An item is a token and a kv head, with the heads that share it. */
static void attend(void *arg, size_t begin, size_t end, size_t worker) {
  const struct lre_stepper *s = arg;
  const struct lre_model *m = s->m;
  const struct lre_config *c = &m->config;
  size_t group = c->n_heads / c->n_kv_heads;
  for (size_t i = begin; i < end; i++) {
    size_t t = i / c->n_kv_heads, kv_head = i % c->n_kv_heads, last = s->tokens[t].position;
    size_t keys = lre_model_page_offset(m, s->layer, kv_head);
    struct lre_attend a = {
        .q = s->qkv + t * s->n_qkv + kv_head * group * c->head_dim,
        .n_heads = group,
        .head_dim = c->head_dim,
        .head_stride = m->head_stride,
        .pages = s->tokens[t].pages,
        .keys = keys,
        .values = keys + lre_model_page_block(m),
        .first = c->sliding[s->layer] && last + 1 > c->window ? last + 1 - c->window : 0,
        .last = last,
        .scale = c->attention_scale,
        .cap = c->attention_cap,
        .scores = s->scores + worker * s->n_scores,
        .out = s->mixed + (t * c->n_heads + kv_head * group) * m->head_stride,
    };
    m->kernels->attend(&a);
  }
}

static void after_attend(void *arg, size_t begin, size_t end, size_t worker) {
  const struct lre_stepper *s = arg;
  const struct lre_config *c = &s->m->config;
  const struct lre_matrix *w[] = {&layer_of(s)->o};
  float *row = s->scratch + worker * s->n_scratch;
  for (size_t t = begin; t < end; t++) {
    for (size_t h = 0; h < c->n_heads; h++)
      memcpy(row + h * c->head_dim, s->mixed + (t * c->n_heads + h) * s->m->head_stride, c->head_dim * sizeof *row);
    pack_for(s, t, row, w, 1);
  }
}

static void before_mlp(void *arg, size_t begin, size_t end, size_t worker) {
  const struct lre_stepper *s = arg;
  const struct lre_layer *l = layer_of(s);
  const struct lre_matrix *w[] = {&l->gate, &l->up};
  for (size_t t = begin; t < end; t++) {
    add_output(s, t, l->o_bias, l->norm_after_attention);
    prepare(s, t, worker, l->norm_before_mlp, w, 2);
  }
}

/* Rows [begin, end) of a matrix. */
static struct lre_matrix some_rows(const struct lre_matrix *w, size_t begin, size_t end) {
  struct lre_matrix some = *w;
  some.rows = end - begin, some.data = row_at(w, begin);
  if (w->scale) some.scale = w->scale + begin;
  return some;
}

/* What comes of some rows of gate and up for token t: [rows] each, the first is row `begin`. */
static void activate(const struct lre_stepper *s, size_t t, float *gate, size_t begin, size_t rows) {
  const struct lre_layer *l = layer_of(s);
  const struct lre_kernels *k = s->m->kernels;
  float *up = gate + rows;
  if (l->gate_bias) add(gate, l->gate_bias + begin, rows);
  if (l->up_bias) add(up, l->up_bias + begin, rows);
  (s->m->config.gelu ? k->gelu : k->silu)(gate, up, rows);
  k->pack(l->down.dtype, gate, rows, s->active + t * s->n_active + begin);
}

/* Rows of gate and of up, activated at once: they are still in this worker's cache. */
static void multiply_gate_up(void *arg, size_t begin, size_t end, size_t worker) {
  const struct product *p = arg;
  const struct lre_stepper *s = p->s;
  const struct lre_layer *l = layer_of(s);
  bool one = s->m->config.fused; /* matrix that has gate, then up */
  size_t up0 = one ? s->m->config.d_ffn : 0;
  const void *after = weights_after(p, end, worker);
  rows_of(&p->now, &begin, &end);
  const struct lre_matrix gate_up[2] = {some_rows(&l->gate, begin, end),
                                        some_rows(one ? &l->gate : &l->up, up0 + begin, up0 + end)};
  size_t rows = end - begin;
  float *y = s->gate_up + worker * s->n_gate_up;
  for (size_t i = 0; i < 2; i++) {
    const float *x = gate_up[i].dtype == LRE_DTYPE_BF16 ? s->packed_bf16 : s->packed;
    s->m->kernels->matmul(&gate_up[i], 0, rows, x, s->n, s->n_packed, y + i * rows, 2 * rows,
                          i ? after : gate_up[1].data);
  }
  for (size_t t = 0; t < s->n; t++) activate(s, t, y + t * 2 * rows, begin, rows);
}

static void multiply_down(void *arg, size_t begin, size_t end, size_t worker) {
  const struct product *p = arg;
  const struct lre_stepper *s = p->s;
  const void *after = weights_after(p, end, worker);
  rows_of(&p->now, &begin, &end);
  s->m->kernels->matmul(p->now.w[0], begin, end, s->active, s->n, s->n_active, p->y, p->y_stride, after);
}

/* After the last layer's keys and values, only tokens whose logits are wanted go on: their rows move together. */
static void keep_wanting(struct lre_stepper *s) {
  size_t n = 0, d = s->m->config.d_model;
  for (size_t t = 0; t < s->n; t++) {
    if (!s->tokens[t].wants_logits) continue;
    memmove(s->x + n * d, s->x + t * d, d * sizeof *s->x);
    memmove(s->qkv + n * s->n_qkv, s->qkv + t * s->n_qkv, s->n_qkv * sizeof *s->qkv);
    s->wanting[n++] = s->tokens[t];
  }
  s->tokens = s->wanting, s->n = n;
}

static void run_layer(struct lre_stepper *s) {
  const struct lre_config *c = &s->m->config;
  lre_team_run(s->team, s->n, 1, before_attention, s);
  multiply(s, s->layer, QKV, multiply_rows, s->qkv, s->n_qkv);
  lre_team_run(s->team, s->n, 1, finish_qkv, s);
  if (s->layer + 1 == c->n_layers) keep_wanting(s);
  lre_team_run(s->team, s->n * c->n_kv_heads, 1, attend, s);
  lre_team_run(s->team, s->n, 1, after_attend, s);
  multiply(s, s->layer, O, multiply_rows, s->h, c->d_model);
  lre_team_run(s->team, s->n, 1, before_mlp, s);
  multiply(s, s->layer, GATE_UP, multiply_gate_up, NULL, 0);
  multiply(s, s->layer, DOWN, multiply_down, s->h, c->d_model);
}

static void pack_last(void *arg, size_t begin, size_t end, size_t worker) {
  const struct lre_stepper *s = arg;
  const struct lre_layer *l = layer_of(s);
  const struct lre_matrix *head[] = {&s->m->weights.head};
  for (size_t t = begin; t < end; t++) {
    add_output(s, t, l->down_bias, l->norm_after_mlp);
    prepare(s, t, worker, s->m->weights.norm_last, head, 1);
  }
}

static void take_top(struct lre_top *best, struct lre_top other) {
  bool finite = best->finite && other.finite;
  if (other.value > best->value || (other.value == best->value && other.at < best->at)) *best = other;
  best->finite = finite;
}

static void multiply_head(void *arg, size_t begin, size_t end, size_t worker) {
  const struct product *p = arg;
  const struct lre_kernels *k = p->s->m->kernels;
  float cap = p->s->m->config.final_cap;
  multiply_rows(arg, begin, end, worker);
  rows_of(&p->now, &begin, &end);
  for (size_t t = 0; t < p->s->n; t++) {
    float *logits = p->y + t * p->y_stride + begin;
    if (cap > 0) k->softcap(logits, end - begin, cap);
    struct lre_top top = k->top(logits, end - begin);
    top.at += begin;
    take_top(&p->s->tops[worker * p->s->max_tokens + t], top);
  }
}

static bool make_logits(struct lre_stepper *s, struct lre_err *err) {
  const struct lre_config *c = &s->m->config;
  size_t n = s->n, threads = lre_team_threads(s->team);
  lre_team_run(s->team, n, 1, pack_last, s);
  if (n > s->n_logits) {
    float *grown = realloc(s->logits, n * c->n_vocab * sizeof *grown);
    if (!grown) return lre_err_memory(err);
    s->logits = grown, s->n_logits = n;
  }
  if (!n) return true;
  for (size_t i = 0; i < threads * s->max_tokens; i++) s->tops[i] = (struct lre_top){-INFINITY, SIZE_MAX, true};
  multiply(s, c->n_layers, QKV, multiply_head, s->logits, c->n_vocab);
  for (size_t i = 1; i < threads; i++)
    for (size_t t = 0; t < n; t++) take_top(&s->tops[t], s->tops[i * s->max_tokens + t]);
  return true;
}

const struct lre_top *lre_stepper_tops(const struct lre_stepper *s) {
  return s->tops;
}

/* Room for the scores of the longest sequence of this step. */
static bool grow_scores(struct lre_stepper *s, struct lre_err *err) {
  const struct lre_config *c = &s->m->config;
  size_t last = 0;
  for (size_t t = 0; t < s->n; t++) last = s->tokens[t].position > last ? s->tokens[t].position : last;
  size_t wanted = (last / LRE_PAGE_TOKENS + 1) * LRE_PAGE_TOKENS * (c->n_heads / c->n_kv_heads);
  if (wanted <= s->n_scores) return true;
  wanted += wanted / 2;
  float *grown = realloc(s->scores, lre_team_threads(s->team) * wanted * sizeof *grown);
  if (!grown) return lre_err_memory(err);
  s->scores = grown, s->n_scores = wanted;
  return true;
}

bool lre_stepper_run(struct lre_stepper *s, const struct lre_model_token *tokens, size_t n, const float **logits,
                     struct lre_err *err) {
  s->tokens = tokens, s->n = n, s->layer = 0;
  if (!grow_scores(s, err)) return false;
  lre_team_run(s->team, n, 1, embed, s);
  for (s->layer = 0; s->layer < s->m->config.n_layers; s->layer++) run_layer(s);
  s->layer--;
  if (!make_logits(s, err)) return false;
  *logits = s->logits;
  return true;
}

/* Memory ------------------------------------------------------------------------------------------------------------
 */

static size_t larger(size_t a, size_t b) {
  return a > b ? a : b;
}

static bool make_room(struct lre_stepper *s) {
  const struct lre_config *c = &s->m->config;
  size_t n = s->max_tokens, threads = lre_team_threads(s->team), n_q = c->n_heads * c->head_dim;
  s->n_qkv = n_q + 2 * c->n_kv_heads * c->head_dim;
  s->n_scratch = larger(c->d_model, n_q);
  s->n_packed = lre_kernels_packed(s->n_scratch);
  s->n_active = lre_kernels_packed(c->d_ffn);
  s->n_gate_up = n * 2 * group_of(s, 0, GATE_UP).grain * LRE_BLOCK;
  s->x = malloc(n * c->d_model * sizeof(float));
  s->h = malloc(n * c->d_model * sizeof(float));
  s->qkv = malloc(n * s->n_qkv * sizeof(float));
  s->mixed = malloc(n * c->n_heads * s->m->head_stride * sizeof(float));
  s->gate_up = malloc(threads * s->n_gate_up * sizeof(float));
  s->packed = aligned_alloc(64, n * s->n_packed * sizeof(float)); /* rows of whole blocks: of 128 bytes */
  s->packed_bf16 = aligned_alloc(64, n * s->n_packed * sizeof(float));
  s->active = aligned_alloc(64, n * s->n_active * sizeof(float));
  s->turns = malloc(n * 2 * c->rotary_dim * sizeof(float));
  s->wanting = malloc(n * sizeof *s->wanting);
  s->scratch = malloc(threads * s->n_scratch * sizeof(float));
  s->tops = malloc(threads * n * sizeof *s->tops);
  return s->x && s->h && s->qkv && s->mixed && s->gate_up && s->packed && s->packed_bf16 && s->active && s->turns &&
         s->wanting && s->scratch && s->tops;
}

struct lre_stepper *lre_stepper_new(const struct lre_model *m, struct lre_team *team, size_t max_tokens,
                                    struct lre_err *err) {
  struct lre_stepper *s = calloc(1, sizeof *s);
  if (s) {
    *s = (struct lre_stepper){.m = m, .team = team, .max_tokens = max_tokens};
    if (make_room(s)) return s;
  }
  lre_stepper_free(s);
  lre_err_memory(err);
  return NULL;
}

void lre_stepper_free(struct lre_stepper *s) {
  if (!s) return;
  float *all[] = {s->x,      s->h,           s->qkv,   s->mixed,   s->gate_up, s->packed,
                  s->active, s->packed_bf16, s->turns, s->scratch, s->scores,  s->logits};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]);
  free(s->wanting);
  free(s->tops);
  free(s);
}
