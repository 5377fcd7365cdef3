"""The release proof: what students get is what solutions/ gives, and nothing of the answers."""

import filecmp
import re

import nbformat
import pytest
from nbgrader.utils import is_grade, is_solution

from grader.checking import CheckFailed
from grader.course import Course, read_exercises
from grader.gradebook import scores
from grader.grading import grade_one
from grader.outputs import source_notebooks
from grader.release import make_release, source_units

CHECKOUT = Course()
UNITS = source_units(CHECKOUT)
NOTEBOOKS = source_notebooks(CHECKOUT)
REGION = re.compile(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", re.DOTALL)


def name_of(path):
    return f"{path.parent.name[:2]}-{path.stem}"


def read(path):
    return nbformat.read(path, as_version=4)


def graded(course, unit, notebooks, student="somebody"):
    """Hand in {file name: notebook} and grade it; {exercise: Score}."""
    folder = course.submitted / student / unit
    folder.mkdir(parents=True)
    for name, notebook in notebooks.items():
        nbformat.write(notebook, folder / name)
    assert grade_one(course, student, unit) == ""
    return {row.exercise: row for row in scores(course) if row.unit == unit}


def by_machine(results):
    return [row for row in results.values() if not row.by_hand]


@pytest.fixture
def course(fresh_release):
    return fresh_release


def test_course_is_exactly_what_solutions_give(course):
    made = sorted(p.relative_to(course.release) for p in course.release.rglob("*") if p.is_file())
    committed = sorted(
        path.relative_to(CHECKOUT.release)
        for path in CHECKOUT.release.rglob("*")
        if path.is_file() and ".ipynb_checkpoints" not in path.parts
    )
    assert committed == made, "run `make release` and commit course/"
    for path in made:
        same = filecmp.cmp(course.release / path, CHECKOUT.release / path, shallow=False)
        assert same, f"course/{path} is not what solutions/ gives: run `make release`"


@pytest.mark.parametrize("unit", UNITS)
def test_does_the_solution_score_everything(course, unit):
    results = graded(course, unit, {p.name: read(p) for p in NOTEBOOKS if p.parent.name == unit})
    assert by_machine(results)
    short = [row for row in by_machine(results) if row.points != row.most]
    assert not short


@pytest.mark.parametrize("unit", UNITS)
def test_does_the_untouched_release_score_nothing(course, unit):
    results = graded(course, unit, {p.name: read(p) for p in course.notebooks(unit)})
    assert [row for row in results.values() if row.points != 0] == []
    # and every check fails with its own message, not with a crash
    for path in sorted((course.autograded / "somebody" / unit).glob("*.ipynb")):
        for cell in read(path).cells:
            if is_grade(cell) and cell.cell_type == "code":
                errors = [o for o in cell.outputs if o.output_type == "error"]
                assert [error.ename for error in errors] == ["CheckFailed"], cell.source


@pytest.mark.parametrize("unit", UNITS)
def test_does_an_empty_notebook_score_nothing(course, unit):
    empty = {p.name: nbformat.v4.new_notebook() for p in course.notebooks(unit)}
    results = graded(course, unit, empty)
    assert results
    assert [row for row in results.values() if row.points != 0] == []


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_does_no_solution_survive_the_release(course, path):
    released = read(course.release / path.parent.name / path.name)
    text = squeezed("\n".join(cell.source for cell in released.cells))
    for cell in read(path).cells:
        for region in REGION.findall(cell.source):
            assert squeezed(region) not in text
            for line in region.splitlines():
                if len(squeezed(line)) > 15 and not line.strip().startswith("#"):
                    assert squeezed(line) not in text, f"the release shows {line.strip()!r}"


def squeezed(text):
    return re.sub(r"\s", "", text)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_is_only_what_is_marked_cleared(course, path):
    """Every answer cell holds a region, else nbgrader would blank all of it; the rest stays."""
    released = {cell.id: cell for cell in read(course.release / path.parent.name / path.name).cells}
    source = read(path)
    assert [cell.id for cell in source.cells] == list(released)
    for cell in source.cells:
        if cell.cell_type == "code" and (is_grade(cell) or is_solution(cell)):
            assert released[cell.id].outputs == []
            assert "raises-exception" in released[cell.id].metadata.tags
        if is_solution(cell):
            assert REGION.search(cell.source), f"no solution region in {cell.source!r}"
            continue
        kept = re.sub(
            r"\n?### BEGIN HIDDEN TESTS.*### END HIDDEN TESTS", "", cell.source, flags=re.S
        )
        assert released[cell.id].source == kept
        if cell.cell_type == "code" and not is_grade(cell):
            assert released[cell.id].outputs == cell.outputs


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_does_every_exercise_run_with_its_prerequisites_alone(path):
    cells = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in read(path).cells
        if "nbgrader" in cell.metadata
    }
    set_up = [source for name, source in cells.items() if name.startswith("setup")]
    assert len(set_up) == 1
    for exercise in read_exercises(path):
        if exercise.kind == "essay":
            continue
        room = {}
        answers = [cells[f"{name}-answer"] for name in (*exercise.needs, exercise.name)]
        for source in [*set_up, *answers, cells[exercise.name]]:
            exec(source, room)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_does_an_untouched_exercise_fail_in_words(course, path):
    """In the notebook, too: set-up, answer and check as released, in one process."""
    released = read(course.release / path.parent.name / path.name)
    cells = {
        cell.metadata.nbgrader.grade_id: cell.source
        for cell in released.cells
        if "nbgrader" in cell.metadata
    }
    for exercise in read_exercises(path):
        if exercise.kind == "essay":
            continue
        room = {}
        exec(cells[f"{exercise.name}-answer"], room)
        with pytest.raises(CheckFailed, match=exercise.name):
            exec(cells[exercise.name], room)


def test_is_work_done_in_course_kept_when_a_release_overwrites_it(course):
    path = course.notebooks(UNITS[0])[0]
    notebook = read(path)
    answer = next(cell for cell in notebook.cells if is_solution(cell))
    answer.source = "my_own_work = 1"
    nbformat.write(notebook, path)
    list(make_release(course, [UNITS[0]]))
    assert "my_own_work" not in path.read_text()
    (kept,) = (course.classroom / "before_release").rglob("*.ipynb")
    assert "my_own_work" in kept.read_text()
