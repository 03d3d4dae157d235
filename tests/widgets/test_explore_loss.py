"""explore_loss: the Python side, without a browser."""

import pytest
import torch

from kdlab.losses import distillation_gradient, distillation_loss
from kdlab.widgets import explore_loss

STUDENT = torch.tensor([[1.0, -2.0, 0.5], [3.0, 0.0, 1.0]])
TEACHER = torch.tensor([[4.0, 1.0, -1.0], [0.0, 2.0, 1.0]])
TARGETS = torch.tensor([0, 2])


@pytest.mark.parametrize("example", [0, 1])
@pytest.mark.parametrize("temperature", [0.5, 1.0, 4.0, 20.0])
@pytest.mark.parametrize("lambda_", [0.0, 0.3, 1.0])
def test_loss_and_gradient_are_the_library_s(example, temperature, lambda_):
    settings = {"temperature": temperature, "lambda_": lambda_}
    view = explore_loss(STUDENT, TEACHER, TARGETS, example=example, **settings)
    chosen = [tensor[[example]] for tensor in (STUDENT.double(), TEACHER.double(), TARGETS)]
    assert view.loss == pytest.approx(distillation_loss(*chosen, **settings).item(), rel=1e-12)
    torch.testing.assert_close(view.gradient, distillation_gradient(*chosen, **settings)[0])


def test_gradient_without_the_factor_is_that_of_the_plain_sum():
    view = explore_loss(STUDENT, TEACHER, TARGETS, temperature=5.0, lambda_=0.4)
    view.squared = False
    z = STUDENT[0].double().requires_grad_()
    p = (TEACHER[0].double() / 5).softmax(-1)
    plain = (p * (p.log() - (z / 5).log_softmax(-1))).sum()
    loss = 0.4 * plain - 0.6 * z.log_softmax(-1)[0]
    loss.backward()
    assert view.teacher_term == pytest.approx(plain.item())
    assert view.loss == pytest.approx(loss.item())
    torch.testing.assert_close(view.gradient, z.grad)


def test_summary_names_the_terms():
    view = explore_loss(STUDENT, TEACHER, TARGETS)
    assert view.summary() == (
        "Example 0 at T = 4, lambda = 0.5: CE 0.5046, T² KL 1.7369, loss 1.1208"
    )
    view.squared = False
    assert ", KL 0.1086," in view.summary()


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "half", None])
def test_a_weight_outside_0_to_1_is_refused(value):
    view = explore_loss(STUDENT, TEACHER, TARGETS)
    with pytest.raises(ValueError, match=r"^lambda_ must be in \[0, 1\], got "):
        view.lambda_ = value
    assert view.lambda_ == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"teacher_logits": TEACHER[:1]}, "shapes must be equal"),
        ({"teacher_logits": TEACHER / 0}, "teacher_logits must be finite, got "),
        ({"targets": TARGETS + 1}, r"targets must be in \[0, 3\), got 1 to 3"),
        ({"targets": TARGETS[:1]}, "lengths must be equal, got student_logits 2 and targets 1"),
        ({"lambda_": 2}, r"lambda_ must be in \[0, 1\], got 2"),
        ({"example": 2}, r"example must be a whole number in \[0, 2\), got 2"),
    ],
)
def test_wrong_arguments_say_which(unchecked_shapes, change, message):
    arguments = {"student_logits": STUDENT, "teacher_logits": TEACHER, "targets": TARGETS}
    with pytest.raises(ValueError, match=message):
        explore_loss(**{**arguments, **change})
