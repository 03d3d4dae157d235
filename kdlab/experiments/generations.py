"""Born-again networks and label refinery: does a student beat its teacher of the same kind?

Furlanello et al. grow generations on CIFAR-100, Bagherinezhad et al. refine labels on ImageNet;
here a small convolutional network of 2,575 parameters learns MNIST and FashionMNIST with 1,000
labels, for four generations. The controls: one network for five times as long, which is what five
generations cost; label smoothing; and for the mean of the four taught generations, the mean of four
that learnt alone.

The refinery's images are moved by up to two pixels, since its point is that each place of an image
has a label of its own; the network without a teacher sees the same. Nothing is tuned.
"""

from dataclasses import replace

from kdlab.experiments.mutual import DATA, EPOCHS, EXAMPLES, SMALL
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.teams import Mean, Spread
from kdlab.experiments.units import Recipe, Unit

PAPER = "Furlanello et al. 2018, arXiv:1805.04770, and Bagherinezhad et al. 2018, arXiv:1805.02641"
#: Error in %, first without a teacher and then born again; top-1 accuracy of AlexNet, refined.
PUBLISHED = {
    "DenseNet-112-33": (18.25, 16.95),
    "DenseNet-80-120": (16.87, 16.00),
    "WRN-28-10, CIFAR-10": (3.77, 3.86),
    "label refinery": (57.93, 59.97, 60.87, 61.22, 61.37),
}

LAST = 4
REFINED = replace(SMALL, lambda_=1.0, shift=2)
_ALONE = range(10, 10 + LAST)


def _chain(data: str, what: str, recipe: Recipe) -> list[Unit]:
    """Return a network without a teacher, and each that learns from the one before."""
    given = {"examples": EXAMPLES, "dataset": data, "measure": Spread()}
    units = [Unit(f"{data}-{what}-0", recipe, **given)]
    for number in range(1, LAST + 1):
        teacher = (units[-1].name,)
        units.append(Unit(f"{data}-{what}-{number}", recipe, teacher, member=number, **given))
    return units


def _mean(data: str, what: str, members: list[Unit]) -> Unit:
    names = tuple(unit.name for unit in members)
    given = {"examples": EXAMPLES, "dataset": data, "imitate": Mean(len(names))}
    return Unit(f"{data}-{what}", members[0].recipe, names, **given)


def _units(data: str) -> tuple[Unit, ...]:
    given = {"examples": EXAMPLES, "dataset": data}
    grown = _chain(data, "generation", SMALL)
    alone = [Unit(f"{data}-alone-{n}", SMALL, member=n, **given) for n in _ALONE]
    return (
        *grown,
        _mean(data, "ensemble", grown[1:]),
        *alone,
        _mean(data, "ensemble-alone", alone),
        Unit(f"{data}-long", replace(SMALL, epochs=(LAST + 1) * EPOCHS), **given),
        Unit(f"{data}-smoothed", replace(SMALL, smoothing=0.1), **given),
        *_chain(data, "refined", REFINED),
    )


_TEXTS = {
    "generation-0": "no teacher",
    **{f"generation-{n}": f"generation {n}, born again" for n in range(1, LAST + 1)},
    "ensemble": f"the mean of generations 1 to {LAST}",
    "ensemble-alone": f"the mean of {LAST} that learnt alone",
    "long": f"no teacher, {LAST + 1} times as long",
    "smoothed": "no teacher, labels smoothed by 0.1",
    "refined-0": "moved images, no teacher",
    **{f"refined-{n}": f"moved images, labels refined {n} times" for n in range(1, LAST + 1)},
}

EXPERIMENT = Experiment(
    name="generations",
    measures="Does a network learn more from its like than its like knew?",
    paper=PAPER,
    dataset="mnist",
    units=tuple(unit for data in DATA for unit in _units(data)),
    rows=tuple(
        Row(f"{data}-{what}", f"{data}-{what}", f"{title}, {text}")
        for data, title in DATA.items()
        for what, text in _TEXTS.items()
    ),
)
