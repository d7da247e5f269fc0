/* Checkpoints of more rows than a worker takes at once, of sizes that are a multiple of nothing, with every bias: made
 * here, of numbers from a counter. */
#include "folder.h"
#include "infer.h"

enum { D = 32, FFN = 301, VOCAB = 997, TWINS = 499, LAYERS = 2, Q = 32, KV = 16, N_TOKENS = 37 };

struct writer {
  struct lre_buf header, data;
  uint32_t seed;
};

/* bfloat16 of 1/16 to 1/4, of either sign. Rows of the head have twins: the same numbers, TWINS rows on. */
static void put(struct writer *w, const char *name, size_t rows, size_t cols) {
  size_t begin = w->data.len;
  bool twins = strcmp(name, "lm_head.weight") == 0;
  for (size_t i = 0; i < rows * (cols ? cols : 1); i++) {
    uint16_t bits;
    if (twins && i >= TWINS * cols) {
      memcpy(&bits, w->data.data + begin + (i - TWINS * cols) * sizeof bits, sizeof bits);
    } else {
      w->seed = w->seed * 1664525u + 1013904223u;
      bits = (uint16_t)((w->seed >> 31) << 15 | (0x3d80u + (w->seed >> 8 & 0xff)));
    }
    lre_buf_put(&w->data, &bits, sizeof bits);
  }
  lre_buf_printf(&w->header, "%s\"%s\":{\"dtype\":\"BF16\",\"shape\":[%zu", w->header.len ? "," : "{", name, rows);
  if (cols) lre_buf_printf(&w->header, ",%zu", cols);
  lre_buf_printf(&w->header, "],\"data_offsets\":[%zu,%zu]}", begin, w->data.len);
}

static void put_layer(struct writer *w, int layer, bool fused) {
  static const struct {
    const char *name;
    size_t rows, cols;
    int where; /* 0: in both, 1: apart, 2: fused */
  } parts[] = {{"input_layernorm.weight", D, 0, 0},
               {"post_attention_layernorm.weight", D, 0, 0},
               {"self_attn.q_proj.weight", Q, D, 1},
               {"self_attn.q_proj.bias", Q, 0, 1},
               {"self_attn.k_proj.weight", KV, D, 1},
               {"self_attn.k_proj.bias", KV, 0, 1},
               {"self_attn.v_proj.weight", KV, D, 1},
               {"self_attn.v_proj.bias", KV, 0, 1},
               {"self_attn.qkv_proj.weight", Q + 2 * KV, D, 2},
               {"self_attn.o_proj.weight", D, Q, 0},
               {"self_attn.o_proj.bias", D, 0, 1},
               {"mlp.gate_proj.weight", FFN, D, 1},
               {"mlp.gate_proj.bias", FFN, 0, 1},
               {"mlp.up_proj.weight", FFN, D, 1},
               {"mlp.up_proj.bias", FFN, 0, 1},
               {"mlp.gate_up_proj.weight", 2 * FFN, D, 2},
               {"mlp.down_proj.weight", D, FFN, 0},
               {"mlp.down_proj.bias", D, 0, 1}};
  char name[128];
  for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
    if (parts[i].where == (fused ? 1 : 2)) continue;
    snprintf(name, sizeof name, "model.layers.%d.%s", layer, parts[i].name);
    put(w, name, parts[i].rows, parts[i].cols);
  }
}

static void write_checkpoint(bool fused) {
  struct writer w = {.seed = 42};
  struct lre_buf config, file;
  lre_buf_init(&w.header), lre_buf_init(&w.data), lre_buf_init(&config), lre_buf_init(&file);
  lre_buf_printf(&config,
                 "{\"model_type\":\"%s\",\"hidden_size\":%d,\"intermediate_size\":%d,\"num_hidden_layers\":%d,"
                 "\"num_attention_heads\":2,\"num_key_value_heads\":1,\"vocab_size\":%d,\"rms_norm_eps\":1e-6,"
                 "\"max_position_embeddings\":64,\"rope_theta\":10000.0,\"hidden_act\":\"silu\","
                 "\"tie_word_embeddings\":false%s}",
                 fused ? "phi3" : "llama", D, FFN, LAYERS, VOCAB,
                 fused ? "" : ",\"attention_bias\":true,\"mlp_bias\":true");
  put(&w, "model.embed_tokens.weight", VOCAB, D);
  put(&w, "model.norm.weight", D, 0);
  put(&w, "lm_head.weight", VOCAB, D);
  for (int i = 0; i < LAYERS; i++) put_layer(&w, i, fused);
  lre_buf_putc(&w.header, '}');
  uint64_t n = w.header.len;
  for (int i = 0; i < 8; i++) lre_buf_putc(&file, (char)(n >> 8 * i & 0xff));
  lre_buf_put(&file, w.header.data, w.header.len);
  lre_buf_put(&file, w.data.data, w.data.len);
  write_file(in_folder("config.json"), config.data, config.len);
  write_file(in_folder("model.safetensors"), file.data, file.len);
  lre_buf_free(&w.header), lre_buf_free(&w.data), lre_buf_free(&config), lre_buf_free(&file);
}

static void check_tops(const struct bench *b, const float *logits, size_t n) {
  const struct lre_top *tops = lre_stepper_tops(b->stepper);
  for (size_t t = 0; t < n; t++) {
    assert_true(tops[t].finite);
    assert_int_equal(tops[t].at, best_of(logits + t * VOCAB, VOCAB));
    assert_true(tops[t].at < TWINS);
  }
}

/* A sum over the bits of all logits. */
static uint32_t run(const char *kernels, size_t threads, size_t chunk, bool int8) {
  struct bench b;
  struct lre_model_token tokens[N_TOKENS];
  const float *logits;
  struct lre_err err;
  uint32_t sum = 0x811c9dc5u;
  open_bench(&b, test_folder, kernels, threads, int8);
  for (size_t at = 0, n; at < N_TOKENS; at += n) {
    n = N_TOKENS - at < chunk ? N_TOKENS - at : chunk;
    for (size_t i = 0; i < n; i++)
      tokens[i] = (struct lre_model_token){(uint32_t)((at + i) * 271 % VOCAB), (uint32_t)(at + i), b.pages[0], true};
    assert_true(lre_stepper_run(b.stepper, tokens, n, &logits, &err));
    check_tops(&b, logits, n);
    for (size_t i = 0; i < n * VOCAB * sizeof *logits; i++)
      sum = (sum ^ ((const unsigned char *)logits)[i]) * 0x01000193u;
  }
  close_bench(&b);
  return sum;
}

/* The sums were recorded with another division of the work, before there were such pieces. */
static void bits_are_the_same_however_rows_are_shared(void **state) {
  (void)state;
  static const uint32_t golden[2][2] = {{0x79166c6e, 0x91efe0ef}, {0xb053814c, 0x61da71f8}};
  static const size_t ways[][2] = {{1, 5}, {2, 37}, {3, 8}, {7, 16}};
  for (int fused = 0; fused < 2; fused++) {
    write_checkpoint(fused);
    const struct lre_kernels *k;
    for (size_t i = 0; (k = lre_kernels_at(i)); i++)
      for (size_t way = 0; way < 4; way++)
        for (int int8 = 0; int8 < 2; int8++) {
          uint32_t sum = run(k->name, ways[way][0], ways[way][1], int8);
          if (sum != golden[fused][int8])
            fail_msg("%s, %zu threads, fused %d, int8 %d: 0x%08x", k->name, ways[way][0], fused, int8, (unsigned)sum);
        }
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test_setup_teardown(bits_are_the_same_however_rows_are_shared, make_folder, remove_folder)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
