"""Frames: what is packed comes back, and nothing that lies is read."""

import io
import json
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kdlab.grading.sandbox.frames import (
    LARGEST,
    BadFrame,
    from_json,
    pack,
    read_npy,
    split,
    to_json,
    unpack,
)


def npy(array: np.ndarray) -> bytes:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=True)
    return stream.getvalue()


def header(text: str, data: bytes = b"") -> bytes:
    told = text.encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(told)) + told + data


@pytest.mark.parametrize(
    "array",
    [
        np.array(3.5),
        np.arange(6.0).reshape(2, 3),
        np.arange(6.0).reshape(2, 3).T,
        np.zeros((0, 4)),
        np.array([True, False]),
        np.array([1, -(2**60)]),
        np.float32([1.5]),
    ],
    ids=str,
)
def test_arrays_come_back(array):
    message, [found] = unpack(split(bytearray(pack({"a": 1}, [array]))))
    assert message == {"a": 1}
    assert found.dtype == array.dtype and found.shape == array.shape
    assert np.array_equal(found, array)


@pytest.mark.parametrize(
    "value",
    ["text", (), (np.float64([1, 2]), "x"), {"a": (np.array(1),), "b": {}}],
    ids=str,
)
def test_plain_values_come_back(value):
    arrays: list = []
    found = from_json(json.loads(json.dumps(to_json(value, arrays))), arrays)
    assert repr(found) == repr(value)


def test_a_frame_is_cut_off_only_when_it_is_whole():
    whole = pack({"n": 1}, []) + pack({"n": 2}, [])
    buffer, seen = bytearray(), []
    for byte in whole:
        buffer.append(byte)
        while (body := split(buffer)) is not None:
            seen.append(unpack(body)[0]["n"])
    assert seen == [1, 2] and not buffer


def test_a_frame_too_large_is_refused_before_it_comes():
    with pytest.raises(BadFrame, match=f"at most {LARGEST} are read"):
        split(bytearray(struct.pack(">Q", LARGEST + 1)))


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x93NUMPY",
        npy(np.array([object()])),
        npy(np.array(["text"])),
        npy(np.zeros(2, dtype="f8,i4")),
        npy(np.zeros(3, dtype=complex)),
        npy(np.zeros(3, dtype=">f8")),
        npy(np.asfortranarray(np.zeros((2, 3)))),
        npy(np.zeros(3))[:-1],
        npy(np.zeros(3)) + b"\0",
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (10**12,), }"),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000000000,), }", bytes(8)),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (-1,), }", bytes(8)),
        header("{'descr': '<f8', 'fortran_order': False, 'shape': (2, -1), }", bytes(8)),
        header("{'descr': '|O', 'fortran_order': False, 'shape': (1,), }", bytes(8)),
        header("__import__('os').abort()"),
        header("(" * 100),
    ],
    ids=range(17),
)
def test_an_npy_that_is_odd_or_lies_is_refused(data):
    with pytest.raises(BadFrame):
        read_npy(data)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\0\0\0",
        b"\0\0\0\x09{}",
        b"\0\0\0\x02{]",
        b"\0\0\0\x02[]",
        b"\0\0\0\x02{}" + struct.pack(">Q", 2**63),
        b"\0\0\0\x02{}" + struct.pack(">Q", 3) + b"abc",
        b"\0\0\0\x02{}\0\0",
        b"\0\x01\x86\xa0" + b"[" * 100_000,
    ],
    ids=range(9),
)
def test_a_body_that_is_no_frame_is_refused(body):
    with pytest.raises(BadFrame):
        unpack(body)


def test_a_frame_that_is_dear_to_read_is_refused():
    many = [np.zeros(1)] * 1001
    with pytest.raises(BadFrame, match="more than 1000 arrays"):
        unpack(split(bytearray(pack({}, many))))
    with pytest.raises(BadFrame, match="texts and lists of"):
        unpack(split(bytearray(pack({"text": "x" * 2**20}, []))))


@pytest.mark.parametrize(
    "found",
    [
        None,
        [],
        {},
        {"npy": 0},
        {"npy": -1},
        {"npy": True},
        {"npy": "0"},
        {"text": 1},
        {"tuple": {}},
        {"dict": [["a"]]},
        {"dict": [[1, {"text": ""}]]},
        {"text": "", "npy": 0},
        {"object": 1},
    ],
    ids=str,
)
def test_json_of_another_form_is_no_value(found):
    with pytest.raises(BadFrame):
        from_json(found, [])


def test_values_nested_too_deeply_are_refused():
    value = {"text": ""}
    for _ in range(100):
        value = {"tuple": [value]}
    with pytest.raises(BadFrame):
        from_json(value, [])


@settings(deadline=None, max_examples=300)
@given(st.binary(max_size=200))
def test_any_bytes_are_a_frame_or_refused(data):
    try:
        message, arrays = unpack(data)
    except BadFrame:
        return
    assert isinstance(message, dict) and all(type(array) is np.ndarray for array in arrays)


@settings(deadline=None, max_examples=300)
@given(st.data())
def test_a_changed_frame_is_a_frame_or_refused(data):
    arrays = [np.arange(6.0).reshape(2, 3), np.array([1, 2])]
    body = bytearray(split(bytearray(pack({"kind": "seen"}, arrays))))
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] = data.draw(st.integers(0, 255))
    try:
        _, found = unpack(bytes(body))
    except BadFrame:
        return
    assert sum(array.nbytes for array in found) <= len(body)
