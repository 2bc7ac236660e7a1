#!/bin/sh
# Install, on Debian or Ubuntu, what some tests need beyond pip packages. Does nothing where it is there already.
set -eu
packages="bc golang-go golang-golang-x-mod-dev"
missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -z "$missing" ] && exit 0
command -v apt-get >/dev/null || { echo "install by hand:$missing" >&2; exit 1; }
run=""
[ "$(id -u)" -eq 0 ] || run=sudo
$run apt-get update -q
# shellcheck disable=SC2086 # the list is meant to split
DEBIAN_FRONTEND=noninteractive $run apt-get install -q -y --no-install-recommends $missing
