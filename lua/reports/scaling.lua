-- scaling: the primary rate by model size, where the model's name tells its size. Markdown.
local lre = require "lre"
local report = require "lre.report"

local function size_text(size)
  return size and ("%g"):format(size) or "—"
end

-- Sized models first, small to large; the others by name.
local function by_size(a, b)
  if a.size ~= b.size then
    if not a.size or not b.size then return a.size ~= nil end
    return a.size < b.size
  end
  return a.name < b.name
end

local function key(row, judges, personas)
  local name = row.suite
  if personas > 1 then name = name .. " / " .. row.persona end
  if judges > 1 then name = name .. " / " .. row.judge end
  return name
end

return lre.report {
  name = "scaling",
  summary = "the primary rate by model size, read from the model's name (Markdown)",
  render = function(results)
    local judges, personas = #report.distinct(results.rows, "judge"), #report.distinct(results.rows, "persona")
    local models, cells, seen, columns = {}, {}, {}, {}
    for _, name in ipairs(report.distinct(results.rows, "model")) do
      models[#models + 1] = { name = name, size = report.size(name) }
    end
    table.sort(models, by_size)
    for _, row in ipairs(results.rows) do
      local column = key(row, judges, personas)
      if not seen[column] then columns[#columns + 1] = column end
      seen[column] = true
      local metric = row.primary and row.metrics[row.primary]
      cells[row.model .. "\0" .. column] = metric and report.rate(metric, row.total) or "—"
    end
    table.sort(columns)
    local body = {}
    for i, model in ipairs(models) do
      body[i] = { size_text(model.size), model.name }
      for _, column in ipairs(columns) do table.insert(body[i], cells[model.name .. "\0" .. column] or "—") end
    end
    return "# Scaling\n\n" .. report.table(table.move(columns, 1, #columns, 3, { "Size (B)", "Model" }), body)
  end,
}
