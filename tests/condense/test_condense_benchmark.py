"""The benchmark on small sets: its ways agree, what it finds is told."""

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from kdlab import condense, data

ROOT = str(Path(__file__).parents[2])
DIGITS = data.load("digits")


@pytest.fixture
def benchmark(monkeypatch):
    """Return tests.benchmarks.condense."""
    monkeypatch.syspath_prepend(ROOT)
    from tests.benchmarks import condense, condensing

    monkeypatch.setattr(condensing, "STEPS", 4)
    return condense


def test_a_step_gives_one_gradient_all_ways(benchmark, capsys):
    found = benchmark.measure_step(DIGITS, (4, 8, 2), 1)
    assert found["gradients_apart"] < 1e-4
    seconds = found["seconds"]
    expected = seconds["released"] / seconds["ours"]
    assert found["released_over_ours"] == pytest.approx(expected)
    benchmark.tell_step(found)
    shown = capsys.readouterr().out
    assert f"{expected:.2f} times | at least 2" in shown and shown.count("\n") == 3


def test_its_step_is_the_one_of_the_library(benchmark):
    steps = benchmark.condensing
    real, synthetic = benchmark._sides(DIGITS, 8, 1)
    start = synthetic.copy()
    optimizer = torch.optim.SGD([synthetic.images], lr=1.0)
    condense.match_distributions(
        synthetic, *real, optimizer, build=lambda _: steps.network(4), rounds=1, per_class=8
    )
    none = condense.Augmentation(kinds=("rotate",), rotate=0.0)
    omega = condense.draw_omega(10, none, torch.Generator())
    gradient = steps.our_step(steps.network(4), *real, start, omega)
    assert_close(start.images - gradient, synthetic.images, atol=1e-4, rtol=1e-4)


# The second optimizer of the released loop begins without momentum: two steps of .001.
@pytest.mark.parametrize("momentum, near", [(0.9, 2e-3), (0.0, 1e-5)])
@pytest.mark.parametrize("one_by_one", [True, False])
def test_the_loops_of_loaders_learn_what_ours_learns(
    benchmark, monkeypatch, one_by_one, momentum, near
):
    steps = benchmark.condensing
    monkeypatch.setattr(steps, "MOMENTUM", momentum)
    real, synthetic = benchmark._sides(DIGITS, 2, 2)
    few = DIGITS.test_images[:40], DIGITS.test_targets[:40]
    # Nothing is drawn: one batch of all, and changes of no size.
    still = condense.Augmentation(kinds=("rotate",), rotate=0.0)
    monkeypatch.setattr(steps, "Augmentation", lambda: still)
    nets = []
    net = steps.usual_network
    monkeypatch.setattr(steps, "usual_network", lambda width: nets.append(net(width)) or nets[-1])
    learned = []
    ours = condense.learn_from

    def spy(network, *given, **rest):
        learned.append(network)
        return ours(network, *given, **rest)

    monkeypatch.setattr("kdlab.condense.evaluate.learn_from", spy)
    steps.our_evaluation(synthetic, *few, 4)
    steps.released_evaluation(synthetic, *few, 4, one_by_one=one_by_one)
    for name, value in learned[-1].state_dict().items():
        assert_close(nets[0].state_dict()[name], value, atol=near, rtol=10 * near)


def test_an_evaluation_s_ratios_are_of_its_seconds(benchmark, capsys):
    part = DIGITS.take(test=30, seed=0)
    found = benchmark.measure_evaluation(part, (4, 1), 1)
    seconds = found["seconds"]
    for name in ("image by image", "batch by batch"):
        times = found[f"{name.replace(' ', '_')}_over_ours"]
        assert times == pytest.approx(seconds[name] / seconds["ours"])
    benchmark.tell_evaluation(found)
    assert capsys.readouterr().out.count("at least 5") == 2


def test_what_is_not_reached_is_told(benchmark, capsys):
    part = {"width": 4, "real_per_class": 8, "synthetic_per_class": 1, "gradients_apart": 0.1}
    part |= {"seconds": {"ours": 1.0, "released": 1.9}, "released_over_ours": 1.9}
    benchmark.tell_step(part | {"released_on_our_network_over_ours": 1.0})
    shown = capsys.readouterr().out
    assert "(1900 ms) against ours (1000 ms) | 1.90 times | at least 2 | NO |" in shown
    assert "1e-01 | at most 1e-3 | NO |" in shown
