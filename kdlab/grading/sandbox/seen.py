"""What the child saw, as a frame, and the judge's careful reading of it."""

from dataclasses import asdict

from kdlab.grading.observe import Failure, Observation
from kdlab.grading.sandbox.frames import BadFrame, from_json, to_json

_STATUSES = {"wrong", "error", "not answered"}
_LONGEST_TEXT = 600


def to_frame(seen: Observation | Failure) -> tuple[dict, list]:
    """Return message and arrays for `frames.pack`."""
    if isinstance(seen, Failure):
        return {"kind": "seen", "failure": asdict(seen)}, []
    arrays: list = []
    message = {
        "kind": "seen",
        "value": to_json(seen.value, arrays),
        "described": seen.kind,
        "gradients": to_json(seen.gradients, arrays),
        "changed": list(seen.changed),
    }
    return message, arrays


def from_frame(message: dict, arrays: list) -> Observation | Failure:
    """Read what `to_frame` wrote; it comes from a student's process and may say anything.

    Raises:
        BadFrame: It has another form.
    """
    if "failure" in message:
        return _read_failure(message["failure"])
    value = from_json(message.get("value"), arrays)
    gradients = from_json(message.get("gradients"), arrays)
    changed = message.get("changed")
    if not isinstance(gradients, dict) or not isinstance(changed, list):
        raise BadFrame("an observation of an unknown form")
    names = tuple(_text(name) for name in changed[:20])
    return Observation(value, _text(message.get("described")), gradients, names)


def _read_failure(found: object) -> Failure:
    if not isinstance(found, dict) or found.get("status") not in _STATUSES:
        raise BadFrame("a failure of an unknown form")
    texts = (_text(found.get(name)) for name in ("message", "cause", "where"))
    return Failure(found["status"], *texts)


def _text(found: object) -> str:
    if not isinstance(found, str):
        raise BadFrame("something else where a text is due")
    return found[:_LONGEST_TEXT]
