"""Hinton, Vinyals and Dean 2014, section 3: MNIST by a large network, and its students."""

from dataclasses import replace

from kdlab.experiments.measures import with_bias
from kdlab.experiments.spec import Experiment, Recipe, Row, Unit

PAPER = "Hinton et al. 2014, arXiv:1503.02531, section 3"

TEACHER = Recipe(
    (784, 1200, 1200, 10), epochs=300, dropout=0.5, input_dropout=0.2, max_norm=4.0, shift=2
)
PLAIN = Recipe((784, 800, 800, 10), epochs=60)
# The student sees the moved images that its teacher is asked about, and hears nothing else.
STUDENT = replace(PLAIN, epochs=150, shift=2, temperature=20.0, lambda_=1.0)
NARROW = replace(STUDENT, widths=(784, 30, 30, 10), epochs=60)
CONVOLUTIONAL = Recipe((32, 64, 128), convolutional=True, epochs=40, shift=2)
BEST = replace(STUDENT, epochs=400, temperature=4.0)

TEMPERATURES = (1.0, 2.5, 4.0, 8.0, 20.0)
PANEL = ("conv-1", "conv-2", "conv-3")

EXPERIMENT = Experiment(
    name="hinton-mnist",
    measures="How much of a large network's skill a small one learns from its soft predictions.",
    paper=PAPER,
    dataset="mnist",
    units=(
        Unit("teacher", TEACHER),
        Unit("labels-only", PLAIN),
        Unit("student", STUDENT, ("teacher",)),
        Unit("no-threes", STUDENT, ("teacher",), without=(3,), measure=with_bias(3)),
        Unit(
            "sevens-eights",
            STUDENT,
            ("teacher",),
            without=(0, 1, 2, 3, 4, 5, 6, 9),
            measure=with_bias(7, 8),
        ),
        *(
            Unit(f"narrow-T{t:g}", replace(NARROW, temperature=t), ("teacher",))
            for t in TEMPERATURES
        ),
        *(Unit(name, CONVOLUTIONAL, member=n) for n, name in enumerate(PANEL)),
        Unit("best-student", BEST, PANEL),
    ),
    rows=(
        Row("teacher", "teacher", "teacher, 2 x 1200, dropout, moved images", "errors", 67, PAPER),
        Row("labels-only", "labels-only", "2 x 800 on labels", "errors", 146, PAPER),
        Row("student", "student", "2 x 800 taught, T = 20", "errors", 74, PAPER),
        Row("no-threes-raw", "no-threes", "taught without any 3", "errors", 206, PAPER),
        Row(
            "no-threes-bias",
            "no-threes",
            "the same, bias of class 3 chosen on training images",
            "errors_bias",
            109,
            PAPER,
        ),
        Row(
            "no-threes-bias-on-threes",
            "no-threes",
            "of these on the 1,010 threes",
            "errors_classes",
            14,
            PAPER,
        ),
        Row(
            "sevens-eights-raw", "sevens-eights", "taught with 7 and 8 only", "errors", 4730, PAPER
        ),
        Row(
            "sevens-eights-bias",
            "sevens-eights",
            "the same, biases of 7 and 8 chosen on training images",
            "errors_bias",
            1320,
            PAPER,
        ),
        *(
            Row(f"narrow-T{t:g}", f"narrow-T{t:g}", f"2 x 30 taught, T = {t:g}")
            for t in TEMPERATURES
        ),
        Row("best-student", "best-student", "2 x 800 taught by three convolutional networks"),
    ),
)
