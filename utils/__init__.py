"""The library of the course.

reference/   NumPy, float64, hand-written backward passes, written to be read
gpu/         PyTorch, any device, written to be fast: the same files, functions and arguments
data/        data sets, bundled or generated; nothing is fetched
figures/     pictures from arrays and functions
widgets/     the same pictures with controls to move
"""
