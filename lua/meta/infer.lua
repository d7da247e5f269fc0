---@meta lre.infer

---@class lre.infer
local infer = {}
---Opens a checkpoint's folder and starts its threads; waits while it reads. options: threads (0: one a core), kv_bytes
---(1 GiB), max_sequences (64), block_tokens (256), int8, kernels (a name of infer.kernels). See docs/inference.md.
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
---The text of ids; special tokens stand in it, unless `skip_special`.
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

return infer
