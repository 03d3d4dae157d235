"""Lecture 12's questions: right answers in several styles, and the library as their oracle."""

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from _homeworks import look_alike
from _judged import assert_right
from torch import nn, tensor
from torch.testing import assert_close

from kdlab import batchnorm
from kdlab.batchnorm import BatchNorm
from kdlab.grading import check, find_question

IDS = tuple(f"KD12-E{n}" for n in range(1, 5))
FARTHEST, LENGTHS, POOLED, FOLD_BEFORE = map(find_question, IDS)


def farthest_by_trying(batch_sizes):
    found = []
    for size in batch_sizes.int().tolist():
        batch = torch.zeros(size, 1, dtype=torch.double)
        batch[0] = 1e8
        found.append(F.batch_norm(batch, None, None, training=True)[0].item())
    return found


def farthest_in_numpy(batch_sizes):
    m = batch_sizes.numpy().astype(np.float64)
    mean, square = 1 / m, 1 / m
    return (1 - mean) / np.sqrt(square - mean**2)


def lengths_by_vectors(start, slope, rate, steps):
    """Walk in space: each step at a right angle to where the vector stands."""
    draws = torch.Generator().manual_seed(0)
    weight = torch.randn(5, generator=draws, dtype=torch.double)
    weight *= start / weight.norm()
    found = [weight.norm()]
    for _ in range(steps):
        aside = torch.randn(5, generator=draws, dtype=torch.double)
        aside -= (aside @ weight) / (weight @ weight) * weight
        weight = weight - rate * slope / weight.norm() * aside / aside.norm()
        found.append(weight.norm())
    return torch.stack(found)


def lengths_by_squares(start, slope, rate, steps):
    squares = [start**2]
    while len(squares) <= steps:
        squares.append(squares[-1] + (rate * slope) ** 2 / squares[-1])
    return [math.sqrt(one) for one in squares]


def pooled_by_squares(means, variances):
    mean = means.double().mean(0)
    return mean, (variances.double() + means.double() ** 2).mean(0) - mean**2


def pooled_by_batches(means, variances):
    """Make batches of two values with these statistics, and join them."""
    values = torch.cat([means + variances.sqrt(), means - variances.sqrt()])
    variance, mean = torch.var_mean(values, dim=0, correction=0)
    return mean, variance


def pooled_in_numpy(means, variances):
    u, v = means.numpy(), variances.numpy()
    return [u.mean(axis=0), v.mean(axis=0) + ((u - u.mean(axis=0)) ** 2).mean(axis=0)]


def fold_by_probing(mean, variance, gamma, beta, weight, bias, eps):
    """Send the origin and the unit vectors through both."""
    probes = torch.cat([torch.zeros(1, len(mean)), torch.eye(len(mean))]).double()
    given = [one.double() for one in (mean, variance, gamma, beta)]
    through = F.batch_norm(probes, *given, training=False, eps=eps)
    outputs = F.linear(through, weight.double(), bias.double())
    return torch.cat([outputs[1:] - outputs[0], outputs[:1]]).T


def fold_in_numpy(mean, variance, gamma, beta, weight, bias, eps):
    values = [one.numpy().astype(np.float64) for one in (mean, variance, gamma, beta, weight, bias)]
    mean, variance, gamma, beta, weight, bias = values
    scale = np.diag(gamma / np.sqrt(variance + eps))
    whole = np.concatenate([scale, (beta - scale @ mean)[:, None]], axis=1)
    folded = weight @ whole
    folded[:, -1] += bias
    return folded


def fold_by_einsum(mean, variance, gamma, beta, weight, bias, eps):
    s = gamma / (variance + eps).sqrt()
    column = (
        bias + torch.einsum("oi,i->o", weight, beta) - torch.einsum("oi,i,i->o", weight, s, mean)
    )
    return torch.cat([torch.einsum("oi,i->oi", weight, s), column[:, None]], dim=1)


STYLES = {
    "KD12-E1": (farthest_by_trying, farthest_in_numpy),
    "KD12-E2": (lengths_by_vectors, lengths_by_squares),
    "KD12-E3": (pooled_by_squares, pooled_by_batches, pooled_in_numpy),
    "KD12-E4": (fold_by_probing, fold_in_numpy, fold_by_einsum),
}


@pytest.mark.parametrize(("id", "style"), [(id, fn) for id, fns in STYLES.items() for fn in fns])
def test_other_right_answers_are_right(id, style):
    assert_right(id, style)


@pytest.mark.parametrize("id", IDS)
def test_the_first_visible_case_tells_two_mistakes_apart(id):
    assert look_alike(find_question(id)) == []


def test_an_outlier_gets_as_far_as_the_layer_lets_it():
    batch = torch.randn(17, 1, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    batch[3] = 1e7
    normalized = BatchNorm(1, eps=0.0, affine=False).double()(batch)
    assert_close(normalized[3], FARTHEST.reference(tensor([17.0])).double(), rtol=1e-4, atol=0)
    assert normalized[3] == normalized.max()


def test_behind_the_layer_a_weight_grows_as_the_answer_says():
    """Descend on a real loss; its slope at length 1 is measured anew, as it may turn."""
    draws = torch.Generator().manual_seed(0)
    weight = torch.randn(1, 6, generator=draws, dtype=torch.double, requires_grad=True)
    inputs = torch.randn(20, 6, generator=draws, dtype=torch.double)
    for _ in range(5):
        outputs = BatchNorm(1, eps=0.0, affine=False).double()(inputs @ weight.T)
        (gradient,) = torch.autograd.grad((outputs**3).mean(), weight)
        length = weight.norm().item()
        slope = gradient.norm().item() * length
        assert slope > 0.01
        expected = LENGTHS.reference(length, slope, 0.5, 1)
        weight = (weight - 0.5 * gradient).detach().requires_grad_()
        assert_close(expected[1].double(), weight.detach().norm(), rtol=1e-6, atol=0)


def test_pooled_statistics_are_those_of_all_batches_joined():
    draws = torch.Generator().manual_seed(0)
    batches = torch.randn(6, 10, 3, generator=draws) + torch.randn(6, 1, 3, generator=draws)
    each = [batchnorm.batch_statistics(batch) for batch in batches]
    found = POOLED.reference(*(torch.stack(one) for one in zip(*each, strict=True)))
    for ours, wanted in zip(found, batchnorm.batch_statistics(batches.flatten(0, 1)), strict=True):
        assert_close(ours, wanted)


def test_the_folded_layer_does_what_both_did():
    for case in FOLD_BEFORE.fresh_cases(0):
        mean, variance, gamma, beta, weight, bias, eps = case.inputs.values()
        layer, linear = BatchNorm(len(mean), eps=eps), nn.Linear(*reversed(weight.shape))
        held = {"weight": gamma, "bias": beta, "running_mean": mean, "running_var": variance}
        layer.load_state_dict(held, strict=False)
        linear.load_state_dict({"weight": weight, "bias": bias})
        inputs = torch.randn(9, len(mean), generator=torch.Generator().manual_seed(1))
        folded = FOLD_BEFORE.reference(**case.inputs)
        both = nn.Sequential(layer, linear).eval()(inputs)
        assert_close(inputs @ folded[:, :-1].T + folded[:, -1], both, rtol=1e-4, atol=1e-5)


def recalled_from_the_recalibration(means, variances):
    return [means.mean(0), variances.mean(0)]


def folded_with_the_old_bias(mean, variance, gamma, beta, weight, bias, eps):
    return np.c_[(weight * gamma / torch.sqrt(variance + eps)).numpy(), bias.numpy()]


@pytest.mark.parametrize(
    ("id", "fn", "name"),
    [
        ("KD12-E1", lambda m: (m - 1) * m**-0.5, "the unbiased variance"),
        ("KD12-E3", recalled_from_the_recalibration, "the mean of the variances"),
        ("KD12-E4", folded_with_the_old_bias, "the bias left as it was"),
    ],
)
def test_a_mistake_written_otherwise_is_recognised(id, fn, name):
    assert check(id, fn).cause.startswith(f"{name}: ")
