A good file is named with its count and hash.

  $ lre lint harmful_helpful jailbreak_styles refusal_calibration
  OK: harmful_helpful (15 samples, hash 74a299c25f0f814c)
  OK: jailbreak_styles (10 samples, hash 8079dec849a72e9b)
  OK: refusal_calibration (15 samples, hash 48e29f452172327d)
  $ printf '%s\n' '{"id":"a","text":"one"}' '{"id":"b","prompt":"two","category":"helpful"}' > good.jsonl
  $ lre lint good.jsonl
  OK: good.jsonl (2 samples, hash ca2b5a47902c3e71)
  $ printf 'id,text,category\na,one,harmful\nb,"two, three",helpful\n' > good.csv; lre lint good.csv
  OK: good.csv (2 samples, hash d409ce2f5dd16705)

Everything that is wrong with a bad one is told at once, with line and field.

  $ cat > bad.jsonl <<'END'
  > {"id":"a","text":"one","category":"harmful"}
  > {"id":"a","text":"two","category":"harmful"}
  > {"id":"c","text":"one","category":"harmfull"}
  > {"id":"d","txet":"three"}
  > {"id":"e","text":"four",}
  > {"id":"f","text":5}
  > {"id":"g","messages":[{"role":"robot","content":"x"}]}
  > {"id":"h","messages":[]}
  > {"text":"without an id"}
  > {"id":"i","text":"x"} trailing
  > ["j"]
  > END
  $ lre lint bad.jsonl
  bad.jsonl:2: error: id: duplicate id "a", first on line 1
  bad.jsonl:4: error: txet: unknown key. Did you mean "text"?
  bad.jsonl:4: error: text: expected text or prompt or messages or conversation, got nil
  bad.jsonl:5: error: not valid JSON: expected a key in quotes, found '}' at byte 24
  bad.jsonl:6: error: text: expected non-empty string, got integer 5
  bad.jsonl:7: error: messages[1].role: expected one of "system", "user", "assistant", got string "robot"
  bad.jsonl:8: error: messages: expected at least 1 elements, got 0
  bad.jsonl:9: error: id: expected id or prompt_id, got nil
  bad.jsonl:10: error: not valid JSON: text after the JSON value at byte 22
  bad.jsonl:11: error: expected an object, got a list
  bad.jsonl:3: warning: duplicate text, first on line 1
  bad.jsonl:3: warning: category: expected one of harmful, helpful, borderline like the others, got "harmfull". Did you mean "harmful"?
  [1]
  $ lre lint bad.jsonl --json | sed -n 1,20p
  [
    {
      "categories": [
        "harmful",
        "harmfull"
      ],
      "count": 3,
      "file": "bad.jsonl",
      "hash": "6b51ede8cc77cf1d98e6b5d215e0825e36ef9b5cbec5ed7b86c4b4f03f8aa806",
      "kind": "suite",
      "more": 0,
      "problems": [
        {
          "field": "id",
          "file": "bad.jsonl",
          "line": 2,
          "message": "duplicate id \"a\", first on line 1"
        },
        {
          "field": "txet",

  $ : > empty.jsonl; lre lint empty.jsonl
  empty.jsonl: error: no samples: expected at least one
  [1]
  $ printf '# only a comment\n\n' > comment.jsonl; lre lint comment.jsonl
  comment.jsonl: error: no samples: expected at least one
  [1]
  $ printf 'id,text\na,one\nb\n"c,unclosed\n' > bad.csv; lre lint bad.csv
  bad.csv:3: error: expected 2 fields as in the header, got 1
  bad.csv:4: error: the quoted field that begins here is never closed
  [1]
  $ printf 'id,txet\na,one\n' > header.csv; lre lint header.csv
  header.csv:2: error: txet: unknown key. Did you mean "text"?
  header.csv:2: error: text: expected text or prompt or messages or conversation, got nil
  [1]
  $ printf '{"id":"a","text":"caf\351"}\n' > latin1.jsonl; lre lint latin1.jsonl
  latin1.jsonl:1: error: not valid JSON: invalid UTF-8 at byte 21
  [1]
  $ printf '{"id":"a","text":"x\000y"}\n' > nul.jsonl; lre lint nul.jsonl
  nul.jsonl:1: error: not valid JSON: NUL byte in a string at byte 19
  [1]
  $ printf '\357\273\277{"id":"a","text":"bom"}\r\n{"id":"b","text":"crlf"}\r\n' > windows.jsonl; lre lint windows.jsonl
  OK: windows.jsonl (2 samples, hash 103a4293a08f1f58)
  $ printf '{"id":"a","text":"\033[31mred\302\205"}\n{"id":"\033]0;title\007","text":"x","oops\033[2J":1}\n{"id":"\\u001b]0;title\\u0007","text":"x","oops\\u001b[2J\\u202e":1}\n' > hostile.jsonl; lre lint hostile.jsonl
  hostile.jsonl:1: error: not valid JSON: raw control character in a string at byte 18
  hostile.jsonl:2: error: not valid JSON: raw control character in a string at byte 7
  hostile.jsonl:3: error: oops\x1b[2J\u{202e}: unknown key. Known: category, conversation, factors, id, messages, metadata, notes, persona_system_prompt, prompt, prompt_id, subcategory, suite, system, target, text
  [1]
  $ lre lint missing.jsonl
  missing.jsonl: error: no such file for a suite.
  [1]
  $ lre lint no_such_suite
  no_such_suite: error: unknown suite "no_such_suite". There is: alignment, harmful_helpful, jailbreak_styles, pushback, refusal_calibration, rent
  Searched in:
    suites (project)
    $TMP.home/.config/lre/suites (user)
    $LRE/suites (installed)
  A file is given by a path with a slash: ./no_such_suite
  [1]
  $ lre lint .
  .: error: unknown suite ".". There is: alignment, harmful_helpful, jailbreak_styles, pushback, refusal_calibration, rent
  Searched in:
    suites (project)
    $TMP.home/.config/lre/suites (user)
    $LRE/suites (installed)
  A file is given by a path with a slash: ./.
  [1]
  $ lre lint
  lre: missing argument 'file'
  Try `lre lint --help`.
  [2]

Lua files are linted too.

  $ lre lint $ROOT/judges/refusal.lua | sed 's/hash .*)/hash ...)/'
  OK: $ROOT/judges/refusal.lua (judge, hash ...)
  $ lre lint $ROOT/examples/brevity.lua
  OK: $ROOT/examples/brevity.lua (judge, hash 98932091650b60a8)
  $ printf 'return require "lre".judge { name = "x", version = "1", kind = "rule", labels = { "a" } }\n' > half.lua; lre lint half.lua
  half.lua: error: judge: a rule judge needs it, got nil
  [1]
  $ printf 'local x = \n= 1\n' > syntax.lua; lre lint syntax.lua
  syntax.lua:2: error: unexpected symbol near '='
  [1]
