"""What an experiment is: recipes, units (one network, one seed each) and rows of a table."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256

from torch import Tensor, nn

from kdlab import models
from kdlab._checks import check_count, check_fraction, check_positive
from kdlab.data import Dataset

#: What is read off a trained network: numbers by name. A frozen dataclass with `__call__`, so
#: that it can be sent to another process and told in the settings.
Measure = Callable[[nn.Module, Dataset], Mapping[str, float]]

#: What becomes of a teacher's logits before the student hears them, given the classes of the
#: images and the seed. A frozen dataclass with `__call__`, too.
View = Callable[[Tensor, Tensor, int], Tensor]

#: Changes when the same settings come to mean other numbers; then all is trained anew.
FORM = 1


@dataclass(frozen=True)
class Recipe:
    """How one network is built and trained: all that decides its numbers, but for seed and data.

    Attributes:
        widths: Values per image, units of each hidden layer, classes; for a convolutional
            network its channels.
        epochs: Passes over the training images; 0 leaves the network untrained.
        convolutional: Build `models.conv_net` and not `models.mlp`.
        learning_rate: Adam's at the start; it falls to 0 along a half cosine.
        batch_size: Images a step.
        dropout, input_dropout: Of hidden units and of pixels.
        max_norm: Largest norm of a unit's incoming weights; None is no limit.
        shift: Pixels by which an image is moved, at most, in each direction.
        smoothing: Label smoothing, where there is no teacher.
        temperature, lambda_: Of the teacher's term, where there is one.
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

    def __post_init__(self) -> None:
        """Raise ValueError for what no network can be trained with, before hours are spent."""
        check_count(0, epochs=self.epochs, shift=self.shift)
        check_count(batch_size=self.batch_size)
        check_positive(learning_rate=self.learning_rate, temperature=self.temperature)
        check_fraction(smoothing=self.smoothing)
        check_fraction(lambda_=self.lambda_)
        if self.max_norm is not None:
            check_positive(max_norm=self.max_norm)
        self.build(0)

    def build(self, seed: int) -> models.FeatureNet:
        """Return a fresh network."""
        if self.convolutional:
            return models.conv_net(self.widths, seed=seed)
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
        examples: How many training images it gets, drawn by the seed; None is all.
        member: Its number in a panel: members of one recipe and seed must differ.
        view: What becomes of the teacher's logits before the student hears them; None is nothing.
        measure: What is read off it.
    """

    name: str
    recipe: Recipe
    teachers: tuple[str, ...] = ()
    without: tuple[int, ...] = ()
    examples: int | None = None
    member: int = 0
    view: View | None = None
    measure: Measure | None = None

    def settings(self) -> dict:
        """Return all that decides its numbers, as JSON holds it; the name is none of it."""
        said = asdict(self) | {"view": _said(self.view), "measure": _said(self.measure)}
        del said["name"]
        return json.loads(json.dumps(said))


def _said(view: object) -> dict | None:
    return view and {"is": type(view).__name__} | asdict(view)


@dataclass(frozen=True)
class Row:
    """One line of an experiment's table.

    Attributes:
        name: Its name in the results, for example "no-threes-raw".
        unit: The unit whose number it shows.
        number: Which of the unit's numbers.
        minus: Another unit, whose number is taken away from it seed by seed; None is none.
        published: The published number; None where there is none.
        source: Where it stands.
        text: What the row is, for a reader.
    """

    name: str
    unit: str
    text: str
    number: str = "errors"
    minus: str | None = None
    published: float | None = None
    source: str = ""


@dataclass(frozen=True)
class Experiment:
    """A published table, or a question of ours, as units and rows.

    Attributes:
        name: For the command line and for the file of results.
        measures: One sentence: what it finds out.
        paper: Whose numbers it stands beside.
        dataset: Name for `data.load`.
        units: In an order in which each teacher comes before its students.
        rows: The table.
        seeds: How many, by default.
        unit_of_numbers: What the numbers count.
    """

    name: str
    measures: str
    paper: str
    dataset: str
    units: tuple[Unit, ...]
    rows: tuple[Row, ...]
    seeds: int = 5
    unit_of_numbers: str = "test errors of 10,000"
    by_name: dict[str, Unit] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raise ValueError if two units share a name, or one needs another that comes later."""
        seen: dict[str, Unit] = {}
        for unit in self.units:
            if unit.name in seen:
                raise ValueError(f"units must have different names, got {unit.name} twice")
            if missing := [name for name in unit.teachers if name not in seen]:
                raise ValueError(f"{unit.name} must come after its teacher {missing[0]}")
            seen[unit.name] = unit
        shown = [name for row in self.rows for name in (row.unit, row.minus) if name]
        if missing := [name for name in shown if name not in seen]:
            raise ValueError(f"rows must show units of the experiment, got {missing[0]}")
        object.__setattr__(self, "by_name", seen)

    def fingerprint(self, unit: Unit, seed: int) -> str:
        """Return a short text that differs where the numbers of two units may differ."""
        teachers = [self.fingerprint(self.by_name[name], seed) for name in unit.teachers]
        said = unit.settings() | {"teachers": teachers, "seed": seed}
        said |= {"dataset": self.dataset, "form": FORM}
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def keeps(self, unit: Unit) -> bool:
        """Tell whether a later unit needs this one's network."""
        return any(unit.name in other.teachers for other in self.units)
