"""The cockpit: a student with and one without a teacher train live, side by side."""

from collections.abc import Callable

import traitlets
from torch import nn

from kdlab import models
from kdlab._checks import check_count
from kdlab.data import Dataset
from kdlab.widgets import _stills as stills
from kdlab.widgets._error_still import Line, draw, height_of
from kdlab.widgets._live_view import LiveView, take_over
from kdlab.widgets._trainee import check_dataset
from kdlab.widgets._traits import Number, temperature
from kdlab.widgets._twins import Settings, Twins

LEARNING_RATES = (0.001, 1.0)
LINES = (
    Line("labels_only", "labels only", stills.LABELS, "6 4"),
    Line("distilled", "distilled", stills.STUDENT, ""),
)


class TrainingView(LiveView, module="watch_training", uses=("answers", "live")):
    """What `watch_training` returns.

    Attributes:
        temperature: T of the teacher's term, 0.1 to 100.
        lambda_: Weight of the teacher's term, 0 to 1.
        learning_rate: Step size of both students, 0.001 to 1.
    """

    title = "Two students, one teacher"
    shown = ("temperature", "lambda_", "learning_rate", "state")

    temperature = temperature(4.0)
    lambda_ = Number(0.0, 1.0, 0.5).tag(sync=True)
    learning_rate = Number(*LEARNING_RATES, 0.05).tag(sync=True)
    _dataset = traitlets.Unicode().tag(sync=True)

    def __init__(self, twins: Twins, **traits) -> None:
        super().__init__(twins, _dataset=twins.dataset.name, **traits)

    @property
    def curves(self) -> dict:
        """Test errors so far.

        "steps", "labels_only" and "distilled" are lists of one length; "teacher" is the
        teacher's number of errors, None before the first start; all are counted on the same
        "examples" test images. "marks" tell what was moved: "step", "name", "value".
        """
        return super().curves

    def summary(self) -> str:
        """Say how many errors each makes by now."""
        now = self.curves
        if not now["steps"]:
            return "Two students, one with a teacher: press start to train them"
        return (
            f"After {now['steps'][-1]:,} steps, of {now['examples']:,} test images: "
            f"{now['labels_only'][-1]} errors with labels only, "
            f"{now['distilled'][-1]} distilled, {now['teacher']} of the teacher"
        )

    def still(self) -> str:
        """Draw the curves so far."""
        body = draw(self.curves, LINES)
        size = {"width": 660, "height": height_of(self.curves)}
        return stills.picture(body, **size, title=self.title, description=self.summary())

    def settings(self) -> Settings:
        """Return what the next step uses."""
        return Settings(self.temperature, self.lambda_, self.learning_rate).checked()

    @traitlets.observe("temperature", "lambda_", "learning_rate")
    def _set(self, change) -> None:
        self.use()


def watch_training(
    dataset: Dataset,
    teacher: nn.Module,
    *,
    student: Callable[[int], nn.Module] | None = None,
    temperature: float = 4.0,
    lambda_: float = 0.5,
    learning_rate: float = 0.05,
    batch_size: int = 128,
    seed: int = 0,
) -> TrainingView:
    """Train a student with labels only and its twin with a teacher, live.

    Both begin with the same weights and see the same batches, with SGD and momentum 0.9. A
    background thread trains them in turn with one torch thread, at most 100 steps a second,
    after `start`. T, lambda and the learning rate can be moved meanwhile; the next step uses
    them. Every 10 steps errors are counted on up to 1,000 test images, drawn once by the
    seed. After 6,000 steps it pauses by itself. Making a view stops the training of an
    earlier one. Pausing, or looking, changes no number. It goes on while a cell computes; a
    button pressed meanwhile may count only when the cell has ended.

    A student with dropout draws from torch's global generator, from the background: then
    neither it nor what else draws meanwhile can be repeated.

    Args:
        dataset: What both learn from, and are tested on; students go to its device.
        teacher: From images to logits; a frozen copy is used.
        student: Makes a student from a seed; None is a net with one hidden layer of 100.
        temperature: T of the teacher's term, 0.1 to 100.
        lambda_: Weight of the teacher's term, in [0, 1].
        learning_rate: 0.001 to 1.
        batch_size: Images in a batch.
        seed: Fixes the first weights, the batches, and the test images.

    Returns:
        The view, with `start`, `pause`, `stop`, `reset`, `state` and `curves`.

    Raises:
        ValueError: `dataset` is none; a value is out of range; or the teacher, or a student,
            gives other than one score a class for a test image.
    """
    check_dataset(dataset=dataset)
    check_count(batch_size=batch_size)
    check_count(0, seed=seed)
    make = student or _default_student(dataset)
    twins = Twins(dataset, teacher, student=make, batch_size=batch_size, seed=seed)
    moved = {"temperature": temperature, "lambda_": lambda_, "learning_rate": learning_rate}
    view = TrainingView(twins, **moved)
    take_over(view)
    return view


def _default_student(dataset: Dataset) -> Callable[[int], nn.Module]:
    pixels = dataset.train_images[0].numel()
    return lambda seed: models.mlp((pixels, 100, len(dataset.class_names)), seed=seed)
