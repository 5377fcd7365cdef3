"""The commands behind the Makefile answer wrong input in one clear line."""

import re

import pytest

import grader
from grader.__main__ import VERBS, main, name_problems
from grader.course import CHECKOUT
from grader.grading import Graded
from grader.records import sentence


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("submit", "Say who you are and which unit"),
        ("submit --unit 99 --student ada", "There is no unit '99'. The units are: 00_start_here"),
        ("submit --unit 00 --student ../x", "cannot be a student's name"),
        ("collect", "Name the folder with the zip files"),
        ("collect --from /no/such/folder", "There is no folder"),
        ("grade --unit 99", "There is no unit '99'"),
        ("grade --student nobody-of-that-name", "There are no submissions of nobody"),
        ("check-submission --unit 99", "There is no unit '99'"),
        ("trace", "Say whose scores"),
        ("trace --student nobody-of-that-name", "There is no verdict on nobody"),
        ("regrade --student nobody-of-that-name", "There are no submissions of nobody"),
        ("similarity", "Say which unit"),
        ("release --unit 99", "There is no unit '99'"),
    ],
)
def test_does_wrong_input_get_one_clear_line(capsys, words, answer):
    assert main(words.split()) == 2
    printed = " ".join(capsys.readouterr().out.split())
    assert answer in printed
    assert "Traceback" not in printed


def test_can_a_students_words_steer_the_instructors_terminal(capsys):
    hostile = "\x1b[31mred\x1b]0;title\x07 [bold]\x9b2J"
    assert name_problems([Graded("ada", "00", hostile)]) == 1
    said = sentence({"ename": "CheckFailed", "evalue": hostile})
    for text in (capsys.readouterr().out, said):
        assert "red" in text and "[bold]" in text
        assert not set("\x1b\x07\x9b") & set(text)


def test_has_every_command_its_line_in_the_makefile():
    makefile = (CHECKOUT / "Makefile").read_text()
    assert set(re.findall(r"\$\(GRADER\) ([\w-]+)", makefile)) == set(VERBS)


def test_does_the_map_of_the_grader_name_every_module():
    named = set(re.findall(r"^    (\w+)/? +\S", grader.__doc__, re.MULTILINE))
    modules = {path.stem for path in (CHECKOUT / "grader").glob("*.py")} - {"__init__"}
    assert modules <= named


def test_does_a_table_of_nothing_say_so(capsys, monkeypatch, fresh_release):
    monkeypatch.setattr("grader.__main__.Course", lambda: fresh_release)
    assert main(["export"]) == 2
    assert "Nothing is graded yet: `make grade` first." in capsys.readouterr().out
    assert not (fresh_release.classroom / "class.png").exists()
