"""Wrong answers on training a network."""

import numpy as np

from grader.mutants import mutant


@mutant("train_mlp", says="all hidden neurons are equal")
def train_mlp_zeros(x, y, sizes, epochs, rng):
    """Starts from zeros."""
    parameters = [
        (np.zeros(sizes[i : i + 2]), np.zeros(sizes[i + 1])) for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return parameters


@mutant("train_mlp", says="the loss grows in training")
def train_mlp_uphill(x, y, sizes, epochs, rng):
    """+ for -."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w + 0.2 * dw, b + 0.2 * db
    return parameters


@mutant("train_mlp", says="those after 0: subtract")
def train_mlp_not_updated(x, y, sizes, epochs, rng):
    """The new weights are not put back."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                w, b = w - 0.2 * dw, b - 0.2 * db
    return parameters


@mutant("train_mlp", says="sorted by class")
def train_mlp_unshuffled(x, y, sizes, epochs, rng):
    """Always in the order given."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = np.arange(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.1 * dw, b - 0.1 * db
    return parameters


@mutant("train_mlp", says="keep the same order")
def train_mlp_labels_left_behind(x, y, sizes, epochs, rng):
    """y is not shuffled with x."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[start : start + 32]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return parameters


@mutant("train_mlp", says="equal rng")
def train_mlp_own_generator(x, y, sizes, epochs, rng):
    """Draws the order from elsewhere."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = np.random.default_rng().permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return parameters


@mutant("train_mlp", says="do not depend on rng")
def train_mlp_own_seed(x, y, sizes, epochs, rng):
    """A generator of its own, with a fixed seed."""
    parameters = [
        (np.random.default_rng(i).normal(size=sizes[i : i + 2]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return parameters


@mutant("train_mlp", says="full-batch")
def train_mlp_full_batch(x, y, sizes, epochs, rng):
    """One update for each epoch."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), len(x)):
            batch = order[start : start + len(x)]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.5 * dw, b - 0.5 * db
    return parameters


@mutant("train_mlp", says="one of the layers stays")
def train_mlp_last_layer(x, y, sizes, epochs, rng):
    """Trains the last layer alone."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters) - 1, len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return parameters


@mutant("train_mlp", says="one of the layers stays")
def train_mlp_without_bias(x, y, sizes, epochs, rng):
    """The biases stay 0."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0 * db
    return parameters


@mutant("train_mlp", says="those after 1: go over")
def train_mlp_one_epoch(x, y, sizes, epochs, rng):
    """epochs is ignored."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(min(epochs, 1)):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return parameters


@mutant("train_mlp", says="a batch that is not full")
def train_mlp_full_batches_only(x, y, sizes, epochs, rng):
    """Leaves out what does not fill a batch."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x) - 31, 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return parameters


@mutant("train_mlp", says="too long")
def train_mlp_rate_too_high(x, y, sizes, epochs, rng):
    """lr = 1e6."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 1e6 * dw, b - 1e6 * db
    return parameters


@mutant("train_mlp", says="too slowly")
def train_mlp_rate_too_low(x, y, sizes, epochs, rng):
    """lr = 1e-4."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 1e-4 * dw, b - 1e-4 * db
    return parameters


@mutant("train_mlp", says="list of pairs")
def train_mlp_arrays(x, y, sizes, epochs, rng):
    """Weights and biases in two lists."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    for _ in range(epochs):
        order = rng.permutation(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return [w for w, _ in parameters], [b for _, b in parameters]


@mutant("train_mlp", says="in place")
def train_mlp_shuffles_in_place(x, y, sizes, epochs, rng):
    """Shuffles the caller's examples."""
    parameters = [
        (rng.normal(size=sizes[i : i + 2]) * np.sqrt(2 / sizes[i]), np.zeros(sizes[i + 1]))
        for i in range(len(sizes) - 1)
    ]
    rng.shuffle(x)
    for _ in range(epochs):
        order = np.arange(len(x))
        for start in range(0, len(x), 32):
            batch = order[start : start + 32]
            inputs, h = [], x[batch]
            for layer, (w, b) in enumerate(parameters):
                inputs.append(h)
                h = h @ w + b
                if layer < len(parameters) - 1:
                    h = np.maximum(h, 0)
            p = np.exp(h - h.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            p[np.arange(len(batch)), y[batch]] -= 1
            dout = p / len(batch)
            for layer in reversed(range(len(parameters))):
                w, b = parameters[layer]
                dw, db = inputs[layer].T @ dout, dout.sum(axis=0)
                dout = dout @ w.T * (inputs[layer] > 0)
                parameters[layer] = w - 0.2 * dw, b - 0.2 * db
    return parameters


mutant("overfit_first", says="thrown away")("a")
mutant("overfit_first", says="say nothing")("c")
mutant("overfit_first", says="nothing is held back yet")("d")

mutant("silenced_units", says="chosen at random")("a")
mutant("silenced_units", says="no unit changes")("b")
mutant("silenced_units", says="also of wrong ones")("c")
