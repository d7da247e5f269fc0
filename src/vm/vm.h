/* vm.h: the main Lua state and what belongs to it. */
#ifndef LRE_VM_VM_H
#define LRE_VM_VM_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/err.h"
#include "core/regex.h"
#include "core/secret.h"

struct lre_vm;
struct lre_sched;
struct lre_sandbox;

/* What lua_getextraspace of every state of ours points to (coroutines inherit it). */
struct lre_context {
  struct lre_vm *vm;                           /* the main state's; NULL in a sandbox */
  struct lre_sandbox *sandbox;                 /* NULL in the main state */
  struct lre_regex_scratch *scratch;           /* this state's own: a state runs on one thread at a time */
  struct lre_regex_bank *bank;                 /* where a sandbox's patterns are compiled; NULL in the main state */
  const void *pattern_type, *pattern_set_type; /* the metatables of lre.regex */
};
struct lre_context *lre_context_get(lua_State *L);

/* Charges `steps` to a sandbox's budget (may raise its kill); nothing in the main state. A helper in C that looks at
 * n bytes or n elements charges n before it works. */
void lre_context_charge(lua_State *L, size_t steps);

struct lre_vm_options {
  int argc;
  char **argv;
  void (*preload)(lua_State *L); /* lre_bind_preload: vm/ knows no binding */
  const char *lua_dir; /* NULL: found: $LRE_HOME/lua, the build tree's, <prefix>/share/lre/lua beside the binary */
};

/* Opens Lua's libraries (without os.setlocale, with the scheduler's coroutine, pcall and xpcall), preloads the
 * bindings, sets package.path to our Lua, then the system's, and package.cpath to nothing of the working directory.
 * `lre_lua_dir` and `lre_share_dir` are given to Lua as require("lre.platform").lua_dir / .share_dir. */
struct lre_vm *lre_vm_new(const struct lre_vm_options *options, struct lre_err *err);
void lre_vm_free(struct lre_vm *vm);
lua_State *lre_vm_state(struct lre_vm *vm);
struct lre_sched *lre_vm_sched(struct lre_vm *vm);
struct lre_secrets *lre_vm_secrets(struct lre_vm *vm);

/* Runs require("lre.cli").main(args) as the first task and the loop until it ends. Returns the process's exit code; a
 * script error prints "lre: <message>" with its traceback on stderr (redacted, escaped) and gives 3. */
int lre_vm_main(struct lre_vm *vm);

/* Folders, without a slash at the end: our Lua, and what lies beside it (suites, judges, examples, docs). */
const char *lre_vm_lua_dir(const struct lre_vm *vm);
const char *lre_vm_share_dir(const struct lre_vm *vm);

/* os.getenv of the main state: raises for a variable that was loaded as a secret, which lre_vm_hide_env says. */
int lre_vm_getenv(lua_State *L);
void lre_vm_hide_env(lua_State *L, const char *name);

/* A line (or several) on stderr, redacted and safe for a terminal. */
void lre_vm_complain(lua_State *L, const char *text);

/* A traceback handler for lua_pcall from C: keeps error tables, adds a traceback to strings. */
int lre_vm_traceback(lua_State *L);

#endif
