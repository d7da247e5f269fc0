/* freeze.h: tables that can be read and not changed.
 *
 * A table is frozen in place: its content moves to a hidden table, and the (now empty) table gets a metatable that
 * reads through and refuses to write. So every reference to it, wherever it is kept, is frozen with it. C code with raw
 * access asks lre_freeze_target first. */
#ifndef LRE_VM_FREEZE_H
#define LRE_VM_FREEZE_H

#include <lua.h>
#include <stdbool.h>

enum lre_freeze_kind { LRE_FREEZE_GLOBALS, LRE_FREEZE_LIBRARY, LRE_FREEZE_MODULE };

/* True where the value at index is a frozen table: its content is pushed. False: nothing is pushed. Never raises. */
bool lre_freeze_target(lua_State *L, int index);
/* Pushes the table at index, or what it hides. */
void lre_freeze_look(lua_State *L, int index);
/* True where the table on the top of the stack is what a frozen table hides: replaced by that frozen table. */
bool lre_freeze_front(lua_State *L);
/* Freezes the table at index, and not the tables in it. May raise a memory error. */
void lre_freeze_table(lua_State *L, int index, enum lre_freeze_kind kind);

#endif
