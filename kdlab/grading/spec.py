"""What a question is: plain data, so that the notebook check and the grader read one spec."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Case:
    """One set of inputs.

    Attributes:
        name: What is special about it, in a few words.
        inputs: Argument name -> value, in the order in which they are passed.
    """

    name: str
    inputs: Mapping[str, Tensor | float | int]


@dataclass(frozen=True)
class Comparison:
    """When two answers count as equal: within ``atol + rtol * |expected|``.

    Attributes:
        rtol: Relative tolerance.
        atol: Absolute tolerance, in the unit of the answer.
        reason: Why these and not tighter ones, one sentence.
        gradient_of: Inputs whose gradient is compared as well. An input that the reference
            treats as constant must get a gradient of zero.
    """

    rtol: float
    atol: float
    reason: str
    gradient_of: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mistake:
    """A wrong answer that we know by its values.

    Attributes:
        name: A few words, for example ``T^2 missing``.
        because: One or two sentences that explain it to the student.
        variants: Functions of the question's arguments, each wrong in this way. An answer
            that gives the same as one of them is told the name.
    """

    name: str
    because: str
    variants: tuple[Callable, ...]


@dataclass(frozen=True, eq=False)
class Question:
    """One exercise, complete.

    Attributes:
        id: For example ``KD02-E3``; fixed for ever, since notebooks name it.
        title: A few words.
        minutes: How long it takes a student.
        signature: ``name(argument: type with shape, ...) -> type with shape``.
        statement: What the function must do, with units and limits.
        reference: The right answer; takes the inputs by position or by name.
        cases: Visible cases; ordinary ones first, the extreme ones last.
        draw: Makes fresh cases from a generator, for grading.
        comparison: When an answer counts as right.
        mistakes: Known wrong answers, the likeliest first.
    """

    id: str
    title: str
    minutes: int
    signature: str
    statement: str
    reference: Callable
    cases: tuple[Case, ...]
    draw: Callable[[torch.Generator], tuple[Case, ...]]
    comparison: Comparison
    mistakes: tuple[Mistake, ...]

    @property
    def name(self) -> str:
        """Return the function's name, as the signature gives it."""
        return self.signature.partition("(")[0]

    def fresh_cases(self, seed: int) -> tuple[Case, ...]:
        """Draw cases that no student has seen; one seed always gives the same ones."""
        return self.draw(torch.Generator().manual_seed(seed))
