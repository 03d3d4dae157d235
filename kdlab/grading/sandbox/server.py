"""The server: imports once, puts up its walls, then forks one child a question.

It is started as a new interpreter (`python -I`), so that it inherits no reference from the
grader; and it never reads what a student wrote: each child gets its own line to the judge,
which the server only hands through.
"""

import array
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import tempfile
import traceback
from dataclasses import dataclass
from pathlib import Path

from kdlab.grading.sandbox import child, pages, paths, quota
from kdlab.grading.sandbox.absent import hide_kdlab
from kdlab.grading.sandbox.patience import Patience
from kdlab.grading.sandbox.walls import landlock, limits, seccomp

_TICK = 0.05
_LARGEST_REQUEST = 2**16


@dataclass(frozen=True)
class _Confines:
    """What bounds every child of a lane: its folder, its walls, the bytes mapped before it runs."""

    private: Path
    walls: set[str]
    mapped: int


def main(argument: str) -> None:
    """Serve until the grader's end of every lane is closed.

    Args:
        argument: JSON with "imports", "lanes" (numbers of inherited sockets), "private" (one
            folder a lane), and "walls" (which ones to put up).
    """
    settings = json.loads(argument)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for name in settings["imports"]:
        importlib.import_module(name)
    _warm_up()
    hide_kdlab()
    gc.collect()
    gc.freeze()
    pages.collapse()
    for place, lane in enumerate(settings["lanes"][1:], start=1):
        if os.fork() == 0:
            _serve_lane(settings, place, lane)
    _serve_lane(settings, 0, settings["lanes"][0])


def _warm_up() -> None:
    """Load what torch loads at its first use; no thread is started by it."""
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(1)
        with torch.inference_mode():
            (torch.ones(2, 2) @ torch.ones(2, 2)).softmax(dim=0).sum().item()


def _serve_lane(settings: dict, place: int, number: int) -> None:
    for other in settings["lanes"]:
        if other != number:
            os.close(other)
    # Behind the walls /proc can't be read.
    mapped = limits.mapped()
    confines = _Confines(Path(settings["private"][place]), set(settings["walls"]), mapped)
    standing = _put_up_walls(confines)
    control = socket.socket(fileno=number)
    # The grader may go at any time.
    with contextlib.suppress(ConnectionError):
        control.send(json.dumps(standing).encode())
        while request := _receive(control):
            control.send(json.dumps(_serve_one(*request, confines, control)).encode())
    # Nothing is left to do at exit, and some packages complain there.
    os._exit(0)


def _put_up_walls(confines: _Confines) -> dict:
    """Confine this process and all its children; each child adds seccomp, with its own number."""
    private, walls = confines.private, confines.walls
    private.mkdir(exist_ok=True)
    abi = landlock.restrict(paths.rules(private)) if "landlock" in walls else 0
    if "privileges" in walls:
        limits.drop_privileges()
    return {"landlock": abi, "seccomp": "seccomp" in walls and seccomp.is_known()}


def _receive(control: socket.socket) -> tuple[dict, list[int]] | None:
    """Wait for one request and the child's two descriptors; None when the grader is gone."""
    room = socket.CMSG_LEN(2 * array.array("i").itemsize)
    data, extra, _, _ = control.recvmsg(_LARGEST_REQUEST, room)
    if not data:
        return None
    numbers = array.array("i")
    for _, _, content in extra:
        numbers.frombytes(content)
    return json.loads(data), list(numbers)


def _serve_one(
    request: dict, numbers: list[int], confines: _Confines, control: socket.socket
) -> dict:
    parent, process = os.getpid(), os.fork()
    if process == 0:
        _become_child(request, numbers, confines, control, parent)
    for number in numbers:
        os.close(number)
    patience = Patience(process, request["wall"])
    why = _wait(process, patience, confines.private, request["disk"], control)
    _, status, used = os.wait4(process, 0)
    quota.empty(confines.private)
    number = os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0
    cpu = used.ru_utime + used.ru_stime
    return {"id": request["id"], "why": why, "signal": number, "cpu": cpu}


def _become_child(
    request: dict, numbers: list[int], confines: _Confines, control: socket.socket, parent: int
) -> None:
    """Confine this process and run the job; never returns."""
    try:
        limits.end_with_parent(parent)
        control.close()
        connection = socket.socket(fileno=numbers[0])
        _redirect(numbers[1])
        _enter(confines.private)
        limits.limit(seconds=request["cpu"], memory=confines.mapped + request["memory"])
        if "seccomp" in confines.walls and seccomp.is_known():
            seccomp.restrict()
        child.run(connection)
    except BaseException:
        # What the student's code broke, or we did, is told with what it printed.
        os.write(2, traceback.format_exc().encode(errors="replace"))
    finally:
        # Whatever happens, this process must not go on as a second server.
        os._exit(0)


def _redirect(output: int) -> None:
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(output, 1)
    os.dup2(output, 2)
    os.close(nothing)
    os.close(output)
    # Line by line: what was printed before a crash is seen. New objects, because those of the
    # start may belong to a file, whose place they would look for.
    sys.stdout, sys.stderr = (
        open(number, "w", buffering=1, encoding="utf-8", errors="replace", closefd=False)
        for number in (1, 2)
    )


def _enter(private: Path) -> None:
    os.chdir(private)
    os.umask(0o077)
    os.environ.clear()
    os.environ |= {"HOME": str(private), "TMPDIR": str(private), "PATH": "", "LANG": "C.UTF-8"}
    # It may have been looked up before, where there was another one.
    tempfile.tempdir = str(private)


def _wait(
    process: int, patience: Patience, private: Path, disk: int, control: socket.socket
) -> str:
    """Wait for the child's end, or end it: too late, too much on disk, or the grader is gone."""
    handle = os.pidfd_open(process)
    poll = select.poll()
    poll.register(handle, select.POLLIN)
    poll.register(control, select.POLLIN)
    why = ""
    while not why:
        ready = {number for number, _ in poll.poll(_TICK * 1000)}
        if handle in ready:
            break
        why = _reason_to_end(patience, private, disk, control.fileno() in ready)
    if why:
        os.kill(process, signal.SIGKILL)
    os.close(handle)
    return why


def _reason_to_end(patience: Patience, private: Path, disk: int, alone: bool) -> str:
    if alone:
        return "the grader has ended"
    if patience.is_over():
        return "time"
    return "disk" if quota.is_over(private, disk) else ""
