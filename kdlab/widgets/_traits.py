"""Synced values that say what is wrong: ``temperature must be in [0.1, 100], got 0``."""

import operator
from collections.abc import Callable

import traitlets

from kdlab._checks import check_choice

TEMPERATURES = (0.1, 100.0)
FARTHEST = 100.0


class Number(traitlets.TraitType):
    """A float in [low, high]."""

    def __init__(self, low: float, high: float, default: float) -> None:
        super().__init__(default)
        self.low, self.high = low, high

    def validate(self, view, value) -> float:
        """Return the value as a float; raise ValueError outside [low, high]."""
        number = None if isinstance(value, (str, bytes, bool)) else _convert(float, value)
        if number is None or not self.low <= number <= self.high:
            wanted = f"in [{self.low:g}, {self.high:g}]"
            raise ValueError(f"{self.name} must be {wanted}, got {value!r}")
        return number


class Index(traitlets.TraitType):
    """A whole number in [0, count(view))."""

    def __init__(self, count: Callable[..., int]) -> None:
        super().__init__(0)
        self.count = count

    def validate(self, view, value) -> int:
        """Return the value as an int; raise ValueError outside [0, count)."""
        count = self.count(view)
        index = None if isinstance(value, bool) else _convert(operator.index, value)
        if index is None or not 0 <= index < count:
            wanted = f"a whole number in [0, {count})"
            raise ValueError(f"{self.name} must be {wanted}, got {value!r}")
        return index


class Choice(traitlets.TraitType):
    """One of several values; the first is the default."""

    def __init__(self, choices: tuple) -> None:
        super().__init__(choices[0])
        self.choices = choices

    def validate(self, view, value) -> object:
        """Return the value; raise ValueError for any other."""
        check_choice(self.choices, **{self.name: value})
        return value


class Points(traitlets.TraitType):
    """A list of count(view) pairs of numbers, each at most 100 away from 0."""

    def __init__(self, count: Callable[..., int]) -> None:
        super().__init__([])
        self.count = count

    def validate(self, view, value) -> list[list[float]]:
        """Return the pairs as lists of floats; raise ValueError for anything else."""
        points = _convert(lambda rows: [[float(x) for x in row] for row in rows], value)
        whole = points is not None and all(len(row) == 2 for row in points)
        if not whole or not all(abs(x) <= FARTHEST for row in points for x in row):
            wanted = f"pairs of numbers in [-{FARTHEST:g}, {FARTHEST:g}]"
            raise ValueError(f"{self.name} must be {wanted}, got {value!r}")
        if len(points) != self.count(view):
            raise ValueError(f"{self.name} must be {self.count(view)} points, got {len(points)}")
        return points


def temperature(default: float = 1.0) -> Number:
    """Make the trait of T, 0.1 to 100, synced with the browser."""
    return Number(*TEMPERATURES, default).tag(sync=True)


def _convert(kind, value):
    try:
        return kind(value)
    except (TypeError, ValueError):
        return None
