"""Wrong answers on folds and test sets."""

import numpy as np

from grader.mutants import mutant


@mutant("k_fold", says="leak")
def k_fold_leak(n, k, rng):
    """Trains on everything."""
    order = rng.permutation(n)
    return [(order, fold) for fold in np.array_split(order, k)]


@mutant("k_fold", says="leaves examples out")
def k_fold_rest_dropped(n, k, rng):
    """The n % k examples at the end are lost."""
    order, size = rng.permutation(n), n // k
    folds = [order[i * size : (i + 1) * size] for i in range(k)]
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


@mutant("k_fold", says="differ by more than one")
def k_fold_rest_in_last(n, k, rng):
    """All of the rest goes to the last fold."""
    order, size = rng.permutation(n), n // k
    cuts = [i * size for i in range(1, k)]
    folds = np.split(order, cuts)
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


@mutant("k_fold", says="not shuffled")
def k_fold_sorted(n, k, rng):
    """rng not used."""
    folds = np.array_split(np.arange(n), k)
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


@mutant("k_fold", says="not shuffled")
def k_fold_shuffled_inside(n, k, rng):
    """Shuffles within the folds, after they were cut."""
    folds = [rng.permutation(fold) for fold in np.array_split(np.arange(n), k)]
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


@mutant("k_fold", says="two runs with equal rng")
def k_fold_global(n, k, rng):
    """np.random in place of rng."""
    folds = np.array_split(np.random.permutation(n), k)  # noqa: NPY002
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


@mutant("k_fold", says="do not depend on rng")
def k_fold_fixed(n, k, rng):
    """A generator of its own, the same for ever."""
    folds = np.array_split(np.random.default_rng(42).permutation(n), k)
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


@mutant("k_fold", says="shuffle only once")
def k_fold_reshuffled(n, k, rng):
    """A new order for every fold."""
    folds = []
    for i in range(k):
        parts = np.array_split(rng.permutation(n), k)
        folds.append((np.concatenate(parts[:i] + parts[i + 1 :]), parts[i]))
    return folds


@mutant("k_fold", says="wrong way round")
def k_fold_swapped(n, k, rng):
    """(validation, train)."""
    folds = np.array_split(rng.permutation(n), k)
    return [(folds[i], np.concatenate(folds[:i] + folds[i + 1 :])) for i in range(k)]


@mutant("k_fold", says="(train, validation)")
def k_fold_validation_only(n, k, rng):
    """Only half of what was asked for."""
    return np.array_split(rng.permutation(n), k)


@mutant("k_fold", says="some are outside")
def k_fold_from_one(n, k, rng):
    """Counts from 1."""
    folds = np.array_split(rng.permutation(np.arange(1, n + 1)), k)
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


@mutant("k_fold", says="not shuffled")
def k_fold_shuffled_folds(n, k, rng):
    """Shuffles the folds as a whole."""
    folds = np.array_split(np.arange(n), k)
    folds = [folds[i] for i in rng.permutation(k)]
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


@mutant("k_fold", says="not drawn at random")
def k_fold_with_replacement(n, k, rng):
    """integers for permutation."""
    folds = np.array_split(rng.integers(0, n, size=n), k)
    return [(np.concatenate(folds[:i] + folds[i + 1 :]), folds[i]) for i in range(k)]


mutant("which_error", says="one reached 95 %")("a")
mutant("which_error", says="too few data")("c")
mutant("which_error", says="a better search")("d")

mutant("test_set_uses", says="choosing k is learning too")("a")
mutant("test_set_uses", says="lucky or unlucky")("b")
mutant("test_set_uses", says="size is no cure")("c")
