"""Whole batches and L-BFGS: a linear model gets to its minimizer, of which theory speaks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from kdlab._checks import check_count, check_not_negative


def minimize(
    model: nn.Module, inputs: Tensor, loss: Callable[[Tensor], Tensor], decay: float, steps: int
) -> float:
    """Minimize a loss of the model's outputs plus decay / 2 times the sum of squared weights.

    Args:
        model: Changed in place, left in eval mode and without gradients.
        inputs: All examples at once.
        loss: From the model's outputs to a scalar.
        decay: Weight of the penalty on matrices, >= 0; biases go free.
        steps: At most so many.

    Returns:
        What was minimized, at the end.

    Raises:
        ValueError: decay is negative or not finite, or steps is no positive whole number.
    """
    check_not_negative(decay=decay)
    check_count(steps=steps)
    free = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in free if p.ndim > 1]

    def objective() -> Tensor:
        penalty = sum(p.square().sum() for p in matrices)
        return loss(model(inputs)) + decay / 2 * penalty

    model.train()
    _descend(free, objective, steps)
    model.eval()
    with torch.no_grad():
        return float(objective())


def _descend(parameters: list[Tensor], objective: Callable[[], Tensor], steps: int) -> None:
    # It ends at a gradient near 0; a small change of the value alone may be a plateau.
    optimizer = torch.optim.LBFGS(
        parameters, max_iter=steps, tolerance_change=0.0, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = objective()
        value.backward()
        return value

    optimizer.step(closure)
    optimizer.zero_grad()
