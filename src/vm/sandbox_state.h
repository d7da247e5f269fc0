/* sandbox_state.h: what the sandbox's files share; nobody else includes it. */
#ifndef LRE_VM_SANDBOX_STATE_H
#define LRE_VM_SANDBOX_STATE_H

#include <lua.h>
#include <stdatomic.h>

#include "core/json.h"
#include "core/mt19937.h"
#include "core/regex_bank.h"
#include "vm/alloc.h"
#include "vm/sandbox.h"
#include "vm/vm.h"

/* Why a row (or the loading) was ended. */
struct lre_kill {
  const char
      *code; /* NULL: alive. "steps", "memory", "regex", "impure", "result", or "no_memory": the machine has none */
  uint64_t limit; /* 0: has none */
  char message[512];
};

struct lre_row;

struct lre_sandbox {
  struct lre_context context;
  struct lre_sandbox_spec *spec;
  lua_State *L; /* NULL: must be built again */
  struct lre_kill kill;
  int64_t steps_left;
  struct lre_alloc memory;
  size_t used;    /* bytes that Lua holds */
  bool refused;   /* the allocator said no once: the next growth is the retry after Lua's emergency collection */
  bool collected; /* there was a collection in this row */
  size_t live;    /* bytes held after the last one */
  struct lre_buf evidence;   /* of a row; all of its room is there from the start, so that too little means too large */
  struct lre_json_text text; /* of a row */
  bool loading;
  struct lre_row *row; /* the one being judged */
  bool fresh;          /* no row was judged since it was built */
  size_t baseline;     /* bytes held after loading */
  int *upvalues;       /* which upvalue of function i of the snapshot */
  lua_State *snapshot; /* only a stack: function 1, value 1, function 2, ...; anchored in the registry */
  size_t n_upvalues;
  const char *seed; /* what math.random is seeded from: the row's text, or the source while loading; */
  size_t seed_len;
  const struct lre_answer *seed_answer; /* or what an answer's text would be */
  bool seeded;
  struct lre_mt19937 random;
};

struct lre_module {
  char *name, *chunk_name, *source;
  size_t len;
};

struct lre_sandbox_spec {
  atomic_int references;
  struct lre_sandbox_limits limits;
  void (*preload)(lua_State *L);
  struct lre_module main;
  struct lre_module *modules;
  size_t n_modules;
  struct lre_regex_bank *bank; /* sealed once the first state is loaded */
  bool loaded;                 /* there was a first state */
  char *resting;               /* JSON: what is declared and no row needs; NULL: it is left where it is */
  size_t resting_len;
  char *options; /* JSON, or NULL */
  size_t options_len;
};

/* budget.c */
struct lre_sandbox *lre_sandbox_of(lua_State *L);
void *lre_sandbox_alloc(void *ud, void *block, size_t old_bytes, size_t new_bytes);
void lre_sandbox_arm(struct lre_sandbox *sb); /* a full budget, and a hook that starts counting at 0 */
/* The name of Lua of ours, which no message gives as a place. */
#define LRE_SANDBOX_OWN_CHUNK "=lre"
/* While it runs, in a row: not counted. Starting begins at 0. */
void lre_sandbox_pause_hook(lua_State *L);
void lre_sandbox_start_hook(lua_State *L);
/* Notes the kill (the first one counts), prefixed with the running line; from then on the hook raises it at every
 * instruction. */
void lre_sandbox_note_kill(struct lre_sandbox *sb, lua_State *L, const char *code, uint64_t limit, const char *text);
/* After a protected call: running out of memory is a kill, whose memory it ever was. */
void lre_sandbox_note_status(struct lre_sandbox *sb, lua_State *L, int status);
int lre_sandbox_raise(lua_State *L);
int lre_sandbox_pcall(lua_State *L); /* pcall and xpcall that pass a kill on */
int lre_sandbox_xpcall(lua_State *L);

/* freeze_module.c: freezes all that the values at first..last reach, and keeps a snapshot of the upvalues on the way.
 * Raises a refusal. */
void lre_sandbox_freeze(struct lre_sandbox *sb, lua_State *L, int first, int last);
/* Marks the functions in the table at index as a library's: those may have upvalues. */
void lre_sandbox_mark_library(lua_State *L, int index);
/* Marks and freezes it, and the tables in it. */
void lre_sandbox_freeze_library(lua_State *L, int index);
/* False: a module-level local was changed; the kill "impure" is noted. */
bool lre_sandbox_verify(struct lre_sandbox *sb, lua_State *L);

/* sandlib.c, sandtable.c, sandstring.c, sandnext.c: each open pushes its table. */
void lre_sandbox_open(lua_State *L); /* makes the globals, not frozen yet */
/* Where messages and tracebacks look up what a function is called. */
void lre_sandbox_name_library(lua_State *L, int index, const char *name);
int lre_sandbox_tostring(lua_State *L);
void lre_sandbox_push_text(lua_State *L, int index); /* tostring without addresses: pushes a string */
int lre_sandbox_next(lua_State *L);
int lre_sandbox_pairs(lua_State *L);
void lre_sandbox_open_table(lua_State *L);
void lre_sandbox_open_string(lua_State *L);
void lre_sandbox_open_math(lua_State *L);
void lre_sandbox_open_utf8(lua_State *L);
/* Replaces function `name` of the table on top by one that first charges the bytes of its string arguments. */
void lre_sandbox_charged(lua_State *L, const char *name);
#endif
