---@meta lre.platform

---@class lre.platform
local platform = {}
---@type string folder of our Lua
platform.lua_dir = ""
---@type string folder with suites, judges, examples, docs
platform.share_dir = ""
---@type string? this program's file, links resolved
platform.program = ""
---@type string
platform.version = ""
---`{ lua, curl, cjson, pcre2, pcre2_jit (boolean), openssl, sqlite, utf8proc }`
---@return table
function platform.libraries() end
---@return integer
function platform.cpus() end
---"linux x86_64"
---@return string
function platform.describe() end
---First 16 hex digits of an HMAC-less SHA-256 of the host name with a per-user random salt file: tells machines apart
---without naming them.
---@return string
function platform.host_hash() end
---@param stream "stdin"|"stdout"|"stderr"
---@return boolean
function platform.is_tty(stream) end
---@return integer
function platform.columns() end
---@return integer bytes
function platform.peak_memory() end
---Freed memory that the C library keeps goes back to the system.
function platform.trim_memory() end
---Raises the limit on open files towards n; what it is now.
---@return integer
function platform.raise_nofile(n) end
---@return string? value (raises for a variable loaded as a secret)
function platform.getenv(name) end
---Sets the variables of a file of NAME=value lines that the environment does not have; their names. No file: none.
---@param path string
---@return string[]? names, lre.Error? err
function platform.load_env(path) end
---The names of the environment's variables that begin so; no values.
---@param prefix string
---@return string[]
function platform.env_names(prefix) end
---@return integer
function platform.pid() end
---@return string
function platform.hostname() end

return platform
