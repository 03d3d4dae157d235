"""A progress bar for whatever trains: one display, updated in place."""

import time
from html import escape

from IPython import get_ipython
from IPython.display import DisplayHandle, display

from kdlab.schemes.history import Progress

#: Seconds between two updates, at least.
EVERY = 0.1


def show_progress(label: str) -> Progress:
    """Make a progress bar for a scheme's `progress` argument.

    In a notebook it is one display that moves in place, at most ten times a second, and ends
    as one plain line without times, so that a stored notebook stays the same from run to run:
    ``teacher: 1,180 steps, 454 test errors``. After an interrupt it stays where it was.
    Elsewhere that line is printed at the end, and nothing before.

    Args:
        label: What is being done, in a word or two.

    Returns:
        A function of steps done, steps in all, and a note. Steps that start again from the
        first one begin a new bar.

    Raises:
        ValueError: label is no text.
    """
    if not isinstance(label, str) or not label.strip():
        raise ValueError(f"label must be a text, got {label!r}")
    return _Bar(label) if _in_notebook() else _Line(label)


class _Line:
    def __init__(self, label: str) -> None:
        self.label = label

    def __call__(self, done: int, steps: int, note: str = "") -> None:
        if done >= steps:
            print(_ended(self.label, steps, note), flush=True)


class _Bar:
    def __init__(self, label: str) -> None:
        self.label = label
        self._handle: DisplayHandle | None = None
        self._done, self._shown = 0, 0.0

    def __call__(self, done: int, steps: int, note: str = "") -> None:
        if done <= self._done:
            self._handle = None
        self._done = done
        if done >= steps:
            self._show({"text/plain": _ended(self.label, steps, note)})
        elif self._handle is None or time.monotonic() - self._shown >= EVERY:
            self._show(_moving(self.label, done, steps, note))

    def _show(self, data: dict[str, str]) -> None:
        self._shown = time.monotonic()
        if self._handle is None:
            self._handle = display(data, raw=True, display_id=True)
        else:
            self._handle.update(data, raw=True)


def _in_notebook() -> bool:
    return getattr(get_ipython(), "kernel", None) is not None


def _ended(label: str, steps: int, note: str) -> str:
    return f"{label}: {steps:,} steps" + (f", {note}" if note else "")


def _moving(label: str, done: int, steps: int, note: str) -> dict[str, str]:
    text = f"{label}: step {done:,} of {steps:,}" + (f", {note}" if note else "")
    bar = f'<progress value="{done}" max="{steps}" aria-label="{escape(label)}"></progress>'
    return {"text/plain": text, "text/html": f"<div>{bar} {escape(text)}</div>"}
