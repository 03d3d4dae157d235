"""Untrusted text made safe to show: in a page, in a spreadsheet, in a sorted list."""

import re
import unicodedata
from datetime import UTC, datetime
from html import escape

NAME = 120
SENTENCE = 600
VALUE = 4_000
OUTPUT = 20_000

# Control characters, marks that reorder or hide text, and halves of surrogate pairs. The
# joiners U+200C and U+200D stay: Persian and Hindi names are written with them.
_HIDDEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\ufff9-\ufffb\ud800-\udfff\U000e0000-\U000e0fff]"
)
# Accents piled on one letter would cover the lines above; Vietnamese has two on one.
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f"
_PILE = re.compile(f"([{_MARKS}]{{2}})[{_MARKS}]+")
# What makes a spreadsheet take text for a formula; the last four are full-width forms.
_FORMULA = tuple("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20")


def block(text: str, limit: int = VALUE) -> str:
    """Return text for a ``<pre>``: escaped, capped, lines kept, nothing hidden in it."""
    return escape(_visible(text, limit))


def line(text: str, limit: int = SENTENCE) -> str:
    """Return text for one line of a page, or for an attribute."""
    return escape(one_line(text, limit))


def name(text: str) -> str:
    """Return a name for a page; its direction of writing does not touch what is around it."""
    return f"<bdi>{line(text, NAME)}</bdi>"


def one_line(text: str, limit: int) -> str:
    """Return visible text without line breaks, at most `limit` characters and an ellipsis."""
    return " ".join(_visible(text, limit).split())


def cell(text: str) -> str:
    """Return text for a CSV; an apostrophe stands before what would be taken for a formula."""
    shown = one_line(text, SENTENCE)
    risky = text.startswith(_FORMULA) or shown.startswith(_FORMULA)
    return f"'{shown}" if risky else shown


def number(value: float, places: int = 2) -> str:
    """Return 7.5 for 7.50 and 3 for 3.0."""
    shown = f"{value:.{places}f}"
    return shown.rstrip("0").rstrip(".") if "." in shown else shown


def percent(share: float) -> str:
    """Return 0.5 as "50 %"."""
    return f"{100 * share:.0f} %"


def seconds(value: float) -> str:
    """Return a duration; short ones in milliseconds."""
    return f"{1000 * value:.0f} ms" if value < 1 else f"{number(value, 1)} s"


def headline(id: str, title: str) -> str:
    """Return the question's id and title."""
    return line(id, NAME) + (f": {line(title, NAME)}" if title else "")


def moment(text: str) -> str:
    """Return an ISO time as "2026-11-21 07:00 UTC"; what is none is shown as it stands."""
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        return line(text, NAME)
    zoned = time if time.tzinfo else time.replace(tzinfo=UTC)
    return f"{zoned.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def natural(text: str) -> tuple:
    """Return a key that sorts student2 before student10, and accents beside their letter."""
    folded = unicodedata.normalize("NFKD", text[:NAME]).casefold()
    # 18 digits at most: a longer int is slow to read, and Python refuses very long ones.
    parts = re.split("([0-9]{1,18})", folded)
    return tuple((int(part), "") if index % 2 else (-1, part) for index, part in enumerate(parts))


def _visible(text: str, limit: int) -> str:
    # Capped first, so that a huge text costs nothing; the marks below lengthen it little.
    cut = text[:limit] + ("\u2026" if len(text) > limit else "")
    # A progress bar goes back to the start of its line; here each state is a line.
    lines = cut.replace("\r\n", "\n").replace("\r", "\n")
    return _PILE.sub(r"\1", _HIDDEN.sub(_code, lines))


def _code(match: re.Match) -> str:
    return f"\u2039U+{ord(match[0]):04X}\u203a"
