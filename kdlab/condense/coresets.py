"""Coresets: which real images to keep, for whoever doesn't learn new ones."""

from collections.abc import Callable

import torch
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import check_count, check_features, check_same_length, check_tensor


def pick_random(
    targets: Int64[Tensor, "examples"], *, per_class: int, seed: int = 0
) -> Int64[Tensor, "picked"]:
    """Return the indices of so many examples of each class, drawn by a seed, class by class.

    Raises:
        ValueError: A class has too few examples, per_class is no whole number >= 1, or the
            seed none >= 0.
    """
    check_count(0, seed=seed)
    generator = torch.Generator().manual_seed(seed)

    def pick(members: Tensor) -> Tensor:
        drawn = torch.randperm(len(members), generator=generator)[:per_class]
        return drawn.to(members.device)

    return _by_class(targets, per_class, pick)


def pick_herding(
    embeddings: Float[Tensor, "examples *values"],
    targets: Int64[Tensor, "examples"],
    *,
    per_class: int,
) -> Int64[Tensor, "picked"]:
    r"""Return the indices of examples whose mean follows the mean of their class.

    Step k takes the example $x$, not taken before, with the least
    $\|\mu - (x + \sum_{j<k} x_j) / k\|$.

    Args:
        embeddings: One row or map for each example; pixels, or what a network makes of them.
        targets: The class of each.
        per_class: How many to take.

    Returns:
        Indices class by class, in the order in which they were taken.

    Raises:
        ValueError: A class has too few examples, lengths differ, or per_class is no whole
            number >= 1.

    References:
        Welling 2009; in this form Rebuffi et al. 2017, arXiv:1611.07725, algorithm 4.
    """
    points = _points(embeddings, targets)

    def pick(members: Tensor) -> Tensor:
        own, taken = points[members], []
        mean, total = own.mean(dim=0), torch.zeros_like(own[0])
        for k in range(1, per_class + 1):
            far = (mean - (own + total) / k).square().sum(dim=1)
            far[taken] = torch.inf
            taken.append(int(far.argmin()))
            total = total + own[taken[-1]]
        return torch.tensor(taken, device=members.device)

    return _by_class(targets, per_class, pick)


def pick_k_center(
    embeddings: Float[Tensor, "examples *values"],
    targets: Int64[Tensor, "examples"],
    *,
    per_class: int,
) -> Int64[Tensor, "picked"]:
    """Return the indices of examples that leave none of their class far away, greedily.

    The first is the one nearest to the mean, each further one the one that is farthest from
    all that were taken. Args, Returns and Raises as `pick_herding`.

    References:
        Sener and Savarese 2018, arXiv:1708.00489, algorithm 1, which starts from labelled
        examples.
    """
    points = _points(embeddings, targets)

    def pick(members: Tensor) -> Tensor:
        own = points[members]
        taken = [int((own - own.mean(dim=0)).square().sum(dim=1).argmin())]
        nearest = torch.full_like(own[:, 0], torch.inf)
        while len(taken) < per_class:
            far = (own - own[taken[-1]]).square().sum(dim=1)
            nearest = torch.minimum(nearest, far)
            nearest[taken] = -1
            taken.append(int(nearest.argmax()))
        return torch.tensor(taken, device=members.device)

    return _by_class(targets, per_class, pick)


def _points(embeddings: Tensor, targets: Tensor) -> Tensor:
    check_features(embeddings=embeddings)
    check_same_length(embeddings=embeddings, targets=targets)
    return embeddings.detach().flatten(1)


def _by_class(targets: Tensor, per_class: int, pick: Callable[[Tensor], Tensor]) -> Tensor:
    """Ask for places among each class's members; return their indices, class by class."""
    check_tensor(targets=targets)
    check_count(per_class=per_class)
    picked = []
    for label in targets.unique().tolist():
        members = (targets == label).nonzero().flatten()
        if len(members) < per_class:
            came = f"{len(members)} examples of class {label}"
            raise ValueError(f"targets must have {per_class} of every class, got {came}")
        picked.append(members[pick(members)])
    return torch.cat(picked)
