"""What the specs share: tolerances with their reasons, and random inputs."""

import torch
import torch.nn.functional as F
from torch import Tensor

from kdlab.grading.spec import Comparison

FLOAT32 = Comparison(
    rtol=1e-4,
    atol=1e-5,
    reason="float32 keeps 7 digits; a few operations in another order cost one or two",
)
EXACT = Comparison(rtol=0, atol=0, reason="a count or an index is right or wrong")


def normal(generator: torch.Generator, *shape: int, scale: float = 3.0) -> Tensor:
    """Draw logits of the size that trained networks give."""
    return scale * torch.randn(*shape, generator=generator)


def classes(generator: torch.Generator, count: int, *, of: int) -> Tensor:
    """Draw integer targets in [0, of)."""
    return torch.randint(of, (count,), generator=generator)


def between(generator: torch.Generator, low: float, high: float) -> float:
    """Draw a number uniformly."""
    return low + (high - low) * torch.rand((), generator=generator).item()


def some_known(generator: torch.Generator, count: int) -> Tensor:
    """Draw for which examples something is known: about half of them, never all or none."""
    return torch.randperm(count, generator=generator) < count // 2


def divergence(
    q_logits: Tensor, p_logits: Tensor, temperature: float = 1.0, reduction: str = "batchmean"
) -> Tensor:
    """Return KL(p || q), both softened by a temperature.

    "mean" is not to be asked for: torch then warns, and a student would read that.
    """
    log_q = F.log_softmax(q_logits / temperature, dim=1)
    log_p = F.log_softmax(p_logits / temperature, dim=1)
    return F.kl_div(log_q, log_p, reduction=reduction, log_target=True)


def soft_cross_entropy(q_logits: Tensor, p_logits: Tensor, temperature: float = 1.0) -> Tensor:
    """Return what `divergence` is without the teacher's entropy: a common mistake for it."""
    log_q = F.log_softmax(q_logits / temperature, dim=1)
    return -(F.softmax(p_logits / temperature, dim=1) * log_q).sum(dim=1).mean()
