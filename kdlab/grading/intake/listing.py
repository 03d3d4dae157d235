"""What lies in a folder of submissions, or in a zip of it; nothing is opened but zips."""

import os
import re
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice, takewhile

from kdlab.grading.intake.sources import FileSource, Refused, Source, ZipSource
from kdlab.grading.intake.words import Rejected, shown
from kdlab.grading.intake.zips import Entry, members

DEEPEST = 12
# Of one student: a whole programming environment may have come along.
MOST_FILES = 10_000
_HIDDEN = re.compile(r"\..*|__MACOSX|~\$.*|Thumbs\.db|desktop\.ini", re.DOTALL | re.IGNORECASE)
_EMPTY = Refused("The folder is empty, or can't be read.")
_TOO_DEEP = Refused(f"The folders are nested more than {DEEPEST} deep.")


@dataclass(frozen=True)
class Found:
    """A file, or a folder with nothing in it.

    Attributes:
        parts: Its path below the place, folder by folder; an opened zip counts as a folder.
        source: Where its bytes are, or why they aren't read.
        folder: It is an empty folder.
    """

    parts: tuple[str, ...]
    source: Source
    folder: bool = False


def list_folder(root: str) -> list[Found]:
    """List a folder, links and devices as refusals, hidden files left out."""
    entries = _entries(root, (), None)
    return [found for entry in entries for found in islice(_walk(root, entry), MOST_FILES)]


def list_zip(archive: FileSource | ZipSource, most: int) -> list[Found]:
    """List a zip of at most so many files; zips in it stay closed.

    Raises:
        Rejected: It can't be read.
    """
    return [_found(entry) for entry in members(archive, most) if _visible(entry.parts)]


def open_zip(found: Found) -> list[Found]:
    """Return what lies in a zip that a student handed in, or the refusal in its place."""
    name = shown(found.parts[-1])
    if isinstance(found.source, Refused):
        return [found]
    try:
        inside = list_zip(found.source, MOST_FILES)
    except Rejected as error:
        return [replace(found, source=Refused(f"{name}: {error}"))]
    empty = replace(found, source=Refused(f"{name} is empty."))
    return [replace(inner, parts=(*found.parts, *inner.parts)) for inner in inside] or [empty]


def _walk(root: str, first: os.DirEntry) -> Iterator[Found]:
    """Go through one entry of the place, what lies high first."""
    waiting = deque([((first.name,), first)])
    while waiting:
        parts, entry = waiting.popleft()
        if not entry.is_dir(follow_symlinks=False) or _is_link(entry):
            yield Found(parts, _source(root, parts, entry))
        elif len(parts) == DEEPEST:
            yield Found(parts, _TOO_DEEP)
        elif inner := _inside(root, parts):
            waiting += [((*parts, each.name), each) for each in inner]
        else:
            yield Found(parts, _EMPTY, folder=True)


def _inside(root: str, parts: tuple[str, ...]) -> list[os.DirEntry]:
    try:
        return _entries(root, parts, MOST_FILES)
    except OSError:
        # A folder that we may not read holds nothing for us.
        return []


def _entries(root: str, parts: tuple[str, ...], most: int | None) -> list[os.DirEntry]:
    with os.scandir(os.path.join(root, *parts)) as entries:
        kept = (entry for entry in entries if not _HIDDEN.fullmatch(entry.name))
        return sorted(islice(kept, most), key=lambda entry: entry.name)


def _source(root: str, parts: tuple[str, ...], entry: os.DirEntry) -> Source:
    name = shown(entry.name)
    if _is_link(entry):
        return Refused(f"{name} is a symbolic link; links are not followed.")
    if not entry.is_file(follow_symlinks=False):
        return Refused(f"{name} is no regular file. Hand in the notebook itself.")
    return FileSource(root, parts)


def _is_link(entry: os.DirEntry) -> bool:
    # Windows knows a second kind of link; Python can tell it from 3.12 on.
    return entry.is_symlink() or bool(getattr(entry, "is_junction", bool)())


def _found(entry: Entry) -> Found:
    seen = _visible(entry.parts)
    if seen != entry.parts:
        # What is hidden isn't read, but who handed in nothing else is still told so.
        return Found(seen, _EMPTY, folder=True)
    if len(seen) > DEEPEST:
        return Found(seen[:DEEPEST], _TOO_DEEP)
    return Found(seen, entry.source, folder=entry.folder)


def _visible(parts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(takewhile(lambda part: not _HIDDEN.fullmatch(part), parts))
