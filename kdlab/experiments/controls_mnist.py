"""Which part of distillation's gain is dark knowledge? Each control could explain it away."""

from dataclasses import replace

from kdlab.experiments.hinton_mnist import LABELS, TEACHER
from kdlab.experiments.hinton_rows import PAPER
from kdlab.experiments.spec import Experiment, Row
from kdlab.experiments.units import Unit
from kdlab.experiments.views import Flattened, LabelsAlone, Permuted

T = 8.0
TAUGHT = replace(LABELS, temperature=T, lambda_=0.9)
UNTRAINED = replace(LABELS, widths=TEACHER.widths, epochs=0)

CONTROLS = {
    "label-smoothing": "label smoothing 0.1, no teacher",
    "temperature-only": f"labels at T = {T:g}, no teacher",
    "random-teacher": "an untrained teacher, lambda = 0.5",
    "permuted": "wrong classes of each answer shuffled",
    "flattened": "wrong classes of each answer made alike",
    "self-teacher": "a teacher of the student's own kind",
}

EXPERIMENT = Experiment(
    name="controls-mnist",
    measures="Which part of a student's gain is owed to what its teacher says of wrong classes.",
    paper=f"{PAPER}, which has no controls",
    dataset="mnist",
    units=(
        Unit("teacher", TEACHER),
        Unit("untrained", UNTRAINED, member=2),
        Unit("twin", LABELS, member=1),
        Unit("labels-only", LABELS),
        Unit("student", TAUGHT, ("teacher",)),
        Unit("label-smoothing", replace(LABELS, smoothing=0.1)),
        # Any teacher would do: the view lets nothing of it through.
        Unit("temperature-only", TAUGHT, ("untrained",), view=LabelsAlone(T)),
        Unit("random-teacher", replace(TAUGHT, lambda_=0.5), ("untrained",)),
        Unit("permuted", TAUGHT, ("teacher",), view=Permuted()),
        Unit("flattened", TAUGHT, ("teacher",), view=Flattened(T)),
        Unit("self-teacher", TAUGHT, ("twin",)),
    ),
    rows=(
        Row("teacher", "teacher", "the teacher itself"),
        Row("labels-only", "labels-only", "2 x 800, labels only", published=146, source=PAPER),
        Row("student", "student", f"2 x 800, taught, T = {T:g}, lambda = 0.9"),
        *(Row(name, name, f"2 x 800, {text}") for name, text in CONTROLS.items()),
        Row("gain", "labels-only", "saved errors: teacher", minus="student"),
        *(
            Row(f"gain-{name}", "labels-only", f"saved errors: {text}", minus=name)
            for name, text in CONTROLS.items()
        ),
        *(
            Row(f"left-{name}", name, f"student saves over: {text}", minus="student")
            for name, text in CONTROLS.items()
        ),
    ),
)
