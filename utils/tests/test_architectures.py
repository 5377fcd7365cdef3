from itertools import chain

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from utils.gpu.architectures import (
    RESNET_PLANS,
    VGG,
    BasicBlock,
    Bottleneck,
    LeNet,
    ResNet,
    count_parameters,
)


def on_meta(make):
    """Shapes without numbers: the largest network is made at once."""
    with torch.device("meta"):
        return make()


@pytest.mark.parametrize(
    "depth, parameters",
    [(18, 11_173_962), (34, 21_282_122), (50, 23_520_842), (101, 42_512_970), (152, 58_156_618)],
)
def test_resnets(depth, parameters):
    network = on_meta(lambda: ResNet(depth))
    assert count_parameters(network) == parameters
    assert network(torch.zeros(2, 3, 32, 32, device="meta")).shape == (2, 10)
    block, counts = RESNET_PLANS[depth]
    assert sum(counts) * {BasicBlock: 2, Bottleneck: 3}[block] + 2 == depth  # stem and dense


def test_alexnets_first_layer():
    assert count_parameters(nn.Conv2d(3, 96, 11, stride=4)) == 34_944
    assert count_parameters(nn.Conv2d(3, 64, 11, stride=4)) == 23_296


def test_vgg16():
    paper = on_meta(lambda: VGG(16, n_classes=1000, size=224, hidden=(4096, 4096)))
    assert count_parameters(paper) == 138_357_544
    assert count_parameters(paper.convolutions) == 14_714_688
    images = torch.zeros(1, 3, 224, 224, device="meta")
    assert paper.convolutions[:-1](images).shape == (1, 512, 14, 14)  # conv5_3
    assert paper(images).shape == (1, 1000)
    assert count_parameters(on_meta(lambda: VGG(16, n_classes=1))) == 14_715_201


@pytest.mark.parametrize("depth", [11, 13, 16, 19])
def test_vggs(depth):
    network = on_meta(lambda: VGG(depth, size=64, hidden=(20,), batch_norm=True))
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert len(layers) == depth - 1  # the paper has one dense layer more
    assert network(torch.zeros(2, 3, 64, 64, device="meta")).shape == (2, 10)


def test_lenet():
    assert count_parameters(LeNet()) == 61_706
    assert LeNet()(torch.zeros(2, 1, 28, 28)).shape == (2, 10)
    assert LeNet(in_channels=3, n_classes=4, size=32)(torch.zeros(2, 3, 32, 32)).shape == (2, 4)


def lived_in(module):
    """In float64, with statistics as after some training, and ready for inference."""
    torch.manual_seed(0)
    for norm in module.modules():
        if isinstance(norm, nn.BatchNorm2d):
            nn.init.normal_(norm.running_mean)
            nn.init.uniform_(norm.running_var, 0.5, 2)
            nn.init.normal_(norm.weight)
            nn.init.normal_(norm.bias)
    return module.double().eval()


def normed(x, norm):
    """Batch norm in inference, by its formula."""
    mean, var, gamma, beta = (
        a[:, None, None] for a in (norm.running_mean, norm.running_var, norm.weight, norm.bias)
    )
    return (x - mean) / (var + 1e-5).sqrt() * gamma + beta


def test_lenet_layer_by_layer():
    network, x = lived_in(LeNet()), torch.randn(3, 1, 28, 28, dtype=torch.float64)

    def halved(x):
        N, C, H, W = x.shape
        return x.reshape(N, C, H // 2, 2, W // 2, 2).mean(dim=(3, 5))

    h = halved(torch.tanh(F.conv2d(x, network.c1.weight, network.c1.bias, padding=2)))
    h = halved(torch.tanh(F.conv2d(h, network.c3.weight, network.c3.bias)))
    h = h.flatten(1)
    for layer in [network.c5, network.f6]:
        h = torch.tanh(h @ layer.weight.T + layer.bias)
    want = h @ network.output.weight.T + network.output.bias
    torch.testing.assert_close(network(x), want, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("batch_norm", [False, True])
def test_vgg_is_its_plan(batch_norm):
    network = lived_in(VGG(11, hidden=(20, 30), batch_norm=batch_norm))
    unit = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] if batch_norm else [nn.Conv2d, nn.ReLU]
    stages = [unit * count + [nn.MaxPool2d] for count in [1, 1, 2, 2, 2]]
    assert [type(m) for m in network.convolutions] == list(chain(*stages))
    assert [m.out_channels for m in network.convolutions if isinstance(m, nn.Conv2d)] == [
        *(64, 128, 256, 256, 512, 512, 512, 512)
    ]
    dense = [nn.Linear, nn.ReLU, nn.Dropout] * 2 + [nn.Linear]
    assert [type(m) for m in network.dense] == dense
    assert network.dense[2].p == 0.5
    x = torch.randn(2, 3, 32, 32, dtype=torch.float64)
    want = network.dense(network.convolutions(x).reshape(2, 512))
    torch.testing.assert_close(network(x), want)


@pytest.mark.parametrize("in_channels, stride", [(8, 1), (8, 2), (3, 1), (3, 2)])
@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_block_by_its_formula(block, in_channels, stride):
    module = lived_in(block(in_channels, 8 // block.expansion, stride))
    x = torch.randn(2, in_channels, 6, 6, dtype=torch.float64)
    strides = [stride, 1] if block is BasicBlock else [1, stride, 1]
    h = x
    for i, s in enumerate(strides, start=1):
        convolution, norm = getattr(module, f"conv{i}"), getattr(module, f"norm{i}")
        padding = 0 if convolution.weight.shape[-1] == 1 else 1
        h = normed(F.conv2d(h, convolution.weight, stride=s, padding=padding), norm)
        h = h.relu() if i < len(strides) else h
    if (in_channels, stride) == (8, 1):
        assert not list(module.shortcut.parameters())
        shortcut = x
    else:
        projection, norm = module.shortcut
        shortcut = normed(F.conv2d(x, projection.weight, stride=stride), norm)
    torch.testing.assert_close(module(x), (h + shortcut).relu(), rtol=1e-10, atol=1e-10)


def test_resnet_stage_by_stage():
    network, x = lived_in(ResNet(18)), torch.randn(2, 3, 32, 32, dtype=torch.float64)
    h = normed(F.conv2d(x, network.stem.weight, padding=1), network.norm).relu()
    sizes = []
    for stage in network.stages:
        h = stage(h)
        sizes.append(tuple(h.shape[1:]))
    assert sizes == [(64, 32, 32), (128, 16, 16), (256, 8, 8), (512, 4, 4)]
    want = h.mean(dim=(2, 3)) @ network.dense.weight.T + network.dense.bias
    torch.testing.assert_close(network(x), want, rtol=1e-10, atol=1e-10)


def test_convolutions_are_drawn_as_he_et_al_do():
    torch.manual_seed(0)
    for network in [ResNet(18), VGG(11)]:
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                filters, _, kH, kW = module.weight.shape
                std = (2 / (filters * kH * kW)) ** 0.5
                assert abs(module.weight.std().item() / std - 1) < 0.1
                assert module.bias is None or not module.bias.any()


def test_only_what_is_trained_is_counted():
    layer = nn.Linear(3, 2)
    layer.bias.requires_grad_(False)
    assert count_parameters(layer) == 6


@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_a_block_whose_branch_is_silent_passes_what_is_positive(device, block):
    torch.manual_seed(0)
    module = block(4 * block.expansion, 4).to(device).eval()
    last = module.norm2 if block is BasicBlock else module.norm3
    nn.init.zeros_(last.weight)
    x = torch.randn(2, 4 * block.expansion, 5, 5, device=device)
    assert torch.equal(module(x), x.relu())


@pytest.mark.parametrize(
    "make, size",
    [
        (LeNet, (1, 28, 28)),
        (lambda: VGG(11), (3, 32, 32)),
        (lambda: ResNet(18), (3, 16, 16)),
        (lambda: nn.Sequential(Bottleneck(3, 8, 2), Bottleneck(32, 8), nn.Flatten()), (3, 4, 4)),
    ],
    ids=["LeNet", "VGG11", "ResNet18", "Bottleneck"],
)
def test_every_parameter_gets_a_gradient(device, make, size):
    torch.manual_seed(0)
    network = make().to(device)
    scores = network(torch.randn(2, *size, device=device))
    nn.functional.cross_entropy(scores, torch.tensor([0, 1], device=device)).backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert parameter.grad.isfinite().all(), name
        assert parameter.grad.any(), name


def test_refuse():
    for make, message in [
        (lambda: ResNet(20), r"depth must be one of \[18, 34, 50, 101, 152\], got 20"),
        (lambda: VGG(12), r"depth must be one of \[11, 13, 16, 19\]"),
        (lambda: VGG(16, size=48), "a multiple of 32, got 16 and 48"),
        (lambda: LeNet(size=30), "size must be 28 or 32, got 30"),
    ]:
        with pytest.raises(ValueError, match=message):
            make()
