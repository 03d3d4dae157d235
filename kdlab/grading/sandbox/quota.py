"""The private folder: how much lies in it, and emptying it, whatever a student made there."""

import contextlib
import os
import secrets
from itertools import count
from pathlib import Path

# Whatever has a name takes a block at least, an empty file too.
_BLOCK = 4096
_DEEPEST = 40


def is_over(folder: Path, limit: int) -> bool:
    """Tell whether a folder holds more than ``limit`` bytes, or is nested beyond reason."""
    total, waiting = 0, [(str(folder), 0)]
    while waiting:
        place, depth = waiting.pop()
        for entry in _entries(place):
            total += _size(entry)
            if total > limit or depth > _DEEPEST:
                return True
            if entry.is_dir(follow_symlinks=False):
                waiting.append((entry.path, depth + 1))
    return False


def empty(folder: Path) -> None:
    """Remove everything below a folder.

    Folders may be nested deeper than a path can be long. So what lies in a folder is moved up
    before the folder is removed, and no path ever has more than two steps.
    """
    # Nobody can have made this name before.
    numbers, token = count(), secrets.token_hex(8)
    while entries := _entries(str(folder)):
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                for inner in _entries(entry.path):
                    os.rename(inner.path, folder / f"{token}-{next(numbers)}")
                os.rmdir(entry.path)
            else:
                os.unlink(entry.path)


def _entries(place: str) -> list[os.DirEntry]:
    try:
        with os.scandir(place) as found:
            return list(found)
    except OSError:
        return []


def _size(entry: os.DirEntry) -> int:
    with contextlib.suppress(OSError):
        return max(_BLOCK, entry.stat(follow_symlinks=False).st_blocks * 512)
    return _BLOCK
