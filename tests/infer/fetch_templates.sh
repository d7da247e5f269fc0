#!/bin/sh
# Fetches the published chat templates that tests/lua/jinja.lua compares with: those in the source archive of
# llama-cpp-python on PyPI. They lie outside the tree and are never shipped. Prints their folder.
set -eu
version=0.3.36
sha256=832db0699007f1be95a7e41ef12e88926b02ba836461e36a36372db2760c1a2e
folder=${LRE_TEMPLATES:-${XDG_CACHE_HOME:-$HOME/.cache}/lre/templates-$version}
if [ -d "$folder" ]; then
  echo "$folder"
  exit 0
fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv" >&2
"$work/venv/bin/pip" download -q --no-deps --no-binary llama-cpp-python -d "$work" "llama-cpp-python==$version" >&2
mv "$work/llama_cpp_python-$version.tar.gz" "$work/archive.tar.gz"
echo "$sha256  $work/archive.tar.gz" | sha256sum -c - >&2
tar -xzf "$work/archive.tar.gz" -C "$work" --strip-components=5 --wildcards '*/vendor/llama.cpp/models/templates/*.jinja'
mkdir -p "$(dirname "$folder")"
mkdir "$folder.new"
find "$work" -name '*.jinja' -exec mv {} "$folder.new" \;
mv "$folder.new" "$folder"
echo "$folder"
