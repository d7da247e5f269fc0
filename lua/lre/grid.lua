-- grid: generated suites as files. A JSONL file whose rows an installed suite made is that suite again. Where its rows
-- say in `factors` from whose perspective they are told, a row without one of the factors is an error, and a prompt
-- that is there twice (a neutral telling that several triplets share) is one sample of all of them.
local fs = require "lre.fs"
local json = require "lre.json"
local log = require "lre.log"
local sycophancy = require "lre.sycophancy"

local grid = {}

-- A grid is read whole, to find what is there twice: some GiB of prompts would be no grid.
local MAX_ROWS = 200000

local function is_object(value)
  return type(value) == "table" and not json.is_array(value)
end

-- The rows that can be read, with their lines; a grid has few.
local function peek(path)
  local line, n = fs.lines(path, 1 << 24), 0
  return function()
    while n < MAX_ROWS do
      local text = line()
      if not text then return nil end
      n = n + 1
      text = text:gsub("^\239\187\191", "")
      if text:find "%S" and not text:find "^%s*#" then return n, json.decode(text) end
    end
  end
end

-- What a file's rows have in common: the first row; the first that says who tells it; in which line each factor is
-- first named, and a triplet. A file whose first row is none of a grid's is not read further.
local function survey(path)
  local out = { names = {}, lines = {} }
  local ok = pcall(function()
    for line, row in peek(path) do
      if is_object(row) then
        out.first = out.first or row
        if row.prompt_id == nil and row.factors == nil then return end
        local factors = is_object(row.factors) and row.factors or {}
        if factors.perspective ~= nil then out.told = out.told or row end
        for name in pairs(factors) do
          if name ~= "perspective" and not out.lines[name] then
            out.names[#out.names + 1], out.lines[name] = name, line
          end
        end
        local meta = is_object(row.metadata) and row.metadata or {}
        if meta.triplet_id ~= nil or meta.triplet_ids ~= nil then out.triplet = out.triplet or line end
      end
    end
  end)
  table.sort(out.names)
  return ok and out or {}
end

-- ---- rows ----

local function problem(field, detail)
  return { field = field, detail = detail }
end

-- A row of the second seed: its triplets, its cell and its content's id follow from its factors.
local function seed_row(row)
  local field, detail = sycophancy.problem(row.factors)
  if field then return nil, problem(field, detail) end
  local cell, ids = sycophancy.cell(row.factors)
  local meta = { cell = cell, content_id = sycophancy.content_id(row.factors) }
  if #ids == 1 then meta.triplet_id = ids[1] else meta.triplet_ids = ids end
  for name, value in pairs(is_object(row.metadata) and row.metadata or {}) do meta[name] = value end
  row.metadata, row.category = meta, row.category or row.factors.perspective
  return row
end

local function told_by(tellers, row)
  local who = row.factors.perspective
  for _, teller in ipairs(tellers or { who }) do
    if who ~= nil and teller == who then return row end
  end
  return nil, problem("factors.perspective", ("expected one of %s, got %s"):format(
    table.concat(tellers or { "the tellers" }, ", "), json.encode(who == nil and json.null or who)))
end

-- Of any other grid: every row has the factors, and a triplet, that any row has.
local function same_factors(seen, row)
  for _, name in ipairs(seen.names) do
    local value = row.factors[name]
    if value == nil or value == json.null then
      return nil, problem("factors." .. name, ("expected a value as in line %d, got nil"):format(seen.lines[name]))
    end
  end
  local meta = is_object(row.metadata) and row.metadata or {}
  if seen.triplet and meta.triplet_id == nil and meta.triplet_ids == nil then
    return nil, problem("metadata.triplet_id", ("expected a text as in line %d, got nil"):format(seen.triplet))
  end
  return told_by(seen.tellers, row)
end

local function check(self, row)
  if not is_object(row) then return row end -- told by lre.row
  if not is_object(row.factors) then
    return nil, problem("factors", "expected an object as in other rows, got " .. (row.factors == nil and "nil"
      or json.encode(row.factors)))
  end
  if self._grid.seed then return seed_row(row) end
  return same_factors(self._grid, row)
end

-- ---- what is there twice ----

local function ids_of(meta)
  return meta.triplet_ids or meta.triplet_id ~= nil and { meta.triplet_id } or {}
end

-- Adds the triplets of a row to those of the row that has its prompt.
local function join(first, row)
  if not is_object(first.metadata) or not is_object(row.metadata) then return end
  local seen, all = {}, json.array {}
  for _, meta in ipairs { first.metadata, row.metadata } do
    for _, id in ipairs(ids_of(meta)) do
      if not seen[id] then all[#all + 1] = id end
      seen[id] = true
    end
  end
  if #all > 1 then first.metadata.triplet_id, first.metadata.triplet_ids = nil, all end
end

local function prompt_of(row)
  local messages = row.messages or row.conversation or row.prompt or row.text
  return messages ~= nil and json.encode { messages, row.factors.perspective } or nil
end

-- Tellings of one triplet that differ in more than who tells it cannot be told apart by that factor.
local function hold_against(self, of_triplet, row, line)
  local id = is_object(row.metadata) and row.metadata.triplet_id
  if self._grid.seed or type(id) ~= "string" or self._grid.unlike then return end
  local first = of_triplet[id]
  if not first then
    of_triplet[id] = { row.factors, line }
    return
  end
  for _, name in ipairs(self._grid.names) do
    local here, there = json.encode(row.factors[name]), json.encode(first[1][name])
    if here ~= there then
      self._grid.unlike = true
      log.warning(("%s:%d: factors.%s: %s, and in line %d, of the same triplet %s, %s: the triplet is in no figure "
        .. "by %s"):format(self._shown, line, name, here, first[2], id, there, name))
      return
    end
  end
end

local function tell(self, folded, total)
  if folded == 0 or self._grid.told then return end
  self._grid.told = true
  log.warning(("%s: %d of %d rows have the prompt of an earlier row: each prompt is asked once and counted once")
    :format(self._shown, folded, total))
end

---The rows of a grid's file, once each: wraps a source of lre.suite.
function grid.rows(self, pull)
  local list, by_prompt, of_triplet, folded, rows = {}, {}, {}, 0, 0
  local i = 0
  local function read()
    while true do
      local value, line, prefix, bad = pull()
      if value == nil and not bad then break end
      if value ~= nil then value, bad = check(self, value) end
      local prompt = is_object(value) and is_object(value.factors) and prompt_of(value)
      if prompt then hold_against(self, of_triplet, value, line) end
      local first = prompt and by_prompt[prompt]
      rows = rows + 1
      if rows > MAX_ROWS then
        bad = problem(nil, ("more than %d rows: too large for a grid"):format(MAX_ROWS))
        value, bad.last = nil, true
      end
      if first then
        folded = folded + 1
        join(first, value)
      else
        list[#list + 1] = { value, line, prefix, bad }
        if prompt then by_prompt[prompt] = value end
      end
      if bad and bad.last then break end
    end
  end
  return function()
    if i == 0 then
      read()
      tell(self, folded, rows)
    end
    i = i + 1
    local one = list[i]
    if one then return table.unpack(one, 1, 4) end
  end
end

-- ---- what is measured on it ----

local function factor_names(factors)
  local names = {}
  for name in pairs(factors) do
    if name ~= "perspective" then names[#names + 1] = name end
  end
  table.sort(names)
  return names
end

-- A generator may be endless; a row of it is among the first.
local MAX_LOOKED_AT = 100000

-- The installed suite that made the row: it gives a sample with this id and these messages. nil: there is none.
local function maker_of(row, open)
  local name = row.suite
  if type(name) ~= "string" or type(row.prompt_id) ~= "string" or not name:find "^[%w_-]+$" then return nil end
  local ok, made = pcall(open, name)
  if not ok or made.kind ~= "lua" then return nil end
  local messages, n = json.encode(row.messages or json.null), 0
  for one in made:samples() do
    n = n + 1
    if one.id == row.prompt_id then return json.encode(one.messages) == messages and made or nil end
    if n == MAX_LOOKED_AT then return nil end
  end
end

local FIELDS = { "name", "judges", "metrics", "clusters", "contrasts", "roster", "version", "summary" }

-- Of a grid that no installed suite made: the second seed's, or triplets that say who tells them.
local function profile(row)
  local triplets = require "lre.triplets"
  local meta = is_object(row.metadata) and row.metadata or {}
  local seed = not meta.triplet_id and not meta.triplet_ids and row.factors.base_rent ~= nil
    and row.factors.relationship_quality ~= nil
  local tellers = seed and sycophancy.TELLERS or meta.tellers
  if type(tellers) ~= "table" or #tellers < 2 then return {} end
  local by = seed and sycophancy.BY or factor_names(row.factors)
  return { seed = seed, name = type(row.suite) == "string" and row.suite:find "%S" and row.suite or nil,
    judges = triplets.judges(tellers), clusters = "triplet_id",
    contrasts = triplets.contrasts(tellers, by, seed and { table.unpack(by, 1, 4) } or by) }
end

---Looks at a JSONL file that is being opened as a suite. One that an installed suite made (`suite` in its rows) is that
---suite: name, judges, metrics, clusters, contrasts. A grid that none made is the second seed's, or triplets with its
---tellers.
---@param self table the suite
---@param open fun(name: string): table lre.suite.open
function grid.adopt(self, open)
  local seen = survey(self.path)
  local row = seen.told or seen.first
  if not row then return end
  local found = maker_of(row, open) or seen.told and profile(row) or {}
  for _, field in ipairs(FIELDS) do
    if found[field] ~= nil then self[field] = found[field] end
  end
  if not seen.told then return end
  local meta = is_object(row.metadata) and row.metadata or {}
  self._grid = { seed = found.seed, names = seen.names, lines = seen.lines, triplet = seen.triplet,
    tellers = type(meta.tellers) == "table" and meta.tellers or nil }
end

-- ---- writing ----

---A sample as a line of a grid's file: prompt_id, factors, messages first.
---@param suite table
---@param sample lre.Sample
---@return string
function grid.line(suite, sample)
  local meta, parts = {}, { '"prompt_id":' .. json.encode(sample.id) }
  for name, value in pairs(sample.metadata or {}) do meta[name] = value end
  local function add(name, value)
    if value ~= nil then parts[#parts + 1] = json.encode(name) .. ":" .. assert(json.encode(value)) end
  end
  add("factors", meta.factors)
  meta.factors = nil
  add("messages", sample.messages)
  add("suite", suite.name)
  add("category", sample.category)
  add("subcategory", sample.subcategory)
  add("target", sample.target)
  add("metadata", next(meta) and meta or nil)
  return "{" .. table.concat(parts, ",") .. "}\n"
end

-- ---- choosing ----

local function perspective_of(sample)
  local factors = sample.metadata and sample.metadata.factors
  return factors and factors.perspective
end

---Is it told by nobody?
function grid.is_neutral(sample)
  local tellers = sample.metadata and sample.metadata.tellers
  local who = perspective_of(sample)
  return who ~= nil and who == (tellers and tellers[3] or "neutral")
end

-- Triplets in their order: { { id, factors, samples (positions) } }, and positions of shared tellings by triplet.
local function triplets_of(samples)
  local index, list = {}, {}
  for at, sample in ipairs(samples) do
    local meta = sample.metadata or {}
    for _, id in ipairs(ids_of(meta)) do
      local one = index[id]
      if not one then
        one = { id = id, at = {} }
        index[id], list[#list + 1] = one, one
      end
      one.at[#one.at + 1] = at
      if meta.triplet_id then
        one.factors = one.factors or meta.cell or meta.factors
      end
    end
  end
  return list
end

local function cost(one, counts)
  local sum = 0
  for name, value in pairs(one.factors or {}) do
    if name ~= "perspective" then sum = sum + (counts[name .. "\0" .. tostring(value)] or 0) end
  end
  return sum
end

---Whole triplets, drawn so that every level of every factor comes equally often: the next is always one whose levels
---were drawn least; ties fall by the seed. Returns the chosen samples in their order, and how many triplets they are.
---@param samples lre.Sample[]
---@param n integer rows; what does not make a whole triplet is left out
---@param seed integer
function grid.balanced(samples, n, seed)
  local hash = require "lre.hash"
  local list, counts, chosen, rows, drawn = triplets_of(samples), {}, {}, 0, 0
  for _, one in ipairs(list) do one.luck = hash.unit(("%d|%s"):format(seed, one.id)) end
  table.sort(list, function(a, b) return a.luck < b.luck end)
  while #list > 0 do
    local best, least
    for i, one in ipairs(list) do
      local price = cost(one, counts)
      if not least or price < least then best, least = i, price end
    end
    local one, new = table.remove(list, best), 0
    for _, at in ipairs(one.at) do new = new + (chosen[at] and 0 or 1) end
    if rows + new > n then break end
    for _, at in ipairs(one.at) do chosen[at] = true end
    for name, value in pairs(one.factors or {}) do
      local key = name .. "\0" .. tostring(value)
      counts[key] = (counts[key] or 0) + 1
    end
    rows, drawn = rows + new, drawn + 1
  end
  local out = {}
  for at, sample in ipairs(samples) do out[#out + 1] = chosen[at] and sample or nil end
  return out, drawn
end

---The triplets that the first n samples begin and do not finish.
---@return string[] ids
function grid.cut(samples, n)
  local out = {}
  for _, one in ipairs(triplets_of(samples)) do
    local inside = 0
    for _, at in ipairs(one.at) do inside = inside + (at <= n and 1 or 0) end
    if inside > 0 and inside < #one.at then out[#out + 1] = one.id end
  end
  return out
end

return grid
