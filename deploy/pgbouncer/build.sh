#!/bin/sh
# Builds the PgBouncer of Debian 13 (1.24.1 with the fixes of 1.25.2) on an older Debian, into dist/pgbouncer, where the
# topology and `test --pooler` look before they use the installed one. Needs: apt-get install libevent-dev libssl-dev
# pkg-config make gcc dpkg-dev. The system is not changed; the signature of the sources is checked.
set -eu
version=1.24.1-1+deb13u2
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cat >"$work/sources.list" <<LIST
deb-src [signed-by=$keyring] http://deb.debian.org/debian trixie main
deb-src [signed-by=$keyring] http://deb.debian.org/debian-security trixie-security main
LIST
private() {
  apt-get -qq -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=- -o Dir::State::lists="$work/lists" \
    -o Dir::Cache="$work/cache" -o APT::Sandbox::User=root "$@"
}
cd "$work"
private update
private source "pgbouncer=$version"
cd pgbouncer-*/
./configure --without-cares >configure.log
make -s pgbouncer
mkdir -p "$root/dist/pgbouncer"
install -m 0755 pgbouncer "$root/dist/pgbouncer/pgbouncer"
"$root/dist/pgbouncer/pgbouncer" --version | head -n 1
