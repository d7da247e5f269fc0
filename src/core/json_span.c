#include "core/json_span.h"

#include <string.h>

#include <cjson/cJSON.h>

#include "core/json.h"

static const struct lre_json_limits LIMITS = {.max_depth = 128, .bigint_as_string = true};

static bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

static const char *skip_space(const char *p, const char *end) {
  while (p < end && is_space(*p)) p++;
  return p;
}

/* p stands on the opening quote; returns what follows the closing one. */
static const char *skip_string(const char *p, const char *end) {
  for (;;) {
    const char *quote = memchr(p + 1, '"', (size_t)(end - p - 1));
    const char *before = quote;
    while (before > p + 1 && before[-1] == '\\') before--;
    p = quote;
    if ((quote - before) % 2 == 0) return quote + 1;
  }
}

static const char *skip_value(const char *p, const char *end) {
  size_t depth = 0;
  while (p < end) {
    if (*p == '"') {
      p = skip_string(p, end);
      if (depth == 0) return p;
      continue;
    }
    if (*p == '{' || *p == '[') depth++;
    if (depth == 0 && (*p == ',' || *p == '}' || *p == ']' || is_space(*p))) return p;
    if ((*p == '}' || *p == ']') && --depth == 0) return p + 1;
    p++;
  }
  return p;
}

struct lre_json_span lre_json_span_of(const char *text, size_t len) {
  const char *p = text, *end = text + len;
  if (len >= 3 && memcmp(p, "\xEF\xBB\xBF", 3) == 0) p += 3;
  p = skip_space(p, end);
  while (end > p && is_space(end[-1])) end--;
  return (struct lre_json_span){p, (size_t)(end - p)};
}

bool lre_json_span_member(const char **p, const char *end, struct lre_json_span *name, struct lre_json_span *value) {
  const char *at = skip_space(*p, end);
  if (at < end && *at == ',') at = skip_space(at + 1, end);
  if (at >= end || *at != '"') return false;
  const char *after = skip_string(at, end);
  *name = (struct lre_json_span){at + 1, (size_t)(after - at - 2)};
  at = skip_space(skip_space(after, end) + 1, end); /* the colon */
  after = skip_value(at, end);
  *value = (struct lre_json_span){at, (size_t)(after - at)};
  *p = after;
  return true;
}

bool lre_json_span_element(const char **p, const char *end, struct lre_json_span *value) {
  const char *at = skip_space(*p, end);
  if (at < end && *at == ',') at = skip_space(at + 1, end);
  if (at >= end || *at == ']') return false;
  *p = skip_value(at, end);
  *value = (struct lre_json_span){at, (size_t)(*p - at)};
  return true;
}

bool lre_json_span_is(struct lre_json_span span, const char *literal) {
  return span.len == strlen(literal) && memcmp(span.s, literal, span.len) == 0;
}

bool lre_json_span_string(struct lre_json_span value, struct lre_buf *b) {
  struct lre_json_doc doc;
  if (value.len < 2 || value.s[0] != '"') return false;
  if (!memchr(value.s, '\\', value.len)) return lre_buf_put(b, value.s + 1, value.len - 2);
  if (!lre_json_parse(&doc, value.s, value.len, &LIMITS, NULL)) return false;
  bool ok = lre_buf_puts(b, doc.root->valuestring);
  lre_json_free(&doc);
  return ok;
}

bool lre_json_span_is_float(struct lre_json_span value) {
  for (size_t i = 0; i < value.len; i++) {
    if (value.s[i] == '.' || value.s[i] == 'e' || value.s[i] == 'E') return true;
  }
  return false;
}

double lre_json_span_double(struct lre_json_span value) {
  struct lre_json_doc doc;
  if (!lre_json_parse(&doc, value.s, value.len, &LIMITS, NULL)) return 0;
  double number = doc.root->valuedouble;
  lre_json_free(&doc);
  return number;
}
