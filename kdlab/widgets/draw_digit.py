"""Draw a digit and see what a model thinks of it at T."""

import torch
import traitlets
from jaxtyping import Float, UInt8
from torch import Tensor, nn

from kdlab._checks import check_count
from kdlab.losses import soften
from kdlab.schemes import predict
from kdlab.widgets import _stills as stills
from kdlab.widgets._digits import DIGITS
from kdlab.widgets._live import one_thread
from kdlab.widgets._strokes import CANVAS, POINTS, check_strokes, to_image
from kdlab.widgets._traits import temperature
from kdlab.widgets._view import STATIC, View, check_names, check_scores, to_bytes


class Strokes(traitlets.TraitType):
    """A drawing: strokes of (x, y) points, 0 to 280 from the upper left corner."""

    def validate(self, view, value) -> list:
        """Return the drawing as lists; raise ValueError if it is none."""
        return check_strokes(**{self.name: value})


class DrawingView(View, module="draw_digit", uses=("answers",)):
    """What `draw_digit` returns.

    Attributes:
        temperature: T, 0.1 to 100.
        strokes: The drawing: lists of (x, y), 0 to 280 from the upper left corner. Setting it
            draws it, and asks the model.
        message: What went wrong when the model was asked, or an empty text.
    """

    title = "Draw a digit"
    shown = ("temperature",)
    _css = View._css + (STATIC / "draw_digit.css").read_text("utf-8")

    temperature = temperature()
    # Not echoed: it would come back while the pen is already further on.
    strokes = Strokes([]).tag(sync=True, echo_update=False)
    message = traitlets.Unicode("", read_only=True).tag(sync=True)
    _logits = traitlets.Bytes().tag(sync=True)
    _pixels = traitlets.Bytes().tag(sync=True)
    _answers = traitlets.Int(0).tag(sync=True)
    _class_names = traitlets.List().tag(sync=True)
    _samples = traitlets.List(list(DIGITS)).tag(sync=True)
    _most_points = traitlets.Int(POINTS).tag(sync=True)

    def __init__(self, model: nn.Module, names: tuple[str, ...], **traits) -> None:
        self.model, self.class_names = model, names
        self.image, self.logits = to_image([]), None
        super().__init__(_class_names=list(names), **traits)
        self.on_msg(self._on_pad)

    def _on_pad(self, view, content, buffers) -> None:
        before = self._answers
        try:
            # As a change of the trait that comes from the browser: it is not sent back.
            self.set_state({"strokes": content["strokes"]})
        except (TypeError, KeyError, ValueError, traitlets.TraitError) as error:
            self.set_trait("message", str(error))
        # The pad waits for an answer to each drawing, also to one that is no other.
        if self._answers == before:
            self._answers += 1

    @traitlets.observe("strokes")
    def _answer(self, change) -> None:
        image, logits, message = to_image(self.strokes), None, ""
        if self.strokes:
            try:
                logits = ask(self.model, image)
            # Whatever the model raises belongs on the screen: nobody sees the kernel's log.
            except Exception as error:
                message = f"The model failed with {type(error).__name__}: {error}"
        self.image, self.logits = image, logits
        with self.hold_sync():
            self._pixels = to_bytes(image)
            self._logits = b"" if logits is None else to_bytes(logits)
            self.set_trait("message", message)
            self._answers += 1

    @property
    def probabilities(self) -> Float[Tensor, "classes"] | None:
        """The model's softened opinion, in double precision; None without a drawing."""
        if self.logits is None:
            return None
        return soften(self.logits[0].double(), temperature=self.temperature)

    def draw(self, digit: int) -> None:
        """Draw one of the ten built-in digits.

        Raises:
            ValueError: digit is none of 0 to 9.
        """
        check_count(0, digit=digit)
        if digit >= len(DIGITS):
            raise ValueError(f"digit must be in [0, {len(DIGITS)}), got {digit!r}")
        self.strokes = DIGITS[digit]

    def summary(self) -> str:
        """Say what the model takes the drawing for."""
        if self.message:
            return self.message
        if self.probabilities is None:
            return "Nothing is drawn yet"
        most, best = self.probabilities.max(dim=-1)
        name = self.class_names[best]
        return f"The model takes the drawing for {name} with {most:.3f} at T = {self.temperature:g}"

    def still(self) -> str:
        """Draw the strokes and the model's bars."""
        values = [0.0] * len(self.class_names)
        if self.probabilities is not None:
            values = self.probabilities.tolist()
        chart = stills.bars(values, self.class_names, top=10, colour=stills.TEACHER)
        body = f'{_pen(self.strokes)}<g transform="translate(200 0)">{chart}</g>'
        size = {"width": 620 + 7.5 * max(map(len, self.class_names))}
        size["height"] = max(200, 20 + 20 * len(values))
        return stills.picture(body, **size, title=self.title, description=self.summary())


def draw_digit(model: nn.Module, *, class_names=None, temperature: float = 1.0) -> DrawingView:
    """Draw with mouse, touch, pen or keys; the model answers while one draws.

    The drawing is scaled and centred as MNIST's digits are, in Python, and shown beside as
    the model sees it. The model stays where it is, on its device; its train and eval modes
    stay as they are, and it answers in eval mode. Only the latest drawing is answered. T is
    computed in the browser from the logits.

    Args:
        model: From images [1, 1, 28, 28] in [0, 1] to logits.
        class_names: One name a class; None numbers them.
        temperature: T at the start, 0.1 to 100.

    Returns:
        The view.

    Raises:
        ValueError: The model gives no scores for such an image, names and classes differ in
            number, or temperature is out of range.
    """
    try:
        scores = ask(model, to_image([]))
    except Exception as error:
        wanted = "map images [1, 1, 28, 28] to scores [1, classes]"
        raise ValueError(f"model must {wanted}, got {type(error).__name__}: {error}") from error
    names = check_names(class_names, scores.shape[1])
    return DrawingView(model, names, temperature=temperature)


def ask(model: nn.Module, image: UInt8[Tensor, "1 1 28 28"]) -> Float[Tensor, "1 classes"]:
    """Return a model's logits on the CPU, asked in eval mode, with one thread."""
    place = next((p.device for p in model.parameters()), torch.device("cpu"))
    with one_thread(), torch.inference_mode():
        scores = check_scores(scores=predict(model, image.to(place)))["scores"]
    # A copy made out here is a usual tensor, which autograd takes.
    return scores.clone()


def _pen(strokes) -> str:
    lines = []
    for stroke in strokes:
        points = " ".join(f"{x * 180 / CANVAS:.0f},{y * 180 / CANVAS:.0f}" for x, y in stroke)
        lines.append(f'<polyline points="{points}"/>')
    style = 'fill="none" stroke="#1f1f1f" stroke-width="12" stroke-linecap="round"'
    frame = '<rect width="180" height="180" fill="none" stroke="#bbbbbb"/>'
    drawn = f'<g {style} stroke-linejoin="round">{"".join(lines)}</g>'
    return f'<g transform="translate(10 10)">{frame}{drawn}</g>'
