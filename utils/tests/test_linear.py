import numpy as np
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.linear_model import LogisticRegression, Perceptron
from sklearn.metrics.pairwise import rbf_kernel
from sklearn.preprocessing import PolynomialFeatures

from utils.gpu import linear as gpu
from utils.gpu import losses as gpu_losses
from utils.reference import linear as reference
from utils.reference import losses as reference_losses

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
LOSSES = ["softmax_cross_entropy", "multiclass_hinge", "multiclass_hinge_max"]


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays)}"""
    return {"reference": (reference, np.asarray), "gpu": (gpu, tensor)}


@pytest.fixture
def blobs(rng):
    """Three overlapping clouds: x (90, 2), y (90,)."""
    y = np.arange(90) % 3
    return np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])[y] + rng.normal(size=(90, 2)), y


def separable(rng, N=40):
    """Points of both signs, none within 0.3 of the boundary x1 + x2 = 0.5."""
    x = rng.uniform(-2, 2, size=(10 * N, 2))
    distance = (x.sum(axis=1) - 0.5) / np.sqrt(2)
    x, distance = x[np.abs(distance) > 0.3], distance[np.abs(distance) > 0.3]
    return x[:N], np.sign(distance[:N]).astype(int)


@BOTH
def test_scores_by_hand(twins, tree):
    module, to = twins[tree]
    x, w, b = (
        np.array([[1.0, 2.0]]),
        np.array([[1.0, 0.0, -1.0], [3.0, 1.0, 0.0]]),
        np.array([0.0, 1.0, 2.0]),
    )
    # 1*1 + 2*3 + 0;  1*0 + 2*1 + 1;  1*(-1) + 2*0 + 2
    scores = module.linear_scores(to(x), to(w), to(b))
    assert scores.tolist() == [[7, 3, 1]]
    assert module.predict(scores).tolist() == [0]
    assert module.linear_scores(to(x), to(w[:, 0]), to(np.array(0.5))).tolist() == [7.5]
    assert module.predict(to(np.array([[1.0, 2.0, 2.0]]))).tolist() == [1]  # a tie


@BOTH
@pytest.mark.parametrize(
    "x, w, b",
    [
        ((2, 3), (4, 5), (5,)),
        ((2, 3), (3, 5), (1,)),
        ((2, 3), (3, 5), (2, 5)),
        ((2, 3), (3,), (2,)),
        ((3,), (3, 5), (5,)),
    ],
)
def test_scores_refuse(twins, tree, x, w, b):
    module, to = twins[tree]
    with pytest.raises(ValueError, match=r"must be \(N, D\), \(D, C\), \(C,\)"):
        module.linear_scores(*(to(np.zeros(shape)) for shape in (x, w, b)))


@BOTH
def test_predict_refuses(twins, tree):
    module, to = twins[tree]
    for shape in [(3,), (3, 0)]:
        with pytest.raises(ValueError, match=r"scores must be \(N, C\)"):
            module.predict(to(np.zeros(shape)))


@BOTH
@pytest.mark.parametrize(
    "b, y, w_want, b_want",
    [
        (0.0, 1, [1, -1], 0),  # 1*2 + (-1)*1 = 1, right: stays
        (0.0, -1, [1 - 2, -1 - 1], -1),  # the same, wrong side: moves by -x
        (-1.0, 1, [1 + 2, -1 + 1], 0),  # 1 - 1 = 0, on the boundary: moves by +x
    ],
)
def test_perceptron_step_by_hand(twins, tree, b, y, w_want, b_want):
    module, to = twins[tree]
    w, x = to(np.array([1.0, -1.0])), to(np.array([2.0, 1.0]))
    w_new, b_new = module.perceptron_step(w, to(np.array(b)), x, to(np.array(y)))
    assert w_new.tolist() == w_want
    assert float(b_new) == b_want
    assert w_new is not w
    assert w.tolist() == [1, -1]


@BOTH
def test_perceptron_step_refuses(twins, tree):
    module, to = twins[tree]
    b, y = to(np.array(0.0)), to(np.array(1))
    with pytest.raises(ValueError, match=r"must both be \(D,\)"):
        module.perceptron_step(to(np.zeros(2)), b, to(np.zeros(3)), y)
    with pytest.raises(ValueError, match="y must be"):
        module.perceptron_step(to(np.zeros(2)), b, to(np.zeros(2)), to(np.array([1, -1])))


def test_perceptron_step_refuses_a_label_0():
    with pytest.raises(ValueError, match="of -1 and"):
        reference.perceptron_step(np.zeros(2), 0.0, np.zeros(2), 0)


@BOTH
def test_perceptron_ends_on_separable_data(twins, tree, rng):
    module, to = twins[tree]
    x, y = separable(rng)
    w, b, mistakes = module.train_perceptron(to(x), to(y), epochs=30)
    assert len(mistakes) == 30
    assert mistakes[0] > 0
    assert mistakes[-1] == 0
    assert (np.asarray(y) * (x @ np.asarray(w.tolist()) + float(b)) > 0).all()
    # Novikoff: at most (R/margin)^2 mistakes, for the unit normal (1, 1, -0.5)/1.5 of (x, 1)
    longest = np.sqrt((x**2).sum(axis=1) + 1).max()
    margin = (y * (x.sum(axis=1) - 0.5)).min() / 1.5
    assert sum(mistakes) <= (longest / margin) ** 2


@BOTH
def test_perceptron_never_ends_on_xor(twins, tree):
    module, to = twins[tree]
    x, y = np.array([[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]]), np.array([-1, 1, 1, -1])
    _, _, mistakes = module.train_perceptron(to(x), to(y), epochs=20)
    assert min(mistakes) > 0


def test_perceptron_twins_and_sklearn_agree(tensor, rng):
    x, y = separable(rng)
    w, b, mistakes = reference.train_perceptron(x, y, epochs=5)
    w_twin, b_twin, mistakes_twin = gpu.train_perceptron(tensor(x), tensor(y), epochs=5)
    assert_allclose(w_twin.cpu(), w, atol=1e-10)
    assert b_twin.item() == b
    assert mistakes_twin == mistakes
    peer = Perceptron(max_iter=5, tol=None, shuffle=False).fit(x, y)
    assert_allclose(w, peer.coef_[0], atol=1e-10)
    assert_allclose(b, peer.intercept_[0])


def test_first_step_of_gradient_descent_by_hand():
    # Two classes at w = 0: p = 1/2 each. x = (1), (3); y = 0, 1.
    # dscores = [(-1/2, 1/2), (1/2, -1/2)] / 2;  dw = x^T dscores = (1*(-1/4) + 3*(1/4), ...)
    w, b, history = reference.train_linear_classifier(
        np.array([[1.0], [3.0]]), np.array([0, 1]), 2, lr=1.0, epochs=1
    )
    assert_allclose(w, [[-0.5, 0.5]])
    assert_allclose(b, [0, 0])
    assert_allclose(history, [np.log(2)])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("batch_size, l2", [(None, 0.0), (None, 0.1), (32, 0.01), (1, 0.0)])
def test_trained_twins_agree(tensor, blobs, loss, batch_size, l2):
    x, y = blobs
    options = {"n_classes": 3, "lr": 0.05, "epochs": 20, "batch_size": batch_size, "l2": l2}
    w, b, history = reference.train_linear_classifier(
        x, y, loss=getattr(reference_losses, loss), **options
    )
    w_twin, b_twin, history_twin = gpu.train_linear_classifier(
        tensor(x), tensor(y), loss=getattr(gpu_losses, loss), **options
    )
    assert_allclose(w_twin.cpu(), w, atol=1e-10)
    assert_allclose(b_twin.cpu(), b, atol=1e-10)
    assert_allclose(history_twin, history, atol=1e-10)
    assert not w_twin.requires_grad


@pytest.mark.parametrize("dtype, want", [("float32", "float32"), ("uint8", "float64")])
def test_weights_have_the_dtype_of_the_features(blobs, dtype, want):
    x, y = blobs
    x = (10 * np.abs(x)).astype(dtype)
    w, b, _ = reference.train_linear_classifier(x, y, 3, epochs=2)
    assert w.dtype == b.dtype == want
    signs = np.where(y == 0, -1, 1).astype(np.int8)
    w, _, mistakes = reference.train_perceptron(x, signs, epochs=2)
    assert w.dtype == want
    w_want, _, mistakes_want = reference.train_perceptron(x.astype(float), signs, epochs=2)
    assert mistakes == mistakes_want
    assert_allclose(w, w_want, rtol=1e-4)


def test_float32_twin_stays_float32(tensor, blobs):
    x, y = blobs
    w, b, _ = reference.train_linear_classifier(x, y, 3)
    w_twin, b_twin, _ = gpu.train_linear_classifier(tensor(x.astype(np.float32)), tensor(y), 3)
    assert str(w_twin.dtype) == "torch.float32"
    assert_allclose(w_twin.cpu(), w, atol=1e-4)
    assert_allclose(b_twin.cpu(), b, atol=1e-4)


def test_descends_to_the_minimum_that_sklearn_finds(blobs):
    x, y = blobs
    l2 = 0.1
    w, b, history = reference.train_linear_classifier(x, y, 3, lr=0.5, epochs=500, l2=l2)
    assert (np.diff(history) < 1e-12).all()
    peer = LogisticRegression(C=1 / (l2 * len(x)), tol=1e-10, max_iter=1000).fit(x, y)
    assert_allclose(w, peer.coef_.T, atol=1e-5)
    assert_allclose(b - b.mean(), peer.intercept_ - peer.intercept_.mean(), atol=1e-5)


@BOTH
@pytest.mark.parametrize("batch_size", [None, 16])
def test_shuffling_is_seeded_and_loses_no_example(twins, tree, blobs, batch_size, device):
    import torch

    module, to = twins[tree]
    x, y = blobs

    def train(seed):
        shuffler = (
            {"rng": np.random.default_rng(seed)}
            if tree == "reference"
            else {"generator": torch.Generator().manual_seed(seed)}
        )
        return module.train_linear_classifier(
            to(x), to(y), 3, epochs=20, batch_size=batch_size, **shuffler
        )

    (w, _, history), (again, _, _), (other, _, _) = train(0), train(0), train(1)
    assert w.tolist() == again.tolist()
    if batch_size is None:  # the order of a full batch matters to rounding alone
        unshuffled, _, _ = reference.train_linear_classifier(x, y, 3, epochs=20)
        assert_allclose(w.tolist(), unshuffled, atol=1e-10)
        assert_allclose(history[0], np.log(3))
    else:
        assert w.tolist() != other.tolist()
    assert history[-1] < history[0] / 2


@BOTH
@pytest.mark.parametrize(
    "change, message",
    [
        ({"x": np.zeros(3)}, r"x must be a non-empty \(N, D\)"),
        ({"x": np.zeros((0, 2)), "y": np.zeros(0, dtype=int)}, "non-empty"),
        ({"y": np.zeros(4, dtype=int)}, r"y must be .*\(3,\)"),
        ({"batch_size": 0}, "batch_size must be at least 1, got 0"),
        ({"epochs": 0}, "epochs must be at least 1, got 0"),
    ],
)
def test_training_refuses(twins, tree, change, message):
    module, to = twins[tree]
    bad = {"x": np.zeros((3, 2)), "y": np.zeros(3, dtype=int)} | change
    bad |= {"x": to(bad["x"]), "y": to(bad["y"])}
    with pytest.raises(ValueError, match=message):
        module.train_linear_classifier(n_classes=2, **bad)


def test_training_refuses_a_label_out_of_range():
    with pytest.raises(ValueError, match=r"\[0, 2\), got 0 to 2"):
        reference.train_linear_classifier(np.zeros((3, 1)), np.array([0, 1, 2]), 2)
    with pytest.raises(ValueError, match="of -1 and"):
        reference.train_perceptron(np.zeros((2, 1)), np.array([0, 1]), epochs=1)


@BOTH
def test_polynomial_features_by_hand(twins, tree):
    module, to = twins[tree]
    x = to(np.array([[2.0, 3.0], [-1.0, 0.0]]))
    assert module.polynomial_features(x, 1).tolist() == x.tolist()
    assert module.polynomial_features(x, 2).tolist() == [[2, 3, 4, 6, 9], [-1, 0, 1, 0, 0]]


@BOTH
@pytest.mark.parametrize("D, degree", [(1, 4), (3, 3), (2, 5)])
def test_polynomial_features_agree_with_sklearn(twins, tree, rng, D, degree):
    module, to = twins[tree]
    x = rng.normal(size=(5, D))
    want = PolynomialFeatures(degree, include_bias=False).fit_transform(x)
    assert_allclose(module.polynomial_features(to(x), degree).tolist(), want, rtol=1e-12)
    with pytest.raises(ValueError, match="degree must be at least 1, got 0"):
        module.polynomial_features(to(x), 0)


def test_a_circle_is_linear_in_squares(rng):
    x = rng.uniform(-1, 1, size=(200, 2))
    y = ((x**2).sum(axis=1) > 0.5).astype(int)
    accuracy = {}
    for degree in (1, 2):
        features = reference.polynomial_features(x, degree)
        w, b, _ = reference.train_linear_classifier(features, y, 2, lr=1.0, epochs=500)
        accuracy[degree] = (reference.predict(reference.linear_scores(features, w, b)) == y).mean()
    assert accuracy[1] < 0.75
    assert accuracy[2] > 0.95


@BOTH
def test_rbf_kernel(twins, tree, rng):
    module, to = twins[tree]
    a, b = rng.normal(size=(6, 3)), rng.normal(size=(4, 3))
    assert_allclose(
        module.rbf_kernel(to(a), to(b), 0.7).tolist(), rbf_kernel(a, b, 0.7), rtol=1e-10
    )
    assert_array_equal(
        module.rbf_kernel(to(a), to(a), 0.7).diagonal().tolist(), pytest.approx(np.ones(6))
    )
    with pytest.raises(ValueError, match="gamma must be positive, got 0"):
        module.rbf_kernel(to(a), to(b), 0)
