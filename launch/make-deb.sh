#!/bin/bash
# Make Debian packages of an installed tree: reluopt-mpi (the program), libreluoptN (the library), libreluopt-dev.
#
# usage: launch/make-deb.sh VERSION STAGE OUT       STAGE: what `make install DESTDIR=STAGE PREFIX=/usr` left;
#                                                   OUT: folder of the packages and of the trees packed
# What they depend on, dpkg-shlibdeps finds out.  The tree is moved into the packages.  DEBFULLNAME and DEBEMAIL: who
# makes them.
set -euo pipefail
version=$1 stage=$2 out=$3
architecture=$(dpkg-architecture -qDEB_HOST_ARCH)
maintainer="${DEBFULLNAME:-$(id -un)} <${DEBEMAIL:-$(id -un)@$(hostname)}>"
soname=$(basename "$(find "$stage/usr/lib" -name 'libreluopt.so.[0-9]')")
library=libreluopt${soname##*.}

move() { # PACKAGE, patterns of paths under /usr: out of the stage, into the package
    local package=$1 pattern path
    shift
    for pattern in "$@"; do
        for path in $(cd "$stage/usr" && compgen -G "$pattern"); do
            mkdir -p "$out/$package/usr/$(dirname "$path")"
            mv "$stage/usr/$path" "$out/$package/usr/$(dirname "$path")/"
        done
    done
}

# Every package says who may copy it, and what has changed.
document() { # PACKAGE
    local doc=$out/$1/usr/share/doc/$1
    mkdir -p "$doc"
    {
        printf 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\n'
        sed -n 's/^Copyright (c) /Copyright: /p' LICENSE
        printf 'License: BSD-3-Clause\n'
        sed -n '/^Redistribution/,$ { s/^$/./; s/^/ /; p }' LICENSE
    } >"$doc/copyright"
    {
        printf 'reluopt-mpi (%s) unstable; urgency=medium\n\n  * See CHANGELOG.md in reluopt-mpi.\n\n' "$version"
        printf ' -- %s  %s\n' "$maintainer" "$(LC_ALL=C date -R -r CHANGELOG.md)"
    } | gzip -9n >"$doc/changelog.gz"
}

dependencies() { # PACKAGE -> libraries that its programs and libraries need
    local work files
    work=$(mktemp -d)
    mkdir "$work/debian"
    printf 'Source: reluopt-mpi\n\nPackage: %s\nArchitecture: any\n' "$1" >"$work/debian/control"
    mapfile -t files < <(find "$(cd "$out/$1" && pwd)" -type f \( -path '*/bin/*' -o -name '*.so.*' \))
    [ ${#files[@]} = 0 ] || (cd "$work" && dpkg-shlibdeps -O "${files[@]}" 2>/dev/null | sed 's/^shlibs:Depends=//')
    rm -r "$work"
}

# The control file's fields besides the usual ones, and the description, are on standard input.
pack() { # PACKAGE, SECTION, dependencies besides those of its libraries ("": none)
    local tree=$out/$1 depends
    document "$1"
    depends=$(dependencies "$1")
    depends=${depends:+$depends${3:+, }}$3
    mkdir -p "$tree/DEBIAN"
    {
        printf 'Package: %s\nSource: reluopt-mpi\nVersion: %s\nArchitecture: %s\n' "$1" "$version" "$architecture"
        printf 'Maintainer: %s\nSection: %s\nPriority: optional\n' "$maintainer" "$2"
        printf 'Installed-Size: %s\n' "$(du -k -s --apparent-size "$tree" | cut -f1)"
        [ -z "$depends" ] || printf 'Depends: %s\n' "$depends"
        cat
    } >"$tree/DEBIAN/control"
    (cd "$tree" && find usr -type f -print0 | LC_ALL=C sort -z | xargs -0 md5sum) >"$tree/DEBIAN/md5sums"
    find "$tree" -type d -exec chmod 755 {} +
    dpkg-deb --root-owner-group --build "$tree" "$out" >/dev/null
    echo "$out/$1_${version}_$architecture.deb"
}

rm -rf "${out:?}"/{reluopt-mpi,"$library",libreluopt-dev} # of an earlier call
find "$stage" \( -path '*/bin/*' -o -name '*.so.*' \) -type f -exec strip --strip-unneeded {} +
find "$stage" -name '*.a' -exec strip --strip-debug {} +
find "$stage" -name '*.so.*' -type f -exec chmod a-x {} +
find "$stage/usr/share/doc/reluopt-mpi" -name LICENSE -delete # it is in the copyright file
find "$stage/usr/share/man" -type f -exec gzip -9n {} + 2>/dev/null || true

multiarch=lib/$(dpkg-architecture -qDEB_HOST_MULTIARCH)
move "$library" "$multiarch/libreluopt.so.*"
move libreluopt-dev "$multiarch/libreluopt.*" "$multiarch/pkgconfig" include
move reluopt-mpi bin "share/*"

mkdir -p "$out/$library/DEBIAN"
echo 'activate-noawait ldconfig' >"$out/$library/DEBIAN/triggers"
echo "libreluopt ${soname##*.} $library (>= $version)" >"$out/$library/DEBIAN/shlibs"
pack "$library" libs "" <<END
Multi-Arch: same
Description: predict with networks trained by reluopt-mpi
 A C library that loads a checkpoint of reluopt-mpi and gives the class
 probabilities of samples, in one process, without mpirun.
 .
 For processors with AVX2 and FMA (x86-64-v3).
END
pack libreluopt-dev libdevel "$library (= $version)" <<END
Multi-Arch: same
Description: predict with networks trained by reluopt-mpi - development files
 A C library that loads a checkpoint of reluopt-mpi and gives the class
 probabilities of samples, in one process, without mpirun.
 .
 This package contains the header, the static library and the pkg-config file.
END
pack reluopt-mpi science "openmpi-bin" <<END
Suggests: slurm-client, curl, dataset-fashion-mnist
Description: distributed training of ReLU networks without back-propagation
 Trains fully connected ReLU classifiers over MPI by target propagation with
 analytic steps: without back-propagation and without a learning rate.  The
 result is the same, bit for bit, on any number of ranks.  Back-propagation,
 feedback alignment and boosted trees are there to compare.
 .
 For processors with AVX2 and FMA (x86-64-v3).
END
rm -r "$stage"
