"""Questions of lecture 04: hints, attention maps and their weight."""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab import losses
from kdlab.grading.questions._common import FLOAT32, between, normal
from kdlab.grading.spec import Case, Comparison, Mistake, Question

_PAIR = {
    "student_features": tensor([[1.0, 2.0, 0.0], [0.0, -1.0, 3.0], [2.0, 1.0, 1.0]]),
    "teacher_features": tensor([[0.0, 4.0, 1.0], [3.0, 0.0, 1.0], [1.0, 1.0, 0.0]]),
}
_MAPS = tensor(
    [
        [[[1.0, -2.0], [0.0, 3.0]], [[2.0, 1.0], [-1.0, 0.5]]],
        [[[0.0, 1.0], [4.0, -1.0]], [[-3.0, 1.0], [1.0, 2.0]]],
    ]
)


def _unit(energy, p=2.0):
    return F.normalize(energy.flatten(1), p=p, dim=1).view_as(energy)


def _rooted(student_features, teacher_features):
    gaps = (student_features - teacher_features.detach()).flatten(1)
    return gaps.square().sum(dim=1).sqrt().mean()


def _draw_hints(generator):
    def pair(*shape):
        return {
            "student_features": normal(generator, *shape),
            "teacher_features": normal(generator, *shape),
        }

    return (
        Case("maps of 3 channels", pair(4, 3, 2, 2)),
        Case("flat layers of 7 values", pair(5, 7)),
    )


def _draw_maps(generator):
    return (
        Case("3 channels of 4 x 5", {"features": normal(generator, 4, 3, 4, 5)}),
        Case("6 channels of 3 x 3", {"features": normal(generator, 2, 6, 3, 3)}),
    )


def _draw_weights(generator):
    height, width = (int(side) for side in torch.randint(3, 12, (2,), generator=generator))
    return (
        Case("drawn", {"weight": between(generator, 1, 2000), "height": height, "width": width}),
        Case("drawn again", {"weight": between(generator, 1, 9), "height": width, "width": 13}),
    )


HINT_LOSS = Question(
    id="KD04-E1",
    title="The loss of a hint",
    minutes=5,
    signature=(
        'hint_loss(student_features: Float[Tensor, "batch *shape"], '
        'teacher_features: Float[Tensor, "batch *shape"]) -> Float[Tensor, ""]'
    ),
    statement=(
        "Return half the squared distance of student and teacher, summed over all values of an "
        "example, averaged over the batch; the teacher is a constant."
    ),
    reference=losses.hint_loss,
    cases=(
        Case("three examples of width 3", _PAIR),
        Case("maps", {"student_features": _MAPS, "teacher_features": _MAPS.flip(1)}),
    ),
    draw=_draw_hints,
    comparison=Comparison(
        rtol=1e-4,
        atol=1e-5,
        reason=FLOAT32.reason,
        gradient_of=("student_features", "teacher_features"),
    ),
    mistakes=(
        Mistake(
            "the half is missing",
            "The paper has 1/2 before the squared distance.",
            (
                lambda student_features, teacher_features: (
                    2 * losses.hint_loss(student_features, teacher_features)
                ),
            ),
        ),
        Mistake(
            "a mean over all values",
            "`mean()` and `mse_loss` divide by the number of values, too: sum over an example's "
            "values, then take the mean over the batch.",
            (
                lambda student_features, teacher_features: F.mse_loss(
                    student_features, teacher_features.detach()
                ),
                lambda student_features, teacher_features: (
                    F.mse_loss(student_features, teacher_features.detach()) / 2
                ),
            ),
        ),
        Mistake(
            "a sum over the batch",
            "Average over the batch; only the values of one example are summed.",
            (
                lambda student_features, teacher_features: (
                    len(student_features) * losses.hint_loss(student_features, teacher_features)
                ),
            ),
        ),
        Mistake(
            "a sum over channels only",
            "Each place of a map counts, too: flatten an example's values, then sum.",
            (
                lambda student_features, teacher_features: (
                    (student_features - teacher_features.detach()).square().sum(dim=1).mean() / 2
                ),
            ),
        ),
        Mistake(
            "the distance, not its square",
            "The hint's loss is the *squared* distance: leave out the root.",
            (
                _rooted,
                lambda student_features, teacher_features: (
                    _rooted(student_features, teacher_features) / 2
                ),
            ),
        ),
        Mistake(
            "the teacher is not a constant",
            "Gradients flow into the teacher: use `.detach()`.",
            (
                lambda student_features, teacher_features: (
                    (student_features - teacher_features).flatten(1).square().sum(dim=1).mean() / 2
                ),
            ),
        ),
    ),
)

ATTENTION_MAP = Question(
    id="KD04-E2",
    title="An attention map",
    minutes=10,
    signature=(
        'attention_map(features: Float[Tensor, "batch channels height width"]) -> '
        'Float[Tensor, "batch height width"]'
    ),
    statement=(
        "Return, for each example, the sum over channels of the squared activations at each "
        "place, divided by the Euclidean length of that map."
    ),
    reference=lambda features: losses.attention_map(features),
    cases=(
        Case("two examples of two channels", {"features": _MAPS}),
        Case("one channel", {"features": _MAPS[:, :1]}),
    ),
    draw=_draw_maps,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "not of length 1",
            "Divide each example's map by its own Euclidean length.",
            (
                lambda features: features.square().sum(dim=1),
                lambda features: features.square().mean(dim=1),
            ),
        ),
        Mistake(
            "squared after the sum",
            "Here the channels were summed first, so that positive and negative activations "
            "cancel. Square each activation, then sum.",
            (lambda features: _unit(features.sum(dim=1).square()),),
        ),
        Mistake(
            "absolute values",
            "This is p = 1. Here p is 2: square the activations.",
            (lambda features: _unit(features.abs().sum(dim=1)),),
        ),
        Mistake(
            "the sum of the map is 1",
            "Divide by the Euclidean length, the root of the sum of squares, and not by the sum.",
            (lambda features: _unit(features.square().sum(dim=1), p=1.0),),
        ),
        Mistake(
            "each row or column has length 1",
            "A map has one length, over all its places: flatten it before `normalize`.",
            (
                lambda features: F.normalize(features.square().sum(dim=1), dim=1),
                lambda features: F.normalize(features.square().sum(dim=1), dim=2),
            ),
        ),
        Mistake(
            "one length for the whole batch",
            "Every example's map has a length of its own.",
            (lambda features: features.square().sum(dim=1) / features.square().sum(dim=1).norm(),),
        ),
    ),
)

OUR_WEIGHT = Question(
    id="KD04-E3",
    title="Which weight is that here?",
    minutes=5,
    signature="our_weight(weight: float, height: int, width: int) -> float",
    statement=(
        "Return the weight of attention_transfer_loss that pulls as strongly as `weight` does "
        "for the mean of squared differences over batch and places."
    ),
    reference=lambda weight, height, width: weight / (height * width),
    cases=(
        Case("1,000 on maps of 8 x 8", {"weight": 1000.0, "height": 8, "width": 8}),
        Case("30 on maps of 5 x 2", {"weight": 30.0, "height": 5, "width": 2}),
    ),
    draw=_draw_weights,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "multiplied by the places",
            "Ours is places times the mean: it is larger, so its weight must be smaller.",
            (lambda weight, height, width: weight * height * width,),
        ),
        Mistake(
            "divided by one side",
            "A map has height times width places.",
            (
                lambda weight, height, width: weight / height,
                lambda weight, height, width: weight / width,
            ),
        ),
        Mistake(
            "the same weight",
            "The two losses differ by the number of places.",
            (lambda weight, height, width: weight,),
        ),
    ),
)

QUESTIONS = (HINT_LOSS, ATTENTION_MAP, OUR_WEIGHT)
