"""An array of one number that claims to have a million millions.

Verdict: wrong or error or out of memory
"""

import numpy as np


def center_columns(x):
    return np.lib.stride_tricks.as_strided(np.zeros(1), (10**6, 10**6), (0, 0))
