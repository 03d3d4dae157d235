"""What the tests of questions share: their mistakes one by one, and a function's faults."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pytest

from kdlab.grading import check, find_question
from kdlab.grading.diagnose import find_fault
from kdlab.grading.observe import Failure, Observation, observe
from kdlab.grading.spec import Case, Question


def mistakes_of(questions: Iterable[Question]) -> list:
    """Return each variant of each mistake, as parameters (question, mistake, variant)."""
    return [
        pytest.param(question, mistake, variant, id=f"{question.id}-{mistake.name}-{number}")
        for question in questions
        for mistake in question.mistakes
        for number, variant in enumerate(mistake.variants)
    ]


def faults(question: Question, fn: Callable, cases: Sequence[Case]) -> list:
    """Return what is wrong with a function, case by case; something false where it is right."""

    def seen(of, case):
        return observe(of, case, gradient_of=question.comparison.gradient_of)

    return [
        find_fault(seen(question.reference, case), seen(fn, case), question.comparison)
        for case in cases
    ]


def assert_right(id: str, fn: Callable, *, seeds: int = 5) -> None:
    """Assert that an answer is right in the visible cases, and on what these seeds draw."""
    result = check(id, fn)
    assert result.status == "right", result
    question = find_question(id)
    for seed in range(seeds):
        assert not any(faults(question, fn, question.fresh_cases(seed)))


def is_finite(seen: Observation | Failure) -> bool:
    """Tell if an answer came whose numbers and gradients are all finite."""
    if isinstance(seen, Failure):
        return False
    # Answers of several shapes are a tuple.
    values = seen.value if isinstance(seen.value, tuple) else (seen.value,)
    return all(np.isfinite(value).all() for value in (*values, *seen.gradients.values()))
