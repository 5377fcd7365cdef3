"""What a backward pass asks of the gradient that it is given."""


def require_gradient(dout, shape, name="dout"):
    """Raise ValueError unless dout has the shape of out, or under the name dscores of scores."""
    if dout.shape != shape:
        raise ValueError(f"{name} must have the shape of {name[1:]}, {shape}, got {dout.shape}")
