"""Grade where nothing can be isolated: threads, each with a new interpreter a question."""

import queue
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from itertools import islice

from kdlab.grading.grade import Handed, grade
from kdlab.grading.intake import Notebook
from kdlab.grading.sandbox.spawned import SpawnLane, isolation
from kdlab.grading.spec import Homework


class Threads:
    """Workers without walls; use it in a `with` block, as `pool.Pool`.

    Args:
        homework: What is graded.
        release: The notebook that the students were given.
        workers: How many.
    """

    def __init__(self, homework: Homework, release: Notebook, *, workers: int) -> None:
        self._homework, self._release, self._count = homework, release, workers
        self._lanes: queue.SimpleQueue = queue.SimpleQueue()
        for _ in range(workers):
            self._lanes.put(SpawnLane(homework.imports))
        self._executor = ThreadPoolExecutor(workers)

    def run(self, submissions: Iterable[Handed]) -> Iterator[tuple[Handed, dict]]:
        """Yield (submission, result) as they come; each exactly once."""
        waiting = iter(submissions)
        held = {self._executor.submit(self._grade, one) for one in islice(waiting, self._count)}
        while held:
            done, held = wait(held, return_when=FIRST_COMPLETED)
            held |= {self._executor.submit(self._grade, one) for one in islice(waiting, len(done))}
            yield from (future.result() for future in done)

    def __enter__(self) -> "Threads":
        return self

    def __exit__(self, *_: object) -> None:
        self._executor.shutdown(cancel_futures=True)

    def _grade(self, handed: Handed) -> tuple[Handed, dict]:
        lane = self._lanes.get()
        try:
            return handed, grade(handed, self._homework, self._release, lane, isolation())
        finally:
            self._lanes.put(lane)
