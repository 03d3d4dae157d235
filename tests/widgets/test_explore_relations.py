"""explore_relations: the Python side, without a browser."""

import re
import xml.etree.ElementTree as ElementTree

import pytest
import torch
from torch.testing import assert_close

from kdlab.losses import rkd_angle_loss, rkd_distance_loss
from kdlab.widgets import explore_relations

GENERATOR = torch.Generator().manual_seed(2)
STUDENT, TEACHER = torch.randn(2, 5, 2, generator=GENERATOR)


def test_losses_are_the_library_s_and_follow_the_points():
    view = explore_relations(STUDENT, TEACHER)
    for points in (STUDENT, STUDENT.flip(0)):
        view.student = points.tolist()
        both = points.double(), TEACHER.double()
        assert view.distance_loss == pytest.approx(rkd_distance_loss(*both).item(), rel=1e-12)
        assert view.angle_loss == pytest.approx(rkd_angle_loss(*both).item(), rel=1e-12)


def test_the_gradient_is_that_of_what_is_chosen():
    view, parts = explore_relations(STUDENT, TEACHER), {}
    for view.loss in ("distance", "angle", "both"):
        parts[view.loss] = view.gradient
    assert_close(parts["both"], parts["distance"] + 2 * parts["angle"])
    points = STUDENT.double().requires_grad_()
    rkd_angle_loss(points, TEACHER.double()).backward()
    assert_close(parts["angle"], points.grad)


def test_repr_summary_and_still():
    view = explore_relations(torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]]), TEACHER[:3])
    assert repr(view) == (
        "explore_relations(student=[[0.0, 0.0], [3.0, 0.0], [0.0, 4.0]], loss='both')"
    )
    assert view.summary() == (
        f"3 points: loss on distances {view.distance_loss:.5f}, on angles {view.angle_loss:.5f}"
    )
    root = ElementTree.fromstring(view.still())
    assert len(root.findall("{http://www.w3.org/2000/svg}circle")) == 6
    data, _ = view._repr_mimebundle_()
    assert data["text/plain"] == view.summary() and data["image/svg+xml"] == view.still()


def test_the_module_imports_nothing_and_has_one_default_export():
    text = explore_relations(STUDENT, TEACHER)._esm
    assert re.findall(r"^\s*import\b|\bimport\s*\(|\brequire\s*\(", text, re.M) == []
    assert text.count("export default { render };") == 1


@pytest.mark.parametrize(
    "value", [None, "a", [[0.0, 0.0]] * 4 + [[0.0]], [[0.0, float("nan")]] * 5, [[0.0, 101.0]] * 5]
)
def test_points_must_be_pairs_of_numbers(value):
    view = explore_relations(STUDENT, TEACHER)
    with pytest.raises(
        ValueError, match=r"^student must be pairs of numbers in \[-100, 100\], got"
    ):
        view.student = value
    assert view.student == STUDENT.tolist()


def test_points_must_stay_as_many():
    view = explore_relations(STUDENT, TEACHER)
    with pytest.raises(ValueError, match="^student must be 5 points, got 4$"):
        view.student = STUDENT[:4].tolist()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"student": STUDENT[:4]}, "lengths must be equal, got student 4 and teacher 5"),
        (
            {"teacher": TEACHER[:, :1]},
            r"teacher must have shape \[2 to 12 points, 2\], got \[5, 1\]",
        ),
        ({"student": STUDENT[:1]}, r"student must have shape \[2 to 12 points, 2\], got \[1, 2\]"),
        ({"student": STUDENT.tolist()}, "student must be a tensor, got list"),
        ({"teacher": TEACHER / 0}, "teacher must be finite, got "),
        ({"loss": "none"}, "loss must be one of 'distance', 'angle', 'both', got 'none'"),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    with pytest.raises(ValueError, match=message):
        explore_relations(**{"student": STUDENT, "teacher": TEACHER, **change})
