#include "core/secret.h"

#include <stdlib.h>
#include <string.h>

#include "core/platform.h"

/* A value of fewer bytes occurs in honest text too often to be cut out of it. */
enum { MIN_REDACTED_BYTES = 6 };

static const char REDACTED[] = "[redacted]";

struct secret {
  struct secret *next;
  char *env_name;
  char *value;
  size_t len;
};

/* One spelling of one value that must not leave. Sorted longest first: a spelling may begin with a shorter one. */
struct needle {
  char *text;
  size_t len;
};

struct lre_secrets {
  struct secret *first;
  struct needle *needles;
  size_t n_needles, cap_needles;
};

static void wipe_free(char *p, size_t len) {
  if (p) explicit_bzero(p, len);
  free(p);
}

static void wipe_buf(struct lre_buf *b) {
  if (b->data) explicit_bzero(b->data, b->cap);
  lre_buf_free(b);
}

struct lre_secrets *lre_secrets_new(void) {
  return calloc(1, sizeof(struct lre_secrets));
}

static void free_secret(struct secret *s) {
  wipe_free(s->value, s->len);
  free(s->env_name);
  free(s);
}

void lre_secrets_free(struct lre_secrets *s) {
  if (!s) return;
  while (s->first) {
    struct secret *next = s->first->next;
    free_secret(s->first);
    s->first = next;
  }
  for (size_t i = 0; i < s->n_needles; i++) wipe_free(s->needles[i].text, s->needles[i].len);
  free(s->needles);
  free(s);
}

static struct secret *find(const struct lre_secrets *s, const char *env_name) {
  for (struct secret *p = s->first; p; p = p->next)
    if (strcmp(p->env_name, env_name) == 0) return p;
  return NULL;
}

/* `text` is built in memory of its final size: a growing buffer would leave copies behind. */
static bool add_needle(struct lre_secrets *s, const char *text, size_t len) {
  for (size_t i = 0; i < s->n_needles; i++)
    if (s->needles[i].len == len && memcmp(s->needles[i].text, text, len) == 0) return true;
  if (s->n_needles == s->cap_needles) {
    size_t cap = s->cap_needles ? s->cap_needles * 2 : 8;
    struct needle *grown = realloc(s->needles, cap * sizeof *grown);
    if (!grown) return false;
    s->needles = grown;
    s->cap_needles = cap;
  }
  char *copy = malloc(len + 1);
  if (!copy) return false;
  memcpy(copy, text, len);
  copy[len] = '\0';
  size_t at = s->n_needles++;
  for (; at > 0 && s->needles[at - 1].len < len; at--) s->needles[at] = s->needles[at - 1];
  s->needles[at] = (struct needle){copy, len};
  return true;
}

static size_t json_escape(const char *s, size_t len, bool slashes, char *out) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    if (s[i] == '"' || s[i] == '\\' || (slashes && s[i] == '/')) out[n++] = '\\';
    out[n++] = s[i];
  }
  return n;
}

static size_t percent_encode(const char *s, size_t len, const char *digits, char *out) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)s[i];
    if (memchr(plain, c, sizeof plain - 1)) {
      out[n++] = s[i];
    } else {
      out[n++] = '%';
      out[n++] = digits[c >> 4];
      out[n++] = digits[c & 15];
    }
  }
  return n;
}

/* Without padding, so that both padded and unpadded text hold it. */
static size_t base64(const char *s, size_t len, bool url, char *out) {
  const char *digits = url ? "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
                           : "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  size_t n = 0;
  for (size_t i = 0; i < len; i += 3) {
    size_t have = len - i < 3 ? len - i : 3;
    unsigned group = (unsigned)(unsigned char)s[i] << 16;
    if (have > 1) group |= (unsigned)(unsigned char)s[i + 1] << 8;
    if (have > 2) group |= (unsigned char)s[i + 2];
    for (size_t k = 0; k <= have; k++) out[n++] = digits[group >> (18 - 6 * k) & 63];
  }
  return n;
}

static bool add_spellings(struct lre_secrets *s, const char *value, size_t len) {
  if (len < MIN_REDACTED_BYTES) return true;
  size_t cap = len * 3 + 4; /* percent-encoding is the longest spelling */
  char *text = malloc(cap);
  if (!text) return false;
  bool ok = add_needle(s, value, len) && add_needle(s, text, json_escape(value, len, false, text)) &&
            add_needle(s, text, json_escape(value, len, true, text)) &&
            add_needle(s, text, percent_encode(value, len, "0123456789ABCDEF", text)) &&
            add_needle(s, text, percent_encode(value, len, "0123456789abcdef", text)) &&
            add_needle(s, text, base64(value, len, false, text)) && add_needle(s, text, base64(value, len, true, text));
  wipe_free(text, cap);
  return ok;
}

static bool has_control(const char *value, size_t len) {
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)value[i] < 0x20 || value[i] == 0x7F) return true;
  return false;
}

static bool keep(struct lre_secrets *s, const char *env_name, const char *value, size_t len) {
  struct secret *p = calloc(1, sizeof *p);
  if (!p) return false;
  p->env_name = strdup(env_name);
  p->value = malloc(len + 1);
  p->len = len;
  if (!p->env_name || !p->value) {
    p->len = p->value ? len : 0;
    free_secret(p);
    return false;
  }
  memcpy(p->value, value, len);
  p->value[len] = '\0';
  p->next = s->first;
  s->first = p;
  return add_spellings(s, value, len);
}

/* Child programs inherit the environment and /proc/PID/environ shows it: the value is overwritten where it stands. */
static void forget_variable(const char *env_name, char *value) {
  explicit_bzero(value, strlen(value));
  unsetenv(env_name);
}

bool lre_secrets_load(struct lre_secrets *s, const char *env_name, struct lre_err *err) {
  char *value = getenv(env_name);
  if (!value && find(s, env_name)) return true; /* taken out of the environment before */
  size_t len = value ? strlen(value) : 0;
  while (len > 0 && strchr(" \t\r\n", value[len - 1])) len--;
  if (len == 0) {
    const char *state = value ? "empty" : "not set";
    return lre_err_set(err, "argument", "unset", "environment variable %s is %s", env_name, state);
  }
  if (has_control(value, len))
    return lre_err_set(err, "argument", "control_byte", "environment variable %s holds a control byte", env_name);
  lre_platform_no_core_dump();
  /* A changed value is put in front of the old one, which stays: it must still be redacted. */
  if (!keep(s, env_name, value, len)) return lre_err_memory(err);
  forget_variable(env_name, value);
  return true;
}

bool lre_secrets_append(const struct lre_secrets *s, const char *env_name, struct lre_buf *out) {
  const struct secret *p = find(s, env_name);
  return p && lre_buf_put(out, p->value, p->len);
}

static bool replace_all(struct lre_buf *b, const struct needle *needle) {
  const char *hit = memmem(b->data, b->len, needle->text, needle->len);
  if (!hit) return false;
  struct lre_buf clean;
  lre_buf_init(&clean);
  const char *from = b->data, *end = b->data + b->len;
  for (; hit; hit = memmem(from, (size_t)(end - from), needle->text, needle->len)) {
    lre_buf_put(&clean, from, (size_t)(hit - from));
    lre_buf_put(&clean, REDACTED, sizeof REDACTED - 1);
    from = hit + needle->len;
  }
  lre_buf_put(&clean, from, (size_t)(end - from));
  size_t max_bytes = b->max_bytes;
  wipe_buf(b);
  if (clean.failed) wipe_buf(&clean); /* no memory: rather nothing than the secret; `failed` says so */
  bool failed = clean.data == NULL;
  *b = clean;
  b->max_bytes = max_bytes;
  b->failed = failed;
  return true;
}

bool lre_secrets_redact(const struct lre_secrets *s, struct lre_buf *b) {
  bool found = false;
  if (!s) return false;
  for (size_t i = 0; i < s->n_needles && b->len > 0; i++) found |= replace_all(b, &s->needles[i]);
  return found;
}
