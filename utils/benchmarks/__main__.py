"""python -m utils.benchmarks [cpu | gpu] [--only PATTERN] [--quick]

    python -m utils.benchmarks gpu --tiny [--device cpu]

Status 1 if a target is missed or a case fails. Results are kept when everything was measured at
full length.
"""

import argparse
import sys
from fnmatch import fnmatch
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def chosen(cases, pattern, name=str):
    return [case for case in cases if fnmatch(name(case).lower(), f"*{pattern.lower()}*")]


def cpu(options):
    import torch
    from rich.console import Console
    from rich.progress import track
    from threadpoolctl import threadpool_limits

    from . import memory, report, timing
    from .cpu import CASES

    console = Console(width=None if sys.stdout.isatty() else 140)
    timed = chosen(CASES, options.only)
    weighed = chosen(memory.CASES, options.only, lambda case: case.name)
    pace = {"seconds": 0.2, "at_least": 3} if options.quick else {}
    torch.set_num_threads(1)
    times = []
    with threadpool_limits(1):
        for dtype in ("float64", "float32"):
            for case in track(timed, dtype, console=console, transient=True):
                times.append(timing.measure(case, dtype, **pace))
            if timed:
                of_dtype = [t for t in times if t.dtype == dtype]
                console.print(report.table(of_dtype, f"{dtype}, one thread"))
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


def gpu(options):
    import torch

    device = torch.device(options.device)
    if device.type == "cuda" and not torch.cuda.is_available():
        print("There is no CUDA device here, so nothing was measured.")
        return 0

    from rich.console import Console
    from rich.progress import track

    from . import report, timing
    from .gpu import CASES, gpt
    from .gpu.device import clock, machine, name_of, settings

    console = Console(width=None if sys.stdout.isatty() else 140)
    pace = {"seconds": 0.2, "at_least": 1} if options.quick or options.tiny else {}
    times, unmeasured = [], []
    for case in track(chosen(CASES, options.only), str(device), console=console, transient=True):
        (dtype,) = case.dtypes
        try:
            with settings(dtype, device):
                where = {"clock": clock(device), "tiny": options.tiny, "device": device}
                times.append(timing.measure(case, dtype, **pace, **where))
        except Exception as error:  # out of memory, no such kernel, no agreement: on to the next
            first_line = str(error).strip().partition("\n")[0]
            unmeasured.append((case, f"{type(error).__name__}, {first_line}"))
    failures = [f"Not measured: {case}: {why}" for case, why in unmeasured]
    if options.tiny:
        console.print(f"Cases that ran and agreed, at toy sizes: {len(times)}", highlight=False)
    else:
        name = name_of(device)
        speeds = gpt.speeds(times, name)
        console.print(report.table(times, name))
        for sentence in speeds:
            console.print(sentence, highlight=False)
        if times and not options.only and not options.quick:
            report.write_gpu(times, unmeasured, speeds, machine(device), RESULTS)
            console.print("Kept as utils/benchmarks/results/gpu.md and gpu.png")
        failures += [f"Missed: {s}" for s in report.late(times) + gpt.idle(times, name)]
    for sentence in failures:
        console.print(sentence, style="bold red", highlight=False, markup=False)
    return 1 if failures else 0


RUNS = {"cpu": cpu, "gpu": gpu}


def main(arguments=None):
    parser = argparse.ArgumentParser(prog="python -m utils.benchmarks")
    parser.add_argument("where", nargs="?", choices=sorted(RUNS), default="cpu")
    parser.add_argument("--only", default="", metavar="PATTERN", help="cases whose name has it")
    parser.add_argument("--quick", action="store_true", help="rough times, nothing is kept")
    toy = "for gpu: do the cases run and agree, at toy sizes? also on the CPU; nothing is kept"
    parser.add_argument("--device", choices=["cuda", "cpu"], default="cuda", help="for gpu")
    parser.add_argument("--tiny", action="store_true", help=toy)
    options = parser.parse_args(arguments)
    if options.where == "gpu" and options.device == "cpu" and not options.tiny:
        parser.error("on the CPU one can only see whether the cases run: add --tiny")
    if options.where == "cpu" and (options.device != "cuda" or options.tiny):
        parser.error("--device and --tiny are for gpu")
    return RUNS[options.where](options)


if __name__ == "__main__":  # memory.measure starts processes, which import this module again
    sys.exit(main())
