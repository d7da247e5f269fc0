/* fuzz: a target in Lua. tests/fuzz/FUZZ_TARGET.lua returns a function of a string; what it raises is a finding. */
#include <lauxlib.h>
#include <lualib.h>

#include "bind/bind.h"
#include "fuzz.h"
#include "vm/vm.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);

static struct lre_vm *vm;
static int function_ref;

int LLVMFuzzerInitialize(int *argc, char ***argv) {
  static char *no_args[] = {"fuzz", NULL};
  (void)argc;
  (void)argv;
  struct lre_err err;
  struct lre_vm_options options = {
      .argc = 1, .argv = no_args, .preload = lre_bind_preload, .lua_dir = FUZZ_SOURCE "/lua"};
  vm = lre_vm_new(&options, &err);
  FUZZ_HOLDS(vm != NULL);
  lua_State *L = lre_vm_state(vm);
  if (luaL_loadfile(L, FUZZ_SOURCE "/tests/fuzz/" FUZZ_TARGET ".lua") || lua_pcall(L, 0, 1, 0)) {
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
    abort();
  }
  function_ref = luaL_ref(L, LUA_REGISTRYINDEX);
  return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  lua_State *L = lre_vm_state(vm);
  lua_settop(L, 0);
  lua_pushcfunction(L, lre_vm_traceback);
  lua_rawgeti(L, LUA_REGISTRYINDEX, function_ref);
  lua_pushlstring(L, (const char *)data, size);
  if (lua_pcall(L, 1, 0, 1) != LUA_OK) {
    fprintf(stderr, "%s\n", luaL_tolstring(L, -1, NULL));
    abort();
  }
  return 0;
}
