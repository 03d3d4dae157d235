"""Generalized distillation: four synthetic set-ups, and digits of 28 x 28 for students of 7 x 7.

The teacher sees x* and the student x; both are as in the paper and its released code. Numbers are
shares of test examples that are right.

Synthetic: three linear classifiers, fitted to the end where the authors stop after 1,000 epochs
of RMSprop; ten repeats a seed. Experiment 4 stands twice: as it is written, and by the largest
features, with which the printed numbers come out.

MNIST, see `coarse`: all networks have two hidden layers of 20 units. The released code trains by
RMSprop for 50 epochs in batches of 128 images, Keras's default then: with 300 images these are 150
steps, after which no student has learnt what it can. Its student isn't softened and the teacher
is: logits of v / T are small, and sooner reached than v. Hence two controls: "both softened", as
in Hinton's loss, and "long", ten times as many epochs. A student's image is the mean over 4 x 4
pixels; theirs is Pillow's reduction to a quarter.
"""

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from typing import ClassVar

from kdlab.experiments.coarse import EPOCHS, Coarse
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.trials import Trial
from kdlab.privileged import Comparison, compare_linear, draw_triplets
from kdlab.schemes.history import Progress

PAPER = "Lopez-Paz et al. 2016, arXiv:1511.03643"
#: Accuracies of teacher, student and taught student.
SYNTHETIC = {
    "clean labels": (0.96, 0.88, 0.95),
    "clean features": (0.90, 0.68, 0.70),
    "relevant features": (0.98, 0.89, 0.97),
    "random features": (0.96, 0.55, 0.56),
    "largest features": (0.96, 0.55, 0.56),
}
_TITLES = ("1, clean labels", "2, clean features", "3, relevant features")
_TITLES += ("4, random features, as written", "4, largest features")
ROLES = {"privileged": "the teacher", "regular": "labels only", "distilled": "taught"}

#: By examples: the teacher, labels only, and the best taught student with its T and lambda.
MNIST = {300: (0.80, 0.47, 0.66, (20, 0.1)), 500: (0.84, 0.59, 0.74, (20, 0.6))}
#: Of the controls.
FEW_TEMPERATURES, FEW_LAMBDAS = (20,), (0.1, 0.6, 1.0)
REPEATS, LONG = 10, 500


@dataclass(frozen=True)
class Linear:
    """Repeats of a synthetic set-up; the mean of each accuracy, and as curves that of each repeat.

    Attributes:
        setup: One of `privileged.SETUPS`.
        repeats: How many a seed.
        test: Test examples.
    """

    setup: str
    repeats: int = REPEATS
    test: int = 10_000

    numbers: ClassVar[tuple[str, ...]] = tuple(field.name for field in fields(Comparison))
    curves: ClassVar[tuple[str, ...]] = tuple(f"each-{name}" for name in numbers)

    def __call__(self, seed: int, dataset: None, progress: Progress) -> dict:
        """Return the accuracies."""
        found = []
        for repeat in range(self.repeats):
            drawn = draw_triplets(self.setup, seed=seed * self.repeats + repeat, test=self.test)
            found.append(compare_linear(*drawn))
            progress(repeat + 1, self.repeats, "")
        each = {name: [getattr(one, name) for one in found] for name in self.numbers}
        means = {name: sum(values) / self.repeats for name, values in each.items()}
        return means | {f"each-{name}": values for name, values in each.items()}

    def small(self) -> "Linear":
        """Return one repeat on a small test."""
        return Linear(self.setup, 1, 100)


def _synthetic() -> tuple[list[Trial], list[Row]]:
    trials, rows = [], []
    for title, (setup, published) in zip(_TITLES, SYNTHETIC.items(), strict=True):
        trials.append(Trial(name := setup.replace(" ", "-"), Linear(setup), seconds=2.0))
        for (role, who), number in zip(ROLES.items(), published, strict=True):
            said = {"published": number, "source": f"{PAPER}, section 5"}
            rows.append(Row(f"{name}-{role}", name, f"{title}: {who}", role, **said))
    return trials, rows


def _mnist(examples: int) -> tuple[list[Trial], list[Row]]:
    *published, cell = MNIST[examples]
    few = Coarse(examples, cell, EPOCHS, FEW_TEMPERATURES, FEW_LAMBDAS)
    tasks = {
        "": (Coarse(examples, cell), "", 20.0),
        "-softened": (replace(few, softened=True), ", both softened", 2.0),
        "-long": (replace(few, epochs=LONG), f", {LONG} epochs", 15.0),
    }
    trials, rows = [], []
    for what, (task, title, seconds) in tasks.items():
        trials.append(Trial(f"mnist-{examples}{what}", task, "mnist", seconds))
        beside = (None, None, None) if what else published
        rows += _mnist_rows(trials[-1], f"MNIST, {examples} images{title}", beside)
    return trials, rows


def _mnist_rows(trial: Trial, title: str, published: Sequence[float | None]) -> list[Row]:
    temperature, weight = trial.task.cell
    texts = {
        "teacher": "the teacher",
        "labels": "labels only",
        "taught": f"taught, T = {temperature}, lambda = {weight}",
        "best": "the best of all, chosen on the test images",
    }
    rows = []
    for (number, text), value in zip(texts.items(), (*published, None), strict=True):
        said = {"published": value, "source": f"{PAPER}, released results" if value else ""}
        rows.append(Row(f"{trial.name}-{number}", trial.name, f"{title}: {text}", number, **said))
    return rows


_PARTS = [_synthetic(), *(_mnist(examples) for examples in MNIST)]

EXPERIMENT = Experiment(
    name="lopez-paz",
    measures="Does a student learn from a teacher that sees what the student never will?",
    paper=PAPER,
    dataset=None,
    units=tuple(trial for trials, _ in _PARTS for trial in trials),
    rows=tuple(row for _, rows in _PARTS for row in rows),
    counted=f"shares of test examples that are right, synthetic ones of {REPEATS} repeats a seed",
    digits=3,
)
