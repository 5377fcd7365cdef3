import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from scipy.linalg import subspace_angles
from sklearn.decomposition import PCA

from utils import data
from utils.gpu import pca as gpu
from utils.reference import pca as reference
from utils.reference.preparation import decorrelate

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
KEYS = ["mean", "axes", "variances", "shares"]


@pytest.fixture
def twins(tensor):
    """{tree: (module, how it takes arrays, how to get them back)}"""
    return {
        "reference": (reference, np.asarray, np.asarray),
        "gpu": (gpu, tensor, lambda t: t.cpu().numpy()),
    }


def spread(rng, N, D):
    """Points that vary by another amount along every axis, and are not centered."""
    return rng.normal(size=(N, D)) * np.linspace(1, 3, D) @ rng.normal(size=(D, D)) + 5


@BOTH
def test_by_hand(twins, tree):
    # (3,4) and (-3,-4) around (1,1): one axis, (0.6, 0.8), at distance 5 from the mean
    module, to, back = twins[tree]
    model = module.pca_fit(to(np.array([[4.0, 5.0], [-2.0, -3.0]])))
    assert list(model) == KEYS
    assert_allclose(back(model["mean"]), [1, 1])
    assert_allclose(back(model["axes"])[:, 0], [0.6, 0.8], rtol=1e-15)
    assert_allclose(back(model["variances"]), [25, 0], atol=1e-14)
    assert_allclose(back(model["shares"]), [1, 0], atol=1e-15)
    z = module.pca_project(to(np.array([[1.0, 2.0]])), model)
    assert_allclose(back(z)[0, 0], 0.8)  # (0, 1) along (0.6, 0.8)
    only = module.pca_fit(to(np.array([[4.0, 5.0], [-2.0, -3.0]])), 1)
    assert_allclose(
        back(module.pca_reconstruct(to(np.array([[0.8]])), only)), [[1.48, 1.64]], rtol=1e-15
    )


@BOTH
@pytest.mark.parametrize("N, D, K", [(40, 6, 3), (6, 40, 4), (50, 5, 5), (2, 3, 1)])
def test_sklearn_agrees(twins, tree, rng, N, D, K):
    module, to, back = twins[tree]
    x, more = spread(rng, N, D), rng.normal(size=(3, D))
    model = module.pca_fit(to(x), K)
    peer = PCA(K, svd_solver="full").fit(x)
    axes = back(model["axes"])
    signs = np.sign((axes * peer.components_.T).sum(axis=0))
    assert_allclose(axes, peer.components_.T * signs, rtol=1e-10, atol=1e-11)
    assert_allclose(back(model["mean"]), peer.mean_, rtol=1e-12)
    assert_allclose(back(model["variances"]), peer.explained_variance_ * (N - 1) / N, rtol=1e-10)
    assert_allclose(back(model["shares"]), peer.explained_variance_ratio_, rtol=1e-10)
    z = module.pca_project(to(more), model)
    assert_allclose(back(z), peer.transform(more) * signs, rtol=1e-10, atol=1e-10)
    out = module.pca_reconstruct(z, model)
    assert_allclose(back(out), peer.inverse_transform(peer.transform(more)), rtol=1e-10, atol=1e-10)


@given(N=st.integers(1, 8), D=st.integers(1, 6), seed=st.integers(0, 99), data=st.data())
def test_any_size(N, D, seed, data):
    rng = np.random.default_rng(seed)
    x, K = spread(rng, N, D), data.draw(st.integers(1, min(N, D)))
    before = x.copy()
    model = reference.pca_fit(x, K)
    assert [model[key].shape for key in KEYS] == [(D,), (D, K), (K,), (K,)]
    assert_allclose(model["axes"].T @ model["axes"], np.eye(K), atol=1e-12)
    assert (np.diff(model["variances"]) <= 0).all()
    assert model["shares"].sum() <= 1 + 1e-12
    z = reference.pca_project(x, model)
    assert_allclose(z.mean(axis=0), 0, atol=1e-11)
    assert_allclose(z.T @ z / N, np.diag(model["variances"]), atol=1e-10)
    # what is lost is what was left out
    total = ((x - x.mean(axis=0)) ** 2).sum() / N
    lost = ((reference.pca_reconstruct(z, model) - x) ** 2).mean()
    assert_allclose(lost * D, total - model["variances"].sum(), atol=1e-10)
    assert_array_equal(x, before)
    twin = gpu.pca_fit(torch.tensor(x), K)
    strong = model["variances"] > 1e-20  # another axis may lie anywhere
    for key in KEYS:
        got, want = twin[key].numpy(), model[key]
        if key == "axes":
            got, want = got[:, strong], want[:, strong]
        assert_allclose(got, want, rtol=1e-9, atol=1e-10)


def test_project_is_decorrelate(rng):
    x = spread(rng, 30, 5)
    assert_allclose(
        reference.pca_project(x, reference.pca_fit(x)), decorrelate(x, x), rtol=1e-8, atol=1e-10
    )


@BOTH
def test_signs_are_decided(twins, tree, rng):
    module, to, back = twins[tree]
    x = spread(rng, 30, 4)
    same = back(module.pca_fit(to(x))["axes"])
    assert_allclose(back(module.pca_fit(to(-x[::-1].copy()))["axes"]), same, atol=1e-12)
    for axis in same.T:
        assert axis[np.abs(axis) >= np.abs(axis).max() / 2][0] > 0
    # equal entries but for rounding: (1, -1), and not (-1, 1)
    x = np.array([[1.0, -1.0], [-1.0, 1.0 + 1e-15], [0.1, 0.1], [-0.1, -0.1]])
    assert_allclose(
        back(module.pca_fit(to(x))["axes"]), np.array([[1, 1], [-1, 1]]) / 2**0.5, atol=1e-12
    )


@BOTH
def test_a_faint_axis_survives(twins, tree):
    """1e-10 as long as the first: in the covariance its 1e-20 would drown in rounding."""
    module, to, back = twins[tree]
    turn = np.array([[0.6, -0.8], [0.8, 0.6]])
    x = np.array([[1.0, 1e-10], [-1.0, -1e-10], [1.0, -1e-10], [-1.0, 1e-10]]) @ turn.T
    assert_allclose(back(module.pca_fit(to(x))["variances"]), [1, 1e-20], rtol=1e-4)


@BOTH
def test_edges(twins, tree, rng):
    module, to, back = twins[tree]
    equal = module.pca_fit(to(np.ones((3, 2))))
    assert back(equal["variances"]).tolist() == [0, 0]
    assert back(equal["shares"]).tolist() == [0, 0]
    x = spread(rng, 8, 6)
    model, view = module.pca_fit(to(x[::2, ::3].copy())), module.pca_fit(to(x)[::2, ::3])
    assert_allclose(back(view["axes"]), back(model["axes"]), atol=1e-12)
    assert module.pca_project(to(np.zeros((0, 2))), model).shape == (0, 2)
    assert module.pca_reconstruct(to(np.zeros((0, 2))), model).shape == (0, 2)
    bad = x[:1, :2].copy()
    bad[0, 0] = np.nan
    assert np.isnan(back(module.pca_project(to(bad), model))).all()
    for scale in [1e-100, 1e100]:
        scaled = module.pca_fit(to(scale * x))
        assert_allclose(back(scaled["shares"]), back(module.pca_fit(to(x))["shares"]), rtol=1e-9)


@BOTH
def test_float32_stays(twins, tree, rng):
    module, to, _ = twins[tree]
    x = to(spread(rng, 9, 4).astype(np.float32))
    model = module.pca_fit(x, 2)
    z = module.pca_project(x, model)
    angles = module.principal_angles(model["axes"], x[:4, :3])
    for array in [*model.values(), z, module.pca_reconstruct(z, model), angles]:
        assert "float32" in str(array.dtype)


@BOTH
@pytest.mark.parametrize("K, L", [(1, 1), (2, 2), (3, 2), (2, 5), (6, 6)])
def test_scipy_measures_the_same_angles(twins, tree, rng, K, L):
    module, to, back = twins[tree]
    a, b = rng.normal(size=(6, K)), rng.normal(size=(6, L))
    got = back(module.principal_angles(to(a), to(b)))
    assert got.shape == (min(K, L),)
    shared = K + L > 6  # some direction lies in both: scipy calls its angle 1.5e-8
    assert_allclose(got, subspace_angles(a, b)[::-1], rtol=1e-10, atol=2e-8 if shared else 1e-14)
    assert_allclose(back(module.principal_angles(to(b), to(a))), got, rtol=1e-10, atol=1e-14)


@BOTH
def test_angles_by_hand(twins, tree):
    module, to, back = twins[tree]
    plane = to(np.array([[1.0, 0.0], [0.0, 2.0], [0.0, 0.0]]))
    for angle in [0, 1e-12, 1e-3, np.pi / 4, np.pi / 2]:  # small ones are not lost to arccos
        tilted = to(np.array([[1.0, 0.0], [0.0, np.cos(angle)], [0.0, np.sin(angle)]]) * 7)
        assert_allclose(
            back(module.principal_angles(plane, tilted)), [0, angle], rtol=1e-9, atol=1e-15
        )
    line = to(np.array([[1.0], [1.0], [0.0]]))
    assert_allclose(back(module.principal_angles(plane, line)), [0], atol=1e-15)


def test_patches_of_1024_pixels_become_100_numbers(rng):
    """The syllabus's number, on the course's own photograph: 9/10 of the variance is kept."""
    photo = data.load_photo() / 255
    corners = rng.integers((0, 0), (427 - 32, 640 - 32), size=(500, 2))
    x = np.stack([photo[i : i + 32, j : j + 32].ravel() for i, j in corners])  # (500, 1024)
    model = reference.pca_fit(x, 100)
    z = reference.pca_project(x, model)
    assert z.shape == (500, 100)
    assert model["shares"].sum() > 0.9
    assert ((reference.pca_reconstruct(z, model) - x) ** 2).mean() < 0.1 * x.var(axis=0).mean()


def test_refusals(tensor):
    x = np.zeros((3, 2))
    for module, to in [(reference, np.asarray), (gpu, tensor)]:
        for bad in [x[0], x[:0], x[:, :0]]:
            with pytest.raises(ValueError, match=r"x must be \(N, D\), .* got shape \("):
                module.pca_fit(to(bad))
        for K in [0, 3, -1]:
            with pytest.raises(ValueError, match=rf"must lie in \[1, 2\], got {K}"):
                module.pca_fit(to(x), K)
        model = module.pca_fit(to(x), 1)
        for bad in [x[0], np.zeros((3, 1))]:
            with pytest.raises(ValueError, match=r"x must be \(N, 2\), got shape \(3|\(2"):
                module.pca_project(to(bad), model)
        for bad in [x[0], x]:
            with pytest.raises(ValueError, match=r"z must be \(N, 1\), got shape \("):
                module.pca_reconstruct(to(bad), model)
        for bad in [x[0], np.zeros((2, 2)), x[:, :0]]:
            with pytest.raises(ValueError, match=r"must be \(D, K\) and \(D, L\), got \(3, 2\)"):
                module.principal_angles(to(x), to(bad))
    for bad in [np.nan, np.inf]:
        with pytest.raises(ValueError, match="x must be finite"):
            reference.pca_fit(np.full((2, 2), bad))
        with pytest.raises(ValueError, match="b must have finite, independent"):
            reference.principal_angles(np.eye(3), np.full((3, 1), bad))
    for bad in [np.ones((3, 2)), np.ones((3, 4))]:
        with pytest.raises(ValueError, match="a must have finite, independent"):
            reference.principal_angles(bad, np.eye(3))
