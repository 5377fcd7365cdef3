"""The toolkit that every check is made of, and the tricks that it must not fall for."""

import subprocess
import sys
import textwrap
import time
from pathlib import Path

import nbformat
import numpy as np
import pytest

from grader import progress
from grader.checking import (
    CheckFailed,
    RemoteError,
    call,
    check,
    expect_array,
    expect_choice,
    expect_fast,
    expect_number,
    expect_parts,
    expect_small,
)

ROOT = Path(__file__).resolve().parents[2]


@check
def check_double(fn, seed=0):
    """double(x): x (N,) -> 2 x."""
    x = np.arange(4.0)
    expect_array(call(fn, x), 2 * x, "the double", {"that is the square.": x**2})


def says(answer):
    with pytest.raises(CheckFailed) as failure:
        check_double(answer)
    return str(failure.value)


def test_what_does_a_passed_check_leave_behind(capfd):
    """One line, no value that nbgrader could read as points, and progress."""
    assert check_double(lambda x: 2 * x) is None
    assert capfd.readouterr() == ("✓ double: all checks passed.\n", "")
    assert progress.load()["double"]["passed"]


def test_is_a_failed_check_recorded(capfd):
    assert says(lambda x: x**2) == "double: that is the square."
    assert capfd.readouterr() == ("", "")
    assert progress.load()["double"] | {"last": 0} == {"passed": False, "tries": 1, "last": 0}


def test_does_a_read_only_disk_matter(monkeypatch):
    monkeypatch.setenv("COURSE_PROGRESS", "/proc/nowhere/progress.json")
    check_double(lambda x: 2 * x)


def test_is_what_the_learner_prints_and_warns_dropped(capfd, recwarn):
    def noisy(x):
        print("out" * 1000)
        print("err", file=sys.stderr)
        np.log(-x)
        return 2 * x

    check_double(noisy)
    assert capfd.readouterr() == ("✓ double: all checks passed.\n", "")
    assert not recwarn.list


def test_what_is_said_about_each_kind_of_failure():
    def raises(x):
        raise ValueError("odd " * 1000)

    assert "not defined yet" in says(None)
    assert "should be a function, but it is an int" in says(42)
    assert "returned None" in says(lambda x: None)
    assert "stopped with ValueError: odd odd" in says(raises)
    assert len(says(raises)) < 300
    assert "should be a NumPy array, but it is a list" in says(lambda x: [0, 2, 4, 6])
    assert "should be a NumPy array, but it is a generator" in says(lambda x: (y for y in x))
    assert "shape (4,), but the shape is (2,)" in says(lambda x: x[:2])
    assert "should have floats, but the dtype is int64" in says(lambda x: (2 * x).astype(int))
    assert "should have floats, but the dtype is complex128" in says(lambda x: 2 * x + 0j)
    assert "should have floats, but the dtype is object" in says(lambda x: (2 * x).astype(object))
    assert "nan or inf" in says(lambda x: x / 0)
    assert "wrong in 3 of 4 entries; at [1] yours is 3" in says(lambda x: 3 * x)


def test_does_a_message_keep_the_answer_to_itself():
    assert "2" not in says(lambda x: 3 * x).replace("at [1]", "")


def test_is_a_changed_input_noticed():
    def in_place(x):
        x *= 2
        return x

    assert "argument number 1 in place" in says(in_place)


@pytest.mark.parametrize("escape", [SystemExit, SystemExit(0), GeneratorExit, MemoryError])
def test_does_leaving_the_interpreter_fail(escape):
    def leave(x):
        raise escape

    says(leave)


def test_may_the_learner_interrupt():
    def interrupted(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_double(interrupted)


def test_is_an_error_that_cannot_tell_survived():
    class Mute(Exception):
        def __str__(self):
            raise SystemExit("no comment")

    def raises(x):
        raise Mute

    assert says(raises) == "double: stopped with Mute."


def test_can_the_learner_pretend_to_be_the_check():
    def pretends(x):
        raise CheckFailed("✓ double: all checks passed.")

    assert "stopped with CheckFailed" in says(pretends)


class AlwaysEqual:
    """Equal to everything, an array on demand, and of any shape and dtype."""

    shape, dtype, ndim, size = (4,), np.dtype(float), 1, 4

    def __eq__(self, other):
        return True

    def __array__(self, *args, **kwargs):
        return np.array([0.0, 2.0, 4.0, 6.0])

    def __array_ufunc__(self, *args, **kwargs):
        return np.True_

    def __array_function__(self, *args, **kwargs):
        return True

    def __float__(self):
        return 6.0

    __hash__ = None


class FakesIsclose(np.ndarray):
    def __array_ufunc__(self, *args, **kwargs):
        return np.ones(4, bool)

    def __array_function__(self, *args, **kwargs):
        return np.ones(4, bool)


class LooksLikeFloat(type):
    """A class that claims to be float where classes are compared or hashed."""

    def __eq__(cls, other):
        return True

    def __hash__(cls):
        return hash(float)


class FloatInDisguise(metaclass=LooksLikeFloat):
    def __array__(self, *args, **kwargs):
        return np.array(6.0)


class Explodes:
    def __getattribute__(self, name):
        raise SystemExit


def fakes_isclose():
    return (2 * np.arange(4.0)).view(FakesIsclose)


@pytest.mark.parametrize("make", [AlwaysEqual, fakes_isclose, FloatInDisguise, Explodes])
def test_is_an_object_with_a_will_of_its_own_refused(make):
    trick = make()
    assert says(lambda x: trick).startswith("double: ")
    with pytest.raises(CheckFailed):
        expect_array(trick, 6.0, "a number")
    with pytest.raises(CheckFailed):
        expect_number(trick, 6.0, {}, 0.1, "a number")
    with pytest.raises(CheckFailed):
        expect_choice(trick, "a", {})
    with pytest.raises(CheckFailed):
        expect_parts(trick, "(w, b)")


def test_is_a_subclass_of_tensor_refused():
    torch = pytest.importorskip("torch")

    class Faked(torch.Tensor):
        @classmethod
        def __torch_function__(cls, *args, **kwargs):
            return torch.tensor(True)

    with pytest.raises(CheckFailed, match="should be a torch tensor, but it is a Faked"):
        expect_array(torch.zeros(2).as_subclass(Faked), torch.zeros(2), "it")
    bent = torch.ones(2)
    bent.detach = bent.cpu = bent.numpy = lambda: torch.zeros(2)
    with pytest.raises(CheckFailed, match="wrong in 2 of 2 entries"):
        expect_array(bent, torch.zeros(2), "it")


def test_does_a_huge_result_cost_nothing():
    """A terabyte by stride tricks: its shape gives it away before anybody touches it."""
    start = time.perf_counter()
    assert "shape" in says(lambda x: np.broadcast_to(1.0, (10**6, 10**6)))
    assert time.perf_counter() - start < 0.5


def test_does_a_tensor_have_to_be_one_of_the_same_dtype():
    torch = pytest.importorskip("torch")
    want = torch.ones(2)
    with pytest.raises(CheckFailed, match="should be a torch tensor, but it is a NumPy array"):
        expect_array(np.ones(2), want, "it")
    with pytest.raises(CheckFailed, match="should be a NumPy array, but it is a torch tensor"):
        expect_array(want, np.ones(2), "it")
    with pytest.raises(CheckFailed, match="dtype float32 like the inputs"):
        expect_array(want.double(), want, "it")
    with pytest.raises(CheckFailed, match="on the device of the inputs, cpu, not on meta"):
        expect_array(want.to("meta"), want, "it")
    expect_array(want.requires_grad_(), want.detach(), "it")


@pytest.mark.parametrize("number", [2, 2.0, np.float64(2), np.float32(2), np.array(2.0)])
def test_which_numbers_are_numbers(number):
    if isinstance(number, int):
        with pytest.raises(CheckFailed, match="should have floats"):
            expect_array(number, 2.0, "it")
    else:
        expect_array(number, 2.0, "it")
    with pytest.raises(CheckFailed, match="it: wrong; yours is 2"):
        expect_array(number * 1.0, 3.0, "it")


@pytest.mark.parametrize("got", [(1, 2, 3), (1,), 1, "ab", {"w": 1, "b": 2}, np.ones(2)])
def test_must_the_number_of_parts_be_right(got):
    with pytest.raises(CheckFailed, match=r"should return \(w, b\), 2 things"):
        expect_parts(got, "(w, b)")


def test_is_slow_code_told_from_fast():
    def slow(x):
        time.sleep(0.02)
        return x

    def fast(x):
        return x

    expect_fast(fast, fast, (1,), "slow", seconds=0.01)
    with pytest.raises(CheckFailed, match="too slow"):
        expect_fast(slow, fast, (1,), "too slow", seconds=0.01)


def test_is_greed_for_memory_noticed():
    expect_small(lambda n: np.ones(n).sum(), (1000,), 1, "too large")
    with pytest.raises(CheckFailed, match="too large"):
        expect_small(lambda n: np.ones(n).sum(), (10**6,), 1, "too large")


def test_may_the_function_live_elsewhere():
    """A stand-in reports what happened there in its own words."""

    def stand_in(x):
        raise RemoteError("stopped with ZeroDivisionError: division by zero", "    line 2: 1 / 0")

    with pytest.raises(CheckFailed) as failure:
        check_double(stand_in)
    assert failure.value._render_traceback_() == [
        "✗ double: stopped with ZeroDivisionError: division by zero",
        "    line 2: 1 / 0",
    ]


def test_is_torch_left_alone_until_a_check_needs_it():
    program = "import sys, grader.checks as c; c.checks(); sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True, cwd=ROOT)


def test_what_does_a_notebook_show_of_a_failure(tmp_path):
    """One sentence, and the line of the learner's own cell if that is what raised."""
    from nbclient import NotebookClient

    cells = [
        "from grader.checks.activations import check_softmax",
        "check_softmax(lambda scores: scores / 7)",
        textwrap.dedent(
            """
            import numpy as np

            def helper(scores):
                return np.ones(3) @ np.ones(4)

            def softmax(scores):
                e = np.exp(scores)
                return helper(e)
            """
        ).strip(),
        "check_softmax(softmax)",
        "from utils.reference.activations import softmax\ncheck_softmax(softmax)",
    ]
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(
        notebook, kernel_name="python3", allow_errors=True, resources={"metadata": {"path": ROOT}}
    ).execute()
    wrong, raised, right = (notebook.cells[number].outputs for number in (1, 3, 4))
    assert len(wrong) == len(raised) == len(right) == 1
    assert len(wrong[0].traceback) == 1
    assert wrong[0].traceback[0].startswith("✗ softmax: the probabilities of the scores (3, 1, -3)")
    assert raised[0].traceback[0].startswith("✗ softmax: stopped with ValueError: matmul")
    assert raised[0].traceback[1:] == ["    line 4: return np.ones(3) @ np.ones(4)"]
    assert right[0].text == "✓ softmax: all checks passed.\n"
