"""A real JupyterLab with one notebook open, driven from Python."""

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import nbformat

ROOT = Path(__file__).parents[2]
SCREENSHOTS = ROOT / ".artifacts" / "screenshots"
TOKEN = "browser-tests"
RUN_IN_KERNEL = """async (code) => {
  const kernel = window.jupyterapp.shell.currentWidget.sessionContext.session.kernel;
  const future = kernel.requestExecute({ code, store_history: false });
  const said = [];
  future.onIOPub = ({ header, content }) => {
    if (header.msg_type === "stream") said.push(content.text);
    if (header.msg_type === "error") said.push(`${content.ename}: ${content.evalue}`);
  };
  await future.done;
  return said.join("");
}"""

RUN_ENDED = """() => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const cells = content.widgets.map((cell) => cell.model).filter((m) => m.type === "code");
  for (const cell of cells) {
    if (cell.getMetadata("tags")?.includes("raises-exception")) continue;
    const error = cell.outputs.toJSON().find((output) => output.output_type === "error");
    if (error) return `${cell.id}: ${error.ename}: ${error.evalue}`;
  }
  return cells.every((cell) => cell.executionState === "idle" && cell.executionCount) && "done";
}"""

SHOW_CELL = """(id) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  const index = content.widgets.findIndex((cell) => cell.model.id === id);
  content.activeCellIndex = index;
  return content.scrollToItem(index, "start");
}"""


@contextlib.contextmanager
def jupyterlab(folder: Path, *, extension: bool = True):
    """Run JupyterLab over a folder, on digits and without network; yield its address."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}"]
    command += [f"--ServerApp.root_dir={folder}", f"--IdentityProvider.token={TOKEN}"]
    command += ["--LabApp.expose_app_in_browser=True"]
    silence_news(folder / ".config")
    command += [f"--ServerApp.jpserver_extensions={{'kdlab.server': {extension}}}"]
    kept = {name: value for name, value in os.environ.items() if name != "KDLAB_DATA"}
    settings = {"KDLAB_OFFLINE": "1", "OMP_NUM_THREADS": "1", "JUPYTER_PREFER_ENV_PATH": "1"}
    settings |= {"JUPYTER_CONFIG_DIR": str(folder / ".config")}
    settings |= {"JUPYTERLAB_WORKSPACES_DIR": str(folder / ".workspaces")}
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=kept | settings, stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/api?token={TOKEN}", server)
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait(30)


def silence_news(config: Path) -> None:
    """Leave out JupyterLab's question about news, which lies over the notebook."""
    news = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}
    (config / "labconfig").mkdir(parents=True)
    (config / "labconfig" / "page_config.json").write_text(json.dumps(news))


def wait_for(address: str, server: subprocess.Popen, seconds: float = 90) -> None:
    """Return when the server answers."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        with contextlib.suppress(OSError):
            urllib.request.urlopen(address, timeout=2).close()
            return
        time.sleep(0.3)
    raise RuntimeError(f"JupyterLab did not answer within {seconds:.0f} s")


def open_notebook(context, address: str, path: str):
    """Return a page with the notebook open and its kernel ready."""
    page = context.new_page()
    page.goto(f"{address}/lab/tree/{path}?token={TOKEN}&reset", timeout=90_000)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
    ready = "() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel"
    page.wait_for_function(ready, timeout=90_000)
    return page


def run_all(page, seconds: float = 300) -> None:
    """Run all cells and wait until the kernel has done them, or has met an error."""
    page.evaluate("() => void window.jupyterapp.commands.execute('notebook:run-all-cells')")
    ended = page.wait_for_function(RUN_ENDED, timeout=1000 * seconds, polling=500)
    # Said here: this file isn't a test's, so pytest would not tell what came.
    if (came := ended.json_value()) != "done":
        raise AssertionError(f"a cell failed: {came}")


def ask_kernel(page, code: str) -> str:
    """Run code in the notebook's kernel, outside its cells; return what it prints."""
    return page.evaluate(RUN_IN_KERNEL, code).strip()


def show_cell(page, cell_id: str):
    """Scroll to a cell by its id and return its output area."""
    page.evaluate(SHOW_CELL, cell_id)
    # JupyterLab hides every output but the active cell's from our locator this way.
    return page.locator(".jp-Notebook .jp-mod-active .jp-OutputArea").first


def in_python(page, expression: str):
    """Return the value of an expression in the notebook's kernel, through JSON."""
    return json.loads(ask_kernel(page, f"import json; print(json.dumps({expression}))"))


def settle(page) -> None:
    """Wait for a frame, a throttled message, and the kernel's answer."""
    page.wait_for_timeout(500)


def screenshot(page, name: str) -> None:
    """Keep what the page shows as .artifacts/screenshots/NAME.png."""
    SCREENSHOTS.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=SCREENSHOTS / f"{name}.png")


def change_theme(page, theme: str) -> None:
    """Change to "JupyterLab Light" or "JupyterLab Dark"."""
    command = "(theme) => window.jupyterapp.commands.execute('apputils:change-theme', { theme })"
    page.evaluate(command, theme)
    page.wait_for_timeout(1500)


def write_notebook(path: Path, **cells: str) -> None:
    """Write a notebook whose cells have these ids and sources."""
    made = [nbformat.v4.new_code_cell(source.strip(), id=name) for name, source in cells.items()]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    nbformat.write(nbformat.v4.new_notebook(cells=made, metadata=metadata), path)


def copy_notebooks(folder: Path) -> None:
    """Copy the lectures, so that running them changes nothing in the repository."""
    shutil.copytree(ROOT / "notebooks", folder / "notebooks")
    shutil.copytree(ROOT / "assets", folder / "assets")
