"""Paths of networks from a large one to a small one, and what they share."""

from collections.abc import Iterable, Sequence
from itertools import combinations

from kdlab._checks import check_count, check_length

#: Sizes of networks, each taught by the one before it: the first learns from labels.
Path = tuple[int, ...]


def all_paths(sizes: Sequence[int], *, end: int | None = None) -> tuple[Path, ...]:
    """Return every way from the largest size down to the smallest, short ones first.

    Four sizes have four ways: straight, over either of the two in between, and over both.

    Args:
        sizes: Different whole numbers, at least two.
        end: Where the ways end; None is the smallest.

    Raises:
        ValueError: A size is no positive whole number or comes twice, there are fewer than two,
            or end is none of them or the largest.
    """
    down = sorted(_checked(sizes), reverse=True)
    check_length(2, sizes=down)
    last = down[-1] if end is None else end
    if last not in down[1:]:
        raise ValueError(f"end must be one of {down[1:]}, got {end!r}")
    between = down[1 : down.index(last)]
    chosen = (way for count in range(len(between) + 1) for way in combinations(between, count))
    return tuple((down[0], *way, last) for way in chosen)


def prefixes(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return what has to be trained for some paths: all their beginnings, each once.

    They come in an order in which a network's teacher is before it. Their number is the cost of
    the paths in networks: all ways down n sizes need 2^(n - 1).
    """
    every = [path[:length] for path in paths for length in range(1, len(path) + 1)]
    return tuple(sorted(dict.fromkeys(every), key=len))


def check_paths(paths: Iterable[Path]) -> tuple[Path, ...]:
    """Return paths as tuples.

    Raises:
        ValueError: There is none, one is empty, or a size is no positive whole number.
    """
    if isinstance(paths, (str, bytes)) or not isinstance(paths, Iterable):
        raise ValueError(f"paths must be tuples of sizes, got {paths!r}")
    found = []
    for number, path in enumerate(paths):
        if not isinstance(path, (tuple, list)) or not path:
            raise ValueError(f"paths[{number}] must be a tuple of sizes, got {path!r}")
        check_count(**{f"paths[{number}][{i}]": size for i, size in enumerate(path)})
        found.append(tuple(path))
    check_length(1, paths=found)
    return tuple(found)


def _checked(sizes: Sequence[int]) -> list[int]:
    if not isinstance(sizes, (tuple, list)):
        raise ValueError(f"sizes must be a tuple, got {sizes!r}")
    check_count(**{f"sizes[{i}]": size for i, size in enumerate(sizes)})
    if len(set(sizes)) != len(sizes):
        raise ValueError(f"sizes must be different, got {sizes!r}")
    return list(sizes)
