"""From a key to the frame that shows it, and frames in a drag, in a real JupyterLab.

    python -m tests.benchmarks.widgets

Every number is taken in the page: from the key event's own time stamp to the end of the
frame in which the drawing changed, as median and 95th percentile. A drag moves the real
mouse 60 times a second; "backlog" is what is still drawn after the button is up.
"""

import socket
import statistics
import tempfile
import time
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.benchmarks.raw_page import RawPage, chromium
from tests.benchmarks.table import header, row
from tests.browser.lab import (
    SHOW_CELL,
    ask_kernel,
    jupyterlab,
    open_notebook,
    run_all,
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
BOX = """(css) => {
  const target = document.querySelector(css);
  target.scrollIntoView({ block: "nearest" });
  const { x, y, width, height } = target.getBoundingClientRect();
  return { x, y, width, height };
}"""
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


def watch(page: RawPage, output: str, events: list[str]) -> None:
    """Begin to note events and changes under an output area, from nothing."""
    page.evaluate(
        f"(css, events) => ({WATCH})([document.querySelector(css), events])", output, events
    )


def noted(page: RawPage) -> tuple[list[float], list[float]]:
    """Return the times of events and of frames, and forget them."""
    asked, shown = page.evaluate("() => { const n = window.note; return [n.asked, n.shown]; }")
    page.evaluate("() => { window.note.asked.length = window.note.shown.length = 0; }")
    return asked, shown


def latencies(page: RawPage, target: str, keys: list[str]) -> list[float]:
    """Press keys one by one; return the milliseconds from each to its frame."""
    page.evaluate("(css) => document.querySelector(css).focus()", target)
    taken = []
    for i in range(PRESSES):
        noted(page)
        page.press(keys[i % len(keys)])
        time.sleep(0.23 + 0.007 * (i % 5))
        asked, shown = noted(page)
        after = [at for at in shown if at >= asked[0]]
        taken += [after[0] - asked[0]] if after else []
    return taken


def drag(page: RawPage, target: str, path) -> tuple[float, float]:
    """Drag along path(share) at 60 moves a second; return frames a second and backlog, ms."""
    box = page.evaluate(BOX, target)
    time.sleep(0.5)
    noted(page)
    page.mouse("mousePressed", path(box, 0.0))
    start, moves = time.perf_counter(), int(60 * DRAG_SECONDS)
    for i in range(moves):
        page.mouse("mouseMoved", path(box, i / moves))
        time.sleep(max(0.0, start + (i + 1) / 60 - time.perf_counter()))
    page.mouse("mouseReleased", path(box, 1.0))
    time.sleep(1.5)
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


def show(page: RawPage, cell: str) -> str:
    """Scroll to a cell; return the CSS selector of its output area."""
    page.evaluate(SHOW_CELL, cell)
    time.sleep(1.5)
    return ".jp-Notebook .jp-mod-active .jp-OutputArea"


def measure(page: RawPage) -> dict[str, tuple[float, float, float, float]]:
    """Return median, p95, frames a second and backlog of each kind of widget."""
    arrows = ["ArrowRight", "ArrowRight", "ArrowLeft"]
    found = {}
    for name, target, keys, path in (
        ("browser", "input[type=range]", arrows, along),
        ("kernel", "canvas[tabindex]", [str(d) for d in range(10)], spiral),
        ("interact", ".noUi-handle", arrows, along),
    ):
        output = show(page, name)
        watch(page, output, ["keydown", "pointermove"])
        typical, late = quantiles(latencies(page, f"{output} {target}", keys))
        held = ".noUi-target" if name == "interact" else target
        found[name] = (typical, late, *drag(page, f"{output} {held}", path))
    return found


def memory_growth(page: RawPage, updates: int = 1000) -> float:
    """Return the megabytes that the kernel grows by while a slider is moved."""
    resident = "int(open('/proc/self/statm').read().split()[1]) * 4096"
    before = int(ask_kernel(page, f"import gc; gc.collect(); print({resident})"))
    slider = f"{show(page, 'browser')} input[type=range]"
    page.evaluate("(css) => document.querySelector(css).focus()", slider)
    for i in range(updates):
        page.press("ArrowRight" if i % 50 < 25 else "ArrowLeft")
        time.sleep(0.13)  # each change is a message of its own
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


def open_for_measuring(address: str, browser: str) -> RawPage:
    """Open the notebook and run it by Playwright; return it when Playwright has left."""
    with sync_playwright() as playwright:
        visit = playwright.chromium.connect_over_cdp(browser)
        run_all(open_notebook(visit.contexts[0], address, "widgets.ipynb"))
    return RawPage(browser, "widgets.ipynb")


def print_table(page: RawPage) -> None:
    """Measure, and print a row for each number."""
    found = measure(page)
    report("computed in the browser", found["browser"], (16, 25, 55, 20))
    report("computed in the kernel", found["kernel"], (32, 45, 50, 40))
    typical, late, frames, backlog = found["interact"]
    times = typical / found["browser"][0]
    what = f"interact with pyplot ({typical:.0f} / {late:.0f} ms, {frames:.0f} frames/s, "
    what += f"backlog {backlog:.0f} ms) against the browser, median"
    row(what, f"{times:.1f} times", "at least 6", times >= 6)
    grown = memory_growth(page)
    row("1,000 slider updates: kernel memory, MB", f"{grown:.1f}", "under 5", grown < 5)


def main() -> None:
    """Print the table."""
    header("Widgets in JupyterLab, Chromium without a screen")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        write_notebook(Path(folder) / "widgets.ipynb", **CELLS)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        with (
            chromium(Path(folder) / ".profile", port) as browser,
            jupyterlab(Path(folder)) as address,
        ):
            print_table(open_for_measuring(address, browser))


if __name__ == "__main__":
    main()
