-- What providers ask for their models, in US dollars per million tokens: their public list prices as known on the day
-- in `taken`. They change: hold them against the page in `source` before you lean on them, and put what differs into a
-- file of your own in this form (--prices FILE, or ./prices.lua in the project); its rows come first.
--
-- A row: provider (the adapter), model (an id; one that ends in * stands for all that begin so), input, output, cached
-- (input read from the provider's cache; as input where it is not there), taken, source. A model's id also stands for
-- its dated names: gpt-4o-mini for gpt-4o-mini-2024-07-18. What a response itself says that it cost always counts
-- first.
local openai = "https://openai.com/api/pricing"
local anthropic = "https://www.anthropic.com/pricing"
local google = "https://ai.google.dev/gemini-api/docs/pricing"

return {
  { provider = "openai", model = "gpt-5", input = 1.25, cached = 0.125, output = 10, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-5-mini", input = 0.25, cached = 0.025, output = 2, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-5-nano", input = 0.05, cached = 0.005, output = 0.4, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-5-chat", input = 1.25, cached = 0.125, output = 10, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-4.1", input = 2, cached = 0.5, output = 8, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-4.1-mini", input = 0.4, cached = 0.1, output = 1.6, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-4.1-nano", input = 0.1, cached = 0.025, output = 0.4, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-4o", input = 2.5, cached = 1.25, output = 10, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-4o-2024-05-13", input = 5, output = 15, taken = "2025-09-01", source = openai },
  { provider = "openai", model = "gpt-4o-mini", input = 0.15, cached = 0.075, output = 0.6, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "o1", input = 15, cached = 7.5, output = 60, taken = "2025-09-01", source = openai },
  { provider = "openai", model = "o3", input = 2, cached = 0.5, output = 8, taken = "2025-09-01", source = openai },
  { provider = "openai", model = "o3-mini", input = 1.1, cached = 0.55, output = 4.4, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "o4-mini", input = 1.1, cached = 0.275, output = 4.4, taken = "2025-09-01",
    source = openai },
  { provider = "openai", model = "gpt-4-turbo", input = 10, output = 30, taken = "2025-09-01", source = openai },
  { provider = "openai", model = "gpt-4", input = 30, output = 60, taken = "2025-09-01", source = openai },
  { provider = "openai", model = "gpt-3.5-turbo", input = 0.5, output = 1.5, taken = "2025-09-01", source = openai },

  { provider = "anthropic", model = "claude-opus-4-1", input = 15, cached = 1.5, output = 75, taken = "2025-09-01",
    source = anthropic },
  { provider = "anthropic", model = "claude-opus-4", input = 15, cached = 1.5, output = 75, taken = "2025-09-01",
    source = anthropic },
  { provider = "anthropic", model = "claude-sonnet-4", input = 3, cached = 0.3, output = 15, taken = "2025-09-01",
    source = anthropic },
  { provider = "anthropic", model = "claude-3-7-sonnet", input = 3, cached = 0.3, output = 15, taken = "2025-09-01",
    source = anthropic },
  { provider = "anthropic", model = "claude-3-5-sonnet", input = 3, cached = 0.3, output = 15, taken = "2025-09-01",
    source = anthropic },
  { provider = "anthropic", model = "claude-3-5-haiku", input = 0.8, cached = 0.08, output = 4, taken = "2025-09-01",
    source = anthropic },
  { provider = "anthropic", model = "claude-3-opus", input = 15, cached = 1.5, output = 75, taken = "2025-09-01",
    source = anthropic },
  { provider = "anthropic", model = "claude-3-haiku", input = 0.25, cached = 0.03, output = 1.25, taken = "2025-09-01",
    source = anthropic },

  -- Of prompts over 200,000 tokens twice as much: rows for such prompts belong into a file of yours.
  { provider = "gemini", model = "gemini-2.5-pro", input = 1.25, cached = 0.31, output = 10, taken = "2025-09-01",
    source = google },
  { provider = "gemini", model = "gemini-2.5-flash", input = 0.3, cached = 0.075, output = 2.5, taken = "2025-09-01",
    source = google },
  { provider = "gemini", model = "gemini-2.5-flash-lite", input = 0.1, cached = 0.025, output = 0.4,
    taken = "2025-09-01", source = google },
  { provider = "gemini", model = "gemini-2.0-flash", input = 0.1, cached = 0.025, output = 0.4, taken = "2025-09-01",
    source = google },
  { provider = "gemini", model = "gemini-2.0-flash-lite", input = 0.075, output = 0.3, taken = "2025-09-01",
    source = google },

  -- What runs here costs nothing that a provider would bill.
  { provider = "fake", model = "*", input = 0, output = 0, taken = "2025-09-01", source = "no network" },
  { provider = "hf", model = "*", input = 0, output = 0, taken = "2025-09-01", source = "runs here" },
  { provider = "ollama", model = "*", input = 0, output = 0, taken = "2025-09-01", source = "runs here" },
  { provider = "openrouter", model = "*:free", input = 0, output = 0, taken = "2025-09-01",
    source = "https://openrouter.ai/models" },
}
