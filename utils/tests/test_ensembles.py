import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.ensemble import AdaBoostClassifier
from sklearn.tree import DecisionTreeClassifier

from utils.gpu import ensembles as gpu
from utils.reference import ensembles as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])


@pytest.fixture
def twins(tensor, device):
    """{tree: (module, how it takes arrays, how it makes randomness of a seed)}"""
    return {
        "reference": (reference, np.asarray, np.random.default_rng),
        "gpu": (gpu, tensor, lambda seed: torch.Generator(device=device).manual_seed(seed)),
    }


@BOTH
def test_a_bootstrap_sample_holds_the_share_it_should(twins, tree):
    module, _, seeded = twins[tree]
    samples = seeded(0)
    for n, repeats in [(1, 5), (10, 2000), (1000, 50)]:
        shares = []
        for _ in range(repeats):
            indices = module.bootstrap_indices(n, samples).tolist()
            assert len(indices) == n
            assert all(0 <= i < n for i in indices)
            shares.append(len(set(indices)) / n)
        error = np.std(shares) / np.sqrt(repeats)
        assert abs(np.mean(shares) - module.bootstrap_share(n)) <= 4 * error


@BOTH
def test_shares_of_the_bootstrap(twins, tree):
    module, *_ = twins[tree]
    assert_allclose(module.bootstrap_share(10), 0.651, atol=0.0005)
    assert_allclose(module.bootstrap_share(10), 1 - 0.9**10, rtol=1e-14)
    assert_allclose(module.bootstrap_share(10**12), 1 - 1 / np.e, rtol=1e-11)
    assert [module.bootstrap_share(n) for n in (1, 2)] == [1, 0.75]


@BOTH
def test_a_seed_repeats(twins, tree):
    module, _, seeded = twins[tree]
    first, again, other = (module.bootstrap_indices(50, seeded(s)).tolist() for s in (0, 0, 1))
    assert first == again != other


@BOTH
def test_votes_by_hand(twins, tree):
    module, to, _ = twins[tree]
    predicted = to(np.array([[0, 1, 2], [0, 2, 1], [1, 2, 0]]))
    assert module.vote(predicted, 3).tolist() == [0, 2, 0]  # the last ties three ways
    weights = to(np.array([1.0, 1.0, 3.0]))
    assert module.vote(predicted, 4, weights).tolist() == [1, 2, 0]


@given(st.integers(1, 6), st.integers(1, 6), st.integers(1, 5), st.integers(0, 99))
def test_twins_vote_alike(M, N, C, seed):
    rng = np.random.default_rng(seed)
    predicted, weights = rng.integers(C, size=(M, N)), rng.integers(1, 4, size=M).astype(float)
    want = [np.bincount(column, weights=weights, minlength=C).argmax() for column in predicted.T]
    assert reference.vote(predicted, C, weights).tolist() == want
    assert gpu.vote(torch.tensor(predicted), C, torch.tensor(weights)).tolist() == want
    assert_array_equal(gpu.vote(torch.tensor(predicted), C), reference.vote(predicted, C))


@BOTH
def test_a_round_of_boosting_by_hand(twins, tree):
    module, to, _ = twins[tree]
    weights, wrong = to(np.full(5, 0.2)), to(np.array([True, False, False, False, False]))
    alpha, new = module.boosting_round(weights, wrong)  # error 1/5: log(4)
    assert_allclose(float(alpha), np.log(4), rtol=1e-14)
    assert_allclose(new.tolist(), [1 / 2] + [1 / 8] * 4, rtol=1e-14)  # a half each
    assert weights.tolist() == [0.2] * 5
    alpha, new = module.boosting_round(weights, wrong, n_classes=3)
    assert_allclose(float(alpha), np.log(8), rtol=1e-14)
    assert_allclose(new.tolist(), [8 / 12] + [1 / 12] * 4, rtol=1e-14)


@BOTH
@pytest.mark.parametrize("n_classes", [2, 4])
def test_boosting_agrees_with_sklearn(twins, tree, n_classes, rng):
    module, to, _ = twins[tree]
    x = rng.normal(size=(200, 2))
    y = (2 * np.linalg.norm(x, axis=1)).astype(int).clip(0, n_classes - 1)
    peer = AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=8, random_state=0)
    peer.fit(x, y)
    weights, alphas, predicted = to(np.full(200, 1 / 200)), [], []
    for stump in peer.estimators_:
        predicted.append(stump.predict(x))
        alpha, weights = module.boosting_round(weights, to(predicted[-1] != y), n_classes)
        alphas.append(float(alpha))
    assert_allclose(alphas, peer.estimator_weights_, rtol=1e-9)
    got = module.vote(to(np.array(predicted)), n_classes, to(np.array(alphas)))
    assert got.tolist() == peer.predict(x).tolist()


@BOTH
def test_rejection_by_hand(twins, tree):
    module, to, _ = twins[tree]
    p = to(np.array([[0.9, 0.1], [0.4, 0.6], [0.5, 0.5], [0.2, 0.8]]))
    assert module.predict_or_reject(p, 0.6).tolist() == [0, 1, -1, 1]
    assert module.predict_or_reject(p, 0.0).tolist() == [0, 1, 0, 1]
    assert module.predict_or_reject(p, 1.0).tolist() == [-1] * 4
    # wrong are the second and third, certain 0.6 and 0.5
    rejected, error = module.rejection_curve(p, to(np.array([0, 0, 1, 1])))
    assert rejected.tolist() == [0, 0.25, 0.5, 0.75]
    assert_allclose(error.tolist(), [2 / 4, 1 / 3, 0, 0])


@given(st.integers(1, 20), st.integers(1, 4), st.integers(0, 99))
def test_the_curve_is_what_rejecting_gives(N, C, seed):
    rng = np.random.default_rng(seed)
    p, labels = rng.dirichlet(np.ones(C), size=N), rng.integers(C, size=N)
    rejected, error = reference.rejection_curve(p, labels)
    twins = gpu.rejection_curve(torch.tensor(p), torch.tensor(labels))
    assert_allclose(twins[0], rejected, atol=1e-15)
    assert_allclose(twins[1], error, atol=1e-15)
    if C > 1:  # else all are as certain
        for share, left, threshold in zip(rejected, error, np.sort(p.max(axis=1)), strict=True):
            answers = reference.predict_or_reject(p, threshold)
            assert_allclose((answers == -1).mean(), share, atol=1e-15)
            answered = answers != -1
            assert_allclose((answers != labels)[answered].mean(), left, atol=1e-15)


@BOTH
def test_nan_and_no_example(twins, tree):
    module, to, _ = twins[tree]
    p = to(np.array([[np.nan, np.nan], [0.1, 0.9]]))
    assert module.predict_or_reject(p, 0.0).tolist() == [-1, 1]
    assert module.predict_or_reject(p[:0], 0.5).tolist() == []


def test_float32_stays(tensor):
    _, new = reference.boosting_round(np.full(4, 0.25, np.float32), np.arange(4) == 1)
    assert new.dtype == np.float32
    weights, wrong = tensor(np.full(4, 0.25, np.float32)), tensor(np.arange(4) == 1)
    alpha, new = gpu.boosting_round(weights, wrong)
    assert str(alpha.dtype) == str(new.dtype) == "torch.float32"
    rejected, error = gpu.rejection_curve(tensor(np.eye(3, dtype=np.float32)), tensor(np.arange(3)))
    assert str(rejected.dtype) == str(error.dtype) == "torch.float32"


@BOTH
def test_refuses(twins, tree):
    module, to, seeded = twins[tree]
    for call in (lambda: module.bootstrap_indices(0, seeded(0)), lambda: module.bootstrap_share(0)):
        with pytest.raises(ValueError, match="n must be at least 1, got 0"):
            call()
    with pytest.raises(ValueError, match=r"predicted must be \(M, N\).*got \(3,\)"):
        module.vote(to(np.zeros(3, dtype=int)), 2)
    with pytest.raises(ValueError, match="predicted must be a non-empty"):
        module.vote(to(np.zeros((0, 3), dtype=int)), 2)
    with pytest.raises(ValueError, match=r"weights must be \(2,\), one per model, got \(3,\)"):
        module.vote(to(np.zeros((2, 3), dtype=int)), 2, to(np.ones(3)))
    with pytest.raises(ValueError, match=r"must be \(N,\), got \(3,\) and \(2,\)"):
        module.boosting_round(to(np.ones(3)), to(np.ones(2, dtype=bool)))
    with pytest.raises(ValueError, match="n_classes must be at least 2, got 1"):
        module.boosting_round(to(np.ones(3)), to(np.ones(3, dtype=bool)), n_classes=1)
    with pytest.raises(ValueError, match=r"threshold must lie in \[0, 1\], got 1.5"):
        module.predict_or_reject(to(np.ones((2, 1))), 1.5)
    for shape in [(3,), (3, 0)]:
        with pytest.raises(ValueError, match=r"probabilities must be \(N, C\)"):
            module.predict_or_reject(to(np.zeros(shape)), 0.5)
    with pytest.raises(ValueError, match=r"labels must be a non-empty \(2,\)"):
        module.rejection_curve(to(np.ones((2, 1))), to(np.zeros(3, dtype=int)))


@pytest.mark.parametrize("wrong", [[False] * 4, [True, True, False, False], [True] * 4])
def test_boosting_refuses_the_perfect_and_the_useless(wrong):
    with pytest.raises(ValueError, match=r"the error must lie in \(0, 0.5\), got"):
        reference.boosting_round(np.full(4, 0.25), np.array(wrong))
    with pytest.raises(ValueError, match=r"labels .*\[0, 2\), got 0 to 2"):
        reference.rejection_curve(np.ones((3, 2)), np.array([0, 1, 2]))


@BOTH
def test_many_ties_are_turned_away_in_their_order(twins, tree):
    module, to = twins[tree][:2]
    certainty = np.array([0.5, 0.8, 0.6])[np.arange(200) % 3]
    labels = (np.arange(200) % 7 < 2).astype(int)  # all are taken for class 0
    _, error = module.rejection_curve(to(np.stack([certainty, 1 - certainty], axis=1)), to(labels))
    left = labels[sorted(range(200), key=lambda i: certainty[i])]
    assert_allclose(error.tolist(), [left[i:].mean() for i in range(200)], rtol=1e-12)
