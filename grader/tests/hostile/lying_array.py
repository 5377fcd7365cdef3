"""The answer is an array of a kind that equals every other.

Verdict: wrong or error
"""

import numpy as np


class Agreeable(np.ndarray):
    __eq__ = __le__ = __lt__ = lambda self, other: np.ones(self.shape, bool)
    __ne__ = lambda self, other: np.zeros(self.shape, bool)
    __sub__ = __rsub__ = lambda self, other: np.zeros(self.shape)

    def __array_ufunc__(self, ufunc, method, *inputs, **kwargs):
        return np.ones(self.shape, bool)

    def __array_function__(self, *args, **kwargs):
        return True


def center_columns(x):
    return x.view(Agreeable)
