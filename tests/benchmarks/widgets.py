"""From a key to the frame that shows it, and frames in a drag, in a real JupyterLab.

    python -m tests.benchmarks.widgets

Every number is taken in the page: from the key event's own time stamp to the end of the
frame in which the drawing changed, as median and 95th percentile. A drag moves the real
mouse 60 times a second; "backlog" is what is still drawn after the button is up.
"""

import itertools
import json
import socket
import statistics
import tempfile
import time
import urllib.request
from pathlib import Path

import websocket
from playwright.sync_api import sync_playwright

from tests.benchmarks.table import header, row
from tests.browser import conftest
from tests.browser.lab import (
    ask_kernel,
    jupyterlab,
    open_notebook,
    run_all,
    show_cell,
    write_notebook,
)

PRESSES, DRAG_SECONDS = 60, 3.0
CELLS = {
    "browser": """
import torch
from kdlab.widgets import explore_temperature
view = explore_temperature(torch.randn(8, 10, generator=torch.Generator().manual_seed(0)) * 4)
view""",
    "kernel": """
from kdlab import models
from kdlab.widgets import draw_digit
pad = draw_digit(models.mlp((784, 800, 800, 10)))
pad""",
    "interact": """
%matplotlib inline
import matplotlib.pyplot as plt
from ipywidgets import FloatSlider, interact
from kdlab.losses import soften
def show(T):
    plt.bar(range(10), soften(view.logits[0], temperature=T))
    plt.ylim(0, 1)
    plt.show()
interact(show, T=FloatSlider(value=4, min=0.1, max=100, step=0.1, continuous_update=True));""",
}
# Notes the time of every event and of the end of every frame that changed the drawing.
WATCH = """([root, events]) => {
  const note = { asked: [], shown: [] };
  const channel = new MessageChannel();
  let waiting = false;
  channel.port1.onmessage = () => { waiting = false; note.shown.push(performance.now()); };
  const changed = () => {
    if (waiting) return;
    waiting = true;
    // A task asked for inside a frame runs when that frame is done.
    requestAnimationFrame(() => channel.port2.postMessage(0));
  };
  const inFrame = () => { if (!waiting) { waiting = true; channel.port2.postMessage(0); } };
  const observer = new MutationObserver((records) => {
    if (!records.some(relevant)) return;
    const images = [...root.querySelectorAll("img")];
    if (images.length) Promise.all(images.map((i) => i.decode().catch(() => 0))).then(changed);
    else inFrame();
  });
  // A view of ours draws into [data-class]; interact puts a new picture.
  const isPicture = (node) => node.nodeName === "IMG" || node.querySelector?.("img");
  const relevant = ({ target, addedNodes }) =>
    (target.parentElement ?? target).closest("[data-class]") || [...addedNodes].some(isPicture);
  observer.observe(root, { subtree: true, childList: true, attributes: true, characterData: true });
  for (const name of events) {
    root.addEventListener(name, (e) => note.asked.push(e.timeStamp), { capture: true });
  }
  window.note = note;
}"""


def watch(page, output, events: list[str]) -> None:
    """Begin to note events and changes under an output area, from nothing."""
    handle = output.element_handle()
    page.evaluate(WATCH, [handle, events])


def noted(page) -> tuple[list[float], list[float]]:
    """Return the times of events and of frames, and forget them."""
    note = page.evaluate("() => { const n = window.note; return [n.asked, n.shown]; }")
    page.evaluate("() => { window.note.asked.length = window.note.shown.length = 0; }")
    return note[0], note[1]


def latencies(page, target, keys: list[str]) -> list[float]:
    """Press keys one by one; return the milliseconds from each to its frame."""
    target.focus()
    taken = []
    for i in range(PRESSES):
        noted(page)
        page.keyboard.press(keys[i % len(keys)])
        page.wait_for_timeout(230 + 7 * (i % 5))
        asked, shown = noted(page)
        after = [at for at in shown if at >= asked[0]]
        taken += [after[0] - asked[0]] if after else []
    return taken


class Mouse:
    """A mouse that moves when told: it sends, and does not wait until the page has answered."""

    def __init__(self, port: int) -> None:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json", timeout=10) as answer:
            pages = [each for each in json.load(answer) if "widgets.ipynb" in each["url"]]
        address = pages[0]["webSocketDebuggerUrl"]
        self.socket = websocket.create_connection(address, suppress_origin=True)
        self.numbers = itertools.count(1)

    def send(self, kind: str, place: tuple[float, float]) -> None:
        """Send one event: mousePressed, mouseMoved or mouseReleased."""
        x, y = place
        event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        call = {"id": next(self.numbers), "method": "Input.dispatchMouseEvent", "params": event}
        self.socket.send(json.dumps(call))


def drag(page, mouse: Mouse, target, path) -> tuple[float, float]:
    """Drag along path(share) at 60 moves a second; return frames a second and backlog, ms."""
    target.scroll_into_view_if_needed()
    page.wait_for_timeout(500)
    noted(page)
    box = target.bounding_box()
    mouse.send("mousePressed", path(box, 0.0))
    start, moves = time.perf_counter(), int(60 * DRAG_SECONDS)
    for i in range(moves):
        mouse.send("mouseMoved", path(box, i / moves))
        time.sleep(max(0.0, start + (i + 1) / 60 - time.perf_counter()))
    mouse.send("mouseReleased", path(box, 1.0))
    page.wait_for_timeout(1500)
    asked, shown = noted(page)
    during = [at for at in shown if at <= asked[-1]]
    seconds = (asked[-1] - asked[0]) / 1000
    return len(during) / seconds, max(0.0, shown[-1] - asked[-1])


def along(box, share: float) -> tuple[float, float]:
    """Go to and fro from 10 to 90 % of a slider, four times.

    T has two digits: a slow drag would often move the thumb and not the value, and a frame
    with nothing new to show is no frame that was missed.
    """
    across = abs((4 * share + 1) % 2 - 1)
    return box["x"] + box["width"] * (0.1 + 0.8 * across), box["y"] + box["height"] / 2


def spiral(box, share: float) -> tuple[float, float]:
    """Go to and fro over a square pad: one line after the other."""
    across = abs((12 * share) % 2 - 1)
    return box["x"] + box["width"] * (0.1 + 0.8 * across), box["y"] + box["height"] * (
        0.1 + 0.8 * share
    )


def quantiles(taken: list[float]) -> tuple[float, float]:
    """Return median and 95th percentile."""
    return statistics.median(taken), statistics.quantiles(taken, n=20)[-1]


def measure(page, mouse: Mouse) -> dict[str, tuple[float, float, float, float]]:
    """Return median, p95, frames a second and backlog of each kind of widget."""
    arrows = ["ArrowRight", "ArrowRight", "ArrowLeft"]
    found = {}
    for name, target, keys, path in (
        ("browser", "input[type=range]", arrows, along),
        ("kernel", "canvas[tabindex]", [str(d) for d in range(10)], spiral),
        ("interact", ".noUi-handle", arrows, along),
    ):
        output = show_cell(page, name)
        page.wait_for_timeout(1500)
        watch(page, output, ["keydown", "pointermove"])
        aim = output.locator(target).first
        typical, late = quantiles(latencies(page, aim, keys))
        held = output.locator(".noUi-target").first if name == "interact" else aim
        found[name] = (typical, late, *drag(page, mouse, held, path))
    return found


def memory_growth(page, updates: int = 1000) -> float:
    """Return the megabytes that the kernel grows by while a slider is moved."""
    resident = "int(open('/proc/self/statm').read().split()[1]) * 4096"
    before = int(ask_kernel(page, f"import gc; gc.collect(); print({resident})"))
    slider = show_cell(page, "browser").locator("input[type=range]").first
    slider.focus()
    for i in range(updates):
        page.keyboard.press("ArrowRight" if i % 50 < 25 else "ArrowLeft")
        page.wait_for_timeout(55)  # each change is a message of its own
    return (int(ask_kernel(page, f"gc.collect(); print({resident})")) - before) / 1e6


def report(name: str, measured: tuple, reach: tuple) -> None:
    """Print the three rows of one kind of widget."""
    typical, late, frames, backlog = measured
    ok = typical <= reach[0] and late <= reach[1]
    row(f"{name}: key to frame, ms, median / p95", f"{typical:.0f} / {late:.0f}",
        f"{reach[0]} / {reach[1]}", ok)  # fmt: skip
    row(f"{name}: frames a second in a 60 Hz drag", f"{frames:.0f}", f"{reach[2]}",
        round(frames) >= reach[2])  # fmt: skip
    row(f"{name}: backlog, ms", f"{backlog:.0f}", f"{reach[3]}", round(backlog) <= reach[3])


def main() -> None:
    """Print the table."""
    header("Widgets in JupyterLab, Chromium without a screen")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        write_notebook(Path(folder) / "widgets.ipynb", **CELLS)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        browser = conftest.launch(playwright, f"--remote-debugging-port={port}")
        with jupyterlab(Path(folder)) as address:
            page = open_notebook(
                browser.new_context(viewport={"width": 1280, "height": 900}),
                address,
                "widgets.ipynb",
            )
            run_all(page)
            found = measure(page, Mouse(port))
            report("computed in the browser", found["browser"], (16, 25, 55, 20))
            report("computed in the kernel", found["kernel"], (32, 45, 50, 40))
            typical, late, frames, backlog = found["interact"]
            times = typical / found["browser"][0]
            what = f"interact with pyplot ({typical:.0f} / {late:.0f} ms, {frames:.0f} frames/s, "
            what += f"backlog {backlog:.0f} ms) against the browser, median"
            row(what, f"{times:.1f} times", "at least 6", times >= 6)
            grown = memory_growth(page)
            row("1,000 slider updates: kernel memory, MB", f"{grown:.1f}", "under 5", grown < 5)
        browser.close()


if __name__ == "__main__":
    main()
