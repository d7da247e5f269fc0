/* budget.c: steps and memory of a sandbox, and the kill that nothing catches. */
#include <inttypes.h>
#include <lauxlib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "vm/sandbox_state.h"

enum {
  LOAD_STEPS = 100000000, /* about a second; the default judge takes 4 million, most of them for its patterns */
  HOOK_STEPS = 1000,      /* instructions between two looks at the budget */
  BYTES_PER_STEP = 64,    /* copying or marking this many bytes takes about as long as one instruction */
  CHARGED_BYTES = 1024,   /* a smaller allocation is part of the instruction that makes it */
  MAX_VARARGS = 10000,    /* one instruction copies them all: more of them would outrun the hook */
};

static const char kill_mark = 0; /* its address is the error value of a kill */

struct lre_sandbox *lre_sandbox_of(lua_State *L) {
  return lre_context_get(L)->sandbox;
}

/* "judges/x.lua:31: " of the innermost Lua function, or nothing. Allocates nothing. */
static void describe_place(lua_State *L, char *out, size_t size) {
  lua_Debug ar;
  out[0] = '\0';
  for (int level = 0; lua_getstack(L, level, &ar); level++) {
    lua_getinfo(L, "Sl", &ar);
    if (ar.currentline <= 0 || strcmp(ar.source, LRE_SANDBOX_OWN_CHUNK) == 0) continue;
    snprintf(out, size, "%s:%d: ", *ar.source == '@' ? ar.source + 1 : ar.short_src, ar.currentline);
    return;
  }
}

static void on_count(lua_State *L, lua_Debug *ar);

void lre_sandbox_note_kill(struct lre_sandbox *sb, lua_State *L, const char *code, uint64_t limit, const char *text) {
  if (sb->kill.code) return;
  char place[256];
  describe_place(L, place, sizeof place);
  sb->kill.code = code;
  sb->kill.limit = limit;
  snprintf(sb->kill.message, sizeof sb->kill.message, "%s%s", place, text);
  lua_sethook(L, on_count, LUA_MASKCOUNT, 1); /* a handler or a __close must not outrun it */
}

int lre_sandbox_raise(lua_State *L) {
  lua_pushlightuserdata(L, (void *)&kill_mark);
  return lua_error(L);
}

/* A file is loaded once a state, and compiles its patterns then: so its budget is another, and no flag's. */
static uint64_t budget_steps(const struct lre_sandbox *sb) {
  return sb->loading ? LOAD_STEPS : sb->spec->limits.steps;
}

static void kill_steps(struct lre_sandbox *sb, lua_State *L) {
  char text[128];
  uint64_t steps = budget_steps(sb);
  if (sb->loading)
    snprintf(text, sizeof text, "the file used its %" PRIu64 " steps while it was loaded; let it do less then", steps);
  else
    snprintf(text, sizeof text, "the judge used its %" PRIu64 " steps on this row; raise --judge-steps", steps);
  lre_sandbox_note_kill(sb, L, "steps", steps, text);
}

static void spend(struct lre_sandbox *sb, size_t steps) {
  uint64_t left = sb->steps_left > 0 ? (uint64_t)sb->steps_left : 0;
  sb->steps_left = steps >= left ? 0 : (int64_t)(left - steps);
}

/* luaL_Buffer asks the allocator itself, without the collection that comes before Lua's own second try: so it is made
 * ahead of need. */
static void collect_early(struct lre_sandbox *sb, lua_State *L) {
  size_t cap = sb->spec->limits.bytes;
  if (sb->used < cap / 4 * 3 || sb->used < sb->live + cap / 8) return;
  lua_gc(L, LUA_GCCOLLECT);
  sb->collected = true;
  sb->live = sb->used;
  spend(sb, sb->used / BYTES_PER_STEP);
}

void lre_sandbox_charge(struct lre_sandbox *sb, lua_State *L, size_t steps) {
  spend(sb, steps);
  collect_early(sb, L);
  if (sb->steps_left <= 0) kill_steps(sb, L);
  if (sb->kill.code) lre_sandbox_raise(L);
}

static void on_count(lua_State *L, lua_Debug *ar) {
  struct lre_sandbox *sb = lre_sandbox_of(L);
  size_t steps = HOOK_STEPS;
  if (!sb->kill.code && lua_getstack(L, 0, ar) && lua_getlocal(L, ar, -MAX_VARARGS)) {
    lua_pop(L, 1);
    steps *= MAX_VARARGS / BYTES_PER_STEP;
  }
  lre_sandbox_charge(sb, L, steps);
}

void lre_sandbox_arm(struct lre_sandbox *sb) {
  sb->kill.code = NULL;
  sb->refused = false;
  sb->collected = false;
  sb->live = 0;
  sb->seeded = false;
  sb->steps_left = budget_steps(sb) > INT64_MAX ? INT64_MAX : (int64_t)budget_steps(sb);
  lre_sandbox_start_hook(sb->L);
}

void lre_sandbox_start_hook(lua_State *L) {
  lua_sethook(L, on_count, LUA_MASKCOUNT, HOOK_STEPS);
}

void lre_sandbox_pause_hook(lua_State *L) {
  lua_sethook(L, NULL, 0, 0);
}

int lre_sandbox_kill_regex(struct lre_sandbox *sb, lua_State *L, const struct lre_err *err) {
  char text[384];
  snprintf(text, sizeof text, "%s; raise --regex-match-limit", err->message);
  lre_sandbox_note_kill(sb, L, "regex", sb->spec->limits.regex_match, text);
  return lre_sandbox_raise(L);
}

static void note_memory(struct lre_sandbox *sb, lua_State *L) {
  char text[128];
  size_t cap = sb->spec->limits.bytes;
  snprintf(text, sizeof text, "%s holds more than %zu bytes; raise --judge-memory",
           sb->loading ? "the file" : "the judge", cap);
  lre_sandbox_note_kill(sb, L, "memory", cap, text);
}

/* The first refusal makes Lua collect everything and ask again, so that only live memory counts; the second is the
 * kill. */
static bool may_grow(struct lre_sandbox *sb, size_t more) {
  size_t cap = sb->spec->limits.bytes;
  if (sb->used <= cap && more <= cap - sb->used) {
    if (sb->refused) spend(sb, sb->used / BYTES_PER_STEP); /* what the collection marked */
    sb->refused = false;
    return true;
  }
  if (sb->refused && sb->L) note_memory(sb, sb->L);
  sb->refused = !sb->refused;
  sb->collected = true;
  return false;
}

void *lre_sandbox_alloc(void *ud, void *block, size_t old_bytes, size_t new_bytes) {
  struct lre_sandbox *sb = ud;
  size_t old = block ? old_bytes : 0; /* of a new block it is a type's number */
  if (new_bytes == 0) {
    sb->used -= old;
    return lre_alloc_resize(&sb->memory, block, old, 0);
  }
  if (new_bytes > old) {
    if (!may_grow(sb, new_bytes - old)) return NULL;
    /* Only new blocks: what grows (the stack, the table of strings) may have grown for another row before. */
    if (!block && new_bytes >= CHARGED_BYTES) spend(sb, new_bytes / BYTES_PER_STEP);
  }
  void *p = lre_alloc_resize(&sb->memory, block, old, new_bytes);
  if (p) sb->used = sb->used - old + new_bytes;
  return p;
}

void lre_sandbox_note_status(struct lre_sandbox *sb, lua_State *L, int status) {
  if (status != LUA_ERRMEM || sb->kill.code) return;
  if (sb->refused) { /* luaL_Buffer does not ask twice */
    note_memory(sb, L);
  } else {
    lre_sandbox_note_kill(sb, L, "no_memory", 0, "this machine has no memory for the judge");
  }
}

/* After a failed protected call: a kill goes on upwards. */
static void pass_kill(lua_State *L, int status) {
  struct lre_sandbox *sb = lre_sandbox_of(L);
  lre_sandbox_note_status(sb, L, status);
  if (status != LUA_OK && sb->kill.code) lre_sandbox_raise(L);
}

int lre_sandbox_pcall(lua_State *L) {
  luaL_checkany(L, 1);
  int status = lua_pcall(L, lua_gettop(L) - 1, LUA_MULTRET, 0);
  pass_kill(L, status);
  luaL_checkstack(L, 1, "too many results");
  lua_pushboolean(L, status == LUA_OK);
  lua_insert(L, 1);
  return lua_gettop(L);
}

static int handle(lua_State *L) {
  if (lre_sandbox_of(L)->kill.code) return 1;
  lua_pushvalue(L, lua_upvalueindex(1));
  lua_insert(L, 1);
  lua_call(L, lua_gettop(L) - 1, 1);
  return 1;
}

int lre_sandbox_xpcall(lua_State *L) {
  luaL_checktype(L, 2, LUA_TFUNCTION);
  lua_pushvalue(L, 2);
  lua_pushcclosure(L, handle, 1);
  lua_replace(L, 2);
  lua_pushvalue(L, 1); /* f handler args... f */
  lua_insert(L, 3);
  int status = lua_pcall(L, lua_gettop(L) - 3, LUA_MULTRET, 2);
  pass_kill(L, status);
  luaL_checkstack(L, 1, "too many results");
  lua_pushboolean(L, status == LUA_OK);
  lua_replace(L, 2);
  return lua_gettop(L) - 1;
}
