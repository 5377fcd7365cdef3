"""Unit 01: distances, three ways; the vote of the nearest neighbors; what they cost."""

from collections import Counter

import numpy as np

from grader.checking import (
    call,
    check,
    devices,
    expect_array,
    expect_choice,
    expect_fast,
    expect_none_of,
    expect_small,
    plain,
    withholds,
)
from utils.reference import neighbors as reference


@check
def check_l2_distances_two_loops(fn, seed=0):
    """l2_distances_two_loops(a, b): (N, D), (M, D) -> (N, M) floats, Euclidean distances."""
    distances_are_right(fn, np.random.default_rng(seed))


@check
def check_l2_distances_one_loop(fn, seed=0):
    """l2_distances_one_loop(a, b): the same numbers, with one loop over the rows of a."""
    rng = np.random.default_rng(seed)
    distances_are_right(fn, rng)

    a, b = rng.normal(size=(60, 4)), rng.normal(size=(900, 4))
    loops = "right, but slow: for one row of a, find the distances to all rows of b at once."
    expect_fast(fn, reference.l2_distances_one_loop, (a, b), loops)


@check
def check_l2_distances(fn, seed=0):
    """l2_distances(a, b): the same numbers without a loop and without an (N, M, D) array."""
    rng = np.random.default_rng(seed)
    distances_are_right(fn, rng)

    # |a|^2 - 2ab + |b|^2 of equal points may come out as -1e-10, which has no square root
    a = 1000 + rng.normal(size=(100, 5))
    what = "the distances of points to themselves (rounding can make a square slightly negative)"
    expect_array(call(fn, a, a), reference.l2_distances_two_loops(a, a), what, atol=1e-3)

    blow_up = "needs too much memory: an (N, M, D) array on the way is D times the result."
    a, b = rng.normal(size=(150, 64)), rng.normal(size=(200, 64))
    expect_small(fn, (a, b), 4, blow_up)  # the result has 0.23 MB, (N, M, D) has 14.6

    loops = "right, but slow: there is still a loop over rows; a matrix product needs none."
    tall, wide = rng.normal(size=(10_000, 2)), rng.normal(size=(2, 2))
    expect_fast(fn, reference.l2_distances, (tall, wide), loops, seconds=0.015)
    expect_fast(fn, reference.l2_distances, (wide, tall), loops, seconds=0.015)
    loops = (
        "right, but slow: there is still a loop over the D numbers; a matrix product needs none."
    )
    flat = rng.normal(size=(2, 10_000))
    expect_fast(fn, reference.l2_distances, (flat, flat), loops, seconds=0.015)


def distances_are_right(fn, rng):
    """What all three variants have to fulfil."""
    # (0, 0) to (3, 4) is 5, the triangle 3-4-5; (3, 0) to (3, 4) is 4
    a, b = np.array([[0.0, 0.0], [3.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0], [0.0, 4.0]])
    by_hand = np.array([[5.0, 0.0, 4.0], [4.0, 3.0, 5.0]])
    what = "the distances of (0, 0) and (3, 0) to (3, 4), (0, 0) and (0, 4)"
    expect_array(call(fn, a, b), by_hand, what, other_distances(a, b), atol=1e-7)

    for n, m, d in [(4, 3, 2), (4, 3, 2), (3, 3, 5), (1, 4, 3), (4, 1, 3), (5, 2, 1)]:
        a, b = rng.normal(size=(n, d)), rng.normal(size=(m, d))
        what = f"the distances of an a of shape {(n, d)} to a b of shape {(m, d)}"
        want = np.array([[np.linalg.norm(a_i - b_j) for b_j in b] for a_i in a])
        expect_array(call(fn, a, b), want, what, other_distances(a, b))

    a, b = rng.integers(0, 9, size=(3, 2)), rng.integers(0, 9, size=(4, 2))
    want = reference.l2_distances_two_loops(a * 1.0, b * 1.0)
    expect_array(call(fn, a, b), want, "the distances of integer points", atol=1e-7)
    a, b = rng.integers(0, 256, size=(2, 3, 10), dtype=np.uint8)  # two sets of three tiny images
    want = reference.l2_distances_two_loops(a, b)
    what = "the distances of pixels (uint8 wraps around, 3 - 5 is 254; make them floats first)"
    expect_array(call(fn, a, b), want, what, atol=1e-5)


def other_distances(a, b):
    """Numbers that look like Euclidean distances and are not."""
    apart = a[:, None, :] - b[None, :, :]  # (N, M, D), fine at this size
    l2 = np.sqrt((apart**2).sum(axis=2))
    sums = a.sum(axis=1)[:, None] - b.sum(axis=1)
    lengths_a, lengths_b = (a**2).sum(axis=1)[:, None], (b**2).sum(axis=1)
    i, j = np.indices(l2.shape)
    return {
        "only the first row is filled: does return stand inside the loop?": np.where(i, 0, l2),
        "only the first entry is filled: does return stand inside the loops?": (
            np.where(i + j, 0, l2)
        ),
        "columns stay empty: the inner loop runs over the rows of b, len(b) of them.": (
            np.where(j < len(a), l2, 0)
        ),
        "the sum goes on from one b[j] to the next; every pair starts again at 0.": (
            np.sqrt(np.cumsum(l2**2, axis=1))
        ),
        "these are half the squares: ** 1 / 2 is read as (** 1) / 2; use np.sqrt.": l2**2 / 2,
        "these are the squares of the distances; the root is missing.": l2**2,
        "these are L1 distances, sums of absolute differences; L2 squares them.": (
            np.abs(apart).sum(axis=2)
        ),
        "rows and columns are exchanged: entry [i, j] is the distance of a[i] to b[j].": l2.T,
        "the squares were averaged over the D numbers of a point; add them.": (
            np.sqrt((apart**2).mean(axis=2))
        ),
        "the differences were added up before they were squared; first square, then add.": (
            np.abs(sums)
        ),
        "these are the largest differences; L2 is the root of the sum of squares.": (
            np.abs(apart).max(axis=2)
        ),
        "these are lengths of sums; a minus sign became a plus.": (
            np.sqrt(((a[:, None, :] + b[None, :, :]) ** 2).sum(axis=2))
        ),
        "the mixed term lacks its factor 2: (a - b)^2 = a^2 - 2ab + b^2.": (
            np.sqrt(np.maximum(lengths_a + lengths_b - a @ b.T, 0))
        ),
        "the mixed term is missing: (a - b)^2 = a^2 - 2ab + b^2.": np.sqrt(lengths_a + lengths_b),
        "these are differences of lengths; points of equal length can be far apart.": (
            np.abs(np.sqrt(lengths_a) - np.sqrt(lengths_b))
        ),
        "these are dot products, which grow with likeness; distances were asked for.": a @ b.T,
    }


@withholds("nearest", "vote")
@check
def check_knn_predict(fn, seed=0):
    """knn_predict(x_train, y_train, x, k): (n, D), (n,) integers, (N, D) -> (N,) labels.

    L2 distance, majority of the k nearest, ties to the smallest label.
    """
    rng = np.random.default_rng(seed)
    neighbors_vote_well(fn, rng)

    args = (rng.normal(size=(500, 8)), rng.integers(0, 5, size=500), rng.normal(size=(100, 8)), 5)
    loops = "right, but slow: take the distances from your version without loops."
    expect_fast(fn, reference.knn_predict, args, loops)


@check
def check_knn_predict_torch(fn, seed=0):
    """knn_predict_torch(x_train, y_train, x, k): the same with tensors, on their device."""
    import torch

    from utils.gpu.neighbors import knn_predict

    rng = np.random.default_rng(seed)
    for device in devices():
        neighbors_vote_well(fn, rng, lambda array: torch.tensor(array, device=device))  # noqa: B023

    x = torch.tensor(rng.normal(size=(30, 3)), dtype=torch.float32)
    y = torch.tensor(rng.integers(0, 3, size=30))
    expect_array(call(fn, x, y, x, 1), y, "the labels of float32 training points with k = 1")

    args = (rng.normal(size=(30, 2)), rng.integers(0, 3, size=30), rng.normal(size=(6000, 2)))
    args = (*(torch.tensor(array) for array in args), 5)
    loops = "right, but slow: torch.cdist, topk and one_hot do everything for all rows at once."
    expect_fast(fn, knn_predict, args, loops, times=4, seconds=0.03)


def neighbors_vote_well(fn, rng, convert=np.asarray):
    """What both variants have to fulfil; `convert` makes their kind of array."""

    # many queries and many ties: what explains all the labels is not a coincidence; and of these
    # labels a Python set lists the smallest one last
    scale = np.array([1.0, 2.0])  # of the two features
    x_train, x = scale * rng.normal(size=(40, 2)), scale * rng.normal(size=(60, 2))
    y_train, k = np.append([7, 8, 11, 17], rng.choice([7, 8, 11, 17], size=36)), 4
    got = call(fn, convert(x_train), convert(y_train), convert(x), k)
    want = reference.knn_predict(x_train, y_train, x, k)
    got = plain(got, "the result", convert(x))
    expect_none_of(got, want, other_votes(x_train, y_train, x, k))

    def expect_labels(x_train, y_train, x, k, what):
        want = reference.knn_predict(x_train, y_train, x, k)
        got = call(fn, convert(x_train), convert(y_train), convert(x), k)
        expect_array(got, convert(want), what)

    # seen from 0 the neighbors stand at 1, 2, 3, 4, 20 and have the labels 1, 2, 2, 0, 0:
    # k = 1 says 1, k = 3 says 2
    x_train = np.array([[20.0], [2.0], [4.0], [1.0], [3.0]])
    y_train = np.array([0, 2, 0, 1, 2])
    x = np.array([[0.0]])
    for k in (1, 3):
        what = f"the label at 0, neighbors at 1, 2, 3, 4, 20, labels 1, 2, 2, 0, 0, k = {k}"
        expect_labels(x_train, y_train, x, k, what)

    # a tie: labels 2, 1, 1, 2 at the distances 1, 2, 3, 4
    x_train, y_train = np.array([[1.0], [2.0], [3.0], [4.0]]), np.array([2, 1, 1, 2])
    expect_labels(x_train, y_train, x, 4, "two votes for 1 and two for 2: the winner")
    expect_labels(x_train, y_train, x, 2, "one vote for 1 and one for 2: the winner")
    expect_labels(x_train, 6 * y_train - 3, x, 4, "two votes for 3 and two for 9: the winner")

    for n, n_queries, d, k in [
        (30, 8, 2, 5),
        (30, 8, 2, 5),
        (20, 1, 3, 4),
        (12, 6, 1, 12),
        (1, 3, 2, 1),
    ]:
        x_train, x = rng.normal(size=(n, d)), rng.normal(size=(n_queries, d))
        y_train = rng.integers(0, 4, size=n)
        what = f"the labels of {n_queries} points, with {n} to learn from and k = {k}"
        expect_labels(x_train, y_train, x, k, what)

    # labels are names: nobody promised 0, 1, 2
    y_train = np.array([3, 7, 9])[np.arange(30) % 3]
    x_train, x = rng.normal(size=(30, 2)), rng.normal(size=(6, 2))
    expect_labels(x_train, y_train, x, 4, "the labels when the classes are called 3, 7 and 9")


def other_votes(x_train, y_train, x, k):
    """Labels that come from the wrong neighbors, or from the wrong count."""
    order = np.argsort(reference.l2_distances_two_loops(x, x_train), axis=1, kind="stable")
    near, far = y_train[order[:, :k]], y_train[order[:, ::-1][:, :k]]
    l1 = np.argsort(np.abs(x[:, None] - x_train).sum(axis=2), axis=1, kind="stable")
    largest = np.argsort(np.abs(x[:, None] - x_train).max(axis=2), axis=1, kind="stable")
    deviation = x_train.std(axis=0)
    scaled = reference.knn_predict(x_train / deviation, y_train, x / deviation, k)
    weighted = reference.knn_predict(x_train, y_train, x, k, weighting="distance")
    votes = np.array([np.bincount(row, minlength=y_train.max() + 1) for row in near])
    present = np.unique(y_train)
    return {
        "k is ignored: this is the label of the single nearest neighbor.": y_train[order[:, 0]],
        "this tie went to the largest label; it goes to the smallest.": (
            votes.shape[1] - 1 - votes[:, ::-1].argmax(axis=1)
        ),
        "this tie went to the label of the nearest neighbor; it goes to the smallest label.": (
            np.array([Counter(row).most_common(1)[0][0] for row in near.tolist()])
        ),
        "it takes a tie for the label met last; ties go to the smallest label.": (
            np.array([Counter(row[::-1]).most_common(1)[0][0] for row in near.tolist()])
        ),
        "the farthest neighbors voted: which end of the sorted distances is near?": (
            np.array([np.bincount(row).argmax() for row in far])
        ),
        "this tie went to what a Python set lists first, which is any order; sort, or count.": (
            np.array([max(set(row), key=row.count) for row in near.tolist()])
        ),
        "near neighbors got more weight; in the plain vote each of the k has one vote.": weighted,
        "the features were scaled first; compare the points as they come.": scaled,
        "these neighbors differ least in their largest coordinate; use the Euclidean distance.": (
            np.array([np.bincount(row).argmax() for row in y_train[largest[:, :k]]])
        ),
        "k - 1 neighbors voted: a slice [:k] holds k of them.": (
            np.array([np.bincount(row).argmax() for row in near[:, : max(k - 1, 1)]])
        ),
        "this is the label of the k-th neighbor; all k of them vote.": near[:, -1],
        "this is the largest label among the neighbors; the most frequent one wins.": near.max(
            axis=1
        ),
        "this is the smallest label among the neighbors; the most frequent one wins.": (
            near.min(axis=1)
        ),
        "labels were averaged; they are names, so count votes.": near.mean(axis=1).round(),
        "labels were averaged; they are names, so take the majority.": (
            near.mean(axis=1).astype(int)
        ),
        "the median of the labels was taken; they are names, so count votes.": (
            np.median(near, axis=1)
        ),
        "the middle one of the sorted labels was taken; they are names, so count votes.": (
            np.sort(near, axis=1)[:, (k - 1) // 2]
        ),
        "these are the places of the nearest neighbors; look up their labels in y_train.": (
            order[:, 0]
        ),
        "these are positions in the sorted list of labels; return the labels themselves.": (
            np.searchsorted(present, votes.argmax(axis=1))
        ),
        "these are L1 neighbors; use the Euclidean distance.": (
            np.array([np.bincount(row).argmax() for row in y_train[l1[:, :k]]])
        ),
        "k + 1 neighbors voted: a slice [:k] holds k of them.": (
            np.array([np.bincount(row).argmax() for row in y_train[order[:, : k + 1]]])
        ),
        "the nearest neighbor was left out; it is no copy of the point itself.": (
            np.array([np.bincount(row).argmax() for row in y_train[order[:, 1 : k + 1]]])
            if k < len(y_train)
            else -np.ones(len(x))
        ),
        "these are the labels of all k neighbors; let them vote.": near,
        "these are numbers of votes; return the label that got most.": votes.max(axis=1),
    }


@check
def check_knn_cost(answer, seed=0):
    """The training set of a k-nearest-neighbor classifier is doubled. Count multiplications:
    what becomes of the work of training, and of the work of predicting one new image?

    a) Both double.
    b) Training doubles; prediction stays the same.
    c) Training takes none, before and after; prediction doubles.
    d) Both stay the same.
    """
    expect_choice(
        answer,
        right="c",
        wrong={
            "a": "what is computed when a nearest-neighbor classifier is trained? It only stores.",
            "b": "that describes a linear classifier; what is a new image compared with?",
            "d": "every training image is compared with the new one, and there are more now.",
        },
    )
