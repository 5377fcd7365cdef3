"""A course that knows nothing of ours, graded by plain nbgrader and by our steps: the same scores.

In the style of nbgrader's quickstart: no utils, no checks, no exercise metadata; asserts on names.
"""

import shutil
from textwrap import dedent

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.api import Gradebook
from nbgrader.apps import NbGraderAPI
from traitlets.config import Config

from grader.course import Course
from grader.examination import Paper, examine

STUB = "# YOUR CODE HERE\nraise NotImplementedError()"
# {grade_id of an answer cell: (what is given, the solution)}
ANSWERS = {
    "squares": (
        'def squares(n):\n    """The squares of 1 to n."""\n',
        """\
    if n < 1:
        raise ValueError("n must be at least 1")
    return [i**2 for i in range(1, n + 1)]""",
    ),
    "sum_of_squares": ("def sum_of_squares(n):\n", "    return sum(squares(n))"),
    "variable": ("", "seconds_per_day = 24 * 60 * 60"),
    "account": (
        "",
        """\
class Account:
    def __init__(self, balance=0):
        self.balance = balance
        self.log = []

    def pay_in(self, amount):
        if amount <= 0:
            raise ValueError("nothing to pay in")
        self.balance += amount
        self.log.append(amount)
        return self

    def __str__(self):
        return f'{self.balance} euros'""",
    ),
    "plot": (
        "def draw(values):\n",
        """\
    figure, axes = plt.subplots()
    axes.plot(values, "o-")
    axes.set_xlabel("n")
    return axes""",
    ),
    "hello": ("def hello(name):\n", "    print(f'Hello, {name}!')"),
    "guess": ("def guess(n):\n", "    return n"),
    "mean": ("mean = None\n", "import math\nmean = math.fsum(data) / len(data)"),
    "logarithm": ("def logarithm(x):\n", "    return np.log(np.maximum(x, 1e-9))"),
    "closest": (
        "def closest(x, values):\n",
        "    return min(values, key=lambda v: distance(x, v))",
    ),
}
# {grade_id of a test: (points, source)}
TESTS = {
    "correct_squares": (
        1,
        """
        assert squares(1) == [1]
        ### BEGIN HIDDEN TESTS
        assert squares(11)[-1] == 121
        assert all(len(squares(n)) == n for n in limits), limits
        ### END HIDDEN TESTS
        """,
    ),
    "squares_invalid_input": (
        1,
        """
        try:
            squares(0)
        except ValueError:
            pass
        else:
            raise AssertionError("did not raise")
        """,
    ),
    "the_table": (1, "assert table[0] == 1 and len(table) == 10"),
    "correct_sum": (0.5, "assert sum_of_squares(10) == 385"),
    "sum_uses_squares": (
        0.5,
        """
        orig_squares = squares
        del squares
        try:
            sum_of_squares(1)
        except NameError:
            pass
        else:
            raise AssertionError("sum_of_squares does not use squares")
        finally:
            squares = orig_squares
        """,
    ),
    "sum_of_a_mock": (
        1,
        """
        orig_squares, squares = squares, lambda n: [n] * 3
        assert sum_of_squares(2) == 6
        squares = orig_squares
        assert squares(2) == [1, 4]
        """,
    ),
    "correct_variable": (
        1,
        "assert isinstance(seconds_per_day, int)\nassert seconds_per_day == 86_400",
    ),
    "correct_account": (
        2,
        """
        account = Account(5)
        account.pay_in(10).pay_in(1)
        assert account.balance == 16
        assert account.log == [10, 1]
        assert str(account) == f"{account}" == "16 euros" and 10 in account.log
        assert hasattr(account, "log") and not hasattr(account, "colour")
        try:
            Account().pay_in(-1)
            assert False
        except ValueError as error:
            assert "nothing" in str(error)
        """,
    ),
    "correct_plot": (
        1,
        """
        axes = draw([1, 4, 9])
        assert axes.get_xlabel() == "n"
        assert np.allclose(axes.lines[0].get_ydata(), [1, 4, 9])
        """,
    ),
    "correct_hello": (
        1,
        """
        import io
        from contextlib import redirect_stdout
        with redirect_stdout(io.StringIO()) as printed:
            hello("Ann")
        assert printed.getvalue() == "Hello, Ann!\\n"
        """,
    ),
    "part_of_guess": (4, "right = sum(guess(n) == n for n in range(8))\nright / 2"),
    "correct_mean": (1, "assert math.isclose(mean, 2.5)\nassert np.isclose(mean, np.mean(data))"),
    "correct_logarithm": (1, "assert np.isfinite(logarithm(np.array([0.0, 1.0]))).all()"),
    "correct_closest": (1, "%%time\nassert closest(4, [1, 3, 9]) == 3"),
}
# the notebook: answer cells and tests by name, everything else as it stands
LAYOUT = [
    "%matplotlib inline\nimport matplotlib.pyplot as plt\nimport numpy as np\nfrom helper import *",
    "limits = [1, 10]",
    "limits.append(100)\nnp.random.seed(0)",
    "squares",
    "squares(10)",
    "table = [value for value in squares(limits[1])]",
    *("correct_squares", "squares_invalid_input", "the_table"),
    *("sum_of_squares", "correct_sum", "sum_uses_squares", "sum_of_a_mock"),
    *("variable", "correct_variable", "account", "correct_account", "plot", "correct_plot"),
    *("hello", "correct_hello", "guess", "part_of_guess"),
    "data = np.loadtxt('data.csv')",
    *("mean", "correct_mean", "logarithm", "correct_logarithm", "closest", "correct_closest"),
]
HELPER = "def distance(a, b):\n    return abs(a - b)\n"


def instructors_notebook():
    cells = [new_markdown_cell("# Problem set 1")]
    for name in LAYOUT:
        if name in ANSWERS:
            given, solution = ANSWERS[name]
            source = f"{given}{marked(solution, 'SOLUTION')}"
            cells.append(graded_cell(name, source, solution=True))
        elif name in TESTS:
            points, source = TESTS[name]
            cells.append(graded_cell(name, dedent(source).strip(), points=points, grade=True))
        else:
            cells.append(new_code_cell(name))
    by_hand = graded_cell("why", "Because.", points=3, grade=True, solution=True)
    cells.append(new_markdown_cell(by_hand.source, metadata=by_hand.metadata))
    return new_notebook(cells=cells)


def marked(solution, what):
    indent = " " * (len(solution) - len(solution.lstrip()))
    return f"{indent}### BEGIN {what}\n{solution}\n{indent}### END {what}"


def graded_cell(name, source, **metadata):
    common = {"grade": False, "solution": False, "locked": False, "schema_version": 3}
    metadata = {**common, "task": False, "grade_id": name, **metadata}
    return new_code_cell(source, metadata={"nbgrader": metadata})


def right(name):
    return "".join(ANSWERS[name])


# {student: {answer cell: what is there}}; what is not named is right
SUBMISSIONS = {
    "right": {},
    "untouched": None,
    "wrong": {
        "squares": "def squares(n):\n    return [i**2 for i in range(n)]",
        "sum_of_squares": "def sum_of_squares(n):\n    return n * (n + 1) * (2 * n + 1) // 6",
        "variable": "seconds_per_day = 86_400.0",
        "account": "class Account:\n    pass",
        "plot": "def draw(values):\n    plt.plot(values)\n    return plt.gca()",
        "hello": "def hello(name):\n    return f'Hello, {name}!'",
        "guess": "def guess(n):\n    return n if n < 3 else None",
        "mean": "mean = data",
        "logarithm": "def logarithm(x):\n    return np.where(x > 0, np.log(x), -20.0)",  # warns
        "closest": "def closest(x, values):\n    return values[0]",
    },
    "broken": {
        "squares": "def squares(n)\n    return",
        "sum_of_squares": "def sum_of_squares(n):\n    return sum(squares(n)) if n else 0",
        "variable": "seconds_per_day = 24 * hours",
        "account": right("account").replace("return self", "return None"),
        "hello": "def hello(name):\n    print('Hello,', name + '!')",
        "guess": "import random\ndef guess(n):\n    return 'n'",
        "mean": "import math, statistics\nmean = statistics.mean(data)",
    },
}


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    """A course in nbgrader's own layout, released and with submissions; its root."""
    root = tmp_path_factory.mktemp("foreign")
    source = root / "source" / "ps1"
    source.mkdir(parents=True)
    nbformat.write(instructors_notebook(), source / "problem.ipynb")
    (source / "helper.py").write_text(HELPER)
    (source / "data.csv").write_text("1\n2\n3\n4\n")
    assert NbGraderAPI(config=plain_config(root)).generate_assignment("ps1")["success"]
    for student, answers in SUBMISSIONS.items():
        hand_in(root, student, answers)
    return root


def hand_in(root, student, answers):
    notebook = nbformat.read(root / "release" / "ps1" / "problem.ipynb", as_version=4)
    for cell in notebook.cells:
        name = cell.metadata.get("nbgrader", {}).get("grade_id")
        if name in ANSWERS and answers is not None:
            cell.source = answers.get(name, right(name))
    folder = root / "submitted" / student / "ps1"
    folder.mkdir(parents=True)
    nbformat.write(notebook, folder / "problem.ipynb")
    for name in ("helper.py", "data.csv"):
        (folder / name).write_bytes((root / "release" / "ps1" / name).read_bytes())
    return folder / "problem.ipynb"


def plain_config(root):
    config = Config()
    config.CourseDirectory.root = str(root)
    config.CourseDirectory.course_id = "foreign"
    config.CourseDirectory.db_url = f"sqlite:///{root}/gradebook.db"
    return config


def our_config(root):
    config = plain_config(root)
    for steps in ("sanitize_preprocessors", "autograde_preprocessors"):
        config.Autograde[steps] = list(Course().config.Autograde[steps])
    return config


def points(config, student):
    """{test: points} of one student, graded anew."""
    result = NbGraderAPI(config=config).autograde("ps1", student, force=True)
    assert result["success"], result["error"]
    with Gradebook(config.CourseDirectory.db_url, "foreign") as gradebook:
        notebook = gradebook.find_submission_notebook("problem", "ps1", student)
        return {grade.name: grade.auto_score for grade in notebook.grades}


@pytest.mark.parametrize("student", SUBMISSIONS)
def test_are_the_scores_those_of_plain_nbgrader(course, student):
    theirs = points(plain_config(course), student)
    assert points(our_config(course), student) == theirs
    if student == "right":
        assert theirs == {name: most for name, (most, _) in TESTS.items()} | {"why": 0}


def test_does_a_helper_of_the_students_own_never_reach_the_tests(course):
    path = hand_in(course, "helpful", {"closest": "def closest(x, values):\n    return values[0]"})
    (path.parent / "helper.py").write_text("raise SystemExit('shadowed')")
    scores = points(our_config(course), "helpful")
    assert scores.pop("correct_closest") == 0
    assert scores == {n: most for n, (most, _) in TESTS.items() if n in scores} | {"why": 0}


def test_are_windows_line_ends_no_matter(course):
    crlf = {name: right(name).replace("\n", "\r\n") for name in ANSWERS}
    path = hand_in(course, "windows", crlf)
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert sum(points(our_config(course), "windows").values()) == sum(m for m, _ in TESTS.values())


def test_may_the_folders_have_other_names_and_another_order(course, tmp_path):
    config = our_config(tmp_path)
    config.CourseDirectory.directory_structure = "{nbgrader_step}/{assignment_id}/{student_id}"
    names = {"source": "teacher", "release": "handout", "submitted": "inbox/fall"}
    for step, name in names.items():
        config.CourseDirectory[f"{step}_directory"] = name
        theirs = course / step / ("right/ps1" if step == "submitted" else "ps1")
        shutil.copytree(theirs, tmp_path / name / "ps1" / ("right" * (step == "submitted")))
    shutil.copy(course / "gradebook.db", tmp_path)
    scores = points(config, "right")
    assert sum(scores.values()) == sum(most for most, _ in TESTS.values())
    assert (tmp_path / "inbox" / "verdicts" / "right" / "ps1" / "problem.json").exists()


@pytest.mark.parametrize(
    ("test", "answer", "outcome"),
    [
        ("assert double(2) == 4", "def double(x):\n    return 2 * x", "ok"),
        # what a test compares with is not the student's to read
        (
            "best = 4\nassert double(2) == best",
            "best = 0\ndef double(x):\n    return best",
            "wrong",
        ),
        ("import sys\nsys.exit(0)", "", "error"),
        ("%%bash\ntrue", "", "error"),
        ("double(2)", "import sys\ndef double(x):\n    print('!', file=sys.stderr)", "error"),
        # the instructor's own name, as it was when the test came
        ("assert step == 1", "step = 2", "ok"),
        ("assert max(1, 2) == 2", "max = min", "ok"),
    ],
)
def test_what_becomes_of_one_test(test, answer, outcome):
    stub = graded_cell("answer", "best = None\ndef double(x):\n    ...", solution=True)
    check = graded_cell("check", test, points=1, grade=True, locked=True)
    cells = [new_code_cell("step = 1"), stub, check, new_code_cell("step = 3")]
    released = nbformat.writes(new_notebook(cells=cells))
    stub.source = answer
    submission = nbformat.writes(new_notebook(cells=cells))
    limits = {"timeout": 10.0, "notebook_seconds": 40.0, "output_bytes": 1_000_000}
    paper = Paper(submission, released, key="", exercises=(), tests={"check": test}, **limits)
    assert examine(paper)["outcomes"] == {"check": outcome}


def test_is_the_release_taken_from_the_source_where_it_was_not_kept(course):
    (course / "release").rename(course / "elsewhere")
    try:
        scores = points(our_config(course), "right")
    finally:
        (course / "elsewhere").rename(course / "release")
    assert sum(scores.values()) == sum(most for most, _ in TESTS.values())


def test_does_a_notebook_for_another_language_get_one_clear_sentence(course):
    path = hand_in(course, "rosalind", {})
    source = course / "source" / "ps1" / "problem.ipynb"
    notebook = nbformat.read(path, as_version=4)
    notebook.metadata["kernelspec"] = {"name": "ir", "display_name": "R", "language": "R"}
    nbformat.write(notebook, path)
    released = course / "release" / "ps1" / "problem.ipynb"
    kept = released.read_bytes()
    nbformat.write(notebook, released)
    try:
        result = NbGraderAPI(config=our_config(course)).autograde("ps1", "rosalind")
    finally:
        released.write_bytes(kept)
    assert source.exists()
    assert not result["success"]
    assert "problem is a notebook for R: here only Python notebooks are graded" in result["log"]
