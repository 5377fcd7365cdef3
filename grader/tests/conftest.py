import os
import shutil

import pytest

from grader.course import Course
from grader.release import make_release
from grader.sandbox import bubblewrap
from grader.sandbox.zygote import UNSAFE, zygote


def why_no_sandbox():
    try:
        bubblewrap.require()
    except bubblewrap.NoSandbox as reason:
        return str(reason)


def pytest_configure(config):
    """Where no sandbox can be built, grading is tested without, and attacks are not tried."""
    if why_no_sandbox():
        os.environ[UNSAFE] = "1"


@pytest.fixture(scope="session")
def sandbox():
    """The warm parent behind its walls."""
    if why_no_sandbox():
        pytest.skip(why_no_sandbox())
    return zygote()


@pytest.fixture(autouse=True)
def own_progress(tmp_path, monkeypatch):
    """Checks record progress: not in the learner's own file."""
    monkeypatch.setenv("COURSE_PROGRESS", str(tmp_path / "progress.json"))


@pytest.fixture(scope="session")
def released(tmp_path_factory):
    """A course of its own: solutions/ copied, released, its gradebook filled. Not to be changed."""
    course = Course(tmp_path_factory.mktemp("released"))
    ignore = shutil.ignore_patterns(".ipynb_checkpoints")
    shutil.copytree(Course().solutions, course.solutions, ignore=ignore)
    list(make_release(course))
    return course


@pytest.fixture
def fresh_release(released, tmp_path):
    """A copy of the released course to hand in to."""
    shutil.copytree(released.root, tmp_path / "course")
    return Course(tmp_path / "course")


@pytest.fixture(scope="module")
def module_release(released, tmp_path_factory):
    """The same, shared by the tests of one module."""
    root = tmp_path_factory.mktemp("module") / "course"
    shutil.copytree(released.root, root)
    return Course(root)
