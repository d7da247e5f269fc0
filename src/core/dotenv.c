#include "core/dotenv.h"

#include <stdlib.h>
#include <string.h>

#include "core/buf.h"
#include "core/fs.h"

/* One line, cut up in place. */
struct line {
  char *name, *value;
};

static bool is_name_byte(char c, bool first) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (!first && c >= '0' && c <= '9');
}

static char *skip_blanks(char *p) {
  while (*p == ' ' || *p == '\t') p++;
  return p;
}

/* True where nothing but blanks and a comment follow. */
static bool is_rest(char *p) {
  char *rest = skip_blanks(p);
  return *rest == '\0' || (*rest == '#' && (rest > p || rest[-1] == '\0'));
}

/* 'literal'; the quote is at p. */
static bool cut_single(char *p, struct line *out) {
  char *end = strchr(p + 1, '\'');
  if (!end || !is_rest(end + 1)) return false;
  *end = '\0';
  out->value = p + 1;
  return true;
}

static char unescaped(char c) {
  return c == 'n' ? '\n' : c == 't' ? '\t' : c;
}

static bool cut_double(char *p, struct line *out) {
  char *to = p + 1, *from = p + 1;
  out->value = to;
  for (; *from && *from != '"'; from++) {
    bool escape = from[0] == '\\' && from[1] && strchr("nt\\\"", from[1]);
    if (escape) from++;
    *to++ = escape ? unescaped(*from) : *from;
  }
  if (*from != '"' || !is_rest(from + 1)) return false;
  *to = '\0';
  return true;
}

/* Up to " #" or the end, without the blanks there. */
static void cut_bare(char *p, struct line *out) {
  char *end = p;
  while (*end && !(*end == '#' && (end == p || end[-1] == ' ' || end[-1] == '\t'))) end++;
  while (end > p && (end[-1] == ' ' || end[-1] == '\t')) end--;
  *end = '\0';
  out->value = p;
}

/* False: not a line of such a file. name is NULL for one that says nothing. */
static bool cut_line(char *text, struct line *out) {
  char *p = skip_blanks(text);
  out->name = out->value = NULL;
  if (*p == '\0' || *p == '#') return true;
  if (strncmp(p, "export", 6) == 0 && (p[6] == ' ' || p[6] == '\t')) p = skip_blanks(p + 6);
  char *name = p;
  while (is_name_byte(*p, p == name)) p++;
  char *end = p;
  p = skip_blanks(p);
  if (end == name || *p != '=') return false;
  p = skip_blanks(p + 1);
  *end = '\0';
  out->name = name;
  if (*p == '\'') return cut_single(p, out);
  if (*p == '"') return cut_double(p, out);
  cut_bare(p, out);
  return true;
}

/* The lines that say something. False and the number of the line that cannot be read. */
static bool cut_all(char *text, struct line *lines, size_t *n, size_t *number) {
  *n = 0;
  for (*number = 1; text; (*number)++) {
    char *next = strchr(text, '\n');
    if (next) {
      *next = '\0';
      if (next > text && next[-1] == '\r') next[-1] = '\0';
    }
    if (!cut_line(text, &lines[*n])) return false;
    if (lines[*n].name) (*n)++;
    text = next ? next + 1 : NULL;
  }
  return true;
}

static size_t count_lines(const char *text) {
  size_t n = 1;
  for (; *text; text++) n += *text == '\n';
  return n;
}

static bool set_all(const struct line *lines, size_t n, void (*set)(void *, const char *), void *context,
                    struct lre_err *err) {
  for (size_t i = 0; i < n; i++) {
    if (getenv(lines[i].name)) continue;
    if (setenv(lines[i].name, lines[i].value, 0) != 0) return lre_err_memory(err);
    if (set) set(context, lines[i].name);
  }
  return true;
}

/* Of a text that ends in NUL and is cut up. */
static bool load_text(char *text, const char *path, void (*set)(void *, const char *), void *context,
                      struct lre_err *err) {
  size_t n = 0, number = 0;
  struct line *lines = calloc(count_lines(text), sizeof *lines);
  if (!lines) return lre_err_memory(err);
  bool ok = cut_all(text, lines, &n, &number);
  if (ok)
    ok = set_all(lines, n, set, context, err);
  else
    lre_err_set(err, "argument", "dotenv", "%s:%zu: expected NAME=value, or a value in quotes that end on its line",
                path, number);
  free(lines);
  return ok;
}

bool lre_dotenv_load(const char *path, void (*set)(void *context, const char *name), void *context,
                     struct lre_err *err) {
  struct lre_fs_info info;
  struct lre_buf text;
  lre_buf_init(&text);
  if (!lre_fs_stat(path, &info, err)) return false;
  /* A folder of this name is somebody's Python. */
  if (info.type == LRE_FS_MISSING || info.type == LRE_FS_FOLDER) return true;
  bool ok = lre_fs_read(path, LRE_DOTENV_MAX_BYTES, &text, err);
  if (ok && text.len > 0) {
    if (memchr(text.data, '\0', text.len))
      ok = lre_err_set(err, "argument", "dotenv", "%s: there is a NUL byte in it; expected lines NAME=value", path);
    else
      ok = load_text(text.data + (strncmp(text.data, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0), path, set, context, err);
  }
  if (text.data) explicit_bzero(text.data, text.cap);
  lre_buf_free(&text);
  return ok;
}
