"""Ten images that stand for a whole data set, learned live."""

import base64
from collections.abc import Callable
from statistics import mean

import torch
import traitlets
from torch import Tensor

from kdlab import models
from kdlab._checks import check_count
from kdlab.condense import Augmentation
from kdlab.data import Dataset
from kdlab.models import FeatureNet
from kdlab.widgets import _accuracy_still
from kdlab.widgets import _stills as stills
from kdlab.widgets._condensation import Condensation, CondensationSettings
from kdlab.widgets._error_still import Line
from kdlab.widgets._live_view import LiveView, take_over
from kdlab.widgets._trainee import check_dataset
from kdlab.widgets._traits import Number
from kdlab.widgets._view import STATIC

LEARNING_RATES = (0.001, 10.0)
LEARNED = Line("learned", "learned", stills.STUDENT, "")
RANDOM = Line("random", "random real", stills.CONTROL, "6 4")
#: The axis of rounds goes at least so far.
SHORTEST = 100
#: What a class may be changed by, the same for its real and its learned images.
CHANGES = Augmentation(kinds=("shift", "scale", "rotate"))
#: Of the default network, quick enough to watch.
WIDTHS = (16, 16, 16)


class CondensationView(LiveView, module="watch_condensation", uses=("answers", "live")):
    """What `watch_condensation` returns.

    Attributes:
        learning_rate: Step size of the images, 0.001 to 10.
    """

    title = "One learned image a class"
    shown = ("learning_rate", "state")
    _css = LiveView._css + (STATIC / "watch_condensation.css").read_text("utf-8")

    learning_rate = Number(*LEARNING_RATES, 0.2).tag(sync=True)
    _class_names = traitlets.List().tag(sync=True)

    def __init__(self, condensation: Condensation, **traits) -> None:
        names = [str(name) for name in condensation.dataset.class_names]
        super().__init__(condensation, _class_names=names, **traits)

    @property
    def images(self) -> Tensor:
        """The learned images by now, float, [classes, channels, height, width]; a copy."""
        return self._live.trainee.synthetic.images.detach().clone()

    @property
    def curves(self) -> dict:
        """Test accuracies so far, in [0, 1].

        "steps" and "learned" are lists of one length: rounds, and the accuracy of a fresh
        network trained on the images of then. "random" are accuracies of sets of random real
        images, as many a class, empty before the first start; "examples" is how many test
        images there are. "marks" tell what was moved: "step", "name", "value".
        """
        return super().curves

    def summary(self) -> str:
        """Say what the images are worth by now, and random real ones beside."""
        now = self.curves
        count = len(self._class_names)
        if not now["steps"]:
            return f"{count} images that learn to stand for a data set: press start"
        beside = f"{mean(now['random']):.1%}" if now["random"] else "not measured"
        return (
            f"After {now['steps'][-1]:,} rounds a network trained on {count} learned images "
            f"gets {now['learned'][-1]:.1%} of {now['examples']:,} test images right; "
            f"on {count} random real ones: {beside}"
        )

    def still(self) -> str:
        """Draw the images by now, and below them the curve so far."""
        frame, now = self._live.trainee.frame, self.curves
        pixels = torch.frombuffer(bytearray(base64.b64decode(frame["images"])), dtype=torch.uint8)
        body = stills.thumbnails(list(pixels.view(frame["shape"])), top=10, size=48)
        given = {"shortest": SHORTEST, "unit": "rounds", "control": RANDOM}
        curve = _accuracy_still.draw(now, [LEARNED], **given)
        body += f'<g transform="translate(0 68)">{curve}</g>'
        size = {"width": 660, "height": 68 + _accuracy_still.height_of(now)}
        return stills.picture(body, **size, title=self.title, description=self.summary())

    def settings(self) -> CondensationSettings:
        """Return what the next round uses."""
        return CondensationSettings(self.learning_rate).checked()

    @traitlets.observe("learning_rate")
    def _set(self, change) -> None:
        self.use()


def watch_condensation(
    dataset: Dataset,
    *,
    start: str = "noise",
    learning_rate: float = 0.2,
    real_per_class: int = 32,
    augmentation: Augmentation | None = CHANGES,
    network: Callable[[int], FeatureNet] | None = None,
    network_steps: int = 100,
    seed: int = 0,
) -> CondensationView:
    """Learn one image a class by distribution matching, live.

    A background thread makes one round after the other with one torch thread, after `start`;
    each is a round of `condense.match_distributions` and moves all images. Every 10 rounds a
    fresh network is trained on the images alone, by `condense.evaluate_set`, and tested on up
    to 1,000 test images, drawn once by the seed. It is always the same fresh network, so that
    a curve tells of the images. The first three times a set of random real images is evaluated
    with it, too: the control. The learning rate can be moved meanwhile; the next round
    uses it. After 6,000 rounds it pauses by itself. Making a view stops the training of an
    earlier one. Pausing, or looking, changes no number.

    Where images are changed, or `network` has dropout, more is drawn in the background; what a
    cell draws meanwhile from torch's global generator can't be repeated.

    Args:
        dataset: What is condensed, and tested on.
        start: "noise", or "real" for a random real image of each class.
        learning_rate: Of the images, 0.001 to 10.
        real_per_class: Real images of each class in a round.
        augmentation: One change a class and round for both sides; evaluated networks see them
            too, one an image. None is nothing.
        network: Makes a fresh network from a seed, to match by and to evaluate with; None is an
            `embedding_net` 16 wide.
        network_steps: How long a fresh network learns from the images.
        seed: Fixes the first images, each round's draws, the control, and the test images.

    Returns:
        The view, with `start`, `pause`, `stop`, `reset`, `state`, `curves` and `images`.

    Raises:
        ValueError: `dataset` is none, a value is out of range, a class has no training image, or
            a network is no `FeatureNet` that gives one score a class for a test image.

    References:
        Zhao and Bilen 2023, arXiv:2110.04181.
    """
    check_dataset(dataset=dataset)
    counts = {"real_per_class": real_per_class, "network_steps": network_steps}
    check_count(**counts)
    check_count(0, seed=seed)
    how = {"start": start, "augmentation": augmentation, "seed": seed} | counts
    condensation = Condensation(dataset, build=network or _small(dataset), **how)
    view = CondensationView(condensation, learning_rate=learning_rate)
    take_over(view)
    return view


def _small(dataset: Dataset) -> Callable[[int], FeatureNet]:
    channels, side, _ = dataset.train_images.shape[1:]
    fixed = {"channels": channels, "side": side, "classes": len(dataset.class_names)}
    return lambda seed: models.embedding_net(WIDTHS, **fixed, seed=seed)
