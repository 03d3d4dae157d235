"""What each command of ``python -m kdlab.experiments`` does with its options."""

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import torch

from kdlab import data
from kdlab._checks import check_count
from kdlab.data.places import cache_folder
from kdlab.experiments import NAMES, find_experiment, results, tables
from kdlab.experiments.bar import Bar
from kdlab.experiments.running import Work
from kdlab.experiments.running import run as run_units
from kdlab.experiments.spec import Experiment
from kdlab.experiments.training import shortened


def list_all(options: argparse.Namespace) -> None:
    """Print every experiment in two lines."""
    for name in NAMES:
        experiment = find_experiment(name)
        print(f"{name}: {experiment.measures}")
        print(f"    {experiment.paper}; {len(experiment.units)} networks a seed")


def run(options: argparse.Namespace) -> None:
    """Train what is missing, write the results, print the table."""
    experiment = find_experiment(options.name)
    count = options.seeds if options.seeds is not None else experiment.seeds
    check_count(seeds=count)
    if options.quick:
        experiment = quick(experiment)
    dataset = data.load(experiment.dataset).to(torch.device(options.device))
    runs = options.runs or cache_folder() / "runs"
    with Bar(experiment, runs, range(count), dataset, file=sys.stderr) as bar:
        run_units(Work(experiment, runs, dataset, bar.watch), range(count))
    found = results.collect(experiment, runs, range(count))
    print(tables.as_text(found))
    if options.quick:
        print("\nA trial of one epoch on digits: these numbers say nothing, and are not kept.")
    else:
        print(f"\n{tables.caption(found)}\n{results.write(found, options.results)}")


def table(options: argparse.Namespace) -> None:
    """Print the tables of what has been measured."""
    names = [options.name] if options.name else _measured(options.results)
    for name in names:
        found = results.load(name, options.results)
        written = tables.as_markdown(found) if options.markdown else tables.as_text(found)
        print(f"{written}\n\n{tables.caption(found)}\n")


def quick(experiment: Experiment) -> Experiment:
    """Return an experiment that is done in a minute: one epoch each, on digits."""
    units = tuple(
        replace(unit, recipe=shortened(unit.recipe), examples=unit.examples and 100)
        for unit in experiment.units
    )
    return replace(experiment, dataset="digits", units=units)


def _measured(folder: Path) -> list[str]:
    return [name for name in NAMES if (folder / f"{name}.json").exists()]
