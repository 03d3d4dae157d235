"""A seed of a set-up that gives its numbers at once: several models, or data of its own."""

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from kdlab._checks import check_choice, check_positive
from kdlab.condense import Condensed
from kdlab.data import Dataset
from kdlab.experiments.code import told
from kdlab.experiments.units import DATASETS
from kdlab.schemes import History
from kdlab.schemes.history import Progress

#: What is done for a seed, with the data set or None, telling how far it is. A frozen dataclass
#: with `__call__`, told in the settings as a measure is. `numbers` and `curves` hold the names of
#: what it returns, one number each or several in a row; `small()` is one that is done in seconds.
Task = Callable[[int, Dataset | None, Progress], Mapping[str, float | Sequence[float]]]


@dataclass(frozen=True)
class Trial:
    """Stands in an experiment where a unit does, and keeps no network: it is no one's teacher.

    A trial that was stopped begins anew, where a unit goes on from its checkpoint.

    Attributes:
        name: Its name in the experiment.
        task: What is done.
        dataset: The one of `DATASETS` that it is given; None is none, and the CPU: its task
            draws or loads what it needs.
        seconds: About how long it takes on one core; decides nothing.
    """

    name: str
    task: Task
    dataset: str | None = None
    seconds: float = 1.0

    teachers: ClassVar[tuple[str, ...]] = ()
    kind: ClassVar[str] = "trials"

    def __post_init__(self) -> None:
        """Raise ValueError for what can't be run or told."""
        if self.dataset is not None:
            check_choice(tuple(DATASETS), dataset=self.dataset)
        check_positive(seconds=self.seconds)
        self.settings()
        for name in ("numbers", "curves", "small"):
            if not hasattr(self.task, name):
                raise ValueError(f"task must have `{name}`, got {self.task!r}")

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of its numbers."""
        return self.task.numbers

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of what it returns several numbers of."""
        return self.task.curves

    def settings(self) -> dict:
        """Return all that decides its numbers, as JSON holds it; the name is none of it."""
        return json.loads(json.dumps({"task": told(task=self.task)}))

    def quick(self) -> "Trial":
        """Return one that is done in seconds, on digits where it needs images."""
        return replace(self, task=self.task.small(), dataset=self.dataset and "digits", seconds=1.0)

    def stage(self, done: int, steps: int) -> str:
        """Say how far it is."""
        return f"{100 * done // steps} %"

    def run(
        self, seed: int, dataset: Dataset | None, progress: Progress | None
    ) -> tuple[dict, float]:
        """Do the task; return its numbers and curves by name, and the seconds it took.

        Raises:
            ValueError: It returns others than it names.
        """
        began = time.perf_counter()
        found = dict(self.task(seed, dataset, progress or _silent))
        if set(found) != {*self.numbers, *self.curves}:
            wanted = ", ".join((*self.numbers, *self.curves))
            raise ValueError(f"task must return {wanted}, got {', '.join(found)}")
        return found, time.perf_counter() - began


def finished(history: History | Condensed) -> History | Condensed:
    """Return a history, or what a condensing loop noted.

    Raises:
        KeyboardInterrupt: It was stopped.
    """
    if history.interrupted:
        raise KeyboardInterrupt
    return history


def _silent(done: int, steps: int, note: str) -> None:
    pass
