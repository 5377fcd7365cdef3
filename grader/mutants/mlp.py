"""Wrong answers on layers and networks, forward and backward."""

import numpy as np

from grader.mutants import mutant


@mutant("affine_forward", says="b is missing")
def affine_forward_without_b(x, w, b):
    """No bias."""
    return x @ w, (x, w)


@mutant("affine_forward", says="pair (x, w)")
def affine_forward_caches_all(x, w, b):
    """b too, which nobody needs."""
    return x @ w + b, (x, w, b)


@mutant("affine_forward", says="(out, cache)")
def affine_forward_out_only(x, w, b):
    """No cache."""
    return x @ w + b


@mutant("affine_forward", says="this is (w, x)")
def affine_forward_swapped(x, w, b):
    """The other way round."""
    return x @ w + b, (w, x)


@mutant("affine_forward", says="stopped with")
def affine_forward_two_axes(x, w, b):
    """Knows matrices only."""
    return np.einsum("nd,dc->nc", x, w) + b, (x, w)


@mutant("affine_forward", says="should have shape")
def affine_forward_flattens(x, w, b):
    """The leading axes become one."""
    return x.reshape(-1, w.shape[0]) @ w + b, (x, w)


@mutant("affine_forward", says="a relu is in it")
def affine_forward_relu(x, w, b):
    """The activation too."""
    return np.maximum(x @ w + b, 0), (x, w)


@mutant("affine_forward", says="right, but slow")
def affine_forward_loop(x, w, b):
    """Example by example."""
    out = np.empty((*x.shape[:-1], w.shape[1]))
    for i in np.ndindex(x.shape[:-1]):
        for j in range(w.shape[1]):
            out[(*i, j)] = (x[i] * w[:, j]).sum() + b[j]
    return out, (x, w)


@mutant("affine_backward", says="db is a mean")
def affine_backward_mean(dout, cache):
    """db averaged."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return dout @ w.T, rows.T @ outs, outs.mean(axis=0)


@mutant("affine_backward", says="db is dout itself")
def affine_backward_dout(dout, cache):
    """Not summed."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return dout @ w.T, rows.T @ outs, dout


@mutant("affine_backward", says="dw is turned around")
def affine_backward_turned(dout, cache):
    """dout^T x."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return dout @ w.T, outs.T @ rows, outs.sum(axis=0)


@mutant("affine_backward", says="dw is divided by N")
def affine_backward_divided(dout, cache):
    """1/N once more."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return dout @ w.T, rows.T @ outs / len(rows), outs.sum(axis=0)


@mutant("affine_backward", says="axis of the examples")
def affine_backward_keepdims(dout, cache):
    """keepdims=True."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return dout @ w.T, rows.T @ outs, outs.sum(axis=0, keepdims=True)


@mutant("affine_backward", says="db should be a NumPy array")
def affine_backward_everything(dout, cache):
    """No axis."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return dout @ w.T, rows.T @ outs, outs.sum()


@mutant("affine_backward", says="dw stands first")
def affine_backward_order(dout, cache):
    """dw, dx, db."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return rows.T @ outs, dout @ w.T, outs.sum(axis=0)


@mutant("affine_backward", says="only the first of the leading axes")
def affine_backward_one_axis(dout, cache):
    """axis=0 is not all the leading axes."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return dout @ w.T, rows.T @ outs, dout.sum(axis=0)


@mutant("affine_backward", says="should have shape")
def affine_backward_flat_dx(dout, cache):
    """dx keeps one leading axis."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return outs @ w.T, rows.T @ outs, outs.sum(axis=0)


@mutant("affine_backward", says="the chain rule multiplies")
def affine_backward_ones(dout, cache):
    """d out / d b alone."""
    x, w = cache
    rows, outs = x.reshape(-1, x.shape[-1]), dout.reshape(-1, dout.shape[-1])
    return dout @ w.T, rows.T @ outs, np.ones(w.shape[1])


@mutant("affine_backward", says="right, but slow")
def affine_backward_loop(dout, cache):
    """An outer product for each example and a Python sum."""
    x, w = cache
    dx, dw, db = np.zeros(x.shape), np.zeros(w.shape), np.zeros(w.shape[1])
    for i in np.ndindex(x.shape[:-1]):
        for j in range(w.shape[1]):
            dx[i] += dout[i][j] * w[:, j]
            dw[:, j] += dout[i][j] * x[i]
            db[j] += dout[i][j]
    return dx, dw, db


@mutant("mlp_loss", says="from the last layer to the first")
def mlp_loss_reversed(x, y, parameters):
    """append, and no reversed at the end."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.append((inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T * (inputs[layer] > 0)
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="a relu follows the last layer")
def mlp_loss_relu_last(x, y, parameters):
    """The scores are cut off."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout *= h > 0
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T * (inputs[layer] > 0)
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="the relu is forgotten")
def mlp_loss_no_mask(x, y, parameters):
    """Back through the affine maps only."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="one linear map")
def mlp_loss_linear(x, y, parameters):
    """No activation."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = h * 1.0
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="summed over the examples")
def mlp_loss_sum(x, y, parameters):
    """sum for mean."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= 1
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T * (inputs[layer] > 0)
    return -logp[rows, y].sum(), gradients


@mutant("mlp_loss", says="not divided by N")
def mlp_loss_gradient_sum(x, y, parameters):
    """1/N is missing in the gradients."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= 1
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T * (inputs[layer] > 0)
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="db is a mean")
def mlp_loss_db_mean(x, y, parameters):
    """Divided by N twice."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.mean(axis=0)))
        dout = dout @ w.T * (inputs[layer] > 0)
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="the labels are forgotten")
def mlp_loss_no_labels(x, y, parameters):
    """p for p - onehot."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 0
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T * (inputs[layer] > 0)
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="multiplied by relu(a)")
def mlp_loss_times_h(x, y, parameters):
    """The value for the slope."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T * inputs[layer]
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="(db, dw)")
def mlp_loss_pairs(x, y, parameters):
    """Biases first."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (dout.sum(axis=0), inputs[layer].T @ dout))
        dout = dout @ w.T * (inputs[layer] > 0)
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="not in pairs")
def mlp_loss_flat(x, y, parameters):
    """One flat list."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    shifted = h - h.max(axis=1, keepdims=True)
    logp = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(x))
    dout = np.exp(logp)
    dout[rows, y] -= 1
    dout /= len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.__setitem__(slice(0, 0), [inputs[layer].T @ dout, dout.sum(axis=0)])
        dout = dout @ w.T * (inputs[layer] > 0)
    return -logp[rows, y].mean(), gradients


@mutant("mlp_loss", says="shift the scores")
def mlp_loss_unshifted(x, y, parameters):
    """exp of large scores."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    p = np.exp(h)
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    dout = p / len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, _ = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T * (inputs[layer] > 0)
    return loss, gradients


@mutant("mlp_loss", says="in place")
def mlp_loss_in_place(x, y, parameters):
    """The relu writes into the caller's parameters on the way."""
    inputs, h = [], x
    for layer, (w, b) in enumerate(parameters):
        inputs.append(h)
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = np.maximum(h, 0)
    h -= h.max(axis=1, keepdims=True)
    p = np.exp(h)
    p /= p.sum(axis=1, keepdims=True)
    rows = np.arange(len(x))
    loss = -np.log(p[rows, y]).mean()
    p[rows, y] -= 1
    dout = p / len(x)
    gradients = []
    for layer in reversed(range(len(parameters))):
        w, b = parameters[layer]
        gradients.insert(0, (inputs[layer].T @ dout, dout.sum(axis=0)))
        dout = dout @ w.T * (inputs[layer] > 0)
        w -= 0.1 * gradients[0][0]
    return loss, gradients


@mutant("mlp_loss", says="right, but slow")
def mlp_loss_differences(x, y, parameters):
    """Every gradient by differences."""

    def cost(parameters):
        h = x
        for w, b in parameters[:-1]:
            h = np.maximum(h @ w + b, 0)
        scores = h @ parameters[-1][0] + parameters[-1][1]
        scores = scores - scores.max(axis=1, keepdims=True)
        logp = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        return -logp[np.arange(len(x)), y].mean()

    copies = [(w.copy(), b.copy()) for w, b in parameters]
    gradients = []
    for pair in copies:
        parts = []
        for part in pair:
            slope = np.zeros(part.shape)
            for i in np.ndindex(part.shape):
                middle = part[i]
                part[i] = middle + 1e-5
                above = cost(copies)
                part[i] = middle - 1e-5
                slope[i] = (above - cost(copies)) / 2e-5
                part[i] = middle
            parts.append(slope)
        gradients.append(tuple(parts))
    return cost(parameters), gradients


@mutant("mlp_gradients_torch", says="summed over the examples")
def mlp_gradients_torch_sum(x, y, parameters):
    """reduction="sum"."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h)
    loss = torch.nn.functional.cross_entropy(h, y, reduction="sum")
    loss.backward()
    return loss.detach(), [(w.grad, b.grad) for w, b in parameters]


@mutant("mlp_gradients_torch", says="softmax is applied twice")
def mlp_gradients_torch_softmax_twice(x, y, parameters):
    """cross_entropy takes scores."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h)
    loss = torch.nn.functional.cross_entropy(torch.softmax(h, dim=1), y)
    loss.backward()
    return loss.detach(), [(w.grad, b.grad) for w, b in parameters]


@mutant("mlp_gradients_torch", says="is tanh")
def mlp_gradients_torch_tanh(x, y, parameters):
    """Another activation."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.tanh(h)
    loss = torch.nn.functional.cross_entropy(h, y)
    loss.backward()
    return loss.detach(), [(w.grad, b.grad) for w, b in parameters]


@mutant("mlp_gradients_torch", says="a relu follows the last layer")
def mlp_gradients_torch_relu_last(x, y, parameters):
    """The scores are cut off."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h)
    loss = torch.nn.functional.cross_entropy(torch.relu(h), y)
    loss.backward()
    return loss.detach(), [(w.grad, b.grad) for w, b in parameters]


@mutant("mlp_gradients_torch", says="is None")
def mlp_gradients_torch_no_backward(x, y, parameters):
    """backward() is missing."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h)
    loss = torch.nn.functional.cross_entropy(h, y)
    return loss.detach(), [(w.grad, b.grad) for w, b in parameters]


@mutant("mlp_gradients_torch", says="twice what they should be")
def mlp_gradients_torch_twice(x, y, parameters):
    """Two backward passes add up."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h)
    loss = torch.nn.functional.cross_entropy(h, y)
    loss.backward(retain_graph=True)
    loss.backward()
    return loss.detach(), [(w.grad, b.grad) for w, b in parameters]


@mutant("mlp_gradients_torch", says="requires a gradient itself")
def mlp_gradients_torch_parameters(x, y, parameters):
    """The parameters for their gradients."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h)
    loss = torch.nn.functional.cross_entropy(h, y)
    loss.backward()
    return loss.detach(), [(w, b) for w, b in parameters]


@mutant("mlp_gradients_torch", says="should be a torch tensor")
def mlp_gradients_torch_numpy(x, y, parameters):
    """Left torch."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h)
    loss = torch.nn.functional.cross_entropy(h, y)
    loss.backward()
    return loss.detach(), [(w.grad.numpy(), b.grad.numpy()) for w, b in parameters]


@mutant("mlp_gradients_torch", says="is None")
def mlp_gradients_torch_detached(x, y, parameters):
    """The graph is cut between the layers."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h).detach()
    loss = torch.nn.functional.cross_entropy(h, y)
    loss.backward()
    return loss.detach(), [(w.grad, b.grad) for w, b in parameters]


@mutant("mlp_gradients_torch", says="penalty on the weights")
def mlp_gradients_torch_penalty(x, y, parameters):
    """Weight decay."""
    import torch

    parameters = [tuple(part.clone().requires_grad_() for part in pair) for pair in parameters]
    h = x
    for layer, (w, b) in enumerate(parameters):
        h = h @ w + b
        if layer < len(parameters) - 1:
            h = torch.relu(h)
    loss = torch.nn.functional.cross_entropy(h, y)
    loss.backward()
    return loss.detach(), [(w.grad + w.detach(), b.grad) for w, b in parameters]


mutant("mlp_parameters", says="those are the weights")(32)
mutant("mlp_parameters", says="the output neuron is missing")(40)
mutant("mlp_parameters", says="count the connections")(12)
mutant("mlp_parameters", says="the inputs are no neurons")(44)
mutant("mlp_parameters", says="those are the biases")(9)
