"""What a question is: plain data, so that the notebook check and the grader read one spec."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import torch

    Value: TypeAlias = torch.Tensor | np.ndarray | float | int


@dataclass(frozen=True, eq=False)
class Case:
    """One set of inputs.

    Attributes:
        name: What is special about it, in a few words.
        inputs: Argument name -> value, in the order in which they are passed.
        weight: Its share of the question's points, against the other fresh cases.
        hidden: What the judge needs and the student's function must not see, such as the
            targets of held-out images.
        extreme: Whether it earns points only where every ordinary case is right: at the far
            end of its inputs, a wrong formula may give the right value.
    """

    name: str
    inputs: Mapping[str, Value]
    weight: float = 1.0
    hidden: Mapping[str, Value] = field(default_factory=dict)
    extreme: bool = False


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
class Threshold:
    """When an answer is measured instead of compared: the lower the better.

    Attributes:
        measure: Function of the plain answer and of the case's hidden values; returns a
            number, or raises ValueError with a sentence where the answer has the wrong form.
        unit: What it counts, for example ``errors of 300``.
        levels: (at most, share of the points), the best level first.
        reason: Where the levels come from, one sentence.
    """

    measure: Callable[[np.ndarray, Mapping[str, Value]], float]
    unit: str
    levels: tuple[tuple[float, float], ...]
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
        points: What it is worth in homework, shared out over the fresh cases.
        uses: Ids of earlier questions whose functions the answer may call.
        seconds: How long the answer may take for all its cases together.
        memory: MiB that it may take beyond what numpy and torch need.
        draws: How often an answer that falls short is tried on other fresh inputs; the best
            counts. For measured answers, where luck has a part.
    """

    id: str
    title: str
    minutes: int
    signature: str
    statement: str
    reference: Callable
    cases: tuple[Case, ...]
    draw: Callable[[torch.Generator], tuple[Case, ...]]
    comparison: Comparison | Threshold
    mistakes: tuple[Mistake, ...]
    points: float = 0.0
    uses: tuple[str, ...] = ()
    seconds: float = 5.0
    memory: int = 1024
    draws: int = 1

    @property
    def name(self) -> str:
        """Return the function's name, as the signature gives it."""
        return self.signature.partition("(")[0]

    def fresh_cases(self, seed: int) -> tuple[Case, ...]:
        """Draw cases that no student has seen; one seed always gives the same ones."""
        import torch

        return self.draw(torch.Generator().manual_seed(seed))


@dataclass(frozen=True, eq=False)
class Homework:
    """A set of questions that are handed in together.

    Attributes:
        id: For example ``hw1``; the part of its questions' ids before the dash.
        name: The notebook's name without ending, for example ``hw1_temperature``.
        title: A few words.
        questions: In the order of the notebook.
        imports: Packages that are loaded once for all submissions. What isn't named here
            can still be imported by an answer, as long as it is no part of kdlab.
    """

    id: str
    name: str
    title: str
    questions: tuple[Question, ...]
    imports: tuple[str, ...] = ("numpy", "torch")

    @property
    def points(self) -> float:
        """Return what a right answer to everything is worth."""
        return sum(question.points for question in self.questions)

    @property
    def functions(self) -> dict[str, str]:
        """Return question id -> name of the function that answers it."""
        return {question.id: question.name for question in self.questions}
