"""The server extension, on a real Jupyter Server with a real kernel."""

import asyncio
import json
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
from types import SimpleNamespace

import pytest
from tornado.websocket import websocket_connect

from kdlab import server

#: An extension that tells TCP_NODELAY of every open kernel websocket, as the server sees it.
PROBE = """
import gc, json, socket
from jupyter_server.base.handlers import JupyterHandler
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado import web

class Probe(JupyterHandler):
    @web.authenticated
    def get(self):
        opened = [h for h in gc.get_objects() if isinstance(h, KernelWebsocketHandler)]
        sockets = [h.ws_connection.stream.socket for h in opened if h.ws_connection]
        options = [bool(s.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)) for s in sockets]
        self.finish(json.dumps(options))

def _jupyter_server_extension_points():
    return [{"module": "probe"}]

def _load_jupyter_server_extension(app):
    app.web_app.add_handlers(".*", [("/probe", Probe)])
"""


def ask(port: int, path: str, *, method: str = "GET"):
    """Return the JSON answer of the server."""
    body = b"{}" if method == "POST" else None
    headers = {"Authorization": "token secret", "Content-Type": "application/json"}
    url = f"http://127.0.0.1:{port}/{path}"
    request = urllib.request.Request(url, data=body, method=method, headers=headers)
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read() or b"null")


def until_up(port: int, process: subprocess.Popen) -> None:
    """Wait until the server answers."""
    for _ in range(600):
        assert process.poll() is None, "the server ended"
        try:
            ask(port, "api")
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError("the server does not answer")


@pytest.fixture
def start(tmp_path):
    """Return a function that starts a server with these extensions, and its log's path."""
    (tmp_path / "probe.py").write_text(PROBE)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    log, running = tmp_path / "log", []
    places = {f"JUPYTER_{kind}_DIR": str(tmp_path / kind) for kind in ("CONFIG", "RUNTIME")}
    environment = os.environ | places | {"PYTHONPATH": str(tmp_path), "IPYTHONDIR": str(tmp_path)}

    def start(extensions: dict[str, bool]):
        command = [sys.executable, "-m", "jupyter_server", "--no-browser", "--allow-root"]
        command += [f"--port={port}", "--ip=127.0.0.1", "--IdentityProvider.token=secret"]
        command += [f"--ServerApp.jpserver_extensions={extensions}", f"--notebook-dir={tmp_path}"]
        with log.open("w") as out:
            running.append(subprocess.Popen(command, env=environment, stdout=out, stderr=out))
        until_up(port, running[0])
        return port, log

    yield start
    for process in running:
        process.terminate()
        process.wait(30)


async def look_at_socket(port: int) -> tuple[list[bool], str]:
    """Open a kernel's websocket; return the probe's answer and the kernel's first reply."""
    kernel = ask(port, "api/kernels", method="POST")["id"]
    url = f"ws://127.0.0.1:{port}/api/kernels/{kernel}/channels?session_id=s&token=secret"
    connection = await websocket_connect(url)
    header = {"msg_id": "1", "msg_type": "kernel_info_request", "session": "s", "username": ""}
    message = {"channel": "shell", "header": header | {"version": "5.3"}, "parent_header": {}}
    await connection.write_message(json.dumps(message | {"metadata": {}, "content": {}}))
    reply = ""
    while reply != "kernel_info_reply":
        reply = json.loads(await connection.read_message())["header"]["msg_type"]
    loop = asyncio.get_running_loop()
    options = await loop.run_in_executor(None, ask, port, "probe")
    connection.close()
    # Until the server has closed it too: an open socket is a warning, and so an error.
    while await connection.read_message() is not None:
        pass
    ask(port, f"api/kernels/{kernel}", method="DELETE")
    return options, reply


@pytest.mark.parametrize("on", [True, False])
def test_kernel_websocket_sends_at_once_only_with_the_extension(start, on):
    port, log = start({"kdlab.server": on, "probe": True})
    options, reply = asyncio.run(look_at_socket(port))
    assert options == [on]
    assert reply == "kernel_info_reply"
    assert log.read_text().count("kdlab.server: TCP_NODELAY is on") == on


class Connection:
    """Stands for Jupyter Server's connection class, with a websocket that cannot be set."""

    log = logging.getLogger("test_server")

    def __init__(self):
        self.websocket_handler = SimpleNamespace()

    def connect(self):
        return "connected"


@pytest.mark.parametrize("settings", [{}, {server.SETTING: "a.dotted.Name"}])
def test_moved_internals_are_one_warning(settings, caplog):
    log = logging.getLogger("test_server")
    app = SimpleNamespace(web_app=SimpleNamespace(settings=dict(settings)), log=log)
    server._load_jupyter_server_extension(app)
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "sliders work, but less smoothly" in caplog.text
    assert app.web_app.settings == settings


def test_a_websocket_that_cannot_be_set_still_connects_and_warns_once(caplog):
    made = server.without_delay(Connection)
    assert [made().connect(), made().connect()] == ["connected", "connected"]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "TCP_NODELAY cannot be set: AttributeError" in caplog.text


def test_the_extension_imports_nothing_heavy():
    code = "import sys, kdlab.server; print(*sorted({m.partition('.')[0] for m in sys.modules}))"
    asked = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "numpy", "tornado", "IPython", "jupyter_server"} & set(
        asked.stdout.split()
    )
