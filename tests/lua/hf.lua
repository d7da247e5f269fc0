-- The adapter hf on the fixture checkpoints of tests/infer: from the command line to results.json, and what it refuses.
local engines, fs, hub, infer = require "lre.engines", require "lre.fs", require "lre.hub", require "lre.infer"
local json, model, process = require "lre.json", require "lre.model", require "lre.process"
local sched, test = require "lre.sched", require "lre.unit"

local models = test.root .. "/tests/infer/models/"

local function sh(folder, command)
  return assert(process.run { "bash", "-c", ("cd %s || exit; %s"):format(folder, command), timeout = 540,
    max_bytes = 1 << 26 })
end

local function run(folder, flags)
  local command = "%s run --adapter hf --model tiny --suite harmful_helpful -q %s"
  local result = sh(folder, command:format(test.program, flags))
  return result.exit, result.err
end

local function open(name, options)
  return assert(engines.open(models .. name, options or { threads = 1 }))
end

local function resolve(name, options)
  return model.resolve { name = "tiny", adapter = "hf", model_id = models .. name, options = options }
end

-- A copy of a fixture, "m" in a folder of its own, changed by a command that runs beside it; its path and that folder.
local function copy_of(fixture, change)
  local folder = test.folder()
  local copy = "cp -r %s%s m && chmod u+w m/* && export LC_ALL=C && %s"
  assert(sh(folder, copy:format(models, fixture, change or "true")).exit == 0)
  return folder .. "/m", folder
end

test("a_run_gives_the_same_bytes_with_other_threads_batch_and_instruction_set", function()
  local folder = test.folder()
  local flags = ("--model-id %sllama --max-tokens 12 --temperature 0.9 --repeats 2 --run-id "):format(models)
  test.eq({ run(folder, flags .. "a --threads 1 --concurrency 1 --adapter-option kernels=portable") }, { 0, "" })
  test.eq({ run(folder, flags .. "b --threads 3 --concurrency 16 --kv-memory 64") }, { 0, "" })
  for _, file in ipairs { "results.json", "results.csv" } do
    local one, two = fs.read(folder .. "/runs/a/" .. file), fs.read(folder .. "/runs/b/" .. file)
    test.ok(#one > 1000, file)
    test.ok(one == two, file)
  end
  local input = json.decode(fs.read(folder .. "/runs/a/results.json")).inputs.models[1]
  test.eq({ input.facts.architecture, input.facts.dtype, input.facts.quantisation }, { "llama", "bfloat16", "none" })
  test.eq(#input.facts.files["model.safetensors"], 64)
  test.eq(#input.facts.template, 64)
  test.eq(input.options.threads, nil)
end)

test("each_architecture_answers_through_its_template", function()
  for _, name in ipairs { "llama", "qwen2", "qwen3", "mistral", "gemma2", "gemma3", "phi3" } do
    local answer, err = resolve(name):chat({ { role = "user", content = "Hi" } }, { max_tokens = 4 })
    test.ok(answer, err and err.message)
    test.ok(answer.usage.input_tokens > 1, name)
  end
end)

test("a_model_without_a_template_wants_to_be_told_to_do_without", function()
  local err = test.raises(function() resolve "olmo2" end, "no-chat-template", nil)
  test.eq(err.exit, 3)
  local m = resolve("olmo2", { chat_template = false })
  local answer = m:chat({ { role = "user", content = "Hi" } }, { max_tokens = 3 })
  test.eq(answer.usage.output_tokens, 3)
end)

test("without_its_template_a_model_reads_the_bare_text", function()
  local folder = test.folder()
  local flags = ("--model-id %sllama --limit 1 --max-tokens 2 --no-chat-template --run-id one"):format(models)
  test.eq({ run(folder, flags) }, { 0, "" })
  test.eq(json.decode(fs.read(folder .. "/runs/one/results.json")).inputs.models[1].facts.template, "none")
  local engine, m = open "llama", resolve("llama", { chat_template = false })
  local function tokens(messages) return m:chat(messages, { max_tokens = 1 }).usage.input_tokens end
  -- llama3's tokenizer puts its begin token before a text.
  test.eq(tokens { { role = "user", content = "Hi there" } }, 1 + #engine:encode "Hi there")
  test.eq(tokens { { role = "system", content = "Be kind." }, { role = "user", content = "Hi" },
    { role = "assistant", content = "Yes?" }, { role = "user", content = "Why?" } },
    1 + #engine:encode "System: Be kind.\n\nUser: Hi\n\nAssistant: Yes?\n\nUser: Why?\n\nAssistant:")
end)

test("turns_and_a_system_message_go_through_the_template_in_their_order", function()
  local engine, m = open "qwen2", resolve "qwen2"
  local messages = { { role = "system", content = "Be kind." }, { role = "user", content = "Hi" },
    { role = "assistant", content = "Yes?" }, { role = "user", content = "Why?" } }
  local text = "<|im_start|>system\nBe kind.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nYes?"
    .. "<|im_end|>\n<|im_start|>user\nWhy?<|im_end|>\n<|im_start|>assistant\n"
  local asked = engine:generate { parts = { { text = text, special = true } }, max_tokens = 8 }
  local answer = m:chat(messages, { max_tokens = 8 })
  test.eq({ answer.text, answer.usage.input_tokens }, { asked.text, asked.input_tokens })
end)

test("int8_is_another_request_and_is_recorded", function()
  local exact, quick = resolve "qwen3", resolve("qwen3", { quant = "int8" })
  test.eq({ exact.facts.quantisation, quick.facts.quantisation }, { "none", "int8" })
  local question = { { role = "user", content = "Hi" } }
  test.ok(exact:preview(question).request_hash ~= quick:preview(question).request_hash)
end)

test("threads_are_no_part_of_a_requests_hash_and_the_checkpoint_is", function()
  local question = { { role = "user", content = "Hi" } }
  local one = resolve("qwen2", { threads = 1 }):preview(question).request_hash
  test.eq(resolve("qwen2", { threads = 2, kv_memory = 9 }):preview(question).request_hash, one)
  local folder = copy_of("qwen2", "sed -i 's/\"chat_template\": \"/&x/' m/tokenizer_config.json")
  local other = model.resolve { name = "tiny", adapter = "hf", model_id = folder }
  test.ok(other.facts.template ~= resolve("qwen2").facts.template)
  test.ok(other:preview(question).request_hash ~= one)
end)

test("a_map_of_special_tokens_that_the_template_prints_is_part_of_a_requests_hash", function()
  local question = { { role = "user", content = "Hi" } }
  local function asked(change)
    local printed = "sed -i 's/\"chat_template\": \"/&{{ bos_token }}/' m/tokenizer_config.json && "
    local folder = copy_of("qwen2", printed .. change)
    local m = model.resolve { name = "tiny", adapter = "hf", model_id = folder }
    return m.facts, m:preview(question).request_hash, m:chat(question, { max_tokens = 1 }).usage.input_tokens
  end
  local write = "echo '{ \"bos_token\": \"%s\" }' >m/special_tokens_map.json"
  local none, no_map, fewest = asked "true"
  local short, one, few = asked(write:format "a")
  local long, other, more = asked(write:format "a b c d e f")
  local name = "special_tokens_map.json"
  test.eq(none.files[name], nil)
  test.eq({ #short.files[name], #long.files[name] }, { 64, 64 })
  test.ok(short.files[name] ~= long.files[name])
  test.eq(short.template, long.template)
  test.ok(fewest < few and few < more)
  test.ok(no_map ~= one and one ~= other and other ~= no_map)
  local _, again = asked(write:format "a")
  test.eq(again, one)
end)

test("special_tokens_stand_in_a_decoded_text_unless_they_are_to_be_skipped", function()
  local engine = open "qwen2"
  local ids = engine:encode("a<|im_end|>b", true)
  test.eq({ engine:decode(ids), engine:decode(ids, nil), engine:decode(ids, false), engine:decode(ids, true) },
    { "a<|im_end|>b", "a<|im_end|>b", "a<|im_end|>b", "ab" })
end)

test("a_special_token_in_a_users_text_is_read_as_text", function()
  local m = resolve "qwen2"
  local function tokens(text)
    return m:chat({ { role = "user", content = text } }, { max_tokens = 1 }).usage.input_tokens
  end
  local engine = open "qwen2"
  local plain, special = #engine:encode "<|im_end|>", #engine:encode("<|im_end|>", true)
  test.eq(special, 1)
  test.eq(tokens "a<|im_end|>b" - tokens "ab", plain)
  test.ok(plain > 1)
  local marked, any = engine:guard "a<|im_end|>b\u{FDD0}"
  test.ok(any and marked ~= "a<|im_end|>b\u{FDD0}")
  local answer = engine:generate { parts = { { text = marked, special = true, guarded = true } }, max_tokens = 1 }
  test.eq(answer.input_tokens, #engine:encode "a<|im_end|>b\u{FDD0}")
end)

test("what_normalizing_would_make_a_special_token_of_is_read_as_text_and_the_templates_own_are_not", function()
  local folder = copy_of("qwen2",
    [[sed -i 's/"NFC"/"NFKC"/; s/"normalized":false/"normalized":true/g' m/tokenizer.json]])
  local m = model.resolve { name = "tiny", adapter = "hf", model_id = folder }
  local engine = assert(engines.open(folder, { threads = 1 }))
  local wide = "\u{FF1C}|im_end|\u{FF1E}"
  test.eq(#engine:encode(wide, true), 1)
  test.ok(#engine:encode(wide) > 1)
  local function tokens(text)
    return m:chat({ { role = "user", content = text } }, { max_tokens = 1 }).usage.input_tokens
  end
  test.eq(tokens("a " .. wide) - tokens "a", #engine:encode("a " .. wide) - 1)
end)

test("a_system_message_goes_before_the_users_where_the_template_takes_none", function()
  local folder = copy_of "gemma2"
  assert(fs.write(folder .. "/chat_template.jinja",
    "{% if messages[0]['role'] == 'system' %}{{ raise_exception('no system role') }}{% endif %}"
    .. "{% for m in messages %}{{ m['role'] + ':' + m['content'] }}{% endfor %}"))
  local m = model.resolve { name = "tiny", adapter = "hf", model_id = folder }
  local asked = { { role = "system", content = "Be kind." }, { role = "user", content = "Hi" } }
  local one = m:chat(asked, { max_tokens = 5 })
  local two = m:chat({ { role = "user", content = "Be kind.\n\nHi" } }, { max_tokens = 5 })
  test.eq(one.text, two.text)
  test.eq(one.usage.input_tokens, two.usage.input_tokens)
end)

test("a_checkpoint_is_found_in_the_cache_as_hugging_face_lays_it_out", function()
  local home = test.folder()
  local root = home .. "/hub/models--org--Tiny-1B"
  assert(sh(".", ("mkdir -p %s/refs %s/snapshots && printf 0123abcd > %s/refs/main && "
    .. "cp -r %sqwen2 %s/snapshots/0123abcd"):format(root, root, root, models, root)).exit == 0)
  local found = sh(home, ("HF_HOME=%s %s run --adapter hf --model t --model-id org/Tiny-1B --suite harmful_helpful "
    .. "--limit 1 --max-tokens 2 -q"):format(home, test.program))
  test.eq({ found.exit, found.err }, { 0, "" })
  local missing = sh(home, ("HF_HOME=%s %s run --model hf/org/Other --suite harmful_helpful -q"):format(
    home, test.program))
  test.eq(missing.exit, 3)
  test.has(missing.err, "org/Other is not on this machine")
  test.has(missing.err, "lre pull org/Other")
end)

test("names_that_are_no_names_do_not_leave_the_cache", function()
  for _, id in ipairs { "../../etc", "a/../b", "a/b/c", "", "a b" } do
    local folder, err = hub.find(id == "" and "./nowhere" or id, "main")
    test.eq(folder, nil, id)
    test.ok(err.code == "not_here", id)
  end
  test.eq((hub.find("org/name", "../../x")), nil)
end)

test("a_deadline_ends_an_answer_and_the_engine_goes_on", function()
  local engine = open("gemma3", { threads = 1, kernels = "portable" })
  local request = { parts = { { text = "Tell me everything." } }, max_tokens = 200, ignore_end = true }
  local done, err = sched.deadline(0.000001, function() return engine:generate(request) end)
  test.eq({ done, err.code }, { nil, "deadline" })
  request.max_tokens = 2
  test.eq(engine:generate(request).output_tokens, 2)
end)

test("what_does_not_fit_is_an_error_of_its_trial", function()
  local m = resolve "qwen2"
  local answer, err = m:chat { { role = "user", content = ("many words "):rep(400) } }
  test.eq(answer, nil)
  test.eq({ err.code, err.attempts }, { "context", 1 })
  test.has(err.message, "the model's context 256")
end)

test("keys_and_values_that_cannot_fit_are_an_error_of_the_trial_that_names_the_flag", function()
  local folder = copy_of("llama", "sed -i 's/embeddings\": 256/embeddings\": 65536/' m/config.json")
  local m = model.resolve { name = "tiny", adapter = "hf", model_id = folder, options = { kv_memory = 1 } }
  local answer, err = m:chat({ { role = "user", content = "Hi" } }, { max_tokens = 60000 })
  test.eq({ answer, err.code, err.attempts }, { nil, "kv_memory", 1 })
  test.has(err.message, "--kv-memory")
  test.eq(m:chat({ { role = "user", content = "Hi" } }, { max_tokens = 2 }).usage.output_tokens, 2)
end)

test("log_probabilities_come_on_request", function()
  local answer = open("llama"):generate { parts = { { text = "Hi" } }, max_tokens = 3, logprobs = 4, ignore_end = true }
  test.eq(#answer.logprobs, 3)
  test.eq(#answer.logprobs[1].top, 4)
  test.ok(answer.logprobs[1].logprob <= 0)
end)

test("log_probabilities_that_a_run_asks_for_are_in_its_journal_and_in_no_table", function()
  local folder = test.folder()
  local flags = ("--model-id %sllama --limit 1 --max-tokens 3 --param logprobs=true --param top_logprobs=5 "):format(
    models)
  test.eq({ run(folder, flags .. "--run-id a --threads 1") }, { 0, "" })
  test.eq({ run(folder, flags .. "--run-id b --threads 2 --cache cache") }, { 0, "" })
  local function rows(id)
    local out = {}
    for line in fs.lines(("%s/runs/%s/partials.jsonl"):format(folder, id)) do
      local row = assert(json.decode(line))
      if row.type == "trial" then out[row.key] = row.response.logprobs end
    end
    return out
  end
  local there = rows "a"
  local key, logprobs = next(there)
  test.ok(key)
  test.eq(rows "b", there)
  test.ok(#logprobs.content >= 1 and #logprobs.content <= 3)
  test.eq(logprobs.left_out, nil)
  for _, token in ipairs(logprobs.content) do
    test.eq(#token.top_logprobs, 5)
    -- Greedy: what was taken is the likeliest.
    test.eq({ token.id, token.token, token.logprob },
      { token.top_logprobs[1].id, token.top_logprobs[1].token, token.top_logprobs[1].logprob })
    for k = 2, 5 do test.ok(token.top_logprobs[k].logprob <= token.top_logprobs[k - 1].logprob) end
  end
  for _, file in ipairs { "results.json", "results.csv" } do
    local text = fs.read(("%s/runs/a/%s"):format(folder, file))
    test.ok(not text:find("top_logprobs\":[", 1, true) and not text:find("logprobs.content", 1, true), file)
    test.eq(fs.read(("%s/runs/b/%s"):format(folder, file)), text)
  end
end)

test("the_token_that_ends_a_turn_stands_in_the_journals_log_probabilities", function()
  local folder = test.folder()
  local flags = "--model-id %smistral --limit 1 --max-tokens 48 --param logprobs=true --run-id a"
  test.eq({ run(folder, flags:format(models)) }, { 0, "" })
  local last
  for line in fs.lines(folder .. "/runs/a/partials.jsonl") do
    local row = assert(json.decode(line))
    if row.type == "trial" then
      local response = row.response
      test.eq(response.finish_reason, "stop")
      test.eq(response.text:find("</s>", 1, true), nil)
      last = response.logprobs.content[#response.logprobs.content]
    end
  end
  test.eq({ last.id, last.token }, { 2, "</s>" })
end)

test("alternatives_without_log_probabilities_are_refused_and_a_wrong_value_names_the_range", function()
  local question = { { role = "user", content = "Hi" } }
  local answer, err = resolve("llama"):chat(question, { top_logprobs = 2 })
  test.eq({ answer, err.code, err.message }, { nil, "bad_request", "top_logprobs needs logprobs=true" })
  local code, said = run(test.folder(), ("--model-id %sllama --param logprobs=yes"):format(models))
  test.eq(code, 2)
  test.has(said, "logprobs: expected true or false, got yes")
  code, said = run(test.folder(), ("--model-id %sllama --param top_logprobs=21"):format(models))
  test.eq(code, 2)
  test.has(said, "top_logprobs: expected an integer from 0 to 20, got 21")
  answer = assert(resolve("llama"):chat(question, { logprobs = true, max_tokens = 2 }))
  test.eq(#answer.logprobs.content[1].top_logprobs, 0)
end)

-- What a run of a changed copy ends with and says.
local function run_changed(fixture, change, flags)
  local _, folder = copy_of(fixture, change)
  return run(folder, "--model-id ./m --limit 1 --max-tokens 2 " .. (flags or ""))
end

-- Each case: the change, then what the error says, in parts.
local function all_refused(fixture, cases)
  for _, case in ipairs(cases) do
    local code, err = run_changed(fixture, case[1], case.flags)
    test.eq(code, 3, case[1] .. ": " .. err)
    for i = 2, #case do test.has(err, case[i]) end
  end
end

-- A JSON file of the fixture with other fields, as a change for run_changed.
local function set(file, fields)
  return function(fixture)
    local config = assert(json.decode(fs.read(models .. fixture .. "/" .. file)))
    for name, value in pairs(fields) do config[name] = value end
    return ("cat >m/%s <<'END'\n%s\nEND"):format(file, assert(json.encode(config)))
  end
end

test("a_broken_folder_is_refused_with_file_and_field", function()
  all_refused("qwen2", {
    { "sed -i 's/\"hidden_size\": 64/\"hidden_size\": 72/' m/config.json",
      "model.safetensors: tensor model.embed_tokens", "config.json asks for shape" },
    { "sed -i 's/\"model_type\": \"qwen2\"/\"model_type\": \"bert\"/' m/config.json", "config.json: model_type: bert" },
    { "sed -i 's/\"use_cache\"/\"mystery_scale\"/' m/config.json", "config.json: field mystery_scale is not known" },
    { "rm m/config.json", "no config.json is there" },
    { "rm m/tokenizer.json", "tokenizer.json is not there" },
    { "truncate -s 300 m/tokenizer.json", "tokenizer.json: ", "at byte 300" },
    { "echo '{}' >m/tokenizer.json", "tokenizer.json: model.vocab" },
    { "sed -i 's/\"vocab_size\": 480/\"vocab_size\": 479/' m/config.json",
      "eos_token_id: expected a token from 0 to 478" },
    { "sed -i 's/\"id\": *479/\"id\":47900000/' m/tokenizer.json", "tokenizer.json: added_tokens[",
      "an id under 16777216" },
    { "sed -i 's/\"merges\": *\\[/&[\"no\", \"where\"],/' m/tokenizer.json", "tokenizer.json: model.merges[0]" },
    { "rm -r m && echo GGUF >m", "./m: is a file", "GGUF" },
    { "rm -r m && mkdir m", "./m: no config.json is there" },
  })
end)

test("weights_that_are_cut_missing_elsewhere_or_of_another_type_are_refused_with_file_and_tensor", function()
  local retype = "sed -i '0,/\"F32\"/s/\"F32\"/\"%s\"/' m/model.safetensors"
  local embedding = "model.safetensors: tensor model.embed_tokens.weight: "
  all_refused("qwen2", {
    { "truncate -s 100000 m/model.safetensors", "model.safetensors: tensor ", "truncated" },
    { "truncate -s 100 m/model.safetensors", "model.safetensors: the header claims" },
    { ": >m/model.safetensors", "model.safetensors: no regular file" },
    { "rm m/model.safetensors", "neither model.safetensors nor model.safetensors.index.json" },
    { "rm m/model.safetensors; ln -s model.safetensors m/model.safetensors", "model.safetensors: Too many levels" },
    { "rm m/model.safetensors; mkdir m/model.safetensors", "model.safetensors: no regular file" },
    { retype:format "I32", embedding .. "its dtype is not supported" },
    { retype:format "U32", embedding .. "its dtype is not supported" },
    { retype:gsub('%%s"', 'U8" '), embedding .. "122880 bytes for 30720 numbers of 8 bits" },
    { retype:format "I64", embedding .. "122880 bytes for 30720 numbers of 64" },
    { retype:format "F99", embedding .. "dtype: expected F32, F16, BF16" },
  })
  local second, third = "m/model-00002-of-00004.safetensors", "m/model-00003-of-00004.safetensors"
  local index = "m/model.safetensors.index.json"
  all_refused("mistral", {
    { "rm " .. third, "model-00003-of-00004.safetensors: No such file" },
    { ("rm %s %s; ln -s ../%s %s; ln -s ../%s %s"):format(second, third, second, third, third, second),
      "-of-00004.safetensors: Too many levels" },
    { ("cp %s %s"):format(second, third), "is in two shards: model-0000", "-of-00004.safetensors and model-0000" },
    { ("sed -i s/model-00003-of-00004.safetensors/model.safetensors.index.json/ %s"):format(index),
      "index.json: weight_map[", "found model.safetensors.index.json" },
    { ("sed -i 's/model.norm.weight/model.morn.weight/' %s"):format(index),
      "index.json: tensor model.morn.weight is in no shard" },
    { ("rm %s; ln -s model.safetensors.index.json %s"):format(index, index), "index.json: Too many levels" },
    { ("rm %s; mkfifo %s"):format(index, index), "index.json is not a regular file" },
    { ("cp %s m/model.safetensors"):format(third), "model.safetensors: tensor model.embed_tokens.weight is missing" },
  })
end)

test("an_added_token_beyond_the_vocabulary_is_an_error_of_the_prompt_that_has_it", function()
  local copy = copy_of "qwen2"
  local path = copy .. "/tokenizer.json"
  assert(fs.write(path, (assert(fs.read(path)):gsub('"id": *478', '"id":4780'))))
  local m = model.resolve { name = "tiny", adapter = "hf", model_id = copy }
  local answer, err = m:chat({ { role = "user", content = "Hi" } }, { max_tokens = 2 })
  test.eq(answer, nil)
  test.has(tostring(err.message), "token 4780 of the prompt is not in the model's vocabulary of 480")
end)

test("weights_that_are_no_numbers_give_an_error_and_no_answer", function()
  local copy, folder = copy_of "qwen2"
  local path, name = copy .. "/model.safetensors", "model.layers.0.mlp.down_proj.weight"
  local bytes = assert(fs.read(path, 1 << 20))
  local length = ("<i8"):unpack(bytes)
  local begin = 8 + length + json.decode(bytes:sub(9, 8 + length))[name].data_offsets[1]
  assert(fs.write(path, bytes:sub(1, begin) .. ("<f"):pack(1 / 0) .. bytes:sub(begin + 5)))
  local m = model.resolve { name = "tiny", adapter = "hf", model_id = copy }
  for _, params in ipairs { {}, { logprobs = true, top_logprobs = 2 }, { logprobs = true, temperature = 0.9 } } do
    params.max_tokens = 2
    local answer, err = m:chat({ { role = "user", content = "Hi" } }, params)
    test.eq({ answer, err.code, err.attempts }, { nil, "not_finite", 1 })
  end
  local code, said = run(folder, "--model-id ./m --limit 1 --quant int8")
  test.eq(code, 3)
  test.has(said, "model.safetensors: tensor " .. name .. ": row 0 is not finite")
end)

test("a_field_out_of_its_range_is_refused_with_its_file", function()
  local function cases(file, list)
    for _, case in ipairs(list) do
      case[1], case[2] = set(file, case[1])("qwen2"), file .. ": " .. case[2]
    end
    all_refused("qwen2", list)
  end
  cases("generation_config.json", {
    { { top_k = 1e30 }, "top_k: expected a whole number from 0, got 1e+30" },
    { { top_k = -1 }, "top_k: expected a whole number from 0, got -1" },
    { { top_k = 2.5 }, "top_k: expected a whole number from 0" },
    { { top_p = 7 }, "top_p: expected a number from 0 to 1, got 7" },
    { { min_p = -0.5 }, "min_p: expected a number from 0 to 1, got -0.5" },
    { { repetition_penalty = 0 }, "repetition_penalty: expected a number over 0, got 0" },
    { { repetition_penalty = "much" }, 'repetition_penalty: expected a number over 0, got "much"' },
    { { eos_token_id = 480 }, "eos_token_id: expected a token from 0 to 479" },
    { { eos_token_id = json.array { 1, 480 } }, "eos_token_id: expected a token from 0 to 479" },
    { { eos_token_id = -1 }, "eos_token_id: expected a token from 0 to 479" },
    { { eos_token_id = 1.5 }, "eos_token_id: expected a token from 0 to 479" },
    { { eos_token_id = "end" }, "eos_token_id: expected a token from 0 to 479" },
  })
  cases("config.json", {
    { { eos_token_id = 480 }, "eos_token_id: expected a token from 0 to 479" },
    { { eos_token_id = 1.5 }, "eos_token_id: expected a token from 0 to 479" },
    { { hidden_size = 1e30 }, "hidden_size: expected a whole number" },
    { { hidden_size = -64 }, "hidden_size: expected a whole number" },
    { { hidden_size = 64.5 }, "hidden_size: expected a whole number" },
    { { num_hidden_layers = 1000000 }, "num_hidden_layers: expected a whole number from 1 to 512" },
    { { max_position_embeddings = 0 }, "max_position_embeddings: expected a whole number" },
    { { rms_norm_eps = -1 }, "rms_norm_eps: expected a number" },
    { { tie_word_embeddings = "yes" }, "tie_word_embeddings: expected true or false" },
    { { use_sliding_window = 1 }, "use_sliding_window: expected true or false" },
  })
  all_refused("qwen2", {
    { "echo '{\"top_k\": NaN}' >m/generation_config.json", "generation_config.json: expected a value, found 'N'" },
    { "echo '[7]' >m/generation_config.json", "generation_config.json: expected an object" },
    { "echo '[7' >m/generation_config.json", "generation_config.json: " },
  })
end)

test("what_generation_config_says_of_sampling_holds_unless_a_parameter_says_otherwise", function()
  local function says(given, params)
    local folder = copy_of("qwen2", set("generation_config.json", given) "qwen2")
    local m = model.resolve { name = "tiny", adapter = "hf", model_id = folder }
    params.max_tokens = 12
    return m:chat({ { role = "user", content = "Hi" } }, params).text
  end
  local greedy = says({}, {})
  local hot = says({}, { temperature = 2 })
  test.ok(hot ~= greedy)
  test.eq(says({ top_k = 1 }, { temperature = 2 }), greedy)
  test.ok(says({ top_k = 1 }, { temperature = 2, top_k = 0 }) ~= greedy)
  test.eq(says({ top_p = 0.00001 }, { temperature = 2 }), greedy)
  test.eq(says({ min_p = 1 }, { temperature = 2 }), greedy)
  test.eq(says({ top_k = 3, top_p = 0.5 }, {}), greedy)
  test.ok(says({ repetition_penalty = 0.1 }, {}) ~= greedy) -- under 1: what was said is said again
  test.eq(says({ repetition_penalty = 0.1 }, { repetition_penalty = 1 }), greedy)
end)

test("what_generation_config_says_of_a_temperature_has_no_effect", function()
  local code, err = run_changed("qwen2", set("generation_config.json", { temperature = -1 })("qwen2"))
  test.eq({ code, err }, { 0, "" })
end)

test("a_template_that_never_ends_or_cannot_be_read_is_refused_before_the_first_trial", function()
  local write = "cat >m/chat_template.jinja <<'END'\n%s\nEND"
  all_refused("qwen2", {
    { write:format "\n{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}",
      "chat_template.jinja:2: the template did not end within" },
    { write:format "{% macro m() %}{{ m() }}{% endmacro %}\n{{ m() }}", "chat_template.jinja:1: calls nest more than" },
    { write:format "{% set x = 'x' * 1000000000000 %}", "chat_template.jinja:1: the template made more than" },
    { write:format "\n\n{% include 'x' %}", "chat_template.jinja:3: the tag {% include %} is not supported" },
    { "sed -i 's/{% endfor %}//' m/tokenizer_config.json", "tokenizer_config.json:1: this tag is never closed" },
    { "printf 'ab\\xff' >m/chat_template.jinja", "chat_template.jinja: is not UTF-8 at byte 2" },
    { "head -c 5000000 /dev/zero | tr '\\0' x >m/chat_template.jinja", "chat_template.jinja" },
    { "ln -s chat_template.jinja m/chat_template.jinja", "chat_template.jinja: Too many levels" },
    { "echo '[' >m/tokenizer_config.json", "tokenizer_config.json: expected a value" },
    { "echo 7 >m/tokenizer_config.json", "tokenizer_config.json: expected an object" },
    { "echo '[' >m/special_tokens_map.json", "special_tokens_map.json: expected a value" },
  })
end)

test("a_template_that_fails_on_a_conversation_is_an_error_of_each_trial_with_its_line", function()
  local folder = copy_of "qwen2"
  assert(fs.write(folder .. "/chat_template.jinja",
    "\n{% if messages|length > 1 %}{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    .. "{% endif %}x"))
  local m = model.resolve { name = "tiny", adapter = "hf", model_id = folder }
  local two = { { role = "user", content = "a" }, { role = "assistant", content = "b" } }
  local answer, err = m:chat(two, { max_tokens = 1 })
  test.eq({ answer, err.kind, err.code, err.attempts }, { nil, "template", "limit", 1 })
  test.has(err.message, "chat_template.jinja:2: the template did not end within")
  test.eq(m:chat({ two[1] }, { max_tokens = 1 }).usage.output_tokens, 1)
end)

test("an_option_or_a_parameter_that_this_engine_has_not_is_refused_before_anything_is_asked", function()
  local cases = {
    { 2, "--quant int7", '--quant: expected one of none, int8, got "int7"' },
    { 2, "--kv-memory 0", "--kv-memory: expected an integer from 1" },
    { 2, "--threads -1", "--threads: expected an integer from 1" },
    { 3, "--adapter-option max_sequences=0", "option max_sequences: expected from 1 to 1024" },
    { 3, "--adapter-option kernels=sse9", "option kernels: expected one of " },
    { 3, "--adapter-option colour=red", 'unknown option "colour"' },
    { 3, "--adapter-option revision=../x --model-id org/name", "revision" },
    { 3, "--param beams=2", 'unknown parameter "beams"' },
    { 3, "--param repetition_penalty=0", "repetition_penalty: expected a number over 0" },
    { 2, "--param top_k=-1", "top_k: expected an integer of at least 0" },
    { 2, "--param top_k=1.5", "top_k: expected an integer" },
    { 2, "--param top_p=2", "top_p: expected a number from 0 to 1" },
    { 2, "--param min_p=-1", "min_p: expected a number from 0 to 1" },
    { 2, "--temperature -1", "--temperature: expected a number from 0 to 2" },
    { 2, "--max-tokens 0", "--max-tokens: expected an integer of at least 1" },
  }
  for _, case in ipairs(cases) do
    local code, err = run(test.folder(), ("--model-id %sqwen2 %s"):format(models, case[2]))
    test.eq(code, case[1], case[2] .. ": " .. err)
    test.has(err, case[3])
    test.ok(not err:find("traceback", 1, true), err)
  end
end)

test("it_is_a_judge_too", function()
  local folder = test.folder()
  local code, err = run(folder, ("--model-id %sllama --limit 2 --max-tokens 4 --run-id j --judge refusal_llm "
    .. "--judge-model hf/%sqwen3"):format(models, models))
  test.ok(code == 0 or code == 1, err)
  local row = json.decode(fs.read(folder .. "/runs/j/results.json")).rows[1]
  test.eq(row.total, 2)
  test.eq(row.judge, "refusal_llm")
end)

test("a_finished_run_is_resumed_on_other_threads_and_refused_with_other_weights", function()
  local folder = test.folder()
  local flags = ("--model-id %sqwen2 --limit 3 --max-tokens 4 --run-id one "):format(models)
  test.eq(run(folder, flags .. "--threads 1"), 0)
  test.eq(run(folder, flags .. "--threads 2"), 0)
  test.eq(json.decode(fs.read(folder .. "/runs/one/timing.json")).last_session.asked, 0)
  test.eq(run(folder, flags .. "--quant int8"), 3)
end)

test("answers_are_kept_in_a_cache_and_taken_from_it_by_the_same_weights_alone", function()
  local folder = test.folder()
  -- Random models seldom end; an answer that is cut is not kept.
  local flags = ("--model-id %sqwen2 --max-tokens 60 --param stop=a --cache kept --run-id "):format(models)
  local function asked(id, more)
    test.eq({ run(folder, flags .. id .. (more or "")) }, { 0, "" })
    return json.decode(fs.read(("%s/runs/%s/timing.json"):format(folder, id))).last_session.cache
  end
  local first, second = asked "a", asked("b", " --threads 1 --kv-memory 5")
  test.ok(first.hits == 0 and first.writes > 5, first.writes)
  test.eq({ second.hits, second.misses }, { first.writes, first.misses - first.writes })
  test.eq(fs.read(folder .. "/runs/b/results.json"), fs.read(folder .. "/runs/a/results.json"))
  test.eq(asked("c", " --quant int8").hits, 0)
end)

test("an_unknown_instruction_set_is_refused", function()
  test.raises(function() infer.open(models .. "qwen2", { kernels = "sse9" }) end, "sse9")
  test.ok(#infer.kernels() >= 1)
end)

test("a_fifo_in_the_place_of_a_file_is_refused_and_waited_for_by_nobody", function()
  local files = { "model.safetensors", "config.json", "tokenizer.json", "tokenizer_config.json",
    "generation_config.json" }
  for _, name in ipairs(files) do
    local folder = test.folder()
    local command = "cp %sllama/* . && rm -f %s && mkfifo %s && exec %s run --adapter hf --model t --model-id %s "
      .. "--suite harmful_helpful --limit 1 --max-tokens 3 -q"
    local result = sh(folder, command:format(models, name, name, test.program, folder))
    test.eq(result.exit, 3, name .. ": " .. result.err)
    test.ok(#result.err > 0, name)
  end
end)
