"""Famous convolutional networks, each as short as its idea.

The one file without a twin in utils.reference: in NumPy such networks would train for weeks. What
they are made of has its twins in convolution and pooling, and cnn is a whole network by hand.

A module here maps images, (N, C, H, W), to class scores, (N, n_classes); softmax is the loss's
affair. Weights before a relu are drawn as He et al. (2015) do.
"""

import torch.nn.functional as F
from torch import nn

VGG_PLANS = {  # convolutions in each of the five stages
    11: [1, 1, 2, 2, 2],
    13: [2, 2, 2, 2, 2],
    16: [2, 2, 3, 3, 3],
    19: [2, 2, 4, 4, 4],
}


def count_parameters(module):
    """How many numbers training may change.

    module : nn.Module, on any device; on "meta" even the largest costs no memory
    returns: int
    """
    return sum(p.numel() for p in module.parameters() if p.requires_grad)


class LeNet(nn.Module):
    """LeNet-5: convolutions and pooling in turn, then dense layers.

        C1 6 @ 5x5 -> S2 -> C3 16 @ 5x5 -> S4 -> C5 120 -> F6 84 -> n_classes

    Differs from the paper: C3 sees all maps of S2, S2 and S4 have nothing to learn, and the last
    layer gives scores instead of distances. 61,706 parameters for one channel and ten classes.

    in_channels: int
    n_classes  : int
    size       : 32, or 28 for the digits, which are then padded to 32
    source     : LeCun et al., Gradient-Based Learning Applied to Document Recognition (1998), II.B
    """

    def __init__(self, in_channels=1, n_classes=10, size=28):
        super().__init__()
        if size not in (28, 32):
            raise ValueError(f"size must be 28 or 32, got {size}")
        self.c1 = nn.Conv2d(in_channels, 6, 5, padding=(32 - size) // 2)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.c5 = nn.Linear(16 * 5 * 5, 120)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, n_classes)

    def forward(self, x):
        x = F.avg_pool2d(self.c1(x).tanh(), 2)  # (N, 6, 14, 14)
        x = F.avg_pool2d(self.c3(x).tanh(), 2)  # (N, 16, 5, 5)
        x = self.c5(x.flatten(1)).tanh()
        return self.output(self.f6(x).tanh())


class VGG(nn.Module):
    """Only 3x3 convolutions, many of them: two see as far as one 5x5 and cost less.

    The paper's VGG16 is VGG(16, n_classes=1000, size=224, hidden=(4096, 4096)), with 138,357,544
    parameters, 14,714,688 of them in convolutions.

    depth      : 11, 13, 16 or 19, layers with weights in the paper's networks
    in_channels: int
    n_classes  : int
    size       : int, a multiple of 32, pixels of the square images
    hidden     : sizes of the dense layers between the convolutions and the scores
    batch_norm : bool, normalize after every convolution; the paper is older than that
    source     : Simonyan and Zisserman, Very Deep Convolutional Networks (2015), table 1
    """

    def __init__(self, depth=16, in_channels=3, n_classes=10, size=32, hidden=(), batch_norm=False):
        super().__init__()
        if depth not in VGG_PLANS or size < 32 or size % 32:
            raise ValueError(
                f"depth must be one of {sorted(VGG_PLANS)} and size a multiple of 32, "
                f"got {depth} and {size}"
            )
        layers, channels = [], in_channels
        for filters, count in zip([64, 128, 256, 512, 512], VGG_PLANS[depth], strict=True):
            for _ in range(count):
                layers.append(nn.Conv2d(channels, filters, 3, padding=1))
                layers += [nn.BatchNorm2d(filters)] if batch_norm else []
                layers.append(nn.ReLU())
                channels = filters
            layers.append(nn.MaxPool2d(2))
        self.convolutions = nn.Sequential(*layers)
        layers, features = [], channels * (size // 32) ** 2
        for width in hidden:
            layers += [nn.Linear(features, width), nn.ReLU(), nn.Dropout(0.5)]
            features = width
        self.dense = nn.Sequential(*layers, nn.Linear(features, n_classes))
        _draw_as_he(self)

    def forward(self, x):
        return self.dense(self.convolutions(x).flatten(1))


class BasicBlock(nn.Module):
    """out = relu(x + F(x)), F two 3x3 convolutions: where F is 0, the block changes nothing.

    in_channels: int
    channels   : int, of the output too
    stride     : 1, or 2 to halve the image
    source     : He et al., Deep Residual Learning (2016), figure 5 left
    """

    expansion = 1  # channels of the output for each one inside

    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        self.conv1 = _convolution(in_channels, channels, 3, stride)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = _convolution(channels, channels, 3)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut = _shortcut(in_channels, channels, stride)

    def forward(self, x):
        out = F.relu(self.norm1(self.conv1(x)))
        out = self.norm2(self.conv2(out))
        return F.relu(out + self.shortcut(x))


class Bottleneck(nn.Module):
    """out = relu(x + F(x)), F a 1x1 convolution to fewer channels, a 3x3, and a 1x1 back to more.

    in_channels: int
    channels   : int, inside; four times as many come out
    stride     : 1, or 2 to halve the image; it is the 3x3 that strides, in the paper the first 1x1
    source     : He et al., Deep Residual Learning (2016), figure 5 right
    """

    expansion = 4

    def __init__(self, in_channels, channels, stride=1):
        super().__init__()
        self.conv1 = _convolution(in_channels, channels, 1)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = _convolution(channels, channels, 3, stride)
        self.norm2 = nn.BatchNorm2d(channels)
        self.conv3 = _convolution(channels, self.expansion * channels, 1)
        self.norm3 = nn.BatchNorm2d(self.expansion * channels)
        self.shortcut = _shortcut(in_channels, self.expansion * channels, stride)

    def forward(self, x):
        out = F.relu(self.norm1(self.conv1(x)))
        out = F.relu(self.norm2(self.conv2(out)))
        out = self.norm3(self.conv3(out))
        return F.relu(out + self.shortcut(x))


RESNET_PLANS = {  # the block, and how many of it in each of the four stages
    18: (BasicBlock, [2, 2, 2, 2]),
    34: (BasicBlock, [3, 4, 6, 3]),
    50: (Bottleneck, [3, 4, 6, 3]),
    101: (Bottleneck, [3, 4, 23, 3]),
    152: (Bottleneck, [3, 8, 36, 3]),
}


class ResNet(nn.Module):
    """Residual blocks in four stages; each stage but the first halves the image.

    With a stem of one 3x3 convolution, for images of 32x32; the paper's stem for 224x224, a 7x7
    of stride 2 and a pooling, would leave nothing of them. Parameters with ten classes, by depth:
    18: 11,173,962; 34: 21,282,122; 50: 23,520,842; 101: 42,512,970; 152: 58,156,618.

    depth      : 18, 34, 50, 101 or 152, layers with weights
    in_channels: int
    n_classes  : int
    source     : He et al., Deep Residual Learning (2016), table 1
    """

    def __init__(self, depth=18, in_channels=3, n_classes=10):
        super().__init__()
        if depth not in RESNET_PLANS:
            raise ValueError(f"depth must be one of {sorted(RESNET_PLANS)}, got {depth}")
        block, counts = RESNET_PLANS[depth]
        self.stem = _convolution(in_channels, 64, 3)
        self.norm = nn.BatchNorm2d(64)
        stages, wide = [], 64
        for stage, count in enumerate(counts):
            channels, blocks = 64 * 2**stage, []
            for i in range(count):
                stride = 2 if i == 0 and stage > 0 else 1
                blocks.append(block(wide, channels, stride))
                wide = channels * block.expansion
            stages.append(nn.Sequential(*blocks))
        self.stages = nn.Sequential(*stages)
        self.dense = nn.Linear(wide, n_classes)
        _draw_as_he(self)

    def forward(self, x):
        x = F.relu(self.norm(self.stem(x)))  # (N, 64, H, W)
        x = self.stages(x)  # (N, wide, H/8, W/8)
        return self.dense(x.mean(dim=(2, 3)))


def _convolution(in_channels, channels, kernel, stride=1):
    """Padded to keep the size at stride 1; no bias, since batch norm would take it off again."""
    return nn.Conv2d(in_channels, channels, kernel, stride, padding=kernel // 2, bias=False)


def _shortcut(in_channels, channels, stride):
    """x as it is where the shapes allow it, else through a 1x1 convolution (option B)."""
    if stride == 1 and in_channels == channels:
        return nn.Identity()
    return nn.Sequential(_convolution(in_channels, channels, 1, stride), nn.BatchNorm2d(channels))


def _draw_as_he(network):
    """Convolutions from a normal distribution of variance 2 / fan_out, their biases 0."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
            if module.bias is not None:
                nn.init.zeros_(module.bias)
