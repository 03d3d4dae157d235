"""Questions of lecture 01: search for a temperature, and for an example."""

import math

import torch
from torch import tensor

from kdlab import losses
from kdlab.grading.questions._common import EXACT, between, classes, normal
from kdlab.grading.questions.lecture_01.bisection import stuck_at, temperature_by_bisection
from kdlab.grading.spec import Case, Comparison, Mistake, Question


def _temperature_case(name, logits, probability):
    return Case(name, {"logits": tensor(logits), "probability": probability})


def _draw_temperature(generator):
    logits = normal(generator, 5)
    # A near tie at index 0, as in the first visible case: it tells the classes apart.
    logits[0] = logits.max() - 0.1
    return (
        Case("near tie", {"logits": logits + 0.0, "probability": 0.4}),
        Case(
            "soft", {"logits": normal(generator, 10), "probability": between(generator, 0.3, 0.5)}
        ),
    )


def _bisected(**changes):
    """Return both usual ways to halve the interval, with the same mistake."""
    return tuple(
        lambda logits, probability, halve=halve: temperature_by_bisection(
            logits, probability, halve=halve, **changes
        )
        for halve in ("arithmetic", "geometric")
    )


TEMPERATURE_FOR = Question(
    id="KD01-E3",
    title="Find the temperature for a given confidence",
    minutes=10,
    signature='temperature_for(logits: Float[Tensor, "classes"], probability: float) -> float',
    statement=(
        "Find, by bisection between 0.01 and 100, the temperature at which the largest softened "
        "probability equals the given one, to within 0.1 %."
    ),
    reference=temperature_by_bisection,
    cases=(
        _temperature_case("a near tie", [3.9, 4.0, 0.0, 0.0, 0.0], 0.4),
        _temperature_case("two classes", [0.0, 2.0], 0.75),
        _temperature_case("nearly certain", [1.0, 3.0, 2.0], 0.99),
        _temperature_case("nearly uniform", [5.0, 0.0, 1.0], 0.4),
    ),
    draw=_draw_temperature,
    comparison=Comparison(
        rtol=2e-3,
        atol=0,
        reason="a bisection in float32 stops within 0.1 % of the root; twice that is let pass",
    ),
    mistakes=(
        Mistake(
            "returns 1/T",
            "This is the inverse temperature: the number that the logits are multiplied by.",
            tuple(
                lambda logits, probability, fn=fn: 1 / fn(logits, probability) for fn in _bisected()
            ),
        ),
        Mistake(
            "works on the wrong class",
            "The probability is that of the class with the largest logit, wherever it stands.",
            _bisected(index=0),
        ),
        Mistake(
            "bisection the wrong way",
            "The search runs to an end of its interval. The largest probability falls when T "
            "grows: where it is still too large, T must rise.",
            (*_bisected(inverted=True), *stuck_at(100, 1000, 10, 1e4, 0.01, 0.001, 0.1, 1e-4)),
        ),
    ),
)


def _looks_case(name, logits, targets, wanted, temperature):
    inputs = {"logits": logits, "targets": targets, "wanted": wanted, "temperature": temperature}
    return Case(name, inputs)


def _looks(logits, targets, wanted, temperature):
    wanted_probability = losses.soften(logits, temperature=temperature)[:, wanted]
    return int(wanted_probability.masked_fill(targets == wanted, -1).argmax())


# The wanted class is 0. Each row misleads one mistake: the first is of that class; the
# second is the answer at T > 3; the third wins at T = 1; the fourth has the largest logit.
_MISLEADING = tensor(
    [
        [9.0, 0.0, 0.0, 0.0, 0.0],
        [0.0, 2.0, -40.0, -40.0, -40.0],
        [0.0, 1.0, 0.0, 0.0, 0.0],
        [20.0, 30.0, 0.0, 0.0, 0.0],
    ]
)


def _draw_looks(generator):
    others = normal(generator, 30, 5)
    others[:, 0] = -20.0
    # The first row stays in front, so that positions shift when its class is left out.
    order = torch.cat([tensor([0]), 1 + torch.randperm(33, generator=generator)])
    logits = torch.cat([_MISLEADING, others])[order]
    targets = torch.cat([tensor([0, 1, 1, 1]), classes(generator, 30, of=5)])[order]
    return (_looks_case("drawn", logits, targets, 0, between(generator, 3.5, 6.0)),)


# Both chosen so that the right index and that of every mistake below are all different: an
# index may agree by chance once, hardly twice.
_SCORES = tensor(
    [
        [-1.0, 5.0, 2.0],
        [-1.0, 1.0, -1.0],
        [-2.0, 3.0, 6.0],
        [0.0, -1.0, 4.0],
        [-2.0, 3.0, 2.0],
        [4.0, 5.0, 5.0],
        [6.0, -1.0, -1.0],
    ]
)
_MORE_SCORES = tensor(
    [
        [-2.0, 0.0, 8.0, 3.0],
        [1.0, 5.0, 3.0, 8.0],
        [5.0, -2.0, 7.0, 8.0],
        [4.0, -3.0, 1.0, 4.0],
        [0.0, -1.0, 1.0, -1.0],
        [1.0, -2.0, 1.0, -3.0],
    ]
)

LOOKS = Question(
    id="KD01-E4",
    title="Find the example that looks most like another class",
    minutes=10,
    signature=(
        'looks_most_like(logits: Float[Tensor, "batch classes"], targets: Int64[Tensor, "batch"], '
        "wanted: int, temperature: float) -> int"
    ),
    statement=(
        "Among the examples whose target is not `wanted`, return the index (in the whole batch) "
        "of the one with the largest softened probability of `wanted`."
    ),
    reference=_looks,
    cases=(
        _looks_case(
            "wanted class 1, T = 4",
            _SCORES,
            tensor([1, 2, 1, 0, 2, 0, 0]),
            1,
            4.0,
        ),
        _looks_case(
            "wanted class 2, T = 3",
            _MORE_SCORES,
            tensor([2, 1, 1, 2, 3, 1]),
            2,
            3.0,
        ),
        _looks_case(
            "all but one are of that class",
            tensor([[0.0, 9.0], [8.0, 0.0], [0.0, 5.0]]),
            tensor([1, 0, 1]),
            1,
            2.0,
        ),
        _looks_case(
            "logits of 10,000",
            tensor([[1e4, 0.0, -1e4], [0.0, -1e4, 1e4], [1e4, -1e4, 1.0], [-1e4, 1.0, 2.0]]),
            tensor([0, 2, 0, 2]),
            1,
            1.0,
        ),
    ),
    draw=_draw_looks,
    comparison=EXACT,
    mistakes=(
        Mistake(
            "includes examples of that class",
            "An example whose target is `wanted` looks like it by right. Leave those out.",
            (
                lambda logits, targets, wanted, temperature: int(
                    (logits / temperature).softmax(dim=1)[:, wanted].argmax()
                ),
            ),
        ),
        Mistake(
            "index among the others",
            "After filtering, positions shift: this counts only the examples of other classes. "
            "Return the position in the whole batch.",
            (
                lambda logits, targets, wanted, temperature: int(
                    (logits / temperature).softmax(dim=1)[targets != wanted, wanted].argmax()
                ),
            ),
        ),
        Mistake(
            "argmin instead of argmax",
            "This is the example that looks least like it.",
            (
                lambda logits, targets, wanted, temperature: int(
                    (logits / temperature)
                    .softmax(dim=1)[:, wanted]
                    .masked_fill(targets == wanted, 2)
                    .argmin()
                ),
            ),
        ),
        Mistake(
            "softmax over dim 0, or raw logits",
            "Both order the examples by their logit of `wanted` alone, which says little where "
            "the others are larger. Each row must sum to 1: use dim=1.",
            (
                lambda logits, targets, wanted, temperature: int(
                    logits[:, wanted].masked_fill(targets == wanted, -math.inf).argmax()
                ),
                lambda logits, targets, wanted, temperature: int(
                    (logits / temperature)
                    .softmax(dim=0)[:, wanted]
                    .masked_fill(targets == wanted, -1)
                    .argmax()
                ),
            ),
        ),
        Mistake(
            "T ignored",
            "The order of the examples depends on T: use the softened probabilities.",
            (lambda logits, targets, wanted, temperature: _looks(logits, targets, wanted, 1.0),),
        ),
    ),
)
