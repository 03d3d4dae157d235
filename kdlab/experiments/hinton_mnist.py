"""Hinton, Vinyals and Dean 2014, section 3: MNIST by a large network, and its students.

The paper's student sees no moved images; ours sees those of its teacher, and for long. So two
units stand beside it: the same training by labels, and a student that sees fixed images. The
dropout was chosen on 10,000 training images held out. A first convolutional teacher, at a rate of
.001 in batches of 256, made 76 test errors and was given up; the rate and batch that took their
place were tried on the images held out. Other rates, temperatures and lengths were not tuned.
"""

from dataclasses import replace

from kdlab.experiments.hinton_rows import PAPER, ROWS, TEMPERATURES
from kdlab.experiments.measures import WithBias
from kdlab.experiments.spec import Experiment
from kdlab.experiments.units import Recipe, Unit

TEACHER = Recipe((784, 1200, 1200, 10), epochs=200, dropout=0.3, max_norm=3.0, shift=2)
LABELS = Recipe((784, 800, 800, 10), epochs=20)
# The student sees the moved image that its teacher is asked about, and hears nothing else.
STUDENT = replace(LABELS, epochs=120, shift=2, temperature=20.0)
FIXED = replace(STUDENT, shift=0)
NARROW = replace(LABELS, widths=(784, 30, 30, 10), epochs=40)
CONVOLUTIONAL = Recipe(
    (16, 32, 64), convolutional=True, epochs=20, shift=2, learning_rate=1e-2, batch_size=128
)
BEST = replace(STUDENT, epochs=200, temperature=4.0)

EXPERIMENT = Experiment(
    name="hinton-mnist",
    measures="How much of a large network's skill a small one learns from its soft predictions.",
    paper=PAPER,
    dataset="mnist",
    units=(
        Unit("teacher", TEACHER),
        Unit("labels-only", LABELS),
        Unit("student", STUDENT, ("teacher",)),
        # What of the student's success is owed to its moved images and its patience?
        Unit("labels-moved", replace(STUDENT, temperature=1.0)),
        Unit("student-fixed", FIXED, ("teacher",)),
        Unit("no-threes", STUDENT, ("teacher",), without=(3,), measure=WithBias((3,))),
        Unit(
            "sevens-eights",
            STUDENT,
            ("teacher",),
            without=(0, 1, 2, 3, 4, 5, 6, 9),
            measure=WithBias((7, 8)),
        ),
        Unit("narrow-labels", NARROW),
        *(
            Unit(f"narrow-T{t:g}", replace(NARROW, temperature=t), ("teacher",))
            for t in TEMPERATURES
        ),
        Unit("convolutional", CONVOLUTIONAL),
        Unit("best-student", BEST, ("teacher", "convolutional")),
    ),
    rows=ROWS,
)
