"""Grade a folder: find, skip what is done, grade the rest, store each result as it comes."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from tqdm import tqdm

from kdlab.grading.files import write_json
from kdlab.grading.grade import Handed
from kdlab.grading.intake import Rejected, Submission, find_submissions, parse_notebook, rebuild
from kdlab.grading.intake import pick_answers as pick
from kdlab.grading.records import Records
from kdlab.grading.registry import rules
from kdlab.grading.spec import Homework

Grades = Callable[[Iterator[Handed]], Iterator[tuple[Handed, dict]]]


@dataclass
class Summary:
    """How a run went: counts of submissions."""

    found: int = 0
    kept: int = 0
    graded: int = 0
    by_hand: int = 0
    rejected: int = 0
    others: tuple[str, ...] = ()

    def __str__(self) -> str:
        said = (
            f"{self.found} submissions: {self.kept} done before, {self.graded} graded, "
            f"{self.by_hand} graded and to check by hand, {self.rejected} not graded"
        )
        if self.others:
            said += f"\nresults of earlier runs whose files aren't here now: {len(self.others)}, "
            said += f"for example of {self.others[0]}"
        return said


def grade_folder(
    homework: Homework, place: Path, records: Records, release: Path, grades: Grades
) -> Summary:
    """Grade every submission that has no result yet, or whose file has changed since.

    Args:
        homework: The questions.
        place: Where the submissions lie.
        records: Where the results go.
        release: The notebook that the students were given.
        grades: Grades a stream of submissions, in any order.

    Raises:
        ValueError: There is no submission, or some were graded when the questions were others.
    """
    found = find_submissions(place, name=homework.name, homework=homework.id)
    if not found:
        raise ValueError(f"submissions must hold notebooks or students' folders, {place} has none")
    _check_rules(found, records)
    summary = Summary(found=len(found), others=_others(found, records))
    bar = tqdm(total=len(found), unit="submission", file=sys.stderr, desc=homework.id)
    # tqdm's monitor is a thread; the workers are forked from here.
    with bar:
        for handed, result in grades(_to_grade(found, records, summary, bar)):
            _store(handed, result, homework, records, release)
            _count(result, summary)
            bar.update()
    return summary


def regrade_all(records: Records, keys: list[str], place: Path, homework: Homework, grades: Grades):
    """Grade stored submissions once more from their recorded seeds; yield (key, old, new)."""
    found = find_submissions(place, name=homework.name, homework=homework.id)
    wanted = [_hand_in(submission, records) for submission in found if submission.key in set(keys)]
    with tqdm(total=len(wanted), unit="submission", file=sys.stderr, desc=homework.id) as bar:
        for handed, result in grades(iter(wanted)):
            older = records.load(handed.key)
            records.save(handed.key, result)
            bar.update()
            yield handed.key, older, result


def _check_rules(found: list[Submission], records: Records) -> None:
    """Keep two versions of the questions from being mixed in one class."""
    older = [records.load(submission.key) for submission in found]
    stale = [result for result in older if result and result.get("rules") != rules()]
    if stale:
        told = f"{len(stale)} results in {records.folder} were made when the questions were others"
        raise ValueError(f"{told}; run `regrade {records.folder}` first, or use another --out")


def _others(found: list[Submission], records: Records) -> tuple[str, ...]:
    gone = sorted(set(records.keys()) - {submission.key for submission in found})
    return tuple(records.load(key)["student"] for key in gone)


def _to_grade(
    found: list[Submission], records: Records, summary: Summary, bar: tqdm
) -> Iterator[Handed]:
    for submission in found:
        handed = _hand_in(submission, records)
        older = records.load(handed.key)
        if older and _is_current(older, handed):
            summary.kept += 1
            bar.update()
        else:
            yield handed


def _hand_in(submission: Submission, records: Records) -> Handed:
    data, reason = b"", ""
    try:
        data = submission.read()
    except Rejected as rejected:
        reason = str(rejected)
    fields = (submission.student, submission.key, submission.file, submission.notes)
    return Handed(*fields, data, reason, records.seed_for(submission.key))


def _is_current(older: dict, handed: Handed) -> bool:
    same = older["digest"] == _digest(handed)
    return same and (not handed.reason or handed.reason == older["reason"])


def _digest(handed: Handed) -> str:
    return sha256(handed.data).hexdigest() if handed.data else ""


def _store(
    handed: Handed, result: dict, homework: Homework, records: Records, release: Path
) -> None:
    records.save(handed.key, result)
    if result["status"] == "not graded":
        return
    base = release.read_bytes()
    functions = {question.id: question.name for question in homework.questions}
    answers = pick(parse_notebook(handed.data), parse_notebook(base), functions)
    folder = records.folder / "notebooks"
    folder.mkdir(exist_ok=True)
    write_json(folder / f"{handed.key}.ipynb", rebuild(json.loads(base), answers))


def _count(result: dict, summary: Summary) -> None:
    name = {"graded": "graded", "check by hand": "by_hand"}.get(result["status"], "rejected")
    setattr(summary, name, getattr(summary, name) + 1)
