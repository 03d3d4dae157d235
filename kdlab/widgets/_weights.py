"""How strongly each of several learners hears each other: a row of weights for each learner."""

import math
from collections.abc import Sequence

from torch import Tensor

from kdlab._checks import check_fraction
from kdlab.losses.peers import check_weights

#: A row for each learner, a column for each learner and then the teacher's.
Table = tuple[tuple[float, ...], ...]
FINEST = 1_000_000


def even(lambda_: float, learners: int, heard: int) -> Table:
    """Share a weight evenly between all that a learner hears."""
    check_fraction(weights=lambda_)
    share = lambda_ / (heard - 1)
    return tuple(tuple(share * (j != k) for j in range(heard)) for k in range(learners))


def give_way(row: Sequence[float], index: int, value: float) -> tuple[float, ...]:
    """Set one weight of a row; where the sum would pass 1, the others shrink in proportion."""
    others = sum(weight for i, weight in enumerate(row) if i != index)
    if others + value <= 1:
        return tuple(value if i == index else weight for i, weight in enumerate(row))
    scale = (1 - value) / others
    # Rounded down: never more than 1 together, and short to read.
    smaller = [math.floor(weight * scale * FINEST) / FINEST for weight in row]
    return tuple(value if i == index else weight for i, weight in enumerate(smaller))


def check_table(name: str, value: object, learners: int, heard: int) -> Table:
    """Return a table of weights as tuples of floats.

    Raises:
        ValueError: It has another shape, a weight is outside [0, 1], a row is more than 1
            together, or a learner is to hear itself.
    """
    table = _converted(value)
    if table is None or len(table) != learners:
        wanted = f"{learners} rows of {heard} numbers, a row for each learner"
        raise ValueError(f"{name} must be {wanted}, got {value!r}")
    for k, row in enumerate(table):
        check_weights(heard, **{f"{name}[{k}]": row})
        if row[k]:
            raise ValueError(f"{name}[{k}][{k}] must be 0: no one teaches itself, got {row[k]:g}")
    return table


def _converted(value: object) -> Table | None:
    rows = value.tolist() if isinstance(value, Tensor) else value
    try:
        return tuple(tuple(map(_number, row)) for row in rows)
    except (TypeError, ValueError):
        return None


def _number(value: object) -> float:
    if isinstance(value, (str, bytes, bool)):
        raise TypeError
    return float(value)
