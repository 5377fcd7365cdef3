"""A submission on its way: the student packs a unit, the instructor collects what came in.

The parcel is a zip file `<student>_<unit>.zip` that holds the unit's notebooks and nothing else. It
can travel by any road: a learning platform, a shared folder, e-mail.
"""

import json
import re
import shutil
import time
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import nbformat

from grader.course import STUDENT_ID, CourseError

MOST_BYTES = 50_000_000  # of one notebook; with figures they stay far below


def pack(course, unit, student, folder):
    """Zip the notebooks of a unit for handing in.

    returns: the path of the zip file
    raises : CourseError, if the name or a notebook is not fit to be graded
    """
    check_name(student)
    unit = course.unit(unit)
    for path in course.notebooks(unit):
        check_notebook(path.name, path.read_bytes())
    folder.mkdir(parents=True, exist_ok=True)
    parcel = folder / f"{student}_{unit}.zip"
    with zipfile.ZipFile(parcel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in course.notebooks(unit):
            archive.write(path, path.name)
    return parcel


def check_name(student):
    if not STUDENT_ID.fullmatch(student):
        raise CourseError(
            f"{student!r} cannot be a student's name here: "
            "use letters, digits, dots, @ and hyphens, starting with a letter or digit."
        )


def check_notebook(name, content):
    """Say in one sentence what makes these bytes no notebook, if anything does."""
    try:
        text = content.decode("utf-8")
        json.loads(text)  # nbformat would not say where it is broken
        nbformat.reads(text, as_version=4)
    except json.JSONDecodeError as error:
        raise CourseError(
            f"{name} is broken: its JSON cannot be read (line {error.lineno}). "
            "Open it in JupyterLab and save it again."
        ) from None
    except Exception as error:  # nbformat raises many kinds
        raise CourseError(f"{name} is not a notebook that Jupyter can read ({error}).") from None


@dataclass(frozen=True)
class Arrival:
    """What became of one parcel."""

    parcel: Path
    student: str = ""
    unit: str = ""
    missing: tuple[str, ...] = ()  # notebooks of the unit that it does not hold
    problem: str = ""  # why it could not be taken


def collect(course, folder, enrolled=None):
    """Bring what came in to where nbgrader grades it; yield an Arrival for each parcel.

    A parcel that cannot be taken is only named. A newer parcel replaces an older submission, and
    the older one is kept in class/replaced/.

    folder  : where the zip files are, in any depth
    enrolled: ids of the students of this class; None takes every name
    """
    if not folder.is_dir():
        raise CourseError(f"There is no folder {folder}. Name the one with the zip files: FROM=...")
    parcels = sorted(folder.rglob("*.zip"), key=lambda path: path.stat().st_mtime)
    if not parcels:
        raise CourseError(f"There are no zip files in {folder}.")
    for parcel in parcels:
        try:
            student, unit = address(course, parcel, enrolled)
            notebooks = unpack(course, parcel, unit)
        except CourseError as error:
            yield Arrival(parcel, problem=str(error))
            continue
        place(course, parcel, student, unit, notebooks)
        names = [path.name for path in course.notebooks(unit)]
        missing = tuple(name for name in names if name not in notebooks)
        yield Arrival(parcel, student, unit, missing)


def address(course, parcel, enrolled):
    """(student, unit) from the name of a parcel; a learning platform may add to both its ends."""
    units = "|".join(map(re.escape, course.units))
    found = re.search(rf"([^_/]+)_({units})", parcel.stem)
    if not found:
        raise CourseError(
            "its name does not say whose it is and which unit: it should be "
            f"<student>_<unit>.zip, with one of the units {', '.join(course.units)}."
        )
    student, unit = found.groups()
    check_name(student)
    if enrolled is not None and student not in enrolled:
        raise CourseError(
            f"{student!r} is not in class/students.csv: add a line there, or ask who it is."
        )
    return student, unit


def unpack(course, parcel, unit):
    """{notebook file name: bytes} of the unit's notebooks in a parcel; everything else is left."""
    expected = [path.name for path in course.notebooks(unit)]
    try:
        with zipfile.ZipFile(parcel) as archive:
            found = {Path(info.filename).name: info for info in archive.infolist()}
            wanted = {name: found[name] for name in expected if name in found}
            if not wanted:
                raise CourseError(f"it holds none of {', '.join(expected)}.")
            for name, info in wanted.items():
                if info.file_size > MOST_BYTES:
                    raise CourseError(f"{name} has {info.file_size:,} bytes: too large.")
            notebooks = {name: archive.read(info) for name, info in wanted.items()}
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise CourseError(f"the zip file cannot be read ({error}): ask for it again.") from None
    for name, content in notebooks.items():
        check_notebook(name, content)
    return notebooks


def place(course, parcel, student, unit, notebooks):
    """Write a submission where nbgrader looks for it, with the time at which the parcel arrived."""
    arrived = datetime.fromtimestamp(parcel.stat().st_mtime, UTC)
    stamp = arrived.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    target = course.submitted / student / unit
    if target.exists():
        if (target / "timestamp.txt").read_text() >= stamp:
            return  # collected before
        kept = course.classroom / "replaced" / f"{student}_{unit}_{time.time_ns()}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(target, kept)
    target.mkdir(parents=True)
    for name, content in notebooks.items():
        (target / name).write_bytes(content)
    (target / "timestamp.txt").write_text(stamp)
