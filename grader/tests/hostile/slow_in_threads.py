"""Right, but with the loops that the check of speed forbids, in a thread that is gone by then.

Verdict: wrong
"""

import threading

import numpy as np


def slowly(x, out):
    for _ in range(5):
        for column in range(x.shape[1]):
            total = 0.0
            for row in range(x.shape[0]):
                total += x[row, column]
            out[:, column] = x[:, column] - total / len(x)


def center_columns(x):
    out = np.zeros(x.shape)
    thread = threading.Thread(target=slowly, args=(x, out))
    thread.start()
    thread.join()
    return out
