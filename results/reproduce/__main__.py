"""Reproduce the thesis's experiments: run what is missing, then write tables, figures and results/README.md.

A run that was interrupted is gone on with, a finished one is left alone.  Curves are kept with the results, and the report is
made from those: runs of several machines, or made long ago, go into it too.  ^C or TERM stops with checkpoints (exit code
75), and the report is written."""
import argparse
import os
import re
import sys

import generated
import report
import runs
import settings


def arguments():
    parser = argparse.ArgumentParser(prog="results/reproduce", description=__doc__)
    parser.add_argument("command", choices=["run", "plan", "report"], help="plan: what run would do, and how long it takes; "
                        "report: only write the results, of the runs that there are and of kept curves")
    parser.add_argument("--runs", default=None, metavar="DIR", help="folder of the runs (runs/reproduce; quick: runs/quick)")
    parser.add_argument("--out", default=None, metavar="DIR", help="folder of the results (results; quick: runs/quick/results)")
    parser.add_argument("--jobs", type=int, default=1, help="runs at a time (1)")
    parser.add_argument("--np", type=int, default=1, help="ranks of each run (1, which is fastest for each core)")
    parser.add_argument("--epochs", type=int, default=None, help="go no further for now; runs can be gone on with later")
    parser.add_argument("--only", default="", metavar="REGEX", help="runs whose name matches, such as '^mnist.*-1$'")
    parser.add_argument("--quick", action="store_true", help="all in small, on generated data: to see that it works")
    options = parser.parse_args()
    options.runs = options.runs or os.path.join(settings.TOP, "runs", "quick" if options.quick else "reproduce")
    options.out = options.out or os.path.join(options.runs if options.quick else settings.TOP, "results")
    return options


def work(options, every):
    """Plan and, unless that is all, run.  Returns an exit code."""
    chosen = [run for run in every if re.search(options.only, run.name)]
    for run in chosen:
        run.limit(options.epochs)
    environment = {}
    if options.quick:
        environment["RELUOPT_DATA"] = os.path.join(options.runs, "data")
        generated.stand_ins(environment["RELUOPT_DATA"])
    driver = runs.Driver(chosen, options.runs, options.jobs, options.np, environment)
    total = driver.plan()
    print(f"{len(chosen) - len(driver.queue)} of {len(chosen)} runs are done; the others take about "
          f"{runs.duration(total)} of processor time, {runs.duration(total / options.jobs)} here", flush=True)
    if options.command == "plan":
        for run in driver.queue:
            print(f"{runs.duration(driver.seconds(run)):>8}  {run.name}: epochs {run.done} to {run.target}")
        return 0
    return driver.work()


def main():
    options = arguments()
    every = runs.all_runs(options.runs, options.quick)
    code = work(options, every) if options.command != "report" else 0
    if options.command != "plan":
        report.write(runs.all_runs(options.runs, options.quick), options.out, options.quick)
        print(f"results in {options.out}")
    return code


if __name__ == "__main__":
    sys.exit(main())
