"""Train one unit: its network, from its recipe, its seed and what its teachers answer."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingLR

from kdlab import schemes
from kdlab.data import Batches, Dataset, count_places
from kdlab.experiments.trials import Trial, finished
from kdlab.experiments.units import Recipe, Unit
from kdlab.schemes import Checkpoint, History

_MEMBER = 1_000_000

#: What a unit learns from besides labels: answers, or the networks that it imitates.
Teaching = Tensor | Sequence[nn.Module] | None


def train_unit(
    unit: Unit | Trial,
    seed: int,
    dataset: Dataset | None,
    teacher: Teaching = None,
    *,
    checkpoint: Checkpoint | None = None,
    progress: schemes.history.Progress | None = None,
) -> tuple[nn.Module, dict[str, float], float]:
    """Train one network and read its numbers, or do a trial.

    Args:
        unit: What is trained.
        seed: Of the weights, the batches and the dropout.
        dataset: What it learns from and is tested on, on the device where it is trained; None
            for a trial without one.
        teacher: What its teachers answer to all training images at every place, as
            `schemes.predict_moved` gives it; the teachers themselves, on that device, for a unit
            that imitates them; None where it has none.
        checkpoint: Where a stopped run goes on.
        progress: Called after every step, as in `schemes`.

    Returns:
        The network, in eval mode, without weights after a trial; its numbers; the seconds of its
        training, those before a stop included.

    Raises:
        KeyboardInterrupt: It was stopped.
    """
    if isinstance(unit, Trial):
        return nn.Module(), *unit.run(seed, dataset, progress)
    own = seed + _MEMBER * unit.member
    model = unit.build(own).to(dataset.device).eval()
    seconds = 0.0
    if unit.recipe.epochs or unit.imitate:
        batches, heard = lesson(unit, seed, own, dataset, teacher)
        rest = {"seed": own, "progress": progress, "checkpoint": checkpoint}
        how, heard = (learn, [heard]) if unit.imitate is None else (unit.imitate, heard or [])
        seconds = finished(how(unit.recipe, model, batches, *heard, **rest)).seconds
    numbers = {"errors": schemes.evaluate(model, dataset.test_images, dataset.test_targets)}
    return model, numbers | dict(unit.measure(model, dataset) if unit.measure else {}), seconds


def learn(
    recipe: Recipe, model: nn.Module, batches: Batches, teacher: Tensor | nn.Module | None, **rest
) -> History:
    """Train by a recipe from labels, or from a teacher's predictions.

    The rest goes to `schemes.train` or `schemes.distill`.
    """
    rest |= steps(recipe, batches, model) | {"epochs": recipe.epochs}
    if teacher is None:
        limits = {"smoothing": recipe.smoothing, "max_norm": recipe.max_norm}
        return schemes.train(model, batches, **limits, **rest)
    taught = {"temperature": recipe.temperature, "lambda_": recipe.lambda_}
    taught |= {"stop_soft_at": recipe.stop_soft_at}
    return schemes.distill(model, teacher, batches, **taught, **rest)


def steps(
    recipe: Recipe, batches: Batches, *trained: nn.Module, epochs: int | None = None
) -> dict[str, object]:
    """Return the optimizer and the scheduler of a recipe, or of so many epochs by it.

    Adam, its rate falling to 0 along a half cosine.
    """
    weights = [weight for module in trained for weight in module.parameters()]
    # Fused: one kernel for all weights, three times as fast on a CPU.
    optimizer = torch.optim.Adam(weights, lr=recipe.learning_rate, fused=True)
    count = (recipe.epochs if epochs is None else epochs) * len(batches)
    return {"optimizer": optimizer, "scheduler": CosineAnnealingLR(optimizer, count)}


def lesson(
    unit: Unit, seed: int, own: int, dataset: Dataset, teacher: Teaching
) -> tuple[Batches, Teaching]:
    """Return the batches of a unit, and the answers to just these images, or the teacher."""
    numbers, recipe = chosen(unit, seed, dataset), unit.recipe
    targets = dataset.train_targets[numbers]
    settings = {"batch_size": recipe.batch_size, "shift": recipe.shift, "seed": own}
    batches = Batches(dataset.train_images[numbers], targets, **settings)
    if not isinstance(teacher, Tensor):
        return batches, teacher
    places = count_places(recipe.shift)
    heard = teacher.unflatten(0, (-1, places))[numbers].flatten(0, 1)
    if unit.view is not None:
        heard = unit.view(heard, targets.repeat_interleave(places), own)
    return batches, heard


def chosen(unit: Unit, seed: int, dataset: Dataset) -> Tensor:
    """Return the numbers of the training images that a unit gets."""
    targets = dataset.train_targets
    numbers = torch.arange(len(targets), device=targets.device)
    if unit.examples is not None:
        # The same images for every unit of a seed, and a larger part holds the smaller ones.
        drawn = torch.randperm(len(targets), generator=torch.Generator().manual_seed(seed))
        numbers = drawn[: unit.examples].to(targets.device)
    gone = torch.tensor(unit.without, dtype=torch.int64, device=targets.device)
    return numbers[~torch.isin(targets[numbers], gone)]
