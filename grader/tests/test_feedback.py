"""Feedback and gradebook of a small class: what is said, what is never shown."""

import csv
import os
import subprocess
import sys

import nbformat
import pytest

from grader.course import CHECKOUT
from grader.demo import answer_notebook, perfect
from grader.feedback import write_feedback
from grader.gradebook import write_table
from grader.grading import grade_one
from grader.pictures import class_picture, score_grid
from grader.report import class_table, total

UNIT, NOTEBOOK = "00_start_here", "start_here.ipynb"
ATTACK = "<script>alert('from a student')</script>"


@pytest.fixture(scope="module")
def course(module_release):
    """Unit 00 from ada, who is right, and from =ben, who is wrong and mischievous."""
    course = module_release
    for student in ("ada", "ben"):
        folder = course.submitted / student / UNIT
        folder.mkdir(parents=True)
        path = folder / NOTEBOOK
        path.write_bytes((course.release / UNIT / NOTEBOOK).read_bytes())
        answer_notebook(path, course.solutions / UNIT / NOTEBOOK, perfect)
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
        if grade_id == "center_columns-answer":
            cell.source = "def center_columns(x):\n    return x - x.mean()"
        if grade_id == "outer_sum-answer":
            cell.source = f'def outer_sum(a, b):\n    raise ValueError("{ATTACK}")'
    show = f'from IPython.display import HTML\nHTML("{ATTACK}")'
    notebook.cells += [nbformat.v4.new_code_cell(show), nbformat.v4.new_markdown_cell(ATTACK)]
    nbformat.write(notebook, path)
    for student in ("ada", "ben"):
        assert grade_one(course, student, UNIT) == ""
    list(write_feedback(course, [("ada", UNIT), ("ben", UNIT)]))
    return course


def test_is_what_is_not_graded_yet_named(course):
    (result,) = write_feedback(course, [("nobody", UNIT)])
    assert "make grade" in result.problem


def pages(course, student):
    folder = course.feedback / student
    return (
        (folder / "index.html").read_text(),
        (folder / UNIT / NOTEBOOK).with_suffix(".html").read_text(),
    )


def test_does_the_page_say_what_the_check_said(course):
    summary, whole = pages(course, "ben")
    for page in (summary, whole):
        assert "center_columns" in page
        assert "mean of" in page or "column" in page
    assert "CheckFailed" not in summary
    assert "1 of 5 points" in summary
    assert "5 of 5 points" in pages(course, "ada")[0]


@pytest.mark.parametrize("student", ["ada", "ben"])
def test_is_a_hidden_test_never_shown(course, student):
    for page in pages(course, student):
        for secret in ("HIDDEN TESTS", "secret_seed", "grader.seeds", "COURSE_SEED"):
            assert secret not in page


def test_does_nothing_of_a_students_run_in_the_readers_browser(course):
    for page in pages(course, "ben"):
        assert ATTACK not in page


def test_does_the_table_hold_every_student_and_exercise(course, tmp_path):
    write_table(course, tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["ada"]["total"] == rows["ada"]["of"] == "5.0"
    assert rows["ben"]["00 center_columns"] == "0.0"
    assert rows["ben"]["00 broadcast_shape"] == "1.0"


def test_does_nbgrader_export_write_the_same_table(course, tmp_path):
    command = [sys.executable, "-m", "nbgrader", "export", f"--to={tmp_path / 'theirs.csv'}"]
    environment = os.environ | {"COURSE_ROOT": str(course.root)}
    subprocess.run(command, cwd=CHECKOUT, env=environment, check=True, capture_output=True)
    write_table(course, tmp_path / "ours.csv")
    assert (tmp_path / "theirs.csv").read_bytes() == (tmp_path / "ours.csv").read_bytes()


def test_does_a_name_never_become_a_formula(course, tmp_path):
    from grader.gradebook import open_gradebook

    with open_gradebook(course) as gradebook:
        gradebook.update_or_create_student("ada", last_name='=HYPERLINK("x"), Jr.')
    write_table(course, tmp_path / "grades.csv")
    with (tmp_path / "grades.csv").open(newline="") as file:
        rows = {row["student"]: row for row in csv.DictReader(file)}
    assert rows["ada"]["last_name"] == '\'=HYPERLINK("x"), Jr.'


def test_does_the_picture_show_students_by_exercises(course):
    students, exercises, grid = score_grid(course)
    assert students == ["ada", "ben"]
    assert grid.shape == (2, len(exercises)) == (2, 3)
    assert grid.tolist() == [[1, 1, 1], [1, 0, 0]]
    assert "4 of 6 graded answers have all points" in class_picture(course).alt
    assert class_table(course).row_count == 2
    assert total([]) == "–"
