"""From a submission to the Paper that is examined: mended, and with what the instructor adds to it.

A paper is the same whether `make grade`, `nbgrader autograde` or the button in JupyterLab asks for
it, so the verdict on it is found once.
"""

import json
from functools import cache

import nbformat
from nbgrader.converters import Autograde
from nbgrader.nbgraderformat import MetadataValidator

from grader.cells import identity
from grader.course import CourseError, read_exercises
from grader.doctor import mend
from grader.examination import Paper
from grader.rescue import file_findings
from grader.seeds import student_key
from grader.verdicts import reference_path


def put_right(course, nb, student, unit, notebook, sources):
    """Mend a submission in place; what was found goes along in its metadata, as "findings".

    sources: as for make_paper
    """
    findings = file_findings(course, student, unit, notebook)
    findings = findings + mend(nb, read_release(course, unit, notebook, sources), sources)
    nb.metadata["findings"] = findings


def make_paper(course, nb, student, unit, notebook, sources, limits):
    """The paper of a mended submission, or of the instructor's own solution.

    sources: {grade_id: (cell type, source, locked)} of the gradebook, hidden tests included
    limits : {"timeout", "notebook_seconds", "output_bytes"}
    raises : CourseError, if it is no Python notebook
    """
    require_python(nb, notebook)
    reference = reference_path(course, unit, notebook)
    known = json.loads(reference.read_text(encoding="utf-8")) if reference.exists() else {}
    given = given_files(course, unit)
    own = set(Autograde(config=course.config).exclude_overwriting.get(unit, ()))
    handed_in = ordinary_files(course.submission_of(student, unit))
    return Paper(
        submission=nbformat.writes(nb),
        released=nbformat.writes(read_release(course, unit, notebook, sources)),
        key=student_key(course.classroom, student),
        exercises=unit_exercises(course.release_of(unit)),
        tests=tests_among(sources),
        files=handed_in | {name: given[name] for name in given if name not in own & {*handed_in}},
        given=given,
        reference=known.get("seconds", {}),
        **limits,
    )


def require_python(nb, notebook):
    kernel = nb.metadata.get("kernelspec", {})
    language = nb.metadata.get("language_info", {}).get("name", "python")
    language = kernel.get("language") or language
    if language.lower() not in ("python", "ipython"):
        raise CourseError(
            f"{notebook} is a notebook for {language}: here only Python notebooks are graded, "
            "others with nbgrader's own autograde_preprocessors."
        )


def tests_among(sources):
    """{grade_id: source} of the cells that nobody but the instructor may write."""
    kinds = sources.items()
    return {name: source for name, (kind, source, locked) in kinds if locked and kind == "code"}


def read_release(course, unit, notebook, sources):
    """The notebook as students were given it.

    Where the release was not kept, the instructor's own with its graded cells as they were
    released; where that is gone as well, the cells that the gradebook remembers.
    """
    name = f"{notebook}.ipynb"
    kept = course.release_of(unit) / name
    path = kept if kept.exists() else course.source_of(unit) / name
    if path.exists():
        nb = MetadataValidator().upgrade_notebook_metadata(nbformat.read(path, as_version=4))
        for cell in nb.cells if path != kept else ():
            if identity(cell) in sources:
                cell.source = sources[identity(cell)][1]
        return nb
    raise CourseError(
        f"{notebook}: neither its release nor its source is there, so nobody can tell "
        "the instructor's cells from the student's: nbgrader generate_assignment"
    )


def given_files(course, unit):
    """{relative path: content} of what lies beside the released notebooks."""
    release = course.release_of(unit)
    return ordinary_files(release if release.exists() else course.source_of(unit))


@cache
def unit_exercises(release):
    """Names of the exercises of the unit that was released to this folder."""
    return tuple(e.name for path in sorted(release.glob("*.ipynb")) for e in read_exercises(path))


def ordinary_files(folder, most_bytes=50_000_000):
    """{relative path: content} of the files below a folder: no notebooks, no links."""
    found = {}
    for path in sorted(folder.rglob("*")):
        inner = path.relative_to(folder)
        linked = any((folder / part).is_symlink() for part in [inner, *inner.parents[:-1]])
        kept = path.suffix != ".ipynb" and path.name != "timestamp.txt"
        if kept and not linked and path.is_file():
            most_bytes -= path.stat().st_size
            if most_bytes < 0:
                break
            found[str(inner)] = path.read_bytes()
    return found
