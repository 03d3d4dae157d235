"""Tiny data sets in the real formats, and a server on this machine that hands them out."""

import os
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from torchvision.datasets import MNIST

NAMES = [name for name, _ in MNIST.resources]
# Port 9 ("discard") on this machine: nobody listens, the refusal comes at once.
NOBODY = "http://127.0.0.1:9/"
REAL_DATA = os.environ.get("KDLAB_DATA", "")


def idx(values: np.ndarray) -> bytes:
    """Return an array of bytes as an IDX file."""
    shape = b"".join(size.to_bytes(4, "big") for size in values.shape)
    return bytes((0, 0, 8, values.ndim)) + shape + values.astype(np.uint8).tobytes()


def files_under(folder: Path) -> list[str]:
    """Return every file below a folder, by its path from there."""
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


class Server(ThreadingHTTPServer):
    """Serves `contents`; the other attributes say where it misbehaves."""

    daemon_threads = True

    def __init__(self, contents: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.contents = contents
        self.cut, self.stalling, self.missing = set(), set(), set()
        self.meeting: threading.Barrier | None = None
        self.closing = threading.Event()
        self.asked: list[str] = []

    @property
    def mirror(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/"

    def handle_error(self, request, client_address):
        """Say nothing of a client that hangs up: torchvision does so at every redirect check."""


class _Handler(BaseHTTPRequestHandler):
    def do_HEAD(self):
        self._answer(body=False)

    def do_GET(self):
        self._answer(body=True)

    def _answer(self, body):
        name, server = self.path.removeprefix("/"), self.server
        server.asked.append(name)
        if name in server.missing:
            return self.send_error(404)
        content = server.contents[name]
        if body and server.meeting and name == NAMES[0]:
            server.meeting.wait(60)
        self.send_response(200)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            broken = name in server.cut | server.stalling
            self.wfile.write(content[: len(content) // 2] if broken else content)
        if body and name in server.stalling:
            server.closing.wait(60)

    def log_message(self, *arguments):
        pass


@contextmanager
def running(server: Server):
    """Let a server answer in a thread; it is gone afterwards."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.closing.set()
        server.shutdown()
        thread.join()
