"""Questions of lecture 01: what a temperature does to a softmax."""

import math

import torch
from torch import tensor

from kdlab import losses
from kdlab.grading.questions._common import FLOAT32, between, classes, normal
from kdlab.grading.spec import Case, Mistake, Question


def _soften_case(name, logits, temperature):
    return Case(name, {"logits": logits, "temperature": temperature})


def _normalized(scores):
    return scores.exp() / scores.exp().sum(1, True)


def _draw_soften(generator):
    return (
        _soften_case("soft", normal(generator, 4, 10), between(generator, 2.0, 8.0)),
        _soften_case("sharp", normal(generator, 3, 5), between(generator, 0.3, 0.8)),
        _soften_case("extreme", normal(generator, 2, 3, scale=1e4), 2.0),
    )


SOFTEN = Question(
    id="KD01-E1",
    title="Soften a softmax",
    minutes=5,
    signature=(
        'soften(logits: Float[Tensor, "batch classes"], temperature: float) '
        '-> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "Return softmax(logits / temperature) over the classes, without softmax from torch if "
        "you like. It must stay finite for logits of 10,000."
    ),
    reference=losses.soften,
    cases=(
        _soften_case("T = 2", tensor([[2.0, 0.0, -2.0], [1.0, 1.0, 4.0]]), 2.0),
        _soften_case("T = 0.5", tensor([[1.0, 0.0], [0.0, 2.0], [1.0, 1.0]]), 0.5),
        # T is not 1 and a second row is small, so that the maximum has to be each row's own and
        # be divided by T as well.
        _soften_case("logits of 10,000", tensor([[1e4, 0.0, -1e4], [1.0, 0.0, 2.0]]), 2.0),
    ),
    draw=_draw_soften,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "multiplies by T",
            "The logits are divided by T: a larger T must make the distribution softer.",
            (lambda logits, temperature: (logits * temperature).softmax(dim=1),),
        ),
        Mistake(
            "softmax over dim 0",
            "dim=0 runs over the batch. Each row is one example and must sum to 1: use dim=1.",
            (lambda logits, temperature: (logits / temperature).softmax(dim=0),),
        ),
        Mistake(
            "T applied after the softmax",
            "Dividing probabilities by T breaks their sum. Divide the logits, before exp.",
            (
                lambda logits, temperature: logits.softmax(dim=1) / temperature,
                lambda logits, temperature: (logits.softmax(dim=1) / temperature).softmax(dim=1),
            ),
        ),
        Mistake(
            "T ignored",
            "The temperature does not enter the result.",
            (lambda logits, temperature: logits.softmax(dim=1),),
        ),
        Mistake(
            "returns the logarithm",
            "These are log-probabilities. Use softmax, or take exp of them.",
            (lambda logits, temperature: (logits / temperature).log_softmax(dim=1),),
        ),
        Mistake(
            "not normalized",
            "exp(z / T) is not divided by its sum over the classes.",
            (lambda logits, temperature: (logits / temperature).exp(),),
        ),
        Mistake(
            "unstable exp",
            "exp overflows for large logits: inf / inf is NaN. Subtract each row's maximum "
            "first; it cancels.",
            (lambda logits, temperature: _normalized(logits / temperature),),
        ),
        Mistake(
            "one maximum for the whole batch",
            "A row far below it underflows: 0 / 0 is NaN. Subtract each row's own maximum: "
            "max(dim=1, keepdim=True).values.",
            (lambda logits, temperature: _normalized((logits - logits.max()) / temperature),),
        ),
        Mistake(
            "maximum not divided by T",
            "The logits are divided by T and what is subtracted is not, so it no longer is the "
            "largest of them. Divide first, then take the maximum.",
            (
                lambda logits, temperature: _normalized(
                    logits / temperature - logits.amax(1, keepdim=True)
                ),
            ),
        ),
    ),
)


def _draw_entropy(generator):
    certain = torch.eye(4)[classes(generator, 3, of=4)]
    return (
        Case("spread", {"probabilities": normal(generator, 5, 10).softmax(dim=1)}),
        Case("some are zero", {"probabilities": certain}),
    )


ENTROPY = Question(
    id="KD01-E2",
    title="Measure how undecided a prediction is",
    minutes=5,
    signature='entropy(probabilities: Float[Tensor, "batch classes"]) -> Float[Tensor, "batch"]',
    statement="Return each row's entropy in nats. A probability of 0 contributes 0.",
    reference=lambda probabilities: torch.special.entr(probabilities).sum(dim=1),
    cases=(
        Case("two examples", {"probabilities": tensor([[0.5, 0.25, 0.25], [0.8, 0.1, 0.1]])}),
        Case("uniform over four", {"probabilities": tensor([[0.25, 0.25, 0.25, 0.25]])}),
        Case("a probability of 0", {"probabilities": tensor([[1.0, 0.0, 0.0], [0.5, 0.5, 0.0]])}),
    ),
    draw=_draw_entropy,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "log2 instead of ln",
            "This is in bits. Nats use the natural logarithm, torch.log.",
            (lambda probabilities: torch.special.entr(probabilities).sum(dim=1) / math.log(2),),
        ),
        Mistake(
            "sign",
            "Logarithms of probabilities are negative; the minus sign in front of the sum is "
            "missing.",
            (lambda probabilities: -torch.special.entr(probabilities).sum(dim=1),),
        ),
        Mistake(
            "mean over the batch",
            "The question asks for one entropy a row; keep the batch dimension.",
            (lambda probabilities: torch.special.entr(probabilities).sum(dim=1).mean(),),
        ),
        Mistake(
            "mean over the classes",
            "The entropy is the sum over the classes; a mean divides it by their number.",
            (lambda probabilities: torch.special.entr(probabilities).mean(dim=1),),
        ),
        Mistake(
            "sum over the wrong dimension",
            "dim=0 runs over the batch. Sum over dim=1, the classes.",
            (lambda probabilities: torch.special.entr(probabilities).sum(dim=0),),
        ),
        Mistake(
            "NaN at zeros",
            "0 * log(0) is 0 * (-inf) = NaN. torch.special.entr or xlogy knows that it is 0.",
            (lambda probabilities: -(probabilities * probabilities.log()).sum(dim=1),),
        ),
    ),
)
