#!/bin/sh
# Adds to the root file system of the run stage in $1, which has the executable: the libraries that it and Argon2 are
# linked against, Argon2, and its user. No shell, package manager or certificates: it makes no outgoing calls.
set -eu
root=$1

# The package is named by processor and C library; only the one for this machine is installed.
mkdir -p "$root/usr/local/lib/irontrack"
cp node_modules/@node-rs/argon2-linux-*-gnu/argon2.*.node "$root/usr/local/lib/irontrack/argon2.node"

for program in "$root/usr/local/bin/irontrack" "$root/usr/local/lib/irontrack/argon2.node"; do
  ldd "$program" | sed -n 's/.*\(=> \|^\t\)\(\/[^ ]*\) (.*/\2/p'
done | sort -u | while read -r library; do
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
done

mkdir -p "$root/etc" "$root/tmp" "$root/proc" "$root/dev"
echo 'irontrack:x:10001:10001::/var/lib/irontrack:/nonexistent' >"$root/etc/passwd"
echo 'irontrack:x:10001:' >"$root/etc/group"
chmod 1777 "$root/tmp"
mkdir -p /home-of-irontrack/run
