"""The soft-target loss."""

from torch import tensor

from kdlab import losses
from kdlab.grading.questions._common import between, normal
from kdlab.grading.questions.lecture_02.soft_target_mistakes import MISTAKES
from kdlab.grading.spec import Case, Comparison, Question

WITH_GRADIENT = Comparison(
    rtol=1e-4,
    atol=1e-5,
    reason="float32 keeps 7 digits; T^2 times a difference of logarithms costs two",
    gradient_of=("student_logits", "teacher_logits"),
)


def soft_case(name, student_logits, teacher_logits, temperature, *, weight=1.0, extreme=False):
    """Return a case of a function of two batches of logits and a temperature."""
    inputs = {"student_logits": student_logits, "teacher_logits": teacher_logits}
    return Case(name, {**inputs, "temperature": temperature}, weight, extreme=extreme)


def _draw_soft(generator):
    def case(name, scale, temperature):
        student, teacher = (normal(generator, 4, 10, scale=scale) for _ in range(2))
        return soft_case(name, student, teacher, temperature)

    return (case("drawn", 3.0, between(generator, 2.0, 8.0)), case("extreme", 1e4, 3.0))


SOFT_TARGETS = Question(
    id="KD02-E3",
    title="The soft-target loss",
    minutes=10,
    signature=(
        'soft_target_loss(student_logits: Float[Tensor, "batch classes"], '
        'teacher_logits: Float[Tensor, "batch classes"], temperature: float) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return T^2 KL(teacher, student), both softened by T, as the mean over the batch. "
        "Gradients flow to the student and not to the teacher; logits of 10,000 must work."
    ),
    reference=losses.soft_target_loss,
    cases=(
        # T, T^2, the examples and the classes are four numbers, so that no two factors agree.
        soft_case(
            "three examples, T = 2.5",
            tensor([[2.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 3.0], [1.0, 1.0, 2.0, 0.0]]),
            tensor([[3.0, 1.0, 0.0, 0.0], [0.0, 4.0, 2.0, 1.0], [0.0, 2.0, 5.0, 1.0]]),
            2.5,
        ),
        soft_case(
            "four examples, T = 5",
            tensor([[1.0, 0.0], [0.0, 1.0], [2.0, -2.0], [0.0, 0.0]]),
            tensor([[0.0, 3.0], [0.0, 5.0], [4.0, 0.0], [1.0, 0.0]]),
            5.0,
        ),
        soft_case(
            "logits of 10,000",
            tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0]]),
            tensor([[0.0, 1e4, -1e4], [0.0, 1e4, 0.0]]),
            4.0,
        ),
    ),
    draw=_draw_soft,
    comparison=WITH_GRADIENT,
    mistakes=MISTAKES,
)
