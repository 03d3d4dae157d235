"""Question 6 of homework 4: what the student of generalized distillation learns from."""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, between, classes, normal, some_known
from kdlab.grading.questions.hw4_privileged.target_mistakes import MISTAKES, generalized_targets
from kdlab.grading.spec import Case, Question


def _case(name, *given, weight=1.0, extreme=False):
    names = ("teacher_logits", "targets", "known", "lambda_", "temperature")
    return Case(name, dict(zip(names, given, strict=True)), weight, extreme=extreme)


def _unknown(v, y, k, *rest):
    return v.masked_fill(~k[:, None], torch.nan), y, k, *rest


def _draw(generator):
    def given(batch, count, low, high, scale=3.0):
        v, y = normal(generator, batch, count, scale=scale), classes(generator, batch, of=count)
        k = some_known(generator, batch)
        # A known teacher that is wrong somewhere, so that label and answer can be told apart.
        first = int(k.int().argmax())
        y[first] = v[first].argmin()
        return v, y, k, between(generator, low, high), between(generator, 2.0, 6.0)

    return (
        _case("half are known", *given(6, 4, 0.15, 0.4), weight=2.0),
        _case("more classes", *given(5, 7, 0.6, 0.85)),
        _case("unknown logits are NaN", *_unknown(*given(6, 3, 0.3, 0.7)), extreme=True),
        _case("logits of 10,000", *given(4, 3, 0.3, 0.7, scale=1e4), extreme=True),
    )


_V = tensor([[3.0, 1.0, -1.0], [0.0, 2.0, 1.0], [1.0, -2.0, 0.5], [-1.0, 0.5, 2.0]])
_GIVEN = (_V, tensor([0, 2, 1, 0]), tensor([True, False, False, True]), 0.75, 2.0)

GENERALIZED_TARGETS = Question(
    id="hw4-q6",
    title="What the student learns from",
    minutes=10,
    signature=(
        'generalized_targets(teacher_logits: Float[Tensor, "batch classes"], '
        'targets: Int64[Tensor, "batch"], known: Bool[Tensor, "batch"], *, lambda_: float, '
        'temperature: float) -> Float[Tensor, "batch classes"]'
    ),
    statement=(
        "Return one row of probabilities an example, towards which cross-entropy is (1 - lambda) "
        "CE(label) + lambda CE(s), s the teacher softened by T; where the teacher isn't known, "
        "CE(label). Its logits are not to be read there, and may be NaN; others may be 10,000."
    ),
    reference=generalized_targets,
    cases=(
        _case("four examples", *_GIVEN),
        _case("another lambda and T", *_GIVEN[:3], 0.25, 4.0),
        _case("unknown logits are NaN", *_unknown(*_GIVEN)),
        _case("logits of 10,000", 1e4 * _V, *_GIVEN[1:]),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=4,
)
