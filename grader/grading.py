"""Grade a class: verdicts from several processes at once, the gradebook written by one."""

import gc
import os
import time
from dataclasses import dataclass, replace
from functools import partial

import nbformat
from nbgrader.apps import NbGraderAPI

from grader.autograde import limits_of
from grader.course import CourseError
from grader.crew import Cluster, Crew
from grader.files import digest, write_whole
from grader.gradebook import add_students, known_submissions, released_units, source_cells
from grader.papers import make_paper, put_right
from grader.release import make_release
from grader.rescue import heal_folder
from grader.sandbox import bubblewrap
from grader.sandbox.zygote import UNSAFE
from grader.verdicts import (
    checks_version,
    environment,
    keep_verdict,
    known_verdict,
    reference_path,
    verdict_folder,
    verdict_path,
)


@dataclass(frozen=True)
class Graded:
    """What became of one submission."""

    student: str
    unit: str
    problem: str = ""
    seconds: float = 0.0  # from the paper to the gradebook


def submissions(course, unit=None, student=None):
    """[(student, unit)] of what was collected, narrowed to one unit or student where given."""
    found = sorted(
        (folder.parent.name, folder.name)
        for folder in course.submitted.glob("*/*")
        if folder.is_dir()
        and (unit is None or folder.name == unit)
        and (student is None or folder.parent.name == student)
    )
    if not found:
        who = f" of {student}" if student else ""
        what = f" for {unit}" if unit else ""
        raise CourseError(f"There are no submissions{who}{what}: `make collect FROM=...` first.")
    return found


def grade(course, todo, again=False, workers=None, cluster=None):
    """Grade submissions, several at once; yield a Graded as each is done.

    A crew finds the verdicts, which are kept on disk as they come; this process alone writes the
    gradebook. A submission that was graded and has not changed since is passed over, so a run that
    was stopped at any moment goes on where it was.

    todo   : [(student, unit)]
    again  : grade also what was graded before
    workers: processes of this machine; by default as many as it has cores
    cluster: address of a Dask scheduler, whose workers then do it instead
    """
    require_sandbox()
    unknown = sorted({unit for _, unit in todo} - set(released_units(course)))
    for _ in make_release(course, unknown) if unknown else ():
        pass  # the gradebook learns the exercises from the release
    add_students(course, {student for student, _ in todo})
    known = known_submissions(course)  # another database, or a new one, knows nothing of our marks
    open_todo = []
    for student, unit in todo:
        if again or (student, unit) not in known or not is_done(course, student, unit):
            open_todo.append((student, unit))
        else:
            yield Graded(student, unit)
    if not open_todo:
        return
    gc.freeze()  # what was imported stays: no need to look at it again and again
    with Cluster(cluster) if cluster else Crew(workers) as crew:
        reference_run(course, sorted({unit for _, unit in open_todo}), crew)
        papers, place = partial(open_papers, course), partial(verdict_path, course)
        for (student, unit), seconds, problem in spread(course, open_todo, crew, papers, place):
            start = time.monotonic()
            problem = problem or grade_one(course, student, unit)
            yield Graded(student, unit, problem, seconds + time.monotonic() - start)


def require_sandbox():
    """raises: CourseError, where there can be none and nobody has asked to do without"""
    if UNSAFE in os.environ:
        return
    try:
        bubblewrap.require()
    except bubblewrap.NoSandbox as reason:
        raise CourseError(
            f"Students' code is not run without a sandbox, and {reason}. "
            "Only for submissions that you trust: UNSAFE_NO_SANDBOX=1 (--unsafe-no-sandbox)."
        ) from None


def spread(course, todo, crew, papers, place):
    """Let the crew find verdicts and keep them; yield ((student, unit), seconds, problem).

    papers: (student, unit, source cells of the unit) -> {notebook: Paper} to find verdicts on
    place : (student, unit, notebook) -> the file where a verdict is kept
    """
    sources = {unit: source_cells(course, unit) for unit in {unit for _, unit in todo}}
    spoiled = []

    def jobs():
        for student, unit in todo:
            try:
                yield (student, unit), papers(student, unit, sources[unit])
            except Exception as error:
                spoiled.append(((student, unit), 0.0, said(error)))

    for (student, unit), verdicts, problem in crew.find(jobs()):
        for notebook, verdict in verdicts.items():
            require_our_version(verdict)
            keep_verdict(verdict, place(student, unit, notebook))
        yield (student, unit), sum(verdict["took"] for verdict in verdicts.values()), problem
    yield from spoiled


def said(error):
    return str(error) if isinstance(error, CourseError) else f"{type(error).__name__}: {error}"


def require_our_version(verdict):
    """raises: CourseError, if other code than ours has found this verdict"""
    if (verdict["checks"], verdict["environment"]) != (checks_version(), environment()):
        raise CourseError(
            "A worker of the cluster has another version of the course or of its packages: "
            "bring it to the state of this machine and grade again."
        )


def open_papers(course, student, unit, sources):
    """{notebook: Paper} of a submission, without those on which there is a verdict."""
    heal_folder(course, student, unit)
    return {
        notebook: paper
        for notebook, paper in papers_of(course, student, unit, sources)
        if not known_verdict(paper, verdict_path(course, student, unit, notebook))
    }


def papers_of(course, student, unit, sources):
    """Yield (notebook, Paper) for each notebook of a submission."""
    for path in sorted(course.submission_of(student, unit).glob("*.ipynb")):
        if path.stem in sources:
            yield path.stem, paper_of(course, student, unit, path, sources[path.stem])


def paper_of(course, student, unit, path, sources):
    """The paper of a notebook as it was handed in, mended."""
    nb = nbformat.read(path, as_version=4)
    put_right(course, nb, student, unit, path.stem, sources)
    return make_paper(course, nb, student, unit, path.stem, sources, limits_of(course))


def reference_run(course, units, crew):
    """How long each answer of the instructor's takes: the measure of the students' time limits.

    raises: CourseError, if a solution does not pass its own test in the sandbox
    """
    limits = limits_of(course) | {"timeout": 60.0, "notebook_seconds": 600.0}
    jobs = []
    for unit in units:
        sources = source_cells(course, unit)
        for path in course.notebooks(unit):
            kept = reference_path(course, unit, path.stem)
            nb = nbformat.read(course.solutions / unit / path.name, as_version=4)
            paper = make_paper(course, nb, "", unit, path.stem, sources[path.stem], limits)
            paper = replace(paper, reference={})  # it measures, and is not measured
            if not known_verdict(paper, kept):  # another solution, or other checks
                jobs.append((kept, {path.name: paper}))
    for kept, verdicts, problem in crew.find(jobs):
        if problem:
            raise CourseError(f"The solution cannot be graded: {problem}")
        for name, verdict in verdicts.items():
            require_our_version(verdict)
            failed = [test for test, outcome in verdict["outcomes"].items() if outcome != "ok"]
            if failed:
                raise CourseError(f"{name}: the solution fails its own test of {failed[0]}.")
            keep_verdict(verdict, kept)


def grade_one(course, student, unit):
    """Write one submission into the gradebook; "" when it went well, else what nbgrader said."""
    api = NbGraderAPI(config=course.config)
    result = api.autograde(unit, student, force=True)
    if not result["success"]:
        return last_line(result)
    mark_done(course, student, unit)
    return ""


def is_done(course, student, unit):
    """Whether this very submission is in the gradebook, whole."""
    mark = done_mark(course, student, unit)
    return mark.exists() and mark.read_text() == fingerprint(course.submitted / student / unit)


def mark_done(course, student, unit):
    write_whole(done_mark(course, student, unit), fingerprint(course.submitted / student / unit))


def done_mark(course, student, unit):
    return verdict_folder(course, student, unit) / "graded"


def fingerprint(folder):
    """A digest of all files below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return digest(
        "".join(f"{path.relative_to(folder)} {digest(path.read_bytes())}" for path in files)
    )


def last_line(result):
    """The line of nbgrader's report that names the fault."""
    lines = [line for line in result.get("error", "").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "nbgrader gave no reason"
