"""One bar over a whole run, in shares of its work, with the time that is left."""

from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from kdlab import models
from kdlab.data import Dataset
from kdlab.experiments.spec import Experiment, Unit
from kdlab.experiments.store import Store
from kdlab.experiments.training import chosen


class Bar:
    """Shows how far a run is; a unit counts by its epochs, images and parameters."""

    def __init__(
        self, experiment: Experiment, runs: Path, seeds: Iterable[int], dataset: Dataset, *, file
    ) -> None:
        pairs = [(unit, seed) for seed in seeds for unit in experiment.units]
        left = [(u, seed) for u, seed in pairs if not Store(runs, experiment, u, seed).ended()]
        self._work = {unit.name: work(unit, dataset) for unit in experiment.units}
        self._ended = 0.0
        self._begun: dict[tuple[str, int], float] = {}
        form = "{desc} {percentage:3.0f}%|{bar}| {elapsed}, {remaining} left"
        total = sum(self._work[unit.name] for unit, _ in left)
        self._bar = tqdm(total=total or 1, file=file, bar_format=form)

    def watch(self, unit: Unit, seed: int, done: int, steps: int) -> None:
        """Note a step of a unit."""
        self._begun[unit.name, seed] = self._work[unit.name] * done / steps
        epochs = unit.recipe.epochs
        self._bar.set_description(
            f"{unit.name}, seed {seed}, epoch {epochs * done // steps} of {epochs}", refresh=False
        )
        self._bar.update(sum(self._begun.values()) - self._bar.n)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()


def work(unit: Unit, dataset: Dataset) -> float:
    """Return a unit's share of the work: images seen times parameters."""
    images = len(chosen(dataset, unit, 0).train_targets)
    taught = sum(1.0 for _ in unit.teachers)
    return (
        unit.recipe.epochs * images * models.count_parameters(unit.recipe.build(0)) * (1 + taught)
    )
