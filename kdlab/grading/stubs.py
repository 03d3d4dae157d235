"""Tell an answer that was never given from one that fails."""

import dis
import traceback
from collections.abc import Callable

_RAISE = dis.opmap["RAISE_VARARGS"]
# What the body of a stub compiles to: `pass`, a docstring, `...`.
_IDLE = {"RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST"}


def missing_return(fn: Callable, returned: object) -> str:
    """Return a hint where a function that is no stub returned None, else ""."""
    code = getattr(fn, "__code__", None)
    if code is None or returned is not None:
        return ""
    # A lambda is no stub, and neither is a body that does something.
    works = any(each.opname not in _IDLE for each in dis.get_instructions(code))
    written = works or code.co_name == "<lambda>"
    return "The function returns None: is `return` missing?" if written else ""


def open_stub(error: BaseException, *, after: str) -> tuple[str, str] | None:
    """Tell a stub's own ``raise NotImplementedError`` from that of a stub which it calls.

    Args:
        error: What was raised.
        after: Name of our function that called the student's code.

    Returns:
        Status and message, or None where no stub raised this.
    """
    if not isinstance(error, NotImplementedError) or not _raised_by_hand(error):
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    names = [frame.f_code.co_name for frame in frames]
    own, last = frames[names.index(after) + 1 if after in names else -1], frames[-1]
    if own.f_code is last.f_code or own.f_code.co_name == "<module>":
        return "not answered", "not answered yet"
    # A library's own, such as a torch.nn.Module without forward, is an exception like others.
    if own.f_globals is not last.f_globals:
        return None
    return "error", f"{names[-1]}, which you call, is not answered yet"


def _raised_by_hand(error: BaseException) -> bool:
    """Tell ``raise NotImplementedError`` from torch's own, "not implemented for 'Long'"."""
    last = error.__traceback__
    while last.tb_next:
        last = last.tb_next
    return last.tb_frame.f_code.co_code[last.tb_lasti] == _RAISE
