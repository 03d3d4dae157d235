"""How much memory something keeps."""

import tracemalloc
from collections.abc import Callable


def memory_kept(act: Callable[[int], object], *, warm: int, times: int) -> int:
    """Return the bytes that `act(times)` leaves behind, after `act(warm)` has filled caches."""
    act(warm)
    tracemalloc.start()
    before = tracemalloc.take_snapshot()
    act(times)
    grown = tracemalloc.take_snapshot().compare_to(before, "filename")
    tracemalloc.stop()
    return sum(line.size_diff for line in grown)
