"""`mutual_loss`: against loops, against `distillation_loss`, by its gradient, and refusals."""

import math

import pytest
import torch
from _refusals import check_refused
from torch.testing import assert_close

from kdlab.losses import distillation_loss, mutual_loss

TARGETS = torch.tensor([0, 2, 1, 1])


def scores(count=3, seed=0, dtype=torch.double):
    generator = torch.Generator().manual_seed(seed)
    return list((2 * torch.randn(count, 4, 3, generator=generator, dtype=torch.double)).to(dtype))


def by_loops(student, others, targets, *, temperature, weights):
    """The formula, number by number."""

    def softmax(row, t):
        powers = [math.exp(z / t) for z in row]
        return [power / sum(powers) for power in powers]

    total = 0.0
    for b, target in enumerate(targets.tolist()):
        row = student[b].tolist()
        total -= (1 - sum(weights)) * math.log(softmax(row, 1.0)[target])
        q = softmax(row, temperature)
        for weight, logits in zip(weights, others, strict=True):
            p = softmax(logits[b].tolist(), temperature)
            kl = sum(pi * math.log(pi / qi) for pi, qi in zip(p, q, strict=True))
            total += weight * temperature**2 * kl
    return total / len(targets)


@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0])
@pytest.mark.parametrize("weights", [(0.0, 0.0), (0.3, 0.1), (0.25, 0.75), (1.0, 0.0)])
def test_it_is_the_formula(temperature, weights):
    student, *others = scores()
    came = mutual_loss(student, others, TARGETS, temperature=temperature, weights=weights)
    expected = by_loops(student, others, TARGETS, temperature=temperature, weights=weights)
    assert came.item() == pytest.approx(expected, rel=1e-12)


def test_one_other_is_distillation():
    student, other = scores(2)
    came = mutual_loss(student, [other], TARGETS, temperature=3.0, weights=[0.4])
    assert came == distillation_loss(student, other, TARGETS, temperature=3.0, lambda_=0.4)


def test_no_other_is_cross_entropy():
    [student] = scores(1)
    came = mutual_loss(student, [], TARGETS, temperature=3.0, weights=[])
    assert came == torch.nn.functional.cross_entropy(student, TARGETS)


def test_its_gradient_is_that_of_finite_differences_and_the_others_get_none():
    student, *others = (logits.requires_grad_() for logits in scores())
    rest = {"temperature": 2.0, "weights": (0.3, 0.5)}
    mutual_loss(student, others, TARGETS, **rest).backward()
    assert all(other.grad is None for other in others)
    with torch.no_grad():
        for place in [(0, 0), (1, 2), (3, 1)]:
            step = torch.zeros_like(student)
            step[place] = 1e-5
            ends = [mutual_loss(student + sign * step, others, TARGETS, **rest) for sign in (1, -1)]
            assert_close(student.grad[place], (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-9)


def test_many_others_pull_as_one_whose_predictions_are_their_mean():
    """The gradient of a mean of KLs is that of the KL of the mean: an ensemble as a teacher."""
    student, *others = (logits.requires_grad_() for logits in scores(4))
    weights = [0.2] * 3
    mutual_loss(student, others, TARGETS, temperature=1.0, weights=weights).backward()
    mean = torch.stack([other.softmax(dim=1) for other in others]).mean(dim=0).log()
    again = student.detach().clone().requires_grad_()
    distillation_loss(again, mean, TARGETS, temperature=1.0, lambda_=0.6).backward()
    assert_close(student.grad, again.grad)


def test_thirds_may_miss_one_by_rounding():
    student, *others = scores(4)
    share = torch.tensor([1 / 3] * 3).tolist()
    assert sum(share) > 1
    mutual_loss(student, others, TARGETS, temperature=1.0, weights=share)


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_half_precision_is_computed_in_float32(dtype):
    student, *others = scores(3, dtype=dtype)
    rest = {"temperature": 20.0, "weights": (0.5, 0.25)}
    came = mutual_loss(student, others, TARGETS, **rest)
    wide = [logits.float() for logits in others]
    assert came == mutual_loss(student.float(), wide, TARGETS, **rest)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([0.5], "weights must be 2, one for each other, got 1"),
        ([0.5, 0.6], "weights must sum to at most 1, got 1.1"),
        ([0.5, -0.1], "weights[1] must be in [0, 1], got -0.1"),
        ([math.nan, 0.1], "weights[0] must be in [0, 1], got nan"),
    ],
)
def test_weights_are_refused(weights, message):
    student, *others = scores()
    check_refused(
        lambda: mutual_loss(student, others, TARGETS, temperature=1.0, weights=weights), message
    )
