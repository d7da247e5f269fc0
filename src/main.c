/* main.c: arguments, signals, exit code. Everything else begins in lua/lre/cli.lua. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "bind/bind.h"
#include "vm/sched.h"
#include "vm/vm.h"

static void on_signal(int signum) {
  int saved = errno;
  bool handed = lre_sched_signal(signum);
  if (!handed && (signum == SIGINT || signum == SIGTERM)) _exit(128 + signum);
  errno = saved;
}

static void install(int signum, void (*handler)(int)) {
  struct sigaction action;
  memset(&action, 0, sizeof action);
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  sigaction(signum, &action, NULL);
}

static void install_signals(void) {
  install(SIGINT, on_signal);
  install(SIGTERM, on_signal);
  install(SIGUSR1, on_signal);
#ifdef SIGINFO
  install(SIGINFO, on_signal);
#endif
  install(SIGPIPE, SIG_IGN);
}

/* The number of a closed standard stream would go to the next file that is opened, and messages into it: the journal.
 * /dev/null takes its place, opened the wrong way round, so that using it is the error that it was. */
static void fill_standard_streams(void) {
  for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
    if (fcntl(fd, F_GETFD) >= 0) continue;
    if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd) _exit(4);
  }
}

int main(int argc, char **argv) {
  struct lre_vm_options options = {.argc = argc, .argv = argv, .preload = lre_bind_preload};
  struct lre_err err;
  fill_standard_streams();
  install_signals();
  struct lre_vm *vm = lre_vm_new(&options, &err);
  if (!vm) {
    fprintf(stderr, "lre: %s\n", err.message);
    return 4;
  }
  int code = lre_vm_main(vm);
  lre_vm_free(vm);
  return code;
}
