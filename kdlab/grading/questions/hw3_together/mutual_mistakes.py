"""How a step of mutual learning goes wrong.

A loss here takes own and other logits, y (classes), t (temperature) and w (lambda); a step takes
a and b (weights), x (inputs), y, t, w and r (learning rate).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F

from kdlab.grading.spec import Mistake


def stepped(loss, own, other, x, y, t, w, r):
    """Return own weights after one step on a loss of own and other logits."""
    leaf = own.detach().clone().requires_grad_()
    value = loss(x @ leaf.T, (x @ other.T).detach(), y, t, w)
    return own - r * torch.autograd.grad(value, leaf)[0]


def in_turn(loss: Callable) -> Callable:
    """Return the step in turn with another loss."""

    def step(a, b, *rest):
        a = stepped(loss, a, b, *rest)
        return a, stepped(loss, b, a, *rest)

    return step


def _kl(heard, own, reduction="batchmean"):
    return F.kl_div(own.log_softmax(1), heard.softmax(1), reduction=reduction)


def _mixed(kl=_kl, labels=F.cross_entropy, weights=lambda w: (1 - w, w)):
    """Return the loss with another term or another weight."""

    def loss(own, other, y, t, w):
        first, second = weights(w)
        return first * labels(own, y) + second * t**2 * kl(other / t, own / t)

    return loss


def _at(t_other=1, t_own=1, t_labels=0, factor=2):
    """Return the loss with other powers of T at its four places."""

    def loss(own, other, y, t, w):
        taught = _kl(other / t**t_other, own / t**t_own)
        return (1 - w) * F.cross_entropy(own / t**t_labels, y) + w * t**factor * taught

    return loss


def _log_of_softmax(heard, own):
    p = heard.softmax(1)
    return (p * (p.log() - own.softmax(1).log())).sum(dim=1).mean()


def _moves_both(a, b, x, y, t, w, r):
    """In turn, but each loss moves both networks."""
    weights = [a, b]
    for own in (0, 1):
        leaves = [weight.clone().requires_grad_() for weight in weights]
        logits = [x @ leaf.T for leaf in leaves]
        value = _mixed()(logits[own], logits[1 - own], y, t, w)
        found = torch.autograd.grad(value, leaves)
        weights = [weight - r * slope for weight, slope in zip(weights, found, strict=True)]
    return tuple(weights)


def _one_sum(a, b, x, y, t, w, r):
    """At once, on the sum of both losses, none detached."""
    leaves = [weight.clone().requires_grad_() for weight in (a, b)]
    own, other = (x @ leaf.T for leaf in leaves)
    value = _mixed()(own, other, y, t, w) + _mixed()(other, own, y, t, w)
    found = torch.autograd.grad(value, leaves)
    return a - r * found[0], b - r * found[1]


def _gradient_kept(a, b, x, y, t, w, r):
    """In turn; what the first loss left on the second's weights is added to its step."""
    leaf = b.clone().requires_grad_()
    value = _mixed()(x @ a.T, x @ leaf.T, y, t, w)
    left = torch.autograd.grad(value, leaf)[0]
    first, second = in_turn(_mixed())(a, b, x, y, t, w, r)
    return first, second - r * left


def _at_once(loss):
    return lambda a, b, *rest: (stepped(loss, a, b, *rest), stepped(loss, b, a, *rest))


def _second_first(loss):
    return lambda a, b, *rest: in_turn(loss)(b, a, *rest)[::-1]


def _upwards(loss):
    return lambda *given: in_turn(loss)(*given[:-1], -given[-1])


def _no_rate(loss):
    return lambda *given: in_turn(loss)(*given[:-1], 1.0)


def _exchanged(loss):
    return lambda *given: in_turn(loss)(*given)[::-1]


def mistakes_of(loss: Callable) -> tuple[Mistake, ...]:
    """Return the mistakes, given the right loss."""
    turns = zip(_TURN_TEXTS, _turns(loss), strict=True)
    terms = ((name, because, map(in_turn, wrong)) for name, because, *wrong in _TERMS)
    texts = [(*text, fns) for text, fns in turns] + [*terms]
    return tuple(Mistake(name, because, tuple(fns)) for name, because, fns in texts)


def _turns(loss: Callable) -> list[tuple[Callable, ...]]:
    return [
        (_at_once(loss),),
        (_second_first(loss),),
        (_moves_both, _one_sum, _gradient_kept),
        (lambda a, b, *rest: (stepped(loss, a, b, *rest), b),),
        (_exchanged(loss),),
        (_upwards(loss),),
        (_no_rate(loss),),
    ]


_TURN_TEXTS = (
    (
        "at once instead of in turn",
        "Here the second network hears the first as it was before its step. In turn, the first "
        "network's predictions are computed anew after its step.",
    ),
    (
        "the second network first",
        "The first network makes its step first, and the second one hears it afterwards.",
    ),
    (
        "the other not detached",
        "The other's predictions are constants. Here the KL also has a gradient for the other "
        "network: detach its logits, or compute them under torch.no_grad().",
    ),
    (
        "only the first network steps",
        "Both networks make a step: return the new weights of the second one as well.",
    ),
    (
        "the two networks exchanged",
        "Both steps are right. The first network's weights are returned first.",
    ),
    ("up instead of down", "A step goes against the gradient: W - rate * gradient."),
    ("the learning rate not used", "The gradient is multiplied by the learning rate."),
)
# Name, explanation, and the wrong losses.
_TERMS = (
    (
        "KL the wrong way round",
        "The term is KL(other || own): the other's predictions are the weights of the sum. "
        "F.kl_div takes the logarithm of the own ones first, and the other's second.",
        _mixed(kl=lambda heard, own: _kl(own, heard)),
    ),
    (
        "T^2 missing",
        "The KL term is multiplied by T^2, so that its gradient keeps its size when T grows.",
        _at(factor=0),
    ),
    ("T instead of T^2", "The factor of the KL is T^2.", _at(factor=1)),
    (
        "lambda and 1 - lambda exchanged",
        "lambda is the weight of the other's term, and 1 - lambda that of the labels.",
        _mixed(weights=lambda w: (w, 1 - w)),
    ),
    (
        "the labels' weight is 1",
        "Zhang et al. add both terms as they are. Here the labels weigh 1 - lambda and the other "
        "lambda.",
        _mixed(weights=lambda w: (1, w)),
        _mixed(weights=lambda w: (1, 1)),
    ),
    (
        "nothing learnt from the other",
        "No gradient comes from the KL term. Perhaps the own predictions are detached where the "
        "other's should be, or the term is missing.",
        _mixed(weights=lambda w: (1 - w, 0)),
        _mixed(weights=lambda w: (1, 0)),
    ),
    (
        "nothing learnt from the labels",
        "The cross-entropy with the labels is missing; its weight is 1 - lambda.",
        _mixed(weights=lambda w: (0, w)),
    ),
    (
        "sum instead of mean over the batch",
        "The step would grow with the batch. Both terms are means over the examples.",
        _mixed(
            kl=lambda heard, own: _kl(heard, own, "sum"),
            labels=lambda own, y: F.cross_entropy(own, y, reduction="sum"),
        ),
        _mixed(kl=lambda heard, own: _kl(heard, own, "sum")),
    ),
    (
        "mean over the classes as well",
        "The KL is a sum over classes and a mean over examples: reduction='batchmean'. A plain "
        "mean divides by the number of classes, too.",
        _mixed(kl=lambda heard, own: _kl(heard, own, "none").mean()),
    ),
    (
        "the labels' term softened",
        "T belongs to the KL alone. The labels are compared at T = 1.",
        _at(t_labels=1),
    ),
    (
        "T not used",
        "Both softmaxes inside the KL are taken of logits / T.",
        _at(0, 0, factor=0),
        _at(0, 0),
    ),
    (
        "T for one of the two only",
        "Both networks' logits are divided by T inside the KL.",
        _at(1, 0),
        _at(0, 1),
    ),
    (
        "softmax before cross-entropy",
        "F.cross_entropy takes logits: it has a softmax of its own.",
        _mixed(labels=lambda own, y: F.cross_entropy(own.softmax(1), y)),
    ),
    (
        "the logarithm of a softmax",
        "Where logits are far apart, a softmax holds zeros, their logarithm is infinite, and 0 "
        "times infinity is NaN. Take log_softmax.",
        _mixed(kl=_log_of_softmax),
    ),
)
