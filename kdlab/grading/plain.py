"""Turn what a student's function returns into plain values, running none of its code.

Only exact types are read: a subclass could answer with whatever it likes. From here on a
value is a numpy array (float64, int64 or bool), a str, or a tuple or dict of such values.
"""

import sys
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import torch

_NAME = type.__dict__["__name__"]

_NUMBERS = {bool, int, float} | {
    getattr(np, name)
    for name in "bool_ int8 int16 int32 int64 uint8 uint16 uint32 float16 float32 float64".split()
}
_MAX_DEPTH = 8
_MAX_ELEMENTS = 1_000_000

Plain = np.ndarray | str | tuple | dict


class Refusal(Exception):
    """A value that is not read; the message says what it is, with its article."""


def to_plain(value: object, *, depth: int = 0) -> Plain:
    """Convert a tensor, array, number, str, or a list, tuple or dict of them.

    A list or tuple of equally shaped numbers or arrays becomes one array.

    Raises:
        Refusal: The value, or one inside it, is of another type, is too large, or is
            nested too deeply.
    """
    kind = type(value)
    if is_tensor(value):
        return _from_tensor(value)
    if kind is np.ndarray or kind in _NUMBERS:
        return _from_numpy(value)
    if kind is str:
        return value
    if kind in (list, tuple, dict):
        return _from_container(value, depth)
    raise Refusal(with_article(type_name(value)))


def is_tensor(value: object) -> bool:
    """Tell if the value is exactly a Tensor or a Parameter; torch is not imported for that."""
    torch = sys.modules.get("torch")
    return torch is not None and type(value) in (torch.Tensor, torch.nn.Parameter)


def type_name(value: object) -> str:
    """Return the name of the value's type, even where its class or metaclass would lie."""
    return _NAME.__get__(type(value))


def with_article(noun: str) -> str:
    """Put "a" or "an" in front."""
    return f"{'an' if noun[:1].lower() in set('aeio') else 'a'} {noun}"


def describe(value: object) -> str:
    """Say what a readable value is: "a Tensor of shape [2, 3]", "a float"."""
    if is_tensor(value) or type(value) is np.ndarray:
        name = "a numpy array" if type(value) is np.ndarray else "a Tensor"
        return f"{name} of shape {list(value.shape)}" if value.ndim else f"{name} with one number"
    if type(value) in (list, tuple, dict):
        return f"a {type_name(value)} of {len(value)}"
    return with_article(type_name(value))


def _from_tensor(tensor: "torch.Tensor") -> np.ndarray:
    import torch

    # Methods are taken from the class: a tensor may carry attributes of the same name.
    shape = tuple(tensor.shape)
    if tensor.dtype.is_complex or tensor.layout != torch.strided or tensor.device.type == "meta":
        raise Refusal(f"a Tensor of {tensor.dtype}, {tensor.layout}, on {tensor.device}")
    if torch.Tensor.numel(tensor) > _MAX_ELEMENTS:
        raise Refusal(f"a Tensor of shape {list(shape)}")
    dtype = _torch_dtype(tensor.dtype)
    detached = torch.Tensor.detach(tensor)
    return torch.Tensor.to(detached, "cpu", dtype, copy=True).numpy()


def _torch_dtype(dtype: "torch.dtype") -> "torch.dtype":
    import torch

    if dtype.is_floating_point:
        return torch.float64
    return torch.bool if dtype == torch.bool else torch.int64


def _from_numpy(value: object) -> np.ndarray:
    try:
        array = np.array(value)
    except OverflowError:
        raise Refusal("an int beyond 64 bits") from None
    wanted = {"f": np.float64, "i": np.int64, "u": np.int64, "b": np.bool_}.get(array.dtype.kind)
    if wanted is None:
        is_array = type(value) is np.ndarray
        raise Refusal(f"a numpy array of {array.dtype}" if is_array else "a number beyond 64 bits")
    if array.size > _MAX_ELEMENTS:
        raise Refusal(f"a numpy array of shape {list(array.shape)}")
    return array.astype(wanted)


def _from_container(value: list | tuple | dict, depth: int) -> Plain:
    if depth == _MAX_DEPTH or len(value) > _MAX_ELEMENTS:
        raise Refusal(f"a {type_name(value)} that is nested too deeply or too long")
    if type(value) is dict:
        if {type(key) for key in value} - {str}:
            raise Refusal("a dict whose keys are not all str")
        return {key: to_plain(item, depth=depth + 1) for key, item in value.items()}
    items = tuple(to_plain(item, depth=depth + 1) for item in value)
    arrays = [item for item in items if isinstance(item, np.ndarray)]
    if items and len(arrays) == len(items) and len({array.shape for array in arrays}) == 1:
        return np.stack(arrays)
    return items
