#include "core/process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/clock.h"

/* The child keeps our environment, keys too: a program that calls a provider needs them. What it prints is as foreign
 * as any reply, so whoever stores it redacts it first. */
extern char **environ;

enum {
  DEFAULT_MAX_OUTPUT = 16 << 20,
  READ_BYTES = 64 << 10,
  TICK_MS = 20,    /* how often cancel and the child's end are looked for when no byte comes */
  GRACE_MS = 2000, /* between SIGTERM and SIGKILL */
  LINGER_MS = 200, /* output is awaited this long after the child's end, where a descendant holds the pipe open */
};

static const uint64_t NS_PER_MS = 1000000;

struct child {
  const struct lre_process_request *request;
  struct lre_process_result *result;
  pid_t pid;
  int in, out, err_out; /* our ends; -1: closed */
  size_t written;
  uint64_t deadline_ns; /* 0: none */
  uint64_t kill_ns;     /* SIGKILL is due; 0: not stopping */
  uint64_t ended_ns;    /* seen to have ended; 0: runs */
  int silent_ticks;
  struct lre_err *err;
  bool failed;
};

static void close_fd(int *fd) {
  if (*fd >= 0) close(*fd);
  *fd = -1;
}

/* SIGPIPE is blocked in this thread while it writes to the child; one that came of it is taken away again. */
static void block_sigpipe(sigset_t *old, bool *was_pending) {
  sigset_t pipe_set, pending;
  sigemptyset(&pipe_set);
  sigaddset(&pipe_set, SIGPIPE);
  sigpending(&pending);
  *was_pending = sigismember(&pending, SIGPIPE) == 1;
  pthread_sigmask(SIG_BLOCK, &pipe_set, old);
}

static void restore_sigpipe(const sigset_t *old, bool was_pending) {
  sigset_t pipe_set;
  struct timespec none = {0, 0};
  sigemptyset(&pipe_set);
  sigaddset(&pipe_set, SIGPIPE);
  while (!was_pending && sigtimedwait(&pipe_set, NULL, &none) < 0 && errno == EINTR) {
  }
  pthread_sigmask(SIG_SETMASK, old, NULL);
}

/* A group of its own, no blocked or ignored signal inherited. */
static int set_attributes(posix_spawnattr_t *attr) {
  sigset_t none, usual;
  sigemptyset(&none);
  sigfillset(&usual);
  sigdelset(&usual, SIGKILL);
  sigdelset(&usual, SIGSTOP);
  int failed = posix_spawnattr_setpgroup(attr, 0);
  if (!failed) failed = posix_spawnattr_setsigmask(attr, &none);
  if (!failed) failed = posix_spawnattr_setsigdefault(attr, &usual);
  if (failed) return failed;
  return posix_spawnattr_setflags(attr, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
}

/* The child's ends of the pipes become 0, 1, 2; all else is close-on-exec. */
static int spawn(struct child *c, const int ends[3]) {
  posix_spawn_file_actions_t actions;
  posix_spawnattr_t attr;
  int failed = posix_spawn_file_actions_init(&actions);
  if (failed) return failed;
  failed = posix_spawnattr_init(&attr);
  if (!failed) {
    for (int i = 0; i < 3 && !failed; i++) failed = posix_spawn_file_actions_adddup2(&actions, ends[i], i);
    if (!failed) failed = set_attributes(&attr);
    /* posix_spawnp's type is not const-correct; it does not write to argv. */
    char *const *argv = (char *const *)(uintptr_t)c->request->argv;
    if (!failed) failed = posix_spawnp(&c->pid, argv[0], &actions, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
  }
  posix_spawn_file_actions_destroy(&actions);
  return failed;
}

/* dup2 in the child must not meet a pipe end that is 0, 1 or 2 itself: with these closed, pipe2 gives them out. */
static int make_pipe(int fds[2]) {
  if (pipe2(fds, O_CLOEXEC) < 0) return errno;
  for (int i = 0; i < 2; i++) {
    if (fds[i] > 2) continue;
    int high = fcntl(fds[i], F_DUPFD_CLOEXEC, 3), failed = errno;
    if (high < 0) {
      close_fd(&fds[0]);
      close_fd(&fds[1]);
      return failed;
    }
    close(fds[i]);
    fds[i] = high;
  }
  return 0;
}

static bool start_failed(struct child *c, int failed) {
  const char *name = c->request->argv[0];
  if (failed == ENOENT) return lre_err_set(c->err, "process", "not_found", "program %s was not found", name);
  return lre_err_set(c->err, "process", "spawn", "program %s did not start: %s", name, strerror(failed));
}

static bool start(struct child *c) {
  int in[2] = {-1, -1}, out[2] = {-1, -1}, err_out[2] = {-1, -1};
  int failed = make_pipe(in);
  if (!failed) failed = make_pipe(out);
  if (!failed) failed = make_pipe(err_out);
  if (!failed) failed = spawn(c, (const int[3]){in[0], out[1], err_out[1]});
  close_fd(&in[0]);
  close_fd(&out[1]);
  close_fd(&err_out[1]);
  c->in = in[1];
  c->out = out[0];
  c->err_out = err_out[0];
  if (failed) return start_failed(c, failed);
  const int ours[3] = {c->in, c->out, c->err_out};
  for (int i = 0; i < 3; i++) (void)fcntl(ours[i], F_SETFL, O_NONBLOCK);
  return true;
}

/* The first failure stands. The group is asked to end; what it still says is thrown away. */
static void stop(struct child *c, const char *code, const char *why) {
  if (c->failed) return;
  c->failed = true;
  lre_err_set(c->err, "process", code, "program %s %s", c->request->argv[0], why);
  kill(-c->pid, SIGTERM);
  c->kill_ns = lre_clock_mono_ns() + GRACE_MS * NS_PER_MS;
  close_fd(&c->in);
}

static void feed(struct child *c) {
  size_t left = c->request->input_len - c->written;
  ssize_t n = left ? write(c->in, c->request->input + c->written, left) : 0;
  if (n > 0) c->written += (size_t)n;
  bool wait = n < 0 && (errno == EAGAIN || errno == EINTR);
  if (c->written == c->request->input_len || (n < 0 && !wait)) close_fd(&c->in); /* EPIPE: it wants no more */
}

static void take(struct child *c, int *fd, struct lre_buf *to) {
  char bytes[READ_BYTES];
  ssize_t n = read(*fd, bytes, sizeof bytes);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    close_fd(fd);
  } else if (c->failed) { /* read on, so that a child that ends well on SIGTERM is not stuck in a write */
  } else if ((size_t)n > to->max_bytes - to->len) {
    lre_buf_put(to, bytes, to->max_bytes - to->len);
    stop(c, "too_large", "wrote more than the limit");
  } else if (!lre_buf_put(to, bytes, (size_t)n)) {
    stop(c, "io", "wrote more than there is memory for");
  }
}

static void transfer(struct child *c, int timeout_ms) {
  struct pollfd p[3] = {{.fd = c->in, .events = POLLOUT}, /* a negative one is passed over */
                        {.fd = c->out, .events = POLLIN},
                        {.fd = c->err_out, .events = POLLIN}};
  if (poll(p, 3, timeout_ms) <= 0) return;
  if (p[0].revents && c->in >= 0) feed(c);
  if (p[1].revents) take(c, &c->out, &c->result->out);
  if (p[2].revents) take(c, &c->err_out, &c->result->err_out);
}

/* The ended child stays a zombie until the end, so that its pid cannot become another's while we may signal it. */
static bool has_ended(const struct child *c) {
  siginfo_t info = {0};
  return waitid(P_PID, (id_t)c->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0 || info.si_pid == c->pid;
}

static bool is_silent(const struct child *c) {
  return c->out < 0 && c->err_out < 0;
}

static int tick_ms(struct child *c, uint64_t now) {
  int ms = is_silent(c) && c->silent_ticks++ < TICK_MS ? 1 : TICK_MS; /* silent: its end is near as a rule */
  if (c->deadline_ns > now && (c->deadline_ns - now) / NS_PER_MS < (uint64_t)ms)
    ms = (int)((c->deadline_ns - now) / NS_PER_MS) + 1;
  return ms;
}

static void check_limits(struct child *c, uint64_t now) {
  const struct lre_process_request *r = c->request;
  if (r->cancel && atomic_load(r->cancel)) stop(c, "cancelled", "was cancelled");
  if (c->deadline_ns && now >= c->deadline_ns) stop(c, "timeout", "did not end in time");
  if (c->kill_ns && now >= c->kill_ns) kill(-c->pid, SIGKILL);
}

static void run_to_end(struct child *c) {
  for (;;) {
    uint64_t now = lre_clock_mono_ns();
    if (!c->ended_ns && has_ended(c)) c->ended_ns = now;
    if (c->ended_ns && (is_silent(c) || c->failed || now - c->ended_ns >= LINGER_MS * NS_PER_MS)) return;
    if (!c->ended_ns) check_limits(c, now);
    transfer(c, tick_ms(c, now));
  }
}

/* Reaps the child, after whatever it left behind in its group. */
static void reap(struct child *c) {
  int status = 0;
  kill(-c->pid, SIGKILL);
  pid_t got;
  do got = waitpid(c->pid, &status, 0);
  while (got < 0 && errno == EINTR);
  if (got == c->pid && WIFEXITED(status)) c->result->exit_code = WEXITSTATUS(status);
  if (got == c->pid && WIFSIGNALED(status)) c->result->signal = WTERMSIG(status);
}

bool lre_process_run(const struct lre_process_request *request, struct lre_process_result *out, struct lre_err *err) {
  struct child c = {.request = request, .result = out, .in = -1, .out = -1, .err_out = -1, .err = err};
  sigset_t old;
  bool was_pending;
  *out = (struct lre_process_result){.exit_code = -1};
  lre_buf_init(&out->out);
  lre_buf_init(&out->err_out);
  out->out.max_bytes = request->max_output_bytes ? request->max_output_bytes : DEFAULT_MAX_OUTPUT;
  out->err_out.max_bytes = out->out.max_bytes;
  if (!request->argv || !request->argv[0] || !*request->argv[0])
    return lre_err_set(err, "process", "not_found", "no program was named");
  if (request->timeout_ms) c.deadline_ns = lre_clock_mono_ns() + request->timeout_ms * NS_PER_MS;
  block_sigpipe(&old, &was_pending);
  bool ok = start(&c);
  if (ok) {
    run_to_end(&c);
    reap(&c);
    ok = !c.failed;
  }
  close_fd(&c.in);
  close_fd(&c.out);
  close_fd(&c.err_out);
  restore_sigpipe(&old, was_pending);
  return ok;
}

void lre_process_result_free(struct lre_process_result *r) {
  lre_buf_free(&r->out);
  lre_buf_free(&r->err_out);
}
