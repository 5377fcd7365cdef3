"""Checks, release, grading and feedback of the course, built on nbgrader's plugin points."""
