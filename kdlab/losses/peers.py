"""One learner that hears several others at once: partners, teachers, or both."""

from collections.abc import Sequence

import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import check_fraction, check_labelled
from kdlab.losses._common import widened
from kdlab.losses.logits import soft_target_loss

# Weights such as 1/3 + 1/3 + 1/3 may miss 1 by rounding.
_ROUNDING = 1e-6


def mutual_loss(
    student_logits: Float[Tensor, "batch classes"],
    others_logits: Sequence[Float[Tensor, "batch classes"]],
    targets: Int64[Tensor, "batch"],
    *,
    temperature: float,
    weights: Sequence[float],
) -> Float[Tensor, ""]:
    r"""Weigh the labels against several others, each with a weight of its own.

    $(1 - \sum_j w_j)\,\mathrm{CE}(y, q^{(1)}) + \sum_j w_j\,T^2\,\mathrm{KL}(p_j^{(T)} \|
    q^{(T)})$. One other and $w = (\lambda)$ is `distillation_loss`; none is cross-entropy.

    Args:
        student_logits: Raw scores of the one who learns; gradients flow here.
        others_logits: Raw scores of each other on the same images, treated as constants.
        targets: Class of each example, in [0, classes).
        temperature: $T > 0$ of the others' terms.
        weights: One for each other, in [0, 1], together at most 1.

    Returns:
        Batch mean, a scalar.

    Raises:
        ValueError: Shapes differ, a target is no class, temperature is outside [1e-9, 1e9], or
            the weights are not as many as the others, or more than 1 together.

    References:
        Zhang et al. 2018, arXiv:1706.00384, equations 5 and 9, which add the labels' term with
        weight 1 to a mean over the others' and have T = 1: twice this loss for weights that sum
        to 1/2.
    """
    check_labelled(student_logits=student_logits, targets=targets)
    check_weights(len(others_logits), weights=weights)
    loss = (1 - sum(weights)) * F.cross_entropy(widened(student_logits), targets)
    for weight, logits in zip(weights, others_logits, strict=True):
        taught = soft_target_loss(student_logits, logits, temperature=temperature)
        loss = loss + weight * taught
    return loss


def check_weights(count: int, /, **named: Sequence[float]) -> None:
    """Raise ValueError unless they are so many, each in [0, 1], and sum to at most 1."""
    for name, weights in named.items():
        if len(weights) != count:
            raise ValueError(f"{name} must be {count}, one for each other, got {len(weights)}")
        for number, weight in enumerate(weights):
            check_fraction(**{f"{name}[{number}]": weight})
        if (total := sum(weights)) > 1 + _ROUNDING:
            raise ValueError(f"{name} must sum to at most 1, got {total:g}")
