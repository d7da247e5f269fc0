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
      cmocka_unit_test(a_configuration_that_is_not_known_is_refused_with_its_field),
      cmocka_unit_test(elementary_functions_are_near_libms),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
