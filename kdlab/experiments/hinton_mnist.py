"""Hinton, Vinyals and Dean 2014, section 3: MNIST by a large network, and its students."""

from dataclasses import replace

from kdlab.experiments.measures import WithBias
from kdlab.experiments.spec import Experiment, Recipe, Row, Unit

PAPER = "Hinton et al. 2014, arXiv:1503.02531, section 3"

TEACHER = Recipe((784, 1200, 1200, 10), epochs=200, dropout=0.3, max_norm=3.0, shift=2)
LABELS = Recipe((784, 800, 800, 10), epochs=20)
# The student sees the moved image that its teacher is asked about, and hears nothing else.
STUDENT = replace(LABELS, epochs=120, shift=2, temperature=20.0)
NARROW = replace(LABELS, widths=(784, 30, 30, 10), epochs=40)
CONVOLUTIONAL = Recipe((16, 32, 64), convolutional=True, epochs=30, shift=2)
BEST = replace(STUDENT, epochs=300, temperature=4.0)

TEMPERATURES = (1.0, 2.5, 4.0, 8.0, 20.0)

EXPERIMENT = Experiment(
    name="hinton-mnist",
    measures="How much of a large network's skill a small one learns from its soft predictions.",
    paper=PAPER,
    dataset="mnist",
    units=(
        Unit("teacher", TEACHER),
        Unit("labels-only", LABELS),
        Unit("student", STUDENT, ("teacher",)),
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
        Unit("best-student", BEST, ("convolutional",)),
    ),
    rows=(
        Row("teacher", "teacher", "teacher, 2 x 1200, moved images", published=67, source=PAPER),
        Row("labels-only", "labels-only", "2 x 800, labels only", published=146, source=PAPER),
        Row("student", "student", "2 x 800, taught at T = 20", published=74, source=PAPER),
        Row("no-threes-raw", "no-threes", "taught without any 3", published=206, source=PAPER),
        Row(
            "no-threes-bias",
            "no-threes",
            "... bias of 3 chosen on training images",
            "errors_bias",
            published=109,
            source=f"{PAPER}; bias chosen on the test set",
        ),
        Row(
            "no-threes-bias-on-threes",
            "no-threes",
            "... its errors on the 1,010 threes",
            "errors_classes",
            published=14,
            source=f"{PAPER}; bias chosen on the test set",
        ),
        Row(
            "no-threes-bias-test",
            "no-threes",
            "... bias of 3 chosen on the test set",
            "errors_bias_test",
            published=109,
            source=PAPER,
        ),
        Row(
            "sevens-eights-raw",
            "sevens-eights",
            "taught with 7 and 8 only",
            published=4730,
            source=PAPER,
        ),
        Row(
            "sevens-eights-bias",
            "sevens-eights",
            "... biases of 7 and 8 chosen on training images",
            "errors_bias",
            published=1320,
            source=f"{PAPER}; bias chosen on the test set",
        ),
        Row("narrow-labels", "narrow-labels", "2 x 30, labels only"),
        *(
            Row(f"narrow-T{t:g}", f"narrow-T{t:g}", f"2 x 30, taught at T = {t:g}")
            for t in TEMPERATURES
        ),
        Row("convolutional", "convolutional", "a convolutional teacher, moved images"),
        Row("best-student", "best-student", "2 x 800, taught by it, patiently"),
    ),
)
