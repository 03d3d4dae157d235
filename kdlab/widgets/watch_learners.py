"""Learners who teach each other, live: move who hears whom while they train."""

from collections.abc import Callable, Sequence

import traitlets
from torch import nn

from kdlab import models
from kdlab._checks import check_choice, check_count, check_fraction
from kdlab.data import Dataset
from kdlab.schemes.mutual import ORDERS
from kdlab.widgets import _error_still, _learner_still
from kdlab.widgets import _stills as stills
from kdlab.widgets._learners import LETTERS, Learners, LearnerSettings
from kdlab.widgets._live_view import LiveView, take_over
from kdlab.widgets._trainee import check_dataset
from kdlab.widgets._traits import Choice, Number, temperature
from kdlab.widgets._view import STATIC
from kdlab.widgets._weights import Table, check_table, even, give_way

LEARNING_RATES = (0.001, 1.0)
Maker = Callable[[int], nn.Module]


class Weights(traitlets.TraitType):
    """How strongly each learner of the view hears each other: a row for each learner."""

    def validate(self, view, value) -> Table:
        """Return the table as tuples; raise ValueError for one that is none."""
        return check_table(self.name, value, len(view.letters), len(view.heard))


class LearnersView(LiveView, module="watch_learners", uses=("answers", "live", "graph")):
    """What `watch_learners` returns.

    Attributes:
        weights: Rows of learners A, B, ...; columns of A, B, ... and then the teacher: how
            strongly the row's learner hears the column's. Rows sum to at most 1; what is left
            is the labels'.
        temperature: T of the others' terms, 0.1 to 100.
        learning_rate: Step size of all, 0.001 to 1.
        order: "in turn" or "at once".
        letters: The learners' names.
        heard: The letters, and "teacher" where there is one.
    """

    title = "Learners who teach each other"
    shown = ("weights", "temperature", "learning_rate", "order", "state")
    _css = LiveView._css + (STATIC / "watch_learners.css").read_text("utf-8")

    weights = Weights().tag(sync=True)
    temperature = temperature(1.0)
    learning_rate = Number(*LEARNING_RATES, 0.05).tag(sync=True)
    order = Choice(ORDERS).tag(sync=True)
    _heard = traitlets.List().tag(sync=True)
    _classes = traitlets.Int().tag(sync=True)

    def __init__(self, learners: Learners, **traits) -> None:
        self.letters, self.heard = learners.letters, learners.heard
        known = {"_heard": [*self.heard], "_classes": len(learners.dataset.class_names)}
        super().__init__(learners, **known, **traits)

    @property
    def curves(self) -> dict:
        """What was measured so far, on the same "examples" test images.

        "A", "B", ... are test errors; "entropy_A", ... mean entropies of the predictions at
        T = 1, in nats; "agreement" is the share of images on which two learners name the same
        class, a mean over pairs; each a list as long as "steps". "teacher" is its number of
        errors, or None. "marks" tell what was moved: "step", "name", "value".
        """
        return super().curves

    def hear(self, learner: str, other: str, weight: float) -> None:
        """Let a learner hear another, or the teacher, with this weight, as the slider does.

        Where the row would sum to more than 1, its other weights shrink in proportion.

        Raises:
            ValueError: There is no such learner or other, or weight is outside [0, 1].
        """
        check_choice(self.letters, learner=learner)
        check_choice(tuple(name for name in self.heard if name != learner), other=other)
        check_fraction(weight=weight)
        k, rows = self.letters.index(learner), [*self.weights]
        rows[k] = give_way(rows[k], self.heard.index(other), float(weight))
        self.weights = rows

    def summary(self) -> str:
        """Say how many errors each makes by now, and how far they agree."""
        now = self.curves
        if not now["steps"]:
            return f"{len(self.letters)} learners who teach each other: press start to train them"
        errors = ", ".join(f"{now[letter][-1]} of learner {letter}" for letter in self.letters)
        teacher = "" if now["teacher"] is None else f", {now['teacher']} of the teacher"
        return (
            f"After {now['steps'][-1]:,} steps, errors of {now['examples']:,} test images: "
            f"{errors}{teacher}; pairs agree on {100 * now['agreement'][-1]:.1f} %"
        )

    def still(self) -> str:
        """Draw the curves so far, and below them who hears whom."""
        body = _error_still.draw(self.curves, _learner_still.lines_of(self.letters))
        top = _error_still.height_of(self.curves)
        body += _learner_still.draw(self.heard, self.weights, top=top)
        size = {"width": 660, "height": top + 220}
        return stills.picture(body, **size, title=self.title, description=self.summary())

    def settings(self) -> LearnerSettings:
        """Return what the next step uses."""
        rest = self.order, self.weights
        return LearnerSettings(self.temperature, self.learning_rate, *rest).checked()

    @traitlets.observe("temperature", "learning_rate", "order", "weights")
    def _set(self, change) -> None:
        self.use()


def watch_learners(
    dataset: Dataset,
    learners: int | Sequence[Maker] = 2,
    *,
    teacher: nn.Module | None = None,
    weights: float | Sequence[Sequence[float]] = 0.5,
    temperature: float = 1.0,
    learning_rate: float = 0.05,
    order: str = "in turn",
    batch_size: int = 128,
    seed: int = 0,
) -> LearnersView:
    r"""Train 2 to 4 learners who teach each other, live.

    Learner k has the loss $(1 - \sum_j w_{kj})\,\mathrm{CE} + \sum_j w_{kj}\,T^2\,
    \mathrm{KL}(p_j \| p_k)$, as in `learn_mutually`. All see the same batches, with SGD and
    momentum 0.9. A background thread trains them with one torch thread, at most 100 batches a
    second, after `start`. The weights, T, the learning rate and the order can be moved
    meanwhile; the next batch uses them. Every 10 batches all are measured on up to 1,000 test
    images, drawn once by the seed. After 6,000 batches it pauses by itself. Making a view stops
    the training of an earlier one. Pausing, or looking, changes no number.

    A learner with dropout draws from torch's global generator, from the background: then neither
    it nor what else draws meanwhile can be repeated.

    Args:
        dataset: What all learn from, and are tested on; learners go to its device.
        learners: How many, 2 to 4, with one hidden layer of 100 each; or for each one what makes
            it from a seed, so that they may differ.
        teacher: From images to logits, heard by all; a frozen copy is used. None is no teacher.
        weights: Of all others together, in [0, 1], shared evenly; or a table, a row for each
            learner, a column for each learner and then the teacher, with 0 for the learner
            itself, each row at most 1 together.
        temperature: T of the others' terms, 0.1 to 100; the paper has 1.
        learning_rate: 0.001 to 1.
        order: "in turn", as in the paper: who comes later hears what those before say after
            their step; or "at once".
        batch_size: Images in a batch.
        seed: Fixes the batches, the test images and the first learner's weights; the next
            learner has the next seed.

    Returns:
        The view, with `start`, `pause`, `stop`, `reset`, `state`, `curves` and `hear`.

    Raises:
        ValueError: `dataset` is none; a value is out of range; the teacher, or a learner, gives
            other than one score a class for a test image; or two learners start alike.

    References:
        Zhang et al. 2018, arXiv:1706.00384.
    """
    check_dataset(dataset=dataset)
    check_count(batch_size=batch_size)
    check_count(0, seed=seed)
    check_choice(ORDERS, order=order)
    made = _makers(dataset, learners)
    trainee = Learners(dataset, made, teacher=teacher, batch_size=batch_size, seed=seed)
    table = _table(weights, len(trainee.letters), len(trainee.heard))
    moved = {"temperature": temperature, "learning_rate": learning_rate, "order": order}
    view = LearnersView(trainee, weights=table, **moved)
    take_over(view)
    return view


def _table(weights: object, learners: int, heard: int) -> object:
    return even(weights, learners, heard) if isinstance(weights, (int, float)) else weights


def _makers(dataset: Dataset, learners: int | Sequence[Maker]) -> Sequence[Maker]:
    listed = isinstance(learners, (list, tuple))
    if not listed:
        check_count(learners=learners)
    count = len(learners) if listed else learners
    if not 2 <= count <= len(LETTERS):
        raise ValueError(f"learners must be 2 to {len(LETTERS)}, got {count}")
    made = learners if listed else [_small(dataset)] * count
    for k, make in enumerate(made):
        # A module is callable, too, but makes none.
        if isinstance(make, nn.Module) or not callable(make):
            came = type(make).__name__
            raise ValueError(f"learners[{k}] must make a module from a seed, got {came}")
    return made


def _small(dataset: Dataset) -> Maker:
    pixels = dataset.train_images[0].numel()
    return lambda seed: models.mlp((pixels, 100, len(dataset.class_names)), seed=seed)
