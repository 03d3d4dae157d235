"""Memory that the process keeps: what a tensor leaves, the next one takes."""

import ctypes
import sys

# From glibc's malloc.h.
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3
_SIZES = (2**30, 2**25)  # older versions take no more than the second


def keep_memory() -> bool:
    """Ask the C library not to give a tensor's memory back to the system when it is freed.

    By default it does for pieces of some MB, and a CPU then waits for thousands of fresh, zeroed
    pages in each step. The process stays as large as it was at its largest, and only a process
    of our own should be asked for that.

    Returns:
        Whether it could be asked: this is glibc's, on Linux.
    """
    ask = getattr(ctypes.CDLL(None), "mallopt", None) if sys.platform == "linux" else None
    if ask is None:
        return False
    kept = any(ask(_MMAP_THRESHOLD, size) for size in _SIZES)
    return bool(kept and ask(_TRIM_THRESHOLD, 2**31 - 1))
