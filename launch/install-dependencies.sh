#!/bin/sh
# Install the Debian packages that building, running and testing need; says what to do where it cannot.
#
# usage: launch/install-dependencies.sh [EXTRA-PACKAGE]...
set -eu
packages="gcc make pkg-config openmpi-bin libopenmpi-dev libopenblas-dev liblapacke-dev libhdf5-openmpi-dev
          libyaml-dev zlib1g-dev libdeflate-dev libzip-dev libpng-dev dataset-fashion-mnist $*"
missing=""
for package in $packages; do
    dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
done
[ -n "$missing" ] || exit 0
command -v apt-get >/dev/null || { echo "not a Debian system: install the equivalents of:$missing" >&2; exit 1; }
if [ "$(id -u)" != 0 ]; then
    echo "packages are missing and only root can install them; run: sudo apt-get install$missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
apt-get update -qq
# shellcheck disable=SC2086
apt-get install -y -qq --no-install-recommends $missing
