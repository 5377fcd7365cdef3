"""The benchmarks compare like with like, and tell who is late."""

import numpy as np
import pytest

from utils.benchmarks import memory, report, timing
from utils.benchmarks.cpu import CASES
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
