"""Grade a class: verdicts from several workers at once, the gradebook written by one."""

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, replace
from multiprocessing import get_context

import nbformat
from nbgrader.apps import NbGraderAPI

from grader.course import CourseError
from grader.execution import make_paper, put_right, verdict_path
from grader.gradebook import add_students, released_units, source_cells
from grader.release import make_release
from grader.rescue import heal_folder
from grader.sandbox import bubblewrap
from grader.sandbox.zygote import UNSAFE
from grader.seeds import student_key
from grader.verdicts import digest, verdict_on, write_whole


@dataclass(frozen=True)
class Graded:
    """What became of one submission."""

    student: str
    unit: str
    problem: str = ""


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


def grade(course, todo, again=False, workers=None):
    """Grade submissions, several at once; yield a Graded as each is done.

    Workers find the verdicts, which are kept on disk as they come; this process alone writes the
    gradebook. A submission that was graded and has not changed since is passed over, so a run that
    was stopped at any moment goes on where it was.

    todo : [(student, unit)]
    again: grade also what was graded before
    """
    require_sandbox()
    unknown = sorted({unit for _, unit in todo} - set(released_units(course)))
    for _ in make_release(course, unknown) if unknown else ():
        pass  # the gradebook learns the exercises from the release
    add_students(course, {student for student, _ in todo})
    student_key(course.classroom, "")  # made once, before several ask for it
    open_todo = []
    for student, unit in todo:
        if again or not is_done(course, student, unit):
            open_todo.append((student, unit))
        else:
            yield Graded(student, unit)
    units = sorted({unit for _, unit in open_todo})
    tests = {unit: source_cells(course, unit) for unit in units}
    for unit in units:
        reference_run(course, unit, tests[unit])
    workers = workers or os.cpu_count()
    for (student, unit), problem in spread(course, open_todo, tests, workers, find_verdicts):
        yield Graded(student, unit, problem or grade_one(course, student, unit))


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


def spread(course, todo, tests, workers, find):
    """Find verdicts in worker processes; yield ((student, unit), problem) as they come.

    A worker that is killed takes its pool along: what was not done goes to a new one, and a
    submission that is there both times is named.
    """
    tries = dict.fromkeys(todo, 0)
    while tries:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            jobs = {pool.submit(find, course, *job, tests[job[1]]): job for job in tries}
            for done in as_completed(jobs):
                job = jobs[done]
                try:
                    problem = done.result()
                except BrokenProcessPool:
                    tries[job] += 1
                    if tries[job] < 3:
                        continue
                    problem = "the grading process was killed three times: grade it by itself"
                del tries[job]
                yield job, problem


def find_verdicts(course, student, unit, tests):
    """In a worker: verdicts on all notebooks of one submission, on disk; "" or what went wrong."""
    os.environ["OMP_NUM_THREADS"] = "1"  # workers run side by side
    try:
        heal_folder(course, student, unit)
    except CourseError as error:
        return str(error)
    for path in sorted((course.submitted / student / unit).glob("*.ipynb")):
        if path.stem in tests:
            try:
                examine_submission(course, student, unit, path, tests[path.stem])
            except Exception as error:
                return f"{path.name}: {type(error).__name__}: {error}"
    return ""


def examine_submission(course, student, unit, path, tests):
    paper = paper_of(course, student, unit, path, tests)
    return verdict_on(paper, verdict_path(course, student, unit, path.stem))


def paper_of(course, student, unit, path, tests):
    """The paper of a notebook as it was handed in, mended."""
    nb = nbformat.read(path, as_version=4)
    put_right(course, nb, student, unit, path.stem, tests)
    return make_paper(course, nb, student, unit, path.stem, tests)


def reference_run(course, unit, tests):
    """How long each answer of the instructor's takes: the measure of the students' time limits.

    raises: CourseError, if a solution does not pass its own test in the sandbox
    """
    for path in course.notebooks(unit):
        kept = course.classroom / "reference" / unit / path.name.replace(".ipynb", ".json")
        if kept.exists():
            continue
        nb = nbformat.read(course.solutions / unit / path.name, as_version=4)
        paper = make_paper(course, nb, "", unit, path.stem, tests[path.stem])
        verdict = verdict_on(replace(paper, timeout=60.0, notebook_seconds=600.0), kept)
        failed = [name for name, outcome in verdict["outcomes"].items() if outcome != "ok"]
        if failed:
            kept.unlink()
            raise CourseError(f"{path.name}: the solution fails its own test of {failed[0]}.")


def grade_one(course, student, unit, again=True):
    """Write one submission into the gradebook; "" when it went well, else what nbgrader said."""
    api = NbGraderAPI(config=course.config)
    result = api.autograde(unit, student, force=again)
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
    return course.classroom / "verdicts" / student / unit / "graded"


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
