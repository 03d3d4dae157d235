"""The only language between grader and child: JSON and npy, each checked against its length.

A frame is ``[8 bytes: length of what follows][4 bytes: length of the JSON][JSON][npy][npy]...``;
each npy is preceded by its own length in 8 bytes. In the JSON, ``{"npy": 2}`` is the third
array. Nothing is unpickled; a header that claims more than the bytes that came is refused.
"""

import io
import json
import math
import struct
from collections.abc import Iterator
from itertools import islice

import numpy as np

from kdlab.grading.plain import Plain

LARGEST = 64 * 2**20
# JSON and headers take many times their length to read.
_LARGEST_HEAD = 2**20
_MOST_ARRAYS = 1000
_LENGTH, _HEAD = struct.Struct(">Q"), struct.Struct(">I")
DTYPES = {np.dtype(kind) for kind in ("float64", "float32", "int64", "bool")}
_DEEPEST = 32


class BadFrame(ValueError):
    """What came is no frame; the message says why."""


def pack(message: dict, arrays: list[np.ndarray]) -> bytes:
    """Write one frame, its length first."""
    head = json.dumps(message).encode()
    parts = [_HEAD.pack(len(head)), head]
    for array in arrays:
        buffer = io.BytesIO()
        whole = array if array.flags.c_contiguous else array.copy()
        np.lib.format.write_array(buffer, whole, allow_pickle=False)
        parts += [_LENGTH.pack(buffer.tell()), buffer.getvalue()]
    body = b"".join(parts)
    return _LENGTH.pack(len(body)) + body


def split(buffer: bytearray, *, largest: int = LARGEST) -> bytes | None:
    """Cut the first whole frame off the buffer; None while it isn't whole.

    Raises:
        BadFrame: The frame says that it is larger than allowed.
    """
    if len(buffer) < _LENGTH.size:
        return None
    (length,) = _LENGTH.unpack_from(buffer)
    if length > largest:
        raise BadFrame(f"an answer of {length} bytes; at most {largest} are read")
    end = _LENGTH.size + length
    if len(buffer) < end:
        return None
    body = bytes(buffer[_LENGTH.size : end])
    del buffer[:end]
    return body


def unpack(body: bytes) -> tuple[dict, list[np.ndarray]]:
    """Read what `pack` wrote after the length.

    Raises:
        BadFrame: It is anything else.
    """
    parts = _parts(body)
    head = next(parts)
    if len(head) > _LARGEST_HEAD:
        raise BadFrame(f"texts and lists of {len(head)} bytes; at most {_LARGEST_HEAD} are read")
    try:
        message = json.loads(head)
    except (ValueError, RecursionError) as error:
        raise BadFrame(f"no JSON: {type(error).__name__}") from None
    if not isinstance(message, dict):
        raise BadFrame("no JSON object")
    arrays = [read_npy(part) for part in islice(parts, _MOST_ARRAYS)]
    if next(parts, None) is not None:
        raise BadFrame(f"more than {_MOST_ARRAYS} arrays")
    return message, arrays


def read_npy(data: bytes) -> np.ndarray:
    """Read one npy of numbers whose header agrees with its length.

    Raises:
        BadFrame: It holds objects, text or structures, or its header lies.
    """
    stream = io.BytesIO(data)
    try:
        if np.lib.format.read_magic(stream) != (1, 0):
            raise BadFrame("an npy of an unusual version")
        header = np.lib.format.read_array_header_1_0(stream, max_header_size=1000)
    except BadFrame:
        raise
    # The header is parsed as Python's literals; what that raises depends on numpy's version.
    except Exception as error:
        raise BadFrame(f"an npy whose header can't be read: {type(error).__name__}") from None
    return _read_data(header, data, stream.tell())


def to_json(value: Plain, arrays: list[np.ndarray]) -> object:
    """Turn a plain value into JSON; its arrays are appended to ``arrays``."""
    if isinstance(value, np.ndarray):
        arrays.append(value)
        return {"npy": len(arrays) - 1}
    if isinstance(value, str):
        return {"text": value}
    if isinstance(value, tuple):
        return {"tuple": [to_json(item, arrays) for item in value]}
    return {"dict": [[key, to_json(item, arrays)] for key, item in value.items()]}


def from_json(found: object, arrays: list[np.ndarray], *, depth: int = 0) -> Plain:
    """Turn JSON back into a plain value.

    Raises:
        BadFrame: It isn't what `to_json` writes.
    """
    if not isinstance(found, dict) or len(found) != 1 or depth > _DEEPEST:
        raise BadFrame("a value of an unknown form")
    [(kind, content)] = found.items()
    if kind == "npy" and type(content) is int and 0 <= content < len(arrays):
        return arrays[content]
    if kind == "text" and isinstance(content, str):
        return content
    if kind == "tuple" and isinstance(content, list):
        return tuple(from_json(item, arrays, depth=depth + 1) for item in content)
    if kind == "dict" and isinstance(content, list) and all(map(_is_pair, content)):
        return {key: from_json(item, arrays, depth=depth + 1) for key, item in content}
    raise BadFrame("a value of an unknown form")


def _is_pair(item: object) -> bool:
    return isinstance(item, list) and len(item) == 2 and isinstance(item[0], str)


def _parts(body: bytes) -> Iterator[bytes]:
    place, length = _HEAD.size, _HEAD
    while place <= len(body):
        (size,) = length.unpack_from(body, place - length.size)
        if place + size > len(body):
            raise BadFrame("a part that is longer than the frame")
        yield body[place : place + size]
        length = _LENGTH
        if place + size == len(body):
            return
        place += size + length.size
    raise BadFrame("a frame that ends early")


def _read_data(header: tuple, data: bytes, start: int) -> np.ndarray:
    shape, fortran, dtype = header
    if dtype not in DTYPES or fortran or len(shape) > 8 or min(shape, default=0) < 0:
        raise BadFrame(f"an npy of {dtype} and shape {list(shape)[:8]}")
    if math.prod(shape) * dtype.itemsize != len(data) - start:
        raise BadFrame("an npy whose header doesn't agree with its length")
    return np.frombuffer(data, dtype, offset=start).reshape(shape).copy()
