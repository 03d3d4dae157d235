r"""The density of a teacher's answers, $p(s) = C \prod_k g_k^{s_k}$, on four supports.

The student's probabilities g are its parameters; s are the teacher's probabilities. C depends
on where s may lie:

===================  ==========================================================================
support              $1 / C$, the integral of $\prod_k g_k^{s_k}$
===================  ==========================================================================
"simplex"            $\sum_k g_k / \prod_{j \ne k} \log(g_k / g_j)$, over ds_1 ... ds_{K-1}
"cube"               $\prod_k (1 - g_k) / \log(1/g_k)$, each s_k in [0, 1]
"orthant"            $\prod_k 1 / \log(1/g_k)$, each s_k >= 0
"shifted orthant"    $\prod_k 1 / (g_k \log(1/g_k))$, each s_k >= -1
===================  ==========================================================================

Probabilities of K classes lie on the simplex, so only the first is a statement on a teacher.
Everything is computed and returned in double precision; g need not sum to 1.

Source: Grabovoy and Strijov 2022, "Probabilistic Interpretation of the Distillation Problem",
doi:10.1134/S000511792201009X, for the density; the constants are integrated here.
"""

import math

import numpy as np
import torch
from jaxtyping import Float, Float64
from scipy.optimize import minimize
from torch import Tensor

from kdlab._checks import check_count, check_scores
from kdlab.privileged._simplex import draw_points, log_integral, mean_point
from kdlab.privileged._supports import (
    ROUNDING,
    SUPPORTS,
    check_one_row,
    inside,
    log_probabilities,
)

# The best g may be as small as exp(-1 / share), and a double ends at exp(-708).
_LEAST_SHARE = 0.002


def log_constant(
    probabilities: Float[Tensor, "*batch classes"], *, support: str
) -> Float64[Tensor, "*batch"]:
    r"""Return log C, with which $C \prod_k g_k^{s_k}$ integrates to 1.

    As exact where some g are equal, or nearly so, as elsewhere; differentiable in g, where the
    derivative by log g_k is minus the mean of s_k.

    Args:
        probabilities: g, the student's, each in (0, 1); on the simplex and the cube 1 is
            allowed.
        support: One of `SUPPORTS`.

    Returns:
        One number for each g.

    Raises:
        ValueError: probabilities is no tensor of floating point numbers, holds none, or one
            out of range; or there is no such support.
    """
    return _log_constant(log_probabilities(support, probabilities=probabilities), support)


def published_log_constant(
    probabilities: Float[Tensor, "*batch classes"],
) -> Float64[Tensor, "*batch"]:
    r"""Return the logarithm of the constant as the theorem prints it.

    $C = (-1)^K K^{K/2} 2^{-K(K-1)/2} \prod_k g_k \log g_k$. It is right on the shifted orthant
    for K = 1 and K = 2 and nowhere else; it is here so that this can be seen.

    Args and Raises as `log_constant`.
    """
    log_g = log_probabilities("shifted orthant", probabilities=probabilities)
    classes = log_g.shape[-1]
    factor = classes * math.log(classes) - classes * (classes - 1) * math.log(2)
    return factor / 2 + _log_constant(log_g, "shifted orthant")


def log_density(
    points: Float[Tensor, "*#batch classes"],
    probabilities: Float[Tensor, "*#batch classes"],
    *,
    support: str,
) -> Float64[Tensor, "..."]:
    r"""Return $\log p(s) = \log C + \sum_k s_k \log g_k$, and -inf where s is off the support.

    Args:
        points: s, the teacher's answers.
        probabilities: g, the student's, as in `log_constant`; gradients flow here.
        support: One of `SUPPORTS`.

    Returns:
        One number for each pair; leading dimensions broadcast.

    Raises:
        ValueError: points is no tensor of floating point numbers, or has other classes than
            probabilities; and as `log_constant`.
    """
    check_scores(points=points)
    log_g = log_probabilities(support, probabilities=probabilities)
    if points.shape[-1] != log_g.shape[-1]:
        raise ValueError(f"points must have {log_g.shape[-1]} classes, got {points.shape[-1]}")
    s = points.double()
    value = _log_constant(log_g, support) + (s * log_g).sum(-1)
    return value.masked_fill(~inside(s, support), -math.inf)


def mode_answer(
    probabilities: Float[Tensor, "*batch classes"], *, support: str
) -> Float64[Tensor, "*batch classes"]:
    """Return where the density is highest; that isn't s = g.

    On the simplex it is the corner of the largest g, or, where several are equal, the centre of
    the face on which the density is equally high; elsewhere the lowest corner, whatever g is.

    Args and Raises as `log_constant`.
    """
    log_g = log_probabilities(support, probabilities=probabilities)
    if support != "simplex":
        return torch.full_like(log_g, SUPPORTS[support][0])
    top = (log_g == log_g.amax(-1, keepdim=True)).double()
    return top / top.sum(-1, keepdim=True)


def mean_answer(
    probabilities: Float[Tensor, "*batch classes"], *, support: str
) -> Float64[Tensor, "*batch classes"]:
    r"""Return the mean of s; as exact where some g are equal as elsewhere.

    On the orthant $1 / \log(1/g_k)$, on the shifted one 1 less, on the cube $1/a - 1/(e^a - 1)$
    with $a = \log(1/g_k)$, on the simplex the slope of -log C by log g_k.

    Args and Raises as `log_constant`.
    """
    log_g = log_probabilities(support, probabilities=probabilities)
    if support == "simplex":
        return mean_point(log_g)
    if support == "cube":
        return mean_point(_with_one(log_g))[..., 0]
    return SUPPORTS[support][0] - 1 / log_g


def sample_answers(
    probabilities: Float[Tensor, "classes"], *, support: str, count: int, seed: int = 0
) -> Float64[Tensor, "count classes"]:
    """Draw points from the density, independently and without approximation.

    Args:
        probabilities: g, as in `log_constant`, of one student on one input.
        support: One of `SUPPORTS`.
        count: How many points.
        seed: The same seed gives the same points.

    Raises:
        ValueError: probabilities has more than one dimension; count is no whole number >= 1,
            or seed none >= 0; and as `log_constant`.
    """
    check_count(count=count)
    check_count(0, seed=seed)
    log_g = log_probabilities(support, probabilities=probabilities).detach().cpu()
    check_one_row(probabilities=probabilities)
    rng = np.random.default_rng(seed)
    if support == "simplex":
        points = draw_points(log_g, count, rng)
    else:
        points = _draw_axes(-log_g.numpy(), support, count, rng)
    return torch.from_numpy(points).to(probabilities.device)


def likeliest_student(
    teacher: Float[Tensor, "classes"], *, support: str
) -> Float64[Tensor, "classes"]:
    r"""Return the g, with sum 1, under which one teacher's answer s has the highest density.

    Cross-entropy is least at g = s. This density isn't: on the shifted orthant, as published,
    its constant pulls g toward uniform; on the simplex, where the constant is right, the best g
    is sharper than s.

    Args:
        teacher: s, probabilities in (0, 1) that sum to 1.
        support: One of `SUPPORTS`.

    Returns:
        g; its logarithm to about six digits.

    Raises:
        ValueError: teacher isn't such probabilities, or has a share below .002, for which the
            best g may be too small for a double; or there is no such support.
    """
    s = log_probabilities(support, teacher=teacher).detach().exp()
    check_one_row(teacher=teacher)
    if abs(float(s.sum()) - 1) > ROUNDING:
        raise ValueError(f"teacher must sum to 1, got {float(s.sum()):g}")
    if (least := float(s.min())) < _LEAST_SHARE:
        raise ValueError(f"teacher must be >= {_LEAST_SHARE} in each class, got {least:g}")
    # The mean of s_k is at most 1 / log(g_max / g_k): no log-ratio need be sought beyond.
    limits = [(-2 / least, 2 / least)] * len(s)
    tight = {"maxiter": 10_000, "maxfun": 10_000, "ftol": 1e-16, "gtol": 1e-12}
    settings = {"args": (s.cpu(), support), "jac": True, "bounds": limits, "options": tight}
    found = (minimize(_misfit, start, **settings) for start in _starts(s.cpu(), support))
    best = min(found, key=lambda one: one.fun)
    return torch.from_numpy(best.x).softmax(-1).to(s.device)


def _starts(s: Tensor, support: str) -> list[Tensor]:
    """Return the logits to search from: where there are several dips, more than those of s."""
    if support != "orthant":
        return [s.log()]
    # There each class in turn takes what the others leave of 1, they as their own axis has it.
    rows = (-1 / s).repeat(len(s), 1).fill_diagonal_(-math.inf)
    rows.diagonal().copy_(torch.log1p(-rows.exp().sum(-1)))
    return [s.log(), *rows[rows.amax(-1) < 0]]


def _misfit(logits: np.ndarray, s: Tensor, support: str) -> tuple[float, np.ndarray]:
    """Return minus log p(s) and its slope."""
    free = torch.from_numpy(logits).requires_grad_()
    log_g = free.log_softmax(-1)
    loss = -_log_constant(log_g, support) - (s * log_g).sum()
    loss.backward()
    return loss.item(), free.grad.numpy()


def _log_constant(log_g: Tensor, support: str) -> Tensor:
    if support == "simplex":
        return -log_integral(log_g)
    if support == "cube":
        return -log_integral(_with_one(log_g)).sum(-1)
    lowest = SUPPORTS[support][0]
    # From the corner s = lowest on; at the origin every g_k^{s_k} is 1.
    return (torch.log(-log_g) - lowest * log_g).sum(-1)


def _with_one(log_g: Tensor) -> Tensor:
    """Pair each g with 1: an edge [0, 1] of the cube is the simplex of two classes."""
    return torch.stack([log_g, torch.zeros_like(log_g)], dim=-1)


def _draw_axes(rates: np.ndarray, support: str, count: int, rng: np.random.Generator) -> np.ndarray:
    """Draw each coordinate from its (on the cube: cut off) exponential distribution."""
    # A rate of 0, that of g = 1, is uniform on the cube; so is this one, without 0/0.
    rates = np.maximum(rates, 1e-300)
    lowest, highest = SUPPORTS[support]
    share = -np.expm1(-rates * (highest - lowest))
    return lowest - np.log1p(-rng.random((count, len(rates))) * share) / rates
