/* sandpattern.h: find, match, gmatch and gsub of a sandbox's string library. */
#ifndef LRE_VM_SANDPATTERN_H
#define LRE_VM_SANDPATTERN_H

#include <lua.h>

int lre_sandpattern_find(lua_State *L);
int lre_sandpattern_match(lua_State *L);
int lre_sandpattern_gmatch(lua_State *L);
int lre_sandpattern_gsub(lua_State *L);

#endif
