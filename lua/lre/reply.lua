-- reply: the one JSON value in what a model said. The whole reply where it is JSON; else the one block in a code fence,
-- else the one object in prose, and then it is said so. Text that stands in the candidate's answer is never taken for
-- the judge's own.
local json = require "lre.json"

local reply = {}

-- Objects are looked for in replies of at most this size: a verdict has a page.
local MAX_PROSE_BYTES = 64 << 10
-- So many braces are tried: each may be read to the end of the text.
local MAX_TRIES = 40

local function trimmed(text)
  return text:match "^%s*(.-)%s*$"
end

-- The candidate's answer (and the prompt) between our delimiters, echoed by a judge.
local function without_echo(text)
  return (text:gsub("<<<%u+ (%x+)\n.-\n%u+ %1>>>", " "))
end

-- Where the object that begins at `from` ends; nil where it does not.
local function object_end(text, from)
  local depth, at, in_string = 0, from, false
  while true do
    at = text:find(in_string and '["\\]' or '["{}]', at)
    if not at then return nil end
    local byte = text:byte(at)
    if in_string then
      if byte == 92 then at = at + 1 else in_string = false end
    elseif byte == 34 then
      in_string = true
    else
      depth = depth + (byte == 123 and 1 or -1)
      if depth == 0 then return at end
    end
    at = at + 1
  end
end

local function objects_in(text)
  local out, at = {}, 1
  for _ = 1, MAX_TRIES do
    local from = text:find("{", at, true)
    if not from then return out end
    local to = object_end(text, from)
    local piece = to and text:sub(from, to)
    if piece and type(json.decode(piece)) == "table" then
      out[#out + 1], at = piece, to + 1
    else
      at = from + 1
      -- An object that never ends: what is inside of it is a part, and no verdict.
      if not to then return out end
    end
  end
  return out
end

local function fenced_in(text)
  local out = {}
  for piece in ("\n" .. text):gmatch "\n[ \t]*```%w*[ \t]*\n(.-)\n?[ \t]*```" do
    if json.decode(trimmed(piece)) ~= nil then out[#out + 1] = trimmed(piece) end
  end
  return out
end

-- The pieces that are the judge's own, each text once.
local function own(pieces, candidate)
  local out, seen = {}, {}
  for _, piece in ipairs(pieces) do
    if not seen[piece] and not (candidate and candidate:find(piece, 1, true)) then out[#out + 1] = piece end
    seen[piece] = true
  end
  return out
end

---The JSON value of a reply and, where it had to be looked for, a word for where it was found; nil and why not.
---@param text string
---@param candidate string? the answer that is judged: what stands in it word for word is not taken
---@return any? value, string? salvage_or_why
function reply.json(text, candidate)
  local value, err = json.decode(trimmed(text))
  if value ~= nil then return value end
  if #text > MAX_PROSE_BYTES then return nil, "it is not JSON: " .. err.message end
  local rest = without_echo(text)
  for _, way in ipairs { { fenced_in, "taken from a code fence" }, { objects_in, "taken from within prose" } } do
    local all = way[1](rest)
    local pieces = own(all, candidate)
    if #pieces == 1 then return json.decode(pieces[1]), way[2] end
    if #pieces > 1 then return nil, ("it holds %d JSON values; give one"):format(#pieces) end
    if #all > 0 then return nil, "its only JSON stands word for word in the answer that is judged" end
  end
  return nil, "it is not JSON: " .. err.message
end

return reply
