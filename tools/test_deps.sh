#!/bin/sh
# Install what some tests need beyond pip packages: on Debian or Ubuntu system packages, then packages of npm as the
# files package-lock.json below tests/ pin them. Does nothing where it is there already.
set -eu
cd "$(dirname "$0")/.."
missing=""
for package in bc golang-go golang-golang-x-mod-dev; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
command -v node >/dev/null || missing="$missing nodejs"
command -v npm >/dev/null || missing="$missing npm"
command -v chromium >/dev/null || command -v chromium-browser >/dev/null || command -v google-chrome >/dev/null ||
    missing="$missing chromium fonts-noto-cjk"
if [ -n "$missing" ]; then
    command -v apt-get >/dev/null || { echo "install by hand:$missing" >&2; exit 1; }
    run=""
    [ "$(id -u)" -eq 0 ] || run=sudo
    $run apt-get update -q
    # shellcheck disable=SC2086 # the list is meant to split
    DEBIAN_FRONTEND=noninteractive $run apt-get install -q -y --no-install-recommends $missing
fi
for project in tests/node/credential tests/browser/pages; do
    (
        cd "$project"
        [ node_modules/.package-lock.json -nt package-lock.json ] ||
            npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    )
done
