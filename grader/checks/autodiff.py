"""Unit 02: a program that takes derivatives, and what they cost."""

import time
import traceback

import numpy as np

from grader.checking import (
    NUMBERS,
    CheckFailed,
    RemoteCall,
    RemoteError,
    call,
    check,
    expect,
    expect_array,
    expect_choice,
    expect_none_of,
    kind_of,
    plain,
    told,
)
from utils.reference import autodiff as reference

ADD_UP = "a value used twice gets a part of its gradient from each use: add up, += and not =."
SAME = "; the slope of one operand is the other operand."


@check
def check_Value(fn, seed=0):
    """Value(data): a number that remembers where it comes from, with data and grad.

    + - * / of two Values, or with a number on either side; ** a number; relu(), exp(), log().
    out.backward() sets grad to d out / d value in every value that out was computed from, and
    looks at each of these once however often it is used.
    """
    rng = np.random.default_rng(seed)

    x = call(fn, 3.0)
    data_is(x, 3.0, "Value(3.0)", {})
    for text, expression, values, data, slopes in OPERATIONS:
        operation_is_right(fn, text, expression, values, data, slopes)

    for text, expression, values in EXPRESSIONS:
        expression_is_right(fn, text, expression, values)
    for number in range(4):
        values = tuple(rng.uniform(0.5, 1.5, size=3).tolist())
        draws = rng.integers(0, 2**31)

        def program(*leaves, draws=draws):
            return random_program(leaves, np.random.default_rng(draws))

        expression_is_right(fn, f"random expression {number + 1} of x, y, z", program, values)

    again_is_right(fn)
    cost_is_linear(fn)


# text, expression, values of x and y, {sentence: wrong data}, {sentence: wrong gradients}
OPERATIONS = [
    ("x + y", lambda x, y: x + y, (3.0, -2.0), {}, {}),
    (
        "x * y",
        lambda x, y: x * y,
        (3.0, -2.0),
        {},
        {
            "x * y: each operand got its own data as slope" + SAME: (3.0, -2.0),
            "x * y: the slope is missing" + SAME: (1.0, 1.0),
        },
    ),
    (
        "(x * 3) * y",
        lambda x, y: (x * 3) * y,
        (3.0, -2.0),
        {},
        {
            "(x * 3) * y: the chain rule is missing: multiply the slope of an operation by the "
            "grad of its result.": (3.0, 9.0),
        },
    ),
    ("x + x", lambda x: x + x, (3.0,), {}, {f"x + x: {ADD_UP}": (1.0,)}),
    ("x * x", lambda x: x * x, (3.0,), {}, {f"x * x: {ADD_UP}": (3.0,)}),
    (
        "x - y",
        lambda x, y: x - y,
        (3.0, -2.0),
        {"x - y: the operands are exchanged.": -5.0, "x - y came out as x + y.": 1.0},
        {"x - y: if y grows, x - y falls.": (1.0, 1.0)},
    ),
    (
        "x / y",
        lambda x, y: x / y,
        (3.0, -2.0),
        {"x / y: the operands are exchanged.": -2 / 3, "x / y was rounded down: / not //.": -2.0},
        {
            "x / y: the slope by y is -x / y^2; the minus is missing.": (-0.5, 0.75),
            "x / y: the slope by y is that of 1 / y; x is missing.": (-0.5, -0.25),
            "x / y: the slope by y is -x / y^2; the square is missing.": (-0.5, 1.5),
        },
    ),
    (
        "x**3",
        lambda x: x**3,
        (2.0,),
        {"x**3 was multiplied: ** is the power.": 6.0},
        {
            "x**n: the factor n is missing from n x^(n - 1).": (4.0,),
            "x**n: the exponent of n x^(n - 1) is still n.": (24.0,),
            "x**n: the slope is n x^(n - 1); this is n.": (3.0,),
        },
    ),
    ("x**-1", lambda x: x**-1, (2.0,), {}, {}),
    ("x**0.5", lambda x: x**0.5, (4.0,), {}, {}),
    (
        "x.relu() at x = 3",
        lambda x: x.relu(),
        (3.0,),
        {"relu lets what is positive through as it is.": 0.0},
        {"x.relu(): above 0 the slope is 1.": (3.0,)},
    ),
    (
        "x.relu() at x = -2",
        lambda x: x.relu(),
        (-2.0,),
        {"relu of a negative number is 0.": -2.0},
        {"x.relu(): below 0 nothing comes through, and no gradient either.": (1.0,)},
    ),
    (
        "x.exp()",
        lambda x: x.exp(),
        (0.5,),
        {},
        {
            "x.exp(): the slope of exp is exp(x), its own result; this is 1.": (1.0,),
            "x.exp(): the slope of exp is exp(x), its own result; this is x.": (0.5,),
            "x.exp(): this is x exp(x - 1); that is the rule of powers of x.": (
                0.5 * float(np.exp(-0.5)),
            ),
        },
    ),
    (
        "x.log()",
        lambda x: x.log(),
        (2.0,),
        {
            "the logarithm has base 2; take the natural one.": 1.0,
            "the logarithm has base 10; take the natural one.": float(np.log10(2)),
        },
        {
            "x.log(): the slope of log is 1 / x; this is x.": (2.0,),
            "x.log(): the slope is 1 / x, by the input; this is 1 / log(x).": (
                float(1 / np.log(2)),
            ),
        },
    ),
    ("x + 2", lambda x: x + 2, (3.0,), {}, {}),
    ("2 + x", lambda x: 2 + x, (3.0,), {}, {}),
    ("x - 2", lambda x: x - 2, (3.0,), {}, {}),
    (
        "2 - x",
        lambda x: 2 - x,
        (3.0,),
        {
            "2 - x came out as x - 2: __rsub__ has the number on the left.": 1.0,
            "2 - x came out as 2 + x.": 5.0,
        },
        {"2 - x: if x grows, 2 - x falls.": (1.0,)},
    ),
    ("x * 2", lambda x: x * 2, (3.0,), {}, {}),
    ("2 * x", lambda x: 2 * x, (3.0,), {}, {}),
    ("x / 2", lambda x: x / 2, (3.0,), {}, {}),
    (
        "2 / x",
        lambda x: 2 / x,
        (4.0,),
        {"2 / x came out as x / 2: __rtruediv__ has the number on the left.": 2.0},
        {},
    ),
]
RIGHT_HAND = {"+": "__radd__", "-": "__rsub__", "*": "__rmul__", "/": "__rtruediv__"}


def two_ways(x, y):
    a = x * y
    return a + a * y


def two_ways_turned(x, y):
    a = x * y
    return a * y + a


def long_and_short(x, y):
    a = x + y
    b = (a * 2 + 1) * x
    return b * a + a.exp() + b


EXPRESSIONS = [
    ("x * y + x", lambda x, y: x * y + x, (3.0, -2.0)),
    ("(x + y) * (x - y)", lambda x, y: (x + y) * (x - y), (3.0, -2.0)),
    ("a + a * y with a = x * y", two_ways, (3.0, -2.0)),
    ("a * y + a with a = x * y", two_ways_turned, (3.0, -2.0)),
    ("b * a + a.exp() + b with a = x + y, b = (2 a + 1) x", long_and_short, (0.5, -0.2)),
    (
        "1 / (1 + (0 - x * y).exp())",
        lambda x, y: 1 / (1 + (0 - x * y).exp()),
        (1.0, 0.5),
    ),
]


def random_program(leaves, rng):
    """The same numbers drawn give the same expression, whatever the leaves are."""
    values = list(leaves)
    for _ in range(10):
        a, b = (values[i] for i in rng.integers(0, len(values), size=2))
        kind = rng.integers(0, 6)
        if kind == 0:
            values.append(a + b)
        elif kind == 1:
            values.append(a - b * 0.5)
        elif kind == 2:
            values.append(a * b * 0.3)
        elif kind == 3:
            values.append((a * 0.1).exp())
        elif kind == 4:
            values.append((a * a + 1).log())
        else:
            values.append(2 / (b**2 + 1))
    total = values[-1]
    for value in values[-5:-1]:
        total = total + value
    return total


def computed(text, expression, *values):
    """expression(*values), where the learner's class computes."""
    left = text[0].isdigit() and text[2] in RIGHT_HAND and len(text) == 5
    number = left or (text[-1].isdigit() and len(text) == 5)
    hint = ""
    if left:
        hint = f"; with a number on the left Python asks {RIGHT_HAND[text[2]]}."
    elif number:
        hint = "; a number has neither data nor grad: make a Value of it first."
    try:
        return expression(*values)
    except KeyboardInterrupt:
        raise
    except NotImplementedError:
        raise CheckFailed(f"{text} is not written yet: it raises NotImplementedError.") from None
    except RemoteError as error:
        raise CheckFailed(f"{text} {error}{hint}", error.line) from None
    except SystemExit:
        raise CheckFailed(f"{text} called exit().") from None
    except BaseException as error:
        raise CheckFailed(f"{text} stopped with {told(error)}{hint}", own_line(error)) from None


def own_line(error):
    """The deepest line of the learner's own class that led to the error, or None."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if frame.filename != __file__]
    own = [frame for frame in own if frame.filename == own[0].filename]
    return f"    line {own[-1].lineno}: {own[-1].line}" if own else None


def number_of(value, attribute, what):
    """value.data or value.grad, a single number."""
    is_value = not any(type(value) is kind for kind in (*NUMBERS, str, tuple, list, np.ndarray))
    expect(is_value, f"{what} should be a Value, but it is {kind_of(value)}.")
    expect(value is not None, f"{what} is None; is a return missing?")
    got = computed(f"{what}: .{attribute}", lambda: getattr(value, attribute))
    if attribute == "grad":
        expect(got is not None, f"{what}: grad is None after backward().")
    return plain(got, f"{attribute} of {what}", like=0.0).astype(float)


def data_is(value, want, what, suspects):
    expect_array(number_of(value, "data", what), np.array(want), f"data of {what}", suspects)


def operation_is_right(fn, text, expression, values, wrong_data, wrong_slopes):
    """One operation: its number, then its slopes."""
    numbers = [reference.Value(value) for value in values]
    want = expression(*numbers)
    want.backward()
    leaves = [call(fn, value) for value in values]
    out = computed(text, expression, *leaves)
    data_is(out, want.data, text, wrong_data)
    computed(f"backward() of {text}", lambda: out.backward())
    expect_array(
        number_of(out, "grad", text),
        np.array(1.0),
        f"grad of the result itself, d out / d out, after backward() of {text}",
    )
    got = np.array([number_of(leaf, "grad", "x") for leaf in leaves])
    right = np.array([number.grad for number in numbers])
    for name, part, value in zip("xy", got, right, strict=False):
        reached = f"{text}: backward() leaves the grad of {name} at 0; it has to reach every input."
        expect(part or not value, reached)
    expect_none_of(got, right, {s: np.array(slopes) for s, slopes in wrong_slopes.items()})
    for name, part, value in zip("xy", got, right, strict=False):
        at = ", ".join(f"{n} = {v:g}" for n, v in zip("xy", values, strict=False))
        expect_array(part, np.array(value), f"grad of {name} after backward() of {text}, {at}")


def expression_is_right(fn, text, expression, values):
    """Several operations in a row."""
    numbers = [reference.Value(value) for value in values]
    want = expression(*numbers)
    want.backward()
    leaves = [call(fn, value) for value in values]
    out = computed(text, expression, *leaves)
    data_is(out, want.data, text, {})
    computed(f"backward() of {text}", lambda: out.backward())
    for name, leaf, number in zip("xyz", leaves, numbers, strict=False):
        right = 0.0 if number.grad is None else number.grad
        if number.grad is None:
            continue  # it happens not to be part of the expression
        got = number_of(leaf, "grad", name)
        sentence = (
            f"grad of {name} after backward() of {text} (each value hands on its gradient once, "
            "when all that use it have added their part)"
        )
        expect_array(got, np.array(right), sentence)


def again_is_right(fn):
    """A second walk over the same values, their gradients set to 0 by hand, gives the same."""
    x, y = call(fn, 3.0), call(fn, -2.0)
    a = computed("x * y", lambda: x * y)
    b = computed("a + x", lambda: a + x)
    out = computed("b * a", lambda: b * a)
    values = {"x": x, "y": y, "a": a, "b": b, "out": out}
    grads = []
    for _ in range(2):
        computed("backward()", lambda: out.backward())
        grads.append([number_of(value, "grad", name) for name, value in values.items()])
        for name, value in values.items():
            computed(f"{name}.grad = 0.0", setattr, value, "grad", 0.0)
    again = "a second backward(), with every grad back at 0, should give the same gradients."
    expect(np.allclose(grads[0], grads[1]), again)
    other = computed("x * x", lambda: x * x)
    computed("backward()", lambda: other.backward())
    shared = "a value that was part of one result gets a wrong gradient as part of the next."
    expect(np.allclose(number_of(x, "grad", "x"), 6.0), shared)


def cost_is_linear(fn):
    """y = y + y, again and again: one more value each time, and twice as many ways to x."""
    for depth in (6, 12, 16):
        for last in (False, False, True):
            took, _, _ = doubled(fn, depth)
            if took < 0.02:
                break
            expect(
                not (last or took > 0.1),
                "right, but the time doubles with every reuse: in y = y + y, many times over, each "
                "value was visited once for every way that leads to it; visit it once.",
            )
    _, x, y = doubled(fn, 60)
    data_is(y, 2.0**60, "x doubled 60 times", {})
    grad = number_of(x, "grad", "x")
    expect_array(grad, np.array(2.0**60), "grad of x after backward() of x doubled 60 times")


def doubled(fn, depth):
    """(seconds of backward, x, y) for x = 1, and y after so many doublings."""
    clock = fn._clock if isinstance(fn, RemoteCall) else time.perf_counter
    y = x = call(fn, 1.0)
    for _ in range(depth):
        y = computed("y + y", lambda y: y + y, y)
    start = clock()
    computed("backward()", lambda: y.backward())
    return clock() - start, x, y


@check
def check_backprop_cost(answer, seed=0):
    """A network has a million weights, and one forward pass takes a millisecond. About how long
    does it take to have the gradient by all the weights by backpropagation?

    a) A million milliseconds: one pass for each weight.
    b) Two million milliseconds: each weight is moved up and down once.
    c) A few milliseconds: one pass forward, and one back that costs about twice as much.
    d) As many milliseconds as there are layers: one forward pass for each.
    """
    expect_choice(
        answer,
        right="c",
        wrong={
            "a": "that would be one-sided differences; backpropagation shares what they repeat.",
            "b": "that would be centered differences; backpropagation shares what they repeat.",
            "d": "every layer goes back once, and all of them together make one pass.",
        },
    )
