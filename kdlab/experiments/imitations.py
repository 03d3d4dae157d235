"""How a unit learns from layers of its teacher: hints first, features beside, blocks.

Each is a frozen dataclass with three methods, for units with one teacher. `check` raises
ValueError where student and teacher have no such layers, or layers that don't fit; `epochs` tells
how many of plain training take about as long; the call trains a student as `training.learn` does
and returns the history of its last stage, with the seconds of all. The recipe's T and lambda are
those of the teacher's predictions: with lambda = 0 they are not heard, and the layers teach alone.

A training in two stages has two checkpoints, that of the first with "-first" in its name.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from kdlab import losses, models, schemes
from kdlab._checks import check_choice, check_fraction, check_length, check_positive
from kdlab.data import Batches
from kdlab.experiments.layer_losses import LOSSES, LayerLoss
from kdlab.experiments.training import learn, steps
from kdlab.experiments.units import SIDE, Recipe
from kdlab.schemes import Checkpoint, History


@dataclass(frozen=True)
class Hints:
    """FitNets: `learn_hints`, without labels, and then the recipe's own training.

    Attributes:
        student_layer, teacher_layer: As there; between them stands `models.regressor`.
        share: Epochs of hints for each epoch of the recipe, which they come on top of.
    """

    student_layer: str
    teacher_layer: str
    share: float = 0.5

    teachers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Raise ValueError for a share that is none."""
        check_fraction(share=self.share)

    def check(self, student: nn.Module, teacher: nn.Module) -> None:
        """Raise ValueError where layers are not there, or have not the same places."""
        self._regressor(student, teacher, 0)

    def epochs(self, recipe: Recipe) -> float:
        """Return how many epochs of plain training take as long."""
        return self._first(recipe) + recipe.epochs

    def __call__(
        self, recipe: Recipe, student: nn.Module, batches: Batches, teacher: nn.Module, **rest
    ) -> History:
        """Train a student in two stages, each with an optimizer of its own."""
        count, regressor = self._first(recipe), self._regressor(student, teacher, rest["seed"])
        first, last = _stages(rest, count * len(batches), self.epochs(recipe) * len(batches))
        layers = {"student_layer": self.student_layer, "teacher_layer": self.teacher_layer}
        made = steps(recipe, batches, student, regressor, epochs=count)
        first |= made | layers | {"regressor": regressor, "epochs": count}
        return _both(
            schemes.learn_hints(student, teacher, batches, **first),
            lambda: learn(recipe, student, batches, teacher, **last),
        )

    def _first(self, recipe: Recipe) -> int:
        return max(1, round(self.share * recipe.epochs))

    def _regressor(self, student: nn.Module, teacher: nn.Module, seed: int) -> nn.Module:
        mine = _maps(student, [self.student_layer])[self.student_layer]
        wanted = _maps(teacher, [self.teacher_layer])[self.teacher_layer]
        return models.regressor(mine, wanted, seed=seed)


@dataclass(frozen=True)
class Features:
    """A loss on layers beside the recipe's own: `distill_features`.

    Attributes:
        loss: One of `LOSSES`.
        student_layers, teacher_layers: Equally many, early to late, each beside its like.
        weight: Of the loss.
        regressed: Compare not the student's maps, but what regressors of 1x1, trained along,
            make of them; for losses that need as many channels as the teacher has.
    """

    loss: str
    student_layers: tuple[str, ...]
    teacher_layers: tuple[str, ...]
    weight: float
    regressed: bool = False

    teachers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Raise ValueError for what no student can be trained with."""
        check_choice(tuple(LOSSES), loss=self.loss)
        check_positive(weight=self.weight)
        least = 2 if self.loss == "flow" else 1
        check_length(least, student_layers=self.student_layers, teacher_layers=self.teacher_layers)
        if len(self.student_layers) != len(self.teacher_layers):
            came = f"{len(self.student_layers)} and {len(self.teacher_layers)}"
            raise ValueError(f"student_layers and teacher_layers must be equally many, got {came}")

    def check(self, student: nn.Module, teacher: nn.Module) -> None:
        """Raise ValueError where layers are not there, or don't fit the loss."""
        loss = self._loss(student, teacher, 0)
        loss(_maps(student, self.student_layers), _maps(teacher, self.teacher_layers))

    def epochs(self, recipe: Recipe) -> float:
        """Return how many epochs of plain training take as long."""
        # Measured: 1.2 (similarity, distance) to 2.2 (flow).
        return 1.5 * recipe.epochs

    def __call__(
        self, recipe: Recipe, student: nn.Module, batches: Batches, teacher: nn.Module, **rest
    ) -> History:
        """Train a student; its regressors learn by the same optimizer."""
        layers = {"student_layers": self.student_layers, "teacher_layers": self.teacher_layers}
        loss = self._loss(student, teacher, rest["seed"])
        rest |= steps(recipe, batches, student, loss) | layers | _predictions(recipe)
        rest |= {"feature_loss": loss, "feature_weight": self.weight, "epochs": recipe.epochs}
        return schemes.distill_features(student, teacher, batches, **rest)

    def _loss(self, student: nn.Module, teacher: nn.Module, seed: int) -> LayerLoss:
        mine, wanted = _maps(student, self.student_layers), _maps(teacher, self.teacher_layers)
        pairs = zip(self.student_layers, self.teacher_layers, strict=True)
        regressors = [
            models.regressor(mine[layer], wanted[like], seed=seed)
            for layer, like in pairs
            if self.regressed
        ]
        return LayerLoss(self.loss, self.student_layers, self.teacher_layers, regressors)


@dataclass(frozen=True)
class Blocks:
    """LIT: `distill_blocks`, and for the last epochs `distill`; one optimizer for both.

    Attributes:
        blocks: Their names, in both networks, which have the same shapes up to the last of them.
        weight: Of `losses.block_loss`.
        share: How much of the recipe's epochs is for `distill`, in which batch norm forgets the
            teacher's inputs.
    """

    blocks: tuple[str, ...]
    weight: float
    share: float = 0.25

    teachers: ClassVar[int] = 1

    def __post_init__(self) -> None:
        """Raise ValueError for what no student can be trained with."""
        check_length(1, blocks=self.blocks)
        check_positive(weight=self.weight)
        check_fraction(share=self.share)

    def check(self, student: models.FeatureNet, teacher: models.FeatureNet) -> None:
        """Raise ValueError where blocks are not there, or differ in shape."""
        _maps(student, self.blocks)
        names = [*student.blocks]
        names = names[: 1 + max(map(names.index, self.blocks))]
        mine, wanted = _maps(student, names), _maps(teacher, names)
        losses.block_loss([mine[name] for name in names], [wanted[name] for name in names])

    def epochs(self, recipe: Recipe) -> float:
        """Return how many epochs of plain training take as long."""
        # Each block runs on its own and in the whole, but for the last stage.
        return (2 - self.share) * recipe.epochs

    def __call__(
        self, recipe: Recipe, student: nn.Module, batches: Batches, teacher: nn.Module, **rest
    ) -> History:
        """Train a student by blocks, and then as a whole."""
        left = int(self.share * recipe.epochs)
        count = recipe.epochs - left
        first, last = _stages(rest, count * len(batches), recipe.epochs * len(batches))
        shared = steps(recipe, batches, student) | _predictions(recipe)
        blocks = {"blocks": self.blocks, "block_weight": self.weight}
        return _both(
            schemes.distill_blocks(
                student, teacher, batches, epochs=count, **blocks, **shared, **first
            ),
            lambda: schemes.distill(student, teacher, batches, epochs=left, **shared, **last),
            skip=not left,
        )


def _maps(model: nn.Module, layers: Sequence[str]) -> dict[str, Tensor]:
    """Return what layers make of two blank images."""
    device = next(model.parameters()).device
    return schemes.record(model, torch.zeros(2, 1, SIDE, SIDE, device=device), layers)


def _predictions(recipe: Recipe) -> dict[str, float]:
    return {"temperature": recipe.temperature, "lambda_": recipe.lambda_}


def _stages(rest: dict, before: int, whole: int) -> tuple[dict, dict]:
    """Return what two stages are given: one progress over both, a checkpoint for each."""
    first, last, tell, kept = {**rest}, {**rest}, rest.get("progress"), rest.get("checkpoint")
    if tell is not None:
        first["progress"] = lambda done, _, note: tell(done, whole, note)
        last["progress"] = lambda done, _, note: tell(before + done, whole, note)
    if kept is not None:
        path = kept.path.with_stem(f"{kept.path.stem}-first")
        first["checkpoint"] = Checkpoint(path, every=kept.every)
    return first, last


def _both(first: History, go_on: Callable[[], History], *, skip: bool = False) -> History:
    """Return the last stage's history, with the seconds of both."""
    if first.interrupted or skip:
        return first
    last = go_on()
    return replace(last, seconds=first.seconds + last.seconds)
