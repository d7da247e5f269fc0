A provider that misbehaves: its scenarios, and what it refuses.

  $ lre mock --script list | head -n 4
  calm                   answers
  429-seconds            a 429 that names its delay as seconds
  429-ms                 a 429 that names its delay as ms
  429-date               a 429 that names its delay as date
  $ lre mock --script list | grep 'no way around'
  429-always             nothing but 429 (no way around it)
  filter-openai          a content filter in the form of openai (no way around it)
  filter-azure           a content filter in the form of azure (no way around it)
  filter-refusal         a content filter in the form of refusal (no way around it)
  filter-anthropic       a content filter in the form of anthropic (no way around it)
  filter-anthropic_blocked a content filter in the form of anthropic_blocked (no way around it)
  filter-openrouter      a content filter in the form of openrouter (no way around it)
  unauthorized           a refused key (no way around it)
  $ lre mock --script strom
  lre: --script: no scenario is called "strom". Did you mean "storm"? There are calm, 429-seconds, 429-ms, 429-date, 429-reset, 429-epoch, 429-rfc3339, 429-bare, 429-half, 429-always, 500, 502, 503, 504, 529, 503-html, burst, 200-error, reset, reset-body, short, close, slow-head, slow-body, late, hang, truncated, garbage, empty, html, wrong-type, filter-openai, filter-azure, filter-refusal, filter-anthropic, filter-anthropic_blocked, filter-openrouter, unauthorized, storm. A file has a / or .lua.
  [3]
  $ lre mock --script nothing/here.lua
  lre: nothing/here.lua: cannot open nothing/here.lua: No such file or directory
  [3]
  $ lre mock --host localhost
  lre: localhost: expected an IPv4 address such as 127.0.0.1
  [4]
  $ lre mock --port 70000
  lre: --port: expected an integer from 0 to 65535, got "70000"
  Try `lre mock --help`.
  [2]
