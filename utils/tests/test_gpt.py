import itertools
from functools import partial

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import gpt as gpu
from utils.gpu import training as gpu_training
from utils.gpu.optimizers import adam_step as gpu_adam_step
from utils.reference import gpt as reference
from utils.reference.gradient_check import numeric_gradient
from utils.reference.optimizers import adam_step
from utils.reference.training import start_run, train

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
SMALL = (11, 6, 8, 2)  # vocabulary, context, width, n_layers; with 2 heads
GPT2 = (50257, 1024, 768, 12)


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def array(result):
    """An array of what either tree returns, without the reference's cache."""
    result = result[0] if isinstance(result, tuple) else result
    return result.detach().cpu().numpy() if isinstance(result, torch.Tensor) else result


def random_params(rng, sizes=SMALL, tied=True, dtype=float):
    """No parameter 0 or 1, and all large enough to matter."""
    return {
        name: (0.5 * rng.normal(size=shape)).astype(dtype)
        for name, shape in reference.gpt_shapes(*sizes, tied=tied).items()
    }


def a_batch(rng, sizes=SMALL, B=2, T=5):
    """tokens, targets and a mask that leaves some out."""
    mask = rng.random((B, T)) < 0.7
    mask.flat[0] = True
    return rng.integers(sizes[0], size=(B, T)), rng.integers(sizes[0], size=(B, T)), mask


def moved(params, to):
    return {name: to(w) for name, w in params.items()}


class Peer(torch.nn.Module):
    """A GPT of torch's own layers, in float64, that takes over weights of ours."""

    def __init__(self, params, vocabulary, context, width, n_layers, n_heads):
        super().__init__()
        self.tokens = torch.nn.Embedding(vocabulary, width)
        self.positions = torch.nn.Embedding(context, width)
        layer = partial(
            torch.nn.TransformerEncoderLayer,
            *(width, n_heads, 4 * width),
            dropout=0.0,
            activation=lambda x: F.gelu(x, approximate="tanh"),
            batch_first=True,
            norm_first=True,
        )
        self.layers = torch.nn.ModuleList(layer() for _ in range(n_layers))
        self.norm = torch.nn.LayerNorm(width)
        self.head = torch.nn.Linear(width, vocabulary, bias=False)
        if "head" not in params:
            self.head.weight = self.tokens.weight
        self.double()
        with torch.no_grad():
            for name, parameter, transposed in self.by_our_names():
                w = torch.tensor(params[name])
                parameter.copy_(w.T if transposed else w)

    def by_our_names(self):
        """(our name, parameter, whether ours is the transpose)"""
        yield "token_embedding", self.tokens.weight, False
        yield "position_embedding", self.positions.weight, False
        for i, layer in enumerate(self.layers):
            attention = layer.self_attn
            yield f"block{i}.ln1_gamma", layer.norm1.weight, False
            yield f"block{i}.ln1_beta", layer.norm1.bias, False
            yield f"block{i}.w_qkv", attention.in_proj_weight, True
            yield f"block{i}.b_qkv", attention.in_proj_bias, False
            yield f"block{i}.w_o", attention.out_proj.weight, True
            yield f"block{i}.b_o", attention.out_proj.bias, False
            yield f"block{i}.ln2_gamma", layer.norm2.weight, False
            yield f"block{i}.ln2_beta", layer.norm2.bias, False
            yield f"block{i}.w_up", layer.linear1.weight, True
            yield f"block{i}.b_up", layer.linear1.bias, False
            yield f"block{i}.w_down", layer.linear2.weight, True
            yield f"block{i}.b_down", layer.linear2.bias, False
        yield "ln_gamma", self.norm.weight, False
        yield "ln_beta", self.norm.bias, False
        if self.head.weight is not self.tokens.weight:
            yield "head", self.head.weight, True

    def forward(self, tokens):
        T = tokens.shape[1]
        x = self.tokens(tokens) + self.positions(torch.arange(T))
        ahead = torch.ones(T, T, dtype=torch.bool).triu(1)
        for layer in self.layers:
            x = layer(x, src_mask=ahead)
        return self.head(self.norm(x))

    def loss_and_gradients(self, tokens, targets, mask=None):
        targets = torch.tensor(targets if mask is None else np.where(mask, targets, -100))
        loss = F.cross_entropy(self(torch.tensor(tokens)).flatten(0, 1), targets.flatten())
        loss.backward()
        gradients = {
            name: parameter.grad.T if transposed else parameter.grad
            for name, parameter, transposed in self.by_our_names()
        }
        return loss.item(), gradients


def assert_same_gradients(got, want, tol):
    assert got.keys() == want.keys()
    for name, gradient in want.items():
        assert_allclose(got[name], gradient, rtol=tol, atol=tol, err_msg=name)


@settings(max_examples=25)
@given(
    B=st.integers(1, 3),
    T=st.integers(1, 5),
    spare=st.integers(0, 2),
    V=st.integers(1, 7),
    n_heads=st.integers(1, 3),
    d=st.integers(1, 4),
    n_layers=st.integers(1, 3),
    tied=st.booleans(),
    masked=st.booleans(),
    seed=st.integers(0, 9),
)
def test_scores_loss_and_gradients_are_those_of_torchs_layers(
    B, T, spare, V, n_heads, d, n_layers, tied, masked, seed
):
    rng = np.random.default_rng(seed)
    sizes = (V, T + spare, n_heads * d, n_layers)
    params = random_params(rng, sizes, tied)
    tokens, targets, mask = a_batch(rng, sizes, B, T)
    mask = mask if masked else None
    peer = Peer(params, *sizes, n_heads)
    scores, _ = reference.gpt_forward(tokens, params, n_heads)
    want = peer(torch.tensor(tokens)).detach()
    assert_allclose(scores, want, rtol=1e-10, atol=1e-10)
    want_loss, want = peer.loss_and_gradients(tokens, targets, mask)
    loss, dparams = reference.gpt_loss(tokens, targets, params, n_heads, mask)
    assert_allclose(loss, want_loss, rtol=1e-10, atol=1e-12)
    assert all(dparams[name].shape == w.shape for name, w in params.items())
    # where D is 1, layer norm is constant, and its gradient 0 but for eps and rounding
    assert_same_gradients(dparams, want, 1e-9)


@pytest.mark.parametrize("tied", [True, False])
def test_gradients_by_finite_differences(tied, rng):
    sizes = (5, 4, 4, 2)
    params = random_params(rng, sizes, tied)
    tokens, targets, mask = a_batch(rng, sizes, T=3)
    tokens[1] = tokens[0, 0]  # a token three times over
    _, dparams = reference.gpt_loss(tokens, targets, params, 2, mask)
    for name, w in params.items():

        def loss(w, name=name):
            return reference.gpt_loss(tokens, targets, params | {name: w}, 2, mask)[0]

        want = numeric_gradient(loss, w)
        assert_allclose(dparams[name], want, rtol=1e-7, atol=1e-8, err_msg=name)


def test_block_gradients_by_finite_differences(rng):
    params = random_params(rng, (5, 4, 4, 1))
    block = {name[7:]: w for name, w in params.items() if name.startswith("block0.")}
    x, dout = rng.normal(size=(2, 3, 4)), rng.normal(size=(2, 3, 4))
    _, cache = reference.block_forward(x, block, 2)
    dx, dblock = reference.block_backward(dout, cache)
    assert dblock.keys() == block.keys()
    for name, got in [("x", dx), *dblock.items()]:

        def loss(a, name=name):
            x_here = a if name == "x" else x
            return (reference.block_forward(x_here, block | {name: a}, 2)[0] * dout).sum()

        want = numeric_gradient(loss, x if name == "x" else block[name])
        assert_allclose(got, want, rtol=1e-7, atol=1e-7, err_msg=name)


@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 2e-4)])
@pytest.mark.parametrize("tied, masked", [*itertools.product([True, False], repeat=2)])
def test_twins_agree(tensor, tied, masked, dtype, tol, rng):
    params = random_params(rng, tied=tied, dtype=dtype)
    tokens, targets, mask = a_batch(rng)
    leaves = {name: tensor(w).requires_grad_() for name, w in params.items()}
    scores, _ = reference.gpt_forward(tokens, params, 2)
    twin = gpu.gpt_forward(tensor(tokens), leaves, 2)
    assert scores.dtype == dtype and twin.dtype == leaves["ln_gamma"].dtype
    assert_allclose(array(twin), scores, rtol=tol, atol=tol)
    mask = mask if masked else None
    loss, dparams = reference.gpt_loss(tokens, targets, params, 2, mask)
    there = None if mask is None else tensor(mask)
    twin = gpu.gpt_loss(tensor(tokens), tensor(targets), leaves, 2, there)
    twin.backward()
    assert_allclose(twin.item(), loss, rtol=tol)
    assert all(gradient.dtype == dtype for gradient in dparams.values())
    assert_same_gradients(dparams, {n: w.grad.cpu() for n, w in leaves.items()}, 10 * tol)
    if dtype == "float64":
        want_loss, want = Peer(params, *SMALL, 2).loss_and_gradients(tokens, targets, mask)
        assert_allclose(twin.item(), want_loss, rtol=1e-10)
        assert_same_gradients({n: w.grad.cpu() for n, w in leaves.items()}, want, 1e-10)


def test_blocks_of_the_twins_agree(tensor, rng):
    params = random_params(rng)
    block = {name[7:]: w for name, w in params.items() if name.startswith("block1.")}
    x = rng.normal(size=(3, 4, 8))
    out, _ = reference.block_forward(x, block, 4)
    twin = gpu.block_forward(tensor(x), moved(block, tensor), 4)
    assert_allclose(array(twin), out, rtol=1e-10, atol=1e-12)


def test_a_block_by_hand():
    """Width 2: layer norm makes (a, b) into (1, -1) where a > b, and into (-1, 1) where a < b."""
    identity, none = np.eye(2), np.zeros(2)
    block = {"ln1_gamma": np.ones(2), "ln1_beta": none, "ln2_gamma": np.ones(2), "ln2_beta": none}
    block |= {"w_qkv": np.hstack([0 * identity, 0 * identity, identity]), "b_qkv": np.zeros(6)}
    block |= {"w_o": 10 * identity, "b_o": none}  # equal scores: a mean of all values so far
    block |= {"w_up": np.zeros((2, 8)), "b_up": np.ones(8)}
    block |= {"w_down": np.zeros((8, 2)), "b_down": np.array([0.5, 0.0])}
    block["w_down"][0, 1] = 1.0
    x = np.array([[[1000.0, 0.0], [0.0, 1000.0], [2000.0, 0.0]]])
    # means of (1, -1), then of (1, -1), (-1, 1), then of all three: times 10, added to x
    want = x + np.array([[10, -10], [0, 0], [10 / 3, -10 / 3]])
    # gelu_tanh(1) = (1 + tanh(sqrt(2/pi) 1.044715)) / 2 = 0.841192
    want += [0.5, 0.841192]
    out, _ = reference.block_forward(x, block, 1)
    assert_allclose(out, want, atol=1e-6)


@BOTH
def test_number_of_parameters(twins, tree):
    module, _ = twins[tree]
    assert module.gpt_n_parameters(*GPT2) == 124_439_808  # GPT-2 small
    assert module.gpt_n_parameters(50257, 1024, 1600, 48) == 1_557_611_200  # GPT-2 XL
    assert module.gpt_n_parameters(*GPT2, tied=False) == 124_439_808 + 50257 * 768
    V, T, D, L = 50304, 1024, 768, 12
    want = V * D + T * D + L * (12 * D * D + 13 * D) + 2 * D
    assert module.gpt_n_parameters(V, T, D, L) == want
    shapes = module.gpt_shapes(*GPT2, tied=False)
    assert shapes == reference.gpt_shapes(*GPT2, tied=False)
    assert list(shapes)[:4] == [
        "token_embedding",
        "position_embedding",
        "block0.ln1_gamma",
        "block0.ln1_beta",
    ]
    assert shapes["block11.w_qkv"] == (768, 2304) and shapes["block11.w_up"] == (768, 3072)
    assert shapes["head"] == (768, 50257) and "head" not in module.gpt_shapes(*GPT2)


@BOTH
def test_operations_per_token(twins, tree):
    module, _ = twins[tree]
    # 6 for each weight but those of the positions: 6 * 123,653,376, and 12 * 12 * 768 * 1024
    assert module.gpt_flops_per_token(*GPT2) == 741_920_256 + 113_246_208
    short = module.gpt_flops_per_token(50257, 512, 768, 12)
    assert short == 741_920_256 + 113_246_208 // 2


def test_operations_are_those_torch_counts(rng):
    """torch's counter sees products alone; the rest of N are biases and gammas, 13 L D + 2 D."""
    from torch.utils.flop_counter import FlopCounterMode

    V, T, D, L = sizes = (64, 16, 32, 3)
    params = {
        name: torch.tensor(w, requires_grad=True) for name, w in random_params(rng, sizes).items()
    }
    tokens = torch.tensor(rng.integers(V, size=(4, T)))
    with (
        FlopCounterMode(display=False) as counter,
        torch.nn.attention.sdpa_kernel(torch.nn.attention.SDPBackend.MATH),
    ):
        gpu.gpt_loss(tokens, tokens, params, 2).backward()
    want = reference.gpt_flops_per_token(*sizes) - 6 * (13 * L * D + 2 * D)
    assert counter.get_total_flops() == want * tokens.numel()


@BOTH
@pytest.mark.parametrize("tied", [True, False])
def test_first_parameters(twins, tree, tied, device):
    module, _ = twins[tree]

    def draw(seed):
        if tree == "reference":
            return module.gpt_init(500, 30, 48, 8, np.random.default_rng(seed), tied)
        return module.gpt_init(500, 30, 48, 8, torch.Generator(device).manual_seed(seed), tied)

    params, again, other = draw(0), draw(0), draw(1)
    shapes = module.gpt_shapes(500, 30, 48, 8, tied)
    assert {name: tuple(w.shape) for name, w in params.items()} == shapes
    for name, w in params.items():
        w, same = array(w), array(again[name])
        assert_array_equal(w, same)
        if w.ndim == 1:
            assert (w == float("gamma" in name)).all(), name
        else:
            std = 0.005 if name.endswith(("w_o", "w_down")) else 0.02  # sqrt(2 * 8) = 4
            assert_allclose(w.std(), std, rtol=0.1, err_msg=name)
            assert abs(w.mean()) < 0.1 * std, name
            assert (w != array(other[name])).any()
    if tree == "gpu":
        assert all(w.requires_grad and w.is_leaf for w in params.values())
        assert all(w.device.type == device.type for w in params.values())
        assert all(w.dtype == torch.float32 for w in params.values())


def test_it_begins_by_knowing_nothing(rng):
    params = reference.gpt_init(50, 8, 32, 4, rng)
    loss, _ = reference.gpt_loss(*rng.integers(50, size=(2, 16, 8)), params, 4)
    assert_allclose(loss, np.log(50), rtol=0.01)


@BOTH
def test_no_place_sees_what_comes_after_it(twins, tree, rng):
    module, to = twins[tree]
    params = moved(random_params(rng), to)
    tokens, _, _ = a_batch(rng)
    scores = array(module.gpt_forward(to(tokens), params, 2))
    for t in range(1, 5):
        later = tokens.copy()
        later[:, t:] = (later[:, t:] + 1) % 11
        got = array(module.gpt_forward(to(later), params, 2))
        assert_allclose(got[:, :t], scores[:, :t], rtol=1e-12)
        assert (np.abs(got[:, t:] - scores[:, t:]) > 1e-6).any(axis=-1).all()


def test_what_is_masked_teaches_nothing(rng):
    params = random_params(rng)
    tokens, targets, mask = a_batch(rng)
    mask[:, 3:] = False
    loss, dparams = reference.gpt_loss(tokens, np.where(mask, targets, -1), params, 2, mask)
    want, dwant = reference.gpt_loss(tokens[:, :3], targets[:, :3], params, 2, mask[:, :3])
    assert_allclose(loss, want, rtol=1e-12)
    assert_same_gradients(dparams, dwant, 1e-12)
    assert not dparams["position_embedding"][3:].any()
    loss, dparams = reference.gpt_loss(tokens, targets, params, 2, np.zeros_like(mask))
    assert loss == 0 and not any(gradient.any() for gradient in dparams.values())


@BOTH
@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("pieces", [(1,) * 6, (6,), (3, 1, 1, 1), (2, 3, 1), (4, 2)])
def test_steps_are_the_whole(twins, tree, pieces, tied, rng):
    module, to = twins[tree]
    params = moved(random_params(rng, tied=tied), to)
    tokens = rng.integers(11, size=(3, 6))
    want = array(module.gpt_forward(to(tokens), params, 2))
    start, past = 0, None
    for T in pieces:
        scores, past = module.gpt_step(to(tokens[:, start : start + T]), params, 2, past)
        assert_allclose(array(scores), want[:, start : start + T], rtol=1e-12, atol=1e-12)
        start += T
        assert len(past) == 2
        for kept in itertools.chain(*past):
            assert tuple(kept.shape) == (3, 2, start, 4)
    with pytest.raises(ValueError, match="at most the context, 6, got 7 tokens"):
        module.gpt_step(to(tokens[:, :1]), params, 2, past)
    for B, n_heads in [(2, 2), (3, 4)]:
        with pytest.raises(ValueError, match=rf"\({B}, {n_heads}\), got shape \(3, 2, 6, 4\)"):
            module.gpt_step(to(tokens[:B, :1]), params, n_heads, past)


def test_steps_of_the_twins_agree_and_the_past_stays(tensor, rng):
    params = random_params(rng)
    tokens = rng.integers(11, size=(2, 4))
    _, past = reference.gpt_step(tokens[:, :3], params, 2)
    kept = [array_.copy() for array_ in itertools.chain(*past)]
    scores, _ = reference.gpt_step(tokens[:, 3:], params, 2, past)
    assert len(past) == 2
    for now, before in zip(itertools.chain(*past), kept, strict=True):
        assert_array_equal(now, before)
    there = [tuple(map(tensor, pair)) for pair in past]
    twin, present = gpu.gpt_step(tensor(tokens[:, 3:]), moved(params, tensor), 2, there)
    assert_allclose(array(twin), scores, rtol=1e-10, atol=1e-12)
    assert len(there) == 2 and len(present) == 2 and there[0][0].shape[2] == 3


@BOTH
def test_with_the_cache_each_token_is_read_once(twins, tree, monkeypatch, rng):
    module, to = twins[tree]
    rows = []

    def counted(x, w, b, forward=module.affine_forward):
        rows.append(x.shape[1])
        return forward(x, w, b)

    monkeypatch.setattr(module, "affine_forward", counted)
    params = moved(random_params(rng), to)
    start, source = to(rng.integers(11, size=(1, 2))), rng if tree == "reference" else None
    module.generate(start, 6, params, 2, source)
    whole = 6  # 7 tokens are more than the context, so the last 6 are read anew
    assert sum(rows) == (2 + 1 + 1 + 1 + 1 + whole) * 2 * 4  # 2 blocks of 4 products
    rows.clear()
    module.generate(start, 6, params, 2, source, use_cache=False)
    assert sum(rows) == (2 + 3 + 4 + 5 + 6 + whole) * 2 * 4


@BOTH
@pytest.mark.parametrize("options", [{}, {"temperature": 0.5, "top_k": 4, "top_p": 0.9}])
def test_generates_the_same_with_and_without_cache(twins, tree, options, device, rng):
    module, to = twins[tree]
    params = moved(random_params(rng), to)
    start = to(rng.integers(11, size=(2, 3)))

    def write(seed, **more):
        source = torch.Generator(device).manual_seed(seed)
        source = np.random.default_rng(seed) if tree == "reference" else source
        return array(module.generate(start, 9, params, 2, source, **options, **more))

    text = write(0)  # 12 tokens, where the context is 6
    assert text.shape == (2, 12) and text.dtype == np.int64
    assert_array_equal(text[:, :3], array(start))
    assert_array_equal(write(0, use_cache=False), text)
    assert_array_equal(write(0), text)
    assert (write(1) != text).any()


@BOTH
@pytest.mark.parametrize("use_cache", [True, False])
def test_generates_by_the_last_tokens_of_the_context(twins, tree, use_cache, rng):
    """At temperature 0 the best of each place's scores, the window moving with the text."""
    module, to = twins[tree]
    params = random_params(rng, tied=False)
    source = rng if tree == "reference" else None
    for T, n_new in [(4, 8), (9, 3)]:
        text = rng.integers(11, size=(20, T))
        got = module.generate(
            to(text), n_new, moved(params, to), 2, source, 0.0, use_cache=use_cache
        )
        for _ in range(n_new):
            scores, _ = reference.gpt_forward(text[:, -6:], params, 2)
            text = np.concatenate([text, scores[:, -1:].argmax(axis=-1)], axis=1)
        assert_array_equal(array(got), text)


@BOTH
@pytest.mark.parametrize("options", [{"top_k": 1}, {"top_p": 1e-9}, {"temperature": 1e-9}])
def test_hands_its_options_to_the_draw(twins, tree, options, device, rng):
    module, to = twins[tree]
    params = moved(random_params(rng, tied=False), to)
    start = to(rng.integers(11, size=(20, 9)))
    source = rng if tree == "reference" else torch.Generator(device)
    best = array(module.generate(start, 1, params, 2, source, temperature=0.0))
    assert_array_equal(array(module.generate(start, 1, params, 2, source, **options)), best)
    assert (array(module.generate(start, 1, params, 2, source)) != best).any()


def test_the_twin_generates_without_autograd(monkeypatch):
    params = gpu.gpt_init(5, 4, 8, 1, torch.Generator())
    seen = []

    def watched(scores, *options, draw=gpu.sample):
        seen.append(scores.requires_grad)
        return draw(scores, *options)

    monkeypatch.setattr(gpu, "sample", watched)
    gpu.generate(torch.zeros(1, 2, dtype=torch.int64), 4, params, 2, None)
    assert seen == [False] * 4


@BOTH
def test_generates_nothing_and_from_long_beginnings(twins, tree, rng, device):
    module, to = twins[tree]
    params = moved(random_params(rng), to)
    source = rng if tree == "reference" else torch.Generator(device)
    start = to(rng.integers(11, size=(2, 9)))  # longer than the context
    got = module.generate(start, 0, params, 2, source)
    assert_array_equal(array(got), array(start))
    assert got is not start
    assert array(module.generate(start, 2, params, 2, source)).shape == (2, 11)
    none = to(np.zeros((0, 3), dtype=np.int64))
    assert array(module.generate(none, 2, params, 2, source)).shape == (0, 5)


def test_bytes_are_tokens(rng):
    params = random_params(rng)
    start = np.array([[3, 10]], dtype=np.uint8)
    text = reference.generate(start, 3, params, 2, rng)
    assert text.dtype == np.int64 and text.shape == (1, 5)
    scores, _ = reference.gpt_forward(start, params, 2)
    want, _ = reference.gpt_forward(start.astype(np.int64), params, 2)
    assert_array_equal(scores, want)


@BOTH
def test_nan_spoils_its_own_text_alone(twins, tree, rng):
    module, to = twins[tree]
    params = random_params(rng, tied=False)
    params["token_embedding"][7, 0] = np.nan
    tokens = np.array([[1, 2, 7, 3], [4, 5, 6, 0]])
    scores = array(module.gpt_forward(to(tokens), moved(params, to), 2))
    assert np.isnan(scores[0, 2:]).all() and not np.isnan(scores[1]).any()


def test_an_empty_batch_has_scores_but_no_loss(tensor, rng):
    params = random_params(rng)
    for shape in [(0, 3), (2, 0)]:
        nothing = np.zeros(shape, dtype=np.int64)
        scores, cache = reference.gpt_forward(nothing, params, 2)
        assert scores.shape == (*shape, 11)
        dparams = reference.gpt_backward(scores, cache)
        assert dparams.keys() == params.keys()
        assert not any(gradient.any() for gradient in dparams.values())
        assert gpu.gpt_forward(tensor(nothing), moved(params, tensor), 2).shape == (*shape, 11)
        with pytest.raises(ValueError, match="non-empty"):
            reference.gpt_loss(nothing, nothing, params, 2)


def test_no_input_is_changed_and_views_are_welcome(rng):
    params = random_params(rng)
    tokens, targets, mask = a_batch(rng)
    inputs = [tokens, targets, mask, *params.values()]
    kept = [a.copy() for a in inputs]
    loss, dparams = reference.gpt_loss(tokens, targets, params, 2, mask)
    scores, cache = reference.gpt_forward(tokens, params, 2)
    dscores = rng.normal(size=scores.shape)
    kept_dscores = dscores.copy()
    first, second = (reference.gpt_backward(dscores, cache) for _ in range(2))
    for name in params:
        assert_array_equal(first[name], second[name])  # the cache is as it was
    reference.generate(tokens, 4, params, 2, rng)
    for a, was in zip([*inputs, dscores], [*kept, kept_dscores], strict=True):
        assert_array_equal(a, was)
    views = moved(params, np.asfortranarray)
    got, dviews = reference.gpt_loss(*map(np.asfortranarray, (tokens, targets)), views, 2, mask)
    assert_allclose(got, loss, rtol=1e-12)
    assert_same_gradients(dviews, dparams, 1e-11)


def test_the_twin_compiles_whole_and_takes_a_padded_vocabulary(rng):
    """fullgraph: not one break; under autocast the products are in bfloat16, scores too."""
    generator = torch.Generator().manual_seed(0)
    params = gpu.gpt_init(64, 8, 16, 1, generator)
    tokens, targets, mask = map(torch.tensor, a_batch(rng))
    compiled = torch.compile(gpu.gpt_loss, backend="eager", fullgraph=True)
    with torch.autocast("cpu", torch.bfloat16):
        assert gpu.gpt_forward(tokens, params, 2).dtype == torch.bfloat16
        loss = compiled(tokens, targets, params, 2, mask)
    loss.backward()
    assert loss.dtype == torch.float32
    assert_allclose(loss.item(), gpu.gpt_loss(tokens, targets, params, 2, mask).item(), rtol=0.01)
    assert all(w.grad.dtype == torch.float32 for w in params.values())


def test_learns_to_repeat(rng):
    """a b c ... a b c ...: the second half can be known, by looking back. Attention must do it."""
    first = rng.integers(8, size=(256, 4))
    texts = np.concatenate([first, first], axis=1)
    x, y = texts[:, :-1], texts[:, 1:]
    run = start_run(reference.gpt_init(8, 7, 16, 2, rng))
    known = np.broadcast_to(np.arange(7) >= 3, x.shape)

    def loss(params, tokens, targets):
        return reference.gpt_loss(tokens, targets, params, 2, known[: len(tokens)])

    run = train(run, loss, x, y, epochs=60, step=adam_step, lr=0.01, rng=rng)
    assert run["history"]["loss"][0] > 1.5 and run["history"]["loss"][-1] < 0.1
    start = rng.integers(8, size=(50, 4))  # not seen, but for a few of 4096
    text = reference.generate(start, 4, run["params"], 2, rng, temperature=0.0)
    assert (text[:, 4:] == start).mean() > 0.9


def test_the_twin_trains(rng, device):
    tokens = torch.tensor(np.tile([1, 4, 2], (16, 2)), device=device)
    params = gpu.gpt_init(5, 5, 8, 1, torch.Generator(device).manual_seed(0))

    def loss(params, x, y):
        return gpu.gpt_loss(x, y, params, 2)

    run = gpu_training.start_run(params)
    x, y = tokens[:, :-1], tokens[:, 1:]
    run = gpu_training.train(run, loss, x, y, 40, step=gpu_adam_step, lr=0.03)
    assert run["history"]["loss"][-1] < 0.1
    text = gpu.generate(tokens[:1, :1], 4, run["params"], 2, None, temperature=0.0)
    assert text.tolist() == [[1, 4, 2, 1, 4]]


@BOTH
def test_refuses(twins, tree, rng):
    module, to = twins[tree]
    params = moved(random_params(rng), to)
    tokens = to(np.zeros((2, 3), dtype=np.int64))
    block = {name[7:]: w for name, w in params.items() if name.startswith("block0.")}
    for bad in [(0, 6, 8, 2), (11, 0, 8, 2), (11, 6, 0, 2), (11, 6, 8, 0)]:
        for function in (module.gpt_shapes, module.gpt_n_parameters, module.gpt_flops_per_token):
            with pytest.raises(ValueError, match=r"at least 1, got \(\d+, \d+, \d, \d\)"):
                function(*bad)
        with pytest.raises(ValueError, match="at least 1"):
            module.gpt_init(*bad, rng if tree == "reference" else torch.Generator())
    for n_heads in (0, 3, -2):
        for function in (
            lambda n: module.gpt_forward(tokens, params, n),
            lambda n: module.gpt_step(tokens, params, n),
            lambda n: module.block_forward(to(np.zeros((2, 3, 8))), block, n),
        ):
            with pytest.raises(
                ValueError, match=f"n_heads must divide the width, 8, got {n_heads}"
            ):
                function(n_heads)
    with pytest.raises(ValueError, match=r"x, gamma, beta must be .*got \(2, 3, 6\), \(8,\)"):
        module.block_forward(to(np.zeros((2, 3, 6))), block, 2)
    for function in (module.gpt_forward, module.gpt_step):
        with pytest.raises(ValueError, match="at most the context, 6, got 7 tokens"):
            function(to(np.zeros((2, 7), dtype=np.int64)), params, 2)
        for bad in [np.zeros(3, dtype=np.int64), np.zeros((2, 3)), np.zeros((1, 2, 3), dtype=int)]:
            with pytest.raises(ValueError, match=r"tokens must be \(B, T\) int.*got .*\("):
                function(to(bad), params, 2)
    with pytest.raises(ValueError, match=r"labels must be a non-empty \(2, 3\)"):
        module.gpt_loss(tokens, tokens[:, :2], params, 2)
    with pytest.raises(ValueError, match=r"mask must be \(2, 3\) bools"):
        module.gpt_loss(tokens, tokens, params, 2, tokens)
    for bad, n_new in [(tokens, -1), (tokens[:, :0], 2), (tokens[0], 2)]:
        with pytest.raises(ValueError, match=rf"n_new at least 0, got \(.*\) and {n_new}"):
            module.generate(bad, n_new, params, 2, rng)


def test_the_reference_refuses_values(rng):
    params = random_params(rng)
    for token in (-1, 11):
        for function in (reference.gpt_forward, reference.gpt_step):
            with pytest.raises(ValueError, match=r"tokens must be in \[0, 11\), got"):
                function(np.array([[0, token]]), params, 2)
    scores, cache = reference.gpt_forward(np.zeros((2, 3), dtype=int), params, 2)
    with pytest.raises(ValueError, match=r"dscores must have .*\(2, 3, 11\), got \(2, 3, 10\)"):
        reference.gpt_backward(scores[..., 1:], cache)
    _, cache = reference.block_forward(
        np.ones((2, 3, 8)),
        {name[7:]: w for name, w in params.items() if name.startswith("block0.")},
        2,
    )
    with pytest.raises(ValueError, match="dout must have the shape"):
        reference.block_backward(np.ones((2, 3, 7)), cache)
