"""Find what a class handed in: every student once, whatever the platform made of it."""

import os
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from kdlab.grading.intake.choosing import Handed, choose
from kdlab.grading.intake.keys import key_of
from kdlab.grading.intake.listing import Found, list_folder, list_zip
from kdlab.grading.intake.origins import is_notebook, origin
from kdlab.grading.intake.sources import FileSource, Source
from kdlab.grading.intake.words import Rejected, shown
from kdlab.grading.intake.wrappers import unwrapped

LIMIT = 10 * 2**20
# Of a whole class.
_MOST_IN_ZIP = 200_000


@dataclass(frozen=True)
class Submission:
    """One student's notebook, not yet read.

    Attributes:
        student: The name for people.
        key: A file-name for the results, the same at every call.
        file: Where it was found, for people.
        notes: What was passed over, one sentence each.
        source: Where the bytes are.
    """

    student: str
    key: str
    file: str
    notes: tuple[str, ...] = ()
    source: Source = field(repr=False, kw_only=True)

    def read(self, limit: int = LIMIT) -> bytes:
        """Read the file, once and no further than the limit.

        Raises:
            Rejected: There is no notebook that can be read; the message says why.
        """
        return self.source.read(limit)


def find_submissions(place: Path, *, name: str, homework: str) -> list[Submission]:
    """Find every student's submission, in natural order of their names.

    Args:
        place: A folder of notebooks or of students' folders, a zip of either, a download of
            Moodle, Canvas, Blackboard, Brightspace, GitHub or Google Classroom, or one notebook.
        name: Stem of the homework's notebook, for example ``hw1_temperature``.
        homework: The homework's id, for example ``hw1``.

    Raises:
        ValueError: The place isn't there, or is none of these.
    """
    title, found = _listed(place)
    students: dict[str, list[Handed]] = {}
    for each in unwrapped(found, title=title, name=name, homework=homework):
        flat = len(each.parts) == 1 and not each.folder
        whose = origin(each.parts, flat=flat, name=name, homework=homework)
        students.setdefault(whose.identity, []).append(Handed(each, whose))
    taken: set[str] = set()
    made = [
        (identity, _submission(identity, handed, name, homework, taken))
        for identity, handed in sorted(students.items(), key=lambda item: _natural(item[0]))
    ]
    return _told_apart(made, students)


def _listed(place: Path) -> tuple[str, list[Found]]:
    path = Path(os.path.realpath(place))
    wanted = "place must be a folder, a zip or a notebook"
    try:
        if path.is_dir():
            return "", list_folder(str(path))
        if not path.is_file():
            raise ValueError(f"{wanted}, got {shown(str(place), 200)}, which isn't there")
        file = FileSource(str(path.parent), (path.name,))
        if is_notebook(path.name):
            return "", [Found((path.name,), file)]
        return path.stem, list_zip(file, _MOST_IN_ZIP)
    except (Rejected, OSError) as error:
        raise ValueError(f"{wanted}, got {shown(str(place), 200)}: {error}") from None


def _submission(
    identity: str, handed: Sequence[Handed], name: str, homework: str, taken: set[str]
) -> Submission:
    student = shown(handed[0].origin.student) or "?"
    choice = choose(handed, student=student, name=name, homework=homework)
    key = key_of(identity, taken)
    return Submission(student, key, choice.file, choice.notes, source=choice.source)


def _told_apart(
    made: list[tuple[str, Submission]], students: dict[str, list[Handed]]
) -> list[Submission]:
    """Put the platform's number behind names that stand there more than once."""
    shared = Counter(submission.student for _, submission in made)
    result = []
    for identity, each in made:
        if shared[each.student] > 1:
            detail = shown(students[identity][0].origin.detail) or each.key
            each = replace(each, student=f"{each.student} ({detail})")
        result.append(each)
    return result


def _natural(text: str) -> tuple:
    """Sort "student 10" behind "student 9"; no number is too long for this."""
    pieces = re.split("([0-9]+)", text.casefold())
    numbers = [(piece.lstrip("0"), piece) for piece in pieces[1::2]]
    ordered = [(len(short), short, piece) for short, piece in numbers]
    return tuple(zip(pieces[::2], [*ordered, (0, "", "")], strict=True)), text
