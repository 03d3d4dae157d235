"""What intake says to people: one sentence a refusal, and strangers' names made harmless."""

import re
import unicodedata
from collections.abc import Sequence

# Controls, lone surrogates, line separators, and marks that turn the reading direction round.
_HARMFUL = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]"
)
_UNITS = (("MB", 2**20), ("kB", 2**10))


class Rejected(Exception):
    """A submission that isn't graded; the message is one sentence that says why."""


def shown(text: str, longest: int = 100) -> str:
    """Return a stranger's text for display: one line, no control characters, not too long."""
    # Cut first: composing characters takes long where thousands of accents follow each other.
    cut = text[: longest + 1]
    clean = _HARMFUL.sub("\N{REPLACEMENT CHARACTER}", unicodedata.normalize("NFC", cut))
    return clean if len(clean) <= longest else clean[: longest - 1] + "…"


def listed(names: Sequence[str], most: int = 3) -> str:
    """Return "a, b, c and 4 more"."""
    first = ", ".join(shown(name) for name in names[:most])
    return first if len(names) <= most else f"{first} and {len(names) - most} more"


def amount(size: int) -> str:
    """Return a number of bytes in a unit that people read, rounded up."""
    for unit, worth in _UNITS:
        if size >= worth:
            return f"{-(-size // worth)} {unit}"
    return f"{size} bytes"


def capped(notes: Sequence[str], most: int = 20) -> tuple[str, ...]:
    """Return the first notes, and how many more there are."""
    more = [f"There are {len(notes) - most} more such notes."] if len(notes) > most else []
    return (*notes[:most], *more)
