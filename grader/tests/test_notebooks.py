"""What every notebook of solutions/ must keep to, read from its cells."""

import re

import nbformat
import pytest

from grader.course import Course, read_exercises
from grader.outputs import WIDGET, source_notebooks
from grader.release import source_units

CHECKOUT = Course()
NOTEBOOKS = source_notebooks(CHECKOUT)
# checks of unit 02, which came before its notebooks: empty this with them
COMING = {
    *("Value", "affine_backward", "affine_forward", "backprop_cost"),
    *("binary_cross_entropy_with_logits", "boolean_network", "box_half_spaces", "dead_unit"),
    *("elu", "elu_backward", "majority_weights", "mlp_gradients_torch", "mlp_loss"),
    *("mlp_parameters", "neuron", "overfit_first", "parity_units", "relu_approximation"),
    *("saturated_gradient", "silenced_units", "train_mlp", "why_depth", "xor_network"),
}
TOPICS = {"00": 5, "01": 9}  # how many topics the syllabus gives each unit
KINDS = {"np", "torch", "think", "essay"}


def name_of(path):
    return f"{path.parent.name[:2]}-{path.stem}"


def cells(path):
    return nbformat.read(path, as_version=4).cells


@pytest.mark.parametrize("unit", source_units(CHECKOUT))
def test_does_a_unit_teach_every_topic_in_order(unit):
    taught = [
        topic
        for path in NOTEBOOKS
        if path.parent.name == unit
        for cell in cells(path)
        for topic in cell.metadata.get("topics", [])
    ]
    number = unit[:2]
    wanted = [f"{number}.{topic}" for topic in range(1, TOPICS[number] + 1)]
    assert list(dict.fromkeys(taught)) == wanted


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_does_a_heading_of_a_section_carry_its_topic(path):
    for cell in cells(path):
        if cell.cell_type == "markdown" and re.match(r"## ", cell.source):
            assert cell.metadata.get("topics"), f"no topics on {cell.source.splitlines()[0]!r}"


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_does_what_may_vary_say_why(path):
    for cell in cells(path):
        ignored = "nbval-ignore-output" in cell.metadata.get("tags", [])
        assert ignored == bool(cell.metadata.get("varies")), cell.source


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_is_the_contract_the_same_for_reader_and_machine(path):
    """The line that a student reads agrees with the metadata that the board reads."""
    told = [
        tuple(map(int, found))
        for cell in cells(path)
        if cell.cell_type == "markdown"
        for found in re.findall(
            r"Difficulty (\d) of 5 · importance (\d) of 5 · (\d+) minutes", cell.source
        )
    ]
    exercises = read_exercises(path)
    assert told == [(e.difficulty, e.importance, e.minutes) for e in exercises]
    for exercise in exercises:
        assert exercise.kind in KINDS
        assert 1 <= exercise.difficulty <= 5 and 1 <= exercise.importance <= 5
        assert exercise.points > 0


@pytest.mark.parametrize("path", NOTEBOOKS, ids=name_of)
def test_are_outputs_stored_and_free_of_what_changes(path):
    for cell in cells(path):
        if cell.cell_type != "code":
            continue
        assert cell.execution_count, f"not executed: {cell.source!r}; run `make outputs`"
        for output in cell.outputs:
            assert output.output_type != "error", cell.source
            assert output.get("name") != "stderr", cell.source
            data = output.get("data", {})
            assert not (WIDGET in data and "image/png" in data)
            assert "<Figure" not in str(data.get("text/plain", ""))
            if "image/png" in data:
                alt = output.metadata.get("image/png", {}).get("alt", "")
                assert len(alt) > 20, f"a figure without alternative text: {cell.source!r}"


def test_has_every_exercise_its_own_name():
    names = [exercise.name for path in NOTEBOOKS for exercise in read_exercises(path)]
    assert len(names) == len(set(names))


def test_has_every_exercise_a_check_and_every_check_an_exercise():
    from grader.checks import checks

    names = {e.name for path in NOTEBOOKS for e in read_exercises(path) if e.kind != "essay"}
    assert not names & COMING
    assert names | COMING == set(checks())
