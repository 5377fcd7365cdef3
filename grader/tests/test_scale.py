"""Many submissions, several processes and machines, and the things that happen to them."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from multiprocessing import forkserver
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from grader.benchmark import POSTGRES, local_cluster, make_class, postgres_server
from grader.course import CHECKOUT, Course, CourseError
from grader.crew import Cluster, Crew, sit
from grader.gradebook import scores, write_table
from grader.grading import grade, require_our_version, submissions
from grader.release import make_release
from grader.verdicts import environment

UNIT = "00_start_here"
STUDENTS = 6
GRADE = """
import sys
from grader.course import Course
from grader.grading import grade, submissions
course = Course(sys.argv[1])
print("begun", flush=True)
for result in grade(course, submissions(course), workers=2):
    assert not result.problem, result
"""


@pytest.fixture(scope="module")
def handed_in(released, tmp_path_factory):
    """A course with a class's submissions of unit 00. Not to be changed."""
    root = tmp_path_factory.mktemp("handed_in") / "course"
    shutil.copytree(released.root, root)
    make_class(Course(root), UNIT, STUDENTS)
    return Course(root)


@pytest.fixture
def course(handed_in, tmp_path):
    shutil.copytree(handed_in.root, tmp_path / "course")
    return Course(tmp_path / "course")


@pytest.fixture(scope="module")
def expected(handed_in, tmp_path_factory):
    """Scores of a run that nothing disturbed, and the seconds that it took."""
    root = tmp_path_factory.mktemp("expected") / "course"
    shutil.copytree(handed_in.root, root)
    start = time.monotonic()
    run = start_grading(root)
    assert run.wait(300) == 0
    return scores(Course(root)), time.monotonic() - start


def start_grading(root, **words):
    """A grader in a process group of its own, as a shell starts it; returns once it has begun."""
    run = subprocess.Popen(
        [sys.executable, "-c", GRADE, str(root)],
        stdout=subprocess.PIPE,
        cwd=CHECKOUT,
        start_new_session=True,
        **words,
    )
    assert run.stdout.readline() == b"begun\n"
    return run


def members():
    """Process ids of the local crew's two: children of the process that forks them."""
    parent = forkserver._forkserver._forkserver_pid
    return [
        int(word) for word in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
    ]


def test_is_nothing_lost_doubled_or_changed_when_grading_is_killed(course, expected):
    want, seconds = expected
    moments = random.Random(4)
    for _ in range(4):
        run = start_grading(course.root)
        with contextlib.suppress(subprocess.TimeoutExpired):
            run.wait(moments.uniform(0, seconds))
        os.killpg(run.pid, signal.SIGKILL)
        run.wait()
    assert start_grading(course.root).wait(300) == 0
    assert scores(course) == want


def test_does_the_crew_end_with_a_grader_that_is_killed(course):
    run = start_grading(course.root)
    end = time.monotonic() + 240
    while not (family := descendants(run.pid)) or len(family) < 4:
        assert time.monotonic() < end
        time.sleep(0.1)
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    while any(map(alive, family)):
        assert time.monotonic() < end
        time.sleep(0.1)


def test_does_a_large_paper_hold_nobody_whose_crew_was_killed():
    jobs = [(number, {"x": bytes(3_000_000)}) for number in range(6)]
    with pytest.raises(KeyboardInterrupt), Crew(1) as crew:
        crew.pool = crew.open_pool()
        for _, paper in jobs:
            crew.pool.submit(sit, paper)
        raise KeyboardInterrupt


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGKILL])
def test_does_a_grader_that_is_stopped_leave_nothing_behind(course, sign):
    loop = "def center_columns(x):\n    while True: pass\n"
    for path in course.submitted.glob(f"*/{UNIT}/*.ipynb"):
        notebook = nbformat.read(path, as_version=4)
        for cell in notebook.cells:
            if cell.metadata.get("nbgrader", {}).get("grade_id") == "center_columns-answer":
                cell.source = loop
        nbformat.write(notebook, path)
    with tempfile.TemporaryDirectory() as folder:  # short: sockets lie in it
        words = {"env": {**os.environ, "TMPDIR": folder}, "stderr": subprocess.PIPE}
        run = start_grading(course.root, **words)
        end = time.monotonic() + 240
        while not (course.classroom / "reference").exists() or not kernels(folder):
            assert time.monotonic() < end
            time.sleep(0.02)
        family = descendants(run.pid)
        begun = time.monotonic()
        (os.killpg if sign == signal.SIGINT else os.kill)(run.pid, sign)
        said = run.stderr.read().decode()
        run.wait()
        while any(map(alive, family)) or (left := leftovers(folder)):
            assert time.monotonic() < begun + 20, (family, left)
            time.sleep(0.05)
        assert "Process ForkServer" not in said, said


def kernels(folder):
    return list(Path(folder).glob("grade-*/*/kernel.json"))


def leftovers(folder):
    return [path for path in Path(folder).iterdir() if path.name.startswith(("grade-", "desk-"))]


def descendants(pid):
    children = [
        int(word)
        for path in Path(f"/proc/{pid}/task").glob("*/children")
        for word in path.read_text().split()
    ]
    return children + [below for child in children for below in descendants(child)]


def alive(pid):
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_does_the_class_get_its_scores_when_a_worker_is_killed(course, expected):
    results = grade(course, submissions(course), workers=2)
    done = [next(results)]
    os.kill(members()[0], signal.SIGKILL)
    done += results
    assert len(done) == STUDENTS
    assert [result.problem for result in done if result.problem] == []
    assert scores(course) == expected[0]


class Deadly:
    """In place of papers: kills whoever opens it."""

    def items(self):
        os.kill(os.getpid(), signal.SIGKILL)


def test_is_a_submission_that_kills_its_worker_named_and_nobody_else():
    jobs = [("a", {}), ("b", Deadly()), *((letter, {}) for letter in "cdef")]
    with Crew(2) as crew:
        found = {name: problem for name, _, problem in crew.find(jobs)}
    assert found.keys() == set("abcdef")
    assert [name for name, problem in found.items() if problem] == ["b"]
    assert "was killed" in found["b"]


def test_does_a_cluster_find_the_same_scores_though_a_worker_is_killed(course, expected):
    with local_cluster(2) as address:
        results = grade(course, submissions(course), cluster=address)
        done = [next(results)]
        with Cluster(address) as cluster:
            first = next(iter(cluster.client.run(os.getpid).values()))
        os.kill(first, signal.SIGKILL)
        done += results
    assert len(done) == STUDENTS
    assert [result.problem for result in done if result.problem] == []
    assert scores(course) == expected[0]


def test_is_a_cluster_that_is_not_there_named(course):
    with pytest.raises(CourseError, match="No cluster with workers"):
        list(grade(course, submissions(course), cluster="tcp://127.0.0.1:9"))


def test_is_a_worker_with_other_code_named():
    with pytest.raises(CourseError, match="another version of the course"):
        require_our_version({"checks": "of last week", "environment": environment()})


@pytest.mark.skipif(not POSTGRES, reason="PostgreSQL's server is not installed here")
def test_does_the_whole_loop_run_on_postgresql(handed_in, expected, tmp_path, monkeypatch):
    with postgres_server() as address:
        monkeypatch.setenv("COURSE_DB", address)
        course = Course(tmp_path)
        shutil.copytree(handed_in.solutions / UNIT, course.solutions / UNIT)
        add_essay(course.solutions / UNIT / "start_here.ipynb")
        list(make_release(course))
        make_class(course, UNIT, STUDENTS)
        for result in grade(course, submissions(course), workers=2):
            assert not result.problem

        rows = scores(course)
        assert [row for row in rows if row.exercise != "essay"] == expected[0]
        assert all(
            row.by_hand for row in rows if row.student == "s0000" and row.exercise == "essay"
        )
        with contextlib.closing(Gradebook(address, "deep-learning")) as gradebook:
            grade_cell = gradebook.find_grade("essay", "start_here", UNIT, "s0000")
            grade_cell.manual_score, grade_cell.needs_manual_grade = 2.5, False
            gradebook.db.commit()
        write_table(course, tmp_path / "grades.csv")
    assert not (course.classroom / "gradebook.db").exists()
    (line,) = [row for row in (tmp_path / "grades.csv").read_text().splitlines() if "s0000" in row]
    assert line == "s0000,,,7.5,8.0,7.5,1.0,2.0,2.0,2.5"


def add_essay(path):
    """A question at the end of the notebook that a person grades."""
    notebook = nbformat.read(path, as_version=4)
    cell = nbformat.v4.new_markdown_cell("What surprised you?", id="essay")
    cell.metadata["nbgrader"] = {
        **{"grade": True, "solution": True, "locked": False, "task": False},
        **{"grade_id": "essay", "points": 3, "schema_version": 3, "cell_type": "markdown"},
    }
    cell.metadata["exercise"] = {
        **{"kind": "essay", "difficulty": 1, "importance": 1, "minutes": 5, "needs": []},
    }
    notebook.cells.append(cell)
    nbformat.write(notebook, path)
