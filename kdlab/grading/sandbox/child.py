"""What happens in the child: run the cells, call the function, send what was seen.

Here the student's code and ours share a process. That is safe because nothing here is secret
and nothing here decides: whatever the child sends is read as numbers by the judge.
"""

import builtins
import linecache
import os
import socket
import sys
import types

from kdlab.grading.observe import Failure, explain, observe
from kdlab.grading.sandbox.frames import pack, split, unpack
from kdlab.grading.sandbox.inputs import from_wire, to_wire
from kdlab.grading.sandbox.proxies import make_proxy
from kdlab.grading.sandbox.seen import to_frame
from kdlab.grading.spec import Case

_CHUNK = 2**16


class Line:
    """The child's end of the line to the judge."""

    def __init__(self, connection: socket.socket) -> None:
        # Bound methods are taken now: a student's code may patch the socket module.
        self._send, self._receive = connection.sendall, connection.recv
        self._buffer = bytearray()

    def send(self, message: dict, arrays: list = ()) -> None:
        """Send one frame."""
        self._send(pack(message, list(arrays)))

    def receive(self) -> tuple[dict, list]:
        """Wait for one frame."""
        while (body := split(self._buffer)) is None:
            data = self._receive(_CHUNK)
            if not data:
                os._exit(3)
            self._buffer += data
        return unpack(body)

    def ask(self, name: str, values: tuple, names: tuple[str, ...], gradient: object) -> object:
        """Have the judge call an earlier answer; see `proxies`."""
        arrays: list = []
        message = {
            "kind": "call",
            "name": name,
            "values": [to_wire(value, arrays) for value in values],
            "names": list(names),
            "gradient": to_wire(gradient, arrays),
        }
        self.send(message, arrays)
        reply, found = self.receive()
        if "error" in reply:
            raise ValueError(reply["error"])
        values = [from_wire(pair, found) for pair in reply["values"]]
        return values if gradient is not None else values[0]


def run(connection: socket.socket) -> None:
    """Do one job, from its frame to the last one sent."""
    line = Line(connection)
    job, arrays = line.receive()
    _prepare(job)
    space = types.ModuleType("__main__")
    sys.modules["__main__"] = space
    failure = _run_cells(job, space.__dict__, line)
    line.send({"kind": "started"})
    fn = space.__dict__.get(job["function"])
    for pairs in job["cases"]:
        case = Case("", {name: from_wire(pair, arrays) for name, pair in pairs})
        line.send(*to_frame(failure or observe(fn, case, gradient_of=tuple(job["gradient_of"]))))
    line.send({"kind": "end"})


def _prepare(job: dict) -> None:
    builtins.input = _no_input
    if torch := sys.modules.get("torch"):
        torch.set_num_threads(job["threads"])


def _no_input(*_: object) -> str:
    raise EOFError("input() can't be answered where homework is graded")


def _run_cells(job: dict, space: dict, line: Line) -> Failure | None:
    """Run the cells in order; what keeps the last one from defining the function counts."""
    for name in job["references"]:
        space[name] = make_proxy(name, line.ask)
    *before, own = job["cells"]
    for label, source in before:
        _run_cell(label, source, space)
    space.pop(job["function"], None)
    failure = _run_cell(*own, space)
    if job["function"] in space:
        if failure:
            print(f"after the function was defined, its cell {failure.message}{failure.where}")
        return None
    return failure or Failure("error", f"the cell doesn't define {job['function']}")


def _run_cell(label: str, source: str, space: dict) -> Failure | None:
    name = f"<{label}>"
    linecache.cache[name] = (len(source), None, source.splitlines(keepends=True), name)
    try:
        exec(compile(source, name, "exec"), space)
    except SyntaxError as error:
        return Failure("error", f"SyntaxError: {error.msg}, in line {error.lineno} of the cell")
    except BaseException as error:
        return explain(error, {}, after=_run_cell.__name__)
    return None
