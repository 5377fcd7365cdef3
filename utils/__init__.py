"""The library of the course.

reference/   NumPy, float64, hand-written backward passes, written to be read
gpu/         PyTorch, any device, written to be fast: the same files, functions and arguments
data/        data sets, bundled or generated; real ones, where asked for, are fetched
figures/     pictures from arrays and functions
widgets/     the same pictures with controls to move
benchmarks/  how fast both trees are beside torch, scipy and scikit-learn
device.py    which device PyTorch runs on
"""
