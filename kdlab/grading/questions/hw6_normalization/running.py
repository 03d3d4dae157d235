"""Question 3 of homework 6: running statistics.

Variants are called with m and v (running mean and variance), x (inputs) and a (momentum).
"""

import torch
from torch import tensor

from kdlab.grading.questions._common import between
from kdlab.grading.questions.hw6_normalization.batches import (
    FEATURES,
    IMAGES,
    apart,
    axes,
    by_squares,
    centred,
    count,
    drawn,
    far_away,
    positive,
    unbiased,
    variance,
    wide,
)
from kdlab.grading.spec import Case, Comparison, Mistake, Question

CONSTANTFEATURES = Comparison(
    rtol=1e-4,
    atol=1e-5,
    reason="float32 keeps 7 digits; a few operations in another order cost one or two",
    gradient_of=("inputs",),
)


def _followed(m, v, x, a, *, mean=None, spread=unbiased, old=None):
    """Return both statistics, in the graph of the inputs; the rest is what is done otherwise."""
    kept = 1 - a if old is None else old
    new = x.mean(axes(x)) if mean is None else mean
    return torch.stack([kept * m + a * new, kept * v + a * spread(x)])


def update_running(running_mean, running_var, inputs, momentum):
    """Return the new running mean above the new running variance, [2, features]."""
    return _followed(running_mean, running_var, inputs.detach(), momentum)


def _graph_of_one(kept):
    """Leave one row in the graph of the inputs."""

    def followed(m, v, x, a):
        rows = list(_followed(m, v, x, a))
        rows[1 - kept] = rows[1 - kept].detach()
        return torch.stack(rows)

    return followed


def _by(spread):
    return lambda m, v, x, a: _followed(m, v, x.detach(), a, spread=spread)


def _about_running(m, v, x, a):
    """Square the distances from the new running mean."""
    x = x.detach()
    new = (1 - a) * m + a * x.mean(axes(x))
    by = (x - wide(new, x)).square().sum(axes(x)) / (count(x) - 1)
    return torch.stack([new, (1 - a) * v + a * by])


def _of_whole(m, v, x, a):
    """Take one mean and one variance for all features."""
    x = x.detach()
    return torch.stack([(1 - a) * m + a * x.mean(), (1 - a) * v + a * x.var()])


def _each_place(m, v, x, a):
    x = x.detach()
    return torch.stack([(1 - a) * m + a * x.mean(0), (1 - a) * v + a * x.var(0)])


def _mean_of_images(m, v, x, a):
    """Average the variances inside the images."""
    x = x.detach()
    by = x.flatten(2).var(2).mean(0) if x.dim() == 4 else unbiased(x)
    return torch.stack([(1 - a) * m + a * x.mean(axes(x)), (1 - a) * v + a * by])


def _in_place(m, v, x, a):
    found = update_running(m, v, x, a)
    m.copy_(found[0])
    v.copy_(found[1])
    return found


MISTAKES = (
    Mistake(
        "the biased variance",
        "The running variance takes the unbiased one, the sum of squares over m - 1: it stands "
        "for all inputs, and not for this batch.",
        (_by(variance),),
    ),
    Mistake(
        "the batch's size alone counted",
        "A channel has m = batch x height x width values: the factor is m / (m - 1) with that m.",
        (_by(lambda x: variance(x) * len(x) / (len(x) - 1)),),
    ),
    Mistake(
        "the factor upside down",
        "The unbiased variance is the larger one: m / (m - 1) times the biased.",
        (_by(lambda x: variance(x) * (count(x) - 1) / count(x)),),
    ),
    Mistake(
        "momentum and 1 - momentum exchanged",
        "Here momentum is the weight of the new batch, as in torch. An optimizer's is that of the "
        "old.",
        (lambda m, v, x, a: _followed(m, v, x.detach(), 1 - a),),
    ),
    Mistake(
        "the old not scaled",
        "The old statistics keep 1 - momentum; else they grow without end.",
        (lambda m, v, x, a: _followed(m, v, x.detach(), a, old=1.0),),
    ),
    Mistake(
        "the batch's alone",
        "The running statistics move towards the batch's by the share momentum.",
        (lambda m, v, x, a: _followed(m, v, x.detach(), 1.0),),
    ),
    Mistake(
        "a plain mean of old and new",
        "The new batch has the weight momentum, and not 1/2.",
        (lambda m, v, x, a: _followed(m, v, x.detach(), 0.5),),
    ),
    Mistake(
        "momentum not used",
        "The share is the momentum that is passed. torch's functions take 0.1 unless told.",
        (lambda m, v, x, a: _followed(m, v, x.detach(), 0.1),),
    ),
    Mistake(
        "the standard deviation",
        "What is followed is the variance, without the root.",
        (_by(lambda x: unbiased(x).sqrt()), _by(lambda x: variance(x).sqrt())),
    ),
    Mistake(
        "the sum of squares",
        "The variance is the sum of squared distances from the mean over m - 1.",
        (_by(lambda x: centred(x).square().sum(axes(x))),),
    ),
    Mistake(
        "distances from the running mean",
        "The batch's variance is about the batch's own mean.",
        (_about_running,),
    ),
    Mistake(
        "each place of an image by itself",
        "A channel's statistics run over the batch, height and width: dim=(0, 2, 3).",
        (_each_place,),
    ),
    Mistake(
        "each image's variance by itself",
        "The variance is about the channel's mean over the whole batch. That of each image lacks "
        "what is between images.",
        (_mean_of_images,),
    ),
    Mistake(
        "one mean for all features",
        "Each feature, or channel, has its own mean and variance.",
        (_of_whole,),
    ),
    Mistake(
        "the two in the wrong order",
        "The mean above, the variance below.",
        (lambda *given: update_running(*given).flip(0),),
    ),
    Mistake(
        "statistics in the graph",
        "The values are right. But what is kept from batch to batch must be cut off the graph, the "
        "mean and the variance, inputs.detach(): else each step holds all batches before it in "
        "memory.",
        (_followed, _graph_of_one(0), _graph_of_one(1)),
    ),
    Mistake(
        "changed in place",
        "Return new statistics and leave those that came as they are. A layer of ours would "
        "write them into its buffers itself.",
        (_in_place,),
    ),
    Mistake(
        "rounded away in float32",
        "E[x^2] - E[x]^2 is the small difference of two large numbers, of which float32 keeps "
        "seven digits. Subtract the mean first, then square.",
        (_by(lambda x: by_squares(x) * count(x) / (count(x) - 1)),),
    ),
)


def _case(name, mean, variance, inputs, momentum, weight=1.0, extreme=False):
    given = {
        "running_mean": mean,
        "running_var": variance,
        "inputs": inputs,
        "momentum": momentum,
    }
    return Case(name, given, weight, extreme=extreme)


def _draw(generator):
    def given(x, momentum):
        return -apart(generator, x.shape[1]), positive(generator, x.shape[1]), x, momentum

    # Away from 1/2, on both sides.
    images = given(drawn(generator, 2, 3, 2, 2), between(generator, 0.6, 0.85))
    features = given(drawn(generator, 5, 4), between(generator, 0.15, 0.4))
    far = given(far_away(generator, 8, 3), between(generator, 0.15, 0.4))
    return (
        _case("images", *images, weight=2.0),
        _case("features", *features),
        _case("far from the origin", *far, extreme=True),
    )


_MEAN, _VARIANCE = tensor([0.5, -2.0]), tensor([4.0, 0.25])

RUNNING = Question(
    id="hw6-q3",
    title="What is remembered",
    minutes=10,
    signature=(
        'update_running(running_mean: Float[Tensor, "features"], '
        'running_var: Float[Tensor, "features"], '
        'inputs: Float[Tensor, "batch features *places"], *, momentum: float) '
        '-> Float[Tensor, "2 features"]'
    ),
    statement=(
        "Return the running mean above the running variance, as one new tensor or as a tuple of "
        "two, each moved towards the batch's by the share momentum; the batch's variance is "
        "unbiased here. No gradient flows to the inputs, from either of the two. The mean may be "
        "large beside the spread."
    ),
    reference=update_running,
    cases=(
        _case("images", _MEAN, _VARIANCE, IMAGES, 0.25),
        _case("features", _MEAN, _VARIANCE, FEATURES, 0.75),
        _case("far from the origin", _MEAN, _VARIANCE, FEATURES + 2000, 0.25),
    ),
    draw=_draw,
    comparison=CONSTANTFEATURES,
    mistakes=MISTAKES,
    points=4,
)
