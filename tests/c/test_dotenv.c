#include "core/dotenv.h"

#include "folder.h"

static char names[4096];

static void note(void *context, const char *name) {
  (void)context;
  strcat(strcat(names, name), " ");
}

static bool load(const char *text, struct lre_err *err) {
  memset(names, 0, sizeof names);
  write_file(in_folder(".env"), text, strlen(text));
  return lre_dotenv_load(in_folder(".env"), note, NULL, err);
}

static void forget(void **state) {
  (void)state;
  for (char name[] = "D_A"; name[2] <= 'Z'; name[2]++) unsetenv(name);
}

static void values_are_read_as_they_are_written(void **state) {
  struct lre_err err = {0};
  forget(state);
  if (!load("\xEF\xBB\xBF# a comment\r\nD_A=1\r\n\n  D_B = two words # said\nexport D_C='a # b\"c'  # "
            "x\nD_D=\"a\\n\\\"b\\\\\"\n"
            "D_E=\nD_F=a#b\nD_G=\"\"\nD_H=a=b\nD_I= # none\nD_J=$HOME\nD_K=sp\xC3\xA9",
            &err))
    fail_msg("%s", err.message);
  assert_string_equal(names, "D_A D_B D_C D_D D_E D_F D_G D_H D_I D_J D_K ");
  assert_string_equal(getenv("D_A"), "1");
  assert_string_equal(getenv("D_B"), "two words");
  assert_string_equal(getenv("D_C"), "a # b\"c");
  assert_string_equal(getenv("D_D"), "a\n\"b\\");
  assert_string_equal(getenv("D_E"), "");
  assert_string_equal(getenv("D_F"), "a#b");
  assert_string_equal(getenv("D_G"), "");
  assert_string_equal(getenv("D_H"), "a=b");
  assert_string_equal(getenv("D_I"), "");
  assert_string_equal(getenv("D_J"), "$HOME");
  assert_string_equal(getenv("D_K"), "sp\xC3\xA9");
}

static void the_environment_is_never_overridden(void **state) {
  forget(state);
  setenv("D_A", "mine", 1);
  setenv("D_B", "", 1);
  assert_true(load("D_A=theirs\nD_B=theirs\nD_C=theirs\nD_C=again\n", NULL));
  assert_string_equal(names, "D_C ");
  assert_string_equal(getenv("D_A"), "mine");
  assert_string_equal(getenv("D_B"), "");
  assert_string_equal(getenv("D_C"), "theirs");
}

static void a_broken_line_is_named_and_not_shown_and_nothing_is_set(void **state) {
  static const char *const broken[] = {"sk-secret",          "D_B sk-secret",   "9D=sk-secret",
                                       "=sk-secret",         "D_B='sk-secret",  "D_B=\"sk-secret",
                                       "D_B=\"sk-secret\"x", "D_B='sk-'secret", "D-B=sk-secret"};
  for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
    char text[128];
    struct lre_err err = {0};
    forget(state);
    snprintf(text, sizeof text, "D_A=1\n%s\nD_C=3\n", broken[i]);
    assert_false(load(text, &err));
    assert_non_null(strstr(err.message, ".env:2: expected NAME=value"));
    assert_null(strstr(err.message, "sk-"));
    assert_string_equal(names, "");
    assert_null(getenv("D_A"));
  }
}

static void no_file_and_a_folder_of_that_name_set_nothing(void **state) {
  (void)state;
  assert_true(lre_dotenv_load(in_folder("none"), NULL, NULL, NULL));
  assert_true(lre_dotenv_load(test_folder, NULL, NULL, NULL));
  assert_true(load("", NULL));
}

static void a_nul_byte_is_refused(void **state) {
  (void)state;
  struct lre_err err = {0};
  write_file(in_folder("nul"), "D_A=1\0x\n", 8);
  assert_false(lre_dotenv_load(in_folder("nul"), NULL, NULL, &err));
  assert_non_null(strstr(err.message, "NUL byte"));
}

/* Sanitizers look for what reads or writes too far; here a file is read or refused, and an error shows no value. */
static void whatever_stands_in_a_file_it_is_read_or_refused(void **state) {
  static const char alphabet[] = "AB_1=='\"\\# \t\n\r\n export\xC3\xEF\xBB\xBF";
  uint32_t random = 42;
  for (int i = 0; i < 3000; i++) {
    char text[41];
    size_t len = 0;
    struct lre_err err = {0};
    forget(state);
    random = random * 1664525u + 1013904223u;
    size_t wanted = (random >> 16) % (sizeof text - 1);
    for (; len < wanted; len++) {
      random = random * 1664525u + 1013904223u;
      text[len] = alphabet[(random >> 16) % (sizeof alphabet - 1)];
    }
    text[len] = '\0';
    if (!load(text, &err)) assert_non_null(strstr(err.message, ".env:"));
  }
  unsetenv("A"), unsetenv("B"), unsetenv("AB");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(values_are_read_as_they_are_written),
      cmocka_unit_test(the_environment_is_never_overridden),
      cmocka_unit_test(a_broken_line_is_named_and_not_shown_and_nothing_is_set),
      cmocka_unit_test(no_file_and_a_folder_of_that_name_set_nothing),
      cmocka_unit_test(a_nul_byte_is_refused),
      cmocka_unit_test(whatever_stands_in_a_file_it_is_read_or_refused),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
