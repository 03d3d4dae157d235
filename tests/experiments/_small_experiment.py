"""An experiment of small networks on digits, with everything that a large one has."""

from dataclasses import dataclass
from typing import ClassVar

from kdlab.experiments.measures import WithBias
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.units import Recipe, Unit
from kdlab.experiments.views import Permuted


@dataclass(frozen=True)
class Broken:
    """A measure that fails."""

    numbers: ClassVar[tuple[str, ...]] = ()

    def __call__(self, model, dataset):
        raise LookupError("nothing to read")


TEACHER = Recipe(
    (784, 24, 10), epochs=7, batch_size=128, dropout=0.2, max_norm=3.0, shift=1, learning_rate=0.01
)
STUDENT = Recipe((784, 12, 10), epochs=6, batch_size=128, shift=1, temperature=4.0, lambda_=0.9)

SMALL = Experiment(
    name="small",
    measures="Nothing.",
    paper="None.",
    dataset="digits",
    units=(
        Unit("teacher", TEACHER),
        Unit("conv", Recipe((4,), 1, convolutional=True), examples=200),
        Unit("labels", Recipe((784, 12, 10), epochs=2, smoothing=0.1)),
        Unit("student", STUDENT, ("teacher",)),
        Unit("panel", STUDENT, ("teacher", "conv"), without=(3,), measure=WithBias((3,))),
        Unit("permuted", STUDENT, ("teacher",), view=Permuted(), examples=300),
        Unit("untrained", Recipe((784, 12, 10), epochs=0)),
    ),
    rows=(
        Row("teacher", "teacher", "teacher", published=67, source="a paper"),
        Row("student", "student", "student"),
        Row("bias", "panel", "panel with a bias", "errors_bias"),
        Row("gain", "labels", "gain", minus="student"),
    ),
    seeds=2,
)
