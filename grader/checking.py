"""What every check is made of: call the learner's function, look at what came back, and stop
at the first thing that is wrong with one sentence that teaches.

A check gives a function data and judges the data that it returns, nothing else: not its source,
not its name. So the function may just as well be a stand-in that computes somewhere else, and
whatever comes back is taken for what it is only after it proves to be a plain number, array or
tensor: a subclass or an object of the learner's own could answer any question about itself.
"""

import contextlib
import copy
import functools
import os
import sys
import time
import traceback
import tracemalloc
import warnings

import numpy as np

from grader import progress
from utils.reference.gradient_check import numeric_gradient

NUMPY_NUMBERS = {kind for kind in np.sctypeDict.values() if issubclass(kind, np.number | np.bool)}
NUMBERS = (bool, int, float, *NUMPY_NUMBERS)
DTYPE_WORDS = {"b": "booleans", "i": "integers", "u": "integers", "f": "floats", "c": "complex"}


class CheckFailed(AssertionError):
    """One sentence on what is wrong; `line` is the learner's own line if their code raised."""

    def __init__(self, sentence, line=None):
        super().__init__(sentence)
        self.line = line

    def _render_traceback_(self):
        """All that a notebook shows of this error, in place of a traceback."""
        return [f"✗ {self}"] + ([self.line] if self.line else [])


class RemoteError(Exception):
    """Raised by a stand-in for the learner's function when the function itself failed elsewhere.

    The sentence ("stopped with ValueError: ...") and the line are shown as they are.
    """

    def __init__(self, sentence, line=None):
        super().__init__(sentence)
        self.line = line

    def __str__(self):
        return self.args[0]  # a KeyError would put it in quotes


class RemoteCall:
    """Base of stand-ins for a learner's function.

    `_clock()` tells the seconds that were computed where the function is, `_peak(*args)` the most
    bytes that a call needs there.
    """


def check(body):
    """Make `check_<exercise>(answer, seed=0)` from a body that raises CheckFailed or returns.

    What the learner's function prints or warns is dropped: a check calls it many times.
    Success prints one line; failure raises one CheckFailed that opens with the exercise's name.
    Returns None either way, as nbgrader reads any other result as points.
    """
    exercise = body.__name__.removeprefix("check_")

    @functools.wraps(body)
    def run(answer, seed=0):
        failure = None
        try:
            with quiet():
                body(answer, seed)
        except KeyboardInterrupt:
            raise
        except CheckFailed as failed:
            failure = CheckFailed(f"{exercise}: {failed}", failed.line)
        except BaseException as stray:  # SystemExit too: an object may raise anything when touched
            kind = type(stray).__name__
            failure = CheckFailed(f"{exercise}: what came back cannot be examined ({kind}).")
        with contextlib.suppress(OSError):  # a read-only disk is no reason to fail
            progress.record(exercise, failure is None)
        if failure:
            raise failure
        print(f"✓ {exercise}: all checks passed.")

    return run


def withholds(*names):
    """Beside the exercise's own name, these in utils would answer it; grading takes them out."""

    def mark(check):
        check.withholds = names
        return check

    return mark


@contextlib.contextmanager
def quiet():
    """Neither prints nor warnings come out, and arithmetic gives inf and nan without a word."""
    with (
        open(os.devnull, "w", encoding="utf-8", errors="ignore") as nowhere,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(nowhere),
        warnings.catch_warnings(action="ignore"),
        np.errstate(all="ignore"),
    ):
        yield


def expect(condition, sentence):
    """Stop the check with `sentence` unless `condition` holds."""
    if not condition:
        raise CheckFailed(sentence)


def call(fn, *args, unchanged="changes its argument number {} in place; make a copy."):
    """fn(*args) on copies of args: it must be there, run, return something and leave them alone."""
    expect(fn is not None, "not defined yet: write the function and run its cell.")
    expect(callable(fn), f"should be a function, but it is {kind_of(fn)}.")
    given = copied(args)
    try:
        got = fn(*given)
    except KeyboardInterrupt:
        raise
    except NotImplementedError as error:
        unwritten = "not written yet: it still raises NotImplementedError."
        raise CheckFailed(unwritten, line_of(error)) from None
    except RemoteError as error:
        raise CheckFailed(str(error), error.line) from None
    except SystemExit:
        raise CheckFailed("called exit(); a function should return its result.") from None
    except BaseException as error:
        raise CheckFailed(f"stopped with {told(error)}", line_of(error)) from None
    for number, (before, after) in enumerate(zip(args, given, strict=True), start=1):
        expect(same(before, after), unchanged.format(number))
    expect(got is not None, "returned None; is the return statement missing?")
    return got


def copied(value):
    """A copy that the learner's function may spoil."""
    if type(value) in (tuple, list):
        return type(value)(copied(part) for part in value)
    if is_tensor(value):
        return value.clone()
    return value.copy() if type(value) is np.ndarray else copy.deepcopy(value)


def same(before, after):
    """Whether an argument survived the call."""
    if is_tensor(before):
        before, after = to_numpy(before), to_numpy(after)
    if type(before) in (tuple, list):
        whole = type(after) is type(before) and len(after) == len(before)
        return whole and all(map(same, before, after))
    if type(before) is not np.ndarray:
        return True  # numbers and strings cannot change, a random generator may
    return before.dtype == after.dtype and np.array_equal(before, after, equal_nan=True)


def told(error):
    """'ValueError: operands ...' in at most 200 characters, even if the error cannot tell."""
    try:
        text = str(error)
    except BaseException:
        text = ""
    return f"{type(error).__name__}: {text[:200]}" if text else f"{type(error).__name__}."


def line_of(error):
    """The deepest line of the learner's own cell that led to the error, or None."""
    if isinstance(error, RemoteError):
        return error.line
    frames = traceback.extract_tb(error.__traceback__)[1:]  # the first one is call() above
    own = [frame for frame in frames if frame.filename == frames[0].filename]
    return f"    line {own[-1].lineno}: {own[-1].line}" if own else None


def is_tensor(value):
    """Whether it is a torch tensor and no subclass; torch is not imported to find out."""
    torch = sys.modules.get("torch")
    return torch is not None and type(value) is torch.Tensor


def to_numpy(tensor):
    """Its numbers; by the method of the class, as an instance may carry a method of its own."""
    return type(tensor).detach(tensor).cpu().numpy()


def kind_of(value):
    """'a NumPy array', 'a torch tensor', 'a list', 'an int': how a message names what came."""
    name = {np.ndarray: "NumPy array"}.get(type(value), type(value).__name__)
    name = "torch tensor" if is_tensor(value) else name
    return f"an {name}" if name[0] in "aeiou" else f"a {name}"


def plain(got, what, like=None):
    """`got` as a base-class array; `like` is a tensor where a tensor is wanted."""
    if is_tensor(like):
        expect(is_tensor(got), f"{what} should be a torch tensor, but it is {kind_of(got)}.")
        expect(
            got.device == like.device,
            f"{what} should be on the device of the inputs, {like.device}, not on {got.device}.",
        )
        return to_numpy(got)
    number_wanted = like is not None and np.ndim(like) == 0
    if number_wanted and any(type(got) is kind for kind in NUMBERS):
        return np.asarray(got)
    wanted = "a single number" if number_wanted else "a NumPy array"
    expect(type(got) is np.ndarray, f"{what} should be {wanted}, but it is {kind_of(got)}.")
    return got


def expect_array(got, want, what, suspects=None, rtol=1e-6, atol=1e-9):
    """`got` must be `want`: kind of object, shape, dtype, finite, value. Returns it, plain.

    want     : array, number, or tensor (then device and dtype must be those of `want`)
    what     : how the messages name it, "the distances"
    suspects : {sentence: the value that this mistake gives}, looked at before anything is said
    """
    array = plain(got, what, want)
    target = plain(want, what, want)
    number = target.dtype.kind
    fits = array.shape == target.shape
    fits_dtype = array.dtype == target.dtype
    if not is_tensor(want):  # any size, and bytes are integers too
        fits_dtype = DTYPE_WORDS.get(array.dtype.kind) == DTYPE_WORDS[number]
    if fits_dtype and close(array, target, rtol, atol):
        return array.copy()
    expect_none_of(array, target, suspects or {}, rtol, atol)
    expect(fits, f"{what} should have shape {target.shape}, but the shape is {array.shape}.")
    wanted = f"dtype {target.dtype} like the inputs" if is_tensor(want) else DTYPE_WORDS[number]
    expect(fits_dtype, f"{what} should have {wanted}, but the dtype is {array.dtype}.")
    expect(np.isfinite(array).all(), f"{what}: there is nan or inf in it.")
    wrong = np.argwhere(~np.isclose(array, target, rtol, atol))
    yours = f"yours is {array[tuple(wrong[0])]:.6g}."
    expect(array.ndim, f"{what}: wrong; {yours}")
    raise CheckFailed(
        f"{what}: wrong in {len(wrong)} of {array.size} entries; at {wrong[0].tolist()} {yours}"
    )


def expect_none_of(array, want, suspects, rtol=1e-6, atol=1e-9):
    """Stop with the sentence of the suspect that explains a wrong array, if there is one.

    On its own, before the worked example: a case so rich that no two suspects agree in it.
    """
    for sentence, value in suspects.items():
        value = np.asarray(value)
        telling = not close(value, want, rtol, atol)
        expect(not (telling and close(array, value, rtol, atol)), sentence)


def close(a, b, rtol, atol):
    """Whether two arrays agree in shape and in every entry, nan with nan."""
    comparable = a.shape == b.shape and a.dtype.kind in DTYPE_WORDS
    return comparable and np.isclose(a, b, rtol, atol, equal_nan=True).all()


def expect_parts(got, names):
    """`got` must be a tuple of as many parts as `names` tells: "(loss, dscores)". Returns it."""
    count = names.count(",") + 1
    is_tuple = type(got) is tuple or type(got) is list
    expect(is_tuple, f"should return {names}, {count} things, but it returned {kind_of(got)}.")
    expect(len(got) == count, f"should return {names}, {count} things, not {len(got)}.")
    return got


def expect_gradient(got, f, x, what, suspects=None):
    """`got` must be the gradient of the number f(x), taken by centered differences.

    Good to about 1e-8 where f is smooth; keep x away from kinks, where no method has an answer.
    """
    return expect_array(got, numeric_gradient(f, x), what, suspects, rtol=1e-5, atol=1e-7)


def expect_fast(fn, reference, args, sentence, times=8, seconds=0.05):
    """fn(*args) may take `times` as long as the reference, and `seconds` in any case.

    As the machine may be busy, there is half a second of tries; one that is far off ends it.
    """
    limit = max(seconds, times * min(timed(reference, args) for _ in range(3)))
    end = time.perf_counter() + 0.5
    tries = 0
    while tries < 3 or time.perf_counter() < end:
        took = timed(fn, args)
        if took <= limit:
            return
        expect(took <= 4 * limit + 0.2, sentence)
        tries += 1
    raise CheckFailed(sentence)


def timed(fn, args):
    """Seconds that one call takes; of a stand-in, that were computed where the function is."""
    clock = fn._clock if isinstance(fn, RemoteCall) else time.perf_counter
    start = clock()
    call(fn, *args)
    return clock() - start


def expect_small(fn, args, megabytes, sentence):
    """fn(*args) may not need more than so many megabytes at any one time."""
    measure = fn._peak if isinstance(fn, RemoteCall) else functools.partial(peak_of, fn)
    expect(call(measure, *args) <= megabytes * 2**20, sentence)


def peak_of(fn, *args):
    """The most bytes that a call of a function of this process needs at any one time."""
    tracemalloc.start()
    try:
        fn(*args)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def devices():
    """The devices that a torch exercise is tried on: the CPU, and the GPU where there is one."""
    torch = sys.modules["torch"]
    return ["cpu", "cuda"] if torch.cuda.is_available() else ["cpu"]


def expect_choice(answer, right, wrong):
    """The answer to a question with options; wrong: {letter: the sentence that teaches}."""
    expect(answer is not None and answer is not ..., "no answer yet.")
    letters = ", ".join(sorted([right, *wrong]))
    expect(type(answer) is str, f"the answer is one letter in quotes, out of {letters}.")
    letter = answer.strip(" ().:'\"").lower()
    expect(letter, "no answer yet.")
    expect(letter not in wrong, wrong.get(letter))
    expect(letter == right, f"the answer is one letter out of {letters}.")


def expect_number(answer, right, wrong, tolerance, what):
    """The answer to a question for a number; wrong: {sentence that teaches: what gives it}."""
    expect(answer is not None and answer is not ..., "no answer yet.")
    array = to_numpy(answer) if is_tensor(answer) else answer
    answer = array.item() if type(array) is np.ndarray and array.size == 1 else array
    is_number = any(type(answer) is kind for kind in NUMBERS) and type(answer) is not bool
    expect(is_number, f"the answer is a number, without quotes: {what}.")
    expect(np.isfinite(answer), f"the answer is a finite number: {what}.")
    if abs(answer - right) <= tolerance:
        return
    for sentence, value in wrong.items():
        expect(abs(answer - value) > tolerance, sentence)
    raise CheckFailed(f"not yet; the answer is {what}.")
