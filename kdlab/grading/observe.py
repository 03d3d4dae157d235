"""Run a function on a case and note what can be seen from outside, as plain values."""

import inspect
import linecache
import re
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from kdlab.grading.plain import Plain, Refusal, describe, is_tensor, to_plain, type_name
from kdlab.grading.spec import Case
from kdlab.grading.stubs import missing_return, open_stub

if TYPE_CHECKING:
    from torch import Tensor

_LONGEST_TEXT = 300
ORDINALS = ("first", "second", "third", "fourth")


@dataclass(frozen=True, eq=False)
class Observation:
    """What one call did.

    Attributes:
        value: What it returned.
        kind: What that was, in words: "a Tensor of shape [2, 3]".
        gradients: Input name -> gradient of all that was returned, summed; zeros where none flows.
        changed: The inputs that it changed in place.
    """

    value: Plain
    kind: str
    gradients: dict[str, np.ndarray]
    changed: tuple[str, ...]


@dataclass(frozen=True)
class Failure:
    """Why there is nothing to compare.

    Attributes:
        status: As in `CheckResult`.
        message: One sentence.
        cause: The likely reason, or "".
        where: Line and text of the code that raised, to follow the message, or "".
    """

    status: str
    message: str
    cause: str = ""
    where: str = ""


def observe(
    fn: Callable, case: Case, *, gradient_of: tuple[str, ...] = ()
) -> Observation | Failure:
    """Call ``fn`` on a copy of the inputs; only KeyboardInterrupt gets out.

    Args:
        fn: The function; its inputs are passed by position, or by name where it demands
            that.
        case: The inputs.
        gradient_of: Names of the inputs by which the sum of all that is returned is differentiated.
    """
    with _gradients_on():
        leaves = {name: _leaf(value, name in gradient_of) for name, value in case.inputs.items()}
        # Clones: a change in place is to be seen, where autograd would refuse it on a leaf.
        passed = {name: _copied(value) for name, value in leaves.items()}
        try:
            return _look(fn, case, passed, {name: leaves[name] for name in gradient_of})
        except KeyboardInterrupt:
            raise
        except Refusal as refusal:
            return Failure("wrong", f"returned {refusal}")
        except BaseException as error:
            return explain(error, passed, after=_call.__name__)


def _look(fn: Callable, case: Case, passed: dict, wanted: dict) -> Observation | Failure:
    returned = _call(fn, passed)
    if returned is None or returned is Ellipsis:
        return Failure("not answered", "not answered yet", missing_return(fn, returned))
    value = _read(returned)
    gradients = _gradients(returned, wanted)
    changed = tuple(name for name in passed if _differs(passed[name], case.inputs[name]))
    return Observation(value, describe(returned), gradients, changed)


def _read(returned: object) -> Plain:
    """Convert to a plain value; where an element can't be read, the refusal names it."""
    try:
        return to_plain(returned)
    except Refusal:
        if type(returned) not in (list, tuple):
            raise
        for index, item in enumerate(returned[: len(ORDINALS)]):
            if type(item) not in (list, tuple, dict):
                _read_element(item, f"a {type_name(returned)} whose {ORDINALS[index]} value is")
        raise


def _read_element(item: object, place: str) -> None:
    try:
        to_plain(item)
    except Refusal as refusal:
        raise Refusal(f"{place} {refusal}") from None


def _gradients_on() -> ExitStack:
    """Undo no_grad and inference mode, which a notebook may be in; nothing without torch."""
    modes = ExitStack()
    # Homework in numpy is graded without loading torch.
    if torch := sys.modules.get("torch"):
        modes.enter_context(torch.inference_mode(False))
        modes.enter_context(torch.enable_grad())
    return modes


def _leaf(value: object, differentiable: bool) -> object:
    return value.clone().requires_grad_(differentiable) if is_tensor(value) else value


def _copied(value: object) -> object:
    if is_tensor(value):
        return value.clone()
    return value.copy() if isinstance(value, np.ndarray) else value


def _call(fn: Callable, passed: dict) -> object:
    by_name = _keyword_only(fn)
    positional = [value for name, value in passed.items() if name not in by_name]
    return fn(*positional, **{name: passed[name] for name in passed if name in by_name})


def _keyword_only(fn: Callable) -> set[str]:
    try:
        parameters = inspect.signature(fn).parameters.values()
    except (TypeError, ValueError):
        # Some built-in functions have no signature; they are called by position.
        return set()
    return {p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY}


def _gradients(returned: object, leaves: dict[str, "Tensor"]) -> dict[str, np.ndarray]:
    if not leaves:
        return {}
    import torch

    gradients = dict.fromkeys(leaves)
    sums = [torch.sum(part) for part in _tensors(returned) if part.requires_grad]
    if sums:
        found = torch.autograd.grad(sums, list(leaves.values()), allow_unused=True)
        gradients = dict(zip(leaves, found, strict=True))
    return {
        name: to_plain(torch.zeros_like(leaf) if gradients[name] is None else gradients[name])
        for name, leaf in leaves.items()
    }


def _tensors(returned: object) -> Iterator["Tensor"]:
    """Find the tensors of an answer: a tuple's parts have gradients as well."""
    if is_tensor(returned):
        yield returned
    elif type(returned) in (list, tuple, dict):
        for part in returned.values() if type(returned) is dict else returned:
            yield from _tensors(part)


def _differs(passed: object, original: object) -> bool:
    if not (is_tensor(original) or isinstance(original, np.ndarray)):
        return False
    before, after = to_plain(original), to_plain(passed)
    return not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")


def explain(error: BaseException, passed: dict, *, after: str) -> Failure:
    """Say what was raised, and where in the student's code.

    Args:
        error: What was raised.
        passed: The arguments, by name.
        after: Name of our function that called the student's code.
    """
    if said := open_stub(error, after=after):
        return Failure(*said)
    message = f"raised {type_name(error)}: {_text(error)}".rstrip(": ")
    frames = list(traceback.walk_tb(error.__traceback__))
    ours = [i for i, (frame, _) in enumerate(frames) if frame.f_code.co_name == after]
    if not ours:
        return Failure("error", message, "The value came, but its gradient cannot be computed.")
    theirs = frames[ours[0] + 1 :]
    if not theirs:
        return Failure("error", message, f"It is called with ({', '.join(passed)}), in this order.")
    return Failure("error", message, where=_where(*theirs[0]))


def _where(frame, line: int) -> str:
    code = frame.f_code
    source = linecache.getline(code.co_filename, line).strip()[:_LONGEST_TEXT]
    name = "the cell" if code.co_name == "<module>" else code.co_name
    place = f", in line {line - code.co_firstlineno + 1} of {name}"
    return place + (f": {source}" if source else "")


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        return ""
    # Addresses change from run to run.
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return " ".join(text.split())[:_LONGEST_TEXT]
