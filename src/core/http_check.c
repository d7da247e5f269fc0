#include "core/http_check.h"

#include <curl/curl.h>
#include <string.h>
#include <strings.h>

#include "core/http.h"

static char lower(char c) {
  return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

static bool bad_url(struct lre_err *err, const char *why) {
  return lre_err_set(err, "argument", "url", "URL: %s", why); /* the URL itself may hold a key */
}

static bool host_name(CURLU *u, struct lre_buf *name, struct lre_err *err) {
  char *scheme = NULL, *host = NULL, *port = NULL;
  bool ok = false;
  if (curl_url_get(u, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK ||
      (strcasecmp(scheme, "http") != 0 && strcasecmp(scheme, "https") != 0))
    bad_url(err, "expected one that begins with http:// or https://");
  else if (curl_url_get(u, CURLUPART_HOST, &host, 0) != CURLUE_OK || !*host ||
           curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK)
    bad_url(err, "expected a host");
  else if (!lre_buf_puts(name, scheme) || !lre_buf_puts(name, "://") || !lre_buf_puts(name, host) ||
           !lre_buf_putc(name, ':') || !lre_buf_puts(name, port))
    lre_err_memory(err);
  else
    ok = true;
  curl_free(scheme);
  curl_free(host);
  curl_free(port);
  return ok;
}

bool lre_http_check_url(const char *url, struct lre_buf *host, struct lre_err *err) {
  bool ok = false;
  CURLU *u = curl_url();
  CURLUcode code = u ? curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER) : CURLUE_OUT_OF_MEMORY;
  if (code == CURLUE_OUT_OF_MEMORY)
    lre_err_memory(err);
  else if (code == CURLUE_USER_NOT_ALLOWED)
    bad_url(err, "a user name or password in it is not sent: give the key in a variable");
  else if (code == CURLUE_UNSUPPORTED_SCHEME || code == CURLUE_BAD_SCHEME)
    bad_url(err, "expected one that begins with http:// or https://");
  else if (code != CURLUE_OK)
    bad_url(err, "malformed");
  else
    ok = host_name(u, host, err);
  curl_url_cleanup(u);
  return ok;
}

bool lre_http_has_control(const char *s) {
  for (; *s; s++)
    if ((unsigned char)*s < 0x20 || *s == 0x7F) return true;
  return false;
}

bool lre_http_is_token(const char *s, size_t len) { /* RFC 9110, 5.6.2 */
  for (size_t i = 0; i < len; i++) {
    char c = lower(s[i]);
    if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c)))) return false;
  }
  return len > 0;
}

bool lre_http_check_header(const char *line, struct lre_err *err) {
  const char *colon = strchr(line, ':');
  if (colon && lre_http_is_token(line, (size_t)(colon - line)) && !lre_http_has_control(line)) return true;
  return lre_err_set(err, "argument", "header", "a header is not \"Name: value\", or holds a control byte");
}

bool lre_http_escape(const char *s, size_t len, struct lre_buf *out) {
  static const char digits[] = "0123456789ABCDEF";
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)s[i];
    char low = lower(s[i]);
    bool plain = (low >= 'a' && low <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
    char encoded[3] = {'%', digits[c >> 4], digits[c & 15]};
    if (!(plain ? lre_buf_put(out, s + i, 1) : lre_buf_put(out, encoded, 3))) return false;
  }
  return true;
}
