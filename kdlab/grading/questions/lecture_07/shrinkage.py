"""What generations of ridge regression keep of the labels."""

import torch
from torch import tensor

from kdlab.grading.questions._common import FLOAT32, between
from kdlab.grading.spec import Case, Mistake, Question


def _kept(eigenvalues, ridge, generation):
    return (eigenvalues / (eigenvalues + ridge)) ** (generation + 1)


def _draw(generator):
    def case(name, generation):
        eigenvalues = 10 ** (2 * torch.rand(6, generator=generator) - 1)
        eigenvalues = eigenvalues.sort(descending=True).values
        given = {"eigenvalues": eigenvalues, "ridge": between(generator, 0.3, 3.0)}
        return Case(name, given | {"generation": generation})

    later = int(torch.randint(2, 6, (), generator=generator))
    return case("no teacher yet", 0), case(f"generation {later}", later)


_VALUES = tensor([9.0, 3.0, 1.0, 0.0])

SHRINKAGE = Question(
    id="KD07-E2",
    title="What a generation keeps",
    minutes=5,
    signature=(
        'kept(eigenvalues: Float[Tensor, "modes"], ridge: float, generation: int) -> '
        'Float[Tensor, "modes"]'
    ),
    statement=(
        "Return the factor by which generation n of kernel ridge regression multiplies each "
        "component of the labels. Number 0 learns from the labels, each later one from the "
        "fitted values of the one before it, all with the same ridge."
    ),
    reference=_kept,
    cases=(
        Case("number 0", {"eigenvalues": _VALUES, "ridge": 1.0, "generation": 0}),
        Case("number 3", {"eigenvalues": _VALUES, "ridge": 2.0, "generation": 3}),
    ),
    draw=_draw,
    comparison=FLOAT32,
    mistakes=(
        Mistake(
            "one generation too few",
            "Number 0 has shrunk the labels once already: generation n has the power n + 1.",
            (
                lambda eigenvalues, ridge, generation: _kept(eigenvalues, ridge, generation - 1),
                lambda eigenvalues, ridge, generation: _kept(
                    eigenvalues, ridge, max(generation - 1, 0)
                ),
            ),
        ),
        Mistake(
            "what is lost",
            "This is the part that goes away in one fit, ridge / (d + ridge), or its power. Asked "
            "is what is kept.",
            (
                lambda eigenvalues, ridge, generation: (
                    (ridge / (eigenvalues + ridge)) ** (generation + 1)
                ),
                lambda eigenvalues, ridge, generation: 1 - _kept(eigenvalues, ridge, generation),
            ),
        ),
        Mistake(
            "one ridge for all generations",
            "A ridge n + 1 times as large is another filter: it does not raise the factor to a "
            "power.",
            (
                lambda eigenvalues, ridge, generation: _kept(
                    eigenvalues, ridge * (generation + 1), 0
                ),
            ),
        ),
        Mistake(
            "eigenvalues squared",
            "The eigenvalues are the kernel's, which are squares of the features' singular values "
            "already.",
            (
                lambda eigenvalues, ridge, generation: _kept(
                    eigenvalues.square(), ridge, generation
                ),
                lambda eigenvalues, ridge, generation: _kept(
                    eigenvalues.square(), ridge**2, generation
                ),
            ),
        ),
        Mistake(
            "a product instead of a power",
            "Each generation multiplies by the factor once more: that is a power.",
            (
                lambda eigenvalues, ridge, generation: (
                    (generation + 1) * _kept(eigenvalues, ridge, 0)
                ),
                lambda eigenvalues, ridge, generation: (
                    _kept(eigenvalues, ridge, 0) / (generation + 1)
                ),
            ),
        ),
    ),
)
