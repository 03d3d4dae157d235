"""What each command of ``python -m kdlab.experiments`` does with its options."""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from kdlab import data
from kdlab._checks import check_count
from kdlab.data.places import cache_folder
from kdlab.experiments import NAMES, cost, find_experiment, results, tables
from kdlab.experiments.bar import Bar
from kdlab.experiments.cluster import run_on_cluster
from kdlab.experiments.processes import run_in_processes
from kdlab.experiments.running import Watch, Work
from kdlab.experiments.running import run as run_here
from kdlab.experiments.spec import Experiment

_TRIAL = "A trial of one epoch on digits: these numbers say nothing, and are not kept."


def list_all(options: argparse.Namespace) -> None:
    """Print every experiment: its question, its paper, about how long it takes."""
    for name in NAMES:
        experiment = find_experiment(name)
        print(f"{name}\n    {experiment.measures}\n    Beside: {experiment.paper}")
        print(f"    {_estimate(experiment)}{_measured_in(name, options.results)}\n")


def run(options: argparse.Namespace) -> None:
    """Train what is missing, write the results, print the table."""
    experiment = find_experiment(options.name)
    seeds = _seeds(options, experiment)
    if options.quick:
        experiment = quick(experiment)
    runs = options.runs or cache_folder() / "runs"
    with Bar(experiment, runs, seeds, file=sys.stderr) as bar:
        _train(options, experiment, runs, seeds, bar.watch)
    found = results.collect(experiment, runs, seeds)
    print(tables.Table(found))
    print(_TRIAL if options.quick else results.write(found, options.results))


def table(options: argparse.Namespace) -> None:
    """Print the tables of what has been measured.

    Raises:
        ValueError: Nothing has been.
    """
    names = [options.name] if options.name else _measured(options.results)
    if not names:
        raise ValueError(f"{options.results} holds no results; `run NAME` makes them")
    for name in names:
        found = tables.Table(results.load(name, options.results))
        print(found.markdown if options.markdown else found, end="\n\n")


def quick(experiment: Experiment) -> Experiment:
    """Return an experiment that is done in a minute: one epoch each, on digits."""
    units = tuple(
        replace(
            unit,
            recipe=replace(unit.recipe, epochs=min(unit.recipe.epochs, 1)),
            examples=unit.examples and min(unit.examples, 1000),
        )
        for unit in experiment.units
    )
    return replace(experiment, dataset="digits", units=units)


def _train(
    options: argparse.Namespace, experiment: Experiment, runs: Path, seeds: range, watch: Watch
) -> None:
    device, processes = torch.device(options.device), _processes(options)
    dataset = data.load(experiment.dataset).to(device)
    if processes > 1:
        return run_in_processes(experiment, runs, seeds, processes, watch, device=options.device)
    # The same bits however many processes there are.
    torch.set_num_threads(1)
    work = Work(experiment, runs, dataset, watch)
    if options.scheduler:
        return run_on_cluster(work, seeds, options.scheduler)
    return run_here(work, seeds)


def _seeds(options: argparse.Namespace, experiment: Experiment) -> Sequence[int]:
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


def _estimate(experiment: Experiment) -> str:
    cores = os.cpu_count() or 1
    on_cpu = cost.whole(experiment, experiment.seeds) / cores
    on_gpu = cost.whole(experiment, experiment.seeds, cost.GPU)
    networks = experiment.seeds * len(experiment.units)
    times = f"about {tables.span(on_cpu)} on {cores} CPU cores, {tables.span(on_gpu)} on a GPU"
    return f"{experiment.seeds} seeds, {networks} networks: {times} (estimates)"


def _measured_in(name: str, folder: Path) -> str:
    if name not in _measured(folder):
        return ""
    return f"\n    Measured: {tables.caption(results.load(name, folder))}"


def _measured(folder: Path) -> list[str]:
    return [name for name in NAMES if (folder / f"{name}.json").exists()]
