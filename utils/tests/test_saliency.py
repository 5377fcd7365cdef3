import captum.attr
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from torch import nn

from utils.gpu import cnn as gpu_cnn
from utils.gpu import mlp as gpu_mlp
from utils.gpu import saliency as gpu
from utils.reference import cnn, mlp
from utils.reference import saliency as reference
from utils.reference.gradient_check import numeric_gradient

KINDS = ["signed", "absolute", "times_input"]


def small_cnn(rng, shape=(2, 5, 7), n_classes=4, n_filters=3):
    """Parameters whose biases are not 0 either."""
    params = cnn.cnn_init(shape, n_classes, rng, n_filters)
    return {name: value + rng.normal(size=value.shape) / 5 for name, value in params.items()}


def as_module(params, inplace=False):
    """The same network as torch.nn would have it: conv, relu, pool, flatten, dense."""
    F, C, k, _ = params["conv_w"].shape
    module = nn.Sequential(
        nn.Conv2d(C, F, k, padding=k // 2),
        nn.ReLU(inplace),
        nn.MaxPool2d(2),
        nn.Flatten(),
        nn.Linear(*params["dense_w"].shape),
    ).double()
    with torch.no_grad():
        values = params["conv_w"], params["conv_b"], params["dense_w"].T, params["dense_b"]
        for parameter, value in zip(module.parameters(), values, strict=True):
            parameter.copy_(torch.tensor(value))
    return module


def linear(w):
    """scores = x w, the model whose explanation is known."""

    def model(x):
        rows = x.reshape(len(x), -1)
        return rows @ w, lambda dscores: (dscores @ w.T).reshape(x.shape)

    return model


def layer_of(params):
    return lambda x: cnn.cnn_maps_forward(x, params)


@pytest.fixture
def problem(rng):
    """Images of odd size, a class each, parameters."""
    return rng.normal(size=(6, 2, 5, 7)), rng.integers(0, 4, size=6), small_cnn(rng)


@pytest.fixture
def a_module():
    """A deep module with all that is easily disturbed, in training mode, some of it frozen."""
    torch.manual_seed(0)
    module = nn.Sequential(
        nn.Conv2d(2, 4, 3, stride=2),
        nn.BatchNorm2d(4),
        nn.ReLU(inplace=True),
        nn.Conv2d(4, 5, 3, padding=1),
        nn.ReLU(inplace=True),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 3),
    ).double()
    return module


# by hand and by numbers


def test_by_hand():
    """Two pixels of two channels; class 0 has weights 1, -3 and 2, 0, class 1 the opposite."""
    w = np.array([[1.0, -1.0], [-3.0, 3.0], [2.0, -2.0], [0.0, 0.0]])
    x = np.array([[[[5.0, 1.0]], [[-1.0, 7.0]]]] * 2)  # (2, 2, 1, 2)
    labels = np.array([0, 1])
    score, dx = reference.score_and_gradient(linear(w), x, labels)
    assert score.tolist() == [0, 0]  # 5 - 3 - 2 + 0
    assert dx.tolist() == [[[[1, -3]], [[2, 0]]], [[[-1, 3]], [[-2, 0]]]]
    assert reference.saliency(linear(w), x, labels).tolist() == dx.tolist()
    assert reference.saliency(linear(w), x, labels, "absolute").tolist() == [[[2, 3]], [[2, 3]]]
    assert reference.saliency(linear(w), x[:1], labels[:1], "times_input").tolist() == [
        [[[5, -3]], [[-2, 0]]]
    ]


def test_grad_cam_by_hand():
    """Two maps that go on alone; the mean gradients are 3 / 4 and -1."""
    maps = np.array([[[[4.0, 0.0], [8.0, 1.0]], [[1.0, 1.0], [1.0, 3.0]]]])
    w = np.array([[1.0, 0.0, 2.0, 0.0, -4.0, 0.0, 0.0, 0.0]]).T
    cam = reference.grad_cam(linear(w), maps, np.array([0]), lambda x: (x, None))
    assert cam.tolist() == [[[2, 0], [5, 0]]]  # 3 - 1, 0 - 1, 6 - 1, 3/4 - 3
    cam = reference.grad_cam(linear(w), maps, np.array([0]), lambda x: (x, None), normalized=True)
    assert_allclose(cam, [[[0.4, 0], [1, 0]]], rtol=1e-15)


def test_upsample_by_hand():
    maps = np.array([[[0.0, 4.0]]])
    assert reference.upsample(maps, (1, 4)).tolist() == [[[0, 1, 3, 4]]]  # centers -1/4, 1/4, 3/4
    assert reference.upsample(maps, (3, 2)).tolist() == [[[0, 4]] * 3]
    assert reference.upsample(maps, (1, 1)).tolist() == [[[2]]]


@pytest.mark.parametrize("activation", ["relu", "tanh", "softplus"])
def test_gradient_of_an_mlp_agrees_with_differences(rng, activation):
    parameters = [(w, rng.normal(size=b.shape)) for w, b in mlp.mlp_init((4, 6, 5, 3), rng)]
    x, labels = rng.normal(size=(5, 4)), np.array([2, 0, 1, 1, 2])
    model = mlp.mlp_model(parameters, activation)
    score, dx = reference.score_and_gradient(model, x, labels)
    assert_array_equal(score, mlp.mlp_forward(x, parameters, activation)[0][range(5), labels])
    want = numeric_gradient(lambda x: model(x)[0][range(5), labels].sum(), x)
    assert_allclose(dx, want, rtol=1e-7, atol=1e-8)


def test_gradients_of_the_cnn_agree_with_differences(problem):
    x, labels, params = problem
    each = range(len(x)), labels
    _, dx = reference.score_and_gradient(cnn.cnn_model(params), x, labels)
    want = numeric_gradient(lambda x: cnn.cnn_forward(x, params)[0][each].sum(), x, 1e-5)
    assert_allclose(dx, want, rtol=1e-7, atol=1e-9)
    maps, _ = cnn.cnn_maps_forward(x, params)
    maps += 0.01  # away from ties at 0, where pooling has a kink
    maps += np.arange(maps.size).reshape(maps.shape) * 1e-4
    _, dmaps = reference.score_and_gradient(cnn.cnn_head_model(params), maps, labels)
    want = numeric_gradient(lambda m: cnn.cnn_head_forward(m, params)[0][each].sum(), maps, 1e-5)
    assert_allclose(dmaps, want, rtol=1e-7, atol=1e-9)


def test_output_of_the_mlp_model_may_be_squashed(rng):
    parameters = mlp.mlp_init((4, 6, 3), rng)
    x = rng.normal(size=(2, 4))
    p, backward = mlp.mlp_model(parameters, output="softmax")(x)
    assert_allclose(p.sum(axis=1), 1)
    assert_allclose(backward(np.ones((2, 3))), 0, atol=1e-15)  # that they sum to 1 stays
    twin = gpu_mlp.mlp_model(
        [(torch.tensor(w), torch.tensor(b)) for w, b in parameters], output="softmax"
    )
    assert_allclose(twin(torch.tensor(x)), p, rtol=1e-10)


# against captum


@pytest.mark.parametrize("seed", range(3))
def test_agrees_with_captum(seed):
    rng = np.random.default_rng(seed)
    params = small_cnn(rng)
    x, labels = rng.normal(size=(6, 2, 5, 7)), rng.integers(0, 4, size=6)
    model, module = cnn.cnn_model(params), as_module(params)
    to_explain = torch.tensor(x), torch.tensor(labels)

    def captum_of(method, **options):
        image = to_explain[0].clone().requires_grad_()
        return method.attribute(image, target=to_explain[1], **options).detach()

    signed = captum_of(captum.attr.Saliency(module), abs=False)
    absolute = captum_of(captum.attr.Saliency(module)).amax(dim=1)
    times_input = captum_of(captum.attr.InputXGradient(module))
    for kind, want in zip(KINDS, (signed, absolute, times_input), strict=True):
        ours = reference.saliency(model, x, labels, kind)
        assert_allclose(ours, want, rtol=1e-10, atol=1e-14)
        twin = gpu.saliency(module, *to_explain, kind)
        assert_allclose(twin, want, rtol=1e-10, atol=1e-14)

    coarse = captum_of(captum.attr.LayerGradCam(module, module[1]), relu_attributions=True)
    fine = captum.attr.LayerAttribution.interpolate(coarse, (5, 7), "bilinear")
    for upsampled, want in [(False, coarse), (True, fine)]:
        ours = reference.grad_cam(
            cnn.cnn_head_model(params), x, labels, layer_of(params), upsampled
        )
        assert_allclose(ours, want[:, 0], rtol=1e-10, atol=1e-14)
        twin = gpu.grad_cam(module, *to_explain, module[1], upsampled)
        assert_allclose(twin, want[:, 0], rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("layer", [0, 1, 2, 3, 4])
def test_grad_cam_of_any_layer_agrees_with_captum(a_module, layer, rng):
    """Strided maps smaller than the images, before and after relus in place."""
    module = a_module.eval()
    x, labels = torch.tensor(rng.normal(size=(4, 2, 9, 12))), torch.tensor([2, 0, 0, 1])
    separate = nn.Sequential(*[nn.ReLU() if isinstance(m, nn.ReLU) else m for m in module])
    want = captum.attr.LayerGradCam(separate, separate[layer]).attribute(
        x, labels, relu_attributions=True
    )
    assert_allclose(
        gpu.grad_cam(module, x, labels, module[layer]), want[:, 0].detach(), rtol=1e-10, atol=1e-15
    )
    fine = captum.attr.LayerAttribution.interpolate(want, (9, 12), "bilinear")
    got = gpu.grad_cam(module, x, labels, module[layer], upsampled=True)
    assert got.shape == (4, 9, 12)
    assert_allclose(got, fine[:, 0].detach(), rtol=1e-10, atol=1e-15)


@pytest.mark.parametrize("noise, n_samples", [(0.15, 7), (0.5, 1)])
def test_smooth_grad_agrees_with_captum_given_its_noise(problem, monkeypatch, noise, n_samples):
    x, labels, params = problem
    x = x * np.arange(1, 7).reshape(-1, 1, 1, 1)  # a range of its own each
    module = as_module(params)
    ours = reference.smooth_grad(
        cnn.cnn_model(params), x, labels, np.random.default_rng(1), noise, n_samples
    )
    e = np.random.default_rng(1).standard_normal((n_samples, *x.shape))
    scale = np.array([noise * (image.max() - image.min()) for image in x])
    drawn = torch.tensor((e * scale[:, None, None, None]).swapaxes(0, 1).reshape(-1, *x.shape[1:]))
    monkeypatch.setattr(torch, "normal", lambda mean, std: drawn)  # captum's copies, by image
    tunnel = captum.attr.NoiseTunnel(captum.attr.Saliency(module))
    want = tunnel.attribute(
        torch.tensor(x), nt_samples=n_samples, target=torch.tensor(labels), abs=False
    )
    assert_allclose(ours, want.detach(), rtol=1e-10, atol=1e-13)

    draws = iter(torch.tensor(e))
    monkeypatch.setattr(torch, "randn", lambda shape, **_: next(draws))
    for kind, like in zip(KINDS, (ours, np.abs(ours).max(axis=1), ours * x), strict=True):
        draws = iter(torch.tensor(e))
        args = module, torch.tensor(x), torch.tensor(labels), None, noise, n_samples, kind
        assert_allclose(gpu.smooth_grad(*args), like, rtol=1e-10, atol=1e-13)
        again = reference.smooth_grad(
            cnn.cnn_model(params), x, labels, np.random.default_rng(1), noise, n_samples, kind
        )
        assert_array_equal(again, like)


# the twins, at any size and on any device


def test_twins_agree(tensor, problem):
    x, labels, params = problem
    tensors = {name: tensor(value) for name, value in params.items()}
    for kind in KINDS:
        want = reference.saliency(cnn.cnn_model(params), x, labels, kind)
        got = gpu.saliency(gpu_cnn.cnn_model(tensors), tensor(x), tensor(labels), kind)
        assert_allclose(got.cpu(), want, rtol=1e-9, atol=1e-13)
    maps, _ = cnn.cnn_maps_forward(x, params)
    got = gpu_cnn.cnn_maps_forward(tensor(x), tensors)
    assert_allclose(got.cpu(), maps, rtol=1e-10, atol=1e-13)
    score, dmaps = reference.score_and_gradient(cnn.cnn_head_model(params), maps, labels)
    twin = gpu.score_and_gradient(gpu_cnn.cnn_head_model(tensors), tensor(maps), tensor(labels))
    assert_allclose(twin[0].cpu(), score, rtol=1e-10)
    assert_allclose(twin[1].cpu(), dmaps, rtol=1e-9, atol=1e-13)
    module = as_module(params).to(tensor(x).device)
    for upsampled, normalized in np.ndindex(2, 2):
        want = reference.grad_cam(
            cnn.cnn_head_model(params), x, labels, layer_of(params), upsampled, normalized
        )
        got = gpu.grad_cam(
            module, tensor(x), tensor(labels), module[1], bool(upsampled), bool(normalized)
        )
        assert got.device == tensor(x).device
        assert_allclose(got.cpu(), want, rtol=1e-9, atol=1e-13)


def test_twin_smooths_alike(device, tensor, rng):
    """Other numbers, the same law: what is linear is unmoved, a relu at 0 is open half the time."""
    x, labels = np.array([[0.0, 8.0], [4.0, 4.0]]), np.array([0, 1])
    generator = torch.Generator(device).manual_seed(0)
    w = rng.normal(size=(2, 2))
    got = gpu.smooth_grad(lambda x: x @ tensor(w), tensor(x), tensor(labels), generator, 0.3, 4)
    assert_allclose(got.cpu(), w.T, rtol=1e-14)

    got = gpu.smooth_grad(torch.relu, tensor(x), tensor(labels), generator, 0.25, 1000)
    want = reference.smooth_grad(
        mlp.mlp_model([(np.eye(2), np.zeros(2))], output="relu"), x, labels, rng, 0.25, 1000
    )
    for smoothed in (got.cpu(), want):
        assert_allclose(smoothed, [[0.5, 0], [0, 1]], atol=0.08)  # five deviations
    assert not got.requires_grad


def test_noise_grows_with_the_range_of_each_input():
    """A step at 1, from an input at 0: open where 0.25 * 8 e > 1, and 0.25 * 16 e > 1."""
    x, labels = np.array([[0.0, 8.0], [0.0, -16.0]]), np.array([0, 0])
    model = mlp.mlp_model([(np.eye(2), -np.ones(2))], output="relu")
    for module, to, draw in [
        (reference, np.asarray, np.random.default_rng(0)),
        (gpu, torch.tensor, torch.Generator().manual_seed(0)),
    ]:
        f = model if module is reference else lambda x: torch.relu(x - 1)
        got = module.smooth_grad(f, to(x), to(labels), draw, 0.25, 2000)
        assert_allclose(got[:, 0], [0.3085, 0.4013], atol=0.05)  # 1 - Phi(1/2), 1 - Phi(1/4)
        still = module.smooth_grad(f, to(x), to(labels), draw, 0.0, 3)
        assert_array_equal(still, module.saliency(f, to(x), to(labels)))


@given(
    sizes=st.tuples(*[st.integers(1, 6)] * 6),
    kind=st.sampled_from(KINDS),
    seed=st.integers(0, 999),
)
def test_networks_of_any_size(sizes, kind, seed):
    N, C, H, W, F, n_classes = sizes
    H, W = H + 1, W + 1
    rng = np.random.default_rng(seed)
    params = small_cnn(rng, (C, H, W), n_classes, F)
    x, labels = rng.normal(size=(N, C, H, W)), rng.integers(0, n_classes, size=N)
    module, to_explain = as_module(params), (torch.tensor(x), torch.tensor(labels))
    ours = reference.saliency(cnn.cnn_model(params), x, labels, kind)
    assert ours.shape == ((N, H, W) if kind == "absolute" else x.shape)
    assert_allclose(ours, gpu.saliency(module, *to_explain, kind), rtol=1e-9, atol=1e-13)
    cam = reference.grad_cam(cnn.cnn_head_model(params), x, labels, layer_of(params))
    assert cam.shape == (N, H, W) and (cam >= 0).all()
    assert_allclose(cam, gpu.grad_cam(module, *to_explain, module[1]), rtol=1e-9, atol=1e-13)


@given(
    sizes=st.tuples(*[st.integers(1, 9)] * 5),
    seed=st.integers(0, 999),
)
def test_upsample_to_any_size(sizes, seed):
    N, h, w, H, W = sizes
    maps = np.random.default_rng(seed).normal(size=(N, h, w))
    want = torch.nn.functional.interpolate(
        torch.tensor(maps)[:, None], (H, W), mode="bilinear", align_corners=False
    )[:, 0]
    assert_allclose(reference.upsample(maps, (H, W)), want, rtol=1e-10, atol=1e-14)
    assert_array_equal(gpu.upsample(torch.tensor(maps), (H, W)), want)
    constant = reference.upsample(np.full((N, h, w), 3.0), (H, W))
    assert_allclose(constant, 3, rtol=1e-15)


# what must hold


def test_each_image_is_explained_by_itself(problem):
    x, labels, params = problem
    model, head = cnn.cnn_model(params), cnn.cnn_head_model(params)
    whole = reference.saliency(model, x, labels)
    cams = reference.grad_cam(head, x, labels, layer_of(params), normalized=True)
    smooth = reference.smooth_grad(model, x[:1], labels[:1], np.random.default_rng(2))
    for i in range(len(x)):
        one = slice(i, i + 1)
        alone = reference.saliency(model, x[one], labels[one])
        assert_allclose(alone, whole[one], rtol=1e-12, atol=1e-14)
        alone = reference.grad_cam(head, x[one], labels[one], layer_of(params), normalized=True)
        assert_allclose(alone, cams[one], rtol=1e-12, atol=1e-14)
    assert smooth.shape == (1, 2, 5, 7)


def test_times_input_adds_up_where_scores_are_linear(rng):
    w, x, labels = rng.normal(size=(12, 3)), rng.normal(size=(4, 3, 2, 2)), np.array([0, 1, 2, 2])
    contributions = reference.saliency(linear(w), x, labels, "times_input")
    scores, _ = linear(w)(x)
    assert_allclose(contributions.sum(axis=(1, 2, 3)), scores[range(4), labels], rtol=1e-12)


def test_grad_cam_finds_the_bright_corner():
    """One filter that lets the image pass; class 0 looks for light, class 1 for its absence."""
    params = {
        "conv_w": np.ones((1, 1, 1, 1)),
        "conv_b": np.zeros(1),
        "dense_w": np.repeat([[1.0, -1.0]], 16, axis=0),
        "dense_b": np.zeros(2),
    }
    x = np.zeros((2, 1, 8, 8))
    x[:, :, :2, 6:] = 1.0
    labels = np.array([0, 1])
    cam = reference.grad_cam(
        cnn.cnn_head_model(params), x, labels, layer_of(params), normalized=True
    )
    assert_array_equal(cam[0], x[0, 0])
    assert not cam[1].any()  # nothing speaks for it, and 0 / 0 is 0
    module = as_module(params)
    twin = gpu.grad_cam(module, torch.tensor(x), torch.tensor(labels), module[1], normalized=True)
    assert_array_equal(twin, cam)


def test_float32_stays(problem):
    x, labels, params = problem
    narrow = {name: value.astype(np.float32) for name, value in params.items()}
    small = x.astype(np.float32)
    head = cnn.cnn_head_model(narrow)

    def model(x):
        assert x.dtype == np.float32  # the noisy copies, too
        return cnn.cnn_model(narrow)(x)

    module, to_explain = as_module(params).float(), (torch.tensor(small), torch.tensor(labels))
    draw = np.random.default_rng(0)
    generator = torch.Generator().manual_seed(0)
    results = [
        *reference.score_and_gradient(model, small, labels),
        *[reference.saliency(model, small, labels, kind) for kind in KINDS],
        *[reference.smooth_grad(model, small, labels, draw, kind=kind) for kind in KINDS],
        reference.grad_cam(head, small, labels, layer_of(narrow), True, True),
        *gpu.score_and_gradient(module, *to_explain),
        *[gpu.saliency(module, *to_explain, kind) for kind in KINDS],
        *[gpu.smooth_grad(module, *to_explain, generator, kind=kind) for kind in KINDS],
        gpu.grad_cam(module, *to_explain, module[1], True, True),
    ]
    assert all(str(result.dtype).endswith("float32") for result in results)
    want = reference.saliency(cnn.cnn_model(params), x, labels)
    assert_allclose(results[2], want, rtol=1e-4, atol=1e-5)


def test_inputs_unchanged_and_of_any_strides(problem):
    x, labels, params = problem
    before = x.copy(), labels.copy(), {name: value.copy() for name, value in params.items()}
    model, head = cnn.cnn_model(params), cnn.cnn_head_model(params)
    strided = np.asfortranarray(x)[:, ::-1, :, ::-1]
    copied = strided.copy()
    for kind in KINDS:
        reference.saliency(model, x, labels, kind)
        reference.smooth_grad(model, x, labels, np.random.default_rng(0), kind=kind)
        want = reference.saliency(model, copied, labels, kind)
        assert_allclose(
            reference.saliency(model, strided, labels, kind), want, rtol=1e-12, atol=1e-14
        )
    reference.grad_cam(head, x, labels, layer_of(params), True, True)
    assert_array_equal(x, before[0])
    assert_array_equal(labels, before[1])
    for name, value in params.items():
        assert_array_equal(value, before[2][name])


def test_a_result_is_no_view_of_the_model(rng):
    """A linear model may return its own weights: to scale the map must not change them."""
    w = rng.normal(size=(3, 2))
    model = lambda x: (x @ w, lambda dscores: np.broadcast_to(w.T[:1], x.shape))  # noqa: E731
    reference.saliency(model, np.ones((2, 3)), np.array([0, 0]))[:] = 0
    assert w.all()


def test_nan_is_passed_on(problem):
    x, labels, params = problem
    x = x.copy()
    x[1, 0, 2, 3] = np.nan
    module, to_explain = as_module(params), (torch.tensor(x), torch.tensor(labels))
    clean = [0, 2, 3, 4, 5]
    generator = torch.Generator().manual_seed(0)
    for kind in KINDS:
        for explained in (
            reference.saliency(cnn.cnn_model(params), x, labels, kind),
            gpu.saliency(module, *to_explain, kind),
            reference.smooth_grad(
                cnn.cnn_model(params), x, labels, np.random.default_rng(0), 0.1, 2, kind
            ),
            gpu.smooth_grad(module, *to_explain, generator, 0.1, 2, kind),
        ):
            assert np.isnan(np.asarray(explained[1])).all()
            assert np.isfinite(np.asarray(explained)[clean]).all()
    for cam in (
        reference.grad_cam(cnn.cnn_head_model(params), x, labels, layer_of(params), True, True),
        gpu.grad_cam(module, *to_explain, module[1], True, True),
    ):
        assert np.isnan(np.asarray(cam[1])).all()
        assert np.isfinite(np.asarray(cam)[clean]).all()


# what the torch twin leaves as it was


def state_of(module):
    return (
        [(name, value.clone()) for name, value in module.state_dict().items()],
        [(p.requires_grad, p.grad) for p in module.parameters()],
        [(m.training, len(m._forward_hooks), len(m._backward_hooks)) for m in module.modules()],
    )


def require_same(was, now):
    assert was[1:] == now[1:]
    for (_, a), (_, b) in zip(was[0], now[0], strict=True):
        assert (a == b).all()


def every_explanation(module, x, labels):
    generator = torch.Generator().manual_seed(0)
    return [
        gpu.score_and_gradient(module, x, labels)[1],
        gpu.saliency(module, x, labels, "times_input"),
        gpu.smooth_grad(module, x, labels, generator, n_samples=2),
        gpu.grad_cam(module, x, labels, module[0]),
        gpu.grad_cam(module, x, labels, module[3], True, True),
    ]


def test_the_module_is_left_as_it_was(a_module, rng):
    x, labels = torch.tensor(rng.normal(size=(4, 2, 9, 12))), torch.tensor([2, 0, 0, 1])
    module, was_x = a_module, x.clone()
    module.eval()
    module[3].train()  # parts may differ
    module[3].weight.requires_grad_(False)
    module[0].requires_grad_(False)
    was = state_of(module)
    first = every_explanation(module, x, labels)
    require_same(was, state_of(module))
    assert not any(result.requires_grad for result in first)
    assert (x == was_x).all() and not x.requires_grad

    with torch.no_grad():
        again = every_explanation(module, x, labels)
        assert not torch.is_grad_enabled()
    for a, b in zip(first, again, strict=True):
        assert (a == b).all()

    leaf = x.clone().requires_grad_()  # one that the caller differentiates by
    for a, b in zip(first, every_explanation(module, leaf, labels), strict=True):
        assert (a == b).all() and not b.requires_grad
    assert leaf.grad is None and leaf.requires_grad and (leaf == was_x).all()


@pytest.mark.parametrize("training", [True, False])
def test_the_mode_is_the_callers(a_module, rng, training):
    x, labels = torch.tensor(rng.normal(size=(4, 2, 9, 12))), torch.tensor([2, 0, 0, 1])
    module = a_module.train(training)
    score, _ = gpu.score_and_gradient(module, x, labels)
    assert all(m.training == training for m in module.modules())
    assert_allclose(score, module(x)[range(4), labels].detach(), rtol=1e-12)


def test_a_gradient_that_was_there_stays(a_module, rng):
    x, labels = torch.tensor(rng.normal(size=(4, 2, 9, 12))), torch.tensor([2, 0, 0, 1])
    module = a_module.eval()
    module(x).sum().backward()
    before = [p.grad.clone() for p in module.parameters()]
    every_explanation(module, x, labels)
    for p, gradient in zip(module.parameters(), before, strict=True):
        assert (p.grad == gradient).all()


def test_the_hook_is_removed_even_after_an_error(a_module, rng):
    x, labels = torch.tensor(rng.normal(size=(4, 2, 9, 12))), torch.tensor([2, 0, 0, 1])
    module = a_module.eval()

    def fails(x):
        module(x)
        raise RuntimeError("after the layer")

    was = state_of(module)
    with pytest.raises(RuntimeError, match="after the layer"):
        gpu.grad_cam(fails, x, labels, module[3])
    with pytest.raises(ValueError, match="labels must be"):
        gpu.grad_cam(module, x, labels[:2], module[3])
    require_same(was, state_of(module))


def test_a_model_that_writes_into_its_input(rng):
    x, labels = torch.tensor(rng.normal(size=(3, 4))), torch.tensor([0, 1, 3])
    before = x.clone()
    dx = gpu.saliency(nn.Sequential(nn.ReLU(inplace=True)), x, labels)
    assert_array_equal(x, before)
    want = nn.functional.one_hot(labels, 4) * (x > 0)
    assert_array_equal(dx, want.double())


def test_grad_cam_by_a_layer_beside_a_shortcut(rng):
    """The gradient is the whole one, through both roads, and the layer may come in any module."""

    class Residual(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Conv2d(1, 3, 3), nn.Conv2d(3, 3, 1)

        def forward(self, x):
            maps = self.first(x)
            return (self.second(maps).tanh() + maps * maps).mean(dim=(2, 3))

    module, x = Residual().double(), torch.tensor(rng.normal(size=(2, 1, 6, 5)))
    labels = torch.tensor([0, 2])
    want = captum.attr.LayerGradCam(module, module.first).attribute(
        x, labels, relu_attributions=True
    )
    got = gpu.grad_cam(module, x, labels, module.first)
    assert_allclose(got, want[:, 0].detach(), rtol=1e-10, atol=1e-14)


# refusals


def test_refuses(tensor, problem):
    x, labels, params = problem
    tensors = {name: tensor(value) for name, value in params.items()}
    for module, to, model in [
        (reference, np.asarray, cnn.cnn_model(params)),
        (gpu, tensor, gpu_cnn.cnn_model(tensors)),
    ]:
        image, label = to(x), to(labels)
        with pytest.raises(ValueError, match=r"kind must be signed, absolute or .*, got 'abs'"):
            module.saliency(model, image, label, "abs")
        with pytest.raises(ValueError, match="kind must be"):
            module.smooth_grad(model, image, label, None, kind="abs")
        with pytest.raises(ValueError, match=r"noise must be at least 0 .*got -0.1 and 50"):
            module.smooth_grad(model, image, label, None, noise=-0.1)
        for bad in [{"noise": np.inf}, {"noise": np.nan}, {"n_samples": 0}]:
            with pytest.raises(ValueError, match="noise must be"):
                module.smooth_grad(model, image, label, None, **bad)
        for bad in [label[:2], label[:, None], to(labels * 1.0), label[:0]]:
            with pytest.raises(ValueError, match="labels must be"):
                module.saliency(model, image, bad)
        for bad in [to((x > 0).astype(np.uint8)), image[:0], to(np.zeros(3))]:
            for explain in (module.saliency, module.score_and_gradient):
                with pytest.raises(ValueError, match=r"x must be non-empty \(N, ...\) floats, got"):
                    explain(model, bad, label)
            with pytest.raises(ValueError, match="x must be"):
                module.smooth_grad(model, bad, label, None)
            with pytest.raises(ValueError, match="x must be"):
                module.grad_cam(model, bad, label, None)
        with pytest.raises(ValueError, match=r"x must be \(N, C, H, W\), got shape \(6, 2\)"):
            module.grad_cam(model, to(np.ones((6, 2))), label, None)
        for bad, size in [
            (np.zeros((3, 3)), (2, 2)),
            (np.zeros((1, 0, 3)), (2, 2)),
            (np.zeros((1, 3, 3), int), (2, 2)),
            (np.zeros((1, 3, 3)), (2, 0)),
            (np.zeros((1, 3, 3)), (2, 2, 2)),
        ]:
            with pytest.raises(ValueError, match=r"maps and size must be .*, got"):
                module.upsample(to(bad), size)

    for bad in [[4] * 6, [-1] * 6]:
        with pytest.raises(ValueError, match=r"ints in \[0, 4\), got"):
            reference.saliency(cnn.cnn_model(params), x, np.array(bad))
    for f, g in [
        (lambda x: x[:, 0, 0, 0], "6,"),
        (lambda x: x[:1, 0, 0], "1, 7"),
        (lambda x: x, "6, 2, 5, 7"),
    ]:
        wanted = rf"model must give scores \(6, C\), got shape \({g}\)"
        with pytest.raises(ValueError, match=wanted):
            reference.saliency(lambda x, f=f: (f(x), None), x, labels)
        with pytest.raises(ValueError, match=wanted):
            gpu.saliency(f, tensor(x), tensor(labels))
    with pytest.raises(
        ValueError, match=r"layer must give maps \(N, F, h, w\), got shape \(6, 4\)"
    ):
        head = cnn.cnn_head_model(params)
        reference.grad_cam(head, x, labels, lambda x: cnn.cnn_forward(x, params))

    module = as_module(params).to(tensor(x).device)
    relu = nn.ReLU()
    twice = lambda x: module(relu(relu(x)))  # noqa: E731
    for model, layer in [(module, relu), (twice, relu), (module, module[3])]:
        with pytest.raises(ValueError, match="layer must be called once by model and give maps"):
            gpu.grad_cam(model, tensor(x), tensor(labels), layer)
        assert not layer._forward_hooks
