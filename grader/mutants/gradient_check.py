"""Wrong answers on gradients by differences."""

import numpy as np

from grader.mutants import mutant


@mutant("numeric_gradient", says="one-sided difference")
def numeric_forward(f, x, step=1e-6):
    """f(x + step) - f(x)."""
    x, gradient = x.copy(), np.zeros_like(x)
    here = f(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + step
        gradient[index] = (f(x) - here) / step
        x[index] = old
    return gradient


@mutant("numeric_gradient", says="x is not as it was before")
def numeric_not_restored(f, x, step=1e-6):
    """Leaves x moved."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += step
        above = f(x)
        x[index] -= 2 * step
        gradient[index] = (above - f(x)) / (2 * step)
    return gradient


@mutant("numeric_gradient", says="x is not as it was before")
def numeric_restored_by_adding(f, x, step=1e-6):
    """x + step - 2 step + step is not quite x."""
    gradient = np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += step
        above = f(x)
        x[index] -= 2 * step
        gradient[index] = (above - f(x)) / (2 * step)
        x[index] += step
    return gradient


@mutant("numeric_gradient", says="moved down and not put back")
def numeric_drifts(f, x, step=1e-6):
    """Works on a copy, and forgets to put its entries back."""
    x, gradient = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += step
        above = f(x)
        x[index] -= 2 * step
        gradient[index] = (above - f(x)) / (2 * step)
    return gradient


@mutant("numeric_gradient", says="divide by that")
def numeric_half(f, x, step=1e-6):
    """Divides by step in place of 2 step."""
    x, gradient = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + step
        above = f(x)
        x[index] = old - step
        gradient[index] = (above - f(x)) / step
        x[index] = old
    return gradient


@mutant("numeric_gradient", says="mind the parentheses")
def numeric_parentheses(f, x, step=1e-6):
    """/ 2 * step."""
    x, gradient = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + step
        above = f(x)
        x[index] = old - step
        gradient[index] = (above - f(x)) / 2 * step
        x[index] = old
    return gradient


@mutant("numeric_gradient", says="should be a NumPy array, but it is a float")
def numeric_all_at_once(f, x, step=1e-6):
    """The slope along (1, 1, ..., 1)."""
    return (f(x + step) - f(x - step)) / (2 * step)


@mutant("numeric_gradient", says="step is ignored")
def numeric_own_step(f, x, step=1e-6):
    """A step of its own."""
    x, gradient = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + 1e-5
        above = f(x)
        x[index] = old - 1e-5
        gradient[index] = (above - f(x)) / 2e-5
        x[index] = old
    return gradient


@mutant("numeric_gradient", says="IndexError")
def numeric_vectors_only(f, x, step=1e-6):
    """range(x.size) counts the entries of a vector only."""
    x, gradient = x.copy(), np.zeros_like(x)
    for i in range(x.size):
        old = x[i].copy()
        x[i] = old + step
        above = f(x)
        x[i] = old - step
        gradient[i] = (above - f(x)) / (2 * step)
        x[i] = old
    return gradient


@mutant("numeric_gradient", says="led back to the middle")
def numeric_back_to_the_middle(f, x, step=1e-6):
    """x + step - step is x."""
    x, gradient = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        x[index] += step
        above = f(x)
        x[index] -= step
        gradient[index] = (above - f(x)) / (2 * step)
    return gradient


@mutant("numeric_gradient", says="the entries before stay moved")
def numeric_two_copies(f, x, step=1e-6):
    """Two copies that move apart."""
    up, down, gradient = x.copy(), x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        up[index] += step
        down[index] -= step
        gradient[index] = (f(up) - f(down)) / (2 * step)
    return gradient


@mutant("numeric_gradient", says="a whole row of x")
def numeric_by_row(f, x, step=1e-6):
    """x[i] is a row where x is a matrix."""
    gradient = np.zeros_like(x)
    for i in range(len(x)):
        up, down = x.copy(), x.copy()
        up[i] += step
        down[i] -= step
        gradient[i] = (f(up) - f(down)) / (2 * step)
    return gradient


@mutant("numeric_gradient", says="the default of step")
def numeric_other_default(f, x, step=1e-5):
    """Another default."""
    x, gradient = x.copy(), np.zeros_like(x)
    for index in np.ndindex(x.shape):
        old = x[index]
        x[index] = old + step
        above = f(x)
        x[index] = old - step
        gradient[index] = (above - f(x)) / (2 * step)
        x[index] = old
    return gradient


mutant("gradcheck_subset", says="may spare one class")("a")
mutant("gradcheck_subset", says="the bias never meets")("b")
mutant("gradcheck_subset", says="0 by mistake")("d")
