#!/usr/bin/python3
"""launch/local.sh and launch/sweep.slurm: what they start and with which settings, with stand-ins for the launchers."""
import os
import shutil
import unittest

import program

LAUNCH = os.path.join(program.TOP, "launch")
STAND_IN = """#!/bin/sh
[ -z "$SLURM_JOBID" ] || echo "mpirun takes part in job $SLURM_JOBID"
[ "$1" != --mpi=list ] || { echo "MPI plugin types are... $PLUGINS" && exit; }
echo "$(basename "$0") $* yield=$OMPI_MCA_mpi_yield_when_idle threads=$OPENBLAS_NUM_THREADS"
"""


class Launch(program.ProgramTest):
    def setUp(self):
        super().setUp()
        self.write("reluopt", "")
        self.tool("mpirun", STAND_IN)
        self.tool("srun", STAND_IN)
        self.tool("nproc", "#!/bin/sh\necho ${OMP_NUM_THREADS:-8}\n")
        self.tool("lscpu", "#!/bin/sh\necho '# Core,Socket'; for c in 0 1 2 3; do echo $c,0; echo $c,0; done\n")
        self.share(LAUNCH)
        self.tool("reluopt", "#!/bin/sh\n")

    def share(self, folder):
        """Where the script was submitted from."""
        self.tool("scontrol", "#!/bin/sh\necho '   Command=%s/sweep.slurm out/a c.yaml'\n" % folder)

    def tool(self, name, text):
        os.makedirs(self.path("bin"), exist_ok=True)
        os.chmod(self.write("bin/" + name, text), 0o755)

    def started(self, *command, code=0, **environment):
        return self.run_program(command=list(command), code=code, PATH=self.path("bin") + ":" + os.environ["PATH"],
                                RELUOPT_MPI=self.path("bin/reluopt"), **environment)[0]

    def local(self, *arguments, **settings):
        return self.started(LAUNCH + "/local.sh", *arguments, **settings)

    def sweep(self, *arguments, **environment):
        shutil.copy(LAUNCH + "/sweep.slurm", self.path("spooled"))  # as Slurm does
        return self.started("bash", self.path("spooled"), *arguments,
                            **{"SLURM_JOB_ID": "7", "PLUGINS": "none pmix", **environment})

    def test_local(self):
        """As many ranks as cores are bound, fewer are not, more give way."""
        bound, free = "--map-by core --bind-to core", "--bind-to none"
        for arguments, ranks, binding, yields in ([], 4, bound, 0), (["-n", "4"], 4, bound, 0), \
                (["-n", "1"], 1, free, 0), (["-n", "5"], 5, free, 1):
            out = self.local(*arguments, "train", "--epochs", "2", SLURM_JOB_ID="7", SLURM_JOBID="7",
                             OMP_NUM_THREADS="1")
            self.assertEqual(out, "mpirun -np %d %s %s train --epochs 2 yield=%d threads=1\n"
                             % (ranks, binding, self.path("bin/reluopt"), yields))

    def test_local_usage(self):
        for arguments in ["-n"], ["-n", "x"], ["-n", "0"]:
            self.local(*arguments, code=2)
        out, _ = self.run_program(command=[LAUNCH + "/local.sh", "--help"])
        self.assertIn("-n NP", out)

    def test_local_runs(self):
        out, _ = self.run_program(command=[LAUNCH + "/local.sh", "-n", "2", "train", "--epochs", "1", "--out", "run"],
                                  RELUOPT_MPI=program.PROGRAM)
        self.assertIn("np 2", out)

    def test_sweep(self):
        """The seed is the index of the task; srun with pmix where there is one."""
        train = "%s train c.yaml --batch 50 --seed 3 --out out/seed-3" % self.path("bin/reluopt")
        task = {"SLURM_ARRAY_TASK_ID": "3", "SLURM_TASKS_PER_NODE": "4(x2)"}
        for settings, launch, yields in (
                ({"SLURM_CPUS_ON_NODE": "4"}, "srun --mpi=pmix --cpu-bind=cores", 0),
                ({"SLURM_CPUS_ON_NODE": "3"}, "srun --mpi=pmix", 1),
                ({"SLURM_CPUS_ON_NODE": "4", "PLUGINS": "none pmi2"}, "mpirun", 0)):
            out = self.sweep("out", "c.yaml", "--batch", "50", **task, **settings)
            self.assertEqual(out, "%s %s yield=%d threads=1\n" % (launch, train, yields))
        os.makedirs(self.path("out/seed-3"))
        self.write("out/seed-3/config.yaml", "")  # was interrupted
        self.assertIn("train --resume out/seed-3 --epochs 50 ", self.sweep("out", "c.yaml", "--epochs", "50", **task))

    def test_sweep_finds_its_folder(self):
        """Also where its path has blanks; otherwise it says what to do."""
        shutil.copytree(LAUNCH, self.path("my tools/launch"))
        self.share(self.path("my tools/launch"))
        self.assertIn("train c.yaml --seed 3", self.sweep("out", "c.yaml", SLURM_ARRAY_TASK_ID="3"))
        self.share(self.path("elsewhere"))
        shutil.copy(LAUNCH + "/sweep.slurm", self.path("spooled"))
        _, errors = self.run_program(command=["bash", self.path("spooled"), "out", "c.yaml"], code=2, SLURM_JOB_ID="7",
                                     SLURM_ARRAY_TASK_ID="3", PATH=self.path("bin") + ":" + os.environ["PATH"])
        self.assertIn("set RELUOPT_SHARE", errors)

    def test_train_usage(self):
        for arguments, job in (["run"], ""), ([], "7"):
            _, errors = self.run_program(command=["bash", LAUNCH + "/train.slurm", *arguments], code=2, SLURM_JOB_ID=job)
            self.assertIn("sbatch launch/train.slurm", errors)

    def test_sweep_usage(self):
        self.started("bash", LAUNCH + "/sweep.slurm", "out", "c.yaml", code=2)


if __name__ == "__main__":
    program.main()
