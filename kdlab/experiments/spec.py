"""What an experiment is: units (one network, one seed each) and the rows of a table."""

import json
import re
from dataclasses import dataclass, field
from hashlib import sha256

from kdlab._checks import check_choice, check_count
from kdlab.experiments.trials import Trial
from kdlab.experiments.units import CLASSES, DATASETS, Unit

#: Changes when the same settings come to mean other numbers; then all is trained anew.
FORM = 1


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
        dataset: One of `DATASETS`, for all units that don't name another of as many test images;
            None where there are trials alone.
        units: In an order in which each teacher comes before its students; trials in any.
        rows: The table.
        seeds: How many, by default.
        counted: What its numbers are, for a reader; "" is the test errors of its data set.
        digits: Decimals of its numbers in the table.
    """

    name: str
    measures: str
    paper: str
    dataset: str | None
    units: tuple[Unit | Trial, ...]
    rows: tuple[Row, ...]
    seeds: int = 5
    counted: str = ""
    digits: int = 1
    by_name: dict[str, Unit | Trial] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Raise ValueError for what would end a run, before it begins."""
        if not re.fullmatch("[a-z0-9][a-z0-9-]*", self.name):
            raise ValueError(
                f"name must be of small letters, digits and hyphens, got {self.name!r}"
            )
        self._check_counted()
        check_count(seeds=self.seeds)
        object.__setattr__(self, "by_name", {unit.name: unit for unit in self.units})
        _check_different(units=[unit.name for unit in self.units])
        _check_different(rows=[row.name for row in self.rows])
        for number, unit in enumerate(self.units):
            if isinstance(unit, Unit):
                self._check_unit(unit, {earlier.name for earlier in self.units[:number]})
        for row in self.rows:
            self._check_row(row)

    def _check_counted(self) -> None:
        check_count(0, digits=self.digits)
        if self.dataset is not None:
            check_choice(tuple(DATASETS), dataset=self.dataset)
        elif not self.counted:
            raise ValueError("counted must say what is counted where dataset is None")

    def _check_unit(self, unit: Unit, earlier: set[str]) -> None:
        for name in unit.teachers:
            if name not in self.by_name:
                raise ValueError(f"teachers of {unit.name} must be units, got {name!r}")
            if name not in earlier:
                raise ValueError(f"{unit.name} must come after its teacher {name}")
        self._check_data(unit)
        if unit.imitate is not None:
            _check_imitation(unit, [self.by_name[name] for name in unit.teachers])
        if not unit.recipe.convolutional and unit.recipe.widths[-1] != CLASSES:
            came = unit.recipe.widths
            raise ValueError(f"widths of {unit.name} must end in {CLASSES} classes, got {came}")

    def _check_data(self, unit: Unit) -> None:
        if self.dataset is None:
            raise ValueError(f"dataset must not be None: {unit.name} is a network")
        (most, tests), mine = DATASETS[self.dataset_of(unit)], self.dataset_of(unit)
        if tests != DATASETS[self.dataset][1]:
            wanted = f"a data set of {DATASETS[self.dataset][1]} test images"
            raise ValueError(f"dataset of {unit.name} must be {wanted}, got {mine!r}")
        for name in unit.teachers:
            if (other := self.dataset_of(self.by_name[name])) != mine:
                raise ValueError(f"{unit.name} must have its teacher's data, {other}, got {mine}")
        if unit.examples is not None and unit.examples > most:
            raise ValueError(f"examples of {unit.name} must be <= {most}, got {unit.examples}")

    def _check_row(self, row: Row) -> None:
        for name in (row.unit, row.minus):
            if name is not None and name not in self.by_name:
                raise ValueError(f"rows must show units of the experiment, got {name}")
            if name is not None and row.number not in self.by_name[name].numbers:
                known = ", ".join(self.by_name[name].numbers)
                raise ValueError(f"number of {row.name} must be of {known}, got {row.number!r}")

    def dataset_of(self, unit: Unit | Trial) -> str | None:
        """Return the name of the data set of a unit; None for a trial without one."""
        return unit.dataset if isinstance(unit, Trial) else unit.dataset or self.dataset

    @property
    def datasets(self) -> tuple[str, ...]:
        """The names of all data sets that its units need."""
        return tuple(dict.fromkeys(filter(None, map(self.dataset_of, self.units))))

    @property
    def counts(self) -> str:
        """What its numbers count, for a reader."""
        return self.counted or f"test errors of {DATASETS[self.dataset][1]:,}"

    def fingerprint(self, unit: Unit | Trial, seed: int) -> str:
        """Return a short text that differs where the numbers of two units may differ."""
        teachers = [self.fingerprint(self.by_name[name], seed) for name in unit.teachers]
        said = unit.settings() | {"teachers": teachers, "seed": seed}
        said |= {"dataset": self.dataset_of(unit), "form": FORM}
        return sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()[:16]

    def keeps(self, unit: Unit | Trial) -> bool:
        """Tell whether a later unit needs this one's network."""
        return any(unit.name in other.teachers for other in self.units)


def _check_imitation(unit: Unit, teachers: list[Unit]) -> None:
    try:
        unit.imitate.check(unit.build(0), *(teacher.build(0) for teacher in teachers))
    except ValueError as error:
        raise ValueError(f"imitate of {unit.name}: {error}") from None


def _check_different(**named: list[str]) -> None:
    for what, names in named.items():
        if twice := [name for name in names if names.count(name) > 1]:
            raise ValueError(f"{what} must have different names, got {twice[0]} twice")
