"""`make demo`: a small made-up class goes once around the whole loop, in demo/.

Release, six students at work, handing in, collecting, grading, feedback, gradebook: each step is
the one that the real commands take.
"""

import inspect
import re
import shutil
from collections import Counter

import nbformat
from nbgrader.utils import is_solution

from grader.course import Course, read_exercises
from grader.feedback import write_feedback
from grader.gradebook import write_table
from grader.grading import grade, submissions
from grader.mutants import mutants
from grader.pictures import class_picture
from grader.release import make_release, source_units
from grader.report import class_table, write_report
from grader.submission import collect, pack

MARKER = re.compile(r"^\s*### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
CRASH = "import os\n\n\ndef {name}(*args, **kwargs):\n    os._exit(1)\n"
LOOP = "def {name}(*args, **kwargs):\n    while True:\n        pass\n"
MISTYPED = "def {name}(*args, **kwargs)\n    return None\n"
ESSAY = "With few features and many examples the neighbors win; with many features they do not."


# A student's way of working: what becomes of the right `answer` to the exercise which is number
# `number` among the functions, or among the questions, of its notebook. None leaves it untouched.


def perfect(number, exercise, answer):
    """everything right"""
    return answer


def half(number, exercise, answer):
    """every other exercise left out"""
    return answer if number % 2 == 0 else None


def mistaken(number, exercise, answer):
    """a typical mistake in every other exercise"""
    if number % 2 == 0 or exercise.kind == "essay":
        return answer
    return wrong_answer(exercise, number)


def untouched(number, exercise, answer):
    """handed in as it was released"""
    return None


def crashing(number, exercise, answer):
    """code that ends Python, code that is no Python"""
    if not is_function(exercise) or number > 1:
        return answer
    return (CRASH, MISTYPED)[number].format(name=exercise.name)


def looping(number, exercise, answer):
    """the first function of every notebook never ends"""
    if not is_function(exercise) or number > 0:
        return answer
    return LOOP.format(name=exercise.name)


CLASS = {
    "ada": perfect,
    "ben": half,
    "cleo": mistaken,
    "dan": untouched,
    "eva": crashing,
    "finn": looping,
}


def run_demo(checkout, console, follow, name_problems):
    """Run the class through the loop, say where everything lies; returns the demo's Course."""
    folder = checkout.root / "demo"
    shutil.rmtree(folder, ignore_errors=True)
    course = Course(folder)
    shutil.copytree(
        checkout.solutions, course.solutions, ignore=shutil.ignore_patterns(".ipynb_checkpoints")
    )
    units = source_units(course)

    follow(make_release(course), len(units), "Releasing the units     ")
    inbox = folder / "inbox"
    follow(hand_in(course, inbox), len(CLASS) * len(units), "Students at work        ")
    list(collect(course, inbox))
    todo = submissions(course)
    results = follow(grade(course, todo), len(todo), "Grading                 ")
    follow(write_feedback(course, todo), len(todo), "Writing feedback        ")
    write_table(course, course.classroom / "grades.csv")
    (course.classroom / "class.png").write_bytes(class_picture(course).png())
    write_report(course)

    for student, work in CLASS.items():
        console.print(f"  {student:5} {work.__doc__}", style="dim", highlight=False)
    console.print(class_table(course))
    name_problems(results)
    console.print("Look at", style="bold")
    for path, what in {
        "demo/class/report.html": "the class on one page",
        "demo/class/class.png": "the class, students by exercises",
        "demo/class/feedback/cleo/index.html": "one student's feedback page",
        "demo/class/grades.csv": "the gradebook",
        "demo/course": "what students are given",
    }.items():
        console.print(f"  {path:38}{what}", highlight=False)
    return course


def hand_in(course, inbox):
    """Every student of the class works through every unit and packs it; yield each parcel."""
    for student, work in CLASS.items():
        desk = Course(course.root / "students" / student)
        shutil.copytree(course.release, desk.release)
        for unit in desk.units:
            for path in desk.notebooks(unit):
                answer_notebook(path, course.solutions / unit / path.name, work)
            yield pack(desk, unit, student, inbox)


def answer_notebook(path, source, work):
    """Write a student's answers into a released notebook."""
    notebook = nbformat.read(path, as_version=4)
    answers = right_answers(source)
    cells = {c.metadata.nbgrader.grade_id: c for c in notebook.cells if is_solution(c)}
    so_far = Counter()
    for exercise in read_exercises(path):
        number = so_far[is_function(exercise)]
        so_far[is_function(exercise)] += 1
        answer = work(number, exercise, answers[answer_id(exercise)])
        if answer is not None:
            cells[answer_id(exercise)].source = answer
    nbformat.write(notebook, path)


def is_function(exercise):
    return exercise.kind in ("np", "torch")


def answer_id(exercise):
    """grade_id of the cell that holds the answer: an essay is graded where it is written."""
    return exercise.name if exercise.kind == "essay" else f"{exercise.name}-answer"


def right_answers(source):
    """{grade_id of the answer cell: solution} of a source notebook."""
    return {
        cell.metadata.nbgrader.grade_id: (
            MARKER.sub("", cell.source) if cell.cell_type == "code" else ESSAY
        )
        for cell in nbformat.read(source, as_version=4).cells
        if is_solution(cell)
    }


def wrong_answer(exercise, number):
    """One of the wrong answers of the mutants' catalog, as a student would write it."""
    catalog = mutants()[exercise.name]
    mutant = catalog[number % len(catalog)]
    if exercise.kind == "think":
        return f"{exercise.name} = {mutant.wrong!r}\n"
    source = "\n".join(
        line for line in inspect.getsource(mutant.wrong).splitlines() if not line.startswith("@")
    )
    return re.sub(
        rf"^(def|class) {mutant.wrong.__name__}\b", rf"\1 {exercise.name}", source, flags=re.M
    )
