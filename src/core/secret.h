/* secret.h: values that must never leave the process's memory.
 *
 * A key is read from an environment variable (or a file) once, kept here, and
 * added to a request by the HTTP layer. Lua never holds it. Everything that is
 * shown or stored passes lre_secret_redact, so a server that echoes a key in
 * its error does not put it on disk. */
#ifndef LRE_CORE_SECRET_H
#define LRE_CORE_SECRET_H

#include <stdbool.h>
#include <stddef.h>

#include "core/buf.h"

struct lre_secrets;

struct lre_secrets *lre_secrets_new(void);
void lre_secrets_free(struct lre_secrets *s); /* wipes */
/* Reads environment variable `env_name`; false where unset or empty. Trailing whitespace is dropped; a value
 * with a control byte is refused (it would split a header). Values of 6 bytes and more are redacted from then on,
 * in raw, JSON-escaped, percent-encoded and base64 ("user:key" of Basic is not ours) form.
 * The variable is then wiped and taken out of the environment: child programs do not inherit it. */
bool lre_secrets_load(struct lre_secrets *s, const char *env_name, struct lre_err *err);
/* Appends the value of a loaded variable; false where it is not loaded. Only for core/http.c. */
bool lre_secrets_append(const struct lre_secrets *s, const char *env_name, struct lre_buf *out);
/* In place: every occurrence becomes "[redacted]". True where something was replaced. */
bool lre_secrets_redact(const struct lre_secrets *s, struct lre_buf *b);

#endif
