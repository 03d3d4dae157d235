"""JSON from a stranger: read strictly, within bounds, or refused with the place."""

import json
import re

from kdlab.grading.intake.words import Rejected, amount, shown

# Measured: up to 210 bytes of memory go with each opening bracket or comma outside of text.
MOST_VALUES = 1_000_000
_LONGEST_NUMBER = 400
_TOKEN = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|([\[{,])', re.DOTALL)
_OTHER_KINDS = (
    (b"PK\x03\x04", "a zip archive"),
    (b"%PDF", "a PDF"),
    (b"<<<<<<<", "a file with a git conflict in it"),
    (b"<", "a web page"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"\xd0\xcf\x11\xe0", "an Office document"),
    (b"\x89PNG", "a picture"),
)


def read_json(data: bytes) -> object:
    """Return what the JSON holds.

    Raises:
        Rejected: It isn't UTF-8, isn't JSON by the letter, or is too large or too deep.
    """
    text = _decoded(data)
    _check_amount(data)
    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=_whole
        )
    except json.JSONDecodeError as error:
        raise Rejected(_place(error, text)) from None
    except (RecursionError, MemoryError):
        raise Rejected("The file is not a notebook: it is nested too deeply.") from None


def _decoded(data: bytes) -> str:
    if not data.strip():
        raise Rejected("The file is empty.")
    head = data[:64].removeprefix(b"\xef\xbb\xbf").lstrip()
    for start, kind in _OTHER_KINDS:
        if head.startswith(start):
            raise Rejected(f"The file is not a notebook: it is {kind}.")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\0" in data[:4]:
        raise Rejected("The file is UTF-16 and is not UTF-8 text; save it as UTF-8.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Rejected(f"The file is not UTF-8 text (byte {error.start}).") from None


def _check_amount(data: bytes) -> None:
    # One value a bracket or comma; one at a time, since a list of them would itself be large.
    values = 0
    for token in _TOKEN.finditer(data):
        values += token.lastindex is not None
        if values > MOST_VALUES:
            raise Rejected(
                f"The file holds more than {MOST_VALUES:,} values. "
                "Clear the outputs and hand it in again."
            )


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    found = dict(pairs)
    if len(found) < len(pairs):
        seen = set()
        twice = next(key for key, _ in pairs if key in seen or seen.add(key))
        raise Rejected(f'The file is not a notebook: it has "{shown(twice)}" twice in one object.')
    return found


def _constant(token: str) -> None:
    """Read NaN as null: it is no JSON, but Jupyter writes it into the outputs of some plots."""


def _whole(digits: str) -> int:
    if len(digits) > _LONGEST_NUMBER:
        size = amount(len(digits))
        raise Rejected(f"The file is not a notebook: it holds a number that takes {size}.")
    return int(digits)


def _place(error: json.JSONDecodeError, text: str) -> str:
    place = f"(line {error.lineno}, column {error.colno})"
    unfinished = error.msg.startswith("Unterminated string")
    if unfinished or error.pos >= len(text.rstrip()):
        return f"The file is not a notebook: its JSON is cut off {place}."
    if text.startswith(("<<<<<<<", "=======", ">>>>>>>"), text.rfind("\n", 0, error.pos) + 1):
        return f"The file is not a notebook: a git conflict was left in it {place}."
    return f"The file is not a notebook: it is no JSON {place}."
