"""What the results of an experiment look like, and the spread of a row's values."""

import math
from collections.abc import Sequence
from statistics import fmean, stdev

from scipy.stats import t

FIELDS = ("experiment", "rows", "seeds", "settings", "versions", "hardware", "seconds")
ROW_FIELDS = ("row", "published", "source", "values", "mean", "interval")


def spread(values: list[float]) -> dict:
    """Return the values of a row with their mean and its interval."""
    return {"values": values, "mean": round(fmean(values), 3), "interval": interval(values)}


def interval(values: Sequence[float], *, level: float = 0.95) -> list[float] | None:
    """Return the interval in which the mean lies at a level, by Student's t.

    Args:
        values: One a seed, taken as draws of a normal distribution.
        level: For example 0.95.

    Returns:
        Lower and upper end; None for a single value, which tells nothing of the spread.
    """
    if len(values) < 2:
        return None
    half = float(t.ppf((1 + level) / 2, len(values) - 1)) * stdev(values) / math.sqrt(len(values))
    return [round(fmean(values) - half, 3), round(fmean(values) + half, 3)]


def check(results: dict) -> None:
    """Raise ValueError unless it has the form that `collect` gives."""
    if not isinstance(results, dict):
        raise ValueError(f"results must be what load_results returns, got {type(results).__name__}")
    _check_fields(results, FIELDS, "results")
    _check_fields(results["settings"], ("counts", "rows"), "settings")
    _check_fields(results["versions"], ("torch",), "versions")
    for name in ("rows", "seeds"):
        if not isinstance(results[name], list):
            raise ValueError(f"{name} must be a list, got {type(results[name]).__name__}")
    for row in results["rows"]:
        _check_fields(row, ROW_FIELDS, "a row")
        _check_values(row, len(results["seeds"]))
    for name, curve in results.get("curves", {}).items():
        if not isinstance(curve, list) or len(curve) != len(results["seeds"]):
            raise ValueError(f"curve {name} must have {len(results['seeds'])} rows, one a seed")


def _check_values(row: dict, seeds: int) -> None:
    """Raise ValueError where a row's mean is not that of its values, one for each seed."""
    values = row["values"]
    whole = isinstance(values, list) and all(type(value) in (int, float) for value in values)
    if not whole or len(values) != seeds:
        raise ValueError(f"values of {row['row']} must be {seeds} numbers, got {values!r}")
    if spread(values) != {name: row[name] for name in ("values", "mean", "interval")}:
        raise ValueError(f"{row['row']} must have the mean and interval of its values")


def _check_fields(found: object, wanted: Sequence[str], what: str) -> None:
    missing = [name for name in wanted if not isinstance(found, dict) or name not in found]
    if missing:
        raise ValueError(f"{what} must have {missing[0]!r}")
