import pytest
import torch
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
