"""nbgrader's configuration of this course: `nbgrader`, the formgrader and `make` all read it."""

import os
from pathlib import Path

c = get_config()  # noqa: F821  (traitlets puts it here)

root = Path(os.environ.get("COURSE_ROOT", Path(__file__).resolve().parent))

c.CourseDirectory.course_id = "deep-learning"
c.CourseDirectory.root = str(root)
c.CourseDirectory.source_directory = "solutions"
c.CourseDirectory.release_directory = "course"
c.CourseDirectory.submitted_directory = "class/submitted"
c.CourseDirectory.autograded_directory = "class/autograded"
c.CourseDirectory.feedback_directory = "class/feedback"
# SQLite for one instructor's machine; any address that SQLAlchemy knows for a larger class
c.CourseDirectory.db_url = os.environ.get("COURSE_DB", f"sqlite:///{root}/class/gradebook.db")
# solutions/ -> course/
c.ClearSolutions.code_stub = {"python": "# YOUR CODE HERE\nraise NotImplementedError"}
c.ClearSolutions.text_stub = "*Your answer here.*"
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.LockCells",
    "grader.release.ClearAnswers",
    "grader.release.ClearAnswerOutputs",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.ClearHiddenTests",
    "nbgrader.preprocessors.ClearMarkScheme",
    "grader.release.LetRunAllPassFailingChecks",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# submitted/ -> autograded/
c.Autograde.pre_convert_hook = "grader.rescue.heal_before_autograde"
c.Autograde.sanitize_preprocessors = [
    "grader.autograde.Mend",  # first: of two copies of a cell, nbgrader would keep any
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
c.GradingExecute.timeout = 10.0  # seconds for a cell that the instructor's run knows no time of
c.GradingExecute.notebook_seconds = 120.0  # for all cells of a notebook
c.Autograde.autograde_preprocessors = [
    "grader.autograde.GradingExecute",
    "nbgrader.preprocessors.IgnorePattern",
    "nbconvert.preprocessors.ClearMetadataPreprocessor",
    "nbgrader.preprocessors.LimitOutput",
    "grader.autograde.SaveVerdicts",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# autograded/ -> feedback/
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "grader.feedback.HideTests",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]
c.HTMLExporter.sanitize_html = True  # what a student displays or writes stays text
c.HTMLExporter.filters = {"markdown2html": "grader.feedback.safe_markdown"}

c.ExportApp.plugin_class = "grader.gradebook.ExerciseTable"
