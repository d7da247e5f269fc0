#include "core/platform.h"

#include <fcntl.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"

static void a_wake_is_seen_once_however_often_it_was_signalled(void **state) {
  (void)state;
  struct lre_wake w;
  struct lre_err err;
  assert_true(lre_wake_open(&w, &err));
  assert_false(lre_wake_wait(&w, 0));
  for (int i = 0; i < 100000; i++) lre_wake_signal(&w); /* more than a pipe holds */
  assert_true(lre_wake_wait(&w, -1));
  lre_wake_drain(&w);
  assert_false(lre_wake_wait(&w, 0));
  lre_wake_close(&w);
  lre_wake_close(&w);
}

static void *signal_it(void *w) {
  lre_wake_signal(w);
  return NULL;
}

static void a_thread_can_wake_another(void **state) {
  (void)state;
  struct lre_wake w;
  struct lre_err err;
  pthread_t thread;
  assert_true(lre_wake_open(&w, &err));
  assert_int_equal(pthread_create(&thread, NULL, signal_it, &w), 0);
  assert_true(lre_wake_wait(&w, -1));
  pthread_join(thread, NULL);
  lre_wake_close(&w);
}

static void a_wake_is_not_inherited(void **state) {
  (void)state;
  struct lre_wake w;
  struct lre_err err;
  assert_true(lre_wake_open(&w, &err));
  assert_true(fcntl(w.read_fd, F_GETFD) & FD_CLOEXEC);
  assert_true(fcntl(w.write_fd, F_GETFD) & FD_CLOEXEC);
  lre_wake_close(&w);
}

static void open_files_are_raised_as_far_as_allowed(void **state) {
  (void)state;
  struct rlimit limit;
  size_t got;
  getrlimit(RLIMIT_NOFILE, &limit);
  struct rlimit low = {64, limit.rlim_max};
  assert_int_equal(setrlimit(RLIMIT_NOFILE, &low), 0);
  assert_true(lre_platform_raise_nofile(100, &got));
  assert_int_equal(got, 100);
  assert_true(lre_platform_raise_nofile(50, &got)); /* never lowered */
  assert_int_equal(got, 100);
  if (limit.rlim_max != RLIM_INFINITY) {
    assert_false(lre_platform_raise_nofile((size_t)limit.rlim_max + 1, &got));
    assert_int_equal(got, limit.rlim_max);
  }
  setrlimit(RLIMIT_NOFILE, &limit);
}

static void the_machine_is_described(void **state) {
  (void)state;
  char text[256];
  struct lre_buf path;
  lre_buf_init(&path);
  assert_true(lre_platform_cpus() >= 1);
  assert_true(lre_platform_peak_rss_bytes() > 100000);
  assert_true(lre_platform_exe_path(&path));
  assert_int_equal(path.data[0], '/');
  assert_non_null(strstr(path.data, "test_platform"));
  lre_platform_describe(text, sizeof text);
  assert_non_null(strchr(text, ' '));
  assert_true(lre_platform_hostname(text, sizeof text));
  lre_buf_free(&path);
}

static void a_file_is_no_terminal(void **state) {
  (void)state;
  int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
  assert_false(lre_platform_is_tty(fd));
  assert_int_equal(lre_platform_columns(fd), 0);
  close(fd);
}

static void random_bytes_differ(void **state) {
  (void)state;
  unsigned char a[1000] = {0}, b[1000] = {0};
  assert_true(lre_platform_random(a, sizeof a));
  assert_true(lre_platform_random(b, sizeof b));
  assert_memory_not_equal(a, b, sizeof a);
  assert_memory_not_equal(a + 900, b + 900, 100); /* past the first pieces */
}

static void no_core_is_dumped_once_a_key_is_loaded(void **state) {
  (void)state;
  pid_t pid = fork();
  if (pid == 0) {
    struct rlimit limit;
    lre_platform_no_core_dump();
    getrlimit(RLIMIT_CORE, &limit);
    _exit(limit.rlim_cur == 0 && limit.rlim_max == 0 ? 0 : 1);
  }
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
}

static void the_holder_of_a_lock_is_found(void **state) {
  (void)state;
  int fd = open(in_folder("lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  assert_int_equal(lre_platform_lock_holder(fd), 0);
  assert_int_equal(flock(fd, LOCK_EX), 0);
  long holder = lre_platform_lock_holder(fd);
  close(fd);
  if (access("/proc/locks", R_OK) < 0) skip();
  assert_int_equal(holder, getpid());
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_wake_is_seen_once_however_often_it_was_signalled),
      cmocka_unit_test(a_thread_can_wake_another),
      cmocka_unit_test(a_wake_is_not_inherited),
      cmocka_unit_test(open_files_are_raised_as_far_as_allowed),
      cmocka_unit_test(the_machine_is_described),
      cmocka_unit_test(a_file_is_no_terminal),
      cmocka_unit_test(random_bytes_differ),
      cmocka_unit_test(no_core_is_dumped_once_a_key_is_loaded),
      cmocka_unit_test(the_holder_of_a_lock_is_found),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
