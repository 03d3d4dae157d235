"""Questions of lecture 05: relations between examples."""

import torch
import torch.nn.functional as F
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, normal
from kdlab.grading.spec import Case, Mistake, Question

# Distances 3, 4 and 5; no two rows alike in length.
_TRIANGLE = tensor([[1.0, 1.0], [4.0, 1.0], [1.0, 5.0]])
_FOUR = tensor([[2.0, 0.0, 1.0], [0.0, 1.0, 1.0], [-1.0, 0.5, 0.0], [1.0, -2.0, 3.0]])


def _relative_distances(features):
    distances = torch.cdist(features, features)
    return distances / (distances.sum() / (distances > 0).sum())


def _angle_cosines(features, vertex):
    rays = F.normalize(features - features[vertex], dim=1)
    return rays @ rays.T


def _similarity_rows(features):
    return F.normalize(features @ features.T, dim=1)


def _draw_rows(generator):
    return (
        Case("six of width 4", {"features": normal(generator, 6, 4)}),
        Case("nine of width 3, far from 0", {"features": normal(generator, 9, 3) + 5}),
    )


def _draw_pairs(generator):
    # Whole numbers: the distance of two that coincide is then 0 however it is computed.
    twice = normal(generator, 5, 3).round()[[0, 1, 2, 3, 4, 0]]
    return *_draw_rows(generator), Case("two of six coincide", {"features": twice})


def _draw_angles(generator):
    chosen = int(torch.randint(1, 5, (), generator=generator))
    return (
        Case("six of width 4", {"features": normal(generator, 6, 4), "vertex": chosen}),
        Case("five, far from 0", {"features": normal(generator, 5, 3) + 5, "vertex": 0}),
    )


RELATIVE_DISTANCES = Question(
    id="KD05-E1",
    title="Distances by their mean",
    minutes=10,
    signature=(
        'relative_distances(features: Float[Tensor, "batch width"]) -> Float[Tensor, "batch batch"]'
    ),
    statement=(
        "Return the Euclidean distances of all pairs, divided by their mean over the pairs that "
        "are apart. Two examples may coincide; they are not apart."
    ),
    reference=_relative_distances,
    cases=(
        Case("a triangle", {"features": _TRIANGLE}),
        Case("four of width 3", {"features": _FOUR}),
        Case("two that coincide", {"features": _TRIANGLE[[0, 1, 2, 0]]}),
    ),
    draw=_draw_pairs,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "pairs that coincide count in the mean",
            "The mean is over the pairs with a distance above 0, which may be fewer than "
            "batch (batch - 1).",
            (lambda features: _divided(features, lambda d: d.sum() / (d.numel() - len(d))),),
        ),
        Mistake(
            "the zeros of the diagonal count in the mean",
            "An example's distance from itself is 0 and no pair. Divide the sum by the number of "
            "distances above 0, not by batch^2.",
            (lambda features: _divided(features, lambda d: d.mean()),),
        ),
        Mistake(
            "not divided by the mean",
            "These are the distances themselves. Divide them by their mean over the pairs that "
            "are apart, so that an embedding of another scale gives the same.",
            (lambda features: torch.cdist(features, features),),
        ),
        Mistake(
            "squared distances",
            "RKD compares distances, not their squares: take the root before the mean.",
            (
                lambda features: _divided(features, _mean_apart, lambda d: d.square()),
                lambda features: torch.cdist(features, features).square(),
            ),
        ),
        Mistake(
            "divided by the largest distance",
            "One far example would decide the scale of all. Divide by the mean.",
            (lambda features: _divided(features, lambda d: d.max()),),
        ),
        Mistake(
            "each row by its own mean",
            "There is one mean for the whole batch; with one for each row the table is not "
            "symmetric any more.",
            (lambda features: _divided(features, _row_means),),
        ),
    ),
)

ANGLE_COSINES = Question(
    id="KD05-E2",
    title="Angles at one example",
    minutes=10,
    signature=(
        'angle_cosines(features: Float[Tensor, "batch width"], vertex: int) -> '
        'Float[Tensor, "batch batch"]'
    ),
    statement=(
        "Return the cosine of the angle at example `vertex` between every two examples; 0 where "
        "one of them is the vertex itself."
    ),
    reference=_angle_cosines,
    cases=(
        Case("a triangle", {"features": _TRIANGLE, "vertex": 1}),
        Case("four of width 3", {"features": _FOUR, "vertex": 2}),
    ),
    draw=_draw_angles,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "angles at the origin",
            "These are angles between the examples as seen from 0. Subtract the vertex from "
            "every row first.",
            (lambda features, vertex: F.cosine_similarity(features[:, None], features, dim=2),),
        ),
        Mistake(
            "not of length 1",
            "These are inner products. A cosine needs vectors of length 1: divide each "
            "difference by its length.",
            (lambda features, vertex: _products(features - features[vertex]),),
        ),
        Mistake(
            "columns of length 1",
            "A ray is a row: normalize along dim=1.",
            (lambda features, vertex: _products(F.normalize(features - features[vertex], dim=0)),),
        ),
        Mistake(
            "made unit before subtracting",
            "The rows were brought to length 1 and then subtracted. First the difference to the "
            "vertex, then its length.",
            (
                lambda features, vertex: _angle_cosines(F.normalize(features, dim=1), vertex),
                lambda features, vertex: _products(
                    F.normalize(features, dim=1) - F.normalize(features, dim=1)[vertex]
                ),
            ),
        ),
        Mistake(
            "always at the first example",
            "The angle stands at `vertex`; this is the one at example 0.",
            (lambda features, vertex: _angle_cosines(features, 0),),
        ),
    ),
)

SIMILARITY_ROWS = Question(
    id="KD05-E3",
    title="Rows of similarities",
    minutes=5,
    signature=(
        'similarity_rows(features: Float[Tensor, "batch width"]) -> Float[Tensor, "batch batch"]'
    ),
    statement="Return F F^T with each row brought to Euclidean length 1.",
    reference=_similarity_rows,
    cases=(
        Case("a triangle", {"features": _TRIANGLE}),
        Case("four of width 3", {"features": _FOUR}),
    ),
    draw=_draw_rows,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "divided by the sum of absolute values",
            "Divide by the row's length, the root of its sum of squares. The 1 of "
            "`normalize(G, 1)` is p, and sums absolute values: say dim=1, and leave p at 2.",
            (lambda features: F.normalize(_products(features), p=1, dim=1),),
        ),
        Mistake(
            "columns of length 1",
            "Here each column has length 1. One row is one example's similarities: dim=1.",
            (lambda features: F.normalize(_products(features), dim=0),),
        ),
        Mistake(
            "a table of cosines",
            "Here each example was brought to length 1 before the products. Then every example "
            "may have a scale of its own, which this loss does not allow.",
            (
                lambda features: _products(F.normalize(features, dim=1)),
                lambda features: F.normalize(_products(F.normalize(features, dim=1)), dim=1),
            ),
        ),
        Mistake(
            "not of length 1",
            "This is F F^T itself. Divide each row by its length.",
            (lambda features: _products(features),),
        ),
        Mistake(
            "the whole matrix of length 1",
            "The matrix was divided by one number. Each row has a length of its own.",
            (lambda features: _products(features) / _products(features).norm(),),
        ),
    ),
)

QUESTIONS = (RELATIVE_DISTANCES, ANGLE_COSINES, SIMILARITY_ROWS)


def _products(rows):
    return rows @ rows.T


def _divided(features, by, change=lambda distances: distances):
    distances = change(torch.cdist(features, features))
    return distances / by(distances)


def _mean_apart(distances):
    return distances.sum() / (distances > 0).sum()


def _row_means(distances):
    return distances.sum(dim=1, keepdim=True) / (len(distances) - 1)
