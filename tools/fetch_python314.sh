#!/usr/bin/env bash
# Puts CPython 3.14, with its standard library, into FOLDER: Debian's newest packages, unpacked and never installed,
# started through their own dynamic linker so that the system's libraries stay out of it. FOLDER may not be moved later.
#   tools/fetch_python314.sh build/python314     then: build/python314/python3.14 program.py
set -euo pipefail

(($# == 1)) || { echo "usage: $0 FOLDER" >&2; exit 2; }
mkdir -p "$1"
folder=$(cd "$1" && pwd)
python=$folder/python3.14
if "$python" -c 'import asyncio' 2>/dev/null; then
    echo "CPython 3.14 is already in $folder"
    exit 0
fi

architecture=$(dpkg --print-architecture)
mirror=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{sources,list} 2>/dev/null |
    grep -oE 'https?://[^ ]+/debian/?( |$)' | head -n 1 | tr -d ' ' || true)
mirror=${mirror:-http://deb.debian.org/debian}

# An apt of our own: its lists, cache and empty status file live in FOLDER, so it fetches the whole closure, libc too.
apt=$folder/apt
rm -rf "$apt" "$folder/root"
mkdir -p "$apt"/{state/lists/partial,cache/archives/partial,parts} "$folder/root"
touch "$apt/state/status"
echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] $mirror sid main" >"$apt/sources.list"
private_apt() {
    apt-get -qq \
        -o Dir::State="$apt/state" -o Dir::State::status="$apt/state/status" -o Dir::Cache="$apt/cache" \
        -o Dir::Etc::sourcelist="$apt/sources.list" -o Dir::Etc::sourceparts="$apt/parts" \
        -o Dir::Etc::preferences="$apt/none" -o Dir::Etc::preferencesparts="$apt/parts" \
        -o APT::Sandbox::User=root -o APT::Install-Recommends=false -o Acquire::Languages=none \
        -o APT::Architecture="$architecture" -o APT::Architectures="$architecture" -o Debug::NoLocking=1 "$@"
}
echo "fetching CPython 3.14 from $mirror sid"
private_apt update
private_apt -y --download-only install python3.14

root=$folder/root
for link in lib lib64 bin sbin; do
    mkdir -p "$root/usr/$link"
    ln -s "usr/$link" "$root/$link"
done
for package in "$apt"/cache/archives/*.deb; do
    dpkg-deb --extract "$package" "$root"
done
rm -rf "$apt"

linker=$(find "$root/usr" -name 'ld-linux*.so.*' | sort | head -n 1)
libraries=$(find "$root/usr/lib" -maxdepth 1 -type d -name '*-linux-gnu*' | head -n 1)
mkdir -p "$root/usr/libexec"
mv "$root/usr/bin/python3.14" "$root/usr/libexec/"
# The starter takes the program's place, because Python looks for its library from where it believes that it lies.
cat >"$root/usr/bin/python3.14" <<STARTER
#!/bin/sh
exec "$linker" --library-path "$libraries" --argv0 "$root/usr/bin/python3.14" "$root/usr/libexec/python3.14" "\$@"
STARTER
chmod +x "$root/usr/bin/python3.14"
ln -sfn root/usr/bin/python3.14 "$python"
"$python" -c 'import asyncio, sys; print("CPython", sys.version)'
