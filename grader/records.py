"""What is kept of graded submissions, verdicts and words: the material of feedback and reports."""

import json
import re
from collections import Counter, defaultdict
from dataclasses import dataclass

from nbconvert.filters import strip_ansi

from grader.course import printable


@dataclass(frozen=True)
class Record:
    """The verdict on one notebook of one submission."""

    student: str
    unit: str
    notebook: str
    verdict: dict  # see grader.verdicts
    said: dict[str, str]  # {exercise: what its check said}, of what did not pass


def records(course, unit=None, student=None):
    """A Record for every verdict that is kept, by student, unit and notebook."""
    found = []
    for path in sorted(course.classroom.glob(f"verdicts/{student or '*'}/{unit or '*'}/*.json")):
        place = path.parts[-3], path.parts[-2], path.stem
        verdict = json.loads(path.read_text(encoding="utf-8"))
        said = messages(course.autograded.joinpath(*place).with_suffix(".ipynb"))
        found.append(Record(*place, verdict, said))
    return found


def messages(path):
    """{exercise: what its check said} of a graded notebook; a check that passed says nothing."""
    if not path.exists():
        return {}
    said = {}
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        about = cell["metadata"].get("nbgrader", {})
        if not about.get("grade") or cell["cell_type"] != "code":
            continue
        for output in cell["outputs"]:
            if output["output_type"] == "error":
                text = sentence(output).removeprefix(f"{about['grade_id']}: ")
                said.setdefault(about["grade_id"], text)
    return said


def sentence(output):
    """One line from an error output; a check's own words stand without the name of the error."""
    text = printable(strip_ansi(output["evalue"])).strip()
    if output["ename"] == "NameError":
        return f"{text}: its cell is missing, or stopped with an error of its own."
    return text if output["ename"] == "CheckFailed" else f"{output['ename']}: {text}".rstrip(": ")


def outcome_counts(found):
    """{(unit, exercise): Counter of outcomes}, in the order in which the verdicts name them."""
    counts = defaultdict(Counter)
    for record in found:
        for exercise, outcome in record.verdict["outcomes"].items():
            counts[record.unit, exercise][outcome] += 1
    return dict(counts)


def common_mistakes(found):
    """{(unit, exercise): [(sentence, how many students)]}, the most frequent first.

    Sentences that differ only in their numbers are one mistake: every student has other random
    cases. The first one stands for all. What was not attempted is no mistake.
    """
    counts, example = defaultdict(Counter), {}
    for record in found:
        for exercise, outcome in record.verdict["outcomes"].items():
            if outcome in ("ok", "not attempted") or exercise not in record.said:
                continue
            sentence = record.said[exercise]
            mistake = re.sub(r"[-+]?\d[\d.e+-]*", "#", sentence)
            example.setdefault((exercise, mistake), sentence)
            counts[record.unit, exercise][mistake] += 1
    return {
        place: [(example[place[1], mistake], n) for mistake, n in counter.most_common()]
        for place, counter in sorted(counts.items(), key=lambda item: -item[1].total())
    }
