/* fuzz: no file of tensors makes its reader look beyond it, and what is taken fills the file exactly. */
#include "infer/safetensors.h"

#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct lre_err err;
  char *file = fuzz_copy(data, size);
  lre_safetensors_check(file, size, &err);
  free(file);
  return 0;
}
