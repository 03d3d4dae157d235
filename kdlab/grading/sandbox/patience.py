"""How long a child may take by the clock: longer where the machine is busy than where it waits."""

import contextlib
import time

#: A child that has used no CPU for so long waits for something that we don't give.
_STILL_SECONDS = 1.0
#: By how much a busy machine may stretch the wall seconds of a child that works.
_STRETCH = 4


class Patience:
    """Tells when a child has had its time by the clock; what it may use of the CPU is its own.

    A child that sleeps is over after its wall seconds. One that still works then has shared its
    CPU with others, and gets four times as long: a grade must not depend on how busy the machine
    is.

    Args:
        process: The child, a process of ours.
        seconds: Its wall seconds, from now on.
    """

    def __init__(self, process: int, seconds: float) -> None:
        # As clock_getcpuclockid gives it, which Python doesn't have: /proc can't be read here.
        self._clock = (~process << 3) | 2
        self._used, self._moved = 0.0, time.monotonic()
        self._until, self._last = self._moved + seconds, self._moved + _STRETCH * seconds

    def is_over(self) -> bool:
        """Tell whether the child has had its time; to be asked several times a second."""
        now = time.monotonic()
        # A child that has just ended has no clock any more.
        with contextlib.suppress(OSError):
            used = time.clock_gettime(self._clock)
            if used > self._used:
                self._used, self._moved = used, now
        return now > self._last or (now > self._until and now > self._moved + _STILL_SECONDS)
