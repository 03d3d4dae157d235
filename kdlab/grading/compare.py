"""Say in one sentence how a plain value differs from the expected one, and show values."""

import numpy as np

from kdlab.grading.plain import Plain
from kdlab.grading.spec import Comparison

_KINDS = {"f": "floating point", "i": "whole numbers", "b": "True or False"}
_SHOWN = 30
_LONGEST_TEXT = 200


def difference(expected: Plain, got: Plain, comparison: Comparison) -> str | None:
    """Return what is wrong with ``got``, or None where it counts as equal."""
    if isinstance(expected, np.ndarray) and isinstance(got, np.ndarray):
        return _array_difference(expected, got, comparison)
    if type(expected) is not type(got):
        return f"returned {kind_of(got)}, expected {kind_of(expected)}"
    if isinstance(expected, str):
        return None if expected == got else "the text differs"
    return _container_difference(expected, got, comparison)


def kind_of(value: Plain) -> str:
    """Name a plain value: "a number", "values of shape [2, 3]", "a str"."""
    if not isinstance(value, np.ndarray):
        return f"a {type(value).__name__}" + ("" if isinstance(value, str) else f" of {len(value)}")
    return f"values of shape {list(value.shape)}" if value.ndim else "a number"


def constant_factor(
    expected: list[Plain], got: list[Plain], comparison: Comparison
) -> float | None:
    """Return c where every value of every case is c times the expected one; else None.

    One number alone is a multiple of any other, so two that are not 0 are asked for.
    """
    if not all(_same_floats(*pair) for pair in zip(expected, got, strict=True)):
        return None
    wanted, came = (np.concatenate([np.ravel(v) for v in values]) for values in (expected, got))
    if (np.abs(wanted) > 100 * comparison.atol).sum() < 2 or not np.isfinite(came).all():
        return None
    largest = np.abs(wanted).argmax()
    factor = float(came[largest] / wanted[largest])
    same = difference(wanted * factor, came, comparison) is None
    return factor if same and factor else None


def show(value: Plain, *, digits: int = 4) -> str:
    """Write a plain value as text, the same on every machine, shortened where it is long."""
    if isinstance(value, str):
        shortened = value if len(value) <= _LONGEST_TEXT else value[:_LONGEST_TEXT] + "..."
        return repr(shortened)
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k!r}: {show(v, digits=digits)}" for k, v in value.items()) + "}"
    if isinstance(value, tuple):
        return "(" + ", ".join(show(item, digits=digits) for item in value) + ")"
    number = {"float_kind": lambda x: f"{x:.{digits}g}"}
    return np.array2string(
        value, separator=", ", formatter=number, threshold=_SHOWN, max_line_width=88
    )


def show_both(expected: Plain, got: Plain) -> tuple[str, str]:
    """Write two different values with as many digits as it takes to see the difference."""
    for digits in (4, 9, 17):
        pair = show(expected, digits=digits), show(got, digits=digits)
        if pair[0] != pair[1]:
            break
    return pair


def _array_difference(expected: np.ndarray, got: np.ndarray, comparison: Comparison) -> str | None:
    if expected.shape != got.shape:
        return f"the shape is {_shape(got)}, expected {_shape(expected)}"
    if not _kinds_fit(expected, got):
        came, wanted = _KINDS[got.dtype.kind], _KINDS[expected.dtype.kind]
        return f"the dtype is wrong: returned {came}, expected {wanted}"
    close = _close(expected, got, comparison)
    if close.all():
        return None
    return _name_not_finite(expected, got) or _name_largest(expected, got, close)


def _same_floats(expected: Plain, got: Plain) -> bool:
    both = (expected, got)
    if not all(isinstance(v, np.ndarray) and v.dtype == np.float64 for v in both):
        return False
    return expected.shape == got.shape


def _close(expected: np.ndarray, got: np.ndarray, comparison: Comparison) -> np.ndarray:
    if expected.dtype.kind != "f":
        return np.asarray(got == expected)
    rtol, atol = comparison.rtol, comparison.atol
    return np.asarray(np.isclose(got, expected, rtol=rtol, atol=atol, equal_nan=True))


def _shape(value: np.ndarray) -> str:
    return f"{list(value.shape)}" if value.ndim else "[] (one number)"


def _kinds_fit(expected: np.ndarray, got: np.ndarray) -> bool:
    if expected.dtype.kind == got.dtype.kind:
        return True
    # A Python int where a float is due, such as 1 - alpha for alpha = 1, is right.
    return expected.dtype.kind == "f" and got.dtype.kind == "i" and not expected.ndim


def _name_not_finite(expected: np.ndarray, got: np.ndarray) -> str | None:
    if got.dtype.kind != "f" or not np.isfinite(expected).all():
        return None
    for test, name in ((np.isnan, "NaN (not a number)"), (np.isinf, "infinite")):
        bad = np.asarray(test(got))
        if bad.any():
            return _count(bad, f"is {name}", f"are {name}")
    return None


def _name_largest(expected: np.ndarray, got: np.ndarray, close: np.ndarray) -> str:
    said = _count(np.asarray(~close), "differs", "differ")
    if expected.size == 1:
        return said
    # Two infinities of one sign are close, and their difference is NaN.
    with np.errstate(invalid="ignore"):
        gap = np.where(close, -1.0, np.abs(got.astype(float) - expected.astype(float)))
    largest = np.nan_to_num(gap, nan=np.inf).argmax()
    place = [int(i) for i in np.unravel_index(largest, gap.shape)]
    return f"{said}, most at {place}"


def _count(bad: np.ndarray, one: str, many: str) -> str:
    if bad.size == 1:
        return f"the value {one}"
    return f"{int(bad.sum())} of {bad.size} values {one if bad.sum() == 1 else many}"


def _container_difference(
    expected: tuple | dict, got: tuple | dict, comparison: Comparison
) -> str | None:
    if len(expected) != len(got) or (isinstance(expected, dict) and expected.keys() != got.keys()):
        return f"returned {kind_of(got)}, expected {kind_of(expected)}"
    for place in expected if isinstance(expected, dict) else range(len(expected)):
        found = difference(expected[place], got[place], comparison)
        if found:
            return f"in [{place!r}]: {found}"
    return None
