"""The benchmark on small batches: its three ways agree, what it finds is told."""

from pathlib import Path

import pytest
import torch
from _twins import SHAPES, draw
from torch.testing import assert_close

ROOT = str(Path(__file__).parents[2])


@pytest.fixture
def benchmark(monkeypatch):
    """Return tests.benchmarks.batchnorm."""
    monkeypatch.syspath_prepend(ROOT)
    from tests.benchmarks import batchnorm

    return batchnorm


@pytest.mark.parametrize("shape", SHAPES)
def test_the_three_ways_are_one(benchmark, shape):
    inputs = draw(shape, dtype=torch.float32).requires_grad_()
    upstream = draw(shape, seed=1, dtype=torch.float32)
    ways = benchmark.ways(shape)
    assert [*ways] == ["ours", "autograd", "native"]
    outputs = [way(inputs) for way in ways.values()]
    gradients = [benchmark.both(way, inputs, upstream) for way in ways.values()]
    for found in (outputs, gradients):
        assert_close(found[0], found[2])
        assert_close(found[1], found[2])
    # The second backward pass must find no gradient of the first.
    again = benchmark.back(outputs[0], inputs, upstream)
    assert torch.equal(again, benchmark.back(outputs[0], inputs, upstream))


@pytest.mark.parametrize("shape", SHAPES)
def test_ratios_are_of_the_milliseconds_it_tells(benchmark, shape, capsys):
    found = benchmark.measure(shape, repeats=1)
    for part in ("backward", "both"):
        taken = found[part]["milliseconds"]
        assert found[part]["autograd_over_ours"] == pytest.approx(taken["autograd"] / taken["ours"])
        assert found[part]["ours_over_native"] == pytest.approx(taken["ours"] / taken["native"])
    assert found["shape"] == [*shape] and found["gradients_apart"] < 1e-5
    shown = capsys.readouterr().out
    assert f"{found['backward']['autograd_over_ours']:.2f} times | at least 1.5" in shown
    assert shown.count("\n") == 5


def test_what_is_not_reached_is_told(benchmark, capsys):
    part = {"milliseconds": {"ours": 1.0, "autograd": 1.4, "native": 0.5}}
    part |= {"autograd_over_ours": 1.4, "ours_over_native": 2.0}
    benchmark.tell({"shape": [6, 3], "backward": part, "both": part, "gradients_apart": 1e-3})
    shown = capsys.readouterr().out
    assert "(1.4 ms) against ours (1 ms) | 1.40 times | at least 1.5 | NO |" in shown
    assert "1e-03 | at most 1e-4 | NO |" in shown
