#!/usr/bin/python3
"""Write the first seeds of the fuzzing targets: small files of every kind that is read.  What fuzzing found comes beside
them, so this is only run again for a new format.

usage: tests/fuzz/seeds.py        after make
"""
import gzip
import io
import os
import struct
import subprocess
import tempfile

import h5py
import numpy

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
SEEDS = os.path.join(TOP, "tests", "fuzz", "seeds")
PROGRAM = os.path.join(TOP, os.environ.get("BUILD", "build"), "reluopt-mpi")


def seed(target, name, content):
    folder = os.path.join(SEEDS, target)
    os.makedirs(folder, exist_ok=True)
    with open(os.path.join(folder, name), "wb") as file:
        file.write(content if isinstance(content, bytes) else content.encode())


def both(target, name, content):
    seed(target, name, content)
    seed(target, name + ".gz", gzip.compress(content if isinstance(content, bytes) else content.encode(), mtime=0))


def idx():
    both("idx", "images", struct.pack(">HBBIII", 0, 8, 3, 2, 2, 2) + bytes(range(8)))
    both("idx", "labels", struct.pack(">HBBI", 0, 8, 1, 2) + b"\0\1")
    seed("idx", "flat", struct.pack(">HBBII", 0, 8, 2, 2, 4) + bytes(8))


def cifar10():
    record = bytes(i % 251 for i in range(3072))
    both("cifar10", "two", b"\3" + record + b"\t" + record)


def text():
    both("csv", "numbers", "1,2.5,0\n-3,4e-2,1\n")
    seed("csv", "header", "kind,length,\"the, colour\"\r\n a , 1.5,red\r\n\"b \"\"q\"\"\",2,\"blue\n\"\r\n")
    seed("csv", "mixed", "\xef\xbb\xbfa,?,1\n\nb,x,2\n".encode("latin-1"))
    both("libsvm", "two", "1 1:2 3:-0.5e1 # rest\n\n-1 2:1\n")


def numpy_files():
    x, y = numpy.arange(8, dtype="<f4").reshape(2, 4), numpy.array([0, 1], dtype=">i2")
    for name, array in (("samples", x), ("labels", y), ("doubles", x.astype(">f8")), ("bytes", x.astype("u1")),
                        ("images", x.reshape(2, 2, 2).astype("<i8")), ("bools", x > 2)):
        out = io.BytesIO()
        numpy.save(out, array)
        seed("npy", name, out.getvalue())
    for name, save in (("stored.npz", numpy.savez), ("deflated.npz", numpy.savez_compressed)):
        out = io.BytesIO()
        save(out, x=x, y=y)
        seed("npz", name, out.getvalue())


def hdf5():
    with tempfile.TemporaryDirectory() as folder:
        for name, options, bounds in (("plain", {}, "earliest"), ("packed", {"compression": "gzip", "fletcher32": True,
                                                                         "chunks": (2, 2)}, "v110")):
            path = os.path.join(folder, name)
            with h5py.File(path, "w", libver=(bounds, "v110")) as file:
                file.create_dataset("x", data=numpy.arange(8, dtype="f4").reshape(2, 4), **options)
                file["y"] = numpy.array([0, 1], dtype="i1")
            with open(path, "rb") as file:
                seed("hdf5", name, file.read())


def many_chunks():
    """Claims 2^40 samples in chunks that need no index: HDF5 walks over as many when it is asked how much is stored."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "x.h5")
        with h5py.File(path, "w", libver=("v110", "v110")) as file:
            plan = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
            plan.set_chunk((2, 2))
            plan.set_alloc_time(h5py.h5d.ALLOC_TIME_EARLY)
            h5py.h5d.create(file.id, b"x", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((2, 4)), plan)
            file["y"] = numpy.array([0, 1], dtype="i1")
        with open(path, "rb") as file:
            sizes = struct.pack("<QQ", 2, 4)
            seed("hdf5", "many-chunks", file.read().replace(sizes, struct.pack("<QQ", 2**40, 4)))


def runs():
    sets = (("adaptive", "--preprocess", "zca"), ("adam", "--average", "1"), ("mgbdt", "--trees.rounds", "1"))
    with tempfile.TemporaryDirectory() as folder:
        for method, *options in sets:
            out = os.path.join(folder, method)
            subprocess.run([PROGRAM, "train", "--data.name", "xor", "--method", method, "--network", "2", "--epochs", "2",
                            "--out", out, "--quiet", *options], check=True)
            for target, name in (("checkpoint", "checkpoint.h5"), ("curves", "curves.h5")):
                with open(os.path.join(out, name), "rb") as file:
                    seed(target, method, file.read())
            with h5py.File(os.path.join(out, "checkpoint.h5")) as file:
                seed("schema", method, file["schema"][0])
                seed("yaml", method, file["config"][0])


def settings():
    seed("yaml", "nested", "# a comment\nmethod: adaptive\nnetwork: [5, 6]\ninverse: {kind: fixed, steps: 2}\ndata:\n"
                           "  train: \"a\\u00e9.csv\"\n  label: 'first'\nalpha: auto\nseed: 18446744073709551615\n")
    seed("yaml", "wrong", "a: &b [1, *b]\n--- !!str\n? x\n: y\n...\n")
    seed("schema", "columns", "features 4\nclasses 2\nclass a\nclass b\\x5c\ncolumns 2\ncolumn 0 length\ncolumn 3 kind\n"
                              "category p\ncategory q\ncategory r\n")


for make in (idx, cifar10, text, numpy_files, hdf5, many_chunks, runs, settings):
    make()
