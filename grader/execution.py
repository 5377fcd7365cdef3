"""The steps of `nbgrader autograde` that this course replaces.

Whether `make grade`, `nbgrader autograde` or the button in JupyterLab asks: the verdict on a
submission is found in one way, by grader.examination, and kept by grader.verdicts.
"""

import json
from functools import cache

import nbformat
from nbgrader.converters import Autograde
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.preprocessors import Execute, NbGraderPreprocessor, SaveAutoGrades
from nbgrader.utils import is_solution
from traitlets import Float, Integer

from grader.cells import identity, is_test
from grader.course import CourseError, read_exercises
from grader.doctor import mend
from grader.examination import Paper, fault_output
from grader.foreign import AnyCourse
from grader.gradebook import source_cells
from grader.rescue import file_findings
from grader.seeds import student_key
from grader.verdicts import verdict_on


class Mend(NbGraderPreprocessor):
    """Put right what became of the instructor's cells on their way, before nbgrader looks."""

    def preprocess(self, nb, resources):
        course, where = course_of(self), resources["nbgrader"]
        place = where["student"], where["assignment"], where["notebook"]
        put_right(course, nb, *place, source_cells(course, place[1])[place[2]])
        return nb, resources


class GradingExecute(Execute):
    """In place of nbgrader's Execute: fill in the outputs that the verdict holds.

    What is set for Execute holds here, too: the timeout, and `--no-execute`.
    """

    timeout = Float(
        30.0,
        allow_none=True,
        help="Seconds for a cell that the instructor's run knows no time of.",
    ).tag(config=True)
    notebook_seconds = Float(300.0, help="Seconds for all cells of a notebook.").tag(config=True)
    output_bytes = Integer(1_000_000, help="What one cell may print and draw.").tag(config=True)

    def preprocess(self, nb, resources):
        course, where = course_of(self), resources["nbgrader"]
        place = where["student"], where["assignment"], where["notebook"]
        sources = source_cells(course, where["assignment"])[where["notebook"]]
        paper = make_paper(course, nb, *place, sources)
        verdict = verdict_on(paper, verdict_path(course, *place))
        for index, outputs in verdict["outputs"].items():
            nb.cells[int(index)].outputs = [nbformat.from_dict(output) for output in outputs]
        for cell in filter(is_test, nb.cells):
            outcome = verdict["outcomes"].get(identity(cell), "crashed")
            failed = any(output.output_type == "error" for output in cell.outputs)
            if outcome != "ok" and not failed:  # no points by silence
                cell.outputs = [fault_output(outcome, "there is no verdict on this question.")]
        where["verdict"] = verdict
        return nb, resources

    def limits(self):
        """The limits of a Paper; no timeout, or a negative one, is nbgrader's word for none."""
        unlimited = self.timeout is None or self.timeout < 0
        return {
            "timeout": self.notebook_seconds if unlimited else self.timeout,
            "notebook_seconds": self.notebook_seconds,
            "output_bytes": self.output_bytes,
        }


class SaveVerdicts(SaveAutoGrades):
    """Save scores as nbgrader does, and beside each answer, as a comment, what its test said."""

    def preprocess(self, nb, resources):
        outcomes = resources["nbgrader"].get("verdict", {}).get("outcomes")
        if outcomes is None:  # --no-execute: what the student's file shows is no verdict
            for cell in filter(is_test, nb.cells):
                cell.outputs = [fault_output("no verdict", "this question was not graded.")]
            outcomes = {}
        self.words, answer = {}, None
        for cell in nb.cells:
            if is_solution(cell):
                answer = identity(cell)
            elif is_test(cell) and answer and outcomes.get(identity(cell), "ok") != "ok":
                said = next(o.evalue for o in cell.outputs if o.output_type == "error")
                self.words[answer] = f"{outcomes[identity(cell)]}: {said}"
        return super().preprocess(nb, resources)

    def _add_comment(self, cell, resources):
        super()._add_comment(cell, resources)
        where = self.notebook_id, self.assignment_id, self.student_id
        comment = self.gradebook.find_comment(identity(cell), *where)
        if comment.auto_comment is None and identity(cell) in self.words:
            comment.auto_comment = self.words[identity(cell)]
            self.gradebook.db.commit()


def course_of(step):
    return AnyCourse(step.parent.parent)  # preprocessor -> exporter -> converter


def put_right(course, nb, student, unit, notebook, tests):
    """Mend a submission in place; what was found goes along in its metadata, as "findings"."""
    findings = file_findings(course, student, unit, notebook)
    findings = findings + mend(nb, read_release(course, unit, notebook, tests), tests)
    nb.metadata["findings"] = findings


def make_paper(course, nb, student, unit, notebook, sources):
    """The paper of a mended submission, or of the instructor's own solution.

    sources: {grade_id: (cell type, source, locked)} of the gradebook, hidden tests included
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
        **GradingExecute(config=course.config).limits(),
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


def verdict_path(course, student, unit, notebook):
    return course.classroom / "verdicts" / student / unit / f"{notebook}.json"


def reference_path(course, unit, notebook):
    return course.classroom / "reference" / unit / f"{notebook}.json"


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
