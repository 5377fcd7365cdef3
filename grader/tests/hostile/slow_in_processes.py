"""Right, but with the loops that the check of speed forbids, in a process that is gone by then.

Verdict: wrong
"""

import mmap
import os

import numpy as np


def slowly(x, out):
    for _ in range(5):
        for column in range(x.shape[1]):
            total = 0.0
            for row in range(x.shape[0]):
                total += x[row, column]
            out[:, column] = x[:, column] - total / len(x)


def center_columns(x):
    with open("/dev/shm/result", "w+b") as file:
        file.truncate(8 * x.size)
        out = np.frombuffer(mmap.mmap(file.fileno(), 8 * x.size)).reshape(x.shape)
        child = os.fork()
        if child == 0:
            slowly(x, out)
            os._exit(0)
        os.waitpid(child, 0)
        return out.copy()
