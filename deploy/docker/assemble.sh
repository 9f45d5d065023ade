#!/bin/sh
# Lays out the run stage's root file system in $1, where the executable is already: the libraries that it and Argon2 are
# linked against, Argon2, and who it runs as. No shell, no package manager, no certificates: it calls nobody.
set -eu
root=$1

# Named by processor and C library; only what fits this machine was installed.
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
