#include "core/fs.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "folder.h"

static void a_written_file_reads_back(void **state) {
  (void)state;
  static const char data[] = "one\0two\n";
  struct lre_err err;
  struct lre_buf out;
  lre_buf_init(&out);
  assert_true(lre_fs_write_atomic(in_folder("a"), data, sizeof data, &err));
  assert_true(lre_fs_write_atomic(in_folder("a"), data, sizeof data - 1, &err)); /* over an old one */
  assert_true(lre_fs_read(in_folder("a"), 0, &out, &err));
  assert_int_equal(out.len, sizeof data - 1);
  assert_memory_equal(out.data, data, out.len);
  assert_true(lre_fs_write_atomic(in_folder("empty"), "", 0, &err));
  lre_buf_clear(&out);
  assert_true(lre_fs_read(in_folder("empty"), 0, &out, &err));
  assert_int_equal(out.len, 0);
  lre_buf_free(&out);
}

static void a_file_over_the_limit_is_refused(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_buf out;
  lre_buf_init(&out);
  write_file(in_folder("ten"), "0123456789", 10);
  assert_true(lre_fs_read(in_folder("ten"), 10, &out, &err));
  lre_buf_clear(&out);
  assert_false(lre_fs_read(in_folder("ten"), 9, &out, &err));
  assert_string_equal(err.code, "too_large");
  assert_non_null(strstr(err.message, "/ten"));
  lre_buf_free(&out);
}

static void only_regular_files_are_read(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_buf out;
  lre_buf_init(&out);
  assert_false(lre_fs_read(in_folder("missing"), 0, &out, &err));
  assert_string_equal(err.code, "enoent");
  assert_false(lre_fs_read(test_folder, 0, &out, &err));
  assert_string_equal(err.code, "eisdir");
  assert_int_equal(mkfifo(in_folder("fifo"), 0600), 0);
  assert_false(lre_fs_read(in_folder("fifo"), 0, &out, &err)); /* and does not wait for a writer */
  assert_string_equal(err.code, "not_a_file");
  assert_false(lre_fs_read("/dev/zero", 0, &out, &err));
  assert_string_equal(err.code, "not_a_file");
  lre_buf_free(&out);
}

static void a_file_of_unknown_size_is_read_whole(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_buf out;
  lre_buf_init(&out);
  if (access("/proc/self/status", R_OK) < 0) skip();
  assert_true(lre_fs_read("/proc/self/status", 0, &out, &err)); /* st_size is 0 */
  assert_non_null(strstr(out.data, "Threads:"));
  lre_buf_free(&out);
}

static size_t count_names(const char *path) {
  struct lre_err err;
  struct lre_buf names;
  size_t n;
  lre_buf_init(&names);
  assert_true(lre_fs_list(path, &names, &n, &err));
  lre_buf_free(&names);
  return n;
}

/* In a child, so that the limit holds for nothing else. 0: as it should be. */
static int write_on_a_full_disk(const char *path) {
  static char big[100000];
  struct rlimit limit = {1000, 1000};
  struct lre_err err = {0};
  signal(SIGXFSZ, SIG_IGN);
  if (setrlimit(RLIMIT_FSIZE, &limit) < 0) return 1;
  if (lre_fs_write_atomic(path, big, sizeof big, &err)) return 2;
  return strcmp(err.code, "efbig") == 0 && strstr(err.message, path) ? 0 : 3;
}

static void a_full_disk_leaves_the_old_file_and_no_temporary_one(void **state) {
  (void)state;
  struct lre_err err;
  assert_true(lre_fs_mkdir(in_folder("full"), false, NULL, &err));
  write_file(in_folder("full/a"), "old", 3);
  pid_t pid = fork();
  if (pid == 0) _exit(write_on_a_full_disk(in_folder("full/a")));
  int status;
  assert_int_equal(waitpid(pid, &status, 0), pid);
  assert_int_equal(status, 0);
  assert_file(in_folder("full/a"), "old");
  assert_int_equal(count_names(in_folder("full")), 1);
}

static void a_folder_that_may_not_be_written_is_an_error(void **state) {
  (void)state;
  struct lre_err err;
  if (geteuid() == 0) {
    print_message("skipped: root may write everywhere\n");
    skip();
  }
  assert_int_equal(mkdir(in_folder("closed"), 0500), 0);
  assert_false(lre_fs_write_atomic(in_folder("closed/a"), "x", 1, &err));
  assert_string_equal(err.code, "eacces");
}

static void a_file_never_takes_the_place_of_what_is_no_file(void **state) {
  (void)state;
  struct lre_err err;
  struct stat st;
  assert_int_equal(mkfifo(in_folder("pipe"), 0600), 0);
  assert_false(lre_fs_write_atomic(in_folder("pipe"), "x", 1, &err));
  assert_string_equal(err.code, "enxio"); /* nobody reads it */
  assert_int_equal(stat(in_folder("pipe"), &st), 0);
  assert_true(S_ISFIFO(st.st_mode));
  assert_false(lre_fs_write_atomic(test_folder, "x", 1, &err));
  assert_string_equal(err.code, "eisdir");
  assert_false(lre_fs_write_atomic(in_folder("no/such/folder"), "x", 1, &err));
  assert_string_equal(err.code, "enoent");
}

static void a_link_and_a_device_stay_what_they_are(void **state) {
  (void)state;
  struct lre_err err;
  struct stat st;
  assert_true(lre_fs_write_atomic("/dev/null", "x", 1, &err));
  assert_int_equal(stat("/dev/null", &st), 0);
  assert_true(S_ISCHR(st.st_mode));
  assert_true(lre_fs_write_atomic(in_folder("target"), "old", 3, &err));
  assert_int_equal(symlink("target", in_folder("link")), 0);
  assert_true(lre_fs_write_atomic(in_folder("link"), "newer", 5, &err));
  assert_int_equal(lstat(in_folder("link"), &st), 0);
  assert_true(S_ISLNK(st.st_mode));
  assert_int_equal(stat(in_folder("target"), &st), 0);
  assert_int_equal(st.st_size, 5);
}

static void a_link_to_nothing_yet_leads_to_where_the_file_is_made(void **state) {
  (void)state;
  struct lre_err err;
  struct stat st;
  assert_int_equal(mkdir(in_folder("far"), 0700), 0);
  assert_int_equal(symlink("far/two", in_folder("one")), 0);
  assert_int_equal(symlink("three", in_folder("far/two")), 0);
  assert_true(lre_fs_write_atomic(in_folder("one"), "new", 3, &err));
  assert_int_equal(lstat(in_folder("one"), &st), 0);
  assert_true(S_ISLNK(st.st_mode));
  assert_int_equal(lstat(in_folder("far/two"), &st), 0);
  assert_true(S_ISLNK(st.st_mode));
  assert_file(in_folder("far/three"), "new");
  assert_int_equal(symlink("no/such/folder", in_folder("nowhere")), 0);
  assert_false(lre_fs_write_atomic(in_folder("nowhere"), "x", 1, &err));
  assert_string_equal(err.code, "enoent");
  assert_int_equal(lstat(in_folder("nowhere"), &st), 0);
}

static void a_dead_process_of_our_pid_does_not_block_writing(void **state) {
  (void)state;
  struct lre_err err;
  char name[64];
  snprintf(name, sizeof name, "b.tmp.%ld", (long)getpid());
  write_file(in_folder(name), "left over", 9);
  assert_true(lre_fs_write_atomic(in_folder("b"), "new", 3, &err));
  assert_file(in_folder("b"), "new");
  assert_int_equal(access(in_folder(name), F_OK), -1);
}

static void folders_are_made_and_found_again(void **state) {
  (void)state;
  struct lre_err err;
  bool created;
  assert_false(lre_fs_mkdir(in_folder("x/y/z"), false, &created, &err));
  assert_string_equal(err.code, "enoent");
  assert_true(lre_fs_mkdir(in_folder("x/y/z"), true, &created, &err));
  assert_true(created);
  assert_true(lre_fs_mkdir(in_folder("x//y/z/"), true, &created, &err));
  assert_false(created);
  assert_true(lre_fs_mkdir("/", true, &created, &err));
  assert_false(created);
  write_file(in_folder("file"), "", 0);
  assert_false(lre_fs_mkdir(in_folder("file"), false, &created, &err));
  assert_string_equal(err.code, "eexist");
  assert_false(lre_fs_mkdir(in_folder("file/below"), true, &created, &err));
  assert_false(lre_fs_mkdir("", true, &created, &err));
}

static void stat_tells_what_is_there(void **state) {
  (void)state;
  struct lre_err err;
  struct lre_fs_info info;
  write_file(in_folder("five"), "12345", 5);
  assert_true(lre_fs_stat(in_folder("five"), &info, &err));
  assert_int_equal(info.type, LRE_FS_FILE);
  assert_int_equal(info.size_bytes, 5);
  assert_true(info.mtime_s > 1600000000);
  assert_true(lre_fs_stat(test_folder, &info, &err));
  assert_int_equal(info.type, LRE_FS_FOLDER);
  assert_true(lre_fs_stat(in_folder("nothing"), &info, &err));
  assert_int_equal(info.type, LRE_FS_MISSING);
  assert_true(lre_fs_stat(in_folder("five/below"), &info, &err));
  assert_int_equal(info.type, LRE_FS_MISSING);
  assert_true(lre_fs_stat("/dev/null", &info, &err));
  assert_int_equal(info.type, LRE_FS_OTHER);
}

static void names_are_listed_in_the_order_of_their_bytes(void **state) {
  (void)state;
  static const char expected[] = "A\0B\0a\0b\0\xc3\xa9";
  const char *const names[] = {"l/b", "l/\xc3\xa9", "l/a", "l/B", "l/A"};
  struct lre_err err;
  struct lre_buf out;
  size_t n;
  lre_buf_init(&out);
  assert_true(lre_fs_mkdir(in_folder("l"), false, NULL, &err));
  assert_true(lre_fs_list(in_folder("l"), &out, &n, &err));
  assert_int_equal(n, 0);
  for (size_t i = 0; i < 5; i++) write_file(in_folder(names[i]), "", 0);
  assert_true(lre_fs_list(in_folder("l"), &out, &n, &err));
  assert_int_equal(n, 5);
  assert_int_equal(out.len, sizeof expected);
  assert_memory_equal(out.data, expected, sizeof expected);
  assert_false(lre_fs_list(in_folder("nowhere"), &out, &n, &err));
  assert_string_equal(err.code, "enoent");
  lre_buf_free(&out);
}

struct line {
  const char *text;
  size_t len;
  uint64_t offset, number;
  bool ended;
};

static int next(struct lre_fs_lines *r, struct line *line, struct lre_err *err) {
  return lre_fs_lines_next(r, &line->text, &line->len, &line->offset, &line->number, &line->ended, err);
}

static void lines_come_with_offset_and_number(void **state) {
  (void)state;
  static const char text[] = "one\n\nthree\0x\r\nlast";
  struct lre_err err;
  struct line line;
  write_file(in_folder("lines"), text, sizeof text - 1);
  struct lre_fs_lines *r = lre_fs_lines_open(in_folder("lines"), 0, &err);
  assert_non_null(r);
  assert_int_equal(next(r, &line, &err), 1);
  assert_int_equal(line.len, 3);
  assert_memory_equal(line.text, "one", 3);
  assert_int_equal(next(r, &line, &err), 1);
  assert_int_equal(line.len, 0);
  assert_int_equal(line.offset, 4);
  assert_int_equal(line.number, 2);
  assert_true(line.ended);
  assert_int_equal(next(r, &line, &err), 1);
  assert_int_equal(line.len, 8);
  assert_memory_equal(line.text, "three\0x\r", 8);
  assert_int_equal(next(r, &line, &err), 1);
  assert_int_equal(line.len, 4);
  assert_int_equal(line.offset, 14);
  assert_int_equal(line.number, 4);
  assert_false(line.ended);
  assert_int_equal(next(r, &line, &err), 0);
  assert_int_equal(next(r, &line, &err), 0);
  lre_fs_lines_close(r);
  lre_fs_lines_close(NULL);
}

/* Lines shorter and longer than the reader's window, at every position in it. */
static void lines_of_any_length_come_whole(void **state) {
  (void)state;
  enum { N = 40 };
  struct lre_err err;
  struct line line;
  uint64_t offset = 0;
  FILE *f = fopen(in_folder("long"), "wb");
  for (int i = 0; i < N; i++) {
    for (int k = 0; k < i * 50021; k++) fputc('a' + i % 26, f);
    fputc('\n', f);
  }
  fclose(f);
  struct lre_fs_lines *r = lre_fs_lines_open(in_folder("long"), 0, &err);
  assert_non_null(r);
  for (int i = 0; i < N; i++) {
    assert_int_equal(next(r, &line, &err), 1);
    assert_int_equal(line.len, i * 50021);
    assert_int_equal(line.number, i + 1);
    assert_int_equal(line.offset, offset);
    if (line.len) assert_int_equal(line.text[0], 'a' + i % 26);
    if (line.len) assert_int_equal(line.text[line.len - 1], 'a' + i % 26);
    assert_null(memchr(line.text, '\n', line.len));
    offset += line.len + 1;
  }
  assert_int_equal(next(r, &line, &err), 0);
  lre_fs_lines_close(r);
}

static void a_line_over_the_limit_is_named(void **state) {
  (void)state;
  static const char text[] = "ok\n0123456789\nmore\n";
  struct lre_err err;
  struct line line;
  write_file(in_folder("limit"), text, sizeof text - 1);
  struct lre_fs_lines *r = lre_fs_lines_open(in_folder("limit"), 9, &err);
  assert_int_equal(next(r, &line, &err), 1);
  assert_int_equal(next(r, &line, &err), -1);
  assert_string_equal(err.code, "line_too_long");
  assert_non_null(strstr(err.message, "limit:2:"));
  assert_int_equal(next(r, &line, &err), -1);
  lre_fs_lines_close(r);
  r = lre_fs_lines_open(in_folder("limit"), 10, &err);
  for (int i = 0; i < 3; i++) assert_int_equal(next(r, &line, &err), 1);
  lre_fs_lines_close(r);
  assert_null(lre_fs_lines_open(in_folder("none"), 0, &err));
  assert_string_equal(err.code, "enoent");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(a_written_file_reads_back),
      cmocka_unit_test(a_file_over_the_limit_is_refused),
      cmocka_unit_test(only_regular_files_are_read),
      cmocka_unit_test(a_file_of_unknown_size_is_read_whole),
      cmocka_unit_test(a_full_disk_leaves_the_old_file_and_no_temporary_one),
      cmocka_unit_test(a_folder_that_may_not_be_written_is_an_error),
      cmocka_unit_test(a_file_never_takes_the_place_of_what_is_no_file),
      cmocka_unit_test(a_link_and_a_device_stay_what_they_are),
      cmocka_unit_test(a_link_to_nothing_yet_leads_to_where_the_file_is_made),
      cmocka_unit_test(a_dead_process_of_our_pid_does_not_block_writing),
      cmocka_unit_test(folders_are_made_and_found_again),
      cmocka_unit_test(stat_tells_what_is_there),
      cmocka_unit_test(names_are_listed_in_the_order_of_their_bytes),
      cmocka_unit_test(lines_come_with_offset_and_number),
      cmocka_unit_test(lines_of_any_length_come_whole),
      cmocka_unit_test(a_line_over_the_limit_is_named),
  };
  return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
