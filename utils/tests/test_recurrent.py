import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import recurrent as gpu
from utils.reference import recurrent as reference
from utils.reference.gradient_check import numeric_gradient

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
CELLS = pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
KINDS = pytest.mark.parametrize("kind", ["rnn_step", "rnn", "lstm_step", "lstm", "gru_step", "gru"])
GATES = {"rnn": 1, "lstm": 4, "gru": 3}
PEERS = {"rnn": torch.nn.RNN, "lstm": torch.nn.LSTM, "gru": torch.nn.GRU}
SIZES = st.tuples(st.integers(0, 4), *[st.integers(1, 4)] * 3)  # B, T, D, H


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def problem(kind, sizes, seed=0):
    """The inputs of kind's forward, by name."""
    B, T, D, H = sizes
    cell, *step = kind.split("_")
    rng, K, zero = np.random.default_rng(seed), GATES[cell] * H, "" if step else "0"
    shapes = {"x": (B, D) if step else (B, T, D), f"h{zero}": (B, H)}
    shapes |= {f"c{zero}": (B, H)} if cell == "lstm" else {}
    shapes |= {"w_x": (D, K), "w_h": (H, K)}
    shapes |= {"b_x": (K,), "b_h": (K,)} if cell == "gru" else {"b": (K,)}
    return {name: rng.normal(size=shape) for name, shape in shapes.items()}


def outs(out):
    """A list, also of one."""
    return list(out) if isinstance(out, tuple) else [out]


def like(out, douts):
    """douts as backward wants them: a pair where out is one."""
    return tuple(douts) if isinstance(out, tuple) else douts[0]


def run(kind, inputs, seed=1):
    """out of the reference, dout drawn for it, and the gradients."""
    out, cache = getattr(reference, f"{kind}_forward")(**inputs)
    rng = np.random.default_rng(seed)
    douts = [rng.normal(size=o.shape).astype(o.dtype) for o in outs(out)]
    return outs(out), douts, getattr(reference, f"{kind}_backward")(like(out, douts), cache)


def by_torch(cell, inputs, douts):
    """Outputs and gradients of torch.nn's module, its weights turned into ours."""
    x, *states, w_x, w_h, b = list(inputs.values())[: -1 if cell == "gru" else None]
    peer = PEERS[cell](x.shape[2], w_h.shape[0], batch_first=True).double()
    b_h = inputs["b_h"] if cell == "gru" else np.zeros_like(b)
    parameters = dict(zip(["w_x", "w_h", "b", "b_h"], peer.parameters(), strict=True))
    with torch.no_grad():
        for parameter, ours in zip(peer.parameters(), [w_x.T, w_h.T, b, b_h], strict=True):
            parameter.copy_(torch.tensor(ours))
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, *states)]
    first = [leaf[None] for leaf in leaves[1:]]
    out, last = peer(leaves[0], tuple(first) if cell == "lstm" else first[0])
    results = [out, last[1][0]] if cell == "lstm" else [out]
    torch.autograd.backward(results, [torch.tensor(d) for d in douts])
    gradients = [leaf.grad for leaf in leaves] + [parameters[n].grad.T for n in ("w_x", "w_h")]
    gradients += [parameters[n].grad for n in (("b", "b_h") if cell == "gru" else ("b",))]
    return [r.detach() for r in results], gradients


@CELLS
@given(SIZES.filter(lambda sizes: sizes[0]), st.integers(0, 99))
def test_sequences_and_their_gradients_are_those_of_torchs_modules(cell, sizes, seed):
    inputs = problem(cell, sizes, seed)
    out, douts, gradients = run(cell, inputs)
    want, want_gradients = by_torch(cell, inputs, douts)
    for got, peer in zip(out, want, strict=True):
        assert_allclose(got, peer, rtol=1e-10, atol=1e-12)
    for got, peer in zip(gradients, want_gradients, strict=True):
        assert_allclose(got, peer, rtol=1e-10, atol=1e-12)


@CELLS
def test_a_step_is_that_of_torchs_cell(cell):
    inputs = problem(f"{cell}_step", (3, 1, 4, 5))
    peer = {"rnn": torch.nn.RNNCell, "lstm": torch.nn.LSTMCell, "gru": torch.nn.GRUCell}[cell]
    peer = peer(4, 5).double()
    b, b_h = (inputs.get("b_x", inputs.get("b")), inputs.get("b_h"))
    ours = [inputs["w_x"].T, inputs["w_h"].T, b, np.zeros_like(b) if b_h is None else b_h]
    with torch.no_grad():
        for parameter, a in zip(peer.parameters(), ours, strict=True):
            parameter.copy_(torch.tensor(a))
        states = [torch.tensor(inputs[name]) for name in ("h", "c") if name in inputs]
        want = peer(torch.tensor(inputs["x"]), tuple(states) if cell == "lstm" else states[0])
    out, _, _ = run(f"{cell}_step", inputs)
    for got, one in zip(out, outs(want), strict=True):
        assert_allclose(got, one, rtol=1e-10, atol=1e-12)


@CELLS
def test_a_sequence_is_its_steps_and_backward_theirs_in_reverse(cell):
    inputs = problem(cell, (3, 5, 2, 4))
    out, douts, gradients = run(cell, inputs)
    x, *rest = inputs.values()
    n_states = 2 if cell == "lstm" else 1
    states, weights = rest[:n_states], rest[n_states:]
    forward = getattr(reference, f"{cell}_step_forward")
    backward = getattr(reference, f"{cell}_step_backward")
    caches = []
    for t in range(5):
        step, cache = forward(x[:, t], *states, *weights)
        states = outs(step)
        caches.append(cache)
        assert_allclose(states[0], out[0][:, t], rtol=1e-12, atol=1e-14)
    if cell == "lstm":
        assert_allclose(states[1], out[1], rtol=1e-12, atol=1e-14)

    dx, dstates = np.empty_like(x), [np.zeros((3, 4)), *douts[1:]]
    dweights = [np.zeros_like(w) for w in weights]
    for t in reversed(range(5)):
        dstates[0] = dstates[0] + douts[0][:, t]
        dx[:, t], *rest = backward(like(step, dstates), caches[t])
        dstates = rest[:n_states]
        dweights = [a + b for a, b in zip(dweights, rest[n_states:], strict=True)]
    for got, want in zip(gradients, [dx, *dstates, *dweights], strict=True):
        assert_allclose(got, want, rtol=1e-11, atol=1e-13)


@KINDS
def test_gradients_by_finite_differences(kind):
    inputs = problem(kind, (2, 3, 3, 2))
    forward = getattr(reference, f"{kind}_forward")
    _, douts, gradients = run(kind, inputs)

    def loss(name, value):
        out, _ = forward(**(inputs | {name: value}))
        return sum((o * d).sum() for o, d in zip(outs(out), douts, strict=True))

    for (name, value), got in zip(inputs.items(), gradients, strict=True):
        want = numeric_gradient(lambda a, name=name: loss(name, a), value)
        assert_allclose(got, want, rtol=1e-7, atol=1e-8, err_msg=name)


@KINDS
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 2e-5)])
def test_twins_agree(tensor, monkeypatch, kind, dtype, tol):
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)  # 10 bits would not do
    inputs = {name: a.astype(dtype) for name, a in problem(kind, (4, 6, 3, 5)).items()}
    out, douts, gradients = run(kind, inputs)
    leaves = {name: tensor(a).requires_grad_() for name, a in inputs.items()}
    twin = outs(getattr(gpu, f"{kind}_forward")(**leaves))
    torch.autograd.backward(twin, [tensor(d) for d in douts])
    for got, want in zip(twin, out, strict=True):
        assert str(got.dtype) == f"torch.{dtype}" == f"torch.{want.dtype}"
        assert_allclose(got.detach().cpu(), want, rtol=tol, atol=tol)
    for leaf, want in zip(leaves.values(), gradients, strict=True):
        assert want.dtype == dtype
        assert_allclose(leaf.grad.cpu(), want, rtol=10 * tol, atol=10 * tol)


@BOTH
def test_by_hand(twins, tree):
    module, to = twins[tree]

    def call(name, *arrays):
        out = getattr(module, f"{name}_forward")(*(to(np.array(a, float)) for a in arrays))
        return outs(out[0] if tree == "reference" else out)

    half, ln3 = np.arctanh(0.5), np.log(3)  # tanh(half) = 1/2, sigmoid(ln3) = 3/4
    assert_allclose(call("rnn_step", [[1]], [[2]], [[half]], [[0]], [0])[0].tolist(), [[0.5]])
    # x opens i to 3/4, f to 1/4, g is 1/2, o 3/4: c = 2/4 + 3/8
    w_x = [[ln3, -ln3, half, ln3]]
    h, c = call("lstm_step", [[1]], [[0]], [[2]], w_x, [[0, 0, 0, 0]], [0, 0, 0, 0])
    assert_allclose(c.tolist(), [[0.875]], rtol=1e-14)
    assert_allclose(h.tolist(), [[0.75 * np.tanh(0.875)]], rtol=1e-14)
    # r = 3/4, u = 1/4, the bias b_h is reset too: n = tanh(3/4 (4/3 half)) = 1/2
    out = call(
        "gru_step", [[1]], [[8]], [[ln3, -ln3, 0]], [[0, 0, 0]], [0, 0, 0], [0, 0, half / 0.75]
    )
    assert_allclose(out[0].tolist(), [[0.75 * 0.5 + 0.25 * 8]], rtol=1e-14)


@BOTH
def test_an_open_forget_gate_keeps_the_cells_for_ever(twins, tree):
    module, to = twins[tree]
    w_x, w_h = to(np.zeros((1, 4))), to(np.zeros((1, 4)))
    b = to(np.array([-800.0, 800.0, 1.0, 0.0]))  # input shut, forget open
    state = to(np.array([[0.3]]))
    out = module.lstm_forward(to(np.ones((1, 1000, 1))), state, state, w_x, w_h, b)
    (_, c) = out[0] if tree == "reference" else out
    assert c.tolist() == [[0.3]]
    if tree == "reference":
        (h, c), cache = out
        *_, dc0, _, _, _ = module.lstm_backward((np.zeros_like(h), np.ones_like(c)), cache)
        assert dc0.tolist() == [[1]]  # it has not vanished in 1000 steps


def test_parameters_of_32_cells_for_14_features(rng):
    weights = [rng.normal(size=shape) for shape in [(14, 4 * 32), (32, 4 * 32), (4 * 32,)]]
    (h, _), _ = reference.lstm_forward(np.zeros((1, 2, 14)), *np.zeros((2, 1, 32)), *weights)
    assert h.shape == (1, 2, 32)
    assert sum(w.size for w in weights) == 6_016
    # torch has a second bias, which adds nothing
    assert sum(p.numel() for p in torch.nn.LSTM(14, 32).parameters()) == 6_016 + 128


@BOTH
@KINDS
def test_empty_batches(twins, tree, kind):
    module, to = twins[tree]
    inputs = problem(kind, (0, 3, 2, 4))
    out = getattr(module, f"{kind}_forward")(**{n: to(a) for n, a in inputs.items()})
    out = outs(out[0] if tree == "reference" else out)
    assert tuple(out[0].shape) == ((0, 4) if kind.endswith("step") else (0, 3, 4))
    assert [tuple(o.shape) for o in out[1:]] == [(0, 4)] * kind.startswith("lstm")
    if tree == "reference":
        _, _, gradients = run(kind, inputs)
        for a, got in zip(inputs.values(), gradients, strict=True):
            assert_array_equal(got, np.zeros(a.shape))


@BOTH
@KINDS
def test_nan_stays_in_its_sequence_and_later_steps(twins, tree, kind):
    module, to = twins[tree]
    inputs = problem(kind, (3, 4, 2, 2))
    x = inputs["x"]
    x[(1, 1) if kind.endswith("step") else (1, 2, 1)] = np.nan
    out = getattr(module, f"{kind}_forward")(**{n: to(a) for n, a in inputs.items()})
    spoiled = np.isnan(outs(out[0] if tree == "reference" else out)[0].tolist()).all(axis=-1)
    want = [False, True, False]
    if not kind.endswith("step"):
        want = [[False] * 4, [False, False, True, True], [False] * 4]
    assert spoiled.tolist() == want


@BOTH
@KINDS
def test_huge_inputs_saturate(twins, tree, kind):
    module, to = twins[tree]
    inputs = {n: 1e3 * a for n, a in problem(kind, (3, 4, 2, 2)).items()}
    with np.errstate(all="raise", under="ignore"):
        out = getattr(module, f"{kind}_forward")(**{n: to(a) for n, a in inputs.items()})
    for o in outs(out[0] if tree == "reference" else out):
        assert np.isfinite(o.tolist()).all()


@KINDS
def test_no_input_is_changed_and_views_are_welcome(kind):
    inputs = problem(kind, (3, 4, 2, 5))
    kept = {n: a.copy() for n, a in inputs.items()}
    out, douts, gradients = run(kind, inputs)
    for name, a in inputs.items():
        assert_array_equal(a, kept[name])
    views = {n: np.repeat(a, 2, axis=-1)[..., ::2] for n, a in inputs.items()}
    again, _, gradients_again = run(kind, views)
    for got, want in zip([*again, *gradients_again], [*out, *gradients], strict=True):
        assert_allclose(got, want, rtol=1e-12, atol=1e-14)
    before = [d.copy() for d in douts]
    returned, cache = getattr(reference, f"{kind}_forward")(**inputs)
    for o in outs(returned):
        o += 1  # the caller's own: the cache does not see it
    got = getattr(reference, f"{kind}_backward")(like(returned, douts), cache)
    for a, b in zip(got, gradients, strict=True):
        assert_array_equal(a, b)
    assert_array_equal(
        np.concatenate([d.ravel() for d in douts]), np.concatenate([d.ravel() for d in before])
    )


@KINDS
def test_whole_numbers_are_computed_in_float64(kind):
    inputs = {n: np.ones(a.shape, int) for n, a in problem(kind, (2, 3, 2, 2)).items()}
    out, _ = getattr(reference, f"{kind}_forward")(**inputs)
    want, _ = getattr(reference, f"{kind}_forward")(**{n: a * 1.0 for n, a in inputs.items()})
    for got, one in zip(outs(out), outs(want), strict=True):
        assert got.dtype == np.float64
        assert_array_equal(got, one)


@BOTH
@KINDS
def test_refuses(twins, tree, kind):
    module, to = twins[tree]
    inputs = problem(kind, (2, 3, 4, 5))
    K = inputs["w_h"].shape[1]
    x_shape = r"\(B, D\)" if kind.endswith("step") else r"\(B, T, D\)"
    bad = [
        ("x", (4,), rf"x must be {x_shape}, of which only B may be 0, got shape \(4,\)"),
        ("x", (2, 0) if kind.endswith("step") else (2, 0, 4), r"only B may be 0, got shape \(2, 0"),
        ("w_x", (3, K), rf"w_x must have shape \(4, {K}\), got \(3, {K}\)"),
        ("w_h", (5, K + 1), rf"w_h must be \(H, .*H\) .*, got shape \(5, {K + 1}\)"),
        ("w_h", (0, 0), r"H at least 1, got shape \(0, 0\)"),
    ]
    for name in inputs:
        if name[0] in "hc":
            bad.append((name, (2, 4), rf"{name} must have shape \(2, 5\), got \(2, 4\)"))
        if name[0] == "b":
            bad.append((name, (5, 1), rf"{name} must have shape \({K},\), got \(5, 1\)"))
    for name, shape, message in bad:
        arrays = inputs | {name: np.zeros(shape)}
        with pytest.raises(ValueError, match=message):
            getattr(module, f"{kind}_forward")(**{n: to(a) for n, a in arrays.items()})


@KINDS
def test_backward_refuses_another_shape(kind):
    out, cache = getattr(reference, f"{kind}_forward")(**problem(kind, (2, 3, 4, 5)))
    good = [np.ones(o.shape) for o in outs(out)]
    for k in range(len(good)):
        douts = list(good)
        douts[k] = np.ones(7)
        with pytest.raises(ValueError, match=r"dout must have the shape of out, .* got \(7,\)"):
            getattr(reference, f"{kind}_backward")(like(out, douts), cache)


def layers(cell, sizes, bidirectional):
    """x, and two layers' tuples: side by side, or one on the other."""
    B, T, D, H = sizes
    first, second = (
        problem(cell, (B, T, d, H), seed) for d, seed in [(D, 0), (D if bidirectional else H, 1)]
    )
    x, *first = first.values()
    _, *second = second.values()
    return x, tuple(first), tuple(second)


@CELLS
@pytest.mark.parametrize("bidirectional", [True, False])
@given(SIZES.filter(lambda sizes: sizes[0]))
def test_two_nets_are_those_of_torchs_module_and_of_the_twin(cell, bidirectional, sizes):
    x, first, second = layers(cell, sizes, bidirectional)
    name = "bidirectional" if bidirectional else "stacked"
    arguments = (x, first, second) if bidirectional else (x, [first, second])
    out, cache = getattr(reference, f"{name}_forward")(*arguments, cell)
    dout = np.random.default_rng(2).normal(size=out.shape)
    dx, *rest = getattr(reference, f"{name}_backward")(dout, cache)
    dfirst, dsecond = rest if bidirectional else rest[0]

    t = torch.tensor(x, requires_grad=True)
    nets = [tuple(torch.tensor(a, requires_grad=True) for a in net) for net in (first, second)]
    twin = getattr(gpu, f"{name}_forward")(t, *(nets if bidirectional else [nets]), cell)
    twin.backward(torch.tensor(dout))
    assert_allclose(twin.detach(), out, rtol=1e-10, atol=1e-12)
    assert_allclose(dx, t.grad, rtol=1e-9, atol=1e-12)
    for net, gradients in zip(nets, (dfirst, dsecond), strict=True):
        for leaf, got in zip(net, gradients, strict=True):
            assert_allclose(got, leaf.grad, rtol=1e-9, atol=1e-12)

    options = {"bidirectional": True} if bidirectional else {"num_layers": 2}
    peer = PEERS[cell](sizes[2], sizes[3], batch_first=True, **options).double()
    ours, states, n_states = [], [], 2 if cell == "lstm" else 1
    for net in (first, second):
        w_x, w_h, b, *b_h = net[n_states:]
        ours += [w_x.T, w_h.T, b, *(b_h or [np.zeros_like(b)])]
    with torch.no_grad():
        for parameter, a in zip(peer.parameters(), ours, strict=True):
            parameter.copy_(torch.tensor(a))
    states = [torch.tensor(np.stack([first[k], second[k]])) for k in range(n_states)]
    s = torch.tensor(x, requires_grad=True)
    want, _ = peer(s, tuple(states) if cell == "lstm" else states[0])
    want.backward(torch.tensor(dout))
    assert_allclose(out, want.detach(), rtol=1e-10, atol=1e-12)
    assert_allclose(dx, s.grad, rtol=1e-9, atol=1e-12)


@BOTH
def test_two_nets_refuse(twins, tree):
    module, to = twins[tree]
    x, first, second = layers("lstm", (2, 3, 4, 5), True)
    _, *other = problem("lstm", (2, 3, 4, 6)).values()
    x, first, second, other = to(x), *([to(a) for a in net] for net in (first, second, other))
    with pytest.raises(ValueError, match=r"cell must be one of .*, got 'lsmt'"):
        module.bidirectional_forward(x, first, second, "lsmt")
    with pytest.raises(ValueError, match="back must have the H of ahead, 5, got 6"):
        module.bidirectional_forward(x, first, other)
    with pytest.raises(ValueError, match="layers must be at least one, got none"):
        module.stacked_forward(x, [])
    with pytest.raises(ValueError, match=r"w_x must have shape \(5, 20\), got \(4, 20\)"):
        module.stacked_forward(x, [first, second])
    if tree == "reference":
        _, cache = module.bidirectional_forward(x, first, second)
        with pytest.raises(ValueError, match=r"shape of out, \(2, 3, 10\), got \(2, 3, 5\)"):
            module.bidirectional_backward(np.zeros((2, 3, 5)), cache)
