#!/usr/bin/python3
"""The documentation: links lead somewhere, commands are right, the tutorial works, the reference is not stale."""
import glob
import os
import re
import shlex
import unittest

import program

PAGES = sorted(os.path.relpath(p, program.TOP) for pattern in ("*.md", "docs/*.md", "results/*.md")
               for p in glob.glob(os.path.join(program.TOP, pattern)))


def read(page):
    with open(os.path.join(program.TOP, page)) as file:
        return file.read()


def blocks(text):
    """Code blocks: fenced, or indented after an empty line."""
    found = re.findall(r"^```\w*\n(.*?)^```", text, re.M | re.S)
    text = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.M | re.S)
    return found + [re.sub("^    ", "", b, flags=re.M) for b in re.findall(r"(?<=\n\n)(?:    .*\n)+", text)]


def without_code(text):
    text = re.sub(r"^```\w*\n.*?^```", "", text, flags=re.M | re.S)
    text = re.sub(r"(?<=\n\n)(?:    .*\n)+", "", text)
    return re.sub(r"`[^`]*`", "code", text)


def anchors(page):
    """Of the headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.*)$", read(page), re.M)
    return {re.sub(r"[^\w\- ]", "", h.lower()).replace(" ", "-") for h in headings}


def commands(page):
    """Command lines in code blocks, without comments, joined where a line ends in a backslash."""
    for block in blocks(read(page)):
        for line in block.replace("\\\n", " ").splitlines():
            words = shlex.split(line, comments=True) if line.count("'") % 2 == 0 else []
            yield [w for w in words if not re.fullmatch(r"\w+=.*", w) or words[0] == "make"]


class Docs(program.ProgramTest):
    def test_links(self):
        bad, count = [], 0
        for page in PAGES:
            for target in re.findall(r"\]\(([^)\s]+)\)", without_code(read(page))):
                count += 1
                path, _, anchor = target.partition("#")
                if re.match(r"https?://", target):
                    continue
                file = os.path.normpath(os.path.join(os.path.dirname(page), path)) if path else page
                if not os.path.exists(os.path.join(program.TOP, file)) or (anchor and anchor not in anchors(file)):
                    bad.append("%s: %s" % (page, target))
        self.assertEqual(bad, [])
        self.assertGreater(count, 5)

    def test_reference_is_fresh(self):
        out, _ = self.run_program("help", "--reference")
        self.assertEqual(out, read("docs/configuration.md"), "stale: run make docs")

    def test_commands(self):
        """Every command line of the pages: what it calls is there and takes these options."""
        seen = set()
        for page in PAGES:
            for words in commands(page):
                if words[:1] == ["mpirun"]:
                    words = words[3:]
                elif words[:1] and words[0].endswith("launch/local.sh"):
                    words = ["reluopt-mpi"] + words[3 if words[1:2] == ["-n"] else 1:]
                name = os.path.basename(words[0]) if words else ""
                with self.subTest(page=page, command=" ".join(words)):
                    if name == "reluopt-mpi":
                        seen.add(self.check_program(words[1:]))
                    elif name == "make":
                        seen.add("make")
                        self.run_program(command=["make", "-n", *words[1:]], folder=program.TOP)
                    elif words and words[0].startswith(("launch/", "results/", "tests/")):
                        self.assertTrue(os.access(os.path.join(program.TOP, words[0]), os.X_OK))
        self.assertLessEqual({"make", "train", "eval", "info"}, seen)

    def check_program(self, words):
        """`train` and `config` are given to `config`, which checks them; of the others, the options are looked up."""
        name = words[0] if words and not words[0].startswith("-") else "train"
        words = words[words[:1] == [name]:]
        words = words[:words.index(">")] if ">" in words else words
        if name in ("train", "config") and "--help" not in words:
            settings, out = [], [i for i, w in enumerate(words) if w in ("--out", "--resume")]
            settings = [w for i, w in enumerate(words) if i not in out and i - 1 not in out and w != "[...]"]
            if settings and settings[0].endswith(".yaml") and not settings[0].startswith("configs/"):
                settings = settings[1:]
            self.run_program("config", *settings, folder=program.TOP)
        else:
            usage, _ = self.run_program("help", *([] if name == "help" else [name]))
            for option in words:
                if option.startswith("--") and option not in ("--help", "--version") and "data." not in option:
                    self.assertIn(option.split("=")[0], usage)
        return name

    def test_tutorial(self):
        """Every command of the page, in its order, with the program in PATH; the page shows what the data look like."""
        shown, ran = "", 0
        for block in blocks(read("docs/tutorial.md")):
            if re.match(r"(awk|reluopt-mpi) ", block):
                _, errors = self.run_program(command=["bash", "-ec", block],
                                               PATH=os.path.dirname(program.PROGRAM) + ":" + os.environ["PATH"])
                self.assertEqual(errors, "")
                ran += block.startswith("reluopt-mpi")
            else:
                shown = block
        self.assertEqual(ran, 5)
        with open(self.path("flowers.csv")) as file:
            self.assertEqual(file.readline(), shown.splitlines()[0] + "\n")
        self.assertGreater(self.curve("test_accuracy", "runs/flowers")[-1], 0.8)
        with open(self.path("kinds.csv")) as kinds, open(self.path("flowers.csv")) as flowers:
            given = [line.rsplit(",", 1)[1].strip() for line in flowers][1:]
            found = [line.split(",")[0] for line in kinds][1:]
        self.assertGreater(sum(f == g for f, g in zip(found, given, strict=True)), 0.8 * len(given))


if __name__ == "__main__":
    program.main()
