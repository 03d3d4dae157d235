"""A cluster of this machine's processes, for tests and benchmarks; also what its workers load.

A worker loads this module at its start (`--preload`): the small homework gets its id, a
submission named "deadly" ends its worker, and one named "faulty" raises in the grader; no
student's code can do that.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
import types
from collections.abc import Iterator
from pathlib import Path

from _small_homework import SMALL

from kdlab.grading import bench, registry

ROOT = Path(__file__).resolve().parents[2]


def dask_setup(worker: object) -> None:
    """Prepare a worker; dask calls it by its name."""
    registry._HOMEWORKS["small"] = "small"
    sys.modules["kdlab.grading.questions.small"] = types.SimpleNamespace(HOMEWORK=SMALL)
    honest = bench.grade

    def deadly(handed, *rest):
        if handed.key.startswith("deadly"):
            os.kill(os.getpid(), signal.SIGKILL)
        if handed.key.startswith("faulty"):
            raise ZeroDivisionError
        return honest(handed, *rest)

    bench.grade = deadly


class LocalCluster:
    """A scheduler and some workers with a nanny each.

    Args:
        folder: For their files.
        workers: How many, with how many threads each.
        preload: Modules that the workers load.
        environment: Variables to set for them.
    """

    def __init__(
        self,
        folder: Path,
        *,
        workers: int,
        threads: int = 1,
        preload: str = "_cluster",
        environment: dict | None = None,
    ):
        self.folder, self._file = folder, folder / "scheduler.json"
        self._said = open(folder / "said.txt", "w")
        self._environment = dict(os.environ) | {
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(Path(__file__).parent)]),
            "OMP_NUM_THREADS": "1",
            "TMPDIR": str(folder),
            "DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "0",
            **(environment or {}),
        }
        place = ["--host", "127.0.0.1", "--no-dashboard", "--scheduler-file", str(self._file)]
        self.scheduler = self._start("scheduler", *place, "--port", "0")
        self._wait(self._file.exists)
        options = ["--nworkers", str(workers), "--nthreads", str(threads), "--preload", preload]
        self.worker = self._start("worker", *place, *options)
        self.address = json.loads(self._file.read_text())["address"]
        self.seen: set[tuple[int, str]] = set()

    def note(self) -> None:
        """Remember every process that has been started until now."""
        self.seen |= descendants({self.scheduler.pid, self.worker.pid})

    def workers(self) -> list[int]:
        """Return the workers' process ids."""
        from distributed import Client

        with Client(self.address, set_as_default=False) as client:
            client.wait_for_workers(1, timeout=60)
            return list(client.run(os.getpid).values())

    def close(self) -> None:
        """End it as Ctrl-C does."""
        self.note()
        for process in (self.worker, self.scheduler):
            process.send_signal(signal.SIGINT)
            try:
                process.wait(30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        self._said.close()

    def left(self) -> set[tuple[int, str]]:
        """Return those of the remembered processes that still live after some seconds."""
        with contextlib.suppress(TimeoutError):
            self._wait(lambda: not self.seen & living(), seconds=10)
        return self.seen & living()

    def said(self) -> str:
        """Return what the processes wrote."""
        return (self.folder / "said.txt").read_text()

    def __enter__(self) -> "LocalCluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _start(self, role: str, *options: str) -> subprocess.Popen:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{role}", *options],
            cwd=self.folder,
            env=self._environment,
            stdout=self._said,
            stderr=subprocess.STDOUT,
        )

    def _wait(self, done, seconds: float = 60) -> None:
        deadline = time.monotonic() + seconds
        while not done():
            if time.monotonic() > deadline:
                raise TimeoutError(self.said()[-2000:])
            time.sleep(0.05)


def living() -> set[tuple[int, str]]:
    """Return all processes that aren't zombies, as (id, when started)."""
    return {(number, start) for number, _, start in _processes()}


def descendants(roots: set[int]) -> set[tuple[int, str]]:
    """Return the processes under some others, themselves included."""
    found = list(_processes())
    below = set(roots)
    while more := {number for number, parent, _ in found if parent in below} - below:
        below |= more
    return {(number, start) for number, _, start in found if number in below}


def _processes() -> Iterator[tuple[int, int, str]]:
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, parent, *rest = (folder / "stat").read_text().rpartition(")")[2].split()
            if state not in "ZX":
                yield int(folder.name), int(parent), rest[17]
