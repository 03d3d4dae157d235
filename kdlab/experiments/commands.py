"""What each command of ``python -m kdlab.experiments`` does with its options."""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from kdlab._checks import check_count
from kdlab.data.places import cache_folder
from kdlab.experiments import NAMES, cost, find_experiment, results, tables
from kdlab.experiments.bar import Bar
from kdlab.experiments.cluster import run_on_cluster
from kdlab.experiments.processes import run_in_processes
from kdlab.experiments.running import Watch, Work, load_all
from kdlab.experiments.running import run as run_here
from kdlab.experiments.spec import Experiment

_TRIAL = "A trial of one epoch on digits: these numbers say nothing, and nothing is kept."


def list_all(options: argparse.Namespace) -> None:
    """Print every experiment: its question, its paper, about how long it takes."""
    ended: frozenset[str] = frozenset()
    for name in NAMES:
        experiment = find_experiment(name)
        print(f"{name}\n    {experiment.measures}\n    Beside: {experiment.paper}")
        print(f"    {_estimate(experiment, ended)}{_measured_in(name, options.results)}\n")
        ended |= {experiment.fingerprint(unit, 0) for unit in experiment.units}


def run(options: argparse.Namespace) -> None:
    """Train what is missing, write the results, print the table."""
    experiment = find_experiment(options.name)
    known = _known(options, experiment)
    seeds = _seeds(options, experiment, known)
    _check_machine(options)
    _check_folders(results=options.results, runs=options.runs)
    if options.quick:
        with tempfile.TemporaryDirectory(prefix="kdlab-quick-") as folder:
            found = _trained(options, quick(experiment), Path(folder), seeds)
        print(tables.Table(found), _TRIAL, sep="\n")
        return
    # Now, and not after hours of training.
    options.results.mkdir(parents=True, exist_ok=True)
    found = _trained(options, experiment, options.runs or cache_folder() / "runs", seeds)
    found = results.join(known, found) if known else found
    print(tables.Table(found), results.write(found, options.results), sep="\n")


def _check_folders(**named: Path | None) -> None:
    for name, path in named.items():
        if path is not None and path.exists() and not path.is_dir():
            raise ValueError(f"--{name} must be a folder, got the file {path}")


def _trained(
    options: argparse.Namespace, experiment: Experiment, runs: Path, seeds: Sequence[int]
) -> dict:
    with Bar(experiment, runs, seeds, file=sys.stderr) as bar:
        _train(options, experiment, runs, seeds, bar.watch)
    return results.collect(experiment, runs, seeds)


def table(options: argparse.Namespace) -> None:
    """Print the tables of what has been measured.

    Raises:
        ValueError: Nothing has been, or a file is damaged; the others are printed.
    """
    names = [find_experiment(options.name).name] if options.name else _measured(options.results)
    if not names:
        raise ValueError(f"{options.results} holds no results; `run NAME` makes them")
    broken = []
    for name in names:
        try:
            found = tables.Table(results.load(name, options.results))
        except ValueError as error:
            # It does not hide the others.
            broken.append(str(error))
        else:
            title = "" if options.name else f"### {name}\n\n" if options.markdown else f"{name}\n"
            print(title + (found.markdown if options.markdown else str(found)), end="\n\n")
    if broken:
        raise ValueError("\n".join(broken))


def quick(experiment: Experiment) -> Experiment:
    """Return an experiment that is done in a minute or two: one epoch each, on digits."""
    units = tuple(unit.quick() for unit in experiment.units)
    # What was published on other data must not stand beside it.
    rows = tuple(replace(row, published=None, source="") for row in experiment.rows)
    return replace(experiment, dataset=experiment.dataset and "digits", units=units, rows=rows)


def _train(
    options: argparse.Namespace, experiment: Experiment, runs: Path, seeds: range, watch: Watch
) -> None:
    device, processes = torch.device(options.device), _processes(options)
    datasets = load_all(experiment, device)
    if processes > 1:
        return run_in_processes(experiment, runs, seeds, processes, watch, device=options.device)
    # The same bits however many processes there are.
    torch.set_num_threads(1)
    work = Work(experiment, runs, datasets, watch)
    if options.scheduler:
        return run_on_cluster(work, seeds, options.scheduler)
    return run_here(work, seeds)


def _check_machine(options: argparse.Namespace) -> None:
    """Raise ValueError before anything is drawn or trained."""
    _processes(options)
    try:
        torch.zeros(1, device=options.device)
    except (RuntimeError, AssertionError) as error:
        told = str(error).splitlines()[0]
        raise ValueError(
            f"device must be one that torch has, got {options.device!r}: {told}"
        ) from None


def _known(options: argparse.Namespace, experiment: Experiment) -> dict | None:
    """Return the results that --more adds to; None without it."""
    if options.more is None:
        return None
    check_count(more=options.more)
    if options.quick:
        raise ValueError("--more adds to results, and --quick keeps none: leave one out")
    known = results.load(experiment.name, options.results)
    if known["settings"] != results.settings(experiment):
        raise ValueError(
            f"{options.results} has {experiment.name} by other settings: run it without --more"
        )
    return known


def _seeds(
    options: argparse.Namespace, experiment: Experiment, known: dict | None
) -> Sequence[int]:
    if known is not None:
        first = max(known["seeds"]) + 1
        return range(first, first + options.more)
    count = experiment.seeds if options.seeds is None else options.seeds
    check_count(seeds=count)
    return range(count)


def _processes(options: argparse.Namespace) -> int:
    """Return how many processes train: one a core, but one on a GPU and over a cluster."""
    if options.processes is None:
        return 1 if options.device != "cpu" or options.scheduler else os.cpu_count() or 1
    check_count(processes=options.processes)
    if options.scheduler and options.processes > 1:
        raise ValueError(f"processes must be 1 with --scheduler, got {options.processes}")
    return options.processes


def _estimate(experiment: Experiment, ended: frozenset[str]) -> str:
    cores, seeds = os.cpu_count() or 1, experiment.seeds
    alone, after = (cost.whole(experiment, seeds, ended=known) for known in (frozenset(), ended))
    on_gpu = cost.whole(experiment, seeds, cost.GPU)
    times = f"about {tables.span(alone / cores)} on {cores} CPU cores"
    if after < alone:
        times += f" ({tables.span(after / cores)} after those above)"
    work = f"{seeds} seeds, {seeds * len(experiment.units)} {experiment.units[0].kind}"
    return f"{work}: {times}, {tables.span(on_gpu)} on a GPU (estimates)"


def _measured_in(name: str, folder: Path) -> str:
    if name not in _measured(folder):
        return ""
    try:
        return f"\n    Measured: {tables.caption(results.load(name, folder))}"
    except ValueError as error:
        return f"\n    {error}"


def _measured(folder: Path) -> list[str]:
    return [name for name in NAMES if (folder / f"{name}.json").exists()]
