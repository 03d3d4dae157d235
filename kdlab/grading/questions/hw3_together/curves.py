"""Held-out errors for question 5 of homework 3: curves on which wrong rules show.

Only the order of errors matters to a rule. So each curve is a row of levels, found by a search
for curves that tell the known mistakes apart, and a draw puts other numbers on the levels.
"""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import between
from kdlab.grading.spec import Case

# Patience, levels of the held-out errors, and for how many epochs the training loss falls.
_SHORT = (
    (2, (9, 6, 5, 9, 4, 7, 2, 4, 2, 2, 5, 6, 1, 7, 1, 8), 12),
    (3, (9, 7, 5, 6, 6, 3, 5, 3, 4, 1, 2, 1, 1, 2, 7, 2, 9), 9),
    (3, (9, 5, 3, 6, 9, 2, 9, 2, 2, 4, 8, 8, 1, 1, 6, 9, 5), 12),
)
_LONG = (
    (4, (9, 6, 3, 8, 6, 8, 2, 6, 2, 2, 9, 9, 9, 4, 1, 6, 1, 6, 6, 9), 14),
    (4, (9, 6, 3, 8, 3, 7, 2, 6, 6, 2, 5, 1, 4, 1, 1, 4, 6, 6, 5, 5), 10),
)
# It waits, but never as long as its patience.
_NEVER = ((3, (9, 8, 6, 7, 5, 6, 7, 4, 3, 4, 2, 3), 12),)


def visible_curves() -> tuple[Case, ...]:
    """Return a curve that tells the mistakes apart, a short one, and one that never stalls."""
    patience, levels, falls = _SHORT[0]
    errors = tensor([0, 47, 50, 55, 62, 74, 80, 96, 110, 120])[tensor(levels)]
    return (
        _case("sixteen epochs", _losses(falls, len(levels)), errors, patience, 0.75),
        _case("six epochs", _losses(4, 6), tensor([60, 50, 50, 55, 40, 30]), 2, 0.5),
        _case("it never stalls", _losses(5, 5), tensor([90, 70, 71, 60, 61]), 2, 0.75),
    )


def draw_curves(generator: torch.Generator) -> tuple[Case, ...]:
    """Return two curves that stall, and one that doesn't."""

    def case(name, curves, weight=1.0, extreme=False):
        at = int(torch.randint(len(curves), (), generator=generator))
        patience, levels, falls = curves[at]
        early = int(torch.randint(3, (), generator=generator))
        errors = _numbers(generator, levels, early)
        losses = _losses(falls + early, len(errors), between(generator, 0.8, 1.2))
        lambda_ = between(generator, 0.3, 0.9)
        return _case(name, losses, errors, patience, lambda_, weight, extreme)

    return (
        case("little patience", _SHORT, weight=2.0),
        case("more patience", _LONG),
        case("it never stalls", _NEVER, extreme=True),
    )


def _case(name, losses, errors, patience, lambda_, weight=1.0, extreme=False):
    curves = {"training_losses": losses, "held_out_errors": errors}
    rest = {"patience": patience, "lambda_": lambda_}
    return Case(name, curves | rest, weight, extreme=extreme)


def _numbers(generator: torch.Generator, levels: tuple[int, ...], early: int) -> Tensor:
    """Put numbers on the levels, larger ones on higher levels, and so many epochs before them."""
    scale = 20 + torch.randint(1, 30, (max(levels) + 1 + early,), generator=generator).cumsum(0)
    before = range(max(levels) + early, max(levels), -1)
    return scale[tensor([*before, *levels])]


def _losses(falls: int, epochs: int, scale: float = 1.0) -> Tensor:
    """Return training losses that fall for so many epochs, and rise a little afterwards."""
    epoch = torch.arange(epochs, dtype=torch.float32)
    return scale * (2 / (1 + epoch.clamp(max=falls - 1)) + (epoch - falls + 1).clamp_min(0) / 100)
