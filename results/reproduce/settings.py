"""With which settings a run was made, and whether its row has the same now."""
import functools
import hashlib
import os
import re
import subprocess

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# What may change while a run goes on.
LATER = re.compile(r"(epochs|checkpoint\..*|max_time|stop\.accuracy|coordinator|data\.dir|data\.train|data\.test)$")


def program():
    return os.environ.get("RELUOPT_MPI", os.path.join(TOP, os.environ.get("BUILD", "build"), "reluopt-mpi"))


def config(row):
    return os.path.join(TOP, "configs", row.config)


def words(settings):
    return [str(word) for key, value in settings.items() for word in ("--" + key, value)]


@functools.cache
def defaults():
    """{key: value} of the program."""
    return parse(subprocess.run([program(), "config"], capture_output=True, text=True, check=True).stdout)


def parse(text):
    """{key: value} of a resolved configuration, without what may change."""
    pairs = re.findall(r"^([\w.]+): (.*)$", text, re.M)
    return {key: value for key, value in pairs if not LATER.match(key)}


def describe(row):
    """The row's settings in words: equal texts mean equal runs."""
    with open(config(row)) as file:
        lines = [line for line in file.read().splitlines() if not re.match(r"#|epochs:|\s*$", line)]
    lines += [f"{key}: {value}" for key, value in sorted(row.settings.items())]
    return "\n".join(lines + ["defaults: " + hashlib.sha256(repr(sorted(defaults().items())).encode()).hexdigest()]) + "\n"


def same(row, resolved):
    """A run with this resolved configuration, a text, is one of the row's, however both were written and whatever its seed.
    What the program did not have then must be at its default; what a run chooses itself (auto) is not looked at."""
    then = {**defaults(), **parse(resolved)}
    now = row.settings | {"seed": then["seed"]} | ({"data.train": "x.npy,y.npy"} if row.data else {})
    made = subprocess.run([program(), "config", config(row), *words(now)], capture_output=True, text=True)
    wanted = parse(made.stdout)
    return made.returncode == 0 and wanted.keys() == then.keys() and all(wanted[k] in ("auto", then[k]) for k in wanted)
