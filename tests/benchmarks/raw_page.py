"""A page of Chromium as a reader has it: nobody listens to it but for what we ask.

Playwright mirrors every message of the page's websockets into its driver, which costs as much
as the kernel's own work and would be measured with it. So it opens the notebook, and leaves.
"""

import contextlib
import itertools
import json
import subprocess
import time
import urllib.request
from pathlib import Path

import websocket

from tests.browser import conftest


@contextlib.contextmanager
def chromium(profile: Path, port: int):
    """Run a Chromium of its own, without a screen, that can be spoken to on a port."""
    place = [f"--remote-debugging-port={port}", f"--user-data-dir={profile}"]
    look = ["--headless", "--window-size=1280,990"]
    command = [*conftest.command(), *look, *place, "about:blank"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    process = subprocess.Popen(command, **quiet)
    try:
        _wait_for(f"http://127.0.0.1:{port}/json/version")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(address: str, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=2).close()
            return
        time.sleep(0.2)
    raise RuntimeError(f"Chromium did not answer within {seconds:.0f} s")


class RawPage:
    """One page, by Chromium's own protocol."""

    def __init__(self, address: str, name: str) -> None:
        with urllib.request.urlopen(f"{address}/json", timeout=10) as answer:
            pages = [each for each in json.load(answer) if name in each["url"]]
        socket = pages[0]["webSocketDebuggerUrl"]
        self.socket = websocket.create_connection(socket, suppress_origin=True, timeout=60)
        self.numbers = itertools.count(1)

    def tell(self, method: str, **params) -> int:
        """Send a command and do not wait until it is done."""
        call = {"id": next(self.numbers), "method": method, "params": params}
        self.socket.send(json.dumps(call))
        return call["id"]

    def evaluate(self, function: str, *arguments):
        """Call a JavaScript function in the page and return what it gives, awaited."""
        call = f"({function})({', '.join(map(json.dumps, arguments))})"
        how = {"returnByValue": True, "awaitPromise": True, "replMode": False}
        number = self.tell("Runtime.evaluate", expression=call, **how)
        while (answer := json.loads(self.socket.recv())).get("id") != number:
            pass
        result = answer["result"]
        if "exceptionDetails" in result:
            raise RuntimeError(result["exceptionDetails"]["exception"].get("description"))
        return result["result"].get("value")

    def press(self, key: str) -> None:
        """Press and release a key."""
        for kind in ("keyDown", "keyUp"):
            self.tell("Input.dispatchKeyEvent", type=kind, key=key)

    def mouse(self, kind: str, place: tuple[float, float]) -> None:
        """Send one event of the mouse: mousePressed, mouseMoved or mouseReleased."""
        where = {"x": place[0], "y": place[1], "button": "left", "buttons": 1, "clickCount": 1}
        self.tell("Input.dispatchMouseEvent", type=kind, **where)
