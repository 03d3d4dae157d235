"""Grade a folder: find, skip what is done, grade the rest, store each result as it comes."""

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tqdm import tqdm

from kdlab._files import write_json
from kdlab.grading.grade import Handed
from kdlab.grading.intake import (
    Notebook,
    Rejected,
    Submission,
    find_submissions,
    parse_notebook,
    rebuild,
)
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
    others: int = 0
    other: str = ""

    def __str__(self) -> str:
        said = (
            f"{self.found} submissions: {self.kept} done before, {self.graded} graded, "
            f"{self.by_hand} graded and to check by hand, {self.rejected} not graded"
        )
        if self.others:
            said += f"\nresults of earlier runs whose files aren't here now: {self.others}, "
            said += f"for example of {self.other}"
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
    older = _look(found, records)
    summary = _begin(found, records)
    base = release.read_bytes()
    clean = parse_notebook(base), json.loads(base)
    with tqdm(total=len(found), unit="submission", file=sys.stderr, desc=homework.id) as bar:
        for handed, result in grades(_to_grade(found, records, older, summary, bar)):
            _store(handed, result, homework, records, clean)
            _count(result, summary)
            bar.update()
    return summary


def regrade_all(records: Records, keys: list[str], place: Path, homework: Homework, grades: Grades):
    """Grade stored submissions once more from their recorded seeds; yield (key, old, new)."""
    found = find_submissions(place, name=homework.name, homework=homework.id)
    named = set(keys)
    wanted = [submission for submission in found if submission.key in named]
    with tqdm(total=len(wanted), unit="submission", file=sys.stderr, desc=homework.id) as bar:
        # Read one by one: a whole class in memory may be gigabytes.
        for handed, result in grades(_hand_in(submission, records) for submission in wanted):
            older = records.load(handed.key)
            records.save(handed.key, result)
            bar.update()
            yield handed.key, older, result


def _look(found: list[Submission], records: Records) -> dict[str, tuple[str, str]]:
    """Return key -> (digest, reason) of what was graded before, by the questions as they are.

    Raises:
        ValueError: Some were graded by others; two versions must not be mixed in one class.
    """
    older, stale = {}, 0
    for submission in found:
        if result := records.load(submission.key):
            older[submission.key] = result["digest"], result["reason"]
            stale += result.get("rules") != rules()
    if stale:
        told = f"{stale} results in {records.folder} were made when the questions were others"
        raise ValueError(f"{told}; run `regrade {records.folder}` first, or use another --out")
    return older


def _begin(found: list[Submission], records: Records) -> Summary:
    gone = sorted(set(records.keys()) - {submission.key for submission in found})
    other = records.load(gone[0])["student"] if gone else ""
    return Summary(found=len(found), others=len(gone), other=other)


def _to_grade(
    found: list[Submission],
    records: Records,
    older: dict[str, tuple[str, str]],
    summary: Summary,
    bar: tqdm,
) -> Iterator[Handed]:
    for submission in found:
        handed = _hand_in(submission, records)
        if handed.key in older and _is_current(*older[handed.key], handed):
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


def _is_current(digest: str, reason: str, handed: Handed) -> bool:
    return digest == handed.digest and (not handed.reason or handed.reason == reason)


def _store(
    handed: Handed,
    result: dict,
    homework: Homework,
    records: Records,
    clean: tuple[Notebook, dict],
) -> None:
    records.save(handed.key, result)
    if result["status"] == "not graded":
        return
    release, whole = clean
    answers = pick(parse_notebook(handed.data), release, homework.functions)
    folder = records.folder / "notebooks"
    folder.mkdir(exist_ok=True)
    write_json(folder / f"{handed.key}.ipynb", rebuild(whole, answers))


def _count(result: dict, summary: Summary) -> None:
    name = {"graded": "graded", "check by hand": "by_hand"}.get(result["status"], "rejected")
    setattr(summary, name, getattr(summary, name) + 1)
