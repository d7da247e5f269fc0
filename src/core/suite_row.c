#include "core/suite_row.h"

/* As Lua's %s has it. */
static bool is_blank(struct lre_json_string text) {
  for (size_t i = 0; i < text.len; i++) {
    if (text.s[i] != ' ' && (text.s[i] < '\t' || text.s[i] > '\r')) return false;
  }
  return true;
}

bool lre_suite_row_read(const char *line, size_t len, struct lre_suite_row *row, char *room) {
  static const char *const names[] = {"id", "text", "prompt", "category", "subcategory"};
  enum { N = sizeof names / sizeof *names };
  struct lre_json_string has[N];
  if (!lre_json_read_some_strings(line, len, names, N, has, room)) return false;
  for (size_t i = 0; i < N; i++) {
    if (has[i].s && is_blank(has[i])) return false;
  }
  if (!has[0].s || !has[1].s == !has[2].s) return false;
  *row = (struct lre_suite_row){has[0], has[1].s ? has[1] : has[2], has[3], has[4]};
  return true;
}

static bool put_field(struct lre_buf *out, const char *name, struct lre_json_string value, struct lre_err *err) {
  if (!value.s) return true;
  lre_buf_puts(out, name);
  return lre_json_put_string(out, value.s, value.len, err);
}

bool lre_suite_row_put(const struct lre_suite_row *row, struct lre_buf *out, struct lre_err *err) {
  bool ok = put_field(out, "{\"category\":", row->category, err) &&
            put_field(out, row->category.s ? ",\"id\":" : "{\"id\":", row->id, err) &&
            put_field(out, ",\"messages\":[{\"content\":", row->text, err);
  lre_buf_puts(out, ",\"role\":\"user\"}]");
  return ok && put_field(out, ",\"subcategory\":", row->subcategory, err) &&
         (lre_buf_putc(out, '}') || lre_err_memory(err));
}
