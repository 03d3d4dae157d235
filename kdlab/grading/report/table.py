"""GRADES/grades.csv: one row a student, for a spreadsheet."""

import csv
import io

from kdlab.grading.report.summary import Row, Summary
from kdlab.grading.report.text import cell, number

# Excel takes UTF-8 for the local code page unless this mark stands in front.
_MARK = "\ufeff"


def csv_text(summary: Summary) -> str:
    """Return the whole file; points are blank where nothing was graded."""
    asked = list(summary.tallies)
    file = io.StringIO()
    file.write(_MARK)
    writer = csv.writer(file)
    writer.writerow(_header(asked))
    writer.writerows(_cells(row, asked) for row in summary.rows)
    return file.getvalue()


def _header(asked: list[str]) -> list[str]:
    first = ["student", "file", "status", "reason", "points", "maximum"]
    last = ["isolation", "seed", "digest", "seconds"]
    return [*first, *map(cell, asked), *(cell(f"{id} status") for id in asked), *last]


def _cells(row: Row, asked: list[str]) -> list[object]:
    answers = {} if row.points is None else row.answers
    points = [number(answers[id].points, 4) if id in answers else "" for id in asked]
    statuses = [answers[id].status if id in answers else "" for id in asked]
    texts = [cell(text) for text in (row.name, row.file, row.status, row.reason)]
    total = "" if row.points is None else number(row.points, 4)
    seed = "" if row.seed is None else row.seed
    worth = [total, number(row.maximum, 4), *points, *statuses]
    return [*texts, *worth, cell(row.isolation), seed, cell(row.digest), number(row.seconds, 3)]
