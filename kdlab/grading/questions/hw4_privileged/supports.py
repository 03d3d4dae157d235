"""Constants of C prod g^s that belong elsewhere, for questions 4 and 5: wrong on the simplex."""

import math

import torch
from torch import Tensor, tensor

from kdlab import privileged
from kdlab.grading.spec import Case, Comparison, Mistake

# The cases hold doubles, but an integral by quadrature is right too.
CLOSE = Comparison(
    rtol=1e-4,
    atol=1e-6,
    reason="four digits, so that a numerical integral of a thousand points is enough",
)


def constant(g: Tensor, support: str = "simplex") -> Tensor:
    """Return C, one for each row."""
    return privileged.log_constant(g, support=support).exp()


def rows_case(name: str, *rows, weight: float = 1.0, extreme: bool = False) -> Case:
    """Return a case of so many rows g, in doubles."""
    given = {"probabilities": tensor(rows, dtype=torch.float64)}
    return Case(name, given, weight, extreme=extreme)


def _of(support: str) -> Mistake:
    where = {
        "cube": "from 0 to 1 for each class by itself",
        "orthant": "over all s >= 0",
        "shifted orthant": "over all s >= -1",
    }
    because = (
        f"This is 1 over the integral {where[support]}. A teacher's probabilities sum to 1: the "
        "last of them is no variable of its own."
    )
    return Mistake(f"the constant of the {support}", because, (lambda g: constant(g, support),))


ELSEWHERE = tuple(map(_of, ("cube", "orthant", "shifted orthant")))


def turned(dimensions: int, name: str) -> tuple[Mistake, ...]:
    """Return what goes wrong with the right integral, of so many dimensions."""
    return *_UPSIDE_DOWN, _measured(math.sqrt(dimensions + 1), name), _in_base(dimensions)


_UPSIDE_DOWN = (
    Mistake(
        "the integral instead of the constant",
        "With C the integral is 1: C is 1 over it.",
        (lambda g: 1 / constant(g),),
    ),
    Mistake("the logarithm of C", "Asked for is C itself.", (lambda g: constant(g).log(),)),
)


def _measured(root: float, name: str) -> Mistake:
    return Mistake(
        f"measured along the {name}",
        f"The integral is over ds_1 ... ds_(K-1). The {name} in the space of all s is larger "
        "by a factor of sqrt(K), which is left out.",
        (lambda g: constant(g) / root, lambda g: constant(g) * root),
    )


def _in_base(dimensions: int) -> Mistake:
    return Mistake(
        "another base",
        "The derivative of g^s by s has the natural logarithm of g.",
        tuple(lambda g, base=base: constant(g) / math.log(base) ** dimensions for base in (2, 10)),
    )
