#!/usr/bin/python3
"""Make the runs behind results/peers.md and results/small-samples.md.

usage: peers_runs.py FOLDER      FOLDER/STUDY/METHOD-SEED.jsonl: a line on the run, then one an epoch; runs that are
                                 there are not repeated
NP=2 sets ranks and threads (default: all cores), ONLY=REGEX the runs (STUDY/METHOD-SEED), QUICK=1 a small version.
"""
import functools
import importlib.metadata
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from typing import Callable, NamedTuple

import h5py

NP = int(os.environ.get("NP") or os.cpu_count())
QUICK = bool(os.environ.get("QUICK"))
PROGRAM = os.environ.get("RELUOPT_MPI", "build/reluopt-mpi")
RATES = [0.1, 1] if QUICK else [0.03, 0.1, 0.3, 1, 3]  # tried for SGD
DIVERGED = 5  # exit code, of both programs


class Study(NamedTuple):
    """Data, network and batches are those of `config`, the recommended settings."""
    title: str
    config: str
    thesis: str
    epochs: int
    seeds: int = 3
    samples: int = 0  # training samples; 0: as configured
    goals: tuple = ()  # test accuracies


MNIST = "configs/mnist.yaml", "configs/thesis/mnist-batch.yaml"
CIFAR = "configs/cifar10.yaml", "configs/thesis/cifar10-batch.yaml"
FULL = {
    "mnist": Study("MNIST", *MNIST, epochs=20, goals=(0.97, 0.98)),
    "cifar-10": Study("CIFAR-10", *CIFAR, epochs=15, goals=(0.5,)),
}
SMALL = {
    "soybean": Study("soybean", "configs/soybean.yaml", "configs/thesis/soybean-online.yaml", epochs=100, seeds=10),
    **{f"mnist-{n}": Study(f"MNIST {n}", *MNIST, epochs=30, samples=n) for n in (100, 300, 1000)},
    **{f"cifar-10-{n}": Study(f"CIFAR-10 {n}", *CIFAR, epochs=30, samples=n) for n in (100, 300, 1000)},
}
if QUICK:
    FULL = {name: study._replace(epochs=2, seeds=1, samples=5000) for name, study in FULL.items()}
    SMALL = {name: SMALL[name]._replace(epochs=10, seeds=1) for name in ("soybean", "mnist-100")}

BARE = {"average": 0, "augment.noise": 0, "augment.shift": 0, "augment.flip": "no"}


def read_configuration(text):
    """Each key and its value, as text."""
    pairs = (line.split(": ", 1) for line in text.splitlines() if line and line[0] != "#")
    return {key: value.strip('"[]').replace(" ", "") for key, value in pairs}


@functools.cache
def configuration(path):
    """What the file comes to for its data: echoed by a run with hidden layers too small to take time."""
    given = subprocess.run([PROGRAM, "config", path], check=True, capture_output=True, text=True).stdout
    with tempfile.TemporaryDirectory() as folder:
        run = folder + "/run"
        subprocess.run([PROGRAM, "train", path, "--network", "1", "--epochs", "1", "--quiet", "--out", run], check=True)
        with open(run + "/config.yaml") as file:
            return {**read_configuration(file.read()), "network": read_configuration(given)["network"]}


def settings(study):
    size = {"data.train_samples": study.samples, "batch": min(500, study.samples)} if study.samples else {}
    return {**configuration(study.config), **size}


def options(values):
    return [text for key, value in values.items() for text in ("--" + key, str(value))]


def ours(study, *arguments):
    return ["launch/local.sh", "-n", str(NP), "train", *arguments, "--epochs", str(study.epochs), "--json",
            "--checkpoint.every", "0"]


def adaptive(study, config=None, **changed):
    chosen = settings(study)
    size = {key: chosen[key] for key in ("data.train_samples", "batch")}
    return ours(study, config or study.config, *options({**size, **changed}))


def backprop(study, method, extras=False, **more):
    """The study's data, network and batches; with its averages and augmented samples, or none."""
    chosen = settings(study)
    keys = ["data.name", "data.train_samples", "network", "variant", "batch", "preprocess"] + extras * list(BARE)
    return ours(study, *options({"method": method, "init.forward": "he", **{key: chosen[key] for key in keys}, **more}))


def torch(study, optimiser, **more):
    chosen = settings(study)
    return ["/usr/bin/python3", "results/peers.py",
            *options({"data": chosen["data.name"], "train-samples": chosen["data.train_samples"],
                      "network": chosen["network"], "batch": chosen["batch"], "preprocess": chosen["preprocess"],
                      "optimiser": optimiser, "epochs": study.epochs, **more})]


class Method(NamedTuple):
    program: str
    title: str
    command: Callable  # of the study and the rate found for SGD
    tuned: Callable = lambda study, rate: "none"


def tuned_rate(study, rate):
    return f"rate {rate:g} (best of {len(RATES)})"


def tuned_alpha(study, rate):
    value = settings(study)["alpha"]
    return "none" if value == "auto" else f"alpha {value}"


TRANSPOSE = {"inverse.kind": "transpose"}
METHODS = {
    "adaptive-transpose": Method("ours", "`adaptive`, transposed weights",
                                 lambda study, rate: adaptive(study, **TRANSPOSE), tuned_alpha),
    "adaptive": Method("ours", "`adaptive`, no weight transport", lambda study, rate: adaptive(study), tuned_alpha),
    "adaptive-bare": Method("ours", "`adaptive`, transposed weights, not averaged, not augmented",
                            lambda study, rate: adaptive(study, **TRANSPOSE, **BARE), tuned_alpha),
    "thesis": Method("ours", "`adaptive`, the thesis's reading",
                     lambda study, rate: adaptive(study, study.thesis, **BARE)),
    "adam": Method("ours", "Adam", lambda study, rate: backprop(study, "adam")),
    "adam-extras": Method("ours", "Adam, averaged and augmented as `adaptive`",
                          lambda study, rate: backprop(study, "adam", extras=True)),
    "sgd": Method("ours", "SGD", lambda study, rate: backprop(study, "sgd", learning_rate=rate), tuned_rate),
    "torch-adam": Method("PyTorch", "Adam", lambda study, rate: torch(study, "adam")),
    "torch-sgd": Method("PyTorch", "SGD", lambda study, rate: torch(study, "sgd", rate=rate), tuned_rate),
    "torch-armijo": Method("PyTorch", "Armijo line search", lambda study, rate: torch(study, "armijo")),
    "torch-polyak": Method("PyTorch", "Polyak steps, SPS_max", lambda study, rate: torch(study, "polyak")),
    "torch-cocob": Method("PyTorch", "COCOB", lambda study, rate: torch(study, "cocob")),
    "torch-dog": Method("PyTorch", "DoG, averaged", lambda study, rate: torch(study, "dog")),
}
FULL_METHODS = [name for name in METHODS if name != "thesis"]
SMALL_METHODS = [name for name in METHODS if not name.startswith("torch-") or name in ("torch-adam", "torch-sgd")]


def environment():
    """PyTorch is fastest with the OpenBLAS that shares its OpenMP threads."""
    clean = {key: value for key, value in os.environ.items() if key not in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")}
    return {**clean, "OMP_NUM_THREADS": str(NP), "OPENBLAS_NUM_THREADS": str(NP),
            "LD_LIBRARY_PATH": f"/usr/lib/{platform.machine()}-linux-gnu/openblas-openmp"}


@functools.cache
def machine():
    with open("/proc/cpuinfo") as file:
        processor = next((line.split(": ")[1].strip() for line in file if line.startswith("model name")), "unknown")
    version = subprocess.run([PROGRAM, "--version"], check=True, capture_output=True, text=True).stdout.splitlines()[0]
    return (f"{processor}, {os.cpu_count()} cores; {version}, {NP} ranks; "
            f"PyTorch {importlib.metadata.version('torch')}, {NP} threads")


def read_run(path):
    """(The line on the run, lines of the epochs), or None."""
    if not os.path.exists(path):
        return None
    with open(path) as file:
        lines = [json.loads(line) for line in file]
    return lines[0], lines[1:]


def train(command, run):
    """Start the command; return (its exit code, its epochs with the seconds since it was started)."""
    python = "python3" in command[0]
    begun = time.monotonic()
    with subprocess.Popen(command if python else [*command, "--out", run], env=environment() if python else None,
                          stdout=subprocess.PIPE, text=True) as process:
        events = [{**json.loads(line), "since_start": time.monotonic() - begun} for line in process.stdout]
    epochs = [event for event in events if event["event"] == "epoch"]
    if not python:
        take_evaluation_off(epochs, run)
    keys = "epoch", "steps", "seconds", "since_start", "train_loss", "train_accuracy", "test_accuracy"
    return process.returncode, [{key: event[key] for key in keys} for event in epochs]


def take_evaluation_off(epochs, run):
    """Our seconds include the evaluation after each epoch: all of them took equally long."""
    if epochs:
        with h5py.File(run + "/curves.h5", "r") as file:
            phases = file.attrs["phases"].decode().split(",")
            evaluation = file["time"][phases.index("evaluation"), 1]
        for event in epochs:
            event["seconds"] -= evaluation * event["epoch"] / epochs[-1]["epoch"]
    shutil.rmtree(run, ignore_errors=True)


def make_run(folder, name, seed, study, rate):
    """FOLDER/NAME-SEED.jsonl, if it is not there."""
    path = os.path.join(folder, f"{name}-{seed}.jsonl")
    if os.path.exists(path) or not re.search(os.environ.get("ONLY", ""), path):
        return
    os.makedirs(os.path.dirname(path), exist_ok=True)
    shutil.rmtree(path + ".run", ignore_errors=True)
    method = METHODS.get(name, METHODS["torch-sgd"])
    command = [*method.command(study, rate), "--seed", str(seed)]
    code, epochs = train(command, path + ".run")
    if code not in (0, DIVERGED):
        sys.exit(f"peers_runs.py: exit code {code} of: {' '.join(command)}")
    head = {"command": " ".join(command), "machine": machine(), "tuned": method.tuned(study, rate), "diverged": code == DIVERGED}
    with open(path + ".part", "w") as file:
        file.writelines(json.dumps(line) + "\n" for line in (head, *epochs))
    os.rename(path + ".part", path)
    last = f"{100 * epochs[-1]['test_accuracy']:.2f} % after {epochs[-1]['seconds']:.1f} s" if epochs else ""
    print(path, last, "diverged" if code else "", flush=True)


def best_rate(folder, study):
    """The rate of the best last test accuracy of PyTorch's SGD with seed 1, which favours SGD a little; None where ONLY
    leaves out some of these runs."""
    figures = {}
    for rate in RATES:
        make_run(folder, f"rate-{rate:g}", 1, study, rate)
        run = read_run(os.path.join(folder, f"rate-{rate:g}-1.jsonl"))
        if not run:
            return None
        figures[rate] = run[1][-1]["test_accuracy"] if not run[0]["diverged"] else -1
    return max(RATES, key=figures.get)


def make_runs(folder, study, methods, seed):
    """By turns, so that what else the machine does meets all methods alike."""
    rate = best_rate(folder, study)
    for name in methods:
        if rate is not None or METHODS[name].tuned is not tuned_rate:
            make_run(folder, name, seed, study, rate)


def main(folder):
    for studies, methods in (FULL, FULL_METHODS), (SMALL, SMALL_METHODS):
        for seed in range(1, max(study.seeds for study in studies.values()) + 1):
            for name, study in studies.items():
                if seed <= study.seeds:
                    make_runs(os.path.join(folder, name), study, methods, seed)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
