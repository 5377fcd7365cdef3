import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from numpy.testing import assert_allclose, assert_array_equal
from scipy.ndimage import gaussian_filter
from scipy.stats import spearmanr

from utils.gpu import cnn as gpu_cnn
from utils.gpu import faithfulness as gpu
from utils.reference import cnn, mlp
from utils.reference import faithfulness as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
TWINS = [(reference, np.asarray), (gpu, torch.tensor)]


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


def array(result):
    return np.array(result.tolist())


def pixel_model(w):
    """f of arrays or tensors: class 0 scores nothing, class 1 (sum of w times the pixels)^2."""

    def f(x):
        if torch.is_tensor(x):
            s = (x * torch.as_tensor(w, dtype=x.dtype, device=x.device)).sum((1, 2, 3))
            return torch.stack([0 * s, s * s], 1)
        s = (x * w.astype(x.dtype)).sum((1, 2, 3))
        return np.stack([0 * s, s * s], 1)

    return f


@given(array_shapes(min_dims=2, max_dims=4, max_side=5), st.integers(0, 99))
def test_ranks_by_sorting(shape, seed):
    explanation = np.random.default_rng(seed).integers(-2, 3, size=shape) / 2  # ties are frequent
    H, W = shape[-2:]
    for module, to in TWINS:
        ranks = module.pixel_ranks(to(explanation))
        assert ranks.shape == shape
        for i in np.ndindex(shape[:-2]):
            flat = explanation[i].ravel()
            order = sorted(range(H * W), key=lambda p, flat=flat: (-flat[p], p))
            assert_array_equal(np.argsort(np.asarray(ranks[i]).ravel()), order)
            assert_array_equal(np.asarray(ranks[i]).ravel()[order], np.arange(H * W))


@BOTH
def test_ranks_by_hand(twins, tree):
    module, to = twins[tree]
    ranks = module.pixel_ranks(to(np.array([[0.5, np.nan, -np.inf], [0.5, 2.0, np.inf]])))
    assert array(ranks).tolist() == [[2, 5, 4], [3, 1, 0]]


@BOTH
@pytest.mark.parametrize("sigma", [0.1, 0.7, 2.0, 50.0])
@pytest.mark.parametrize("shape", [(1, 1, 1), (3, 8, 11), (2, 1, 9)])
def test_blur_of_scipy(twins, tree, sigma, shape, rng):
    module, to = twins[tree]
    image = rng.normal(size=shape)
    want = gaussian_filter(image, (0, sigma, sigma), mode="nearest", truncate=4)
    assert_allclose(array(module.blur(to(image), sigma)), want, rtol=1e-10, atol=1e-12)
    flat = np.full(shape, 0.3)
    assert_allclose(array(module.blur(to(flat), sigma)), flat, rtol=1e-12)


@given(st.data())
def test_curves_by_loops(data):
    C, H, W = data.draw(array_shapes(min_dims=3, max_dims=3, max_side=5))
    n_steps, block = data.draw(st.integers(1, H * W)), data.draw(st.integers(1, 30))
    rng = np.random.default_rng(data.draw(st.integers(0, 99)))
    image, w, fill = rng.normal(size=(3, C, H, W))
    explanation = rng.integers(4, size=(H, W)) / 2
    order = sorted(np.ndindex(H, W), key=lambda p: (-explanation[p], p))
    deleted, inserted, fractions = [], [], []
    for i in range(n_steps + 1):
        less, more = image.copy(), fill.copy()
        n = int(i * H * W / n_steps + 1e-9)
        for h, v in order[:n]:
            less[:, h, v], more[:, h, v] = fill[:, h, v], image[:, h, v]
        deleted.append((less * w).sum() ** 2)
        inserted.append((more * w).sum() ** 2)
        fractions.append(n / (H * W))
    for module, to in TWINS:
        rest = to(image), 1, to(explanation), n_steps, to(fill), block
        for curve, want in [(module.deletion_curve, deleted), (module.insertion_curve, inserted)]:
            got_fractions, scores = curve(pixel_model(w), *rest)
            assert_allclose(got_fractions, fractions, rtol=1e-12)
            assert_allclose(scores, want, rtol=1e-9, atol=1e-12)
            area = module.area_under(got_fractions, scores)
            assert_allclose(float(area), np.trapezoid(want, fractions), rtol=1e-9, atol=1e-12)


@BOTH
def test_curves_end_where_they_must(twins, tree, rng):
    module, to = twins[tree]
    params = cnn.cnn_init((2, 6, 5), 3, rng, n_filters=4)
    tensors = {name: twins["gpu"][1](value) for name, value in params.items()}
    f = {
        "reference": lambda x: cnn.cnn_forward(x, params)[0],
        "gpu": lambda x: gpu_cnn.cnn_forward(x, tensors),
    }[tree]
    image, explanation = to(rng.normal(size=(2, 6, 5))), to(rng.normal(size=(6, 5)))
    for fill in (0.0, module.blur(image, 5), to(rng.normal(size=(2, 1, 1)))):
        whole = fill + 0 * image
        start, end = (float(f(i[None])[0, 2]) for i in (image, whole))
        for n_steps in (1, 7, 30):
            rest = f, image, 2, explanation, n_steps, fill
            fractions, scores = map(array, module.deletion_curve(*rest))
            assert len(fractions) == len(scores) == n_steps + 1
            assert_allclose((scores[0], scores[-1]), (start, end), rtol=1e-10)
            back, inserted = map(array, module.insertion_curve(*rest))
            assert_allclose((inserted[0], inserted[-1]), (end, start), rtol=1e-10)
            assert fractions[0] == 0 and fractions[-1] == 1 and (fractions == back).all()
        # from the other end, the weakest first, it is insertion that is deletion backwards
        _, scores = module.deletion_curve(f, image, 2, explanation, 30, fill)
        _, inserted = module.insertion_curve(f, image, 2, -explanation, 30, fill)
        assert_allclose(array(inserted)[::-1], array(scores), rtol=1e-9, atol=1e-12)


@BOTH
def test_the_one_pixel_that_counts(twins, tree):
    """Deletion falls at once if it is ranked first, at the very end if last."""
    module, to = twins[tree]
    image, w = np.ones((1, 4, 5)), np.zeros((1, 4, 5))
    w[0, 2, 3] = 3
    for explanation, deleted, inserted in [
        (w[0], [9] + [0] * 20, [0] + [9] * 20),
        (-w[0], [9] * 20 + [0], [0] * 20 + [9]),
    ]:
        rest = pixel_model(w), to(image), 1, to(explanation), 20
        assert array(module.deletion_curve(*rest)[1]).tolist() == deleted
        assert array(module.insertion_curve(*rest)[1]).tolist() == inserted


@BOTH
def test_a_constant_model_stays_flat(twins, tree, rng):
    module, to = twins[tree]
    image, explanation = to(rng.normal(size=(2, 4, 5))), to(rng.normal(size=(4, 5)))
    for curve in (module.deletion_curve, module.insertion_curve):
        fractions, scores = curve(lambda x: 2 + 0 * x[:, :, 0, 0], image, 0, explanation, 20)
        assert array(scores).tolist() == [2] * 21
        assert_allclose(float(module.area_under(fractions, scores)), 2, rtol=1e-12)


@BOTH
def test_area_by_hand(twins, tree):
    module, to = twins[tree]
    area = module.area_under(to(np.array([0.0, 0.5, 0.75, 1.0])), to(np.array([4.0, 2, 2, 0])))
    assert float(area) == 0.5 * 3 + 0.25 * 2 + 0.25 * 1
    area = module.area_under(to(np.array([0.0, 1.0])), to(np.array([np.nan, 1])))
    assert np.isnan(float(area))


@BOTH
def test_true_masks_by_hand(twins, tree):
    module, to = twins[tree]
    explanation = np.array([[5.0, 1.0, 4.0], [0.0, 3.0, 2.0]])
    masks = np.array(
        [
            [[1, 0, 1], [0, 1, 0]],  # the three strongest
            [[0, 1, 0], [1, 0, 0]],  # the two weakest
            [[1, 1, 0], [0, 0, 0]],  # 5 and 1, strongest 5 and 4: one of three
            [[1, 1, 1], [1, 1, 1]],
        ],
        dtype=bool,
    )
    many = to(np.tile(explanation, (4, 1, 1)))
    assert array(module.pointing_game(many, to(masks))).tolist() == [True, False, True, True]
    assert_allclose(array(module.mask_overlap(many, to(masks))), [1, 0, 1 / 3, 1], rtol=1e-15)
    one = to(explanation), to(masks[2])
    assert module.pointing_game(*one).shape == module.mask_overlap(*one).shape == ()
    assert bool(module.pointing_game(*one)) and float(module.mask_overlap(*one)) == 1 / 3
    tied = to(np.zeros((2, 3)))  # the first in reading order
    assert bool(module.pointing_game(tied, to(masks[0])))
    assert not bool(module.pointing_game(tied, to(masks[1])))
    none = to(np.zeros((2, 3), bool))
    assert np.isnan(float(module.mask_overlap(tied, none)))
    assert not bool(module.pointing_game(tied, none))
    empty = to(np.zeros((0, 2, 3))), to(np.zeros((0, 2, 3), bool))
    assert module.pointing_game(*empty).shape == module.mask_overlap(*empty).shape == (0,)


@BOTH
def test_overlap_of_chance(twins, tree, rng):
    module, to = twins[tree]
    explanation, mask = rng.normal(size=(200, 40, 40)), np.zeros((200, 40, 40), bool)
    mask[:, :20, :10] = True  # an eighth
    got = array(module.mask_overlap(to(explanation), to(mask)))
    assert_allclose(got.mean(), 1 / 8 / (2 - 1 / 8), rtol=0.02)
    assert abs(array(module.pointing_game(to(explanation), to(mask))).mean() - 1 / 8) < 0.08


@given(array_shapes(max_dims=3, max_side=6), st.integers(1, 9), st.integers(0, 99))
def test_rank_correlation_of_scipy(shape, values, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(values, size=(2, *shape)) / 4  # ties are frequent
    for module, to in TWINS:
        got = float(module.rank_correlation(to(a), to(b)))
        if min(len(np.unique(a)), len(np.unique(b))) == 1:
            assert np.isnan(got)
        else:
            want = spearmanr(a.ravel(), b.ravel()).statistic
            assert_allclose(got, want, rtol=1e-10, atol=1e-12)


@BOTH
def test_rank_correlation_by_hand(twins, tree):
    module, to = twins[tree]
    a = np.array([[3.0, 1.0], [2.0, 10.0]])
    assert float(module.rank_correlation(to(a), to(np.exp(a)))) == 1
    assert float(module.rank_correlation(to(a), to(-(a**3)))) == -1
    # ranks 1 2 3 4 and 2 1 4 3: 1 - 6 * 4 / (4 * 15)
    got = module.rank_correlation(to(np.array([1.0, 2, 3, 4])), to(np.array([2.0, 1, 4, 3])))
    assert_allclose(float(got), 0.6, rtol=1e-12)
    spoiled = a.copy()
    spoiled[0, 1] = np.nan
    assert np.isnan(float(module.rank_correlation(to(a), to(spoiled))))
    assert np.isnan(float(module.rank_correlation(to(spoiled), to(a))))
    infinite = np.array([[3.0, -np.inf], [2.0, np.inf]])
    assert float(module.rank_correlation(to(a), to(infinite))) == 1
    large = np.random.default_rng(0).normal(size=(2, 300_000)).astype("float32")
    got = float(module.rank_correlation(*map(to, large)))
    assert_allclose(got, spearmanr(*large).statistic, atol=1e-6)


@BOTH
@pytest.mark.parametrize("cascade", [True, False])
def test_layers_forget_one_by_one(twins, tree, cascade, rng):
    module, to = twins[tree]
    params = {name: to(rng.normal(size=6)) for name in "abc"}
    fresh = {name: to(rng.normal(size=6)) for name in "abc"}
    kept = [(p, p.tolist()) for p in (*params.values(), *fresh.values())]
    seen = []

    def explain(p):
        seen.append("".join(n if p[n] is params[n] else n.upper() for n in "abc"))
        return p["a"] + 2 * p["b"] + 3 * p["c"]

    layers = [["c"], ["b", "a"]]
    got = module.randomization_check(explain, params, fresh, layers, cascade)
    assert seen == (["abc", "abC", "ABC"] if cascade else ["abc", "abC", "ABc"])
    assert got.shape == (2,)
    a, b, c, A, B, C = (array(p) for p in (*params.values(), *fresh.values()))
    after = [a + 2 * b + 3 * C, A + 2 * B + 3 * (C if cascade else c)]
    want = [spearmanr(a + 2 * b + 3 * c, e).statistic for e in after]
    assert_allclose(array(got), want, rtol=1e-10)
    assert all(p.tolist() == values for p, values in kept)  # none was changed
    got = module.randomization_check(lambda p: to(np.arange(4.0)), params, fresh, layers, cascade)
    assert array(got).tolist() == [1, 1]  # an edge detector does not notice


def test_saliency_of_a_network_forgets(rng):
    """The gradient of an MLP and of a CNN; parameters in a list and in a dictionary."""
    x, sizes = rng.normal(size=(1, 30)), (30, 20, 3)

    def explain(parameters):
        _, cache = mlp.mlp_forward(x, parameters)
        return mlp.mlp_backward(np.eye(3)[:1], cache)[0]

    params, fresh = mlp.mlp_init(sizes, rng), mlp.mlp_init(sizes, rng)
    got = reference.randomization_check(explain, params, fresh, [[1], [0]])
    assert (abs(got) < 0.9).all()
    assert reference.randomization_check(explain, params, params, [[1], [0]]).tolist() == [1, 1]

    image = rng.normal(size=(1, 1, 6, 6))

    def explain(params):
        _, cache = cnn.cnn_forward(image, params)
        return cnn.cnn_backward(np.eye(3)[:1], cache)[0]

    params, fresh = (cnn.cnn_init((1, 6, 6), 3, rng) for _ in range(2))
    layers = [["dense_w", "dense_b"], ["conv_w", "conv_b"]]
    got = reference.randomization_check(explain, params, fresh, layers)
    assert (abs(got) < 0.9).all()
    got = reference.randomization_check(explain, params, fresh, [["conv_b"]])
    assert got.tolist() == [1]  # both are zeros


def test_a_module_takes_part_in_the_randomization(device):
    torch.manual_seed(0)
    models = [torch.nn.Sequential(torch.nn.Linear(12, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))]
    models.append(
        torch.nn.Sequential(torch.nn.Linear(12, 8), torch.nn.ReLU(), torch.nn.Linear(8, 3))
    )
    params, fresh = (dict(m.double().to(device).named_parameters()) for m in models)
    x = torch.randn(1, 12, dtype=torch.float64, device=device, requires_grad=True)

    def explain(params):
        score = torch.func.functional_call(models[0], params, (x,))[0, 1]
        return torch.autograd.grad(score, x)[0]

    layers = [["2.weight", "2.bias"], ["0.weight", "0.bias"]]
    got = gpu.randomization_check(explain, params, fresh, layers)
    assert got.shape == (2,) and got.device.type == device.type and (got.abs() < 0.99).all()
    state = {name: value.clone() for name, value in models[1].named_parameters()}
    models[0].load_state_dict(state)
    assert_allclose(explain(params).cpu(), explain(fresh).cpu(), rtol=1e-12)


@BOTH
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_dtype_stays_views_and_no_input_changes(twins, tree, dtype, rng):
    module, to = twins[tree]
    image, w = rng.normal(size=(2, 4, 5)).astype(dtype), rng.normal(size=(2, 4, 5))
    explanation, mask = rng.normal(size=(4, 5)).astype(dtype), to(rng.random((4, 5)) < 0.4)
    f, image, explanation = pixel_model(w), to(image), to(explanation)
    before = [a.tolist() for a in (image, explanation, mask)]
    for curve in (module.deletion_curve, module.insertion_curve):
        for result in curve(f, image, 1, explanation, 6, to(w)):
            assert str(result.dtype).endswith(dtype)
    assert str(module.blur(image, 1).dtype).endswith(dtype)
    assert str(module.mask_overlap(explanation, mask).dtype).endswith(dtype)
    assert "bool" in str(module.pointing_game(explanation, mask).dtype)
    assert "int64" in str(module.pixel_ranks(explanation).dtype)
    correlation = module.rank_correlation(explanation, -explanation)
    area = module.area_under(explanation[0], explanation[1])
    if tree == "gpu":
        assert str(correlation.dtype).endswith(dtype) and str(area.dtype).endswith(dtype)
    else:
        assert type(correlation) is type(area) is float
    assert [a.tolist() for a in (image, explanation, mask)] == before

    turned = to(array(explanation).T.astype(dtype).copy()).T
    assert (
        array(module.pixel_ranks(turned)).tolist()
        == array(module.pixel_ranks(explanation)).tolist()
    )
    assert float(module.rank_correlation(turned, explanation)) == 1
    turned = to(array(image).swapaxes(0, 2).astype(dtype).copy()).swapaxes(0, 2)
    for curve in (module.deletion_curve, module.insertion_curve):
        got, want = (curve(f, i, 1, explanation, 6)[1] for i in (turned, image))
        assert_allclose(array(got), array(want), rtol=1e-4)


@BOTH
@pytest.mark.parametrize("block", [1, 4, 7, 1000])
def test_blocks_of_images(twins, tree, block, rng):
    module, to = twins[tree]
    image, explanation, sizes = to(rng.normal(size=(2, 3, 4))), to(rng.normal(size=(3, 4))), []

    def f(x):
        sizes.append(len(x))
        return pixel_model(np.ones((2, 3, 4)))(x)

    module.deletion_curve(f, image, 1, explanation, 6, block=block)
    assert sum(sizes) == 7 and max(sizes) <= block and len(sizes) == -(-7 // block)


def test_a_module_is_evaluated_and_left_as_it_was(tensor, device, rng):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.BatchNorm2d(2), torch.nn.Dropout(), torch.nn.Flatten(), torch.nn.Linear(40, 3)
    )
    model = model.double().to(device)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    image = tensor(rng.normal(size=(2, 4, 5))).requires_grad_()
    explanation = tensor(rng.normal(size=(4, 5)))
    for curve in (gpu.deletion_curve, gpu.insertion_curve):
        _, scores = curve(model.train(), image, 1, explanation, 10)
        assert model.training and model[1].training and not scores.requires_grad
        _, want = curve(model.eval().forward, image, 1, explanation, 10)
        assert_allclose(scores.cpu(), want.cpu(), rtol=1e-12)
    assert all((state[name] == value).all() for name, value in model.state_dict().items())


@BOTH
def test_refuses(twins, tree):
    module, to = twins[tree]

    def a(*shape):
        return to(np.zeros(shape))

    f, image, explanation = pixel_model(np.zeros((2, 3, 4))), a(2, 3, 4), a(3, 4)
    for bad in (a(3), a(3, 0), to(np.zeros((3, 4), int))):
        with pytest.raises(
            ValueError, match=r"explanation must be \(\.\.\., H, W\) floats.*got .*shape"
        ):
            module.pixel_ranks(bad)
    for bad in (to(np.zeros((3, 4), bool)).T, a(3, 4)):
        for call in (module.pointing_game, module.mask_overlap):
            with pytest.raises(ValueError, match=r"mask must be \(3, 4\) bool.*got .*shape \("):
                call(explanation, bad)
    for sigma in (0, -1, np.nan, np.inf):
        with pytest.raises(ValueError, match=f"sigma must be positive and finite, got {sigma}"):
            module.blur(image, sigma)
    with pytest.raises(ValueError, match=r"image must be .*got .*shape \(3, 4\)"):
        module.blur(explanation, 1)
    for curve in (module.deletion_curve, module.insertion_curve):
        with pytest.raises(ValueError, match=r"image must be .*got .*shape \(3, 4\)"):
            curve(f, explanation, 1, explanation)
        for bad in (explanation.T, a(1, 3, 4)):
            with pytest.raises(ValueError, match=r"explanation must be \(3, 4\), the size of the"):
                curve(f, image, 1, bad, 5)
        for n_steps in (0, 13):
            with pytest.raises(ValueError, match=rf"n_steps must lie in \[1, 12\].*got {n_steps}"):
                curve(f, image, 1, explanation, n_steps)
        with pytest.raises(ValueError, match=r"fill must be .*got shape \(3, 1, 1\)"):
            curve(f, image, 1, explanation, 5, a(3, 1, 1))
        with pytest.raises(ValueError, match="block must be at least 1, got 0"):
            curve(f, image, 1, explanation, 5, block=0)
        with pytest.raises(ValueError, match="label 2"):
            curve(f, image, 2, explanation, 5)
    for x, y in [((1,), (1,)), ((3,), (2,)), ((2, 2), (2, 2))]:
        with pytest.raises(ValueError, match=r"must be \(n,\), n at least 2, got \("):
            module.area_under(a(*x), a(*y))
    for x, y in [((3,), (2,)), ((0,), (0,))]:
        with pytest.raises(ValueError, match=r"of one shape, not empty, got \("):
            module.rank_correlation(a(*x), a(*y))
    params = {"w": a(2)}
    with pytest.raises(ValueError, match="at least one list of keys, got none"):
        module.randomization_check(lambda p: p["w"], params, params, [])
    for layers, fresh in [([["v"]], params), ([["w"], ["v"]], {"v": a(2)} | params), ([["w"]], {})]:
        with pytest.raises(ValueError, match=r"keys of params and of fresh, got '[vw]'"):
            module.randomization_check(lambda p: p["w"], params, fresh, layers)
    with pytest.raises(ValueError, match="keys of params and of fresh, got 1"):
        module.randomization_check(lambda p: p[0], [a(2)], [a(2)], [[1]])
