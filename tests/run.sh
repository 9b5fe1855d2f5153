#!/bin/bash
# Run the tests and count them.  The last line is "N passed, N failed".
#
# usage: tests/run.sh [NAME-PATTERN]      BUILD=build/sanitize for another build, VALGRIND=1 to run its programs under Valgrind
# A test is one program at one number of ranks; its output is shown only when it fails.
set -u
cd "$(dirname "$0")/.."
. launch/mpi-env.sh
export BUILD=${BUILD:-build} MPI_TEST_LOGDIR
MPI_TEST_LOGDIR=$(mktemp -d)
export PATIENCE=1 UNDER=""
export ASAN_OPTIONS=fast_unwind_on_malloc=0
export LSAN_OPTIONS=suppressions=$PWD/tests/lsan.supp:print_suppressions=0
case $BUILD in *sanitize*) PATIENCE=5 ;; esac
if [ -n "${VALGRIND:-}" ]; then
    PATIENCE=20
    UNDER="valgrind -q --error-exitcode=99 --leak-check=full --show-leak-kinds=definite --errors-for-leak-kinds=definite
           --keep-debuginfo=yes --num-callers=30 --suppressions=$PWD/tests/valgrind.supp"
fi
[ $PATIENCE = 1 ] || export MPI_TEST_ALARM=$((100 * PATIENCE))
trap 'rm -rf "$MPI_TEST_LOGDIR"' EXIT
pattern=${1:-.}
passed=0
failed=0

skips() { # what the output says was skipped
    sed -n "s/.* \.\.\. skipped ['\"]\(.*\)['\"]$/; skipped: \1/p" "$MPI_TEST_LOGDIR/output" | sort -u | tr -d '\n'
}

check() { # name, seconds, command...
    local name=$1 limit=$2
    shift 2
    [[ $name =~ $pattern ]] || return
    if timeout --kill-after=5 $((limit * PATIENCE)) "$@" >"$MPI_TEST_LOGDIR/output" 2>&1; then
        passed=$((passed + 1))
        echo "ok      $name$(skips)"
    else
        echo "FAILED  $name (exit code $?)"
        sed 's/^/        /' "$MPI_TEST_LOGDIR/output" | tail -n 60
        failed=$((failed + 1))
    fi
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
echo "$passed passed, $failed failed"
[ $failed = 0 ] && [ $passed -gt 0 ]
