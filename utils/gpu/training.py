"""One training loop for every model. Torch twin of utils.reference.training.

A model that is an nn.Module takes part as a function of its weights:

    run = start_run({name: w.detach() for name, w in model.named_parameters()})
    loss = lambda params, x, y: softmax_cross_entropy(functional_call(model, params, (x,)), y)

with torch.func.functional_call. The CPU waits for the device once per epoch, for the mean loss.
"""

import math
import os

import torch

from .linear import _batches
from .optimizers import clip_by_norm, sgd_step


def start_run(params):
    """Torch twin of utils.reference.training.start_run."""
    if not params or not all(isinstance(name, str) for name in params):
        raise ValueError(f"params must be a dict of tensors by name, got the names {[*params]}")
    for name, w in params.items():
        if not w.is_floating_point():
            raise ValueError(f"params must be tensors of floats, got {name} of {w.dtype}")
    return {
        "params": {name: w.detach() for name, w in params.items()},
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
    generator=None,
    max_norm=None,
    validate=None,
    stop=None,
    callbacks=(),
    progress=False,
):
    """Torch twin of utils.reference.training.train.

    Differs: loss returns the mean loss alone, a 0-dimensional tensor; validate runs without
    autograd.
    """
    N = len(x)
    if N == 0 or len(y) != N:
        raise ValueError(f"x and y must have one length, at least 1, got {N} and {len(y)}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    _restore(generator, run)
    n_batches = -(-N // batch_size)
    with _Bar(progress, run["step"], epochs * n_batches) as bar:
        while run["epoch"] < epochs and not (stop and stop(run)):
            total = 0.0
            for x_batch, y_batch in _batches(x, y, batch_size, generator):
                rate = lr(run) if callable(lr) else lr
                params = {name: w.detach().requires_grad_() for name, w in run["params"].items()}
                batch_loss = loss(params, x_batch, y_batch)
                gradients = torch.autograd.grad(batch_loss, list(params.values()))
                gradients = dict(zip(params, gradients, strict=True))
                run = _update(run, gradients, step, rate, max_norm)
                total = total + len(x_batch) * batch_loss.detach()
                bar.advance()
            run = _end_epoch(run, float(total) / N, rate, validate, generator)
            bar.report(loss=run["history"]["loss"][-1])
            for callback in callbacks:
                callback(run)
    return run


def early_stopping(patience=10):
    """Torch twin of utils.reference.training.early_stopping."""
    if patience < 1:
        raise ValueError(f"patience must be at least 1, got {patience}")

    def stop(run):
        values = run["history"]["validation"]
        lowest = math.inf
        for epoch, value in enumerate(values):
            if value < lowest:
                lowest, last_low = value, epoch
        return lowest < math.inf and len(values) - 1 - last_low >= patience

    return stop


def snapshots(path, every=1):
    """Torch twin of utils.reference.training.snapshots."""
    if every < 1:
        raise ValueError(f"every must be at least 1, got {every}")

    def snapshot(run):
        if run["epoch"] % every == 0:
            save_run(run, path)

    return snapshot


def save_run(run, path):
    """Torch twin of utils.reference.training.save_run.

    Differs: in torch's own format.
    """
    part = f"{os.fspath(path)}.part"
    torch.save(run, part)
    os.replace(part, path)


def load_run(path):
    """Torch twin of utils.reference.training.load_run.

    Differs: tensors come back to the device they were on.
    """
    return torch.load(path, weights_only=True)


def _update(run, gradients, step, rate, max_norm):
    """The run one step further."""
    params, states = {}, {}
    if max_norm is not None:
        gradients, _ = clip_by_norm(gradients, max_norm)
    for name, w in run["params"].items():
        params[name], states[name] = step(w, gradients[name], run["optimizer"][name], lr=rate)
    return {**run, "params": params, "optimizer": states, "step": run["step"] + 1}


@torch.no_grad()
def _end_epoch(run, mean_loss, rate, validate, generator):
    """The run with its epoch entered in the books."""
    entries, best, epoch = {"loss": mean_loss, "lr": float(rate)}, run["best"], run["epoch"] + 1
    if validate is not None:
        value = entries["validation"] = float(validate(run["params"]))
        if value < (math.inf if best is None else best["validation"]):
            best = {"epoch": epoch, "validation": value, "params": run["params"]}
    history = {
        name: [*values, entries[name]] if name in entries else values
        for name, values in run["history"].items()
    }
    state = None if generator is None else generator.get_state()
    return {**run, "epoch": epoch, "history": history, "best": best, "rng": state}


def _restore(generator, run):
    if run["rng"] is None:
        return
    if generator is None:
        raise ValueError("the run was shuffled: to go on it needs a generator, got None")
    generator.set_state(run["rng"])


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
