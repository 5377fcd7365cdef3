"""Wrong answers on neurons and networks with weights set by hand."""

import numpy as np

from grader.mutants import mutant


@mutant("neuron", says="a score of exactly 0 fires too")
def neuron_strict(x, w, b):
    """> for >=."""
    return (x @ w + b > 0).astype(int)


@mutant("neuron", says="the step turns them into 0 and 1")
def neuron_without_step(x, w, b):
    """The score."""
    return x @ w + b


@mutant("neuron", says="b is missing")
def neuron_without_bias(x, w, b):
    """No bias."""
    return np.where(x @ w >= 0, 1, 0)


@mutant("neuron", says="b is subtracted")
def neuron_threshold(x, w, b):
    """b taken for a threshold."""
    return np.where(x @ w >= b, 1, 0)


@mutant("neuron", says="these are signs")
def neuron_sign(x, w, b):
    """np.sign."""
    return np.sign(x @ w + b)


@mutant("neuron", says="these are signs")
def neuron_signs(x, w, b):
    """The perceptron's labels."""
    return np.where(x @ w + b >= 0, 1, -1)


@mutant("neuron", says="True and False")
def neuron_booleans(x, w, b):
    """The comparison itself."""
    return x @ w + b >= 0


@mutant("neuron", says="logistic function")
def neuron_sigmoid(x, w, b):
    """Another activation."""
    return 1 / (1 + np.exp(-(x @ w + b)))


@mutant("neuron", says="right, but slow")
def neuron_loop(x, w, b):
    """One input at a time."""
    return np.array([1 if sum(w * row) + b >= 0 else 0 for row in x])


@mutant("majority_weights", says="this is OR")
def majority_or(n):
    """b of OR."""
    return np.ones(n), -1.0


@mutant("majority_weights", says="this is AND")
def majority_and(n):
    """b of AND."""
    return np.ones(n), -float(n)


@mutant("majority_weights", says="b is minus the threshold")
def majority_threshold(n):
    """The threshold, and not minus it."""
    return np.ones(n), n / 2


@mutant("majority_weights", says="if a score of 0 did not fire")
def majority_rounded_down(n):
    """n // 2 ones are less than half, and reach a score of 0."""
    return np.ones(n), -(n // 2)


@mutant("majority_weights", says="one bit is missing")
def majority_one_too_few(n):
    """Half way to the number before."""
    return np.ones(n), 1 - n / 2


@mutant("majority_weights", says="one 1 more than it takes")
def majority_one_too_many(n):
    """n // 2 + 2."""
    return np.ones(n), -(n // 2 + 2)


@mutant("majority_weights", says="fires whatever the bits are")
def majority_without_bias(n):
    """No bias."""
    return np.ones(n), 0.0


@mutant("majority_weights", says="it fires where fewer than half")
def majority_of_zeros(n):
    """Signs turned around."""
    return -np.ones(n), n / 2


@mutant("majority_weights", says="n = 5")
def majority_of_three(n):
    """The bias of n = 3 for all."""
    return np.ones(n), -1.5


@mutant("majority_weights", says="one number")
def majority_bias_per_bit(n):
    """A bias for each bit."""
    return np.ones(n), -np.ones(n) / 2


@mutant("xor_network", says="this is OR")
def xor_or():
    """Both hidden neurons are OR."""
    return np.ones((2, 2)), np.array([-1.0, -1.0]), np.ones((2, 1)), np.array([-1.0])


@mutant("xor_network", says="relu neurons in the hidden layer")
def xor_relu():
    """The network of the textbook, x1 + x2 - 2 relu(x1 + x2 - 1), has relus."""
    return np.ones((2, 2)), np.array([0.0, -1.0]), np.array([[2.0], [-4.0]]), np.array([-2.0])


@mutant("xor_network", says="if a score of 0 did not fire")
def xor_strict():
    """Biases for a step with step(0) = 0."""
    w1 = np.array([[1.0, -1.0], [-1.0, 1.0]])
    return w1, np.zeros(2), np.ones((2, 1)), np.zeros(1)


@mutant("xor_network", says="b is minus the threshold")
def xor_thresholds():
    """Thresholds for biases."""
    w1 = np.array([[2.0, -2.0], [2.0, -2.0]])
    return w1, np.array([1.0, -3.0]), np.ones((2, 1)), np.array([2.0])


@mutant("xor_network", says="w1 turned around")
def xor_transposed():
    """A row for each hidden neuron."""
    w1 = np.array([[2.0, 2.0], [-2.0, -2.0]])
    return w1, np.array([-1.0, 3.0]), np.ones((2, 1)), np.array([-2.0])


@mutant("xor_network", says="turned around")
def xor_equal():
    """1 where the bits are equal."""
    w1 = np.array([[1.0, -1.0], [1.0, -1.0]])
    return w1, np.array([-2.0, 0.0]), np.ones((2, 1)), np.array([-1.0])


@mutant("xor_network", says="it is 1 for (0, 0) too")
def xor_nand():
    """The second hidden neuron alone."""
    w1 = np.array([[2.0, -2.0], [2.0, -2.0]])
    return w1, np.array([-1.0, 3.0]), np.array([[0.0], [1.0]]), np.array([-1.0])


@mutant("xor_network", says="4 things, not 2")
def xor_pairs():
    """Two layers as two pairs."""
    w1 = np.array([[2.0, -2.0], [2.0, -2.0]])
    return (w1, np.array([-1.0, 3.0])), (np.ones((2, 1)), np.array([-2.0]))


@mutant("boolean_network", says="the bits are read backwards")
def boolean_least_significant_first(table):
    """Bit 0 first."""
    n = len(table).bit_length() - 1
    rows = np.flatnonzero(table)
    bits = (rows[:, None] >> np.arange(n)) % 2
    return 2.0 * bits.T - 1, 1 - bits.sum(axis=1) - 0.5, np.ones((len(rows), 1)), np.array([-0.5])


@mutant("boolean_network", says="turned around")
def boolean_complement(table):
    """The rows with a 0."""
    n = len(table).bit_length() - 1
    rows = np.flatnonzero(table == 0)
    bits = (rows[:, None] >> np.arange(n)[::-1]) % 2
    return 2.0 * bits.T - 1, 0.5 - bits.sum(axis=1), np.ones((len(rows), 1)), np.array([-0.5])


@mutant("boolean_network", says="minus the threshold")
def boolean_thresholds(table):
    """Thresholds for biases."""
    n = len(table).bit_length() - 1
    rows = np.flatnonzero(table)
    bits = (rows[:, None] >> np.arange(n)[::-1]) % 2
    return 2.0 * bits.T - 1, bits.sum(axis=1) - 0.5, np.ones((len(rows), 1)), np.array([0.5])


@mutant("boolean_network", says="wrong for")
def boolean_without_negative_weights(table):
    """A weight 0 where the bit is 0: more ones still fire."""
    n = len(table).bit_length() - 1
    rows = np.flatnonzero(table)
    bits = (rows[:, None] >> np.arange(n)[::-1]) % 2
    return 1.0 * bits.T, 0.5 - bits.sum(axis=1), np.ones((len(rows), 1)), np.array([-0.5])


@mutant("boolean_network", says="if a score of 0 did not fire")
def boolean_zero_output_bias(table):
    """step(0) = 1."""
    n = len(table).bit_length() - 1
    rows = np.flatnonzero(table)
    bits = (rows[:, None] >> np.arange(n)[::-1]) % 2
    return 2.0 * bits.T - 1, 0.5 - bits.sum(axis=1), np.ones((len(rows), 1)), np.zeros(1)


@mutant("boolean_network", says="return stand inside the loop")
def boolean_first_row(table):
    """return in the loop."""
    n = len(table).bit_length() - 1
    for k in range(len(table)):
        if table[k]:
            bits = (k >> np.arange(n)[::-1]) % 2
            w1 = (2.0 * bits - 1)[:, None]
            return w1, np.array([0.5 - bits.sum()]), np.ones((1, 1)), np.array([-0.5])
    return np.zeros((n, 1)), np.array([-1.0]), np.ones((1, 1)), np.array([-0.5])


@mutant("boolean_network", says="w1 should have shape")
def boolean_rows(table):
    """A row for each hidden neuron."""
    n = len(table).bit_length() - 1
    rows = np.flatnonzero(table)
    bits = (rows[:, None] >> np.arange(n)[::-1]) % 2
    return 2.0 * bits - 1, 0.5 - bits.sum(axis=1), np.ones((len(rows), 1)), np.array([-0.5])


@mutant("boolean_network", says="never 1")
def boolean_and_of_rows(table):
    """The output neuron takes the AND."""
    n = len(table).bit_length() - 1
    rows = np.flatnonzero(table)
    bits = (rows[:, None] >> np.arange(n)[::-1]) % 2
    out = np.array([0.5 - len(rows)])
    return 2.0 * bits.T - 1, 0.5 - bits.sum(axis=1), np.ones((len(rows), 1)), out


@mutant("relu_approximation", says="w2 holds the changes of slope")
def relu_slopes(targets, knots):
    """Slopes, not their changes."""
    slopes = np.diff(targets) / np.diff(knots)
    n = len(slopes)
    return np.ones((1, n)), -knots[:-1], slopes[:, None], targets[:1]


@mutant("relu_approximation", says="b2 is missing")
def relu_without_start(targets, knots):
    """Starts from 0."""
    w2 = np.diff(np.diff(targets) / np.diff(knots), prepend=0)
    return np.ones((1, len(w2))), -knots[:-1], w2[:, None], np.zeros(1)


@mutant("relu_approximation", says="wrong sign")
def relu_biases_positive(targets, knots):
    """relu(x + knot)."""
    w2 = np.diff(np.diff(targets) / np.diff(knots), prepend=0)
    return np.ones((1, len(w2))), knots[:-1], w2[:, None], targets[:1]


@mutant("relu_approximation", says="divided by that of knots")
def relu_unit_distances(targets, knots):
    """As if the knots were 1 apart."""
    w2 = np.diff(np.diff(targets), prepend=0)
    return np.ones((1, len(w2))), -knots[:-1], w2[:, None], targets[:1]


@mutant("relu_approximation", says="the first slope is missing")
def relu_without_first_slope(targets, knots):
    """diff without prepend."""
    w2 = np.diff(np.diff(targets) / np.diff(knots))
    return np.ones((1, len(w2))), -knots[1:-1], w2[:, None], targets[:1]


@mutant("relu_approximation", says="one knot too late")
def relu_late(targets, knots):
    """knots[1:]."""
    w2 = np.diff(np.diff(targets) / np.diff(knots), prepend=0)
    return np.ones((1, len(w2))), -knots[1:], w2[:, None], targets[:1]


@mutant("relu_approximation", says="constant there")
def relu_goes_on_to_the_left(targets, knots):
    """A neuron more, whose relu opens to the left."""
    slopes = np.diff(targets) / np.diff(knots)
    w1, b1 = np.ones((1, len(slopes) + 1)), np.append(-knots[:-1], knots[0])
    w1[0, -1] = -1
    w2 = np.append(np.diff(slopes, prepend=0), -slopes[0])
    return w1, b1, w2[:, None], targets[:1]


@mutant("relu_approximation", says="knots and targets are exchanged")
def relu_exchanged(knots, targets):
    """The arguments in the other order."""
    w2 = np.diff(np.diff(targets) / np.diff(knots), prepend=0)
    return np.ones((1, len(w2))), -knots[:-1], w2[:, None], targets[:1]


mutant("box_half_spaces", says="an interval has two ends")(5)
mutant("box_half_spaces", says="those are the corners")(32)
mutant("box_half_spaces", says="no half-space of the input space")(11)
mutant("box_half_spaces", says="the numbers add up")(25)

mutant("parity_units", says="a threshold changes once")("a")
mutant("parity_units", says="so many layers")("c")
mutant("parity_units", says="depends on the sum alone")("d")

mutant("why_depth", says="one hidden layer is enough for all")("a")
mutant("why_depth", says="made of parts")("b")
mutant("why_depth", says="longer way back")("d")
