"""A normalizer and the linear layer behind it, made one.

Variants get everything: u (mean), v (variance), g (gamma), h (beta), w (weight), b (bias), e (eps).
"""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32
from kdlab.grading.spec import Case, Mistake, Question


def _fold(mean, variance, gamma, beta, weight, bias, eps):
    s = gamma * torch.rsqrt(variance + eps)
    return torch.column_stack((weight * s, bias + weight @ (beta - s * mean)))


def _scaled_by(scale):
    """Return the answer with another scale."""

    def fold(u, v, g, h, w, b, e):
        s = scale(v, g, e)
        return torch.column_stack((w * s, b + w @ (h - s * u)))

    return fold


def _with_bias(bias):
    """Return the answer with another bias, a function of (s, u, h, w, b)."""

    def fold(u, v, g, h, w, b, e):
        s = g * torch.rsqrt(v + e)
        return torch.column_stack((w * s, bias(s, u, h, w, b)))

    return fold


def _by_rows(u, v, g, h, w, b, e):
    """Fold as if the normalizer stood behind the layer."""
    s = g * torch.rsqrt(v + e)
    if len(s) != len(w):
        raise ValueError(f"{len(s)} factors for {len(w)} rows")
    return torch.column_stack((s[:, None] * w, s * (b - u) + h))


def _rows_alone(u, v, g, h, w, b, e):
    """Scale the rows, and fold the bias rightly."""
    s = g * torch.rsqrt(v + e)
    if len(s) != len(w):
        raise ValueError(f"{len(s)} factors for {len(w)} rows")
    return torch.column_stack((s[:, None] * w, b + w @ (h - s * u)))


def _case(name, generator, inputs, outputs):
    def normal(*shape):
        return torch.randn(*shape, generator=generator)

    given = {"mean": normal(inputs), "variance": 0.3 + 2 * torch.rand(inputs, generator=generator)}
    given |= {"gamma": normal(inputs), "beta": normal(inputs)}
    return Case(
        name, given | {"weight": normal(outputs, inputs), "bias": normal(outputs), "eps": 0.1}
    )


def _draw(generator):
    return _case("3 to 3", generator, 3, 3), _case("4 to 2", generator, 4, 2)


_SQUARE = {
    "mean": tensor([1.0, -2.0]),
    "variance": tensor([0.15, 2.4]),
    "gamma": tensor([0.7, -1.5]),
    "beta": tensor([0.5, 2.0]),
    "weight": tensor([[1.0, 2.0], [-3.0, 0.5]]),
    "bias": tensor([0.3, -0.4]),
    "eps": 0.1,
}

FOLD_BEFORE = Question(
    id="KD12-E4",
    title="Folded into the layer behind",
    minutes=15,
    signature=(
        'fold_before(mean: Float[Tensor, "inputs"], variance: Float[Tensor, "inputs"], '
        'gamma: Float[Tensor, "inputs"], beta: Float[Tensor, "inputs"], '
        'weight: Float[Tensor, "outputs inputs"], bias: Float[Tensor, "outputs"], eps: float) '
        '-> Float[Tensor, "outputs inputs_and_bias"]'
    ),
    statement=(
        "First the inputs are batch-normalized by these running statistics, with gamma, beta and "
        "eps; then comes the linear layer weight @ x + bias. Return the one linear layer that "
        "does both: one tensor, its weight and, as one more column at the right, its bias."
    ),
    reference=_fold,
    cases=(
        Case("2 to 2", _SQUARE),
        Case("2 to 1", _SQUARE | {"weight": tensor([[1.0, -2.0]]), "bias": tensor([0.5])}),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "rows scaled instead of columns",
            "The normalizer stands before the layer: its factors belong to the layer's inputs, "
            "which are the columns of the weight.",
            (_by_rows, _rows_alone),
        ),
        Mistake(
            "the bias left as it was",
            "What the normalizer adds to every input reaches the outputs through the weight.",
            (_with_bias(lambda s, u, h, w, b: b),),
        ),
        Mistake(
            "the bias forgotten",
            "The layer's own bias stays, and something comes to it.",
            (_with_bias(lambda s, u, h, w, b: w @ (h - s * u)),),
        ),
        Mistake(
            "beta forgotten",
            "The normalizer adds beta - s mean to each input.",
            (_with_bias(lambda s, u, h, w, b: b - w @ (s * u)),),
        ),
        Mistake(
            "the mean forgotten",
            "The normalizer adds beta - s mean to each input.",
            (_with_bias(lambda s, u, h, w, b: b + w @ h),),
        ),
        Mistake(
            "the mean not scaled",
            "The mean is subtracted before the scaling: it leaves as s mean.",
            (_with_bias(lambda s, u, h, w, b: b + w @ (h - u)),),
        ),
        Mistake(
            "the mean added",
            "The mean is subtracted: beta - s mean.",
            (_with_bias(lambda s, u, h, w, b: b + w @ (h + s * u)),),
        ),
        Mistake(
            "the shift scaled once more",
            "beta - s mean is met by the layer's own weight, not by the folded one.",
            (_with_bias(lambda s, u, h, w, b: b + (w * s) @ (h - s * u)),),
        ),
        Mistake(
            "beta scaled",
            "beta comes after the scaling: it meets the layer's own weight, not the folded one.",
            (_with_bias(lambda s, u, h, w, b: b + (w * s) @ (h - u)),),
        ),
        Mistake(
            "the shift not sent through the weight",
            "Every output gets a sum over the inputs: weight @ (beta - s mean).",
            (
                _with_bias(lambda s, u, h, w, b: b + (h - s * u).sum()),
                _with_bias(lambda s, u, h, w, b: b + (h - s * u)),
                _with_bias(lambda s, u, h, w, b: b + (w.sum(1) * (h - s * u).mean())),
            ),
        ),
        Mistake(
            "eps outside the root",
            "eps is added to the variance inside the root.",
            (_scaled_by(lambda v, g, e: g / (v.sqrt() + e)),),
        ),
        Mistake(
            "eps forgotten",
            "eps is added to the variance in evaluation as well.",
            (_scaled_by(lambda v, g, e: g / v.sqrt()),),
        ),
        Mistake(
            "divided by the variance",
            "The normalizer divides by the root of variance + eps.",
            (_scaled_by(lambda v, g, e: g / (v + e)),),
        ),
        Mistake(
            "gamma forgotten",
            "Each input is multiplied by gamma / sqrt(variance + eps).",
            (_scaled_by(lambda v, g, e: torch.rsqrt(v + e)),),
        ),
        Mistake(
            "multiplied by the root",
            "The normalizer divides by the root of variance + eps.",
            (_scaled_by(lambda v, g, e: g * torch.sqrt(v + e)),),
        ),
        Mistake(
            "the bias on the left",
            "The bias is the last column.",
            (lambda *given: _fold(*given).roll(1, dims=1),),
        ),
    ),
)
