"""Arguments on their way to a student's function and back: tensors, arrays, numbers, text."""

import numpy as np

from kdlab.grading.plain import is_tensor
from kdlab.grading.sandbox.frames import DTYPES, BadFrame


def to_wire(value: object, arrays: list[np.ndarray]) -> list:
    """Write one argument as ``[kind, content]``; arrays are appended to ``arrays``.

    Raises:
        TypeError: It is none of those that can cross.
    """
    if is_tensor(value):
        return ["tensor", _append(value.detach().numpy(), arrays)]
    if isinstance(value, np.ndarray):
        return ["array", _append(value, arrays)]
    if value is None or isinstance(value, (bool, int, float, str)):
        return ["plain", value]
    if isinstance(value, np.generic):
        return ["plain", value.item()]
    raise TypeError(f"{type(value).__name__} can't be handed over")


def from_wire(pair: list, arrays: list[np.ndarray]) -> object:
    """Read what `to_wire` wrote.

    Raises:
        BadFrame: It is anything else.
    """
    match pair:
        case ["plain", None | bool() | int() | float() | str()]:
            return pair[1]
        case ["array", int(place)] if 0 <= place < len(arrays):
            return arrays[place]
        case ["tensor", int(place)] if 0 <= place < len(arrays):
            import torch

            return torch.from_numpy(arrays[place])
    raise BadFrame("an argument of an unknown form")


def _append(array: np.ndarray, arrays: list[np.ndarray]) -> int:
    arrays.append(array if array.dtype in DTYPES else array.astype(_nearest(array)))
    return len(arrays) - 1


def _nearest(array: np.ndarray) -> type:
    return np.float64 if array.dtype.kind == "f" else np.int64
