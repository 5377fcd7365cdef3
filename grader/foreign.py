"""Any course that nbgrader keeps: its folders are where nbgrader's CourseDirectory says.

Ours is one of them. The steps of execution.py see a course through here, so they grade whatever
`nbgrader autograde` is pointed at.
"""

from functools import cached_property
from pathlib import Path

from traitlets.config import Config

from grader.course import Course


class AnyCourse(Course):
    """The course that a running converter of nbgrader's works on."""

    def __init__(self, converter):
        self.directory = converter.coursedir
        super().__init__(self.directory.root)
        self.converter = converter
        self.solutions = self.root / self.directory.source_directory
        self.release = self.root / self.directory.release_directory
        self.submitted = self.root / self.directory.submitted_directory
        self.autograded = self.root / self.directory.autograded_directory
        self.feedback = self.root / self.directory.feedback_directory
        self.classroom = self.submitted.parent

    @cached_property
    def config(self):
        config = Config(self.converter.config)
        config.CourseDirectory.db_url = self.directory.db_url
        config.CourseDirectory.course_id = self.directory.course_id
        return config

    def source_of(self, unit):
        return self.folder(self.directory.source_directory, ".", unit)

    def release_of(self, unit):
        return self.folder(self.directory.release_directory, ".", unit)

    def submission_of(self, student, unit):
        return self.folder(self.directory.submitted_directory, student, unit)

    def folder(self, step, student, unit):
        return Path(self.directory.format_path(step, student, unit))
