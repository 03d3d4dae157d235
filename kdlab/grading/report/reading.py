"""Read GRADES/results/<key>.json, and say what is wrong with a file that is no result."""

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from kdlab._checks import check_choice
from kdlab.grading.report.words import OUTCOMES, STATUSES

FORMAT = 1
# Points are sums of shares; a sum may miss the maximum by a rounding.
_ROUNDING = 1e-6
_RESULT_TEXTS = ("homework", "student", "file", "digest", "reason", "isolation", "graded")
_QUESTION_TEXTS = ("title", "message", "case", "expected", "got", "mistake", "cause", "output")


@dataclass(frozen=True)
class CaseResult:
    """One case of one question."""

    name: str
    weight: float
    right: bool
    message: str


@dataclass(frozen=True)
class QuestionResult:
    """One question of one submission; the fields are the file's."""

    id: str
    title: str
    status: str
    points: float
    maximum: float
    message: str
    case: str
    expected: str
    got: str
    mistake: str
    cause: str
    uses: dict[str, str]
    output: str
    seconds: float
    cases: tuple[CaseResult, ...]


@dataclass(frozen=True)
class Result:
    """One submission; `key` is the file's stem, the other fields are the file's."""

    key: str
    homework: str
    student: str
    file: str
    digest: str
    seed: int | None
    status: str
    reason: str
    isolation: str
    points: float | None
    maximum: float
    seconds: float
    notes: tuple[str, ...]
    versions: dict[str, str]
    graded: str
    questions: tuple[QuestionResult, ...]

    @property
    def name(self) -> str:
        """Return the student, or the key where there is no name."""
        return self.student if self.student.strip() else self.key


def result_files(grades: Path) -> Iterator[Path]:
    """Yield the files of all results, by name.

    What a name with a dot in front holds is being written, or the file system's own.

    Raises:
        ValueError: There is no folder of results.
    """
    folder = grades / "results"
    if not folder.is_dir():
        raise ValueError(f"grades must be a folder that holds results/, got {grades}")
    return iter(sorted(path for path in folder.glob("*.json") if path.name[0] != "."))


def read_result(path: Path) -> Result:
    """Read one result.

    Raises:
        ValueError: It is none; the message names the file and the field.
        OSError: The file cannot be read.
    """
    content = path.read_bytes()
    try:
        return _result(path.stem, _Fields(json.loads(content), "the result"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} must be a result of the grader: {error}") from None


def _result(key: str, fields: "_Fields") -> Result:
    check_choice((FORMAT,), format=fields.value("format"))
    status = fields.choice("status", OUTCOMES)
    return Result(
        key=key,
        status=status,
        seed=fields.seed("seed"),
        points=fields.nothing("points") if status == "not graded" else fields.points(),
        maximum=fields.number("maximum"),
        seconds=fields.number("seconds"),
        notes=tuple(fields.texts("notes", list)),
        versions=fields.texts("versions", dict),
        questions=tuple(_question(inner) for inner in fields.objects("questions")),
        **{name: fields.text(name) for name in _RESULT_TEXTS},
    )


def _question(fields: "_Fields") -> QuestionResult:
    return QuestionResult(
        # A thousand results hold the same few ids: one string each is kept.
        id=sys.intern(fields.text("id")),
        status=fields.choice("status", STATUSES),
        points=fields.points(),
        maximum=fields.number("maximum"),
        uses=fields.texts("uses", dict),
        seconds=fields.number("seconds"),
        cases=tuple(_case(inner) for inner in fields.objects("cases")),
        **{name: fields.text(name) for name in _QUESTION_TEXTS},
    )


def _case(fields: "_Fields") -> CaseResult:
    return CaseResult(
        fields.text("name"), fields.number("weight"), fields.truth("right"), fields.text("message")
    )


class _Fields:
    """One object of the file; each method returns a field or says what it must be."""

    def __init__(self, value: object, where: str):
        if not isinstance(value, dict):
            raise ValueError(f"{where} must be an object, got {_short(value)}")
        self._value, self._where = value, where

    def value(self, name: str) -> object:
        if name not in self._value:
            raise ValueError(f"{self._where} must have {name!r}")
        return self._value[name]

    def text(self, name: str) -> str:
        return self._demand(name, "text", lambda value: isinstance(value, str))

    def truth(self, name: str) -> bool:
        return self._demand(name, "true or false", lambda value: isinstance(value, bool))

    def nothing(self, name: str) -> None:
        return self._demand(name, "null where nothing is graded", lambda value: value is None)

    def seed(self, name: str) -> int | None:
        return self._demand(
            name, "a whole number or null", lambda value: value is None or type(value) is int
        )

    def number(self, name: str) -> float:
        return self._demand(name, "a finite number >= 0", _is_number)

    def points(self) -> float:
        most = self.number("maximum") + _ROUNDING
        demand = f"a number from 0 to the maximum, {self.number('maximum')}"
        return self._demand("points", demand, lambda value: _is_number(value) and value <= most)

    def choice(self, name: str, choices: tuple[str, ...]) -> str:
        listed = ", ".join(repr(choice) for choice in choices)
        chosen = self._demand(name, f"one of {listed}", lambda value: value in choices)
        return choices[choices.index(chosen)]

    def texts(self, name: str, kind: type) -> list[str] | dict[str, str]:
        def holds(value: object) -> bool:
            items = value.values() if isinstance(value, dict) else value
            return isinstance(value, kind) and all(isinstance(item, str) for item in items)

        shape = "an object" if kind is dict else "a list"
        return self._demand(name, f"{shape} of texts", holds)

    def objects(self, name: str) -> list["_Fields"]:
        items = self._demand(name, "a list", lambda value: isinstance(value, list))
        return [_Fields(item, f"{name}[{index}]") for index, item in enumerate(items)]

    def _demand(self, name: str, demand: str, holds) -> object:
        value = self.value(name)
        if not holds(value):
            place = name if self._where == "the result" else f"{self._where}.{name}"
            raise ValueError(f"{place} must be {demand}, got {_short(value)}")
        return value


def _is_number(value: object) -> bool:
    # type(), since True is an int; a float of 1e999 is read as infinity.
    return type(value) in (int, float) and math.isfinite(value) and value >= 0


def _short(value: object) -> str:
    return ascii(value)[:80]
