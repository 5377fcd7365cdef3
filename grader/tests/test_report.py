"""What instructors see of a class: the report, the trace, the files for learning platforms."""

import csv
import io
import re

import pytest
from nbformat.v4 import new_code_cell, new_notebook
from rich.console import Console

from grader.course import CourseError
from grader.feedback import write_student_page
from grader.gradebook import open_gradebook
from grader.inspection import look_at
from grader.pictures import outcome_bars, score_spread
from grader.platforms import write_canvas, write_moodle
from grader.records import common_mistakes, outcome_counts, records
from grader.report import write_report
from grader.tests.made_up import fill
from grader.trace import print_trace

UNIT, ESSAYS = "00_start_here", "01_neighbors_and_linear_classifiers"


@pytest.fixture(scope="module")
def course(module_release):
    wrong, error = {"outer_sum": "wrong"}, {"outer_sum": "error", "center_columns": "timeout"}
    absent = {"outer_sum": "not attempted", "center_columns": "not attempted"}
    fill(
        module_release,
        UNIT,
        {"ada": {}, "ben": wrong, "cleo": wrong, "dan": absent, "eve": error, "finn": wrong},
    )
    fill(module_release, ESSAYS, {"ada": {}})
    with open_gradebook(module_release) as gradebook:
        gradebook.update_or_create_student(
            "ada", first_name="Ada", last_name="=SUM(A1)", email="ada@example.org", lms_user_id="17"
        )
        gradebook.update_or_create_student("gil")
    return module_release


def read_csv(path):
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


def test_are_sentences_that_differ_in_numbers_one_mistake(course):
    mistakes = common_mistakes(records(course))
    (place, ((sentence, n), (_, one))) = next(iter(mistakes.items()))
    assert place == (UNIT, "outer_sum")
    assert re.fullmatch(r"off by -?\d\.\d{3} in one place\.", sentence)
    assert (n, one) == (3, 1)


def test_are_outcomes_counted_by_exercise(course):
    counts = outcome_counts(records(course, UNIT))
    assert counts[UNIT, "outer_sum"] == {"ok": 1, "wrong": 3, "not attempted": 1, "error": 1}


def test_does_the_report_stand_by_itself(course):
    page = write_report(course).read_text()
    for words in ("off by", "took longer than 3 seconds", "imports os", "the cell x was missing"):
        assert words in page
    assert "<b>shapes" not in page  # a student's words run in nobody's browser
    assert not re.search(r"<script|src=.(?!data:)|href=.(?!#)", page)
    pictures = re.findall(r"<img [^>]*>", page)
    assert len(pictures) == 4
    assert all(re.search(r'alt="[^"]{40,}"', picture) for picture in pictures)


def test_does_a_report_of_nothing_say_so(fresh_release):
    page = write_report(fresh_release).read_text()
    assert "Nothing is graded yet" in page
    assert "<img" not in page


def test_do_pictures_say_their_numbers():
    spread = score_spread([0.2, 0.5, 1.0], {"unit 00": [0.2, 0.5, 1.0]})
    assert "3 students" in spread.alt and "50 %" in spread.alt
    bars = outcome_bars({"00  f": {"ok": 3, "wrong": 1}, "00  g": {"ok": 4}})
    assert "00  f: 3 ok and 1 wrong; 00  g: 4 ok" in bars.alt


def test_does_a_trace_name_what_every_score_stands_on(course):
    screen = io.StringIO()
    print_trace(course, Console(file=screen, width=140), "eve", UNIT)
    printed = screen.getvalue()
    for words in ("0 of 2", "timeout", "a1a1", "b2b2", "c3c3", "d4d4", "numpy 2.4.6", "<b>shapes"):
        assert words in printed
    with pytest.raises(CourseError, match="no verdict on nobody"):
        print_trace(course, Console(file=screen), "nobody")


def test_does_the_students_page_show_outcomes_and_what_was_put_right(course):
    page = write_student_page(course, "eve").read_text()
    for words in ("timeout</td>", "error</td>", "ok</td>", "the cell x was missing"):
        assert words in page
    assert "<b>shapes" not in page
    assert "d4d4" not in page  # nothing of a seed, nor of a verdict's foundations
    assert "A person reads this answer" in write_student_page(course, "ada").read_text()


def test_does_canvas_get_its_columns(course, tmp_path):
    write_canvas(course, tmp_path / "canvas.csv")
    header, possible, *rows = read_csv(tmp_path / "canvas.csv")
    assert header[:6] == [
        "Student", "ID", "SIS User ID", "SIS Login ID", "Section", "00 Start here"
    ]  # fmt: skip
    assert possible[0].strip() == "Points Possible"
    assert possible[5] == "5.0"
    by_login = {row[3]: row for row in rows}
    assert by_login["ada"][:2] == ["'=SUM(A1), Ada", "17"]
    assert by_login["ada"][5:] == ["5.0", ""]  # an essay waits to be read: no half result
    assert by_login["ben"][5:] == ["3.0", ""]
    assert by_login["gil"][5:] == ["", ""]


def test_does_moodle_get_its_columns(course, tmp_path):
    write_moodle(course, tmp_path / "moodle.csv")
    header, *rows = read_csv(tmp_path / "moodle.csv")
    assert header[:7] == [
        "Username", "ID number", "Email address", "First name", "Last name",
        "00 Start here", "00 Start here (Feedback)",
    ]  # fmt: skip
    by_name = {row[0]: row for row in rows}
    assert by_name["ada"][2:8] == ["ada@example.org", "Ada", "'=SUM(A1)", "5.0", "", "-"]
    assert by_name["ben"][5] == "3.0"
    assert by_name["ben"][6].startswith("outer_sum: off by")
    assert by_name["gil"][5:7] == ["-", ""]


def test_does_the_static_look_spare_the_instructors_tests():
    answer = {"nbgrader": {"grade": False, "solution": True}}
    test = {"nbgrader": {"grade": True, "solution": False}}
    notebook = new_notebook(
        cells=[
            new_code_cell("import os\ncdist(a, b)", metadata=answer),
            new_code_cell("from grader.seeds import secret_seed", metadata=test),
        ]
    )
    remarks = look_at(notebook, set(), ("l2_distances", "essay_knn"))
    assert [remark for _, _, remark in remarks] == [
        "imports os",
        "cdist: a ready-made answer to l2_distances?",
    ]
