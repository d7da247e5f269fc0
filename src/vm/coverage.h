/* coverage.h: which lines of our Lua run. On where $LRE_COVERAGE names a file; for the main state's threads. */
#ifndef LRE_VM_COVERAGE_H
#define LRE_VM_COVERAGE_H

#include <lua.h>

/* Gives a thread the line hook, or, where nothing is counted, no hook at all. */
void lre_coverage_attach(lua_State *L);
/* Appends "<path below share_dir>:<line>" for every line that ran, to $LRE_COVERAGE. */
void lre_coverage_write(lua_State *L, const char *share_dir);

#endif
