#!/usr/bin/python3
"""Train a ReLU network with PyTorch on the data, network and batches of reluopt-mpi; print events as its --json does.

An `epoch` event has: epoch, steps, seconds (of training alone), evaluation_seconds, train_loss (mean over the epoch's
batches), train_accuracy (of training sets up to 10000 samples), test_accuracy.  Exit code 5: the loss became infinite.
Threads: OMP_NUM_THREADS.  Data: the folders of launch/get-data.sh in $RELUOPT_DATA, else data/.
"""
import argparse
import csv
import glob
import gzip
import json
import math
import os
import sys
import time

import numpy as np
import torch

import peers_optim as optim

OPTIMISERS = {
    "adam": lambda w, share, rate: optim.Rule(w, torch.optim.Adam, lr=rate or 1e-3),
    "sgd": lambda w, share, rate: optim.Rule(w, torch.optim.SGD, lr=rate),
    "armijo": lambda w, share, rate: optim.Armijo(w, share),
    "polyak": lambda w, share, rate: optim.Polyak(w, share),
    "cocob": lambda w, share, rate: optim.Cocob(w),
    "dog": lambda w, share, rate: optim.Dog(w),
}
FULL_TRAIN_FIGURES = 10000  # training sets up to this size are evaluated whole


def read_idx(path):
    with (gzip.open(path + ".gz") if os.path.exists(path + ".gz") else open(path, "rb")) as file:
        data = file.read()
    dimensions = np.frombuffer(data, ">u4", data[3], 4)
    return np.frombuffer(data, np.uint8, offset=4 + 4 * len(dimensions)).reshape(dimensions[0], -1)


def read_mnist(folder):
    parts = []
    for part in "train", "t10k":
        parts += read_idx(f"{folder}/{part}-images-idx3-ubyte"), read_idx(f"{folder}/{part}-labels-idx1-ubyte")[:, 0]
    return parts


def read_cifar(folder):
    found = glob.glob(folder + "/cifar*/**/test_batch.bin", recursive=True)
    folder = os.path.dirname(found[0]) if found else folder + "/cifar-10-batches-bin"
    parts = []
    for names in [f"data_batch_{i}.bin" for i in range(1, 6)], ["test_batch.bin"]:
        records = np.concatenate([np.fromfile(os.path.join(folder, name), np.uint8).reshape(-1, 3073) for name in names])
        parts += records[:, 1:], records[:, 0]
    return parts


def read_soybean(folder, seed):
    """7 of the 47 samples are the test part: of each class its share, as with reluopt-mpi, but drawn otherwise."""
    with open(folder + "/soybean-small.data", newline="") as file:
        rows = list(csv.reader(file))
    x = np.array([[float(value) for value in row[:-1]] for row in rows])
    y = np.unique([row[-1] for row in rows], return_inverse=True)[1]
    random = np.random.default_rng(seed)
    share = np.bincount(y) * 7 // len(y)
    largest = np.argsort(-(np.bincount(y) * 7 % len(y)), kind="stable")
    share[largest[:7 - share.sum()]] += 1
    held = np.concatenate([random.permutation(np.flatnonzero(y == c))[:n] for c, n in enumerate(share)])
    kept = np.setdiff1d(np.arange(len(y)), held)
    return x[kept], y[kept], x[held], y[held]


def read(name, seed):
    """Training samples, their classes, test samples, their classes."""
    root = os.environ.get("RELUOPT_DATA") or "data"
    try:
        if name == "soybean":
            return read_soybean(root + "/soybean", seed)
        return read_mnist(root + "/mnist") if name == "mnist" else read_cifar(root)
    except FileNotFoundError as error:
        sys.exit(f"peers.py: {error.filename} is not there: launch/get-data.sh {name}, or set RELUOPT_DATA")


def preprocess(x, test, kind):
    """As `preprocess` of reluopt-mpi: the range of all features, or each feature's deviation, becomes 1; the mean 0."""
    x, test = x.astype(np.float32), test.astype(np.float32)
    mean = x.mean(0, dtype=np.float64).astype(np.float32)
    scale = x.max() - x.min() if kind == "centre" else np.sqrt(np.mean(np.square(x - mean), 0, dtype=np.float64))
    scale = np.where(scale > 0, scale, 1).astype(np.float32)
    return torch.from_numpy((x - mean) / scale), torch.from_numpy((test - mean) / scale)


def network(widths):
    """Linear layers with bias and ReLU between them; normal weights of variance 2 / inputs, no bias at first."""
    layers = []
    for inputs, outputs in zip(widths, widths[1:]):
        linear = torch.nn.Linear(inputs, outputs)
        torch.nn.init.normal_(linear.weight, std=math.sqrt(2 / inputs))
        torch.nn.init.zeros_(linear.bias)
        layers += [linear, torch.nn.ReLU()]
    return torch.nn.Sequential(*layers[:-1])


def accuracy(net, x, y):
    with torch.no_grad():
        right = sum((net(a).argmax(1) == b).sum().item() for a, b in zip(x.split(1000), y.split(1000)))
    return right / len(y)


def train_epoch(net, optimiser, x, y, batch):
    """Mean of the batches' losses."""
    total = 0
    for part in torch.randperm(len(y)).split(batch):
        inputs, labels = x[part], y[part]
        loss = optimiser.step(lambda: torch.nn.functional.cross_entropy(net(inputs), labels))
        if not math.isfinite(loss):
            sys.exit(5)
        total += len(part) * loss
    return total / len(y)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", choices=["mnist", "cifar-10", "soybean"], default="mnist")
    parser.add_argument("--train-samples", type=int, default=50000, help="the first so many; 0: all")
    parser.add_argument("--preprocess", choices=["centre", "standardise"], default="centre")
    parser.add_argument("--network", default="500,500,500", help="widths of the hidden layers")
    parser.add_argument("--optimiser", choices=OPTIMISERS, default="adam")
    parser.add_argument("--rate", type=float, help="learning rate of adam (default 1e-3) and sgd")
    parser.add_argument("--batch", type=int, default=500, help="0: all samples")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    if given.optimiser == "sgd" and not given.rate:
        parser.error("sgd needs a --rate")
    return given


def main():
    given = arguments()
    torch.manual_seed(given.seed)
    x, y, test_x, test_y = read(given.data, given.seed)
    count = given.train_samples or len(y)
    x, y, test_y = x[:count], torch.from_numpy(y[:count].astype(np.int64)), torch.from_numpy(test_y.astype(np.int64))
    x, test_x = preprocess(x, test_x, given.preprocess)
    classes = int(max(y.max(), test_y.max())) + 1
    net = network([x.shape[1], *map(int, given.network.split(",")), classes])
    batch = given.batch or len(y)
    optimiser = OPTIMISERS[given.optimiser](net.parameters(), min(1, batch / len(y)), given.rate)
    seconds = evaluation = 0
    for epoch in range(1, given.epochs + 1):
        begun = time.perf_counter()
        loss = train_epoch(net, optimiser, x, y, batch)
        trained = time.perf_counter()
        with optimiser.evaluated():
            right = accuracy(net, x, y) if len(y) <= FULL_TRAIN_FIGURES else None
            test = accuracy(net, test_x, test_y)
        seconds += trained - begun
        evaluation += time.perf_counter() - trained
        print(json.dumps({"event": "epoch", "epoch": epoch, "steps": epoch * math.ceil(len(y) / batch),
                          "seconds": seconds, "evaluation_seconds": evaluation, "train_loss": loss,
                          "train_accuracy": right, "test_accuracy": test}), flush=True)


if __name__ == "__main__":
    main()
