/* The sandbox on a machine without memory: whichever allocation fails, the row gets its verdict or an error, and
 * nothing is lost. */
#include "test.h"

#include "oom.h"

#include "bind/bind.h"
#include "vm/sandbox.h"

static const char SOURCE[] = "local lre = require 'lre'\n"
                             "local words = { 'a', 'b', list = { 1, 2 } }\n"
                             "return lre.judge { labels = { 'a', 'b' }, options = { most = { 3, 'most' } }, patterns = "
                             "{ w = [[\\w+]], s = { x = 'x', y = 'y' } },\n"
                             "judge = function(trial, response, re, opt)\n"
                             "  local n, keys = re.w:count(response.text), {}\n"
                             "  for k in pairs(words) do keys[#keys + 1] = tostring(k) end\n"
                             "  table.sort(keys, function(p, q) return p > q end)\n"
                             "  local text = response.text:gsub('%w+', string.upper):rep(20)\n"
                             "  return { label = n > opt.most and 'a' or 'b', value = n, evidence = { "
                             "table.concat(keys, ','), words.list, #text } }\n"
                             "end }";
static const char ROW[] = "{\"trial\":{\"id\":1},\"response\":{\"text\":\"one two\"}}";
static bool judge_once(struct lre_buf *out, struct lre_err *err) {
  struct lre_sandbox_spec *spec =
      lre_sandbox_spec_new("@x.lua", SOURCE, sizeof SOURCE - 1, NULL, lre_bind_preload_pure, err);
  if (!spec) return false;
  struct lre_sandbox *sb = NULL;
  if (lre_sandbox_spec_set_options(spec, "{\"most\":2}", 10, err)) sb = lre_sandbox_new(spec, err);
  bool ok = sb && lre_sandbox_judge(sb, ROW, sizeof ROW - 1, out, err);
  lre_sandbox_free(sb);
  lre_sandbox_spec_release(spec);
  return ok;
}

static void a_failed_allocation_costs_the_row_and_nothing_else(void **state) {
  (void)state;
  struct lre_buf expected, out;
  struct lre_err err;
  lre_buf_init(&expected);
  lre_buf_init(&out);
  assert_true(judge_once(&expected, &err));
  assert_string_equal(expected.data,
                      "{\"evidence\":[\"list,2,1\",[1,2],140],\"label\":\"b\",\"state\":\"scored\",\"value\":2}");
  for (long n = 0;; n++) {
    lre_buf_clear(&out);
    memset(&err, 0, sizeof err);
    oom_arm(n);
    bool ok = judge_once(&out, &err);
    bool fired = oom_disarm();
    if (ok && strcmp(out.data, expected.data) != 0 && !strstr(out.data, "memory"))
      fail_msg("allocation %ld: %s", n, out.data);
    if (!ok) assert_non_null(strstr(err.message, "memory"));
    if (!fired) {
      assert_true(ok);
      break;
    }
  }
  lre_buf_free(&expected);
  lre_buf_free(&out);
}

int main(void) {
  static const struct CMUnitTest tests[] = {cmocka_unit_test(a_failed_allocation_costs_the_row_and_nothing_else)};
  return cmocka_run_group_tests_name("sandbox without memory", tests, NULL, NULL);
}
