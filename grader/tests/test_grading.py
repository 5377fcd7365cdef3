"""Grading on what comes in from real life: crashes, loops, deleted cells, tags that skip tests."""

import nbformat
import pytest
from nbgrader.utils import is_grade
from traitlets.config import Config

from grader.demo import answer_notebook, perfect
from grader.examination import needed_cells
from grader.gradebook import scores
from grader.grading import grade, grade_one, reference_run, submissions
from grader.judge import names
from grader.records import messages
from grader.seeds import secret_seed, seeds_of, student_key
from grader.verdicts import checks_version, environment, paper_key

UNIT = "00_start_here"
NOTEBOOK = "start_here.ipynb"


@pytest.fixture
def course(fresh_release):
    fresh_release.config.GradingExecute.timeout = 4  # the patience of a test
    return fresh_release


@pytest.fixture
def solved(course):
    """The released notebook of unit 00 with right answers, and its cells by grade_id."""
    path = course.root / NOTEBOOK
    path.write_bytes((course.release / UNIT / NOTEBOOK).read_bytes())
    answer_notebook(path, course.solutions / UNIT / NOTEBOOK, perfect)
    return nbformat.read(path, as_version=4)


def cell_of(notebook, grade_id):
    return next(
        c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == grade_id
    )


def graded(course, notebook, student="somebody"):
    """({exercise: points}, {exercise: message}) of a notebook handed in."""
    folder = course.submitted / student / UNIT
    folder.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook, folder / NOTEBOOK)
    assert grade_one(course, student, UNIT) == ""
    points = {row.exercise: row.points for row in scores(course) if row.student == student}
    return points, messages(course.autograded / student / UNIT / NOTEBOOK)


def test_does_a_crash_cost_only_its_own_question(course, solved):
    cell_of(
        solved, "center_columns-answer"
    ).source = "import os\n\ndef center_columns(x):\n    os._exit(1)"
    points, said = graded(course, solved)
    assert points == {"broadcast_shape": 1, "center_columns": 0, "outer_sum": 2}
    assert "ended Python itself" in said["center_columns"]


@pytest.mark.parametrize(
    "loop",
    [
        "while True:\n        pass",
        # one that swallows the interrupt that a kernel would send
        "while True:\n        try: [0 for _ in iter(int, 1)]\n        except BaseException: pass",
    ],
)
def test_does_an_endless_loop_cost_only_its_own_question(course, solved, loop):
    cell_of(solved, "center_columns-answer").source = f"def center_columns(x):\n    {loop}"
    points, said = graded(course, solved)
    assert points == {"broadcast_shape": 1, "center_columns": 0, "outer_sum": 2}
    assert "took longer than 4 seconds" in said["center_columns"]


def test_does_a_loop_outside_a_function_cost_only_its_own_question(course, solved):
    cell_of(solved, "center_columns-answer").source = "while True: pass"
    points, _ = graded(course, solved)
    assert points == {"broadcast_shape": 1, "center_columns": 0, "outer_sum": 2}


def test_does_the_set_up_cell_run_and_leave_its_names(course, solved):
    """It imports the learner's board, which does nothing here."""
    cell_of(solved, "outer_sum-answer").source = (
        "from grader.checks.start import check_outer_sum\n\n"
        "def outer_sum(a, b):\n    return a.to(a.device)[:, None] + b[None].to(a.device)\n\n"
        "outer_sum(torch.ones(2, device=device), torch.ones(3, device=device))\n"
        "check_outer_sum(outer_sum)\nboard()"
    )
    points, _ = graded(course, solved)
    assert points == {"broadcast_shape": 1, "center_columns": 2, "outer_sum": 2}
    page = nbformat.read(course.autograded / "somebody" / UNIT / NOTEBOOK, as_version=4)
    outputs = [output for cell in page.cells for output in cell.get("outputs", [])]
    assert [o.evalue for o in outputs if o.output_type == "error"] == []


def test_does_a_skip_tag_on_a_check_earn_nothing(course, solved):
    cell_of(solved, "center_columns-answer").source = "def center_columns(x):\n    return x"
    for cell in solved.cells:
        if is_grade(cell):
            cell.metadata["tags"] = ["skip-execution"]
    points, _ = graded(course, solved)
    assert points["center_columns"] == 0


def test_are_changed_and_deleted_checks_put_right(course, solved):
    cell_of(solved, "center_columns-answer").source = "def center_columns(x):\n    return x"
    cell_of(solved, "center_columns").source = "pass"
    solved.cells.remove(cell_of(solved, "outer_sum"))
    points, _ = graded(course, solved)
    assert points == {"broadcast_shape": 1, "center_columns": 0, "outer_sum": 2}


def test_does_a_check_redefined_by_the_student_change_nothing(course, solved):
    cell_of(
        solved, "center_columns-answer"
    ).source = (
        "def center_columns(x):\n    return x\n\ndef check_center_columns(*args, **kwargs): pass"
    )
    assert graded(course, solved)[0]["center_columns"] == 0


def test_does_a_utils_folder_in_the_submission_shadow_ours(course, solved):
    folder = course.submitted / "somebody" / UNIT / "utils"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('shadowed')")
    assert graded(course, solved)[0] == {"broadcast_shape": 1, "center_columns": 2, "outer_sum": 2}


def test_may_an_answer_use_a_helper_from_another_cell(course, solved):
    solved.cells.insert(2, nbformat.v4.new_code_cell("def helper(x):\n    return x.mean(axis=0)"))
    cell_of(
        solved, "center_columns-answer"
    ).source = "def center_columns(x):\n    return x - helper(x)"
    assert graded(course, solved)[0]["center_columns"] == 2


def test_do_honest_submissions_score_the_same_with_plain_nbgrader(course, solved, monkeypatch):
    cell_of(solved, "outer_sum-answer").source = "def outer_sum(a, b):\n    return a + b"
    ours, _ = graded(course, solved, "ours")
    plain = Config(course.config)
    plain.Autograde.autograde_preprocessors = [
        {
            "grader.autograde.GradingExecute": "nbgrader.preprocessors.Execute",
            "grader.autograde.SaveVerdicts": "nbgrader.preprocessors.SaveAutoGrades",
        }.get(step, step)
        for step in course.config.Autograde.autograde_preprocessors
    ]
    plain.Execute.timeout = 60
    monkeypatch.setattr(course, "config", plain)
    theirs, _ = graded(course, solved, "theirs")
    assert ours == theirs == {"broadcast_shape": 1, "center_columns": 2, "outer_sum": 0}


def test_does_grading_again_pass_over_what_is_done(course, solved):
    graded(course, solved)
    (course.submitted / "somebody" / UNIT / "timestamp.txt").write_text("2026-01-01 00:00:00 UTC")
    todo = submissions(course)
    (result,) = grade(course, todo, again=True, workers=1)
    assert not result.problem
    page = course.autograded / "somebody" / UNIT / NOTEBOOK
    before = page.stat().st_mtime_ns
    list(grade(course, todo, workers=1))
    assert page.stat().st_mtime_ns == before


def test_is_a_gradebook_that_was_lost_filled_again(course, solved):
    points, _ = graded(course, solved)
    (course.classroom / "gradebook.db").unlink()
    (result,) = grade(course, submissions(course), workers=1)
    assert not result.problem
    assert {row.exercise: row.points for row in scores(course)} == points


def test_are_secret_seeds_stable_and_different_for_each_student(tmp_path):
    keys = [student_key(tmp_path, name) for name in ("ada", "ben", "ada")]
    assert keys[0] == keys[2] != keys[1]
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0
    drawn = []
    for key in keys[:2]:
        with seeds_of(key):
            drawn += [secret_seed("softmax"), secret_seed("whiten")]
    assert len({*drawn, secret_seed("softmax")}) == 5


def test_what_names_does_a_cell_define_and_use():
    defines, uses = names(
        "import numpy as np\nw = np.zeros(size)\ndef f(x):\n    h = x\n    return h + bias"
    )
    assert defines == {"np", "w", "f"}
    assert {"size", "bias"} <= uses
    assert not {"h", "x"} & (uses | defines)
    assert names("this is no Python") == (set(), set())


def test_does_a_lecture_cell_run_only_where_an_answer_needs_it():
    cell = nbformat.v4.new_code_cell
    notebook = nbformat.v4.new_notebook(
        cells=[cell("data = 1"), cell("slow = data"), cell("show()"), cell("answer = data")]
    )
    lecture = {"data = 1", "slow = data", "show()"}
    assert needed_cells(notebook, lecture) == [0, 3]


class Measuring:
    """In place of a crew: notes what it is asked, and finds that all is well."""

    asked = ()

    def find(self, jobs):
        self.asked = [name for _, papers in jobs for name in papers]
        known = {"checks": checks_version(), "environment": environment()}
        for place, papers in jobs:
            found = {"outcomes": {}, "seconds": {"outer_sum": 1.0}, **known}
            yield place, {n: {**found, "key": paper_key(p)} for n, p in papers.items()}, ""


def test_is_a_solution_measured_again_when_it_has_changed_and_only_then(course):
    crew = Measuring()
    path = course.solutions / UNIT / NOTEBOOK
    for changed, asked in ((False, [NOTEBOOK]), (False, []), (True, [NOTEBOOK]), (False, [])):
        if changed:
            notebook = nbformat.read(path, as_version=4)
            notebook.cells[-1].source += "\n"
            nbformat.write(notebook, path)
        reference_run(course, [UNIT], crew)
        assert crew.asked == asked
