"""Whose file this is, by the name that the course's platform gave it."""

import re
from dataclasses import dataclass

_MOODLE = re.compile(r"(.+?)_(\d+)_assignsubmission_(?:file|onlinetext)(?:_(.*)|\Z)", re.DOTALL)
_CANVAS = re.compile(r"([^_]+)_(?:LATE_)?([0-9]+)_([0-9]+)_(.+)", re.DOTALL)
_BLACKBOARD = re.compile(
    r"(.+?)_attempt_(\d{4}-\d\d-\d\d-\d\d-\d\d-\d\d)(?:_(.+)|\.txt|\Z)", re.DOTALL
)
_BRIGHTSPACE = re.compile(
    r"(\d+-\d+) - (.+?) ?- ([^\W\d]+\.? \d\d?, \d{4} \d{3,4} [AP]M)(?: - (.+)|\Z)", re.DOTALL
)
_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_NOTEBOOK = re.compile(r"\.ipynb(?:\.txt|\.json)?\Z", re.IGNORECASE)
_COUNTED = re.compile(r"(.*\S) ?(?:\(([0-9]{1,6})\))\Z", re.DOTALL)
_RESUBMITTED = re.compile(r"(.+)-([0-9]{1,6})\Z", re.DOTALL)


@dataclass(frozen=True)
class Origin:
    """Whose file it is, and which attempt.

    Attributes:
        identity: One a student, in the place.
        student: The name for people.
        detail: What tells two students of one name apart, or "".
        stem: The file's name without its ending and its count.
        when: Time of the attempt, for comparison; () where the platform doesn't say.
        count: Number of the upload, where the platform counts them in the name.
    """

    identity: str
    student: str
    detail: str
    stem: str
    when: tuple[int, ...] = ()
    count: int = 0


def is_notebook(name: str) -> bool:
    """Tell by its name if a file is a notebook; browsers may have added an ending."""
    return bool(_NOTEBOOK.search(name))


def is_zip(name: str) -> bool:
    """Tell by its name if a file is a zip."""
    return name.lower().endswith(".zip")


def stem_of(name: str) -> str:
    """Return a file's name without its ending."""
    short = _NOTEBOOK.sub("", name)
    return short if short != name else re.sub(r"(?<=.)\.[^.]*\Z", "", name, flags=re.DOTALL)


def split_count(stem: str) -> tuple[str, int]:
    """Split "hw1 (2)" into the name and the count; 0 where there is none."""
    found = _COUNTED.fullmatch(stem)
    return (found[1], int(found[2])) if found else (stem, 0)


def origin(parts: tuple[str, ...], *, flat: bool, name: str, homework: str) -> Origin:
    """Tell whose file it is.

    Args:
        parts: Its path below the place.
        flat: The first part is the file that was handed in, or a zip; else it is a folder.
        name: Stem of the homework's notebook.
        homework: The homework's id.
    """
    own = stem_of(parts[-1])
    for platform in (_moodle, _brightspace, _blackboard, _canvas, _github):
        found = platform(parts[0], flat, own, name, homework)
        if found is not None:
            return found
    return _google(parts, own, name) if flat else Origin(parts[0], parts[0], "", own)


def _moodle(first: str, flat: bool, own: str, name: str, homework: str) -> Origin | None:
    found = _MOODLE.match(first)
    if not found:
        return None
    stem = stem_of(found[3]) if flat and is_notebook(first) and found[3] else own
    return Origin(f"{found[1]}_{found[2]}", found[1], found[2], stem)


def _brightspace(first: str, flat: bool, own: str, name: str, homework: str) -> Origin | None:
    found = _BRIGHTSPACE.match(first)
    if not found:
        return None
    identity = f"{found[2]}_{found[1]}"
    stem = stem_of(found[4]) if flat and is_notebook(first) and found[4] else own
    return Origin(identity, found[2], found[1], stem, _twelve_hours(found[3]))


def _blackboard(first: str, flat: bool, own: str, name: str, homework: str) -> Origin | None:
    found = _BLACKBOARD.match(first) if flat else None
    if not found:
        return None
    user = _without_prefix(found[1], "_", name, homework)
    # Another column name than the homework's: it ends at the first underscore.
    user = found[1].partition("_")[2] or found[1] if user is None else user
    when = tuple(map(int, found[2].split("-")))
    stem = stem_of(found[3]) if is_notebook(first) and found[3] else own
    return Origin(user, user, "", stem, when)


def _canvas(first: str, flat: bool, own: str, name: str, homework: str) -> Origin | None:
    found = _CANVAS.fullmatch(first) if flat else None
    if not found:
        return None
    stem = stem_of(found[4])
    counted = _RESUBMITTED.fullmatch(stem)
    stem, count = (counted[1], int(counted[2])) if counted else split_count(stem)
    stem = stem if is_notebook(first) else own
    return Origin(f"{found[1]}_{found[2]}", found[1], found[2], stem, count=count)


def _github(first: str, flat: bool, own: str, name: str, homework: str) -> Origin | None:
    user = None if flat else _without_prefix(first, "-", name.replace("_", "-"), name, homework)
    return None if user is None else Origin(user, user, "", own)


def _google(parts: tuple[str, ...], own: str, name: str) -> Origin:
    stem, count = split_count(stem_of(parts[0]))
    inner = stem if len(parts) == 1 else own
    if stem.casefold() == name.casefold():
        # Nobody's name is in it: each such file may be another student's.
        whole = stem_of(parts[0])
        return Origin(whole, whole, "", inner)
    student = stem[: -len(name) - 3] if stem.casefold().endswith(f" - {name}".casefold()) else ""
    return Origin(student or stem, student or stem, "", name if student else inner, count=count)


def _without_prefix(text: str, mark: str, *prefixes: str) -> str | None:
    for prefix in prefixes:
        start = prefix + mark
        if text.casefold().startswith(start.casefold()) and len(text) > len(start):
            return text[len(start) :]
    return None


def _twelve_hours(text: str) -> tuple[int, ...]:
    """Read "Nov 20, 2026 1159 PM"; () where the month is in another language."""
    month, day, year, clock, half = text.replace(",", "").split()
    if month[:3].lower() not in _MONTHS:
        return ()
    hour, minute = int(clock[:-2]) % 12 + 12 * (half == "PM"), int(clock[-2:])
    return (int(year), _MONTHS.index(month[:3].lower()) + 1, int(day), hour, minute)
