"""The rows of Hinton's table: what was published beside what is measured."""

from kdlab.experiments.spec import Row

PAPER = "Hinton et al. 2014, arXiv:1503.02531, section 3"
FLATTERED = f"{PAPER}; bias chosen on the test set"

TEMPERATURES = (1.0, 2.5, 4.0, 8.0, 20.0)

ROWS = (
    Row("teacher", "teacher", "teacher, 2 x 1200, moved images", published=67, source=PAPER),
    Row("labels-only", "labels-only", "2 x 800, labels only", published=146, source=PAPER),
    Row(
        "student",
        "student",
        "2 x 800, taught at T = 20, moved images, 120 epochs",
        published=74,
        source=f"{PAPER}; without moved images",
    ),
    Row("labels-moved", "labels-moved", "2 x 800, labels only, moved images, 120 epochs"),
    Row(
        "student-fixed",
        "student-fixed",
        "2 x 800, taught at T = 20, fixed images, 120 epochs",
        published=74,
        source=PAPER,
    ),
    Row(
        "student-gain",
        "labels-moved",
        "errors that the teacher saves, moved images, 120 epochs",
        minus="student",
    ),
    Row(
        "no-threes-raw",
        "no-threes",
        "the student taught without any 3",
        published=206,
        source=PAPER,
    ),
    Row(
        "no-threes-bias",
        "no-threes",
        "without any 3, bias of 3 chosen on training images",
        "errors_bias",
        published=109,
        source=FLATTERED,
    ),
    Row(
        "no-threes-bias-on-threes",
        "no-threes",
        "without any 3, that bias: errors on the test set's threes",
        "errors_classes",
        published=14,
        source=FLATTERED,
    ),
    Row(
        "no-threes-bias-test",
        "no-threes",
        "without any 3, bias of 3 chosen on the test set",
        "errors_bias_test",
        published=109,
        source=PAPER,
    ),
    Row(
        "sevens-eights-raw",
        "sevens-eights",
        "the student taught with 7 and 8 only",
        published=4730,
        source=PAPER,
    ),
    Row(
        "sevens-eights-bias",
        "sevens-eights",
        "7 and 8 only, their biases chosen on training images",
        "errors_bias",
        published=1320,
        source=FLATTERED,
    ),
    Row(
        "sevens-eights-bias-test",
        "sevens-eights",
        "7 and 8 only, their biases chosen on the test set",
        "errors_bias_test",
        published=1320,
        source=PAPER,
    ),
    Row("narrow-labels", "narrow-labels", "2 x 30, labels only"),
    *(
        Row(f"narrow-T{t:g}", f"narrow-T{t:g}", f"2 x 30, taught at T = {t:g}")
        for t in TEMPERATURES
    ),
    Row("convolutional", "convolutional", "convolutional teacher, moved images"),
    Row(
        "best-student",
        "best-student",
        "2 x 800, taught by both teachers together, T = 4, 200 epochs",
    ),
)
