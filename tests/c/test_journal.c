#include "core/journal.h"

#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"

static struct lre_journal *open_at(const char *path, struct lre_journal_repair *repair) {
  struct lre_err err = {0};
  struct lre_journal *j = lre_journal_open(path, repair, NULL, NULL, &err);
  if (!j) fail_msg("%s: %s", err.code, err.message);
  return j;
}

static void append(struct lre_journal *j, const char *line) {
  struct lre_err err = {0};
  if (!lre_journal_append(j, line, strlen(line), NULL, &err)) fail_msg("%s: %s", err.code, err.message);
}

static void close_it(struct lre_journal *j) {
  struct lre_err err = {0};
  if (!lre_journal_close(j, &err)) fail_msg("%s: %s", err.code, err.message);
}

static void lines_are_appended_in_order(void **state) {
  (void)state;
  struct lre_journal_repair repair;
  struct lre_journal *j = open_at(in_folder("order"), &repair);
  assert_int_equal(repair.lines, 0);
  assert_int_equal(repair.torn_bytes, 0);
  append(j, "one");
  append(j, "");
  append(j, "three");
  close_it(j);
  assert_file(in_folder("order"), "one\n\nthree\n");
  j = open_at(in_folder("order"), &repair);
  assert_int_equal(repair.lines, 3);
  append(j, "four");
  close_it(j);
  assert_file(in_folder("order"), "one\n\nthree\nfour\n");
  assert_true(lre_journal_close(NULL, NULL));
}

static void a_line_with_a_newline_is_refused(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_journal *j = open_at(in_folder("newline"), NULL);
  assert_false(lre_journal_append(j, "a\nb", 3, NULL, &err));
  assert_string_equal(err.code, "newline");
  append(j, "still works");
  close_it(j);
  assert_file(in_folder("newline"), "still works\n");
}

static void lines_given_together_are_counted_each(void **state) {
  (void)state;
  struct lre_err err;
  uint64_t ticket = 0;
  struct lre_journal *j = open_at(in_folder("together"), NULL);
  append(j, "one");
  assert_true(lre_journal_append_lines(j, "two\n\nfour", 9, 3, &ticket, &err));
  assert_int_equal(ticket, 4);
  assert_false(lre_journal_append_lines(j, "a\nb", 3, 3, &ticket, &err));
  assert_false(lre_journal_append_lines(j, "a\nb\nc", 5, 2, &ticket, &err));
  assert_true(lre_journal_flush(j, &err));
  assert_true(lre_journal_synced(j, &ticket, &err));
  assert_int_equal(ticket, 4);
  close_it(j);
  assert_file(in_folder("together"), "one\ntwo\n\nfour\n");
}

static void a_torn_last_line_is_cut_off_and_reported(void **state) {
  (void)state;
  struct {
    const char *before, *after;
    uint64_t lines, torn;
  } cases[] = {{"a\nb\nhalf", "a\nb\n", 2, 4}, {"half", "", 0, 4}, {"a\n", "a\n", 1, 0}, {"\n\n", "\n\n", 2, 0}};
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    struct lre_journal_repair repair;
    write_file(in_folder("torn"), cases[i].before, strlen(cases[i].before));
    struct lre_journal *j = open_at(in_folder("torn"), &repair);
    assert_int_equal(repair.lines, cases[i].lines);
    assert_int_equal(repair.torn_bytes, cases[i].torn);
    assert_file(in_folder("torn"), cases[i].after);
    close_it(j);
  }
}

static void a_long_torn_line_is_cut_off_too(void **state) {
  (void)state;
  enum { WHOLE = 300000, TORN = 1000000 };
  struct lre_journal_repair repair;
  FILE *f = fopen(in_folder("long"), "wb");
  for (int i = 0; i < WHOLE; i++) fputc('w', f);
  fputc('\n', f);
  for (int i = 0; i < TORN; i++) fputc('t', f);
  fclose(f);
  close_it(open_at(in_folder("long"), &repair));
  assert_int_equal(repair.lines, 1);
  assert_int_equal(repair.torn_bytes, TORN);
}

static void wake_up(void *ud) {
  atomic_fetch_add((atomic_int *)ud, 1);
}

static void a_ticket_is_synced_in_the_end(void **state) {
  (void)state;
  struct lre_err err;
  atomic_int wakes = 0;
  uint64_t ticket = 0, synced = 0;
  struct lre_journal *j = lre_journal_open(in_folder("sync"), NULL, wake_up, &wakes, &err);
  assert_non_null(j);
  for (int i = 0; i < 1000; i++) assert_true(lre_journal_append(j, "line", 4, &ticket, &err));
  assert_int_equal(ticket, 1000);
  while (synced < ticket) assert_true(lre_journal_synced(j, &synced, &err)); /* with no flush */
  assert_int_equal(synced, 1000);
  append(j, "more");
  assert_true(lre_journal_flush(j, &err));
  assert_true(lre_journal_synced(j, &synced, &err));
  assert_int_equal(synced, 1001);
  close_it(j);
  assert_true(atomic_load(&wakes) >= 2);
  assert_true(atomic_load(&wakes) < 1001); /* a group at a time */
}

struct writer {
  struct lre_journal *j;
  char letter;
};

static void *write_many(void *arg) {
  const struct writer *w = arg;
  char line[200];
  struct lre_err err;
  memset(line, w->letter, sizeof line);
  for (int i = 0; i < 500; i++)
    if (!lre_journal_append(w->j, line, sizeof line, NULL, &err)) return arg;
  return lre_journal_flush(w->j, &err) ? NULL : arg;
}

static void lines_of_several_threads_stay_whole(void **state) {
  (void)state;
  pthread_t threads[4];
  struct writer writers[4];
  struct lre_journal_repair repair;
  struct lre_journal *j = open_at(in_folder("threads"), NULL);
  for (int i = 0; i < 4; i++) {
    writers[i] = (struct writer){j, (char)('a' + i)};
    assert_int_equal(pthread_create(&threads[i], NULL, write_many, &writers[i]), 0);
  }
  for (int i = 0; i < 4; i++) {
    void *failed;
    pthread_join(threads[i], &failed);
    assert_null(failed);
  }
  close_it(j);
  size_t len = 0;
  char *text = read_whole(in_folder("threads"), &len);
  assert_int_equal(len, 2000 * 201);
  for (size_t at = 0; at < len; at += 201) {
    for (size_t i = 1; i < 200; i++) assert_int_equal(text[at + i], text[at]);
    assert_int_equal(text[at + 200], '\n');
  }
  free(text);
  close_it(open_at(in_folder("threads"), &repair));
  assert_int_equal(repair.lines, 2000);
}

static void a_second_opener_is_told_who_holds_it(void **state) {
  (void)state;
  int status, ready[2];
  char byte, expected[32];
  struct lre_err err;
  assert_int_equal(pipe(ready), 0);
  pid_t pid = fork();
  if (pid == 0) {
    struct lre_journal *j = lre_journal_open(in_folder("locked"), NULL, NULL, NULL, &err);
    if (!j || write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  assert_int_equal(read(ready[0], &byte, 1), 1);
  assert_null(lre_journal_open(in_folder("locked"), NULL, NULL, NULL, &err));
  assert_string_equal(err.code, "locked");
  snprintf(expected, sizeof expected, "process %ld", (long)pid);
  if (access("/proc/locks", R_OK) == 0) assert_non_null(strstr(err.message, expected));
  kill(pid, SIGKILL);
  assert_int_equal(waitpid(pid, &status, 0), pid);
  close_it(open_at(in_folder("locked"), NULL)); /* a lock dies with its holder */
  close(ready[0]);
  close(ready[1]);
}

static void a_journal_in_use_is_not_repaired_by_another(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_journal *j = open_at(in_folder("busy"), NULL);
  write_file(in_folder("busy"), "half", 4); /* as if a write were under way */
  assert_null(lre_journal_open(in_folder("busy"), NULL, NULL, NULL, &err));
  assert_string_equal(err.code, "locked");
  assert_file(in_folder("busy"), "half");
  close_it(j);
}

static void what_is_no_regular_file_is_refused(void **state) {
  (void)state;
  struct lre_err err;
  assert_null(lre_journal_open("/dev/full", NULL, NULL, NULL, &err));
  assert_string_equal(err.code, "not_a_file");
  assert_null(lre_journal_open(test_folder, NULL, NULL, NULL, &err));
  assert_string_equal(err.code, "eisdir");
  assert_null(lre_journal_open(in_folder("no/such/folder"), NULL, NULL, NULL, &err));
  assert_string_equal(err.code, "enoent");
}

/* Fills the journal at in_folder(name) until an append fails, twice with the same error. 0: as it should be. */
static int fill(const char *path, const char *code) {
  char line[1000];
  struct lre_err first = {0}, second = {0};
  uint64_t n = 0, synced = 0;
  memset(line, 'x', sizeof line);
  struct lre_journal *j = lre_journal_open(path, NULL, NULL, NULL, &first);
  if (!j) return 1;
  while (lre_journal_append(j, line, sizeof line, &n, &first)) {
    if (n > 1000) return 2;
  }
  if (strcmp(first.code, code) != 0 || !strstr(first.message, path)) return 3;
  if (lre_journal_append(j, "y", 1, NULL, &second) || strcmp(second.message, first.message) != 0) return 4;
  if (!lre_journal_flush(j, &second)) return 5; /* what was appended before is kept */
  if (!lre_journal_synced(j, &synced, &second) || synced != n || n == 0) return 6;
  return lre_journal_close(j, &second) ? 0 : 7;
}

static void expect_whole_lines(const char *path) {
  struct lre_journal_repair repair;
  size_t len = 0;
  free(read_whole(path, &len));
  assert_int_equal(len % 1001, 0);
  close_it(open_at(path, &repair));
  assert_int_equal(repair.torn_bytes, 0);
  assert_int_equal(repair.lines, len / 1001);
}

static int fill_below_a_limit(const char *path) {
  struct rlimit limit = {10500, 10500}; /* in the middle of the eleventh line: a short write first */
  signal(SIGXFSZ, SIG_IGN);
  return setrlimit(RLIMIT_FSIZE, &limit) < 0 ? 99 : fill(path, "efbig");
}

static void a_failed_append_leaves_whole_lines(void **state) {
  (void)state;
  int status;
  pid_t pid = fork();
  if (pid == 0) _exit(fill_below_a_limit(in_folder("limited")));
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  expect_whole_lines(in_folder("limited"));
}

static void a_full_disk_leaves_whole_lines(void **state) {
  (void)state;
  assert_int_equal(mkdir(in_folder("disk"), 0700), 0);
  if (mount("lre-test", in_folder("disk"), "tmpfs", 0, "size=64k") < 0) {
    print_message("skipped: a small tmpfs cannot be mounted here\n");
    skip();
  }
  int result = fill(in_folder("disk/journal"), "enospc");
  if (result == 0) expect_whole_lines(in_folder("disk/journal"));
  assert_int_equal(umount(in_folder("disk")), 0);
  assert_int_equal(result, 0);
}

static void append_until_killed(const char *path) {
  char line[3000];
  struct lre_err err;
  struct lre_journal *j = lre_journal_open(path, NULL, NULL, NULL, &err);
  for (int i = 0; j; i++) {
    int n = snprintf(line, sizeof line, "%d %0*d", i, i % 2500 + 1, i);
    if (!lre_journal_append(j, line, (size_t)n, NULL, &err)) break;
  }
  _exit(1);
}

static void a_kill_leaves_whole_lines_and_at_most_one_torn(void **state) {
  (void)state;
  for (int round = 0; round < 10; round++) {
    int status;
    struct lre_journal_repair repair;
    char name[32];
    snprintf(name, sizeof name, "killed%d", round);
    pid_t pid = fork();
    if (pid == 0) append_until_killed(in_folder(name));
    usleep((useconds_t)(3000 + 1700 * round));
    kill(pid, SIGKILL);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    close_it(open_at(in_folder(name), &repair));
    char *rest, *text = read_whole(in_folder(name), NULL);
    uint64_t n = 0;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest), n++)
      assert_int_equal(strtoull(line, NULL, 10), n); /* each is there, whole and in order */
    assert_int_equal(n, repair.lines);
    free(text);
  }
}

static void the_file_is_not_inherited(void **state) {
  (void)state;
  if (access("/proc/self/fd", R_OK) < 0) skip();
  char command[256];
  struct lre_journal *j = open_at(in_folder("cloexec"), NULL);
  snprintf(command, sizeof command, "! ls -l /proc/self/fd | grep -q %s", test_folder);
  assert_int_equal(system(command), 0);
  close_it(j);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(lines_are_appended_in_order),
      cmocka_unit_test(a_line_with_a_newline_is_refused),
      cmocka_unit_test(lines_given_together_are_counted_each),
      cmocka_unit_test(a_torn_last_line_is_cut_off_and_reported),
      cmocka_unit_test(a_long_torn_line_is_cut_off_too),
      cmocka_unit_test(a_ticket_is_synced_in_the_end),
      cmocka_unit_test(lines_of_several_threads_stay_whole),
      cmocka_unit_test(a_second_opener_is_told_who_holds_it),
      cmocka_unit_test(a_journal_in_use_is_not_repaired_by_another),
      cmocka_unit_test(what_is_no_regular_file_is_refused),
      cmocka_unit_test(a_failed_append_leaves_whole_lines),
      cmocka_unit_test(a_full_disk_leaves_whole_lines),
      cmocka_unit_test(a_kill_leaves_whole_lines_and_at_most_one_torn),
      cmocka_unit_test(the_file_is_not_inherited),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
