#!/bin/sh
# without_tls.sh SOURCE FOLDER COMPILER PYTHON LIBRARIES: what is left out without OpenSSL, and that it is said. That the
# library builds is shown by others; LIBRARIES is one that has been built.
set -eu
source=$1 folder=$2 compiler=$3 python=$4
shift 4
mkdir -p "$folder"
cmake -S "$source" -B "$folder" -G Ninja -DCMAKE_CXX_COMPILER="$compiler" -DASYNCIO_TLS=OFF -DASYNCIO_BUILD_DOCS=OFF \
    >"$folder/said" 2>&1 || { cat "$folder/said"; exit 1; }
grep 'without OpenSSL 3.0 there are no tests of TLS' "$folder/said"
ctest --test-dir "$folder" -N >"$folder/tests"
grep -q ': example/get_page$' "$folder/tests"
if grep -E '/tls|example/tls_' "$folder/tests"; then exit 1; fi
for example in get_page echo_client; do
    "$compiler" -std=c++20 -O0 -pthread -I"$source/include" "$source/examples/$example.cpp" "$@" -o "$folder/$example"
    "$python" "$source/tests/examples/${example}_test.py" "$folder/$example" -v >"$folder/said" 2>&1 ||
        { cat "$folder/said"; exit 1; }
    grep "skipped 'built without TLS'" "$folder/said"
done
