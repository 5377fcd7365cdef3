"""Unit 01: folds, and what the parts of the data are for."""

import numpy as np

from grader.checking import call, check, expect, expect_choice, expect_parts, kind_of, plain


@check
def check_k_fold(fn, seed=0):
    """k_fold(n, k, rng): list of k pairs (train, validation) of integer index arrays.

    The n indices are shuffled once with rng; every one validates in one fold and trains in the
    others; fold sizes differ by one at most.
    """
    for n, k in [(6, 3), (10, 3), (11, 4), (5, 5), (23, 2)]:
        folds_are_sound(call(fn, n, k, np.random.default_rng(seed)), n, k)

    def validation_order(seed):
        folds = call(fn, 60, 4, np.random.default_rng(seed))
        folds_are_sound(folds, 60, 4)
        return np.concatenate([validation for _, validation in folds]).tolist()

    # of the 59 pairs (i, i + 1) about 14 share a fold; where folds are slices of 0, 1, 2, ... 56
    order = validation_order(seed)
    neighbors_share = np.diff(np.argsort(order) // 15) == 0
    sorted_data = "data often come sorted by class, and a fold would hold one class only."
    shuffled = neighbors_share.sum() < 40
    expect(shuffled, f"not shuffled: a fold holds examples that stood in a row; {sorted_data}")
    expect(
        order == validation_order(seed),
        "two runs with equal rng give different folds; draw from the rng that is passed in.",
    )
    expect(
        order != validation_order(seed + 1),
        "the folds do not depend on rng; draw the order from the rng that is passed in.",
    )


def folds_are_sound(folds, n, k):
    """k folds of n indices: no leak, nobody left out, everybody validates once, balance."""
    is_list = type(folds) is list or type(folds) is tuple
    expect(is_list, f"should return a list of {k} pairs, but it returned {kind_of(folds)}.")
    expect(len(folds) == k, f"k = {k} should give {k} folds, but there are {len(folds)}.")

    validates = np.zeros(n, dtype=int)  # in how many folds each index validates
    sizes = []
    for fold in folds:
        train, validation = expect_parts(fold, "(train, validation)")
        train = expect_indices(train, "train", n)
        validation = expect_indices(validation, "validation", n)
        shared = np.intersect1d(train, validation).size
        expect(shared == 0, "leak: an example is in train and in validation of the same fold.")
        together = np.union1d(train, validation).size
        expect(together == n, f"n = {n}, k = {k}: a fold leaves examples out of both its parts.")
        swapped = k > 2 and len(validation) > len(train)
        expect(not swapped, "validation is larger than train; is the pair the wrong way round?")
        validates[validation] += 1
        sizes.append(len(validation))

    several = "an example validates in several folds; shuffle only once, and cut that one order."
    expect(validates.max() <= 1, several)
    expect(validates.min() >= 1, f"n = {n}, k = {k}: an example never validates; where is it?")
    balanced = max(sizes) - min(sizes) <= 1
    expect(balanced, f"n = {n}, k = {k}: fold sizes differ by more than one; spread the rest.")


def expect_indices(got, what, n):
    """A plain vector of integers in [0, n), none of them twice."""
    got = plain(got, what)
    expect(got.ndim == 1, f"{what} should be one vector of indices, but it has {got.ndim} axes.")
    expect(got.dtype.kind in "iu", f"{what} should hold indices, but its dtype is {got.dtype}.")
    inside = got.size == 0 or (got.min() >= 0 and got.max() < n)
    expect(inside, f"{what} should hold indices from 0 to {n - 1}; some are outside.")
    twice = f"{what} holds an index twice; the indices are to be shuffled, not drawn at random."
    expect(np.unique(got).size == got.size, twice)
    return got


@check
def check_which_error(answer, seed=0):
    """With plenty of data, both trained to the optimum: a linear classifier is right on 70 % of
    the training and 70 % of the validation images, nearest neighbors on 95 % of both. Which of
    the four errors keeps the linear classifier down?

    a) The Bayes error.
    b) The approximation error.
    c) The estimation error.
    d) The optimization error.
    """
    expect_choice(
        answer,
        right="b",
        wrong={
            "a": "the Bayes error is nobody's fault and binds every classifier; one reached 95 %.",
            "c": "the estimation error comes from too few data; then training beats validation.",
            "d": "the optimization error is what a better search would gain; this is the optimum.",
        },
    )


@check
def check_test_set_uses(answer, seed=0):
    """You try 20 values of k, measure each on the test set, and report the accuracy of the best.
    What about the number that you report?

    a) It is sound: no test image was ever trained on.
    b) It is too low: a k chosen by fewer data is worse.
    c) It is sound if the test set is as large as the training set.
    d) It is too high: the test set helped to choose, so it is no longer unseen.
    """
    expect_choice(
        answer,
        right="d",
        wrong={
            "a": "choosing k is learning too; what did it learn from?",
            "b": "the best of 20 noisy numbers was picked; is that one rather lucky or unlucky?",
            "c": "a large test set shrinks the effect, and size is no cure: what chose k?",
        },
    )
