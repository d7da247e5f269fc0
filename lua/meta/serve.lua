---@meta lre.serve

---@class lre.serve
local serve = {}
---A small HTTP/1.1 server for `lre mock`. options: host (an IPv4 address), port (0: a free one), cert (a path: TLS,
---with the certificate written there), max_body_bytes.
---@return lre.Server?, lre.Error?
function serve.open(options) end
---@class lre.Server
local server = {}
---Waits up to so many seconds for traffic, then does what is due. handler(request) gets { method, target, headers,
---body, connection } and gives a list of strings (bytes) and numbers (pauses in seconds) with `ending`: "keep",
---"close", "reset" or "hang". What it raised last is returned; that connection was reset.
---@param seconds number
---@param handler fun(request: table): table
---@return any
function server:turn(seconds, handler) end
---@return integer
function server:port() end
---@return integer open now
function server:connections() end
function server:close() end

return serve
