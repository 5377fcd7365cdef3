"""Handing in and collecting, with right and with wrong input."""

import os
import zipfile

import nbformat
import pytest

from grader.course import CourseError
from grader.gradebook import enroll
from grader.submission import collect, pack

UNIT = "00_start_here"
NOTEBOOK = "start_here.ipynb"


@pytest.fixture
def course(fresh_release):
    return fresh_release


@pytest.fixture
def inbox(tmp_path):
    folder = tmp_path / "inbox"
    folder.mkdir()
    return folder


def arrived(course, inbox, enrolled=None):
    return list(collect(course, inbox, enrolled))


def parcel(inbox, name, files):
    path = inbox / name
    with zipfile.ZipFile(path, "w") as archive:
        for file, content in files.items():
            archive.writestr(file, content)
    return path


def test_does_a_packed_unit_arrive_whole(course, inbox):
    pack(course, "0", "ada", inbox)
    (arrival,) = arrived(course, inbox)
    assert (arrival.student, arrival.unit, arrival.problem) == ("ada", UNIT, "")
    sent = (course.release / UNIT / NOTEBOOK).read_bytes()
    assert (course.submitted / "ada" / UNIT / NOTEBOOK).read_bytes() == sent


def test_is_a_wrong_unit_named(course, inbox):
    with pytest.raises(CourseError, match=r"no unit '7'.*00_start_here"):
        pack(course, "7", "ada", inbox)


@pytest.mark.parametrize("name", ["", "../ada", "ada lovelace", "a_b", "-rf", "a" * 80])
def test_is_an_unfit_student_name_refused(course, inbox, name):
    with pytest.raises(CourseError, match="student's name"):
        pack(course, "00", name, inbox)
    assert list(inbox.iterdir()) == []


def test_is_a_broken_notebook_named_before_it_is_handed_in(course, inbox):
    (course.release / UNIT / NOTEBOOK).write_text('{"cells": [')
    with pytest.raises(CourseError, match=r"start_here.ipynb is broken.*line 1"):
        pack(course, "00", "ada", inbox)


@pytest.mark.parametrize(
    ("name", "files", "problem"),
    [
        ("homework.zip", {NOTEBOOK: "{}"}, "<student>_<unit>.zip"),
        ("ada_99_other.zip", {NOTEBOOK: "{}"}, "<student>_<unit>.zip"),
        (f"ada_{UNIT}.zip", {"essay.txt": "hello"}, "holds none of start_here.ipynb"),
        (f"ada_{UNIT}.zip", {NOTEBOOK: "{broken"}, "JSON cannot be read"),
        (f"ada_{UNIT}.zip", {NOTEBOOK: "\xff\xfe".encode("latin-1")}, "not a notebook"),
        (f"ada_{UNIT}.zip", {NOTEBOOK: "[]"}, "not a notebook"),
    ],
)
def test_does_a_bad_parcel_get_one_clear_line_and_stay(course, inbox, name, files, problem):
    path = parcel(inbox, name, files)
    pack(course, "00", "ben", inbox)
    outcome = {arrival.parcel: arrival for arrival in arrived(course, inbox)}
    assert problem in outcome[path].problem
    assert "\n" not in outcome[path].problem
    assert path.exists()
    assert not (course.submitted / "ada").exists()
    assert (course.submitted / "ben" / UNIT / NOTEBOOK).exists()  # the others are collected


def test_is_a_truncated_zip_named(course, inbox):
    path = pack(course, "00", "ada", inbox)
    path.write_bytes(path.read_bytes()[:1000])
    (arrival,) = arrived(course, inbox)
    assert "cannot be read" in arrival.problem


@pytest.mark.parametrize("place", range(26, 60, 3))
def test_is_a_damaged_zip_named_and_are_the_others_collected(course, inbox, place):
    path = pack(course, "00", "ada", inbox)
    pack(course, "00", "ben", inbox)
    damaged = bytearray(path.read_bytes())
    damaged[place] ^= 0xFF  # in the header or the data of the first notebook
    path.write_bytes(damaged)
    outcome = {arrival.student or "?": arrival.problem for arrival in arrived(course, inbox)}
    assert outcome["ben"] == ""
    assert "cannot be read" in outcome["?"]


def test_does_a_collection_that_was_stopped_go_on(course, inbox):
    pack(course, "00", "ada", inbox)
    arrived(course, inbox)
    stamp = course.submitted / "ada" / UNIT / "timestamp.txt"
    stamp.unlink()
    (arrival,) = arrived(course, inbox)
    assert arrival.problem == ""
    assert stamp.exists() and (stamp.parent / NOTEBOOK).exists()


def test_is_a_zip_bomb_refused(course, inbox):
    parcel(inbox, f"ada_{UNIT}.zip", {NOTEBOOK: b"0" * 60_000_000})
    (arrival,) = arrived(course, inbox)
    assert "too large" in arrival.problem


def test_does_a_parcel_write_nothing_but_the_units_notebooks(course, inbox):
    good = (course.release / UNIT / NOTEBOOK).read_bytes()
    files = {f"../../{NOTEBOOK}": good, "utils/__init__.py": "raise SystemExit", "../x": "x"}
    parcel(inbox, f"ada_{UNIT}.zip", files)
    (arrival,) = arrived(course, inbox)
    assert not arrival.problem
    written = [p.name for p in course.submitted.rglob("*") if p.is_file()]
    assert sorted(written) == [NOTEBOOK, "timestamp.txt"]


def test_is_an_unknown_student_refused_where_there_is_a_list(course, inbox):
    course.classroom.mkdir(exist_ok=True)
    course.roster.write_text("id,first_name,last_name\nada,Ada,Lovelace\n")
    pack(course, "00", "ada", inbox)
    pack(course, "00", "mallory", inbox)
    outcome = {arrival.parcel.stem: arrival for arrival in arrived(course, inbox, enroll(course))}
    assert outcome[f"ada_{UNIT}"].problem == ""
    assert "'mallory' is not in class/students.csv" in outcome[f"mallory_{UNIT}"].problem


def test_does_a_list_without_column_names_say_what_it_needs(course):
    course.classroom.mkdir(exist_ok=True)
    course.roster.write_text("ada,Ada,Lovelace\nben,Ben,Bitdiddle\n")
    with pytest.raises(CourseError, match="id,first_name,last_name,email"):
        enroll(course)


def test_does_a_newer_parcel_replace_an_older_one_and_lose_nothing(course, inbox):
    first = pack(course, "00", "ada", inbox)
    os.utime(first, (1_000_000_000, 1_000_000_000))
    arrived(course, inbox)
    notebook = nbformat.read(course.release / UNIT / NOTEBOOK, as_version=4)
    notebook.cells.append(nbformat.v4.new_markdown_cell("second thoughts"))
    nbformat.write(notebook, course.release / UNIT / NOTEBOOK)
    second = pack(course, "00", "ada", inbox / "later")
    os.utime(second, (1_000_000_500, 1_000_000_500))
    arrived(course, inbox)
    arrived(course, inbox)  # once more changes nothing
    submitted = course.submitted / "ada" / UNIT
    assert "second thoughts" in (submitted / NOTEBOOK).read_text()
    assert (submitted / "timestamp.txt").read_text().startswith("2001-09-09 01:55:00")
    (kept,) = (course.classroom / "replaced").iterdir()
    assert "second thoughts" not in (kept / NOTEBOOK).read_text()


def test_does_collecting_go_on_where_it_was_stopped(course, inbox):
    pack(course, "00", "ada", inbox)
    arrived(course, inbox)
    (course.submitted / "ada" / UNIT / "timestamp.txt").unlink()
    (arrival,) = arrived(course, inbox)
    assert arrival.problem == ""
    assert (course.submitted / "ada" / UNIT / "timestamp.txt").exists()


def test_does_the_name_of_a_learning_platform_around_ours_do_no_harm(course, inbox):
    path = pack(course, "00", "ada", inbox)
    path.rename(inbox / f"doejane_12345_6789_ada_{UNIT} (1).zip")
    (arrival,) = arrived(course, inbox)
    assert (arrival.student, arrival.unit) == ("ada", UNIT)


def test_is_a_folder_without_parcels_named(course, inbox, tmp_path):
    with pytest.raises(CourseError, match="no zip files"):
        arrived(course, inbox)
    with pytest.raises(CourseError, match="no folder"):
        arrived(course, tmp_path / "nowhere")
