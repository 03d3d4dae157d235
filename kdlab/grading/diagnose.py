"""What is wrong with an observation, and which known mistake would give the same."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from kdlab.grading.compare import constant_factor, difference, show, show_both
from kdlab.grading.observe import ORDINALS, Failure, Observation, observe
from kdlab.grading.plain import Plain
from kdlab.grading.spec import Comparison, Mistake, Question


@dataclass(frozen=True)
class Fault:
    """The first thing that is wrong.

    Attributes:
        status: "wrong", or "error" for an exception.
        aspect: "value", "gradient" or "changed"; "" where nothing could be compared.
        message: One sentence.
        expected: What should have come, as text.
        got: What came, as text.
        cause: What the numbers alone suggest, or "".
    """

    status: str
    aspect: str
    message: str
    expected: str = ""
    got: str = ""
    cause: str = ""


def find_fault(
    expected: Observation, got: Observation | Failure, comparison: Comparison
) -> Fault | None:
    """Compare value, then gradients, then what became of the inputs; None where all agree."""
    if isinstance(got, Failure):
        return _failed(expected, got)
    return (
        _value_fault(expected, got, comparison)
        or _gradient_fault(expected, got, comparison)
        or _change_fault(expected, got)
    )


def likely_cause(question: Question, seen: list, at: int, aspect: str) -> str | None:
    """Name the mistake that gives what was seen, or the factor that does; as `find_mistake`."""
    mistake = find_mistake(question, seen, at, aspect)
    if mistake:
        return f"{mistake.name}: {mistake.because}"
    return factor_cause(question, seen) if aspect == "value" else None


def find_mistake(question: Question, seen: list, at: int, aspect: str) -> Mistake | None:
    """Return the known mistake that gives what was seen.

    A mistake that agrees on every case comes before one that agrees on the first ones only:
    the answer may hold a second mistake that shows in the extreme cases. But one number, or
    a count or an index, may agree by chance, so that part must hold two other numbers.

    Args:
        question: The question.
        seen: The answer's observations, case by case; the last may be a `Failure`.
        at: The first case that is wrong.
        aspect: What is wrong there; the mistake must agree in it.
    """
    parts = [seen[:stop] for stop in (len(seen) - 1, at + 1) if stop > at]
    for part in [seen, *(part for part in parts if _telling(part, aspect) > 1)]:
        for mistake in question.mistakes:
            if any(_agrees(question, fn, part, aspect) for fn in mistake.variants):
                return mistake
    return None


def _failed(expected: Observation, got: Failure) -> Fault:
    if got.status == "error":
        return Fault("error", "", got.message + got.where, show(expected.value), cause=got.cause)
    if got.status == "not answered":
        # Earlier cases were answered, so this is no stub.
        message = f"returned nothing here, expected {expected.kind}"
        return Fault("wrong", "", message, show(expected.value), cause=got.cause)
    message = f"{got.message}, expected {_kind_of_numbers(expected)}"
    return Fault("wrong", "", message, show(expected.value))


def _value_fault(expected: Observation, got: Observation, comparison: Comparison) -> Fault | None:
    message = difference(expected.value, got.value, comparison)
    if message is None:
        return None
    if isinstance(expected.value, np.ndarray) != isinstance(got.value, np.ndarray):
        message = f"returned {_kind_with_odd(expected, got)}, expected {_kind_of_numbers(expected)}"
    if got.changed:
        message += f"; {_listed(got.changed)} changed in place as well"
    return Fault("wrong", "value", message, *show_both(expected.value, got.value))


def _kind_with_odd(expected: Observation, got: Observation) -> str:
    """Say what came; where numbers were expected, name the first element that is none."""
    rows = isinstance(expected.value, np.ndarray) and expected.value.ndim
    items = got.value if rows and isinstance(got.value, tuple) else ()
    for name, item in zip(ORDINALS, items, strict=False):
        if isinstance(item, str):
            return f"{got.kind} whose {name} value is a str"
        if not isinstance(item, np.ndarray) or item.shape != expected.value.shape[1:]:
            return f"{got.kind} whose {name} value {_size(item)}"
    return got.kind


def _size(item: Plain) -> str:
    if isinstance(item, np.ndarray) and item.ndim == 0:
        return "is one number"
    return f"holds {item.size if isinstance(item, np.ndarray) else len(item)} values"


def _kind_of_numbers(expected: Observation) -> str:
    """Say what was expected: "a tuple of 2 numbers", not only "a tuple of 2"."""
    value = expected.value
    if not isinstance(value, np.ndarray) or not expected.kind.startswith("a tuple"):
        return expected.kind
    holds = "numbers" if value.ndim == 1 else f"of {value[0].size} values each"
    return f"{expected.kind} {holds}"


def _gradient_fault(expected: Observation, got: Observation, comparison) -> Fault | None:
    for name, wanted in expected.gradients.items():
        came = got.gradients[name]
        if difference(wanted, came, comparison) is None:
            continue
        said = "differs"
        if not wanted.any():
            said = "is not zero"
        elif not came.any():
            said = "is zero: none flows"
        message = f"the value is right, but its gradient with respect to {name} {said}"
        return Fault("wrong", "gradient", message, *show_both(wanted, came))
    return None


def _change_fault(expected: Observation, got: Observation) -> Fault | None:
    if got.changed == expected.changed:
        return None
    names = _listed(got.changed)
    message = f"the value is right, but {names} changed in place"
    cause = "The caller's tensor is overwritten. Work on a copy, for example x.clone()."
    return Fault("wrong", "changed", message, cause=cause)


def _listed(names: tuple[str, ...]) -> str:
    return " and ".join(names) + (" is" if len(names) == 1 else " are")


def factor_cause(question: Question, seen: list) -> str | None:
    """Say by which factor all values are off, where it is one and the same."""
    pairs = [
        (observe(question.reference, case).value, got.value)
        for case, got in zip(question.cases, seen, strict=False)
        if isinstance(got, Observation)
    ]
    factor = constant_factor(*map(list, zip(*pairs, strict=True)), question.comparison)
    return f"Each value is {factor:.4g} times the expected one." if factor else None


def _agrees(question: Question, variant: Callable, seen: list, aspect: str) -> bool:
    comparison = question.comparison
    # NaN is no evidence: where nothing else came, the gradients must be the same too.
    aspects = [aspect] if aspect != "value" or _telling(seen, aspect) else ["value", "gradient"]
    for case, got in zip(question.cases, seen, strict=False):
        known = observe(variant, case, gradient_of=comparison.gradient_of)
        if isinstance(known, Failure) or isinstance(got, Failure):
            if not _raised_alike(known, got):
                return False
        elif not all(_same(known, got, each, comparison) for each in aspects):
            return False
    return True


def _raised_alike(known: Observation | Failure, got: Observation | Failure) -> bool:
    if not (isinstance(known, Failure) and isinstance(got, Failure)):
        return False
    return known.status == got.status == "error" and known.message == got.message


def _same(known: Observation, got: Observation, aspect: str, comparison: Comparison) -> bool:
    if aspect == "changed":
        return known.changed == got.changed
    pairs = zip(_compared(known, aspect), _compared(got, aspect), strict=True)
    return all(difference(mine, theirs, comparison) is None for mine, theirs in pairs)


def _compared(seen: Observation, aspect: str) -> list:
    return list(seen.gradients.values()) if aspect == "gradient" else [seen.value]


def _telling(seen: list, aspect: str) -> int:
    """Count the numbers that would hardly agree by chance: finite, and no whole numbers."""
    kept = [
        value for got in seen if isinstance(got, Observation) for value in _compared(got, aspect)
    ]
    floats = [v for v in kept if isinstance(v, np.ndarray) and v.dtype.kind == "f"]
    return sum(int(np.isfinite(value).sum()) for value in floats)
