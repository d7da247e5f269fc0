---@meta
-- Stubs for editors: the bindings in C. A test holds every name here against the modules.
-- World errors: `nil, err`; a script's bugs raise. `err` is an lre.Error (tostring gives its message).

---@class lre.Error
---@field kind string "io", "json", "http", "regex", ...
---@field code string a word within the kind: "enospc", "timeout_stall", "rate_limited"
---@field message string
---@field status integer? HTTP status
---@field retry_after number? seconds

---@class lre.json
local json = {}
---Parses one JSON text, strictly. Options: `max_depth` (64), `max_bytes`, `bigint` ("error" | "string").
---Arrays carry an array metatable, null is json.null, a number with '.', 'e' or 'E' is a float.
---@param text string
---@param options table?
---@return any value, lre.Error? err
function json.decode(text, options) end
---Canonical JSON: sorted keys, shortest floats. `indent` 0 (default) or 2 (then a newline at the end). Raises nothing:
---nil, err.
---@param value any
---@param indent integer?
---@return string? text, lre.Error? err
function json.encode(value, indent) end
---Marks t as an array (so that an empty one is written as []) and returns it.
---@param t table?
---@return table
function json.array(t) end
---@param t any
---@return boolean
function json.is_array(t) end
---A number to 12 significant digits, for canonical files (integers pass through).
---@param x number
---@return number
function json.round(x) end
---@type lightuserdata
json.null = nil

---@class lre.hash
local hash = {}
---SHA-256 in lower-case hex.
---@param s string
---@return string
function hash.sha256(s) end
---SHA-1 in lower-case hex, for ids that other programs made with it; it protects nothing.
---@param s string
---@return string
function hash.sha1(s) end
---First 8 bytes of SHA-256, big-endian, over 2^64: a number in [0, 1).
---@param s string
---@return number
function hash.unit(s) end
---A running SHA-256.
---@return lre.Hasher
function hash.new() end
---@class lre.Hasher
local hasher = {}
---@param s string
---@return lre.Hasher self
function hasher:update(s) end
---@return string hex
function hasher:hex() end

---@class lre.clock
local clock = {}
---Seconds since some start; never jumps.
---@return number
function clock.mono() end
---Seconds since 1970 (SOURCE_DATE_EPOCH fixes it).
---@return number
function clock.unix() end
---UTC, "2025-01-01T12:30:00.123456Z"; without `unix` it is now; `micros` (default true).
---@param unix number?
---@param micros boolean?
---@return string
function clock.iso(unix, micros) end
---"YYYYmmdd_HHMMss" in UTC.
---@param unix number?
---@return string
function clock.stamp(unix) end
---Seconds since 1970 of an HTTP date, or nil.
---@param s string
---@return integer?
function clock.http_date(s) end
---SOURCE_DATE_EPOCH where set and valid; nil, err (code "invalid") where set and not a non-negative integer.
---@return integer?, lre.Error?
function clock.epoch() end

---@class lre.mt19937
local mt19937 = {}
---A generator that draws what CPython's random.Random(seed) draws.
---@param seed integer
---@return lre.Random
function mt19937.new(seed) end
---@class lre.Random
local random = {}
---@return number in [0, 1)
function random:random() end
---@param n integer
---@return integer in [0, n)
function random:below(n) end
---random.sample(range(population), n), 0-based, in draw order.
---@param population integer
---@param n integer
---@return integer[]
function random:sample(population, n) end

---@class lre.csv
local csv = {}
---Iterates over the records of a CSV text: fields (a list of strings), line (1-based). Raises an lre.Error on bad
---quoting.
---@param text string
---@return fun(): string[]?, integer?
function csv.records(text) end
---One record as text, with "\n".
---@param fields string[]
---@return string
function csv.format(fields) end

---@class lre.store
local store = {}
---Opens or makes the index over a run's journal (state.sqlite). Without a path a temporary one. One that is foreign,
---older or damaged is made anew.
---@param path string?
---@return lre.Store?, lre.Error?
function store.open(path) end
---@class lre.Store
local store_object = {}
---Brings it up to date with what the journal has now, on a thread of its own (waits; meanwhile the index is good for
---nothing else): { rebuilt, n_problems, problems = { { line, err } } }. Of the problems (lines that are not taken;
---err.code "duplicate": a second answer to one key, which is taken) the first 100.
---@param journal string
---@return table?, lre.Error?
function store_object:update(journal) end
---What is in it: { done, failed, verdicts, lines }.
---@return table?, lre.Error?
function store_object:count() end
---The keys that have a good answer, also those of lines that are not indexed yet.
---@param journal string
---@param expected integer?
---@return lre.Set?, lre.Error?
function store_object:answered(journal, expected) end
---Writes the trials as a table, twice: { journal, csv, parquet (paths), judges = { { name, hash } }, left_out and
---left_out_verdict (dotted names) }.
---@param spec table
---@return boolean?, lre.Error?
function store_object:table(spec) end
---The trials in the order of their keys: the journal's line of each, and the lines of its verdicts as they came.
---@param journal string
---@return fun(): string?, string[]?
function store_object:trials(journal) end
function store_object:close() end

---@class lre.set
local set = {}
---A set of strings in 8 bytes each (64-bit hashes): "probably seen".
---@param expected integer?
---@return lre.Set
function set.new(expected) end
---@class lre.Set
local set_object = {}
---@param key string
---@return boolean added false: was (probably) there
function set_object:add(key) end
---@param key string
---@return boolean
function set_object:has(key) end
---@return integer
function set_object:count() end

---@class lre.text
local text = {}
---True, or false and the byte offset (0-based) of the first bad byte.
---@param s string
---@return boolean, integer?
function text.valid_utf8(s) end
---Bad bytes become U+FFFD; how many.
---@param s string
---@return string, integer
function text.repair_utf8(s) end
---Safe for a terminal: control bytes, escape sequences, bidi controls and bad UTF-8 become visible (\x1b, \u{202e});
---newlines and tabs stay where `multiline`.
---@param s string
---@param multiline boolean?
---@return string
function text.terminal(s, multiline) end
---@param s string
---@return string
function text.html(s) end
---Edit distance (Damerau-Levenshtein, bytes), for "did you mean".
---@param a string
---@param b string
---@return integer
function text.distance(a, b) end
---How many columns s takes on a terminal (wide characters 2, combining 0).
---@param s string
---@return integer
function text.columns(s) end
---Leading and trailing whitespace removed.
---@param s string
---@return string
function text.trim(s) end

---@class lre.regex
local regex = {}
---Compiles a PCRE2 pattern. flags: any of "i", "m", "s", "x". Raises on a bad pattern (a script's bug).
---@param pattern string
---@param flags string?
---@return lre.Pattern
function regex.new(pattern, flags) end
---A set of patterns with ids: `{ { id = "x", pattern = "..." }, ... }` or `{ x = "..." }` (then in sorted order of
---ids).
---@param patterns table
---@param flags string?
---@return lre.PatternSet
function regex.set(patterns, flags) end
---Escapes s so that it matches itself.
---@param s string
---@return string
function regex.escape(s) end
---@class lre.Pattern
---In the main state a hit limit gives nil, err; in a rule judge it ends the row.
local pattern = {}
---First match at or after byte init (1-based): start, stop (inclusive), captures (string, or false where unset). nil:
---none.
---@param s string
---@param init integer?
---@return integer? start, integer|lre.Error|nil stop, ...
function pattern:find(s, init) end
---Captures of the first match, or the whole match; nil: none.
---@param s string
---@param init integer?
---@return string?, ...
function pattern:match(s, init) end
---@param s string
---@return boolean?, lre.Error?
function pattern:test(s) end
---How many matches, not overlapping.
---@param s string
---@return integer?, lre.Error?
function pattern:count(s) end
---Iterates over matches as match does. Raises on a limit.
---@param s string
---@return fun(): string?, ...
function pattern:gmatch(s) end
---Replaces: `with` is a string ($1, $2, $$) or a function of the captures. Returns the text and how many.
---@param s string
---@param with string|function
---@return string?, integer|lre.Error
function pattern:gsub(s, with) end
---@class lre.PatternSet
local pattern_set = {}
---Every pattern's first match: `{ { id, start, stop, text }, ... }` in the set's order.
---@param s string
---@return table?, lre.Error?
function pattern_set:scan(s) end
---The first (in the set's order) that matches: id, start, stop. nil: none.
---@param s string
---@return string?, integer|lre.Error|nil, integer?
function pattern_set:first(s) end
---The match that begins first, whichever pattern's it is; of those that begin there the first pattern's: id, start,
---stop.
---@param s string
---@return string?, integer|lre.Error|nil, integer?
function pattern_set:leftmost(s) end
---True where any matches.
---@param s string
---@return boolean?, lre.Error?
function pattern_set:any(s) end

---@class lre.stats
---Intervals are `{ value, low, high, method, confidence }`. Confidence defaults to 0.95. n = 0 gives nil, err (code
---"no_data").
local stats = {}
---@return table?, lre.Error?
function stats.wilson(x, n, confidence) end
---Of trials that come in clusters (repeats of a sample): `positives[i]` of `sizes[i]`. Wilson with n / DEFF
---in the place of n; has `n_eff` and `clusters` (how many are not empty) too.
---@param positives integer[]
---@param sizes integer[]
---@return table?, lre.Error?
function stats.wilson_clustered(positives, sizes, confidence) end
---The same where n_eff is known: x of n, worth n_eff independent ones.
---@return table?, lre.Error?
function stats.wilson_effective(x, n, n_eff, confidence) end
---@return table?, lre.Error?
function stats.jeffreys(x, n, confidence) end
---@return table?, lre.Error?
function stats.clopper_pearson(x, n, confidence) end
---x1/n1 - x2/n2, independent samples.
---@return table?, lre.Error?
function stats.newcombe(x1, n1, x2, n2, confidence) end
---Paired: a both, b only first, c only second, d neither. Has `phi` too.
---@return table?, lre.Error?
function stats.newcombe_paired(a, b, c, d, confidence) end
---Two-sided p of the pooled z-test.
---@return number?, lre.Error?
function stats.ztest(x1, n1, x2, n2) end
---`{ exact, midp }`
---@return table?, lre.Error?
function stats.mcnemar(b, c) end
---p-values adjusted for one another (Holm 1979), in the order given.
---@return number[]?, lre.Error?
function stats.holm(p) end
---The same by Benjamini and Hochberg 1995: for exploring, where some false findings are borne.
---@return number[]?, lre.Error?
function stats.benjamini_hochberg(p) end
---table: rows of counts. `{ kappa, se, low, high, se0, observed, expected }`; code "undefined" where expected
---agreement is 1.
---@return table?, lre.Error?
function stats.kappa(rows, confidence) end
---Nearest rank.
---@return number?, lre.Error?
function stats.quantile(values, q) end
---values[i] belongs to clusters[i] (any string). options: replicates (2000), seed (0), confidence.
---@return table?, lre.Error?
function stats.bootstrap(values, clusters, options) end
---@return number
function stats.normal_quantile(p) end
---@return number?, lre.Error?
function stats.t_quantile(p, df) end
---Two-sided p of Student's t.
---@return number?, lre.Error?
function stats.t_test(t, df) end

---@class lre.fs
local fs = {}
---@return string?, lre.Error?
function fs.read(path, max_bytes) end
---Temporary name, fsync, rename.
---@return boolean?, lre.Error?
function fs.write(path, data) end
---Makes a folder; `created` false where it was there. With parents like mkdir -p.
---@return boolean? created, lre.Error?
function fs.mkdir(path, parents) end
---`{ type = "file"|"folder"|"other", size, mtime }` or nil where missing.
---@return table?, lre.Error?
function fs.stat(path) end
---Are both there, and the same file, by whatever names and links?
---@return boolean
function fs.same(a, b) end
---Sorted names.
---@return string[]?, lre.Error?
function fs.list(path) end
---Iterates: line (without newline), number, offset, ended. Raises an lre.Error. One line in memory at a time.
---@return fun(): string?, integer?, integer?, boolean?
function fs.lines(path, max_line_bytes) end
---@return boolean?, lre.Error?
function fs.remove(path) end
---Writes to standard output or error and flushes: nil, err where that fails (a closed pipe, a full disk).
---@param stream "stdout"|"stderr"
---@return boolean?, lre.Error?
function fs.print(stream, data) end

---@class lre.journal
local journal = {}
---Opens or creates: handle, `{ torn_bytes, lines }`. err.code "locked" where another process has it.
---@return lre.Journal?, table|lre.Error
function journal.open(path) end
---Whether some process has it open for appending, and its number where that can be told.
---@param path string
---@return boolean held, integer? pid
function journal.holder(path) end
---Passes over a journal's whole lines: calls per line `row, number` with only the named fields (dotted paths) of each
---JSON row, `false` for what is absent.
---A line that is not JSON gives nil, number, err: the caller says so and goes on; the end gives nothing. A torn last
---line is not a
---row. nil, err where the file cannot be opened; raises where it cannot be read.
---@param path string
---@param fields string[]
---@param rows boolean? a line that is no row of a run (err.code "foreign"), or one of a newer version ("future"), is
---not given either
---@return fun(): table?, integer?, lre.Error?
function journal.scan(path, fields, rows) end
---@class lre.Journal
local journal_object = {}
---Appends lines (text without newline) with one write; redacted first. Does not wait for the disk.
---@param ... string
---@return boolean?, lre.Error?
function journal_object:append(...) end
---Lines known to be on disk.
---@return integer?, lre.Error?
function journal_object:synced() end
---Waits (yields) until all appended lines are on disk.
---@return boolean?, lre.Error?
function journal_object:flush() end
---@return boolean?, lre.Error?
function journal_object:close() end

---@class lre.http
local http = {}
---Sends one request and waits. request: method, url, headers (name -> value), body (string), auth = { env, header,
---prefix },
---timeouts = { connect, first_byte, stall, total } in seconds, max_bytes. Returns `{ status, headers (lower-case
---names), body, sent, reused,
---seconds = { connect, first_byte, total } }`, or nil, err (err.sent says whether the whole request was sent).
---A prepared request comes with its body.
---@param request table|userdata
---@param body string?
---@return table?, lre.Error?
function http.request(request, body) end
---A request without its body, read and checked once for many.
---@return userdata
function http.prepare(request) end
---Set once before the first request: max_connections, ca_file, proxy, user_agent.
function http.configure(options) end
---From now on only these hosts are asked (of each URL its scheme, host and port count); nil: every one. A request to
---another one gives nil, err (code "host") and sends nothing.
---@param urls string[]?
function http.allow(urls) end
---Percent-encodes.
---@return string
function http.escape(s) end
---Loads the secret in an environment variable; false where unset. The value is never seen by Lua.
---@return boolean?, lre.Error?
function http.load_key(env_name) end
---Text with every loaded secret replaced.
---@return string
function http.redact(s) end

---@class lre.serve
local serve = {}
---A small HTTP/1.1 server for `lre mock`. options: host (an IPv4 address), port (0: a free one), cert (a path: TLS,
---with the certificate written there), max_body_bytes.
---@return lre.Server?, lre.Error?
function serve.open(options) end
---@class lre.Server
local server = {}
---Waits up to so many seconds for traffic, then does what is due. handler(request) gets { method, target, headers,
---body, connection } and gives a list of strings (bytes) and numbers (pauses in seconds) with `ending`: "keep",
---"close", "reset" or "hang". What it raised last is returned; that connection was reset.
---@param seconds number
---@param handler fun(request: table): table
---@return any
function server:turn(seconds, handler) end
---@return integer
function server:port() end
---@return integer open now
function server:connections() end
function server:close() end

---@class lre.process
local process = {}
---Runs a program and waits: `{ argv..., input = "", timeout = seconds, max_bytes }`. No shell. Returns `{ exit,
---signal, out, err }` or nil, err.
---@return table?, lre.Error?
function process.run(request) end

---@class lre.sched
local sched = {}
---Starts a task. Returns its handle. A task that fails while nobody ever waits for it is reported on stderr, one line,
---when its handle
---is collected or the process ends; the exit code is then not 0.
---@return lre.Task
function sched.spawn(fn, ...) end
---@param seconds number
function sched.sleep(seconds) end
---Runs fn(...) in this task with a deadline: nil, err (kind "limit", code "deadline") when it passes. Its errors pass
---through.
---A coroutine cannot yield out of a deadline that it began itself.
function sched.deadline(seconds, fn, ...) end
---A gate for at most `limit` holders, FIFO. `limit` can be changed.
---@return lre.Gate
function sched.gate(limit) end
---A one-shot signal: :wait() returns what :set(...) was given; also after it was set.
---@return lre.Event
function sched.event() end
---True once SIGINT or SIGTERM came: start nothing new, finish what runs. Second result: the signal's number.
---@return boolean, integer?
function sched.interrupted() end
---What the first SIGINT or SIGTERM from now on says on standard error, at once and once. nil: nothing.
---@param text string?
function sched.notice(text) end
---Names the running task for SIGUSR1's print.
function sched.name(text) end
---@class lre.Task
local task = {}
---Waits for the end: what the function returned; raises what it raised.
function task:wait() end
function task:cancel() end
---@return "running"|"done"|"failed"|"cancelled"
function task:status() end
---@class lre.Gate
local gate = {}
---Waits for a place. Use as `local place <close> = gate:enter()`, or place:leave().
---@return lre.Place
function gate:enter() end
function gate:resize(limit) end
---@class lre.Place
local place = {}
function place:leave() end
---@class lre.Event
local event = {}
function event:set(...) end
function event:wait() end

---@class lre.sandbox
local sandbox = {}
---Builds a judge's state: spec = { name = "@judges/x.lua", source, modules = { name = { chunk, source } }, options =
---table?, limits = { steps, bytes, regex_match } }.
---@return lre.Sandbox?, lre.Error?
function sandbox.new(spec) end
---Judges the lines of a file of answers, { id, prompt, response }, on a worker thread (waits): a line a row and judge.
---`name` is what stands between a row's id and the verdict. Lines of another shape are left out: `odd` has each one's
---number, the byte of the result before which it belongs, and its text.
---@param judges { [1]: lre.Sandbox, [2]: string }[] sandbox, name
---@param text string whole lines
---@return string? lines, lre.Error|{ lines: integer, rows: integer, errors: integer, odd: table[] }
function sandbox.judge_lines(judges, text) end
---@class lre.Sandbox
local sandbox_object = {}
---A plain copy of the table that the chunk returned; functions are placeholders.
---@return table?, lre.Error?
function sandbox_object:declared() end
---Judges one row (JSON text of { trial, response }): the verdict as a table. nil, err only for what is not the judge's
---fault.
---@return table?, lre.Error?
function sandbox_object:judge(row_json) end
---Judges lines on a worker thread (waits): a verdict line a row line, in order.
---@return string?, lre.Error?
function sandbox_object:judge_block(rows) end
---Frees the states that wait; one that is needed again is built again.
function sandbox_object:rest() end
function sandbox_object:close() end

---@class lre.suite_row
local suite_row = {}
---A line of a suite's file that is { id, text or prompt, category?, subcategory? }, all strings and none blank: id,
---category and the sample's canonical JSON. Nothing for any other line, also a wrong one.
---@param line string
---@return string? id, string? category, string? encoded
function suite_row.common(line) end

---@class lre.writer
local writer = {}
---A function that writes an object of these fields (names of small letters and _) as canonical JSON: its arguments are
---the values in the order of `names`, nil leaves a field out; those of `encoded` are canonical JSON already.
---@param names string[]
---@param encoded string[]?
---@return fun(...): string?, lre.Error?
function writer.new(names, encoded) end

---@class lre.platform
local platform = {}
---@type string folder of our Lua
platform.lua_dir = ""
---@type string folder with suites, judges, examples, docs
platform.share_dir = ""
---@type string? this program's file, links resolved
platform.program = ""
---@type string
platform.version = ""
---`{ lua, curl, cjson, pcre2, pcre2_jit (boolean), openssl, sqlite, utf8proc }`
---@return table
function platform.libraries() end
---@return integer
function platform.cpus() end
---"linux x86_64"
---@return string
function platform.describe() end
---First 16 hex digits of an HMAC-less SHA-256 of the host name with a per-user random salt file: tells machines apart
---without naming them.
---@return string
function platform.host_hash() end
---@param stream "stdin"|"stdout"|"stderr"
---@return boolean
function platform.is_tty(stream) end
---@return integer
function platform.columns() end
---@return integer bytes
function platform.peak_memory() end
---Freed memory that the C library keeps goes back to the system.
function platform.trim_memory() end
---Raises the limit on open files towards n; what it is now.
---@return integer
function platform.raise_nofile(n) end
---@return string? value (raises for a variable loaded as a secret)
function platform.getenv(name) end
---Sets the variables of a file of NAME=value lines that the environment does not have; their names. No file: none.
---@param path string
---@return string[]? names, lre.Error? err
function platform.load_env(path) end
---The names of the environment's variables that begin so; no values.
---@param prefix string
---@return string[]
function platform.env_names(prefix) end
---@return integer
function platform.pid() end
---@return string
function platform.hostname() end

---@class lre.infer
local infer = {}
---Opens a checkpoint's folder and starts its threads; waits while it reads. options: threads (0: one a core), kv_bytes
---(1 GiB), max_sequences (64), block_tokens (128), int8, kernels (a name of infer.kernels). See docs/inference.md.
---@param folder string
---@param options table?
---@return lre.Engine? engine, lre.Error? err
function infer.open(folder, options) end
---The instruction sets that this processor has kernels for, the best first; all give the same bits.
---@return string[]
function infer.kernels() end
---@class lre.Engine
local engine = {}
---`{ architecture, dtype, quantisation, kernels, parameters, vocabulary, context, layers, files = { name = sha256 } }`
---@return table
function engine:info() end
---`{ threads, steps, tokens, peak_sequences, kv_peak_bytes }` so far.
---@return table
function engine:facts() end
---The ids of a text; `special`: special tokens that stand in it are recognised.
---@param text string
---@param special boolean?
---@return integer[]? ids, lre.Error? err
function engine:encode(text, special) end
---@param ids integer[]
---@param skip_special boolean?
---@return string? text, lre.Error? err
function engine:decode(ids, skip_special) end
---The id of a token as the vocabulary writes it; nothing where there is none.
---@param name string
---@return integer?
function engine:token(name) end
---A user's text, marked so that nothing in it becomes a special token; and whether a mark was needed: then the part
---that it is put into is `guarded`.
---@param text string
---@return string marked, boolean any
function engine:guard(text) end
---Waits for an answer. request: parts = { { text, special?, frame?, guarded? }, ... }, max_tokens, temperature (0),
---top_k, top_p, min_p, repetition_penalty, stop (texts), key (32 hexadecimal digits or more: the seed), logprobs (how
---many alternatives a token), ignore_end. Answer: { text, finish_reason ("stop" | "length"), input_tokens,
---output_tokens, reused_tokens, logprobs? }.
---@param request table
---@return table? answer, lre.Error? err
function engine:generate(request) end
---Ends its threads; what waits gets an error.
function engine:close() end
