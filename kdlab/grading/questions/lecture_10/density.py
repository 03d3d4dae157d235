"""The density C prod g^s above a lowest corner: its constant, and the g it likes best.

Variants are called with g and c, or with s (answers, one a row) and c; c is the lowest value of
a coordinate.
"""

import torch
from torch import Tensor, tensor

from kdlab import privileged
from kdlab.grading.questions._common import FLOAT32, between
from kdlab.grading.spec import Case, Mistake, Question


def _log_constant(probabilities: Tensor, lowest: float) -> Tensor:
    log_g = probabilities.log()
    return ((-log_g).log() - lowest * log_g).sum(dim=-1)


def _each(part):
    """Return what another term of each class adds up to."""
    return lambda g, c: part(g, c).sum(dim=-1)


def _printed(g, c):
    """The theorem's constant, whatever the support."""
    return privileged.published_log_constant(g).to(g)


def _draw_constant(generator):
    def case(name, classes, lowest):
        logits = torch.randn(3, classes, generator=generator)
        return Case(name, {"probabilities": logits.softmax(dim=1), "lowest": lowest})

    return (
        case("above -1, three classes", 3, -1.0),
        case("above another corner", 4, between(generator, 0.3, 0.8)),
    )


_G = tensor([[0.5, 0.3, 0.2], [0.7, 0.2, 0.1]])

LOG_CONSTANT = Question(
    id="KD10-E3",
    title="A constant for every corner",
    minutes=10,
    signature=(
        'log_constant_above(probabilities: Float[Tensor, "batch classes"], lowest: float) '
        '-> Float[Tensor, "batch"]'
    ),
    statement=(
        "Return log C with which C prod_k g_k^{s_k} integrates to 1 over all s with each "
        "s_k >= lowest, for each row g. Natural logarithms."
    ),
    reference=_log_constant,
    cases=(
        Case("above -1", {"probabilities": _G, "lowest": -1.0}),
        Case("above 0", {"probabilities": _G, "lowest": 0.0}),
        Case("above 1/2", {"probabilities": _G[:, :2], "lowest": 0.5}),
    ),
    draw=_draw_constant,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "the logarithm of the integral",
            "C is 1 over the integral: log C has the other sign.",
            (lambda g, c: -_log_constant(g, c),),
        ),
        Mistake(
            "always from 0 on",
            "The integral starts at `lowest`: the primitive there is g^lowest / log(1/g), and not "
            "1 / log(1/g).",
            (lambda g, c: _log_constant(g, 0.0),),
        ),
        Mistake(
            "the corner on the wrong side",
            "The integral of g^s from c on is g^c / log(1/g), so log C has -c log g, and not "
            "+c log g.",
            (lambda g, c: _log_constant(g, -c),),
        ),
        Mistake(
            "the printed constant",
            "The theorem's factor (-1)^K K^(K/2) 2^(-K(K-1)/2) doesn't come out of the integral, "
            "and its support is always s >= -1.",
            (_printed,),
        ),
        Mistake(
            "C instead of log C",
            "Asked for is the logarithm.",
            (lambda g, c: _log_constant(g, c).exp(),),
        ),
        Mistake(
            "a mean over the classes",
            "C is a product over the classes, so its logarithm is a sum.",
            (lambda g, c: _log_constant(g, c) / g.shape[-1],),
        ),
        Mistake(
            "log(1/g) without its logarithm",
            "log(1/g) is a factor of C. In log C stands its logarithm.",
            (_each(lambda g, c: -g.log() - c * g.log()),),
        ),
        Mistake(
            "1/log(1/g) in C",
            "The integral has 1 / log(1/g), so C has log(1/g).",
            (_each(lambda g, c: -(-g.log()).log() - c * g.log()),),
        ),
        Mistake(
            "log g of the negative sign",
            "log g is negative, and has no logarithm: the factor is log(1/g).",
            (_each(lambda g, c: g.log().log() - c * g.log()),),
        ),
        Mistake(
            "another base",
            "Both logarithms are natural ones.",
            (
                _each(lambda g, c: (-g.log()).log10() - c * g.log10()),
                _each(lambda g, c: (-g.log()).log2() - c * g.log2()),
                _each(lambda g, c: (-g.log10()).log() - c * g.log()),
                _each(lambda g, c: (-g.log2()).log() - c * g.log()),
            ),
        ),
        Mistake(
            "one number for all rows",
            "Each row is a student's g with a constant of its own.",
            (lambda g, c: _log_constant(g, c).sum(), lambda g, c: _log_constant(g, c).mean()),
        ),
    ),
)


def _best(answers: Tensor, lowest: float) -> Tensor:
    return torch.exp(-1 / (answers.mean(dim=0) - lowest))


def _draw_answers(generator):
    def case(name, count, classes, lowest):
        answers = torch.randn(count, classes, generator=generator).softmax(dim=1)
        return Case(name, {"answers": answers, "lowest": lowest})

    return (
        case("above -1", 4, 3, -1.0),
        case("above another corner", 3, 4, -between(generator, 0.4, 0.7)),
    )


_ANSWERS = tensor([[0.9, 0.09, 0.01], [0.6, 0.3, 0.1]])

FREE_STUDENT = Question(
    id="KD10-E4",
    title="What this density likes best",
    minutes=15,
    signature=(
        'likeliest_above(answers: Float[Tensor, "answers classes"], lowest: float) '
        '-> Float[Tensor, "classes"]'
    ),
    statement=(
        "The rows are the teacher's answers on one input, each with the density C prod_k g_k^{s_k} "
        "on s_k >= lowest. Return the g under which all of them together have the highest density. "
        "Each g_k is free in (0, 1): they need not sum to 1. The mean of each column is above "
        "lowest."
    ),
    reference=_best,
    cases=(
        Case("above -1", {"answers": _ANSWERS, "lowest": -1.0}),
        Case("above 0", {"answers": _ANSWERS, "lowest": 0.0}),
    ),
    draw=_draw_answers,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "what cross-entropy likes best",
            "g = mean of s is least for cross-entropy, which has no constant. Here log C depends "
            "on g as well: its derivative stands in the condition.",
            (lambda s, c: s.mean(dim=0),),
        ),
        Mistake(
            "made to sum to 1",
            "Each g_k is free here: maximize over one class at a time.",
            (
                lambda s, c: _best(s, c) / _best(s, c).sum(),
                lambda s, c: (-1 / (s.mean(dim=0) - c)).softmax(dim=0),
            ),
        ),
        Mistake(
            "the corner not used",
            "The mean of s_k under the density is lowest + 1 / log(1/g_k): the corner belongs to "
            "it.",
            (lambda s, c: torch.exp(-1 / s.mean(dim=0)),),
        ),
        Mistake(
            "the corner on the wrong side",
            "1 / log(1/g_k) is how far the mean of s_k lies above the corner: mean - lowest.",
            (lambda s, c: torch.exp(-1 / (s.mean(dim=0) + c)),),
        ),
        Mistake(
            "the sign of the exponent",
            "g is below 1: log g_k = -1 / (mean - lowest).",
            (lambda s, c: torch.exp(1 / (s.mean(dim=0) - c)),),
        ),
        Mistake(
            "the logarithm of g",
            "log g_k = -1 / (mean - lowest); asked for is g.",
            (lambda s, c: _best(s, c).log(),),
        ),
        Mistake(
            "the mean distance where 1 over it belongs",
            "1 / log(1/g_k) is the mean distance to the corner: log g_k is -1 over that.",
            (lambda s, c: torch.exp(-(s.mean(dim=0) - c)),),
        ),
        Mistake(
            "a student for each answer, then their mean",
            "All answers have one g: their mean stands inside the exponential.",
            (lambda s, c: torch.exp(-1 / (s - c)).mean(dim=0),),
        ),
        Mistake(
            "a sum over the answers",
            "Each answer brings its own log C as well: the sum is divided by their number.",
            (
                lambda s, c: torch.exp(-1 / (s.sum(dim=0) - c)),
                lambda s, c: torch.exp(-1 / (s - c).sum(dim=0)),
            ),
        ),
        Mistake(
            "a mean over the classes",
            "Rows are answers, columns are classes: the mean is over dim 0.",
            (
                lambda s, c: torch.exp(-1 / (s.mean(dim=1) - c)),
                lambda s, c: torch.exp(-1 / (s.mean() - c)).expand(s.shape[1]),
            ),
        ),
        Mistake(
            "where the density is highest in s",
            "For every g that is the lowest corner. Asked for is the g under which these answers "
            "are likeliest.",
            (lambda s, c: torch.full_like(s[0], c),),
        ),
    ),
)
