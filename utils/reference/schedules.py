"""The learning rate as a function of time: large to get away, small to arrive.

t counts from 0, in updates or in epochs, as the caller counts; lr is the rate to start from, but
for one_cycle, where it is the peak. Each function returns the rate at t, in the unit of lr, and
takes an array of t as well, for a picture; only reduce_on_plateau depends on more than t.

Raises ValueError if a t is negative or a length, a width or a factor makes no sense.
"""

import numpy as np


def step(t, lr, factor=0.5, every=5):
    """A staircase: times factor, once in a while.

        lr factor^floor(t / every)

    t      : int or array, at least 0
    lr     : float
    factor : float > 0; 1/2 every 5 epochs or 1/10 every 20 are usual
    every  : int, at least 1
    returns: float, or the shape of t
    """
    _require(t, factor=factor, every=every)
    return _plain(lr * factor ** (np.asarray(t) // every))


def piecewise(t, boundaries, values):
    """A staircase drawn by hand.

        values[i],  i = number of boundaries that t has reached

    t         : int or array, at least 0
    boundaries: ascending, where the next value begins
    values    : one more than boundaries
    returns   : float, or the shape of t
    raises    : ValueError, also if there are not as many values or boundaries do not ascend
    """
    _require(t)
    if len(values) != len(boundaries) + 1:
        raise ValueError(
            f"values must be one more than the {len(boundaries)} boundaries, got {len(values)}"
        )
    if (np.diff(boundaries) <= 0).any():
        raise ValueError(f"boundaries must ascend, got {list(boundaries)}")
    return _plain(
        np.asarray(values, dtype=np.float64)[np.searchsorted(boundaries, t, side="right")]
    )


def power(t, lr, s, c=1.0):
    """Falls quickly, then more and more slowly.

        lr / (1 + t/s)^c

    With c = 1 it is a half at s, a third at 2s. For c in (1/2, 1] the rates sum to infinity and
    their squares do not: the condition of Robbins and Monro for arriving in spite of noise.

    t      : int or array, at least 0
    lr     : float
    s      : float > 0, a number of steps
    c      : float > 0
    returns: float, or the shape of t
    """
    _require(t, s=s, c=c)
    return _plain(lr / (1 + np.asarray(t) / s) ** c)


def exponential(t, lr, s):
    """Falls by the same share at every step: tenfold every s.

        lr 0.1^(t/s)

    t      : int or array, at least 0
    lr     : float
    s      : float > 0, a number of steps
    returns: float, or the shape of t
    """
    _require(t, s=s)
    return _plain(lr * 0.1 ** (np.asarray(t) / s))


def cosine(t, lr, n_steps, lr_min=0.0):
    """Half a period of a cosine: slow to leave, slow to arrive.

        lr_min + (lr - lr_min) (1 + cos(pi t / n_steps)) / 2,  from n_steps on lr_min

    t      : int or array, at least 0
    lr     : float
    n_steps: int, at least 1
    lr_min : float, where it ends
    returns: float, or the shape of t
    source : Loshchilov and Hutter, SGDR: Stochastic Gradient Descent with Warm Restarts (2017),
             eq. 5, without the restarts
    """
    _require(t, n_steps=n_steps)
    share = np.minimum(np.asarray(t) / n_steps, 1)
    return _plain(lr_min + (lr - lr_min) * (1 + np.cos(np.pi * share)) / 2)


def one_cycle(t, lr, n_steps, rise=0.45, ratio=10.0, final_ratio=100.0):
    """Up to a rate that would be too large for long, down again, and out.

        lr/ratio  ->  lr  ->  lr/ratio  ->  lr/(ratio final_ratio),  straight lines between

    The turns are at a = rise n_steps - 1, at 2a and, the last step, at n_steps - 1: torch's
    OneCycleLR with three_phase=True and anneal_strategy="linear". After the end it stays.

    t          : int or array, at least 0
    lr         : float, the peak; momentum is left alone here
    n_steps    : int, at least 1
    rise       : float in (0, 1/2], the share of the steps that go up, and again of those down
    ratio      : float > 0, peak to start
    final_ratio: float > 0, start to end
    returns    : float, or the shape of t
    raises     : ValueError, also if rise n_steps is not above 1: no step would be left to rise
    source     : Smith, A Disciplined Approach to Neural Network Hyper-Parameters (2018)
    """
    _require(t, n_steps=n_steps, ratio=ratio, final_ratio=final_ratio)
    if not (0 < rise <= 0.5 and rise * n_steps > 1):
        raise ValueError(
            f"rise must lie in (0, 0.5] and give more than one step, got {rise} of {n_steps} steps"
        )
    top = rise * n_steps - 1
    rates = lr, lr / ratio, lr / ratio / final_ratio
    return _plain(np.interp(t, [0, top, 2 * top, n_steps - 1], [rates[1], *rates]))


def warm_up(t, lr, n_steps):
    """Begin gently: a straight line from lr/n_steps up to lr, then lr.

        lr min(1, (t + 1) / n_steps)

    It goes around any other schedule: warm_up(t, cosine(t, 0.1, 1000), 50).

    t      : int or array, at least 0
    lr     : float, or the shape of t, the rate without warm-up
    n_steps: int, at least 1; step n_steps - 1 is the first at full rate
    returns: float, or the shape of t
    source : Goyal et al., Accurate, Large Minibatch SGD (2017), section 2.2
    """
    _require(t, n_steps=n_steps)
    return _plain(lr * np.minimum(1, (np.asarray(t) + 1) / n_steps))


def reduce_on_plateau(losses, lr, factor=0.1, patience=10, lr_min=1e-6, threshold=1e-4):
    """Times factor whenever the loss has not improved for more than patience epochs.

        an epoch is good if loss < (1 - threshold) best so far; else it is bad
        after patience + 1 bad ones in a row:  lr <- max(factor lr, lr_min), and count anew

    It looks at the whole history, and remembers nothing: what has been will be again when a run
    is resumed. A nan counts as bad. The rule is that of torch's ReduceLROnPlateau.

    losses   : list of floats, one per epoch so far, of the validation set; may be empty
    lr       : float, the rate at the start
    factor   : float in (0, 1)
    patience : int, at least 0
    lr_min   : float, the floor
    threshold: float >= 0, what counts as an improvement, as a share of the best
    returns  : float, the rate for the next epoch
    raises   : ValueError, if factor is outside (0, 1) or patience negative
    """
    if not 0 < factor < 1:
        raise ValueError(f"factor must lie in (0, 1), got {factor}")
    if not patience >= 0:
        raise ValueError(f"patience must be at least 0, got {patience}")
    best, n_bad = np.inf, 0
    for loss in losses:
        if loss < (1 - threshold) * best:
            best, n_bad = loss, 0
        else:
            n_bad += 1
        if n_bad > patience:
            lr, n_bad = min(lr, max(factor * lr, lr_min)), 0
    return lr


def _plain(rate):
    """A Python float where there is one rate: numpy's would turn float32 weights into float64."""
    return float(rate) if np.ndim(rate) == 0 else rate


def _require(t, **positive):
    if np.size(t) and not np.min(t) >= 0:
        raise ValueError(f"t must be at least 0, got {np.min(t)}")
    for name, value in positive.items():
        if not value > 0:
            raise ValueError(f"{name} must be positive, got {value}")
