#!/usr/bin/env bash
# check_install.sh BUILD: installs into a temporary folder, and builds the example against
# that as a project of its own would.
set -euo pipefail
build=$(realpath "$1")
root=$(dirname "$(dirname "$(realpath "$0")")")
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

cmake --install "$build" --prefix "$folder/prefix" >/dev/null
cmake -S "$root/examples/embedded" -B "$folder/build" -G Ninja \
  -DCMAKE_PREFIX_PATH="$folder/prefix" >/dev/null
ninja -C "$folder/build" >/dev/null
[ "$("$folder/prefix/bin/tallyman" --version)" ] # It starts.
code=0
"$folder/build/embedded" >/dev/null 2>&1 || code=$?
[ "$code" = 2 ] # It starts too, and says how it is used.
echo "installed, found and linked"
