"""Two students that differ in one thing only: one of them has a teacher.

Pure training, with no thread and no widget: `_live` runs it, `watch_training` shows it.
"""

import copy
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdlab._checks import check_fraction, check_positive, check_temperature
from kdlab.data import Batch, Batches, Dataset
from kdlab.losses import distillation_loss
from kdlab.schemes import evaluate, predict

#: How many test images the curves are measured on, at most.
TEST_IMAGES = 1_000
MOMENTUM = 0.9


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


class Twins:
    """A student with labels only and one with a teacher: same start, same batches.

    Attributes:
        steps: Optimizer steps that each twin has made.
        examples: How many test images the errors are counted on, drawn once by the seed.
        teacher_errors: The teacher's errors on them; None before `prepare` has run.
    """

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
        _check_module(teacher=teacher)
        self.dataset, self.student = dataset, student
        self.batch_size, self.seed = batch_size, seed
        # A copy: the caller may go on to train the teacher, or put it in train mode.
        self.teacher = copy.deepcopy(teacher).to(dataset.device).eval()
        self.examples = min(TEST_IMAGES, len(dataset.test_targets))
        self.test = dataset.take(test=self.examples, seed=seed)
        self.teacher_errors: int | None = None
        self.teacher_logits: Tensor | None = None
        self._ask_once(teacher=self.teacher)
        self.reset()

    def reset(self) -> None:
        """Go back to the first step: initial weights, first batch, no momentum."""
        made = self.student(self.seed)
        _check_module(student=made)
        first = made.to(self.dataset.device)
        self._ask_once(student=first)
        self.labels_only, self.distilled = first, copy.deepcopy(first)
        self.optimizers = [
            torch.optim.SGD(twin.parameters(), lr=1.0, momentum=MOMENTUM)
            for twin in (self.labels_only, self.distilled)
        ]
        self.steps, self._batches = 0, self._draw()

    def prepare(self) -> Iterator[int]:
        """Ask the teacher, part by part, about every training image; yield how many are done.

        Leaving the loop early loses what was done; asking again afterwards starts anew.
        """
        if self.teacher_logits is not None:
            return
        self.teacher_errors = evaluate(self.teacher, *self._test_set())
        parts = []
        for images in self.dataset.train_images.split(1_000):
            parts.append(predict(self.teacher, images))
            yield sum(len(part) for part in parts)
        self.teacher_logits = torch.cat(parts)

    def step(self, settings: Settings) -> None:
        """Train both twins on the next batch."""
        losses = self._losses(next(self._batches), settings)
        for loss, optimizer in zip(losses, self.optimizers, strict=True):
            for group in optimizer.param_groups:
                group["lr"] = settings.learning_rate
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
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

    def errors(self) -> tuple[int, int]:
        """Return the test errors of the twin with labels only and of the distilled twin."""
        test = self._test_set()
        return evaluate(self.labels_only, *test), evaluate(self.distilled, *test)

    def _ask_once(self, **named: nn.Module) -> None:
        image, classes = self.test.test_images[:1], len(self.dataset.class_names)
        for name, model in named.items():
            wanted = f"{name} must map images {list(image.shape)} to scores {[1, classes]}"
            try:
                shape = list(predict(model, image).shape)
            # Whatever a model raises for a wrong input, the sentence names the model.
            except Exception as error:
                raise ValueError(f"{wanted}, got {type(error).__name__}: {error}") from error
            if shape != [1, classes]:
                raise ValueError(f"{wanted}, got scores {shape}")

    def _test_set(self) -> tuple[Tensor, Tensor]:
        return self.test.test_images, self.test.test_targets

    def _draw(self) -> Iterator[Batch]:
        images, targets = self.dataset.train_images, self.dataset.train_targets
        batches = Batches(images, targets, batch_size=self.batch_size, seed=self.seed)
        while True:
            yield from batches


def _check_module(**named: object) -> None:
    for name, model in named.items():
        if not isinstance(model, nn.Module):
            wanted = "make a module from a seed" if name == "student" else "be a module"
            raise ValueError(f"{name} must {wanted}, got {type(model).__name__}")
