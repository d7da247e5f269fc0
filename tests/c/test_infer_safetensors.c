#include "infer.h"

#include "infer/config.h"
#include "infer/elementary.h"
#include "infer/safetensors.h"

/* A file: its header's length, the header, n_data zero bytes. */
static size_t make(char *out, const char *header, size_t n_data) {
  size_t n = strlen(header);
  for (int i = 0; i < 8; i++) out[i] = (char)(n >> (8 * i) & 0xff);
  memcpy(out + 8, header, n);
  memset(out + 8 + n, 0, n_data);
  return 8 + n + n_data;
}

static void refused(const char *header, size_t n_data, const char *says) {
  static char file[4096];
  struct lre_err err;
  size_t len = make(file, header, n_data);
  if (lre_safetensors_check(file, len, &err)) fail_msg("taken: %s", header);
  if (!strstr(err.message, says)) fail_msg("%s: %s", header, err.message);
}

#define T(name, dtype, shape, begin, end)                                                                              \
  "\"" name "\":{\"dtype\":\"" dtype "\",\"shape\":" shape ",\"data_offsets\":[" begin "," end "]}"

static void a_sound_file_is_taken(void **state) {
  (void)state;
  static char file[4096];
  struct lre_err err;
  size_t len = make(file,
                    "{\"__metadata__\":{\"format\":\"pt\"}," T("a", "F32", "[2,3]", "0", "24") "," T(
                        "b", "BF16", "[]", "24", "26") "," T("c", "I64", "[0]", "26", "26") "}",
                    26);
  if (!lre_safetensors_check(file, len, &err)) fail_msg("%s", err.message);
}

static void a_hostile_header_is_refused_with_the_tensor_it_names(void **state) {
  (void)state;
  refused("{" T("a", "F32", "[2]", "0", "8") "}", 4, "truncated");
  refused("{" T("a", "F32", "[2]", "0", "8") "," T("b", "F32", "[2]", "4", "12") "}", 12, "overlaps");
  refused("{" T("a", "F32", "[2]", "0", "8") "," T("b", "F32", "[2]", "0", "8") "}", 8, "overlaps");
  refused("{" T("a", "F32", "[2]", "4", "12") "}", 12, "belong to none");
  refused("{" T("a", "F32", "[2]", "0", "8") "}", 12, "belong to none");
  refused("{" T("a", "F32", "[3]", "0", "8") "}", 8, "8 bytes for 3 numbers");
  refused("{" T("a", "F32", "[2]", "8", "0") "}", 8, "begins at 8, ends at 0");
  refused("{" T("a", "F32", "[4294967296,4294967296,4294967296]", "0", "8") "}", 8, "too large");
  refused("{" T("a", "F32", "[9007199254740993]", "0", "8") "}", 8, "header");
  refused("{" T("a", "F32", "[-2]", "0", "8") "}", 8, "no whole number");
  refused("{" T("a", "F32", "[2.0]", "0", "8") "}", 8, "no whole number");
  refused("{" T("a", "F32", "[1,1,1,1,1,1,1,1,2]", "0", "8") "}", 8, "dimensions");
  refused("{" T("a", "Q4_0", "[2]", "0", "8") "}", 8, "dtype");
  refused("{" T("a", "F32", "2", "0", "8") "}", 8, "shape");
  refused("{\"a\":{\"dtype\":\"F32\",\"shape\":[2],\"data_offsets\":[0]}}", 8, "data_offsets");
  refused("{\"a\":7}", 0, "expected an object");
  refused("{" T("a", "F32", "[2]", "0", "8") "," T("a", "F32", "[2]", "8", "16") "}", 16, "header");
  refused("[]", 0, "expected an object");
  refused("{\"a\":", 0, "header");
}

static void a_header_longer_than_its_file_is_refused(void **state) {
  (void)state;
  static const char *const files[] = {"", "1234567", "\xff\xff\xff\xff\xff\xff\xff\xff{}", "\x03\0\0\0\0\0\0\0{}"};
  static const size_t lens[] = {0, 7, 10, 10};
  struct lre_err err;
  for (size_t i = 0; i < 4; i++) assert_false(lre_safetensors_check(files[i], lens[i], &err));
}

/* Every file that is one byte shorter, or has one bit another way, is refused or harmless: AddressSanitizer looks. */
static void no_change_of_a_bit_reads_outside_the_file(void **state) {
  (void)state;
  static char whole[4096];
  struct lre_err err;
  size_t len = make(whole, "{" T("a", "F32", "[2,3]", "0", "24") "," T("b", "BF16", "[4]", "24", "32") "}", 32);
  for (size_t n = 0; n < len; n++) {
    char *copy = malloc(n + 1);
    memcpy(copy, whole, n);
    assert_false(lre_safetensors_check(copy, n, &err));
    free(copy);
  }
  char *copy = malloc(len);
  for (size_t bit = 0; bit < (len - 32) * 8; bit++) {
    memcpy(copy, whole, len);
    copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
    lre_safetensors_check(copy, len, &err);
  }
  free(copy);
}

static void shards_that_are_missing_or_elsewhere_are_named(void **state) {
  (void)state;
  static const struct {
    const char *map, *says;
  } cases[] = {
      {"{\"weight_map\":{\"a\":\"gone.safetensors\"}}", "gone.safetensors"},
      {"{\"weight_map\":{\"a\":\"../x.safetensors\"}}", "weight_map[a]"},
      {"{\"weight_map\":{\"a\":\"model.safetensors.index.json\"}}", "weight_map[a]"},
      {"{\"weight_map\":{\"b\":\"one.safetensors\"}}", "tensor b is in no shard"},
      {"{\"weight_map\":{\"a\":\"one.safetensors\",\"c\":\"two.safetensors\"}}", "tensor a is in two shards"},
      {"{\"weight_map\":{}}", "weight_map"},
      {"{\"weight_map\":", "index.json"},
  };
  char folder[] = "/tmp/lre_shards_XXXXXX", path[256];
  static char file[256];
  struct lre_err err;
  assert_non_null(mkdtemp(folder));
  size_t len = make(file, "{" T("a", "F32", "[2]", "0", "8") "}", 8);
  for (int i = 0; i < 2; i++) {
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, i ? "two" : "one");
    assert_true(lre_fs_write_atomic(path, file, len, &err));
  }
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    snprintf(path, sizeof path, "%s/model.safetensors.index.json", folder);
    assert_true(lre_fs_write_atomic(path, cases[i].map, strlen(cases[i].map), &err));
    assert_null(lre_safetensors_open(folder, &err));
    if (!strstr(err.message, cases[i].says)) fail_msg("%s: %s", cases[i].map, err.message);
  }
  char command[300];
  snprintf(command, sizeof command, "rm -r %s", folder);
  assert_int_equal(system(command), 0);
}

#define BASE                                                                                                           \
  "\"hidden_size\":64,\"intermediate_size\":88,\"num_hidden_layers\":4,\"num_attention_heads\":4,\"vocab_size\":100,"

static void both_spellings_of_a_configuration_mean_the_same(void **state) {
  (void)state;
  struct lre_config a, b;
  struct lre_err err;
  static const char old[] =
      "{\"model_type\":\"llama\"," BASE "\"rope_theta\":5e5,\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,"
      "\"low_freq_factor\":1,\"high_freq_factor\":4,\"original_max_position_embeddings\":64},\"torch_dtype\":"
      "\"bfloat16\"}";
  static const char new[] =
      "{\"model_type\":\"llama\"," BASE "\"rope_parameters\":{\"rope_theta\":5e5,\"rope_type\":\"llama3\",\"factor\":8,"
      "\"low_freq_factor\":1,\"high_freq_factor\":4,\"original_max_position_embeddings\":64},\"dtype\":\"bfloat16\"}";
  if (!lre_config_parse(&a, old, strlen(old), &err)) fail_msg("%s", err.message);
  if (!lre_config_parse(&b, new, strlen(new), &err)) fail_msg("%s", err.message);
  assert_memory_equal(&a, &b, sizeof a);
  static const char gemma[] =
      "{\"model_type\":\"gemma3_text\"," BASE
      "\"rope_theta\":1e6,\"rope_local_base_freq\":1e4,\"sliding_window\":8,\"sliding_window_pattern\":2}";
  if (!lre_config_parse(&a, gemma, strlen(gemma), &err)) fail_msg("%s", err.message);
  assert_true(a.sliding[0] && !a.sliding[1] && a.sliding[2] && !a.sliding[3]);
  assert_near(1e4, a.rope[1].theta, 0);
}

#define LLAMA  "\"model_type\":\"llama\"," BASE
#define GEMMA3 "\"model_type\":\"gemma3_text\"," BASE

static struct lre_config parsed(const char *type, const char *fields) {
  struct lre_config c;
  struct lre_err err;
  char text[1024];
  snprintf(text, sizeof text, "{\"model_type\":\"%s\"," BASE "%s}", type, fields);
  if (!lre_config_parse(&c, text, strlen(text), &err)) fail_msg("%s: %s", text, err.message);
  return c;
}

/* As AutoConfig.for_model(type, <the five sizes>) of transformers 5.23 says. */
static void a_field_that_is_absent_is_the_default_of_transformers_class(void **state) {
  (void)state;
  static const struct {
    const char *type;
    size_t head_dim, positions, window;
    double eps, theta, attention_cap, final_cap;
    bool tied;
  } rows[] = {
      {"llama", 16, 2048, 0, 1e-6, 1e4, 0, 0, false},       {"qwen2", 16, 32768, 0, 1e-6, 1e4, 0, 0, false},
      {"qwen3", 128, 32768, 0, 1e-6, 1e4, 0, 0, false},     {"mistral", 16, 131072, 4096, 1e-6, 1e4, 0, 0, false},
      {"gemma2", 256, 8192, 4096, 1e-6, 1e4, 50, 30, true}, {"gemma3_text", 256, 131072, 4096, 1e-6, 1e6, 0, 0, true},
      {"phi3", 16, 4096, 0, 1e-5, 1e4, 0, 0, false},        {"olmo2", 16, 2048, 0, 1e-5, 1e4, 0, 0, false},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    bool qwen = strncmp(rows[i].type, "qwen", 4) == 0, mistral = strcmp(rows[i].type, "mistral") == 0;
    const char *heads = qwen || mistral ? "\"num_key_value_heads\":4" : "\"use_cache\":true";
    struct lre_config c = parsed(rows[i].type, heads);
    if (c.head_dim != rows[i].head_dim || c.max_positions != rows[i].positions || c.window != rows[i].window ||
        c.norm_eps != (float)rows[i].eps || c.rope[0].theta != rows[i].theta || c.tied != rows[i].tied ||
        c.attention_cap != (float)rows[i].attention_cap || c.final_cap != (float)rows[i].final_cap ||
        c.n_kv_heads != 4 || c.rotary_dim != c.head_dim)
      fail_msg("%s", rows[i].type);
    for (size_t l = 0; l < c.n_layers; l++) /* gemma2: every second layer is full; gemma3: every sixth */
      assert_int_equal(c.sliding[l], c.window && (c.arch != LRE_ARCH_GEMMA2 || l % 2 == 0));
  }
  struct lre_config c = parsed("llama", "\"use_cache\":true");
  assert_true(c.n_stops == 1 && c.stops[0] == 2);
  assert_int_equal(parsed("llama", "\"eos_token_id\":null").n_stops, 0);
  assert_int_equal(parsed("qwen2", "\"num_key_value_heads\":4").n_stops, 0);
  c = parsed("qwen2", "\"num_key_value_heads\":null,\"use_sliding_window\":true,\"max_window_layers\":3");
  assert_true(c.n_kv_heads == 4 && c.window == 4096 && !c.sliding[2] && c.sliding[3]);
}

static void a_field_that_is_null_is_none(void **state) {
  (void)state;
  struct lre_config c = parsed("gemma2", "\"attn_logit_softcapping\":null,\"final_logit_softcapping\":null");
  assert_true(c.attention_cap == 0 && c.final_cap == 0);
  c = parsed("mistral", "\"sliding_window\":null,\"num_key_value_heads\":4");
  assert_true(c.window == 0 && !c.sliding[0] && !c.sliding[3]);
}

/* transformers' classes take any field; their models read their own. */
static void a_field_of_another_architecture_is_not_looked_at(void **state) {
  (void)state;
  static const struct {
    const char *type, *fields;
  } rows[] = {
      {"gemma3_text", "\"attn_logit_softcapping\":50"},
      {"gemma3_text", "\"_sliding_window_pattern\":2"},
      {"gemma2", "\"sliding_window_pattern\":6"},
      {"llama", "\"final_logit_softcapping\":30,\"attn_logit_softcapping\":50,\"query_pre_attn_scalar\":7"},
      {"llama", "\"sliding_window\":8,\"layer_types\":[\"full_attention\",\"full_attention\",\"full_attention\","
                "\"full_attention\"]"},
      {"phi3", "\"attention_bias\":true,\"mlp_bias\":true"},
      {"olmo2", "\"mlp_bias\":true"},
  };
  for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
    struct lre_config plain = parsed(rows[i].type, "\"use_cache\":true"), c = parsed(rows[i].type, rows[i].fields);
    if (memcmp(&plain, &c, sizeof c) != 0) fail_msg("%s: %s", rows[i].type, rows[i].fields);
  }
  struct lre_config c = parsed("qwen2", "\"num_key_value_heads\":4,\"attention_bias\":true");
  assert_true(c.qkv_bias && !c.o_bias);
}

/* What Phi-4-mini, DeepSeek-R1-Distill-Qwen, SmolLM2, Llama 2 and gemma-2 have beside the usual. */
static void fields_of_published_models_that_change_nothing_are_taken(void **state) {
  (void)state;
  struct lre_config plain = parsed("llama", "\"use_cache\":true");
  struct lre_config c = parsed(
      "llama", "\"full_attn_mod\":1,\"interpolate_factor\":1,\"lm_head_bias\":false,\"use_mrope\":false,"
               "\"rope_interleaved\":false,\"tf_legacy_loss\":false,\"sliding_window_size\":4096,\"is_llama_config\":"
               "true,\"_name_or_path\":\"x\",\"pretraining_tp\":1,"
               "\"_model_name_or_path\":\"x\",\"_attn_implementation\":\"eager\",\"cache_implementation\":\"hybrid\","
               "\"auto_map\":{},\"transformers.js_config\":{},\"unsloth_fixed\":true,\"mystery\":null,"
               "\"rope_scaling\":null,\"tie_encoder_decoder\":false,\"torchscript\":false");
  assert_memory_equal(&plain, &c, sizeof c);
}

/* transformers writes phi3's field into the scaling, over what is there; elsewhere the outer one counts if it is there.
 */
static void the_original_length_is_the_one_that_transformers_takes(void **state) {
  (void)state;
#define LONG                                                                                                           \
  "\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":[1,1,1,1,1,1,1,1],\"original_max_position_embeddings\":"   \
  "64}"
  assert_int_equal(parsed("phi3", "\"max_position_embeddings\":9000," LONG).max_positions, 4096);
  assert_int_equal(parsed("phi3", "\"original_max_position_embeddings\":32," LONG).max_positions, 32);
  assert_int_equal(parsed("llama", LONG).max_positions, 64);
#undef LONG
  struct lre_config c = parsed("llama", "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"low_freq_factor\":1,"
                                        "\"high_freq_factor\":4}");
  assert_near(2048, c.rope[0].original, 0);
  c = parsed("llama", "\"rope_scaling\":{\"type\":\"linear\",\"factor\":2},\"rope_parameters\":{\"rope_theta\":7}");
  assert_true(c.rope[0].kind == LRE_ROPE_LINEAR && c.rope[0].theta == 1e4);
}

static void a_configuration_that_is_not_known_is_refused_with_its_field(void **state) {
  (void)state;
  static const struct {
    const char *fields, *says;
  } cases[] = {
      {"\"model_type\":\"mamba\"," BASE "\"bos_token_id\":1", "mamba"},
      {"\"model_type\":\"llama\"," BASE "\"quantization_config\":{\"bits\":4}", "quantization_config"},
      {"\"model_type\":\"llama\"," BASE "\"hidden_act\":\"relu\"", "relu"},
      {"\"model_type\":\"llama\"," BASE "\"rope_scaling\":{\"type\":\"yarn\",\"factor\":4}", "yarn"},
      {"\"model_type\":\"llama\"," BASE "\"rope_scaling\":{\"type\":\"linear\"}", "factor"},
      {"\"model_type\":\"llama\"," BASE "\"num_key_value_heads\":3", "num_key_value_heads"},
      {"\"model_type\":\"llama\"," BASE "\"head_dim\":15", "head_dim"},
      {"\"model_type\":\"llama\"," BASE "\"head_dim\":1e9", "head_dim"},
      {"\"model_type\":\"llama\"," BASE "\"eos_token_id\":[1,100]", "eos_token_id"},
      {"\"model_type\":\"llama\"," BASE "\"layer_types\":[\"full_attention\"]", "layer_types"},
      {"\"model_type\":\"phi3\"," BASE
       "\"rope_scaling\":{\"type\":\"longrope\",\"short_factor\":[1]},\"original_max_position_embeddings\":16",
       "short_factor"},
      {"\"model_type\":\"llama\"", "hidden_size is missing"},
      {"\"model_type\":\"mistral\"," BASE "\"use_cache\":true", "4 is no multiple of num_key_value_heads 8"},
      {LLAMA "\"causal\":false", "field causal is not known"},
      {LLAMA "\"rope_interleaved\":true", "field rope_interleaved is not known"},
      {LLAMA "\"use_bidirectional_attention\":true", "field use_bidirectional_attention is not known"},
      {LLAMA "\"_logit_scale\":2", "field _logit_scale is not known"},
      {LLAMA "\"interpolate_factor\":2", "field interpolate_factor is not known"},
      {LLAMA "\"hidden_act\":7", "hidden_act: expected a name"},
      {LLAMA "\"rope_scaling\":{\"rope_type\":\"linear\",\"factor\":2,\"mrope_section\":[8]}",
       "rope_scaling.mrope_section is not known"},
      {LLAMA "\"rope_parameters\":{\"rope_type\":\"default\",\"beta_fast\":32}",
       "rope_parameters.beta_fast is not known"},
      {LLAMA "\"rope_parameters\":{\"full_attention\":{}}", "rope_parameters.full_attention is not known"},
      {LLAMA "\"rope_parameters\":{\"rope_type\":7}", "rope_type: expected a name"},
      {LLAMA "\"rope_scaling\":[]", "rope_scaling: expected an object"},
      {LLAMA "\"rope_scaling\":{\"rope_type\":\"llama3\",\"factor\":8,\"high_freq_factor\":4}", "low_freq_factor"},
      {LLAMA "\"partial_rotary_factor\":0.5", "partial_rotary_factor: expected 1"},
      {LLAMA "\"layer_types\":[\"sliding_attention\"]", "layer_types[0]: llama has no layers of two types"},
      {"\"model_type\":\"phi3\"," BASE "\"partial_rotary_factor\":0.32", "partial_rotary_factor: expected an even"},
      {GEMMA3 "\"rope_parameters\":{\"rope_type\":\"linear\",\"factor\":8}", "rope_parameters.rope_type is not known"},
      {GEMMA3 "\"rope_parameters\":{\"full_attention\":{\"rope_type\":\"linear\",\"factor\":8,\"x\":1}}",
       "full_attention.x is not known"},
      {GEMMA3 "\"sliding_window\":null", "sliding_window: expected a number (layer 0 slides)"},
      {"\"model_type\":\"gemma2\"," BASE "\"attn_logit_softcapping\":0", "attn_logit_softcapping"},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct lre_config c;
    struct lre_err err;
    char text[1024];
    snprintf(text, sizeof text, "{%s}", cases[i].fields);
    if (lre_config_parse(&c, text, strlen(text), &err)) fail_msg("taken: %s", text);
    if (!strstr(err.message, cases[i].says)) fail_msg("%s: %s", text, err.message);
  }
}

static void elementary_functions_are_near_libms(void **state) {
  (void)state;
  for (double x = -700; x < 700; x += 0.37) assert_near(exp(x), lre_elementary_exp(x), 1e-14);
  for (double x = 1e-9; x < 1e9; x *= 1.13) assert_near(log(x), lre_elementary_log(x), 1e-14);
  for (double y = 0; y < 1; y += 0.007) assert_near(pow(1e6, y), lre_elementary_pow(1e6, y), 1e-13);
  for (double x = -1e6; x < 1e6; x += 777.7) {
    double s, c;
    lre_elementary_sincos(x, &s, &c);
    assert_true(fabs(s - sin(x)) < 1e-15 * 4 && fabs(c - cos(x)) < 1e-15 * 4);
  }
  assert_true(lre_elementary_exp(-800) == 0 && isinf(lre_elementary_exp(800)));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_sound_file_is_taken),
      cmocka_unit_test(a_hostile_header_is_refused_with_the_tensor_it_names),
      cmocka_unit_test(a_header_longer_than_its_file_is_refused),
      cmocka_unit_test(no_change_of_a_bit_reads_outside_the_file),
      cmocka_unit_test(shards_that_are_missing_or_elsewhere_are_named),
      cmocka_unit_test(both_spellings_of_a_configuration_mean_the_same),
      cmocka_unit_test(a_field_that_is_absent_is_the_default_of_transformers_class),
      cmocka_unit_test(a_field_that_is_null_is_none),
      cmocka_unit_test(a_field_of_another_architecture_is_not_looked_at),
      cmocka_unit_test(fields_of_published_models_that_change_nothing_are_taken),
      cmocka_unit_test(the_original_length_is_the_one_that_transformers_takes),
      cmocka_unit_test(a_configuration_that_is_not_known_is_refused_with_its_field),
      cmocka_unit_test(elementary_functions_are_near_libms),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
