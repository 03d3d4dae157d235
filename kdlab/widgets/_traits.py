"""Synced values that say what is wrong: ``temperature must be in [0.1, 100], got 0``."""

import operator
from collections.abc import Callable

import traitlets

from kdlab._checks import check_choice

TEMPERATURES = (0.1, 100.0)
FARTHEST = 100.0
#: A smaller share of a teacher's answer, and its likeliest student may be too small for a double.
LEAST_SHARE = 0.002
ROUNDING = 1e-6


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


class Numbers(traitlets.TraitType):
    """A list of count(view) numbers, each at most 100 away from 0."""

    def __init__(self, count: Callable[..., int]) -> None:
        super().__init__([])
        self.count = count

    def validate(self, view, value) -> list[float]:
        """Return the numbers as floats; raise ValueError for anything else."""
        numbers = _floats(value)
        if numbers is None or not all(abs(x) <= FARTHEST for x in numbers):
            wanted = f"numbers in [-{FARTHEST:g}, {FARTHEST:g}]"
            raise ValueError(f"{self.name} must be {wanted}, got {value!r}")
        if len(numbers) != self.count(view):
            raise ValueError(f"{self.name} must be {self.count(view)} numbers, got {len(numbers)}")
        return numbers


class Flags(traitlets.TraitType):
    """A list of count(view) times True or False."""

    def __init__(self, count: Callable[..., int]) -> None:
        super().__init__([])
        self.count = count

    def validate(self, view, value) -> list[bool]:
        """Return the list; raise ValueError for anything else."""
        flags = _convert(list, value)
        whole = flags is not None and all(isinstance(flag, bool) for flag in flags)
        if not whole or len(flags) != self.count(view):
            wanted = f"{self.count(view)} times True or False"
            raise ValueError(f"{self.name} must be {wanted}, got {value!r}")
        return flags


class Shares(traitlets.TraitType):
    """A list of so many probabilities, none below .002, that sum to 1."""

    def __init__(self, count: int) -> None:
        super().__init__([1 / count] * count)
        self.count = count

    def validate(self, view, value) -> list[float]:
        """Return the shares as floats; raise ValueError for anything else."""
        shares = _floats(value)
        if shares is None or len(shares) != self.count:
            raise ValueError(f"{self.name} must be {self.count} shares, got {value!r}")
        # Single precision rounds .002, too.
        if not all(share >= LEAST_SHARE - ROUNDING for share in shares):
            raise ValueError(f"{self.name} must be >= {LEAST_SHARE} in each class, got {value!r}")
        if not abs(sum(shares) - 1) <= ROUNDING:
            raise ValueError(f"{self.name} must sum to 1, got {sum(shares):g}")
        return shares


def temperature(default: float = 1.0) -> Number:
    """Make the trait of T, 0.1 to 100, synced with the browser."""
    return Number(*TEMPERATURES, default).tag(sync=True)


def _floats(value) -> list[float] | None:
    return _convert(lambda numbers: [float(x) for x in numbers], value)


def _convert(kind, value):
    try:
        return kind(value)
    except (TypeError, ValueError):
        return None
