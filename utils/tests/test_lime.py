import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from lime.lime_base import LimeBase
from lime.lime_image import LimeImageExplainer
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import Ridge
from sklearn.metrics import pairwise_distances

from utils.gpu import lime as gpu
from utils.reference import lime as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])


@pytest.fixture
def twins(tensor, device):
    """{tree: (module, how it takes arrays, how it makes randomness of a seed)}"""
    return {
        "reference": (reference, np.asarray, np.random.default_rng),
        "gpu": (gpu, tensor, lambda seed: torch.Generator(device).manual_seed(seed)),
    }


def array(result):
    return np.array(result.tolist()) if torch.is_tensor(result) else result


def random_segments(H, W, n, rng):
    """(H, W) ints, each of 0 to n - 1 at least once."""
    return rng.permutation(np.append(np.arange(n), rng.integers(n, size=H * W - n))).reshape(H, W)


def pixel_model(w):
    """f of arrays or tensors: class 0 scores nothing, class 1 the sum of w times the pixels."""

    def f(x):
        if torch.is_tensor(x):
            s = (x * torch.as_tensor(w, dtype=x.dtype, device=x.device)).sum((1, 2, 3))
            return torch.stack([0 * s, s], 1)
        s = (x * w.astype(x.dtype)).sum((1, 2, 3))
        return np.stack([0 * s, s], 1)

    return f


def problem(rng, N=40, n=6):
    """Masks, scores that are not linear in them, weights."""
    masks = reference.random_masks(N, n, rng)
    scores = masks @ rng.normal(size=n) + masks[:, 0] * masks[:, 1] + rng.normal(size=N)
    return masks, scores, reference.proximity(masks)


@BOTH
def test_proximity_of_the_slide(twins, tree):
    module, to, _ = twins[tree]
    masks = to(np.array([[1, 1, 1, 1], [1, 0, 0, 1], [0, 1, 0, 0], [0, 0, 0, 0]], dtype=float))
    got = array(module.proximity(masks))
    assert round(got[1], 4) == 0.5034  # PV021, slide 223: nu = 1/4, half off
    assert_allclose(got, np.exp([0, -8 * (1 - 0.5**0.5) ** 2, -8 * 0.5**2, -8]), rtol=1e-12)
    assert_allclose(array(module.proximity(masks, nu=1.0))[3], np.exp(-0.5), rtol=1e-12)
    assert array(module.proximity(masks, nu=1e-3)).tolist() == [1, 0, 0, 0]
    assert_allclose(array(module.proximity(masks > 0)), got, rtol=1e-6)  # torch: in float32


@BOTH
def test_proximity_of_the_package(twins, tree, rng):
    """Its cosine distance and its kernel, with all off as far as can be."""
    module, to, _ = twins[tree]
    masks = rng.integers(2, size=(50, 7)).astype(float)
    masks[0], masks[1] = 1, 0
    distances = pairwise_distances(masks, masks[:1], metric="cosine").ravel()
    for width in (0.25, 0.6):
        want = LimeImageExplainer(kernel_width=width).base.kernel_fn(distances)
        assert_allclose(array(module.proximity(to(masks), width)), want, rtol=1e-10)


@BOTH
def test_masks_are_coins(twins, tree):
    module, _, seed = twins[tree]
    masks = array(module.random_masks(2001, 50, seed(0)))
    assert masks.dtype == bool and masks.shape == (2001, 50) and masks[0].all()
    drawn = masks[1:] - 0.5
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.mean(axis=0)).max() < 0.05 and abs(drawn.mean(axis=1)).max() < 0.35
    assert abs(drawn.T @ drawn / 2000 - np.eye(50) / 4).max() < 0.03  # independent
    assert_array_equal(masks, array(module.random_masks(2001, 50, seed(0))))
    assert (masks != array(module.random_masks(2001, 50, seed(1)))).any()
    assert array(module.random_masks(1, 1, seed(0))).tolist() == [[True]]


@BOTH
def test_switched_off_by_hand(twins, tree):
    module, to, _ = twins[tree]
    image = to(np.array([[[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], [[0.0, 0.0, 9.0], [0.0, 0.0, -9.0]]]))
    segments, masks = to(np.array([[0, 0, 1], [0, 2, 1]])), to(np.array([[1, 0, 1], [0, 1, 1]]) > 0)
    means = [[[7 / 3, 7 / 3, 4.5], [7 / 3, 5, 4.5]], [[0, 0, 0], [0, 0, 0]]]
    assert_allclose(array(module.mean_colors(image, segments)), means, rtol=1e-15)
    got = array(module.switch_off(image, segments, masks))
    assert_allclose(got[0], [[[1, 2, 4.5], [4, 5, 4.5]], [[0, 0, 0], [0, 0, 0]]], rtol=1e-15)
    assert_allclose(got[1, 0], [[7 / 3, 7 / 3, 3], [7 / 3, 5, 6]], rtol=1e-15)
    got = array(module.switch_off(image, segments, masks, fill=7))
    assert got[0].tolist() == [[[1, 2, 7], [4, 5, 7]], [[0, 0, 7], [0, 0, 7]]]
    color = to(np.array([7.0, 8.0]).reshape(2, 1, 1))
    got = array(module.switch_off(image, segments, masks, color))
    assert got[1].tolist() == [[[7, 7, 3], [7, 5, 6]], [[8, 8, 9], [8, 0, -9]]]
    whole = module.switch_off(image, segments, to(np.ones((1, 3), bool)))
    assert array(whole)[0].tolist() == image.tolist()
    assert module.switch_off(image, segments, masks[:0]).shape == (0, 2, 2, 3)


@given(
    st.integers(1, 30),
    st.integers(1, 8),
    st.sampled_from([1e-3, 0.1, 1.0, 30.0]),
    st.integers(0, 99),
)
def test_ridge_of_scikit_learn(N, n, strength, seed):
    rng = np.random.default_rng(seed)
    x, y, weights = rng.normal(size=(N, n)), rng.normal(size=N) + 5, rng.uniform(0.01, 3, size=N)
    weights[1:2] = 0  # a sample that does not count
    want = Ridge(alpha=strength).fit(x, y, sample_weight=weights)
    for module, to in [(reference, np.asarray), (gpu, torch.tensor)]:
        w, intercept = module.weighted_ridge(to(x), to(y), to(weights), strength)
        assert_allclose(w, want.coef_, rtol=1e-10, atol=1e-10)
        assert_allclose(float(intercept), want.intercept_, rtol=1e-10)


@BOTH
def test_ridge_by_hand(twins, tree):
    module, to, _ = twins[tree]
    # means x = 1 and y = 3, so x: -1, 1, y: -2, 2, weights 1, 1: w = 4 / (2 + strength)
    x, y = to(np.array([[0.0], [2.0]])), to(np.array([1.0, 5.0]))
    for strength, w in [(0, 2), (2, 1), (6, 0.5)]:
        got, intercept = module.weighted_ridge(x, y, to(np.ones(2)), strength)
        assert_allclose((float(got[0]), float(intercept)), (w, 3 - w), rtol=1e-12)
    # weights 3, 1: means 0.5 and 2, slope still 2 without a cost; cost 3: 3 (-.5)(-1) + 1.5 3 = 6
    for strength, w in [(0, 2), (3, 6 / (3 + 3))]:
        got, intercept = module.weighted_ridge(x, y, to(np.array([3.0, 1.0])), strength)
        assert_allclose((float(got[0]), float(intercept)), (w, 2 - w / 2), rtol=1e-12)
    # two columns that nothing tells apart share the slope
    twice = to(np.array([[0.0, 0.0], [2.0, 2.0]]))
    got, _ = module.weighted_ridge(twice, y, to(np.ones(2)), 0)
    assert_allclose(array(got), [1, 1], rtol=1e-12)


@BOTH
@pytest.mark.parametrize("selection, k", [("none", None), ("highest_weights", 3)])
def test_the_package_agrees(twins, tree, selection, k, rng):
    """The same masks, so the same fit; for the package's own strength 1."""
    module, to, _ = twins[tree]
    masks, scores, weights = problem(rng)
    distances = pairwise_distances(masks.astype(float), np.ones((1, 6)), metric="cosine").ravel()
    base = LimeBase(lambda d: np.sqrt(np.exp(-(d**2) / 0.25**2)))
    want_intercept, pairs, want_r2, _ = base.explain_instance_with_data(
        masks.astype(float), scores[:, None], distances, 0, k, feature_selection=selection
    )
    want = np.zeros(6)
    for feature, w in pairs:
        want[feature] = w
    coefficients, intercept, r2 = module.lime_fit(to(masks), to(scores), to(weights), k)
    assert (array(coefficients) != 0).sum() == (k or 6)
    assert_allclose(array(coefficients), want, rtol=1e-10, atol=1e-12)
    assert_allclose(float(intercept), want_intercept, rtol=1e-10)
    assert_allclose(float(r2), want_r2, rtol=1e-10)


@BOTH
def test_the_whole_package_agrees(twins, tree, rng):
    """Its image explainer, with the masks that ours draws."""
    module, to, seed = twins[tree]
    image, w = rng.uniform(size=(3, 6, 7)), rng.normal(size=(3, 6, 7))
    segments, n_samples = random_segments(6, 7, 5, rng), 30

    def squared(x):
        return pixel_model(w)(x) ** 2

    masks = array(module.random_masks(n_samples, 5, seed(3)))

    class Replay:
        """A RandomState that repeats our masks."""

        def randint(self, low, high, size=None):
            return 0 if size is None else masks.astype(int).ravel()

    explainer = LimeImageExplainer(feature_selection="none")
    explainer.random_state = Replay()
    for fill in (None, 0):
        want = explainer.explain_instance(
            image.transpose(1, 2, 0),
            lambda images: squared(np.asarray(images).transpose(0, 3, 1, 2)),
            labels=(1,),
            hide_color=fill,
            top_labels=None,
            num_samples=n_samples,
            segmentation_fn=lambda _: segments,
        )
        coefficients, intercept, r2 = module.lime(
            squared, to(image), 1, to(segments), seed(3), n_samples, fill=fill, block=7
        )
        for feature, value in want.local_exp[1]:
            assert_allclose(float(coefficients[feature]), value, rtol=1e-9, atol=1e-12)
        assert_allclose(float(intercept), want.intercept[1], rtol=1e-10)
        assert_allclose(float(r2), want.score, rtol=1e-10)


@given(st.integers(1, 6), st.integers(1, 4), st.integers(0, 99))
def test_an_additive_model_is_recovered(n, C, seed):
    """Class 1 adds up pixels: a superpixel is worth the sum of w (pixel - fill)."""
    rng = np.random.default_rng(seed)
    image, w, fill = rng.normal(size=(3, C, 4, 5))
    segments = random_segments(4, 5, n, rng)
    worth = np.bincount(segments.ravel(), (w * (image - fill)).sum(0).ravel())
    for module, to, generator in [
        (reference, np.asarray, np.random.default_rng(seed)),
        (gpu, torch.tensor, torch.Generator().manual_seed(seed)),
    ]:
        coefficients, intercept, r2 = module.lime(
            pixel_model(w), to(image), 1, to(segments), generator, 200, strength=0, fill=to(fill)
        )
        assert_allclose(coefficients, worth, rtol=1e-9, atol=1e-10)
        assert_allclose(float(intercept), (w * fill).sum(), rtol=1e-9, atol=1e-10)
        assert_allclose(float(r2), 1, rtol=1e-10)


@BOTH
def test_finds_the_one_pixel_that_counts(twins, tree, rng):
    module, to, seed = twins[tree]
    image, w = to(rng.uniform(1, 2, size=(1, 6, 8))), np.zeros((1, 6, 8))
    segments = np.arange(48).reshape(6, 8) // 4
    w[0, 3, 5] = 2
    for k in (None, 1, 3):
        coefficients, _, r2 = module.lime(
            pixel_model(w), image, 1, to(segments), seed(0), 300, k, strength=1e-9, fill=0
        )
        strongest = segments[3, 5]
        assert_allclose(float(coefficients[strongest]), 2 * float(image[0, 3, 5]), rtol=1e-8)
        assert abs(np.delete(array(coefficients), strongest)).max() < 1e-8
        assert_allclose(float(r2), 1)


@BOTH
def test_a_constant_model_has_nothing_to_explain(twins, tree, rng):
    module, to, seed = twins[tree]

    def f(x):
        return 0.1 + 0 * x[:, :, 0, 0]

    got = module.lime(f, to(rng.normal(size=(2, 4, 4))), 0, to(np.eye(4, dtype=int)), seed(0), 50)
    assert array(got[0]).tolist() == [0, 0] and float(got[1]) == 0.1 and float(got[2]) == 1


@BOTH
def test_the_strongest_k(twins, tree, rng):
    module, to, _ = twins[tree]
    masks, scores, weights = problem(rng, N=200)
    scores = scores + masks @ np.array([0, 0, 5, -9, 0, 3.0])
    given = to(masks), to(scores), to(weights)
    for k, kept in [(1, [3]), (2, [2, 3]), (3, [2, 3, 5])]:
        coefficients, intercept, r2 = module.lime_fit(*given, k, strength=0.3)
        want = Ridge(alpha=0.3).fit(masks[:, kept], scores, sample_weight=weights)
        assert np.flatnonzero(array(coefficients)).tolist() == kept
        assert_allclose(array(coefficients)[kept], want.coef_, rtol=1e-10)
        assert_allclose(float(intercept), want.intercept_, rtol=1e-10)
        score = want.score(masks[:, kept], scores, sample_weight=weights)
        assert_allclose(float(r2), score, rtol=1e-10)
    some, every = module.lime_fit(*given, 6), module.lime_fit(*given)
    assert_allclose(array(some[0]), array(every[0]), rtol=1e-10)
    # two that tie: the first
    masks, scores = np.array([[1, 1], [0, 0]], bool), np.array([1.0, 0.0])
    coefficients, *_ = module.lime_fit(to(masks), to(scores), to(np.ones(2)), 1)
    assert float(coefficients[0]) > 0 == float(coefficients[1])


@BOTH
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-12), ("float32", 1e-4)])
def test_dtype_stays_and_no_input_changes(twins, tree, dtype, tol, rng):
    module, to, seed = twins[tree]
    image, w = rng.uniform(size=(2, 4, 5)).astype(dtype), rng.normal(size=(2, 4, 5))
    segments = random_segments(4, 5, 4, rng)
    arrays = [to(image), to(segments), to(rng.normal(size=(2, 1, 1)))]
    before = [a.tolist() for a in arrays]
    masks = module.random_masks(30, 4, seed(0))
    results = [
        module.mean_colors(*arrays[:2]),
        module.switch_off(*arrays[:2], masks),
        module.switch_off(*arrays[:2], masks, arrays[2]),
        module.proximity(to(array(masks).astype(dtype))),
        module.lime(pixel_model(w), *arrays[:1], 1, arrays[1], seed(0), 30, fill=arrays[2])[0],
        module.lime(pixel_model(w), *arrays[:1], 1, arrays[1], seed(0), 30, k=2)[0],
    ]
    for result in results:
        assert str(result.dtype).endswith(dtype)
    results[1][:] = results[2][:] = 0
    assert [a.tolist() for a in arrays] == before
    scores, weights = to(rng.normal(size=30).astype(dtype)), to(rng.uniform(size=30))
    before = [a.tolist() for a in (masks, scores, weights)]
    w, intercept = module.weighted_ridge(masks, scores, weights)
    again = module.lime_fit(masks, scores, weights)
    assert str(w.dtype).endswith(dtype) and str(again[0].dtype).endswith(dtype)
    if tree == "gpu":
        assert intercept.dtype == again[1].dtype == again[2].dtype == w.dtype
        assert intercept.shape == again[1].shape == again[2].shape == ()
    else:
        assert {type(v) for v in (intercept, *again[1:])} == {float}
    assert [a.tolist() for a in (masks, scores, weights)] == before
    want = Ridge(alpha=1.0).fit(array(masks), array(scores), sample_weight=array(weights))
    assert_allclose(array(w), want.coef_, rtol=tol, atol=tol)


@BOTH
@pytest.mark.parametrize("block", [1, 4, 10, 1000])
def test_blocks_of_images(twins, tree, block, rng):
    module, to, seed = twins[tree]
    image, w, sizes = to(rng.normal(size=(2, 3, 3))), rng.normal(size=(2, 3, 3)), []
    segments = to(np.arange(9).reshape(3, 3))

    def f(x):
        sizes.append(len(x))
        return pixel_model(w)(x)

    got = module.lime(f, image, 1, segments, seed(0), 10, fill=0, block=block)
    assert sum(sizes) == 10 and max(sizes) <= block and len(sizes) == -(-10 // block)
    want = module.lime(f, image, 1, segments, seed(0), 10, fill=0)
    assert_allclose(array(got[0]), array(want[0]), rtol=1e-12)
    other = module.lime(f, image, 1, segments, seed(1), 10, fill=0)
    assert abs(array(other[0]) - array(want[0])).max() > 1e-3


@BOTH
def test_sizes_of_one_views_nan_and_huge_scores(twins, tree, rng):
    module, to, seed = twins[tree]
    one = to(np.ones((1, 1, 1))), 1, to(np.zeros((1, 1), int)), seed(0)
    coefficients, intercept, r2 = module.lime(pixel_model(np.ones((1, 1, 1))), *one, n_samples=1)
    assert array(coefficients).tolist() == [0] and float(intercept) == 1 and float(r2) == 1
    masks, scores, weights = problem(rng)
    want = module.lime_fit(to(masks), to(scores), to(weights))
    got = module.lime_fit(to(masks.T.copy()).T, to(np.repeat(scores, 2))[::2], to(weights))
    assert_allclose(array(got[0]), array(want[0]), rtol=1e-10)
    for scale in (1e100, 1e-100):
        got = module.lime_fit(to(masks), to(scale * scores), to(weights))
        assert_allclose(array(got[0]) / scale, array(want[0]), rtol=1e-10)
        assert_allclose(float(got[2]), float(want[2]), rtol=1e-10)
    far, *_ = module.lime_fit(to(masks), to(scores + 1e6), to(weights))
    assert_allclose(array(far), array(want[0]), rtol=1e-8)
    scores[3] = np.nan
    for result in module.lime_fit(to(masks), to(scores), to(weights)):
        assert np.isnan(array(result)).all()
    image = np.ones((1, 2, 2))
    image[0, 0, 0] = np.nan
    colors = array(module.mean_colors(to(image), to(np.array([[0, 0], [1, 1]]))))
    assert np.isnan(colors[0, 0]).all()
    view = to(rng.normal(size=(4, 3, 2))).swapaxes(0, 2)
    segments = to(random_segments(4, 3, 3, rng)).T
    got = array(module.mean_colors(view, segments))
    for s in range(3):
        here = array(segments) == s
        mean = np.array(view.tolist())[:, here].mean(axis=1)
        assert_allclose(got[:, here], np.repeat(mean[:, None], here.sum(), 1), rtol=1e-12)


def test_a_module_is_evaluated_and_left_as_it_was(tensor, device, rng):
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.BatchNorm2d(2), torch.nn.Dropout(), torch.nn.Flatten(), torch.nn.Linear(40, 3)
    )
    model = model.double().to(device)
    state = {name: value.clone() for name, value in model.state_dict().items()}
    image = tensor(rng.normal(size=(2, 4, 5))).requires_grad_()
    segments = tensor(random_segments(4, 5, 6, rng))
    results = [
        gpu.lime(m, image, 1, segments, torch.Generator(device).manual_seed(0), 100)
        for m in (model, model.eval(), model.forward)
    ]
    for result in results:
        assert [r.requires_grad for r in result] == [False] * 3
        assert_allclose(result[0].cpu(), results[0][0].cpu(), rtol=1e-12)
    assert all((state[name] == value).all() for name, value in model.state_dict().items())


@BOTH
def test_refuses(twins, tree):
    module, to, seed = twins[tree]
    image, segments = to(np.zeros((2, 3, 4))), to(np.repeat([0, 1, 2], 4).reshape(3, 4))
    masks, f = to(np.ones((5, 3), bool)), pixel_model(np.zeros((2, 3, 4)))
    for N, n in [(0, 3), (3, 0)]:
        with pytest.raises(ValueError, match=f"must be at least 1, got {N} and {n}"):
            module.random_masks(N, n, seed(0))
    for bad in (segments.T, to(np.zeros((3, 4)))):
        for call in (
            lambda s: module.mean_colors(image, s),
            lambda s: module.switch_off(image, s, masks),
            lambda s: module.lime(f, image, 1, s, seed(0)),
        ):
            with pytest.raises(
                ValueError, match=r"segments must be \(3, 4\) int.*got .*(int|float)64"
            ):
                call(bad)
    with pytest.raises(ValueError, match=r"image must be a non-empty \(C, H, W\).*shape \(3, 4\)"):
        module.mean_colors(image[0], segments)
    for bad in (to(np.ones((5, 3))), to(np.ones(3, bool))):
        with pytest.raises(ValueError, match=r"masks must be \(.*\) bool.*got .*shape"):
            module.switch_off(image, segments, bad)
    with pytest.raises(ValueError, match=r"fill must be .*got shape \(3, 1, 1\)"):
        module.switch_off(image, segments, masks, to(np.zeros((3, 1, 1))))
    for bad in (to(np.ones(3)), to(np.ones((3, 0)))):
        with pytest.raises(
            ValueError, match=r"masks must be \(N, l\) with l at least 1, got shape"
        ):
            module.proximity(bad)
    for nu in (0, -1, np.nan):
        with pytest.raises(ValueError, match=f"nu must be positive, got {nu}"):
            module.proximity(masks, nu)
    ones = to(np.ones(5))
    for x, y, weights in [
        (masks, ones[:4], ones),
        (masks, ones, ones[:4]),
        (masks[0], ones, ones),
        (masks[:0], ones[:0], ones[:0]),
    ]:
        for fit in (module.weighted_ridge, module.lime_fit):
            with pytest.raises(ValueError, match=r"\(N, l\), \(N,\), \(N,\), N at least 1, got \("):
                fit(x, y, weights)
    for strength in (-1, np.nan):
        with pytest.raises(ValueError, match=f"strength must be at least 0, got {strength}"):
            module.weighted_ridge(masks, ones, ones, strength)
    for k in (0, 4):
        with pytest.raises(ValueError, match=rf"k must lie in \[1, 3\].*got {k}"):
            module.lime_fit(masks, ones, ones, k)
    with pytest.raises(ValueError, match="block must be at least 1, got 0"):
        module.lime(f, image, 1, segments, seed(0), block=0)
    with pytest.raises(ValueError, match="label 2"):
        module.lime(f, image, 2, segments, seed(0))


def test_the_reference_looks_at_values():
    image, masks, ones = np.zeros((1, 2, 2)), np.ones((5, 2), bool), np.ones(5)
    for bad in ([[1, 1], [2, 2]], [[0, 0], [2, 2]], [[-1, 0], [1, 1]]):
        with pytest.raises(ValueError, match="segments must be 0 to l - 1, each at least once"):
            reference.mean_colors(image, np.array(bad))
    with pytest.raises(
        ValueError, match=r"masks must be \(N, 1\) bool.*got bool of shape \(5, 2\)"
    ):
        reference.switch_off(image, np.zeros((2, 2), int), masks)
    for bad in (-1, 0, np.nan):
        with pytest.raises(ValueError, match=f"weights must not be negative.*got {bad}"):
            reference.lime_fit(masks, ones, np.full(5, float(bad)))
    with pytest.raises(ValueError, match="x must be finite, got nan"):
        reference.weighted_ridge(np.full((5, 2), np.nan), ones, ones)
