"""What live views train: networks on the same batches, counted on the same test images.

Pure training, with no thread and no widget: `_live` runs it, the views show it.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from kdlab.data import Batch, Batches, Dataset
from kdlab.schemes import evaluate, predict

#: How many test images the curves are measured on, at most.
TEST_IMAGES = 1_000
MOMENTUM = 0.9


class Trainee:
    """Several networks that see the same batches, and maybe a frozen teacher.

    A subclass builds its networks in `reset`, and gives `step(settings)` and `measure`.

    Attributes:
        names: What `measure` returns, in its order.
        every_step: Whether each step has something to show, and not each measurement alone.
        frame: What is shown besides curves, small and fit for JSON; replaced, never changed.
        steps: Optimizer steps that each network has made.
        examples: How many test images are looked at, drawn once by the seed.
        teacher_errors: The teacher's errors on them; None before `prepare` has run.
    """

    names: tuple[str, ...] = ()
    every_step: bool = False

    def __init__(
        self, dataset: Dataset, teacher: nn.Module | None, *, batch_size: int, seed: int
    ) -> None:
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self.examples = min(TEST_IMAGES, len(dataset.test_targets))
        self.test = dataset.take(test=self.examples, seed=seed)
        self.teacher_errors: int | None = None
        self.teacher_logits: Tensor | None = None
        self.teacher = None
        self.frame: dict = {}
        if teacher is not None:
            check_module(teacher=teacher)
            # A copy: the caller may go on to train the teacher, or put it in train mode.
            self.teacher = copy.deepcopy(teacher).to(dataset.device).eval()
            self.ask_once(teacher=self.teacher)

    def reset(self) -> None:
        """Go back to the first batch."""
        self.steps, self._batches = 0, self._draw()

    def prepare(self) -> Iterator[int]:
        """Ask the teacher, part by part, about every training image; yield how many are done.

        Leaving the loop early loses what was done; asking again afterwards starts anew.
        """
        if self.teacher is None or self.teacher_logits is not None:
            return
        self.teacher_errors = evaluate(self.teacher, *self.test_set)
        parts = []
        for images in self.dataset.train_images.split(1_000):
            parts.append(predict(self.teacher, images))
            yield sum(len(part) for part in parts)
        self.teacher_logits = torch.cat(parts)

    def known(self) -> dict:
        """Return what curves are seen beside: the teacher's errors, how many images."""
        return {"teacher": self.teacher_errors, "examples": self.examples}

    def step(self, settings) -> None:
        """Train all networks on the next batch."""
        raise NotImplementedError

    def measure(self) -> tuple[float, ...]:
        """Return one number for each of `names`."""
        raise NotImplementedError

    @property
    def test_set(self) -> tuple[Tensor, Tensor]:
        """The test images that are looked at, and their classes."""
        return self.test.test_images, self.test.test_targets

    def next_batch(self) -> Batch:
        """Return the next batch, pass after pass."""
        return next(self._batches)

    def ask_once(self, **named: nn.Module) -> None:
        """Raise ValueError unless each named model gives one score a class for a test image."""
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

    def _draw(self) -> Iterator[Batch]:
        images, targets = self.dataset.train_images, self.dataset.train_targets
        batches = Batches(images, targets, batch_size=self.batch_size, seed=self.seed)
        while True:
            yield from batches


def check_dataset(**named: object) -> None:
    """Raise ValueError unless every named value is a `Dataset`, and not its name."""
    for name, dataset in named.items():
        if not isinstance(dataset, Dataset):
            came = type(dataset).__name__
            raise ValueError(f"{name} must be a Dataset, as data.load returns it, got {came}")


def check_module(**named: object) -> None:
    """Raise ValueError unless every named value is a module."""
    for name, model in named.items():
        if not isinstance(model, nn.Module):
            wanted = "be a module" if name == "teacher" else "make a module from a seed"
            raise ValueError(f"{name} must {wanted}, got {type(model).__name__}")


def momentum_sgd(model: nn.Module) -> torch.optim.SGD:
    """Return what trains a network in a live view; `descend` sets its step size."""
    return torch.optim.SGD(model.parameters(), lr=1.0, momentum=MOMENTUM)


def descend(optimizer: torch.optim.Optimizer, loss: Tensor, learning_rate: float) -> None:
    """Make one step down a loss."""
    for group in optimizer.param_groups:
        group["lr"] = learning_rate
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
