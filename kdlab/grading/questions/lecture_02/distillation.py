"""The whole loss of distillation, with the ways in which it is usually written wrong.

Variants are called with z (student logits), v (teacher logits), y (targets), t
(temperature) and w (lambda_).
"""

import torch.nn.functional as F
from torch import tensor

from kdlab import losses
from kdlab.grading.questions._common import between, classes, normal
from kdlab.grading.questions.lecture_02.soft_target_mistakes import MISTAKES, kl_rows
from kdlab.grading.questions.lecture_02.soft_targets import WITH_GRADIENT
from kdlab.grading.spec import Case, Mistake, Question


def taught(z, v, t):
    """The teacher's term."""
    return t**2 * kl_rows(z, v, t).mean()


def mixed(z, y, w, soft):
    """The whole loss, with some teacher's term."""
    return (1 - w) * F.cross_entropy(z, y) + w * soft


def _carried_over(mistake):
    """Put a mistake in the teacher's term into the whole loss."""
    variants = tuple(
        lambda z, v, y, t, w, term=term: mixed(z, y, w, term(z, v, t)) for term in mistake.variants
    )
    return Mistake(mistake.name, mistake.because, variants)


_OWN = (
    Mistake(
        "lambda on the wrong term",
        "lambda weighs the teacher, 1 - lambda the labels.",
        (lambda z, v, y, t, w: w * F.cross_entropy(z, y) + (1 - w) * taught(z, v, t),),
    ),
    Mistake(
        "T in the label term",
        "The cross-entropy with the labels always uses T = 1: labels have no softness to match.",
        (
            lambda z, v, y, t, w: mixed(z / t, y, w, taught(z, v, t)),
            lambda z, v, y, t, w: (1 - w) * t**2 * F.cross_entropy(z / t, y) + w * taught(z, v, t),
        ),
    ),
    Mistake(
        "T^2 on both terms",
        "T^2 makes up for the softening, which the label term does not have.",
        (lambda z, v, y, t, w: t**2 * mixed(z, y, w, kl_rows(z, v, t).mean()),),
    ),
    Mistake(
        "unweighted",
        "The course's form is convex: the two weights add to 1.",
        (
            lambda z, v, y, t, w: F.cross_entropy(z, y) + w * taught(z, v, t),
            lambda z, v, y, t, w: F.cross_entropy(z, y) + taught(z, v, t),
        ),
    ),
    Mistake(
        "softmax before cross_entropy",
        "F.cross_entropy takes logits and does the log_softmax itself. Give it student_logits.",
        (lambda z, v, y, t, w: mixed(z.softmax(dim=1), y, w, taught(z, v, t)),),
    ),
    Mistake(
        "sum instead of mean in the label term",
        'The cross-entropy is a mean over the batch too: leave out reduction="sum".',
        (
            lambda z, v, y, t, w: (
                (1 - w) * F.cross_entropy(z, y, reduction="sum") + w * taught(z, v, t)
            ),
        ),
    ),
    Mistake(
        "cross-entropy of the teacher",
        "The label term is the student's: F.cross_entropy(student_logits, targets). The "
        "teacher is no longer trained.",
        (lambda z, v, y, t, w: mixed(v, y, w, taught(z, v, t)),),
    ),
    Mistake(
        "cross_entropy's arguments swapped",
        "Logits come first, then targets. What torch was given as logits are whole numbers "
        "(Long), for which it has no log_softmax.",
        (lambda z, v, y, t, w: F.cross_entropy(y, z),),
    ),
    Mistake(
        "labels left out",
        "Only the teacher's term is there.",
        (
            lambda z, v, y, t, w: w * taught(z, v, t),
            lambda z, v, y, t, w: taught(z, v, t),
        ),
    ),
    Mistake(
        "no gradient",
        "item(), detach(), numpy() and no_grad() cut the student off: nothing can be learned. "
        "Return the tensor itself.",
        (lambda z, v, y, t, w: mixed(z, y, w, taught(z, v, t)).item(),),
    ),
)
# Those that make no sense inside a sum: it is cut off as a whole, or is one number anyway.
_NOT_CARRIED = {"no gradient", "no mean over the batch"}


def distillation_case(
    name,
    student_logits,
    teacher_logits,
    targets,
    temperature,
    lambda_,
    *,
    weight=1.0,
    extreme=False,
):
    """Return a case of the whole loss."""
    inputs = {
        "student_logits": student_logits,
        "teacher_logits": teacher_logits,
        "targets": targets,
        "temperature": temperature,
        "lambda_": lambda_,
    }
    return Case(name, inputs, weight, extreme=extreme)


def _draw(generator):
    def case(name, scale, temperature, lambda_):
        student, teacher = (normal(generator, 4, 10, scale=scale) for _ in range(2))
        return distillation_case(
            name, student, teacher, classes(generator, 4, of=10), temperature, lambda_
        )

    # lambda stays away from 1/2, where the two weights could be exchanged.
    drawn = case("drawn", 3.0, between(generator, 2.0, 8.0), between(generator, 0.6, 0.9))
    return (drawn, case("extreme", 1e4, 3.0, 0.2))


DISTILLATION = Question(
    id="KD02-E4",
    title="The distillation loss",
    minutes=10,
    signature=(
        'distillation_loss(student_logits: Float[Tensor, "batch classes"], '
        'teacher_logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"], '
        'temperature: float, lambda_: float) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return (1 - lambda) CE(targets, student) + lambda T^2 KL(teacher, student): batch means, "
        "the first term at T = 1, the second softened by T. The teacher gets no gradient."
    ),
    reference=losses.distillation_loss,
    cases=(
        distillation_case(
            "T = 2.5, lambda = 0.25",
            tensor([[2.0, 0.0, 1.0, 0.0], [0.0, 1.0, 0.0, 3.0], [1.0, 1.0, 2.0, 0.0]]),
            tensor([[3.0, 1.0, 0.0, 0.0], [0.0, 4.0, 2.0, 1.0], [0.0, 2.0, 5.0, 1.0]]),
            tensor([0, 3, 1]),
            2.5,
            0.25,
        ),
        distillation_case(
            "T = 5, lambda = 0.9",
            tensor([[1.0, 0.0], [0.0, 1.0], [2.0, -2.0], [0.0, 0.0]]),
            tensor([[0.0, 3.0], [0.0, 5.0], [4.0, 0.0], [1.0, 0.0]]),
            tensor([1, 1, 0, 0]),
            5.0,
            0.9,
        ),
        distillation_case(
            "labels only, logits of 10,000",
            tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0]]),
            tensor([[0.0, 1e4, -1e4], [0.0, 1e4, 0.0]]),
            tensor([1, 1]),
            4.0,
            0.0,
        ),
        distillation_case(
            "both terms, logits of 10,000",
            tensor([[1e4, 0.0, -1e4], [0.0, 1e4, 0.0]]),
            tensor([[0.0, 1e4, -1e4], [0.0, 1e4, 0.0]]),
            tensor([1, 1]),
            4.0,
            0.25,
        ),
    ),
    draw=_draw,
    comparison=WITH_GRADIENT,
    mistakes=_OWN + tuple(_carried_over(m) for m in MISTAKES if m.name not in _NOT_CARRIED),
)
