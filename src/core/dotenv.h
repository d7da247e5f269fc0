/* dotenv.h: a file of environment variables.
 *
 * A line is NAME=value, NAME='value' or NAME="value" (there \n, \t, \\ and \" are read), with or without `export`
 * before it; empty lines and lines that begin with # are skipped, and so is what follows " #" behind a value. Values
 * are not expanded and end with their line. They go from the file into the environment and nowhere else: no message
 * shows one. */
#ifndef LRE_CORE_DOTENV_H
#define LRE_CORE_DOTENV_H

#include <stdbool.h>

#include "core/err.h"

enum { LRE_DOTENV_MAX_BYTES = 65536 };

/* Sets each variable that the environment does not have, and calls `set` (which may be NULL) with its name. A file
 * that does not exist sets nothing. The whole file is read before the first variable is set: a broken one sets none. */
bool lre_dotenv_load(const char *path, void (*set)(void *context, const char *name), void *context,
                     struct lre_err *err);

#endif
