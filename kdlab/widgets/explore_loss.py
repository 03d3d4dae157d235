"""One example's distillation loss: what T, lambda and the factor T^2 do to it."""

import traitlets
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import check_same_length, check_same_shape, check_targets
from kdlab.losses import (
    distillation_gradient,
    distillation_loss,
    soft_target_gradient,
    soft_target_loss,
)
from kdlab.widgets import _stills as stills
from kdlab.widgets._traits import Index, Number, temperature
from kdlab.widgets._view import check_names, check_scores, to_bytes
from kdlab.widgets.page import PageView


class LossView(PageView, module="explore_loss", uses=("lengths",)):
    """What `explore_loss` returns.

    Attributes:
        temperature: T, 0.1 to 100.
        lambda_: Weight of the teacher's term, 0 to 1.
        squared: False leaves the factor T^2 out, to see what it is for.
        example: Which row of the logits, 0 to examples - 1.
    """

    title = "The distillation loss of one example"
    shown = ("temperature", "lambda_", "squared", "example")

    temperature = temperature(4.0)
    lambda_ = Number(0.0, 1.0, 0.5).tag(sync=True)
    squared = traitlets.Bool(True).tag(sync=True)
    example = Index(lambda view: len(view.targets)).tag(sync=True)
    _student_logits = traitlets.Bytes().tag(sync=True)
    _teacher_logits = traitlets.Bytes().tag(sync=True)
    _targets = traitlets.List().tag(sync=True)
    _class_names = traitlets.List().tag(sync=True)

    def __init__(self, student: Tensor, teacher: Tensor, targets: Tensor, names, **traits):
        self.student_logits, self.teacher_logits = student, teacher
        self.targets, self.class_names = targets, names
        super().__init__(
            _student_logits=to_bytes(student),
            _teacher_logits=to_bytes(teacher),
            _targets=targets.tolist(),
            _class_names=list(names),
            **traits,
        )

    @property
    def cross_entropy(self) -> float:
        """The label's term, at T = 1, in nats."""
        return distillation_loss(*self._rows, temperature=1.0, lambda_=0.0).item()

    @property
    def teacher_term(self) -> float:
        """T^2 KL(teacher, student); KL alone if `squared` is False."""
        loss = soft_target_loss(*self._rows[:2], temperature=self.temperature).item()
        return loss * self._unsquare

    @property
    def loss(self) -> float:
        """(1 - lambda) times the label's term plus lambda times the teacher's."""
        return (1 - self.lambda_) * self.cross_entropy + self.lambda_ * self.teacher_term

    @property
    def gradient(self) -> Float[Tensor, "classes"]:
        """The gradient of `loss` on each of the student's logits."""
        student, teacher, targets = self._rows
        labelled = distillation_gradient(student, teacher, targets, temperature=1.0, lambda_=0.0)
        taught = soft_target_gradient(student, teacher, temperature=self.temperature)
        taught = taught * self._unsquare
        return ((1 - self.lambda_) * labelled + self.lambda_ * taught)[0]

    @property
    def _rows(self) -> tuple[Tensor, Tensor, Tensor]:
        chosen = slice(self.example, self.example + 1)
        tensors = (self.student_logits.double(), self.teacher_logits.double(), self.targets)
        return tuple(tensor[chosen] for tensor in tensors)

    @property
    def _unsquare(self) -> float:
        return 1.0 if self.squared else self.temperature**-2

    @property
    def _term_name(self) -> str:
        return "T² KL" if self.squared else "KL"

    def summary(self) -> str:
        """Say what the terms and their sum are."""
        return (
            f"Example {self.example} at T = {self.temperature:g}, lambda = {self.lambda_:g}: "
            f"CE {self.cross_entropy:.4f}, {self._term_name} {self.teacher_term:.4f}, "
            f"loss {self.loss:.4f}"
        )

    def still(self) -> str:
        """Draw the terms, and the gradient on each logit."""
        terms = [self.cross_entropy, self.teacher_term, self.loss]
        body = stills.words(10, 20, self.summary())
        colours = (stills.LABELS, stills.TEACHER, stills.STUDENT)
        names = ("CE", self._term_name, "loss")
        body += stills.signed_bars(terms, names, top=30, colours=colours)
        body += stills.words(10, 116, "Gradient of the loss on each logit")
        body += stills.signed_bars(self.gradient.tolist(), self.class_names, top=126)
        height = 136 + 20 * len(self.class_names)
        text = {"title": self.title, "description": self.summary()}
        return stills.picture(body, width=520, height=height, **text)


def explore_loss(
    student_logits: Float[Tensor, "examples classes"],
    teacher_logits: Float[Tensor, "examples classes"],
    targets: Int64[Tensor, "examples"],
    *,
    class_names=None,
    temperature: float = 4.0,
    lambda_: float = 0.5,
    example: int = 0,
) -> LossView:
    r"""Show one example's $(1 - \lambda)\,CE + \lambda\,T^2\,KL$ and its gradient.

    Moving T and lambda shows both terms, their sum, the gradient on each logit, and the
    length of the teacher's gradient at every T. The switch takes the factor T^2 away: the
    gradient then falls as $T^{-2}$. Everything is computed in the browser.

    Args:
        student_logits: Raw scores of the examples to choose from.
        teacher_logits: Raw scores of the same shape.
        targets: Their classes.
        class_names: One name a class; None numbers them.
        temperature: T at the start, 0.1 to 100.
        lambda_: Weight of the teacher's term at the start, 0 to 1.
        example: Row shown at the start.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: Shapes do not fit, a score is not finite, or a value is out of range.
    """
    check_same_shape(student_logits=student_logits, teacher_logits=teacher_logits)
    scores = check_scores(student_logits=student_logits, teacher_logits=teacher_logits)
    check_targets(student_logits.shape[1], targets=targets)
    check_same_length(student_logits=student_logits, targets=targets)
    names = check_names(class_names, student_logits.shape[1])
    start = {"temperature": temperature, "lambda_": lambda_, "example": example}
    return LossView(*scores.values(), targets.cpu(), names, **start)
