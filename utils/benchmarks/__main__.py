"""python -m utils.benchmarks [cpu] [--only PATTERN] [--quick]

Status 1 if a target is missed. Results are kept when everything was measured at full length.
"""

import argparse
import sys
from fnmatch import fnmatch
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def cpu(options):
    import torch
    from rich.console import Console
    from rich.progress import track
    from threadpoolctl import threadpool_limits

    from . import memory, report, timing
    from .cpu import CASES

    def chosen(cases, name):
        return [case for case in cases if fnmatch(name(case).lower(), f"*{options.only.lower()}*")]

    console = Console(width=None if sys.stdout.isatty() else 140)
    timed = chosen(CASES, str)
    weighed = chosen(memory.CASES, lambda case: case.name)
    pace = {"seconds": 0.2, "at_least": 3} if options.quick else {}
    torch.set_num_threads(1)
    times = []
    with threadpool_limits(1):
        for dtype in ("float64", "float32"):
            for case in track(timed, dtype, console=console, transient=True):
                times.append(timing.measure(case, dtype, **pace))
            if timed:
                console.print(report.table([t for t in times if t.dtype == dtype], dtype))
    peaks = []
    for case in weighed if options.only or not options.quick else []:
        peaks.append((case, memory.measure(case)))
        console.print(f"{case.name}: {peaks[-1][1]:.2f} GB at the peak, at most {case.wanted:g}")
    for dtype, mean in report.means(times).items():
        wanted = report.WANTED_MEAN[dtype]
        console.print(f"Geometric mean in {dtype}: {mean:.2f}, wanted at most {wanted:g}")
    if not options.only and not options.quick:
        report.write(times, peaks, RESULTS, "cpu")
        console.print("Kept as utils/benchmarks/results/cpu.md and cpu.png")
    failures = report.missed(times, peaks)
    for sentence in failures:
        console.print(f"Missed: {sentence}", style="bold red", highlight=False)
    return 1 if failures else 0


RUNS = {"cpu": cpu}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m utils.benchmarks")
    parser.add_argument("where", nargs="?", choices=sorted(RUNS), default="cpu")
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases whose name has it")
    parser.add_argument("--quick", action="store_true", help="rough times, nothing is kept")
    options = parser.parse_args(arguments)
    return RUNS[options.where](options)


if __name__ == "__main__":  # memory.measure starts processes, which import this module again
    sys.exit(main())
