"""Argument checks: one wording for every error, so that each is tested once.

Every check takes exactly the arguments it judges, by keyword, and names them in its
message: ``temperature must be > 0, got -1.0``. Nothing here imports torch; a tensor is
whatever has a ``shape`` and an ``is_floating_point``, which NumPy's arrays lack.
"""

import math
import operator
from collections.abc import Callable


def check_positive(**named: float) -> None:
    """Raise ValueError unless every named number is finite and > 0."""
    _require(named, "> 0", lambda value: value > 0)
    _require(named, "finite", math.isfinite)


def check_temperature(**named: float) -> None:
    """Raise ValueError unless every named number is positive and near enough to 1.

    Beyond a thousand million, or its inverse, z / T and T^2 leave what float32 can hold,
    and a softmax would be NaN.
    """
    check_positive(**named)
    _require(named, "in [1e-9, 1e9]", lambda value: 1e-9 <= value <= 1e9)


def check_fraction(**named: float) -> None:
    """Raise ValueError unless every named number lies in [0, 1]."""
    _require(named, "in [0, 1]", lambda value: 0 <= value <= 1)


def check_not_negative(**named: float) -> None:
    """Raise ValueError unless every named number is finite and >= 0."""
    _require(named, ">= 0", lambda value: value >= 0)
    _require(named, "finite", math.isfinite)


def check_drop_rate(**named: float) -> None:
    """Raise ValueError unless every named number lies in [0, 1): something must be left."""
    _require(named, "in [0, 1)", lambda value: 0 <= value < 1)


def check_count(minimum: int = 1, /, **named: int) -> None:
    """Raise ValueError unless every named value is a whole number >= minimum."""
    for name, value in named.items():
        if not _is_whole(value) or value < minimum:
            raise ValueError(f"{name} must be a whole number >= {minimum}, got {value!r}")


def check_length(minimum: int, /, **named) -> None:
    """Raise ValueError unless every named sequence has at least so many items."""
    for name, items in named.items():
        if len(items) < minimum:
            raise ValueError(f"{name} must have length >= {minimum}, got {items!r}")


def check_choice(choices: tuple, /, **named: object) -> None:
    """Raise ValueError unless every named value is one of the choices."""
    for name, value in named.items():
        if value not in choices:
            listed = ", ".join(repr(choice) for choice in choices)
            raise ValueError(f"{name} must be one of {listed}, got {value!r}")


def check_tensor(**named) -> None:
    """Raise ValueError unless every named value is a tensor."""
    for name, tensor in named.items():
        _shape(name, tensor)


def check_scores(**named) -> None:
    """Raise ValueError unless every named tensor is floating point, [..., classes]."""
    for name, tensor in named.items():
        _length(name, tensor)
        if not tensor.is_floating_point():
            raise ValueError(f"{name} must be floating point, got {tensor.dtype}")


def check_logits(**named) -> None:
    """Raise ValueError unless every named tensor is floating point, [batch, classes]."""
    for name, tensor in named.items():
        shape = _shape(name, tensor)
        if len(shape) != 2:
            raise ValueError(f"{name} must have shape [batch, classes], got {list(shape)}")
        if 0 in shape:
            raise ValueError(f"{name} must not be empty, got shape {list(shape)}")
    check_scores(**named)


def check_features(dimensions: int = 2, /, **named) -> None:
    """Raise ValueError unless every named tensor is [batch, ...], floating point, not empty.

    With dimensions = 4 it must be maps, [batch, channels, height, width].
    """
    forms = {2: "[batch, ...]", 4: "[batch, channels, height, width]"}
    for name, tensor in named.items():
        shape = _shape(name, tensor)
        if len(shape) < dimensions or (dimensions == 4 and len(shape) != 4):
            raise ValueError(f"{name} must have shape {forms[dimensions]}, got {list(shape)}")
        if 0 in shape:
            raise ValueError(f"{name} must not be empty, got shape {list(shape)}")
    check_scores(**named)


def check_same_shape(**named) -> None:
    """Raise ValueError unless all named tensors have one shape."""
    shapes = {name: list(_shape(name, tensor)) for name, tensor in named.items()}
    if len({tuple(shape) for shape in shapes.values()}) > 1:
        came = " and ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"shapes must be equal, got {came}")


def check_targets(classes: int, /, **named) -> None:
    """Raise ValueError unless every named tensor is [batch] int64 in [0, classes)."""
    for name, targets in named.items():
        shape = _shape(name, targets)
        if len(shape) != 1:
            raise ValueError(f"{name} must have shape [batch], got {list(shape)}")
        if str(targets.dtype) != "torch.int64":
            raise ValueError(f"{name} must be int64, got {targets.dtype}")
        if shape[0] and not 0 <= int(targets.min()) <= int(targets.max()) < classes:
            came = f"{int(targets.min())} to {int(targets.max())}"
            raise ValueError(f"{name} must be in [0, {classes}), got {came}")


def check_same_length(**named) -> None:
    """Raise ValueError unless all named tensors agree in their first dimension."""
    lengths = {name: _length(name, tensor) for name, tensor in named.items()}
    if len(set(lengths.values())) > 1:
        came = " and ".join(f"{name} {length}" for name, length in lengths.items())
        raise ValueError(f"lengths must be equal, got {came}")


def check_labelled(*, targets, **logits) -> None:
    """Raise ValueError unless the logits are [batch, classes] and there is a target for each."""
    [scores] = logits.values()
    check_logits(**logits)
    check_targets(scores.shape[-1], targets=targets)
    check_same_length(**logits, targets=targets)


def check_images(**named) -> None:
    """Raise ValueError unless every named tensor or array holds images.

    That is, [examples, channels, height, width] with 1 or 3 channels and at least one
    example; whole numbers must be 0 to 255.
    """
    for name, images in named.items():
        shape = list(getattr(images, "shape", ()))
        if len(shape) != 4 or shape[1] not in (1, 3):
            wanted = "[examples, 1 or 3 channels, height, width]"
            raise ValueError(f"{name} must have shape {wanted}, got {shape}")
        if 0 in shape:
            raise ValueError(f"{name} must hold at least one image, got {shape[0]}")
        lowest, highest = images.min(), images.max()
        if "int" in str(images.dtype) and not 0 <= lowest <= highest <= 255:
            raise ValueError(f"{name} must be in [0, 255], got {int(lowest)} to {int(highest)}")


def _shape(name: str, tensor) -> tuple[int, ...]:
    shape = getattr(tensor, "shape", None)
    if shape is None or not hasattr(tensor, "is_floating_point"):
        raise ValueError(f"{name} must be a tensor, got {type(tensor).__name__}")
    return tuple(shape)


def _length(name: str, tensor) -> int:
    shape = _shape(name, tensor)
    if not shape:
        raise ValueError(f"{name} must have at least one dimension, got a scalar")
    return shape[0]


def _require(named: dict, demand: str, holds: Callable[[float], bool]) -> None:
    for name, value in named.items():
        if not (_is_number(value) and holds(value)):
            raise ValueError(f"{name} must be {demand}, got {value!r}")


def _is_number(value) -> bool:
    try:
        float(value)
    except (TypeError, ValueError, OverflowError, RuntimeError):
        # RuntimeError: a tensor of several elements.
        return False
    return not isinstance(value, (str, bytes, bool))


def _is_whole(value) -> bool:
    try:
        operator.index(value)
    except TypeError:
        return False
    return not isinstance(value, bool)
