/* value.h: plain Lua values out of and into JSON, and from one state to another.
 *
 * JSON arrays become tables with the array metatable (so that [] stays []); null becomes the null sentinel (a light
 * userdata); a token with '.', 'e' or 'E' becomes a float, any other number an integer. On the way out: a table with
 * the array metatable, or with a first element (t[1] ~= nil) and only 1..n keys, is an array; every other table is an
 * object with string keys; anything else is an error that names the path ("rows[3].value: a function cannot be written
 * as JSON"). Raw access only: no metamethod runs. */
#ifndef LRE_VM_VALUE_H
#define LRE_VM_VALUE_H

#include <lua.h>
#include <stdbool.h>

#include "core/buf.h"
#include "core/err.h"
#include "core/json.h"

/* Pushes one value. May raise a Lua memory error: call with the doc (or text) anchored (userdata) or in a protected
 * call. Of a text that was checked the same comes without a tree, twice as fast. */
void lre_value_push(lua_State *L, const struct lre_json_doc *doc);
void lre_value_push_text(lua_State *L, const struct lre_json_text *text);
/* Canonical text of the value at index. indent 0: compact ("," and ":" without spaces); 2: two spaces a level. Does not
 * raise. */
bool lre_value_encode(lua_State *L, int index, struct lre_buf *out, int indent, struct lre_err *err);
/* Pushes onto `to` a deep copy of a plain value of `from`. Functions: refused, or (placeholders) a C function that
 * raises. */
bool lre_value_copy(lua_State *from, int index, lua_State *to, bool placeholders, struct lre_err *err);
/* One item of a parsed text; the same warning. */
void lre_value_push_item(lua_State *L, const struct cJSON *item);
/* Pushes { kind, code, message } with the metatable "lre.error", whose __tostring is the message. */
void lre_value_push_err(lua_State *L, const struct lre_err *err);
void lre_value_push_null(lua_State *L);
bool lre_value_is_null(lua_State *L, int index);
void lre_value_set_array(lua_State *L, int index); /* gives the table the array metatable */
bool lre_value_is_array(lua_State *L, int index);  /* has it */

#endif
