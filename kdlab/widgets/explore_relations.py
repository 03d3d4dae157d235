"""Distances and angles between a few examples: the student's plane against the teacher's."""

import torch
import traitlets
from jaxtyping import Float
from torch import Tensor

from kdlab._checks import check_choice, check_same_length, check_tensor
from kdlab.losses import rkd_angle_loss, rkd_distance_loss
from kdlab.widgets import _stills as stills
from kdlab.widgets._traits import Points
from kdlab.widgets.page import PageView

#: The weights of the two losses by what is chosen; the paper gives angles twice the weight.
WEIGHTS = {"distance": (1.0, 0.0), "angle": (0.0, 1.0), "both": (1.0, 2.0)}
#: Every triple of points is drawn anew while one is dragged.
MOST_POINTS = 12
SIDE = 220


class RelationsView(PageView, module="explore_relations", uses=("points", "relations")):
    """What `explore_relations` returns.

    Attributes:
        student: The student's points, a list of [x, y].
        loss: "distance", "angle" or "both": whose gradient the arrows show.
    """

    title = "Relations between examples"
    shown = ("student", "loss")

    student = Points(lambda view: len(view.teacher)).tag(sync=True)
    loss = traitlets.Enum([*WEIGHTS], "both").tag(sync=True)
    _teacher = traitlets.List().tag(sync=True)

    def __init__(self, student: Tensor, teacher: Tensor, **traits) -> None:
        self.teacher = teacher.double().cpu()
        super().__init__(student=student.tolist(), _teacher=self.teacher.tolist(), **traits)

    @property
    def points(self) -> Float[Tensor, "points 2"]:
        """The student's points as a tensor, in double precision."""
        return torch.tensor(self.student, dtype=torch.double)

    @property
    def distance_loss(self) -> float:
        """`rkd_distance_loss` of the points."""
        return rkd_distance_loss(self.points, self.teacher).item()

    @property
    def angle_loss(self) -> float:
        """`rkd_angle_loss` of the points."""
        return rkd_angle_loss(self.points, self.teacher).item()

    @property
    def gradient(self) -> Float[Tensor, "points 2"]:
        """Gradient of the chosen loss on the student's points."""
        points = self.points.requires_grad_()
        distance, angle = WEIGHTS[self.loss]
        total = distance * rkd_distance_loss(points, self.teacher)
        total = total + angle * rkd_angle_loss(points, self.teacher)
        return torch.autograd.grad(total, points)[0]

    def summary(self) -> str:
        """Say what both losses are."""
        return (
            f"{len(self.student)} points: loss on distances {self.distance_loss:.5f}, "
            f"on angles {self.angle_loss:.5f}"
        )

    def still(self) -> str:
        """Draw both planes side by side."""
        body = stills.words(10, 20, self.summary())
        sides = (
            ("Teacher", self.teacher, stills.TEACHER),
            ("Student", self.points, stills.STUDENT),
        )
        for left, (name, points, colour) in zip((10, SIDE + 30), sides, strict=True):
            body += stills.words(left, 42, name)
            body += stills.plane(points.tolist(), left=left, top=50, side=SIDE, colour=colour)
        size = {"width": 2 * SIDE + 40, "height": SIDE + 60}
        return stills.picture(body, **size, title=self.title, description=self.summary())


def explore_relations(
    student: Float[Tensor, "points 2"],
    teacher: Float[Tensor, "points 2"],
    *,
    loss: str = "both",
) -> RelationsView:
    """Drag points of a student's embedding against a teacher's, and see both losses.

    Arrows show where each point is pulled. Rotate, enlarge, shrink and shift leave the losses
    as they are; a step goes downhill. Everything is computed in the browser.

    Args:
        student: 2 to 12 points in a plane, one an example.
        teacher: The teacher's, as many.
        loss: "distance", "angle" or "both", the angles twice.

    Returns:
        The view. `save_html(path)` writes it as a page that works without Python.

    Raises:
        ValueError: There are too few or too many points, more in one plane than in the other,
            or they are no finite pairs.
    """
    for name, points in {"student": student, "teacher": teacher}.items():
        _check_points(name, points)
    check_same_length(student=student, teacher=teacher)
    check_choice(tuple(WEIGHTS), loss=loss)
    return RelationsView(student.detach(), teacher.detach(), loss=loss)


def _check_points(name: str, points: Tensor) -> None:
    check_tensor(**{name: points})
    shape = list(points.shape)
    if len(shape) != 2 or shape[1] != 2 or not 2 <= shape[0] <= MOST_POINTS:
        wanted = f"[2 to {MOST_POINTS} points, 2]"
        raise ValueError(f"{name} must have shape {wanted}, got {shape}")
    if not torch.isfinite(points).all():
        raise ValueError(f"{name} must be finite, got {points[~torch.isfinite(points)][0].item()}")
