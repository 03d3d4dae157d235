"""Where one step of distribution matching pulls, under a linear embedding.

Variants are called with w, x and s: the embedding's matrix, real and synthetic images of a class.
"""

import torch
from torch import Tensor, tensor

from kdlab.grading.questions._common import FLOAT32
from kdlab.grading.spec import Case, Mistake, Question


def _pull(weight: Tensor, real: Tensor, synthetic: Tensor) -> Tensor:
    gap = real.mean(dim=0) - synthetic.mean(dim=0)
    row = -2 / len(synthetic) * (weight.T @ (weight @ gap))
    return row.expand_as(synthetic).clone()


def _times(factor):
    return lambda w, x, s: factor(w, x, s) * _pull(w, x, s)


def _each_alone(w, x, s):
    """Each image is pulled to the real mean by itself."""
    return 2 / len(s) * (s - x.mean(dim=0)) @ w.T @ w


def _in_pixels(w, x, s):
    return (-2 / len(s) * (x.mean(dim=0) - s.mean(dim=0))).expand_as(s).clone()


def _sums(w, x, s):
    return (-2 * w.T @ (w @ (x.sum(dim=0) - s.sum(dim=0)))).expand_as(s).clone()


def _draw(generator: torch.Generator) -> tuple[Case, ...]:
    def case(name: str, sizes: tuple[int, int, int, int]) -> Case:
        real, synthetic, values, pixels = sizes
        weight = torch.randn(values, pixels, generator=generator)
        x = 2 + torch.randn(real, pixels, generator=generator)
        s = torch.randn(synthetic, pixels, generator=generator)
        return Case(name, {"weight": weight, "real": x, "synthetic": s})

    return (
        case("three images of five pixels", (6, 3, 4, 5)),
        case("an embedding larger than the image", (5, 2, 6, 4)),
    )


_W = tensor([[1.0, 2.0, 0.0], [0.0, 1.0, -1.0], [2.0, 0.0, 1.0], [1.0, -1.0, 0.0]])
_X = tensor([[1.0, 0.0, 2.0], [3.0, 1.0, 1.0], [2.0, 2.0, 3.0]])
_S = tensor([[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]])

PULL = Question(
    id="KD11-E3",
    title="Where a step pulls",
    minutes=15,
    signature=(
        'pull(weight: Float[Tensor, "values pixels"], real: Float[Tensor, "real pixels"], '
        'synthetic: Float[Tensor, "synthetic pixels"]) -> Float[Tensor, "synthetic pixels"]'
    ),
    statement=(
        "All images are of one class and psi(x) = weight @ x. Return the gradient of the squared "
        "distance of the two mean embeddings with respect to each synthetic image."
    ),
    reference=_pull,
    cases=(
        Case("two images of three pixels", {"weight": _W, "real": _X, "synthetic": _S}),
        Case("a single image", {"weight": _W, "real": _X, "synthetic": _S[:1]}),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "each image pulled by itself",
            "The distance has only the mean of the synthetic images in it: all of them are pulled "
            "the same way, wherever they are. So they keep their differences.",
            (_each_alone,),
        ),
        Mistake(
            "the sign",
            "This is the step's direction, down the distance. The gradient points up.",
            (_times(lambda w, x, s: -1),),
        ),
        Mistake(
            "the 2 of the square missing",
            "The derivative of a square has a factor 2.",
            (_times(lambda w, x, s: 0.5),),
        ),
        Mistake(
            "not divided by the number of synthetic images",
            "An image is one part in so many of the mean.",
            (_times(lambda w, x, s: len(s)),),
        ),
        Mistake(
            "divided by the number of real images",
            "What moves is a synthetic image, one part of the synthetic mean.",
            (_times(lambda w, x, s: len(s) / len(x)),),
        ),
        Mistake(
            "the gap of the pixels",
            "The distance is measured behind psi, and the way back leads through it, too: "
            "weight.T @ weight.",
            (_in_pixels,),
        ),
        Mistake(
            "a mean over the embedding's values",
            "A squared distance is a sum over the values.",
            (_times(lambda w, x, s: 1 / len(w)),),
        ),
        Mistake(
            "sums instead of means",
            "The two sets are of different sizes: compare their means.",
            (_sums,),
        ),
    ),
)
