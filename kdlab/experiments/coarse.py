"""Digits of 28 x 28 for a teacher and of 7 x 7 for its students, as Lopez-Paz et al. train them."""

from dataclasses import dataclass, replace
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdlab import models, schemes
from kdlab.data import Batches, Dataset, to_float
from kdlab.experiments.trials import finished
from kdlab.experiments.units import CLASSES, SIDE
from kdlab.metrics import accuracy
from kdlab.models.parts import seeded
from kdlab.schemes.history import Progress

EPOCHS = 50
TEMPERATURES, LAMBDAS = (1, 2, 5, 10, 20, 50), tuple(tenth / 10 for tenth in range(1, 11))
_HIDDEN, _POOL = (20, 20), 4


@dataclass(frozen=True)
class Coarse:
    """Students that see 7 x 7 values of an image of which their teacher saw 28 x 28.

    All students of a seed begin with the same weights and see the same batches; those with lambda
    0 are one, as T doesn't reach them.

    Attributes:
        examples: Training images, drawn by the seed.
        cell: T and lambda of the student that is a number of its own.
        epochs: Of every network.
        temperatures, lambdas: Students are taught with each of these.
        softened: The student's answers are softened, too, as in `losses.distillation_loss`.
    """

    examples: int
    cell: tuple[float, float]
    epochs: int = EPOCHS
    temperatures: tuple[float, ...] = TEMPERATURES
    lambdas: tuple[float, ...] = LAMBDAS
    softened: bool = False

    numbers: ClassVar[tuple[str, ...]] = ("teacher", "labels", "taught", "best")

    @property
    def curves(self) -> tuple[str, ...]:
        """Names of the accuracies by lambda, from 0 on, one of each T."""
        return tuple(f"T{temperature:g}" for temperature in self.temperatures)

    def __call__(self, seed: int, dataset: Dataset, progress: Progress) -> dict:
        """Return accuracies: "best" is that of the best student, chosen on the test images."""
        lesson = _Lesson(dataset.take(train=self.examples, seed=seed), self.epochs, seed)
        heard, teacher = lesson.teach()
        labels, found = lesson.learn(_POOL)[1], {}
        cells = [(t, weight) for t in self.temperatures for weight in self.lambdas]
        for done, (t, weight) in enumerate(cells, start=1):
            given = _hinton if self.softened else _released
            found[t, weight] = lesson.learn(_POOL, **given(heard, t, weight))[1]
            progress(done, len(cells), "")
        said = {"teacher": teacher, "labels": labels, "taught": found[self.cell]}
        rows = [[labels, *(found[t, weight] for weight in self.lambdas)] for t in self.temperatures]
        return said | {"best": max(map(max, rows))} | dict(zip(self.curves, rows, strict=True))

    def small(self) -> "Coarse":
        """Return one of an epoch and two students."""
        temperature, weight = self.cell
        few = {"temperatures": (temperature,), "lambdas": (weight, 1.0)}
        return replace(self, epochs=1, **few)


@dataclass(frozen=True)
class _Lesson:
    """Images, epochs and the seed of every network that learns from them."""

    dataset: Dataset
    epochs: int
    seed: int

    def teach(self) -> tuple[Tensor, float]:
        """Return what a teacher says of the training images, and its accuracy."""
        teacher, reached = self.learn(1)
        return schemes.predict(teacher, _pooled(self.dataset.train_images, 1)), reached

    def learn(
        self, pool: int, teacher: Tensor | None = None, **weights: float
    ) -> tuple[nn.Module, float]:
        """Train on images of so many times fewer pixels a side; return network and accuracy."""
        images, tests = (
            _pooled(part, pool) for part in (self.dataset.train_images, self.dataset.test_images)
        )
        model = _network((SIDE // pool) ** 2, self.seed).to(images.device)
        # The settings of Keras.
        optimizer = torch.optim.RMSprop(model.parameters(), lr=1e-3, alpha=0.9, eps=1e-6)
        given = {"batch_size": 128, "seed": self.seed}
        batches = Batches(images, self.dataset.train_targets, **given)
        rest = {"epochs": self.epochs, "seed": self.seed} | weights
        how, heard = (schemes.train, []) if teacher is None else (schemes.distill, [teacher])
        finished(how(model, *heard, batches, optimizer, **rest))
        return model, accuracy(schemes.predict(model, tests), self.dataset.test_targets)


def _hinton(teacher: Tensor, temperature: float, lambda_: float) -> dict:
    return {"teacher": teacher, "temperature": temperature, "lambda_": lambda_}


def _released(teacher: Tensor, temperature: float, lambda_: float) -> dict:
    """Return what makes `distill` the released loss: (1 - lambda) CE + lambda T^2 CE(p_T, q_1).

    Divided by the sum of both weights, which RMSprop doesn't see.
    """
    taught = lambda_ * temperature**2
    weight = taught / (1 - lambda_ + taught)
    return _hinton(teacher / temperature, 1.0, weight)


def _network(values: int, seed: int) -> nn.Module:
    """Return a network with the first weights of Keras: in a training so short they count."""
    model = models.mlp((values, *_HIDDEN, CLASSES), seed=seed)
    with seeded(seed):
        for weights in model.parameters():
            nn.init.xavier_uniform_(weights) if weights.ndim > 1 else nn.init.zeros_(weights)
    return model


def _pooled(images: Tensor, pool: int) -> Tensor:
    return F.avg_pool2d(to_float(images), pool)
