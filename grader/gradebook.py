"""The gradebook: the one module that reads or writes nbgrader's database."""

import csv
import warnings
from contextlib import closing
from dataclasses import dataclass

from nbgrader.api import Gradebook
from nbgrader.plugins import ExportPlugin
from sqlalchemy.exc import SAWarning

from grader.course import Course, CourseError

# nbgrader 0.9.6 was written for an older SQLAlchemy, whose warnings would fill the screen
warnings.filterwarnings("ignore", category=SAWarning, module="nbgrader")


@dataclass(frozen=True)
class Score:
    """One student's result in one exercise."""

    student: str
    unit: str
    notebook: str
    exercise: str
    points: float
    most: float
    by_hand: bool  # still to be graded by a person


@dataclass(frozen=True)
class Person:
    """A student as class/students.csv tells; what it leaves out is empty."""

    id: str
    last: str = ""
    first: str = ""
    email: str = ""
    platform_id: str = ""  # the number that a learning platform knows the student by

    @property
    def name(self):
        return f"{self.first} {self.last}".strip() or self.id


def open_gradebook(course):
    directory = course.config.CourseDirectory
    course.classroom.mkdir(parents=True, exist_ok=True)
    return closing(Gradebook(directory.db_url, directory.course_id))


def released_units(course):
    """Units that the gradebook knows with all their notebooks: a release may have been stopped."""
    with open_gradebook(course) as gradebook:
        known = {unit.name: {nb.name for nb in unit.notebooks} for unit in gradebook.assignments}
    return sorted(
        unit
        for unit, notebooks in known.items()
        if notebooks >= {path.stem for path in course.notebooks(unit)}
    )


def source_cells(course, unit):
    """{notebook: {grade_id: (cell type, source, locked)}} as the unit was released, tests whole."""
    with open_gradebook(course) as gradebook:
        return {
            notebook.name: {
                cell.name: (cell.cell_type, cell.source, cell.locked)
                for cell in notebook.source_cells
            }
            for notebook in gradebook.find_assignment(unit).notebooks
        }


def scores(course):
    """Every graded result, in the order of students, units and exercises."""
    order = {exercise.name: place for place, exercise in enumerate(course.exercises())}
    with open_gradebook(course) as gradebook:
        rows = [
            Score(
                student=submission.student.id,
                unit=submission.assignment.name,
                notebook=notebook.name,
                exercise=grade.name,
                points=grade.score,
                most=grade.max_score,
                by_hand=bool(grade.needs_manual_grade),
            )
            for assignment in gradebook.assignments
            for submission in assignment.submissions
            for notebook in submission.notebooks
            for grade in notebook.grades
        ]
    return sorted(rows, key=lambda row: (row.student, row.unit, order.get(row.exercise, -1)))


def known_submissions(course):
    """{(student, unit)} that the gradebook has."""
    with open_gradebook(course) as gradebook:
        return {
            (s.student.id, unit.name) for unit in gradebook.assignments for s in unit.submissions
        }


def exercise_columns(rows):
    """[(unit, exercise)] of these scores, unit by unit: the columns of a table or a picture."""
    columns = dict.fromkeys((row.unit, row.exercise) for row in rows)
    return sorted(columns, key=lambda column: column[0])  # stable: exercises keep their order


def enroll(course):
    """Bring class/students.csv into the gradebook, if there is one.

    Its columns are id,first_name,last_name,email,lms_user_id; all but id may be left out.

    returns: the set of student ids, or None without a list: then every name is taken as it comes
    """
    if not course.roster.exists():
        return None
    with course.roster.open(newline="", encoding="utf-8-sig") as file:
        table = csv.DictReader(file)
        rows = list(table)
    if "id" not in (table.fieldnames or ()):
        raise CourseError(
            f"{course.roster} needs a first line with the column names: "
            "id,first_name,last_name,email,lms_user_id (all but id may be left out)."
        )
    columns = ("first_name", "last_name", "email", "lms_user_id")
    with open_gradebook(course) as gradebook:
        for row in rows:
            known = {column: row[column] for column in columns if row.get(column)}
            gradebook.update_or_create_student(row["id"].strip(), **known)
    return {row["id"].strip() for row in rows}


def add_students(course, students):
    """Make sure that the gradebook knows these ids; what it knows of them stays."""
    with open_gradebook(course) as gradebook:
        for student in sorted(students):
            gradebook.update_or_create_student(student)


class ExerciseTable(ExportPlugin):
    """`nbgrader export`: one row a student, one column an exercise, and the totals of units."""

    def export(self, gradebook):
        course = Course(self.parent.coursedir.root)
        path = self.to or str(course.classroom / "grades.csv")
        write_table(course, path)
        self.log.info("Wrote %s", path)


def write_table(course, path):
    """The gradebook as CSV: students in rows, exercises and unit totals in columns."""
    rows = scores(course)
    by_cell = {(r.student, r.exercise): "" if r.by_hand else r.points for r in rows}
    columns = exercise_columns(rows)
    units = list(dict.fromkeys(unit for unit, _ in columns))
    with open(path, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(
            ["student", "last_name", "first_name", "total", "of"]
            + units
            + [f"{unit[:2]} {exercise}" for unit, exercise in columns]
        )
        for student, person in people(course).items():
            own = [row for row in rows if row.student == student]
            table.writerow(
                [plain(student), plain(person.last), plain(person.first)]
                + [sum(row.points for row in own), sum(row.most for row in own)]
                + [sum(row.points for row in own if row.unit == unit) for unit in units]
                + [by_cell.get((student, name), "") for _, name in columns]
            )


def people(course):
    """{id: Person} of the whole class."""
    with open_gradebook(course) as gradebook:
        return {
            s.id: Person(
                s.id, s.last_name or "", s.first_name or "", s.email or "", s.lms_user_id or ""
            )
            for s in gradebook.students
        }


def unit_results(course):
    """{unit: (most points, {student: points})}, in order, lateness paid for.

    Points are None where a person still has to read an answer: what is there is not the result.
    """
    with open_gradebook(course) as gradebook:
        return {
            assignment.name: (
                assignment.max_score,
                {
                    submission.student.id: None
                    if submission.needs_manual_grade
                    else max(0.0, submission.score - submission.late_submission_penalty)
                    for submission in assignment.submissions
                },
            )
            for assignment in sorted(gradebook.assignments, key=lambda unit: unit.name)
        }


def plain(text):
    """What a spreadsheet would read as a formula becomes text."""
    return f"'{text}" if text.lstrip()[:1] in ("=", "+", "-", "@") else text


def read_by_hand(course, student, unit):
    """[(notebook, exercise)] of a submission that a person has graded, for good."""
    with open_gradebook(course) as gradebook:
        return [
            (notebook.name, grade.name)
            for notebook in gradebook.find_submission(unit, student).notebooks
            for grade in notebook.grades
            if grade.manual_score is not None and not grade.needs_manual_grade
        ]


def mark_read(course, student, unit, places):
    """Say of these [(notebook, exercise)] that what a person gave holds: nbgrader asks again."""
    with open_gradebook(course) as gradebook:
        for notebook, exercise in places:
            grade = gradebook.find_grade(exercise, notebook, unit, student)
            grade.needs_manual_grade = False
        gradebook.db.commit()
