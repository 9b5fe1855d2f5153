#!/usr/bin/python3
"""launch/get-data.sh against a server on the loopback: whole, truncated, resumed, damaged and missing files."""
import gzip
import hashlib
import http.server
import io
import os
import re
import tarfile
import threading
import unittest

import numpy

import program

SCRIPT = os.path.join(program.TOP, "launch/get-data.sh")
FASHION = "/usr/share/datasets/fashion-mnist"


class Server(http.server.BaseHTTPRequestHandler):
    """Serves `files` (name: bytes).  cut: so many bytes are sent of each answer; ranges: whether it can resume."""
    files, cut, ranges, asked = {}, None, True, []

    def do_GET(self):
        name, wanted = self.path.rsplit("/", 1)[1], self.headers.get("Range")
        self.asked.append((name, wanted))
        if name not in self.files:
            return self.send_error(404)
        data, start = self.files[name], 0
        if wanted and self.ranges:
            start = int(wanted.split("=")[1].rstrip("-"))
            if start >= len(data):
                return self.send_error(416)
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", "bytes %d-%d/%d" % (start, len(data) - 1, len(data)))
        self.send_header("Content-Length", str(len(data) - start))
        self.end_headers()
        self.wfile.write(data[start:][:self.cut])

    def log_message(self, *_):
        pass


class GetData(program.ProgramTest):
    def setUp(self):
        super().setUp()
        Server.files, Server.cut, Server.ranges, Server.asked = {}, None, True, []
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Server)
        self.mirror = "http://127.0.0.1:%d/some/where" % server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        for end in thread.join, server.server_close, server.shutdown:
            self.addCleanup(end)

    def get(self, *arguments, script=SCRIPT, code=0):
        return self.run_program(command=[script, *arguments, "--dir", self.path("data")], code=code,
                                no_proxy="127.0.0.1", http_proxy="")

    def with_sums_of(self, name, contents):
        """The script, expecting other contents of the set."""
        with open(SCRIPT) as file:
            text = file.read()
        begin = text.index("    %s)" % name)
        entry = text[begin:text.index(";;", begin)]
        sums = iter(hashlib.sha256(c).hexdigest() for c in contents)
        path = self.write("script.sh", text.replace(entry, re.sub("[0-9a-f]{64}", lambda _: next(sums), entry)))
        os.chmod(path, 0o755)
        return path

    def serve_mnist(self):
        """A small set in the format of MNIST."""
        noise = numpy.random.default_rng(1)
        self.contents = []
        for name, count in ("train", 64), ("t10k", 16):
            shape = b"".join(n.to_bytes(4, "big") for n in (count, 4, 4))
            for kind, head, size in ("images-idx3", b"\0\0\10\3" + shape, 16), ("labels-idx1", b"\0\0\10\1" + shape[:4], 1):
                values = noise.integers(0, 200 if size > 1 else 10, count * size, dtype="u1").tobytes()
                self.contents.append(head + values)
                Server.files["%s-%s-ubyte.gz" % (name, kind)] = gzip.compress(head + values)
        return self.with_sums_of("mnist", self.contents)

    def images(self):
        return self.path("data/mnist/train-images-idx3-ubyte.gz")

    def test_whole_set(self):
        script = self.serve_mnist()
        self.get("mnist", "--mirror", self.mirror, script=script)
        self.train("--data.name", "mnist", "--data.dir", self.path("data"), "--network", 8, "--epochs", 2)
        Server.asked.clear()
        out, _ = self.get("mnist", "--mirror", self.mirror, script=script)
        self.assertEqual(out.count("is there"), 4)
        self.assertEqual(Server.asked, [])

    def test_interrupted_and_resumed(self):
        script, Server.cut = self.serve_mnist(), 50
        _, errors = self.get("mnist", "--mirror", self.mirror, script=script, code=3)
        self.assertIn("same command to go on", errors)
        self.assertFalse(os.path.exists(self.images()))
        self.assertEqual(os.path.getsize(self.images() + ".part"), 50)
        Server.cut = None
        self.get("mnist", "--mirror", self.mirror, script=script)
        self.assertIn((os.path.basename(self.images()), "bytes=50-"), Server.asked)
        with gzip.open(self.images()) as file:
            self.assertEqual(file.read(), self.contents[0])

    def test_parts_that_cannot_be_continued(self):
        """Of another file, of a file that was whole, and with a server that does not resume."""
        script = self.serve_mnist()
        whole = Server.files[os.path.basename(self.images())]
        for part, ranges in (b"x" * 50, True), (whole, True), (whole + b"xx", True), (whole[:50], False):
            os.makedirs(os.path.dirname(self.images()), exist_ok=True)
            self.write("data/mnist/train-images-idx3-ubyte.gz.part", part)
            Server.ranges = ranges
            self.get("mnist", "--mirror", self.mirror, script=script)
            with gzip.open(self.images()) as file:
                self.assertEqual(file.read(), self.contents[0])
            os.remove(self.images())

    def test_damaged(self):
        """Truncated, changed, replaced at the server: refused, deleted; a damaged file at its place is fetched again."""
        script = self.serve_mnist()
        name = os.path.basename(self.images())
        whole = Server.files[name]
        for wrong in whole[:-20], whole[:80] + bytes([whole[80] ^ 1]) + whole[81:], gzip.compress(b"other"), b"<html>":
            Server.files[name] = wrong
            _, errors = self.get("mnist", "--mirror", self.mirror, script=script, code=3)
            self.assertIn("wrong checksum", errors)
            self.assertFalse(os.path.exists(self.path("data/mnist")))
        Server.files[name] = whole
        self.get("mnist", "--mirror", self.mirror, script=script)
        self.write("data/mnist/" + name, whole[:-20])
        self.get("mnist", "--mirror", self.mirror, script=script)
        with open(self.images(), "rb") as file:
            self.assertEqual(file.read(), whole)

    def test_missing(self):
        _, errors = self.get("soybean", "--mirror", self.mirror, code=3)
        self.assertIn("404", errors)
        _, errors = self.get("soybean", "--mirror", "http://127.0.0.1:1", code=3)
        self.assertIn("curl failed", errors)
        self.assertFalse(os.path.exists(self.path("data/soybean")))

    def test_usage(self):
        for arguments in ["iris"], ["mnist", "--mirror"], ["mnist", "--where", "x"]:
            out, errors = self.run_program(command=[SCRIPT, *arguments], code=2)
            self.assertEqual(len(errors.splitlines()), 1)
        self.assertIn("usage", self.run_program(command=[SCRIPT], code=2)[1])
        self.assertIn("--mirror URL", self.run_program(command=[SCRIPT, "--help"])[0])

    def test_archive(self):
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w:gz", compresslevel=1) as tar:
            for name in ["data_batch_%d" % i for i in range(1, 6)] + ["test_batch"]:
                member = tarfile.TarInfo("cifar-10-batches-bin/%s.bin" % name)
                member.size = 30730000
                tar.addfile(member, io.BytesIO(bytes(member.size)))
        Server.files["cifar-10-binary.tar.gz"] = archive.getvalue()
        script = self.with_sums_of("cifar-10", [archive.getvalue()])
        self.get("cifar-10", "--mirror", self.mirror, script=script)
        self.assertEqual(os.listdir(self.path("data")), ["cifar-10-batches-bin"])
        out, _ = self.get("cifar-10", "--mirror", self.mirror, script=script)
        self.assertIn("is there", out)
        os.truncate(self.path("data/cifar-10-batches-bin/test_batch.bin"), 5)
        self.get("cifar-10", "--mirror", self.mirror, script=script)
        self.assertEqual(os.path.getsize(self.path("data/cifar-10-batches-bin/test_batch.bin")), 30730000)

    @unittest.skipUnless(os.path.isdir(FASHION), "dataset-fashion-mnist is not installed")
    def test_checksums_of_fashion_mnist(self):
        self.check_real("fashion-mnist", FASHION)

    def test_checksums_of_sets_at_hand(self):
        data = os.environ.get("RELUOPT_DATA", os.path.join(program.TOP, "data"))
        for name in "mnist", "soybean":
            with self.subTest(name=name):
                if not os.path.isdir(os.path.join(data, name)):
                    self.skipTest(name + " is not there")
                self.check_real(name, os.path.join(data, name))

    def check_real(self, name, folder):
        for file in os.listdir(folder):
            with open(os.path.join(folder, file), "rb") as stream:
                Server.files[file] = stream.read()
        self.get(name, "--mirror", self.mirror)


if __name__ == "__main__":
    program.main()
