"""An experiment's results: one JSON file, made from the units that have ended."""

import contextlib
from collections.abc import Iterable
from pathlib import Path

from kdlab._files import read_json, write_json
from kdlab.course import RESULTS
from kdlab.experiments.forms import check, spread
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.store import Store

_AND = " and "


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
    } | _curves(experiment, units)


def settings(experiment: Experiment) -> dict:
    """Return all that decides an experiment's numbers, and what each row shows, as JSON."""
    # Where it is as ever it isn't told: results of before keep their settings.
    digits = {} if experiment.digits == 1 else {"digits": experiment.digits}
    return digits | {
        "dataset": experiment.dataset,
        "counts": experiment.counts,
        "rows": {row.name: row.text for row in experiment.rows},
        "shown": {
            row.name: {"unit": row.unit, "number": row.number, "minus": row.minus}
            for row in experiment.rows
        },
        "units": {unit.name: unit.settings() for unit in experiment.units},
    }


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
    rows = [new | spread([*old["values"], *new["values"]]) for old, new in lines]
    both = {"rows": rows, "seeds": [*first["seeds"], *second["seeds"]]}
    if "curves" in second:
        news = second["curves"].items()
        both["curves"] = {name: [*first["curves"][name], *new] for name, new in news}
    return second | both | _spent(first, second)


def values(results: dict) -> dict[str, list[float]]:
    """Return the numbers of each row, one a seed, by the row's name."""
    check(results)
    return {row["row"]: row["values"] for row in results["rows"]}


def curves(results: dict) -> dict[str, list[list[float]]]:
    """Return what trials found several numbers of in a row, one such row a seed, by its name.

    The name is that of the trial and its own with a hyphen between; there are none of networks.
    """
    check(results)
    return results.get("curves", {})


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


def _units(experiment: Experiment, runs: Path, seed: int) -> dict[str, dict] | None:
    stores = {unit.name: Store(runs, experiment, unit, seed) for unit in experiment.units}
    if not all(store.ended() for store in stores.values()):
        return None
    return {name: store.result() for name, store in stores.items()}


def _curves(experiment: Experiment, units: dict[int, dict[str, dict]]) -> dict:
    found = {
        f"{unit.name}-{curve}": [named[unit.name]["numbers"][curve] for named in units.values()]
        for unit in experiment.units
        for curve in unit.curves
    }
    return {"curves": found} if found else {}


def _row(row: Row, units: list[dict[str, dict]]) -> dict:
    said = {"row": row.name, "published": row.published, "source": row.source}
    return said | spread([_value(row, named) for named in units])


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
