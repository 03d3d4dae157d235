"""The fewer labels there are, the more a teacher has to add."""

from dataclasses import replace

from kdlab.experiments.hinton_mnist import LABELS, TEACHER
from kdlab.experiments.hinton_rows import PAPER
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.units import Unit

#: Passes over so many images: about 2,000 steps, or as long as the whole set gets.
EPOCHS = {
    100: 2000,
    300: 1000,
    1000: 500,
    3000: 160,
    10_000: 60,
    30_000: 30,
    60_000: 20,
}
TAUGHT = {"temperature": 4.0, "lambda_": 1.0}

EXPERIMENT = Experiment(
    name="low-data",
    measures="What a student makes of 100 to 60,000 images, from labels and from a teacher.",
    paper=f"{PAPER}, and section 5.1 there: soft targets of 3 % of the data",
    dataset="mnist",
    units=(
        Unit("teacher", TEACHER),
        *(Unit(f"labels-{n}", replace(LABELS, epochs=e), examples=n) for n, e in EPOCHS.items()),
        *(
            Unit(f"taught-{n}", replace(LABELS, epochs=e, **TAUGHT), ("teacher",), examples=n)
            for n, e in EPOCHS.items()
        ),
    ),
    rows=(
        Row("teacher", "teacher", "the teacher, which learnt from all"),
        *(Row(f"labels-{n}", f"labels-{n}", f"{n:,} images, labels") for n in EPOCHS),
        *(Row(f"taught-{n}", f"taught-{n}", f"{n:,} images, the teacher") for n in EPOCHS),
    ),
    seeds=3,
)
