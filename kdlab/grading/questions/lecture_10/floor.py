"""What no student can go below: the truth's own entropy.

Variants are called with z and v, the logits of student and truth.
"""

import math

import torch.nn.functional as F
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, divergence, normal, soft_cross_entropy
from kdlab.grading.spec import Case, Mistake, Question


def _expected(student_logits, truth_logits, crossed=soft_cross_entropy):
    """Return the expected cross-entropy and the floor: what the truth expects of itself."""
    return crossed(student_logits, truth_logits), crossed(truth_logits, truth_logits)


def _with(crossed):
    return lambda z, v: _expected(z, v, crossed)


def _scaled(factor):
    return lambda z, v: tuple(factor(z) * value for value in _expected(z, v))


def _draw(generator):
    def case(batch, count):
        truth = normal(generator, batch, count, scale=2.0)
        student = truth + normal(generator, batch, count, scale=1.0)
        given = {"student_logits": student, "truth_logits": truth}
        return Case(f"{batch} of {count} classes", given)

    return case(6, 3), case(4, 5)


_V = tensor([[2.0, 0.0, -1.0], [0.5, 1.5, 0.0]])
_Z = tensor([[1.0, 0.5, -1.0], [0.0, 2.0, -0.5]])

FLOOR = Question(
    id="KD10-E5",
    title="A floor under the cross-entropy",
    minutes=10,
    signature=(
        'expected_cross_entropy(student_logits: Float[Tensor, "batch classes"], '
        'truth_logits: Float[Tensor, "batch classes"]) -> tuple[float, float]'
    ),
    statement=(
        "Classes are drawn from softmax(truth_logits). Return the student's expected "
        "cross-entropy, and the smallest that any student can expect: both in nats, means over "
        "the batch."
    ),
    reference=_expected,
    cases=(
        Case("two of three classes", {"student_logits": _Z, "truth_logits": _V}),
        Case("a softer student", {"student_logits": _V / 10, "truth_logits": _V}),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "student and truth exchanged",
            "Classes are drawn from the truth: the mean is over its probabilities, and the "
            "logarithm is of the student's.",
            (lambda z, v: _expected(v, z), lambda z, v: (*_expected(v, z)[:1], _expected(z, v)[1])),
        ),
        Mistake(
            "the student's own entropy for a floor",
            "No student can go below the entropy of the truth, which is the same for all of them.",
            (lambda z, v: (_expected(z, v)[0], _expected(z, z)[0]),),
        ),
        Mistake(
            "the gap instead of the cross-entropy",
            "The divergence is what is left above the floor. Asked for is the cross-entropy, which "
            "has the floor in it.",
            (lambda z, v: (divergence(z, v), _expected(z, v)[1]),),
        ),
        Mistake(
            "0 for a floor",
            "Labels are drawn: even the truth is surprised by them. Its mean surprise is its "
            "entropy.",
            (lambda z, v: (_expected(z, v)[0], 0.0),),
        ),
        Mistake(
            "the likeliest class only",
            "Labels are not always the truth's likeliest class: take the mean over all classes "
            "with the truth's probabilities.",
            (
                lambda z, v: (F.cross_entropy(z, v.argmax(1)), F.cross_entropy(v, v.argmax(1))),
                lambda z, v: (F.cross_entropy(z, v.argmax(1)), _expected(z, v)[1]),
            ),
        ),
        Mistake(
            "a sum over the batch",
            "The mean over the batch is asked for.",
            (_scaled(len),),
        ),
        Mistake(
            "a mean over the classes",
            "Over the classes the sum is taken, with the truth's probabilities as weights; a mean "
            "divides by their number once more.",
            (_scaled(lambda z: 1 / z.shape[1]),),
        ),
        Mistake(
            "bits instead of nats",
            "In nats the logarithm is the natural one.",
            (_scaled(lambda z: 1 / math.log(2)),),
        ),
        Mistake(
            "the sign",
            "The logarithm of a probability is negative, and cross-entropy is minus its mean.",
            (_scaled(lambda z: -1.0),),
        ),
        Mistake(
            "probabilities taken for logits",
            "cross_entropy takes logits: a softmax before it makes it softer than it is.",
            (_with(lambda z, v: F.cross_entropy(z.softmax(1), v.softmax(1))),),
        ),
        Mistake(
            "the two in the wrong order",
            "First the student's, then the floor.",
            (lambda z, v: _expected(z, v)[::-1],),
        ),
    ),
)
