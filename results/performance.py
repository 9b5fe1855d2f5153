#!/usr/bin/python3
"""Print the tables of results/performance.md from the reports that performance.sh collected.

usage: performance.py FOLDER        FOLDER/*.json: reports of reluopt-mpi bench, the repetitions of one setting in one file"""
import glob
import json
import os
import sys


def reports(path):
    with open(path) as file:
        return [json.loads(line) for line in file if line.startswith("{")]


def best(runs):
    return min(runs, key=lambda run: run["median_step_seconds"])


def steps_table(all_runs):
    print("| setting | np | ms a step: best median (all medians) | samples/s | GFLOP a step | GFLOP/s | of the FMA peak | "
          "MB gathered a step | messages | MB a rank |\n|---|---|---|---|---|---|---|---|---|---|")
    for name, runs in all_runs:
        run = best(runs)
        medians = sorted(1e3 * r["median_step_seconds"] for r in runs)
        messages = run["messages_per_step"]
        print(f"| {name.rsplit('-np', 1)[0]} | {run['np']} | {medians[0]:.2f} ({medians[0]:.2f} to {medians[-1]:.2f}) | "
              f"{run['samples_per_second']:.0f} | {1e-9 * run['flops_per_step']['total']:.3f} | "
              f"{1e-9 * run['flops_per_step']['total'] / run['median_step_seconds']:.1f} | "
              f"{100 * run['share_of_peak']:.1f} % | {1e-6 * messages['gather']['bytes']:.2f} | "
              f"{sum(kind['calls'] for kind in messages.values()):.0f} | {1e-6 * run['allocated_bytes']['most']:.1f} |")


def phases_table(all_runs):
    phases = [p for p in best(all_runs[0][1])["time"] if p != "total"]
    phases = [p for p in phases if any(best(runs)["time"][p]["mean"] > 0 for _, runs in all_runs)]
    print(f"\nMilliseconds a step by phase, mean of the ranks.\n\n| setting | np | {' | '.join(phases)} |")
    print("|---" * (2 + len(phases)) + "|")
    for name, runs in all_runs:
        run = best(runs)
        cells = [f"{1e3 * run['time'][p]['mean'] / run['steps']:.2f}" for p in phases]
        print(f"| {name.rsplit('-np', 1)[0]} | {run['np']} | {' | '.join(cells)} |")


def main(folder):
    all_runs = [(os.path.basename(path)[:-5], reports(path)) for path in sorted(glob.glob(os.path.join(folder, "*.json")))]
    all_runs = [(name, runs) for name, runs in all_runs if runs]
    if not all_runs:
        sys.exit(f"{folder}: no reports")
    peaks = sorted(run["peak_flops_per_second"] / run["np"] * 1e-9 for _, runs in all_runs for run in runs)
    kernels = sorted({run["kernel"] for _, runs in all_runs for run in runs})
    print(f"BLAS kernel: {', '.join(kernels)}. FMA peak: {peaks[-1]:.1f} GFLOP/s a rank at best; in the slowest of "
          f"{len(peaks)} runs {peaks[0]:.1f}.\n")
    steps_table(all_runs)
    phases_table(all_runs)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
