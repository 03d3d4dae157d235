"""Curves and the moments at which something was moved: never too long to send."""

import threading
from collections.abc import Sequence

#: Points of a curve, at most; beyond that every second one goes.
POINTS = 400
#: Marks, at most; the oldest go.
MARKS = 40


class Curves:
    """Named numbers over steps, evenly spaced; the newest are always there.

    One thread may add while another reads.
    """

    def __init__(self, names: Sequence[str], *, every: int) -> None:
        """Start empty; a point is added every `every` steps, a number for each name."""
        self._names, self._every, self._lock = (*names,), every, threading.Lock()
        self.clear()

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._points: list[tuple[float, ...]] = []
            self._marks: list[dict] = []
            self._stride = self._every

    def add(self, step: int, *values: float) -> None:
        """Add one measurement."""
        with self._lock:
            # The last point is kept although it may be between two strides: until now.
            if self._points and self._points[-1][0] % self._stride:
                self._points.pop()
            self._points.append((step, *values))
            if len(self._points) > POINTS:
                self._stride *= 2
                self._points[:-1] = [p for p in self._points[:-1] if not p[0] % self._stride]

    def mark(self, step: int, name: str, value: object) -> None:
        """Note that a setting has a new value from this step on.

        A drag is one mark: a mark follows on its predecessor of the same name within as many
        steps as lie between two points, and replaces it.
        """
        with self._lock:
            last = self._marks[-1] if self._marks else None
            if last and last["name"] == name and step - last["step"] <= self._every:
                self._marks.pop()
            self._marks.append({"step": step, "name": name, "value": value})
            del self._marks[:-MARKS]

    def as_dict(self) -> dict[str, list]:
        """Return equally long "steps" and lists by name, and the "marks"."""
        names = ("steps", *self._names)
        with self._lock:
            columns = zip(*self._points, strict=True) if self._points else ((),) * len(names)
            drawn = {name: [*column] for name, column in zip(names, columns, strict=True)}
            return drawn | {"marks": [dict(mark) for mark in self._marks]}
