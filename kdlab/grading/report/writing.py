"""Write all reports of a graded homework."""

from pathlib import Path

from kdlab._files import write_text
from kdlab.grading.report.overview import class_page
from kdlab.grading.report.page import GENERATOR
from kdlab.grading.report.reading import read_result, result_files
from kdlab.grading.report.student import student_page
from kdlab.grading.report.summary import summarize
from kdlab.grading.report.table import csv_text


def write_report(grades: Path) -> list[Path]:
    """Write grades.csv, the class page and a page for each student.

    All results are checked before the first file is written. One result at a time is in
    memory in full. Each file appears under its name when it is whole.

    Args:
        grades: The folder that holds ``results/``.

    Returns:
        What was written: the CSV, the class page, the students' pages in the order of names.

    Raises:
        ValueError: A file in ``results/`` is no result; the message names it.
        OSError: A file cannot be read or written.
    """
    grades = Path(grades)
    summary = summarize(read_result(path) for path in result_files(grades))
    folder = grades / "report" / "students"
    folder.mkdir(parents=True, exist_ok=True)
    pages = []
    for row in summary.rows:
        row.notebook = (grades / "notebooks" / f"{row.key}.ipynb").is_file()
        result = read_result(grades / "results" / f"{row.key}.json")
        pages.append(_write(folder / f"{row.key}.html", student_page(result)))
    _forget_others(folder, {row.key for row in summary.rows})
    # Last, since they speak of the pages.
    table = _write(grades / "grades.csv", csv_text(summary))
    return [table, _write(folder.parent / "index.html", class_page(summary)), *pages]


def _write(path: Path, text: str) -> Path:
    write_text(path, text)
    return path


def _forget_others(folder: Path, keys: set[str]) -> None:
    """Remove the pages of results that are gone, and nothing that is not ours."""
    for path in folder.glob("*.html"):
        if path.stem not in keys and GENERATOR in path.read_text("utf-8", errors="replace"):
            path.unlink()
