-- hub: where the checkpoints lie on this machine: Hugging Face's cache, or any folder. Nothing is fetched here.
local fs = require "lre.fs"

local hub = {}

local function is_set(value)
  return value and value ~= "" and value or nil
end

---The folders that hold `models--...` folders, the first to look in first.
---@return string[]
function hub.caches()
  local out = {}
  local function add(path)
    if path then out[#out + 1] = path end
  end
  add(is_set(os.getenv "HF_HUB_CACHE"))
  local home = is_set(os.getenv "HF_HOME")
  add(home and home .. "/hub")
  local user = is_set(os.getenv "HOME")
  add(user and user .. "/.cache/huggingface/hub")
  return out
end

local function is_folder(path)
  local info = fs.stat(path)
  return info and info.type == "folder"
end

local function is_file(path)
  local info = fs.stat(path)
  return info and info.type == "file"
end

local function in_cache(cache, id, revision)
  local root = ("%s/models--%s"):format(cache, (id:gsub("/", "--")))
  local ref = ("%s/refs/%s"):format(root, revision)
  local commit = is_file(ref) and fs.read(ref, 4096)
  commit = commit and commit:match "^%s*(%x+)%s*$" or revision
  local folder = ("%s/snapshots/%s"):format(root, commit)
  if is_folder(folder) then return folder end
end

local function failure(message)
  return setmetatable({ kind = "infer", code = "not_here", message = message }, {
    __tostring = function(self) return self.message end,
  })
end

local function is_path(id)
  return id:find "^%.?%.?/" or id:find "^~/"
end

---What files that are the same on every machine call a checkpoint: its id, or its folder's last part.
---@param id string
---@param folder string
---@return string
function hub.name(id, folder)
  return is_path(id) and folder:match "([^/]+)/*$" or id
end

---The folder of a checkpoint: `id` is a path (it begins with "/", "./", "../" or "~/"), or a name such as
---"Qwen/Qwen2-0.5B-Instruct" that is looked up in the caches.
---@param id string
---@param revision string
---@return string? folder, lre.Error? err
function hub.find(id, revision)
  local home = os.getenv "HOME"
  if is_path(id) then
    local folder = id:gsub("^~", home or "~"):gsub("(.)/+$", "%1")
    if is_file(folder .. "/config.json") then return folder end
    if is_file(folder) then
      return nil, failure(("%s: is a file: expected the folder of a checkpoint, with config.json, tokenizer.json and "
        .. "safetensors (GGUF files are not read)"):format(id))
    end
    return nil, failure(("%s: no config.json is there: expected the folder of a checkpoint"):format(id))
  end
  if not id:find "^[%w._-]+/[%w._-]+$" and not id:find "^[%w._-]+$" or id:find("..", 1, true) then
    return nil, failure(("model id %q: expected a name such as Qwen/Qwen2-0.5B-Instruct, or a path with ./"):format(id))
  end
  if not revision:find "^[%w._/-]+$" or revision:find("..", 1, true) then
    return nil, failure(("revision %q: expected a branch, a tag or a commit"):format(revision))
  end
  local caches = hub.caches()
  for _, cache in ipairs(caches) do
    local folder = in_cache(cache, id, revision)
    if folder then return folder end
  end
  return nil, failure(("%s is not on this machine (looked in %s). Fetch it with `lre pull %s`, or give a folder: "
    .. "--model-id ./DIR"):format(id, #caches > 0 and table.concat(caches, ", ") or "no folder: HOME is not set", id))
end

return hub
