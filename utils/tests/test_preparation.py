import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.decomposition import PCA
from sklearn.impute import SimpleImputer
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from utils.gpu import preparation as gpu
from utils.reference import preparation as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
NAMES = [
    "center",
    "standardize",
    "min_max",
    "decorrelate",
    "whiten",
    "impute_mean",
    "clip_outliers",
]
MATRICES = arrays(
    np.float64, (6, 3), elements=st.integers(-100_000, 100_000).map(lambda i: i / 1000)
)


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


@pytest.fixture
def data(rng):
    """Correlated features of different scale, (50, 4) to train and (20, 4) to transform."""
    mix = rng.normal(size=(4, 4)) * [1, 10, 0.1, 3]
    return rng.normal(size=(50, 4)) @ mix + 5, rng.normal(size=(20, 4)) @ mix


X_TRAIN = np.array([[0.0, 1.0], [2.0, 1.0], [4.0, 1.0]])  # means 2, 1; deviations sqrt(8/3), 0
X = np.array([[6.0, 1.0], [2.0, 9.0]])


@BOTH
@pytest.mark.parametrize(
    "name, options, want",
    [
        ("center", {}, [[4, 0], [0, 8]]),
        ("standardize", {}, [[4 / np.sqrt(8 / 3), 0], [0, 0]]),  # a constant feature becomes 0
        ("min_max", {}, [[1.5, 0], [0.5, 0]]),  # 6/4 lies beyond the training range
        ("min_max", {"low": -1, "high": 3}, [[5, -1], [1, -1]]),  # -1 + 4 * 1.5
        ("clip_outliers", {"n_deviations": 1.5}, [[2 + 1.5 * np.sqrt(8 / 3), 1], [2, 1]]),
    ],
)
def test_by_hand(twins, tree, name, options, want):
    module, to = twins[tree]
    assert_allclose(getattr(module, name)(to(X_TRAIN), to(X), **options).tolist(), want, atol=1e-15)


@BOTH
def test_whiten_by_hand(twins, tree):
    module, to = twins[tree]
    # On the line x2 = x1: axes (1, 1)/sqrt 2 and (1, -1)/sqrt 2; variances 2 * 8/3 and 0.
    x = np.array([[-2.0, -2.0], [0.0, 0.0], [2.0, 2.0]])
    along = np.array([-2, 0, 2]) * np.sqrt(2)
    rotated = module.decorrelate(to(x), to(x)).tolist()
    assert_allclose(rotated, np.stack([along, 0 * along], axis=1), atol=1e-15)
    white = module.whiten(to(x), to(x), eps=0.1).tolist()
    assert_allclose(white, np.stack([along / np.sqrt(16 / 3 + 0.1), 0 * along], axis=1), atol=1e-14)


@BOTH
def test_signs_of_axes_do_not_hang_on_rounding(twins, tree, rng):
    """Standardized 2-D data have the axes (1, 1) and (1, -1), whose largest entry is a tie."""
    module, to = twins[tree]
    for slant in np.linspace(-0.9, 0.9, 20):
        x = rng.normal(size=(100, 2)) @ [[1, slant], [0, 0.5]]
        x = reference.standardize(x, x)
        got = np.array(module.decorrelate(to(x), to(x)).tolist())
        plus, minus = x.sum(axis=1) / np.sqrt(2), (x[:, 0] - x[:, 1]) / np.sqrt(2)
        want = [plus, minus] if (x[:, 0] * x[:, 1]).sum() > 0 else [minus, plus]
        assert_allclose(got, np.transpose(want), atol=1e-10)


@given(MATRICES)
def test_what_must_hold_on_the_training_set(x):
    spread = x.max(axis=0) - x.min(axis=0)
    for name in NAMES:
        assert np.isfinite(getattr(reference, name)(x, x)).all(), name
    assert_allclose(reference.center(x, x).mean(axis=0), 0, atol=1e-12)
    scaled = reference.min_max(x, x)
    assert_allclose(scaled.min(axis=0), 0)
    assert_allclose(scaled.max(axis=0), spread > 0)
    if (spread > 1e-3).all():  # below, rounding of values up to 100 shows
        standard = reference.standardize(x, x)
        assert_allclose(standard.mean(axis=0), 0, atol=1e-9)
        assert_allclose(standard.std(axis=0), 1)
        assert_allclose(reference.standardize(standard, standard), standard, atol=1e-8)
    rotated = reference.decorrelate(x, x)
    assert_allclose((rotated**2).sum(), (reference.center(x, x) ** 2).sum(), rtol=1e-10, atol=1e-10)
    covariance = rotated.T @ rotated / len(x)
    assert_allclose(covariance, np.diag(np.diag(covariance)), atol=1e-9)
    assert (np.diff(np.diag(covariance)) <= 1e-9).all()


def test_whitened_covariance_is_the_identity(data):
    x_train, _ = data
    white = reference.whiten(x_train, x_train, eps=0)
    assert_allclose(white.mean(axis=0), 0, atol=1e-12)
    assert_allclose(white.T @ white / len(white), np.eye(4), atol=1e-9)


def test_sklearn_agrees(data):
    x_train, x = data
    assert_allclose(reference.standardize(x_train, x), StandardScaler().fit(x_train).transform(x))
    scaler = MinMaxScaler((-2, 3)).fit(x_train)
    assert_allclose(reference.min_max(x_train, x, -2, 3), scaler.transform(x))
    # sklearn's deviations divide by N - 1, and its axes may point the other way
    white = PCA(whiten=True, svd_solver="full").fit(x_train).transform(x) * np.sqrt(50 / 49)
    assert_allclose(np.abs(reference.whiten(x_train, x, eps=0)), np.abs(white), rtol=1e-8)
    rotated = PCA(svd_solver="full").fit(x_train).transform(x)
    assert_allclose(np.abs(reference.decorrelate(x_train, x)), np.abs(rotated), rtol=1e-8)
    holes, more_holes = (np.where(a > 6, np.nan, a) for a in data)
    assert_allclose(
        reference.impute_mean(holes, more_holes), SimpleImputer().fit(holes).transform(more_holes)
    )


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 2e-3)])  # eigh in float32
def test_twins_agree(tensor, data, name, dtype, tol):
    x_train, x = (a.astype(dtype) for a in data)
    if name == "impute_mean":
        x_train, x = (np.where(a > 6, np.nan, a) for a in (x_train, x))
    got = getattr(gpu, name)(tensor(x_train), tensor(x))
    assert str(got.dtype) == f"torch.{dtype}"
    assert getattr(reference, name)(x_train, x).dtype == dtype
    assert_allclose(got.cpu(), getattr(reference, name)(x_train, x), rtol=tol, atol=tol)


@BOTH
@pytest.mark.parametrize("name", NAMES)
def test_one_training_example_is_all_constant(twins, tree, name):
    module, to = twins[tree]
    got = getattr(module, name)(to(np.array([[0.1, 0.2]])), to(np.array([[0.1, 0.2]])))
    want = [[0.1, 0.2]] if name in ("impute_mean", "clip_outliers") else [[0, 0]]
    assert_allclose(got.tolist(), want, atol=1e-12)


@BOTH
def test_a_constant_that_rounds_is_still_constant(twins, tree):
    module, to = twins[tree]
    x = np.full((3, 1), 0.1)
    assert x.std() > 0  # 1e-17: dividing by it would give -1, not 0
    assert module.standardize(to(x), to(x)).tolist() == [[0]] * 3


@BOTH
def test_inputs_stay_as_they_were(twins, tree, data):
    module, to = twins[tree]
    x_train, x = to(data[0].copy()), to(data[1].copy())
    for name in NAMES:
        getattr(module, name)(x_train, x)
    assert_array_equal(x_train.tolist(), data[0])
    assert_array_equal(x.tolist(), data[1])


@BOTH
def test_impute_by_hand(twins, tree):
    module, to = twins[tree]
    x_train = to(np.array([[1.0, np.nan], [3.0, 5.0]]))
    x = to(np.array([[np.nan, np.nan], [7.0, 8.0]]))
    assert module.impute_mean(x_train, x).tolist() == [[2, 5], [7, 8]]


def test_impute_needs_one_value():
    with pytest.raises(ValueError, match=r"got none in \[1\]"):
        reference.impute_mean(np.array([[1.0, np.nan]]), np.array([[1.0, 2.0]]))


@BOTH
def test_equalize_by_hand(twins, tree):
    module, to = twins[tree]
    image = np.array([[10, 10, 11], [11, 12, 200]], dtype=np.uint8)
    # cdf: 10 -> 2, 11 -> 4, 12 -> 5, 200 -> 6; new = 255 (cdf - 2) / (6 - 2)
    want = [[0, 0, 128], [128, 191, 255]]  # 127.5 to even 128, 191.25 to 191
    got = module.equalize_histogram(to(image))
    assert got.tolist() == want
    assert str(got.dtype).endswith("uint8")
    assert module.equalize_histogram(to(image.astype(float))).tolist() == want
    assert module.equalize_histogram(to(np.array([[1, 3]])), levels=4).tolist() == [[0, 3]]
    assert module.equalize_histogram(to(np.full((2, 2), 7))).tolist() == [[7, 7], [7, 7]]


@given(arrays(np.uint8, st.tuples(st.integers(1, 6), st.integers(1, 6))))
def test_equalizing_keeps_the_order_of_grays(image):
    import torch

    new = reference.equalize_histogram(image)
    assert_array_equal(gpu.equalize_histogram(torch.tensor(image)), new)
    assert_array_equal(reference.equalize_histogram(new), new)
    grays, where = np.unique(image, return_index=True)
    after = new.ravel()[where].astype(int)
    assert (np.diff(after) >= 0).all()
    if len(grays) > 1:
        assert (after[0], after[-1]) == (0, 255)


@pytest.mark.parametrize(
    "image", [np.array([[0, 256]]), np.array([[-1, 255]]), np.array([[np.nan]]), np.zeros((0, 2))]
)
def test_equalize_refuses(image):
    with pytest.raises(ValueError, match=r"values in \[0, 255\], got"):
        reference.equalize_histogram(image)


@BOTH
@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "shapes", [((0, 2), (1, 2)), ((3, 2), (1, 3)), ((3,), (3,)), ((3, 2), (2,)), ((3, 0), (1, 0))]
)
def test_shapes_that_do_not_fit(twins, tree, name, shapes):
    module, to = twins[tree]
    with pytest.raises(ValueError, match=r"x_train and x must be \(N, D\) and \(M, D\)"):
        getattr(module, name)(*(to(np.zeros(shape)) for shape in shapes))


@BOTH
@pytest.mark.parametrize(
    "name, options, message",
    [
        ("min_max", {"low": 1.0, "high": 1.0}, "low must be below high"),
        ("whiten", {"eps": -1.0}, "eps must be at least 0"),
        ("clip_outliers", {"n_deviations": 0.0}, "n_deviations must be positive"),
    ],
)
def test_options_that_make_no_sense(twins, tree, name, options, message):
    module, to = twins[tree]
    with pytest.raises(ValueError, match=message):
        getattr(module, name)(to(X_TRAIN), to(X), **options)
