#!/bin/bash
# Run the tests and count them.  The last line is "N passed, N failed".
#
# usage: tests/run.sh [NAME-PATTERN]      BUILD=build/sanitize for another build, VALGRIND=1 to run its programs under Valgrind,
#                                         JOBS=1 tests at a time (as many as processors, 4 at most)
# A test is one program at one number of ranks; its output is shown only when it fails.  Tests are started in order and told
# of as they end.
set -u
cd "$(dirname "$0")/.."
. launch/mpi-env.sh
export BUILD=${BUILD:-build}
scratch=$(mktemp -d)
processors=$(env -u OMP_NUM_THREADS -u OMP_THREAD_LIMIT nproc)
jobs=${JOBS:-$((processors < 4 ? processors : 4))}
export PATIENCE=1 UNDER=""
export ASAN_OPTIONS=fast_unwind_on_malloc=0
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
case $BUILD in *sanitize* | *coverage*) PATIENCE=5 ;; esac
if [ -n "${VALGRIND:-}" ]; then
    PATIENCE=20
    export HWLOC_COMPONENTS=-x86 # which says on standard error that it cannot work under Valgrind
    UNDER="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
           --keep-debuginfo=yes --num-callers=30 --suppressions=$PWD/tests/valgrind.supp"
fi
[ $PATIENCE = 1 ] || export MPI_TEST_ALARM=$((100 * PATIENCE))
trap 'rm -rf "$scratch"' EXIT
trap 'kill $(jobs -p) 2>/dev/null; wait; exit 130' INT TERM
pattern=${1:-.}
started=0

skips() { # folder: what the output there says was skipped
    sed -n "s/.* \.\.\. skipped ['\"]\(.*\)['\"]$/; skipped: \1/p" "$1/output" | sort -u | tr -d '\n'
}

run() { # folder, name, seconds, command...
    local folder=$1 name=$2 limit=$3 code
    shift 3
    mkdir "$folder"
    trap '' INT # which is for the shell that started this one; tests must not ignore it
    MPI_TEST_LOGDIR=$folder env --default-signal=INT timeout --kill-after=5 $((limit * PATIENCE)) "$@" >"$folder/output" 2>&1 &
    trap "kill $!" TERM
    wait $!
    code=$?
    if [ $code = 0 ]; then
        printf 'ok      %s\n' "$name$(skips "$folder")"
        echo "$name" >>"$scratch/passed"
    else
        printf '%s\n' "FAILED  $name (exit code $code)" "$(sed 's/^/        /' "$folder/output" | tail -n 60)"
        echo "$name" >>"$scratch/failed"
    fi
    rm -r "$folder"
}

check() { # name, seconds, command...
    [[ $1 =~ $pattern ]] || return 0
    while [ "$(jobs -rp | wc -l)" -ge "$jobs" ]; do wait -n; done
    started=$((started + 1))
    run "$scratch/$started" "$@" &
}

count() {
    cat "$scratch/$1" 2>/dev/null | wc -l
}

# shellcheck disable=SC2086 # UNDER is a command and its options
for test in "$BUILD"/tests/unit/test_*[a-z0-9]; do
    [ -x "$test" ] && check "unit/$(basename "$test")" 120 $UNDER "$test"
done
for test in "$BUILD"/tests/mpi/test_*[a-z0-9]; do
    [ -x "$test" ] || continue
    for np in 1 2 3 4 8; do
        check "mpi/$(basename "$test") np $np" 120 mpirun -np $np $UNDER "$test"
    done
done
check symbols 60 tests/symbols.sh
replay=build/sanitize/tests/replay
[ -x $replay ] && check fuzz/replay 60 $replay tests/fuzz/seeds
for test in tests/system/test_*; do
    check "system/$(basename "$test")" 600 "$test"
done
wait
echo "$(count passed) passed, $(count failed) failed"
[ "$(count failed)" = 0 ] && [ "$(count passed)" = $started ] && [ $started -gt 0 ]
