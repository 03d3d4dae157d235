"""Landlock: this process and its children see the listed files and nothing else.

References:
    The Linux kernel's userspace-api/landlock; numbers are those of linux/landlock.h.
"""

import ctypes
import os
import stat
from collections.abc import Iterable
from pathlib import Path

_CREATE, _ADD, _RESTRICT = 444, 445, 446
_VERSION = 1
_PATH_BENEATH = 1

EXECUTE, WRITE_FILE, READ_FILE, READ_DIR = (1 << bit for bit in range(4))
_TRUNCATE, _IOCTL_DEVICE = 1 << 14, 1 << 15
# Files and folders may be made and removed in the private folder; devices may not.
_MAKE = sum(1 << bit for bit in (4, 5, 7, 8, 10, 12, 13))
READ = READ_FILE | READ_DIR
WRITE = WRITE_FILE | _TRUNCATE | _MAKE
_ON_A_FILE = EXECUTE | WRITE_FILE | READ_FILE | _TRUNCATE | _IOCTL_DEVICE


class _Ruleset(ctypes.Structure):
    _fields_ = [("files", ctypes.c_uint64), ("net", ctypes.c_uint64), ("scoped", ctypes.c_uint64)]


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _fields_ = [("allowed", ctypes.c_uint64), ("parent", ctypes.c_int32)]


def version() -> int:
    """Return the kernel's Landlock version, 0 where there is none."""
    try:
        return max(0, _syscall(_CREATE, None, 0, _VERSION))
    except OSError:
        return 0


def restrict(rules: Iterable[tuple[Path, int]]) -> int:
    """Confine this process for good; paths that don't exist are passed over.

    Args:
        rules: Path -> what is allowed there and below.

    Returns:
        The version that is in force, 0 where the kernel has none.
    """
    abi = version()
    if not abi:
        return 0
    handled = _handled(abi)
    attributes = _Ruleset(handled, 0b11 if abi >= 4 else 0, 0b11 if abi >= 6 else 0)
    size = 24 if abi >= 6 else 16 if abi >= 4 else 8
    ruleset = _syscall(_CREATE, ctypes.byref(attributes), size, 0)
    try:
        for path, allowed in rules:
            _allow(ruleset, path, allowed & handled)
        _syscall(_RESTRICT, ruleset, 0)
    finally:
        os.close(ruleset)
    return abi


def _handled(abi: int) -> int:
    bits = 13 + (abi >= 2) + (abi >= 3) + (abi >= 5)
    return (1 << bits) - 1


def _allow(ruleset: int, path: Path, allowed: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        folder = stat.S_ISDIR(os.fstat(place).st_mode)
        rule = _Beneath(allowed if folder else allowed & _ON_A_FILE, place)
        _syscall(_ADD, ruleset, _PATH_BENEATH, ctypes.byref(rule), 0)
    finally:
        os.close(place)


def _syscall(*arguments: object) -> int:
    kernel = ctypes.CDLL(None, use_errno=True)
    result = kernel.syscall(*arguments)
    if result < 0:
        raise OSError(ctypes.get_errno(), f"Landlock: {os.strerror(ctypes.get_errno())}")
    return result
