Help, versions, completions.

  $ lre help
  lre: an evaluation engine for language-model behaviour.
  
  Usage: lre COMMAND [options]
  
  Commands:
  ...
    demo       The bundled refusal suites on two fake models: tables, no network, no key.
  ...
    help       Show the commands, or one command's options.
  ...
    lint       Check suite files (and judges, adapters, ...): JSON, keys, categories, duplicates.
  ...
    list       List suites, judges, adapters, personas or reports with where they lie.
  ...
    run        Ask models every sample of the suites, judge the answers, write the results.
  ...
    script     Run a Lua file; what stands after -- is its own arguments.
  ...
    test       Run a judge's own examples and print what failed.
  ...
  
  `lre help COMMAND` or `lre COMMAND --help` shows its options, `lre --version` the versions.
  $ lre > overview; lre help | cmp - overview
  $ lre --help | cmp - overview
  $ lre --version
  lre [0-9.]+ \(Lua 5\.4\.\d, libcurl [0-9.]+, cJSON [0-9.]+, PCRE2 [0-9.]+( JIT)?, OpenSSL [0-9.]+, SQLite [0-9.]+, utf8proc [0-9.]+\) (re)
  $ lre help demo
  Usage: lre demo [-h] [--sample <N>] [--seed <N>] [--fake-refusal-rate <X>] [--model-name <NAME>]
         [--local <DIR>] [--path <DIR>] [--json] [-v] [-q] [--log-level <LEVEL>]
  
  The bundled refusal suites on two fake models: tables, no network, no key.
  
  What to measure:
     --sample <N>                   N samples of each suite, drawn with --seed.
     --seed <N>                     Seed of sampling, retries' jitter and the fake model; sent to
                                    providers that take one. (default 42)
  
  Provider:
     --fake-refusal-rate <X>,       Share of prompts that the fake model refuses. (default 0.6)
          --refusal-rate <X>
     --model-name <NAME>            Name of the smaller fake model. (default fake-1b)
     --local <DIR>                  Ask the checkpoint in this folder instead, on this machine.
  
  Files:
     --path <DIR>                   Folder that is searched first for suites, judges, adapters,
                                    personas, reports.
  
  Output:
     --json                         Print data instead of tables.
     -v, --verbose                  Say more (log level INFO).
     -q, --quiet                    Say only errors.
     --log-level <LEVEL>            What is said on standard error; DEBUG shows requests and replies,
                                    without keys. (default WARNING)
  
  Other options:
     -h, --help                     Show this help.
  
  The second, larger model is synthetic: it refuses 0.25 more than the first, so that the scaling
  table has a slope.
  $ lre demo --help > one; lre demo -h > two; lre help demo > three; cmp one two; cmp one three

Each shell's completions are the shell's own language.

  $ lre help --completion bash | bash -n
  $ lre help --completion bash > complete.bash; bash -c '. ./complete.bash && complete -p lre'
  complete -o bashdefault -o default -F _lre lre
  $ lre help --completion zsh | sed -n 1p
  #compdef lre
  $ lre help --completion fish | sed -n 1p
  function __fish_lre_print_command
  $ lre help --completion csh
  lre: argument for option '--completion' must be one of 'bash', 'zsh', 'fish'
  Try `lre help --help`.
  [2]

A mistyped word gets the nearest.

  $ lre rnu
  lre: "rnu" is not a command. Did you mean "run"? `lre help` lists them.
  [2]
  $ lre version
  lre: "version" is not a command. `lre help` lists them.
  [2]
  $ lre salvage
  lre: missing argument 'run'
  Try `lre salvage --help`.
  [2]
  $ lre help rnu
  lre: "rnu" is not a command. Did you mean "run"? `lre help` lists them.
  [2]
  $ lre --verison
  lre: unknown option --verison before a command. Try `lre help`.
  [2]
  $ lre ../run
  lre: "../run" is not a command. `lre help` lists them.
  [2]
  $ lre run --modle fake/a --suite x
  lre: unknown option '--modle'
  Did you mean '--model'?
  Try `lre run --help`.
  [2]
