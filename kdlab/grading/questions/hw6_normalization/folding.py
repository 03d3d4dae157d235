"""Question 5 of homework 6: a normalization merged into the layer before it.

Variants are called with w, b (weight and bias of the layer), g, s (gamma and beta), m, v (running
mean and variance) and e (eps).
"""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, between, normal
from kdlab.grading.questions.hw6_normalization.batches import apart, positive
from kdlab.grading.spec import Case, Mistake, Question


def _rows(factor, w):
    """Shape one factor an output so that it meets all weights of its output."""
    return factor.view(-1, *[1] * (w.dim() - 1))


def _along_inputs(w, factor):
    """Scale the outputs of a linear layer, and the inputs of a convolution."""
    return (factor[:, None] if w.dim() == 2 else factor.view(1, -1, 1, 1)) * w


def _fold(
    w,
    b,
    g,
    s,
    m,
    v,
    e,
    *,
    factor=lambda g, v, e: g / (v + e).sqrt(),
    weight=lambda w, f: _rows(f, w) * w,
    bias=lambda b, f, m, s: f * (b - m) + s,
):
    f = factor(g, v, e)
    return weight(w, f), bias(b, f, m, s)


def fold(weight, bias, gamma, beta, running_mean, running_var, eps):
    """Return weight and bias of one layer that does both."""
    return _fold(weight, bias, gamma, beta, running_mean, running_var, eps)


def _by(**changed):
    return lambda *given: _fold(*given, **changed)


def _factor(factor):
    return _by(factor=factor)


def _bias(bias):
    return _by(bias=bias)


MISTAKES = (
    Mistake(
        "the bias not scaled",
        "The normalization scales all that the layer gives, its bias included: s (b - mean) + "
        "beta.",
        (_bias(lambda b, f, m, s: b - f * m + s),),
    ),
    Mistake(
        "the mean not scaled",
        "The mean is subtracted before the scaling: s (b - mean) + beta.",
        (_bias(lambda b, f, m, s: f * b - m + s),),
    ),
    Mistake(
        "neither bias nor mean scaled",
        "All that comes before gamma is scaled: s (b - mean) + beta.",
        (_bias(lambda b, f, m, s: b - m + s),),
    ),
    Mistake(
        "beta scaled",
        "beta is added after the scaling: s (b - mean) + beta.",
        (_bias(lambda b, f, m, s: f * (b - m + s)),),
    ),
    Mistake(
        "the layer's bias lost",
        "The layer adds its bias before the normalization: s (b - mean) + beta.",
        (_bias(lambda b, f, m, s: s - f * m),),
    ),
    Mistake(
        "the mean left out",
        "The normalization subtracts the running mean: s (b - mean) + beta.",
        (_bias(lambda b, f, m, s: f * b + s),),
    ),
    Mistake(
        "beta left out",
        "After the scaling comes beta: s (b - mean) + beta.",
        (_bias(lambda b, f, m, s: f * (b - m)),),
    ),
    Mistake(
        "the sign of the mean",
        "The running mean is subtracted: s (b - mean) + beta.",
        (_bias(lambda b, f, m, s: f * (b + m) + s),),
    ),
    Mistake(
        "the bias as it was",
        "The bias has its share: s (b - mean) + beta.",
        (_bias(lambda b, f, m, s: b),),
    ),
    Mistake(
        "the weight as it was",
        "Each output's row of weights is scaled by the output's factor.",
        (_by(weight=lambda w, f: w),),
    ),
    Mistake(
        "the inputs scaled instead of the outputs",
        "weight * s lets s meet the last axis. A weight's outputs are its first axis: "
        "s[:, None] * weight, and s[:, None, None, None] * weight for a convolution.",
        (
            _by(weight=lambda w, f: w * f),
            _by(weight=lambda w, f: w * f.view(1, -1, *[1] * (w.dim() - 2))),
        ),
    ),
    Mistake(
        "a convolution's inputs scaled",
        "A linear layer is right. A convolution's outputs are its first axis, too: "
        "s[:, None, None, None] * weight.",
        (
            _by(weight=_along_inputs),
            _by(weight=lambda w, f: (_rows(f, w) if w.dim() == 2 else f) * w),
        ),
    ),
    Mistake(
        "eps outside the root",
        "The factor is gamma / sqrt(variance + eps).",
        (_factor(lambda g, v, e: g / (v.sqrt() + e)),),
    ),
    Mistake(
        "eps not used",
        "The factor is gamma / sqrt(variance + eps), with the eps that is passed.",
        (_factor(lambda g, v, e: g / v.sqrt()), _factor(lambda g, v, e: g / (v + 1e-5).sqrt())),
    ),
    Mistake(
        "the root is missing",
        "The factor is gamma / sqrt(variance + eps).",
        (_factor(lambda g, v, e: g / (v + e)),),
    ),
    Mistake(
        "gamma left out",
        "The factor is gamma / sqrt(variance + eps).",
        (_factor(lambda g, v, e: (v + e).rsqrt()),),
    ),
    Mistake(
        "divided by gamma",
        "gamma multiplies: the factor is gamma / sqrt(variance + eps).",
        (_factor(lambda g, v, e: 1 / (g * (v + e).sqrt())),),
    ),
    Mistake(
        "the factor upside down",
        "gamma multiplies, the root divides: the factor is gamma / sqrt(variance + eps).",
        (_factor(lambda g, v, e: (v + e).sqrt() / g),),
    ),
    Mistake(
        "multiplied by the root",
        "The normalization divides by the root: the factor is gamma / sqrt(variance + eps).",
        (_factor(lambda g, v, e: g * (v + e).sqrt()),),
    ),
    Mistake(
        "the two in the wrong order",
        "First the weight, then the bias.",
        (lambda *given: fold(*given)[::-1],),
    ),
    Mistake(
        "the sign of gamma lost",
        "gamma may be negative, and then so is the factor: don't bring it under the root, and "
        "don't take its absolute value.",
        (
            _factor(lambda g, v, e: (g.square() / (v + e)).sqrt()),
            _factor(lambda g, v, e: g.clamp_min(0) / (v + e).sqrt()),
        ),
    ),
)


def _case(name, given, eps, weight=1.0, extreme=False):
    names = ("weight", "bias", "gamma", "beta", "running_mean", "running_var")
    inputs = dict(zip(names, given, strict=True))
    return Case(name, {**inputs, "eps": eps}, weight, extreme=extreme)


def _draw(generator):
    def given(*shape, signs=1.0):
        outputs = shape[0]
        weight = normal(generator, *shape, scale=1.0)
        gamma, variance = positive(generator, outputs), positive(generator, outputs)
        bias, beta = apart(generator, outputs), 2 + apart(generator, outputs).abs()
        return weight, bias, signs * gamma, beta, -3 * apart(generator, outputs), variance

    def eps():
        return between(generator, 0.2, 0.6)

    # As many outputs as inputs, or as a kernel is wide: a vector along the wrong axis fits.
    signs = (-1.0) ** torch.arange(3)
    return (
        _case("a convolution", given(3, 3, 2, 3), eps(), weight=2.0),
        _case("a linear layer", given(4, 4), eps()),
        _case("a negative gamma", given(3, 2, signs=signs), eps(), extreme=True),
    )


_LINEAR = tensor([[1.0, -2.0], [0.5, 3.0]])
_KERNELS = (5 * torch.arange(16) % 11).float().view(2, 2, 2, 2) / 4 - 1
_REST = tensor([[0.5, -1.5], [2.0, 0.75], [1.5, -1.0], [-2.0, 4.0], [0.5, 3.0]])
_SIGNS = tensor([[1.0, 1.0], [-1.0, 1.0], [1.0, 1.0], [1.0, 1.0], [1.0, 1.0]])

FOLD = Question(
    id="hw6-q5",
    title="Folded",
    minutes=10,
    signature=(
        'fold(weight: Float[Tensor, "outputs inputs *kernel"], bias: Float[Tensor, "outputs"], '
        'gamma: Float[Tensor, "outputs"], beta: Float[Tensor, "outputs"], '
        'running_mean: Float[Tensor, "outputs"], running_var: Float[Tensor, "outputs"], *, '
        'eps: float) -> tuple[Float[Tensor, "outputs inputs *kernel"], Float[Tensor, "outputs"]]'
    ),
    statement=(
        "Return weight and bias of one layer that does what the layer and the normalization behind "
        "it do in evaluation. The weight is that of a linear layer, [outputs, inputs], or of a "
        "convolution, [outputs, inputs, height, width]. gamma may be negative."
    ),
    reference=fold,
    cases=(
        _case("a linear layer", (_LINEAR, *_REST), 0.25),
        _case("a convolution", (_KERNELS, *_REST), 0.25),
        _case("a negative gamma", (_LINEAR, *(_REST * _SIGNS)), 0.25),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=4,
)
