"""Which folders of a place stand for students: wrappers are taken off first."""

import re
from collections.abc import Sequence
from dataclasses import replace

from kdlab.grading.intake.listing import Found
from kdlab.grading.intake.origins import is_notebook, origin, stem_of

_WORDS = re.compile(r"(?:.*[^a-z])?submi(?:tted|ssions?)", re.IGNORECASE | re.DOTALL)
_OF_COURSE = re.compile(
    r"index\.html|timestamp\.txt|readme(?:\.(?:md|txt|rst|html))?|"
    r"(?:grade|roster|participant|student)[^.]*\.(?:csv|tsv|xlsx?|ods|db)",
    re.IGNORECASE,
)
_DEEPEST = 3


def unwrapped(found: Sequence[Found], *, title: str, name: str, homework: str) -> list[Found]:
    """Take off folders that hold all the others, and files that no student handed in.

    Args:
        found: What lies in the place.
        title: The zip's name without its ending, "" for a folder.
        name: Stem of the homework's notebook.
        homework: The homework's id.
    """
    kept = [each for each in found if not _is_of_course(each)]
    for _ in range(_DEEPEST):
        if not _is_wrapped(kept, title, name, homework):
            break
        kept = [replace(each, parts=each.parts[1:]) for each in kept if len(each.parts) > 1]
    return [each for each in _of_this_homework(kept, homework) if not _is_of_course(each)]


def _is_of_course(found: Found) -> bool:
    """Tell if it is a list or a log that a platform put beside the submissions."""
    return len(found.parts) == 1 and bool(_OF_COURSE.fullmatch(found.parts[0]))


def _is_wrapped(found: list[Found], title: str, name: str, homework: str) -> bool:
    tops = {each.parts[0] for each in found}
    inner = [each for each in found if len(each.parts) > 1]
    if len(tops) != 1 or not inner:
        return False
    files = [each.parts[1] for each in inner if len(each.parts) == 2 and not each.folder]
    if any(is_notebook(file) and stem_of(file).lower() == name.lower() for file in files):
        return False
    [top] = tops
    if _WORDS.fullmatch(top) or top.lower() in (title.lower(), name.lower(), homework.lower()):
        return True
    return _holds_students(inner, name, homework)


def _holds_students(inner: list[Found], name: str, homework: str) -> bool:
    folders = {each.parts[1] for each in inner if len(each.parts) > 2}
    if any(each.lower() in (homework.lower(), name.lower()) for each in folders):
        return False
    named = [
        each
        for each in inner
        if origin(each.parts[1:], flat=len(each.parts) == 2, name=name, homework=homework).identity
        not in (each.parts[1], stem_of(each.parts[1]))
    ]
    return bool(named) or len(folders) > 1


def _of_this_homework(found: list[Found], homework: str) -> list[Found]:
    """Leave out what lies in another homework's folder, where a student has one a homework."""
    wanted = homework.lower()
    if all(_second(each) != wanted for each in found):
        return found
    number = re.compile(re.sub(r"\d+", r"\\d+", re.escape(wanted)))
    return [
        each for each in found if _second(each) == wanted or not number.fullmatch(_second(each))
    ]


def _second(found: Found) -> str:
    deep = len(found.parts) + found.folder > 2
    return found.parts[1].lower() if deep else ""
