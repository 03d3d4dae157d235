"""What a path's result reads like: the same sentences as in the browser."""

import math
from collections.abc import Iterable, Mapping

from kdlab.schemes.paths import Path
from kdlab.widgets._paths import PathResult


def arrow(path: Iterable[int]) -> str:
    """Write a path as 10→6→2; without spaces, so that no line breaks inside."""
    return "\u2192".join(map(str, path))


def rounded(value: float, digits: int = 1) -> str:
    """Write a number with so many digits after the point; a half goes up, as in the browser."""
    unit = 10**digits
    return f"{math.floor(value * unit + 0.5) / unit:,.{digits}f}"


def signed(value: float) -> str:
    """Write a difference with its sign."""
    text = rounded(abs(value))
    sign = "" if text == "0.0" else "+" if value > 0 else "\u2212"
    return sign + text


def spread(value: str, deviation: float | None) -> str:
    """Add the spread to a number, where there is one."""
    return value if deviation is None else f"{value} \u00b1 {rounded(deviation)}"


def verdict(path: Path, result: PathResult) -> str:
    """Say whether a path is told apart from the direct one."""
    direct = arrow((path[0], path[-1]))
    if len(path) == 2:
        return "The direct path itself."
    if result.standard_error is None:
        return (
            f"{signed(result.difference)} beside {direct}: not told apart, one seed has no spread."
        )
    told = f"{spread(signed(result.difference), result.standard_error)} (SE) beside {direct}"
    if not result.apart:
        return f"{told}: not told apart, below 2 standard errors."
    return f"{told}: {'fewer' if result.difference < 0 else 'more'} errors."


def alike(path: Path, compared: Mapping[Path, PathResult]) -> str:
    """Say from which others a path is not told apart."""
    others, alike = len(compared) - 1, compared[path].alike
    if not others:
        return ""
    if not alike:
        return " Told apart from every other path."
    if len(alike) == others:
        return " Not told apart from any other path."
    listed = ", ".join(arrow(other) for other in compared if other in alike)
    return f" Not told apart from {listed}."


def tell(path: Path, compared: Mapping[Path, PathResult], *, examples: int, seeds: int) -> str:
    """Say what a path comes to."""
    networks = f"{len(path)} networks a seed: the teacher, {_assistants(path)}the student."
    if path not in compared:
        return f"{arrow(path)}: not measured. {networks}"
    result = compared[path]
    errors = spread(rounded(result.mean), result.deviation)
    share = rounded(100 * result.mean / examples, 2)
    over = f"over {seeds} seeds (mean \u00b1 SD)" if seeds > 1 else "of one seed, no spread"
    return (
        f"{arrow(path)}: {errors} errors of {examples:,} ({share} %) {over}, "
        f"rank {result.rank} of {len(compared)}. "
        f"{verdict(path, result)}{alike(path, compared)} {networks}"
    )


def _assistants(path: Path) -> str:
    between = len(path) - 2
    return f"{between} assistant{'s' if between > 1 else ''}, " if between else ""
