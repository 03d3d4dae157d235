"""Grade one submission: a pure function of its bytes, a seed and a homework."""

import platform
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from importlib.metadata import version
from math import fsum

import kdlab
from kdlab.grading.endings import EXCEPTIONAL, is_out_of_memory
from kdlab.grading.intake import (
    PASSED_OVER,
    Answers,
    Notebook,
    Rejected,
    parse_notebook,
    pick_answers,
)
from kdlab.grading.judge import Verdict, judge
from kdlab.grading.registry import rules
from kdlab.grading.sandbox.lane import AnyLane
from kdlab.grading.spec import Homework, Question
from kdlab.grading.ways import Way, ways_to_run

FORMAT = 1
_PACKAGES = ("torch", "numpy")


@dataclass(frozen=True)
class Handed:
    """One submission on its way to a grader: small, and the same on every machine.

    Attributes:
        student, key, file, notes: As in `intake.Submission`.
        data: The file's bytes; b"" where it was rejected.
        reason: Why it was rejected, or "".
        seed: From which its inputs are drawn.
    """

    student: str
    key: str
    file: str
    notes: tuple[str, ...]
    data: bytes
    reason: str
    seed: int

    @property
    def digest(self) -> str:
        """Return the SHA-256 of the bytes; "" where there are none."""
        return sha256(self.data).hexdigest() if self.data else ""


def grade(
    handed: Handed, homework: Homework, release: Notebook, lane: AnyLane, isolation: str
) -> dict:
    """Grade a submission; the result's fields stand in `records`.

    Args:
        handed: The submission.
        homework: The questions.
        release: The notebook that the students were given.
        lane: Where their code runs.
        isolation: What the sandbox says of itself.
    """
    started = time.monotonic()
    result = _head(handed, homework, isolation)
    try:
        answers, notes = _read(handed, homework, release)
    except Rejected as rejected:
        return ungraded(handed, homework, str(rejected))
    result["notes"] += notes
    result["questions"] = _grade_all(homework, answers, handed.seed, lane)
    result["points"] = round(fsum(row["points"] for row in result["questions"]), 2)
    result["reason"] = _why_by_hand(result, answers, handed)
    result["status"] = "check by hand" if result["reason"] else "graded"
    return result | {"seconds": round(time.monotonic() - started, 3)}


def _read(handed: Handed, homework: Homework, release: Notebook) -> tuple[Answers, list[str]]:
    if handed.reason:
        raise Rejected(handed.reason)
    notebook = parse_notebook(handed.data)
    answers = pick_answers(notebook, release, homework.functions)
    return answers, [*notebook.notes, *answers.notes]


def ungraded(handed: Handed, homework: Homework, reason: str) -> dict:
    """Return the result of a submission that could not be graded: no points, not 0."""
    return _head(handed, homework, "") | {"status": "not graded", "reason": reason}


def _head(handed: Handed, homework: Homework, isolation: str) -> dict:
    origin = {"student": handed.student, "file": handed.file, "digest": handed.digest}
    blank = {"status": "", "reason": "", "points": None, "seconds": 0.0, "questions": []}
    return {
        **{"format": FORMAT, "homework": homework.id, "seed": handed.seed},
        **origin,
        "isolation": isolation,
        "maximum": homework.points,
        "rules": rules(),
        "notes": list(handed.notes),
        "versions": versions(),
        "graded": datetime.now(UTC).isoformat(timespec="seconds"),
        **blank,
    }


def versions() -> dict[str, str]:
    """Return the versions that a grade depends on."""
    found = {"kdlab": kdlab.__version__, "python": platform.python_version()}
    return found | {name: _version(name) for name in _PACKAGES}


@cache
def _version(package: str) -> str:
    """Return what `version` reads from a package's files, which takes milliseconds."""
    return version(package)


def _grade_all(homework: Homework, answers: Answers, seed: int, lane: AnyLane) -> list[dict]:
    rows: list[dict] = []
    for question in homework.questions:
        right = {row["id"] for row in rows if row["status"] == "right"}
        verdict, uses = _grade_one(question, homework, answers, seed, lane, right)
        rows.append(_row(question, verdict, uses))
    return rows


def _row(question: Question, verdict: Verdict, uses: dict[str, str]) -> dict:
    told = ("message", "case", "expected", "got", "mistake", "cause", "cases")
    return {
        "id": question.id,
        "title": question.title,
        "status": "out of memory" if _ran_out(verdict) else verdict.status,
        "points": round(question.points * verdict.share, 2),
        "maximum": question.points,
        **{name: getattr(verdict, name) for name in told},
        "uses": uses,
        "output": _output(verdict),
        "seconds": round(verdict.ending.cpu, 3),
    }


def _ran_out(verdict: Verdict) -> bool:
    return verdict.status == "error" and is_out_of_memory(verdict.message)


def _output(verdict: Verdict) -> str:
    text = verdict.ending.output.decode("utf-8", errors="replace")
    more = verdict.ending.printed - len(verdict.ending.output)
    return f"{text}\n[... and {more} bytes more]" if more else text


def _grade_one(
    question: Question,
    homework: Homework,
    answers: Answers,
    seed: int,
    lane: AnyLane,
    right: set[str],
) -> tuple[Verdict, dict[str, str]]:
    """Try the ways to run an answer that are fair, until one gets everything; keep the best."""
    if question.id not in answers.cells:
        gone = "It was deleted, or its function has another name."
        return Verdict("not answered", 0.0, "the answer cell is missing", cause=gone), {}
    best, best_uses = None, {}
    for way in ways_to_run(question, homework, answers, right):
        if best and not way.helps(best):
            continue
        references = _references(homework, way.uses)
        verdict = _judge_draws(question, way, seed, lane, references)
        if best is None or _is_better(verdict, best):
            best, best_uses = verdict, way.uses
    return best, best_uses


def _is_better(verdict: Verdict, best: Verdict) -> bool:
    """More points; or as many, and more to say than that something raised or ended."""
    if verdict.share != best.share:
        return verdict.share > best.share
    return not best.started or best.status == "error" != verdict.status


def _judge_draws(
    question: Question, way: Way, seed: int, lane: AnyLane, references: dict[str, Callable]
) -> Verdict:
    """Judge, again on other inputs where the question allows it; the best draw counts."""
    best = None
    for draw in range(question.draws):
        found = judge(question, way.cells, seed=seed, draw=draw, lane=lane, references=references)
        if best is None or found.share > best.share:
            best = found
        if best.share == 1 or best.status not in ("partly", "wrong"):
            break
    return best


def _references(homework: Homework, uses: dict[str, str]) -> dict[str, Callable]:
    asked = [other for other in homework.questions if uses.get(other.id) == "reference"]
    return {other.name: other.reference for other in asked}


def _why_by_hand(result: dict, answers: Answers, handed: Handed) -> str:
    reasons = [
        f"{row['id']} {row['status']}: {row['message']}"
        for row in result["questions"]
        if row["status"] in EXCEPTIONAL
    ]
    if answers.unusual:
        reasons.append("an answer was found in an unusual place; see the notes")
    if any(note.startswith(PASSED_OVER) for note in handed.notes):
        reasons.append("another notebook was handed in as well; see the notes")
    return "; ".join(reasons)
