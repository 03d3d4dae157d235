"""Question 1 of homework 6: the forward pass, in training and in evaluation."""

from torch import tensor

from kdlab.grading.questions._common import between
from kdlab.grading.questions.hw6_normalization.batches import (
    FEATURES,
    IMAGES,
    apart,
    drawn,
    far_away,
    positive,
)
from kdlab.grading.questions.hw6_normalization.forward_mistakes import MISTAKES, batch_norm
from kdlab.grading.spec import Case, Comparison, Question

THREE_DIGITS = Comparison(
    rtol=1e-3,
    atol=1e-3,
    reason="torch's own batch norm scales the mean before it subtracts it, which leaves float32 "
    "three digits where the mean is 2,000",
)


def _case(name, given, training, eps, weight=1.0, extreme=False):
    names = ("inputs", "gamma", "beta", "running_mean", "running_var")
    inputs = dict(zip(names, given, strict=True))
    return Case(name, {**inputs, "training": training, "eps": eps}, weight, extreme=extreme)


def _draw(generator):
    def given(x):
        features = x.shape[1]
        scale = positive(generator, features), apart(generator, features)
        return x, *scale, -apart(generator, features), positive(generator, features)

    def eps():
        return between(generator, 0.2, 0.6)

    # Images as wide as they have channels: a vector along the wrong axis isn't refused.
    images = [given(drawn(generator, 4, 3, 2, 3)) for _ in range(2)]
    features, far = given(drawn(generator, 6, 4)), given(far_away(generator, 8, 3))
    return (
        _case("images, training", images[0], True, eps(), weight=2.0),
        _case("images, evaluation", images[1], False, eps(), weight=2.0),
        _case("features, training", features, True, eps()),
        _case("far from the origin", far, True, eps(), extreme=True),
    )


_REST = tensor([[2.0, 0.5], [1.5, -1.0], [0.5, 3.0], [4.0, 0.25]])

FORWARD = Question(
    id="hw6-q1",
    title="Forward",
    minutes=10,
    signature=(
        'batch_norm(inputs: Float[Tensor, "batch features *places"], '
        'gamma: Float[Tensor, "features"], beta: Float[Tensor, "features"], '
        'running_mean: Float[Tensor, "features"], running_var: Float[Tensor, "features"], *, '
        'training: bool, eps: float) -> Float[Tensor, "batch features *places"]'
    ),
    statement=(
        "Return the inputs, [batch, features] or [batch, channels, height, width], normalized by "
        "the batch's mean and biased variance in training, and by the running ones in evaluation, "
        "then scaled by gamma and shifted by beta. eps is inside the root. The mean may be large "
        "beside the spread."
    ),
    reference=batch_norm,
    cases=(
        _case("features, training", (FEATURES, *_REST), True, 0.5),
        _case("images, training", (IMAGES, *_REST), True, 0.25),
        _case("images, evaluation", (IMAGES, *_REST), False, 0.25),
        _case("far from the origin", (FEATURES + 2000, *_REST), True, 0.5),
    ),
    draw=_draw,
    comparison=THREE_DIGITS,
    mistakes=MISTAKES,
    points=4,
)
