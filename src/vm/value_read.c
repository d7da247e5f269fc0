/* value_read.c: a checked JSON text becomes a value, without a tree between: that was half the time of a decode.
 * Nothing is looked at twice: the scan knows that the text is good, and how large each table will be. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <lauxlib.h>

#include "core/json_scan.h"
#include "vm/value.h"

struct reader {
  lua_State *L;
  const char *p, *end;
  const char *sizes; /* of the containers that come */
};

static void skip_space(struct reader *r) {
  while (*r->p == ' ' || *r->p == '\n' || *r->p == '\r' || *r->p == '\t') r->p++;
}

/* ---- strings ---- */

static uint32_t hex4(const char *s) {
  uint32_t v = 0;
  for (int i = 0; i < 4; i++) v = v << 4 | (uint32_t)(s[i] <= '9' ? s[i] - '0' : (s[i] | 0x20) - 'a' + 10);
  return v;
}

static size_t put_utf8(char *to, uint32_t v) {
  if (v < 0x80) return to[0] = (char)v, 1;
  size_t n = v < 0x800 ? 2 : v < 0x10000 ? 3 : 4;
  for (size_t i = n; i-- > 1; v >>= 6) to[i] = (char)(0x80 | (v & 0x3F));
  to[0] = (char)((0xF00 >> n & 0xFF) | v);
  return n;
}

/* At the backslash. Writes no more bytes than it reads. */
static size_t read_escape(struct reader *r, char *to) {
  static const char names[] = "bfnrt", values[] = "\b\f\n\r\t";
  char name = r->p[1];
  r->p += 2;
  const char *named = strchr(names, name);
  if (named) return *to = values[named - names], 1;
  if (name != 'u') return *to = name, 1;
  uint32_t v = hex4(r->p);
  r->p += 4;
  if (v >= 0xD800 && v < 0xDC00) {
    v = 0x10000 + ((v - 0xD800) << 10) + (hex4(r->p + 2) - 0xDC00);
    r->p += 6;
  }
  return put_utf8(to, v);
}

/* The closing quote. */
static const char *find_end(const struct reader *r, const char *p, bool *escaped) {
  *escaped = false;
  for (;;) {
    p += lre_json_skip_plain(p, 0, (size_t)(r->end - p));
    if (*p == '"') return p;
    bool escape = *p == '\\';
    *escaped = *escaped || escape;
    p += escape ? 2 : 1;
  }
}

/* At the opening quote. */
static void push_string(struct reader *r) {
  bool escaped;
  const char *first = r->p + 1, *end = find_end(r, first, &escaped);
  r->p = first;
  if (escaped) {
    luaL_Buffer b;
    char *to = luaL_buffinitsize(r->L, &b, (size_t)(end - first));
    size_t len = 0;
    while (r->p < end) {
      if (*r->p == '\\')
        len += read_escape(r, to + len);
      else
        to[len++] = *r->p++;
    }
    luaL_pushresultsize(&b, len);
  } else {
    lua_pushlstring(r->L, first, (size_t)(end - first));
  }
  r->p = end + 1;
}

/* ---- numbers ---- */

static bool is_in_number(char c) {
  return (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.' || c == 'e' || c == 'E';
}

static void push_float(lua_State *L, const char *s, size_t len) {
  char token[LRE_JSON_NUMBER_MAX + 1];
  memcpy(token, s, len);
  token[len] = '\0';
  locale_t old = lre_json_enter_c_locale();
  lua_pushnumber(L, strtod(token, NULL));
  uselocale(old);
}

static void push_number(struct reader *r) {
  const char *first = r->p, *end = first;
  bool is_float = false, negative = *first == '-';
  uint64_t v = 0; /* of a float's many digits it wraps, and is not used */
  for (; end < r->end && is_in_number(*end); end++) {
    is_float = is_float || *end == '.' || *end == 'e' || *end == 'E';
    if (!is_float && *end != '-') v = v * 10 + (uint64_t)(*end - '0');
  }
  if (is_float)
    push_float(r->L, first, (size_t)(end - first));
  else
    lua_pushinteger(r->L, negative ? -(lua_Integer)v : (lua_Integer)v);
  r->p = end;
}

/* ---- containers ---- */

static void push_value(struct reader *r);

static int next_size(struct reader *r) {
  uint32_t n;
  memcpy(&n, r->sizes, sizeof n);
  r->sizes += sizeof n;
  return n < INT32_MAX ? (int)n : 0;
}

/* At the bracket or after an element: the end, or what is next. */
static bool has_next(struct reader *r, char closing) {
  r->p++;
  skip_space(r);
  if (*r->p != closing) return true;
  r->p++;
  return false;
}

/* After an element: at the comma or the closing bracket. */
static bool another(struct reader *r, char closing) {
  skip_space(r);
  if (*r->p == closing) return r->p++, false;
  r->p++;
  skip_space(r);
  return true;
}

static void push_array(struct reader *r) {
  lua_createtable(r->L, next_size(r), 0);
  lua_Integer i = 0;
  for (bool more = has_next(r, ']'); more; more = another(r, ']')) {
    push_value(r);
    lua_rawseti(r->L, -2, ++i);
  }
  lre_value_set_array(r->L, -1);
}

static void push_object(struct reader *r) {
  lua_createtable(r->L, 0, next_size(r));
  for (bool more = has_next(r, '}'); more; more = another(r, '}')) {
    push_string(r);
    skip_space(r);
    r->p++; /* the colon */
    skip_space(r);
    push_value(r);
    lua_rawset(r->L, -3);
  }
}

static void push_value(struct reader *r) {
  luaL_checkstack(r->L, 6, "JSON is nested too deeply");
  switch (*r->p) {
  case '{':
    push_object(r);
    break;
  case '[':
    push_array(r);
    break;
  case '"':
    push_string(r);
    break;
  case 't':
    lua_pushboolean(r->L, 1);
    r->p += 4;
    break;
  case 'f':
    lua_pushboolean(r->L, 0);
    r->p += 5;
    break;
  case 'n':
    lre_value_push_null(r->L);
    r->p += 4;
    break;
  default:
    push_number(r);
  }
}

void lre_value_push_text(lua_State *L, const struct lre_json_text *text) {
  struct reader r = {.L = L, .p = text->text, .end = text->text + text->len, .sizes = text->sizes.data};
  skip_space(&r);
  push_value(&r);
}
