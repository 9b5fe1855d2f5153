#!/bin/bash
# Who may call what, proved by the undefined symbols of the object files:
#   MPI_*                          src/parallel alone
#   cblas_*, LAPACKE_*, openblas_* src/base alone
#   H5*                            src/storage and src/data/hdf5_reader.c alone
#
# usage: tests/symbols.sh              first the self-test, then all objects of $BUILD (default: build)
#        tests/symbols.sh OBJECT...    these, by their path .../FOLDER/NAME.o
#        tests/symbols.sh --self-test  objects that break each rule are found
# One line per violation; exit code 1 when there is any, or when an object is missing.
set -u
cd "$(dirname "$0")/.." || exit 2

owner_of() { # symbol -> pattern of the objects that may refer to it; empty: any
    case $1 in
    MPI_* | PMPI_*) echo 'parallel/.*' ;;
    cblas_* | LAPACKE_* | openblas_* | gotoblas_*) echo 'base/.*' ;;
    H5*) echo 'storage/.*|data/hdf5_reader\.o' ;;
    esac
}

check_object() { # path; false when it breaks a rule
    local object=$1 place symbols symbol owner good=0
    place=$(basename "$(dirname "$object")")/$(basename "$object")
    symbols=$(nm -u "$object") || return 1
    while read -r _ symbol; do
        owner=$(owner_of "$symbol")
        if [ -n "$owner" ] && ! [[ $place =~ ^($owner)$ ]]; then
            echo "$object refers to $symbol"
            good=1
        fi
    done <<<"$symbols"
    return $good
}

check_objects() { # paths
    local object bad=0
    for object in "$@"; do
        check_object "$object" || bad=1
    done
    return $bad
}

make_object() { # path, symbol: an object that calls it
    mkdir -p "$(dirname "$1")"
    printf 'void %s(void);\nvoid call(void);\nvoid call(void) { %s(); }\n' "$2" "$2" |
        ${CC:-cc} -x c -c -o "$1" -
}

expect() { # exit code, folder/name, symbol
    local object="$scratch/src/$2.o"
    make_object "$object" "$3" || { echo "self-test: no compiler"; return 1; }
    check_objects "$object" >/dev/null
    local code=$?
    [ $code = "$1" ] || { echo "self-test: $2 calling $3: exit code $code, expected $1"; return 1; }
}

self_test() {
    local scratch code=0
    scratch=$(mktemp -d)
    while read -r expected place symbol; do
        expect "$expected" "$place" "$symbol" || code=1
    done <<'END'
1 layer/rates MPI_Barrier
1 storage/hdf5 MPI_Barrier
1 src/main MPI_Init
0 parallel/comm MPI_Barrier
1 methods/adaptive cblas_sgemm
1 parallel/comm LAPACKE_ssyevd
1 run/train openblas_set_num_threads
0 base/dense cblas_sgemm
1 data/idx H5Fopen
1 base/dense H5Fopen
1 run/hdf5 H5Fopen
0 data/hdf5_reader H5Fopen
0 storage/checkpoint H5Fopen
0 layer/rates ompi_mpi_float
0 layer/rates exp10m1
END
    rm -rf "$scratch"
    return $code
}

case ${1:-} in
--self-test) self_test ;;
'')
    self_test || exit 1
    build=${BUILD:-build}
    objects=(src/*/*.c src/main.c) # by their sources: others may lie there since long ago
    objects=("${objects[@]/#/$build/}")
    check_objects "${objects[@]/%.c/.o}"
    ;;
*) check_objects "$@" ;;
esac
