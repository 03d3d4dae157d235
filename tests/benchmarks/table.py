"""One row a measurement: what, how much, what was to be reached."""

import statistics
import time
from collections.abc import Callable


def timed(*jobs: Callable[[], object], repeats: int) -> list[list[float]]:
    """Return the seconds of each job, run in turn so that all share any slow spell."""
    seconds: list[list[float]] = [[] for _ in jobs]
    for _ in range(repeats):
        for job, taken in zip(jobs, seconds, strict=True):
            start = time.perf_counter()
            job()
            taken.append(time.perf_counter() - start)
    return seconds


def ratio(above: list[float], below: list[float]) -> float:
    """Return the median of the ratios of neighbours in time: a slow spell slows both."""
    return statistics.median(a / b for a, b in zip(above, below, strict=True))


def row(what: str, measured: str, reach: str, reached: bool) -> None:
    """Print one row; `reached` is written out, never asserted."""
    print(f"| {what} | {measured} | {reach} | {'yes' if reached else 'NO'} |", flush=True)


def header(title: str) -> None:
    """Print the head of a table."""
    print(f"\n### {title}\n\n| what | measured | to reach | reached |\n| --- | --- | --- | --- |")
