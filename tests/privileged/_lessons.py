"""A regression with a teacher on some examples, for the tests of the linear theory."""

import torch
from torch import Tensor

NOISE = {"sigma": 0.7, "teacher_sigma": 0.3}


def lesson(
    examples: int = 12, features: int = 3, share: float = 0.6, seed: int = 0, **noise: float
) -> tuple[Tensor, ...]:
    """Return inputs, targets, teacher (NaN where unknown), known and the true weights."""
    noise = {**NOISE, **noise}
    generator = torch.Generator().manual_seed(seed)

    def normal(*shape):
        return torch.randn(*shape, generator=generator, dtype=torch.double)

    inputs, weights = normal(examples, features), normal(features)
    targets = inputs @ weights + noise["sigma"] * normal(examples)
    teacher = inputs @ weights + noise["teacher_sigma"] * normal(examples)
    known = torch.rand(examples, generator=generator, dtype=torch.double) < share
    return inputs, targets, teacher.where(known, torch.nan), known, weights
