"""Train one unit: its network, from its recipe, its seed and its teachers."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from kdlab import schemes
from kdlab.data import Batches, Dataset
from kdlab.experiments.spec import Recipe, Unit
from kdlab.schemes import Checkpoint

_MEMBER = 1_000_000


class Panel(nn.Module):
    """Teachers as one: the mean of their logits, and what a view makes of it."""

    def __init__(
        self, teachers: Sequence[nn.Module], view: Callable[[Tensor], Tensor] | None
    ) -> None:
        super().__init__()
        self.teachers, self.view = nn.ModuleList(teachers), view

    def forward(self, images: Tensor) -> Tensor:
        logits = torch.stack([teacher(images) for teacher in self.teachers]).mean(dim=0)
        return logits if self.view is None else self.view(logits)


def train_unit(
    unit: Unit,
    seed: int,
    dataset: Dataset,
    teachers: Sequence[nn.Module],
    *,
    checkpoint: Checkpoint | None = None,
    progress: schemes.history.Progress | None = None,
) -> tuple[nn.Module, dict[str, float], float]:
    """Train one network and read its numbers.

    Args:
        unit: What is trained.
        seed: Of the weights, the batches and the dropout.
        dataset: What it learns from and is tested on, on the device where it is trained.
        teachers: The networks of `unit.teachers`.
        checkpoint: Where a stopped run goes on.
        progress: Called after every step, as in `schemes`.

    Returns:
        The network, in eval mode; its numbers; the seconds of its training, those before a stop
        included.

    Raises:
        KeyboardInterrupt: It was stopped.
    """
    recipe, own = unit.recipe, chosen(dataset, unit, seed)
    # Far apart, so that no member has the seed of another one's next run.
    seed += _MEMBER * unit.member
    model = recipe.build(seed).to(dataset.device)
    batches = Batches(
        own.train_images,
        own.train_targets,
        batch_size=recipe.batch_size,
        seed=seed,
        shift=recipe.shift,
    )
    rest = {"epochs": recipe.epochs, "seed": seed, "progress": progress, "checkpoint": checkpoint}
    history = _learn(unit, model, teachers, batches, rest)
    if history.interrupted:
        raise KeyboardInterrupt
    return model, read(unit, model, dataset), history.seconds


def chosen(dataset: Dataset, unit: Unit, seed: int) -> Dataset:
    """Return the data set with the training images that a unit gets."""
    if unit.examples is not None:
        dataset = dataset.take(train=unit.examples, seed=seed)
    return dataset.without(*unit.without)


def read(unit: Unit, model: nn.Module, dataset: Dataset) -> dict[str, float]:
    """Return a unit's numbers: the test errors, and what its measure adds."""
    numbers = {"errors": schemes.evaluate(model, dataset.test_images, dataset.test_targets)}
    return numbers | dict(unit.measure(model, dataset) if unit.measure else {})


def _learn(unit: Unit, model, teachers, batches: Batches, rest: dict) -> schemes.History:
    recipe = unit.recipe
    optimizer = torch.optim.Adam(model.parameters(), lr=recipe.learning_rate, fused=True)
    steps = recipe.epochs * len(batches)
    rest = rest | {"scheduler": CosineAnnealingLR(optimizer, steps)}
    if not teachers:
        limits = {"smoothing": recipe.smoothing, "max_norm": recipe.max_norm}
        return schemes.train(model, batches, optimizer, **limits, **rest)
    panel = Panel(teachers, unit.view)
    weights = {"temperature": recipe.temperature, "lambda_": recipe.lambda_}
    return schemes.distill(model, panel, batches, optimizer, **weights, **rest)


def shortened(recipe: Recipe) -> Recipe:
    """Return a recipe that is done at once, to try that everything works."""
    return replace(recipe, epochs=1)
