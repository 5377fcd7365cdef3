"""A submission on its way: the student packs a unit, the instructor collects what came in.

The parcel is a zip file `<student>_<unit>.zip` that holds the unit's notebooks and nothing else. It
can travel by any road: a learning platform, a shared folder, e-mail.
"""

import mmap
import re
import shutil
import tempfile
import time
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from grader.course import STUDENT_ID, CourseError
from grader.rescue import MOST_BYTES, heal, released_notebooks, sort_out, store

MOST_UNPACKED = 1_000_000_000  # bytes of all notebooks in a parcel, outputs included


def pack(course, unit, student, folder):
    """Zip the notebooks of a unit for handing in.

    returns: the path of the zip file
    raises : CourseError, if the name or a notebook is not fit to be graded
    """
    check_name(student)
    unit = course.unit(unit)
    notebooks = {
        path.name: heal(path.name, path.read_bytes())[0] for path in course.notebooks(unit)
    }
    folder.mkdir(parents=True, exist_ok=True)
    parcel = folder / f"{student}_{unit}.zip"
    with zipfile.ZipFile(parcel, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in notebooks.items():
            archive.writestr(name, content)
    return parcel


def check_name(student):
    if not STUDENT_ID.fullmatch(student):
        raise CourseError(
            f"{student!r} cannot be a student's name here: "
            "use letters, digits, dots, @ and hyphens, starting with a letter or digit."
        )


@dataclass(frozen=True)
class Arrival:
    """What became of one parcel."""

    parcel: Path
    student: str = ""
    unit: str = ""
    missing: tuple[str, ...] = ()  # notebooks of the unit that it does not hold
    findings: tuple[str, ...] = ()  # what was put right
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
            found = unpack(course, parcel, unit)
        except CourseError as error:
            yield Arrival(parcel, problem=str(error))
            continue
        place(course, parcel, student, unit, found)
        missing = tuple(p.name for p in course.notebooks(unit) if p.name not in found)
        said = tuple(f"{name}: {words}" for name in found for words in found[name].findings)
        yield Arrival(parcel, student, unit, missing, said)


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
    """{notebook of the unit: Found} of what a parcel holds; everything else is left.

    Nothing is written under a name, or at a place, that the parcel chose.
    """
    released = released_notebooks(course, unit)
    try:
        with zipfile.ZipFile(parcel) as archive:
            infos = [info for info in archive.infolist() if is_notebook(Path(info.filename))]
            size = sum(info.file_size for info in infos)
            if size > MOST_UNPACKED:
                raise CourseError(f"its notebooks have {size:,} bytes: too large.")
            found = sort_out({info.filename: unzip(archive, info) for info in infos}, released)
    except (zipfile.BadZipFile, OSError, RuntimeError, NotImplementedError) as error:
        raise CourseError(f"the zip file cannot be read ({error}): ask for it again.") from None
    if not found:
        raise CourseError(f"it holds none of {', '.join(released)}.")
    return found


def is_notebook(path):
    """Whether it is one by its name, and not what an operating system or an editor left."""
    left = {"__MACOSX", ".ipynb_checkpoints"} & {*path.parts} or path.name.startswith("._")
    return path.suffix == ".ipynb" and not left


def unzip(archive, info):
    """The content of one file of an archive, in memory only where it is small."""
    if info.file_size <= MOST_BYTES:
        return archive.read(info)
    with archive.open(info) as packed, tempfile.TemporaryFile() as file:
        shutil.copyfileobj(packed, file)
        file.flush()
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def place(course, parcel, student, unit, found):
    """Write a submission where nbgrader looks for it, with the time at which the parcel arrived."""
    arrived = datetime.fromtimestamp(parcel.stat().st_mtime, UTC)
    stamp = arrived.strftime("%Y-%m-%d %H:%M:%S.%f UTC")
    target = course.submitted / student / unit
    if target.exists():
        known = target / "timestamp.txt"  # written last: collecting may have been stopped
        if known.exists() and known.read_text() >= stamp:
            return  # collected before
        kept = course.classroom / "replaced" / f"{student}_{unit}_{time.time_ns()}"
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(target, kept)
    target.mkdir(parents=True)
    store(course, student, unit, found)
    (target / "timestamp.txt").write_text(stamp)
