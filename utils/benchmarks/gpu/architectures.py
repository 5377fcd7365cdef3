"""A training step of ResNet-18, channels last and in bfloat16, against plain modules of torch.

Forward is the loss; backward is the gradients and the step of SGD with momentum, torch's own.
"""

from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from utils.gpu.architectures import ResNet
from utils.gpu.losses import softmax_cross_entropy

from ..timing import Case, Side
from .device import compiled, tensors


class PlainBlock(nn.Module):
    def __init__(self, narrow, wide, stride):
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(narrow, wide, 3, stride, padding=1, bias=False),
            nn.BatchNorm2d(wide),
            nn.ReLU(inplace=True),
            nn.Conv2d(wide, wide, 3, padding=1, bias=False),
            nn.BatchNorm2d(wide),
        )
        self.shortcut, self.relu = nn.Sequential(), nn.ReLU(inplace=True)
        if narrow != wide:
            self.shortcut.append(nn.Conv2d(narrow, wide, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(wide))

    def forward(self, x):
        return self.relu(self.body(x) + self.shortcut(x))


def plain_resnet():
    widths = [64, 64, 64, 128, 128, 256, 256, 512, 512]
    blocks = [
        PlainBlock(narrow, wide, 1 if narrow == wide else 2) for narrow, wide in pairwise(widths)
    ]
    return nn.Sequential(
        nn.Conv2d(3, 64, 3, padding=1, bias=False),
        nn.BatchNorm2d(64),
        nn.ReLU(inplace=True),
        *blocks,
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(512, 10),
    )


def training_step(rng, dtype, device, N, H, compile):
    (images,) = tensors(rng, "float32", device, (N, 3, H, H))
    images = images.contiguous(memory_format=torch.channels_last)
    labels = torch.tensor(rng.integers(0, 10, N), device=device)
    ours, plain = ResNet(18), plain_resnet()
    with torch.no_grad():
        for parameter, value in zip(plain.parameters(), ours.parameters(), strict=True):
            parameter.copy_(value)

    def side(network, cost):
        network = network.to(device, memory_format=torch.channels_last)
        optimizer = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, fused=True)
        forward = compiled(network, device) if compile else network

        def loss():
            with torch.autocast(device.type, torch.bfloat16):
                return cost(forward(images), labels)

        def backward(made):
            made.backward()
            optimizer.step()
            gradients = [p.grad for p in network.parameters()]
            optimizer.zero_grad()
            return gradients

        return Side(loss, backward)

    return side(ours, softmax_cross_entropy), side(plain, F.cross_entropy)


CASES = [
    Case(
        "ResNet-18", f"training step, 1024 of 3x32x32, {name}", "modules", training_step,
        {"N": 1024, "H": 32, "compile": compile}, 1.05, {"N": 4, "H": 8}, ("bfloat16",),
    )
    for name, compile in {"as it is": False, "compiled": True}.items()
]  # fmt: skip
