---@meta lre.http

---@class lre.http
local http = {}
---Sends one request and waits. request: method, url, headers (name -> value), body (string), auth = { env, header,
---prefix },
---timeouts = { connect, first_byte, stall, total } in seconds, max_bytes. Returns `{ status, headers (lower-case
---names), body, sent, reused,
---seconds = { connect, first_byte, total } }`, or nil, err (err.sent says whether the whole request was sent).
---A prepared request comes with its body.
---@param request table|userdata
---@param body string?
---@return table?, lre.Error?
function http.request(request, body) end
---A request without its body, read and checked once for many.
---@return userdata
function http.prepare(request) end
---Set once before the first request: max_connections, ca_file, proxy, user_agent.
function http.configure(options) end
---From now on only these hosts are asked (of each URL its scheme, host and port count); nil: every one. A request to
---another one gives nil, err (code "host") and sends nothing.
---@param urls string[]?
function http.allow(urls) end
---Percent-encodes.
---@return string
function http.escape(s) end
---Loads the secret in an environment variable; false where unset. The value is never seen by Lua.
---@return boolean?, lre.Error?
function http.load_key(env_name) end
---Text with every loaded secret replaced.
---@return string
function http.redact(s) end

return http
