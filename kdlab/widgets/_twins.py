"""Two students that differ in one thing only: one of them has a teacher."""

import copy
from collections.abc import Callable
from typing import NamedTuple

import torch.nn.functional as F
from torch import Tensor, nn

from kdlab._checks import check_fraction, check_positive, check_temperature
from kdlab.data import Batch, Dataset
from kdlab.losses import distillation_loss
from kdlab.schemes import evaluate
from kdlab.widgets._trainee import Trainee, check_module, descend, momentum_sgd


class Settings(NamedTuple):
    """What can be moved while the twins train.

    Attributes:
        temperature: T > 0 of the teacher's term.
        lambda_: Weight of the teacher's term, in [0, 1].
        learning_rate: Step size of both twins, > 0.
    """

    temperature: float
    lambda_: float
    learning_rate: float

    def checked(self) -> "Settings":
        """Return itself, or raise ValueError for a value that is out of range."""
        check_temperature(temperature=self.temperature)
        check_positive(learning_rate=self.learning_rate)
        check_fraction(lambda_=self.lambda_)
        return self


class Twins(Trainee):
    """A student with labels only and one with a teacher: same start, same batches."""

    names = ("labels_only", "distilled")

    def __init__(
        self,
        dataset: Dataset,
        teacher: nn.Module,
        *,
        student: Callable[[int], nn.Module],
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        """Build both twins; `student(seed)` is called once and its result copied.

        Raises:
            ValueError: The teacher, or what `student` makes, is no module that gives one
                score a class for the test images.
        """
        # No teacher is one that is wrong.
        check_module(teacher=teacher)
        super().__init__(dataset, teacher, batch_size=batch_size, seed=seed)
        self.student = student
        self.reset()

    def reset(self) -> None:
        """Go back to the first step: initial weights, first batch, no momentum."""
        made = self.student(self.seed)
        check_module(student=made)
        first = made.to(self.dataset.device)
        self.ask_once(student=first)
        self.labels_only, self.distilled = first, copy.deepcopy(first)
        self.optimizers = [momentum_sgd(twin) for twin in (self.labels_only, self.distilled)]
        super().reset()

    def step(self, settings: Settings) -> None:
        """Train both twins on the next batch."""
        losses = self._losses(self.next_batch(), settings)
        for loss, optimizer in zip(losses, self.optimizers, strict=True):
            descend(optimizer, loss, settings.learning_rate)
        self.steps += 1

    def _losses(self, batch: Batch, settings: Settings) -> tuple[Tensor, Tensor]:
        images, targets, indices = batch
        labelled = F.cross_entropy(self.labels_only.train()(images), targets)
        taught = distillation_loss(
            self.distilled.train()(images),
            self.teacher_logits[indices],
            targets,
            temperature=settings.temperature,
            lambda_=settings.lambda_,
        )
        return labelled, taught

    def measure(self) -> tuple[int, int]:
        """Return the test errors of the twin with labels only and of the distilled twin."""
        test = self.test_set
        return evaluate(self.labels_only, *test), evaluate(self.distilled, *test)
