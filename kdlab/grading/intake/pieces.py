"""A submission's code cells, each with what it defines and what it is to the release."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from kdlab.grading.intake.code import Parser, bound_names, only_checks
from kdlab.grading.intake.magics import without_magics
from kdlab.grading.intake.notebook import Cell, Notebook


@dataclass(frozen=True)
class Piece:
    """One code cell of the submission.

    Attributes:
        number: Its place in the notebook, from 1.
        cell: As it was handed in.
        source: As it can run, magics commented out.
        names: What it defines at top level.
        magics: How many lines were commented out.
        broken: It has a syntax error.
        idle: It does nothing, or nothing but call check.
    """

    number: int
    cell: Cell
    source: str
    names: frozenset[str]
    magics: int
    broken: bool
    idle: bool

    @cached_property
    def text(self) -> str:
        """Return the source as it is compared: without blank margins."""
        return compared(self.cell.source)


class Release:
    """What to hold a submission's cells against."""

    def __init__(self, release: Notebook) -> None:
        code = [cell for cell in release.cells if cell.kind == "code"]
        self.locked, self.plain, self.stubs = {}, {}, {}
        self.texts = {compared(cell.source) for cell in code}
        for cell in code:
            kind = self.stubs if cell.solution else self.locked if cell.locked else self.plain
            kind |= {name: cell for name in (cell.id, cell.grade_id) if name}
        self.setup = tuple(
            cell.source for cell in code if cell.locked and not (cell.grade or cell.solution)
        )

    def locked_cell(self, cell: Cell) -> Cell | None:
        """Return the check or set-up cell that this one is, edited or not."""
        return self.locked.get(cell.grade_id) or self.locked.get(cell.id)

    def is_stub(self, piece: Piece, question: str) -> bool:
        """Tell if the piece is what the release gave for the question, or blank."""
        stub = self.stubs.get(question)
        return not piece.text or (stub is not None and piece.text == compared(stub.source))

    def adds_nothing(self, piece: Piece) -> bool:
        """Tell if the piece is the release's own, or a free cell of it without new names."""
        if piece.text in self.texts:
            return True
        home = self.plain.get(piece.cell.id)
        return home is not None and piece.names <= _names(home.source)


def compared(source: str) -> str:
    """Return the source without what editors change by themselves."""
    return "\n".join(line.rstrip() for line in source.strip().split("\n"))


def read_pieces(notebook: Notebook) -> list[Piece]:
    """Look at every code cell, in order."""
    parser = Parser()
    numbered = enumerate(notebook.cells, 1)
    return [_piece(number, cell, parser) for number, cell in numbered if cell.kind == "code"]


def belonging(pieces: list[Piece], question: str, functions: Mapping[str, str]) -> list[Piece]:
    """Return the question's answer cells: by nbgrader's id, or else by the cell's id."""
    by_grade = [p for p in pieces if p.cell.solution and p.cell.grade_id == question]
    others = set(functions) - {question}
    by_id = [p for p in pieces if p.cell.id == question and p.cell.grade_id not in others]
    return by_grade or by_id


def _piece(number: int, cell: Cell, parser: Parser) -> Piece:
    source, tree, magics = without_magics(cell.source, parser)
    broken = isinstance(tree, SyntaxError)
    idle = only_checks(tree) or not source.strip()
    return Piece(number, cell, source, bound_names(tree, source), magics, broken, idle)


def _names(source: str) -> frozenset[str]:
    tree: ast.Module | SyntaxError | None = Parser().parse(source)
    return bound_names(tree, source)
