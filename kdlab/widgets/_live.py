"""Training in the background that can be moved, paused and stopped at any step."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch

from kdlab.widgets._curves import Curves
from kdlab.widgets._trainee import Trainee

#: Everything is measured every so many steps.
EVERY = 10
#: Steps a second, at most: slow enough to watch, and a laptop stays cool.
PACE = 100
#: After so many steps in one go the training pauses by itself: nobody may be watching.
GO = 6_000
#: Seconds between two reports, at least.
REPORT = 1 / 15


@contextmanager
def one_thread() -> Iterator[None]:
    """Let torch compute with one thread, so that it leaves cores to whoever else computes."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class LiveTraining:
    """Trains networks in one background thread, which exists only while `state` is "running".

    Attributes:
        state: "ready", "running", "paused", "stopped" or "failed".
        message: One sentence on what goes on, or an empty text.
        settings: What the next step will use; replace it at any time, the latest counts.
        error: The exception that ended a failed training.
    """

    def __init__(
        self, trainee: Trainee, settings: tuple, *, report: Callable[[], None] = lambda: None
    ) -> None:
        """Train nothing yet.

        Args:
            trainee: What is trained.
            settings: What the first step uses, a named tuple; its fields are what can be moved.
            report: Called after every change, mostly from the background thread, at most 15
                times a second.
        """
        self.trainee, self.settings, self._report = trainee, settings, report
        self.state, self.message = "ready", ""
        self.error: Exception | None = None
        self._curves = Curves(trainee.names, every=EVERY)
        self._control = threading.RLock()
        self._thread: threading.Thread | None = None
        self._halt = threading.Event()
        self._used, self._reported = settings, 0.0

    @property
    def curves(self) -> dict:
        """What was measured so far: "steps", the trainee's names, "teacher", "examples", "marks".

        "steps" and the names have lists of the same length; "teacher" is its number of errors,
        None until it has been asked; "examples" is how many test images are looked at; "marks"
        are dicts of "step", "name" and "value". More may come from the trainee's `known`.
        """
        return self._curves.as_dict() | self.trainee.known()

    def start(self) -> None:
        """Begin, or go on after a pause; after a stop or a failure begin again."""
        with self._control:
            if self.state == "running":
                return
            if self.state in ("stopped", "failed"):
                self.reset()
            self._end_thread()
            self._halt = threading.Event()
            self.state, self.message = "running", ""
            self._thread = threading.Thread(
                target=self._run, args=(self._halt,), daemon=True, name="kdlab-watch-training"
            )
            self._thread.start()
        self._report()

    def pause(self) -> None:
        """End the thread after the step it is in; `start` goes on from there."""
        self._leave("paused", only_from=("running",))

    def stop(self) -> None:
        """End the thread after the step it is in; the curves stay until the next start."""
        self._leave("stopped", only_from=("running", "paused"))

    def reset(self) -> None:
        """End the thread and go back to the first step, keeping the settings."""
        with self._control:
            self._end_thread()
            self.trainee.reset()
            self._curves.clear()
            self._used, self.error = self.settings, None
            self.state, self.message = "ready", ""
        self._report()

    def fail(self, error: Exception) -> None:
        """Note an error, so that it is shown."""
        self.error, self.state = error, "failed"
        self.message = f"Training ended with {type(error).__name__}: {error}"
        self._report()

    def _leave(self, state: str, *, only_from: tuple[str, ...]) -> None:
        with self._control:
            self._end_thread()
            if self.state in only_from:
                self.state, self.message = state, ""
        self._report()

    def _end_thread(self) -> None:
        self._halt.set()
        # A report may call back: a thread cannot wait for its own end.
        if self._thread and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None

    def _run(self, halt: threading.Event) -> None:
        try:
            with one_thread():
                self._prepare(halt)
                self._train(halt)
        except Exception as error:
            self.fail(error)

    def _prepare(self, halt: threading.Event) -> None:
        total = f"{len(self.trainee.dataset.train_targets):,}"
        for done in self.trainee.prepare():
            if halt.is_set():
                return
            self.message = f"The teacher has looked at {done:,} of {total} training images."
            self._tell()
        self.message = ""

    def _train(self, halt: threading.Event) -> None:
        until, due = self.trainee.steps + GO, time.monotonic()
        if not self.trainee.steps and not halt.is_set():
            self._measure()
        while not halt.is_set() and self.trainee.steps < until:
            self._step()
            due = max(due + 1 / PACE, time.monotonic())
            halt.wait(due - time.monotonic())
        if not halt.is_set():
            self.state, self.message = "paused", f"Paused after {GO:,} steps; start goes on."
            self._report()

    def _step(self) -> None:
        settings, used = self.settings, self._used
        for name, value, before in zip(settings._fields, settings, used, strict=True):
            if value != before:
                self._curves.mark(self.trainee.steps, name, value)
        self._used = settings
        self.trainee.step(settings)
        if self.trainee.steps % EVERY == 0:
            self._measure()
        elif self.trainee.every_step:
            self._tell()

    def _measure(self) -> None:
        self._curves.add(self.trainee.steps, *self.trainee.measure())
        self._tell()

    def _tell(self) -> None:
        if time.monotonic() - self._reported >= REPORT:
            self._reported = time.monotonic()
            self._report()
