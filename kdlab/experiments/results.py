"""An experiment's results: one JSON file, made from the units that have ended."""

import contextlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import fmean, stdev

from scipy.stats import t

from kdlab._files import read_json, write_json
from kdlab.course import RESULTS
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.store import Store

FIELDS = ("experiment", "rows", "seeds", "settings", "versions", "hardware", "seconds")
_AND = " and "
ROW_FIELDS = ("row", "published", "source", "values", "mean", "interval")


def collect(experiment: Experiment, runs: Path, seeds: Iterable[int]) -> dict:
    """Return the results over the seeds of which every unit has ended.

    Raises:
        ValueError: There is no such seed.
    """
    whole = [seed for seed in seeds if _units(experiment, runs, seed)]
    if not whole:
        raise ValueError(f"no seed of {experiment.name} has ended in {runs}")
    units = {seed: _units(experiment, runs, seed) for seed in whole}
    every = [unit for named in units.values() for unit in named.values()]
    return {
        "experiment": experiment.name,
        "rows": [_row(row, [units[seed] for seed in whole]) for row in experiment.rows],
        "seeds": whole,
        "settings": settings(experiment),
        "versions": {k: _one(unit["versions"][k] for unit in every) for k in every[0]["versions"]},
        "hardware": _one(unit["hardware"] for unit in every),
        "seconds": round(sum(unit["seconds"] for unit in every), 1),
    }


def settings(experiment: Experiment) -> dict:
    """Return all that decides an experiment's numbers, and what each row shows, as JSON."""
    return {
        "dataset": experiment.dataset,
        "counts": experiment.counts,
        "rows": {row.name: row.text for row in experiment.rows},
        "shown": {
            row.name: {"unit": row.unit, "number": row.number, "minus": row.minus}
            for row in experiment.rows
        },
        "units": {unit.name: unit.settings() for unit in experiment.units},
    }


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


def write(results: dict, folder: Path) -> Path:
    """Write results; what another run left there is kept.

    The same settings over more seeds stay where they are, and the new results get another
    name; anything else that lies there gets one.

    Returns:
        The file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{results['experiment']}.json"
    if path.exists() and not _holds(path, results):
        if _says_more(path, results):
            path = _free_name(path)
        else:
            path.replace(_free_name(path))
    write_json(path, results)
    return path


def join(first: dict, second: dict) -> dict:
    """Return the results over the seeds of both, which must be of the same settings.

    Raises:
        ValueError: Their settings differ, or a seed is in both.
    """
    for results in (first, second):
        check(results)
    if first["settings"] != second["settings"]:
        raise ValueError("results must be of the same settings to be joined")
    if twice := sorted(set(first["seeds"]) & set(second["seeds"])):
        raise ValueError(f"results must be of different seeds to be joined, got {twice[0]} twice")
    lines = zip(first["rows"], second["rows"], strict=True)
    rows = [new | _spread([*old["values"], *new["values"]]) for old, new in lines]
    seeds = [*first["seeds"], *second["seeds"]]
    return second | {"rows": rows, "seeds": seeds} | _spent(first, second)


def values(results: dict) -> dict[str, list[float]]:
    """Return the numbers of each row, one a seed, by the row's name."""
    check(results)
    return {row["row"]: row["values"] for row in results["rows"]}


def load(name: str, folder: str | Path = RESULTS) -> dict:
    """Read an experiment's results.

    Args:
        name: The experiment's.
        folder: Where results lie; the course's own by default.

    Raises:
        ValueError: There are none, or the file isn't what `collect` makes.
    """
    path = Path(folder) / f"{name}.json"
    if not path.exists():
        raise ValueError(f"{path} is not there; `python -m kdlab.experiments run {name}` makes it")
    results = read_json(path)
    try:
        check(results)
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    if results["experiment"] != name:
        raise ValueError(f"{path} must be of {name!r}, got {results['experiment']!r}")
    return results


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


def _check_values(row: dict, seeds: int) -> None:
    """Raise ValueError where a row's mean is not that of its values, one for each seed."""
    values = row["values"]
    whole = isinstance(values, list) and all(type(value) in (int, float) for value in values)
    if not whole or len(values) != seeds:
        raise ValueError(f"values of {row['row']} must be {seeds} numbers, got {values!r}")
    if _spread(values) != {name: row[name] for name in ("values", "mean", "interval")}:
        raise ValueError(f"{row['row']} must have the mean and interval of its values")


def _check_fields(found: object, wanted: Sequence[str], what: str) -> None:
    missing = [name for name in wanted if not isinstance(found, dict) or name not in found]
    if missing:
        raise ValueError(f"{what} must have {missing[0]!r}")


def _units(experiment: Experiment, runs: Path, seed: int) -> dict[str, dict] | None:
    stores = {unit.name: Store(runs, experiment, unit, seed) for unit in experiment.units}
    if not all(store.ended() for store in stores.values()):
        return None
    return {name: store.result() for name, store in stores.items()}


def _row(row: Row, units: list[dict[str, dict]]) -> dict:
    said = {"row": row.name, "published": row.published, "source": row.source}
    return said | _spread([_value(row, named) for named in units])


def _spread(values: list[float]) -> dict:
    return {"values": values, "mean": round(fmean(values), 3), "interval": interval(values)}


def _spent(first: dict, second: dict) -> dict:
    """Return on what both were measured, and for how long."""
    names = second["versions"] | first["versions"]
    return {
        "versions": {name: _either(name, first["versions"], second["versions"]) for name in names},
        "hardware": _either("hardware", first, second),
        "seconds": round(first["seconds"] + second["seconds"], 1),
    }


def _either(name: str, *results: dict) -> str:
    """Return what is said under a name; several texts, where they differ."""
    return _one(text for one in results if name in one for text in one[name].split(_AND))


def _value(row: Row, named: dict[str, dict]) -> float:
    value = named[row.unit]["numbers"][row.number]
    return value - named[row.minus]["numbers"][row.number] if row.minus else value


def _one(said: Iterable[str]) -> str:
    """Return what all say; several, where they differ."""
    return _AND.join(dict.fromkeys(said))


def _holds(path: Path, results: dict) -> bool:
    with contextlib.suppress(ValueError):
        return read_json(path) == results
    return False


def _says_more(path: Path, results: dict) -> bool:
    with contextlib.suppress(ValueError):
        found = load(path.stem, path.parent)
        same = found["settings"] == results["settings"]
        return same and set(found["seeds"]) > set(results["seeds"])
    return False


def _free_name(path: Path) -> Path:
    number = 1
    while (other := path.with_name(f"{path.stem}.{number}.json")).exists():
        number += 1
    return other
