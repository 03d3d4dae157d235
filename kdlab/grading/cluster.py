"""Grade over a dask.distributed cluster, by its address; an extra (``scale``).

A task may run twice where a worker is lost; its result is written once, here, under the
submission's key. What runs on the workers stands in `bench`.
"""

import queue
import time
import uuid
from collections.abc import Callable, Iterable, Iterator
from itertools import count, islice
from pathlib import Path

import kdlab
from kdlab._cluster import connect, unfit
from kdlab.grading.bench import Job, UnfitWorker, end_run, grade_here
from kdlab.grading.grade import Handed, ungraded
from kdlab.grading.pool import ENDED, read_release
from kdlab.grading.sandbox.lane import ServerEnded
from kdlab.grading.spec import Homework

# Tasks under way for each thread of the cluster: one is graded, the next ones are at hand.
_AHEAD = 3
_KNOCK_SECONDS, _LOOK_SECONDS, _NOBODY_SECONDS = 5.0, 5.0, 60.0
_GO_ON = "nothing is lost: the same command goes on from here"


class Cluster:
    """A cluster that grades; use it in a `with` block, as `pool.Pool`.

    Args:
        homework: What is graded.
        address: The scheduler's, for example ``tcp://127.0.0.1:8786``.
        release: The notebook that the students were given.

    Raises:
        ValueError: ``address`` is none, or distributed isn't installed.
        OSError: No scheduler answers there.
    """

    def __init__(self, homework: Homework, address: str, release: Path) -> None:
        self._homework, self._address = homework, address
        run = uuid.uuid4().hex
        self._job = Job(run, homework.id, read_release(release), kdlab.__version__)
        self._client = connect(address)
        self._done: queue.SimpleQueue = queue.SimpleQueue()
        self._numbers = count()
        self._threads, self._looked = 0, float("-inf")

    def run(self, submissions: Iterable[Handed]) -> Iterator[tuple[Handed, dict]]:
        """Yield (submission, result) as they come; each exactly once.

        Raises:
            OSError: The scheduler or the last worker has ended, or a worker can't grade.
        """
        suspects = []
        for handed, result in self._stream(submissions, self._room):
            if result is None:
                suspects.append(handed)
            else:
                yield handed, result
        # With its worker ends a submission, and so do those beside it. One at a time, it is
        # known which one it was.
        for handed, result in self._stream(suspects, lambda: 1):
            yield handed, result or ungraded(handed, self._homework, ENDED)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        try:
            if self._client.status == "running":
                self._client.run(end_run, self._job, on_error="ignore")
        finally:
            self._client.close(timeout=_KNOCK_SECONDS)

    def _stream(
        self, submissions: Iterable[Handed], room: Callable[[], int]
    ) -> Iterator[tuple[Handed, dict | None]]:
        waiting, held = iter(submissions), {}
        while True:
            for handed in islice(waiting, max(0, room() - len(held))):
                future = self._submit(handed)
                held[future.key] = handed, future
            if not held:
                return
            handed, future = held.pop(self._next())
            yield handed, self._result(future, handed)
            future.release()

    def _room(self) -> int:
        """Return how many tasks may be under way now; workers come and go."""
        if time.monotonic() > self._looked + _LOOK_SECONDS:
            self._threads, self._looked = self._count_threads(), time.monotonic()
        return _AHEAD * max(1, self._threads)

    def _submit(self, handed: Handed):
        import dask

        # The scheduler groups tasks by the first part, and takes equal keys for equal tasks.
        key = (f"kdlab-grade-{self._job.run}", handed.key, next(self._numbers))
        # A large submission is no mistake.
        with dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"}):
            future = self._client.submit(grade_here, handed, self._job, key=key, pure=False)
        future.add_done_callback(lambda done: self._done.put(done.key))
        return future

    def _next(self) -> tuple:
        """Wait for the next task to end; return its key."""
        since = time.monotonic()
        while True:
            try:
                return self._done.get(timeout=1)
            except queue.Empty:
                self._check(time.monotonic() - since)

    def _fetch(self, future) -> dict:
        since = time.monotonic()
        while True:
            try:
                # It lies on the worker, which may have ended since: then it is made again.
                return future.result(timeout=_LOOK_SECONDS)
            except TimeoutError:
                if future.status == "error":
                    raise
                self._check(time.monotonic() - since)

    def _count_threads(self) -> int:
        if self._client.status != "running":
            raise self._lost()
        try:
            return sum(self._client.nthreads().values())
        except OSError:
            raise self._lost() from None

    def _check(self, waited: float) -> None:
        if self._client.status != "running":
            raise self._lost()
        if waited > _NOBODY_SECONDS and not self._count_threads():
            raise OSError(f"{self._address} has no worker left; {_GO_ON}")

    def _lost(self) -> OSError:
        return OSError(f"the scheduler at {self._address} has ended; {_GO_ON}")

    def _result(self, future, handed: Handed) -> dict | None:
        """Return what came; None where a worker ended on this submission or beside it."""
        from distributed import CancelledError, KilledWorker

        try:
            return self._fetch(future)
        except KilledWorker:
            return None
        except CancelledError:
            raise self._lost() from None
        except ServerEnded:
            return ungraded(handed, self._homework, ENDED)
        except UnfitWorker as error:
            raise unfit(self._address, error) from None
        except Exception as error:
            name = type(error).__name__
            return ungraded(handed, self._homework, f"The grader raised {name}; grade it by hand.")
