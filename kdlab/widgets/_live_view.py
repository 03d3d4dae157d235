"""What views of a live training share: buttons, state, and the messages to the browser."""

import atexit
import weakref

from kdlab.widgets._live import LiveTraining
from kdlab.widgets._trainee import Trainee
from kdlab.widgets._view import STATIC, View

BUTTONS = ("start", "pause", "stop", "reset")
# What trains now, if anything does: one at a time, whatever cells are run again.
_latest: weakref.ref = weakref.ref(lambda: None)


class LiveView(View):
    """A view whose numbers come from a training in the background.

    A subclass gives `settings`, what the next step uses, and calls `use` when one changes.
    """

    _css = View._css + (STATIC / "live.css").read_text("utf-8")

    def __init__(self, trainee: Trainee, **traits) -> None:
        super().__init__(**traits)
        self._live = LiveTraining(trainee, self.settings(), report=self._send_all)
        self.on_msg(self._on_button)

    @property
    def state(self) -> str:
        """ "ready", "running", "paused", "stopped" or "failed"."""
        return self._live.state

    @property
    def message(self) -> str:
        """What goes on, or went wrong, in a sentence; or an empty text."""
        return self._live.message

    @property
    def error(self) -> Exception | None:
        """What ended a failed training."""
        return self._live.error

    @property
    def curves(self) -> dict:
        """What was measured so far, each on the same "examples" test images.

        "steps" and what is measured are lists of one length; "teacher" is the teacher's number
        of errors, None before the first start. "marks" tell what was moved: "step", "name",
        "value".
        """
        return self._live.curves

    def start(self) -> None:
        """Train in the background, or go on; after `stop` begin again."""
        take_over(self)
        self._live.start()

    def pause(self) -> None:
        """Pause: nothing is computed until `start` goes on."""
        self._live.pause()

    def stop(self) -> None:
        """End the run; its curves stay until the next start."""
        self._live.stop()

    def reset(self) -> None:
        """Go back to the first step, keeping what was moved."""
        self._live.reset()

    def close(self) -> None:
        """Stop, and take the view away."""
        # ipywidgets also closes a view whose construction failed.
        if hasattr(self, "_live"):
            self._live.stop()
        super().close()

    def settings(self) -> tuple:
        """Return what the next step uses."""
        raise NotImplementedError

    def use(self) -> None:
        """Let the next step use the settings of now."""
        # The first values are set before there is an engine.
        if hasattr(self, "_live"):
            self._live.settings = self.settings()

    def _send_all(self) -> None:
        # A message, not a trait: traits are not made to be set from another thread.
        live = self._live
        told = {"state": live.state, "message": live.message, "curves": live.curves}
        # Images come this way too, and so never into a notebook's widget state.
        self.send({"kind": "curves", "frame": live.trainee.frame, **told})

    def _on_button(self, view, content, buffers) -> None:
        wanted = content.get("press") if isinstance(content, dict) else None
        try:
            if wanted in BUTTONS:
                getattr(self, wanted)()
            else:
                self._send_all()
        # Nobody sees the kernel's log: what a button runs into belongs on the screen.
        except Exception as error:
            self._live.fail(error)


def take_over(view: LiveView) -> None:
    """Stop what another view trains."""
    global _latest
    before, _latest = _latest(), weakref.ref(view)
    if before is not None and before is not view:
        before.stop()


@atexit.register
def _stop_latest() -> None:
    # A thread inside torch while the interpreter goes down can crash it.
    if _latest() is not None:
        _latest().stop()
