"""Question 4 of homework 1: the gradient of the soft-target loss by hand.

The visible inputs are those of the loss itself.

Variants are called with z (student logits), v (teacher logits) and t (temperature).
"""

import torch.nn.functional as F

from kdlab import losses
from kdlab.grading.questions._common import FLOAT32, between, normal
from kdlab.grading.questions.lecture_02.soft_targets import SOFT_TARGETS, soft_case
from kdlab.grading.spec import Mistake, Question


def _gradient(student_logits, teacher_logits, temperature):
    logits = (student_logits, teacher_logits)
    return losses.soft_target_gradient(*logits, temperature=temperature) / len(student_logits)


def _soft(logits, temperature, dim=1):
    return (logits / temperature).softmax(dim=dim)


def _gap(z, v, t, dim=1):
    return _soft(z, t, dim) - _soft(v, t, dim)


def _unstable(logits, temperature):
    powers = (logits / temperature).exp()
    return powers / powers.sum(dim=1, keepdim=True)


def _of_swapped(z, v, t):
    """The gradient of T^2 KL(student || teacher)."""
    q, log_ratio = _soft(z, t), (z / t).log_softmax(dim=1) - (v / t).log_softmax(dim=1)
    return t * q * (log_ratio - (q * log_ratio).sum(dim=1, keepdim=True)) / len(z)


def _one_hot(v):
    return F.one_hot(v.argmax(dim=1), v.shape[1])


def _limit(z, v, t):
    gap = z - v
    return (gap - gap.mean(dim=1, keepdim=True)) / z.numel()


MISTAKES = (
    Mistake(
        "the factor T missing",
        "T^2 stands in front and the chain rule gives 1/T for z / T: one T is left over.",
        (lambda z, v, t: _gap(z, v, t) / len(z),),
    ),
    Mistake(
        "T^2 missing",
        "This is the gradient of KL without the factor T^2 in front.",
        (lambda z, v, t: _gap(z, v, t) / t / len(z),),
    ),
    Mistake(
        "T^2 and 1/B missing",
        "This is one example's gradient of KL, as Hinton et al. print it. The loss has the factor "
        "T^2 in front, and is a mean over B examples.",
        (lambda z, v, t: _gap(z, v, t) / t,),
    ),
    Mistake(
        "divided by T once too often",
        "z / T gives 1/T once. With the factor T^2 in front, T is left as a factor.",
        (lambda z, v, t: _gap(z, v, t) / t**2 / len(z), lambda z, v, t: _gap(z, v, t) / t**2),
    ),
    Mistake(
        "the chain rule's 1/T missing",
        "q depends on z / T, and the derivative of z / T is 1/T: of T^2, only T is left.",
        (lambda z, v, t: t**2 * _gap(z, v, t) / len(z), lambda z, v, t: t**2 * _gap(z, v, t)),
    ),
    Mistake(
        "1/B missing",
        "The loss is the mean over the batch, so each example's gradient is divided by the "
        "number of examples.",
        (lambda z, v, t: t * _gap(z, v, t), lambda z, v, t: _gap(z, v, t)),
    ),
    Mistake(
        "divided by the number of classes too",
        "KL sums over the classes; only the batch is averaged.",
        (lambda z, v, t: t * _gap(z, v, t) / z.numel(),),
    ),
    Mistake(
        "divided by the classes instead of the examples",
        "B is the number of rows. KL sums over the classes and divides by nothing there.",
        (lambda z, v, t: t * _gap(z, v, t) / z.shape[1],),
    ),
    Mistake(
        "sign: student and teacher swapped",
        "The gradient is student minus teacher: a step against it moves the student to the "
        "teacher.",
        (
            lambda z, v, t: -t * _gap(z, v, t) / len(z),
            lambda z, v, t: -_gap(z, v, t) / len(z),
            lambda z, v, t: -t * _gap(z, v, t),
            lambda z, v, t: -_gap(z, v, t) / t / len(z),
            lambda z, v, t: -_gap(z, v, t) / t,
        ),
    ),
    Mistake(
        "not softened",
        "p and q are the predictions at T, of z / T and v / T, not those at T = 1.",
        (
            lambda z, v, t: t * _gap(z, v, 1.0) / len(z),
            lambda z, v, t: _gap(z, v, 1.0) / len(z),
            lambda z, v, t: t**2 * _gap(z, v, 1.0) / len(z),
        ),
    ),
    Mistake(
        "T only on the student",
        "Teacher and student are softened by the same T.",
        (lambda z, v, t: t * (_soft(z, t) - _soft(v, 1.0)) / len(z),),
    ),
    Mistake(
        "T only on the teacher",
        "Teacher and student are softened by the same T.",
        (lambda z, v, t: t * (_soft(z, 1.0) - _soft(v, t)) / len(z),),
    ),
    Mistake(
        "multiplies by T",
        "The logits are divided by T: a larger T makes predictions softer.",
        (lambda z, v, t: t * _gap(z, v, 1 / t) / len(z),),
    ),
    Mistake(
        "the gradient of the swapped KL",
        "This belongs to KL(student || teacher). With the teacher in front, p is constant and "
        "only the logarithm of q is differentiated.",
        (_of_swapped,),
    ),
    Mistake(
        "a hard teacher",
        "The teacher's prediction is reduced to its largest class, as if it were a label. Use "
        "all its probabilities.",
        (lambda z, v, t: t * (_soft(z, t) - _one_hot(v)) / len(z),),
    ),
    Mistake(
        "the limit for a high T",
        "The difference of centred logits over N B is what the gradient tends to when T "
        "grows; here T is given and finite.",
        (_limit,),
    ),
    Mistake(
        "the difference of logarithms",
        "The derivative of the log-softmax turns logarithms into probabilities: p and q "
        "themselves are subtracted.",
        (lambda z, v, t: t * ((z / t).log_softmax(dim=1) - (v / t).log_softmax(dim=1)) / len(z),),
    ),
    Mistake(
        "softmax over dim 0",
        "dim=0 runs over the batch. Each row is one example's prediction: use dim=1.",
        (lambda z, v, t: t * _gap(z, v, t, dim=0) / len(z),),
    ),
    Mistake(
        "summed over the batch",
        "Every example has logits of its own, so the gradient has the shape of the logits.",
        (
            lambda z, v, t: t * _gap(z, v, t).mean(dim=0),
            lambda z, v, t: t * _gap(z, v, t).sum(dim=0),
        ),
    ),
    Mistake(
        "unstable exp",
        "exp overflows for large logits: inf / inf is NaN. Subtract each row's maximum first, "
        "or call your tempered_softmax.",
        (lambda z, v, t: t * (_unstable(z, t) - _unstable(v, t)) / len(z),),
    ),
)


def _draw(generator):
    def case(name, batch, count, temperature, scale=3.0, weight=1.0, extreme=False):
        pair = (normal(generator, batch, count, scale=scale) for _ in range(2))
        return soft_case(name, *pair, temperature, weight=weight, extreme=extreme)

    return (
        case("soft", 4, 10, between(generator, 3.0, 8.0), weight=2.0),
        case("sharp", 6, 3, between(generator, 0.4, 0.8)),
        # A power of two divides exactly, so that rounding decides no near tie.
        case("logits of 10,000", 3, 5, 4.0, scale=1e4, extreme=True),
    )


SOFT_TARGET_GRADIENT = Question(
    id="hw1-q4",
    title="Its gradient by hand",
    minutes=15,
    signature=(
        'soft_target_gradient(student_logits: Float[Tensor, "batch classes"], '
        'teacher_logits: Float[Tensor, "batch classes"], *, temperature: float) '
        '-> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "Return the gradient of question 3's loss, a mean over the batch, with respect to the "
        "student's logits, from a formula that you derive. Only the values count; autograd is "
        "not needed. Logits of 10,000 must work."
    ),
    reference=_gradient,
    cases=SOFT_TARGETS.cases,
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=3,
    uses=("hw1-q1",),
)
