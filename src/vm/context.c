/* context.c: what every state of ours knows about itself. */
#include "vm/vm.h"

#include "vm/sandbox.h"

struct lre_context *lre_context_get(lua_State *L) {
  return *(struct lre_context **)lua_getextraspace(L);
}

void lre_context_charge(lua_State *L, size_t steps) {
  struct lre_context *context = lre_context_get(L);
  if (context && context->sandbox) lre_sandbox_charge(context->sandbox, L, steps);
}
