"""Two networks that teach each other, equal and unequal, and what else their time would buy.

Zhang et al. learn CIFAR-100 and Market-1501 by pairs; here are two small convolutional networks
on MNIST and FashionMNIST with 1,000 labels. "Small" has 2,575 parameters and "large" 24,058, the
student and the teacher of `features-table`. Each pair costs at least the training of both; the
controls beside it have as much: one network for twice as long, one that learns from another of
its own kind that was trained before, and the mean of two that learnt alone.

T = 1, and lambda = 1/2 weighs labels and partner alike, as in the paper. Rates, batches and
epochs are not tuned.
"""

from dataclasses import replace

from kdlab.experiments.features_table import DATA, STUDENT, TEACHER
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.teams import Each, Mean, Mutual, Spread
from kdlab.experiments.units import Unit

PAPER = "Zhang et al. 2018, arXiv:1706.00384, on CIFAR-100"
EXAMPLES, EPOCHS = 1_000, 100

SMALL = replace(STUDENT, epochs=EPOCHS, temperature=1.0, lambda_=0.5)
LARGE = replace(SMALL, widths=TEACHER.widths)


#: Recipe and the rest of each unit; teachers by their name without the data set.
_KINDS = {
    "small": (SMALL, {}),
    "small-again": (SMALL, {"member": 1}),
    "small-long": (replace(SMALL, epochs=2 * EPOCHS), {}),
    "large": (LARGE, {}),
    "mean": (SMALL, {"teachers": ("small", "small-again"), "imitate": Mean(2)}),
    "by-small": (SMALL, {"teachers": ("small-again",)}),
    "by-large": (SMALL, {"teachers": ("large",)}),
    "pair": (SMALL, {"imitate": Mutual((SMALL.widths,))}),
    "pair-at-once": (SMALL, {"imitate": Mutual((SMALL.widths,), "at once")}),
    "unequal": (SMALL, {"imitate": Mutual((LARGE.widths,))}),
    "pair-large": (LARGE, {"imitate": Mutual((LARGE.widths,))}),
}


def _units(data: str) -> tuple[Unit, ...]:
    units = []
    for what, (recipe, rest) in _KINDS.items():
        teachers = tuple(f"{data}-{name}" for name in rest.get("teachers", ()))
        pair = isinstance(rest.get("imitate"), Mutual)
        given = {"measure": Each() if pair else Spread(), "examples": EXAMPLES, "dataset": data}
        units.append(Unit(f"{data}-{what}", recipe, **given | rest | {"teachers": teachers}))
    return tuple(units)


_TEXTS = {
    "small": "small, alone",
    "small-long": "small, alone, twice as long",
    "by-small": "small, taught by a small one trained before",
    "by-large": "small, taught by a large one trained before",
    "pair": "two small, in turn: the first",
    "pair-at-once": "two small, at once: the first",
    "unequal": "small with a large partner: the small one",
    "large": "large, alone",
    "pair-large": "two large, in turn: the first",
    "mean": "the mean of two small, each alone",
}
_NUMBERS = {
    "pair": {"errors_second": "the second", "errors_mean": "their mean"},
    "unequal": {"errors_second": "the large one", "errors_mean": "their mean"},
}


def _rows(data: str) -> tuple[Row, ...]:
    rows = []
    for what, text in _TEXTS.items():
        unit, where = f"{data}-{what}", f"{DATA[data]}, "
        rows.append(Row(unit, unit, where + text))
        for number, who in _NUMBERS.get(what, {}).items():
            said = f"{where}{text.partition(':')[0]}: {who}"
            rows.append(Row(f"{unit}-{number.removeprefix('errors_')}", unit, said, number))
    return tuple(rows)


EXPERIMENT = Experiment(
    name="mutual",
    measures="Do two networks without a teacher learn more together than each alone?",
    paper=PAPER,
    dataset="mnist",
    units=tuple(unit for data in DATA for unit in _units(data)),
    rows=tuple(row for data in DATA for row in _rows(data)),
)
