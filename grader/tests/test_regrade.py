"""After a check was mended: who changes is said first, then written; what a person gave stays."""

import json

import pytest

import grader.regrade
from grader.demo import answer_notebook, perfect
from grader.gradebook import open_gradebook, scores, source_cells
from grader.grading import grade_one, mark_done, paper_of
from grader.regrade import apply, changed_papers, changes, look, pending, side_folder, side_path
from grader.tests.made_up import fill
from grader.verdicts import paper_key, verdict_path

UNIT, NOTEBOOK, ESSAY = "01_neighbors_and_linear_classifiers", "3_training_and_data", "essay"
HERE = ("ada", UNIT)


@pytest.fixture
def course(fresh_release, monkeypatch):
    """Ada was graded by a check of `whiten` that refused what is right; a person read her essay."""
    course = fresh_release
    fill(course, UNIT, {"ada": {"whiten": "wrong", "standardize": "wrong"}})
    folder = course.submitted / "ada" / UNIT
    folder.mkdir(parents=True)
    for path in course.notebooks(UNIT):
        (folder / path.name).write_bytes(path.read_bytes())
        answer_notebook(folder / path.name, course.solutions / UNIT / path.name, perfect)
    mark_done(course, *HERE)
    with open_gradebook(course) as gradebook:
        for notebook in gradebook.find_submission(UNIT, "ada").notebooks:
            for grade in notebook.grades:
                if grade.needs_manual_grade:
                    grade.manual_score, grade.needs_manual_grade = 3.0, False
        gradebook.db.commit()
    return course


def examined(paper, path):
    """In place of an examination: the mended check of whiten lets the answer pass."""
    known = json.loads(verdict_path_of(path).read_text())
    known["key"] = paper_key(paper)
    if "whiten" in known["outcomes"]:
        known["outcomes"]["whiten"] = "ok"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(known))
    return known


def verdict_path_of(aside):
    return aside.parents[3] / "verdicts" / aside.relative_to(aside.parents[2])


def find_anew(course):
    papers = changed_papers(course, *HERE, source_cells(course, UNIT))
    for notebook, paper in papers.items():
        examined(paper, side_path(course, *HERE, notebook))


def found(course):
    find_anew(course)
    return changes(course, [HERE])


def points(course):
    return {row.exercise: (row.points, row.by_hand) for row in scores(course)}


def everything(course):
    return {path: path.read_bytes() for path in course.classroom.rglob("*.json")}


def test_is_it_said_who_changes_before_anything_is_written(course):
    before, kept = points(course), everything(course)
    (change,) = found(course)
    assert (change.student, change.exercise, change.before, change.after) == ("ada", "whiten", 0, 3)
    assert change.outcome == "ok"
    assert points(course) == before
    assert {path: everything(course)[path] for path in kept} == kept


def test_is_it_written_when_asked_for_and_does_a_persons_grade_stay(course):
    found(course)
    essays = {name: row for name, row in points(course).items() if name.startswith(ESSAY)}
    assert essays
    (result,) = apply(course, pending(course, [HERE]))
    assert result.problem == ""
    after = points(course)
    assert after["whiten"] == (3, False)
    assert after["standardize"] == (0, False)
    assert {name: after[name] for name in essays} == essays == dict.fromkeys(essays, (3, False))
    assert pending(course, [HERE]) == []
    assert found(course) == []
    assert pending(course, [HERE]) == []


@pytest.mark.parametrize("where", ["grade_one", "mark_read"])
def test_does_a_stopped_writing_go_on(course, monkeypatch, where):
    found(course)

    def stopped(*args, **kwargs):
        if where == "mark_read":
            grade_one(course, *HERE)  # done already, and asks for the essay to be read again
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(grader.regrade, where, stopped)
        list(apply(course, [HERE]))
    assert pending(course, [HERE]) == [HERE]
    find_anew(course)
    (result,) = apply(course, pending(course, [HERE]))
    assert result.problem == ""
    assert points(course)["whiten"] == (3, False)
    assert not [name for name, (_, by_hand) in points(course).items() if by_hand]


def test_does_a_claim_to_more_points_change_nothing(course):
    path = course.submitted / "ada" / UNIT / f"{NOTEBOOK}.ipynb"
    path.write_text(path.read_text().replace('"points": 3', '"points": 300'))
    mark_done(course, *HERE)
    (change,) = found(course)
    assert change.after == 3


def test_is_what_came_in_since_left_to_grading(course):
    found(course)
    (course.submitted / "ada" / UNIT / "timestamp.txt").write_text("later")
    (result,) = look(course, [HERE])
    assert result.problem == ""
    assert not side_folder(course, *HERE).exists()


def test_is_an_unchanged_verdict_not_found_again(course, monkeypatch):
    tests = source_cells(course, UNIT)
    for path in course.notebooks(UNIT):
        kept = verdict_path(course, *HERE, path.stem)
        paper = paper_of(
            course, *HERE, course.submitted / "ada" / UNIT / path.name, tests[path.stem]
        )
        kept.write_text(json.dumps({**json.loads(kept.read_text()), "key": paper_key(paper)}))
    assert found(course) == []
    assert pending(course, [HERE]) == []
