"""`make check-submission`: what the submission doctor says of a student's own notebooks."""

import subprocess
from dataclasses import dataclass

import nbformat

from grader.course import CourseError
from grader.doctor import mend
from grader.rescue import sort_out


@dataclass(frozen=True)
class Checked:
    """One notebook before it is handed in."""

    unit: str
    notebook: str
    findings: tuple[str, ...] = ()  # what grading will put right
    problem: str = ""  # what nobody can put right


def check_units(course, units):
    """Look at the notebooks of each unit as grading will, and change none; yield a Checked each."""
    for unit in units:
        released = as_released(course, unit)
        for name in released:
            try:
                yield look(course, unit, name, released)
            except CourseError as error:
                yield Checked(unit, name, problem=str(error))


def look(course, unit, name, released):
    """Look at one notebook, whatever its file is called.

    raises: CourseError, where the file cannot be read
    """
    files = {
        path.name: path.read_bytes()
        for path in (course.release / unit).glob("*.ipynb")
        if path.name == name or path.name not in released
    }
    found = sort_out(files, released).get(name)
    if not found:
        return Checked(unit, name, problem=f"{name} is not in course/{unit}.")
    sources = {
        cell.metadata.nbgrader.grade_id: (
            cell.cell_type,
            cell.source,
            cell.metadata.nbgrader.locked,
        )
        for cell in released[name].cells
        if "nbgrader" in cell.metadata
    }
    own = nbformat.reads(found.content, as_version=4)
    findings = mend(own, released[name], sources)
    return Checked(unit, name, (*found.findings, *findings))


def as_released(course, unit):
    """{file name: notebook} as the student was given them: from the bundle, or from git."""
    given = sorted((course.root / ".released" / unit).glob("*.ipynb"))
    if given:
        return {path.name: nbformat.read(path, as_version=4) for path in given}
    folder = f"{course.release.relative_to(course.root)}/{unit}"
    names = git(course, "ls-tree", "--name-only", f"HEAD:./{folder}").splitlines()
    return {
        name: nbformat.reads(git(course, "show", f"HEAD:./{folder}/{name}"), as_version=4)
        for name in names
        if name.endswith(".ipynb")
    }


def git(course, *words):
    done = subprocess.run(["git", *words], cwd=course.root, capture_output=True, text=True)
    if done.returncode:
        raise CourseError(
            "The notebooks as they were released are not here to compare with: use the course as "
            "you were given it, with its folder .released, or a clone of its repository."
        )
    return done.stdout
