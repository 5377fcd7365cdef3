"""The gradebook in the shapes that Canvas and Moodle import: students in rows, units in columns.

A unit in which a person still has to read answers is left open: no half result is published.
"""

import csv

from grader.course import unit_title
from grader.gradebook import people, plain, scores, unit_results
from grader.records import messages

CANVAS = ("Student", "ID", "SIS User ID", "SIS Login ID", "Section")
MOODLE = ("Username", "ID number", "Email address", "First name", "Last name")


def write_canvas(course, path):
    """The file that Canvas takes under Grades, Import; an empty cell leaves the grade as it is.

    Canvas finds a student by the first of these that is not empty: its own ID (`lms_user_id` in
    class/students.csv), SIS User ID, SIS Login ID (here: the student's id), the name.
    """
    results = unit_results(course)
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([*CANVAS, *map(unit_title, results)])
        table.writerow(
            ["    Points Possible", "", "", "", "", *(most for most, _ in results.values())]
        )
        for person in people(course).values():
            name = f"{person.last}, {person.first}".strip(", ") or person.id
            table.writerow(
                [plain(name), plain(person.platform_id), "", plain(person.id), ""]
                + [shown(points.get(person.id), "") for _, points in results.values()]
            )


def write_moodle(course, path):
    """The file that Moodle takes under Grades, Import, CSV file, with a feedback for each unit.

    Map from `Username` to Username, or from `Email address` to Email address where Moodle knows
    your students by that; `-` is Moodle's word for no grade.
    """
    results = unit_results(course)
    titles = [title for unit in map(unit_title, results) for title in (unit, f"{unit} (Feedback)")]
    said = sentences(course)
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([*MOODLE, *titles])
        for person in people(course).values():
            row = [person.id, person.platform_id, person.email, person.first, person.last]
            for unit, (_, points) in results.items():
                row += [shown(points.get(person.id), "-"), said.get((person.id, unit), "")]
            # the numbers and Moodle's hyphen are not names
            table.writerow(
                [cell if cell == "-" or type(cell) is float else plain(cell) for cell in row]
            )


def shown(points, none):
    return none if points is None else points


def sentences(course):
    """{(student, unit): what the checks said}, one line an exercise that is not right."""
    said = {}
    for student, unit, notebook in dict.fromkeys(
        (row.student, row.unit, row.notebook) for row in scores(course)
    ):
        found = messages(course.autograded / student / unit / f"{notebook}.ipynb")
        said.setdefault((student, unit), []).extend(
            f"{name}: {text}" for name, text in found.items()
        )
    return {place: "\n".join(lines) for place, lines in said.items()}
