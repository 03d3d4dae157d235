"""`batchnorm-mnist`: networks and measures against plain loops, and what it found."""

import copy

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.testing import assert_close

from kdlab import data, experiments
from kdlab.experiments import find_experiment
from kdlab.experiments.batchnorm_mnist import (
    CURVES,
    NUMBERS,
    RATES,
    Sigmoids,
    measured,
    percentiles,
    sigmoid_net,
    summary,
)
from kdlab.experiments.landscape import MULTIPLES, along_gradient, layer_shift, place

DIGITS = data.load("digits")
IMAGES, TARGETS = data.to_float(DIGITS.train_images).flatten(1), DIGITS.train_targets


def torch_net(seed: int, *, normalized: bool, std: float = 0.1) -> nn.Sequential:
    """Build the network of torch's own layers, with the weights of ours."""
    parts = []
    for fan_in in (784, 100, 100):
        norm = [nn.BatchNorm1d(100)] * normalized
        parts += [nn.Linear(fan_in, 100, bias=not normalized), *copy.deepcopy(norm), nn.Sigmoid()]
    model = nn.Sequential(*parts, nn.Linear(100, 10))
    ours = sigmoid_net(seed, normalized=normalized, std=std)
    for mine, theirs in zip(model.parameters(), ours.parameters(), strict=True):
        mine.data.copy_(theirs.data)
    return model


# --- the landscape


def linear_loss(weight, bias, x, y):
    """Return the loss of a linear model and its gradient, in closed form."""
    p = (x @ weight.T + bias).softmax(dim=1)
    off = (p - F.one_hot(y, p.shape[1])) / len(x)
    loss = -p[torch.arange(len(y)), y].log().mean()
    return loss, torch.cat([(off.T @ x).flatten(), off.sum(dim=0)])


def test_the_loss_and_its_gradient_are_followed_down_the_gradient():
    generator = torch.Generator().manual_seed(0)
    x, y = torch.randn(30, 6, generator=generator).double(), torch.arange(30) % 4
    model = nn.Linear(6, 4).double()
    weight, bias = model.weight.detach(), model.bias.detach()
    start, slope = linear_loss(weight, bias, x, y)
    here = place(model, {"weight": weight, "bias": bias}, x, y)
    assert here.loss == pytest.approx(start.item())
    assert_close(torch.cat([g.flatten() for g in here.gradients.values()]), slope)
    losses, turns, slopes = [], [], []
    for multiple in (0.5, 1, 1.5, 2, 2.5, 3, 3.5, 4):
        eta = 7.0 * multiple
        w, b = weight - eta * slope[:24].view(4, 6), bias - eta * slope[24:]
        loss, there = linear_loss(w, b, x, y)
        losses.append(loss.item())
        turns.append((there - slope).norm().item())
        slopes.append(turns[-1] / (eta * slope.norm().item()))
    found = along_gradient(model, x, y, rate=7.0)
    assert found.rise == pytest.approx(max(losses) - min(losses))
    assert found.turn == pytest.approx(max(turns))
    assert found.smoothness == pytest.approx(max(slopes))
    # Backwards it is the same way, and what was last comes first.
    assert along_gradient(model, x, y, rate=7.0, multiples=MULTIPLES[::-1]) == found
    assert losses.index(max(losses)) != losses.index(min(losses)) and found.rise > 0.01
    assert min(MULTIPLES) == 0.5 and max(MULTIPLES) == 4


@pytest.mark.parametrize("normalized", [False, True])
@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_layer_s_gradient_moves_by_the_step_below_alone(normalized, number):
    model, theirs = sigmoid_net(1, normalized=normalized), torch_net(1, normalized=normalized)
    x, y = IMAGES[:60], TARGETS[:60]
    spots = [place for place, part in enumerate(theirs) if isinstance(part, nn.Linear)]
    own = list(theirs[spots[number - 1]].parameters())

    def gradient():
        theirs.zero_grad()
        F.cross_entropy(theirs(x), y).backward()
        return torch.cat([weight.grad.flatten() for weight in own])

    before = gradient()
    below = [weight for part in theirs[: spots[number - 1]] for weight in part.parameters()]
    if below:
        torch.optim.SGD(below, lr=2.0).step()
    after = gradient()
    found = layer_shift(model, x, y, layer=f"linear{number}", rate=2.0)
    assert found.distance == pytest.approx((after - before).norm().item(), rel=1e-3, abs=1e-7)
    cosine = F.cosine_similarity(before, after, dim=0).item()
    assert found.cosine == pytest.approx(cosine, abs=1e-4)
    assert (found.distance > 0) == (number > 1)


def test_looking_changes_nothing():
    model = sigmoid_net(0, normalized=True)
    model(IMAGES[:60])
    held = copy.deepcopy(model.state_dict())
    along_gradient(model, IMAGES[:60], TARGETS[:60], rate=1.0)
    layer_shift(model, IMAGES[:60], TARGETS[:60], layer="linear3", rate=1.0)
    percentiles(model.eval(), IMAGES[:60])
    assert all(torch.equal(held[name], now) for name, now in model.state_dict().items())
    assert all(weight.grad is None for weight in model.parameters()) and not model.training


# --- the networks


def test_both_begin_alike_with_the_widths_that_are_said():
    state = torch.get_rng_state()
    plain, normalized = (sigmoid_net(3, normalized=way, std=0.02) for way in (False, True))
    assert torch.equal(torch.get_rng_state(), state)
    for name in ("linear1", "linear2", "linear3", "logits"):
        weight = getattr(plain, name).weight
        assert torch.equal(weight, getattr(normalized, name).weight)
        assert weight.std().item() == pytest.approx(0.02, rel=0.1)
        assert not getattr(plain, name).bias.any()
    other = sigmoid_net(4, normalized=False, std=0.02)
    assert not torch.equal(other.logits.weight, plain.logits.weight)
    count = 784 * 100 + 2 * 100 * 100 + 100 * 10 + 10
    for model in (plain, normalized):
        more = 300 if model is plain else 600
        assert sum(weight.numel() for weight in model.parameters()) == count + more


def test_percentiles_are_those_of_what_the_last_sigmoid_is_handed():
    model = sigmoid_net(0, normalized=True).double().eval()
    x = IMAGES[:200].double()
    with torch.no_grad():
        for number in (1, 2, 3):
            x = getattr(model, f"linear{number}")(x)
            x = (x - x.mean(dim=0)) / (x.var(dim=0, unbiased=False) + 1e-5).sqrt()
            handed, x = x, x.sigmoid()
    expected = np.percentile(handed.numpy(), [15, 50, 85], axis=0)
    found = percentiles(model, IMAGES[:200].double())
    np.testing.assert_allclose(found.numpy(), expected, atol=1e-9)


@pytest.mark.parametrize("steps", [1, 20, 100, 5000])
def test_it_is_measured_ever_less_often(steps):
    looks = measured(steps)
    assert looks == sorted(set(looks)) and looks[0] == 1 and looks[-1] == steps
    assert set(range(1, min(steps, 11) + 1)) <= set(looks)
    assert (100 in looks) == (steps >= 100)
    assert all(new <= max(old + 1, 1.13 * old + 1) for old, new in zip(looks, looks[1:]))  # noqa: B905
    assert len(looks) <= 75


@pytest.mark.parametrize("normalized", [False, True])
def test_it_learns_by_plain_descent_and_is_measured_on_the_way(normalized):
    task, told = Sigmoids(0.5, normalized, steps=30), []
    found = task(2, DIGITS, lambda *rest: told.append(rest[:2]))
    assert told == [(step, 30) for step in measured(30)]
    assert set(found) == {*task.numbers, *task.curves}
    assert found["each-step"] == measured(30)
    model, tests = torch_net(2, normalized=normalized), data.to_float(DIGITS.test_images)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.5)
    endless = data.Batches(IMAGES, TARGETS, batch_size=60, seed=2)
    batches = [batch for _ in range(2) for batch in endless]
    medians, handed = None, None
    for step, batch in enumerate(batches[:31]):
        if step in measured(30):
            look = found["each-step"].index(step)
            model.eval()
            rightly = (model(tests.flatten(1)).argmax(1) == DIGITS.test_targets).double().mean()
            assert found["each-accuracy"][look] == pytest.approx(rightly.item(), abs=0.005)
            model.train()
            shift = layer_shift(copy.deepcopy(model), batch.images, batch.targets,
                                layer=["4", "6"][normalized], rate=0.5)  # fmt: skip
            assert found["each-shift"][look] == pytest.approx(shift.distance, rel=0.02, abs=1e-5)
            along = along_gradient(model, batch.images, batch.targets, rate=0.5)
            assert found["each-rise"][look] == pytest.approx(along.rise, rel=0.02)
            handed = copy.deepcopy(model)[:-2](IMAGES[:1000])
            middle = handed.quantile(0.5, dim=0)
            drift = 0.0 if medians is None else (middle - medians).abs().mean().item()
            assert found["each-drift"][look] == pytest.approx(drift, rel=0.01, abs=1e-4)
            medians = middle
        optimizer.zero_grad()
        F.cross_entropy(model(batch.images), batch.targets).backward()
        optimizer.step()
    ends = handed.quantile(torch.tensor([0.15, 0.5, 0.85]), dim=0)
    last = [found[f"each-{name}"][-1] for name in ("low", "median", "high")]
    assert last == pytest.approx(ends[:, 0].tolist(), rel=0.01, abs=1e-3)
    assert found["each-width"][-1] == pytest.approx((ends[2] - ends[0]).mean().item(), rel=0.01)


def curves(**known) -> dict[str, list[float]]:
    return {name: [1.0] * 4 for name in CURVES} | known


def test_numbers_are_read_off_the_curves():
    found = curves(step=[1, 100, 120, 140], accuracy=[0.1, 0.2, 0.96, 0.95], drift=[0, 1, 2, 3],
                   width=[1, 1, 3, 3], rise=[2, 4, 6, 12], cosine=[0.5, 0.5, 1, 1])  # fmt: skip
    numbers = summary(found)
    assert set(numbers) == set(NUMBERS)
    assert (numbers["arrived"], numbers["steps"]) == (1.0, 120)
    assert (numbers["early"], numbers["end"]) == (0.2, 0.95)
    assert (numbers["path"], numbers["path-in-widths"]) == (6, 3)
    assert (numbers["mean-rise"], numbers["early-rise"], numbers["mean-cosine"]) == (6, 3, 0.75)
    never = summary(curves(step=[1, 2, 3, 4], accuracy=[0.1, 0.2, 0.94, 0.9]))
    assert (never["arrived"], never["steps"], never["early"]) == (0.0, 4, 0.9)
    exactly = summary(curves(step=[1, 2, 3, 4], accuracy=[0.1, 0.95, 0.94, 0.9]))
    assert exactly["steps"] == 2


def test_every_network_stands_beside_its_twin():
    units = find_experiment("batchnorm-mnist").units
    assert len(units) == 8
    for plain, normalized in zip(units[::2], units[1::2], strict=True):
        ours, theirs = plain.task, normalized.task
        assert (ours.rate, ours.std, ours.steps) == (theirs.rate, theirs.std, theirs.steps)
        assert not ours.normalized and theirs.normalized
    assert {unit.task.rate for unit in units} == set(RATES)


# --- what it found


def found(which: str) -> list[dict[str, np.ndarray]]:
    """Return the numbers of a plain and a normalized network, one a seed."""
    rows = experiments.values(experiments.load_results("batchnorm-mnist"))
    return [
        {name: np.array(rows[f"{who}-{which}-{name}"]) for name in NUMBERS}
        for who in ("plain", "normalized")
    ]


@pytest.mark.parametrize("which", ["0.1", "0.5", "10", "small"])
def test_normalized_it_arrives_earlier_and_drifts_less_by_its_width(which):
    plain, normalized = found(which)
    assert (normalized["arrived"] == 1).all()
    assert (normalized["steps"] < plain["steps"]).all()
    assert (normalized["early"] > plain["early"] + 0.3).all()
    assert (normalized["path-in-widths"] < 0.5 * plain["path-in-widths"]).all()
    # The shift that it is said to reduce is larger with it.
    assert (normalized["mean-shift"] > plain["mean-shift"]).all()


def test_not_every_plain_network_arrives():
    arrived = {which: found(which)[0]["arrived"].mean() for which in ("0.1", "0.5", "10", "small")}
    assert arrived["0.1"] == arrived["0.5"] == 1 > max(arrived["10"], arrived["small"])


def test_the_loss_is_smoother_where_both_learn_and_not_where_one_rests():
    # A plain network rests on a plateau at first, and a plateau is flat.
    for which in ("0.1", "small"):
        plain, normalized = found(which)
        assert (plain["mean-rise"] < normalized["mean-rise"]).all()
    curves = experiments.curves(experiments.load_results("batchnorm-mnist"))
    steps = np.array(curves["plain-0.5-each-step"][0])
    both = (steps >= 200) & (steps <= 2000)
    plain, normalized = (
        np.array(curves[f"{who}-0.5-each-rise"])[:, both].mean(axis=1)
        for who in ("plain", "normalized")
    )
    assert (plain > 4 * normalized).all()


def test_curves_end_where_the_numbers_do():
    results = experiments.load_results("batchnorm-mnist")
    by_row, curves = experiments.values(results), experiments.curves(results)
    for unit in find_experiment("batchnorm-mnist").units:
        for seed in range(len(results["seeds"])):
            steps, shares = (
                curves[f"{unit.name}-each-{name}"][seed] for name in ("step", "accuracy")
            )
            assert steps == measured(unit.task.steps)
            assert shares[-1] == by_row[f"{unit.name}-end"][seed]
