"""Every way from a network of ten convolutions down to one of two, over assistants or straight.

Mirzadeh et al. train plain convolutional networks of 2 to 10 layers on CIFAR-10 and CIFAR-100, in
pairs of layers with pooling after each pair, channels doubling, and so is it here with fewer
channels, on MNIST and FashionMNIST with 1,000 labels for everybody, the teacher included. Their
numbers are accuracies on other images, the best of 120 trials chosen on the test set: they stand
in `PUBLISHED` and not in the rows. T, lambda, rates and epochs are not tuned here.

A path's name is its sizes: 10-4-2 is the student of size 2 that the assistant of size 4 taught,
which the teacher taught. A single size learnt from labels. All of a seed start from the same seed,
so that paths are compared in pairs.
"""

from dataclasses import replace

from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.units import Recipe, Unit
from kdlab.schemes.paths import Path, all_paths, prefixes

#: Accuracy in %, plain networks 2 <- 4 <- 10: labels, distilled, with the assistant; and, on both,
#: with an assistant of 8, 6 and 4.
PUBLISHED = {
    "CIFAR-10": {"labels": 70.16, "distilled": 72.57, "8": 72.75, "6": 73.15, "4": 73.51},
    "CIFAR-100": {"labels": 41.09, "distilled": 44.57, "8": 44.28, "6": 44.57, "4": 44.92},
}
PAPER = "Mirzadeh et al. 2020, arXiv:1902.03393, on CIFAR"

#: Channels of each convolution, and after which there is pooling.
NETWORKS = {
    2: ((8, 16), (1, 2)),
    4: ((8, 8, 16, 16), (2, 4)),
    6: ((8, 8, 16, 16, 32, 32), (2, 4, 6)),
    8: ((8, 8, 16, 16, 32, 32, 64, 64), (2, 4, 6)),
    10: ((16, 16, 32, 32, 64, 64, 128, 128, 128, 128), (2, 4, 6)),
}
EXAMPLES, EPOCHS = 1_000, 100
TAUGHT = {"temperature": 4.0, "lambda_": 0.9}
DATA = {"mnist": "MNIST", "fashion-mnist": "FashionMNIST"}
PATHS = prefixes(all_paths(tuple(NETWORKS)))


def recipe(size: int, **changed: object) -> Recipe:
    """Return how a network of a size is trained on labels."""
    widths, pools = NETWORKS[size]
    plain = Recipe(
        widths,
        EPOCHS,
        convolutional=True,
        pool_after=pools,
        learning_rate=1e-2,
        batch_size=64,
    )
    return replace(plain, **changed)


def name_of(data: str, path: Path) -> str:
    """Return the name of a unit."""
    return "-".join(map(str, (data, *path)))


def unit_of(data: str, path: Path) -> Unit:
    """Return the last network of a path."""
    given = {"examples": EXAMPLES, "dataset": data}
    if len(path) == 1:
        return Unit(name_of(data, path), recipe(*path), **given)
    taught = recipe(path[-1], **TAUGHT)
    return Unit(name_of(data, path), taught, (name_of(data, path[:-1]),), **given)


def _row(data: str, path: Path) -> Row:
    how = "labels only" if len(path) == 1 else f"taught by {path[-2]}"
    if len(path) > 2:
        how += f", on the way {' > '.join(map(str, path))}"
    name = name_of(data, path)
    return Row(name, name, f"{DATA[data]}, {path[-1]} layers: {how}")


_ALONE = tuple((size,) for size in sorted(NETWORKS))
_NODES = (*_ALONE, *(path for path in PATHS if len(path) > 1))

EXPERIMENT = Experiment(
    name="assistants",
    measures="Is a small student better off with an assistant between it and a large teacher?",
    paper=PAPER,
    dataset="mnist",
    units=tuple(unit_of(data, path) for data in DATA for path in _NODES),
    rows=tuple(_row(data, path) for data in DATA for path in _NODES),
)
