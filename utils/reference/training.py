"""One training loop for every model: a batch, its gradient, a step; after each epoch a look back.

A run is a dict with all there is to know of a training so far, and so all that goes on from it:

    params      dict of arrays, the weights by name
    optimizer   dict of states, one for each of params, None before the first step
    step, epoch how many updates and how many passes over the data are done
    history     dict of lists with an entry per epoch: loss, lr, and validation if there is one
    best        None, or the epoch with the lowest validation, its value and its params
    rng         None, or the state of the rng that shuffles

Nothing in a run is ever changed: an update makes a new one. So a run that was kept is a snapshot,
and whatever depends on runs alone, as learning rates and early stopping do here, comes out the
same, bit for bit, whether a training went through or was interrupted, saved and resumed.
"""

import json
import os

import numpy as np

from .optimizers import clip_by_norm, sgd_step
from .validation import _order


def start_run(params):
    """A run before its first step.

    params : dict of float arrays by name, a str; not copied, as nothing will change them
    returns: run, a dict as at the head of this file
    raises : ValueError, if there are no params, a name is no str or an array not of floats
    """
    if not params or not all(isinstance(name, str) for name in params):
        raise ValueError(f"params must be a dict of arrays by name, got the names {[*params]}")
    for name, w in params.items():
        if w.dtype.kind != "f":
            raise ValueError(f"params must be arrays of floats, got {name} of {w.dtype}")
    return {
        "params": dict(params),
        "optimizer": dict.fromkeys(params),
        "step": 0,
        "epoch": 0,
        "history": {"loss": [], "lr": [], "validation": []},
        "best": None,
        "rng": None,
    }


def train(
    run,
    loss,
    x,
    y,
    epochs,
    step=sgd_step,
    lr=0.1,
    batch_size=32,
    rng=None,
    max_norm=None,
    validate=None,
    stop=None,
    callbacks=(),
    progress=False,
):
    """Go on with a run until it is `epochs` epochs old.

    run       : from start_run, load_run, or train itself
    loss      : function of (params, x, y) that returns (mean loss, dict of gradients by name)
    x, y      : arrays of N examples and their targets
    epochs    : int, counted from the start of the run
    step      : one of optimizers, or functools.partial(momentum_step, beta=0.95)
    lr        : float, or function of the run: lambda run: cosine(run["step"], 0.1, n_steps=1000)
    batch_size: int >= 1, examples per update; the last batch of an epoch may be smaller
    rng       : numpy.random.Generator that shuffles every epoch; None keeps the order. A run that
                was shuffled before sets it to where it was: layers that draw from the same rng,
                as dropout may, are resumed with it
    max_norm  : float > 0, longer gradients are clipped to it; None leaves them
    validate  : function of params that returns a float, lower is better, asked after each epoch
    stop      : function of the run, asked before each epoch; True ends the training
    callbacks : functions of the run, called after each epoch, to report or to save
    progress  : bool, True draws a bar (tqdm)
    returns   : run, a new dict; history["loss"] is the mean over the examples of an epoch, each
                met before the update it belongs to, history["lr"] the last rate of an epoch
    raises    : ValueError, if x is empty or y differs in length, batch_size < 1, the run was
                shuffled but there is no rng, or gradients and params have other names
    """
    N = len(x)
    if N == 0 or len(y) != N:
        raise ValueError(f"x and y must have one length, at least 1, got {N} and {len(y)}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    _restore(rng, run)
    n_batches = -(-N // batch_size)
    with _Bar(progress, run["step"], epochs * n_batches) as bar:
        while run["epoch"] < epochs and not (stop and stop(run)):
            order, total = _order(N, rng), 0.0
            for start in range(0, N, batch_size):
                batch = order[start : start + batch_size]
                rate = float(lr(run) if callable(lr) else lr)
                batch_loss, gradients = loss(run["params"], x[batch], y[batch])
                run = _update(run, gradients, step, rate, max_norm)
                total += len(batch) * float(batch_loss)
                bar.advance()
            run = _end_epoch(run, total / N, rate, validate, rng)
            bar.report(loss=run["history"]["loss"][-1])
            for callback in callbacks:
                callback(run)
    return run


def early_stopping(patience=10):
    """Stop when the validation has not reached a new low for so many epochs.

    It reads the history and remembers nothing; run["best"] holds the weights to keep.

    patience: int, at least 1
    returns : function of the run, for train(stop=...); a nan counts as no new low
    raises  : ValueError, if patience < 1
    source  : Prechelt, Early Stopping, But When? (1998)
    """
    if patience < 1:
        raise ValueError(f"patience must be at least 1, got {patience}")

    def stop(run):
        values = run["history"]["validation"]
        lowest = np.inf
        for epoch, value in enumerate(values):
            if value < lowest:
                lowest, last_low = value, epoch
        return lowest < np.inf and len(values) - 1 - last_low >= patience

    return stop


def snapshots(path, every=1):
    """A callback that saves the run after every so many epochs, over the one before.

    path   : str or Path
    every  : int, at least 1
    returns: function of the run, for train(callbacks=[...])
    raises : ValueError, if every < 1
    """
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every}")

    def snapshot(run):
        if run["epoch"] % every == 0:
            save_run(run, path)

    return snapshot


def save_run(run, path):
    """Write a run to a file: the arrays as numpy keeps them, all else as JSON; no pickle.

    The file appears whole or not at all: a crash while writing leaves the old one.
    """
    arrays = {}
    tree = json.dumps(_without_arrays(run, arrays))
    part = f"{os.fspath(path)}.part"
    with open(part, "wb") as file:
        np.savez(file, tree=tree, **arrays)
    os.replace(part, path)


def load_run(path):
    """The run that save_run wrote, equal in every bit."""
    with np.load(path, allow_pickle=False) as file:
        return _with_arrays(json.loads(str(file["tree"])), file)


def _update(run, gradients, step, rate, max_norm):
    """The run one step further."""
    params, states = {}, {}
    if gradients.keys() != run["params"].keys():
        raise ValueError(
            f"gradients must be those of {sorted(run['params'])}, got {sorted(gradients)}"
        )
    gradients = {
        name: np.asarray(gradients[name], dtype=w.dtype)  # a float64 loss leaves float32 weights be
        for name, w in run["params"].items()
    }
    if max_norm is not None:
        gradients, _ = clip_by_norm(gradients, max_norm)
    for name, w in run["params"].items():
        params[name], states[name] = step(w, gradients[name], run["optimizer"][name], lr=rate)
    return {**run, "params": params, "optimizer": states, "step": run["step"] + 1}


def _end_epoch(run, mean_loss, rate, validate, rng):
    """The run with its epoch entered in the books."""
    entries, best, epoch = {"loss": mean_loss, "lr": rate}, run["best"], run["epoch"] + 1
    if validate is not None:
        value = entries["validation"] = float(validate(run["params"]))
        if value < (np.inf if best is None else best["validation"]):
            best = {"epoch": epoch, "validation": value, "params": run["params"]}
    history = {
        name: [*values, entries[name]] if name in entries else values
        for name, values in run["history"].items()
    }
    state = None if rng is None else rng.bit_generator.state
    return {**run, "epoch": epoch, "history": history, "best": best, "rng": state}


def _restore(rng, run):
    if run["rng"] is None:
        return
    if rng is None:
        raise ValueError("the run was shuffled: to go on it needs an rng, got None")
    rng.bit_generator.state = run["rng"]


class _Bar:
    """tqdm, where it is wanted."""

    def __init__(self, wanted, done, total):
        self.bar = None
        if wanted:
            from tqdm.auto import tqdm  # not needed without a bar

            self.bar = tqdm(total=total, initial=done, unit="batch")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.bar is not None:
            self.bar.close()

    def advance(self):
        if self.bar is not None:
            self.bar.update()

    def report(self, **values):
        if self.bar is not None:
            self.bar.set_postfix(**values)


def _without_arrays(tree, arrays):
    """The tree with every array put into arrays and its name there in its place."""
    if isinstance(tree, dict):
        return {name: _without_arrays(branch, arrays) for name, branch in tree.items()}
    if isinstance(tree, (np.ndarray, np.generic)):
        name = f"array{len(arrays)}"
        arrays[name] = tree
        return [name]  # no other list in a run begins with a str
    return tree


def _with_arrays(tree, arrays):
    if isinstance(tree, dict):
        return {name: _with_arrays(branch, arrays) for name, branch in tree.items()}
    if isinstance(tree, list) and len(tree) == 1 and isinstance(tree[0], str):
        return arrays[tree[0]]
    return tree
