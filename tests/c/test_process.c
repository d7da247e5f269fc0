#include "core/process.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include "folder.h"

static bool run_shell(const char *script, struct lre_process_request request, struct lre_process_result *out,
                      struct lre_err *err) {
  const char *const argv[] = {"sh", "-c", script, NULL};
  request.argv = argv;
  return lre_process_run(&request, out, err);
}

static void expect_output(const char *script, struct lre_process_request request, const char *out) {
  struct lre_process_result result;
  struct lre_err err = {0};
  if (!run_shell(script, request, &result, &err)) fail_msg("%s: %s", err.code, err.message);
  assert_int_equal(result.exit_code, 0);
  assert_string_equal(result.out.data ? result.out.data : "", out);
  lre_process_result_free(&result);
}

static void expect_failure(const char *script, struct lre_process_request request, const char *code) {
  struct lre_process_result result;
  struct lre_err err = {0};
  assert_false(run_shell(script, request, &result, &err));
  assert_string_equal(err.kind, "process");
  assert_string_equal(err.code, code);
  lre_process_result_free(&result);
}

static void input_goes_in_and_output_comes_out(void **state) {
  (void)state;
  expect_output("cat", (struct lre_process_request){.input = "hello\n", .input_len = 6}, "hello\n");
  expect_output("cat", (struct lre_process_request){0}, "");
  expect_output("cat; echo out; echo err >&2", (struct lre_process_request){0}, "out\n");
}

static void big_input_and_output_do_not_lock_each_other(void **state) {
  (void)state;
  enum { N = 4 << 20 };
  char *big = malloc(N);
  struct lre_process_result result;
  struct lre_err err;
  memset(big, 'x', N);
  struct lre_process_request request = {.input = big, .input_len = N};
  assert_true(run_shell("tee /dev/stderr", request, &result, &err));
  assert_int_equal(result.out.len, N);
  assert_int_equal(result.err_out.len, N);
  assert_memory_equal(result.out.data, big, N);
  lre_process_result_free(&result);
  free(big);
}

static void a_child_that_reads_nothing_does_no_harm(void **state) {
  (void)state;
  static char big[1 << 20];
  expect_output("exec <&-; sleep 0.1; echo done", (struct lre_process_request){.input = big, .input_len = sizeof big},
                "done\n");
  sigset_t pending;
  sigpending(&pending);
  assert_false(sigismember(&pending, SIGPIPE));
}

static void an_exit_code_is_a_result(void **state) {
  (void)state;
  struct lre_process_result result;
  struct lre_err err;
  assert_true(run_shell("echo why >&2; exit 7", (struct lre_process_request){0}, &result, &err));
  assert_int_equal(result.exit_code, 7);
  assert_int_equal(result.signal, 0);
  assert_string_equal(result.err_out.data, "why\n");
  lre_process_result_free(&result);
  assert_true(run_shell("kill -9 $$", (struct lre_process_request){0}, &result, &err));
  assert_int_equal(result.exit_code, -1);
  assert_int_equal(result.signal, SIGKILL);
  lre_process_result_free(&result);
}

static void a_program_that_is_not_there_is_named(void **state) {
  (void)state;
  const char *const argv[] = {"lre-no-such-program", NULL}, *const none[] = {NULL}, *const folder[] = {"/tmp", NULL};
  struct lre_process_request request = {.argv = argv};
  struct lre_process_result result;
  struct lre_err err;
  assert_false(lre_process_run(&request, &result, &err));
  assert_string_equal(err.code, "not_found");
  assert_non_null(strstr(err.message, "lre-no-such-program"));
  lre_process_result_free(&result);
  request.argv = none;
  assert_false(lre_process_run(&request, &result, &err));
  assert_string_equal(err.code, "not_found");
  lre_process_result_free(&result);
  request.argv = folder;
  assert_false(lre_process_run(&request, &result, &err));
  assert_string_equal(err.code, "spawn");
  lre_process_result_free(&result);
}

static void no_shell_reads_the_arguments(void **state) {
  (void)state;
  const char *const argv[] = {"printf", "%s|", "a b", "$HOME", "*", "", NULL};
  struct lre_process_request request = {.argv = argv};
  struct lre_process_result result;
  struct lre_err err;
  assert_true(lre_process_run(&request, &result, &err));
  assert_string_equal(result.out.data, "a b|$HOME|*||");
  lre_process_result_free(&result);
}

static void a_timeout_ends_the_whole_group(void **state) {
  (void)state;
  char script[256];
  snprintf(script, sizeof script, "sleep 1000 & echo $! >%s; wait", in_folder("pid"));
  expect_failure(script, (struct lre_process_request){.timeout_ms = 300}, "timeout");
  char *pid = read_whole(in_folder("pid"), NULL);
  assert_non_null(pid);
  while (kill((pid_t)atol(pid), 0) == 0) usleep(1000); /* until init has reaped it: else ctest's timeout */
  free(pid);
}

static void a_child_that_ignores_sigterm_is_killed(void **state) {
  (void)state;
  expect_failure("trap '' TERM; while :; do sleep 0.1; done", (struct lre_process_request){.timeout_ms = 200},
                 "timeout");
}

static void output_over_the_cap_is_an_error(void **state) {
  (void)state;
  struct lre_process_request request = {.max_output_bytes = 1000};
  expect_failure("while :; do echo xxxxxxxxxxxxxxxx; done", request, "too_large");
  expect_failure("while :; do echo xxxxxxxxxxxxxxxx >&2; done", request, "too_large");
  expect_output("head -c 1000 /dev/zero | tr '\\0' a | wc -c | tr -d ' '", request, "1000\n");
}

static void *cancel_soon(void *flag) {
  usleep(100 * 1000);
  atomic_store((atomic_bool *)flag, true);
  return NULL;
}

static void a_cancelled_process_is_ended(void **state) {
  (void)state;
  atomic_bool cancel = false;
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
  expect_failure("sleep 1000", (struct lre_process_request){.cancel = &cancel}, "cancelled");
  pthread_join(thread, NULL);
}

static void a_descendant_that_holds_the_pipe_is_not_waited_for(void **state) {
  (void)state;
  expect_output("echo said; sleep 1000 &", (struct lre_process_request){0}, "said\n");
}

static void a_closed_output_does_not_end_the_wait(void **state) {
  (void)state;
  struct lre_process_result result;
  struct lre_err err;
  assert_true(run_shell("exec >&- 2>&-; sleep 0.2; exit 3", (struct lre_process_request){0}, &result, &err));
  assert_int_equal(result.exit_code, 3);
  lre_process_result_free(&result);
}

static void the_child_gets_no_file_of_ours(void **state) {
  (void)state;
  if (access("/proc/self/fd", R_OK) < 0) skip();
  for (int i = 3; i < 1024; i++) (void)fcntl(i, F_SETFD, FD_CLOEXEC); /* what this program itself was given */
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  expect_output("exec ls /proc/self/fd", (struct lre_process_request){0}, "0\n1\n2\n3\n");
  close(fd); /* 3 is the folder that ls reads */
}

static void the_child_starts_with_usual_signals(void **state) {
  (void)state;
  if (access("/proc/self/status", R_OK) < 0) skip();
  signal(SIGPIPE, SIG_IGN);
  /* The first 31: glibc keeps 32 and 33 for its threads. */
  expect_output("grep -c -E '^Sig(Blk|Ign):\\s*[0-9a-f]{8}[08]0{7}$' /proc/self/status",
                (struct lre_process_request){0}, "2\n");
  signal(SIGPIPE, SIG_DFL);
}

/* A daemon may have 0, 1 and 2 closed: then our own pipes get these numbers. */
static void it_works_without_standard_descriptors(void **state) {
  (void)state;
  int saved[3];
  struct lre_process_result result;
  struct lre_err err;
  for (int i = 0; i < 3; i++) {
    saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
    close(i);
  }
  struct lre_process_request request = {.input = "hi", .input_len = 2};
  bool ok = run_shell("cat; echo err >&2", request, &result, &err);
  for (int i = 0; i < 3; i++) {
    if (saved[i] >= 0) dup2(saved[i], i);
    if (saved[i] >= 0) close(saved[i]);
  }
  assert_true(ok);
  assert_string_equal(result.out.data, "hi");
  assert_string_equal(result.err_out.data, "err\n");
  lre_process_result_free(&result);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(input_goes_in_and_output_comes_out),
      cmocka_unit_test(big_input_and_output_do_not_lock_each_other),
      cmocka_unit_test(a_child_that_reads_nothing_does_no_harm),
      cmocka_unit_test(an_exit_code_is_a_result),
      cmocka_unit_test(a_program_that_is_not_there_is_named),
      cmocka_unit_test(no_shell_reads_the_arguments),
      cmocka_unit_test(a_timeout_ends_the_whole_group),
      cmocka_unit_test(a_child_that_ignores_sigterm_is_killed),
      cmocka_unit_test(output_over_the_cap_is_an_error),
      cmocka_unit_test(a_cancelled_process_is_ended),
      cmocka_unit_test(a_descendant_that_holds_the_pipe_is_not_waited_for),
      cmocka_unit_test(a_closed_output_does_not_end_the_wait),
      cmocka_unit_test(the_child_gets_no_file_of_ours),
      cmocka_unit_test(the_child_starts_with_usual_signals),
      cmocka_unit_test(it_works_without_standard_descriptors),
  };
  setenv("PATH", "/usr/bin:/bin",
         1); /* a folder in it that we may not enter turns "not found" into "permission denied" */
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
