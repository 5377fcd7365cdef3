"""The course in PyTorch: the files, functions and arguments of utils.reference, on any device.

What differs everywhere, and is not said again in each docstring:

- Arguments are tensors, floating-point but for labels, signs and indices, and labels are int64.
  Results live on the device and in the dtype of the inputs: no function moves or casts them.
- Autograd carries the gradients, so a loss or a penalty returns its value alone, a 0-dimensional
  tensor.
- A layer's xxx_forward returns out alone, without a cache, and xxx_backward has no twin. So too
  for every function whose original returns gradients beside its result.
- Randomness enters as generator, a torch.Generator, where the reference takes rng. Its numbers
  are others: the two trees agree to the last digits only where nothing is shuffled.
- Shapes are checked, values are not: to look at a value the CPU must wait until the GPU has
  computed it. A label out of range or a nan in the data is to be caught when data is loaded.
- architectures is here alone: LeNet, VGG and ResNet, too large to train in NumPy.
"""

from . import (
    activations,
    architectures,
    attention,
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
    "architectures",
    "attention",
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
