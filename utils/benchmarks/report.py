"""Measured times as a table and as a picture."""

import datetime
import os
import platform
from importlib.metadata import version
from itertools import groupby

import numpy as np
from matplotlib.ticker import FixedLocator
from rich.table import Table

from utils.figures.figure import BLUE, GREY, ORANGE, VERMILLION, Figure, styled

WANTED_MEAN = {"float64": 1.0, "float32": 1.3}  # of all cases, geometric
PACKAGES = ("numpy", "torch", "scipy", "scikit-learn")


def geometric_mean(ratios):
    return float(np.exp(np.mean(np.log(ratios))))


def missed(times, peaks):
    """A sentence for each target that was not met. float32 has one for all cases together."""
    sentences = late(times)
    for dtype, mean in means(times).items():
        if mean > WANTED_MEAN[dtype]:
            sentences.append(f"geometric mean in {dtype}: {mean:.2f}, wanted {WANTED_MEAN[dtype]}")
    for case, gigabytes in peaks:
        if gigabytes > case.wanted:
            sentences.append(f"{case.name}: {gigabytes:.2f} GB, wanted {case.wanted:g}")
    return sentences


def late(times):
    """A sentence for each case slower than wanted."""
    return [
        f"{t.case}: {t.ratio:.2f} of {t.case.peer}'s time, wanted {t.wanted:g}"
        for t in times
        if t.wanted and t.ratio > t.wanted
    ]


def means(times):
    """{dtype: the geometric mean of its ratios}"""
    dtypes = dict.fromkeys(t.dtype for t in times)
    return {d: geometric_mean([t.ratio for t in times if t.dtype == d]) for d in dtypes}


def machine():
    """The machine in words: CPU, cores, system, versions."""
    cpu = platform.processor() or platform.machine()
    if os.path.exists("/proc/cpuinfo"):
        with open("/proc/cpuinfo") as lines:
            names = [line.split(":")[1].strip() for line in lines if line.startswith("model name")]
        cpu = names[0] if names else cpu
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    return (
        f"{cpu}, {os.cpu_count()} cores of which one is used, {platform.system()}, "
        f"Python {platform.python_version()}, {packages}"
    )


HEADER = ("case", "peer", "ours, ms", "peer, ms", "forward", "backward", "ratio", "wanted", "")


def rows(times):
    """The table's cells, as text, under HEADER."""
    for t in times:
        forward, backward = ("" if r is None else f"{r:.2f}" for r in t.ratios)
        mark = "" if t.wanted is None else "ok" if t.ratio <= t.wanted else "missed"
        yield (
            str(t.case), t.case.peer, _milliseconds(t.ours), _milliseconds(t.peer),
            forward, backward, f"{t.ratio:.2f}", f"{t.wanted:g}" if t.wanted else "", mark,
        )  # fmt: skip


def _milliseconds(seconds):
    return f"{1e3 * sum(seconds):.4g}"


def table(times, what):
    """For the terminal. what : a few words, to stand above it."""
    grid = Table(title=f"{what}: ratio is our time over the peer's")
    for i, name in enumerate(HEADER):
        grid.add_column(name, justify="left" if i < 2 else "right")
    for row in rows(times):
        grid.add_row(*row, style="bold red" if row[-1] == "missed" else "")
    return grid


def markdown(times, peaks, picture):
    """The page that is kept: what, where and when; then a table for each dtype."""
    today = datetime.date.today()
    lines = [
        "# Our time beside a peer's",
        "",
        f"Measured {today.day} {today:%B %Y} by `make bench` on {machine()}.",
        "",
        "Both sides compute the same numbers, in turns, on one thread; the shortest times count.",
        "Ratio: our time over the peer's, forward and backward together; below 1 we are faster.",
        "",
        f"![Ratio of every case]({picture})",
        "",
        *_grid(
            ("geometric mean of the ratios", "wanted"),
            [(f"{d}: {mean:.2f}", f"{WANTED_MEAN[d]:g}") for d, mean in means(times).items()],
        ),
    ]
    for dtype, of_dtype in groupby(times, key=lambda t: t.dtype):
        lines += ["", f"## {dtype}", "", *_grid(HEADER, rows(of_dtype))]
    cells = [(case.name, f"{gb:.2f}", f"{case.wanted:g}") for case, gb in peaks]
    lines += ["", "## Memory", "", *_grid(("case", "GB at the peak", "at most"), cells)]
    return "\n".join(lines) + "\n"


def gpu_markdown(times, unmeasured, speeds, machine, picture):
    """The page of the GPU. unmeasured : [(case, why)], speeds : sentences, machine : in words"""
    today = datetime.date.today()
    lines = [
        "# Our time beside torch's best on a GPU",
        "",
        f"Measured {today.day} {today:%B %Y} by `make bench-gpu` on {machine}.",
        "",
        "Both sides compute the same numbers, in turns, timed by CUDA events while the CPU runs",
        "ahead; the median counts. tf32 is float32 with its factors rounded to 10 bits.",
        "Ratio: our time over the peer's, forward and backward together; below 1 we are faster.",
        "",
        f"![Ratio of every case]({picture})",
    ]
    for dtype, of_dtype in groupby(sorted(times, key=_dtype), key=_dtype):
        lines += ["", f"## {dtype}", "", *_grid(HEADER, rows(of_dtype))]
    lines += ["", "## GPT", "", *[f"- {sentence}" for sentence in speeds]] if speeds else []
    failed = [f"- {case}: {why}" for case, why in unmeasured]
    lines += ["", "## Not measured", "", *failed] if failed else []
    return "\n".join(lines) + "\n"


def _dtype(times):
    return times.dtype


def _grid(header, cells):
    lines = [header, ["---"] * len(header), *cells]
    return ["| " + " | ".join(line) + " |" for line in lines]


@styled
def ratio_dots(times, *, title="Our time over the peer's, one thread"):
    """The ratio of every case on a logarithmic axis: a dot left of 1 is faster than its peer.

    times : list of Times, of one dtype or of several
    """
    dtypes = list(means(times))
    cases = list(dict.fromkeys(str(t.case) for t in times))
    place = {case: row for row, case in enumerate(cases)}
    fig = Figure(8.0, 1.6 + 0.21 * len(cases))
    ax = fig.subplots()
    for row in range(0, len(cases), 2):
        ax.axhspan(row - 0.5, row + 0.5, color="#f5f5f5", zorder=0)
    for t in times:
        ax.plot(
            [t.case.wanted] * 2, np.array([-0.4, 0.4]) + place[str(t.case)], color=VERMILLION,
            linewidth=1.5,
        )  # fmt: skip
    looks = {
        "float64": ("o", BLUE, BLUE),
        "float32": ("D", "white", ORANGE),
        "tf32": ("s", GREY, GREY),
        "bfloat16": ("o", BLUE, BLUE),
    }
    for dtype in dtypes:
        mark, face, edge = looks[dtype]
        of_dtype = [t for t in times if t.dtype == dtype]
        ax.plot(
            [t.ratio for t in of_dtype], [place[str(t.case)] for t in of_dtype], mark,
            color=edge, markerfacecolor=face, markersize=5.5,
            label=f"{dtype}, geometric mean {means(times)[dtype]:.2f}",
        )  # fmt: skip
    aimed = ", ".join(dict.fromkeys(t.dtype for t in times if t.wanted))
    ax.plot([], [], color=VERMILLION, linewidth=1.5, label=f"wanted at most, in {aimed}")
    ax.axvline(1, color=GREY, linewidth=1, zorder=1)  # below what is wanted, where that is 1
    ax.set_xscale("log")
    ratios = [t.ratio for t in times]
    ax.set_xlim(min(0.2, min(ratios) / 1.2), max(4.0, max(ratios) * 1.2))
    ax.xaxis.set_major_locator(FixedLocator([0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50]))
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.minorticks_off()
    ax.set_yticks(range(len(cases)), cases)
    ax.set_ylim(len(cases) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    ax.set(title=title, xlabel="ratio, logarithmic; left of 1 we are faster")
    fig.legend(loc="outside lower center", ncols=3)
    slower = len(late(times))
    each = ", ".join(f"{mean:.2f} in {dtype}" for dtype, mean in means(times).items())
    fig.alt = (
        f"Ratio of our time to the peer's for {len(cases)} cases; geometric mean {each}; "
        f"{slower} of them above what is wanted."
    )
    return fig


def write(times, peaks, folder, name):
    """name.md and name.png in the folder."""
    (folder / f"{name}.png").write_bytes(ratio_dots(times).png())
    (folder / f"{name}.md").write_text(markdown(times, peaks, f"{name}.png"))


def write_gpu(times, unmeasured, speeds, machine, folder):
    """gpu.md and gpu.png in the folder."""
    folder.mkdir(exist_ok=True)
    fig = ratio_dots(times, title="Our time over the peer's, on a GPU")
    (folder / "gpu.png").write_bytes(fig.png())
    (folder / "gpu.md").write_text(gpu_markdown(times, unmeasured, speeds, machine, "gpu.png"))
