#!/bin/bash
# Static analysis of the program: clang-tidy (.clang-tidy), cppcheck, gcc -fanalyzer.  Silent and exit code 0 when there is
# nothing to say.
#
# usage: tests/lint.sh [SOURCE]...      after make; default: all of src
set -u
cd "$(dirname "$0")/.."
sources=("$@")
[ $# -gt 0 ] || sources=(src/*.c src/*/*.c)
# shellcheck disable=SC2207 # options without blanks
flags=(-std=c11 -D_GNU_SOURCE -march=native -Iinclude -Ibuild/src/report $(mpicc -showme:compile)
    $(pkg-config --cflags hdf5-openmpi yaml-0.1 zlib libdeflate libzip libpng lapacke openblas))
failed=0

each() { # command, with {} for each source, as many at a time as there are processors
    printf '%s\n' "${sources[@]}" | xargs -P "$(nproc)" -I {} "$@" || failed=1
}

# One source at a time: version 14 confuses the variable arguments of several.
each clang-tidy --quiet {} -- "${flags[@]}" 2> >(grep -v 'warnings\? \(generated\|treated\)\|^Suppressed\|^Use -')
# invalidPointerCast: tables name the members of structures by their offsets.
cppcheck --quiet --std=c11 --inline-suppr --error-exitcode=1 --enable=warning,performance,portability \
    --suppress=invalidPointerCast -j "$(nproc)" -Iinclude "${sources[@]}" || failed=1
# malloc-leak: what a structure of the caller keeps is taken for lost.  The sanitizers and Valgrind look for leaks.
each gcc "${flags[@]}" -O1 -fanalyzer -Wno-analyzer-malloc-leak -Werror -c -o /dev/null {}
exit $failed
