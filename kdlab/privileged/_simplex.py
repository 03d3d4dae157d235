r"""Integrals of $e^{c \cdot s}$ over the simplex, without cancellation.

The integral over $s_1, \dots, s_{K-1}$ is the divided difference of exp at $c_1, \dots, c_K$
(Hermite and Genocchi). Written as a sum of quotients it divides by differences of the c and is
0/0 where two are equal. With $c > 0$, to which a shift always leads, it is also

$$\sum_{n \ge 0} \frac{h_n(c)}{(n+K-1)!},$$

$h_n$ the sum of all monomials of degree n. Every term is positive, so nothing cancels, and
equal c are no special case. What is left out after n terms is at most P(Poisson(max c) > n) of
the whole.
"""

import math

import numpy as np
import torch
from torch import Tensor


def log_integral(exponents: Tensor) -> Tensor:
    """Return the logarithm of the integral, one for each row of [..., classes]."""
    excess, shift = _shifted(exponents)
    _, steps = _series(excess)
    return shift.squeeze(-1) + steps.cumsum(0).logsumexp(0) - math.lgamma(exponents.shape[-1])


def mean_point(exponents: Tensor) -> Tensor:
    """Return the mean of s under the density that is proportional to exp(c s), by row."""
    classes = exponents.shape[-1]
    # d/dc_k of a divided difference is the one with c_k twice.
    rows = exponents.unsqueeze(-2).expand(*exponents.shape, classes)
    twice = torch.cat([rows, exponents.unsqueeze(-1)], dim=-1)
    return (log_integral(twice) - log_integral(exponents).unsqueeze(-1)).exp()


def draw_points(exponents: Tensor, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw from that density, [count, classes], without approximation.

    Each monomial c^m of the series is the weight of one Dirichlet distribution, of parameters
    m + 1: a mixture. First n = sum m is drawn, then m, by a walk down the table of h_n.
    """
    # The largest first: then what the walk passes is a good part of its row.
    order = torch.argsort(exponents, descending=True)
    excess, _ = _shifted(exponents[order])
    table, steps = (part.numpy() for part in _series(excess))
    weights = np.exp(np.cumsum(steps) - np.cumsum(steps).max())
    degrees = rng.choice(len(weights), size=count, p=weights / weights.sum())
    powers = _walk(degrees, _stays(excess.numpy(), table, steps), rng)
    points = np.empty_like(powers)
    points[:, order.numpy()] = rng.standard_gamma(powers + 1)
    return points / points.sum(axis=1, keepdims=True)


def _shifted(exponents: Tensor) -> tuple[Tensor, Tensor]:
    """Return the exponents moved to 1 and above, and by how much."""
    shift = exponents.detach().amin(-1, keepdim=True) - 1
    return exponents - shift, shift


def _series(excess: Tensor) -> tuple[Tensor, Tensor]:
    """Return the terms times (K-1)!, in two parts, as they may leave the range of a double.

    First h_n of the first 1, 2, ... classes over h_n of all, [terms, ..., classes]; then by
    what, in logarithms, a term of all classes is larger than the one before, [terms, ...].
    """
    classes = excess.shape[-1]
    rows, steps = [torch.ones_like(excess)], [torch.zeros_like(excess[..., 0])]
    for degree in range(1, _count_terms(float(excess.detach().max()))):
        row = (excess * rows[-1]).cumsum(-1) / (degree + classes - 1)
        rows.append(row / row[..., -1:])
        steps.append(row[..., -1].log())
    return torch.stack(rows), torch.stack(steps)


def _count_terms(widest: float) -> int:
    # By Bernstein's inequality what is left out is below 1e-17 of the whole.
    return math.ceil(widest + 9 * math.sqrt(widest) + 30)


def _stays(excess: np.ndarray, table: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Return the chance that class k takes one more, at n left and the classes up to k."""
    divisors = np.arange(len(table))[1:, None] + len(excess) - 1
    grown = np.exp(steps[1:, None]) * table[1:]
    stays = np.zeros_like(table)
    np.divide(excess * table[:-1], divisors * grown, out=stays[1:], where=grown > 0)
    # The last one takes all that is left.
    stays[1:, 0] = 1
    return stays


def _walk(left: np.ndarray, stays: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Share out each count among the classes, from the last one to the first."""
    places = np.arange(len(left))
    at = np.full(len(left), stays.shape[1] - 1)
    powers = np.zeros((len(left), stays.shape[1]))
    while left.any():
        takes = rng.random(len(left)) < stays[left, at]
        powers[places, at] += takes
        left = left - takes
        at = np.where(takes | (left == 0), at, at - 1)
    return powers
