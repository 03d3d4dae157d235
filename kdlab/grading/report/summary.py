"""What is kept of all results at once: a small row of each, and counts by question."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from statistics import median
from typing import NamedTuple

from kdlab.grading.report.reading import QuestionResult, Result
from kdlab.grading.report.text import SENTENCE, natural
from kdlab.grading.sandbox.isolation import is_isolated

# The student's own page has them all.
NOTES = 20


class Answer(NamedTuple):
    """One question of one student, without its texts."""

    status: str
    points: float


@dataclass(slots=True)
class Row:
    """One student in the tables.

    Attributes:
        notes: Kept where a person has to look at the submission.
        shared: If another student has the same name.
        notebook: If there is a clean notebook to look at.
    """

    key: str
    name: str
    file: str
    status: str
    reason: str
    points: float | None
    maximum: float
    isolation: str
    seed: int | None
    digest: str
    seconds: float
    graded: str
    answers: dict[str, Answer]
    notes: tuple[str, ...]
    shared: bool = False
    notebook: bool = False

    @property
    def unisolated(self) -> bool:
        """Tell if the student's code ran without walls around it."""
        return not is_isolated(self.isolation)


@dataclass
class Tally:
    """One question over all students whose points count."""

    id: str
    title: str
    statuses: Counter = field(default_factory=Counter)
    mistakes: Counter = field(default_factory=Counter)
    causes: dict[str, str] = field(default_factory=dict)
    shares: list[float] = field(default_factory=list)
    maximum: float = 0.0
    seconds: list[float] = field(default_factory=list)

    def add(self, question: QuestionResult) -> None:
        """Count one answer."""
        self.statuses[question.status] += 1
        self.seconds.append(question.seconds)
        self.maximum = max(self.maximum, question.maximum)
        self.shares.append(question.points / question.maximum if question.maximum else 1.0)
        if question.mistake:
            self.mistakes[question.mistake] += 1
            self.causes.setdefault(question.mistake, question.cause)

    @property
    def share(self) -> float:
        """Return the mean share of the points, from 0 to 1."""
        return sum(self.shares) / len(self.shares)


@dataclass
class Summary:
    """All results, small."""

    homework: str = ""
    rows: list[Row] = field(default_factory=list)
    tallies: dict[str, Tally] = field(default_factory=dict)

    def of_status(self, status: str) -> list[Row]:
        """Return the rows with this status."""
        return [row for row in self.rows if row.status == status]

    @property
    def counted(self) -> list[Row]:
        """Return the rows that have points."""
        return [row for row in self.rows if row.points is not None]

    @property
    def maximum(self) -> float:
        """Return what a right answer to everything is worth."""
        return max((row.maximum for row in self.rows), default=0.0)

    @property
    def median(self) -> float:
        """Return the median of the points; there must be some."""
        return median(row.points for row in self.counted)

    def add(self, result: Result) -> None:
        """Take what is needed of one result.

        Raises:
            ValueError: It belongs to another homework than those before.
        """
        self.homework = self.homework or result.homework
        if result.homework != self.homework:
            raise ValueError(
                f"homework must be {self.homework!r} as in the other results, "
                f"got {result.homework[:80]!r} for {result.key}"
            )
        self.rows.append(_row(result))
        for question in result.questions if result.points is not None else ():
            tally = self.tallies.setdefault(question.id, Tally(question.id, question.title))
            tally.add(question)


def summarize(results: Iterable[Result]) -> Summary:
    """Read all results once; the rows are in the natural order of the students."""
    summary = Summary()
    for result in results:
        summary.add(result)
    names = Counter(row.name.casefold() for row in summary.rows)
    for row in summary.rows:
        row.shared = names[row.name.casefold()] > 1
    summary.rows.sort(key=lambda row: (natural(row.name), natural(row.key), row.key))
    return summary


def _row(result: Result) -> Row:
    own = ("key", "status", "points", "maximum", "seed", "digest", "seconds", "graded")
    capped = ("name", "file", "reason", "isolation")
    answers = {asked.id: Answer(asked.status, asked.points) for asked in result.questions}
    noted = result.notes[:NOTES] if result.status != "graded" else ()
    return Row(
        answers=answers,
        notes=tuple(note[: SENTENCE + 1] for note in noted),
        **{name: getattr(result, name) for name in own},
        **{name: getattr(result, name)[: SENTENCE + 1] for name in capped},
    )
