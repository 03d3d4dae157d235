"""The box: what goes in comes out, every wall stands, and every ending has its name."""

import os
import signal
import stat
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from kdlab.grading.doctor import PROBES, holds
from kdlab.grading.doctor import surroundings as make_surroundings
from kdlab.grading.sandbox.box import WALLS, Sandbox
from kdlab.grading.sandbox.lane import Limits, ServerEnded
from kdlab.grading.sandbox.spawned import SpawnLane

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="walls are Linux's")
LIMITS = Limits(cpu=1, wall=8, memory=256, disk=8)


def job(source: str, *, references=(), cases=1, gradient_of=()) -> tuple[dict, list]:
    """Return a job whose function ``f`` gets x, four float32 numbers."""
    said = {
        "function": "f",
        "cells": [["cell", source]],
        "references": list(references),
        "gradient_of": list(gradient_of),
        "threads": 1,
        "cases": [[["x", ["array", 0]]]] * cases,
    }
    return said, [np.arange(4, dtype=np.float32)]


def refuse(message: dict, arrays: list) -> tuple[dict, list]:
    return {"error": "no earlier answers here"}, []


def run(lane, source: str, answer=refuse, **options):
    return lane.run(job(source, **options), LIMITS, answer)


def kinds(ending) -> list[str]:
    return [message["kind"] for message, _ in ending.frames]


def failure(ending) -> str:
    return ending.frames[1][0]["failure"]["message"]


@pytest.fixture(scope="module")
def box():
    with Sandbox(("numpy",)) as opened:
        yield opened


@pytest.fixture(scope="module")
def lane(box):
    return box.lanes[0]


@pytest.fixture(scope="module", params=["walls", "spawned"])
def any_lane(request, lane):
    return lane if request.param == "walls" else SpawnLane(("numpy",))


@pytest.fixture(scope="module")
def surroundings():
    with make_surroundings() as inputs:
        yield inputs


@pytest.mark.parametrize("probe", PROBES, ids=[probe.wall for probe in PROBES])
def test_every_wall_holds(probe, lane, surroundings):
    assert holds(probe, lane, surroundings)


@pytest.mark.parametrize(
    ("walls", "opened"),
    [
        ((), {"other files can't be read", "no network", "no process can be forked"}),
        (("landlock", "privileges"), {"no process can be forked"}),
        (("seccomp", "privileges"), {"other files can't be read", "other files can't be written"}),
        (("bubblewrap",), {"kdlab's own files can't be read", "no process can be forked"}),
    ],
    ids=str,
)
def test_without_a_wall_its_probe_gets_through(walls, opened):
    chosen = [probe for probe in PROBES if probe.wall in opened]
    with Sandbox(("numpy",), walls=walls) as box, make_surroundings() as inputs:
        assert {probe.wall for probe in chosen if not holds(probe, box.lanes[0], inputs)} == opened
        assert box.isolation.startswith("unisolated: no ")


def test_the_isolation_names_what_stands(box):
    assert box.isolation.startswith("Landlock ") and "seccomp" in box.isolation


def test_bubblewrap_is_not_needed():
    walls = [wall for wall in WALLS if wall != "bubblewrap"]
    with Sandbox(("numpy",), walls=walls) as box:
        assert "bubblewrap" not in box.isolation and box.isolation.startswith("Landlock ")
        assert kinds(run(box.lanes[0], "def f(x): return x")) == ["started", "seen", "end"]


def test_values_cross(any_lane):
    ending = run(any_lane, "def f(x): return {'a': x * 2, 'b': ('t', 1.5)}", cases=2)
    assert kinds(ending) == ["started", "seen", "seen", "end"]
    message, arrays = ending.frames[2]
    assert message["value"]["dict"][0] == ["a", {"npy": 0}]
    assert arrays[0].tolist() == [0, 2, 4, 6]


def test_what_is_printed_comes_and_is_cut(any_lane):
    ending = run(any_lane, "def f(x):\n    print('hello'); print('y' * 10**6); return x")
    assert bytes(ending.output[:6]) == b"hello\n" and len(ending.output) == 16 * 2**10
    assert ending.printed == 6 + 10**6 + 1
    assert kinds(ending)[-1] == "end"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("1 / 0", "raised ZeroDivisionError: division by zero"),
        ("input('name? ')", "raised EOFError: input() can't be answered"),
        ("import kdlab.losses", "raised ModuleNotFoundError: kdlab.losses is not there where"),
        ("raise SystemExit(3)", "raised SystemExit: 3"),
    ],
)
def test_an_exception_comes_as_a_failure(any_lane, body, message):
    assert failure(run(any_lane, f"def f(x): {body}")).startswith(message)


def test_a_syntax_error_is_told_with_its_line(any_lane):
    found = failure(run(any_lane, "def g(): pass\ndef f(x) return x"))
    assert found == "SyntaxError: expected ':', in line 2 of the cell"


def test_a_missing_function_is_told(any_lane):
    assert failure(run(any_lane, "def g(x): return x")) == "the cell doesn't define f"


def test_check_is_there_and_does_nothing(any_lane):
    cell = "from kdlab.grading import check\nassert check('hw1-q1', 1)\ncheck('a', 2).require()\n"
    assert kinds(run(any_lane, cell + "def f(x): return x")) == ["started", "seen", "end"]


@pytest.mark.parametrize(
    ("body", "why", "number"),
    [
        ("while True: pass", "", signal.SIGXCPU),
        ("signal.signal(signal.SIGXCPU, signal.SIG_IGN)\n    while True: pass", "", 9),
        ("import time; time.sleep(60)", "time", 9),
        ("import os; os._exit(0)", "", 0),
        ("import os; os.kill(os.getpid(), 11)", "", 11),
    ],
)
def test_every_end_has_its_reason(lane, body, why, number):
    ending = run(lane, f"import signal\ndef f(x):\n    {body}")
    assert (ending.why, ending.signal) == (why, number)
    assert kinds(ending) == ["started"]


def test_too_much_on_disk_ends_it(lane):
    body = "open(str(n), 'wb').write(bytes(2**22)); time.sleep(0.1)"
    ending = run(lane, f"import time\ndef f(x):\n    for n in range(30): {body}")
    assert ending.why == "disk"


def test_the_private_folder_is_empty_for_the_next_one(lane):
    write = "import os\ndef f(x):\n    os.makedirs('a/b'); open('a/b/c', 'w').close(); return x"
    assert kinds(run(lane, write))[-1] == "end"
    listing = run(lane, "import os\ndef f(x): return ' '.join(os.listdir('.')) or 'empty'")
    assert listing.frames[1][0]["value"] == {"text": "empty"}


@pytest.mark.parametrize(
    "make",
    [
        "for n in range(3000): os.mkdir('d'); os.chdir('d')",
        "[open(str(n), 'w').close() for n in range(500)]; os.mkfifo('p'); os.symlink('p', 'l')",
        "os.makedirs('.up-0-1/.up-0-2'); os.mkdir('a'); open('a/.up-1-1', 'w').close()",
    ],
)
def test_the_private_folder_is_emptied_whatever_was_made(lane, make):
    run(lane, f"import os\ndef f(x):\n    {make}\n    return x")
    listing = run(lane, "import os\ndef f(x): return ' '.join(os.listdir('.')) or 'empty'")
    assert listing.frames[1][0]["value"] == {"text": "empty"}


def test_a_child_holds_no_file_but_its_streams_and_its_line(lane):
    code = (
        "import os, stat\ndef kind(n):\n    try: return stat.S_IFMT(os.fstat(n).st_mode)\n"
        "    except OSError: return 0\n"
        "def f(x): return [kind(n) for n in range(256) if kind(n)]"
    )
    ending = run(lane, code)
    kinds = ending.frames[1][1][0].tolist()
    assert kinds == [stat.S_IFCHR, stat.S_IFIFO, stat.S_IFIFO, stat.S_IFSOCK]


def test_a_call_of_an_earlier_answer_is_answered_here(any_lane):
    def answer(message, arrays):
        assert (message["name"], message["names"]) == ("earlier", ["by"])
        return {"values": [["array", 0]]}, [arrays[0] * 10]

    source = "def f(x): return earlier(x, by=2) + 1"
    ending = run(any_lane, source, answer, references=["earlier"])
    assert ending.frames[1][1][0].tolist() == [1, 11, 21, 31]


def test_the_name_of_a_reference_holds_nothing_of_it(lane):
    source = "def f(x): return repr(earlier) + repr(earlier.__closure__) + repr(vars(earlier))"
    ending = run(lane, source, references=["earlier"])
    text = ending.frames[1][0]["value"]["text"]
    assert "make_proxy" in text and "reference" not in text


def test_a_bad_frame_is_told_and_the_next_job_runs(lane):
    forge = (
        "import os, socket, struct\ndef f(x):\n    for n in range(3, 64):\n"
        "        try: socket.socket(fileno=n).sendall(struct.pack('>Q', 2**62))\n"
        "        except OSError: pass\n    os._exit(0)"
    )
    assert "at most" in run(lane, forge).bad
    assert kinds(run(lane, "def f(x): return x"))[-1] == "end"


def test_the_server_ends_with_us():
    box = Sandbox(("numpy",)).wait()
    process = box._process
    box.close()
    assert process.poll() is not None
    with pytest.raises((ServerEnded, OSError)):
        run(box.lanes[0], "def f(x): return x")


def test_a_child_ends_when_the_grader_is_gone():
    box = Sandbox(("numpy",)).wait()
    body = "import time\ndef f(x):\n    print('asleep', flush=True); time.sleep(50)"
    request = job(body)
    pid = os.fork()
    if pid == 0:
        box.lanes[0].run(request, Limits(40, 45, 256), refuse)
        os._exit(0)
    time.sleep(1)
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    group = box._process.pid
    for control in box._controls:
        control.close()
    box._process.wait(10)
    deadline = time.monotonic() + 10
    while _alive_in_session(group) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert _alive_in_session(group) == []
    box.close()


def _alive_in_session(session: int) -> list[int]:
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            fields = (folder / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(folder.name))
    return found
