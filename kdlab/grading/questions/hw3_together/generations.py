"""Question 3 of homework 3: what a network is trained towards by generations before it.

Variants are called with z (logits of all generations), y (classes), w (lambda) and
e (whether the ensemble teaches).
"""

import torch.nn.functional as F
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32, between, classes, normal
from kdlab.grading.spec import Case, Mistake, Question


def _softmax(z: Tensor) -> Tensor:
    return z.softmax(dim=-1)


def _last(p: Tensor) -> Tensor:
    return p[-1]


def _mean(p: Tensor) -> Tensor:
    return p[1:].mean(dim=0)


def _labels(z: Tensor, y: Tensor) -> Tensor:
    return F.one_hot(y, z.shape[-1]).float()


def _towards(
    next_one=_last, ensemble=_mean, predict=_softmax, mix=lambda y, p, w: (1 - w) * y + w * p
):
    """Return the targets with another teacher, another prediction or another mixture."""

    def targets(z, y, w, e):
        return mix(_labels(z, y), (ensemble if e else next_one)(predict(z)), w)

    return targets


def born_again_targets(logits, targets, lambda_, ensemble):
    """Return the mixture of labels and of the last generation, or of the ensemble."""
    return _towards()(logits, targets, lambda_, ensemble)


def _winners(p: Tensor) -> Tensor:
    return F.one_hot(p.argmax(-1), p.shape[-1]).float()


def _scaled(p: Tensor) -> Tensor:
    return p / p.sum(dim=-1, keepdim=True)


def _mixed_first(z, y, w, e):
    taught = z[1:].mean(dim=0) if e else z[-1]
    return ((1 - w) * _labels(z, y) + w * taught).softmax(dim=-1)


def _logits_first(teacher, next_one=_last):
    """Return the targets of an ensemble that is made of logits."""

    def targets(z, y, w, e):
        return (1 - w) * _labels(z, y) + w * (_softmax(teacher(z)) if e else _softmax(z)[-1])

    return targets


MISTAKES = (
    Mistake(
        "lambda and 1 - lambda exchanged",
        "lambda is the weight of the teacher's probabilities, and 1 - lambda that of the labels.",
        (_towards(mix=lambda y, p, w: w * y + (1 - w) * p),),
    ),
    Mistake(
        "no labels",
        "That is label refinery. Born-again networks keep the labels, with weight 1 - lambda.",
        (_towards(mix=lambda y, p, w: p), _towards(mix=lambda y, p, w: w * p)),
    ),
    Mistake(
        "no teacher",
        "The labels alone are left. The teacher's probabilities have the weight lambda.",
        (_towards(mix=lambda y, p, w: y),),
    ),
    Mistake(
        "a sum instead of a mixture",
        "Each row must sum to 1, so the labels weigh 1 - lambda. The paper adds both terms with "
        "weight 1.",
        (_towards(mix=lambda y, p, w: y + p), _towards(mix=lambda y, p, w: y + w * p)),
    ),
    Mistake(
        "winners instead of probabilities",
        "What the teacher says about the other classes is what the student learns from. Keep "
        "the probabilities; argmax throws them away.",
        (_towards(predict=lambda z: _winners(z)),),
    ),
    Mistake(
        "logits instead of probabilities",
        "Labels are mixed with probabilities: take the softmax of the logits first.",
        (_towards(predict=lambda z: z), _mixed_first),
    ),
    Mistake(
        "logarithms of probabilities",
        "The mixture holds probabilities. log_softmax gives their logarithms.",
        (_towards(predict=lambda z: z.log_softmax(dim=-1)),),
    ),
    Mistake(
        "softmax along the wrong axis",
        "Classes are the last axis, dim=-1. With three axes, dim=1 is the batch and dim=0 the "
        "generations.",
        (
            _towards(predict=lambda z: z.softmax(dim=1)),
            _towards(predict=lambda z: z.softmax(dim=0)),
        ),
    ),
    Mistake(
        "the two teachers exchanged",
        "ensemble=True asks for the mean of the generations, ensemble=False for the last one.",
        (_towards(_mean, _last),),
    ),
    Mistake(
        "generation 0 teaches",
        "Each generation learns from the one right before it, and not always from the first.",
        (_towards(next_one=lambda p: p[0]), _towards(next_one=lambda p: p[1])),
    ),
    Mistake(
        "the generation before the last teaches",
        "The next generation learns from the one right before it: the last row of the logits.",
        (_towards(next_one=lambda p: p[-2]),),
    ),
    Mistake(
        "all generations teach the next one",
        "Only with ensemble=True are the generations averaged. Otherwise the last one teaches "
        "alone.",
        (_towards(next_one=_mean), _towards(next_one=lambda p: p.mean(dim=0))),
    ),
    Mistake(
        "generation 0 in the ensemble",
        "Number 0 had no teacher and is left out: the mean runs over numbers 1 and up.",
        (_towards(ensemble=lambda p: p.mean(dim=0)),),
    ),
    Mistake(
        "logits averaged",
        "The ensemble is the mean of probabilities. Take the softmax of each generation first, "
        "then the mean.",
        (_logits_first(_mean), _logits_first(lambda z: z.mean(dim=0))),
    ),
    Mistake(
        "probabilities multiplied",
        "The ensemble is the arithmetic mean of the generations' probabilities.",
        (
            _towards(ensemble=lambda p: p[1:].prod(dim=0)),
            _towards(ensemble=lambda p: _scaled(p[1:].prod(dim=0))),
        ),
    ),
    Mistake(
        "sum instead of mean over the generations",
        "The ensemble's probabilities must sum to 1: divide by the number of generations in it.",
        (_towards(ensemble=lambda p: p[1:].sum(dim=0)),),
    ),
    Mistake(
        "divided by the number of all generations",
        "Number 0 is left out of the sum, so it is left out of the count as well.",
        (_towards(ensemble=lambda p: p[1:].sum(dim=0) / len(p)),),
    ),
    Mistake(
        "the last generation left out",
        "The ensemble holds all generations from number 1 to the last: p[1:], and not p[1:-1].",
        (_towards(ensemble=lambda p: p[1:-1].mean(dim=0)),),
    ),
    Mistake(
        "the last generation alone",
        "With ensemble=True the mean of the generations teaches.",
        (_towards(ensemble=_last),),
    ),
    Mistake(
        "votes counted",
        "The ensemble averages probabilities, and not the classes that each generation chose.",
        (_towards(ensemble=lambda p: _winners(p)[1:].mean(dim=0)),),
    ),
    Mistake(
        "exp overflows",
        "exp(1000) is infinite, and infinite by infinite is NaN. softmax subtracts the largest "
        "logit first.",
        (_towards(predict=lambda z: _scaled(z.exp())),),
    ),
)


def _case(name, logits, targets, lambda_, ensemble, weight=1.0, extreme=False):
    inputs = {"logits": logits, "targets": targets, "lambda_": lambda_, "ensemble": ensemble}
    return Case(name, inputs, weight, extreme=extreme)


def _draw(generator):
    def case(name, shape, lambdas, ensemble, *, scale=1.5, **rest):
        logits = normal(generator, *shape, scale=scale)
        targets = classes(generator, shape[1], of=shape[2])
        return _case(name, logits, targets, between(generator, *lambdas), ensemble, **rest)

    return (
        case("the next generation", (4, 5, 6), (0.6, 0.8), False, weight=2.0),
        case("the ensemble teaches", (5, 4, 6), (0.25, 0.4), True),
        case("logits of 1,000", (4, 3, 5), (0.6, 0.8), True, scale=1000.0, extreme=True),
    )


_LOGITS = tensor(
    [
        [[2.0, 0.0, 1.0], [0.0, -1.0, 1.0]],
        [[0.0, 1.0, 0.5], [1.0, 2.0, 0.0]],
        [[1.0, -1.0, 0.0], [0.5, 0.0, 2.0]],
        [[3.0, 1.0, 0.0], [-1.0, 1.0, 0.0]],
    ]
)

BORN_AGAIN_TARGETS = Question(
    id="hw3-q3",
    title="What the next generation learns from",
    minutes=10,
    signature=(
        'born_again_targets(logits: Float[Tensor, "generations batch classes"], '
        'targets: Int64[Tensor, "batch"], *, lambda_: float, ensemble: bool) '
        '-> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "Return (1 - lambda) times the one-hot labels plus lambda times the teacher's "
        "probabilities, T = 1. The teacher of the next generation (ensemble=False) is the last "
        "one of those given. With ensemble=True it is the mean of the probabilities of all "
        "generations but number 0. logits[g] are those of generation g, two generations at least."
    ),
    reference=born_again_targets,
    cases=(
        _case("the next generation", _LOGITS, tensor([0, 2]), 0.75, False),
        _case("the ensemble teaches", _LOGITS, tensor([0, 2]), 0.25, True),
        _case("logits of 1,000", 1000 * _LOGITS, tensor([0, 2]), 0.75, True),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=4,
)
