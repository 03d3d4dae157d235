"""What each layer's sigmoids are handed, with and without batch normalization, live."""

import traitlets

from kdlab._checks import check_count
from kdlab.data import Dataset
from kdlab.widgets import _accuracy_still, _histogram_still
from kdlab.widgets import _stills as stills
from kdlab.widgets._activations import Activations, ActivationSettings
from kdlab.widgets._error_still import Line
from kdlab.widgets._live_view import LiveView, take_over
from kdlab.widgets._trainee import check_dataset
from kdlab.widgets._traits import Choice, Number
from kdlab.widgets._view import STATIC

LEARNING_RATES = (0.001, 10.0)
INIT_SCALES = (0.001, 10.0)
KINDS = ("outputs", "inputs")
LINES = (
    Line("plain", "plain", stills.CONTROL, "6 4"),
    Line("normalized", "normalized", stills.STUDENT, ""),
)


class ActivationsView(LiveView, module="watch_activations", uses=("answers", "live")):
    """What `watch_activations` returns.

    Attributes:
        learning_rate: Step size of both networks, 0.001 to 10.
        init_scale: Standard deviation of the first weights, 0.001 to 10; a new one counts from
            the next reset on, and at once where nothing is trained yet.
        kind: "outputs" of the sigmoids, or "inputs", what they are handed.
    """

    title = "Activations with and without batch normalization"
    shown = ("learning_rate", "init_scale", "kind", "state")
    _css = LiveView._css + (STATIC / "watch_activations.css").read_text("utf-8")

    learning_rate = Number(*LEARNING_RATES, 0.5).tag(sync=True)
    init_scale = Number(*INIT_SCALES, 0.1).tag(sync=True)
    kind = Choice(KINDS).tag(sync=True)

    @property
    def activations(self) -> dict:
        """What is drawn now: under "plain" and "normalized", one entry for each hidden layer.

        "inputs" and "outputs" are shares of 40 bins from -8 to 8 and from 0 to 1; "saturated"
        is the share of outputs nearer than 0.05 to 0 or 1; "spread" an output's standard
        deviation over the images, the mean over units.
        """
        return self._live.trainee.frame

    @property
    def curves(self) -> dict:
        """Test accuracies so far, in [0, 1].

        "steps", "plain" and "normalized" are lists of one length; "examples" is how many test
        images there are. "marks" tell what was moved: "step", "name", "value".
        """
        return super().curves

    def summary(self) -> str:
        """Say how often both are right by now, and how many activations are saturated."""
        now = self.curves
        if not now["steps"]:
            return "Two networks of sigmoids, one of them normalized: press start to train them"
        told = [
            f"{line.words} {now[line.name][-1]:.1%}, "
            f"{self.activations[line.name]['saturated'][-1]:.0%} of its last layer saturated"
            for line in LINES
        ]
        of = f"of {now['examples']:,} test images right"
        return f"After {now['steps'][-1]:,} steps, {of}: {'; '.join(told)}"

    def still(self) -> str:
        """Draw the histograms by now, and below them the curves so far."""
        body, top = _histogram_still.draw(self.activations, self.kind, LINES)
        curves = _accuracy_still.draw(self.curves, LINES)
        body += f'<g transform="translate(0 {top})">{curves}</g>'
        size = {"width": 660, "height": top + _accuracy_still.height_of(self.curves)}
        return stills.picture(body, **size, title=self.title, description=self.summary())

    def settings(self) -> ActivationSettings:
        """Return what the next step uses."""
        return ActivationSettings(self.learning_rate).checked()

    @traitlets.observe("learning_rate")
    def _set(self, change) -> None:
        self.use()

    @traitlets.observe("init_scale")
    def _begin_with(self, change) -> None:
        # The first value is the trainee's already.
        if not hasattr(self, "_live"):
            return
        self._live.trainee.init_scale = self.init_scale
        if self.state == "ready":
            self.reset()


def watch_activations(
    dataset: Dataset,
    *,
    learning_rate: float = 0.5,
    init_scale: float = 0.1,
    batch_size: int = 60,
    seed: int = 0,
) -> ActivationsView:
    """Train a network of sigmoids and its normalized twin, live, and look into both.

    Three layers of 100 sigmoids, as in the paper; the twin normalizes what each of them is
    handed. Both begin with the same weights and see the same batches, with plain SGD. A
    background thread trains them in turn with one torch thread, at most 100 steps a second,
    after `start`. The learning rate can be moved meanwhile; the next step uses it. Every 10
    steps both are tested, by running statistics, on up to 1,000 test images, drawn once by the
    seed, and the first 256 of these go through both as one batch, normalized by itself: these
    activations are shown. After 6,000 steps it pauses by itself. Making a view stops the
    training of an earlier one. Pausing, or looking, changes no number.

    Args:
        dataset: What both learn from, and are tested on.
        learning_rate: 0.001 to 10.
        init_scale: Standard deviation of the first weights, 0.001 to 10; biases begin with 0.
        batch_size: Images in a batch, at least 2; the paper has 60.
        seed: Fixes the first weights, the batches, and the test images.

    Returns:
        The view, with `start`, `pause`, `stop`, `reset`, `state`, `curves` and `activations`.

    Raises:
        ValueError: A value is out of range, or `dataset` is none.

    References:
        Ioffe and Szegedy 2015, arXiv:1502.03167, section 4.1, which doesn't tell its learning
        rate, nor how wide its first weights are.
    """
    check_dataset(dataset=dataset)
    check_count(0, seed=seed)
    networks = Activations(dataset, init_scale=init_scale, batch_size=batch_size, seed=seed)
    moved = {"learning_rate": learning_rate, "init_scale": init_scale}
    view = ActivationsView(networks, **moved)
    take_over(view)
    return view
