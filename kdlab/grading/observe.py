"""Run a function on a case and note what can be seen from outside, as plain values."""

import dis
import inspect
import linecache
import re
import traceback
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kdlab.grading.plain import Plain, Refusal, describe, to_plain, type_name
from kdlab.grading.spec import Case

_RAISE = dis.opmap["RAISE_VARARGS"]
_LONGEST_TEXT = 300


@dataclass(frozen=True, eq=False)
class Observation:
    """What one call did.

    Attributes:
        value: What it returned.
        kind: What that was, in words: "a Tensor of shape [2, 3]".
        gradients: Input name -> gradient of the returned scalar; zeros where none flows.
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
        gradient_of: Names of the inputs by which the returned scalar is differentiated.
    """
    # A notebook may be in no_grad or inference mode; gradients are asked for here.
    with torch.inference_mode(False), torch.enable_grad():
        leaves = {name: _leaf(value, name in gradient_of) for name, value in case.inputs.items()}
        # Clones: a change in place is to be seen, where autograd would refuse it on a leaf.
        passed = {n: v.clone() if isinstance(v, Tensor) else v for n, v in leaves.items()}
        try:
            return _look(fn, case, passed, {name: leaves[name] for name in gradient_of})
        except KeyboardInterrupt:
            raise
        except Refusal as refusal:
            return Failure("wrong", f"returned {refusal}")
        except BaseException as error:
            return _explain(error, passed)


def _look(fn: Callable, case: Case, passed: dict, wanted: dict) -> Observation | Failure:
    returned = _call(fn, passed)
    if returned is None or returned is Ellipsis:
        return Failure("not answered", "not answered yet", _missing_return(fn, returned))
    value = to_plain(returned)
    gradients = _gradients(returned, wanted)
    changed = tuple(name for name in passed if _differs(passed[name], case.inputs[name]))
    return Observation(value, describe(returned), gradients, changed)


def _leaf(value: object, differentiable: bool) -> object:
    return value.clone().requires_grad_(differentiable) if isinstance(value, Tensor) else value


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


def _gradients(returned: object, leaves: dict[str, Tensor]) -> dict[str, np.ndarray]:
    gradients = dict.fromkeys(leaves)
    if leaves and type(returned) is Tensor and returned.requires_grad:
        summed = torch.sum(returned)
        found = torch.autograd.grad(summed, list(leaves.values()), allow_unused=True)
        gradients = dict(zip(leaves, found, strict=True))
    return {
        name: to_plain(torch.zeros_like(leaf) if gradients[name] is None else gradients[name])
        for name, leaf in leaves.items()
    }


def _differs(passed: object, original: object) -> bool:
    if not isinstance(original, Tensor):
        return False
    before, after = to_plain(original), to_plain(passed)
    return not np.array_equal(before, after, equal_nan=before.dtype.kind == "f")


def _missing_return(fn: Callable, returned: object) -> str:
    code = getattr(fn, "__code__", None)
    # A stub's body names nothing; one that works and gives None has lost its `return`.
    works = code is not None and (code.co_names or code.co_nlocals > code.co_argcount)
    return "The function returns None: is `return` missing?" if returned is None and works else ""


def _explain(error: BaseException, passed: dict) -> Failure:
    if isinstance(error, NotImplementedError) and _raised_by_hand(error):
        return Failure("not answered", "not answered yet")
    message = f"raised {type_name(error)}: {_text(error)}".rstrip(": ")
    frames = list(traceback.walk_tb(error.__traceback__))
    ours = [i for i, (frame, _) in enumerate(frames) if frame.f_code.co_name == _call.__name__]
    if not ours:
        return Failure("error", message, "The value came, but its gradient cannot be computed.")
    theirs = frames[ours[0] + 1 :]
    if not theirs:
        return Failure("error", message, f"It is called with ({', '.join(passed)}), in this order.")
    return Failure("error", message, where=_where(*theirs[0]))


def _raised_by_hand(error: BaseException) -> bool:
    """Tell ``raise NotImplementedError`` from torch's own, "not implemented for 'Long'"."""
    last = error.__traceback__
    while last.tb_next:
        last = last.tb_next
    return last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE


def _where(frame, line: int) -> str:
    code = frame.f_code
    source = linecache.getline(code.co_filename, line).strip()[:_LONGEST_TEXT]
    place = f", in line {line - code.co_firstlineno + 1} of {code.co_name}"
    return place + (f": {source}" if source else "")


def _text(error: BaseException) -> str:
    try:
        text = str(error)
    except Exception:
        return ""
    # Addresses change from run to run.
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", text)
    return " ".join(text.split())[:_LONGEST_TEXT]
