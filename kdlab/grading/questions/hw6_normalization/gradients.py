"""The backward pass of homework 6, with parts that can be done otherwise.

Called with u (the gradient on the outputs), x (inputs), g (gamma) and e (eps).
"""

from kdlab.grading.questions.hw6_normalization.batches import (
    axes,
    centred,
    count,
    variance,
    wide,
)


def _root(v, e):
    return (v + e).sqrt()


def backward(
    u,
    x,
    g,
    e,
    *,
    spread=variance,
    inner=_root,
    outer=_root,
    mean_term=1.0,
    tilt_term=1.0,
    last=lambda z, along: z * along,
    scale=None,
    per=None,
):
    """Return the three gradients; the rest says what is done otherwise."""
    over, m = axes(x), count(x) if per is None else per(x)
    var = spread(x)
    z = centred(x) / wide(inner(var, e), x)
    by_beta, by_gamma = u.sum(over), (u * z).sum(over)
    tilted = u - mean_term * wide(by_beta / m, x) - tilt_term * last(z, wide(by_gamma / m, x))
    factor = (g if scale is None else scale(g)) / outer(var, e)
    return tilted * wide(factor, x), by_gamma, by_beta


def batch_norm_backward(upstream, inputs, gamma, eps):
    """Return the gradients on inputs, gamma and beta."""
    return backward(upstream, inputs, gamma, eps)


def outside(v, e):
    return v.sqrt() + e


def of_another_forward(u, x, g, e):
    """Return the true gradients of a forward pass with eps outside of the root."""
    v = variance(x)
    longer = wide(outside(v, e) / v.sqrt(), x)
    changed = {"inner": outside, "outer": outside, "last": lambda z, along: longer * z * along}
    return backward(u, x, g, e, **changed)
