"""How fast utils is: each case beside a peer that does the same, in one run.

    python -m utils.benchmarks [cpu | gpu] [--only PATTERN] [--quick]

cpu/       the cases, a module for each group: what is computed, at which sizes, the ratio wanted
gpu/       likewise, for a CUDA device; where there is none, that is said and nothing measured
timing.py  a case, its two sides, and how they are timed
memory.py  what must not need much memory
report.py  the table and the picture
results/   as last measured; nothing was on a GPU yet
"""
