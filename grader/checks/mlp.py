"""Unit 02: layers and networks of them, forward and backward."""

from itertools import pairwise

import numpy as np

from grader.checking import (
    call,
    check,
    devices,
    expect,
    expect_array,
    expect_fast,
    expect_gradient,
    expect_none_of,
    expect_number,
    expect_parts,
    is_tensor,
    kind_of,
    plain,
    withholds,
)
from utils.reference import mlp as reference
from utils.reference.activations import softmax


@withholds("affine_backward")
@check
def check_affine_forward(fn, seed=0):
    """affine_forward(x, w, b): x (..., D), w (D, C), b (C,) -> (out, cache).

    out = x w + b (..., C), however many axes come first; cache = (x, w), for affine_backward.
    """
    rng = np.random.default_rng(seed)

    x, w, b = affine_case(rng, (4,), 3, 5)
    out, _ = expect_parts(call(fn, x, w, b), "(out, cache)")
    expect_none_of(plain(out, "out"), x @ w + b, other_affines(x, w, b))

    # (1 * 3 + 2 * 5 + 10, 1 * 4 + 2 * 6 + 20)
    x, w = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])
    b = np.array([10.0, 20.0])
    what = "out for x = (1, 2), w = ((3, 4), (5, 6)) and b = (10, 20)"
    affine_is_right(fn, x, w, b, np.array([[23.0, 36.0]]), what)

    for leading, d, c in [((4,), 3, 2), ((3,), 3, 3), ((1,), 4, 1), ((), 3, 2), ((2, 3), 4, 5)]:
        x, w, b = affine_case(rng, leading, d, c)
        what = f"out for x of shape {x.shape} and w of shape {w.shape}"
        affine_is_right(fn, x, w, b, x @ w + b, what)

    loops = "right, but slow: x @ w takes all examples at once."
    for n in (50, 4000):  # small first, to be short with the slowest
        x, w, b = affine_case(rng, (n,), 20, 20)
        expect_fast(fn, reference.affine_forward, (x, w, b), loops, seconds=0.02)


def affine_case(rng, leading, d, c):
    return rng.normal(size=(*leading, d)), rng.normal(size=(d, c)), rng.normal(size=c)


def affine_is_right(fn, x, w, b, want, what):
    """out and, as what comes back needs it, the cache."""
    out, cache = expect_parts(call(fn, x, w, b), "(out, cache)")
    expect_array(out, want, what, other_affines(x, w, b))
    pair = type(cache) in (tuple, list) and len(cache) == 2
    expect(pair, f"the cache should be the pair (x, w), but it is {kind_of(cache)}.")
    turned = {"the cache should be (x, w), and this is (w, x).": w}
    expect_array(cache[0], x, "x in the cache", turned)
    expect_array(cache[1], w, "w in the cache", {"w in the cache is turned around.": w.T})


def other_affines(x, w, b):
    others = {
        "b is missing.": x @ w,
        "b is subtracted; it is added.": x @ w - b,
        "b is added once for every input; it is added once to each sum.": (
            (x[..., None] * w + b).sum(axis=-2)
        ),
        "b is multiplied; it is added.": (x @ w) * b,
        "a relu is in it; that is a layer of its own.": np.maximum(x @ w + b, 0),
        "only the biases came out; where are x and w?": np.broadcast_to(b, (x @ w).shape),
        "this is (C, N); return a row for each example.": (x @ w + b).T,
    }
    if w.shape[0] == w.shape[1]:
        others["w is turned around: x w, column c of w belongs to output c."] = x @ w.T + b
    return others


@withholds("affine_forward")
@check
def check_affine_backward(fn, seed=0):
    """affine_backward(dout, cache): dout (..., C), cache = (x, w) -> (dx, dw, db).

    The gradients by x (..., D), w (D, C) and b (C,), when dout is that by x w + b.
    """
    rng = np.random.default_rng(seed)

    x, w, _ = affine_case(rng, (6,), 3, 4)
    dout = rng.normal(size=(6, 4))
    got = expect_parts(call(fn, dout, (x, w)), "(dx, dw, db)")
    want = dout @ w.T, x.T @ dout, dout.sum(axis=0)
    others = other_affine_gradients(dout, x, w)
    for part, right, name in zip(got, want, others, strict=True):
        expect_none_of(plain(part, name), right, others[name])

    # x = (1, 2), w = ((3, 4), (5, 6)), dout = (1, -1)
    x, w = np.array([[1.0, 2.0]]), np.array([[3.0, 4.0], [5.0, 6.0]])
    dout = np.array([[1.0, -1.0]])
    want = np.array([[-1.0, -1.0]]), np.array([[1.0, -1.0], [2.0, -2.0]]), np.array([1.0, -1.0])
    got = expect_parts(call(fn, dout, (x, w)), "(dx, dw, db)")
    for part, right, name in zip(got, want, ("dx", "dw", "db"), strict=True):
        expect_array(part, right, f"{name} for x = (1, 2) and dout = (1, -1)")

    for leading, d, c in [((4,), 3, 2), ((3,), 3, 3), ((1,), 4, 1), ((2, 3), 4, 5), ((), 3, 2)]:
        x, w, b = affine_case(rng, leading, d, c)
        dout = rng.normal(size=(*leading, c))
        got = expect_parts(call(fn, dout, (x, w)), "(dx, dw, db)")
        others = other_affine_gradients(dout, x, w)
        parts = {
            "dx": (x, lambda x, w=w, b=b, dout=dout: (dout * (x @ w + b)).sum()),
            "dw": (w, lambda w, x=x, b=b, dout=dout: (dout * (x @ w + b)).sum()),
            "db": (b, lambda b, x=x, w=w, dout=dout: (dout * (x @ w + b)).sum()),
        }
        for part, (name, (value, total)) in zip(got, parts.items(), strict=True):
            what = f"{name} for x of shape {x.shape} and w of shape {w.shape}"
            expect_gradient(part, total, value, what, others[name])

    loops = "right, but slow: x.T @ dout adds up all examples at once."
    for n in (50, 4000):
        x, w, _ = affine_case(rng, (n,), 20, 20)
        args = rng.normal(size=(n, 20)), (x, w)
        expect_fast(fn, reference.affine_backward, args, loops, seconds=0.02)


def other_affine_gradients(dout, x, w):
    """{part: {sentence: value}}"""
    d, c = w.shape
    rows, outs = x.reshape(-1, d), dout.reshape(-1, c)
    dx, dw, db = dout @ w.T, rows.T @ outs, outs.sum(axis=0)
    n = len(rows)
    others = {
        "dx": {
            "dx has the wrong sign.": -dx,
            "dx is divided by N; a loss that is a mean has that in dout already.": dx / n,
            "dx is dout itself; it goes back through w.": dout,
            "dw stands first; return dx, dw, db.": dw,
        },
        "dw": {
            "dw is turned around: it has the shape of w.": dw.T,
            "dw is divided by N; a loss that is a mean has that in dout already.": dw / n,
            "dw has the wrong sign.": -dw,
            "dw is that of the first example; every example adds its part.": (
                np.outer(rows[0], outs[0])
            ),
            "dw is that of the last example; every example adds its part.": (
                np.outer(rows[-1], outs[-1])
            ),
            "dw holds one matrix for each example; add them up.": rows[:, :, None] * outs[:, None],
            "dx stands second; return dx, dw, db.": dx,
        },
        "db": {
            "db is a mean; every example adds its part, and a mean has 1/N in dout already.": db
            / n,
            "db is dout itself; it has the shape of b: add up the examples.": dout,
            "db is that of the first example; every example adds its part.": outs[0],
            "db has the wrong sign.": -db,
            "db is summed over the outputs; b has one entry for each of them.": outs.sum(axis=1),
            "db is 1 for every output; the chain rule multiplies by dout.": np.ones(c),
            "db counts the examples; the chain rule multiplies by dout.": np.full(c, float(n)),
            "db still has the axis of the examples: its shape is that of b.": (
                outs.sum(axis=0, keepdims=True)
            ),
            "only the first of the leading axes is summed; there may be several.": (
                dout.sum(axis=0)
            ),
        },
    }
    if d == c:
        others["dx"]["w should be turned around on the way back: dout times w^T."] = dout @ w
    return others


@withholds("mlp_forward", "mlp_backward")
@check
def check_mlp_loss(fn, seed=0):
    """mlp_loss(x, y, parameters): x (N, D), y (N,) integers, parameters a list of (w, b)
    -> (loss, gradients), gradients a list of (dw, db) in the order of parameters.

    relu after every layer but the last, whose outputs are scores; mean softmax cross-entropy.
    """
    rng = np.random.default_rng(seed)

    # with two hidden layers every mistake leaves a trace of its own
    x, y, parameters = network_case(rng, (4, 6, 5, 3), 9)
    what = "a network with two hidden layers"
    network_is_right(fn, x, y, parameters, what, by_suspects=True, differences=False)

    # relu(2) = 2 and relu(-1) = 0: scores (2, 0) and the label 1, dscores = (p, -p)
    x, y = np.array([[1.0, 1.0]]), np.array([1])
    w1, w2 = np.array([[1.0, 0.0], [1.0, -1.0]]), np.eye(2)
    parameters = [(w1, np.zeros(2)), (w2, np.zeros(2))]
    p = 1 / (1 + np.exp(-2.0))
    loss, gradients = gradients_of(fn, x, y, parameters)
    expect_array(loss, -np.log(1 - p), "the loss of a network by hand, with the scores 2 and 0")
    by_hand = [
        (np.array([[p, 0.0], [p, 0.0]]), np.array([p, 0.0])),
        (np.array([[2 * p, -2 * p], [0.0, 0.0]]), np.array([p, -p])),
    ]
    for layer, (pair, right) in enumerate(zip(gradients, by_hand, strict=True), start=1):
        for part, want, name in zip(pair, right, ("dw", "db"), strict=True):
            expect_array(part, want, f"{name} of layer {layer} of a network by hand")

    cases = [
        ((3, 4, 2), 5),
        ((2, 3, 2, 2), 4),
        ((4, 3), 6),
        ((2, 5, 5, 4, 3), 7),
        ((4, 4, 4), 4),
        ((3, 6, 3), 1),
    ]
    for sizes, n in cases:
        x, y, parameters = network_case(rng, sizes, n)
        what = f"a network of widths {sizes} on {n} examples"
        few = sum(sizes) < 13  # differences take their time
        network_is_right(fn, x, y, parameters, what, differences=few)
    loops = "right, but slow: one forward and one backward pass give all the gradients."
    for sizes, n in [((5, 8, 3), 10), ((30, 40, 10), 300)]:
        args = network_case(rng, sizes, n, apart=0)
        expect_fast(fn, reference.mlp_loss, args, loops, seconds=0.02)

    x, y, parameters = network_case(rng, (3, 5, 4), 6)
    large = [(w * 100, b) for w, b in parameters]
    what = "a network with large weights (shift the scores before exp)"
    network_is_right(fn, x, y, large, what, differences=False)


def network_case(rng, sizes, n, apart=1e-3):
    """Inputs, labels and a network none of whose relus is `apart` or less from its kink."""
    y = rng.integers(0, sizes[-1], size=n)
    if n > 1:
        y[:2] = 0, 1
    while True:
        x = rng.normal(size=(n, sizes[0]))
        parameters = [
            (rng.normal(size=shape) / np.sqrt(shape[0]), 0.5 * rng.normal(size=shape[1]))
            for shape in pairwise(sizes)
        ]
        h, nearest = x, 1.0
        for w, b in parameters[:-1]:
            a = h @ w + b
            nearest, h = min(nearest, np.abs(a).min()), np.maximum(a, 0)
        if nearest > apart:
            return x, y, parameters


def gradients_of(fn, x, y, parameters):
    """(loss, gradients) of one call, with as many pairs as there are layers."""
    loss, gradients = expect_parts(call(fn, x, y, parameters), "(loss, gradients)")
    is_list = type(gradients) in (list, tuple)
    pairs = "gradients should be a list of pairs (dw, db), one for each layer"
    expect(is_list, f"{pairs}, but it is {kind_of(gradients)}.")
    count = len(parameters)
    flat = len(gradients) == 2 * count and count > 0
    expect(not flat, f"{pairs}; here dw and db stand in a row, not in pairs.")
    expect(len(gradients) == count, f"{pairs}: {count} layers, {len(gradients)} entries.")
    for pair in gradients:
        is_pair = type(pair) in (list, tuple) and len(pair) == 2
        expect(is_pair, f"{pairs}, but one of its entries is {kind_of(pair)}.")
    return loss, gradients


def network_is_right(fn, x, y, parameters, what, by_suspects=False, differences=True):
    """The loss, and every gradient, by the reference and by differences."""
    loss, gradients = gradients_of(fn, x, y, parameters)
    want, want_gradients = reference.mlp_loss(x, y, parameters)
    others = other_networks(x, y, parameters) if by_suspects else {}
    suspects = {sentence: value for sentence, (value, _) in others.items()}
    expect_array(loss, want, f"the loss of {what}", suspects | other_reductions(want, len(x)))
    if by_suspects:
        network_suspects(gradients, want_gradients, others)
    for layer, (pair, right) in enumerate(zip(gradients, want_gradients, strict=True)):
        for place, name in enumerate(("dw", "db")):
            label = f"{name} of layer {layer + 1} of {what}"
            turned = {f"{name} of layer {layer + 1} is turned around.": right[place].T}
            expect_array(pair[place], right[place], label, turned)
            if differences:

                def loss_of(value, layer=layer, place=place):
                    changed = [list(pair) for pair in parameters]
                    changed[layer][place] = value
                    return cost(x, y, changed)

                expect_gradient(pair[place], loss_of, parameters[layer][place], label)


def network_suspects(gradients, want, others):
    """Stop with the first mistake that explains a part of the gradients."""
    backward = want[::-1]
    names = ("dw", "db")
    got = [tuple(plain(part, names[i]) for i, part in enumerate(pair)) for pair in gradients]
    shapes = [part.shape for pair in got for part in pair]
    reversed_shapes = [part.shape for pair in backward for part in pair]
    order = "the gradients come from the last layer to the first; turn the list around."
    expect(len(want) == 1 or shapes != reversed_shapes or shapes == shapes_of(want), order)
    swapped = [part.shape for pair in want for part in pair[::-1]]
    expect(shapes != swapped, "the pairs are (db, dw); return (dw, db).")
    for sentence, (_, gradients_then) in others.items():
        # a mistake that explains all of the parts first, then one that explains a wrong one
        explained = all(
            np.shape(part) == np.shape(then) and np.allclose(part, then)
            for pair, pair_then in zip(got, gradients_then, strict=True)
            for part, then in zip(pair, pair_then, strict=True)
        )
        right = all(
            np.shape(part) == np.shape(then) and np.allclose(part, then)
            for pair, pair_then in zip(got, want, strict=True)
            for part, then in zip(pair, pair_then, strict=True)
        )
        expect(right or not explained, sentence)


def shapes_of(gradients):
    return [part.shape for pair in gradients for part in pair]


def cost(x, y, parameters):
    """The loss alone, written once more for the differences."""
    h = x
    for w, b in parameters[:-1]:
        h = np.maximum(h @ w + b, 0)
    w, b = parameters[-1]
    scores = h @ w + b
    top = scores.max(axis=1)
    log_sum = np.log(np.exp(scores - top[:, None]).sum(axis=1)) + top
    return (log_sum - scores[np.arange(len(x)), y]).mean()


def other_reductions(loss, n):
    return {
        "the loss is summed over the examples; take the mean.": loss * n,
        "the sign of the loss is turned around.": -loss,
        "this is exp of the loss, the perplexity.": np.exp(loss),
        "the loss has base 2, so these are bits; use the natural logarithm.": loss / np.log(2),
    }


def other_networks(x, y, parameters):
    """{sentence: (loss, gradients)} when one thing in the network is wrong."""
    n, target = len(x), np.eye(len(parameters[-1][1]))[y]
    last = len(parameters) - 1

    def run(
        act=lambda a: np.maximum(a, 0),
        slope=lambda a, h: a > 0,
        last_relu=False,
        dscores=lambda p: (p - target) / n,
        weight=lambda w: w.T,
        db=lambda da: da.sum(axis=0),
        dw=lambda h, da: h.T @ da,
        with_b=1,
        inner=None,
    ):
        inputs, sums, h = [], [], x
        for layer, (w, b) in enumerate(parameters):
            inputs.append(h)
            sums.append(h @ w + with_b * b)
            h = act(sums[-1]) if layer < last or last_relu else sums[-1]
        p = softmax(h)
        d = dscores(p)
        if inner:
            p = softmax(softmax(h))
            d = inner(softmax(h), p)
        gradients = []
        for layer in reversed(range(last + 1)):
            if layer < last or last_relu:
                d = d * slope(sums[layer], act(sums[layer]))
            gradients.insert(0, (dw(inputs[layer], d), db(d)))
            d = d @ weight(parameters[layer][0])
        return -np.log(p[np.arange(n), y]).mean(), gradients

    def twice(p, q):
        dp = (q - target) / n
        return p * (dp - (dp * p).sum(axis=1, keepdims=True))

    others = {
        "the relu is missing on the way forward and back: the layers are one linear map.": (
            run(lambda a: a, lambda a, h: 1)
        ),
        "a relu follows the last layer too; its outputs are the scores.": run(last_relu=True),
        "on the way back the relu is forgotten: nothing comes through where a <= 0.": (
            run(slope=lambda a, h: 1)
        ),
        "the activation is a sigmoid; it should be a relu.": (
            run(lambda a: 1 / (1 + np.exp(-a)), lambda a, h: h * (1 - h))
        ),
        "the activation is tanh; it should be a relu.": run(np.tanh, lambda a, h: 1 - h**2),
        "the biases are forgotten: each layer is h w + b.": run(with_b=0),
        "the activation is a leaky relu; below 0 a relu is 0.": (
            run(lambda a: np.where(a > 0, a, 0.01 * a), lambda a, h: np.where(a > 0, 1, 0.01))
        ),
        "on the way back the gradient is multiplied by a; multiply by the slope, 0 or 1.": (
            run(slope=lambda a, h: a)
        ),
        "the gradient starts with that by p; the chain goes on through the softmax.": (
            run(dscores=lambda p: -target / p / n)
        ),
        "db is 0; every bias has a gradient.": run(db=lambda da: 0 * da.sum(axis=0)),
        "on the way back the gradient is multiplied by relu(a); multiply by its slope, 0 or 1.": (
            run(slope=lambda a, h: h)
        ),
        "the relu's slope is turned around: it is 1 where a > 0.": run(slope=lambda a, h: a <= 0),
        "the gradients are not divided by N, as the loss is.": run(dscores=lambda p: p - target),
        "the gradients are those of the sum divided twice by N.": (
            run(dscores=lambda p: (p - target) / n**2)
        ),
        "the gradients have the wrong sign.": run(dscores=lambda p: (target - p) / n),
        "the gradient by the scores is p - onehot(y); the labels are forgotten.": (
            run(dscores=lambda p: p / n)
        ),
        "db is a mean over the examples; add up, 1/N is in dscores already.": (
            run(db=lambda da: da.mean(axis=0))
        ),
        "dw is divided by N once more; 1/N is in dscores already.": (
            run(dw=lambda h, da: h.T @ da / n)
        ),
        "dw and db are divided by N once more; 1/N is in dscores already.": (
            run(dw=lambda h, da: h.T @ da / n, db=lambda da: da.mean(axis=0))
        ),
        "softmax is applied twice.": run(inner=twice),
    }
    right = reference.mlp_loss(x, y, parameters)[1]
    others["the first layer has no gradient; go on to the inputs."] = (
        0.0,
        [(0 * right[0][0], 0 * right[0][1]), *right[1:]],
    )
    first = [(np.zeros_like(dw), np.zeros_like(db)) for dw, db in right[:-1]] + right[-1:]
    others["only the last layer has a gradient; go on to the first."] = (0.0, first)
    doubled = [(2 * dw, 2 * db) for dw, db in right]
    others["the gradients are twice what they should be."] = (0.0, doubled)
    regularized = [(dw + w, db) for (dw, db), (w, _) in zip(right, parameters, strict=True)]
    others["a penalty on the weights is in the gradient; none was asked for."] = (0.0, regularized)
    return others


@withholds("mlp_loss", "mlp_forward", "mlp_backward")
@check
def check_mlp_gradients_torch(fn, seed=0):
    """mlp_gradients_torch(x, y, parameters): as mlp_loss, but by autograd: tensors in and out,
    gradients with the shape, dtype and device of the parameters; these stay as they are.
    """
    import torch

    rng = np.random.default_rng(seed)
    x, y, parameters = network_case(rng, (4, 6, 5, 3), 9)
    torch_network_is_right(fn, x, y, parameters, "a network with two hidden layers", others=True)

    for device in devices():
        for dtype in (torch.float64, torch.float32):
            for sizes, n in [((3, 4, 2), 5), ((4, 3), 6), ((2, 5, 5, 4, 3), 7), ((3, 6, 3), 1)]:
                x, y, parameters = network_case(rng, sizes, n)
                what = f"a network of widths {sizes} on {n} examples"
                torch_network_is_right(fn, x, y, parameters, what, dtype, device)


def torch_network_is_right(fn, x, y, parameters, what, dtype=None, device="cpu", others=False):
    """One call, compared with the hand-written gradients of the reference."""
    import torch

    want, want_gradients = reference.mlp_loss(x, y, parameters)
    suspects = other_networks(x, y, parameters) if others else {}
    numbers = x, y, parameters
    x, y = torch.tensor(x, dtype=dtype, device=device), torch.tensor(y, device=device)
    parameters = [
        tuple(torch.tensor(part, dtype=dtype, device=device) for part in pair)
        for pair in parameters
    ]
    loss, gradients = gradients_of(fn, x, y, parameters)
    loose = {"rtol": 1e-4, "atol": 1e-5} if dtype == torch.float32 else {}
    if is_tensor(loss):
        loss = plain(loss, "the loss", x).astype(float)
        loss = loss.item() if loss.shape == () else loss
    losses = {sentence: value for sentence, (value, _) in suspects.items()}
    losses |= other_reductions(want, len(x))
    if others:
        losses |= other_torch_losses(*numbers)
    expect_array(loss, want, f"the loss of {what}", losses, **loose)
    for layer, pair in enumerate(gradients, start=1):
        for part, name in zip(pair, ("dw", "db"), strict=True):
            missing = f"{name} of layer {layer} is None: autograd was not told to follow it."
            expect(part is not None, missing)
            expect(
                is_tensor(part),
                f"{name} of layer {layer} should be a torch tensor, but it is {kind_of(part)}.",
            )
            expect(
                not part.requires_grad,
                f"{name} of layer {layer} requires a gradient itself; is it the parameter?",
            )
    if others:
        arrays = [tuple(plain(part, "a gradient", x) for part in pair) for pair in gradients]
        network_suspects(arrays, want_gradients, suspects)
    for layer, (pair, right) in enumerate(zip(gradients, want_gradients, strict=True), start=1):
        for part, value, name in zip(pair, right, ("dw", "db"), strict=True):
            target = torch.tensor(value, dtype=x.dtype, device=device)
            expect_array(part, target, f"{name} of layer {layer} of {what}", **loose)


def other_torch_losses(x, y, parameters):
    """What the other losses of torch say of the scores."""
    scores, _ = reference.mlp_forward(x, parameters)
    p, right = softmax(scores), (np.arange(len(y)), y)
    return {
        "nll_loss takes log-probabilities, not scores; or use cross_entropy.": (
            -scores[right].mean()
        ),
        "nll_loss takes log-probabilities, not probabilities; or use cross_entropy.": (
            -p[right].mean()
        ),
        "these are squared differences to the one-hot labels; take the cross-entropy.": (
            ((scores - np.eye(p.shape[1])[y]) ** 2).mean()
        ),
        "this is one loss for each example; take the mean.": -np.log(p[right]),
    }


@check
def check_mlp_parameters(answer, seed=0):
    """A multilayer perceptron has 3 inputs, two hidden layers of 4 neurons each, and 1 output;
    all layers are fully connected and every neuron has a bias. How many numbers does it learn?
    Answer with a number.
    """
    sizes = (3, 4, 4, 1)
    weights = sum(a * b for a, b in pairwise(sizes))
    expect_number(
        answer,
        right=weights + sum(sizes[1:]),
        wrong={
            "those are the weights; the biases are learned too.": weights,
            "those are the biases, one for each neuron; the weights are learned too.": (
                sum(sizes[1:])
            ),
            "the bias of the output neuron is missing.": weights + 8,
            "the inputs are no neurons: they have no bias.": weights + sum(sizes),
            "those are the inputs and the neurons; count the connections and the biases.": (
                sum(sizes)
            ),
            "one bias for each layer was counted; every neuron has its own.": weights + 3,
            "the connections between the two hidden layers are missing.": weights - 16 + 9,
            "the numbers of all layers were multiplied; layer by layer, then add.": (
                int(np.prod(sizes))
            ),
            "one hidden layer was counted; there are two.": 3 * 4 + 4 + 4 + 1,
        },
        tolerance=0.01,
        what="the weights of all connections and a bias for each neuron",
    )
