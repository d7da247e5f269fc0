/* nginx.h: the tests' own nginx (tests/nginx), one a test program. ctest runs in the repository root. */
#ifndef LRE_TESTS_NGINX_H
#define LRE_TESTS_NGINX_H

#include <stdlib.h>
#include <sys/wait.h>

#include "test.h"

struct nginx {
  char dir[64];
  int port; /* 0: nginx or its Lua module is not installed; start.sh has said so */
  int tls_port;
};

static inline int read_port(const struct nginx *n, const char *name) {
  char path[128];
  snprintf(path, sizeof path, "%s/%s", n->dir, name);
  char *text = read_whole(path, NULL);
  int port = text ? atoi(text) : 0;
  free(text);
  return port;
}

/* False where it is there but did not start: that is a failure, not a skip. */
static inline bool nginx_start(struct nginx *n) {
  char command[256];
  *n = (struct nginx){.dir = "/tmp/lre-nginx-XXXXXX"};
  if (!mkdtemp(n->dir)) return false;
  snprintf(command, sizeof command, "tests/nginx/start.sh %s >/dev/null", n->dir);
  int status = system(command);
  if (WIFEXITED(status) && WEXITSTATUS(status) == 77) return true;
  n->port = read_port(n, "port");
  n->tls_port = read_port(n, "tls_port");
  return status == 0 && n->port > 0;
}

static inline void nginx_stop(const struct nginx *n) {
  char command[256];
  snprintf(command, sizeof command, "tests/nginx/stop.sh %s; rm -rf %s", n->dir, n->dir);
  if (system(command) != 0) print_message("nginx under %s did not stop\n", n->dir);
}

#endif
