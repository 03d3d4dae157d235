"""Grade over a dask.distributed cluster, by its address; an extra (`pip install kdlab[scale]`).

Every worker keeps one sandbox. A task may run twice where a worker is lost; its result is
written once, here, under the submission's key.
"""

import threading
from collections.abc import Iterable, Iterator
from itertools import islice
from pathlib import Path

from kdlab.grading.grade import Handed, grade, ungraded
from kdlab.grading.intake import Notebook
from kdlab.grading.pool import ENDED, one_thread, read_release
from kdlab.grading.registry import find_homework
from kdlab.grading.sandbox.box import Sandbox
from kdlab.grading.spec import Homework

_held = threading.local()
_AHEAD = 4


class Cluster:
    """A cluster that grades; use it in a `with` block.

    Args:
        homework: What is graded.
        address: The scheduler's, for example ``tcp://127.0.0.1:8786``.
        release: The notebook that the students were given.

    Raises:
        OSError: No scheduler answers there.
    """

    def __init__(self, homework: Homework, address: str, release: Path) -> None:
        from distributed import Client

        self._homework = homework
        self._release = read_release(release)
        self._client = Client(address, set_as_default=False)

    def run(self, submissions: Iterable[Handed]) -> Iterator[tuple[Handed, dict]]:
        """Yield (submission, result) as they come; each exactly once."""
        from distributed import as_completed

        waiting, held = iter(submissions), {}
        room = max(1, _AHEAD * sum(self._client.nthreads().values()))
        first = [self._submit(handed, held) for handed in islice(waiting, room)]
        done = as_completed(first, raise_errors=False)
        for future in done:
            handed = held.pop(future.key)
            yield handed, self._result(future, handed)
            future.release()
            for more in islice(waiting, 1):
                done.add(self._submit(more, held))

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def _submit(self, handed: Handed, held: dict):
        name = f"kdlab-{handed.key}"
        future = self._client.submit(
            grade_here, handed, self._homework.id, self._release, key=name, pure=False
        )
        held[future.key] = handed
        return future

    def _result(self, future, handed: Handed) -> dict:
        if future.status == "finished":
            return future.result()
        return ungraded(handed, self._homework, f"{ENDED} ({type(future.exception()).__name__})")


def grade_here(handed: Handed, homework: str, release: Notebook) -> dict:
    """Grade one submission in this worker's own sandbox; it stays open for the next one."""
    found = find_homework(homework)
    if getattr(_held, "homework", None) != homework:
        one_thread()
        _held.sandbox = Sandbox(found.imports).wait()
        _held.homework = homework
    sandbox = _held.sandbox
    return grade(handed, found, release, sandbox.lanes[0], sandbox.isolation)
