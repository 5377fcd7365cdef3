"""The course in NumPy and float64, every gradient written by hand: the code to read.

The files in the order in which the course needs them:

neighbors       distances, the nearest, their vote
validation      splits, folds, the table of confusions
linear          scores, the perceptron, gradient descent, features that bend a hyperplane
activations     from the step to softmax, each with its derivative, without overflow
losses          0/1, hinge, cross-entropies and errors, each with its gradient
gradient_check  is the gradient right?
preparation     center, scale, whiten, repair, always by statistics of the training set
selection       which features to keep, one greedy step at a time
autodiff        the chain rule as a program: one number at a time, in reverse
mlp             layers of neurons, and the gradient by every weight
initializers    first weights of the right size
normalization   batch norm and layer norm, forward and backward
optimizers      from a gradient to the next weights, nine rules, and clipping
schedules       the learning rate over time
training        the loop: runs that can be stopped, saved and resumed
regularization  penalties, limits, dropout, images changed at random
ensembles       bagging, boosting, votes, and when to give no answer
convolution     a filter slid over an image, by loops, as a matrix product, by FFT
pooling         a window's maximum, mean or length, over space or over channels
cnn             a small convolutional network, whole
recurrent       RNN, LSTM, GRU: a step, a sequence, back through time, both ways, stacked
attention       every query takes a mean of the values, weighted by how well keys fit it
sampling        the next word: how bold the draw, and from how many candidates
gpt             a transformer that writes: blocks, loss, every gradient, key-value cache
pca             the flat subspace that keeps most of the variance
autoencoder     a network that repeats its input through a bottleneck
gan             a generator and a discriminator, who teach each other
saliency        which pixels made the network say so, by the gradient: SmoothGrad, Grad-CAM
input_ascent    the network stays, the input learns: what a class looks like, FGSM
occlusion       a patch laid over the image: where it was, the score drops
lime            superpixels on and off, and a linear model of what they are worth
rollout         attention through many layers, followed down to the input
faithfulness    is an explanation right? deletion, insertion, true masks, weights drawn anew

utils.gpu holds the same files once more, in PyTorch, all but autodiff, whose twin is torch itself.

In every docstring N counts examples, D features, C classes; x is (N, D), labels are (N,) ints.
A layer is a pair: xxx_forward returns (out, cache), and xxx_backward(dout, cache) the gradients
in the order of the inputs; dx is always d loss / d x, of the shape of x.
Arrays are meant to be float64, float32 stays so (where options are Python's floats: a NumPy
float64, of np.logspace say, makes float64 of it), and nothing is changed in place. Bad input
raises a ValueError that says what was wanted and what came.
"""

from . import (
    activations,
    attention,
    autodiff,
    autoencoder,
    cnn,
    convolution,
    ensembles,
    faithfulness,
    gan,
    gpt,
    gradient_check,
    initializers,
    input_ascent,
    lime,
    linear,
    losses,
    mlp,
    neighbors,
    normalization,
    occlusion,
    optimizers,
    pca,
    pooling,
    preparation,
    recurrent,
    regularization,
    rollout,
    saliency,
    sampling,
    schedules,
    selection,
    training,
    validation,
)

__all__ = [
    "activations",
    "attention",
    "autodiff",
    "autoencoder",
    "cnn",
    "convolution",
    "ensembles",
    "faithfulness",
    "gan",
    "gpt",
    "gradient_check",
    "initializers",
    "input_ascent",
    "lime",
    "linear",
    "losses",
    "mlp",
    "neighbors",
    "normalization",
    "occlusion",
    "optimizers",
    "pca",
    "pooling",
    "preparation",
    "recurrent",
    "regularization",
    "rollout",
    "saliency",
    "sampling",
    "schedules",
    "selection",
    "training",
    "validation",
]
