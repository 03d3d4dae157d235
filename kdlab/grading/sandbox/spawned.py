"""Without walls: one new interpreter a question, for machines that can't isolate.

It is slower, it keeps a crash or a loop from ending the batch, and it guards against nothing
else. Grades made so are marked "unisolated".
"""

import contextlib
import importlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence

from kdlab.grading.sandbox.frames import LARGEST, pack, split, unpack
from kdlab.grading.sandbox.isolation import unisolated
from kdlab.grading.sandbox.lane import LARGEST_OUTPUT, Answer, Ending, Limits
from kdlab.grading.sandbox.starting import start_command

_CHUNK = 2**16
_START_SECONDS = 30.0


def isolation() -> str:
    """Say that there is none."""
    return unisolated(f"no walls on {platform.system()} {platform.machine()}")


class SpawnLane:
    """One child at a time, each a new interpreter; the same `run` as `lane.Lane`.

    Args:
        imports: Packages that each child loads at its start.
    """

    def __init__(self, imports: Sequence[str]) -> None:
        self._settings = {"imports": list(imports)}

    def run(self, job: tuple[dict, list], limits: Limits, answer: Answer) -> Ending:
        """Run one job to its end."""
        ending, started = Ending(), time.monotonic()
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            with self._start(folder) as process:
                _exchange(process, pack(*job), limits, answer, ending)
        ending.cpu = time.monotonic() - started if ending.why == "time" else 0.0
        ending.signal = -process.returncode if process.returncode < 0 and not ending.why else 0
        return ending

    def _start(self, folder: str) -> subprocess.Popen:
        return subprocess.Popen(
            start_command("spawned", self._settings),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=folder,
        )


def _exchange(process, job: bytes, limits: Limits, answer: Answer, ending: Ending) -> None:
    """Talk in two threads, so that a child that doesn't listen can't hold us."""
    threads = [
        threading.Thread(target=_talk, args=(process, job, answer, ending), daemon=True),
        threading.Thread(target=_listen, args=(process.stderr, ending), daemon=True),
    ]
    for thread in threads:
        thread.start()
    try:
        process.wait(limits.wall + _START_SECONDS)
    except subprocess.TimeoutExpired:
        ending.why = "time"
        process.kill()
    for thread in threads:
        thread.join(1)


def _talk(process, job: bytes, answer: Answer, ending: Ending) -> None:
    buffer, received = bytearray(), 0
    with contextlib.suppress(OSError, ValueError):
        process.stdin.write(job)
        process.stdin.flush()
        while (data := os.read(process.stdout.fileno(), _CHUNK)) and received <= LARGEST:
            received += len(data)
            buffer += data
            while (body := split(buffer)) is not None:
                _take(*unpack(body), process, answer, ending)


def _take(message: dict, arrays: list, process, answer: Answer, ending: Ending) -> None:
    if message.get("kind") == "call":
        process.stdin.write(pack(*answer(message, arrays)))
        process.stdin.flush()
    else:
        ending.frames.append((message, arrays))


def _listen(stream, ending: Ending) -> None:
    with contextlib.suppress(OSError, ValueError):
        while data := os.read(stream.fileno(), _CHUNK):
            ending.printed += len(data)
            ending.output += data[: max(0, LARGEST_OUTPUT - len(ending.output))]


class _Pipes:
    """Two pipes with the methods of a socket that `child.Line` uses."""

    def __init__(self) -> None:
        self._in, self._out = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        # What is printed must not end up among the frames.
        os.dup2(2, 1)

    def recv(self, size: int) -> bytes:
        return os.read(self._in, size)

    def sendall(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            view = view[os.write(self._out, view) :]


def main(argument: str) -> None:
    """Be a child: do the job that comes on standard input."""
    from kdlab.grading.sandbox import child
    from kdlab.grading.sandbox.absent import hide_kdlab

    for name in json.loads(argument)["imports"]:
        importlib.import_module(name)
    pipes = _Pipes()
    hide_kdlab()
    child.run(pipes)
    sys.stdout.flush()
    # Threads that the answer left must not hold us.
    os._exit(0)
