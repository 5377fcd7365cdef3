"""Unit 00: two warm-ups, and a question about broadcasting."""

import re

import numpy as np

from grader.checking import (
    call,
    check,
    devices,
    expect,
    expect_array,
    expect_fast,
    kind_of,
    withholds,
)
from utils.reference.preparation import center


@withholds("center")
@check
def check_center_columns(fn, seed=0):
    """center_columns(x): x (N, D) numbers -> (N, D) floats, each column minus its mean."""
    rng = np.random.default_rng(seed)

    # the columns (6, 1, 2) and (40, 10, 40) have the means 3 and 30
    x = np.array([[6.0, 40.0], [1.0, 10.0], [2.0, 40.0]])
    by_hand = np.array([[3.0, 10.0], [-2.0, -20.0], [-1.0, 10.0]])
    what = "the centered columns of [[6, 40], [1, 10], [2, 40]]"
    expect_array(call(fn, x), by_hand, what, off_center(x))

    for shape in [(5, 3), (5, 3), (4, 4), (1, 3), (6, 1)]:
        x = 3 + rng.normal(size=shape)
        what = f"the centered columns of an x of shape {shape}"
        expect_array(call(fn, x), center(x, x), what, off_center(x))

    x = rng.integers(0, 9, size=(4, 3))
    expect_array(call(fn, x), center(x * 1.0, x * 1.0), "the result for an x of integers")

    loops = "right, but slow: leave the loops to NumPy, x and its means broadcast."
    x = rng.normal(size=(1000, 100))
    expect_fast(fn, lambda x: center(x, x), (x,), loops, times=5, seconds=0.012)


def off_center(x):
    """What goes wrong when an axis is forgotten or mistaken."""
    return {
        "every row has mean zero now; the columns should: which axis does the mean run over?": (
            x - x.mean(axis=1, keepdims=True)
        ),
        "nothing was subtracted: this is x itself.": x,
        "the mean of the whole array was subtracted; every column has a mean of its own.": (
            x - x.mean()
        ),
        "these are the means; subtract them from x and return the difference.": x.mean(axis=0),
        "these are the means, a row of them for each row of x; subtract them from x.": (
            0 * x + x.mean(axis=0)
        ),
        "the sums of the columns were subtracted; a mean is the sum over N.": x - x.sum(axis=0),
        "the smallest number of each column was subtracted; subtract the mean.": x - x.min(axis=0),
        "the median was subtracted; subtract the mean.": x - np.median(x, axis=0),
        "the rows lost their means too; only the columns should.": (
            x - x.mean(axis=0) - x.mean(axis=1, keepdims=True)
        ),
        "the sign is turned around: it is x minus the mean.": x.mean(axis=0) - x,
        "the mean was added; subtract it.": x + x.mean(axis=0),
        "the columns were also divided by their deviation; only the mean was asked for.": (
            (x - x.mean(axis=0)) / x.std(axis=0)
        ),
    }


@check
def check_outer_sum(fn, seed=0):
    """outer_sum(a, b): tensors (N,), (M,) -> (N, M) tensor of all a[i] + b[j].

    The result has the device and the dtype of the inputs.
    """
    import torch

    rng = np.random.default_rng(seed)

    # 1 + 10, 1 + 20, 1 + 30 in the first row; 2 + 10, ... in the second
    a, b = torch.tensor([1.0, 2.0]), torch.tensor([10.0, 20.0, 30.0])
    by_hand = torch.tensor([[11.0, 21.0, 31.0], [12.0, 22.0, 32.0]])
    what = "the outer sum of (1, 2) and (10, 20, 30)"
    expect_array(call(fn, a, b), by_hand, what, not_outer_sum(a, b))

    for device in devices():
        for n, m in [(4, 3), (3, 3), (1, 5), (5, 1), (1, 1)]:
            for dtype in [torch.float64, torch.float32]:
                a = torch.tensor(rng.normal(size=n), dtype=dtype, device=device)
                b = torch.tensor(rng.normal(size=m), dtype=dtype, device=device)
                want = torch.stack([a_i + b for a_i in a])
                what = f"the outer sum of {n} and {m} numbers"
                expect_array(call(fn, a, b), want, what, not_outer_sum(a, b))

    a, b = torch.arange(4), torch.arange(3)
    want = torch.tensor([[0, 1, 2], [1, 2, 3], [2, 3, 4], [3, 4, 5]])
    expect_array(call(fn, a, b), want, "the outer sum of integers")

    loops = "right, but slow: no loop is needed when a has the shape (N, 1)."
    a, b = torch.arange(150.0), torch.arange(100.0)
    expect_fast(fn, lambda a, b: torch.add(a.reshape(-1, 1), b), (a, b), loops, seconds=0.03)


def not_outer_sum(a, b):
    """Other things that two vectors can become."""
    a, b = a.cpu().numpy(), b.cpu().numpy()
    suspects = {
        "rows and columns are exchanged: entry [i, j] is a[i] + b[j].": np.add.outer(b, a),
        "this is the outer product; the sum was asked for.": np.multiply.outer(a, b),
        "this is the outer difference; the sum was asked for.": np.subtract.outer(a, b),
        "that is one number for everything; (N, M) sums were asked for.": a.sum() + b.sum(),
    }
    if len(a) == len(b):
        suspects["a and b were added entry by entry; pair every a[i] with every b[j]."] = a + b
    return suspects


@check
def check_broadcast_shape(answer, seed=0):
    """What is the shape of np.ones((8, 1, 6)) + np.ones((7, 1))? Answer with a tuple.

    Also taken: the tuple as a string, "(8, 7, 6)". If you think that it fails, answer "error".
    """
    expect(answer is not None and answer is not ..., "no answer yet.")
    if type(answer) is str:
        expect(
            "error" not in answer.lower() and "fail" not in answer.lower(),
            "it works: shapes are lined up from the right, and a 1 stretches to whatever it meets.",
        )
        answer = tuple(int(number) for number in re.findall(r"\d+", answer[:50])) or "no number"
    yours = f"the answer is a tuple of whole numbers, or 'error'; yours is {kind_of(answer)}."
    expect(type(answer) is tuple or type(answer) is list, yours)
    whole = all(type(part) is int or type(part) is np.int64 for part in answer)
    expect(whole, "the answer is a tuple of whole numbers, or 'error'.")
    expect(len(answer) == 3, "the sum has as many axes as the longer of the two shapes.")
    wrong = {
        (8, 1, 6): "(7, 1) does take part: line the shapes up from the right, 7 then meets 1.",
        (8, 7, 1): "the last axes are 6 and 1, and it is the 1 that stretches.",
        (7, 1, 6): "the shorter shape gets its new axis in front, and line up is from the right.",
        (7, 8, 6): "line the shapes up from the right: the 7 stands under the 1, not under the 8.",
        (8, 6, 7): "line the shapes up from the right: the 7 stands under the 1, not under the 6.",
    }
    expect(tuple(answer) not in wrong, wrong.get(tuple(answer)))
    right = np.broadcast_shapes((8, 1, 6), (7, 1))
    expect(tuple(answer) == right, "line the shapes up from the right and compare axis by axis.")
