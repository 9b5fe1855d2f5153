#!/bin/bash
# Fuzz one target from its kept inputs on, and say what was reached.
#
# usage: tests/fuzz/fuzz.sh TARGET SECONDS      after make fuzz has built it
# New inputs, inputs that end the process, and the log are in build/fuzz/TARGET.  Exit code 1 if any of them is ours.
#
# HDF5 1.10 is not proof against files made to harm.  Inputs that end the process inside of it, by a signal or by taking
# too long, do not stop the targets that read HDF5; they are counted, and moved to build/fuzz/TARGET/hdf5.  So are those that
# do nothing alone: an earlier input of the same process left HDF5 in a state that ended it.
set -u
cd "$(dirname "$0")/../.."
target=$1 seconds=$2
out=build/fuzz/$target
mkdir -p "$out/corpus" "$out/found" "$out/hdf5"
export RELUOPT_FUZZ=$target
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
export ASAN_OPTIONS=allocator_may_return_null=1:max_allocation_size_mb=256:quarantine_size_mb=16

on=""
case $target in hdf5 | checkpoint | curves) on="-fork=1 -ignore_crashes=1 -ignore_timeouts=1 -ignore_ooms=1" ;; esac
# shellcheck disable=SC2086
build/fuzz/fuzz $on -max_total_time="$seconds" -max_len=16384 -timeout=60 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$out/found/" "$out/corpus" "tests/fuzz/seeds/$target" >"$out/log" 2>&1

# Where an input ends the process: the innermost function that is not of the C library or a sanitizer.
where() {
    timeout 300 build/fuzz/fuzz -timeout=60 -rss_limit_mb=2048 "$1" >"$out/alone" 2>&1 && [ -n "$on" ] && echo nowhere && return
    <"$out/alone" sed -n 's/^ *#[0-9]* 0x[0-9a-f]* *\(in \)\?//p' | grep -v -m 1 'sanitizer\|fuzzer\|libc\.so\|asan\|interceptor\|sysdeps'
}

inside=0 after=0 ours=0
for input in "$out"/found/*; do
    [ -e "$input" ] || continue
    case $(where "$input") in
    *libhdf5*) mv "$input" "$out/hdf5/" && inside=$((inside + 1)) ;;
    nowhere) mv "$input" "$out/hdf5/" && after=$((after + 1)) ;;
    *) echo "$target: $input" && ours=$((ours + 1)) ;;
    esac
done
reached=$(grep -ao '^#[0-9]*.*cov: [0-9]* ft: [0-9]*' "$out/log" | tail -n 1 | sed 's/^#\([0-9]*\).*cov: \([0-9]*\).*/\1 runs, \2 edges/')
echo "$target: $reached, $ours found, $inside inside HDF5, $after after such"
[ $ours = 0 ]
