"""`make demo` on the real units: the made-up class gets what its work deserves."""

import csv
import io

import pytest
from rich.console import Console

from grader.course import Course
from grader.demo import CLASS, run_demo


def follow(steps, total, words):
    results = list(steps)
    assert len(results) == total, words
    return results


def none_failed(results):
    assert [result for result in results if result.problem] == []


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    checkout = Course(tmp_path_factory.mktemp("checkout"))
    checkout.solutions = Course().solutions
    screen = io.StringIO()
    return run_demo(
        checkout, Console(file=screen, width=120), follow, none_failed
    ), screen.getvalue()


def test_does_everybody_get_what_the_work_deserves(demo):
    course, _ = demo
    with (course.classroom / "grades.csv").open(newline="") as file:
        total = {row["student"]: float(row["total"]) for row in csv.DictReader(file)}
        assert set(total) == set(CLASS)
    assert total["dan"] == 0 == min(total.values())
    assert total["ada"] == max(total.values())
    for student in ("ben", "cleo", "eva", "finn"):
        assert 0 < total[student] < total["ada"]
    for other in ("ben", "cleo", "eva"):
        assert total["finn"] > total[other]  # one loop a unit costs one exercise a unit


def page_of(course, student):
    return (course.feedback / student / "index.html").read_text()


def test_does_everybody_find_a_page_and_the_instructor_a_picture(demo):
    course, screen = demo
    for student in CLASS:
        assert f"Feedback for {student}" in page_of(course, student)
        assert student in screen
    assert "timeout" in page_of(course, "finn")
    assert "crashed" in page_of(course, "eva")
    assert (course.classroom / "class.png").read_bytes().startswith(b"\x89PNG")
    assert "its cell is missing, or stopped with an error" in page_of(course, "eva")
    assert "demo/class/class.png" in screen
    report = (course.classroom / "report.html").read_text()
    assert "demo/class/report.html" in screen
    assert "took longer than" in report and "imports os" in report
