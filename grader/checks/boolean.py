"""Unit 02: what a neuron and a network of few can compute with weights set by hand."""

import numpy as np

from grader.checking import (
    NUMBERS,
    call,
    check,
    expect,
    expect_array,
    expect_choice,
    expect_fast,
    expect_none_of,
    expect_number,
    expect_parts,
    kind_of,
    plain,
    withholds,
)

ALMOST = 1e-9  # so far below 0 a score still counts as 0: sums of fractions are rounded


def fires(scores):
    """1 where a threshold neuron fires, else 0."""
    return (scores >= -ALMOST) * 1.0


def all_bits(n):
    """(2^n, n): row k holds the bits of k, the most significant first."""
    return (np.arange(2**n)[:, None] >> np.arange(n)[::-1]) % 2 * 1.0


def in_words(bits):
    """(0, 1, 1), or how many of them are 1 where there are too many to read."""
    ones = f"{len(bits)} bits, {int(bits.sum())} of them 1"
    return f"({', '.join(str(int(bit)) for bit in bits)})" if len(bits) <= 6 else ones


@withholds("step")
@check
def check_neuron(fn, seed=0):
    """neuron(x, w, b): inputs (N, D), weights (D,), bias a number -> (N,), 0 or 1.

    1 where x w + b is 0 or more, else 0, for all inputs at once.
    """
    rng = np.random.default_rng(seed)

    # in many inputs every mistake leaves a trace of its own
    x, b = rng.normal(size=(400, 3)), float(rng.choice([-0.7, 0.7]))
    w = rng.choice([-1, 1], size=3) * rng.uniform(0.5, 1.5, size=3)
    got = outputs_of(call(fn, x, w, b))
    expect_none_of(got, neuron_of(x, w, b), other_neurons(x, w, b))

    # scores -2, -1, -1, 0: only (1, 1) reaches 0, and 0 is enough
    x, w = all_bits(2), np.ones(2)
    what = "the outputs for w = (1, 1), b = -2 and the inputs (0, 0), (0, 1), (1, 0), (1, 1)"
    got = outputs_of(call(fn, x, w, -2.0))
    expect_none_of(
        got,
        np.array([0.0, 0.0, 0.0, 1.0]),
        {"a score of exactly 0 fires too: step(0) = 1.": np.zeros(4)},
    )
    expect_array(got, np.array([0.0, 0.0, 0.0, 1.0]), what)

    for n, d in [(9, 2), (3, 3), (1, 4), (5, 1)]:
        x, w, b = rng.normal(size=(n, d)), rng.normal(size=d), float(rng.normal())
        what = f"the outputs for inputs of shape {x.shape}"
        got = outputs_of(call(fn, x, w, b))
        expect_array(got, neuron_of(x, w, b), what)  # so few agree with more than one mistake
    x, w = rng.integers(-3, 4, size=(40, 3)), rng.integers(-3, 4, size=3)
    got = outputs_of(call(fn, x, w, 1))
    expect_array(got, neuron_of(x, w, 1), "the outputs for integers, with scores of exactly 0")

    loops = "right, but slow: x @ w takes all inputs at once, and so does the comparison."
    for n in (200, 20_000):  # small first, to be short with the slowest
        expect_fast(fn, neuron_of, (rng.normal(size=(n, 5)), np.ones(5), 0.5), loops, seconds=0.01)


def neuron_of(x, w, b):
    return (x @ w + b >= 0) * 1.0


def outputs_of(got):
    """0 and 1 may be integers or floats."""
    array = plain(got, "the output")
    truth = "these are True and False; return numbers, 0 and 1: np.where, or multiply by 1."
    expect(array.dtype != bool, truth)
    return array.astype(float) if array.dtype.kind in "iu" else array


def other_neurons(x, w, b):
    score, want = x @ w + b, neuron_of(x, w, b)
    return {
        "these are the scores x w + b; the step turns them into 0 and 1.": score,
        "these are the scores without b, and without the step.": x @ w,
        "turned around: it is 1 where the score is 0 or more.": 1 - want,
        "these are signs, -1 and 1; below the threshold the output is 0.": 2 * want - 1,
        "b is missing: without it every boundary passes through 0.": (x @ w >= 0) * 1.0,
        "b is subtracted; it is added to the sum, as the weight of an input 1.": (
            (x @ w - b >= 0) * 1.0
        ),
        "this is the logistic function; the step knows only 0 and 1.": 1 / (1 + np.exp(-score)),
        "this is a relu: scores above 0 come through; the step gives 1 for all of them.": (
            np.maximum(score, 0)
        ),
        "the threshold is 1; it is 0, and b moves it.": (score >= 1) * 1.0,
        "the threshold is 1/2; it is 0, and b moves it.": (score >= 0.5) * 1.0,
        "the inputs were multiplied by b as well; add it once, at the end.": (
            ((x + b) @ w >= 0) * 1.0
        ),
        "each input should give one number; here each of its entries does.": (
            (x * w + b >= 0) * 1.0
        ),
        "the shape is (N, 1); return (N,), one number for each input.": want[:, None],
    }


@check
def check_majority_weights(fn, seed=0):
    """majority_weights(n): n odd -> (w, b), w (n,) and b a number.

    One threshold neuron with these weights says whether more than half of n bits are 1.
    """
    rng = np.random.default_rng(seed)
    for n in (5, 3, 1, 7):
        majority_is_right(call(fn, n), n, all_bits(n))
    n = 2 * int(rng.integers(20, 40)) + 1
    counts = np.concatenate([[0, n, n // 2, n // 2 + 1], rng.integers(0, n + 1, size=50)])
    x = rng.permuted((np.arange(n) < counts[:, None]) * 1.0, axis=1)
    majority_is_right(call(fn, n), n, x)


def majority_is_right(got, n, x):
    """The neuron fires for the right ones of these bits."""
    w, b = expect_parts(got, "(w, b)")
    w, b = weights(w, "w"), bias(b, "b")
    turned = f"w should have shape ({n},), a weight for each bit, but the shape is {w.shape}."
    expect(w.shape == (n,), turned)
    ones = x.sum(axis=1)
    want = (ones > n / 2) * 1.0
    fired = fires(x @ w + b)
    sentences = {
        f"n = {n}: right if a score of 0 did not fire; here step(0) = 1.": (
            same(x @ w + b > ALMOST, want)
        ),
        f"n = {n}: right with -b: the score is x w + b, so b is minus the threshold.": (
            same(fires(x @ w - b), want)
        ),
        "it fires whatever the bits are: b has to hold it back.": fired.all() and n > 1,
        "it never fires: b holds it back even where all bits are 1.": not fired.any(),
        f"n = {n}: it fires where fewer than half of the bits are 1; check the signs.": (
            same(fired, 1 - want)
        ),
        f"n = {n}: this is OR, a single 1 is enough for it; more than half are needed.": (
            n > 1 and same(fired, ones >= 1)
        ),
        f"n = {n}: this is AND, it needs all the bits; more than half should do.": (
            n > 1 and same(fired, ones == n)
        ),
        f"n = {n}: it fires already where one bit is missing to more than half.": (
            same(fired, ones > n / 2 - 1)
        ),
        f"n = {n}: it wants at least one 1 more than it takes to be more than half.": (
            same(fired, ones > n / 2 + 1)
        ),
    }
    wrong = np.flatnonzero(fired != want)
    if not len(wrong):
        return
    for sentence, holds in sentences.items():
        expect(not holds, sentence)
    bits, fired = in_words(x[wrong[0]]), "fires" if fired[wrong[0]] else "does not fire"
    raise_wrong(f"n = {n}: the neuron {fired} for {bits}.")


def same(a, b):
    return np.array_equal(a * 1.0, b * 1.0)


def raise_wrong(sentence):
    expect(False, sentence)


def weights(got, what):
    """An array of finite numbers, as floats."""
    array = plain(got, what)
    number = f"{what} should hold numbers, but the dtype is {array.dtype}."
    expect(array.dtype.kind in "iuf", number)
    expect(np.isfinite(array).all(), f"{what}: there is nan or inf in it.")
    return array.astype(float)


def bias(got, what):
    """A single number, alone or in an array."""
    if any(type(got) is kind for kind in NUMBERS):
        got = np.array(got, dtype=float)
    number = f"{what} should be a single number, but it is {kind_of(got)}."
    expect(type(got) is np.ndarray, number)
    array = weights(got, what)
    expect(array.size == 1, f"{what} should be one number, but the shape is {array.shape}.")
    return array.item()


def layers(got, n):
    """(w1, b1, w2, b2) of a network of n inputs and one output, with shapes that fit."""
    w1, b1, w2, b2 = expect_parts(got, "(w1, b1, w2, b2)")
    w1, b1, w2 = weights(w1, "w1"), weights(b1, "b1"), weights(w2, "w2")
    columns = f"w1 should have shape ({n}, H), a column for each hidden neuron"
    expect(w1.ndim == 2 and len(w1) == n, f"{columns}, but the shape is {w1.shape}.")
    H = w1.shape[1]
    one = f"should have shape ({H},), as there are {H} hidden neurons, but the shape is"
    expect(b1.shape == (H,), f"b1 {one} {b1.shape}.")
    fits = w2.shape in [(H,), (H, 1)]
    expect(fits, f"w2 should have shape ({H}, 1), a weight for each hidden neuron, not {w2.shape}.")
    return w1, b1, w2.reshape(H), bias(b2, "b2")


def network(x, w1, b1, w2, b2, hidden=fires, output=fires):
    return output(hidden(x @ w1 + b1) @ w2 + b2)


def network_is_right(got, table, others, what=""):
    """Two layers of threshold neurons give the table; others: {sentence: another table}."""
    n = int(np.log2(len(table)))
    x = all_bits(n)
    w1, b1, w2, b2 = layers(got, n)
    out = network(x, w1, b1, w2, b2)
    if same(out, table):
        return

    def strict(scores):
        return (scores > ALMOST) * 1.0

    def relu(scores):
        return np.maximum(scores, 0)

    def as_it_is(scores):
        return scores

    sentences = {
        "right if a score of 0 did not fire; here step(0) = 1.": (
            same(network(x, w1, b1, w2, b2, strict, strict), table)
        ),
        "right with relu neurons in the hidden layer; here they only give 0 or 1.": (
            same(network(x, w1, b1, w2, b2, relu), table)
            or np.allclose(network(x, w1, b1, w2, b2, relu, as_it_is), table)
        ),
        "right with -b1 and -b2: a score is x w + b, so b is minus the threshold.": (
            same(network(x, w1, -b1, w2, -b2), table)
        ),
        "right with -b1: a score is x w + b, so b is minus the threshold.": (
            same(network(x, w1, -b1, w2, b2), table)
        ),
        "right with -b2: a score is h w2 + b2, so b2 is minus the threshold.": (
            same(network(x, w1, b1, w2, -b2), table)
        ),
        "right with w1 turned around: column h of w1 belongs to hidden neuron h.": (
            w1.shape == (n, n) and same(network(x, w1.T, b1, w2, b2), table)
        ),
        "turned around: 0 where it should be 1 and 1 where it should be 0.": same(out, 1 - table),
    }
    sentences |= {sentence: same(out, other) for sentence, other in others.items()}
    for sentence, holds in sentences.items():
        expect(not holds, sentence)
    wrong = np.flatnonzero(out != table)
    bits = in_words(x[wrong[0]])
    raise_wrong(
        f"{what}the output is wrong for {len(wrong)} of {len(table)} inputs; for {bits} it is "
        f"{out[wrong[0]]:.0f}, by {len(b1)} hidden neurons."
    )


@check
def check_xor_network(fn, seed=0):
    """xor_network() -> (w1, b1, w2, b2): (2, H), (H,), (H, 1), (1,), weights set by hand.

    h = step(x w1 + b1) and step(h w2 + b2) is 1 where exactly one of the two bits is 1.
    """
    x = all_bits(2)
    ones = x.sum(axis=1)
    others = {
        "this is OR: it is 1 for (1, 1) too; a hidden neuron that notices (1, 1) can forbid it.": (
            ones >= 1
        ),
        "this is AND: it is 1 for (1, 1) only.": ones == 2,
        "this is NAND: it is 1 for (0, 0) too.": ones < 2,
        "this is NOR: it is 1 for (0, 0) only.": ones == 0,
        "it is 0 for all four inputs; the output neuron never gets over its threshold.": ones < 0,
        "it is 1 for all four inputs; what holds the output neuron back?": ones >= 0,
        "one of the two cases, (0, 1) and (1, 0), is missing.": (x[:, 0] == 1) & (x[:, 1] == 0),
        "one of the two cases, (0, 1) and (1, 0), is missing. ": (x[:, 0] == 0) & (x[:, 1] == 1),
        "the output follows the first bit alone.": x[:, 0] == 1,
        "the output follows the second bit alone.": x[:, 1] == 1,
    }
    network_is_right(call(fn), np.array([0.0, 1.0, 1.0, 0.0]), others)


@check
def check_boolean_network(fn, seed=0):
    """boolean_network(table): truth table (2^n,) of 0 and 1, row k for the bits of k, the most
    significant first -> (w1, b1, w2, b2): (n, H), (H,), (H, 1), (1,).

    h = step(x w1 + b1) and step(h w2 + b2) is what the table says, for every table.
    """
    rng = np.random.default_rng(seed)
    table_is_right(fn, np.array([0, 1, 0, 1, 1, 0, 0, 1]), "1 at the rows 1, 3, 4 and 7")
    table_is_right(fn, np.array([0, 1, 1, 0]), "the table of XOR")
    table_is_right(fn, np.array([0, 0, 0, 1]), "the table of AND")
    table_is_right(fn, np.array([0, 1]), "the table of one bit")
    table_is_right(fn, np.array([1, 0]), "the table of NOT")
    table_is_right(fn, np.zeros(8, dtype=int), "a table with no 1 at all")
    table_is_right(fn, np.ones(8, dtype=int), "a table of ones")
    for n in (2, 3, 4, 5):
        parity = all_bits(n).sum(axis=1).astype(int) % 2
        table_is_right(fn, parity, f"the parity of {n} bits")
        for _ in range(3):
            table_is_right(fn, rng.integers(0, 2, size=2**n), f"a random table of {n} bits")


def table_is_right(fn, table, what):
    """One table, and the tables that other readings of it give."""
    n = int(np.log2(len(table)))
    order = all_bits(n)[:, ::-1] @ 2.0 ** np.arange(n)[::-1]  # of the bits read backwards
    first = np.flatnonzero(table)[:1]
    rows = np.arange(len(table))
    or_, and_ = rows > 0, rows == len(table) - 1
    others = {
        "the bits are read backwards; the first input is the most significant.": (
            table[order.astype(int)]
        ),
        "never 1: the neuron of a row that should be 1 has to carry the output.": table < 0,
        "always 1: where no hidden neuron fires the output should be 0.": table >= 0,
        "only the first row with a 1 gives 1; does return stand inside the loop?": np.isin(
            rows, first
        ),
        "0 and 1 of the bits are exchanged: a weight is positive where the bit is 1.": table[::-1],
        "it is OR, whatever the table says.": or_,
        "it is AND, whatever the table says.": and_,
    }
    network_is_right(call(fn, table), table, others, f"{what}: ")


@check
def check_relu_approximation(fn, seed=0):
    """relu_approximation(targets, knots): (K,), (K,) ascending -> (w1, b1, w2, b2):
    (1, H), (H,), (H, 1), (1,).

    relu(x w1 + b1) w2 + b2 goes through all points (knot, target), straight in between, and stays
    constant left of the first knot.
    """
    rng = np.random.default_rng(seed)

    # uneven distances, so that slopes and differences are not the same
    knots = np.cumsum(rng.uniform(0.3, 1.5, size=6)) - 2
    targets = np.cumsum(rng.choice([-1, 1], size=6) * rng.uniform(0.3, 1, size=6)) + 2.5
    curve_is_right(fn, targets, knots, "random points")

    # slopes 2 and -1/2: 1 + 2 relu(x) - 2.5 relu(x - 1)
    knots, targets = np.array([0.0, 1.0, 3.0]), np.array([1.0, 3.0, 2.0])
    curve_is_right(fn, targets, knots, "the points (0, 1), (1, 3), (3, 2)")
    curve_is_right(
        fn, np.array([2.0, -1.0]), np.array([-1.0, 0.5]), "the points (-1, 2), (0.5, -1)"
    )
    curve_is_right(fn, np.full(4, 1.5), np.arange(4.0), "four points of equal height")
    for n in (2, 3, 30):
        knots = np.cumsum(rng.uniform(0.2, 1, size=n)) - n / 3
        curve_is_right(fn, rng.normal(size=n), knots, f"{n} random points")
    curve_is_right(fn, np.sin(np.linspace(0, 6, 200)), np.linspace(0, 6, 200), "200 of a sine")


def curve_is_right(fn, targets, knots, what):
    """The network's curve, left of the knots, at them and between them."""
    got = call(fn, targets, knots)
    w1, b1, w2, b2 = layers(got, 1)
    x = np.concatenate([knots[0] - [3.0, 1.0, 0.1], knots, knots[:-1] + np.diff(knots) * 0.3])

    def relus(x, knots, changes, start):
        return np.maximum(x[:, None] - knots, 0) @ changes + start

    curve = np.maximum(x[:, None] * w1[0] + b1, 0) @ w2 + b2
    want = np.interp(x, knots, targets)
    slopes = np.diff(targets) / np.diff(knots)
    changes = np.diff(slopes, prepend=0)
    steps = np.diff(np.diff(targets), prepend=0)
    starts = knots[:-1]
    line = targets[0] + slopes[0] * (x - knots[0])
    suspects = {
        "the slopes stand for w2; where a neuron sets in, the slopes of those before go on: "
        "w2 holds the changes of slope.": relus(x, starts, slopes, targets[0]),
        "b2 is missing: where all neurons are silent, the curve is at b2.": want - targets[0],
        "the biases have the wrong sign: relu(x + b) sets in at -b.": (
            relus(x, -starts, changes, targets[0])
        ),
        "a slope is the difference of targets divided by that of knots.": (
            relus(x, starts, steps, targets[0])
        ),
        "the differences of targets stand for w2; it holds the changes of slope.": (
            relus(x, starts, np.diff(targets), targets[0])
        ),
        "the targets themselves stand for w2; it holds the changes of slope.": (
            relus(x, starts, targets[:-1], targets[0])
        ),
        "the first slope is missing from w2; left of the first knot the slope is 0.": (
            relus(x, starts, changes * (np.arange(len(starts)) > 0), targets[0])
        ),
        "left of the first knot the curve goes on; it should be constant there.": (
            np.where(x < knots[0], line, want)
        ),
        "b2 is the last target; left of all knots the curve has the height of the first.": (
            want - targets[0] + targets[-1]
        ),
        "b2 has the wrong sign: where all neurons are silent, the curve is at b2.": (
            want - 2 * targets[0]
        ),
        "the neurons open to the left: w1 is positive where they set in to the right.": (
            np.maximum(starts - x[:, None], 0) @ changes + targets[0]
        ),
        "the slopes are of a mean distance of the knots; each piece has its own.": (
            relus(x, starts, steps / np.diff(knots).mean(), targets[0])
        ),
        "half of it: a relu has the slope 1 where it is active.": (want + targets[0]) / 2,
        "b2 is the mean of the targets; it is the height left of the first knot.": (
            want - targets[0] + targets.mean()
        ),
        "each neuron sets in one knot too late.": relus(x, knots[1:], changes, targets[0]),
        "knots and targets are exchanged; the targets come first.": (
            relus(x, targets[:-1], np.diff(1 / slopes, prepend=0), knots[0])
            if slopes.all()
            else want
        ),
        "the curve is mirrored, up and down: a slope is later minus earlier.": (
            2 * targets[0] - want
        ),
    }
    expect_array(curve, want, f"the curve through {what}", suspects, rtol=1e-6, atol=1e-7)


@check
def check_box_half_spaces(answer, seed=0):
    """A box in R^5: every one of the five coordinates has to lie in an interval of its own. A
    neuron is a half-space, and an AND makes the box of them. How many half-spaces does it take?
    Answer with a number.
    """
    expect_number(
        answer,
        right=2 * 5,
        wrong={
            "an interval has two ends, and each of them is a boundary.": 5,
            "those are the corners; a half-space belongs to a face.": 2**5,
            "those are the corners of a box in two or three dimensions.": 8,
            "that is a box in three dimensions, with its six faces.": 6,
            "the AND is a neuron too, but no half-space of the input space.": 11,
            "each coordinate is bounded on its own: the numbers add up, they do not multiply.": 25,
            "that is a box in two dimensions.": 4,
            "those are the edges; a half-space belongs to a face.": 80,
        },
        tolerance=0.01,
        what="the number of faces of the box",
    )


@check
def check_parity_units(answer, seed=0):
    """Parity asks whether an odd number of n bits are 1. How many hidden threshold neurons are
    enough for it, in one hidden layer?

    a) One: parity is a single threshold on the sum of the bits.
    b) n: neuron k fires where at least k bits are 1, and the output's weights alternate in sign.
    c) n - 1: one XOR after another.
    d) 2^(n-1): one for every row of the truth table with a 1; with fewer it cannot be done.
    """
    expect_choice(
        answer,
        right="b",
        wrong={
            "a": "along the sum of the bits, parity changes n times; a threshold changes once.",
            "c": "that counts XORs one after another, so many layers, and an XOR is no neuron.",
            "d": "so many do suffice, for any table; but parity depends on the sum alone.",
        },
    )


@check
def check_why_depth(answer, seed=0):
    """Two layers of threshold neurons compute every Boolean function. Why have more layers?

    a) There are Boolean functions that only deeper networks can compute.
    b) A deeper network has fewer weights, whatever the function is.
    c) Some functions need far fewer neurons where later layers build on what earlier ones found.
    d) Deeper networks are easier to train.
    """
    expect_choice(
        answer,
        right="c",
        wrong={
            "a": "read the first sentence again: one hidden layer is enough for all of them.",
            "b": "for most functions no depth helps; it does for those that are made of parts.",
            "d": "the gradient has a longer way back through them; unit 03 is about that.",
        },
    )
