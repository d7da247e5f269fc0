-- ./dev bench: one table, each figure beside a reference measured in the same run.
-- `lre script bench/run.lua -- [--quick] [name...]`; names: start http latency judge memory resume limits infer
local lre = require "lre"
local process, fs = require "lre.process", require "lre.fs"
local clock, platform = require "lre.clock", require "lre.platform"

local quick, wanted = false, {}
for _, word in ipairs(arg) do
  if word == "--quick" then quick = true else wanted[word] = true end
end
local lre_bin, loop_bin = "build/lre", "build/http_loop"
local tmp = assert(process.run { "mktemp", "-d" }).out:gsub("\n", "")
local rows = {}

local function median(values)
  table.sort(values)
  return values[(#values + 1) // 2]
end

---Runs argv; seconds of wall time and the result. A failing program ends the benchmark.
local function timed(argv)
  local start = clock.mono()
  local request = table.move(argv, 1, #argv, 1, { timeout = 900, max_bytes = 64 << 20 })
  local result = assert(process.run(request))
  local seconds = clock.mono() - start
  if result.exit ~= 0 then
    error(("%s: exit %s\n%s%s"):format(table.concat(argv, " "), result.exit, result.out, result.err))
  end
  return seconds, result
end

local function add(name, figure, reference, ratio, goal)
  rows[#rows + 1] = { name, figure, reference, ratio, goal }
end

local function want(name)
  return next(wanted) == nil or wanted[name]
end

-- A suite of n short questions as a JSONL file.
local function suite_file(n)
  local path = ("%s/bench_%d.jsonl"):format(tmp, n)
  local lines = {}
  for i = 1, n do
    lines[i] = ('{"id":"q%06d","category":"helpful","text":"Question number %d: what is the capital of country %d?"}\n')
      :format(i, i, i)
  end
  assert(fs.write(path, table.concat(lines)))
  return path
end

local function with_nginx(fn)
  assert(fs.mkdir(tmp .. "/nginx", true) ~= nil, "cannot make a folder for nginx")
  local _, started = timed { "tests/nginx/start.sh", tmp .. "/nginx" }
  local port = started.out:match "%d+"
  local ok, message = pcall(fn, "http://127.0.0.1:" .. port)
  process.run { "tests/nginx/stop.sh", tmp .. "/nginx" }
  if not ok then error(message, 0) end
end

local function bench_start()
  local n = quick and 50 or 300
  local function each(command)
    local seconds = timed { "bash", "-c", ("for ((i = 0; i < %d; i++)); do %s; done"):format(n, command) }
    return seconds / n * 1e3
  end
  local ours, base = {}, {}
  for i = 1, 3 do
    base[i] = each "/bin/true"
    ours[i] = each(lre_bin .. " --version >/dev/null")
  end
  local lre_ms, true_ms = median(ours), median(base)
  add("start: lre --version", ("%.2f ms"):format(lre_ms), ("true %.2f ms"):format(true_ms),
    ("+%.2f ms"):format(lre_ms - true_ms), "<= +6 ms")
end

local run_number = 0
---Trials a second of `lre run` against a base URL: while it asks, and of the whole process. Asking is from the first
---request until the last answer and verdict are synced to the journal, as run's own timing.json has it: what the loop
---does is inside of it, and the loop leaves out its start, too. The whole process also starts, checks the suite, and
---writes the derived files (results, CSV, Parquet, the index).
local function lre_rates(base, n, concurrency)
  local suite = suite_file(n)
  run_number = run_number + 1
  local id = "bench-" .. run_number
  local seconds = timed { lre_bin, "run", "-q", "--model", "openai/mock", "--base-url", base, "--suite", suite,
    "--concurrency", tostring(concurrency), "--run-dir", tmp .. "/runs", "--run-id", id, "--out",
    tmp .. "/results.json" }
  local timing = lre.json.decode(assert(fs.read(("%s/runs/%s/timing.json"):format(tmp, id))))
  if timing.last_session.asked ~= n then error(("asked %d of %d"):format(timing.last_session.asked, n)) end
  return n / timing.last_session.phases.ask, n / seconds
end

local function loop_rate(base, n, concurrency)
  local _, result = timed { loop_bin, base .. "/chat/completions", tostring(n), tostring(concurrency) }
  return lre.json.decode(result.out).per_second
end

-- The loop before and after ours: a machine that gets slower meanwhile does not flatter either.
local function compare_http(name, base, n, concurrency, goal)
  local asking, whole, bare, ratios = {}, {}, {}, {}
  for i = 1, quick and 1 or 5 do
    local before = loop_rate(base, n, concurrency)
    asking[i], whole[i] = lre_rates(base, n, concurrency)
    bare[i] = (before + loop_rate(base, n, concurrency)) / 2
    ratios[i] = asking[i] / bare[i]
  end
  add(name, ("%.0f trials/s (whole process %.0f/s)"):format(median(asking), median(whole)),
    ("bare curl+cJSON loop %.0f/s"):format(median(bare)), ("%.2f"):format(median(ratios)), goal)
end

local function bench_http()
  with_nginx(function(url)
    compare_http("trials over HTTP, 64 in flight, journal on", url .. "/fast/v1", quick and 10000 or 60000, 64,
      ">= 15,000/s, >= 0.25")
  end)
end

local function bench_latency()
  with_nginx(function(url)
    compare_http("1,000 in flight against 100 ms", url .. "/fast/100/v1", quick and 5000 or 30000, 1000, ">= 0.9")
  end)
end

local function bench_judge()
  local n = quick and 50000 or 1000000
  local _, result = timed { lre_bin, "script", "bench/judge.lua", "--", tostring(n), tmp }
  local seconds, peak = result.out:match "^(%S+)%s+(%S+)"
  add(("judging %d answers of 600 bytes"):format(n), ("%.2f s"):format(seconds),
    ("%.1f us each"):format(seconds / n * 1e6), ("peak %.1f MiB"):format(peak / 2^20), "<= 6 s, <= 64 MiB")
end

local function bench_memory()
  local n = quick and 50000 or 1000000
  local seconds, result = timed { lre_bin, "script", "bench/memory.lua", "--", tostring(n), tmp .. "/memory" }
  local peak = tonumber(result.out:match "peak (%d+)")
  add(("generated suite of %d, fake"):format(n), ("peak %.1f MiB"):format(peak / 2^20),
    ("%.0f trials/s"):format(n / seconds), "", "<= 64 MiB")
end

-- How many requests the mock saw in each whole second: without the first and the last.
local function mean_rate(counts)
  local sum, n = 0, #counts.seconds
  for i = 2, n - 1 do sum = sum + counts.seconds[i] end
  return sum / math.max(1, n - 2)
end

-- A server that refuses half of all requests, 2,000 in flight, a bound of 1,000 requests a second.
local function bench_limits()
  local n, rps = quick and 3000 or 10000, 1000
  local out = tmp .. "/mock"
  timed { "bash", "-c", ("setsid %s mock --script 429-half --latency 0.05 >%s 2>&1 </dev/null & echo $! >%s.pid; "
    .. "until [ -s %s ]; do sleep 0.02; done"):format(lre_bin, out, out, out) }
  local url = fs.read(out):match "^[^\n]+"
  local ok, message = pcall(function()
    local seconds = timed { lre_bin, "run", "--model", "openai/mock", "--base-url", url, "--suite", suite_file(n),
      "--concurrency", "2000", "--retries", "60", "--rate-limit-rps", tostring(rps), "--run-dir", tmp .. "/limits",
      "--run-id", "limits", "-q" }
    local told = assert(lre.http.request { method = "GET", url = url:gsub("/v1$", "") .. "/_mock" })
    local counts = lre.json.decode(told.body)
    add(("limits: %d trials, half of all requests a 429"):format(n), ("%.0f requests/s"):format(mean_rate(counts)),
      ("--rate-limit-rps %d"):format(rps), ("%.3f"):format(mean_rate(counts) / rps), "0.95 to 1.05")
    add("limits: most tries of one question, whole run", ("%d; %.1f s"):format(counts.most_tries, seconds), "", "", "")
  end)
  process.run { "bash", "-c", ("kill $(cat %s.pid)"):format(out) }
  if not ok then error(message, 0) end
end

-- The reference: `wc -l` of the journal, which reads it once.
local function bench_resume()
  local size = quick and 100000 or 1000000
  with_nginx(function(url)
    for _, index in ipairs { "kept", "lost" } do
      local folder = tmp .. "/resume-" .. index
      assert(fs.mkdir(folder))
      local _, result = timed { lre_bin, "script", "bench/resume.lua", "--", folder, url, tostring(size), index }
      local seconds, peak = result.out:match "([%d.]+) (%d+)"
      local wc = timed { "wc", "-l", folder .. "/big/partials.jsonl" }
      add(("resume of %d rows to its first request, index %s"):format(size, index), ("%.2f s, %.0f MiB"):format(
        tonumber(seconds), tonumber(peak) / 2^20), ("wc -l %.2f s"):format(wc), ("%.1f"):format(seconds / wc),
        index == "kept" and "<= 3 s, <= 200 MiB" or "")
    end
  end)
end

-- What bench/reference.py measures, in the same run: a table a reference, by name. $LRE_BENCH_PYTHON has torch and
-- transformers, $LRE_BENCH_LLAMA is llama.cpp's llama-batched-bench; bench/reference.py says where they come from.
local function references(folder, threads)
  local python, llama = os.getenv "LRE_BENCH_PYTHON", os.getenv "LRE_BENCH_LLAMA"
  local found = {}
  if not python then return found end
  local argv = { python, "bench/reference.py", folder, tostring(threads), "float32", "bfloat16" }
  if llama then argv[#argv + 1] = llama end
  local _, result = timed(argv)
  for line in result.out:gmatch "%b{}" do found[#found + 1] = lre.json.decode(line) end
  return found
end

-- The larger of each figure: of speeds the best, of memory the most.
local function keep_best(best, told)
  for name, figure in pairs(told) do
    if type(figure) == "number" and figure > (best[name] or 0) then best[name] = figure end
    best[name] = best[name] or figure
  end
  return best
end

-- The local engine on a random checkpoint of Qwen2-0.5B's shape (1 GB, written once), against the rate at which this
-- machine reads memory, and against others on the same files. All take turns, three times, and the best of each counts:
-- what else the machine does slows whoever is measured meanwhile.
local function bench_infer()
  assert(process.run { "cmake", "--build", "build", "--target", "infer_bench", timeout = 900 })
  local folder = (os.getenv "TMPDIR" or "/tmp") .. "/lre-qwen2-0.5b-shape"
  if not fs.stat(folder .. "/tokenizer.json") then timed { "build/infer_bench", "write", folder } end
  local told, others = {}, {}
  for _ = 1, quick and 1 or 3 do
    local _, result = timed { "build/infer_bench", "run", folder }
    keep_best(told, lre.json.decode(result.out))
    for i, other in ipairs(references(folder, told.threads)) do others[i] = keep_best(others[i] or {}, other) end
  end
  local function speed(tokens_s) return ("%.1f tokens/s"):format(tokens_s) end
  add(("infer: one answer, %s, %d threads"):format(told.kernels, told.threads), speed(told.alone_tokens_s),
    ("bound %s at %.1f GB/s"):format(speed(told.bound_tokens_s), told.read_gb_s),
    ("%.2f"):format(told.alone_tokens_s / told.bound_tokens_s),
    "at least 0.8")
  for _, other in ipairs(others) do
    add("infer: 15 prompts of 40 tokens x 64 new", speed(told.together_tokens_s),
      ("%s: %s (one answer %.1f)"):format(other.name, speed(other.together_tokens_s), other.alone_tokens_s),
      ("%.2f"):format(told.together_tokens_s / other.together_tokens_s),
      other.name:find "float32" and "at least 3" or "over 1")
  end
  if #others == 0 then
    add("infer: 15 prompts of 40 tokens x 64 new", speed(told.together_tokens_s), "set LRE_BENCH_PYTHON", "",
      "3 x transformers float32")
  end
  add("infer: resident memory", ("%.0f MiB"):format(told.resident_mib),
    ("weights %.0f + KV %.0f MiB"):format(told.weights_mib, told.kv_mib),
    ("+ %.0f MiB"):format(told.resident_mib - told.weights_mib - told.kv_mib), "at most + 100 MiB")
end

assert(process.run { "cmake", "--build", "build", "--target", "http_loop" })
if want "start" then bench_start() end
if want "http" then bench_http() end
if want "latency" then bench_latency() end
if want "judge" then bench_judge() end
if want "memory" then bench_memory() end
if want "resume" then bench_resume() end
if want "limits" then bench_limits() end
if want "infer" then bench_infer() end
process.run { "rm", "-rf", tmp }

table.insert(rows, 1, { "what", "figure", "reference, same run", "ratio", "to reach" })
local widths = {}
for _, row in ipairs(rows) do
  for i, cell in ipairs(row) do widths[i] = math.max(widths[i] or 0, lre.text.columns(cell)) end
end
print(("%d cores, %s, lre %s"):format(platform.cpus(), platform.describe(), platform.version))
for _, row in ipairs(rows) do
  local cells = {}
  for i, cell in ipairs(row) do cells[i] = cell .. (" "):rep(widths[i] - lre.text.columns(cell)) end
  print((table.concat(cells, "  "):gsub("%s+$", "")))
end
