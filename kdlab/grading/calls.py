"""Answer a child's calls for an earlier function, by value, in the judge's process."""

from collections.abc import Callable, Mapping

from kdlab.grading.plain import is_tensor
from kdlab.grading.sandbox.frames import BadFrame
from kdlab.grading.sandbox.inputs import from_wire, to_wire

_MOST_CALLS = 20_000


class Callee:
    """Calls the references that one question may use.

    Args:
        references: Name -> function.
    """

    def __init__(self, references: Mapping[str, Callable]) -> None:
        self._references = references
        self._calls = 0

    def __call__(self, message: dict, arrays: list) -> tuple[dict, list]:
        """Answer one call; what the reference raises is told to the child.

        Raises:
            BadFrame: The call has another form, or there are too many.
        """
        self._calls += 1
        name, pairs, names = message.get("name"), message.get("values"), message.get("names")
        known = isinstance(name, str) and name in self._references
        if not known or not isinstance(pairs, list) or not isinstance(names, list):
            raise BadFrame("a call of an unknown form")
        if self._calls > _MOST_CALLS:
            raise BadFrame(f"more than {_MOST_CALLS} calls of earlier functions")
        values = [from_wire(pair, arrays) for pair in pairs]
        gradient = from_wire(message.get("gradient"), arrays)
        try:
            return _reply(_call(self._references[name], values, names, gradient))
        except Exception as error:
            return {"error": f"{type(error).__name__}: {error}"[:300]}, []


def _call(fn: Callable, values: list, names: list, gradient: object) -> list:
    if gradient is not None:
        return _differentiate(fn, values, names, gradient)
    return [_apply(fn, values, names)]


def _apply(fn: Callable, values: list, names: list) -> object:
    first = len(values) - len(names)
    return fn(*values[:first], **dict(zip(names, values[first:], strict=True)))


def _differentiate(fn: Callable, values: list, names: list, gradient: object) -> list:
    import torch

    leaves = [v.requires_grad_() if _is_float(v) else v for v in values]
    wanted = [leaf for leaf in leaves if _is_float(leaf)]
    result = _apply(fn, leaves, names)
    found = iter(torch.autograd.grad(result, wanted, gradient, allow_unused=True))
    return [next(found) if _is_float(leaf) else None for leaf in leaves]


def _is_float(value: object) -> bool:
    return is_tensor(value) and value.dtype.is_floating_point


def _reply(values: list) -> tuple[dict, list]:
    arrays: list = []
    return {"values": [to_wire(value, arrays) for value in values]}, arrays
