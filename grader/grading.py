"""Grade a class: nbgrader's autograde for every submission, several at once."""

import os
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass

from nbgrader.apps import NbGraderAPI

from grader.course import CourseError
from grader.gradebook import add_students, released_units
from grader.release import make_release
from grader.seeds import student_key


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
    """Grade submissions in parallel; yield a Graded as each is done.

    A submission that was graded and has not changed since is passed over, so an interrupted run
    goes on where it stopped.

    todo : [(student, unit)]
    again: grade also what was graded before
    """
    unknown = sorted({unit for _, unit in todo} - set(released_units(course)))
    for _ in make_release(course, unknown) if unknown else ():
        pass  # the gradebook learns the exercises from the release
    # what every worker asks for is there before they ask: two of them would both make it
    student_key(course.classroom, "")
    add_students(course, {student for student, _ in todo})
    with ProcessPoolExecutor(workers or os.cpu_count()) as pool:
        jobs = {
            pool.submit(grade_one, course, student, unit, again): (student, unit)
            for student, unit in todo
        }
        for job in as_completed(jobs):
            try:
                yield Graded(*jobs[job], problem=job.result())
            except BrokenProcessPool:
                yield Graded(*jobs[job], problem="the grading process was killed: grade it again")


def grade_one(course, student, unit, again):
    """Grade one submission; "" when it went well, else what nbgrader said."""
    api = NbGraderAPI(config=course.config)
    result = api.autograde(unit, student, force=again)
    return "" if result["success"] else last_line(result)


def last_line(result):
    """The line of nbgrader's report that names the fault."""
    lines = [line for line in result.get("error", "").splitlines() if line.strip()]
    return lines[-1].strip() if lines else "nbgrader gave no reason"
