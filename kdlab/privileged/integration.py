"""Integrals over the supports of a teacher's answers, summed point by point."""

from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float64
from torch import Tensor

from kdlab._checks import check_choice, check_count
from kdlab.privileged._supports import SUPPORTS

# Ten million points of three classes take 240 MB.
_MOST = 10_000_000


def integrate(
    function: Callable[[Float64[Tensor, "points classes"]], Float64[Tensor, "points"]],
    *,
    support: str,
    classes: int,
    points: int = 40,
) -> float:
    r"""Integrate a function of s over a support, to check a closed form against.

    Gauss and Legendre's rule on every axis of a unit cube, mapped to the support: the simplex
    by $s_k = u_k \prod_{j < k} (1 - u_j)$, an unbounded axis by $u / (1 - u)$ from its lowest
    value on. Good for smooth functions of few classes: with 40 points, eight digits of
    $\prod_k g_k^{s_k}$ for g = (.5, .3, .2).

    Args:
        function: Called once, with all points, one a row.
        support: One of `SUPPORTS`; on the simplex the measure is ds_1 ... ds_{K-1}.
        classes: K.
        points: How many an axis.

    Raises:
        ValueError: There is no such support; a count is no whole number >= 1, or classes < 2
            on the simplex; or there would be more than ten million points.
    """
    check_choice(tuple(SUPPORTS), support=support)
    on_simplex = support == "simplex"
    check_count(2 if on_simplex else 1, classes=classes)
    check_count(points=points)
    axes = classes - on_simplex
    if points**axes > _MOST:
        raise ValueError(f"points ** {axes} must be <= {_MOST}, got points = {points}")
    grid, weights = _unit_cube(axes, points)
    s, stretch = _onto_simplex(grid) if on_simplex else _onto_axes(grid, *SUPPORTS[support])
    return float((weights * stretch * function(s)).sum())


def _unit_cube(axes: int, points: int) -> tuple[Tensor, Tensor]:
    nodes, weights = (torch.from_numpy(x) for x in np.polynomial.legendre.leggauss(points))
    grid = torch.stack(torch.meshgrid(*[(nodes + 1) / 2] * axes, indexing="ij"), dim=-1)
    shares = torch.stack(torch.meshgrid(*[weights / 2] * axes, indexing="ij"), dim=-1)
    return grid.reshape(-1, axes), shares.reshape(-1, axes).prod(-1)


def _onto_simplex(u: Tensor) -> tuple[Tensor, Tensor]:
    """Break a stick: each axis takes its share of what is left."""
    one = torch.ones_like(u[:, :1])
    left = torch.cat([one, (1 - u).cumprod(-1)], dim=-1)
    return left * torch.cat([u, one], dim=-1), left[:, :-1].prod(-1)


def _onto_axes(u: Tensor, lowest: float, highest: float) -> tuple[Tensor, Tensor]:
    if highest < float("inf"):
        return lowest + u * (highest - lowest), (highest - lowest) * torch.ones_like(u).prod(-1)
    return lowest + u / (1 - u), (1 - u).pow(-2).prod(-1)
