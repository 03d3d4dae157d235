"""What the student cannot say: the divergence that remains."""

from torch import tensor

from kdlab.grading.questions._common import (
    FLOAT32,
    between,
    divergence,
    normal,
    soft_cross_entropy,
)
from kdlab.grading.spec import Case, Mistake, Question

_Z = tensor([[1.0, 2.0, -1.0], [0.5, 0.0, 3.0]])
_V = tensor([[3.0, 1.0, -2.0], [0.0, 1.0, 4.0]])


def _remainder(student_logits, teacher_logits, temperature):
    return divergence(student_logits, teacher_logits, temperature)


def _draw_remainder(generator):
    return tuple(
        Case(
            f"{batch} of {count} classes",
            {
                "student_logits": normal(generator, batch, count),
                "teacher_logits": normal(generator, batch, count),
                "temperature": between(generator, 1.5, 8.0),
            },
        )
        for batch, count in ((5, 10), (8, 4))
    )


REMAINDER = Question(
    id="KD03-E2",
    title="What the student can't say",
    minutes=10,
    signature=(
        'remainder(student_logits: Float[Tensor, "batch classes"], '
        'teacher_logits: Float[Tensor, "batch classes"], temperature: float) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return the batch mean of KL(teacher || student), both softened by T, in nats, without "
        "the factor T^2."
    ),
    reference=_remainder,
    cases=(
        Case(
            "two of three classes",
            {"student_logits": _Z, "teacher_logits": _V} | {"temperature": 2.0},
        ),
        Case(
            "the same logits", {"student_logits": _Z, "teacher_logits": _Z} | {"temperature": 4.0}
        ),
    ),
    draw=_draw_remainder,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "student and teacher exchanged",
            "This is KL(student || teacher). The mean is over the teacher's probabilities: "
            "sum p (log p - log q), p the teacher's.",
            (
                lambda student_logits, teacher_logits, temperature: divergence(
                    teacher_logits, student_logits, temperature
                ),
            ),
        ),
        Mistake(
            "cross-entropy with soft targets",
            "This is -sum p log q, larger than the divergence by the teacher's entropy: it isn't "
            "0 for a perfect student. Subtract -sum p log p.",
            (soft_cross_entropy,),
        ),
        Mistake(
            "times T^2",
            "Here we measure and don't train: leave T^2 out.",
            (
                lambda student_logits, teacher_logits, temperature: (
                    temperature**2 * divergence(student_logits, teacher_logits, temperature)
                ),
            ),
        ),
        Mistake(
            "not softened",
            "Both are to be softened: divide the logits by T before the softmax.",
            (
                lambda student_logits, teacher_logits, temperature: divergence(
                    student_logits, teacher_logits, 1.0
                ),
            ),
        ),
        Mistake(
            "a sum over the batch",
            "This is the sum over the batch; divide it by the number of examples.",
            (
                lambda student_logits, teacher_logits, temperature: divergence(
                    student_logits, teacher_logits, temperature, "sum"
                ),
            ),
        ),
        Mistake(
            "a mean over the classes, too",
            '`reduction="mean"` divides by the number of classes as well; "batchmean" doesn\'t.',
            (
                lambda student_logits, teacher_logits, temperature: divergence(
                    student_logits, teacher_logits, temperature, "none"
                ).mean(),
            ),
        ),
    ),
)
