/* serve_parse.c: see serve_parse.h. */
#include "core/serve_parse.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

void lre_serve_head_free(struct lre_serve_head *head) {
  lre_buf_free(&head->method);
  lre_buf_free(&head->target);
  lre_buf_free(&head->headers);
}

static enum lre_serve_parsed bad(struct lre_serve_head *head, int status) {
  head->status = status;
  return LRE_SERVE_BAD;
}

/* The end of the head: the byte after its empty line; NULL where that is not there. */
static const char *head_end(const char *bytes, size_t len) {
  const char *end = memmem(bytes, len, "\r\n\r\n", 4);
  return end ? end + 4 : NULL;
}

static bool is_token_byte(unsigned char c) {
  return c > ' ' && c < 0x7f && !strchr("\"(),/:;<=>?@[\\]{}", c);
}

static bool is_token(const char *s, size_t len) {
  for (size_t i = 0; i < len; i++)
    if (!is_token_byte((unsigned char)s[i])) return false;
  return len > 0;
}

static bool is_visible(const char *s, size_t len) {
  for (size_t i = 0; i < len; i++)
    if ((unsigned char)s[i] <= ' ' || s[i] == 0x7f) return false;
  return len > 0;
}

/* "POST /v1/messages HTTP/1.1" */
static bool read_request_line(const char *line, size_t len, struct lre_serve_head *head) {
  const char *first = memchr(line, ' ', len);
  if (!first) return false;
  const char *target = first + 1;
  const char *second = memchr(target, ' ', len - (size_t)(target - line));
  if (!second || len - (size_t)(second + 1 - line) != 8 || memcmp(second + 1, "HTTP/1.", 7) != 0) return false;
  char minor = second[8];
  if ((minor != '0' && minor != '1') || !is_token(line, (size_t)(first - line))) return false;
  if (!is_visible(target, (size_t)(second - target))) return false;
  head->keep_alive = minor == '1';
  lre_buf_put(&head->method, line, (size_t)(first - line));
  lre_buf_put(&head->target, target, (size_t)(second - target));
  return true;
}

static bool add_header(const char *line, size_t len, struct lre_serve_head *head) {
  const char *colon = memchr(line, ':', len);
  if (!colon || !is_token(line, (size_t)(colon - line))) return false;
  const char *value = colon + 1, *end = line + len;
  while (value < end && (*value == ' ' || *value == '\t')) value++;
  while (end > value && (end[-1] == ' ' || end[-1] == '\t')) end--;
  for (const char *p = value; p < end; p++)
    if ((unsigned char)*p < ' ' && *p != '\t') return false;
  for (const char *p = line; p < colon; p++)
    lre_buf_putc(&head->headers, *p >= 'A' && *p <= 'Z' ? (char)(*p - 'A' + 'a') : *p);
  lre_buf_put(&head->headers, ": ", 2);
  lre_buf_put(&head->headers, value, (size_t)(end - value));
  return lre_buf_putc(&head->headers, '\n');
}

static bool read_head(const char *bytes, const char *end, struct lre_serve_head *head) {
  bool first = true;
  for (const char *line = bytes; line < end - 2; first = false) {
    const char *stop = memmem(line, (size_t)(end - line), "\r\n", 2);
    size_t len = (size_t)(stop - line);
    if (first ? !read_request_line(line, len, head) : !add_header(line, len, head)) return false;
    line = stop + 2;
  }
  return !first && !head->method.failed && !head->target.failed && !head->headers.failed;
}

/* The value of a header that came once; NULL: it did not come (or several times: `twice`). */
static const char *find_header(const struct lre_buf *headers, const char *name, size_t *len, bool *twice) {
  const char *found = NULL, *line = headers->data, *end = line ? line + headers->len : NULL;
  size_t name_len = strlen(name);
  *twice = false;
  while (line && line < end) {
    const char *stop = memchr(line, '\n', (size_t)(end - line));
    if ((size_t)(stop - line) >= name_len + 2 && memcmp(line, name, name_len) == 0 && line[name_len] == ':') {
      *twice = found != NULL;
      found = line + name_len + 2;
      *len = (size_t)(stop - found);
    }
    line = stop + 1;
  }
  return found;
}

/* False: no number, or more than size_t or `max` hold. */
static bool read_length(const char *s, size_t len, size_t max, size_t *out) {
  size_t n = 0;
  for (size_t i = 0; i < len; i++) {
    if (s[i] < '0' || s[i] > '9' || n > max / 10) return false;
    n = n * 10 + (size_t)(s[i] - '0');
  }
  *out = n;
  return len > 0 && n <= max;
}

static bool says_close(const struct lre_buf *headers) {
  bool twice;
  size_t len = 0;
  const char *value = find_header(headers, "connection", &len, &twice);
  return value && len == 5 && strncasecmp(value, "close", 5) == 0;
}

enum lre_serve_parsed lre_serve_parse(const char *bytes, size_t len, size_t max_body_bytes,
                                      struct lre_serve_head *head) {
  lre_buf_clear(&head->method);
  lre_buf_clear(&head->target);
  lre_buf_clear(&head->headers);
  const char *end = head_end(bytes, len < LRE_SERVE_MAX_HEAD ? len : LRE_SERVE_MAX_HEAD);
  if (!end) return len < LRE_SERVE_MAX_HEAD ? LRE_SERVE_MORE : bad(head, 431);
  if (!read_head(bytes, end, head)) return bad(head, 400);
  size_t value_len = 0, body_len = 0;
  bool twice;
  if (find_header(&head->headers, "transfer-encoding", &value_len, &twice)) return bad(head, 501);
  const char *value = find_header(&head->headers, "content-length", &value_len, &twice);
  if (twice || (value && !read_length(value, value_len, SIZE_MAX / 2, &body_len))) return bad(head, 400);
  if (body_len > max_body_bytes) return bad(head, 413);
  if (len - (size_t)(end - bytes) < body_len) return LRE_SERVE_MORE;
  head->body = end;
  head->body_len = body_len;
  head->used = (size_t)(end - bytes) + body_len;
  head->keep_alive = head->keep_alive && !says_close(&head->headers);
  return LRE_SERVE_WHOLE;
}
