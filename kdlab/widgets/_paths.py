"""What paths of assistants come to, over seeds, each beside the direct one: numbers only."""

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import pairwise
from typing import NamedTuple

from kdlab._checks import check_count, check_length
from kdlab.schemes.paths import Path

#: How many standard errors a difference needs, so that two paths count as told apart.
ERRORS_APART = 2
MOST_SIZES = 5


class PathResult(NamedTuple):
    """One path's student over seeds.

    Attributes:
        mean: Test errors.
        deviation: Their standard deviation over seeds; None of one seed.
        difference: Errors more than the direct path has, seed by seed; below 0 is fewer.
        standard_error: Of the difference; None of one seed.
        apart: The difference is at least twice its standard error.
        rank: 1 and how many paths have a lower mean.
        networks: How many are trained for it, the teacher and the student among them.
        alike: The other paths that are not told apart from it.
    """

    mean: float
    deviation: float | None
    difference: float
    standard_error: float | None
    apart: bool
    rank: int
    networks: int
    alike: tuple[Path, ...]


def mean_of(values: Sequence[float]) -> float:
    """Return the mean."""
    return sum(values) / len(values)


def deviation_of(values: Sequence[float]) -> float | None:
    """Return the standard deviation of a sample; None of one value, which has no spread."""
    if len(values) < 2:
        return None
    mean = mean_of(values)
    return math.sqrt(sum((value - mean) ** 2 for value in values) / (len(values) - 1))


def difference_of(
    first: Sequence[float], second: Sequence[float]
) -> tuple[float, float | None, bool]:
    """Return the mean of first - second, its standard error, and whether it tells them apart."""
    pairs = [a - b for a, b in zip(first, second, strict=True)]
    mean, deviation = mean_of(pairs), deviation_of(pairs)
    if deviation is None:
        return mean, None, False
    error = deviation / math.sqrt(len(pairs))
    return mean, error, mean != 0 and abs(mean) >= ERRORS_APART * error


def compare(results: Mapping[Path, Sequence[float]]) -> dict[Path, PathResult]:
    """Return every path's result, those with fewer errors first."""
    means = {path: mean_of(errors) for path, errors in results.items()}
    order = sorted(results, key=lambda path: (means[path], len(path)))
    return {path: _beside(path, results, means) for path in order}


def _beside(
    path: Path, results: Mapping[Path, Sequence[float]], means: Mapping[Path, float]
) -> PathResult:
    mine, direct = results[path], results[path[0], path[-1]]
    others = (other for other in results if other != path)
    return PathResult(
        means[path],
        deviation_of(mine),
        *difference_of(mine, direct),
        rank=1 + sum(mean < means[path] for mean in means.values()),
        networks=len(path),
        alike=tuple(other for other in others if not difference_of(mine, results[other])[2]),
    )


def sizes_of(paths: Iterable[Path]) -> tuple[int, ...]:
    """Return all sizes that the paths go over, the largest first."""
    return tuple(sorted({size for path in paths for size in path}, reverse=True))


def check_results(
    results: Mapping[Path, Sequence[float]], examples: int
) -> dict[Path, tuple[float, ...]]:
    """Return the errors of each path as tuples of floats.

    Raises:
        ValueError: A path is no tuple of sizes that fall, the paths don't have one teacher and
            one student, there is no direct one, there are too many sizes, or errors are not one
            number in [0, examples] for each seed.
    """
    check_count(examples=examples)
    if not isinstance(results, Mapping):
        raise ValueError(f"results must map paths to lists of errors, got {results!r}")
    check_length(1, results=results)
    for path in results:
        _check_path(path)
    _check_ends(results)
    checked = {
        path: checked_errors(f"results[{path}]", results[path], examples) for path in results
    }
    _check_seeds(checked)
    return checked


def checked_errors(name: str, errors: Sequence[float], examples: int) -> tuple[float, ...]:
    """Return errors as floats, or raise ValueError for what is no number in [0, examples]."""
    if isinstance(errors, (str, bytes)) or not isinstance(errors, Iterable):
        raise ValueError(f"{name} must be a list of errors, one a seed, got {errors!r}")
    listed = list(errors)
    check_length(1, **{name: listed})
    return tuple(_number(f"{name}[{i}]", value, examples) for i, value in enumerate(listed))


def _number(name: str, value: float, examples: int) -> float:
    try:
        number = math.nan if isinstance(value, (str, bytes, bool)) else float(value)
    except (TypeError, ValueError):
        number = math.nan
    if not 0 <= number <= examples:
        raise ValueError(f"{name} must be in [0, {examples}], got {value!r}")
    return number


def _check_path(path: object) -> None:
    wanted = "results must be keyed by tuples of at least 2 sizes that fall"
    if not isinstance(path, tuple) or len(path) < 2:
        raise ValueError(f"{wanted}, got {path!r}")
    check_count(**{f"results: size {i} of {path}": size for i, size in enumerate(path)})
    if any(before <= after for before, after in pairwise(path)):
        raise ValueError(f"{wanted}, got {path!r}")


def _check_ends(results: Mapping[Path, Sequence[float]]) -> None:
    ends = {(path[0], path[-1]) for path in results}
    if len(ends) > 1:
        came = " and ".join(str(pair) for pair in sorted(ends, reverse=True))
        raise ValueError(f"results must go from one teacher to one student, got ends {came}")
    [direct] = ends
    if direct not in results:
        raise ValueError(f"results must hold the direct path {direct}, got {[*results]}")
    sizes = sizes_of(results)
    if len(sizes) > MOST_SIZES:
        raise ValueError(f"results must have at most {MOST_SIZES} sizes, got {[*sizes]}")


def _check_seeds(results: Mapping[Path, Sequence[float]]) -> None:
    [direct] = (path for path in results if len(path) == 2)
    seeds = len(results[direct])
    for path, errors in results.items():
        if len(errors) != seeds:
            wanted = f"{seeds} numbers, one a seed, as {direct} has"
            raise ValueError(f"results[{path}] must hold {wanted}, got {len(errors)}")
