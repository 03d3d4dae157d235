"""A line through points of which a teacher knows some better: with it, without it, mis-weighed."""

import math

import torch
import traitlets
from jaxtyping import Bool, Float, Float64
from torch import Tensor

from kdlab._checks import check_same_shape, check_scores
from kdlab.privileged import fit_student, pseudo_responses
from kdlab.widgets import _regression_still
from kdlab.widgets import _stills as stills
from kdlab.widgets._traits import FARTHEST, Flags, Number, Numbers, Points
from kdlab.widgets._view import STATIC
from kdlab.widgets.page import PageView

#: Each has a row of its own in the browser.
FEWEST, MOST = 2, 12
SIGMAS = (0.05, 5.0)


class RegressionView(
    PageView,
    module="explore_privileged_regression",
    uses=("points", "tables", "draws", "privileged", "line"),
):
    """What `explore_privileged_regression` returns.

    The fits go by name: "without" the teacher, "with" it, and with the "slide"'s weights.

    Attributes:
        points: x and label y of each example, a list of [x, y].
        teacher: The teacher's answers, one an example, heard or not.
        known: True where the answer is heard.
        lambda_: Weight of the teacher's term, 0 to 1.
        sigma: Standard deviation of the labels' noise, 0.05 to 5.
        teacher_sigma: That of the teacher's answers.
        slide: True shows the slide's weights, variances in place of their inverses.
    """

    title = "A line with privileged information"
    shown = ("known", "lambda_", "sigma", "teacher_sigma", "slide")
    _css = PageView._css + (STATIC / "explore_privileged_regression.css").read_text("utf-8")

    points = Points(lambda view: view.count).tag(sync=True)
    teacher = Numbers(lambda view: view.count).tag(sync=True)
    known = Flags(lambda view: view.count).tag(sync=True)
    lambda_ = Number(0.0, 1.0, 0.5).tag(sync=True)
    sigma = Number(*SIGMAS, 1.0).tag(sync=True)
    teacher_sigma = Number(*SIGMAS, 0.2).tag(sync=True)
    slide = traitlets.Bool(False).tag(sync=True)
    _truth = traitlets.List().tag(sync=True)

    def __init__(self, truth: Tensor, **traits) -> None:
        self.truth, self.count = truth, len(traits["points"])
        super().__init__(_truth=truth.tolist(), **traits)

    @property
    def responses(self) -> Float64[Tensor, "examples"]:
        """y'' of the weighted regression that labels and teacher come to."""
        return pseudo_responses(*self._sides(), self._known(), **self._noise())[0]

    @property
    def weights(self) -> Float64[Tensor, "examples"]:
        """Its weights, a + b."""
        return pseudo_responses(*self._sides(), self._known(), **self._noise())[1]

    @property
    def lines(self) -> dict[str, Float64[Tensor, "2"]]:
        """Constant and slope of each fit."""
        return {name: self._fit(name, *self._sides()) for name in ("without", "with", "slide")}

    @property
    def errors(self) -> dict[str, float]:
        """Mean squared error of constant and slope, of each fit."""
        return {n: ((line - self.truth) ** 2).mean().item() for n, line in self.lines.items()}

    @property
    def expected_errors(self) -> dict[str, float]:
        """Its mean over labels and answers whose noise is as sigma and teacher_sigma say.

        NaN where all x are equal: then a constant and a slope can't be told apart.
        """
        return {name: self._expected(name) for name in ("without", "with", "slide")}

    def _expected(self, name: str) -> float:
        if len({x for x, _ in self.points}) == 1:
            return math.nan
        # A fit is linear in labels and answers: its slopes carry their noise to the line.
        labels, answers = torch.autograd.functional.jacobian(
            lambda *sides: self._fit(name, *sides), self._sides()
        )
        spread = self.sigma**2 * (labels**2).sum() + self.teacher_sigma**2 * (answers**2).sum()
        return spread.item() / 2

    def _fit(self, name: str, targets: Tensor, teacher: Tensor) -> Tensor:
        x = self._double(self.points)[:, 0]
        design = torch.stack([torch.ones_like(x), x], dim=1)
        known = self._known() & (name != "without")
        return fit_student(design, targets, teacher, known, **self._noise(name == "slide"))

    def _noise(self, slide: bool = False) -> dict[str, float]:
        # 1 / sigma^2 for sigma^2: the slide's sigma is the square root of a weight.
        power = -1 if slide else 1
        sigmas = {"sigma": self.sigma**power, "teacher_sigma": self.teacher_sigma**power}
        return {**sigmas, "lambda_": self.lambda_}

    def _sides(self) -> tuple[Tensor, Tensor]:
        return self._double(self.points)[:, 1], self._double(self.teacher)

    def _known(self) -> Tensor:
        return torch.tensor(self.known)

    @staticmethod
    def _double(values) -> Tensor:
        return torch.tensor(values, dtype=torch.double)

    def summary(self) -> str:
        """Say what is known, and how far each line is from the true one."""
        errors = self.errors
        told = (
            f"{sum(self.known)} of {self.count} answers known, lambda = {self.lambda_:g}, "
            f"sigma = {self.sigma:g}, sigma_s = {self.teacher_sigma:g}: squared parameter error "
            f"{errors['with']:.4g} with the teacher, {errors['without']:.4g} without"
        )
        return told + (f", {errors['slide']:.4g} with the slide's weights" if self.slide else "")

    def still(self) -> str:
        """Draw points, answers, pseudo-responses and lines."""
        lines = {name: line.tolist() for name, line in self.lines.items()}
        if not self.slide:
            del lines["slide"]
        # Too long for one line.
        told = self.summary().split(": ")
        body = "".join(stills.words(10, 20 + 16 * i, part) for i, part in enumerate(told))
        data = (self.points, self.teacher, self.known, self.responses.tolist())
        body += _regression_still.draw(*data, {"truth": self.truth.tolist(), **lines})
        size = {"width": _regression_still.WIDTH, "height": _regression_still.HEIGHT}
        return stills.picture(body, **size, title=self.title, description=self.summary())


def explore_privileged_regression(
    inputs: Float[Tensor, "examples"],
    targets: Float[Tensor, "examples"],
    teacher: Float[Tensor, "examples"],
    known: Bool[Tensor, "examples"],
    *,
    truth: Float[Tensor, "2"],
    sigma: float = 1.0,
    teacher_sigma: float = 0.2,
    lambda_: float = 0.5,
    slide: bool = False,
) -> RegressionView:
    r"""Drag labels and a teacher's answers; the fitted line and its error follow.

    Where an answer is known, label and answer weigh $(1-\lambda)/\sigma^2$ and
    $\lambda/\sigma_s^2$, elsewhere the label $1/\sigma^2$. Shown are the line with and without
    the teacher, the pseudo-responses and weights of the weighted least squares that it equals,
    and the error of constant and slope, of these data and on average. The switch adds the
    slide's weights, which are the variances. Everything is computed in the browser.

    Args:
        inputs: x of 2 to 12 examples, each at most 100 away from 0, as all that follows.
        targets: y, their labels.
        teacher: s, the teacher's answers, of all examples: any may be made known.
        known: True where an answer is known at the start.
        truth: Constant and slope of the true line.
        sigma: Standard deviation of the labels' noise, 0.05 to 5, in the labels' unit.
        teacher_sigma: That of the teacher's answers.
        lambda_: Weight of the teacher's term at the start, 0 to 1.
        slide: True shows the slide's weights at the start.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: Lengths do not fit, there are too few or too many examples, or a value is
            not finite or out of range.
    """
    sides = {"inputs": inputs, "targets": targets, "teacher": teacher}
    _check_numbers(**sides, truth=truth)
    check_same_shape(**sides, known=known)
    if inputs.dim() != 1 or not FEWEST <= len(inputs) <= MOST:
        wanted = f"[{FEWEST} to {MOST} examples]"
        raise ValueError(f"inputs must have shape {wanted}, got {list(inputs.shape)}")
    if tuple(truth.shape) != (2,):
        raise ValueError(f"truth must have shape [2], got {list(truth.shape)}")
    if known.dtype != torch.bool:
        raise ValueError(f"known must be bool, got {known.dtype}")
    x, y, answers, line = (_plain(tensor) for tensor in (inputs, targets, teacher, truth))
    data = {"points": torch.stack([x, y], dim=1).tolist(), "teacher": answers.tolist()}
    noise = {"sigma": sigma, "teacher_sigma": teacher_sigma, "lambda_": lambda_}
    return RegressionView(line, **data, known=known.tolist(), **noise, slide=slide)


def _check_numbers(**named: Tensor) -> None:
    check_scores(**named)
    for name, tensor in named.items():
        outside = ~(tensor.abs() <= FARTHEST)
        if outside.any():
            wanted = f"in [-{FARTHEST:g}, {FARTHEST:g}]"
            raise ValueError(f"{name} must be {wanted}, got {tensor[outside][0].item()}")


def _plain(tensor: Tensor) -> Tensor:
    return tensor.detach().double().cpu()
