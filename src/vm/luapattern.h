/* luapattern.h: Lua patterns (Lua 5.4 manual, 6.4.1) with every step charged.
 *
 * lstrlib's matcher runs for minutes in one call that no hook can stop (`(.-)(.-)(.-)x` on some hundred bytes). This
 * one has the same meaning and counts each character test against the state's budget, so that a bad pattern ends the
 * row and not the run. */
#ifndef LRE_VM_LUAPATTERN_H
#define LRE_VM_LUAPATTERN_H

#include <lua.h>
#include <stdbool.h>
#include <stddef.h>

enum { LRE_LUAPATTERN_CAPTURES = 32 };

struct lre_luapattern;

struct lre_luapattern_capture {
  const char *start;
  ptrdiff_t len; /* or LRE_LUAPATTERN_POSITION */
};
#define LRE_LUAPATTERN_POSITION (-2)

struct lre_luapattern_match {
  const char *subject, *end; /* the whole text */
  const char *start, *stop;  /* the match */
  int n_captures;
  struct lre_luapattern_capture captures[LRE_LUAPATTERN_CAPTURES];
};

/* Compiles; pushes one value that keeps the result alive. Raises Lua's messages for a malformed pattern. The pattern's
 * text must live as long. `anchors`: a leading '^' is an anchor (in gmatch it is a character). */
const struct lre_luapattern *lre_luapattern_new(lua_State *L, const char *text, size_t len, bool anchors);
bool lre_luapattern_anchored(const struct lre_luapattern *p);
/* The first match at or after s; fills start, stop and captures (subject and end are the caller's). */
bool lre_luapattern_search(lua_State *L, const struct lre_luapattern *p, const char *s, struct lre_luapattern_match *m);

#endif
