"""Grade many submissions on this machine: a few workers, one lane of the sandbox each."""

import multiprocessing
import os
import signal
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path

from kdlab.grading.grade import Handed, grade, ungraded
from kdlab.grading.intake import Notebook, parse_notebook
from kdlab.grading.sandbox.box import Sandbox
from kdlab.grading.sandbox.walls.limits import end_with_parent
from kdlab.grading.spec import Homework

_MOST_TRIES = 2
ENDED = "The grader itself ended twice on this submission; grade it by hand."


@dataclass
class _Worker:
    process: BaseProcess
    connection: Connection
    holds: Handed | None = None


class Pool:
    """Workers on this machine; use it in a `with` block.

    Args:
        homework: What is graded.
        release: The notebook that the students were given.
        workers: How many.
        open_sandbox: Makes a sandbox with so many lanes.
    """

    def __init__(
        self,
        homework: Homework,
        release: Notebook,
        *,
        workers: int,
        open_sandbox: Callable[..., Sandbox] = Sandbox,
    ) -> None:
        self._homework, self._release = homework, release
        self._count, self._open = workers, open_sandbox
        self._again: deque[Handed] = deque()
        self._tries: dict[str, int] = {}
        self._start()

    def run(self, submissions: Iterable[Handed]) -> Iterator[tuple[Handed, dict]]:
        """Yield (submission, result) as they come; each exactly once."""
        waiting = iter(submissions)
        more = True
        while more or self._again or self._busy():
            more = self._hand_out(waiting) and more
            if self._busy():
                yield from self._collect()

    def close(self) -> None:
        """End the workers and the sandbox."""
        for worker in self._workers:
            worker.connection.close()
            worker.process.kill()
            worker.process.join()
        self._sandbox.close()

    def __enter__(self) -> "Pool":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self) -> None:
        self._sandbox = self._open(self._homework.imports, lanes=self._count)
        try:
            # While the server imports, so do we: the workers are forked from here, with all
            # that the first inputs need, such as a teacher.
            self._import()
            one_thread()
            for question in self._homework.questions:
                question.fresh_cases(0)
            self._sandbox.wait()
        except BaseException:
            self._sandbox.close()
            raise
        self._workers = [self._start_worker(lane) for lane in range(self._count)]

    def _import(self) -> None:
        # Its parts, such as torch._dynamo, serve the students' code only.
        for name in {name.partition(".")[0] for name in self._homework.imports}:
            __import__(name)

    def _start_worker(self, lane: int) -> _Worker:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        parts = (ours, theirs, lane, os.getpid())
        process = context.Process(target=self._work, args=parts, daemon=True)
        with warnings.catch_warnings():
            # From Python 3.12 on; what is forked here has used no thread yet.
            warnings.filterwarnings("ignore", ".*multi-threaded", DeprecationWarning)
            process.start()
        theirs.close()
        return _Worker(process, ours)

    def _work(self, parents: Connection, connection: Connection, lane: int, parent: int) -> None:
        # Ctrl-C is for the parent, which ends us. Without it we end, however it went: we hold
        # copies of its lock on the folder and of its end of the line.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        end_with_parent(parent)
        parents.close()
        one_thread()
        ours, isolation = self._sandbox.lanes[lane], self._sandbox.isolation
        while True:
            try:
                handed = connection.recv()
            except EOFError:
                return
            connection.send(grade(handed, self._homework, self._release, ours, isolation))

    def _busy(self) -> list[_Worker]:
        return [worker for worker in self._workers if worker.holds]

    def _hand_out(self, waiting: Iterator[Handed]) -> bool:
        for worker in self._workers:
            if worker.holds is None:
                handed = self._again.popleft() if self._again else next(waiting, None)
                if handed is None:
                    return False
                worker.holds = handed
                worker.connection.send(handed)
        return True

    def _collect(self) -> Iterator[tuple[Handed, dict]]:
        busy = {worker.connection: worker for worker in self._busy()}
        for connection in wait(list(busy)):
            worker = busy[connection]
            try:
                result = connection.recv()
            except (EOFError, OSError):
                yield from self._start_again(worker.holds)
                return
            handed, worker.holds = worker.holds, None
            yield handed, result

    def _start_again(self, culprit: Handed) -> Iterator[tuple[Handed, dict]]:
        """A worker or the sandbox has ended: begin anew with what was under way."""
        held = [worker.holds for worker in self._busy()]
        self.close()
        self._start()
        self._tries[culprit.key] = self._tries.get(culprit.key, 0) + 1
        given_up = self._tries[culprit.key] >= _MOST_TRIES
        self._again.extend(handed for handed in held if not (given_up and handed is culprit))
        if given_up:
            yield culprit, ungraded(culprit, self._homework, ENDED)


def one_thread() -> None:
    """Keep torch to one thread: as many workers as cores are at work."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)


def default_workers() -> int:
    """Return how many workers suit this machine: one a core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return max(1, cores or 1)


def read_release(path: Path) -> Notebook:
    """Read the students' notebook that answers are put into."""
    return parse_notebook(path.read_bytes())
