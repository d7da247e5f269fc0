---@meta
-- Stubs for editors: what a script sees as `lre`, and the shapes that it gives and gets.
-- A test holds every name here and in the modules' own files beside this one (the bindings in C) against the modules.
-- World errors: `nil, err`; a script's bugs raise. `err` is an lre.Error (tostring gives its message).

---@class lre.Error
---@field kind string "io", "json", "http", "regex", ...
---@field code string a word within the kind: "enospc", "timeout_stall", "rate_limited"
---@field message string
---@field status integer? HTTP status
---@field retry_after number? seconds

---@alias lre.Part { type: string, text: string? }

---@class lre.Message
---@field role "system"|"user"|"assistant"
---@field content string|lre.Part[]

---@class lre.Sample
---@field id string
---@field messages lre.Message[]
---@field category string?
---@field subcategory string?
---@field target (string|number|boolean|string[])?
---@field metadata table?

---A row as a suite's file or generator gives it: one of text, prompt, messages, conversation.
---@class lre.Row
---@field id (string|integer)? or prompt_id
---@field prompt_id (string|integer)?
---@field text string?
---@field prompt string?
---@field messages lre.Message[]?
---@field conversation lre.Message[]?
---@field system string? put in front, unless the conversation begins with it
---@field persona_system_prompt string?
---@field category string?
---@field subcategory string?
---@field target (string|number|boolean|string[])?
---@field notes string?
---@field suite string?
---@field metadata table?
---@field factors table?

---`{ default, documentation }`: the default's type is the option's.
---@class lre.Option
---@field [1] boolean|number|string|string[]
---@field [2] string?
---@field min number?
---@field max number?
---@field one_of string[]?

---@class lre.MetricDeclaration
---@field name string? in a list; in a table the key is the name
---@field rate (string|string[])? the label that is counted, or several
---@field of string[]? among these
---@field mean string? instead of a rate: the number that is averaged, "value" or a path below value or evidence
---@field min number? of that number: its interval goes no further
---@field max number?
---@field primary boolean?
---@field summary string?

---@class lre.Metric
---@field name string
---@field rate string?
---@field of string[]?
---@field mean string?
---@field summary string?

---What is compared within a suite's clusters (docs/sycophancy.md).
---@class lre.ContrastDeclaration
---@field name string
---@field over string the factor whose levels are the arms, or "persona"
---@field weights table<string, number>? arm -> weight
---@field all table<string, string>? in place of weights, arm -> label: the share of clusters that have all of them
---@field mean string? the number that is weighed, as in a metric
---@field rate (string|string[])? or the label, or labels, whose share is
---@field by (string|string[])[]? factors by which it is told apart
---@field pooled string[]?
---@field exploratory boolean? not among the tests that Holm corrects
---@field summary string?

---@class lre.SuiteDeclaration
---@field name string
---@field samples lre.Row[]|fun(opt: table): (fun(): lre.Row?)
---@field version string?
---@field summary string?
---@field judges string[]? { "refusal" }
---@field options table<string, lre.Option>?
---the first, or the one with `primary`, is the primary one:
---@field metrics (lre.MetricDeclaration[]|table<string, lre.MetricDeclaration>)?
---@field clusters string? what is not independent: a name within metadata
---@field contrasts lre.ContrastDeclaration[]?
---@field roster string? the project's file of models, read where nobody names one

---@class lre.JudgeExample
---@field response (string|lre.Response)? a rule judge's
---@field reply string? a model judge's: what its model said
---@field prompt string?
---@field trial table?
---@field label string?
---@field value any
---@field state ("scored"|"undecided"|"unscored"|"error")?
---@field why string?

---@class lre.JudgeDeclaration
---@field name string
---@field version string
---@field kind "rule"|"model"
---@field labels string[]? a judge without labels measures: its value is the verdict
---@field summary string?
---@field options table<string, lre.Option>?
---@field metrics (lre.MetricDeclaration[]|table<string, lre.MetricDeclaration>)?
---@field examples lre.JudgeExample[]?
---@field validation string? JSONL of labelled answers { id, prompt?, response, label }, relative to the judge's file
---@field patterns table<string, any>? PCRE2, compiled once
---@field judge (fun(trial: lre.JudgedTrial, response: lre.Response, re: table, opt: table): lre.Verdict)? pure
---of a model judge: a template ({{prompt}}, {{response}}, {{conversation}}, {{system}}, {{target}}, {{category}},
---{{suite}}, {{labels}}, and options by name), or a function that gives a text or messages. `quoted` has the first five
---between delimiters:
---@field prompt (string|fun(trial: lre.JudgedTrial, response: lre.Response, quoted: table, opt: table): any)?
---@field schema table? of a model judge: what its reply must be (lre.schema); without it the reply is a text
---of a model judge, in place of one schema: several by name, and which of them is a trial's:
---@field schemas table<string, table>?
---@field family (fun(trial: lre.JudgedTrial, opt: table): string)?
---of a model judge: fields of its reply that follow from others ("safety.overall"); nil leaves what is stated:
---@field derived { path: string, of: fun(reply: any, trial: lre.JudgedTrial, opt: table, family: string): any }[]?
---of a model judge: what a reply says; nil and why where it cannot be read:
---@field verdict (fun(reply: any, trial: lre.JudgedTrial, response: lre.Response, opt: table, family: string): any)?
---what its figures are given by beside model and persona, each a list of category, subcategory, model, persona:
---@field cells string[][]?
---@field model string? of a model judge: who is asked where neither a flag nor LRE_JUDGE_MODEL says
---@field params table? of a model judge: temperature (0), max_tokens (900), ...
---@field blind (boolean|fun(opt: table): boolean)? of a model judge: it is shown the answer alone, not the prompt
---of a model judge: it is refused where its model is tested too; a text names the one that may be:
---@field impartial (boolean|fun(opt: table): string|boolean)?
---of a model judge: the verdict of several (--judge-repeats), from their values and the mean:
---@field combine (fun(values: number[], mean: number, opt: table): lre.Verdict)?

---What a judge is told of a trial.
---@class lre.JudgedTrial
---@field key string
---@field suite string
---@field sample_id string
---@field category string?
---@field subcategory string?
---@field target any
---@field persona string
---@field model string
---@field metadata table? what its sample says of itself
---@field prompt string? the last user text
---@field messages lre.Message[]? with the turns that were generated

---@class lre.Verdict
---@field state "scored"|"undecided"|"unscored"|"error"
---@field label string?
---@field value any
---@field evidence any
---@field reason { code: string, message: string?, limit: integer? }?

---@class lre.Response
---@field text string
---@field finish_reason ("stop"|"length"|"content_filter"|"refusal"|"tool"|"other")?
---@field usage table?
---@field model string?
---@field request_id string?
---@field provider string? who answered, where a router was asked
---@field reasoning string?
---@field logprobs table? { content = { { token, id?, logprob, top_logprobs }, ... }, left_out? }: where asked for

---@class lre.AdapterDeclaration
---@field name string
---@field version string?
---@field summary string?
---@field key_env string? the environment variable that holds the key; Lua never sees its value
---@field auth { header: string, prefix: string? }|fun(options: table): table?
---@field options table<string, lre.Option>?
---@field params string[]? the names of parameters that it takes
---@field check (fun(options: table): string?)? what is wrong with the options, before anything is sent
---@field request (fun(model: table, messages: lre.Message[], params: table, opt: table): table)?
---@field response (fun(status: integer, headers: table, body: string, opt: table): lre.Response?, lre.Error?)?
---@field call (fun(model: table, messages: lre.Message[], params: table): lre.Response?, lre.Error?)?

---@class lre.PersonaDeclaration
---@field name string
---@field system string
---@field intent string?
---@field tags string[]?
---@field language string?

---@class lre.ReportDeclaration
---@field name string
---@field summary string?
---@field render fun(results: table, opt: table?): string

---A script as it was read, with the files beside it that it requires.
---@class lre.Chunk
---@field path string
---@field name string as messages show it
---@field source string
---@field sha256 string of the source
---@field hash string of the source and the modules
---@field modules table<string, { chunk: string, source: string, sha256: string }>

---@class lre.Finding
---@field file string
---@field line integer?
---@field field string?
---@field detail string
---@field message string whole: file:line: field: detail

---@class lre.SuiteCheck
---@field count integer
---@field hash string SHA-256 over each sample's canonical JSON and a newline
---@field categories string[]
---@field problems lre.Finding[]
---@field warnings lre.Finding[]
---@field more integer findings beyond those kept
---@field kept string[]? canonical JSON of the samples, in strings of whole lines (asked for with `keep`)

---@class lre.Suite
---@field name string
---@field path string?
---@field kind "jsonl"|"csv"|"lua"
---@field version string
---@field judges string[]
---@field options table
---@field metrics lre.Metric[]?
---@field clusters string?
---@field contrasts table[]?
---@field source_hash string?
local suite = {}
---The samples and their lines. Raises with exit 3; with `expect` (a hash) also where they are others than at first.
---@param opt { expect: string? }?
---@return fun(): lre.Sample?, integer?
function suite:samples(opt) end
---The first reading: all problems, the count and the hash. `texts`: also the same messages twice.
---@param opt { texts: boolean? }?
---@return lre.SuiteCheck
function suite:check(opt) end

---@class lre.Persona
---@field name string
---@field system string? nil: the control arm
---@field hash string

---@class lre.Adapter
---@field name string
---@field version string
---@field key_env string?
---@field auth { header: string, prefix: string? }|fun(options: table): table?
---@field options table<string, lre.Option>
---@field params string[]?
---@field source_hash string?
---@field path string?

---@class lre.Judge
---@field name string `as`, or the declared name
---@field judge string the file's name
---@field version string
---@field kind "rule"|"model"
---@field labels string[]
---@field options table
---@field metrics lre.Metric[]?
---@field hash string source, modules, options
---@field path string
local judge = {}
---What is known before the judge is asked: true, with the verdict; or without one where the response is an error.
---@param response table
---@return boolean decided, lre.Verdict? verdict
function judge:decided(response) end
---What the sandbox gave, held against the labels.
---@param verdict table
---@return lre.Verdict
function judge:accept(verdict) end
---@param input { trial: table, response: table }
---@return lre.Verdict?, lre.Error?
function judge:verdict(input) end
---Many at once, on a worker thread (waits). `false` for a response that is an error.
---@param inputs { trial: table, response: table }[]
---@return (lre.Verdict|false)[]?, lre.Error?
function judge:verdicts(inputs) end
---The same as canonical JSON texts.
---@param inputs { trial: table, response: table }[]
---@return (string|false)[]?, lre.Error?
function judge:verdict_lines(inputs) end
---The label of a verdict line that says a label and at most the evidence for it, and the evidence's member with its
---text (nil: none). nil for every other line.
---@param line string
---@return string? label, string? evidence
function judge:plain_label(line) end
---A verdict line as `verdicts` gives it.
---@param line string
---@return lre.Verdict
function judge:read_line(line) end
---Is it one of the declared labels?
---@param word any
---@return boolean
function judge:has_label(word) end
---The judge's own examples: `{ n, input, expected, why }`.
---@return table[]
function judge:examples() end
---Gives back the memory of what waits for more to judge.
function judge:rest() end
function judge:close() end

---@class lre.composite
local composite = {}
---The verdict of most judges: a label with more than half of the votes cast. Who is undecided or has no verdict casts
---none. Else the tie rule: "undecided" (the default), or the label that then wins. Without any vote: unscored.
---@param verdicts { state: string, label: string? }[]
---@param opt { tie: string? }?
---@return { state: string, label: string?, evidence: table, reason: table? }
function composite.majority(verdicts, opt) end
---Counts pairs of outcomes of two judges: `inner` and `outer` are the labels that count. The tally has
---:add(inner, inner_scored, outer, outer_scored) (whether either is there; nil where one is no label) and
---:figures(confidence) ({ total, n, inner, outer, joint, delta = { value, n, x, wilson, newcombe }, table, apart }).
---@param inner string
---@param outer string
---@return table
function composite.tally(inner, outer) end
---Joins the outcomes of some judges by trial: each(key, outcomes, scored, category).
---@param run table
---@param judges string[]
---@param each function
function composite.each_trial(run, judges, each) end
---The joint rows of a run's results; nil where no suite has two judges that measure the same.
---@param store table
---@param inputs table
---@return table[]?
function composite.joint(store, inputs) end
---@class lre.schema
local schema = {}
---Holds a value (as json.decode gives it) against a schema in JSON Schema's words: type, enum, minimum, maximum,
---exclusiveMinimum, exclusiveMaximum, minLength, maxLength, minItems, maxItems, items, properties, required,
---additionalProperties (default false), description. Nothing is converted. Raises where the schema is wrong.
---@param spec table
---@param value any
---@return true?, { path: string, message: string }[]? problems
function schema.check(spec, value) end
---The same after reading what `normalize = true` allows to be read as a boolean or a number: the value as read and a
---sentence for each that was; nil and the problems.
---@param spec table
---@param value any
---@return any? value, string[]|{ path: string, message: string }[] notes_or_problems
function schema.read(spec, value) end
---The schema as providers take it for structured output: every property asked for; strict where it names all fields.
---@param spec table
---@return table schema, boolean strict
function schema.wire(spec) end
---What is wrong with a schema itself: empty where it is sound.
---@param spec table
---@return { path: string, message: string }[]
function schema.problems(spec) end

---@class lre
---@field json lre.json
---@field regex lre.regex
---@field stats lre.stats
---@field hash lre.hash
---@field clock lre.clock
---@field csv lre.csv
---@field text lre.text
---@field fs lre.fs
---@field http lre.http
---@field process lre.process
---@field schema lre.schema
---@field composite lre.composite
local lre = {}
---@type string
lre.version = ""
---Declares a suite: a file of samples and what is measured on them.
---@param t lre.SuiteDeclaration
---@return lre.SuiteDeclaration
function lre.suite(t) end

---One story told by one side, by the other and by nobody, for every combination of the factors' levels. A template has
---{factor} and [side's words|other side's words|nobody's words]. See docs/sycophancy.md.
---@class lre.TripletsDeclaration
---@field name string
---@field tellers string[] side (+1), other side (-1), and nobody
---@field factors { [1]: string, [2]: any[] }[] the last varies fastest
---@field story string the telling: a template
---@field system string? the background, the same for all tellers: a template without alternatives
---@field words table<string, table<string, string>>? factor -> level -> what the text says for it
---@field derive (fun(factors: table): table)? more factors, which follow from them
---@field roster string? the project's file of models, where nobody names one
---@field by (string|string[])[]? the factors by which contrasts are told apart; all of them where it is not given
---@field judges string[]?
---@field version string?
---@field summary string?

---@param t lre.TripletsDeclaration
---@return lre.SuiteDeclaration t
function lre.triplets(t) end
---Declares a judge.
---@param t lre.JudgeDeclaration
---@return lre.JudgeDeclaration
function lre.judge(t) end
---Declares an adapter: how to talk to a provider.
---@param t lre.AdapterDeclaration
---@return lre.AdapterDeclaration
function lre.adapter(t) end
---Declares a persona.
---@param t lre.PersonaDeclaration
---@return lre.PersonaDeclaration
function lre.persona(t) end
---Declares a report.
---@param t lre.ReportDeclaration
---@return lre.ReportDeclaration
function lre.report(t) end

---A scenario of `lre mock` (docs/mock.md): name, summary?, reply = function(ask, m) that gives a reply.
---@param t table
---@return table t
function lre.mock(t) end
---An experiment: suites, personas, models, judges and every flag of `lre run` as a field. `:run()` runs it.
---@param t table
---@return lre.Experiment
function lre.experiment(t) end
---The script's options with what stands after `--`.
---@param t table<string, lre.Option>
---@return table<string, any>
function lre.options(t) end
---A model to ask: `lre.model("openai/gpt-4o-mini"):chat(messages)`.
---@param name string
---@param opts table?
---@return lre.Model
function lre.model(name, opts) end
---fn(element, index) for each, `limit` at a time (16), results in order; the first error cancels the rest.
---@param source any[]|fun(): any
---@param fn function
---@param opt { limit: integer?, collect: boolean? }?
---@return any[]? results, integer n
function lre.map(source, fn, opt) end
---Starts a task.
---@return lre.Task
function lre.spawn(fn, ...) end
---@param seconds number
function lre.sleep(seconds) end
---fn(...) with a deadline: nil, err when it passes.
function lre.deadline(seconds, fn, ...) end
---@param limit integer
---@return lre.Gate
function lre.gate(limit) end
---@return lre.Event
function lre.event() end

---@class lre.Experiment
local experiment = {}
---Resolves every name and reads every suite once; nothing is sent. `dry`: no key is needed.
---@param dry boolean?
function experiment:plan(dry) end
---The models alone, without a key and without reading a suite's samples.
---@return lre.Model[]
function experiment:models() end
---Asks, judges, writes the files of the run.
---@param opt table?
---@return lre.Run
function experiment:run(opt) end

---@class lre.Run
---@field dir string
---@field results table
local run = {}
---The text of a report: "md", "scaling", "json", or a name of your own.
---@param name string
---@param opt table?
---@return string
function run:report(name, opt) end
---The responses as JSON lines.
---@param path string
---@return integer n
function run:dump(path) end
---Rows of the results in which a judge gave no verdict on any answer.
---@return table[]
function run:silent_judges() end
---Rows pooled over what `by` does not name.
---@param opt { by: string[], metric: string? }
---@return table[]
function run:cells(opt) end

---@class lre.Model
---@field label string
---@field id string
---@field adapter string
local model = {}
---Asks the model, and waits.
---@param messages lre.Message[]
---@param params table?
---@param opts table?
---@return lre.Response?, lre.Error?
function model:chat(messages, params, opts) end
---What chat would send, without sending it.
---@param messages lre.Message[]
---@param params table?
---@param opts table?
---@return table?, lre.Error?
function model:preview(messages, params, opts) end
