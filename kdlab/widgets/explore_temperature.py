"""Softmax at a temperature: what T shows and hides."""

import math

import traitlets
from jaxtyping import Float
from torch import Tensor

from kdlab.losses import soften
from kdlab.metrics import entropy
from kdlab.widgets import _stills as stills
from kdlab.widgets._traits import Index, temperature
from kdlab.widgets._view import check_images, check_names, check_scores, to_bytes
from kdlab.widgets.page import PageView

#: Side of the image in the still, in pixels, as in the browser.
IMAGE = 112


class TemperatureView(PageView, module="explore_temperature"):
    """What `explore_temperature` returns.

    Attributes:
        temperature: T, 0.1 to 100.
        example: Which row of the logits, 0 to examples - 1.
        log_axis: True shows probabilities on a log axis, from 1e-8.
    """

    title = "Softmax at a temperature"
    shown = ("temperature", "example", "log_axis")

    temperature = temperature()
    example = Index(lambda view: len(view.logits)).tag(sync=True)
    log_axis = traitlets.Bool(False).tag(sync=True)
    _logits = traitlets.Bytes().tag(sync=True)
    _images = traitlets.Bytes().tag(sync=True)
    _image_shape = traitlets.List([0, 0, 0, 0]).tag(sync=True)
    _class_names = traitlets.List().tag(sync=True)

    def __init__(self, logits: Tensor, images: Tensor | None, names, **traits) -> None:
        self.logits, self.images, self.class_names = logits, images, names
        if images is not None:
            traits |= {"_images": to_bytes(images), "_image_shape": list(images.shape)}
        super().__init__(_logits=to_bytes(logits), _class_names=list(names), **traits)

    @property
    def probabilities(self) -> Float[Tensor, "classes"]:
        """The softened prediction that is shown, in double precision."""
        return soften(self.logits[self.example].double(), temperature=self.temperature)

    @property
    def entropy(self) -> float:
        """Its entropy in nats."""
        return entropy(self.logits[self.example].double(), temperature=self.temperature).item()

    def summary(self) -> str:
        """Say what is most likely, and how sure that is."""
        most, best = self.probabilities.max(dim=-1)
        share = self.entropy / math.log(len(self.class_names))
        return (
            f"Softmax of example {self.example} at T = {self.temperature:g}: "
            f"{self.class_names[best]} has {most:.3f}, "
            f"entropy {self.entropy:.3f} nats ({share:.0%} of uniform)"
        )

    def still(self) -> str:
        """Draw the bars, and beside them the example's image."""
        values = self.probabilities.tolist()
        body, left = stills.words(10, 20, f"Example {self.example}, T = {self.temperature:g}"), 0
        chart = stills.bars(values, self.class_names, top=30, colour=stills.TEACHER)
        height = 40 + 20 * len(values)
        if self.images is not None:
            body += stills.thumbnails([self.images[self.example]], top=32, size=IMAGE)
            left, height = IMAGE + 10, max(height, IMAGE + 42)
        body += f'<g transform="translate({left} 0)">{chart}</g>'
        size = {"width": left + 420 + 7.5 * max(map(len, self.class_names)), "height": height}
        return stills.picture(body, **size, title=self.title, description=self.summary())


def explore_temperature(
    logits: Float[Tensor, "examples classes"],
    *,
    images: Tensor | None = None,
    class_names=None,
    temperature: float = 1.0,
    example: int = 0,
) -> TemperatureView:
    """Show one example's softmax while T moves from 0.1 to 100.

    Everything is computed in the browser; `temperature`, `example` and `log_axis` of the
    view can be read and set from Python.

    Args:
        logits: Raw scores of the examples to choose from.
        images: The examples, uint8 or floats in [0, 1], [examples, channels, height, width].
        class_names: One name a class; None numbers them.
        temperature: T at the start, 0.1 to 100.
        example: Row shown at the start.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: Shapes do not fit, a score is not finite, or a value is out of range.
    """
    scores = check_scores(logits=logits)["logits"]
    names = check_names(class_names, scores.shape[1])
    pictures = check_images(images, scores)
    return TemperatureView(scores, pictures, names, temperature=temperature, example=example)
