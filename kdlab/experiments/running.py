"""Run an experiment: every unit once, whatever was done before or is done beside us."""

import contextlib
import platform
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import torch
from torch import nn

from kdlab.data import Dataset
from kdlab.experiments.spec import Experiment, Unit
from kdlab.experiments.store import Store
from kdlab.experiments.training import train_unit
from kdlab.schemes import Checkpoint

PACKAGES = ("torch", "torchvision", "numpy")
# A checkpoint of a large network takes some tenths of a second.
_EVERY = 5
_WAIT_SECONDS = 2.0

#: Called with a unit, its seed, steps done, and steps in all.
Watch = Callable[[Unit, int, int, int], None]


@dataclass(frozen=True)
class Work:
    """What all units of a run share.

    Attributes:
        experiment: What is run.
        runs: The folder of all runs.
        dataset: On the device where the units are trained.
        watch: Told of every step.
    """

    experiment: Experiment
    runs: Path
    dataset: Dataset
    watch: Watch

    def store(self, unit: Unit, seed: int) -> Store:
        """Return where a unit lies."""
        return Store(self.runs, self.experiment, unit, seed)


def run(work: Work, seeds: Iterable[int]) -> None:
    """Train every unit that isn't there yet; wait for those that another process trains.

    Raises:
        KeyboardInterrupt: It was stopped; the next run goes on at the last checkpoint.
    """
    waiting = [(unit, seed) for seed in seeds for unit in work.experiment.units]
    while waiting:
        left = [pair for pair in waiting if not _advance(work, *pair)]
        if left == waiting:
            # Others are at work on all that could be done now.
            time.sleep(_WAIT_SECONDS)
        waiting = left


def _advance(work: Work, unit: Unit, seed: int) -> bool:
    """Train a unit if that can be done now; tell whether it has ended."""
    store = work.store(unit, seed)
    if store.ended():
        return True
    if not all(work.store(other, seed).ended() for other in _teachers(work.experiment, unit)):
        return False
    with store.claim() as ours:
        if not ours:
            return False
        # It may have ended between our look and our claim.
        if not store.ended():
            _train(work, unit, seed, store)
    return True


def _train(work: Work, unit: Unit, seed: int, store: Store) -> None:
    teachers = [_teacher(work, other, seed) for other in _teachers(work.experiment, unit)]
    model, numbers, seconds = train_unit(
        unit,
        seed,
        work.dataset,
        teachers,
        checkpoint=Checkpoint(store.checkpoint, every=_EVERY),
        progress=lambda done, steps, note: work.watch(unit, seed, done, steps),
    )
    said = {"unit": unit.name, "seed": seed, "numbers": numbers, "seconds": round(seconds, 1)}
    store.save(said | circumstances(work.dataset), model)


def circumstances(dataset: Dataset) -> dict:
    """Return on what a unit was trained: versions, hardware, data."""
    device = dataset.device
    named = torch.cuda.get_device_name(device) if device.type == "cuda" else _processor()
    threads = f", {torch.get_num_threads()} threads" if device.type == "cpu" else ""
    return {
        "versions": {"python": platform.python_version()}
        | {name: version(name).partition("+")[0] for name in PACKAGES},
        "hardware": f"{named}{threads}",
        "data": dataset.source,
    }


def _processor() -> str:
    """Name the processor as exactly as the system tells it."""
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _teachers(experiment: Experiment, unit: Unit) -> list[Unit]:
    return [experiment.by_name[name] for name in unit.teachers]


def _teacher(work: Work, unit: Unit, seed: int) -> nn.Module:
    return work.store(unit, seed).load(unit.recipe.build(seed)).to(work.dataset.device)
