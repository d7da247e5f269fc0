/* infer.c: what the local engine does on this machine, against what its memory could.
 *
 *   infer write DIR     a random checkpoint of Qwen2-0.5B's exact shape (494,032,768 parameters, bfloat16), once
 *   infer run DIR [threads]
 *
 * Prints a line of JSON: read bandwidth, the bound that it sets for one sequence (every weight is read once a token),
 * tokens a second alone, and with 15 prompts of 40 tokens x 64 new ones, prefill included; resident memory. */
#include <errno.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/fs.h"
#include "core/platform.h"
#include "infer/batch.h"

enum { D = 896, FFN = 4864, LAYERS = 24, KV = 128, VOCAB = 151936, N_PROMPTS = 15, PROMPT = 40, NEW = 64 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void die(const char *what) {
  fprintf(stderr, "infer: %s\n", what);
  exit(1);
}

/* Writing ------------------------------------------------------------------------------------------------------------
 */

struct header {
  struct lre_buf text;
  size_t n_bytes;
};

static void add(struct header *h, const char *name, size_t rows, size_t cols) {
  size_t n = rows * (cols ? cols : 1) * 2;
  lre_buf_printf(&h->text, "%s\"%s\":{\"dtype\":\"BF16\",\"shape\":[%zu", h->n_bytes ? "," : "{", name, rows);
  if (cols) lre_buf_printf(&h->text, ",%zu", cols);
  lre_buf_printf(&h->text, "],\"data_offsets\":[%zu,%zu]}", h->n_bytes, h->n_bytes + n);
  h->n_bytes += n;
}

static void add_layer(struct header *h, int layer) {
  static const struct {
    const char *name;
    size_t rows, cols;
  } parts[] = {{"input_layernorm.weight", D, 0},   {"post_attention_layernorm.weight", D, 0},
               {"self_attn.q_proj.weight", D, D},  {"self_attn.q_proj.bias", D, 0},
               {"self_attn.k_proj.weight", KV, D}, {"self_attn.k_proj.bias", KV, 0},
               {"self_attn.v_proj.weight", KV, D}, {"self_attn.v_proj.bias", KV, 0},
               {"self_attn.o_proj.weight", D, D},  {"mlp.gate_proj.weight", FFN, D},
               {"mlp.up_proj.weight", FFN, D},     {"mlp.down_proj.weight", D, FFN}};
  char name[128];
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    snprintf(name, sizeof name, "model.layers.%d.%s", layer, parts[i].name);
    add(h, name, parts[i].rows, parts[i].cols);
  }
}

/* Numbers of about 0.02, of either sign: a counter through a mixer (splitmix64). */
static void write_numbers(FILE *f, size_t n) {
  enum { CHUNK = 1 << 16 };
  static uint16_t chunk[CHUNK];
  uint64_t counter = 42;
  while (n) {
    size_t take = n < CHUNK ? n : CHUNK;
    for (size_t i = 0; i < take; i++) {
      uint64_t z = (counter += 0x9e3779b97f4a7c15u);
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
      z = (z ^ z >> 27) * 0x94d049bb133111ebu;
      chunk[i] = (uint16_t)((z >> 63) << 15 | 0x3c00u | (z >> 20 & 0xff));
    }
    if (fwrite(chunk, sizeof *chunk, take, f) != take) die(strerror(errno));
    n -= take;
  }
}

static void write_text(const char *dir, const char *name, const char *text, size_t len) {
  char path[4096];
  struct lre_err err;
  snprintf(path, sizeof path, "%s/%s", dir, name);
  if (!lre_fs_write_atomic(path, text, len, &err)) die(err.message);
}

/* Each byte a token: 40 letters are 40 tokens. */
static void write_tokenizer(const char *dir) {
  struct lre_buf b;
  lre_buf_init(&b);
  lre_buf_puts(&b, "{\"pre_tokenizer\":{\"type\":\"ByteLevel\",\"add_prefix_space\":false,\"use_regex\":false},"
                   "\"decoder\":{\"type\":\"ByteLevel\"},\"model\":{\"type\":\"BPE\",\"merges\":[],\"vocab\":{");
  for (int c = 'a'; c <= 'z'; c++) lre_buf_printf(&b, "%s\"%c\":%d", c > 'a' ? "," : "", c, c);
  lre_buf_puts(&b, "}}}");
  write_text(dir, "tokenizer.json", b.data, b.len);
  lre_buf_free(&b);
}

static void write_checkpoint(const char *dir) {
  static const char config[] =
      "{\"model_type\":\"qwen2\",\"hidden_size\":896,\"intermediate_size\":4864,\"num_hidden_layers\":24,"
      "\"num_attention_heads\":14,\"num_key_value_heads\":2,\"vocab_size\":151936,\"max_position_embeddings\":32768,"
      "\"rms_norm_eps\":1e-06,\"rope_theta\":1000000.0,\"hidden_act\":\"silu\",\"tie_word_embeddings\":true,"
      "\"torch_dtype\":\"bfloat16\",\"architectures\":[\"Qwen2ForCausalLM\"]}\n";
  struct header h = {0};
  struct lre_err err;
  bool created;
  char path[4096];
  if (!lre_fs_mkdir(dir, true, &created, &err)) die(err.message);
  add(&h, "model.embed_tokens.weight", VOCAB, D);
  add(&h, "model.norm.weight", D, 0);
  for (int i = 0; i < LAYERS; i++) add_layer(&h, i);
  lre_buf_putc(&h.text, '}');
  while (h.text.len % 8) lre_buf_putc(&h.text, ' ');
  snprintf(path, sizeof path, "%s/model.safetensors", dir);
  FILE *f = fopen(path, "wb");
  if (!f) die(strerror(errno));
  for (int i = 0; i < 8; i++) fputc((int)(h.text.len >> (8 * i) & 0xff), f);
  fwrite(h.text.data, 1, h.text.len, f);
  write_numbers(f, h.n_bytes / 2);
  if (fclose(f)) die(strerror(errno));
  lre_buf_free(&h.text);
  write_text(dir, "config.json", config, sizeof config - 1);
  write_tokenizer(dir);
}

/* Measuring ----------------------------------------------------------------------------------------------------------
 */

/* Reading memory as fast as it can be read: some streams at once, each a line after the other, a page ahead asked for.
 * How many streams are best is the machine's: all are tried. */
enum { LINE = 64, PIECE = 1 << 20, MAX_STREAMS = 8, AHEAD = 8192 };
struct reading {
  const char *data;
  size_t n_streams;
  _Atomic uint64_t sum;
};

static void read_pieces(void *arg, size_t begin, size_t end, size_t worker) {
  struct reading *r = arg;
  size_t stream = (end - begin) * PIECE / r->n_streams;
  uint64_t sums[LINE / 8] = {0};
  (void)worker;
  for (size_t at = 0; at < stream; at += LINE)
    for (size_t i = 0; i < r->n_streams; i++) {
      const char *line = r->data + begin * PIECE + i * stream + at;
      uint64_t words[LINE / 8];
      __builtin_prefetch(line + AHEAD, 0, 2);
      memcpy(words, line, LINE);
      for (size_t k = 0; k < LINE / 8; k++) sums[k] += words[k];
    }
  for (size_t k = 0; k < LINE / 8; k++) atomic_fetch_add(&r->sum, sums[k]);
}

/* Bytes a second, the best of several passes over all weights: what a cache keeps of them from one pass to the next it
 * keeps from one token to the next, too. */
static double bandwidth(const struct lre_model *m, struct lre_team *team) {
  const struct lre_safetensors *st = lre_model_tensors(m);
  const char *low = lre_safetensors_at(st, 0)->data, *high = low;
  for (size_t i = 0; i < lre_safetensors_count(st); i++) {
    const struct lre_tensor *t = lre_safetensors_at(st, i);
    const char *data = t->data;
    if (data < low) low = data;
    if (data + t->n_bytes > high) high = data + t->n_bytes;
  }
  size_t pieces = (size_t)(high - low) / PIECE;
  double best = 0;
  for (int pass = 0; pass < 5; pass++)
    for (size_t n = 1; n <= MAX_STREAMS; n *= 2) {
      struct reading r = {.data = low, .n_streams = n};
      double begin = now();
      lre_team_run(team, pieces, 64, read_pieces, &r);
      double rate = (double)pieces * PIECE / (now() - begin);
      if (rate > best) best = rate;
    }
  return best;
}

static void wake_up(void *arg) {
  lre_wake_signal(arg);
}

/* Seconds for n prompts of n_prompt tokens and n_new new ones each. */
static double generate(struct lre_batch *b, struct lre_wake *wake, int n, size_t n_prompt, size_t n_new, int salt) {
  double begin = now();
  for (int i = 0; i < n; i++) {
    struct lre_request *r = lre_request_new();
    r->parts = calloc(1, sizeof *r->parts);
    r->n_parts = 1;
    for (size_t k = 0; k < n_prompt; k++)
      lre_buf_putc(&r->parts[0].text, (char)('a' + (k * 7 + (size_t)(i * 3 + salt)) % 26));
    r->max_tokens = n_new, r->ignore_end = true;
    r->sampling = (struct lre_sampling){.top_p = 1, .repetition_penalty = 1};
    lre_batch_submit(b, r);
  }
  for (int left = n; left;) {
    struct lre_request *r = lre_batch_done(b);
    if (!r) {
      lre_wake_wait(wake, -1);
      lre_wake_drain(wake);
      continue;
    }
    if (!r->ok || r->ids.len != n_new) die(r->ok ? "an answer is short" : r->err.message);
    lre_request_free(r);
    left--;
  }
  return now() - begin;
}

static void run(const char *dir, size_t threads) {
  struct lre_err err;
  struct lre_wake wake;
  struct lre_model *m = lre_model_open(dir, NULL, &err);
  if (!m) die(err.message);
  struct lre_tokenizer *t = lre_tokenizer_open(dir, VOCAB, &err);
  if (!t || !lre_wake_open(&wake, &err)) die(err.message);
  struct lre_team *team = lre_team_new(threads, &err);
  struct lre_batch_options options = {.n_threads = threads, .wake = wake_up, .wake_arg = &wake};
  struct lre_batch *b = lre_batch_new(m, t, &options, &err);
  if (!b || !team) die(err.message);
  double weights = 2.0 * (double)lre_model_parameters(m), rate = bandwidth(m, team);
  lre_team_free(team); /* it must not spin beside the engine's */
  generate(b, &wake, 1, 4, 4, 0);
  double prefill = generate(b, &wake, 1, PROMPT, 1, 1), alone = generate(b, &wake, 1, PROMPT, 1 + NEW, 2) - prefill;
  double together = generate(b, &wake, N_PROMPTS, PROMPT, NEW, 5);
  struct lre_batch_facts facts;
  lre_batch_describe(b, &facts);
  double bound = rate / weights, speed = NEW / alone;
  printf("{\"kernels\":\"%s\",\"threads\":%zu,\"read_gb_s\":%.2f,\"bound_tokens_s\":%.2f,\"alone_tokens_s\":%.2f,"
         "\"prefill_tokens_s\":%.1f,\"together_tokens_s\":%.2f,\"weights_mib\":%.0f,"
         "\"kv_mib\":%.0f,\"resident_mib\":%.0f}\n",
         lre_model_kernels(m), threads, rate / 1e9, bound, speed, PROMPT / prefill, N_PROMPTS * NEW / together,
         weights / 1048576, (double)facts.kv_peak_bytes / 1048576, (double)lre_platform_peak_rss_bytes() / 1048576);
  lre_batch_free(b);
  lre_tokenizer_free(t);
  lre_model_close(m);
  lre_wake_close(&wake);
}

int main(int argc, char **argv) {
  if (argc >= 3 && strcmp(argv[1], "write") == 0) {
    write_checkpoint(argv[2]);
  } else if (argc >= 3 && strcmp(argv[1], "run") == 0) {
    int threads = argc > 3 ? atoi(argv[3]) : 0;
    run(argv[2], threads > 0 ? (size_t)threads : lre_platform_cpus());
  } else {
    fprintf(stderr, "usage: infer write DIR | infer run DIR [threads]\n");
    return 2;
  }
  return 0;
}
