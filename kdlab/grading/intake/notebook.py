"""A notebook from a stranger, read into plain text and flags."""

import re
from dataclasses import dataclass

from kdlab.grading.intake.strict_json import read_json
from kdlab.grading.intake.words import Rejected, amount, capped, shown

MOST_CELLS = 5_000
MOST_CODE = 2**20
_KINDS = ("code", "markdown", "raw")
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")
# Kernels that don't say their language in the notebook.
_KERNELS = {"ir": "R", "octave": "Octave", "bash": "Bash", "matlab": "MATLAB", "deno": "Deno"}


@dataclass(frozen=True)
class Cell:
    """One cell; every field is plain text, a flag or None, whatever the file holds.

    Attributes:
        kind: ``code``, ``markdown`` or ``raw``.
        source: Its text.
        id: The notebook format's cell id.
        grade_id: nbgrader's id.
        solution: nbgrader's flag for cells that students fill.
        locked: nbgrader's flag for cells that students must leave alone.
        grade: nbgrader's flag for cells that carry points.
    """

    kind: str
    source: str
    id: str | None = None
    grade_id: str | None = None
    solution: bool = False
    locked: bool = False
    grade: bool = False


@dataclass(frozen=True)
class Notebook:
    """The cells that could be read, and what to say about the others."""

    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()


def parse_notebook(data: bytes) -> Notebook:
    """Read a notebook of format 4; outputs and other metadata are dropped.

    Args:
        data: The file.

    Raises:
        Rejected: It is no such notebook; the message says why, in one sentence.
    """
    found = read_json(data)
    if not isinstance(found, dict):
        raise Rejected(f"The file is not a notebook: its JSON is {_kind(found)}.")
    _check_format(found)
    _check_language(_table(found.get("metadata")))
    cells = found.get("cells")
    if not isinstance(cells, list):
        raise Rejected("The file is not a notebook: it has no list of cells.")
    if len(cells) > MOST_CELLS:
        raise Rejected(f"The notebook has {len(cells):,} cells; at most {MOST_CELLS:,} are read.")
    return _read_cells(cells)


def _check_format(found: dict) -> None:
    version = found.get("nbformat")
    if type(version) is not int:
        raise Rejected("The file is not a notebook: it doesn't say its nbformat.")
    if version < 4:
        raise Rejected(
            f"The notebook has the old format {shown(str(version), 20)}; convert it with "
            '"jupyter nbconvert --to notebook FILE" and hand it in again.'
        )
    if version > 4:
        raise Rejected(f"The notebook has format {shown(str(version), 20)}; only 4 can be read.")


def _check_language(metadata: dict) -> None:
    kernel = _table(metadata.get("kernelspec"))
    named = [
        _table(metadata.get("language_info")).get("name"),
        kernel.get("language"),
        _KERNELS.get(_text(kernel.get("name"))),
    ]
    languages = [name for name in named if isinstance(name, str) and name.strip()]
    if languages and not any("python" in name.lower() for name in languages):
        raise Rejected(f"The notebook is written for {shown(languages[0], 40)}, not for Python.")


def _read_cells(found: list) -> Notebook:
    cells, notes, code = [], [], 0
    for number, entry in enumerate(found, 1):
        kind = entry.get("cell_type") if isinstance(entry, dict) else None
        if kind not in _KINDS:
            notes.append(f"Cell {number} is no cell and is left out.")
            continue
        cell = _read_cell(entry, number, notes)
        code += len(cell.source.encode()) if kind == "code" else 0
        if code > MOST_CODE:
            raise Rejected(f"The notebook has more than {amount(MOST_CODE)} of code.")
        cells.append(cell)
    return Notebook(tuple(cells), capped(notes))


def _read_cell(entry: dict, number: int, notes: list[str]) -> Cell:
    source = _source(entry.get("source"), number)
    if _UNREADABLE.search(source):
        notes.append(f"Cell {number} holds characters that aren't text; they are replaced.")
    flags = _table(_table(entry.get("metadata")).get("nbgrader"))
    return Cell(
        kind=entry["cell_type"],
        source=_readable(source).replace("\r\n", "\n").replace("\r", "\n"),
        id=_text(entry.get("id")),
        grade_id=_text(flags.get("grade_id")),
        **{name: flags.get(name) is True for name in ("solution", "locked", "grade")},
    )


def _source(found: object, number: int) -> str:
    if isinstance(found, str):
        return found
    if isinstance(found, list) and all(isinstance(line, str) for line in found):
        return "".join(found)
    raise Rejected(f"The file is not a notebook: the source of cell {number} is no text.")


def _readable(text: str) -> str:
    return _UNREADABLE.sub("\N{REPLACEMENT CHARACTER}", text)


def _table(found: object) -> dict:
    return found if isinstance(found, dict) else {}


def _text(found: object) -> str | None:
    return _readable(found) if isinstance(found, str) else None


def _kind(found: object) -> str:
    names = {list: "a list", str: "a text", bool: "true or false", type(None): "null"}
    return names.get(type(found), "a number")
