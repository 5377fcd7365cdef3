"""Verdicts on disk, class/verdicts/<student>/<unit>/<notebook>.json: found once, kept, traceable.

A verdict counts only for exactly what it was found for: its key is a digest of the submission, the
release, the student's seed, the checks and the versions underneath. So whoever grades, and however
often a run is interrupted, the same submission gets the same score; and each score says what it
stands on.
"""

import json
import os
import platform
import time
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from pathlib import Path

import nbformat

from grader.cells import identity
from grader.examination import examine
from grader.files import digest, write_whole
from grader.sandbox.zygote import UNSAFE

CODE = Path(__file__).resolve().parents[1]
DECIDING = ["grader/cells.py", "grader/checking.py", "grader/doctor.py", "grader/examination.py"]
DECIDING += ["grader/judge.py", "grader/seeds.py", "grader/withholding.py"]
DECIDING += ["grader/checks/*.py", "grader/sandbox/**/*.py"]
DECIDING += ["utils/data/*.py", "utils/gpu/*.py", "utils/reference/*.py"]


def verdict_folder(course, student, unit):
    return course.classroom / "verdicts" / student / unit


def verdict_path(course, student, unit, notebook):
    return verdict_folder(course, student, unit) / f"{notebook}.json"


def reference_path(course, unit, notebook):
    """Where the verdict on the instructor's own solution is kept: how long each cell may take."""
    return course.classroom / "reference" / unit / f"{notebook}.json"


def verdict_on(paper, path):
    """The verdict on a paper: the one in the file, if it is on this very paper, or a new one."""
    verdict = known_verdict(paper, path)
    if verdict is None:
        verdict = new_verdict(paper)
        keep_verdict(verdict, path)
    return verdict


def known_verdict(paper, path):
    """The verdict in the file, if it is on this very paper, else None."""
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return known if known.get("key") == paper_key(paper) else None


def new_verdict(paper):
    """Examine a paper: from plain data to plain data, in whichever process of whichever machine."""
    start = time.monotonic()
    return {
        "key": paper_key(paper),
        "submission": digest(paper.submission),
        "release": digest(paper.released),
        "seed": digest(paper.key)[:16],  # to compare, not to use
        "checks": checks_version(),
        "environment": environment(),
        "findings": nbformat.reads(paper.submission, as_version=4).metadata.get("findings", []),
        **examine(paper),
        "took": time.monotonic() - start,
        "graded": time.strftime("%Y-%m-%d %H:%M:%S"),
    }


def keep_verdict(verdict, path):
    write_whole(path, json.dumps(verdict, ensure_ascii=False, indent=1))


def paper_key(paper):
    """A digest of all that a verdict depends on; times of the reference run may waver."""
    cells = nbformat.reads(paper.submission, as_version=4).cells
    parts = asdict(paper) | {"reference": sorted(paper.reference)}
    parts["submission"] = [(c.cell_type, c.source, identity(c)) for c in cells]
    for folder in ("files", "given"):
        parts[folder] = {name: digest(content) for name, content in parts[folder].items()}
    return digest(json.dumps([parts, checks_version(), environment()], sort_keys=True))


@cache
def checks_version():
    """A digest of the code that decides: checks, judge, sandbox, and what they compare with."""
    kept = sorted(path for pattern in DECIDING for path in CODE.glob(pattern))
    return digest("".join(digest(path.read_bytes()) for path in kept))[:16]


def environment():
    """What else a verdict stands on: versions, and whether there was a sandbox."""
    packages = ("numpy", "torch", "nbgrader", "ipykernel")
    found = {"python": platform.python_version()} | {name: version(name) for name in packages}
    return found | {"sandbox": "none" if UNSAFE in os.environ else "bubblewrap"}
