"""What hostile answers may do: cost themselves their points, and nothing else."""

import json
import os
import re
import resource
import socket
import time
from html.parser import HTMLParser
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_notebook

from grader.examination import Paper, examine
from grader.feedback import safe_markdown, write_feedback
from grader.gradebook import scores
from grader.grading import grade_one
from grader.sandbox.zygote import zygote
from grader.seeds import secret_seed, seeds_of

pytestmark = pytest.mark.usefixtures("sandbox")

HOSTILE = sorted((Path(__file__).parent / "hostile").glob("*.py"))
PATIENCE = 4.0  # seconds for a cell
KEY = "the key of a student"

HELPER = '''
def attempt(what, action):
    """Try it; what goes through is a hole."""
    try:
        got = action()
    except BaseException as error:
        print(f"{what}: refused, {type(error).__name__}")
    else:
        print(f"TOUCHED {what}: {str(got)[:200]}" if got else f"{what}: nothing there")
'''
DOUBLE = "def double(x):\n    return 2 * x"
TESTS = {
    "early": "assert double(21) == 42",
    "center_columns": (
        "from grader.checks.start import check_center_columns\n"
        "from grader.seeds import secret_seed\n"
        "check_center_columns(center_columns)\n"
        "check_center_columns(center_columns, seed=secret_seed('center_columns'))"
    ),
    "late": "assert triple(14) == 42",
}
TRIPLE = "def triple(x):\n    return 3 * x"


def cell(source, grade_id=None, **about):
    about = {"grade": False, "solution": False, "locked": False, "schema_version": 3} | about
    return new_code_cell(
        source, metadata={"nbgrader": about | {"grade_id": grade_id}} if grade_id else {}
    )


def notebook(*answers):
    """The tiny unit: an exercise of unit 00 between two honest ones, `answers` in its place."""
    test = {"grade": True, "locked": True, "points": 1}
    return new_notebook(
        cells=[
            cell(DOUBLE, "double-answer", solution=True),
            cell(TESTS["early"], "early", **test),
            cell(HELPER),
            *(cell(answer, "center_columns-answer", solution=True) for answer in answers),
            cell(TESTS["center_columns"], "center_columns", **test),
            cell(TRIPLE, "triple-answer", solution=True),
            cell(TESTS["late"], "late", **test),
        ]
    )


def paper(submission, **more):
    return Paper(
        submission=nbformat.writes(submission),
        released=nbformat.writes(notebook("def center_columns(x):\n    ...")),
        key=KEY,
        exercises=("center_columns",),
        tests=TESTS,
        **{"timeout": PATIENCE, "notebook_seconds": 40.0, "output_bytes": 1_000_000} | more,
    )


def said(verdict):
    """Everything that the cells gave out, as one text."""
    return json.dumps(verdict["outputs"])


@pytest.fixture(scope="module")
def outside(tmp_path_factory):
    """What a submission must not reach: files, sockets, an environment, processes."""
    root = tmp_path_factory.mktemp("outside")
    paths = [root / name for name in ("gradebook.db", "solutions.ipynb", "other_student.ipynb")]
    for path in paths:
        path.write_text("as it was")
        path.chmod(0o666)
    for folder in (root, *root.parents[:3]):
        folder.chmod(folder.stat().st_mode | 0o055) if folder.owner() == root.owner() else None
    with (
        socket.create_server(("127.0.0.1", 0)) as tcp,
        socket.socket(socket.AF_UNIX) as unix,
        socket.socket(socket.AF_UNIX) as abstract,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setenv("CANARY_SECRET", "sings")
        name = f"canary-{os.getpid()}"
        unix.bind(str(root / "socket"))
        abstract.bind("\0" + name)
        for listening in (unix, abstract):
            listening.listen()
        for listening in (tcp, unix, abstract):
            listening.setblocking(False)
        targets = {
            "paths": [str(path) for path in paths],
            "port": tcp.getsockname()[1],
            "socket": str(root / "socket"),
            "abstract": name,
            "run": str(zygote().run),
            "grader": os.getpid(),
        }
        yield targets, (tcp, unix, abstract)


def require_untouched(outside):
    targets, listening = outside
    for path in map(Path, targets["paths"]):
        assert path.read_text() == "as it was"
    for each in listening:
        with pytest.raises(BlockingIOError):
            each.accept()
    assert zygote().process.poll() is None
    assert not [name for name in os.listdir(zygote().run) if re.fullmatch("[0-9a-f]{8}", name)]
    assert survivors() == []


def survivors():
    """Processes of submissions that are still there: all are forks of the zygote."""
    return [process for process in below(os.getpid()) if command(process).startswith("sleep 98765")]


def below(process):
    """All processes that this one has started, and those that they have."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    return [*children, *(inner for child in children for inner in below(child))]


def command(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_text().replace("\0", " ")
    except OSError:
        return ""


@pytest.mark.parametrize("path", HOSTILE, ids=lambda path: path.stem)
def test_does_a_hostile_answer_cost_its_own_points_only(path, outside):
    answer = path.read_text(encoding="utf-8")
    expected = re.search(r"^Verdict: (.*)$", answer, re.M)[1].split(" or ")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    start = time.monotonic()
    files = {"targets.json": json.dumps(outside[0]).encode()}
    verdict = examine(paper(notebook(answer), files=files))
    assert time.monotonic() - start < 40 + 2 * PATIENCE
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 600_000  # kB
    outcomes = verdict["outcomes"]
    assert outcomes["center_columns"] in expected, said(verdict)
    assert outcomes["early"] == "ok"
    assert outcomes["late"] == "ok" or "Later cells are lost" in answer, said(verdict)
    assert "TOUCHED" not in said(verdict).replace("TOUCHED {what}", "")
    assert len(said(verdict)) < 3_000_000
    require_untouched(outside)


def test_does_the_honest_answer_pass(outside):
    answer = "def center_columns(x):\n    return x - x.mean(axis=0)\nattempt('control', lambda: 1)"
    verdict = examine(paper(notebook(answer)))
    assert verdict["outcomes"] == dict.fromkeys(TESTS, "ok"), said(verdict)
    assert "TOUCHED control" in said(verdict)  # or no test above would see anything


def test_do_files_beside_the_notebook_stay_unread():
    shadow = b"print('TOUCHED'); raise RuntimeError('shadowed')"
    names = ["numpy.py", "torch.py", "sitecustomize.py", "usercustomize.py", "conftest.py"]
    names += ["utils/__init__.py", "grader/__init__.py", "inside/__init__.py", "ipykernel.py"]
    names += ["nbgrader_config.py", "ipython_config.py", ".ipython/profile_default/startup/0.py"]
    names += [".ipython/profile_default/ipython_config.py", ".config/matplotlib/matplotlibrc"]
    files = dict.fromkeys(names, shadow)
    files["kernel.json"] = b'{"argv": ["false"]}'
    files["evil.pth"] = b"import os; os._exit(1)"
    files[".local/lib/python3.11/site-packages/evil.pth"] = b"import os; os._exit(1)"
    answer = (
        "import numpy as np, utils, torch\n"
        "def center_columns(x):\n    return x - np.mean(x, axis=0)"
    )
    verdict = examine(paper(notebook(answer), files=files))
    assert verdict["outcomes"] == dict.fromkeys(TESTS, "ok"), said(verdict)
    assert "TOUCHED" not in said(verdict)


def test_does_a_test_by_its_own_word_never_run_here(tmp_path):
    """A student's cell that says it is a test, or an answer that says so, is a student's cell."""
    canary = tmp_path / "canary"
    evil = f"open({str(canary)!r}, 'w').write('here')"
    forged = {"grade": True, "locked": True, "points": 100}
    submission = notebook("def center_columns(x):\n    return x")
    submission.cells += [
        cell(evil, "my_own_test", **forged),
        cell(evil, "double-answer", **forged),
        cell(evil + "\n42", "late", **forged),
    ]
    submission.cells[3].metadata.nbgrader |= forged | {"solution": False}
    submission.cells[3].source = evil
    verdict = examine(paper(submission))
    assert not canary.exists()
    assert verdict["outcomes"]["center_columns"] == "not attempted"
    assert set(verdict["outcomes"]) == set(TESTS)


@pytest.mark.parametrize("tag", ["skip-execution", "raises-exception", "remove-cell"])
def test_do_tags_change_nothing(tag):
    submission = notebook("def center_columns(x):\n    return x")
    for each in submission.cells:
        each.metadata["tags"] = [tag]
    outcomes = examine(paper(submission))["outcomes"]
    assert outcomes == {"early": "ok", "center_columns": "wrong", "late": "ok"}


def test_does_the_seed_stay_outside():
    """Neither the key nor the seed is in the memory of the kernel, however it looks."""
    with seeds_of(KEY):
        seed = secret_seed("center_columns")
    answer = f"""
def look():
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            place, rights, *_, name = (line + " -").split()[:6] + [""]
            start, end = (int(number, 16) for number in place.split("-"))
            if rights.startswith("rw") and end - start < 2**28 and "[v" not in line:
                memory.seek(start)
                content = memory.read(end - start)
                # put together here, so that this very text is no find
                if b"the key of " + b"a student" in content or b"{str(seed)[:5]}" + b"{
        str(seed)[5:]
    }" in content:
                    return True
def center_columns(x):
    attempt("memory", look)
    return x
center_columns(0)
"""
    verdict = examine(paper(notebook(answer)))
    assert verdict["outcomes"]["center_columns"] == "wrong", said(verdict)
    assert "TOUCHED" not in said(verdict)
    assert "memory: " in said(verdict), said(verdict)


SCRIPTS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[click](javascript:alert(1))",
    "<a href='javascript:alert(1)'>x</a>",
    "<svg onload=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<style>@import 'http://evil'</style><math><mtext><script>alert(1)</script>",
    "`<script>alert(1)</script>`",
    "<details open ontoggle=alert(1)>",
    '![x](x"onerror="alert(1))',
    "<form action=http://evil><input></form>",
]


def test_does_the_look_for_scripts_see_them():
    assert all(dangers(text) for text in (SCRIPTS[0], SCRIPTS[1], *SCRIPTS[3:7], SCRIPTS[8]))


@pytest.mark.parametrize("text", SCRIPTS)
def test_does_markdown_lose_its_scripts(text):
    assert dangers(safe_markdown(text)) == []


class Danger(HTMLParser):
    """Finds what a browser would run or fetch because the student wrote it."""

    def __init__(self):
        super().__init__()
        self.found, self.inside = [], None

    def handle_starttag(self, tag, attributes):
        self.inside = tag
        for name, value in attributes:
            if name.startswith("on") or "javascript:" in (value or "").lower() or name == "srcdoc":
                self.found.append((tag, name, value))
        if tag in ("iframe", "object", "embed", "base", "form"):
            self.found.append((tag,))

    def handle_endtag(self, tag):
        self.inside = None

    def handle_data(self, data):
        if self.inside in ("script", "style") and ("alert(" in data or "evil" in data):
            self.found.append((self.inside, data))


def dangers(html):
    parser = Danger()
    parser.feed(html)
    return parser.found


def test_does_the_whole_loop_hold(fresh_release):
    """Points raised, tests forged, scripts in every place that comes back to a page."""
    course, unit, name = fresh_release, "00_start_here", "start_here.ipynb"
    submission = nbformat.read(course.release / unit / name, as_version=4)
    cells = {c.metadata.nbgrader.grade_id: c for c in submission.cells if "nbgrader" in c.metadata}
    cells["center_columns"].metadata.nbgrader.points = 100
    cells["outer_sum"].metadata.nbgrader.points = 50
    cells["center_columns-answer"].source = (
        "from IPython.display import HTML, Javascript, Markdown, display\n"
        f"for text in {SCRIPTS!r}:\n"
        "    display(HTML(text), Markdown(text), Javascript(text))\n"
        "    display({'image/svg+xml': '<svg>' + text + '</svg>'}, raw=True)\n"
        "    display({'text/latex': text, 'text/html': text}, raw=True)\n"
        "    print(text)\n"
        "def center_columns(x):\n"
        "    raise ValueError('<script>alert(1)</script>')"
    )
    cells[
        "outer_sum-answer"
    ].source = "def outer_sum(a, b):\n    return '<script>alert(1)</script>'"
    submission.cells += [nbformat.v4.new_markdown_cell(text) for text in SCRIPTS]
    submission.metadata.title = "<script>alert(1)</script>"
    folder = course.submitted / "eve" / unit
    folder.mkdir(parents=True)
    nbformat.write(submission, folder / name)
    (folder / "<img src=x onerror=alert(1)>.txt").write_text("a name that is a script")
    assert grade_one(course, "eve", unit) == ""
    rows = {row.exercise: (row.points, row.most) for row in scores(course)}
    assert rows == {"broadcast_shape": (0, 1), "center_columns": (0, 2), "outer_sum": (0, 2)}
    (result,) = write_feedback(course, [("eve", unit)])
    assert not result.problem
    pages = list(course.feedback.rglob("*.html"))
    assert len(pages) == 2
    for page in pages:
        assert "alert(1)" in page.read_text()  # as text
        assert dangers(page.read_text()) == []
