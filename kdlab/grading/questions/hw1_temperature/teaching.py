"""Questions 3 and 5 of homework 1: the soft-target loss, and the loss of distillation.

Visible cases and mistakes are those of lecture 02's exercises, whose functions take the same
inputs: those cases tell those mistakes apart.
"""

from kdlab import losses
from kdlab.grading.questions._common import between, classes, normal
from kdlab.grading.questions.lecture_02.distillation import DISTILLATION
from kdlab.grading.questions.lecture_02.soft_targets import SOFT_TARGETS, WITH_GRADIENT
from kdlab.grading.spec import Case, Question


def _soft_case(name, student_logits, teacher_logits, temperature, weight=1.0):
    inputs = {"student_logits": student_logits, "teacher_logits": teacher_logits}
    return Case(name, {**inputs, "temperature": temperature}, weight)


def _soft_target_loss(student_logits, teacher_logits, temperature):
    return losses.soft_target_loss(student_logits, teacher_logits, temperature=temperature)


def _draw_soft(generator):
    def case(name, batch, count, temperature, scale=3.0, weight=1.0):
        pair = (normal(generator, batch, count, scale=scale) for _ in range(2))
        return _soft_case(name, *pair, temperature, weight)

    return (
        case("soft", 4, 10, between(generator, 3.0, 8.0), weight=2.0),
        case("sharp", 5, 3, between(generator, 0.4, 0.8)),
        # A power of two divides exactly, so that rounding decides no near tie.
        case("logits of 10,000", 3, 6, 4.0, scale=1e4),
    )


SOFT_TARGET_LOSS = Question(
    id="hw1-q3",
    title="The soft-target loss",
    minutes=10,
    signature=(
        'soft_target_loss(student_logits: Float[Tensor, "batch classes"], '
        'teacher_logits: Float[Tensor, "batch classes"], *, temperature: float) '
        '-> Float[Tensor, ""]'
    ),
    statement=(
        "Return T^2 KL(teacher, student), both softened by T, in nats, as the mean over the "
        "batch: a tensor from which gradients flow to the student and not to the teacher. "
        "Logits of 10,000 must work."
    ),
    reference=_soft_target_loss,
    cases=SOFT_TARGETS.cases,
    draw=_draw_soft,
    comparison=WITH_GRADIENT,
    mistakes=SOFT_TARGETS.mistakes,
    points=4,
    uses=("hw1-q1",),
)


def _case(name, logits, targets, temperature, lambda_, weight=1.0):
    inputs = dict(zip(("student_logits", "teacher_logits"), logits, strict=True))
    inputs |= {"targets": targets, "temperature": temperature, "lambda_": lambda_}
    return Case(name, inputs, weight)


def _distillation_loss(student_logits, teacher_logits, targets, temperature, lambda_):
    weights = {"temperature": temperature, "lambda_": lambda_}
    return losses.distillation_loss(student_logits, teacher_logits, targets, **weights)


def _draw(generator):
    def case(name, temperature, lambda_, scale=3.0, weight=1.0):
        pair = [normal(generator, 4, 10, scale=scale) for _ in range(2)]
        return _case(name, pair, classes(generator, 4, of=10), temperature, lambda_, weight)

    # lambda stays away from 1/2, where the two weights could be exchanged.
    taught, labelled = between(generator, 0.6, 0.9), between(generator, 0.1, 0.4)
    return (
        case("mostly the teacher", between(generator, 2.0, 8.0), taught, weight=2.0),
        case("mostly the labels", between(generator, 2.0, 8.0), labelled),
        case("logits of 10,000", 4.0, 0.2, scale=1e4),
    )


DISTILLATION_LOSS = Question(
    id="hw1-q5",
    title="The loss of distillation",
    minutes=10,
    signature=(
        'distillation_loss(student_logits: Float[Tensor, "batch classes"], '
        'teacher_logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"], *, '
        'temperature: float, lambda_: float) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return (1 - lambda) CE(targets, student) + lambda T^2 KL(teacher, student): batch means "
        "in nats, the first term at T = 1, the second softened by T. Gradients flow to the "
        "student and not to the teacher; logits of 10,000 must work."
    ),
    reference=_distillation_loss,
    cases=DISTILLATION.cases,
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=DISTILLATION.mistakes,
    points=3,
    uses=("hw1-q1", "hw1-q3"),
)
