-- judge_model: which model a model judge asks. It is named by whoever runs the judge, or by the judge's file; the model
-- that is judged is never taken for it, and its key, endpoint and parameters are never used for it.
local defaults = require "lre.defaults"
local json = require "lre.json"
local model = require "lre.model"
local param = require "lre.params"
local platform = require "lre.platform"
local shape = require "lre.shape"

local judge_model = {}

local VARIABLE = "LRE_JUDGE_MODEL"

-- What a judge's request asks for where nothing else is said: the same verdict each time, and room for its reasons.
local PARAMS = { temperature = 0, max_tokens = 900 }

-- The name, and who gave it. `named`: in the judge's own spec ("refusal_llm:model=openai/x").
local function chosen(settings, declared, named)
  if named then return named, "the judge's option model" end
  local from = settings.from and settings.from.judge_model
  if settings.judge_model then return settings.judge_model, from ~= "flag" and from or "--judge-model" end
  local variable = platform.getenv(VARIABLE)
  if variable and variable ~= "" then return variable, VARIABLE end
  if declared.model then return declared.model, "the judge's file" end
end

local function params_of(settings, declared, where)
  local out = param.merged(PARAMS, param.check(declared.params, where .. ": params"))
  for _, word in ipairs(settings.judge_param or {}) do
    local name, value = word:match "^([%w_]+)=(.*)$"
    if not name then shape.fail(('--judge-param: expected KEY=VALUE, got "%s"'):format(word), 2) end
    local parsed = json.decode(value)
    if parsed == nil then parsed = value end
    out[name] = param.value(name, parsed, "--judge-param")
  end
  return out
end

local function setting(settings, name)
  local value = settings[name]
  if value == nil then return defaults.value(name) end
  return value
end

---How model judges get their model: a function for judge.open's `asking`. settings: judge_model, judge_base_url,
---judge_api_key_env, judge_param, judge_repeats, seed, retries, max_retry_after, timeout_*, concurrency,
---max_connections, cache_object (a Cache), dry (no key is needed).
---@param settings table
function judge_model.asker(settings)
  return function(judge, declared, named)
    local name, by = chosen(settings, declared, named)
    if not name and settings.dry_run then return nil end
    if not name then
      shape.fail(("judge %s asks a model, and none is named: give --judge-model ADAPTER/ID, or set %s. "
        .. "The model that is judged is never taken for it."):format(shape.quote(judge.name), VARIABLE), 2)
    end
    local resolved = model.resolve {
      name = name, base_url = settings.judge_base_url, api_key_env = settings.judge_api_key_env,
      params = params_of(settings, declared, judge.where), seed = settings.seed,
      retries = settings.retries, max_retry_after = settings.max_retry_after,
      max_connections = settings.max_connections,
      adaptive_cap = not settings.no_adaptive and settings.concurrency or nil,
      dry = settings.dry, cache = settings.cache_object,
      key_flag = "--judge-api-key-env",
      timeouts = { connect = settings.timeout_connect, first_byte = settings.timeout_first_byte,
        stall = settings.timeout_stall, total = settings.timeout_total },
    }
    resolved.choice = ("%s, named by %s"):format(resolved.choice, by)
    return resolved, setting(settings, "judge_repeats"), setting(settings, "concurrency")
  end
end

return judge_model
