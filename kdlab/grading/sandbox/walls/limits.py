"""Limits on time, memory, processes and files, and the powers of root put down."""

import ctypes
import math
import os
import struct
import sys

if os.name == "posix":
    import resource

_CAPABILITIES = 0x20080522
# The largest file.
_FILE_BYTES = 16 * 2**20
_BOUNDING, _AMBIENT, _CLEAR_ALL, _NOT_DUMPABLE = 24, 47, 4, 4


def mapped() -> int:
    """Return the bytes of address space that this process holds; asked before the walls stand."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[0]) * resource.getpagesize()


def limit(*, seconds: float, memory: int) -> None:
    """Set the kernel's limits for this process.

    Args:
        seconds: CPU time in seconds, rounded up; the kernel ends the process there.
        memory: Bytes of address space.
    """
    # A limit on processes counts those of the whole user, so seccomp forbids them instead.
    # SIGXCPU first, which says why; it can be ignored, SIGKILL a second later can't.
    _set("RLIMIT_CPU", math.ceil(seconds), math.ceil(seconds) + 1)
    _set("RLIMIT_AS", memory)
    _set("RLIMIT_FSIZE", _FILE_BYTES)
    _set("RLIMIT_NOFILE", 256)
    _set("RLIMIT_CORE", 0)
    _set("RLIMIT_MSGQUEUE", 0)


def drop_privileges() -> None:
    """Give up every capability; root's own process is then like any other's."""
    if not sys.platform.startswith("linux"):
        return
    kernel = ctypes.CDLL(None, use_errno=True)
    for capability in range(64):
        kernel.prctl(_BOUNDING, capability, 0, 0, 0)
    kernel.prctl(_AMBIENT, _CLEAR_ALL, 0, 0, 0)
    kernel.prctl(_NOT_DUMPABLE, 0, 0, 0, 0)
    header, nothing = struct.pack("Ii", _CAPABILITIES, 0), bytes(24)
    kernel.capset(ctypes.c_char_p(header), ctypes.c_char_p(nothing))


def end_with_parent(parent: int) -> None:
    """Ask the kernel to end this process when its parent ends."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(1, 9, 0, 0, 0)
    # It may have ended before we asked.
    if os.getppid() != parent:
        os._exit(1)


def _set(name: str, value: int, most: int | None = None) -> None:
    kind = getattr(resource, name, None)
    if kind is None:
        return
    hard = resource.getrlimit(kind)[1]
    room = math.inf if hard == resource.RLIM_INFINITY else hard
    allowed = int(min(value, room)), int(min(most or value, room))
    try:
        resource.setrlimit(kind, allowed)
    except (ValueError, OSError):
        # macOS refuses RLIMIT_AS; what is not walled there is marked "unisolated" anyway.
        return
