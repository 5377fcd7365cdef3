"""What a class is given: course, library, checks and set-up; no solutions, no hidden tests."""

import subprocess
import zipfile

from grader.course import CourseError
from grader.rescue import without_outputs

FOLDERS = ("course", "utils", "grader/checks", ".readme")
FILES = (
    "pyproject.toml",
    "constraints.txt",
    "environment.yml",
    "Makefile",
    "README.md",
    "nbgrader_config.py",
    "jupyter_lab_config.py",
    "grader/__init__.py",
    "grader/__main__.py",
    "grader/cells.py",
    "grader/checking.py",
    "grader/course.py",
    "grader/doctor.py",
    "grader/files.py",
    "grader/progress.py",
    "grader/rescue.py",
    "grader/selfcheck.py",
    "grader/submission.py",
)


def make_bundle(course, folder):
    """Zip what git tracks of the student's part; returns the path of the zip file."""
    tracked = subprocess.run(
        ["git", "ls-files", *FOLDERS, *FILES], cwd=course.root, capture_output=True, text=True
    )
    if tracked.returncode:
        raise CourseError("A bundle is packed from a git checkout: it takes the files git tracks.")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "deep-learning-course.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in tracked.stdout.splitlines():
            if "/tests/" not in name:
                archive.write(course.root / name, f"deep-learning-course/{name}")
            if name.startswith("course/") and name.endswith(".ipynb"):  # for `check-submission`
                kept = name.replace("course/", "deep-learning-course/.released/", 1)
                archive.writestr(kept, without_outputs((course.root / name).read_bytes()))
    return path
