"""Wrong gradients through a step, for question 5 of homework 5.

Variants are called with s, y (synthetic images and labels), w (first weights), h (step size),
x and t (real images and targets).
"""

import torch
import torch.nn.functional as F
from torch import Tensor

from kdlab.grading.spec import Mistake


def _terms(s, y, w, h, x, t):
    """Return the two terms of the images' gradient, and the gradient on the step size.

    All is the gradient of -h <slope, down>: down has the images as a factor, and in the softmax.
    """
    p = (s @ w).softmax(dim=1)
    down = s.T @ (p - y) / len(s)
    q = (x @ (w - h * down)).softmax(dim=1)
    slope = x.T @ (q - F.one_hot(t, q.shape[1])) / len(x)
    tilt = s @ slope
    through = p * (tilt - (p * tilt).sum(dim=1, keepdim=True))
    share = -h / len(s)
    return share * (p - y) @ slope.T, share * through @ w.T, -(slope * down).sum()


def unrolled_gradients(images, labels, weights, step_size, real, targets):
    """Return the gradients on the images and on the step size, in closed form."""
    factor, softmax, size = _terms(images, labels, weights, step_size, real, targets)
    return factor + softmax, size


def _on(*given: Tensor | float) -> list[Tensor]:
    return [torch.as_tensor(one).detach().clone().requires_grad_() for one in given]


def _inner(s, y, w):
    return F.cross_entropy(s @ w, y)


def _down(inner, s, y, w, create_graph=True):
    return torch.autograd.grad(inner(s, y, w), w, create_graph=create_graph)[0]


def _unrolled(inner=_inner, outer=F.cross_entropy, steps=1, create_graph=True):
    """Return the answer with another inner loss, outer loss or number of steps, by autograd."""

    def gradients(s, y, w, h, x, t):
        s, w, h = _on(s, w, h)
        now = w
        for _ in range(steps):
            now = now - h * _down(inner, s, y, now, create_graph)
        return torch.autograd.grad(outer(x @ now, t), (s, h))

    return gradients


def _change(images=lambda g, h: g, size=lambda g, h: g):
    """Return the answer with something done to one of its parts."""

    def gradients(s, y, w, h, x, t):
        by_images, by_size = unrolled_gradients(s, y, w, h, x, t)
        return images(by_images, h), size(by_size, h)

    return gradients


def _uphill(*given):
    s, y, w, h, x, t = given
    images, size = unrolled_gradients(s, y, w, -h, x, t)
    return images, -size


def _of_inner(s, y, w, h, x, t):
    s_, w_ = _on(s, w)
    by_images = torch.autograd.grad(_inner(s_, y, w_), s_)[0]
    return by_images, unrolled_gradients(s, y, w, h, x, t)[1]


def _of_both(*given):
    """Add the synthetic loss's gradient, as `.grad` does after two backward passes."""
    images, size = unrolled_gradients(*given)
    return images + _of_inner(*given)[0], size


def _one_term(which):
    def gradients(*given):
        terms = _terms(*given)
        return terms[which], terms[2]

    return gradients


def _at_start(s, y, w, h, x, t):
    """Take the real images' slope at the first weights, before the step."""
    s, w, h = _on(s, w, h)
    [wanted] = torch.autograd.grad(F.cross_entropy(x @ w, t), w)
    return torch.autograd.grad(-h * (wanted * _down(_inner, s, y, w)).sum(), (s, h))


def _after_both(s, y, w, h, x, t):
    """Add the synthetic set's own loss after the step."""
    s, w, h = _on(s, w, h)
    now = w - h * _down(_inner, s, y, w)
    return torch.autograd.grad(F.cross_entropy(x @ now, t) + _inner(s, y, now), (s, h))


def _logarithm(scores):
    return scores.softmax(dim=1).log()


def _hard(s, y, w):
    return F.cross_entropy(s @ w, y.argmax(dim=1))


MISTAKES = (
    Mistake(
        "the step isn't part of the graph",
        "The images reach the loss by the slope alone, so the slope must remember them: "
        "torch.autograd.grad(..., create_graph=True). A plain backward() and an optimizer's step "
        "forget them.",
        (
            _unrolled(create_graph=False),
            lambda *given: (
                torch.zeros_like(given[0]),
                unrolled_gradients(*given)[1],
            ),
        ),
    ),
    Mistake(
        "both losses' gradients in .grad",
        "backward() on the synthetic loss leaves its gradient on the images, too, and the second "
        "backward() adds to it. torch.autograd.grad takes the slope alone.",
        (_of_both,),
    ),
    Mistake(
        "the gradient of the synthetic loss",
        "How the synthetic loss changes with the images doesn't matter. Asked for is how the real "
        "loss does, after the step.",
        (_of_inner,),
    ),
    Mistake(
        "the real loss before the step",
        "Real images are tried on the trained weights. With their slope at the first weights, it "
        "is gradient matching by an inner product.",
        (_at_start,),
    ),
    Mistake(
        "two steps",
        "One step is made, and then the real images are tried.",
        (_unrolled(steps=2),),
    ),
    Mistake(
        "uphill",
        "Training goes down: weights - step_size * slope.",
        (_uphill,),
    ),
    Mistake(
        "the sign",
        "Asked for are the gradients themselves, not the steps that one would make against them.",
        (
            lambda *given: tuple(-one for one in unrolled_gradients(*given)),
            _change(images=lambda g, h: -g),
            _change(size=lambda g, h: -g),
        ),
    ),
    Mistake(
        "the step size is missing",
        "The weights move by step_size times the slope, and so does what the images can do.",
        (_change(images=lambda g, h: g / h),),
    ),
    Mistake(
        "the step size's gradient times the step size",
        "The weights move by step_size times the slope; its derivative by step_size is the slope "
        "alone.",
        (_change(size=lambda g, h: g * h),),
    ),
    Mistake(
        "the softmax held fast",
        "The slope is images.T @ (p - labels) / n, and p depends on the images, too.",
        (_one_term(0),),
    ),
    Mistake(
        "the softmax alone",
        "The slope is images.T @ (p - labels) / n: the images are a factor of it, beside what "
        "they do to p.",
        (_one_term(1),),
    ),
    Mistake(
        "a sum over the synthetic images",
        "The cross-entropy of training is a mean over the images.",
        (_unrolled(inner=lambda s, y, w: F.cross_entropy(s @ w, y, reduction="sum")),),
    ),
    Mistake(
        "a sum over the real images",
        "The cross-entropy is a mean over the real images.",
        (_unrolled(outer=lambda z, t: F.cross_entropy(z, t, reduction="sum")),),
    ),
    Mistake(
        "a mean over the classes, too",
        "Cross-entropy is a sum over classes and a mean over images.",
        (_unrolled(inner=lambda s, y, w: -(y * (s @ w).log_softmax(dim=1)).mean()),),
    ),
    Mistake(
        "soft labels made hard",
        "The labels are rows of probabilities. F.cross_entropy takes them as they are.",
        (_unrolled(inner=_hard),),
    ),
    Mistake(
        "the synthetic loss added",
        "After the step the real loss alone counts.",
        (_after_both,),
    ),
    Mistake(
        "the two in the wrong order",
        "First the gradient on the images, then that on the step size.",
        (lambda *given: unrolled_gradients(*given)[::-1],),
    ),
    Mistake(
        "the logarithm of 0",
        "Where a network is sure, a probability is 0 in floating point, and its logarithm "
        "infinite. F.cross_entropy and log_softmax start from the logits.",
        (
            _unrolled(
                inner=lambda s, y, w: -(y * _logarithm(s @ w)).sum(dim=1).mean(),
                outer=lambda z, t: F.nll_loss(_logarithm(z), t),
            ),
            _unrolled(outer=lambda z, t: F.nll_loss(_logarithm(z), t)),
            _unrolled(inner=lambda s, y, w: -(y * _logarithm(s @ w)).sum(dim=1).mean()),
        ),
    ),
)
