#!/bin/bash
# Download a public data set to where data.dir expects it.
#
# usage: launch/get-data.sh mnist|fashion-mnist|cifar-10|soybean [--dir DIR] [--mirror URL]
#   --dir DIR      folder of the data sets (default: $RELUOPT_DATA, else data)
#   --mirror URL   fetch the files from URL/ instead of the set's own home
# Files already there are kept, an interrupted download is gone on with when the same command is given again, and a
# file gets its name only after its checksum is right.  Exit codes: 0 done, 2 usage, 3 not downloaded or damaged.
set -euo pipefail

# ---- the sets: homes, and SHA-256 of what is inside the .gz files (mirrors pack them anew), else of the file ----

# MNIST: LeCun's own address asks for a password now; this is the copy that torchvision uses.  The sums were taken from
# a copy at hand and equal those that independent projects pin for the unpacked files; nobody publishes official ones.
# Fashion-MNIST: Zalando's README has MD5 sums of the .gz files only.  The sums were taken from Debian's package
# dataset-fashion-mnist and equal those that others took from files with Zalando's MD5 sums.
# CIFAR-10: the authors' page has an MD5 sum, c32a1d4ab5d03f1284b67883e8d87530; the SHA-256 sum was recorded by others
# from archives with that MD5 sum.
# Soybean (small): UCI publishes no sum.  It was taken from a copy at hand and equals the one in JuliaML's UCIData.jl.
describe() { # NAME: sets home, folder, files ("SUM FILE" lines)
    case $1 in
    mnist)
        home=https://ossci-datasets.s3.amazonaws.com/mnist folder=mnist files='
ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db train-images-idx3-ubyte.gz
65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5 train-labels-idx1-ubyte.gz
0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7 t10k-images-idx3-ubyte.gz
ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2 t10k-labels-idx1-ubyte.gz'
        ;;
    fashion-mnist)
        home=http://fashion-mnist.s3-website.eu-central-1.amazonaws.com folder=fashion-mnist files='
c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888 train-images-idx3-ubyte.gz
bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9 train-labels-idx1-ubyte.gz
5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b t10k-images-idx3-ubyte.gz
0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34 t10k-labels-idx1-ubyte.gz'
        ;;
    cifar-10)
        home=https://www.cs.toronto.edu/~kriz folder=. files='
c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd cifar-10-binary.tar.gz'
        ;;
    soybean)
        home=https://archive.ics.uci.edu/ml/machine-learning-databases/soybean folder=soybean files='
f096d1675db0270071311c9f46813b204372370bd68252a5a417bdcff5879717 soybean-small.data'
        ;;
    *) usage "'$1' is no data set" ;;
    esac
}

# ---- how ----

usage() { # REASON
    echo "get-data.sh: $1; usage: get-data.sh mnist|fashion-mnist|cifar-10|soybean [--dir DIR] [--mirror URL]" >&2
    exit 2
}

fail() { # REASON
    [ -z "${to-}" ] || rmdir "$to" 2>/dev/null || true # stays if something has come
    echo "get-data.sh: $1" >&2
    exit 3
}

has_sum() { # PATH, SUM, NAME of the file, which says whether it is packed
    local sum
    case $3 in
    *ubyte.gz) sum=$(gzip -dc <"$1" 2>/dev/null | sha256sum) || return 1 ;;
    *) sum=$(sha256sum <"$1") ;;
    esac
    [ "${sum%% *}" = "$2" ]
}

transfer() { # URL, PART: get what PART lacks of URL
    curl --fail --location --retry 3 --connect-timeout 30 --silent --show-error --continue-at - --output "$2" "$1"
}

# Download to PART and check it.  A beginning that does not fit what follows, or that the server cannot continue (curl's
# codes 22, 33 and 36), is dropped once.
download() { # URL, PART, SUM, FILE
    local begun code
    for begun in "$([ ! -s "$2" ] || echo yes)" ''; do
        code=0
        transfer "$1" "$2" || code=$?
        case $begun$code in
        0 | yes0 | yes22 | yes33 | yes36) ;;
        *) fail "$4: curl failed with code $code; what has arrived is kept: give the same command to go on" ;;
        esac
        [ ! -s "$2" ] || ! has_sum "$2" "$3" "$4" || return 0
        rm -f "$2"
        [ -n "$begun" ] || break
    done
    fail "$4: from $1 comes a file with a wrong checksum, which was deleted: try --mirror"
}

cifar_is_there() { # DIR
    local file
    for file in data_batch_{1,2,3,4,5} test_batch; do
        [ "$(stat -c %s "$1/cifar-10-batches-bin/$file.bin" 2>/dev/null)" = 30730000 ] || return 1
    done
}

# Take the archive apart beside its place, so that the folder is whole once it is there.
unpack() { # ARCHIVE, DIR
    local aside=$2/cifar-10.part
    rm -rf "$aside" "$2/cifar-10-batches-bin"
    mkdir "$aside"
    tar -xzf "$1" -C "$aside" || fail "$1 cannot be unpacked: is the disk full?"
    mv "$aside/cifar-10-batches-bin" "$2/"
    rm -r "$aside" "$1"
}

is_there() { # DIR, SUM, FILE
    case $3 in
    *.tar.gz) cifar_is_there "$1" ;;
    *) [ -e "$1/$3" ] && has_sum "$1/$3" "$2" "$3" ;;
    esac
}

[ $# -gt 0 ] || usage "which data set?"
case $1 in -h | --help) sed -n '2,/^set /{ s/^# \{0,1\}//p }' "$0" && exit ;; esac
name=$1 dir=${RELUOPT_DATA:-data} mirror=
shift
while [ $# -gt 0 ]; do
    case $1 in --dir | --mirror) [ $# -gt 1 ] || usage "$1: a value must follow" ;; esac
    case $1 in
    --dir) dir=$2 ;;
    --mirror) mirror=$2 ;;
    *) usage "'$1' is no option" ;;
    esac
    shift 2
done
describe "$name"
command -v curl >/dev/null || fail "curl is missing: apt-get install curl"
to=$dir/$folder
to=${to%/.}
mkdir -p "$to" || fail "$to cannot be made"
while read -r sum file; do
    [ -n "$file" ] || continue
    if is_there "$to" "$sum" "$file"; then
        echo "$file is there"
        continue
    fi
    echo "$file from ${mirror:-$home}"
    download "${mirror:-$home}/$file" "$to/$file.part" "$sum" "$file"
    case $file in
    *.tar.gz) unpack "$to/$file.part" "$to" ;;
    *) mv "$to/$file.part" "$to/$file" ;;
    esac
done <<<"$files"
printf '%s is in %s: reluopt-mpi train --data.name %s --data.dir %q\n' "$name" "$to" "$name" "$dir"
