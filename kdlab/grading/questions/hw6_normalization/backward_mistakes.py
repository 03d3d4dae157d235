"""Wrong backward passes, for question 2 of homework 6.

Variants are called with u (the gradient on the outputs), x (inputs), g (gamma) and e (eps).
"""

import torch

from kdlab.grading.questions.hw6_normalization.batches import (
    axes,
    by_squares,
    centred,
    count,
    unbiased,
    variance,
    wide,
)
from kdlab.grading.questions.hw6_normalization.gradients import (
    backward,
    batch_norm_backward,
    of_another_forward,
    outside,
)
from kdlab.grading.spec import Mistake


def _with(**changed):
    return lambda u, x, g, e: backward(u, x, g, e, **changed)


def _change(inputs=lambda d, *given: d, gamma=lambda d, *given: d, beta=lambda d, *given: d):
    """Return the answer with something done to one of its parts."""

    def backward(u, x, g, e):
        found = batch_norm_backward(u, x, g, e)
        return tuple(fn(d, u, x, g, e) for fn, d in zip((inputs, gamma, beta), found, strict=True))

    return backward


def _over_last(u, x, g, e):
    """Sum over the batch alone, place by place."""
    z = (x - x.mean(0)) / (x.var(0, unbiased=False) + e).sqrt()
    tilted = u - u.mean(0) - z * (u * z).mean(0)
    scale = wide(g, x) / (x.var(0, unbiased=False) + e).sqrt()
    return tilted * scale, (u * z).sum(0), u.sum(0)


def _by_raw_sums(u, x, g, e):
    """Multiply by the inputs first and take the mean away afterwards."""
    over, m = axes(x), count(x)
    inverse = (variance(x) + e).rsqrt()
    by_beta = u.sum(over)
    by_gamma = ((u * x).sum(over) - x.mean(over) * by_beta) * inverse
    z = centred(x) * wide(inverse, x)
    tilted = u - wide(by_beta / m, x) - z * wide(by_gamma / m, x)
    return tilted * wide(g * inverse, x), by_gamma, by_beta


MISTAKES = (
    Mistake(
        "the statistics taken for constants",
        "Each input moves the mean and the variance of all. Here only its own way through is "
        "counted: gamma u / sqrt(variance + eps) is the gradient of evaluation.",
        (_with(mean_term=0.0, tilt_term=0.0),),
    ),
    Mistake(
        "the variance taken for a constant",
        "The inputs move the variance as well: subtract x^ times the mean of u x^.",
        (_with(tilt_term=0.0),),
    ),
    Mistake(
        "the mean taken for a constant",
        "The inputs move the mean as well: subtract the mean of u.",
        (_with(mean_term=0.0),),
    ),
    Mistake(
        "the sign of the two terms",
        "Both means are subtracted.",
        (
            _with(mean_term=-1.0, tilt_term=-1.0),
            _with(tilt_term=-1.0),
            _with(mean_term=-1.0),
        ),
    ),
    Mistake(
        "sums instead of means",
        "In the gradient on the inputs both sums are divided by m, the number of a feature's "
        "values.",
        (_with(per=lambda x: 1),),
    ),
    Mistake(
        "divided by the batch alone",
        "A channel has m = batch x height x width values, and both sums are divided by that.",
        (_with(per=len),),
    ),
    Mistake(
        "divided by m - 1",
        "The forward pass divides by m, and so does its gradient.",
        (_with(per=lambda x: count(x) - 1),),
    ),
    Mistake(
        "the unbiased variance",
        "The forward pass normalizes by the biased variance, divided by m.",
        (_with(spread=unbiased),),
    ),
    Mistake(
        "gamma left out",
        "The gradient on the inputs goes through gamma x^, so that gamma is a factor of it.",
        (_with(scale=torch.ones_like),),
    ),
    Mistake(
        "gamma squared",
        "gamma is a factor of the gradient once: either u is multiplied by it at the start, or "
        "all of it at the end.",
        (
            _with(scale=torch.square),
            lambda u, x, g, e: batch_norm_backward(u * wide(g, x), x, g, e),
        ),
    ),
    Mistake(
        "divided by the variance",
        "Before the bracket stands gamma / sqrt(variance + eps), with the root.",
        (_with(outer=lambda v, e: v + e),),
    ),
    Mistake(
        "not divided by the root",
        "Before the bracket stands gamma / sqrt(variance + eps).",
        (_with(outer=lambda v, e: torch.ones_like(v)),),
    ),
    Mistake(
        "x^ without eps",
        "x^ is (x - mean) / sqrt(variance + eps), as in the forward pass, in both places.",
        (_with(inner=lambda v, e: v.sqrt()),),
    ),
    Mistake(
        "eps in x^ only",
        "Before the bracket stands gamma / sqrt(variance + eps), with the same root as in x^.",
        (_with(outer=lambda v, e: v.sqrt()),),
    ),
    Mistake(
        "eps not used",
        "The forward pass divides by sqrt(variance + eps), with the eps that is passed, and so "
        "does its gradient. torch's functions take 1e-5 unless told: eps=eps.",
        (
            lambda u, x, g, e: batch_norm_backward(u, x, g, 0.0),
            lambda u, x, g, e: batch_norm_backward(u, x, g, 1e-5),
        ),
    ),
    Mistake(
        "eps outside the root",
        "The forward pass divides by sqrt(variance + eps), and not by sqrt(variance) + eps, and "
        "so does its gradient.",
        (_with(inner=outside, outer=outside), of_another_forward),
    ),
    Mistake(
        "x^ forgotten in the last term",
        "Subtract x^ times the mean of u x^: x^ stands there twice.",
        (_with(last=lambda z, along: along),),
    ),
    Mistake(
        "upstream ignored",
        "The loss is not the sum of the outputs: u is its gradient on them. With autograd, "
        "y.backward(upstream), or (y * upstream).sum().backward().",
        (
            lambda u, x, g, e: batch_norm_backward(torch.ones_like(u), x, g, e),
            lambda u, x, g, e: batch_norm_backward(torch.full_like(u, 1 / u.numel()), x, g, e),
        ),
    ),
    Mistake(
        "the mean of y times upstream",
        "u is the gradient of the loss on the outputs as it is, so that the sum of y times "
        "upstream has the right gradients. Its mean has them divided by the number of outputs.",
        (lambda u, x, g, e: batch_norm_backward(u / u.numel(), x, g, e),),
    ),
    Mistake(
        "gamma's gradient by the inputs",
        "y is gamma x^ + beta: the gradient on gamma is the sum of u times x^, the normalized "
        "input.",
        (
            _change(gamma=lambda d, u, x, g, e: (u * x).sum(axes(x))),
            _change(gamma=lambda d, u, x, g, e: (u * centred(x)).sum(axes(x))),
        ),
    ),
    Mistake(
        "gamma's gradient times gamma",
        "The gradient on gamma is the sum of u x^; gamma itself isn't in it.",
        (_change(gamma=lambda d, u, x, g, e: d * g),),
    ),
    Mistake(
        "means for gamma and beta",
        "Upstream gradients are of the loss as it is: those on gamma and beta are sums.",
        (
            _change(
                gamma=lambda d, u, x, g, e: d / count(x), beta=lambda d, u, x, g, e: d / count(x)
            ),
        ),
    ),
    Mistake(
        "each place of an image by itself",
        "A channel's sums run over the batch, height and width: dim=(0, 2, 3).",
        (_over_last,),
    ),
    Mistake(
        "in the wrong order",
        "First the inputs, then gamma, then beta.",
        (
            lambda *given: tuple(batch_norm_backward(*given)[i] for i in (0, 2, 1)),
            lambda *given: batch_norm_backward(*given)[::-1],
        ),
    ),
    Mistake(
        "rounded away in float32",
        "A small difference of large numbers, of which float32 keeps seven digits: subtract the "
        "mean before you square or multiply.",
        (
            _by_raw_sums,
            _with(spread=by_squares),
            _with(spread=lambda x: by_squares(x).clamp_min(0)),
        ),
    ),
)
