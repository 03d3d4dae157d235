"""The density of a teacher's answers beside cross-entropy, over the triangle of three classes."""

import math
from functools import lru_cache

import torch
import traitlets
from jaxtyping import Float, Float64
from torch import Tensor

from kdlab._checks import check_choice, check_scores
from kdlab.privileged import (
    SUPPORTS,
    likeliest_student,
    log_constant,
    mean_answer,
    mode_answer,
    published_log_constant,
)
from kdlab.widgets import _simplex_still
from kdlab.widgets import _stills as stills
from kdlab.widgets._traits import Choice, Shares
from kdlab.widgets._view import STATIC, check_names
from kdlab.widgets.page import PageView

CLASSES = 3


class SimplexView(
    PageView, module="explore_simplex", uses=("points", "tables", "triangle", "simplex")
):
    """What `explore_simplex` returns.

    Attributes:
        student: g, three shares.
        teacher: s, three shares.
        support: Where s may lie, one of `kdlab.privileged.SUPPORTS`.
    """

    title = "The density of a teacher's answers"
    shown = ("student", "teacher", "support")
    _css = PageView._css + (STATIC / "explore_simplex.css").read_text("utf-8")

    student = Shares(CLASSES).tag(sync=True)
    teacher = Shares(CLASSES).tag(sync=True)
    support = Choice(tuple(SUPPORTS)).tag(sync=True)
    _class_names = traitlets.List().tag(sync=True)

    def __init__(self, names: tuple[str, ...], **traits) -> None:
        self.class_names = names
        super().__init__(_class_names=list(names), **traits)

    @property
    def constant(self) -> float:
        """C of the density on the support, for g."""
        return log_constant(self._g, support=self.support).exp().item()

    @property
    def masses(self) -> dict[str, float]:
        """What the density integrates to on each support with the constant as printed."""
        published = published_log_constant(self._g)
        logs = {name: published - log_constant(self._g, support=name) for name in SUPPORTS}
        return {name: log.exp().item() for name, log in logs.items()}

    @property
    def mode(self) -> Float64[Tensor, "classes"]:
        """Where the density of s is highest."""
        return mode_answer(self._g, support=self.support)

    @property
    def mean(self) -> Float64[Tensor, "classes"]:
        """The mean of s."""
        return mean_answer(self._g, support=self.support)

    @property
    def cross_entropy(self) -> float:
        """The student's cross-entropy against the teacher, in nats; least at g = s."""
        return -(self._s * self._g.log()).sum().item()

    @property
    def log_density(self) -> float:
        """log p(s), of the density per unit area of the simplex, of volume elsewhere."""
        return math.log(self.constant) - self.cross_entropy

    @property
    def likeliest(self) -> Float64[Tensor, "classes"]:
        """The g under which the density of s is highest; cross-entropy has s itself."""
        return torch.tensor(_likeliest(tuple(self.teacher), self.support), dtype=torch.double)

    @property
    def _g(self) -> Float64[Tensor, "classes"]:
        return torch.tensor(self.student, dtype=torch.double)

    @property
    def _s(self) -> Float64[Tensor, "classes"]:
        return torch.tensor(self.teacher, dtype=torch.double)

    def summary(self) -> str:
        """Say what constant, density and cross-entropy are, and which g the density asks for."""
        best = ", ".join(f"{share:.3f}" for share in self.likeliest.tolist())
        return (
            f"On the {self.support}: C = {self.constant:.4g}, log p(s) = {self.log_density:.4g}, "
            f"cross-entropy {self.cross_entropy:.4g}; the density's best g for this s is ({best})"
        )

    def still(self) -> str:
        """Draw both triangles with their marks."""
        marks = {"best": self.likeliest.tolist()}
        if self.support == "simplex":
            marks |= {"mode": self.mode.tolist(), "mean": self.mean.tolist()}
        # Too long for one line.
        told = self.summary().split("; ")
        body = "".join(stills.words(10, 20 + 16 * i, part) for i, part in enumerate(told))
        body += _simplex_still.draw(self.student, self.teacher, self.class_names, marks)
        size = {"width": _simplex_still.WIDTH, "height": _simplex_still.HEIGHT}
        return stills.picture(body, **size, title=self.title, description=self.summary())


def explore_simplex(
    student: Float[Tensor, "classes"],
    teacher: Float[Tensor, "classes"],
    *,
    support: str = "simplex",
    class_names=None,
) -> SimplexView:
    r"""Drag a student's g and a teacher's s in a triangle; density and cross-entropy follow.

    The left triangle shows $p(s) = C \prod_k g_k^{s_k}$ over the teacher's answers s, with its
    mode and mean; of another support than the simplex it shows the slice. The right one shows
    the cross-entropy $-\sum_k s_k \log g_k$ over the students g. It is least at g = s; a mark
    shows where the density of s is highest instead. Everything is computed in the browser.

    Args:
        student: g at the start, three probabilities of at least .002 that sum to 1.
        teacher: s at the start, the same.
        support: Where s may lie, one of `kdlab.privileged.SUPPORTS`.
        class_names: One name a class; None numbers them.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: student or teacher isn't such probabilities, there is no such support, or
            class_names aren't three.

    References:
        Grabovoy and Strijov 2022, doi:10.1134/S000511792201009X, for the density.
    """
    points = {
        name: _check_point(name, point)
        for name, point in {"student": student, "teacher": teacher}.items()
    }
    check_choice(tuple(SUPPORTS), support=support)
    return SimplexView(check_names(class_names, CLASSES), support=support, **points)


@lru_cache(maxsize=32)
def _likeliest(teacher: tuple[float, ...], support: str) -> list[float]:
    """Return it as numbers: a search of up to a second, and a display asks several times."""
    s = torch.tensor(teacher, dtype=torch.double)
    return likeliest_student(s, support=support).tolist()


def _check_point(name: str, point: Tensor) -> list[float]:
    check_scores(**{name: point})
    if tuple(point.shape) != (CLASSES,):
        raise ValueError(f"{name} must have shape [{CLASSES}], got {list(point.shape)}")
    return point.detach().double().cpu().tolist()
