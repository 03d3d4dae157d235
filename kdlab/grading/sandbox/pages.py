"""Make a fork of a large process cheap: its memory in huge pages."""

import ctypes
from collections.abc import Iterator
from pathlib import Path

_COLLAPSE = 25
_HUGE = 2 * 2**20


def collapse() -> None:
    """Gather this process's heap into huge pages, where the kernel can (Linux 6.1).

    A fork copies an entry for each page, and the child's end drops it. With torch loaded these
    are 100,000 small pages: more work than a short answer. The content stays as it is; where
    the kernel can't do it or has no room, so do the pages.
    """
    madvise = ctypes.CDLL(None).madvise
    madvise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for start, end in list(_heaps()):
        first, last = -(-start // _HUGE) * _HUGE, end // _HUGE * _HUGE
        if first < last:
            madvise(first, last - first, _COLLAPSE)


def _heaps() -> Iterator[tuple[int, int]]:
    """Return where memory lies that is writable and of no file."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        place, rights, _, _, _, *name = line.split(maxsplit=5)
        if rights.startswith("rw") and rights.endswith("p") and name in ([], ["[heap]"]):
            start, end = (int(number, 16) for number in place.split("-"))
            yield start, end
