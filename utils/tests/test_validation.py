import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_array_equal
from sklearn import metrics
from sklearn.model_selection import KFold

from utils.gpu import validation as gpu
from utils.reference import validation as reference

SIZES = st.integers(2, 40).flatmap(lambda n: st.tuples(st.just(n), st.integers(2, n)))
SEEDS = st.none() | st.integers(0, 100)


def shuffler(seed):
    return None if seed is None else np.random.default_rng(seed)


def twin_shuffler(seed):
    return None if seed is None else torch.Generator().manual_seed(seed)


def test_k_fold_by_hand():
    # 7 = 3 + 2 + 2
    folds = reference.k_fold(7, 3)
    assert [validation.tolist() for _, validation in folds] == [[0, 1, 2], [3, 4], [5, 6]]
    assert [train.tolist() for train, _ in folds] == [
        [3, 4, 5, 6],
        [0, 1, 2, 5, 6],
        [0, 1, 2, 3, 4],
    ]


@given(SIZES, SEEDS)
def test_folds_are_a_partition(size, seed):
    n, k = size
    for folds in (reference.k_fold(n, k, shuffler(seed)), gpu.k_fold(n, k, twin_shuffler(seed))):
        assert sorted(i for _, validation in folds for i in validation.tolist()) == list(range(n))
        assert [len(validation) for _, validation in folds] == [
            n // k + (i < n % k) for i in range(k)
        ]
        for train, validation in folds:
            assert sorted(train.tolist() + validation.tolist()) == list(range(n))


@given(SIZES)
def test_sklearn_cuts_alike(size):
    n, k = size
    for (train, validation), want in zip(
        reference.k_fold(n, k), KFold(k).split(np.zeros(n)), strict=True
    ):
        assert_array_equal(train, want[0])
        assert_array_equal(validation, want[1])


@given(SIZES)
def test_twins_agree_unshuffled(size):
    n, k = size
    for ours, twins in zip(reference.k_fold(n, k), gpu.k_fold(n, k), strict=True):
        assert_array_equal(twins[0], ours[0])
        assert_array_equal(twins[1], ours[1])


@given(st.integers(10, 200), SEEDS)
def test_split_is_a_partition(n, seed):
    fractions = (0.6, 0.2, 0.2)
    parts = reference.split(n, fractions, shuffler(seed))
    twins = gpu.split(n, fractions, twin_shuffler(seed))
    for got in (parts, twins):
        assert isinstance(got, tuple)
        assert sorted(i for part in got for i in part.tolist()) == list(range(n))
        assert all(abs(len(part) - n * f) <= 1 for part, f in zip(got, fractions, strict=True))
    assert [len(part) for part in parts] == [len(part) for part in twins]


def test_split_by_hand():
    for tree in (reference, gpu):
        assert [part.tolist() for part in tree.split(5, (0.4, 0.6))] == [[0, 1], [2, 3, 4]]
        assert [part.tolist() for part in tree.split(2, (1.0,))] == [[0, 1]]


def test_a_seed_repeats_and_another_does_not():
    for tree, make in [(reference, shuffler), (gpu, twin_shuffler)]:
        first, again, other = (
            tree.split(50, (0.5, 0.5), make(seed))[0].tolist() for seed in (0, 0, 1)
        )
        assert first == again
        assert first != other


def test_indices_live_where_the_generator_does(device):
    generator = torch.Generator(device=device).manual_seed(0)
    assert gpu.split(10, (0.5, 0.5), generator)[0].device.type == device.type
    assert gpu.k_fold(10, 2, generator)[0][0].device.type == device.type


@pytest.mark.parametrize("tree", [reference, gpu])
@pytest.mark.parametrize("k", [1, 6, 0])
def test_k_fold_refuses(tree, k):
    with pytest.raises(ValueError, match=rf"k must lie in \[2, 5\].*got {k}"):
        tree.k_fold(5, k)


@pytest.mark.parametrize("tree", [reference, gpu])
def test_split_refuses(tree):
    with pytest.raises(ValueError, match=r"sum to 1, got \(0.5, 0.4\)"):
        tree.split(10, (0.5, 0.4))
    with pytest.raises(ValueError, match=r"got sizes \[3, 0\] of 3"):
        tree.split(3, (0.9, 0.1))
    with pytest.raises(ValueError, match="every part must get an example"):
        tree.split(10, (1.5, -0.5))


def test_confusion_by_hand(tensor):
    y, predicted = np.array([0, 0, 1, 2, 2, 2]), np.array([0, 1, 1, 2, 2, 0])
    want = [[1, 1, 0, 0], [0, 1, 0, 0], [1, 0, 2, 0], [0, 0, 0, 0]]
    assert reference.confusion_matrix(y, predicted, 4).tolist() == want
    assert gpu.confusion_matrix(tensor(y), tensor(predicted), 4).tolist() == want


def test_confusion_agrees_with_sklearn_and_twin(tensor, rng):
    y, predicted = rng.integers(0, 20, size=(2, 300))
    want = metrics.confusion_matrix(y, predicted, labels=range(20))
    assert_array_equal(reference.confusion_matrix(y, predicted, 20), want)
    assert_array_equal(gpu.confusion_matrix(tensor(y), tensor(predicted), 20).cpu(), want)
    for dtype in [np.uint8, np.int8, np.uint64]:  # 19 * 20 + 19 is beyond uint8
        labels = y.astype(dtype), predicted.astype(dtype)
        assert_array_equal(reference.confusion_matrix(*labels, 20), want)
        assert_array_equal(reference.confusion_matrix(y, labels[1], 20), want)


def test_confusion_refuses(tensor):
    y = np.array([0, 1])
    with pytest.raises(ValueError, match=r"predicted .*\[0, 2\), got 1 to 2"):
        reference.confusion_matrix(y, y + 1, 2)
    for tree, to in [(reference, np.asarray), (gpu, tensor)]:
        with pytest.raises(ValueError, match=r"predicted must be .*\(2,\).*shape \(3,\)"):
            tree.confusion_matrix(to(y), to(np.zeros(3, dtype=int)), 2)
        with pytest.raises(ValueError, match="y must be a non-empty"):
            tree.confusion_matrix(to(np.zeros(0, dtype=int)), to(np.zeros(0, dtype=int)), 2)
