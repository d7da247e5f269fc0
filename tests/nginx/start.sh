#!/bin/sh
# start.sh DIR: starts the tests' nginx under DIR (made if it is not there) and prints its port.
#
# Leaves DIR/nginx.pid, DIR/port, DIR/access.log and DIR/error.log; with openssl also DIR/tls_port and DIR/ca.pem
# (a self-signed certificate for localhost and 127.0.0.1). Any user may run it. LRE_NGINX_PORT asks for one port.
# Exit 77, with the reason on stderr, where nginx or its Lua module is not installed: a test then skips.
set -eu
[ $# -eq 1 ] || { echo "usage: start.sh DIR" >&2; exit 2; }

skip() {
  echo "nginx for tests: $1 (Debian, Ubuntu: apt-get install nginx-light libnginx-mod-http-lua)" >&2
  exit 77
}

PATH="$PATH:/usr/sbin:/usr/local/sbin"
command -v nginx >/dev/null || skip "no nginx"
here=$(CDPATH='' cd "$(dirname "$0")" && pwd)
mkdir -p "$1/tmp"
dir=$(CDPATH='' cd "$1" && pwd)

modules=
for name in ndk_http_module ngx_http_lua_module; do
  found=
  for folder in /usr/lib/nginx/modules /usr/lib64/nginx/modules /usr/share/nginx/modules /usr/local/libexec/nginx; do
    [ -e "$folder/$name.so" ] && { found="$folder/$name.so"; break; }
  done
  [ -n "$found" ] || skip "no $name.so"
  modules="$modules load_module \"$found\";"
done

user=
[ "$(id -u)" -ne 0 ] || user="user root root;" # else the worker could not write under a folder of mode 700

# Ports below the kernel's ephemeral range: an outgoing connection of some test cannot take one between our look and
# nginx's bind. nginx binds first or we try the next.
free_port() {
  while :; do
    random=$(od -An -N2 -tu2 /dev/urandom)
    port=$((12000 + random % 20000))
    hex=$(printf ':%04X' "$port")
    cat /proc/net/tcp /proc/net/tcp6 2>/dev/null | awk -v p="$hex" 'index($2, p) { found = 1 } END { exit !found }' || break
  done
  echo "$port"
}

certificate() {
  command -v openssl >/dev/null || return 1
  [ -s "$dir/ca.pem" ] && return 0
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$dir/key.pem" -out "$dir/ca.pem" \
    -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost,IP:127.0.0.1 >/dev/null 2>&1
}

escape() { # for the right side of sed's s|||
  printf '%s' "$1" | sed 's/[&|\\]/\\&/g'
}

# The daemon leaves our process group a moment after this script has ended: who runs us may end that group at once.
setsid=
command -v setsid >/dev/null && setsid=setsid
# shellcheck disable=SC3045 # dash and bash have it; others go without
ulimit -n "$(ulimit -H -n)" 2>/dev/null || true
try=0
while [ $try -lt 20 ]; do
  try=$((try + 1))
  port=${LRE_NGINX_PORT:-$(free_port)}
  tls=
  if certificate; then
    tls_port=$(free_port)
    tls="listen 127.0.0.1:$tls_port ssl http2; ssl_certificate \"$dir/ca.pem\"; ssl_certificate_key \"$dir/key.pem\";"
  fi
  sed -e "s|@MODULES@|$(escape "$modules")|" -e "s|@USER@|$user|" -e "s|@DIR@|$(escape "$dir")|g" \
    -e "s|@HERE@|$(escape "$here")|g" -e "s|@PORT@|$port|" -e "s|@TLS@|$(escape "$tls")|" \
    "$here/nginx.conf.in" >"$dir/nginx.conf"
  if $setsid nginx -p "$dir/" -c "$dir/nginx.conf" 2>"$dir/start.log" >/dev/null </dev/null; then
    # nginx answers before its daemon has left our process group, which whoever called us may end; then it writes its pid.
    until [ -s "$dir/nginx.pid" ]; do sleep 0.01; done
    echo "$port" >"$dir/port"
    [ -z "$tls" ] || echo "$tls_port" >"$dir/tls_port"
    echo "$port"
    exit 0
  fi
  [ -z "${LRE_NGINX_PORT:-}" ] || break
  grep -q 'Address already in use' "$dir/start.log" || break
done
echo "nginx for tests did not start:" >&2
cat "$dir/start.log" >&2
exit 1
