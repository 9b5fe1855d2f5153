#!/usr/bin/python3
"""The page about runs: what it says, what it does without data or with damage, and how a browser shows it."""
import glob
import os
import re
import shutil
import struct
import subprocess
import tempfile
import unittest
import xml.etree.ElementTree

import program

HTML = "{http://www.w3.org/1999/xhtml}"
SVG = "{http://www.w3.org/2000/svg}"
SECOND = "<second>&\"' with a name that goes on and on"
SHARED = tempfile.TemporaryDirectory()
CHROMIUM = shutil.which("chromium")

# Put into a copy of the page: the outcome of looking at what is drawn becomes an attribute of <body>.
PROBE = """<script>
function look() {
  const faults = [], width = document.documentElement.clientWidth;
  if (document.documentElement.scrollWidth > width) faults.push("wider than the window");
  for (const svg of document.querySelectorAll("svg.plot")) {
    const box = svg.getBoundingClientRect(), labels = [];
    if (box.width === 0) continue;
    if (box.right > width + 1) faults.push("a plot beyond the edge");
    for (const text of svg.querySelectorAll("text")) {
      const b = text.getBoundingClientRect();
      if (b.left &lt; box.left - 1 || b.right > box.right + 1 || b.top &lt; box.top - 1 || b.bottom > box.bottom + 1)
        faults.push("text beyond its plot: " + text.textContent);
      if (text.getAttribute("class") === "label") labels.push(b);
    }
    if (parseFloat(getComputedStyle(svg.querySelector("text")).fontSize) * box.width / svg.viewBox.baseVal.width &lt; 8)
      faults.push("type too small");
  }
  document.body.dataset.faults = faults.join("; ");
  document.body.dataset.ground = getComputedStyle(document.body).backgroundColor;
  document.body.dataset.plots = [...document.querySelectorAll("svg.plot")].filter(s => s.clientWidth > 0).length;
  for (const img of document.querySelectorAll("img"))
    if (img.naturalWidth === 0) document.body.dataset.faults += "an image that is none";
}
addEventListener("load", look);
</script></body>"""


class ReportTest(program.ProgramTest):
    def report(self, *arguments, **options):
        """The page as text and as a tree."""
        page, errors = self.run_program("report", *arguments, **options)
        self.assertEqual(errors, "")
        return page, xml.etree.ElementTree.fromstring(page)

    def images(self, name, count):
        """An IDX set of `count` 8 x 6 images in two classes, bright above or below."""
        pixels = bytes(255 if (row < 4) == (i % 2 == 0) else (i * 7 + row) % 64
                       for i in range(count) for row in range(8) for _ in range(6))
        self.write(name + "-images", struct.pack(">IIII", 0x803, count, 8, 6) + pixels)
        self.write(name + "-labels", struct.pack(">II", 0x801, count) + bytes(i % 2 for i in range(count)))
        return ["--data.name", "file", "--data.train", f"{name}-images,{name}-labels", "--data.holdout", count // 4]

    def two_runs(self):
        """Paths of runs on images and on a table whose names need escapes, trained once for all tests."""
        own, self.folder = self.folder, SHARED.name
        if not os.path.exists(self.path("first")):
            self.train("--epochs", 3, *self.images("set", 80), out="first")
            self.write("t.csv", "".join(f"{i % 7},{i % 5},{'<b>&' if i % 2 else 'x' * 40}\n" for i in range(60)))
            self.train("--epochs", 1, "--method", "sgd", "--data.name", "file", "--data.train", "t.csv",
                       "--data.holdout", 20, out=SECOND)
        runs = self.path("first"), self.path(SECOND)
        self.folder = own
        return runs


class Page(ReportTest):
    def text(self, tree):
        return " ".join(" ".join(tree.find(HTML + "body").itertext()).split())

    def test_page(self):
        runs = self.two_runs()
        page, tree = self.report(*runs)
        self.assertEqual(tree.find(f"{HTML}head/{HTML}title").text, "2 runs – reluopt-mpi")
        for foreign in "<script", "http:", "https:", "url(", "@import":
            rest = page.replace("http://www.w3.org/1999/xhtml", "").replace("http://www.w3.org/2000/svg", "")
            self.assertNotIn(foreign, rest)
        body = self.text(tree)
        for part in SECOND, "<b>& taken for", "1 of 1", "3 of 3", "method adaptive sgd", "20 of 20 right":
            self.assertIn(part, body)
        names = [svg.get("aria-label") for svg in tree.iter(SVG + "svg") if svg.get("class") == "plot"]
        for name in "Accuracy", "Loss", "first", SECOND:
            self.assertIn(name, names)
        (image,) = tree.iter(HTML + "img")
        self.assertTrue(image.get("src").startswith("data:image/png;base64,iVBORw0KGgo"))
        self.assertEqual((image.get("width"), image.get("height")), ("494", "654"))  # 8 x 8 of 60 x 80 pixels

    def test_one_run(self):
        self.train("--epochs", 2, "--alpha", 0.5)
        _, tree = self.report("run/")
        self.assertEqual(tree.find(f".//{HTML}h1").text, "run")
        self.assertRegex(self.text(tree), r"Setting Value Default .*alpha 0.5 auto ")

    def test_any_number_of_ranks(self):
        runs = self.two_runs()
        pages = [re.sub("Made .* by", "", self.report(*runs, np=np)[0]) for np in (1, 3)]
        self.assertEqual(*pages)

    def test_runs_of_one_name(self):
        for folder in "a", "b":
            self.train("--epochs", 1, out=folder + "/run")
        body = self.text(self.report("a/run", "b/run")[1])
        self.assertIn("a/run", body)
        self.assertIn("b/run", body)

    def test_without_data(self):
        runs = self.two_runs()
        data = os.path.join(SHARED.name, "t.csv")
        os.rename(data, data + ".away")
        self.addCleanup(os.rename, data + ".away", data)
        body = self.text(self.report(*runs, np=2)[1])
        self.assertRegex(body, re.escape(SECOND) + " : no confusion matrix: .*t.csv: .*No such file")
        self.assertIn("20 of 20 right", body)

    def test_without_checkpoint(self):
        self.train("--epochs", 1)
        os.remove(self.path("run/checkpoint.h5"))
        os.remove(self.path("run/summary.json"))
        self.assertIn("no checkpoint yet", self.text(self.report("run")[1]))

    def test_without_test_part(self):
        self.train("--epochs", 2, "--data.holdout", 0)
        body = self.text(self.report("run")[1])
        self.assertIn("no test samples", body)
        self.assertIn("Test accuracy –", body)

    def test_what_cannot_be_read(self):
        self.train("--epochs", 1, out="good")
        for name, change in {"config.yaml": os.remove, "curves.h5": os.remove, "checkpoint.h5": self.damage,
                             "curves.h5 ": self.damage}.items():
            shutil.rmtree(self.path("bad"), ignore_errors=True)
            shutil.copytree(self.path("good"), self.path("bad"))
            change(self.path("bad/" + name.strip()))
            out, errors = self.run_program("report", "good", "bad", np=2, code=4)
            self.one_line(errors, ["bad"])
            self.assertEqual(out, "")
        self.refused("report", "nowhere", code=4, says=["nowhere: no run"])
        self.refused("report", code=2, says=["report needs more arguments"])

    def damage(self, path):
        with open(path, "r+b") as file:
            file.truncate(os.path.getsize(path) // 2)

    def test_plots(self):
        runs = self.two_runs()
        self.run_program("report", *runs, "--plots", "figures")
        files = sorted(os.listdir(self.path("figures")))
        self.assertEqual(files, ["accuracy.svg", "active-1.svg", "active-2.svg", "bound-1.svg", "confusion-1.svg",
                                 "confusion-2.svg", "loss.svg", "rate-1.svg", "rate-2.svg", "weights-1.png"])
        for path in glob.glob(self.path("figures/*.svg")):
            root = xml.etree.ElementTree.parse(path).getroot()
            self.assertEqual(root.tag, SVG + "svg")
            self.assertIsNotNone(root.get("width"))
            if shutil.which("rsvg-convert"):
                png = subprocess.run(["rsvg-convert", path], check=True, capture_output=True).stdout
                self.assertGreater(len(png), 1000)
        with open(self.path("figures/weights-1.png"), "rb") as file:
            self.assertTrue(file.read().startswith(b"\x89PNG"))
        self.write("file", "")
        self.refused("report", runs[0], "--plots", "file/figures", code=4, says=["file/figures"])


@unittest.skipUnless(CHROMIUM, "no chromium to show the page in")
class Browser(ReportTest):
    """On a phone and on a large screen, light and dark: nothing beyond the edges, no complaint of the browser."""

    def show(self, path, width, dark):
        """The page's <body> attributes after PROBE looked at it, and what the browser had to say."""
        with open(path) as file, open(self.path("probe.html"), "w") as probe:
            probe.write(file.read().replace("</body>", PROBE.replace("&lt;", "<")))
        done = subprocess.run(
            [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             "--user-data-dir=" + self.path("profile"), f"--window-size={width},900", "--enable-logging=stderr",
             f"--blink-settings=preferredColorScheme={0 if dark else 1}", "--dump-dom",
             "file://" + self.path("probe.html")], capture_output=True, text=True, timeout=120)
        self.assertNotIn("CONSOLE", done.stderr)
        body = re.search("<body ([^>]*)>", done.stdout).group(1)
        return dict(re.findall('data-([a-z]+)="([^"]*)"', body))

    def test_sizes_and_themes(self):
        page, _ = self.report(*self.two_runs())
        path = self.write("page.html", page)
        for width, dark in (390, False), (390, True), (1440, False), (1440, True):
            seen = self.show(path, width, dark)
            self.assertEqual(seen["faults"], "", f"at width {width}")
            self.assertEqual(seen["ground"], "rgb(20, 23, 27)" if dark else "rgb(255, 255, 255)")
            self.assertEqual(seen["plots"], "9")


if __name__ == "__main__":
    program.main()
