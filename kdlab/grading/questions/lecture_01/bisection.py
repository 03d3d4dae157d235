"""The temperature at which a prediction has a given confidence, and its usual slips."""

import math
from collections.abc import Callable

from torch import Tensor

LOW, HIGH = 0.01, 100.0


def temperature_by_bisection(
    logits: Tensor,
    probability: float,
    *,
    halve: str = "geometric",
    index: int | None = None,
    inverted: bool = False,
) -> float:
    """Halve [0.01, 100] until the softened probability of a class equals a given one.

    Args:
        logits: Raw scores of one example, [classes].
        probability: The wanted one, above 1 / classes and below 1.
        halve: "geometric" or "arithmetic" middle; they differ where there is no root or
            more than one.
        index: The class; by default that of the largest logit.
        inverted: Move the wrong end, as a mistake does.
    """
    scores = logits.double()
    chosen = int(scores.argmax()) if index is None else index
    low, high = LOW, HIGH
    for _ in range(60):
        middle = math.sqrt(low * high) if halve == "geometric" else (low + high) / 2
        too_sharp = (scores / middle).softmax(dim=0)[chosen].item() > probability
        if too_sharp != inverted:
            low = middle
        else:
            high = middle
    return low


def stuck_at(*bounds: float) -> tuple[Callable, ...]:
    """Return functions that give an end of the interval, whatever they are asked."""
    return tuple(lambda logits, probability, bound=bound: bound for bound in bounds)
