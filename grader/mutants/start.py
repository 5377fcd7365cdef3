"""Wrong answers of unit 00."""

from grader.mutants import mutant


@mutant("center_columns", says="every row has mean zero")
def center_columns_by_row(x):
    """Mean over the wrong axis."""
    return x - x.mean(axis=1, keepdims=True)


@mutant("center_columns", says="mean of the whole array")
def center_columns_by_one_mean(x):
    """axis forgotten."""
    return x - x.mean()


@mutant("center_columns", says="these are the means")
def center_columns_means_only(x):
    """The means, not subtracted."""
    return x.mean(axis=0)


@mutant("center_columns", says="in place")
def center_columns_in_place(x):
    """-= changes the caller's array."""
    x -= x.mean(axis=0)
    return x


@mutant("center_columns", says="could not be broadcast")
def center_columns_no_keepdims(x):
    """(N,) does not stretch over (N, D)."""
    return x - x.mean(axis=1)


@mutant("center_columns", says="right, but slow")
def center_columns_loops(x):
    """A loop over every entry."""
    centered = x * 1.0
    for j in range(x.shape[1]):
        mean = x[:, j].mean()
        for i in range(x.shape[0]):
            centered[i, j] = x[i, j] - mean
    return centered


@mutant("center_columns", says="divided by their deviation")
def center_columns_standardized(x):
    """More than was asked for."""
    return (x - x.mean(axis=0)) / x.std(axis=0)


@mutant("center_columns", says="a mean is the sum over N")
def center_columns_by_sums(x):
    """sum for mean."""
    return x - x.sum(axis=0)


@mutant("center_columns", says="should have floats")
def center_columns_in_integers(x):
    """The result takes the dtype of the input, and 0.5 becomes 0."""
    centered = x.copy()
    centered[:] = x - x.mean(axis=0)
    return centered


@mutant("outer_sum", says="rows and columns are exchanged")
def outer_sum_transposed(a, b):
    """The new axis in the wrong vector."""
    return a + b[:, None]


@mutant("outer_sum", says="outer product")
def outer_sum_product(a, b):
    """Product for sum."""
    return a[:, None] * b


@mutant("outer_sum", says="must match the size of tensor")
def outer_sum_no_axis(a, b):
    """No new axis at all."""
    return a + b


@mutant("outer_sum", says="should be a torch tensor, but it is a NumPy array")
def outer_sum_numpy(a, b):
    """Leaves torch, and with it the device."""
    return a.cpu().numpy()[:, None] + b.cpu().numpy()


@mutant("outer_sum", says="dtype float64 like the inputs")
def outer_sum_default_dtype(a, b):
    """A new tensor of the default dtype on the default device."""
    import torch

    result = torch.zeros(len(a), len(b))
    result += a[:, None] + b
    return result


@mutant("outer_sum", says="right, but slow")
def outer_sum_loops(a, b):
    """Entry by entry."""
    import torch

    result = torch.empty(len(a), len(b), dtype=a.dtype, device=a.device)
    for i in range(len(a)):
        for j in range(len(b)):
            result[i, j] = a[i] + b[j]
    return result


@mutant("outer_sum", says="should be a torch tensor, but it is a list")
def outer_sum_list(a, b):
    """Lists in a list."""
    return [[x + y for y in b] for x in a]


mutant("broadcast_shape", says="it works")("error")
mutant("broadcast_shape", says="(7, 1) does take part")((8, 1, 6))
mutant("broadcast_shape", says="it is the 1 that stretches")((8, 7, 1))
mutant("broadcast_shape", says="as many axes")((8, 1, 6, 7, 1))
mutant("broadcast_shape", says="the 7 stands under the 1, not under the 8")((7, 8, 6))
mutant("broadcast_shape", says="a tuple of whole numbers")(336)
mutant("broadcast_shape", says="it works")("it fails")
mutant("broadcast_shape", says="yours is a str")("no idea")
