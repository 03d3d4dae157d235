"""Make the students' notebook from the instructor's: no solutions, no outputs, no hints.

nbgrader's own preprocessors clear solutions and hidden tests and lock cells, so that a plain
nbgrader course makes the same; what they leave, such as outputs and metadata, goes here.
"""

import json
import os
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from traitlets.config import Config

from kdlab._files import write_text
from kdlab.grading.spec import Homework

INSTRUCTOR = "instructor"
BEGIN, END = "### BEGIN SOLUTION", "### END SOLUTION"
STUB = "raise NotImplementedError"
_KEPT = {"nbgrader", "tags", "slideshow", "deletable", "editable"}
_SHORTEST_LEAK = 30


def config() -> Config:
    """Return nbgrader's settings for a release."""
    settings = Config()
    settings.ClearSolutions.begin_solution_delimeter = BEGIN.removeprefix("### ")
    settings.ClearSolutions.end_solution_delimeter = END.removeprefix("### ")
    settings.ClearSolutions.code_stub = {"python": STUB}
    return settings


def make_release(source: NotebookNode) -> NotebookNode:
    """Return the students' version of an instructor's notebook.

    Raises:
        ValueError: A line of a solution would still be in it.
    """
    from nbgrader import preprocessors

    release = nbformat.from_dict(source)
    release.cells = [cell for cell in release.cells if not is_for_instructors(cell)]
    settings = config()
    for name in ("ClearSolutions", "ClearHiddenTests", "LockCells", "ClearOutput"):
        release, _ = getattr(preprocessors, name)(config=settings).preprocess(release, {})
    strip(release)
    release, _ = preprocessors.ComputeChecksums(config=settings).preprocess(release, {})
    _refuse_leaks(source, release)
    return release


def write_release(homework: Homework, out: Path, *, source: Path, force: bool = False) -> Path:
    """Write the release of a homework into a folder.

    Raises:
        FileNotFoundError: There is no such source.
        FileExistsError: Another file of that name lies there, and ``force`` isn't given.
    """
    release = make_release(nbformat.read(source, as_version=4))
    text = nbformat.writes(release) + "\n"
    path = out / f"{homework.name}.ipynb"
    if path.exists() and path.read_text(encoding="utf-8") != text and not force:
        raise FileExistsError(f"{path} exists and differs; give --force to replace it")
    os.makedirs(out, exist_ok=True)
    write_text(path, text)
    return path


def is_for_instructors(cell: NotebookNode) -> bool:
    """Tell whether a cell is tagged so that students don't get it."""
    return INSTRUCTOR in cell.metadata.get("tags", [])


def strip(release: NotebookNode) -> None:
    """Leave only the metadata that students and nbgrader need."""
    for cell in release.cells:
        kept = {key: value for key, value in cell.metadata.items() if key in _KEPT}
        cell.metadata = nbformat.from_dict(kept)
        cell.pop("attachments", None)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    release.metadata = nbformat.from_dict(metadata)


def _refuse_leaks(source: NotebookNode, release: NotebookNode) -> None:
    """A line of a solution that stands anywhere in the release gives it away."""
    told = "\n".join(nbformat.writes(release).splitlines())
    for line in _solution_lines(source):
        if json.dumps(line, ensure_ascii=False)[1:-1] in told:
            raise ValueError(f"the release still holds a line of a solution: {line!r}")


def _solution_lines(source: NotebookNode) -> set[str]:
    found: set[str] = set()
    for cell in source.cells:
        inside = False
        for line in cell.source.splitlines():
            inside = (inside or BEGIN in line) and END not in line
            if inside and BEGIN not in line and len(line.strip()) >= _SHORTEST_LEAK:
                found.add(line.strip())
    return found
