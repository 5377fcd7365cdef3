import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.neighbors import KNeighborsClassifier

from utils.gpu import neighbors as gpu
from utils.reference import neighbors as reference

L1_FORMS = ["l1_distances_one_loop", "l1_distances"]
L2_FORMS = ["l2_distances_two_loops", "l2_distances_one_loop", "l2_distances"]
FORMS = [*L1_FORMS, *L2_FORMS]


def points(n, d=3):
    return arrays(np.float64, (n, d), elements=st.floats(-100, 100))


@pytest.mark.parametrize("form", L2_FORMS)
def test_l2_by_hand(form):
    a = np.array([[0.0, 0.0], [1.0, 1.0]])
    b = np.array([[3.0, 4.0], [1.0, 1.0], [1.0, 0.0]])
    # (0,0)-(3,4): sqrt(9 + 16) = 5;  (0,0)-(1,1): sqrt 2;  (0,0)-(1,0): 1
    # (1,1)-(3,4): sqrt(4 + 9);       (1,1)-(1,1): 0;       (1,1)-(1,0): 1
    want = [[5, np.sqrt(2), 1], [np.sqrt(13), 0, 1]]
    assert_allclose(getattr(reference, form)(a, b), want, atol=1e-12)


@pytest.mark.parametrize("form", L1_FORMS)
def test_l1_by_hand(form):
    a, b = np.array([[0.0, 0.0], [1.0, 1.0]]), np.array([[3.0, -4.0]])
    assert_array_equal(getattr(reference, form)(a, b), [[3 + 4], [2 + 5]])


@pytest.mark.parametrize("form", FORMS)
def test_pixels_do_not_wrap_around(form):
    dark, bright = np.array([[0]], dtype=np.uint8), np.array([[200]], dtype=np.uint8)
    assert_array_equal(getattr(reference, form)(dark, bright), [[200]])


@pytest.mark.parametrize("form", FORMS)
@given(a=points(3), b=points(4), c=points(2))
def test_a_distance_is_a_metric(form, a, b, c):
    distance = getattr(reference, form)
    ab, bc, ac = distance(a, b), distance(b, c), distance(a, c)
    # The matrix form loses half the digits: squares of 3 * 100^2 rounded at 1e-16, then a root.
    slack = 1e-5
    assert (ab >= 0).all()
    assert_allclose(ab, distance(b, a).T, atol=slack)
    assert_allclose(np.diag(distance(a, a)), 0, atol=slack)
    assert (ac[:, None, :] <= ab[:, :, None] + bc[None, :, :] + slack).all()


@given(a=points(3), b=points(4))
def test_three_forms_of_one_distance(a, b):
    two, one, none = (getattr(reference, form)(a, b) for form in L2_FORMS)
    assert_allclose(one, two, rtol=1e-12)
    assert_allclose(none**2, two**2, atol=1e-9)  # rounding of squares up to 1.2e5


@given(a=points(3), b=points(4))
def test_two_forms_of_the_other_distance(a, b):
    one, none = (getattr(reference, form)(a, b) for form in L1_FORMS)
    assert_allclose(none, one, rtol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("worst", [np.nan, np.inf])
def test_a_missing_or_infinite_value_stays_in_its_row(form, worst):
    a, b = np.array([[worst, 0.0], [1.0, 2.0]]), np.array([[3.0, 4.0], [0.0, 1.0]])
    with np.errstate(invalid="ignore"):
        got = getattr(reference, form)(a, b)
    assert not np.isfinite(got[0]).any() and np.isfinite(got[1]).all()


@pytest.mark.parametrize("form", FORMS)
def test_rows_in_any_order_of_memory(rng, form):
    a, b = rng.normal(size=(3, 8))[:, ::2], rng.normal(size=(4, 5)).T
    before = a.copy(), b.copy()
    want = getattr(reference, form)(a.copy(), b.copy())
    assert_allclose(getattr(reference, form)(a, b), want, rtol=1e-12)
    assert_array_equal(a, before[0])
    assert_array_equal(b, before[1])


@pytest.mark.parametrize(
    "form, arrays_held",
    [
        ("l1_distances_one_loop", 3),
        ("l1_distances", 3),
        ("l2_distances_one_loop", 3),
        ("l2_distances", 4),
    ],
)
def test_memory_stays_at_n_times_m(rng, form, arrays_held):
    N, M, D = 100, 120, 90
    a, b = rng.normal(size=(N, D)), rng.normal(size=(M, D))
    tracemalloc.start()
    getattr(reference, form)(a, b)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < arrays_held * N * M * 8 * 1.5  # (N, M, D) would be 90 of them


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shapes", [((5, 7), (6, 7)), ((1, 1), (1, 1)), ((40, 3), (30, 3))])
@pytest.mark.parametrize("dtype, tol", [("float64", 1e-10), ("float32", 1e-5)])
def test_twin_distances_agree(tensor, rng, form, shapes, dtype, tol):
    a, b = (rng.normal(size=shape).astype(dtype) for shape in shapes)
    got = getattr(gpu, form)(tensor(a), tensor(b))
    assert str(got.dtype) == f"torch.{dtype}"
    assert_allclose(got.cpu(), getattr(reference, form)(a, b), atol=tol, rtol=tol)


@pytest.mark.parametrize("form", FORMS)
def test_shapes_that_do_not_fit(tensor, form):
    a, b = np.zeros((2, 3)), np.zeros((2, 4))
    for bad in [(a, b), (a[0], b)]:
        with pytest.raises(ValueError, match=r"must be \(N, D\) and \(M, D\), got"):
            getattr(reference, form)(*bad)
        with pytest.raises(ValueError, match=r"must be \(N, D\) and \(M, D\), got"):
            getattr(gpu, form)(*map(tensor, bad))


def test_nearest_by_hand(tensor):
    distances = np.array([[3.0, 1.0, 2.0, 1.0], [0.0, 0.0, 0.0, 0.0]])
    want = [[1, 3, 2], [0, 1, 2]]  # 1 ties with 3, and the second row ties throughout
    assert_array_equal(reference.nearest(distances, 3), want)
    assert_array_equal(gpu.nearest(tensor(distances), 3).cpu(), want)


@given(
    distances=arrays(
        np.float64,
        st.tuples(st.integers(1, 5), st.just(8)),
        elements=st.sampled_from([0, 1, 2, np.inf]),
    ),
    k=st.integers(1, 8),
)
def test_twin_breaks_ties_alike(distances, k):
    import torch

    want = reference.nearest(distances, k)
    assert_array_equal(gpu.nearest(torch.tensor(distances), k), want)


@given(data=st.data(), M=st.integers(1, 200), kind=st.sampled_from(["ties", "sorted", "drawn"]))
def test_nearest_is_the_head_of_a_stable_sort(data, M, kind):
    """Among many columns too, where groups of them are compared first."""
    k = data.draw(st.integers(1, M))
    rng = np.random.default_rng(data.draw(st.integers(0, 100)))
    distances = rng.integers(0, 4, (3, M)) * 1.0 if kind == "ties" else rng.random((3, M))
    if kind == "sorted":
        distances.sort(axis=1)
    want = np.argsort(distances, axis=1, kind="stable")[:, :k]
    assert_array_equal(reference.nearest(distances, k), want)


def test_nearest_of_nobody():
    assert reference.nearest(np.zeros((0, 200)), 2).shape == (0, 2)


@pytest.mark.parametrize("k", [0, 5, -1])
def test_k_out_of_reach(tensor, k):
    with pytest.raises(ValueError, match=rf"k must lie in \[1, 4\].*got {k}"):
        reference.nearest(np.zeros((2, 4)), k)
    with pytest.raises(ValueError, match=rf"k must lie in \[1, 4\].*got {k}"):
        gpu.nearest(tensor(np.zeros((2, 4))), k)


@pytest.mark.parametrize("place", [0, 40, 99])
def test_nearest_refuses_nan(place):
    distances = np.ones((2, 100))
    distances[1, place] = np.nan
    with pytest.raises(ValueError, match="got nan"):
        reference.nearest(distances, 1)


def test_vote_by_hand(tensor):
    labels = np.array([[2, 1, 2], [2, 1, 0], [1, 1, 0]])
    weights = np.array([[1.0, 3.0, 1.0], [1.0, 1.0, 0.5], [0.5, 0.5, 1.0]])
    # one each: 2 twice -> 2; all once -> smallest, 0; 1 twice -> 1
    # weighted: 1 has 3 against 2 -> 1; 1 and 2 tie -> 1; 0 and 1 tie at 1 -> 0
    for tree, to in [(reference, lambda a: a), (gpu, tensor)]:
        assert tree.vote(to(labels), 3).tolist() == [2, 0, 1]
        assert tree.vote(to(labels), 3, to(weights)).tolist() == [1, 1, 0]


def test_vote_refuses(tensor):
    labels = np.array([[0, 3]])
    with pytest.raises(ValueError, match=r"\[0, 3\), got 0 to 3"):
        reference.vote(labels, 3)
    with pytest.raises(ValueError, match=r"must be \(N, k\), got shape \(2,\)"):
        reference.vote(labels[0], 4)
    for tree, to in [(reference, lambda a: a), (gpu, tensor)]:
        with pytest.raises(ValueError, match=r"weights must be \(1, 2\), got shape \(1, 1\)"):
            tree.vote(to(labels), 4, to(np.ones((1, 1))))


@pytest.mark.parametrize("weighting", ["uniform", "distance"])
@pytest.mark.parametrize("metric", ["l1", "l2"])
@pytest.mark.parametrize("k", [1, 3, 8])
def test_knn_agrees_with_sklearn_and_twin(tensor, rng, k, metric, weighting):
    x_train, y_train = rng.normal(size=(60, 4)), rng.integers(0, 3, size=60)
    x = rng.normal(size=(40, 4))
    want = (
        KNeighborsClassifier(k, weights=weighting, metric=metric, algorithm="brute")
        .fit(x_train, y_train)
        .predict(x)
    )
    got = reference.knn_predict(x_train, y_train, x, k, metric, weighting)
    assert_array_equal(got, want)
    twin = gpu.knn_predict(tensor(x_train), tensor(y_train), tensor(x), k, metric, weighting)
    assert_array_equal(twin.cpu(), want)


@given(data=st.data(), k=st.integers(1, 6))
def test_knn_twin_on_a_grid_full_of_ties(data, k):
    """Whole numbers have exact distances, so that ties are ties in both trees."""
    import torch

    grid = st.integers(0, 2).map(float)
    x_train, x = (
        data.draw(arrays(np.float64, (6, 2), elements=grid)),
        data.draw(arrays(np.float64, (3, 2), elements=grid)),
    )
    y_train = data.draw(arrays(np.int64, 6, elements=st.integers(0, 2)))
    for metric in gpu.METRICS:
        for weighting in ("uniform", "distance"):
            want = reference.knn_predict(x_train, y_train, x, k, metric, weighting)
            got = gpu.knn_predict(*map(torch.tensor, (x_train, y_train, x)), k, metric, weighting)
            assert_array_equal(got, want)


@pytest.mark.parametrize("weighting", ["uniform", "distance"])
def test_blocks_of_queries_change_nothing(tensor, rng, weighting):
    """600 queries are three blocks of the reference."""
    x_train, y_train = rng.integers(0, 3, size=(50, 2)) * 1.0, rng.integers(0, 4, size=50)
    x = rng.integers(0, 3, size=(600, 2)) * 1.0  # a grid: exact distances, full of ties
    options = {"k": 7, "weighting": weighting}
    got = reference.knn_predict(x_train, y_train, x, **options)
    distances = reference.l2_distances(x, x_train)
    neighbors = np.argsort(distances, axis=1, kind="stable")[:, :7]
    near = np.take_along_axis(distances, neighbors, axis=1)
    weights = None
    if weighting == "distance":
        with np.errstate(divide="ignore"):
            weights = np.where((near == 0).any(axis=1, keepdims=True), near == 0, 1 / near)
    assert_array_equal(got, reference.vote(y_train[neighbors], 4, weights))
    twin = gpu.knn_predict(tensor(x_train), tensor(y_train), tensor(x), **options)
    assert_array_equal(twin.cpu(), got)


def test_memory_of_knn_does_not_grow_with_the_queries(rng):
    x_train, y_train = rng.normal(size=(500, 3)), rng.integers(0, 3, size=500)
    x, peaks = rng.normal(size=(6000, 3)), []
    for N in [600, 6000]:
        tracemalloc.start()
        reference.knn_predict(x_train, y_train, x[:N], k=3)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.2 * peaks[0]  # all (6000, 500) distances would be ten times as much


def test_a_large_training_set_gives_the_twin_small_blocks(tensor, rng, monkeypatch):
    x_train, y_train = rng.normal(size=(30, 2)), rng.integers(0, 3, size=30)
    x, sizes, plain = rng.normal(size=(40, 2)), [], gpu.l2_distances
    monkeypatch.setattr(gpu, "_DISTANCES_AT_ONCE", 1000)
    monkeypatch.setitem(gpu.METRICS, "l2", lambda a, b: sizes.append(len(a)) or plain(a, b))
    got = gpu.knn_predict(tensor(x_train), tensor(y_train), tensor(x), k=3)
    assert sizes == [33, 7]
    assert_array_equal(got.cpu(), reference.knn_predict(x_train, y_train, x, k=3))
    monkeypatch.setattr(gpu, "_DISTANCES_AT_ONCE", 1)  # but never none at a time
    assert_array_equal(
        gpu.knn_predict(tensor(x_train), tensor(y_train), tensor(x), k=3).cpu(), got.cpu()
    )


def test_no_query_no_label(tensor):
    x_train, y_train, x = np.zeros((3, 2)), np.zeros(3, dtype=int), np.zeros((0, 2))
    assert reference.knn_predict(x_train, y_train, x).shape == (0,)
    assert gpu.knn_predict(tensor(x_train), tensor(y_train), tensor(x)).shape == (0,)


def test_a_coincident_neighbor_outvotes_all_others(tensor):
    x_train, y_train, x = np.array([[0.0], [1.0], [1.5]]), np.array([1, 0, 0]), np.array([[0.0]])
    for tree, to in [(reference, lambda a: a), (gpu, tensor)]:
        arguments = [to(x_train), to(y_train), to(x), 3]
        assert tree.knn_predict(*arguments).tolist() == [0]
        assert tree.knn_predict(*arguments, weighting="distance").tolist() == [1]


def test_one_training_example(tensor):
    x_train, y_train, x = np.zeros((1, 2)), np.array([4]), np.ones((3, 2))
    assert reference.knn_predict(x_train, y_train, x).tolist() == [4, 4, 4]
    assert gpu.knn_predict(tensor(x_train), tensor(y_train), tensor(x)).tolist() == [4, 4, 4]


@pytest.mark.parametrize(
    "change, message",
    [
        ({"metric": "cosine"}, "metric must be one of .*'cosine'"),
        ({"weighting": "gauss"}, "weighting must be .*'gauss'"),
        ({"k": 4}, r"k must lie in \[1, 3\]"),
        ({"y_train": np.zeros(2, dtype=int)}, r"y_train must be .*\(3,\)"),
        ({"y_train": np.zeros(0, dtype=int)}, r"y_train must be .*\(3,\)"),
        ({"y_train": np.zeros(3)}, "y_train must be .*float64"),
        ({"x_train": np.zeros((0, 2))}, "k must lie in"),
    ],
)
def test_knn_refuses(tensor, change, message):
    good = {"x_train": np.zeros((3, 2)), "y_train": np.zeros(3, dtype=int), "x": np.zeros((1, 2))}
    bad = good | change
    with pytest.raises(ValueError, match=message):
        reference.knn_predict(**bad)
    bad = {k: tensor(v) if isinstance(v, np.ndarray) else v for k, v in bad.items()}
    with pytest.raises(ValueError, match=message):
        gpu.knn_predict(**bad)


def test_knn_refuses_a_negative_label():
    with pytest.raises(ValueError, match="got -1 to 0"):
        reference.knn_predict(np.zeros((2, 1)), np.array([0, -1]), np.zeros((1, 1)))
