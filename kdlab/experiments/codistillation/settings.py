"""What the workers of a run are told, and what each makes of it."""

import os
from dataclasses import dataclass

from torch import nn

from kdlab import models
from kdlab._checks import (
    check_choice,
    check_count,
    check_fraction,
    check_positive,
    check_temperature,
)
from kdlab.data import Batches, Dataset
from kdlab.experiments.units import CLASSES, DATASETS, SIDE

WHAT, SHARES = ("weights", "predictions", "nothing"), ("own", "whole")
#: Runs whose seeds are nearer than this have no network in common.
_APART = 1000


@dataclass(frozen=True)
class Settings:
    """What all workers of a run are told.

    Attributes:
        dataset: "auto", or one of `DATASETS`.
        train, test: How many images, drawn by the seed; of all workers together. None is all.
        share: "own": each worker has an equal part of the training images; "whole": each has
            them all, in an order of its own.
        hidden: Units of each hidden layer.
        epochs: Passes over a worker's images.
        batch_size, learning_rate: Images a step, and Adam's rate.
        what: "weights" or "predictions", as in `codistill`; with "nothing" each worker learns
            from its labels alone.
        every, burn_in, temperature, lambda_: As in `codistill`.
        seed: Of images, first weights and batches; each worker's own are made of it.
        device: Of all workers; of several accelerators each takes the next one.
        folder: Where checkpoints lie, two epochs of each worker; None keeps none. A run that
            was ended goes on from there, and so does one that is to have more epochs.
    """

    dataset: str = "auto"
    train: int | None = None
    test: int | None = None
    share: str = "own"
    hidden: tuple[int, ...] = (100,)
    epochs: int = 10
    batch_size: int = 50
    learning_rate: float = 1e-3
    what: str = "weights"
    every: int = 50
    burn_in: int = 0
    temperature: float = 1.0
    lambda_: float = 0.5
    seed: int = 0
    device: str = "cpu"
    folder: str | os.PathLike | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what no worker can use, before any is started."""
        check_choice(("auto", *DATASETS), dataset=self.dataset)
        check_choice(SHARES, share=self.share)
        check_choice(WHAT, what=self.what)
        counts = {"train": self.train, "test": self.test}
        check_count(**{name: count for name, count in counts.items() if count is not None})
        check_count(epochs=self.epochs, batch_size=self.batch_size, every=self.every)
        check_count(0, burn_in=self.burn_in, seed=self.seed)
        check_positive(learning_rate=self.learning_rate)
        check_temperature(temperature=self.temperature)
        check_fraction(lambda_=self.lambda_)
        check_count(**{f"hidden[{n}]": width for n, width in enumerate(self.hidden)})

    def network(self, rank: int) -> nn.Module:
        """Return a worker's network as it begins."""
        return models.mlp((SIDE * SIDE, *self.hidden, CLASSES), seed=self.seed + _APART * rank)

    def batches(self, dataset: Dataset, rank: int, workers: int) -> Batches:
        """Return batches of a worker's images; it has as many as each other one."""
        images, targets = dataset.train_images, dataset.train_targets
        if self.share == "own":
            chosen = slice(rank, len(targets) // workers * workers, workers)
            images, targets = images[chosen], targets[chosen]
        seed = self.seed + _APART * rank
        return Batches(images, targets, batch_size=self.batch_size, seed=seed)


def check_workers(workers: int, *, train: int) -> None:
    """Raise ValueError unless there are several workers, and an image for each."""
    check_count(2, workers=workers)
    if train < workers:
        raise ValueError(f"train must be at least {workers}, one for each worker, got {train}")
