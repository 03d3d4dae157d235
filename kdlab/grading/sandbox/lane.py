"""The grader's end: hand one job to a child and collect what comes, within bounds."""

import array
import contextlib
import json
import selectors
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from os import close, pipe, read
from typing import Protocol, runtime_checkable

from kdlab.grading.sandbox.frames import LARGEST, BadFrame, pack, split, unpack

_CHUNK = 2**18
LARGEST_OUTPUT = 16 * 2**10
_MOST_FRAMES = 20_000
_MOST_ARRAYS = 50_000
_REPLY = 2**16
_END_WAIT = 5.0

Answer = Callable[[dict, list], tuple[dict, list]]


class ServerEnded(OSError):
    """The sandbox's server is gone; a new one must be started."""


@dataclass(frozen=True)
class Limits:
    """What one child may use: CPU and wall seconds, memory and disk in MiB."""

    cpu: float
    wall: float
    memory: int
    disk: int = 64


@dataclass
class Ending:
    """What came of one job.

    Attributes:
        frames: What the child sent, as (message, arrays).
        output: What it printed, its first part.
        printed: How many bytes that were in all.
        why: Why it was ended: "time", "disk", or "" where it ended by itself.
        signal: The signal that ended it, or 0.
        cpu: Seconds of CPU.
        bad: What was wrong with the last thing it sent, or "".
    """

    frames: list[tuple[dict, list]] = field(default_factory=list)
    output: bytearray = field(default_factory=bytearray)
    printed: int = 0
    why: str = ""
    signal: int = 0
    cpu: float = 0.0
    bad: str = ""


@runtime_checkable
class AnyLane(Protocol):
    """What runs one job at a time, with walls (`Lane`) or without (`spawned.SpawnLane`)."""

    def run(self, job: tuple[dict, list], limits: Limits, answer: Answer) -> Ending:
        """Run one job to its end."""


class Lane:
    """One child at a time.

    Args:
        control: The socket to the server.
    """

    def __init__(self, control: socket.socket) -> None:
        self._control = control
        self._asked = 0

    def run(self, job: tuple[dict, list], limits: Limits, answer: Answer) -> Ending:
        """Run one job to its end.

        Raises:
            ServerEnded: The server is gone.
        """
        self._asked += 1
        ours, theirs = socket.socketpair()
        output, write_end = pipe()
        with contextlib.closing(ours), contextlib.ExitStack() as stack:
            stack.callback(close, output)
            try:
                self._request(limits, theirs.fileno(), write_end)
            finally:
                theirs.close()
                close(write_end)
            return _Exchange(ours, output, self._control, self._asked, answer).run(pack(*job))

    def _request(self, limits: Limits, *descriptors: int) -> None:
        request = {
            "id": self._asked,
            "cpu": limits.cpu,
            "wall": limits.wall,
            "memory": limits.memory * 2**20,
            "disk": limits.disk * 2**20,
        }
        passed = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", descriptors))]
        try:
            self._control.sendmsg([json.dumps(request).encode()], passed)
        except OSError as error:
            raise ServerEnded(f"the sandbox has ended: {error}") from None


class _Exchange:
    """One job's three streams: the line to the child, its output, the server's last word."""

    def __init__(self, line, output: int, control, number: int, answer: Answer) -> None:
        self._line, self._output, self._control = line, output, control
        self._number, self._answer = number, answer
        self._incoming, self._outgoing = bytearray(), memoryview(b"")
        self._received = self._arrays = 0
        self._selector = selectors.DefaultSelector()
        self._ending = Ending()

    def run(self, job: bytes) -> Ending:
        self._line.setblocking(False)
        self._outgoing = memoryview(job)
        with self._selector as selector:
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            selector.register(self._line, both, self._exchange)
            selector.register(self._output, selectors.EVENT_READ, self._read_output)
            selector.register(self._control, selectors.EVENT_READ, None)
            self._until_the_end(selector)
        return self._ending

    def _until_the_end(self, selector: selectors.BaseSelector) -> None:
        done = False
        while True:
            # After the server's word the child is dead: what is left is read without waiting.
            ready = selector.select(0 if done else None)
            for key, mask in ready:
                if key.data is not None:
                    key.data(mask)
                elif not done:
                    done = self._read_control()
            if done and not any(key.data is not None for key, _ in ready):
                return

    def _read_control(self) -> bool:
        try:
            data = self._control.recv(_REPLY)
        except OSError:
            data = b""
        if not data:
            raise ServerEnded("the sandbox has ended")
        word = json.loads(data)
        # An older number belongs to a job whose grader was ended.
        if word["id"] != self._number:
            return False
        self._selector.unregister(self._control)
        self._ending.why, self._ending.signal = word["why"], word["signal"]
        self._ending.cpu = word["cpu"]
        return True

    def _read_output(self, mask: int) -> None:
        data = read(self._output, _CHUNK)
        if not data:
            self._selector.unregister(self._output)
            return
        self._ending.printed += len(data)
        room = LARGEST_OUTPUT - len(self._ending.output)
        self._ending.output += data[: max(0, room)]

    def _exchange(self, mask: int) -> None:
        try:
            if mask & selectors.EVENT_WRITE:
                self._write()
            if mask & selectors.EVENT_READ:
                self._read()
        except BadFrame as error:
            self._hang_up(str(error))
        except BlockingIOError:
            return
        except OSError:
            self._hang_up("")

    def _write(self) -> None:
        sent = self._line.send(self._outgoing[:_CHUNK])
        self._outgoing = self._outgoing[sent:]
        if not self._outgoing:
            self._selector.modify(self._line, selectors.EVENT_READ, self._exchange)

    def _read(self) -> None:
        data = self._line.recv(_CHUNK)
        if not data:
            self._hang_up("")
            return
        self._received += len(data)
        self._incoming += data
        if self._received > LARGEST or len(self._ending.frames) > _MOST_FRAMES:
            raise BadFrame(f"more than {LARGEST} bytes or {_MOST_FRAMES} values")
        while (body := split(self._incoming)) is not None:
            self._take(*unpack(body))

    def _take(self, message: dict, arrays: list) -> None:
        self._arrays += len(arrays)
        if self._arrays > _MOST_ARRAYS:
            raise BadFrame(f"more than {_MOST_ARRAYS} arrays")
        if message.get("kind") != "call":
            self._ending.frames.append((message, arrays))
            return
        reply = pack(*self._answer(message, arrays))
        self._outgoing = memoryview(bytes(self._outgoing) + reply)
        both = selectors.EVENT_READ | selectors.EVENT_WRITE
        self._selector.modify(self._line, both, self._exchange)

    def _hang_up(self, why: str) -> None:
        """Listen no longer; the child goes on to its end or to its limit."""
        self._ending.bad = self._ending.bad or why
        self._selector.unregister(self._line)
        self._line.close()
