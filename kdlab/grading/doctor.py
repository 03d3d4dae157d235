"""Say what isolation this machine gives: every wall is tried by code that runs against it."""

import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from kdlab.grading.observe import Failure
from kdlab.grading.plain import Plain
from kdlab.grading.sandbox.box import Sandbox
from kdlab.grading.sandbox.frames import BadFrame
from kdlab.grading.sandbox.isolation import is_isolated
from kdlab.grading.sandbox.lane import Ending, Lane, Limits
from kdlab.grading.sandbox.seen import from_frame

_LIMITS = Limits(cpu=2, wall=4, memory=256, disk=8)
_OPEN = "OPEN"


@dataclass(frozen=True)
class Probe:
    """One attempt.

    Attributes:
        wall: What should hold.
        code: Body of a function of ``place``; it returns "OPEN" where it got through.
        ends: Whether the wall may hold by ending the process.
    """

    wall: str
    code: str
    ends: bool = False


PROBES = (
    Probe("other files can't be read", "return 'OPEN' if open(place + '/canary').read() else ''"),
    Probe("kdlab's own files can't be read", "return 'OPEN' if open(package).read() else ''"),
    Probe("other files can't be written", "open(place + '/canary', 'a').write('x'); return 'OPEN'"),
    Probe("other folders can't be listed", "os.listdir(place); return 'OPEN'"),
    Probe("permissions can't be changed", "os.chmod(place + '/canary', 0); return 'OPEN'"),
    Probe("other files can't be removed", "os.unlink(place + '/canary'); return 'OPEN'"),
    Probe("references can't be imported", "import kdlab.losses; return 'OPEN'"),
    Probe("the grader's memory can't be read", "open(f'/proc/{grader}/mem', 'rb'); return 'OPEN'"),
    Probe("no network", "socket.create_connection(('127.0.0.1', port), 2); return 'OPEN'"),
    Probe("no process can be forked", "os.fork() or os._exit(0); return 'OPEN'"),
    Probe("no program can be started", "subprocess.run([sys.executable, '-V']); return 'OPEN'"),
    Probe("other processes get no signals", "os.kill(grader, 0); return 'OPEN'"),
    Probe("memory is limited", "mmap.mmap(-1, 2**32); return 'OPEN'"),
    Probe("time is limited", "while True: pass", ends=True),
    Probe("sleep is limited", "time.sleep(60); return 'OPEN'", ends=True),
    Probe("disk is limited", "[fill(n) for n in range(40)]; return 'OPEN'", ends=True),
    Probe("endless output is cut", "print('x' * 50_000_000); return ''"),
)
_HEAD = """
import mmap, os, socket, subprocess, sys, time
def fill(n):
    with open(f"fill{n}", "wb") as file:
        file.write(bytes(2**20)); file.flush(); time.sleep(0.05)
def probe(place, package, grader, port):
    try:
"""
_TAIL = """
    except (OSError, ImportError, MemoryError) as error:
        return type(error).__name__
"""


def examine() -> int:
    """Print what stands and what doesn't; return 0 where everything holds, else 1."""
    with Sandbox(("numpy",)) as sandbox, surroundings() as inputs:
        works = _work(sandbox.lanes[0])
        held = {probe.wall: holds(probe, sandbox.lanes[0], inputs) for probe in PROBES}
    for wall, stands in held.items():
        print(f"{'held' if stands else _OPEN:<6}{wall}")
    print(f"{'yes' if works else 'NO':<6}ordinary code runs")
    print(f"\n{sandbox.isolation}")
    isolated = all(held.values()) and works and is_isolated(sandbox.isolation)
    print(_ADVICE if not isolated else "Submissions are graded apart from each other and from you.")
    return 0 if isolated else 1


_ADVICE = """Grades made here are marked "unisolated": code in a submission can read and change what
you can. Grade on Linux with kernel 5.13 or newer (Landlock), on x86_64 or aarch64; installing
bubblewrap adds a second wall. Elsewhere, use a Linux container or virtual machine that holds
nothing but the submissions."""


def holds(probe: Probe, lane: Lane, inputs: dict[str, object]) -> bool:
    """Tell whether a wall holds; an attempt that could not be made at all doesn't count as held."""
    said, ending = _run(probe.code, lane, inputs)
    if said is None:
        return probe.ends and bool(ending.why or ending.signal)
    return said != _OPEN


def _work(lane: Lane) -> bool:
    code = "import numpy; return str(numpy.arange(4).sum())"
    nothing = {"place": "", "package": "", "grader": 0, "port": 0}
    return _run(code, lane, nothing)[0] == "6"


def _run(code: str, lane: Lane, inputs: dict[str, object]) -> tuple[Plain | None, Ending]:
    job = {
        "function": "probe",
        "cells": [["probe", f"{_HEAD}        {code}{_TAIL}"]],
        "references": [],
        "gradient_of": [],
        "threads": 1,
        "cases": [[[name, ["plain", value]] for name, value in inputs.items()]],
    }
    ending = lane.run((job, []), _LIMITS, lambda message, arrays: ({"error": "no"}, []))
    seen = [_value(frame) for frame in ending.frames if frame[0].get("kind") == "seen"]
    return (seen[0] if seen else None), ending


def _value(frame: tuple[dict, list]) -> Plain | None:
    try:
        seen = from_frame(*frame)
    except BadFrame:
        return None
    return None if isinstance(seen, Failure) else seen.value


@contextmanager
def surroundings() -> Iterator[dict[str, object]]:
    """Make what the probes are after: a file, a listening port, and ourselves."""
    package = Path(__file__).resolve().parents[1] / "losses" / "logits.py"
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as server:
        (Path(folder) / "canary").write_text("canary")
        port = server.getsockname()[1]
        yield {"place": folder, "package": str(package), "grader": os.getpid(), "port": port}
