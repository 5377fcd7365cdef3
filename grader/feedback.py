"""What a student gets back: nbgrader's page of each notebook, and one page that sums up.

Both show what went wrong in the check's words, and never a hidden test.
"""

import json

import bleach
from jinja2 import Environment, PackageLoader
from nbconvert.filters import markdown2html
from nbgrader.apps import NbGraderAPI
from nbgrader.preprocessors import ClearHiddenTests
from nbgrader.utils import is_grade

from grader.course import unit_title
from grader.gradebook import people, scores
from grader.grading import Graded, last_line
from grader.records import messages
from grader.verdicts import verdict_path

TAGS = {"p", "br", "hr", "pre", "details", "summary"}  # beyond bleach's own
TAGS |= {"h1", "h2", "h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"}


class HideTests(ClearHiddenTests):
    """Take hidden tests out of a graded notebook, and the traceback lines that quote them."""

    def preprocess_cell(self, cell, resources, cell_index):
        if is_grade(cell) and cell.cell_type == "code":
            cell, resources = super().preprocess_cell(cell, resources, cell_index)
            for output in cell.outputs:
                if output.output_type == "error":
                    output.traceback = [f"{output.ename}: {output.evalue}"]
        return cell, resources


def write_feedback(course, todo):
    """Write nbgrader's feedback for each (student, unit) and every student's own page.

    yields: a Graded for each, with a problem where it is not graded yet
    """
    api = NbGraderAPI(config=course.config)
    for student, unit in todo:
        if not (course.autograded / student / unit).exists():
            yield Graded(student, unit, "not graded yet: `make grade` first")
            continue
        result = api.generate_feedback(unit, student, force=True)
        write_student_page(course, student)
        yield Graded(student, unit, "" if result["success"] else last_line(result))


def write_student_page(course, student):
    """One page a student: every exercise with its points and what the check said.

    returns: its path
    """
    rows = [score for score in scores(course) if score.student == student]
    said, outcomes, findings = {}, {}, {}
    for unit, notebook in dict.fromkeys((row.unit, row.notebook) for row in rows):
        said |= messages(course.autograded / student / unit / f"{notebook}.ipynb")
        verdict = read_verdict(course, student, unit, notebook)
        outcomes |= verdict.get("outcomes", {})
        findings.setdefault(unit, []).extend(verdict.get("findings", []))
    pages = Environment(loader=PackageLoader("grader"), autoescape=True)
    page = pages.get_template("student.html").render(
        name=people(course)[student].name,
        units=[
            {
                "name": unit,
                "title": unit_title(unit),
                "rows": [row for row in rows if row.unit == unit],
            }
            for unit in dict.fromkeys(row.unit for row in rows)
        ],
        said=said,
        outcomes=outcomes,
        essays={exercise.name for exercise in course.exercises() if exercise.kind == "essay"},
        findings=findings,
        points=sum(row.points for row in rows),
        most=sum(row.most for row in rows),
    )
    path = course.feedback / student / "index.html"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(page, encoding="utf-8")
    return path


def read_verdict(course, student, unit, notebook):
    """The kept verdict on one notebook; {} where plain nbgrader graded it."""
    path = verdict_path(course, student, unit, notebook)
    return json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def safe_markdown(source):
    """Markdown as HTML in which nothing can run; nbconvert's own filter lets <script> through."""
    return bleach.clean(
        markdown2html(source),
        tags=bleach.ALLOWED_TAGS | TAGS,
        attributes={"a": ["href"], "td": ["align"], "th": ["align"]},
        strip=True,
    )
