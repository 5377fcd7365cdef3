import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.datasets import load_digits
from torch import nn

from utils.gpu import cnn as gpu_cnn
from utils.gpu import input_ascent as gpu
from utils.gpu import mlp as gpu_mlp
from utils.reference import cnn, mlp
from utils.reference import input_ascent as reference
from utils.reference.activations import log_softmax


def network(rng, sizes=(6, 8, 4)):
    """Parameters whose biases are not 0 either."""
    return [(w, rng.normal(size=b.shape)) for w, b in mlp.mlp_init(sizes, rng)]


def tensors_of(parameters, tensor=torch.tensor):
    return [(tensor(w), tensor(b)) for w, b in parameters]


def losses_of(model, x, labels):
    """Softmax cross-entropy of each example."""
    return -log_softmax(model(x)[0])[range(len(x)), labels]


@pytest.fixture
def problem(rng):
    return rng.normal(size=(5, 6)), np.array([0, 3, 1, 1, 2]), network(rng)


# activation maximization


def test_two_steps_by_hand():
    """Score 2 x1 - x2; with lr 1/2 and l2 1 each step halves x and adds half of (2, -1)."""
    model = mlp.mlp_model([(np.array([[2.0], [-1.0]]), np.zeros(1))])
    x, history = reference.maximize_activation(
        model, np.array([[4.0, 2.0]]), np.array([0]), n_steps=2, lr=0.5, l2=1.0
    )
    assert x.tolist() == [[2.5, -0.25]]  # (4, 2), (3, 1/2), (5/2, -1/4)
    assert history.tolist() == [[-4], [0.875], [2.09375]]  # 6 - 10, 5.5 - 4.625, 5.25 - 3.15625


def test_a_linear_score_is_climbed_to_its_optimum(rng):
    """x* = w_y / l2, the objective there |w_y|^2 / (2 l2) + b_y, reached without a step down."""
    w, b, labels = rng.normal(size=(6, 4)), rng.normal(size=4), np.array([0, 3, 1, 1, 2])
    x, history = reference.maximize_activation(
        mlp.mlp_model([(w, b)]), rng.normal(size=(5, 6)), labels, n_steps=200, lr=0.4, l2=0.5
    )
    assert history.shape == (201, 5)
    assert (np.diff(history[:60], axis=0) > 0).all()
    assert (np.diff(history, axis=0) > -1e-13).all()
    best = w.T[labels]
    assert_allclose(x, best / 0.5, rtol=1e-12)
    assert_allclose(history[-1], (best**2).sum(axis=1) + b[labels], rtol=1e-12)


def test_a_linear_score_without_penalty_grows_by_the_same_at_each_step(rng):
    w, labels = rng.normal(size=(6, 4)), np.array([0, 3])
    start = rng.normal(size=(2, 6))
    x, history = reference.maximize_activation(
        mlp.mlp_model([(w, np.zeros(4))]), start, labels, n_steps=10, lr=0.3
    )
    assert_allclose(x, start + 10 * 0.3 * w.T[labels], rtol=1e-12)
    assert_allclose(
        np.diff(history, axis=0), np.tile(0.3 * (w.T[labels] ** 2).sum(axis=1), (10, 1))
    )


def test_the_penalty_pulls_where_no_relu_is_open():
    """A dead unit gives no direction: only the penalty moves x, by 1 - lr l2 at each step."""
    parameters = [(np.eye(2), np.full(2, -10.0)), (np.eye(2), np.zeros(2))]
    start, labels = np.array([[4.0, -8.0]]), np.array([1])
    model = mlp.mlp_model(parameters)
    still, history = reference.maximize_activation(model, start, labels)
    assert_array_equal(still, start)
    assert not history.any() and history.shape == (101, 1)
    x, _ = reference.maximize_activation(model, start, labels, n_steps=3, lr=0.5, l2=1.0)
    assert_allclose(x, start / 8, rtol=1e-15)


def test_a_part_of_the_network_shows_its_units(problem):
    x, _, parameters = problem
    units = np.array([7, 0, 5, 2, 2])
    grown, history = reference.maximize_activation(
        mlp.mlp_model(parameters[:1]), x, units, n_steps=5, lr=0.1
    )
    w, b = parameters[0]
    assert_allclose(grown, x + 0.5 * w.T[units], rtol=1e-12)
    assert_allclose(history[0], (x @ w + b)[range(5), units], rtol=1e-12)


def test_no_step_returns_a_copy(problem):
    x, labels, parameters = problem
    for module, to, model in [
        (reference, np.asarray, mlp.mlp_model(parameters)),
        (gpu, torch.tensor, gpu_mlp.mlp_model(tensors_of(parameters))),
    ]:
        start = to(x.copy())
        same, history = module.maximize_activation(model, start, to(labels), n_steps=0, l2=2.0)
        assert_array_equal(same, x)
        assert tuple(history.shape) == (1, 5)
        scores = mlp.mlp_forward(x, parameters)[0][range(5), labels]
        assert_allclose(history[0], scores - (x**2).sum(axis=1), rtol=1e-12)
        same[:] = 0
        assert_array_equal(start, x)


@given(
    sizes=st.tuples(*[st.integers(1, 5)] * 4),
    n_steps=st.integers(0, 4),
    l2=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 999),
)
def test_twins_climb_alike(sizes, n_steps, l2, seed):
    N, D, H, C = sizes
    rng = np.random.default_rng(seed)
    parameters = network(rng, (D, H, C))
    start, labels = rng.normal(size=(N, D)), rng.integers(0, C, size=N)
    x, history = reference.maximize_activation(
        mlp.mlp_model(parameters), start, labels, n_steps, 0.2, l2
    )
    twin, twin_history = gpu.maximize_activation(
        gpu_mlp.mlp_model(tensors_of(parameters)),
        torch.tensor(start),
        torch.tensor(labels),
        n_steps,
        0.2,
        l2,
    )
    assert history.shape == (n_steps + 1, N)
    assert_allclose(twin, x, rtol=1e-9, atol=1e-12)
    assert_allclose(twin_history, history, rtol=1e-9, atol=1e-12)
    assert not twin.requires_grad and not twin_history.requires_grad


def test_images_on_any_device(tensor, rng):
    params = cnn.cnn_init((2, 5, 7), 4, rng, n_filters=3)
    tensors = {name: tensor(value) for name, value in params.items()}
    start, labels = rng.normal(size=(4, 2, 5, 7)), np.array([3, 0, 1, 2])
    x, history = reference.maximize_activation(
        cnn.cnn_model(params), start, labels, 5, lr=0.05, l2=0.1
    )
    twin, twin_history = gpu.maximize_activation(
        gpu_cnn.cnn_model(tensors), tensor(start), tensor(labels), 5, lr=0.05, l2=0.1
    )
    assert (history[-1] > history[0]).all()
    assert twin.device == tensor(start).device == twin_history.device
    assert_allclose(twin.cpu(), x, rtol=1e-9, atol=1e-12)
    assert_allclose(twin_history.cpu(), history, rtol=1e-9, atol=1e-12)
    want = reference.fgsm(cnn.cnn_model(params), start, labels, 0.1)
    twin = gpu.fgsm(gpu_cnn.cnn_model(tensors), tensor(start), tensor(labels), 0.1)
    assert twin.device == tensor(start).device
    assert_allclose(twin.cpu(), want, rtol=1e-14, atol=1e-15)


# the fast gradient sign


def test_fgsm_by_hand():
    """Class 0 is x1 - 2 x2: to lower its share take from x1, add to x2; x3 is not looked at."""
    w = np.array([[1.0, 0.0], [-2.0, 0.0], [0.0, 0.0]])
    model = mlp.mlp_model([(w, np.zeros(2))])
    x, labels = np.array([[0.5, 0.5, 0.5], [0.0, 1.0, 0.25]]), np.array([0, 1])
    assert reference.fgsm(model, x, labels, 0.25).tolist() == [
        [0.25, 0.75, 0.5],
        [0.25, 0.75, 0.25],
    ]
    assert reference.fgsm(model, x, labels, 0.25, targeted=True).tolist() == [
        [0.75, 0.25, 0.5],
        [-0.25, 1.25, 0.25],
    ]
    assert reference.fgsm(model, x, labels, 0.25, (0.0, 1.0), True).tolist() == [
        [0.75, 0.25, 0.5],
        [0.0, 1.0, 0.25],
    ]


def test_a_linear_network_loses_what_was_promised(rng):
    """Two classes of scores s and 0: the margin falls by epsilon |w|_1, whatever x is."""
    w = np.column_stack([rng.normal(size=100), np.zeros(100)])
    model = mlp.mlp_model([(w, np.zeros(2))])
    x = rng.normal(size=(3, 100))
    changed = reference.fgsm(model, x, np.zeros(3, int), 0.01)
    fall = (model(x)[0] - model(changed)[0])[:, 0]
    assert_allclose(fall, 0.01 * np.abs(w).sum(), rtol=1e-10)


@given(
    sizes=st.tuples(*[st.integers(1, 5)] * 3),
    classes=st.integers(2, 5),
    epsilon=st.sampled_from([0.0, 1e-3, 0.1, 3.0]),
    clip=st.sampled_from([None, (0.0, 1.0)]),
    targeted=st.booleans(),
    seed=st.integers(0, 999),
)
def test_fgsm_stays_near_and_twins_agree(sizes, classes, epsilon, clip, targeted, seed):
    N, D, H = sizes
    rng = np.random.default_rng(seed)
    parameters = network(rng, (D, H, classes))
    model = mlp.mlp_model(parameters, "tanh")
    x, labels = rng.random((N, D)), rng.integers(0, classes, size=N)
    before = x.copy()
    changed = reference.fgsm(model, x, labels, epsilon, clip, targeted)
    assert_array_equal(x, before)
    assert np.abs(changed - x).max() <= epsilon * (1 + 1e-12)
    if epsilon == 0:
        assert_array_equal(changed, x)
    if clip is not None:
        assert changed.min() >= 0 and changed.max() <= 1
    if epsilon == 1e-3:
        gain = losses_of(model, changed, labels) - losses_of(model, x, labels)
        moved = (changed != x).any(axis=1)
        assert (gain[moved] < 0).all() if targeted else (gain[moved] > 0).all()
        assert moved.all() or clip is not None
    twin = gpu.fgsm(
        gpu_mlp.mlp_model(tensors_of(parameters), "tanh"),
        torch.tensor(x),
        torch.tensor(labels),
        epsilon,
        clip,
        targeted,
    )
    assert_allclose(twin, changed, rtol=1e-14)
    assert not twin.requires_grad


def test_each_input_is_attacked_by_itself(problem):
    x, labels, parameters = problem
    model = mlp.mlp_model(parameters)
    whole = reference.fgsm(model, x, labels, 0.1)
    drawn, history = reference.maximize_activation(model, x, labels, 5)
    for i in range(5):
        one = slice(i, i + 1)
        assert_array_equal(reference.fgsm(model, x[one], labels[one], 0.1), whole[one])
        alone, climb = reference.maximize_activation(model, x[one], labels[one], 5)
        assert_allclose(alone, drawn[one], rtol=1e-12)
        assert_allclose(climb, history[:, one], rtol=1e-12)


def test_fools_a_network_that_reads_digits(rng):
    """A fifth of the range: by chance hardly noticed, along the gradient nearly all are lost."""
    images, labels = load_digits(return_X_y=True)
    x, y = images[:1000] / 16, labels[:1000]
    parameters = mlp.mlp_init((64, 32, 10), rng)
    for _ in range(300):
        batch = rng.integers(0, 1000, size=100)
        _, gradients = mlp.mlp_loss(x[batch], y[batch], parameters)
        parameters = [
            (w - 0.3 * dw, b - 0.3 * db)
            for (w, b), (dw, db) in zip(parameters, gradients, strict=True)
        ]
    model = mlp.mlp_model(parameters)
    x, y = images[1000:] / 16, labels[1000:]
    accuracy = lambda x: (model(x)[0].argmax(axis=1) == y).mean()  # noqa: E731
    changed = reference.fgsm(model, x, y, 0.2, clip=(0, 1))
    noisy = np.clip(x + 0.2 * rng.choice([-1, 1], size=x.shape), 0, 1)
    assert accuracy(x) > 0.85 and accuracy(noisy) > 0.75 and accuracy(changed) < 0.1
    target = (y + 1) % 10
    aimed = reference.fgsm(model, x, target, 0.2, clip=(0, 1), targeted=True)
    assert losses_of(model, aimed, target).mean() < losses_of(model, x, target).mean() - 2

    drawn, _ = reference.maximize_activation(
        model, np.full((10, 64), 0.5), np.arange(10), n_steps=50, lr=0.1, l2=0.1
    )
    assert (model(drawn)[0].argmax(axis=1) == np.arange(10)).all()


# what must hold of both


def test_float32_stays(problem):
    x, labels, parameters = problem
    narrow = [(w.astype(np.float32), b.astype(np.float32)) for w, b in parameters]
    small = x.astype(np.float32).clip(0, 1)
    for module, to, model in [
        (reference, np.asarray, mlp.mlp_model(narrow)),
        (gpu, torch.tensor, gpu_mlp.mlp_model(tensors_of(narrow))),
    ]:
        for result in (
            *module.maximize_activation(model, to(small), to(labels), 3, l2=0.1),
            module.fgsm(model, to(small), to(labels), 0.1),
            module.fgsm(model, to(small), to(labels), 0.1, (0, 1), True),
        ):
            assert str(result.dtype).endswith("float32")


def test_inputs_unchanged_and_of_any_strides(problem):
    x, labels, parameters = problem
    model = mlp.mlp_model(parameters)
    strided = np.repeat(x, 2, axis=1)[:, ::2]
    before = [a.copy() for pair in parameters for a in pair], labels.copy()
    for f in (reference.maximize_activation, lambda *a: (reference.fgsm(*a, 0.1), None)):
        want, _ = f(model, x.copy(), labels)
        got, _ = f(model, strided, labels)
        assert_allclose(got, want, rtol=1e-12)
        assert_array_equal(strided, x)
    for a, was in zip([a for pair in parameters for a in pair], before[0], strict=True):
        assert_array_equal(a, was)
    assert_array_equal(labels, before[1])


def test_the_module_is_left_as_it_was(problem):
    """No parameter gets a gradient or loses its flag, the mode stays, and no_grad is no matter."""
    x, labels, _ = problem
    torch.manual_seed(0)
    module = nn.Sequential(nn.ReLU(inplace=True), nn.Linear(6, 4), nn.Dropout(), nn.BatchNorm1d(4))
    module.double().eval()
    module[1].bias.requires_grad_(False)
    module[2].training = True
    module[2].p = 0.0
    image, label = torch.tensor(x, requires_grad=True), torch.tensor(labels)
    was = {name: value.clone() for name, value in module.state_dict().items()}
    modes = [m.training for m in module.modules()]

    def run():
        return [
            *gpu.maximize_activation(module, image, label, 3),
            gpu.fgsm(module, image, label, 0.1, (-9.0, 9.0)),
        ]

    first = run()
    with torch.no_grad():
        again = run()
        assert not torch.is_grad_enabled()
    for a, b in zip(first, again, strict=True):
        assert (a == b).all() and not a.requires_grad
    assert image.grad is None and image.requires_grad
    assert_array_equal(image.detach(), x)
    assert all((value == was[name]).all() for name, value in module.state_dict().items())
    assert [m.training for m in module.modules()] == modes
    assert [p.requires_grad for p in module.parameters()] == [True, False, True, True]
    assert all(p.grad is None for p in module.parameters())


def test_nan_is_passed_on(problem):
    x, labels, parameters = problem
    x[1, 3] = np.nan
    clean = [0, 2, 3, 4]
    for module, to, model in [
        (reference, np.asarray, mlp.mlp_model(parameters)),
        (gpu, torch.tensor, gpu_mlp.mlp_model(tensors_of(parameters))),
    ]:
        drawn, history = map(np.asarray, module.maximize_activation(model, to(x), to(labels), 2))
        assert np.isnan(drawn[1]).all() and np.isnan(history[:, 1]).all()
        assert np.isfinite(drawn[clean]).all() and np.isfinite(history[:, clean]).all()
        changed = np.asarray(module.fgsm(model, to(x), to(labels), 0.1, (-9.0, 9.0)))
        assert np.isnan(changed[1, 3])
        assert np.isfinite(changed[clean]).all()


def test_refuses(tensor, problem):
    x, labels, parameters = problem
    for module, to, model in [
        (reference, np.asarray, mlp.mlp_model(parameters)),
        (gpu, tensor, gpu_mlp.mlp_model(tensors_of(parameters, tensor))),
    ]:
        image, label = to(x), to(labels)
        for bad in [{"n_steps": -1}, {"lr": 0.0}, {"lr": np.inf}, {"l2": -1.0}, {"l2": np.nan}]:
            with pytest.raises(ValueError, match="n_steps and l2 must be at least 0 and lr pos"):
                module.maximize_activation(model, image, label, **bad)
        for bad in [-0.1, np.inf, np.nan]:
            with pytest.raises(ValueError, match=f"epsilon must be at least 0, got {bad}"):
                module.fgsm(model, image, label, bad)
        with pytest.raises(ValueError, match=r"\(1, 0\)"):
            module.fgsm(model, image, label, 0.1, (1, 0))
        for f in (module.maximize_activation, lambda *a, m=module: m.fgsm(*a, 0.1)):
            with pytest.raises(ValueError, match="labels must be"):
                f(model, image, label[:2])
            with pytest.raises(ValueError, match=r"x must be .*floats, got"):
                f(model, to(np.ones((5, 6), np.uint8)), label)
    for clip in [(0.0, 9.0), (-9.0, 0.0)]:
        with pytest.raises(ValueError, match=r"x must lie within clip, .* got -"):
            reference.fgsm(mlp.mlp_model(parameters), x, labels, 0.1, clip)
    with pytest.raises(ValueError, match=r"ints in \[0, 4\), got"):
        reference.fgsm(mlp.mlp_model(parameters), x, labels + 4, 0.1)
