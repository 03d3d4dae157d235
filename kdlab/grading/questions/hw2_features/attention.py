"""Question 1 of homework 2: where a layer looks.

Variants are called with a (activations) and p (power).
"""

import torch.nn.functional as F
from torch import tensor

from kdlab import losses
from kdlab.grading.questions._common import FLOAT32, between, normal
from kdlab.grading.questions.hw2_features.pairs import silenced
from kdlab.grading.spec import Case, Mistake, Question


def energies(a, p):
    """Sum |A|^p over channels, without a norm."""
    return a.abs().pow(p).sum(dim=1)


def signed(a, p):
    """Sum A^p, which is no energy where A is negative and p is not even."""
    return a.pow(p).sum(dim=1)


def summed_first(a, p):
    """Sum the channels, and then take the power: channels of different sign cancel."""
    return a.sum(dim=1).abs().pow(p)


def over_own_norm(maps):
    """Divide each map by its Euclidean norm; a silent one stays 0."""
    return F.normalize(maps.flatten(1), dim=1).unflatten(1, maps.shape[1:])


def over_own_sum(maps):
    """Divide each map by its sum."""
    return maps / maps.sum(dim=(1, 2), keepdim=True).clamp_min(1e-12)


def over_one_norm(maps):
    """Divide all maps by the norm of the whole batch."""
    return maps / maps.norm()


def unguarded(maps):
    """Divide each map by its norm, be it 0."""
    return maps / maps.square().sum(dim=(1, 2), keepdim=True).sqrt()


def _softmax(maps):
    return maps.flatten(1).softmax(dim=1).unflatten(1, maps.shape[1:])


def _attention_map(features, power):
    return losses.attention_map(features, power=power)


MISTAKES = (
    Mistake(
        "not normalised",
        "Each map is divided by its own Euclidean norm, so that only the places count and not "
        "how loud a layer is.",
        (energies,),
    ),
    Mistake(
        "one norm for the whole batch",
        "Each example's map has length 1 by itself. Take the norm over the places, and not over "
        "the batch.",
        (lambda a, p: over_one_norm(energies(a, p)),),
    ),
    Mistake(
        "divided by the sum",
        "This map sums to 1. Asked for is Euclidean length 1: the root of the sum of squares.",
        (lambda a, p: over_own_sum(energies(a, p)),),
    ),
    Mistake(
        "divided by the squared norm",
        "The square root is missing: the norm is the root of the sum of squares.",
        (lambda a, p: energies(a, p) / energies(a, p).square().sum(dim=(1, 2), keepdim=True),),
    ),
    Mistake(
        "divided by the maximum",
        "The largest value of this map is 1. Asked for is Euclidean length 1.",
        (lambda a, p: energies(a, p) / energies(a, p).amax(dim=(1, 2), keepdim=True),),
    ),
    Mistake(
        "softmax over the places",
        "Attention maps of layers are no softmax: the energies themselves are divided by their "
        "Euclidean norm.",
        (
            lambda a, p: _softmax(energies(a, p)),
            lambda a, p: over_own_norm(_softmax(energies(a, p))),
        ),
    ),
    Mistake(
        "absolute value missing",
        "Activations may be negative. Without |A|, an odd power subtracts, and a broken one "
        "gives NaN.",
        (lambda a, p: over_own_norm(signed(a, p)), lambda a, p: over_own_norm(signed(a, p).abs())),
    ),
    Mistake(
        "channels summed before the power",
        "Channels of different sign cancel in their sum. First take |A|^p of each, then sum.",
        (lambda a, p: over_own_norm(summed_first(a, p)),),
    ),
    Mistake(
        "the power of the sum of absolute values",
        "The power belongs inside the sum: sum |A|^p over channels, and not (sum |A|)^p.",
        (lambda a, p: over_own_norm(energies(a, 1.0).pow(p)),),
    ),
    Mistake(
        "the p-th root taken",
        "The sum of |A|^p is the map; the root belongs to a p-norm over channels, which is "
        "another map.",
        (lambda a, p: over_own_norm(energies(a, p).pow(1 / p)),),
    ),
    Mistake(
        "the power not used",
        "The power is an argument: |A|^p, and not always the same one.",
        (
            lambda a, p: over_own_norm(energies(a, 2.0)),
            lambda a, p: over_own_norm(energies(a, 1.0)),
        ),
    ),
    Mistake(
        "the largest channel alone",
        "All channels are summed. The maximum over channels is another map of the same paper.",
        (lambda a, p: over_own_norm(a.abs().pow(p).amax(dim=1)),),
    ),
    Mistake(
        "each row or column of the map normalised",
        "F.normalize works along one axis. Flatten the places into one axis first, and restore "
        "them after it.",
        (
            lambda a, p: F.normalize(energies(a, p), dim=1),
            lambda a, p: F.normalize(energies(a, p), dim=2),
        ),
    ),
    Mistake(
        "normalised before the channels are summed",
        "First the energies of all channels are summed, then the one map is divided by its norm.",
        (
            lambda a, p: (
                F.normalize(a.abs().pow(p).flatten(2), dim=2).sum(1).unflatten(1, a.shape[2:])
            ),
        ),
    ),
    Mistake(
        "left as a vector",
        "The values are right. Give the map its height and width back.",
        (lambda a, p: over_own_norm(energies(a, p)).flatten(1),),
    ),
    Mistake(
        "summed over the batch",
        "dim=0 is the batch. Channels are dim=1: each example has a map of its own.",
        (lambda a, p: over_own_norm(a.abs().pow(p).sum(dim=0)),),
    ),
    Mistake(
        "NaN for a silent example",
        "Where all activations are 0, so is the norm, and 0/0 is NaN. F.normalize leaves such a "
        "map at 0; so does a norm that is clamped from below.",
        (lambda a, p: unguarded(energies(a, p)),),
    ),
)


def _draw(generator):
    def case(name, shape, power, weight=1.0):
        inputs = {"features": normal(generator, *shape, scale=1.0), "power": power}
        return Case(name, inputs, weight)

    # A power of 2 would hide that |A| is missing: A^2 is |A|^2.
    low, high = between(generator, 1.2, 1.7), between(generator, 2.3, 3.7)
    silent = silenced(normal(generator, 3, 4, 3, 2, scale=1.0))
    return (
        case("a high power", (4, 6, 3, 5), high, weight=2.0),
        case("a low power", (3, 5, 4, 2), low),
        Case("a silent example", {"features": silent, "power": 3.0}, extreme=True),
    )


_THREE_CHANNELS = tensor(
    [
        [[[1.0, -2.0], [0.0, 1.0]], [[2.0, 1.0], [-1.0, 0.0]], [[0.0, 1.0], [-2.0, 2.0]]],
        [[[3.0, 0.0], [1.0, -1.0]], [[-1.0, 1.0], [2.0, 0.0]], [[1.0, 0.0], [1.0, 1.0]]],
    ]
)

ATTENTION_MAP = Question(
    id="hw2-q1",
    title="Where a layer looks",
    minutes=10,
    signature=(
        'attention_map(features: Float[Tensor, "batch channels height width"], power: float) '
        '-> Float[Tensor, "batch height width"]'
    ),
    statement=(
        "Return sum_c |A_c|^p over channels, each example's map divided by its own Euclidean "
        "norm. The map of an example whose activations are all 0 is 0."
    ),
    reference=_attention_map,
    cases=(
        Case("three channels, p = 3", {"features": _THREE_CHANNELS, "power": 3.0}),
        Case(
            "after a ReLU, p = 1.5",
            {"features": tensor([[[[4.0, 0.0, 1.0]], [[0.0, 1.0, 1.0]]]]), "power": 1.5},
        ),
        Case("a silent example", {"features": silenced(_THREE_CHANNELS), "power": 2.0}),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=MISTAKES,
    points=3,
)
