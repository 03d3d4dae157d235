"""The benchmark of co-distillation on a small input: its parts run, its bytes are right."""

from pathlib import Path

import pytest

from kdlab.schemes import run_workers

# Its package is found from the root, by the workers, too.
ROOT = str(Path(__file__).parent.parent)
WIDTHS, WEIGHTS = (784, 6, 10), 784 * 6 + 6 + 6 * 10 + 10


@pytest.fixture
def benchmark(monkeypatch):
    """Return tests.benchmarks.codistillation."""
    monkeypatch.syspath_prepend(ROOT)
    from tests.benchmarks import codistillation

    return codistillation


def test_bytes_are_those_of_a_ring_and_of_a_hook(benchmark, capsys):
    rare = benchmark.RARE
    plan = benchmark.Plan(
        "digits", WIDTHS, epochs=2, images=101, batch_size=20, every=(2, rare), seeds=2
    )
    workers = run_workers(benchmark.measure, 2, plan)
    found = benchmark.summarize([each[:-1] for each in workers])
    # Fifty images each in three steps: two workers send each other half of the gradients,
    # and then half of the means.
    gradients = 3 * 4 * WEIGHTS
    assert found[benchmark.PARALLEL]["bytes"] == gradients
    assert [each[-1]["bytes"] for each in workers] == [gradients] * 2
    assert found[benchmark.ALONE]["bytes"] == 0
    assert found["weights, every 2"]["bytes"] == 2 * 4 * WEIGHTS
    assert found[f"weights, every {rare}"]["bytes"] == 4 * WEIGHTS
    for every in (2, rare):
        assert found[f"predictions, every {every}"]["bytes"] == 50 * 784 + 50 * 10 * 4
    parallel = [
        [one["errors"] for one in each if one.get("way") == benchmark.PARALLEL] for each in workers
    ]
    assert parallel[0] == parallel[1], "data-parallel workers have one network"
    benchmark.tell(plan, workers)
    shown = capsys.readouterr().out
    assert f"| {benchmark.PARALLEL} | 0.06 | 100.0% |" in shown
    assert shown.count("| equal | yes |") == 1


def test_a_wrong_count_is_told(benchmark, capsys):
    plan = benchmark.Plan("digits", WIDTHS, epochs=1, every=(benchmark.RARE,), seeds=1)
    one = [{"way": way, "bytes": 8, "seconds": 2.0, "errors": 3} for way in plan.ways()]
    counted = {"bytes": 9, "steps": 5, "of": 10}
    benchmark.tell(plan, [[*one, counted]] * 2)
    assert "| 9 | equal | NO |" in capsys.readouterr().out
