"""Seeds that a student cannot know: they decide the random cases of the hidden tests.

The instructor's key lies in class/secret_key. From it and the student's name the grader derives
that student's seed, so seeds differ between students and stay the same when graded again.
"""

import contextlib
import hashlib
import hmac
import secrets
from contextvars import ContextVar

from grader.files import write_whole

_key = ContextVar("key", default="no grading: the instructor runs the solution")


def secret_seed(exercise):
    """The seed of a hidden test: secret while grading, fixed where the instructor tries it."""
    return _number(_key.get().encode(), exercise)


@contextlib.contextmanager
def seeds_of(key):
    """While this lasts, hidden tests draw by this student's key."""
    token = _key.set(key)
    try:
        yield
    finally:
        _key.reset(token)


def student_key(classroom, student):
    """What decides one student's hidden tests: secret, and stable on regrade."""
    path = classroom / "secret_key"
    if not path.exists():
        write_whole(path, secrets.token_hex(32), mode=0o600)
    return hmac.new(path.read_bytes(), student.encode(), hashlib.sha256).hexdigest()


def _number(key, text):
    return int.from_bytes(hmac.new(key, text.encode(), hashlib.sha256).digest()[:4], "big")
