import sys
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose, assert_array_equal

from utils.gpu import linear as gpu_linear
from utils.gpu import losses as gpu_losses
from utils.gpu import optimizers as gpu_optimizers
from utils.gpu import training as gpu
from utils.reference import linear, losses, optimizers, schedules
from utils.reference import training as reference

BOTH = pytest.mark.parametrize("tree", ["reference", "gpu"])
STEPS = [name for name in vars(optimizers) if name.endswith("_step") and name[0] != "_"]


def reference_loss(params, x, y):
    value, dscores = losses.softmax_cross_entropy(x @ params["w"] + params["b"], y)
    return value, {"w": x.T @ dscores, "b": dscores.sum(axis=0)}


def gpu_loss(params, x, y):
    return gpu_losses.softmax_cross_entropy(x @ params["w"] + params["b"], y)


@pytest.fixture
def twins(tensor, device):
    """{tree: what a test needs of it}"""

    def gpu_shuffler(seed):
        return {"generator": torch.Generator(device=device).manual_seed(seed)}

    return {
        "reference": SimpleNamespace(
            module=reference,
            to=np.asarray,
            loss=reference_loss,
            shuffler=lambda seed: {"rng": np.random.default_rng(seed)},
            step=lambda name: getattr(optimizers, name),
        ),
        "gpu": SimpleNamespace(
            module=gpu,
            to=tensor,
            loss=gpu_loss,
            shuffler=gpu_shuffler,
            step=lambda name: getattr(gpu_optimizers, name),
        ),
    }


@pytest.fixture
def blobs(rng):
    """Three overlapping clouds: x (50, 2), y (50,)."""
    y = np.arange(50) % 3
    return np.array([[0.0, 2.0], [2.0, -1.0], [-2.0, -1.0]])[y] + rng.normal(size=(50, 2)), y


def new_run(twin, dtype=np.float64):
    return twin.module.start_run(
        {"w": twin.to(np.zeros((2, 3), dtype)), "b": twin.to(np.zeros(3, dtype))}
    )


def plain(tree):
    """A run, or a part of one, with lists for arrays: == then compares every bit but nan's."""
    if isinstance(tree, dict):
        return {name: plain(branch) for name, branch in tree.items()}
    return tree.tolist() if hasattr(tree, "tolist") else tree


@BOTH
@pytest.mark.parametrize("name", STEPS)
def test_a_resumed_run_is_identical(twins, tree, name, blobs, tmp_path):
    twin = twins[tree]
    x, y = map(twin.to, blobs)

    def go_on(run, epochs, seed, **more):
        return twin.module.train(
            run,
            twin.loss,
            x,
            y,
            epochs,
            step=twin.step(name),
            lr=lambda run: schedules.reduce_on_plateau(
                run["history"]["validation"], schedules.cosine(run["step"], 0.1, 60), patience=1
            ),
            batch_size=16,
            max_norm=0.5,
            validate=lambda params: float(abs(params["w"]).sum()),
            **twin.shuffler(seed),
            **more,
        )

    whole = go_on(new_run(twin), 6, seed=0)
    go_on(new_run(twin), 3, seed=0, callbacks=[twin.module.snapshots(tmp_path / "run")])
    loaded = twin.module.load_run(tmp_path / "run")
    assert loaded["epoch"] == 3
    resumed = go_on(loaded, 6, seed=99)  # where the rng stood before does not matter
    assert plain(resumed) == plain(whole)
    assert whole["step"] == 6 * 4
    assert [len(values) for values in whole["history"].values()] == [6, 6, 6]


@BOTH
def test_snapshots_are_taken_every_so_many_epochs(twins, tree, blobs, tmp_path):
    twin, path, met = twins[tree], tmp_path / "run", []
    x, y = map(twin.to, blobs)

    def look(run):
        met.append(twin.module.load_run(path)["epoch"] if path.exists() else None)

    callbacks = [twin.module.snapshots(path, every=2), look]
    twin.module.train(new_run(twin), twin.loss, x, y, epochs=5, callbacks=callbacks)
    assert met == [None, 2, 2, 4, 4]


def test_a_run_hangs_on_no_graph(twins):
    twin = twins["gpu"]
    w = torch.ones(2, requires_grad=True)
    assert not twin.module.start_run({"w": 2 * w})["params"]["w"].requires_grad


@BOTH
def test_what_is_saved_comes_back_and_nothing_else_is_left(twins, tree, blobs, tmp_path):
    twin = twins[tree]
    x, y = map(twin.to, blobs)
    run = twin.module.train(
        new_run(twin, np.float32),
        twin.loss,
        x.astype(np.float32) if tree == "reference" else x.float(),
        y,
        2,
        step=twin.step("adam_step"),
        **twin.shuffler(0),
    )
    for _ in range(2):  # the second time over the first
        twin.module.save_run(run, tmp_path / "run")
    loaded = twin.module.load_run(str(tmp_path / "run"))
    assert plain(loaded) == plain(run)
    assert loaded["params"]["w"].dtype == run["params"]["w"].dtype
    assert [path.name for path in tmp_path.iterdir()] == ["run"]


@pytest.mark.parametrize("bits", [np.random.PCG64, np.random.MT19937, np.random.Philox])
def test_every_bit_generator_is_resumed(blobs, tmp_path, bits):
    x, y = blobs
    start = reference.start_run({"w": np.zeros((2, 3)), "b": np.zeros(3)})
    whole = reference.train(start, reference_loss, x, y, 4, rng=np.random.Generator(bits(0)))
    half = reference.train(start, reference_loss, x, y, 2, rng=np.random.Generator(bits(0)))
    reference.save_run(half, tmp_path / "run")
    resumed = reference.train(
        reference.load_run(tmp_path / "run"),
        reference_loss,
        x,
        y,
        4,
        rng=np.random.Generator(bits(1)),
    )
    assert plain(resumed["params"]) == plain(whole["params"])


@BOTH
def test_it_is_the_loop_of_the_linear_classifier(twins, tree, blobs):
    twin = twins[tree]
    x, y = map(twin.to, blobs)
    run = twin.module.train(new_run(twin), twin.loss, x, y, 5, lr=0.3, batch_size=8)
    module = linear if tree == "reference" else gpu_linear
    w, b, history = module.train_linear_classifier(x, y, 3, lr=0.3, epochs=5, batch_size=8)
    assert_allclose(run["params"]["w"].tolist(), w.tolist(), rtol=1e-12)
    assert_allclose(run["params"]["b"].tolist(), b.tolist(), rtol=1e-12)
    assert_allclose(run["history"]["loss"], history, rtol=1e-12)


@pytest.mark.parametrize("name", STEPS)
def test_twins_agree(twins, blobs, name):
    runs = [
        twin.module.train(
            new_run(twin),
            twin.loss,
            *map(twin.to, blobs),
            8,
            step=twin.step(name),
            lr=0.05,
            batch_size=7,
            max_norm=0.3,
        )
        for twin in twins.values()
    ]
    assert_allclose(runs[1]["params"]["w"].cpu(), runs[0]["params"]["w"], atol=1e-10)
    assert_allclose(runs[1]["history"]["loss"], runs[0]["history"]["loss"], atol=1e-10)


def test_a_module_takes_part(blobs):
    x, y = (torch.tensor(a) for a in blobs)
    model = torch.nn.Sequential(torch.nn.Linear(2, 8), torch.nn.Tanh(), torch.nn.Linear(8, 3))
    model = model.double()
    before = model[0].weight.detach().clone()

    def loss(params, x, y):
        return gpu_losses.softmax_cross_entropy(torch.func.functional_call(model, params, (x,)), y)

    run = gpu.train(gpu.start_run(dict(model.named_parameters())), loss, x, y, 10, lr=0.5)
    assert run["history"]["loss"][-1] < run["history"]["loss"][0]
    assert_array_equal(model[0].weight.detach(), before)
    model.load_state_dict(run["params"])
    assert not any(w.requires_grad for w in run["params"].values())


@BOTH
def test_runs_are_never_changed(twins, tree, blobs):
    twin = twins[tree]
    x, y = map(twin.to, blobs)
    start, kept, copies = new_run(twin), [], []
    before = plain(start)
    twin.module.train(
        start,
        twin.loss,
        x,
        y,
        4,
        step=twin.step("adam_step"),
        validate=lambda params: 0.0,
        callbacks=[kept.append, lambda run: copies.append(plain(run))],
        **twin.shuffler(0),
    )
    assert plain(start) == before
    assert [run["epoch"] for run in kept] == [1, 2, 3, 4]
    assert [plain(run) for run in kept] == copies


@BOTH
def test_the_last_batch_may_be_smaller_and_none_is_lost(twins, tree):
    twin, seen = twins[tree], []
    x, y = twin.to(np.arange(10.0)[:, None] * np.ones(2)), twin.to(np.arange(10) % 3)

    def loss(params, x, y):
        seen.append(x[:, 0].tolist())
        return twin.loss(params, x, y)

    twin.module.train(new_run(twin), loss, x, y, 2, batch_size=4, **twin.shuffler(0))
    assert [len(batch) for batch in seen] == [4, 4, 2] * 2
    first, second = ([i for batch in epoch for i in batch] for epoch in (seen[:3], seen[3:]))
    assert sorted(first) == sorted(second) == list(range(10))
    assert first != second


@BOTH
def test_early_stopping_keeps_the_best(twins, tree, blobs):
    twin = twins[tree]
    x, y = map(twin.to, blobs)
    values = iter([5.0, 3.0, 4.0, 2.0, np.nan, 2.0, 2.5, 1.0])
    run = twin.module.train(
        new_run(twin),
        twin.loss,
        x,
        y,
        100,
        validate=lambda params: next(values),
        stop=twin.module.early_stopping(patience=3),
    )
    assert run["epoch"] == 7  # a low at 4, then three without
    assert (run["best"]["epoch"], run["best"]["validation"]) == (4, 2.0)
    four = twin.module.train(new_run(twin), twin.loss, x, y, 4)
    assert plain(run["best"]["params"]) == plain(four["params"])
    assert (
        twin.module.train(  # stopped is stopped
            run, twin.loss, x, y, 100, stop=twin.module.early_stopping(patience=3)
        )["epoch"]
        == 7
    )


@BOTH
def test_rates_may_depend_on_the_run(twins, tree, blobs):
    twin = twins[tree]
    x, y = map(twin.to, blobs)
    seen = []
    run = twin.module.train(
        new_run(twin),
        twin.loss,
        x,
        y,
        2,
        batch_size=25,
        lr=lambda run: seen.append(run["step"]) or 0.5 ** run["step"],
    )
    assert seen == [0, 1, 2, 3]
    assert run["history"]["lr"] == [0.5, 0.125]


@BOTH
def test_clipping_limits_the_step(twins, tree, blobs):
    twin = twins[tree]
    x, y = map(twin.to, (100 * blobs[0], blobs[1]))
    run = twin.module.train(new_run(twin), twin.loss, x, y, 1, lr=1.0, batch_size=50, max_norm=0.1)
    length = np.sqrt(sum((np.array(w.tolist()) ** 2).sum() for w in run["params"].values()))
    assert_allclose(length, 0.1, rtol=1e-12)


@BOTH
def test_float32_stays_and_nan_does_not_crash(twins, tree, blobs):
    twin = twins[tree]
    x, y = twin.to(blobs[0].astype(np.float32)), twin.to(blobs[1])
    for name in STEPS:
        run = twin.module.train(
            new_run(twin, np.float32),
            twin.loss,
            x,
            y,
            1,
            step=twin.step(name),
            lr=lambda run: schedules.power(run["step"], 0.1, s=3),
            max_norm=1.0,
        )
        assert "float32" in str(run["params"]["w"].dtype), name
    run = twin.module.train(new_run(twin), twin.loss, twin.to(blobs[0] * np.nan), y, 2)
    assert np.isnan(run["history"]["loss"]).all()


@BOTH
@pytest.mark.parametrize("wanted", [True, False])
def test_the_bar_is_drawn_when_asked_for(twins, tree, blobs, monkeypatch, wanted):
    twin, bars = twins[tree], []

    class Bar:
        def __init__(self, total, initial, unit):
            self.n, self.total, self.losses, self.closed = initial, total, [], False
            bars.append(self)

        def update(self):
            self.n += 1

        def set_postfix(self, loss):
            self.losses.append(loss)

        def close(self):
            self.closed = True

    monkeypatch.setitem(sys.modules, "tqdm", SimpleNamespace())
    monkeypatch.setitem(sys.modules, "tqdm.auto", SimpleNamespace(tqdm=Bar))
    x, y = map(twin.to, blobs)
    half = twin.module.train(new_run(twin), twin.loss, x, y, 1, batch_size=20)
    run = twin.module.train(half, twin.loss, x, y, 3, batch_size=20, progress=wanted)
    assert len(bars) == wanted
    if wanted:
        assert (bars[0].n, bars[0].total, bars[0].closed) == (9, 9, True)
        assert bars[0].losses == run["history"]["loss"][1:]


def test_the_bar_is_really_tqdms(blobs, capsys):
    pytest.importorskip("tqdm")
    x, y = blobs
    start = reference.start_run({"w": np.zeros((2, 3)), "b": np.zeros(3)})
    reference.train(start, reference_loss, x, y, 2, progress=True)
    assert "4/4" in capsys.readouterr().err


@BOTH
def test_refuses(twins, tree, blobs):
    twin = twins[tree]
    x, y = map(twin.to, blobs)
    train, run = twin.module.train, new_run(twin)
    with pytest.raises(ValueError, match="one length, at least 1, got 50 and 49"):
        train(run, twin.loss, x, y[1:], 1)
    with pytest.raises(ValueError, match="one length, at least 1, got 0 and 0"):
        train(run, twin.loss, x[:0], y[:0], 1)
    with pytest.raises(ValueError, match="batch_size must be at least 1, got 0"):
        train(run, twin.loss, x, y, 1, batch_size=0)
    shuffled = train(run, twin.loss, x, y, 1, **twin.shuffler(0))
    with pytest.raises(ValueError, match=r"the run was shuffled.* got None"):
        train(shuffled, twin.loss, x, y, 2)
    for bad in [{}, {1: x}]:
        with pytest.raises(ValueError, match="params must be a dict"):
            twin.module.start_run(bad)
    with pytest.raises(ValueError, match=r"of floats, got w of .*int64"):
        twin.module.start_run({"w": y})
    with pytest.raises(ValueError, match="patience must be at least 1, got 0"):
        twin.module.early_stopping(0)
    with pytest.raises(ValueError, match="every must be at least 1, got 0"):
        twin.module.snapshots("nowhere", every=0)


def test_refuses_gradients_of_other_names(blobs):
    x, y = blobs
    run = reference.start_run({"w": np.zeros((2, 3)), "b": np.zeros(3)})
    with pytest.raises(ValueError, match=r"those of \['b', 'w'\], got \['w'\]"):
        reference.train(run, lambda params, x, y: (0.0, {"w": params["w"]}), x, y, 1)
