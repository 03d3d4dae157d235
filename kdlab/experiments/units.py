"""One network to train: its recipe, its teachers, and what is read off it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import ClassVar

from torch import Tensor, nn

from kdlab import models
from kdlab._checks import check_choice, check_count, check_fraction, check_positive
from kdlab.data import Dataset
from kdlab.experiments.code import told
from kdlab.schemes import History

#: What is read off a trained network: numbers by name. A frozen dataclass with `__call__`, so
#: that it can be sent to others and told in the settings; `numbers` holds the numbers' names.
Measure = Callable[[nn.Module, Dataset], Mapping[str, float]]

#: What becomes of a teacher's logits before the student hears them, given the classes of the
#: images and the seed. A frozen dataclass with `__call__`, too.
View = Callable[[Tensor, Tensor, int], Tensor]

#: How a unit learns, where it isn't from labels or a teacher's predictions alone: from layers of
#: one teacher, see `imitations`, or together with others, see `teams`. A frozen dataclass of
#: theirs, or of one's own with the same methods.
Imitation = Callable[..., History]

#: Data sets of grey images, 28 x 28, in ten classes: how many to learn from, how many to test.
DATASETS = {"mnist": (60_000, 10_000), "fashion-mnist": (60_000, 10_000), "digits": (1_297, 500)}
SIDE, CLASSES = 28, 10


@dataclass(frozen=True)
class Recipe:
    """How one network is built and trained: all that decides its numbers, but for seed and data.

    Attributes:
        widths: Values per image, units of each hidden layer, classes; for a convolutional
            network its channels.
        epochs: Passes over the training images; 0 leaves the network untrained.
        convolutional: Build `models.conv_net` and not `models.mlp`.
        squeeze: Of a convolutional network, as there.
        learning_rate: Adam's at the start; it falls to 0 along a half cosine.
        batch_size: Images a step.
        dropout, input_dropout: Of hidden units and of pixels.
        max_norm: Largest norm of a unit's incoming weights, where there is no teacher; None is
            no limit.
        shift: Pixels by which an image is moved, at most, in each direction.
        smoothing: Label smoothing, where there is no teacher.
        temperature, lambda_: Of the teacher's term, where there is one, or of partners'.
        pool_after: Of a convolutional network, as there.
        stop_soft_at: As in `schemes.distill`, where there is a teacher.
    """

    widths: tuple[int, ...]
    epochs: int
    convolutional: bool = False
    learning_rate: float = 1e-3
    batch_size: int = 256
    dropout: float = 0.0
    input_dropout: float = 0.0
    max_norm: float | None = None
    shift: int = 0
    smoothing: float = 0.0
    temperature: float = 1.0
    lambda_: float = 1.0
    squeeze: int | None = None
    pool_after: tuple[int, ...] | None = None
    stop_soft_at: int | None = None

    def __post_init__(self) -> None:
        """Raise ValueError for what no network can be trained with, before hours are spent."""
        check_count(0, epochs=self.epochs, shift=self.shift)
        if self.shift >= SIDE:
            raise ValueError(f"shift must be < {SIDE}, got {self.shift}")
        check_count(batch_size=self.batch_size)
        check_positive(learning_rate=self.learning_rate, temperature=self.temperature)
        check_fraction(smoothing=self.smoothing, lambda_=self.lambda_)
        if self.max_norm is not None:
            check_positive(max_norm=self.max_norm)
        if self.stop_soft_at is not None:
            check_count(0, stop_soft_at=self.stop_soft_at)
        self._check_kind()
        self.build(0)

    def _check_kind(self) -> None:
        if self.convolutional and (self.dropout or self.input_dropout):
            raise ValueError("dropout is for networks that are not convolutional")
        for name in ("squeeze", "pool_after"):
            if getattr(self, name) is not None and not self.convolutional:
                raise ValueError(f"{name} is for convolutional networks")

    def build(self, seed: int) -> models.FeatureNet:
        """Return a fresh network."""
        if self.convolutional:
            shape = {"squeeze": self.squeeze, "pool_after": self.pool_after}
            return models.conv_net(self.widths, **shape, seed=seed)
        rates = {"dropout": self.dropout, "input_dropout": self.input_dropout}
        return models.mlp(self.widths, **rates, seed=seed)


@dataclass(frozen=True)
class Unit:
    """One network to train, for each seed.

    Attributes:
        name: Its name in the experiment.
        recipe: How it is trained.
        teachers: Names of the units that teach it, all of the same seed; their logits are
            averaged. Without one it learns from labels.
        without: Classes that are taken out of its training images.
        examples: How many training images are drawn by the seed, before classes are taken out;
            None is all.
        member: Its number in a panel: members of one recipe and seed must differ.
        view: What becomes of the teacher's logits before the student hears them; None is nothing.
        measure: What is read off it.
        imitate: How it learns otherwise: from layers of one teacher, or with others; None is from
            labels and predictions alone.
        dataset: One of `DATASETS`; None is the experiment's.
    """

    name: str
    recipe: Recipe
    teachers: tuple[str, ...] = ()
    without: tuple[int, ...] = ()
    examples: int | None = None
    member: int = 0
    view: View | None = None
    measure: Measure | None = None
    imitate: Imitation | None = None
    dataset: str | None = None

    curves: ClassVar[tuple[str, ...]] = ()
    kind: ClassVar[str] = "networks"

    def __post_init__(self) -> None:
        """Raise ValueError for what can't be trained, or would be left out without a word."""
        check_count(0, member=self.member)
        if self.examples is not None:
            check_count(examples=self.examples)
        if self.dataset is not None:
            check_choice(tuple(DATASETS), dataset=self.dataset)
        _check_tuples(teachers=self.teachers, without=self.without)
        for gone in self.without:
            check_choice(tuple(range(CLASSES)), without=gone)
        if len(set(self.without)) == CLASSES:
            raise ValueError("without must leave a class")
        self.settings()
        self._check_teaching()
        if self.measure is not None and not hasattr(self.measure, "numbers"):
            raise ValueError(f"measure must name its numbers in `numbers`, got {self.measure!r}")

    def _check_teaching(self) -> None:
        recipe, taught = self.recipe, bool(self.teachers)
        _refuse(taught and recipe.smoothing, "smoothing", "no teacher")
        _refuse(taught and recipe.max_norm is not None, "max_norm", "no teacher")
        _refuse(taught and not recipe.epochs and not self.imitate, "epochs of 0", "no teacher")
        _refuse(not taught and self.view is not None, "view", "a teacher")
        _refuse(not taught and recipe.stop_soft_at is not None, "stop_soft_at", "a teacher")
        if self.imitate is not None:
            wanted, came = self.imitate.teachers, len(self.teachers)
            if came != wanted:
                raise ValueError(f"teachers must be {wanted}, as imitate needs, got {came}")
            # A teacher is recorded once, and its logits are left as they are.
            _refuse(taught and recipe.shift, "shift", "no imitation")
            _refuse(self.view is not None, "view", "no imitation")
            _refuse(recipe.stop_soft_at is not None, "stop_soft_at", "no imitation")

    def build(self, seed: int) -> nn.Module:
        """Return its fresh network, or networks as one."""
        make = getattr(self.imitate, "build", None)
        return make(self.recipe, seed) if make else self.recipe.build(seed)

    @property
    def numbers(self) -> tuple[str, ...]:
        """Names of what is read off it."""
        return ("errors", *(self.measure.numbers if self.measure else ()))

    def quick(self) -> "Unit":
        """Return one that is done in seconds: one epoch, on the experiment's data."""
        recipe = replace(self.recipe, epochs=min(self.recipe.epochs, 1))
        examples = self.examples and min(self.examples, 1000)
        return replace(self, recipe=recipe, examples=examples, dataset=None)

    def stage(self, done: int, steps: int) -> str:
        """Say how far its training is."""
        return f"epoch {self.recipe.epochs * done // steps} of {self.recipe.epochs}"

    def settings(self) -> dict:
        """Return all that decides its numbers, as JSON holds it; the name is none of it.

        What came later and is not used is left out: units of before keep their fingerprints.
        """
        said = asdict(self) | {"view": told(view=self.view), "measure": told(measure=self.measure)}
        said["imitate"] = told(imitate=self.imitate)
        del said["name"]
        for held, names in ((said, _LATER), (said["recipe"], _LATER_IN_RECIPES)):
            for name in names:
                if held[name] is None:
                    del held[name]
        return json.loads(json.dumps(said))


# What was not there when the first units were trained.
_LATER = ("imitate", "dataset")
_LATER_IN_RECIPES = ("squeeze", "pool_after", "stop_soft_at")


def _check_tuples(**named: object) -> None:
    for name, value in named.items():
        if not isinstance(value, tuple):
            raise ValueError(f"{name} must be a tuple, got {value!r}")


def _refuse(wrong: object, what: str, only: str) -> None:
    if wrong:
        raise ValueError(f"{what} is for units with {only}")
