"""The functions that scipy has as well."""

import scipy.special

from utils.reference import activations

from ..timing import Case, Side, normal

PEERS = {
    "sigmoid": scipy.special.expit,
    "softmax": lambda x: scipy.special.softmax(x, axis=-1),
    "log_softmax": lambda x: scipy.special.log_softmax(x, axis=-1),
    "log_sum_exp": lambda x: scipy.special.logsumexp(x, axis=-1),
}


def function(rng, dtype, name, shape):
    (x,) = normal(rng, dtype, shape)
    ours, peer = getattr(activations, name), PEERS[name]
    return Side(lambda: ours(x)), Side(lambda: peer(x))


CASES = [
    Case(name, " by ".join(map(str, shape)), "scipy", function, {"name": name, "shape": shape},
         1.0, {"shape": (3, 4)})
    for name in PEERS
    for shape in ((64, 10), (1024, 1000))
]  # fmt: skip
