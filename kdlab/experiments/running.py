"""Run an experiment: every unit once, whatever was done before or is done beside us."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from filelock import FileLock
from torch import Tensor, nn

from kdlab import data
from kdlab.data import Dataset
from kdlab.experiments.circumstances import circumstances
from kdlab.experiments.spec import Experiment
from kdlab.experiments.store import Store, weights_of
from kdlab.experiments.training import Teaching, train_unit
from kdlab.experiments.trials import Trial
from kdlab.experiments.units import Unit
from kdlab.schemes import Checkpoint, predict_moved

# A checkpoint of a large network takes some hundredths of a second, its epoch some seconds.
_EVERY = 5
_WAIT_SECONDS = 2.0

#: Called with a unit, its seed, steps done, and steps in all: 1 of 1 for a unit that had ended,
#: 0 of 1 for one that another process is at.
Watch = Callable[[Unit | Trial, int, int, int], None]


@dataclass(frozen=True)
class Work:
    """What all units of a run share.

    Attributes:
        experiment: What is run.
        runs: The folder of all runs.
        datasets: Those of its units by name, on the device where they are trained; see `load_all`.
        watch: Told of every step, and of units that have ended or that others are at.
    """

    experiment: Experiment
    runs: Path
    datasets: Mapping[str, Dataset]
    watch: Watch

    def store(self, unit: Unit | Trial, seed: int) -> Store:
        """Return where a unit lies."""
        return Store(self.runs, self.experiment, unit, seed)

    def dataset(self, unit: Unit | Trial) -> Dataset | None:
        """Return what a unit learns from and is tested on; None for a trial without one."""
        return self.datasets.get(self.experiment.dataset_of(unit))

    def teachers(self, unit: Unit | Trial, seed: int) -> list[Store]:
        """Return where its teachers lie."""
        return [self.store(self.experiment.by_name[name], seed) for name in unit.teachers]

    def teaching(self, unit: Unit | Trial, seed: int) -> Teaching:
        """Return what `train_unit` needs of its teachers, on the device.

        Those are their networks, where it imitates them, else the mean of their answers; None
        without a teacher.
        """
        if not unit.teachers:
            return None
        device, stores = self.dataset(unit).device, self.teachers(unit, seed)
        if unit.imitate is not None:
            return [store.network().to(device) for store in stores]
        shift, images = unit.recipe.shift, self.dataset(unit).train_images
        every = [store.answers(shift, _asking(images, shift)) for store in stores]
        return torch.stack(every).mean(dim=0).to(device)


def load_all(experiment: Experiment, device: torch.device | str) -> dict[str, Dataset]:
    """Load what an experiment's units need, each data set once."""
    return {name: data.load(name).to(device) for name in experiment.datasets}


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
            work.watch(*left[0], 0, 1)
            time.sleep(_WAIT_SECONDS)
        waiting = left


def claim(work: Work, unit: Unit | Trial, seed: int) -> tuple[bool, FileLock | None]:
    """Tell whether a unit has ended, and claim it if it can be trained now.

    Returns:
        True and None for a unit that has ended; False and its lock, to be released, for one
        that is ours; False and None for one that must wait for its teachers or for others.
    """
    store, lock = work.store(unit, seed), None
    if not store.ended() and all(teacher.ended() for teacher in work.teachers(unit, seed)):
        lock = store.claim()
    # Asked again: it may have ended between our look and our claim.
    if not store.ended():
        return False, lock
    if lock is not None:
        lock.release()
    return True, None


def _advance(work: Work, unit: Unit | Trial, seed: int) -> bool:
    """Train a unit if that can be done now; tell whether it has ended."""
    ended, lock = claim(work, unit, seed)
    if ended:
        work.watch(unit, seed, 1, 1)
    if lock is None:
        return ended
    try:
        _train(work, unit, seed)
    finally:
        lock.release()
    return True


def _asking(images: Tensor, shift: int) -> Callable[[nn.Module], Tensor]:
    return lambda model: predict_moved(model.to(images.device), images, shift=shift)


def _train(work: Work, unit: Unit | Trial, seed: int) -> None:
    store = work.store(unit, seed)
    try:
        model, numbers, seconds = train_unit(
            unit,
            seed,
            work.dataset(unit),
            work.teaching(unit, seed),
            checkpoint=Checkpoint(store.checkpoint, every=_EVERY),
            progress=lambda done, steps, note: work.watch(unit, seed, done, steps),
        )
    except (ValueError, TypeError, LookupError, RuntimeError) as error:
        raise RuntimeError(f"{unit.name}, seed {seed}: {error}") from error
    store.save(report(unit, seed, numbers, seconds, work.dataset(unit)), weights_of(model))


def report(
    unit: Unit | Trial, seed: int, numbers: dict, seconds: float, dataset: Dataset | None
) -> dict:
    """Return all that is kept of a trained unit, its weights apart."""
    said = {"unit": unit.name, "seed": seed, "numbers": numbers, "seconds": round(seconds, 1)}
    return said | circumstances(dataset.device if dataset else torch.device("cpu"))
