"""Questions 3 and 5 of homework 1: the soft-target loss, and the loss of distillation.

Visible cases and mistakes are those of lecture 02's exercises, whose functions take the same
inputs: those cases tell those mistakes apart.
"""

import torch.nn.functional as F

from kdlab import losses
from kdlab.grading.questions._common import between, classes, normal
from kdlab.grading.questions.lecture_02.distillation import (
    DISTILLATION,
    distillation_case,
    mixed,
    taught,
)
from kdlab.grading.questions.lecture_02.soft_target_mistakes import kl_rows
from kdlab.grading.questions.lecture_02.soft_targets import SOFT_TARGETS, WITH_GRADIENT, soft_case
from kdlab.grading.spec import Mistake, Question


def _pair(generator, batch, count, scale=2.0):
    return tuple(normal(generator, batch, count, scale=scale) for _ in range(2))


def _far_apart(generator, batch, count, temperature):
    """Draw a pair in which the student gives the teacher's first choice exp(-40).

    No small number inside a logarithm gets that right, whatever the draw.
    """
    student_logits, teacher_logits = _pair(generator, batch, count)
    student_logits[0, 0] = student_logits[0].max() - 40 * temperature
    teacher_logits[0, 0] = teacher_logits[0].max() + 1
    return student_logits, teacher_logits


def _soft_target_loss(student_logits, teacher_logits, temperature):
    return losses.soft_target_loss(student_logits, teacher_logits, temperature=temperature)


def _draw_soft(generator):
    soft, sharp = between(generator, 4.0, 8.0), between(generator, 0.4, 0.8)
    return (
        soft_case("soft", *_pair(generator, 4, 10), soft, weight=2.0),
        soft_case("sharp", *_far_apart(generator, 5, 3, sharp), sharp),
        # A power of two divides exactly, so that rounding decides no near tie.
        soft_case("logits of 10,000", *_pair(generator, 3, 6, scale=1e4), 4.0, extreme=True),
    )


_SOFT_MISTAKES = (
    Mistake(
        "sum over the batch and T^2 missing",
        "The loss is a mean over the examples, times T^2.",
        (lambda z, v, t: kl_rows(z, v, t).sum(),),
    ),
    Mistake(
        "sign",
        "KL is sum p (ln p - ln q), and never negative: it is 0 where both agree.",
        (
            lambda z, v, t: -(t**2) * kl_rows(z, v, t).mean(),
            lambda z, v, t: -kl_rows(z, v, t).mean(),
        ),
    ),
    Mistake(
        "squared error of the logits",
        "This compares logits, which is what the loss tends to for a high T. Here T is finite: "
        "compare the softened predictions by KL.",
        (
            lambda z, v, t: F.mse_loss(z, v.detach()),
            lambda z, v, t: F.mse_loss(z / t, v.detach() / t),
            lambda z, v, t: t**2 * F.mse_loss(z / t, v.detach() / t),
        ),
    ),
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
    mistakes=SOFT_TARGETS.mistakes + _SOFT_MISTAKES,
    points=4,
    uses=("hw1-q1",),
)


def _distillation_loss(student_logits, teacher_logits, targets, temperature, lambda_):
    weights = {"temperature": temperature, "lambda_": lambda_}
    return losses.distillation_loss(student_logits, teacher_logits, targets, **weights)


def _draw(generator):
    def case(name, pair, temperature, lambda_, weight=1.0, extreme=False):
        targets = classes(generator, 4, of=10)
        rest = {"weight": weight, "extreme": extreme}
        return distillation_case(name, *pair, targets, temperature, lambda_, **rest)

    # lambda stays away from 1/2, where the two weights could be exchanged.
    high, low = between(generator, 0.6, 0.9), between(generator, 0.1, 0.4)
    soft, sharp = between(generator, 4.0, 8.0), between(generator, 0.4, 0.8)
    return (
        case("mostly the teacher", _pair(generator, 4, 10), soft, high, weight=2.0),
        case("mostly the labels", _far_apart(generator, 4, 10, sharp), sharp, low),
        case("logits of 10,000", _pair(generator, 4, 10, scale=1e4), 4.0, 0.2, extreme=True),
    )


def _with_labels(labels, z, v, t, w):
    return (1 - w) * labels + w * taught(z, v, t)


_MISTAKES = (
    Mistake(
        "T^2 twice",
        "Question 3's loss holds T^2 already.",
        (lambda z, v, y, t, w: mixed(z, y, w, t**2 * taught(z, v, t)),),
    ),
    Mistake(
        "logarithm missing in the label term",
        "F.nll_loss takes log-probabilities. F.cross_entropy takes the logits and does both.",
        (lambda z, v, y, t, w: _with_labels(F.nll_loss(z.softmax(dim=1), y), z, v, t, w),),
    ),
    Mistake(
        "the logarithm of a softmax in the label term",
        "For large logits the softmax underflows to 0, whose logarithm is -inf. F.cross_entropy "
        "is stable.",
        (lambda z, v, y, t, w: _with_labels(F.nll_loss(z.softmax(dim=1).log(), y), z, v, t, w),),
    ),
    Mistake(
        "the teacher's choice instead of the labels",
        "The first term knows the targets: F.cross_entropy(student_logits, targets).",
        (lambda z, v, y, t, w: mixed(z, v.argmax(dim=1), w, taught(z, v, t)),),
    ),
    Mistake(
        "every example's label taken from every row",
        "log_q[:, targets] is a square: each row with each label. Pick one element a row, for "
        "example by F.cross_entropy or gather.",
        (lambda z, v, y, t, w: _with_labels(-z.log_softmax(dim=1)[:, y].mean(), z, v, t, w),),
    ),
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
    mistakes=DISTILLATION.mistakes + _MISTAKES,
    points=3,
    uses=("hw1-q1", "hw1-q3"),
)
