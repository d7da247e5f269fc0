-- lre pull: a checkpoint from a hub on loopback (the tests' nginx), with what goes wrong on the way.
local fs, hash, json, process = require "lre.fs", require "lre.hash", require "lre.json", require "lre.process"
local test = require "lre.unit"

local COMMIT = ("a"):rep(40)
local WEIGHTS = ("0123456789abcdef"):rep((9 << 20) // 16) -- more than one piece
local FILES = { ["config.json"] = '{"model_type":"llama"}', ["tokenizer.json"] = "{}", ["README.md"] = "not wanted",
  ["model.safetensors"] = WEIGHTS }

local function git_hash(text)
  return hash.sha1(("blob %d\0"):format(#text) .. text)
end

local function listing(files)
  local siblings = {}
  for name, text in pairs(files) do
    local large = name:find "safetensors$" ~= nil
    siblings[#siblings + 1] = { rfilename = name, size = #text, blobId = git_hash(text),
      lfs = large and { sha256 = hash.sha256(text), size = #text } or nil }
  end
  return assert(json.encode { sha = COMMIT, siblings = siblings })
end

-- A model on the hub, under a name of its own. `files` are what it says it has, `served` what is really sent.
local function publish(name, files, served)
  local base, nginx = test.nginx()
  local api = ("%s/hub/api/models/o/%s/revision"):format(nginx, name)
  local place = ("%s/hub/o/%s/resolve/%s"):format(nginx, name, COMMIT)
  assert(fs.mkdir(api, true) ~= nil and fs.mkdir(place, true) ~= nil)
  assert(fs.write(api .. "/main", listing(files)))
  for file, text in pairs(served or files) do assert(fs.write(place .. "/" .. file, text)) end
  return base .. "/hub", place
end

local function pull(home, endpoint, words)
  return assert(process.run { "bash", "-c", ("HF_HOME=%s HF_ENDPOINT=%s HF_TOKEN=hf_not_to_be_found %s pull %s"):format(
    home, endpoint, test.program, words), timeout = 100 })
end

local function snapshot(home, name)
  return ("%s/hub/models--o--%s/snapshots/%s"):format(home, name, COMMIT)
end

test("a_model_is_fetched_into_the_cache_and_found_there", function()
  local home = test.folder()
  local endpoint = publish("good", FILES)
  local result = pull(home, endpoint, "o/good")
  test.eq(result.exit, 0, result.err)
  test.has(result.out, "--adapter hf --model o/good")
  test.eq(fs.read(snapshot(home, "good") .. "/model.safetensors"), WEIGHTS)
  test.eq(fs.stat(snapshot(home, "good") .. "/README.md"), nil)
  test.eq(fs.read(home .. "/hub/models--o--good/refs/main"), COMMIT)
  test.ok(not (result.out .. result.err):find("hf_not_to_be_found", 1, true))
end)

test("what_is_there_already_is_not_fetched_again", function()
  local home = test.folder()
  local endpoint, place = publish("again", FILES)
  test.eq(pull(home, endpoint, "o/again -q").exit, 0)
  assert(fs.remove(place .. "/model.safetensors"))
  local result = pull(home, endpoint, "o/again --json")
  test.eq(result.exit, 0, result.err)
  for _, file in ipairs(json.decode(result.out).files) do test.eq(file.fetched, false, file.name) end
end)

test("a_hub_is_asked_over_https_and_not_where_its_certificate_is_anothers", function()
  local home, _, nginx = test.folder(), test.nginx()
  local port = fs.read(nginx .. "/tls_port")
  if not port then test.skip "no openssl, so no certificate" end
  publish("tls", FILES)
  local endpoint = ("https://localhost:%s/hub"):format(port:match "%d+")
  test.eq(pull(home, endpoint, "o/tls --ca-file " .. nginx .. "/ca.pem").exit, 0)
  test.eq(fs.read(snapshot(home, "tls") .. "/model.safetensors"), WEIGHTS)
  local result = pull(test.folder(), endpoint, "o/tls")
  test.eq(result.exit, 4)
  test.has(result.err, "certificate")
end)

test("shards_are_fetched_with_their_index_and_found_by_a_run", function()
  local home, files = test.folder(), {}
  local source = test.root .. "/tests/infer/models/mistral"
  for _, name in ipairs(fs.list(source)) do files[name] = assert(fs.read(source .. "/" .. name, 1 << 20)) end
  local endpoint = publish("shards", files)
  local result = pull(home, endpoint, "o/shards -q")
  test.eq(result.exit, 0, result.err)
  test.eq(fs.stat(snapshot(home, "shards") .. "/expected.bin"), nil)
  local run = "cd %s && HF_HOME=%s %s run --adapter hf --model m --model-id o/shards --suite harmful_helpful --limit 1 "
    .. "--max-tokens 2 -q"
  result = assert(process.run { "bash", "-c", run:format(home, home, test.program) })
  test.eq({ result.exit, result.err }, { 0, "" })
end)

test("a_part_is_gone_on_with", function()
  local home = test.folder()
  local endpoint = publish("part", FILES)
  assert(fs.mkdir(snapshot(home, "part"), true))
  assert(fs.write(snapshot(home, "part") .. "/model.safetensors.part", WEIGHTS:sub(1, 5000000)))
  test.eq(pull(home, endpoint, "o/part -q").exit, 0)
  test.eq(fs.read(snapshot(home, "part") .. "/model.safetensors"), WEIGHTS)
end)

test("bytes_that_are_not_the_hubs_are_thrown_away_and_the_model_is_not_found", function()
  for _, case in ipairs { { "weights", "model.safetensors" }, { "small", "config.json" } } do
    local home, served = test.folder(), {}
    for name, text in pairs(FILES) do served[name] = text end
    served[case[2]] = "!" .. FILES[case[2]]:sub(2)
    local endpoint = publish(case[1], FILES, served)
    local result = pull(home, endpoint, "o/" .. case[1])
    test.eq(result.exit, 4)
    test.has(result.err, case[2] .. ": its hash is not the one that the hub names")
    test.eq(fs.stat(snapshot(home, case[1]) .. "/" .. case[2]), nil)
    test.eq(fs.stat(snapshot(home, case[1]) .. "/" .. case[2] .. ".part"), nil)
    test.eq(fs.stat(home .. "/hub/models--o--" .. case[1] .. "/refs/main"), nil)
  end
end)

test("a_short_file_is_said_and_what_is_there_is_kept", function()
  local home, served = test.folder(), {}
  for name, text in pairs(FILES) do served[name] = text end
  served["model.safetensors"] = WEIGHTS:sub(1, 8500000)
  local endpoint = publish("short", FILES, served)
  local result = pull(home, endpoint, "o/short")
  test.eq(result.exit, 4)
  test.has(result.err, "model.safetensors: ")
  test.eq(fs.stat(snapshot(home, "short") .. "/model.safetensors.part").size, 8 << 20)
end)

test("what_cannot_be_fetched_is_said_before_anything_is", function()
  local home = test.folder()
  local endpoint = publish("bin", { ["config.json"] = "{}", ["tokenizer.json"] = "{}", ["model.bin"] = "x" })
  test.has(pull(home, endpoint, "o/bin").err, "the hub has no safetensors of it")
  endpoint = publish("spm", { ["config.json"] = "{}", ["model.safetensors"] = "x" })
  test.has(pull(home, endpoint, "o/spm").err, "the hub has no tokenizer.json of it")
  local result = pull(home, endpoint, "o/missing")
  test.eq(result.exit, 4)
  test.has(result.err, "HF_TOKEN")
  test.eq(pull(home, endpoint, "../etc").exit, 2)
  test.eq(pull(home, "http://192.0.2.1", "o/good").exit, 3)
end)
