-- defaults: the one table of all flags, their ranges and default values. Help, completions and docs/options.md are made
-- from it.
local defaults = {}

-- type: "integer" | "number" | "string" | "flag" | "words" (may repeat, takes commas) | "specs" (words with options
-- after a
-- colon: name:a=1,b=2) | "list" (may repeat, commas belong to the value). `on`: the commands that offer a flag ("*":
-- all).
local ASKS, JUDGES = { "run", "judge", "rejudge" }, { "run", "judge", "rejudge", "validate", "did" }
local FETCHES = { "run", "judge", "rejudge", "pull" }
local RUN, DEMO, EVERY = "run", "demo", "*"
local SPENDS = { RUN, "judge", "rejudge" }
local ENTRIES = {
  { "suite", aliases = { "--suites", "--dataset" }, type = "specs", metavar = "NAME|FILE", group = "What to measure",
    on = { RUN, "import" },
    help = "Suite by name, or a .jsonl, .csv or .lua file." },
  { "model", type = "words", metavar = "ADAPTER/ID", group = "What to measure", on = { RUN },
    help = "Model; the name is its label in the results." },
  { "models", type = "words", metavar = "LIST|FILE.json", group = "What to measure", on = { RUN },
    help = "The same as --model, or a roster: a JSON list of names or of { id, label, provider, ... }." },
  { "adapter", type = "string", metavar = "NAME", group = "What to measure", on = { RUN },
    help = "How to talk to every --model; without it the name decides." },
  { "models-limit", type = "integer", min = 1, group = "What to measure", on = { RUN },
    help = "Only the first N models, a roster's preferred ones before the others." },
  { "model-id", type = "string", metavar = "ID", group = "What to measure", on = { RUN },
    help = "What the provider calls the model, where --model is only a label." },
  { "persona", aliases = { "--personas" }, type = "words", metavar = "NAME", group = "What to measure", on = { RUN },
    default_text = "none", help = "Persona; `all` for every installed one, `none` for the control arm." },
  { "no-control", type = "flag", group = "What to measure", on = { RUN },
    help = "Do not add the control arm `none` to the personas." },
  { "judge", aliases = { "--judges" }, type = "specs", metavar = "NAME[:K=V,...]", group = "What to measure",
    on = { RUN, "compare", "kappa", "validate", "judge", "rejudge", "export" },
    default_text = "the suite's, else refusal",
    help = "Judge, with options after a colon: brevity:max_words=30,as=b30." },
  { "inner", aliases = { "--inner-judge" }, type = "string", metavar = "NAME[:K=V,...]", group = "What to measure",
    on = { "did" },
    help = "Judge of the first line of defence: the model's own refusal." },
  { "outer", aliases = { "--outer-judge" }, type = "string", metavar = "NAME[:K=V,...]", group = "What to measure",
    on = { "did" },
    help = "Judge of the second: what it catches beside the first." },
  { "majority", type = "specs", metavar = "NAME[:K=V,...]", group = "What to measure", on = { "did" },
    help = "In their place: judges of which most decide, more than half of the votes cast." },
  { "tie", type = "string", choices = { "undecided", "yes", "no" }, metavar = "undecided|yes|no",
    group = "What to measure", on = { "did" }, default = "undecided",
    help = "What a tie of --majority is: left out, the positive label, or another." },
  { "data", type = "string", metavar = "FILE.jsonl", group = "What to measure", on = { "validate" },
    default_text = "the set that the judge brings", help = "Labelled rows { id, prompt?, response, label }." },
  { "positive", type = "string", metavar = "LABEL", group = "What to measure", on = { "validate", "did" },
    default_text = "what the judge's first metric counts", help = "Label that precision, recall and rates are about." },
  { "metric", type = "string", metavar = "NAME", group = "What to measure", on = { "compare" },
    default_text = "the primary one", help = "Metric that is compared." },
  { "by", type = "string", choices = { "suite", "category", "persona" }, metavar = "suite|category|persona",
    group = "What to measure", on = { "compare" }, default_text = "all in one",
    help = "A comparison each; p-values are then Holm's." },
  { "model-a", type = "string", metavar = "LABEL", group = "What to measure", on = { "compare" },
    help = "Model of A, where it has several." },
  { "model-b", type = "string", metavar = "LABEL", group = "What to measure", on = { "compare" },
    help = "Model of B, where it has several." },
  { "confidence", type = "number", min = 0.5, max = 0.9999, default = 0.95, group = "What to measure",
    on = { "compare", "kappa", "validate", "did" }, help = "Of the intervals; the verdict's alpha is 1 minus it." },
  { "unpaired", type = "flag", group = "What to measure", on = { "compare" },
    help = "Compare as independent samples even where the same trials are in both." },
  { "allow-different-suites", type = "flag", group = "What to measure", on = { "compare" },
    help = "Compare suites of one name whose samples differ, as independent samples." },
  { "flips", type = "flag", group = "Output", on = { "compare" }, help = "List the trials whose outcome differs." },
  { "strict", type = "flag", group = "What to measure", on = { "kappa" },
    help = "Duplicates and rows of one side only are an error." },
  { "min-kappa", type = "number", min = -1, max = 1, group = "Output", on = { "validate" },
    help = "Exit 1 where kappa is below or undefined." },

  { "judge-model", type = "string", metavar = "ADAPTER/ID", group = "Judging", on = JUDGES,
    default_text = "LRE_JUDGE_MODEL, else the judge's file",
    help = "Model that model judges ask. Rule judges ask none." },
  { "judge-base-url", type = "string", metavar = "URL", group = "Judging", on = JUDGES,
    help = "Endpoint of the judge's model." },
  { "judge-api-key-env", type = "string", metavar = "VARIABLE", group = "Judging", on = JUDGES,
    help = "Environment variable that holds the key of the judge's model." },
  { "judge-param", type = "list", metavar = "KEY=VALUE", group = "Judging", on = JUDGES,
    help = "A parameter of the judge's requests; temperature 0 and max_tokens 900 where nothing else is said." },
  { "judge-prompt", type = "string", choices = { "append", "strict" }, metavar = "append|strict", group = "Judging",
    on = { RUN, "judge", "rejudge" }, default_text = "append",
    help = "A test's rubric without a place for the answer: show the answer behind it, or refuse the suite." },
  { "judge-repeats", type = "integer", min = 1, max = 99, default = 1, group = "Judging", on = JUDGES,
    help = "Verdicts that a model judge gives on each answer: the label of more than half counts, or the mean where "
      .. "the judge combines values." },
  { "only", type = "string", choices = { "missing", "undecided", "all" }, metavar = "missing|undecided|all",
    default = "missing", group = "Judging", on = { "rejudge" },
    help = "Which answers: those that this judge with this model has given no usable verdict on, those whose newest "
      .. "verdict is undecided, or all." },
  { "show-asker", type = "flag", group = "Judging", on = JUDGES,
    help = "Show a judge that is blind to who asked (stance) the whole conversation." },
  { "repeats", type = "integer", min = 1, max = 10000, default = 1, group = "What to measure", on = { RUN },
    help = "Times that each trial is asked." },
  { "limit", type = "integer", min = 1, group = "What to measure", on = { RUN, "grid" },
    help = "Only the first N samples of each suite." },
  { "filter", type = "words", metavar = "[FIELD=]GLOB", group = "What to measure", on = { RUN },
    help = "Only samples whose id matches (PI-*), or whose category or subcategory does (category=hhh)." },
  { "sample", type = "integer", min = 1, group = "What to measure", on = { RUN, DEMO, "grid" },
    help = "N samples of each suite, drawn with --seed." },
  { "shard", type = "string", metavar = "I/N", group = "What to measure", on = { RUN },
    help = "Only the I-th of N parts of the trials; `lre merge` joins their runs." },
  { "seed", type = "integer", min = 0, max = 1 << 53, default = 42, group = "What to measure",
    on = { RUN, DEMO, "grid", "mock" },
    help = "Seed of sampling, retries' jitter and the fake model; sent to providers that take one." },
  { "balanced", type = "flag", group = "What to measure", on = { "grid" },
    help = "--sample draws whole triplets, every level of every factor equally often." },
  { "include-neutral", type = "flag", group = "What to measure", on = { RUN, "grid" },
    help = "Accepted for the second seed's command line and recorded; which samples there are is the suite's affair." },
  { "no-neutral", type = "flag", group = "What to measure", on = { "grid" },
    help = "Without the tellings by nobody." },

  { "temperature", type = "number", min = 0, max = 2, default = 0, group = "Decoding", on = { RUN },
    help = "Sampling temperature." },
  { "max-tokens", type = "integer", min = 1, default = 512, group = "Decoding", on = { RUN },
    help = "Longest answer in tokens." },
  { "param", type = "list", metavar = "KEY=VALUE", group = "Decoding", on = { RUN },
    help = "Another parameter; the value is read as JSON where it is JSON, else as text." },

  { "adapter-option", type = "list", metavar = "KEY=VALUE", group = "Provider", on = { RUN },
    help = "An option of the adapter, such as those that describe an API to `http`." },
  { "base-url", type = "string", metavar = "URL", group = "Provider", on = { RUN },
    help = "Endpoint, for a compatible server." },
  { "api-key-env", type = "string", metavar = "VARIABLE", group = "Provider", on = { RUN },
    help = "Environment variable that holds the key." },
  { "fake-refusal-rate", aliases = { "--refusal-rate" }, type = "number", min = 0, max = 1, default = 0.5,
    group = "Provider",
    on = { RUN, DEMO }, default_for = { demo = 0.6 }, help = "Share of prompts that the fake model refuses." },
  { "threads", type = "integer", min = 1, max = 1024, default_text = "one a core", group = "Provider", on = { RUN },
    help = "Threads of a model that runs here; they do not change its answers." },
  { "kv-memory", type = "integer", min = 1, max = 1048576, metavar = "MIB", default_text = "1024", group = "Provider",
    on = { RUN }, help = "Most memory for keys and values of a model that runs here." },
  { "quant", type = "string", choices = { "none", "int8" }, metavar = "none|int8", default_text = "none",
    group = "Provider", on = { RUN }, help = "Keep the weights of a model that runs here in fewer bits." },
  { "no-chat-template", type = "flag", group = "Provider", on = { RUN },
    help = "Prompt a model that runs here with the bare text." },
  { "model-name", type = "string", metavar = "NAME", default = "fake-1b", group = "Provider", on = { DEMO },
    help = "Name of the smaller fake model." },
  { "local", type = "string", metavar = "DIR", group = "Provider", on = { DEMO },
    help = "Ask the checkpoint in this folder instead, on this machine." },
  { "revision", type = "string", metavar = "NAME", default = "main", group = "Provider", on = { "pull" },
    help = "Branch, tag or commit of the model." },
  { "ca-file", type = "string", metavar = "FILE", group = "Provider", on = FETCHES,
    help = "Certificates to trust, instead of the system's." },
  { "proxy", type = "string", metavar = "URL", group = "Provider", on = FETCHES,
    help = "Proxy, instead of the environment's." },

  { "concurrency", aliases = { "--max-concurrent" }, type = "integer", min = 1, max = 10000, default = 16,
    group = "Pace", on = ASKS,
    help = "Trials in flight." },
  { "max-connections", type = "integer", min = 1, max = 10000, default_text = "--concurrency", group = "Pace",
    on = ASKS,
    help = "Connections to one provider." },
  { "rate-limit-rps", type = "number", min = 0, max = 100000, default = 0, default_text = "0, no limit",
    group = "Pace", on = { RUN },
    help = "Requests a second for each model." },
  { "rate-limit-burst", type = "integer", min = 1, max = 100000, default_text = "1", group = "Pace",
    on = { RUN }, help = "Requests that may go at once after a rest, under --rate-limit-rps." },
  { "no-adaptive", type = "flag", group = "Pace", on = ASKS,
    help = "Keep as many requests under way after a 429; else it halves them and good answers give them back." },
  { "retries", type = "integer", min = 0, max = 100, default = 4, group = "Pace", on = ASKS,
    help = "Times that a failed request is sent again." },
  { "max-retry-after", type = "number", min = 0, max = 86400, default = 600, unit = "s", group = "Pace", on = ASKS,
    help = "Longest wait that a provider may ask for." },
  { "timeout-connect", type = "number", min = 0.001, max = 86400, default = 10, unit = "s", group = "Pace",
    on = ASKS,
    help = "To open a connection." },
  { "timeout-first-byte", type = "number", min = 0.001, max = 86400, default = 600, unit = "s", group = "Pace",
    on = ASKS,
    help = "Until an answer begins." },
  { "timeout-stall", type = "number", min = 0.001, max = 86400, default = 60, unit = "s", group = "Pace", on = ASKS,
    help = "Without a byte, once it began." },
  { "timeout-total", type = "number", min = 0.001, max = 86400, default = 900, unit = "s", group = "Pace", on = ASKS,
    help = "For one request." },
  { "timeout-trial", type = "number", min = 0.001, max = 864000, default_text = "none", unit = "s", group = "Pace",
    on = { RUN },
    help = "For a trial with all its retries." },
  { "timeout-run", type = "number", min = 0.001, max = 8640000, default_text = "none", unit = "s", group = "Pace",
    on = { RUN },
    help = "For the run: then nothing new starts, as after Ctrl-C." },

  { "budget-usd", type = "number", min = 0, max = 1e9, default_text = "none", unit = "US dollars", group = "Budget",
    on = SPENDS,
    help = "Most that the run may cost, over all its sessions; a model of unknown price is refused." },
  { "budget-tokens", type = "integer", min = 1, max = 1 << 50, default_text = "none", group = "Budget", on = SPENDS,
    help = "Most tokens of input and output." },
  { "budget-requests", type = "integer", min = 1, max = 1 << 50, default_text = "none", group = "Budget",
    on = SPENDS,
    help = "Most requests, retries and judges' among them." },
  { "max-wall", type = "number", min = 0.001, max = 8640000, default_text = "none", unit = "s", group = "Budget",
    on = { RUN },
    help = "For one session of the run: then what is in flight is cut off, to be asked again." },
  { "prices", type = "string", metavar = "FILE.lua", group = "Budget", on = SPENDS,
    default_text = "./prices.lua where it is there, then the bundled table",
    help = "Prices in dollars per million tokens." },

  { "script", type = "string", metavar = "NAME|FILE.lua", default = "calm", group = "The mock", on = { "mock" },
    help = "What it does; `list` names the scenarios." },
  { "port", type = "integer", min = 0, max = 65535, default = 0, default_text = "a free one", group = "The mock",
    on = { "mock" }, help = "Port." },
  { "host", type = "string", metavar = "IPv4", default = "127.0.0.1", group = "The mock", on = { "mock" },
    help = "Address to listen on." },
  { "tls", type = "string", metavar = "FILE.pem", default_text = "plain HTTP", group = "The mock", on = { "mock" },
    help = "HTTPS, with a certificate made now and written there." },
  { "latency", type = "number", min = 0, max = 3600, default = 0, unit = "s", group = "The mock", on = { "mock" },
    help = "Before each answer." },
  { "refusal-rate", type = "number", min = 0, max = 1, default = 0.5, group = "The mock", on = { "mock" },
    help = "Share of prompts that it refuses." },

  { "in", type = "string", metavar = "RUN|FILE", group = "What to judge", on = { "judge" },
    default_text = "the newest run of --run-dir",
    help = "Folder of a run, or a JSONL file of { id, prompt, response } or of the first seed's RawResponse." },
  { "threads", type = "integer", min = 1, max = 1024, default_text = "all cores", group = "Judging", on = { "judge" },
    help = "Blocks of a file that rule judges work on at a time." },
  { "no-judge", type = "flag", group = "Judging", on = { RUN }, help = "Only ask; judge later." },
  { "score-now", type = "flag", group = "Judging", on = { RUN }, help = "Judge at once; this is what happens anyway." },
  { "judge-steps", type = "integer", min = 1000, default = 5000000, group = "Judging", on = ASKS,
    help = "Steps that a rule judge may take for one answer." },
  { "judge-memory", type = "integer", min = 1, max = 65536, default = 64, unit = "MiB", group = "Judging", on = ASKS,
    help = "Memory of a rule judge." },
  { "regex-match-limit", type = "integer", min = 100, max = 4294967295, default = 1000000, group = "Judging",
    on = ASKS,
    help = "PCRE2's match limit in rule judges." },

  { "as", type = "string", choices = { "sycophancy" }, metavar = "FORMAT", group = "Files", on = { "export" },
    help = "In which tool's files." },
  { "out", type = "string", metavar = "FILE|-", group = "Files",
    on = { RUN, "did", "judge", "import", "grid", "export", "merge" },
    help = "Write the results there (run: also; did: as JSON, a line a trial included; judge: of a file, a line a "
      .. "row; import: of results; grid: the rows; export: a folder; merge: the new run's folder); - for standard "
      .. "output." },
  { "dump-raw", type = "string", metavar = "FILE|-", group = "Files", on = { RUN },
    help = "Write the responses there, a JSON line a trial." },
  { "cache", aliases = { "--dir" }, type = "string", metavar = "DIR", group = "Files",
    on = { RUN, "judge", "rejudge", "cache", "reproduce" },
    help = "Keep answers there by the content of their request, and take them from there." },
  { "older-than", type = "string", metavar = "TIME", group = "Files", on = { "cache" },
    help = "clear: only what was written longer ago: 7d, 24h, 30m, 45s, or a number of days." },
  { "run", type = "string", metavar = "RUN", group = "Files", on = { "cache" },
    help = "explain: the folder of the run that a trial's key is from." },
  { "offline", type = "flag", group = "Files", on = { RUN, "judge", "rejudge", "reproduce" },
    help = "Send nothing: what is not in --cache is an error." },
  { "cache-allow-nondeterministic", type = "flag", group = "Files", on = { RUN },
    help = "Do not warn of --cache at a temperature above 0 without --repeats." },
  { "exec", type = "flag", group = "What to do", on = { "reproduce" },
    help = "Run it into a fresh folder, then say identical, or the first difference (exit 1)." },
  { "run-dir", aliases = { "--output-dir" }, type = "string", metavar = "DIR", default = "runs", group = "Files",
    on = { RUN, "reproduce", "import", "judge" },
    help = "Folder that holds the runs." },
  { "run-id", type = "string", metavar = "ID", group = "Files", on = { RUN, "reproduce", "import" },
    default_text = "the UTC time",
    help = "Name of the run; an existing one is resumed." },
  { "fresh", type = "flag", group = "Files", on = { RUN }, help = "Do not resume: take the next free id." },
  { "path", type = "words", metavar = "DIR", group = "Files", on = { RUN, DEMO, "grid", "script", "list", "lint",
    "test", "report", "validate", "did", "judge", "rejudge", "reproduce", "import" },
    help = "Folder that is searched first for suites, judges, adapters, personas, reports." },
  { "dry-run", type = "flag", group = "Files", on = { RUN, "cache" },
    help = "Print what would be sent (cache clear: removed); needs no key, sends nothing." },

  { "format", type = "string", metavar = "NAME", group = "Output", on = { "report", "did" }, default = "md",
    help = "Which report: a name that `lre list reports` shows, or a file (did: md or json)." },
  { "title", type = "string", metavar = "TEXT", group = "Output", on = { "report" }, help = "Heading of the report." },
  { "expect", type = "list", metavar = "EXPECTATION", group = "Output", on = { RUN, "report" },
    help = "[CATEGORY.]METRIC[.rate|.low|.high|.n|.coverage] >=|<=|>|<|== NUMBER, on every row that has the metric; "
      .. "exit 1 where it does not hold. May repeat." },
  { "json", type = "flag", group = "Output", on = { RUN, DEMO, "compare", "kappa", "validate", "judge", "rejudge",
    "cache", "verify", "status", "pull", "report", "did" },
    help = "Print data instead of tables." },
  { "progress", type = "string", choices = { "auto", "bar", "plain", "json", "none" }, default = "auto",
    metavar = "MODE", group = "Output", on = { RUN },
    help = "How far the run is, on standard error: a bar on a terminal, else a line every 5 s; json: a line a "
      .. "second." },
  { "verbose", short = "-v", type = "flag", group = "Output", on = { EVERY }, help = "Say more (log level INFO)." },
  { "quiet", short = "-q", type = "flag", group = "Output", on = { EVERY }, help = "Say only errors." },
  { "log-level", type = "string", choices = { "DEBUG", "INFO", "WARNING", "ERROR" }, default_text = "WARNING",
    metavar = "LEVEL",
    group = "Output", on = { EVERY },
    help = "What is said on standard error; DEBUG shows requests and replies, without keys." },
}

local function name_of(entry)
  return (entry[1]:gsub("-", "_"))
end

local function offered(entry, command)
  for _, c in ipairs(entry.on) do
    if c == EVERY or c == command then return true end
  end
  return false
end

---The flags that a command offers, in order. Each has name (snake_case), flag, aliases, type, min, max, default, help,
---group.
function defaults.list(command)
  local out = {}
  for _, e in ipairs(ENTRIES) do
    if offered(e, command) then
      local default = e.default
      if e.default_for and e.default_for[command] ~= nil then default = e.default_for[command] end
      out[#out + 1] = setmetatable({ name = name_of(e), flag = "--" .. e[1], default = default }, { __index = e })
    end
  end
  return out
end

---"an integer from 1 to 10000".
function defaults.range(e)
  local what = e.type == "integer" and "an integer" or "a number"
  if e.max then return ("%s from %s to %s"):format(what, e.min, math.tointeger(e.max) or e.max) end
  return ("%s of at least %s"):format(what, e.min)
end

local function read_number(e, word, where)
  local value = word:match("^[-+]?%d[%d.eE+-]*$") and tonumber(word) or word:match("^%.%d+$") and tonumber(word)
  if e.type == "integer" then value = value and math.tointeger(value) end
  if not value or value < e.min or value > (e.max or math.huge) then
    return nil, ("%s: expected %s, got \"%s\""):format(where, defaults.range(e), word)
  end
  return value
end

local function read_choice(e, word, where)
  for _, choice in ipairs(e.choices) do
    if word:upper() == choice:upper() then return choice end
  end
  return nil, ("%s: expected one of %s, got \"%s\""):format(where, table.concat(e.choices, ", "), word)
end

---A word as the value of a flag, or nil and what is wrong; `where` (a flag, a variable) begins the sentence.
function defaults.read(e, word, where)
  if e.choices then return read_choice(e, word, where) end
  if e.type == "integer" or e.type == "number" then return read_number(e, word, where) end
  if word == "" then return nil, ("%s: expected a value, got an empty one"):format(where) end
  return word
end

---A flag's help with its unit and default.
function defaults.help(e)
  local default, notes = e.default_text or e.default, {}
  if e.unit then notes[1] = "in " .. e.unit end
  if default ~= nil then notes[#notes + 1] = "default " .. tostring(default) end
  return notes[1] and ("%s (%s)"):format(e.help, table.concat(notes, ", ")) or e.help
end

local METAVAR = { integer = "N", number = "X" }

local function declare(parser, e)
  local names = { e.short or e.flag }
  if e.short then names[#names + 1] = e.flag end
  table.move(e.aliases or {}, 1, #(e.aliases or {}), #names + 1, names)
  local text = table.concat(names, " ")
  if e.type == "flag" then return parser:flag(text, defaults.help(e)):target(e.name) end
  local option = parser:option(text, defaults.help(e)):target(e.name)
  option:argname("<" .. (e.metavar or METAVAR[e.type] or "TEXT") .. ">")
  option:convert(function(word) return defaults.read(e, word, e.flag) end)
  if e.type == "words" or e.type == "specs" or e.type == "list" then option:count("*") end
  return option
end

---Declares a command's flags on an argparse parser, by group.
function defaults.add(parser, command)
  local groups, order = {}, {}
  for _, e in ipairs(defaults.list(command)) do
    if not groups[e.group] then
      groups[e.group] = {}
      order[#order + 1] = e.group
    end
    table.insert(groups[e.group], declare(parser, e))
  end
  for _, name in ipairs(order) do parser:group(name, table.unpack(groups[name])) end
end

---Splits a list of words at commas; empty parts go.
function defaults.words(list)
  local out = {}
  for _, text in ipairs(list or {}) do
    for word in text:gmatch("[^,]+") do
      word = word:match("^%s*(.-)%s*$")
      if word ~= "" then out[#out + 1] = word end
    end
  end
  return out
end

---As words, but "name:a=1,b=2" is one, and so is a file with a comma in its name.
function defaults.specs(list)
  local out = {}
  for _, text in ipairs(list or {}) do
    if text:find(",", 1, true) and require("lre.fs").stat(text) then
      out[#out + 1] = text
    else
      for _, spec in ipairs(require("lre.options").split(text)) do out[#out + 1] = spec end
    end
  end
  return out
end

-- -q and -v are nearer than a level that a variable names.
local function level_of(args, from)
  local short = from.quiet == "flag" or from.verbose == "flag"
  return (from.log_level == "flag" or not short) and args.log_level or (args.quiet and "ERROR")
    or (args.verbose and "INFO") or "WARNING"
end

local function warn_of_strangers()
  for _, one in ipairs(require("lre.settings").strangers()) do
    local warning = ("no setting is called %s.%s"):format(one.name, one.hint)
    if one.hint ~= "" then require("lre.log").warning(warning) end
  end
end

---Fills in what the command line does not say (lre.settings), splits lists, and sets the log level. Returns args, with
---where each value comes from in args.from.
function defaults.apply(args, command)
  local from = require("lre.settings").fill(args, command)
  for _, e in ipairs(defaults.list(command)) do
    local value = args[e.name]
    if e.type == "words" then
      args[e.name] = defaults.words(value)
    elseif e.type == "specs" then
      args[e.name] = defaults.specs(value)
    elseif e.type == "list" then
      args[e.name] = value or {}
    end
  end
  require("lre.log").level(level_of(args, from))
  for _, folder in ipairs(args.path or {}) do
    local stat = require("lre.fs").stat(folder)
    if not stat or stat.type ~= "folder" then
      error({ exit = 2, message = ("--path: expected a folder, got %s"):format(folder) }, 0)
    end
  end
  if command == "run" or command == "judge" then warn_of_strangers() end
  if args.path and #args.path > 0 then require("lre.catalog").configure { paths = args.path } end
  return args
end

---One flag by its name in snake_case, of whatever command; nil where there is none.
function defaults.entry(name)
  for _, e in ipairs(ENTRIES) do
    if name_of(e) == name then return setmetatable({ name = name, flag = "--" .. e[1] }, { __index = e }) end
  end
end

---The names of all flags, in snake_case.
---@return string[]
function defaults.names()
  local out = {}
  for i, e in ipairs(ENTRIES) do out[i] = name_of(e) end
  return out
end

---The default value of one flag, for library code: `defaults.value("concurrency")`.
function defaults.value(name)
  local e = defaults.entry(name)
  if not e then error("no flag is called " .. name, 2) end
  return e.default
end

return defaults
