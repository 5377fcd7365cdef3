import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.special import softmax

from utils.gpu import attention as gpu
from utils.reference import attention as reference
from utils.reference.gradient_check import numeric_gradient

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
MASKS = ["none", "causal", "bool", "float", "bool causal", "float causal"]
SIDES = st.integers(1, 5)


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def out_of(result):
    """What a layer returns, without the reference's cache."""
    return result[0] if isinstance(result, tuple) else result


def array(result):
    """An array of what either tree returns."""
    result = out_of(result)
    return result.detach().cpu().numpy() if isinstance(result, torch.Tensor) else result


def a_mask(kind, shape, rng):
    """A mask and causal; some rows of either mask may look nowhere."""
    if kind.startswith("bool"):
        return rng.random(shape) < 0.6, "causal" in kind
    if kind.startswith("float"):
        return np.where(rng.random(shape) < 0.6, rng.normal(size=shape), -np.inf), "causal" in kind
    return None, kind == "causal"


def torch_mask(mask, causal, shape):
    """The mask and causal as one float mask for torch."""
    whole = torch.zeros(shape, dtype=torch.float64)
    if causal:
        whole.masked_fill_(~torch.ones(shape, dtype=torch.bool).tril(), -torch.inf)
    if mask is None:
        return whole
    if mask.dtype == bool:
        return whole.masked_fill(~torch.tensor(mask), -torch.inf)
    return whole + torch.tensor(mask)


def autograd(function, inputs, dout):
    """The value of function(*inputs) and its gradients along dout, by torch."""
    leaves = [torch.tensor(a, requires_grad=True) for a in inputs]
    out = function(*leaves)
    out.backward(torch.tensor(dout))
    return out.detach(), [leaf.grad for leaf in leaves]


def dot_problem(rng, leading=(2, 3), T=4, S=5, d=3, e=2):
    """queries, keys, values."""
    return [rng.normal(size=(*leading, *shape)) for shape in [(T, d), (S, d), (S, e)]]


def multi_head_problem(rng, B=2, T=4, S=5, sides=(3, 4, 5), E=6, D_out=7):
    """queries, keys, values, w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o."""
    D, D_k, D_v = sides
    shapes = [(B, T, D), (B, S, D_k), (B, S, D_v), (D, E), (D_k, E), (D_v, E), (E, D_out)]
    return [rng.normal(size=shape) for shape in [*shapes, (E,), (E,), (E,), (D_out,)]]


def additive_problem(rng, leading=(2,), T=4, S=5, D=3, E=2, H=6):
    """queries, keys, w_q, w_k, v."""
    shapes = [(*leading, T, D), (*leading, S, E), (D, H), (E, H), (H,)]
    return [rng.normal(size=shape) for shape in shapes]


def require_torchs(leading, T, S, d, e, kind, seed):
    rng = np.random.default_rng(seed)
    S = T if "causal" in kind else S
    arrays = dot_problem(rng, leading, T, S, d, e)
    mask, causal = a_mask(kind, (*leading, T, S), rng)
    whole = torch_mask(mask, causal, (*leading, T, S))
    out, cache = reference.attention_forward(*arrays, mask, causal)
    dout = rng.normal(size=out.shape)
    want, gradients = autograd(
        lambda q, k, v: F.scaled_dot_product_attention(q, k, v, whole), arrays, dout
    )
    assert_allclose(out, want, rtol=1e-10, atol=1e-10)
    for got, grad in zip(reference.attention_backward(dout, cache), gradients, strict=True):
        assert_allclose(got, grad, rtol=1e-9, atol=1e-9)


@given(st.lists(SIDES, max_size=2), SIDES, SIDES, SIDES, SIDES, st.sampled_from(MASKS), SIDES)
def test_attention_and_its_gradients_are_torchs(leading, T, S, d, e, kind, seed):
    require_torchs(leading, T, S, d, e, kind, seed)


@pytest.mark.parametrize("kind", MASKS)
def test_attention_in_many_pieces(kind):
    """Several heads and several blocks of queries, the last of each not full."""
    require_torchs((7,), 150, 150, 3, 2, kind, seed=0)
    if "causal" not in kind:
        require_torchs((2,), 70, 1500, 3, 2, kind, seed=0)


def test_causal_attention_does_not_look_at_what_lies_far_ahead(rng):
    arrays = dot_problem(rng, (1,), 150, 150, 3, 2)
    out = reference.attention_forward(*arrays, causal=True)[0]
    for a in arrays:
        a[:, 140:] = np.nan
    assert_array_equal(reference.attention_forward(*arrays, causal=True)[0][:, :100], out[:, :100])


@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("n_heads", [1, 2, 6])
@pytest.mark.parametrize("masked", [False, True])
def test_multi_head_attention_and_its_gradients_are_torchs_module(n_heads, causal, masked, rng):
    T, S = (4, 4) if causal else (4, 5)
    peer = torch.nn.MultiheadAttention(
        6, n_heads, kdim=4, vdim=5, batch_first=True, dtype=torch.float64
    )
    x = [rng.normal(size=shape) for shape in [(2, T, 6), (2, S, 4), (2, S, 5)]]
    w_q, w_k, w_v, w_o = (rng.normal(size=shape) for shape in [(6, 6), (4, 6), (5, 6), (6, 6)])
    b_q, b_k, b_v, b_o = rng.normal(size=(4, 6))
    with torch.no_grad():
        for parameter, w in [
            (peer.q_proj_weight, w_q.T),
            (peer.k_proj_weight, w_k.T),
            (peer.v_proj_weight, w_v.T),
            (peer.out_proj.weight, w_o.T),
            (peer.in_proj_bias, np.concatenate([b_q, b_k, b_v])),
            (peer.out_proj.bias, b_o),
        ]:
            parameter.copy_(torch.tensor(w))
    mask = None
    if masked:
        mask = rng.random((2, n_heads, T, S)) < 0.6
        mask[..., 0] = True  # torch's module gives nan where nothing may be looked at
    hidden = torch_mask(mask, causal, (2, n_heads, T, S)) == -torch.inf
    dout = rng.normal(size=(2, T, 6))
    want, (dq, dk, dv) = autograd(
        lambda q, k, v: peer(q, k, v, attn_mask=hidden.flatten(0, 1))[0], x, dout
    )
    out, cache = reference.multi_head_attention_forward(
        *x, w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o, n_heads, mask, causal
    )
    gradients = reference.multi_head_attention_backward(dout, cache)
    assert_allclose(out, want, rtol=1e-10, atol=1e-10)
    db_q, db_k, db_v = peer.in_proj_bias.grad.split(6)
    weights = peer.q_proj_weight, peer.k_proj_weight, peer.v_proj_weight, peer.out_proj.weight
    expected = dq, dk, dv, *(w.grad.T for w in weights), db_q, db_k, db_v, peer.out_proj.bias.grad
    for got, grad in zip(gradients, expected, strict=True):
        assert_allclose(got, grad, rtol=1e-9, atol=1e-9)


@given(SIDES, SIDES, SIDES, SIDES, SIDES, st.sampled_from(["none", "bool", "float"]), SIDES)
def test_additive_attention_and_its_gradients_by_autograd(T, S, D, E, H, kind, seed):
    rng = np.random.default_rng(seed)
    arrays = additive_problem(rng, (2,), T, S, D, E, H)
    mask, _ = a_mask(kind, (2, T, S), rng)
    whole = torch_mask(mask, False, (2, T, S))

    def peer(queries, keys, w_q, w_k, v):
        rows = []
        for i in range(T):  # Bahdanau's loop, a word of the target at a time
            scores = torch.tanh(queries[:, i : i + 1] @ w_q + keys @ w_k) @ v + whole[:, i]
            p = torch.zeros(2, S, dtype=torch.float64)
            for b in range(2):
                if (whole[b, i] > -torch.inf).any():
                    p[b] = torch.softmax(scores[b], dim=0)
            rows.append(torch.einsum("bs,bse->be", p, keys))
        return torch.stack(rows, dim=1) + 0 * (w_q.sum() + w_k.sum() + v.sum() + queries.sum())

    out, cache = reference.additive_attention_forward(*arrays, mask)
    dout = rng.normal(size=out.shape)
    want, gradients = autograd(peer, arrays, dout)
    assert_allclose(out, want, rtol=1e-10, atol=1e-10)
    backward = reference.additive_attention_backward(dout, cache)
    for got, grad in zip(backward, gradients, strict=True):
        assert_allclose(got, grad, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("kind", ["dot", "multi-head", "additive"])
@pytest.mark.parametrize("masked", [False, True])
def test_gradients_by_finite_differences(kind, masked, rng):
    mask = rng.random((4, 5)) < 0.6 if masked else None
    if masked:
        mask[1] = False
    problem, forward, backward, options = {
        "dot": (dot_problem, reference.attention_forward, reference.attention_backward, ()),
        "multi-head": (
            multi_head_problem,
            reference.multi_head_attention_forward,
            reference.multi_head_attention_backward,
            (2,),
        ),
        "additive": (
            additive_problem,
            reference.additive_attention_forward,
            reference.additive_attention_backward,
            (),
        ),
    }[kind]
    arrays = problem(rng)
    out, cache = forward(*arrays, *options, mask)
    dout = rng.normal(size=out.shape)
    for i, got in enumerate(backward(dout, cache)):

        def loss(a, i=i):
            return (forward(*arrays[:i], a, *arrays[i + 1 :], *options, mask)[0] * dout).sum()

        assert_allclose(got, numeric_gradient(loss, arrays[i]), rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("kind", MASKS)
def test_twins_agree(tensor, kind, dtype, tol, rng):
    S = 4 if "causal" in kind else 5
    mask, causal = a_mask(kind, (4, S), rng)
    if mask is not None:
        mask = mask.astype(dtype if mask.dtype == float else bool)
        mask[2] = False if mask.dtype == bool else -np.inf
    there = None if mask is None else tensor(mask)
    cases = [
        ("attention", dot_problem(rng, S=S), {"causal": causal}),
        ("multi_head_attention", multi_head_problem(rng, S=S), {"n_heads": 2, "causal": causal}),
    ]
    if not causal:
        cases.append(("additive_attention", additive_problem(rng, S=S), {}))
    for name, arrays, options in cases:
        arrays = [a.astype(dtype) for a in arrays]
        leaves = [tensor(a).requires_grad_() for a in arrays]
        out, cache = getattr(reference, f"{name}_forward")(*arrays, mask=mask, **options)
        twin = getattr(gpu, f"{name}_forward")(*leaves, mask=there, **options)
        dout = rng.normal(size=out.shape).astype(dtype)
        twin.backward(tensor(dout))
        assert str(twin.dtype) == f"torch.{dtype}" == f"torch.{out.dtype}"
        assert_allclose(array(twin), out, rtol=tol, atol=10 * tol)
        gradients = getattr(reference, f"{name}_backward")(dout, cache)
        for leaf, got in zip(leaves, gradients, strict=True):
            assert got.dtype == dtype
            assert_allclose(leaf.grad.cpu(), got, rtol=10 * tol, atol=20 * tol)


@BOTH
@pytest.mark.parametrize("kind", MASKS)
def test_the_weights_are_those_of_the_forward(twins, tree, kind, rng):
    module, to = twins[tree]
    S = 4 if "causal" in kind else 5
    mask, causal = a_mask(kind, (4, S), rng)
    if mask is not None:
        mask[1] = False if mask.dtype == bool else -np.inf
    here = None if mask is None else to(mask)
    queries, keys, values = map(to, dot_problem(rng, S=S))
    p = array(module.attention_weights(queries, keys, here, causal))
    out = module.attention_forward(queries, keys, values, here, causal)
    assert_allclose(p @ array(values), array(out), rtol=1e-10, atol=1e-12)
    may = array(torch_mask(mask, causal, (4, S))) > -np.inf
    assert (p[..., ~may] == 0).all()
    assert_allclose(p.sum(axis=-1), np.broadcast_to(may.any(axis=-1), p.shape[:-1]), rtol=1e-12)
    if not causal:
        arrays = list(map(to, additive_problem(rng, S=S)))
        p = array(module.additive_attention_weights(*arrays, here))
        out = array(module.additive_attention_forward(*arrays, here))
        assert_allclose(p @ array(arrays[1]), out, rtol=1e-10, atol=1e-12)
        assert (p[..., ~may] == 0).all()
        sums = np.broadcast_to(may.any(axis=-1), p.shape[:-1])
        assert_allclose(p.sum(axis=-1), sums, rtol=1e-12)


@BOTH
def test_by_hand(twins, tree):
    module, to = twins[tree]
    # d = 4: scores 2 log 3 / sqrt(4) = log 3 and 0, so weights 3/4 and 1/4
    queries = to(np.array([[2 * np.log(3), 0.0, 0.0, 0.0]]))
    keys, values = to(np.eye(4)[:2]), to(np.array([[4.0, 0.0], [0.0, 8.0]]))
    assert_allclose(array(module.attention_weights(queries, keys)), [[0.75, 0.25]], rtol=1e-12)
    assert_allclose(array(module.attention_forward(queries, keys, values)), [[3, 2]], rtol=1e-12)
    away = to(np.array([[-np.log(3), 0.0]]))  # takes the log 3 back
    assert_allclose(array(module.attention_forward(queries, keys, values, away)), [[2, 4]])
    # equal keys: the mean of what may be seen
    values = np.arange(6.0).reshape(3, 2)
    zeros = to(np.zeros((3, 2)))
    out = array(module.attention_forward(zeros, zeros, to(values), causal=True))
    assert_allclose(out, [[0, 1], [1, 2], [2, 3]], rtol=1e-12)
    assert array(module.causal_mask(3)).tolist() == [
        [True, False, False],
        [True, True, False],
        [True, True, True],
    ]
    # tanh(1/2 + 1/2) = tanh 1 against tanh(1/2 - 1/2) = 0, times log 3 / tanh 1
    one = to(np.array([[1.0]]))
    got = module.additive_attention_weights(
        to(np.array([[0.5]])),
        to(np.array([[0.5], [-0.5]])),
        one,
        one,
        to(np.array([np.log(3) / np.tanh(1)])),
    )
    assert_allclose(array(got), [[0.75, 0.25]], rtol=1e-12)


@BOTH
def test_what_must_hold_of_attention(twins, tree, rng):
    module, to = twins[tree]
    queries, keys, values = dot_problem(rng, S=4)
    order = rng.permutation(4)
    out = array(module.attention_forward(to(queries), to(keys), to(values)))
    moved = module.attention_forward(
        to(queries), to(keys[..., order, :]), to(values[..., order, :])
    )
    assert_allclose(array(moved), out, rtol=1e-10)  # a set of keys, without order
    moved = module.attention_forward(to(queries[..., order, :]), to(keys), to(values))
    assert_allclose(array(moved), out[..., order, :], rtol=1e-10)
    out = array(module.attention_forward(to(queries), to(keys), to(values), causal=True))
    assert_allclose(out[..., 0, :], values[..., 0, :], rtol=1e-12)  # the first sees itself alone
    keys[..., 2:, :], values[..., 2:, :] = 9, 9  # the future is of no matter
    later = array(module.attention_forward(to(queries), to(keys), to(values), causal=True))
    assert_allclose(later[..., :2, :], out[..., :2, :], rtol=1e-12)


@BOTH
def test_huge_scores_pick_the_best_key(twins, tree):
    module, to = twins[tree]
    queries, keys = np.array([[1e3, 0.0]]), np.array([[1e3, 0.0], [-1e3, 5.0], [0.0, 1.0]])
    values = np.array([[1.0], [2.0], [3.0]])
    assert array(module.attention_forward(*map(to, (queries, keys, values)))) == [[1]]
    out = array(module.attention_forward(to(-queries), to(keys), to(values)))
    assert out == [[2]]
    out = array(module.attention_forward(to(1e-300 * queries), to(keys), to(values)))
    assert_allclose(out, [[2]], rtol=1e-12)


@BOTH
def test_nan_spoils_its_own_query_alone(twins, tree, rng):
    module, to = twins[tree]
    queries, keys, values = dot_problem(rng, leading=())
    queries[1, 2] = np.nan
    out = array(module.attention_forward(to(queries), to(keys), to(values)))
    assert np.isnan(out).all(axis=1).tolist() == [False, True, False, False]
    assert not np.isnan(out[[0, 2, 3]]).any()
    queries, keys, *rest = additive_problem(rng, leading=())
    queries[1, 2] = np.nan
    out = array(module.additive_attention_forward(to(queries), to(keys), *map(to, rest)))
    assert np.isnan(out).all(axis=1).tolist() == [False, True, False, False]


@BOTH
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("S", [1, 5, 8, 20, 40])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_nan_is_not_lost_among_heads_and_batches(twins, tree, causal, S, dtype, rng):
    module, to = twins[tree]
    queries, keys, values = (a.astype(dtype) for a in dot_problem(rng, (2, 3), S, S))
    queries[1, 2, -1, 0] = np.nan
    out = array(module.attention_forward(*map(to, (queries, keys, values)), causal=causal))
    assert np.isnan(out[1, 2, -1]).all()
    assert np.isnan(out).sum() == out.shape[-1]


def test_whole_numbers_will_do(rng):
    arrays = [rng.integers(-2, 3, size=a.shape) for a in additive_problem(rng)]
    want, _ = reference.additive_attention_forward(*(a.astype(float) for a in arrays))
    got, _ = reference.additive_attention_forward(*arrays)
    assert_allclose(got, want, rtol=1e-15)


@BOTH
@pytest.mark.parametrize("leading", [(), (2,), (2, 3)])
def test_many_heads_under_any_leading_axes(twins, tree, leading, rng):
    module, to = twins[tree]
    *inputs, w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o = multi_head_problem(rng)
    parameters = [w_q, w_k, w_v, w_o, b_q, b_k, b_v, b_o]
    inputs = [rng.normal(size=(*leading, *a.shape[1:])) for a in inputs]
    mask = rng.random((*leading, 2, 4, 5)) < 0.7  # of its own for each head
    mask[..., 0] = True
    out = array(module.multi_head_attention_forward(*map(to, inputs + parameters), 2, to(mask)))
    for i in np.ndindex(leading):  # the two heads of each example by hand
        q, k, v = (
            a[i] @ w + b for a, w, b in zip(inputs, [w_q, w_k, w_v], [b_q, b_k, b_v], strict=True)
        )
        want = b_o.copy()
        for h, columns in enumerate([slice(0, 3), slice(3, 6)]):
            scores = np.where(mask[i][h], q[:, columns] @ k[:, columns].T / np.sqrt(3), -np.inf)
            want = want + softmax(scores, axis=1) @ v[:, columns] @ w_o[columns]
        assert_allclose(out[i], want, rtol=1e-10, atol=1e-12)


@BOTH
@pytest.mark.parametrize("leading, T, S", [((0, 2), 3, 4), ((2, 1), 0, 4), ((2, 1), 3, 0)])
def test_nothing_there(twins, tree, leading, T, S, rng):
    module, to = twins[tree]
    arrays = dot_problem(rng, leading, T, S)
    out = array(module.attention_forward(*map(to, arrays)))
    assert out.shape == (*leading, T, 2) and (out == 0).all()
    arrays = additive_problem(rng, leading, T, S)
    out = array(module.additive_attention_forward(*map(to, arrays)))
    assert out.shape == (*leading, T, 2) and (out == 0).all()
    arrays = multi_head_problem(rng, leading[0], T, S)
    out = array(module.multi_head_attention_forward(*map(to, arrays), 2))
    assert out.shape == (leading[0], T, 7)
    assert_allclose(out, np.broadcast_to(arrays[-1], out.shape) if S == 0 else out)


@pytest.mark.parametrize("B, T, S", [(0, 3, 4), (2, 0, 4), (2, 3, 0)])
def test_gradients_of_nothing(B, T, S, rng):
    arrays = multi_head_problem(rng, B, T, S)
    out, cache = reference.multi_head_attention_forward(*arrays, 2)
    gradients = reference.multi_head_attention_backward(np.ones_like(out), cache)
    assert [g.shape for g in gradients] == [a.shape for a in arrays]
    arrays = additive_problem(rng, (B,), T, S)
    out, cache = reference.additive_attention_forward(*arrays)
    gradients = reference.additive_attention_backward(np.ones_like(out), cache)
    assert [g.shape for g in gradients] == [a.shape for a in arrays]


def test_no_input_is_changed_and_views_are_welcome(rng):
    for problem, name, options in [
        (dot_problem, "attention", ()),
        (multi_head_problem, "multi_head_attention", (2,)),
        (additive_problem, "additive_attention", ()),
    ]:
        arrays, mask = problem(rng), np.where(rng.random((4, 5)) < 0.6, 0.5, -np.inf)
        kept = [a.copy() for a in [*arrays, mask]]
        forward = getattr(reference, f"{name}_forward")
        backward = getattr(reference, f"{name}_backward")
        out, cache = forward(*arrays, *options, mask)
        dout = np.ones_like(out)
        gradients = backward(dout, cache)
        assert_array_equal(dout, 1)
        for a, was in zip([*arrays, mask], kept, strict=True):
            assert_array_equal(a, was)
        for first, second in zip(gradients, backward(dout, cache), strict=True):
            assert_array_equal(first, second)  # nor is the cache
        views = [np.asfortranarray(a) for a in arrays]
        got, cache = forward(*views, *options, mask)
        assert_allclose(got, out, rtol=1e-12)
        for a, b in zip(backward(np.asfortranarray(dout), cache), gradients, strict=True):
            assert_allclose(a, b, rtol=1e-9, atol=1e-12)


@BOTH
@pytest.mark.parametrize("d", [2, 6, 64])
def test_positions_are_hands_of_clocks(twins, tree, d):
    module, _ = twins[tree]
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        P = array(module.positional_encoding(200, d))
        shifts = {o: array(module.positional_shift(o, d)) for o in (0, 1, 7, -3, 100)}
    finally:
        torch.set_default_dtype(before)
    assert P.shape == (200, d)
    k, i = 11, d // 2 - 1
    assert_allclose(P[k, 2 * i], np.sin(k / 10000 ** (2 * i / d)), rtol=1e-12)
    assert_allclose(P[k, 2 * i + 1], np.cos(k / 10000 ** (2 * i / d)), rtol=1e-12)
    assert_array_equal(P[0], np.tile([0.0, 1.0], d // 2))
    assert_allclose((P * P).sum(axis=1), d / 2, rtol=1e-13)
    products = P @ P.T
    for o, M in shifts.items():
        start, stop = max(0, -o), min(200, 200 - o)
        assert_allclose(P[start:stop] @ M.T, P[start + o : stop + o], atol=1e-13)
        assert_allclose(M @ M.T, np.eye(d), atol=1e-15)
        along = np.diagonal(products, o)
        assert_allclose(along, np.full_like(along, along[0]), atol=1e-12)
    assert_array_equal(shifts[0], np.eye(d))
    assert_allclose(np.linalg.matrix_power(shifts[1], 7), shifts[7], atol=1e-14)


def test_positions_keep_their_digits_in_float32():
    got = gpu.positional_encoding(10_001, 4)
    assert got.dtype == gpu.positional_shift(3, 4).dtype == torch.float32
    assert_allclose(got, reference.positional_encoding(10_001, 4), atol=1e-7)
    assert_allclose(gpu.positional_shift(3, 4), reference.positional_shift(3, 4), atol=1e-7)
    assert reference.positional_encoding(0, 4).shape == gpu.positional_encoding(0, 4).shape


@BOTH
def test_refuses(twins, tree):
    module, to = twins[tree]

    def a(*shape):
        return to(np.zeros(shape))

    for function in (module.attention_weights, lambda q, k: module.attention_forward(q, k, k)):
        for q, k in [((4, 3), (5, 2)), ((2, 4, 3), (5, 3)), ((3,), (5, 3)), ((4, 0), (5, 0))]:
            with pytest.raises(ValueError, match=r"\(\.\.\., T, d\), \(\.\.\., S, d\).*got \("):
                function(a(*q), a(*k))
    with pytest.raises(ValueError, match=r"keys, values must be .*got \(5, 3\), \(4, 3\)"):
        module.attention_forward(a(4, 3), a(5, 3), a(4, 3))
    for function in (module.attention_weights, module.attention_forward):
        rest = (a(5, 3),) if function is module.attention_weights else (a(5, 3), a(5, 3))
        with pytest.raises(ValueError, match="as many keys as queries, got 5 and 4"):
            function(a(4, 3), *rest, causal=True)
        with pytest.raises(ValueError, match=r"here \(4, 5\), got \(5, 4\)"):
            function(a(4, 3), *rest, a(5, 4))
        with pytest.raises(ValueError, match=r"here \(4, 5\), got \(2, 4, 5\)"):
            function(a(4, 3), *rest, a(2, 4, 5))
        with pytest.raises(ValueError, match=r"mask must be bool or float.*got .*int64"):
            function(a(4, 3), *rest, to(np.ones((4, 5), dtype=np.int64)))
    x, w, b = a(2, 4, 6), a(6, 6), a(6)
    with pytest.raises(ValueError, match=r"n_heads must divide E, 6, got 4"):
        module.multi_head_attention_forward(x, x, x, w, w, w, w, b, b, b, b, 4)
    with pytest.raises(ValueError, match=r"n_heads must divide E, 6, got 0"):
        module.multi_head_attention_forward(x, x, x, w, w, w, w, b, b, b, b, 0)
    with pytest.raises(ValueError, match=r"w_q, w_k, w_v, w_o must be .*\(6, 5\), \(6, 6\)"):
        module.multi_head_attention_forward(x, x, x, w, w, a(6, 5), w, b, b, b, b, 2)
    with pytest.raises(ValueError, match=r"b_q, b_k, b_v, b_o must be .*got .*\(5,\)"):
        module.multi_head_attention_forward(x, x, x, w, w, w, w, b, b, b, a(5), 2)
    with pytest.raises(ValueError, match=r"keys must be \(2, length, 6\), got \(2, 4, 5\)"):
        module.multi_head_attention_forward(x, a(2, 4, 5), x, w, w, w, w, b, b, b, b, 2)
    with pytest.raises(ValueError, match=r"values must be \(2, length, 6\), got \(3, 4, 6\)"):
        module.multi_head_attention_forward(x, x, a(3, 4, 6), w, w, w, w, b, b, b, b, 2)
    with pytest.raises(ValueError, match=r"\(D, H\), \(E, H\), \(H,\), got .*\(5,\)"):
        module.additive_attention_forward(x, x, w, w, a(5))
    with pytest.raises(ValueError, match=r"queries must be \(2, length, 6\), got \(2, 4, 5\)"):
        module.additive_attention_forward(a(2, 4, 5), x, w, w, b)
    with pytest.raises(ValueError, match="T must be at least 0, got -1"):
        module.causal_mask(-1)
    with pytest.raises(ValueError, match="T must be at least 0, got -1"):
        module.positional_encoding(-1, 4)
    for d in (0, 3):
        with pytest.raises(ValueError, match=f"d must be even and at least 2, got {d}"):
            module.positional_encoding(5, d)
        with pytest.raises(ValueError, match=f"d must be even and at least 2, got {d}"):
            module.positional_shift(5, d)


def test_backward_refuses_another_shape(rng):
    for problem, name, options in [
        (dot_problem, "attention", ()),
        (multi_head_problem, "multi_head_attention", (2,)),
        (additive_problem, "additive_attention", ()),
    ]:
        _, cache = getattr(reference, f"{name}_forward")(*problem(rng), *options)
        with pytest.raises(ValueError, match=r"dout must have the shape of out, .*got \(3,\)"):
            getattr(reference, f"{name}_backward")(np.ones(3), cache)


@pytest.mark.parametrize("leading", [(), (2,), (2, 3), (2, 1, 3)])
def test_the_twin_keeps_the_leading_axes(leading, device):
    q, v = torch.ones(*leading, 5, 4, device=device), torch.ones(*leading, 5, 3, device=device)
    assert gpu.attention_forward(q, q, v, causal=True).shape == v.shape
