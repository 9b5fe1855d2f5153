"""Data that a script makes: samples uniform in the unit ball (thesis 3.5), and small stand-ins for the data sets."""
import os
import struct

import numpy


def make(runs, folder):
    """What these runs need and is not there yet, in FOLDER/data."""
    for row in {run.row.key: run.row for run in runs if run.row.data == "ball"}.values():
        x, y = files(row, folder)
        if not os.path.exists(y):
            os.makedirs(os.path.dirname(x), exist_ok=True)
            points, side = ball(*row.key)
            numpy.save(x, points)
            numpy.save(y, side)


def files(row, folder):
    name = os.path.join(folder, "data", "ball-%d-%d-" % row.key)
    return name + "x.npy", name + "y.npy"


def settings(row, folder):
    return {"data.train": ",".join(files(row, folder))} if row.data else {}


def ball(samples, dimensions):
    """Points uniform in the unit ball, and on which side they are of a plane through its centre."""
    random = numpy.random.default_rng([samples, dimensions])
    points = random.standard_normal((samples, dimensions))
    points /= numpy.linalg.norm(points, axis=1, keepdims=True)
    points *= random.random((samples, 1)) ** (1 / dimensions)
    side = points @ random.standard_normal(dimensions) > 0
    side[:2] = [False, True]  # both classes, whatever was drawn
    return points.astype(numpy.float32), side.astype(numpy.int64)


# Stand-ins: files of the formats and names of the data sets, each class a pattern of its own in noise.

def stand_ins(folder):
    """Small sets in the place of all of them, for data.dir."""
    random = numpy.random.default_rng(1)
    images(os.path.join(folder, "mnist"), random)
    images(os.path.join(folder, "fashion-mnist"), random)
    records(os.path.join(folder, "cifar10"), random)
    attributes(os.path.join(folder, "soybean"), random)


def patterns(random, classes, features):
    return random.integers(0, 200, (classes, features))


def samples(random, pattern, count):
    """Bytes, and classes by turns."""
    label = numpy.arange(count) % len(pattern)
    noise = random.integers(0, 56, (count, pattern.shape[1]))
    return (pattern[label] + noise).astype(numpy.uint8), label.astype(numpy.uint8)


def images(folder, random):
    """IDX: 28 x 28 pixels."""
    os.makedirs(folder, exist_ok=True)
    pattern = patterns(random, 10, 784)
    for part, count in ("train", 4000), ("t10k", 200):
        pixels, label = samples(random, pattern, count)
        with open(os.path.join(folder, part + "-images-idx3-ubyte"), "wb") as file:
            file.write(struct.pack(">IIII", 0x803, count, 28, 28) + pixels.tobytes())
        with open(os.path.join(folder, part + "-labels-idx1-ubyte"), "wb") as file:
            file.write(struct.pack(">II", 0x801, count) + label.tobytes())


def records(folder, random):
    """CIFAR-10 binary: a byte of class, 3072 of pixels."""
    os.makedirs(folder, exist_ok=True)
    pattern = patterns(random, 10, 3072)
    for name in [f"data_batch_{i}" for i in range(1, 6)] + ["test_batch"]:
        pixels, label = samples(random, pattern, 200)
        numpy.column_stack([label, pixels]).tofile(os.path.join(folder, name + ".bin"))


def attributes(folder, random):
    """CSV: 47 samples of 35 attributes from 0 to 6, four classes."""
    os.makedirs(folder, exist_ok=True)
    values, label = samples(random, patterns(random, 4, 35), 47)
    with open(os.path.join(folder, "soybean-small.data"), "w") as file:
        for row, kind in zip(values // 37, label):
            file.write(",".join(map(str, row)) + f",D{kind + 1}\n")
