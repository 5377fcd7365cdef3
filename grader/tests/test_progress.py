"""The learner's progress: kept, shown, and worth nothing to a grader."""

import io

import pytest
from rich.console import Console

from grader import progress
from grader.course import Course


def test_does_what_was_passed_stay_passed():
    progress.record("softmax", False)
    progress.record("softmax", True)
    progress.record("softmax", False)
    entry = progress.load()["softmax"]
    assert (entry["passed"], entry["tries"]) == (True, 3)


@pytest.mark.parametrize("spoiled", ["{broken", "[]", '{"softmax": 3}', '{"softmax": {}}', "\x00"])
def test_does_a_broken_file_only_lose_what_it_held(spoiled):
    progress.progress_file().parent.mkdir(parents=True, exist_ok=True)
    progress.progress_file().write_text(spoiled)
    assert progress.load() == {}
    progress.record("softmax", True)
    assert progress.load()["softmax"]["passed"]


def test_is_nothing_noted_while_grading(monkeypatch):
    with monkeypatch.context() as grading:
        grading.setenv("COURSE_PROGRESS", "off")
        progress.record("softmax", True)
    assert progress.load() == {}


def test_do_both_boards_show_what_is_passed_and_what_is_left():
    progress.record("center_columns", True)
    progress.record("outer_sum", False)
    page = progress.board().data
    assert "center_columns: passed" in page
    assert "outer_sum: tried, not yet passed" in page
    assert "broadcast_shape: not tried" in page
    screen = io.StringIO()
    progress.print_board(Course(), Console(file=screen, width=200))
    (line,) = (line for line in screen.getvalue().splitlines() if "Start here" in line)
    assert "1 of 3" in line and "outer_sum" in line and "broadcast_shape" in line
    assert "center_columns" not in line
