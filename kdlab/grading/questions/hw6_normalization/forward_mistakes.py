"""Wrong forward passes, for question 1 of homework 6.

Variants are called with x (inputs), g (gamma), b (beta), m and v (running mean and variance),
on (training) and e (eps).
"""

import torch

from kdlab.grading.questions.hw6_normalization.batches import (
    axes,
    by_squares,
    unbiased,
    variance,
    wide,
)
from kdlab.grading.spec import Mistake


def batch_norm(inputs, gamma, beta, running_mean, running_var, training, eps):
    """Return the normalized batch, of the inputs' shape."""
    mean = inputs.mean(axes(inputs)) if training else running_mean
    spread = variance(inputs) if training else running_var
    scale = gamma / (spread + eps).sqrt()
    return (inputs - wide(mean, inputs)) * wide(scale, inputs) + wide(beta, inputs)


def _by(
    spread=variance,
    divide=lambda v, e: (v + e).sqrt(),
    shift=lambda x, m: x - m,
    scale=lambda z, g, b: z * g + b,
    mode=lambda on: on,
):
    """Return the forward pass with another part."""

    def forward(x, g, b, m, v, on, e):
        mean = x.mean(axes(x)) if mode(on) else m
        by = spread(x) if mode(on) else v
        z = shift(x, wide(mean, x)) / wide(divide(by, e), x)
        return scale(z, wide(g, x), wide(b, x))

    return forward


def _over(which):
    """Return the forward pass with statistics over other axes; features are as they should."""

    def forward(x, g, b, m, v, on, e):
        over = which(x)
        if on:
            mean, by = x.mean(over, keepdim=True), x.var(over, keepdim=True, unbiased=False)
        else:
            mean, by = wide(m, x), wide(v, x)
        return (x - mean) / (by + e).sqrt() * wide(g, x) + wide(b, x)

    return forward


def _unshaped(over, shape=lambda values, x: values):
    """Return a forward pass that lets its statistics meet the last axes, whatever they are."""

    def forward(x, g, b, m, v, on, e):
        mean, by = (x.mean(over(x)), x.var(over(x), unbiased=False)) if on else (m, v)
        return shape(g, x) * (x - mean) / (by + e).sqrt() + shape(b, x)

    return forward


def _last_axis(x, g, b, m, v, on, e):
    """Let gamma and beta meet the last axis, whatever it is."""
    plain = batch_norm(x, torch.ones_like(g), torch.zeros_like(b), m, v, on, e)
    return plain * g + b


def _half_by_running(x, g, b, m, v, on, e):
    """Take the mean of the batch and the running variance."""
    return batch_norm(x, g, b, x.mean(axes(x)), v, False, e)


MISTAKES = (
    Mistake(
        "the unbiased variance",
        "The batch is normalized by the biased variance, divided by m. torch's x.var() divides by "
        "m - 1: unbiased=False.",
        (_by(spread=unbiased),),
    ),
    Mistake(
        "eps outside the root",
        "It is sqrt(variance + eps), and not sqrt(variance) + eps.",
        (_by(divide=lambda v, e: v.sqrt() + e),),
    ),
    Mistake(
        "eps not used",
        "It is sqrt(variance + eps), with the eps that is passed. torch's functions take 1e-5 "
        "unless told: eps=eps.",
        (_by(divide=lambda v, e: v.sqrt()), _by(divide=lambda v, e: (v + 1e-5).sqrt())),
    ),
    Mistake(
        "the root is missing",
        "Divide by the standard deviation, the root of variance + eps.",
        (_by(divide=lambda v, e: v + e),),
    ),
    Mistake(
        "evaluation ignored",
        "With training=False the running mean and variance take the place of the batch's. Else "
        "an answer would depend on who else is in the batch.",
        (_by(mode=lambda on: True),),
    ),
    Mistake(
        "training ignored",
        "With training=True the batch is normalized by its own mean and variance. The running ones "
        "are for evaluation.",
        (_by(mode=lambda on: False),),
    ),
    Mistake(
        "the running variance in training",
        "With training=True both statistics are the batch's own.",
        (_half_by_running,),
    ),
    Mistake(
        "each example by itself",
        "This is layer normalization. The statistics of a feature run over the batch.",
        (_over(lambda x: tuple(range(1, x.dim()))), _over(lambda x: (1,))),
    ),
    Mistake(
        "each place of an image by itself",
        "A channel's statistics run over the batch, height and width: dim=(0, 2, 3).",
        (_over(lambda x: (0,)),),
    ),
    Mistake(
        "each image by itself",
        "This is instance normalization. A channel's statistics run over the batch, too.",
        (_over(lambda x: (2, 3) if x.dim() == 4 else (0,)),),
    ),
    Mistake(
        "one mean for all features",
        "Each feature, or channel, has its own mean and variance.",
        (_over(lambda x: tuple(range(x.dim()))),),
    ),
    Mistake(
        "images taken for features",
        "mean(0) and a bare gamma are right for [batch, features]. In images the channels are axis "
        "1: take the statistics over dim=(0, 2, 3), and let mean, variance, gamma and beta stand "
        "at the channels, mean[:, None, None].",
        (_unshaped(lambda x: (0,)), _unshaped(lambda x: (0,), wide)),
    ),
    Mistake(
        "the statistics along the width",
        "A vector meets the last axis. For images the mean and the variance, like gamma and beta, "
        "have to stand at the channels: mean[:, None, None], or keepdim=True.",
        (_unshaped(axes), _unshaped(axes, wide)),
    ),
    Mistake(
        "gamma and beta along the width",
        "A vector meets the last axis. For images gamma and beta have to stand at the channels: "
        "gamma[:, None, None].",
        (_last_axis,),
    ),
    Mistake(
        "gamma and beta exchanged",
        "gamma multiplies, beta is added.",
        (_by(scale=lambda z, g, b: z * b + g),),
    ),
    Mistake(
        "beta multiplied by gamma",
        "First gamma times the normalized value, then beta is added.",
        (_by(scale=lambda z, g, b: (z + b) * g),),
    ),
    Mistake(
        "gamma and beta left out",
        "After the normalization: gamma times the value, plus beta.",
        (_by(scale=lambda z, g, b: z),),
    ),
    Mistake("gamma left out", "gamma multiplies.", (_by(scale=lambda z, g, b: z + b),)),
    Mistake("beta left out", "beta is added.", (_by(scale=lambda z, g, b: z * g),)),
    Mistake(
        "the mean not subtracted",
        "The mean goes first: (x - mean) / sqrt(variance + eps).",
        (_by(shift=lambda x, m: x),),
    ),
    Mistake(
        "rounded away in float32",
        "E[x^2] - E[x]^2 is the small difference of two large numbers, of which float32 keeps "
        "seven digits. Subtract the mean first, then square.",
        (_by(spread=lambda x: by_squares(x).clamp_min(0)), _by(spread=by_squares)),
    ),
)
