#!/usr/bin/python3
"""What a machine does to a run: full disk, lost folder, damaged file, no memory, a killed rank."""
import os
import signal
import subprocess
import time
import unittest

import h5py

import program

STORAGE, MEMORY, KILLED = 4, 6, 128 + signal.SIGKILL
SECONDS = 60  # no run here may take longer
SMALL = ["--network", "300,300", "--alpha", 1, "--direction", "centred", "--inverse.kind", "trained", "--average", 0]
ENDLESS = ["train", "--epochs", 1000000, "--network", "20", "--out", "run"]
MOUNT = """mount -t tmpfs -o "size=$1" tmpfs "$2" && echo mounted && read -r _ &&
until mount -o remount,ro "$2"; do :; done && read -r _"""  # not while a file is open to be written


class Faults(program.ProgramTest):
    def small_disk(self, size):
        """A folder on a file system of that size, in a mount namespace that ends with the test; or skip.  A line to
        self.disk makes it read-only."""
        if os.geteuid() != 0:
            self.skipTest("only root can mount a small file system")
        place = self.path(f"disk{len(os.listdir(self.folder))}")
        os.mkdir(place)
        holder = subprocess.Popen(["unshare", "-m", "sh", "-c", MOUNT, "sh", size, place], text=True,
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.addCleanup(holder.communicate)
        if holder.stdout.readline() != "mounted\n":
            self.skipTest("this machine does not let root mount a file system")
        self.disk = holder.stdin
        return f"/proc/{holder.pid}/root{place}"

    def wait_for_checkpoint(self, process, run="run"):
        end = time.monotonic() + SECONDS
        while not os.path.exists(self.path(run + "/checkpoint.h5")):
            self.assertIsNone(process.poll(), "ended early")
            self.assertLess(time.monotonic(), end, "no checkpoint")
            time.sleep(0.02)

    def test_disk_full_at_second_checkpoint(self):
        for np in 1, 2, 3:
            out = self.small_disk("1100k") + "/run"  # room for one and a half
            self.refused("train", "--epochs", 5, *SMALL, "--out", out, code=STORAGE,
                         says=["checkpoint.h5.tmp", "No space left"], np=np, seconds=SECONDS)
            self.assertEqual(sorted(os.listdir(out)), ["checkpoint.h5", "config.yaml", "curves.h5"])
            self.run_program("eval", out + "/checkpoint.h5", np=np)

    def test_disk_full_from_the_start(self):
        for np in 1, 2, 3:
            for size, part in ("8k", "curves.h5"), ("100k", "checkpoint.h5"):  # config.yaml takes 8k
                out = self.small_disk(size) + "/run"
                self.refused("train", "--epochs", 5, "--network", "300,300", "--out", out, code=STORAGE,
                             says=[part, "No space left"], np=np, seconds=SECONDS)
                self.assertNotIn(part, os.listdir(out))

    def test_disk_full_already(self):
        disk = self.small_disk("4k")
        with open(disk + "/file", "wb") as file:
            file.write(bytes(4096))
        for np in 1, 2, 3:
            self.refused("train", "--out", f"{disk}/run{np}", code=STORAGE, says=["config.yaml", "No space left"],
                         np=np, seconds=SECONDS)

    def test_standard_output_is_full(self):
        self.train("--epochs", 1)
        for arguments in (["info", "run/checkpoint.h5"], ["info", "run/curves.h5"], ["eval", "run/checkpoint.h5"],
                          ["--version"], ["--help"], ["train", "--epochs", 1, "--out", "full"]):
            shell = ["sh", "-c", '"$@" > /dev/full', "sh"] + self.command(*arguments)
            _, errors = self.run_program(command=shell, code=STORAGE, seconds=SECONDS)
            self.one_line(errors, ["standard output"])
        self.run_program("eval", "full/checkpoint.h5")

    def test_disk_full_for_what_is_made_of_a_run(self):
        self.train("--epochs", 1, "--network", "50,50")
        disk = self.small_disk("8k")
        for np in 1, 2:
            for command, says in ((["export", "run/checkpoint.h5", "--out", disk + "/net.onnx"], "net.onnx"),
                                  (["report", "run", "--plots", disk + "/plots"], "plots/")):
                shell = ["sh", "-c", '"$@" > page.html', "sh"] + self.command(*command, np=np)
                _, errors = self.run_program(command=shell, code=STORAGE, seconds=SECONDS)
                self.one_line(errors, [says, "No space left"])
                self.assertNotIn("net.onnx", os.listdir(disk))

    def test_disk_becomes_read_only(self):
        for np in 1, 2, 3:
            out = self.small_disk("4m") + "/run"
            process = self.start_program(*ENDLESS[:-1], out, np=np)
            self.wait_for_checkpoint(process, out)
            self.disk.write("\n")
            self.disk.flush()
            _, errors = process.communicate(timeout=SECONDS)
            self.assertEqual(process.returncode, STORAGE, errors)
            self.assertRegex(self.one_line(errors, ["run/"]), "[Rr]ead.only")  # the words of the system or of MPI
            self.run_program("eval", out + "/checkpoint.h5", np=np)
            self.refused("train", "--resume", out, code=STORAGE, says=["Read-only file system"], np=np)

    def test_run_folder_vanishes(self):
        for np in 1, 2, 3:
            process = self.start_program(*ENDLESS, np=np)
            self.wait_for_checkpoint(process)
            os.rename(self.path("run"), self.path(f"gone{np}"))
            _, errors = process.communicate(timeout=SECONDS)
            self.assertEqual(process.returncode, STORAGE, errors)
            self.one_line(errors, ["run"])
            self.run_program("eval", f"gone{np}/checkpoint.h5", np=np)

    def test_damaged_checkpoint(self):
        self.train("--epochs", 1, "--network", "50,50")
        with open(self.path("run/checkpoint.h5"), "rb") as file:
            whole = file.read()
        with h5py.File(self.path("run/checkpoint.h5"), "r") as file:
            chunk = file["arrays/W2"].id.get_chunk_info(0)
        damaged = [whole[:length] for length in (0, 100, len(whole) // 2, len(whole) - 1)]
        for byte in 0, 20, 60, chunk.byte_offset, chunk.byte_offset + chunk.size // 2:
            damaged.append(whole[:byte] + bytes([whole[byte] ^ 1]) + whole[byte + 1:])
        for content in damaged:
            self.write("damaged.h5", content)
            for np in 1, 2:
                self.refused("eval", "damaged.h5", code=STORAGE, says=["damaged.h5"], np=np, seconds=SECONDS)

    def test_report_of_damaged_files(self):
        for name in "curves.h5", "checkpoint.h5":
            self.train("--epochs", 1, "--network", "50,50", out=name + ".run")
            with open(self.path(f"{name}.run/{name}"), "rb") as file:
                whole = file.read()
            for content in whole[:len(whole) // 2], whole[:100] + bytes([whole[100] ^ 1]) + whole[101:]:
                self.write(f"{name}.run/{name}", content)
                for np in 1, 2:
                    self.refused("report", name + ".run", code=STORAGE, says=[name], np=np, seconds=SECONDS)

    def test_info_of_damaged_files_says_which_part(self):
        self.train("--epochs", 1, "--network", "50,50")
        for name, part in ("curves.h5", "/rate"), ("checkpoint.h5", "/config"):
            with open(self.path(f"run/{name}"), "rb") as file:
                content = bytearray(file.read())
            with h5py.File(self.path(f"run/{name}"), "r") as file:
                content[file[part].id.get_chunk_info(0).byte_offset] ^= 1
            self.write(name, bytes(content))
            for np in 1, 2:
                line = self.refused("info", name, code=STORAGE, says=[name, part], np=np)
                self.assertNotIn("neither", line)
            self.write(name, bytes(content[:len(content) // 2]))
            self.refused("info", name, code=STORAGE, says=[name, "truncated"])

    @unittest.skipIf("sanitize" in program.BUILD, "the address sanitizer itself needs terabytes of addresses")
    def test_out_of_memory(self):
        scarce = ["prlimit", f"--as={400 << 20}"]  # a few matrices of 2000 x 2000 fit
        several = ",".join(["2000"] * 10)
        for widths in several, "1000000,1000000":
            train = ["train", "--init.forward", "he", "--init.inverse", "he", "--network", widths, "--out", "run"]
            for np in 1, 2:
                _, errors = self.run_program(command=scarce + self.command(*train, np=np), code=MEMORY,
                                             seconds=SECONDS)
                self.one_line(errors, ["memory"])
        one = self.command("train", "--init.forward", "he", "--init.inverse", "he", "--network", several,
                           "--out", "run")
        _, errors = self.run_program(command=["mpirun", "-np", "1"] + one + [":", "-np", "1"] + scarce + one,
                                     code=MEMORY, seconds=SECONDS)
        self.one_line(errors, ["rank 1", "memory"])
        self.assertFalse(os.path.exists(self.path("run")))

    @unittest.skipIf("sanitize" in program.BUILD, "the address sanitizer itself needs terabytes of addresses")
    def test_evaluation_needs_no_room_for_the_training_batch(self):
        sample = "".join(f"{i % 7},{i % 5},{i % 2}\n" for i in range(70))
        self.write("few.csv", sample)
        self.write("many.csv", 1000 * sample)  # in one batch their activations take 1.1 GB
        self.train("--variant", "online", "--epochs", 1, "--network", "4000", "--init.forward", "he",
                   "--init.inverse", "he", "--data.name", "file", "--data.train", "few.csv")
        scarce = ["prlimit", f"--as={600 << 20}"]
        out, _ = self.run_program(command=scarce + self.command("eval", "run/checkpoint.h5", "many.csv"),
                                  seconds=SECONDS, OPENBLAS_NUM_THREADS="1")
        self.assertIn("of 70000 samples", out)

    def test_rank_is_killed(self):
        for victim in 0, 2:
            process = self.start_program(*ENDLESS[:-1], f"run{victim}", np=3,
                                         OMPI_MCA_btl_vader_backing_directory=self.folder)
            self.wait_for_checkpoint(process, f"run{victim}")
            with open(f"/proc/{process.pid}/task/{process.pid}/children") as file:
                ranks = file.read().split()
            self.assertEqual(len(ranks), 3)
            os.kill(int(ranks[victim]), signal.SIGKILL)
            _, errors = process.communicate(timeout=SECONDS)
            self.assertEqual(process.returncode, KILLED, errors)
            for np in 1, 2:
                self.run_program("eval", f"run{victim}/checkpoint.h5", np=np)

    def test_more_ranks_than_neurons(self):
        self.train("--epochs", 2, "--network", "2,1", np=5)
        self.run_program("eval", "run/checkpoint.h5", np=4)


if __name__ == "__main__":
    program.main()
