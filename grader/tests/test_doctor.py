"""The doctor on notebooks as Colab, VS Code, haste and malice leave them."""

import codecs
import json
import shutil
import subprocess
import sys
import zipfile
from copy import deepcopy

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell
from nbgrader.nbgraderformat import MetadataValidator
from nbgrader.utils import is_locked

from grader.course import CourseError
from grader.demo import answer_notebook, perfect
from grader.doctor import mend
from grader.feedback import write_student_page
from grader.gradebook import scores, source_cells
from grader.grading import grade, grade_one
from grader.rescue import file_findings, heal, heal_folder, sort_out, without_outputs
from grader.selfcheck import check_units
from grader.submission import collect

UNIT = "00_start_here"
NOTEBOOK = "start_here.ipynb"
LAST = "3_training_and_data"
GRADED = [
    "setup-start-here", "broadcast_shape-answer", "broadcast_shape", "center_columns-answer",
    "center_columns", "outer_sum-answer", "outer_sum",
]  # fmt: skip


class Clinic:
    """What the doctor knows of one notebook, and that notebook with all answers right."""

    def __init__(self, course, folder, unit, stem):
        name = f"{stem}.ipynb"
        self.released = nbformat.read(course.release / unit / name, as_version=4)
        self.sources = source_cells(course, unit)[stem]
        nbformat.write(self.released, folder / name)
        answer_notebook(folder / name, course.solutions / unit / name, perfect)
        self.solved = nbformat.read(folder / name, as_version=4)
        self.graded = [
            cell.metadata.nbgrader.grade_id
            for cell in self.released.cells
            if "nbgrader" in cell.metadata
        ]

    def mend(self, notebook):
        findings = mend(notebook, self.released, self.sources)
        self.must_be_sound(notebook)
        return findings

    def must_be_sound(self, notebook):
        """What holds whatever came in: nbgrader finds nothing to mend, and nothing is forged."""
        nbformat.validate(notebook)
        MetadataValidator().validate_nb(notebook)
        was = by_id(self.released)
        marked = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
        assert [cell.metadata.nbgrader.grade_id for cell in marked] == self.graded
        for cell in marked:
            grade_id = cell.metadata.nbgrader.grade_id
            kind, source, locked = self.sources[grade_id]
            assert cell.metadata == was[grade_id].metadata
            assert (cell.cell_type, is_locked(cell)) == (kind, locked)
            if locked:
                assert cell.source == source


def by_id(notebook):
    return {c.metadata.nbgrader.grade_id: c for c in notebook.cells if "nbgrader" in c.metadata}


def place(notebook, grade_id):
    return notebook.cells.index(by_id(notebook)[grade_id])


def sources_of(notebook):
    return {grade_id: cell.source for grade_id, cell in by_id(notebook).items()}


@pytest.fixture(scope="module")
def clinic(released, tmp_path_factory):
    return Clinic(released, tmp_path_factory.mktemp("clinic"), UNIT, "start_here")


@pytest.fixture(scope="module")
def last_clinic(released, tmp_path_factory):
    unit = "01_neighbors_and_linear_classifiers"
    return Clinic(released, tmp_path_factory.mktemp("clinic"), unit, LAST)


@pytest.fixture
def solved(clinic):
    return deepcopy(clinic.solved)


@pytest.fixture
def right(clinic):
    """{grade_id: source} of the right answers, which none may lose."""
    return answers(clinic.solved)


def answers(notebook):
    return {name: text.strip() for name, text in sources_of(notebook).items() if "-answer" in name}


def test_is_a_sound_notebook_left_as_it_is(clinic, solved, right):
    assert clinic.mend(solved) == []
    assert answers(solved) == right
    assert [c.cell_type for c in solved.cells] == [c.cell_type for c in clinic.solved.cells]


def test_does_the_changed_one_of_two_copies_count(clinic, solved, right):
    cell = by_id(solved)["center_columns-answer"]
    stub = deepcopy(by_id(clinic.released)["center_columns-answer"])
    solved.cells.insert(place(solved, "center_columns"), stub)
    (finding,) = clinic.mend(solved)
    assert "center_columns-answer was there 2 times" in finding
    assert answers(solved) == right
    assert len([c for c in solved.cells if c.source == stub.source]) == 0
    assert cell.source in [c.source for c in solved.cells]


def test_does_the_last_of_two_changed_copies_count(clinic, solved):
    first = by_id(solved)["center_columns-answer"]
    second = deepcopy(first)
    second.source = "def center_columns(x):\n    return x"
    solved.cells.insert(place(solved, "center_columns-answer") + 1, second)
    clinic.mend(solved)
    assert answers(solved)["center_columns-answer"] == second.source
    assert first.source in [c.source for c in solved.cells if "nbgrader" not in c.metadata]


@pytest.mark.parametrize("grade_id", GRADED)
def test_is_a_deleted_cell_put_back_in_its_place(clinic, solved, grade_id):
    before = [c.metadata.get("nbgrader", {}).get("grade_id") for c in solved.cells]
    del solved.cells[place(solved, grade_id)]
    findings = clinic.mend(solved)
    assert any("Missing" in words and grade_id in words for words in findings)
    assert [c.metadata.get("nbgrader", {}).get("grade_id") for c in solved.cells] == before
    assert by_id(solved)[grade_id].source == clinic.sources[grade_id][1] or "-answer" in grade_id


def test_is_an_answer_found_in_a_cell_of_the_students_own(clinic, solved, right):
    answer = solved.cells.pop(place(solved, "outer_sum-answer"))
    solved.cells.append(new_code_cell(answer.source))
    findings = clinic.mend(solved)
    assert "outer_sum-answer had lost its cell" in " ".join(findings)
    assert answers(solved) == right


def test_does_code_stay_with_its_test_where_the_test_was_deleted(clinic, solved):
    """A helper that stands after the answer comes before the test that is put back."""
    where = place(solved, "outer_sum")
    solved.cells[where] = new_code_cell("helper = 1")
    clinic.mend(solved)
    assert solved.cells[place(solved, "outer_sum") - 1].source == "helper = 1"


def test_are_answers_kept_where_all_marks_are_lost(clinic, solved, right):
    for cell in solved.cells:
        cell.metadata = nbformat.NotebookNode(id="cSd8", colab={})
        cell.pop("id")
    solved.nbformat_minor = 0
    findings = clinic.mend(solved)
    assert "marks were lost" in " ".join(findings)
    assert answers(solved) == right


def test_is_an_essay_found_by_its_place(last_clinic):
    solved = deepcopy(last_clinic.solved)
    essay = by_id(solved)["essay_knn_or_linear"]
    text = essay.source
    for cell in solved.cells:
        cell.metadata, cell.id = nbformat.NotebookNode(), cell.id + "x"
    last_clinic.mend(solved)
    assert by_id(solved)["essay_knn_or_linear"].source == text
    assert answers(solved) == answers(last_clinic.solved)


@pytest.mark.parametrize(
    "forged",
    [
        {"points": 1000},
        {"points": "many"},
        {"grade": False},
        {"locked": False},
        {"solution": True},
        {"task": True},
        {"schema_version": 99},
        {"cell_type": ["code"]},
        {"invented": {"deep": [1]}},
    ],
)
def test_are_forged_metadata_as_released(clinic, solved, right, forged):
    by_id(solved)["outer_sum"].metadata.nbgrader.update(forged)
    by_id(solved)["outer_sum-answer"].metadata.nbgrader.update(forged)
    clinic.mend(solved)
    assert answers(solved) == right


@pytest.mark.parametrize("marks", ["text", None, [], {"grade_id": ["outer_sum"]}, {"grade_id": 3}])
def test_are_marks_of_no_kind_harmless(clinic, solved, right, marks):
    by_id(solved)["outer_sum"].metadata["nbgrader"] = marks
    clinic.mend(solved)
    assert answers(solved) == right


def test_does_an_invented_cell_earn_nothing(clinic, solved):
    bonus = new_code_cell("100")
    bonus.metadata["nbgrader"] = dict(by_id(solved)["outer_sum"].metadata.nbgrader)
    bonus.metadata["nbgrader"].update(grade_id="bonus", points=100)
    solved.cells.append(bonus)
    (finding,) = clinic.mend(solved)
    assert "'bonus', which was never released" in finding


def test_does_the_tests_mark_on_a_students_cell_change_nothing(clinic, solved, right):
    mine = new_code_cell("helper = 2")
    mine.metadata["nbgrader"] = dict(by_id(solved)["outer_sum"].metadata.nbgrader)
    solved.cells.insert(0, mine)
    clinic.mend(solved)
    assert answers(solved) == right
    assert "helper = 2" in [c.source for c in solved.cells if "nbgrader" not in c.metadata]


def test_does_an_answer_that_says_it_is_the_test_still_run(clinic, solved, right):
    answer, test = by_id(solved)["outer_sum-answer"], by_id(solved)["outer_sum"]
    swapped = answer.metadata, test.metadata
    test.metadata, answer.metadata = swapped
    clinic.mend(solved)
    sources = [cell.source.strip() for cell in solved.cells]
    assert right["outer_sum-answer"] in sources[: place(solved, "outer_sum")]


@pytest.mark.parametrize("keeps", ["outer_sum-answer", "outer_sum"])
def test_are_an_answer_and_its_test_that_were_merged_two_again(clinic, solved, right, keeps):
    answer, test = by_id(solved)["outer_sum-answer"], by_id(solved)["outer_sum"]
    merged = answer.source + "\n\n" + test.source
    by_id(solved)[keeps].source = merged
    gone = {"outer_sum-answer", "outer_sum"} - {keeps}
    del solved.cells[place(solved, gone.pop())]
    findings = clinic.mend(solved)
    assert answers(solved) == right
    if keeps == "outer_sum-answer":
        assert findings == ["The cell outer_sum had been merged with another; they are two again."]


def test_do_two_answers_in_one_cell_both_stand(clinic, solved, right):
    names = ["center_columns-answer", "center_columns", "outer_sum-answer", "outer_sum"]
    cells = [by_id(solved)[name] for name in names]
    cells[0].source = "\n\n".join(cell.source for cell in cells)
    for cell in cells[1:]:
        solved.cells.pop(next(i for i, c in enumerate(solved.cells) if c is cell))
    clinic.mend(solved)
    found = answers(solved)
    assert right["center_columns-answer"] in found["center_columns-answer"]
    assert right["outer_sum-answer"] in found["center_columns-answer"]
    assert found["outer_sum-answer"] == "# This answer stands in center_columns-answer."


@pytest.mark.parametrize("both_marked", [False, True])
def test_is_an_answer_split_in_two_one_again(clinic, solved, right, both_marked):
    where = place(solved, "outer_sum-answer")
    lines = solved.cells[where].source.splitlines()
    rest = new_code_cell("\n".join(lines[2:]))
    if both_marked:
        rest.metadata = deepcopy(solved.cells[where].metadata)
    solved.cells[where].source = "\n".join(lines[:2])
    solved.cells.insert(where + 1, rest)
    findings = clinic.mend(solved)
    assert "one again" in " ".join(findings)
    assert answers(solved) == right


def test_does_an_import_added_to_the_set_up_cell_survive(clinic, solved):
    by_id(solved)["setup-start-here"].source += "\nimport math"
    findings = clinic.mend(solved)
    assert "has a cell of its own" in " ".join(findings)
    assert solved.cells[place(solved, "setup-start-here") + 1].source == "import math"


def test_is_a_test_made_easier_as_released(clinic, solved, right):
    by_id(solved)["outer_sum"].source = "pass"
    (finding,) = clinic.mend(solved)
    assert "locked cell outer_sum had been changed" in finding
    assert len(solved.cells) == len(clinic.released.cells)
    assert answers(solved) == right


def test_is_an_answer_in_a_cell_of_another_type_code_again(clinic, solved, right):
    where = place(solved, "outer_sum-answer")
    text = new_markdown_cell(solved.cells[where].source)
    text.metadata = solved.cells[where].metadata
    solved.cells[where] = text
    clinic.mend(solved)
    assert answers(solved) == right


def test_is_a_cell_that_moved_put_back_in_order(clinic, solved, right):
    solved.cells.append(solved.cells.pop(place(solved, "setup-start-here")))
    findings = clinic.mend(solved)
    assert findings == ["Out of place, and put back in order: setup-start-here."]
    assert place(solved, "setup-start-here") == 1
    assert answers(solved) == right


@pytest.mark.parametrize("kernel", [None, {}, {"name": "ir", "language": "R"}, "python3"])
def test_is_another_kernel_named_and_ours_put_in_place(clinic, solved, kernel):
    solved.metadata["kernelspec"] = kernel
    (finding,) = clinic.mend(solved)
    assert "kernel" in finding
    assert solved.metadata.kernelspec == clinic.released.metadata.kernelspec


def test_is_line_noise_in_cells_survived(clinic, solved):
    solved.cells += [
        nbformat.from_dict(cell)
        for cell in (
            {},
            {"cell_type": "video", "source": 3, "metadata": []},
            {"cell_type": "code", "source": ["a = 1\r\n", None, "b = 2"]},
            {"cell_type": "markdown", "source": "half \ud800", "attachments": {"a": 3}},
        )
    ]
    clinic.mend(solved)
    assert solved.cells[-2].source == "a = 1\nb = 2"
    nbformat.writes(solved).encode()


DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["delete", "copy", "move", "strip", "forget id", "empty", "type", "mark"]),
        st.integers(0, 10**6),
        st.integers(0, 10**6),
    ),
    max_size=30,
)


def damage(notebook, steps):
    for step, one, other in steps:
        if not notebook.cells:
            break
        one, other = one % len(notebook.cells), other % len(notebook.cells)
        cell = notebook.cells[one]
        if step == "delete":
            del notebook.cells[one]
        elif step == "copy":
            notebook.cells.insert(other, deepcopy(cell))
        elif step == "move":
            notebook.cells.insert(other, notebook.cells.pop(one))
        elif step == "strip":
            cell.metadata = nbformat.NotebookNode()
        elif step == "forget id":
            cell.pop("id", None)
        elif step == "empty":
            cell.source = ""
        elif step == "type":
            cell.cell_type = "raw"
        elif step == "mark":
            cell.metadata = deepcopy(notebook.cells[other].metadata)


@settings(max_examples=60, deadline=None)
@given(steps=DAMAGE)
def test_comes_any_damage_out_sound_and_the_same_each_time(clinic, steps):
    hurt = deepcopy(clinic.solved)
    damage(hurt, steps)
    again = deepcopy(hurt)
    clinic.mend(hurt)
    mend(again, clinic.released, clinic.sources)
    assert hurt == again
    once = deepcopy(hurt)
    assert mend(once, clinic.released, clinic.sources) == []  # well is well
    assert sources_of(once) == sources_of(hurt)


@settings(max_examples=40, deadline=None)
@given(st.sampled_from(["marks", "ids", "both"]), st.booleans(), st.integers(0, 4), st.booleans())
def test_keeps_a_notebook_that_another_tool_saved_its_answers(
    clinic, last_clinic, lost, windows, minor, as_lists
):
    for one in (clinic, last_clinic):
        saved = deepcopy(one.solved)
        saved.nbformat_minor = minor
        for cell in saved.cells:
            if lost != "ids":
                cell.metadata = nbformat.NotebookNode(colab={"base_uri": "x"})
            if lost != "marks":
                cell.pop("id")
            if windows:
                cell.source = cell.source.replace("\n", "\r\n")
            if as_lists:
                cell.source = cell.source.splitlines(keepends=True)
        one.mend(saved)
        was = sources_of(one.solved)
        open_cells = [name for name in one.graded if not one.sources[name][2]]
        assert {n: sources_of(saved)[n] for n in open_cells} == {n: was[n] for n in open_cells}


# --- files ---


def as_bytes(notebook):
    return nbformat.writes(notebook).encode()


def test_is_nothing_printed_about_ids_that_are_there_twice(solved):
    solved.cells.append(solved.cells[-1])
    code = "import sys, nbformat, grader.rescue; nbformat.reads(sys.stdin.read(), as_version=4)"
    words = [sys.executable, "-W", "default", "-c", code]
    read = subprocess.run(words, input=json.dumps(solved), capture_output=True, text=True)
    assert (read.returncode, read.stderr) == (0, "")


def test_is_a_sound_file_the_same_to_the_byte(solved):
    content = as_bytes(solved)
    assert heal(NOTEBOOK, content) == (content, [])


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: codecs.BOM_UTF8 + text.encode(),
        lambda text: text.encode("utf-16"),
        lambda text: text.encode("utf-16-le"),
        lambda text: text.encode("utf-16-be"),
        lambda text: text.encode("cp1252", "replace"),
    ],
)
def test_is_a_file_in_another_encoding_utf8_again(solved, right, wrap):
    content, (finding,) = heal(NOTEBOOK, wrap(nbformat.writes(solved)))
    assert "UTF-8" in finding
    assert answers(nbformat.reads(content, as_version=4)) == right


@pytest.mark.parametrize("number", [3, 2])
def test_is_an_old_format_brought_up(clinic, solved, right, number):
    old = nbformat.convert(solved, 3)
    old.nbformat = number
    content, findings = heal(NOTEBOOK, json.dumps(old).encode())
    assert f"old notebook format {number}" in findings[0]
    notebook = nbformat.reads(content, as_version=4)
    clinic.mend(notebook)
    assert answers(notebook) == right


def test_is_what_can_be_read_of_a_crooked_notebook_kept(clinic, solved, right):
    solved.cells[0] = None
    solved.cells.append({"cell_type": "code", "outputs": "many", "source": "a = 1"})
    solved.metadata = []
    content, (finding,) = heal(NOTEBOOK, json.dumps(solved).encode())
    assert "what can be read was kept" in finding
    notebook = nbformat.reads(content, as_version=4)
    clinic.mend(notebook)
    assert answers(notebook) == right


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"", "is empty"),
        (codecs.BOM_UTF16_LE, "is empty"),
        (b'{"cells": [', r"is broken.*line 1"),
        (b"[]", "holds no cells"),
        (b'{"cells": [], "nbformat": 5}', "format that Jupyter cannot read"),
        (b'{"cells": [], "nbformat": 3}', "cannot be converted"),
        (b"[" * 100_000, "not a notebook"),
        (b'{"cells": [' + b"1" * 5000 + b"]}", "not a notebook"),
        (b"0" * 30_000_000, "too large"),
    ],
)
def test_gets_what_cannot_be_put_right_one_clear_sentence(content, says):
    with pytest.raises(CourseError, match=says) as raised:
        heal(NOTEBOOK, content)
    assert "\n" not in str(raised.value)
    assert NOTEBOOK in str(raised.value)


def test_are_huge_outputs_left_out(solved, right):
    solved.cells[1].outputs = [
        nbformat.v4.new_output("stream", text='a "line" with [ and ]\n' * 2_000_000)
    ]
    content, (finding,) = heal(NOTEBOOK, as_bytes(solved))
    assert "MB, nearly all in outputs" in finding
    assert len(content) < 1_000_000
    assert answers(nbformat.reads(content, as_version=4)) == right


def test_is_a_source_that_speaks_of_outputs_left_alone(solved):
    solved.cells[1].source = 'x = {"outputs": [1, "]"]}\ny = "\\"outputs\\": ["'
    kept = nbformat.reads(without_outputs(as_bytes(solved)), as_version=4)
    assert [c.source for c in kept.cells] == [c.source for c in solved.cells]


@pytest.mark.parametrize(
    "name",
    ["start_here (1).ipynb", "Copy of start_here.ipynb", "homework.ipynb", "a/b/start_here.ipynb"],
)
def test_is_a_notebook_found_under_another_name(clinic, solved, name):
    content = as_bytes(solved)
    found = sort_out({name: content}, {NOTEBOOK: clinic.released})
    assert found[NOTEBOOK].content == content
    assert bool(found[NOTEBOOK].findings) == ("/" not in name)


def test_does_the_copy_that_was_worked_in_count(clinic, solved):
    files = {NOTEBOOK: as_bytes(clinic.released), "start_here-Copy1.ipynb": as_bytes(solved)}
    (found,) = sort_out(files, {NOTEBOOK: clinic.released}).values()
    assert found.content == files["start_here-Copy1.ipynb"]
    assert "Not used" in " ".join(found.findings)


def test_climbs_nothing_out_of_a_zip_file(clinic, solved, fresh_release, tmp_path):
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    with zipfile.ZipFile(inbox / f"ada_{UNIT}.zip", "w") as archive:
        archive.writestr("../../../Copy of start_here.ipynb", as_bytes(solved))
        archive.writestr("/etc/extra.txt", "x")
        archive.writestr("__MACOSX/._start_here.ipynb", b"\0\5\26\7")
        link = zipfile.ZipInfo("link.ipynb")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "/etc/passwd")
    (arrival,) = collect(fresh_release, inbox)
    assert not arrival.problem
    assert "Copy of start_here.ipynb" in arrival.findings[0]
    written = [p for p in tmp_path.rglob("*") if p.name in ("extra.txt", "link.ipynb")]
    assert written == []
    assert (fresh_release.submitted / "ada" / UNIT / NOTEBOOK).read_bytes() == as_bytes(solved)


def test_is_a_folder_from_the_exchange_put_right_once_and_nothing_lost(
    solved, fresh_release, tmp_path
):
    course = fresh_release
    folder = course.submitted / "ada" / UNIT
    folder.mkdir(parents=True)
    sent = codecs.BOM_UTF8 + as_bytes(solved)
    (folder / NOTEBOOK).write_bytes(sent)
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (folder / "data.txt").symlink_to(secret)
    for _ in range(2):
        assert heal_folder(course, "ada", UNIT) == [NOTEBOOK]
        (finding,) = file_findings(course, "ada", UNIT, "start_here")
        assert "utf-8 with a mark" in finding
    originals = [p.read_bytes() for p in (course.classroom / "originals").rglob("*.ipynb")]
    assert originals == [sent]
    assert sorted(p.name for p in folder.iterdir()) == [NOTEBOOK]
    assert secret.exists()


def test_do_both_roads_of_grading_find_one_verdict(solved, fresh_release, caplog):
    """A notebook with many faults: `make grade` and nbgrader's own command agree."""
    course = fresh_release
    course.config.GradingExecute.timeout = 4
    solved.cells.append(deepcopy(by_id(solved)["outer_sum-answer"]))
    by_id(solved)["broadcast_shape"].metadata.nbgrader.points = 50
    del solved.cells[place(solved, "center_columns")]
    folder = course.submitted / "ada" / UNIT
    folder.mkdir(parents=True)
    (folder / "Copy of start_here.ipynb").write_bytes(codecs.BOM_UTF8 + as_bytes(solved))
    (result,) = grade(course, [("ada", UNIT)], workers=1)
    assert not result.problem
    points = {row.exercise: row.points for row in scores(course)}
    assert points == {"broadcast_shape": 1, "center_columns": 2, "outer_sum": 2}
    kept = course.classroom / "verdicts" / "ada" / UNIT / "start_here.json"
    before = kept.stat().st_mtime_ns
    assert grade_one(course, "ada", UNIT) == ""
    assert kept.stat().st_mtime_ns == before
    assert "has changed" not in caplog.text  # nbgrader's own look finds nothing
    graded = nbformat.read(course.autograded / "ada" / UNIT / NOTEBOOK, as_version=4)
    found = " ".join(graded.metadata.findings)
    for fault in ("with a mark", "Copy of start_here", "2 times", "put back as released"):
        assert fault in found
    assert json.loads(kept.read_text())["findings"] == graded.metadata.findings
    page = write_student_page(course, "ada").read_text()
    assert "The cell outer_sum-answer was there 2 times" in page


def test_sees_a_student_the_same_before_handing_in(solved, fresh_release):
    course = fresh_release
    shutil.copytree(course.release / UNIT, course.root / ".released" / UNIT)
    path = course.release / UNIT / NOTEBOOK
    (whole,) = check_units(course, [UNIT])
    assert (whole.findings, whole.problem) == ((), "")
    by_id(solved)["outer_sum"].metadata.nbgrader.points = 9
    path.write_bytes(as_bytes(solved))
    (mended,) = check_units(course, [UNIT])
    assert "metadata of outer_sum had been changed (points)" in mended.findings[0]
    path.write_text("{")
    (broken,) = check_units(course, [UNIT])
    assert "is broken" in broken.problem
    path.unlink()
    (gone,) = check_units(course, [UNIT])
    assert "is not in course/" in gone.problem


def test_is_a_notebook_without_a_release_beside_it_named(fresh_release):
    with pytest.raises(CourseError, match="not here to compare with"):
        list(check_units(fresh_release, [UNIT]))
