"""What a class is given: unpacked in an empty folder, it works, and it holds no answers."""

import os
import re
import subprocess
import sys
import zipfile

import nbformat
import pytest
from nbclient import NotebookClient

from grader.bundle import make_bundle
from grader.course import Course
from grader.demo import answer_notebook, perfect

CHECKOUT = Course()
UNIT, NOTEBOOK = "00_start_here", "start_here.ipynb"


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    """The bundle of this checkout, unpacked in an empty folder."""
    folder = tmp_path_factory.mktemp("student")
    with zipfile.ZipFile(make_bundle(CHECKOUT, folder)) as archive:
        archive.extractall(folder)
    return folder / "deep-learning-course"


# what set-up installed for the checkout must not help the bundle out
START = (
    "import sys; sys.meta_path = [f for f in sys.meta_path if 'editable' not in repr(f).lower()]; "
    "from grader.__main__ import main; sys.exit(main())"
)


def run(bundle, *words):
    environment = os.environ | {"PYTHONPATH": str(bundle), "COURSE_PROGRESS": "off"}
    return subprocess.run(
        [sys.executable, "-c", START, *words],
        cwd=bundle,
        env=environment,
        capture_output=True,
        text=True,
    )


def test_does_the_bundle_hold_no_answers(bundle):
    names = {str(path.relative_to(bundle)) for path in bundle.rglob("*") if path.is_file()}
    assert "Makefile" in names and "constraints.txt" in names
    assert not [name for name in names if name.startswith(("solutions", "grader/mutants"))]
    assert not [name for name in names if "/tests/" in name]
    for name in names:
        if name.endswith(".ipynb"):
            text = (bundle / name).read_text()
            for secret in ("BEGIN SOLUTION", "HIDDEN TESTS", "secret_seed", "MARK SCHEME"):
                assert secret not in text, f"{name} holds {secret}"


def test_are_the_pictures_of_the_readme_there(bundle):
    pictures = re.findall(r"!\[.*?\]\((.*?)\)", (bundle / "README.md").read_text())
    assert pictures and all((bundle / picture).is_file() for picture in pictures)


def test_can_a_student_work_through_unit_00_there(bundle):
    path = bundle / "course" / UNIT / NOTEBOOK
    answer_notebook(path, CHECKOUT.solutions / UNIT / NOTEBOOK, perfect)
    notebook = nbformat.read(path, as_version=4)
    where = "import grader, utils; print(grader.__file__, utils.__file__)"
    notebook.cells.append(nbformat.v4.new_code_cell(where))
    client = NotebookClient(notebook, resources={"metadata": {"path": path.parent}})
    progress = bundle / "progress.json"
    client.execute(env=os.environ | {"PYTHONPATH": str(bundle), "COURSE_PROGRESS": str(progress)})
    printed = "".join(
        output.text
        for cell in notebook.cells
        if cell.cell_type == "code"
        for output in cell.outputs
        if output.output_type == "stream"
    )
    for exercise in CHECKOUT.exercises(UNIT):
        assert f"✓ {exercise.name}: all checks passed." in printed
    assert printed.strip().splitlines()[-1].count(str(bundle)) == 2  # not the checkout's modules
    assert progress.exists()


def test_can_a_student_see_progress_check_and_hand_in_there(bundle):
    assert "00 Start here" in run(bundle, "progress").stdout
    result = run(bundle, "check-submission")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "1_nearest_neighbors.ipynb: ready to hand in" in " ".join(result.stdout.split())
    result = run(bundle, "submit", "--unit", "00", "--student", "ada")
    assert result.returncode == 0, result.stdout + result.stderr
    assert (bundle / "outbox" / f"ada_{UNIT}.zip").exists()


@pytest.mark.parametrize("verb", ["release", "collect", "grade", "feedback", "export", "demo"])
def test_does_an_instructors_command_say_where_it_belongs(bundle, verb):
    result = run(bundle, verb)
    assert result.returncode == 2
    assert "the instructor's checkout" in " ".join(result.stdout.split())
    assert result.stderr == ""
