-- The policy of lre.retry: which failure means what, and how long to wait. Pure functions, no network.
local http = require "lre.http"
local retry = require "lre.retry"
local test = require "lre.unit"

local now = 1700000000 -- Tue, 14 Nov 2023 22:13:20 GMT

local function decide(err, change)
  local case = {
    err = err, attempt = 1, tries = 5, max_retry_after = 600, jitter = 0.5, now = now, timeouts = 0, bad_replies = 0,
  }
  for name, value in pairs(change or {}) do case[name] = value end
  return retry.decide(case)
end

local function replied(status, message)
  return retry.provider_error(status, message or "no")
end

test("the_statuses_of_the_design_are_retried", function()
  for _, status in ipairs { 408, 409, 425, 429, 500, 502, 503, 504, 529 } do
    test.eq(decide(replied(status)).action, "retry", status)
  end
end)

test("other_statuses_fail_at_once", function()
  for _, status in ipairs { 300, 302, 304, 400, 404, 405, 410, 413, 418, 422, 451, 501, 505, 511 } do
    test.eq(decide(replied(status)).action, "fail", status)
  end
end)

test("a_refused_key_or_an_empty_account_stops_the_provider", function()
  for _, status in ipairs { 401, 402, 403 } do test.eq(decide(replied(status)).action, "stop", status) end
  test.eq(decide(retry.provider_error(429, "no quota", "insufficient_quota")).action, "stop")
  test.eq(decide(retry.provider_error(200, "bad key", "invalid_api_key")).action, "stop")
end)

test("a_403_that_says_rate_limit_is_retried", function()
  for _, message in ipairs { "Rate limit exceeded", "rate-limited", "Request was throttled", "Too many requests" } do
    test.eq(decide(replied(403, message)).action, "retry", message)
  end
end)

test("a_200_whose_body_is_such_an_error_is_retried", function()
  for _, word in ipairs { "rate_limit_error", "overloaded_error", "server_error", "api_error" } do
    test.eq(decide(retry.provider_error(200, "no", nil, word)).action, "retry", word)
  end
  test.eq(decide(retry.provider_error(200, "no", 502)).action, "retry")
  test.eq(decide(retry.provider_error(200, "no", "503")).action, "retry")
  test.eq(decide(retry.provider_error(200, "no", 404)).action, "fail")
  test.eq(decide(retry.provider_error(200, "no", "some_new_word")).action, "fail")
end)

test("connection_errors_are_retried", function()
  for _, code in ipairs { "resolve", "connect", "tls", "timeout_connect", "reset", "partial" } do
    test.eq(decide({ kind = "http", code = code, message = "no" }).action, "retry", code)
  end
end)

test("a_reply_over_the_cap_is_not_asked_for_again", function()
  test.eq(decide({ kind = "http", code = "too_large", message = "no", sent = true }).action, "fail")
end)

test("an_error_of_a_call_adapter_is_final_unless_it_says_otherwise", function()
  test.eq(decide({ kind = "process", code = "not_found", message = "no" }).action, "fail")
  test.eq(decide({ kind = "provider", code = "rate_limited", message = "slow down" }).action, "retry")
end)

test("a_timeout_after_sending_is_retried_once", function()
  for _, code in ipairs { "timeout_first_byte", "timeout_stall", "timeout_total" } do
    local err = { kind = "http", code = code, message = "no", sent = true }
    test.eq(decide(err, { timeouts = 1 }).action, "retry", code)
    test.eq(decide(err, { timeouts = 2, attempt = 2 }).action, "fail", code)
    err.sent = false
    test.eq(decide(err, { attempt = 4 }).action, "retry", code)
  end
end)

test("a_bad_reply_is_retried_once_and_with_a_5xx_to_the_end", function()
  local err = retry.bad_reply(200, "<html>")
  test.eq(decide(err, { bad_replies = 1 }).action, "retry")
  test.eq(decide(err, { bad_replies = 2, attempt = 2 }).action, "fail")
  test.eq(decide(retry.bad_reply(502, "<html>"), { bad_replies = 4, attempt = 4 }).action, "retry")
  test.eq(decide(retry.bad_reply(404, "<html>"), { bad_replies = 1 }).action, "fail")
end)

test("the_last_try_is_the_last", function()
  test.eq(decide(replied(503), { attempt = 4 }).action, "retry")
  local last = decide(replied(503), { attempt = 5 })
  test.eq(last.action, "fail")
  test.eq(last.source, "tries")
end)

-- Delays --------------------------------------------------------------------------------------------------------------

local function delay(headers, status)
  local decision = decide(replied(status or 429), { headers = headers })
  return decision.delay, decision.source
end

local function expect_delay(headers, seconds, source)
  local got, from = delay(headers)
  test.eq(from, source)
  test.ok(math.abs(got - seconds) < 1e-6, ("expected %s, got %s"):format(seconds, got))
end

test("retry_after_replaces_the_backoff", function()
  expect_delay({ ["retry-after"] = "12" }, 12, "retry-after")
  expect_delay({ ["retry-after"] = "0" }, 0, "retry-after")
  expect_delay({ ["retry-after"] = "0.25" }, 0.25, "retry-after")
  expect_delay({ ["retry-after-ms"] = "20" }, 0.02, "retry-after-ms")
  expect_delay({ ["retry-after-ms"] = "20", ["retry-after"] = "1" }, 0.02, "retry-after-ms")
  local seconds, source = delay({ ["retry-after"] = "3" }, 503)
  test.eq(seconds, 3)
  test.eq(source, "retry-after")
end)

test("a_retry_after_date_counts_from_the_replys_own_date", function()
  expect_delay({ ["retry-after"] = "Tue, 14 Nov 2023 22:13:50 GMT" }, 30, "retry-after")
  expect_delay({ ["retry-after"] = "Tue, 14 Nov 2023 22:13:10 GMT" }, 0, "retry-after")
  expect_delay({ ["retry-after"] = "Wed, 01 Jan 2020 00:00:30 GMT", date = "Wed, 01 Jan 2020 00:00:25 GMT" }, 5,
    "retry-after")
end)

test("a_retry_after_that_is_no_time_is_ignored", function()
  for _, value in ipairs { "", "soon", "-5", "nan", "inf", "1e400" } do
    local _, source = delay { ["retry-after"] = value }
    test.eq(source, "backoff", value)
  end
end)

test("reset_headers_replace_the_backoff_after_a_rate_limit", function()
  expect_delay({ ["x-ratelimit-reset"] = tostring(now + 40) }, 40, "x-ratelimit-reset")
  expect_delay({ ["x-ratelimit-reset"] = ("%d"):format((now + 40) * 1000) }, 40, "x-ratelimit-reset")
  expect_delay({ ["x-ratelimit-reset"] = "7" }, 7, "x-ratelimit-reset")
  expect_delay({ ["x-ratelimit-reset-requests"] = "1m2.5s" }, 62.5, "x-ratelimit-reset-requests")
  expect_delay({ ["x-ratelimit-reset-tokens"] = "20ms" }, 0.02, "x-ratelimit-reset-tokens")
  expect_delay({ ["x-ratelimit-reset-requests"] = "1s", ["x-ratelimit-remaining-requests"] = "99",
    ["x-ratelimit-reset-tokens"] = "6m0s", ["x-ratelimit-remaining-tokens"] = "0" }, 360, "x-ratelimit-reset-tokens")
  local _, source = delay({ ["x-ratelimit-reset"] = "7" }, 503)
  test.eq(source, "backoff")
end)

test("a_wait_over_the_cap_fails_instead", function()
  local decision = decide(replied(429), { headers = { ["retry-after"] = "601" } })
  test.eq(decision.action, "fail")
  test.eq(decision.source, "max_retry_after")
  test.eq(decision.delay, 601)
  test.eq(decide(replied(429), { headers = { ["retry-after"] = "600" } }).action, "retry")
end)

test("the_backoff_doubles_with_full_jitter_up_to_a_minute", function()
  test.eq(decide(replied(500), { jitter = 0.5, attempt = 1 }).delay, 0.5)
  test.eq(decide(replied(500), { jitter = 0.5, attempt = 4 }).delay, 4.0)
  test.eq(decide(replied(500), { jitter = 0.0, attempt = 4 }).delay, 0.0)
  test.eq(decide(replied(500), { jitter = 0.5, attempt = 40, tries = 100 }).delay, 30.0)
end)

-- Parameters that a model does not take -------------------------------------------------------------------------------

local function refusal(message, param, code, status)
  return retry.provider_error(status or 400, message, code, "invalid_request_error", param)
end

test("a_400_that_names_a_parameter_drops_it", function()
  local sent = { temperature = 0, seed = 42, max_tokens = 5, top_p = 1 }
  test.eq(retry.named_parameter(refusal("Unsupported value: 'temperature' does not support 0", "temperature"), sent),
    "temperature")
  test.eq(retry.named_parameter(refusal("Unknown parameter: 'seed'.", nil, "unknown_parameter"), sent), "seed")
  test.eq(retry.named_parameter(refusal("Extra inputs are not permitted: seed", nil, nil, 422), sent), "seed")
  test.eq(retry.named_parameter(refusal("`temperature` and `top_p` cannot both be specified", "top_p"), sent), "top_p")
end)

test("a_400_that_prefers_max_completion_tokens_renames_the_limit", function()
  local message = "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead."
  local name, spelling = retry.named_parameter(refusal(message, "max_tokens"), { max_tokens = 5, temperature = 0 })
  test.eq(name, "max_tokens")
  test.eq(spelling, "max_completion_tokens")
  name, spelling = retry.named_parameter(refusal "Unrecognized request argument: max_completion_tokens",
    { max_completion_tokens = 5 })
  test.eq(name, "max_completion_tokens")
  test.eq(spelling, "max_tokens")
end)

test("a_limit_on_the_answers_length_is_never_dropped", function()
  test.eq(retry.named_parameter(refusal("Unsupported parameter: max_tokens", "max_tokens"), { max_tokens = 5 }), nil)
end)

test("a_value_out_of_range_is_an_error_not_a_dropped_parameter", function()
  local sent = { temperature = 3, max_tokens = 5 }
  test.eq(retry.named_parameter(refusal("temperature must be between 0 and 2", "temperature"), sent), nil)
  test.eq(retry.named_parameter(refusal("max_tokens is too large: 5", "max_tokens"), sent), nil)
end)

test("only_what_was_sent_can_be_dropped", function()
  test.eq(retry.named_parameter(refusal("Unsupported parameter: 'top_k'", "top_k"), { temperature = 0 }), nil)
  test.eq(retry.named_parameter(refusal("Unsupported: temperatures", nil), { temperature = 0 }), nil)
  local own = { chat_template_kwargs = {} }
  test.eq(retry.named_parameter(refusal("Unknown parameter: chat_template_kwargs", "chat_template_kwargs"), own), nil)
end)

test("other_statuses_teach_nothing", function()
  test.eq(retry.named_parameter(refusal("Unsupported parameter: 'seed'", "seed", nil, 500), { seed = 1 }), nil)
end)

-- Messages ------------------------------------------------------------------------------------------------------------

test("a_long_message_is_cut_at_a_character", function()
  local shown = retry.sentence(("é"):rep(1000))
  test.ok(#shown < 500 and utf8.len(shown), "not cut, or cut inside a character")
end)

test("a_message_shows_no_loaded_key", function()
  -- Any variable can hold a key; this one is set everywhere. Once it is loaded, no script can read it.
  local value = os.getenv "PATH"
  test.eq(http.load_key "PATH", true)
  local shown = replied(500, "you sent " .. value).message
  test.ok(not shown:find(value, 1, true), "the key is shown")
  test.ok(shown:find("you sent", 1, true), shown)
end)

test("anthropics_reset_is_a_date_and_only_the_exhausted_window_counts", function()
  local at = 1735734600 -- 2025-01-01T12:30:00Z
  local wait, source = retry.asked_delay({
    ["anthropic-ratelimit-requests-remaining"] = "12", ["anthropic-ratelimit-requests-reset"] = "2025-01-01T12:40:00Z",
    ["anthropic-ratelimit-output-tokens-remaining"] = "0",
    ["anthropic-ratelimit-output-tokens-reset"] = "2025-01-01T12:30:07Z",
  }, at, true)
  test.eq(wait, 7)
  test.eq(source, "anthropic-ratelimit-output-tokens-reset")
  local function reset(value)
    return (retry.asked_delay({ ["x-ratelimit-reset"] = value }, at, true))
  end
  test.eq(reset "2025-01-01T14:30:05.250+02:00", 5)
  test.eq(reset "2024-02-29T00:00:00Z", 0.0) -- it is over
  test.eq(reset "2025-01-01T12:30:05", nil) -- of which zone?
  test.eq(reset "soon", nil)
end)

test("a_good_answer_that_says_nothing_is_left_tells_how_long", function()
  local function left_after(left)
    return retry.exhausted({ ["x-ratelimit-remaining-requests"] = left, ["x-ratelimit-reset-requests"] = "1.5s" }, 0)
  end
  test.eq(left_after "0", 1.5)
  test.eq(left_after "3", nil)
  test.eq(retry.exhausted({}, 0), nil)
end)

test("a_delay_that_the_body_told_is_obeyed", function()
  local decision = retry.decide { err = { kind = "provider", code = "rate_limited", status = 429, retry_after = 12.5,
    message = "slow down" }, attempt = 1, tries = 5, max_retry_after = 600, now = 0, jitter = 0.5, headers = {},
    timeouts = 0, bad_replies = 0 }
  test.eq(decision.action, "retry")
  test.eq(decision.delay, 12.5)
  test.eq(decision.source, "the reply")
end)
