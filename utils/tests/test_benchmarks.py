"""The benchmarks compare like with like, and tell who is late."""

from itertools import count

import numpy as np
import pytest
import torch

from utils.benchmarks import __main__ as benchmarks
from utils.benchmarks import gpu, memory, report, timing
from utils.benchmarks.cpu import CASES
from utils.benchmarks.gpu.device import settings
from utils.benchmarks.timing import Case, Side, Times


@pytest.mark.parametrize("case", CASES, ids=str)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_both_sides_agree(case, dtype):
    timing.require_agreement(case, dtype, *timing.build(case, dtype, tiny=True))


def test_names_are_unique():
    names = [str(case) for case in CASES]
    assert len(set(names)) == len(names)


def sides(rng, dtype, ours, peer):
    return (
        Side(lambda: np.full(3, ours), lambda made: (made,)),
        Side(lambda: np.full(3, peer), lambda made: (made,)),
    )


@pytest.mark.parametrize("wrong", [1.001, np.nan, np.inf])
def test_a_wrong_answer_is_not_timed(wrong):
    case = Case("group", "name", "peer", sides, {"ours": wrong, "peer": 1.0}, 1.0)
    with pytest.raises(ValueError, match=r"group: name in float32: result 0 .* must be peer's"):
        timing.measure(case, "float32", seconds=0, at_least=1)


def test_a_wrong_gradient_is_not_timed():
    def wrong(rng, dtype):
        return (
            Side(lambda: np.ones(3), lambda made: (made, 2 * made)),
            Side(lambda: np.ones(3), lambda made: (made, made)),
        )

    with pytest.raises(ValueError, match="result 2"):
        timing.measure(Case("g", "n", "p", wrong, {}, 1.0), "float64", seconds=0, at_least=1)


def test_times_are_the_shortest():
    case = Case("group", "name", "peer", sides, {"ours": 1.0, "peer": 1.0}, 1.0)
    times = timing.measure(case, "float64", seconds=0, at_least=3)
    assert all(0 < seconds < 0.1 for seconds in times.ours + times.peer)


def times(ratio, wanted, dtype="float64"):
    case = Case("group", f"{ratio} {wanted}", "peer", sides, {}, wanted)
    return Times(case, dtype, (0.25 * ratio, 0.75 * ratio), (0.5, 0.5))


def test_missed_targets_are_stated():
    measured = [times(0.5, 1.0), times(1.4, 1.2), times(2.8, 1.2, "float32")]
    heavy = memory.MemoryCase("heavy", None, {}, 1.0)
    assert report.missed(measured, [(heavy, 1.5)]) == [
        "group: 1.4 1.2: 1.40 of peer's time, wanted 1.2",
        "geometric mean in float32: 2.80, wanted 1.3",
        "heavy: 1.50 GB, wanted 1",
    ]
    assert report.missed(measured[:1], [(heavy, 0.5)]) == []


def test_geometric_mean():
    assert report.geometric_mean([0.5, 2.0, 8.0]) == pytest.approx(2.0)


def test_table_and_picture_are_written(tmp_path):
    measured = [times(0.5, 1.0), times(1.4, 1.2), times(0.9, 1.0, "float32")]
    report.write(measured, [(memory.CASES[0], 3.25)], tmp_path, "cpu")
    page = (tmp_path / "cpu.md").read_text()
    assert "| group: 1.4 1.2 | peer | 1400 | 1000 | 0.70 | 2.10 | 1.40 | 1.2 | missed |" in page
    assert "| float64: 0.84 | 1 |" in page and "| 3.25 | 4 |" in page
    assert (tmp_path / "cpu.png").read_bytes().startswith(b"\x89PNG")
    assert "3 cases" in report.ratio_dots(measured).alt


def test_memory_is_counted_to_the_peak():
    case = memory.MemoryCase("two of 8 MB", lambda rng: np.zeros(10**6).copy(), {}, 1)
    assert memory.peak(case) == pytest.approx(0.016, rel=0.05)


# --- the GPU's cases, at toy sizes on the CPU ---
CPU = torch.device("cpu")
KINDS = {(case.sides, case.sizes.get("compile")): case for case in gpu.CASES}.values()


@pytest.mark.parametrize("case", KINDS, ids=str)
def test_both_sides_of_the_gpus_cases_agree(case):
    (dtype,) = case.dtypes
    with settings(dtype, CPU):
        timing.require_agreement(case, dtype, *timing.build(case, dtype, tiny=True, device=CPU))


def test_the_gpus_cases_are_those_wanted():
    names = [str(case) for case in gpu.CASES]
    assert len(set(names)) == len(names)
    assert {case.wanted for case in gpu.CASES} == {1.05, 3.0}
    assert [str(c) for c in gpu.CASES if c.wanted == 3] == [
        "LSTM: step by step, 64 by 128, 512 to 512"
    ]


def test_settings_are_put_back():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark
    with pytest.raises(ZeroDivisionError), settings("tf32", CPU):
        assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark) == (
            "high", True,
        )  # fmt: skip
        _ = 1 / 0
    assert (torch.get_float32_matmul_precision(), torch.backends.cudnn.benchmark) == before


def kept(folder):
    return sorted(path.name for path in folder.iterdir())


@pytest.fixture
def results(tmp_path, monkeypatch):
    monkeypatch.setattr(benchmarks, "RESULTS", tmp_path)
    return tmp_path


def test_without_a_gpu_it_says_so(results, monkeypatch, capsys):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert benchmarks.main(["gpu"]) == 0
    assert capsys.readouterr().out == "There is no CUDA device here, so nothing was measured.\n"
    assert kept(results) == []


@pytest.mark.parametrize(
    "arguments, why",
    [
        (["gpu", "--device", "cpu"], "add --tiny"),
        (["cpu", "--tiny"], "are for gpu"),
        (["--device", "cpu"], "are for gpu"),
    ],
)
def test_the_cpu_is_no_gpu(results, capsys, arguments, why):
    with pytest.raises(SystemExit) as stopped:
        benchmarks.main(arguments)
    assert stopped.value.code == 2 and why in capsys.readouterr().err
    assert kept(results) == []


def test_toy_sizes_are_not_reported(results, capsys):
    assert benchmarks.main(["gpu", "--device", "cpu", "--tiny", "--only", "kNN"]) == 0
    assert "Cases that ran and agreed, at toy sizes: 2\n" in capsys.readouterr().out
    assert kept(results) == []


def test_a_case_that_fails_does_not_stop_the_others(results, monkeypatch, capsys):
    def short_of_memory(rng, dtype, device):
        raise torch.OutOfMemoryError("no memory left\nand much more to say")

    broken = Case("group", "broken", "peer", short_of_memory, {}, 1.05, {}, ("float32",))
    whole = next(case for case in gpu.CASES if case.group == "kNN")
    monkeypatch.setattr(gpu, "CASES", [broken, whole])
    assert benchmarks.main(["gpu", "--device", "cpu", "--tiny"]) == 1
    out = capsys.readouterr().out
    assert "Cases that ran and agreed, at toy sizes: 1\n" in out
    assert "Not measured: group: broken: OutOfMemoryError, no memory left\n" in out


@pytest.mark.parametrize("missing", [0, 1])
def test_a_gradient_is_compared_with_the_largest(missing):
    """All are small: in units of 1 a bfloat16's tolerance would see nothing wrong."""

    def small(rng, dtype):
        def side(second):
            return Side(lambda: np.ones(2), lambda made: (np.full(3, 1e-4), second))

        return side(np.full(3, 1e-4 * (1 - missing))), side(np.full(3, 1e-4))

    ours, peer = small(None, None)
    case = Case("g", "n", "p", small, {}, 1.0)
    if missing:
        with pytest.raises(ValueError, match="result 2"):
            timing.require_agreement(case, "bfloat16", ours, peer)
    else:
        timing.require_agreement(case, "bfloat16", ours, peer)


def test_several_runs_are_sent_off_before_the_clock_is_read():
    events, ticks = [], count()

    def mark():
        events.append("mark")
        return next(ticks)

    def seconds(start, end):
        events.append("read")
        return float(end - start)

    clock = timing.Clock(mark, seconds, lambda times: times.sum(axis=0), 2, lambda: events.clear())
    case = Case("group", "name", "peer", sides, {"ours": 1.0, "peer": 1.0}, 1.0)
    measured = timing.measure(case, "float64", seconds=0, at_least=3, clock=clock)
    assert measured.ours == measured.peer == (6.0, 6.0)  # 3 rounds of 2 runs, a tick each
    assert events[:6] == ["mark"] * 6 and events[6:10] == ["read"] * 4


def test_speed_and_utilization_of_gpt():
    case = gpu.gpt.CASES[0]  # 32 texts of 1024
    measured = Times(case, "bfloat16", (0.02, 0.042), (0.02, 0.042))
    assert gpu.gpt.tokens_per_second(measured) == pytest.approx(32 * 1024 / 0.062)
    used = gpu.gpt.utilization(measured, "NVIDIA H200")
    assert used == pytest.approx(0.46, abs=0.005)  # 528,516 tokens per second
    assert gpu.gpt.speeds([measured, times(0.5, 1.0)], "NVIDIA H200") == [
        f"{case}: 528,516 tokens per second; {used:.1%} of 989 Tflop/s in bfloat16"
    ]
    (sentence,) = gpu.gpt.speeds([measured], "NVIDIA H20")
    assert sentence.endswith("the peak of NVIDIA H20 is not on record: no utilization")
    slow = measured._replace(ours=(0.02, 0.08))
    fast = measured._replace(ours=(0.02, 0.04))
    assert gpu.gpt.idle([fast, slow], "NVIDIA H200") == []  # the best counts
    assert gpu.gpt.idle([slow], "NVIDIA H200") == ["GPT: 28.3% utilization, wanted 46%"]
    assert gpu.gpt.idle([slow], "NVIDIA H20") == gpu.gpt.idle([], "NVIDIA H200") == []


def test_the_page_of_the_gpu(tmp_path):
    def timed(ratio, dtype):
        case = Case("group", f"{ratio} {dtype}", "peer", sides, {}, 1.05, dtypes=(dtype,))
        return Times(case, dtype, (ratio, 0.0), (1.0, 0.0))

    measured = [timed(1.0, "bfloat16"), timed(1.5, "tf32"), timed(0.9, "bfloat16")]
    unmeasured = [(times(1.0, 1.0).case, "no memory left")]
    report.write_gpu(measured, unmeasured, ["so many tokens"], "a GPU", tmp_path)
    page = (tmp_path / "gpu.md").read_text()
    assert "by `make bench-gpu` on a GPU." in page
    assert "| group: 1.5 tf32 | peer | 1500 | 1000 | 1.50 |  | 1.50 | 1.05 | missed |" in page
    assert page.count("## bfloat16") == 1 and page.count("| ok |") == 2
    assert "- so many tokens\n" in page and "- group: 1.0 1.0: no memory left\n" in page
    assert (tmp_path / "gpu.png").read_bytes().startswith(b"\x89PNG")
    assert report.late(measured) == ["group: 1.5 tf32: 1.50 of peer's time, wanted 1.05"]
