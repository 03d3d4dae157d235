"""Which of a submission's cells are its answers; all else comes from the release."""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

from kdlab.grading.intake.code import Parser, without_names
from kdlab.grading.intake.notebook import Cell, Notebook
from kdlab.grading.intake.pieces import Piece, Release, belonging, compared, read_pieces
from kdlab.grading.intake.words import capped, shown


@dataclass(frozen=True)
class Answers:
    """What is executed of a submission, and with what.

    Attributes:
        cells: Question id -> source of its answer cell. A question without one is absent.
        extras: Helper cells that the student added, in order; none of them defines a function
            that is graded.
        setup: The release's set-up cells, never the submission's.
        notes: What a person should know, one sentence each.
        unusual: An answer wasn't simply in its place; a person should look.
    """

    cells: dict[str, str]
    extras: tuple[str, ...]
    setup: tuple[str, ...]
    notes: tuple[str, ...]
    unusual: bool


def pick_answers(notebook: Notebook, release: Notebook, functions: Mapping[str, str]) -> Answers:
    """Find the answer to every question.

    An answer cell is known by nbgrader's id, else by its cell id, else it is the last cell that
    defines the function.

    Args:
        notebook: The submission.
        release: The release notebook, as `parse_notebook` reads it.
        functions: Question id -> name of its function.
    """
    picker = _Picker(notebook, release, functions)
    for question in functions:
        picker.pick(question)
    extras = picker.extras()
    cells = {question: piece.source for question, piece in picker.chosen.items()}
    return Answers(cells, extras, picker.release.setup, capped(picker.notes), picker.unusual)


class _Picker:
    """The choice so far: question id -> piece, and what there is to say about it."""

    def __init__(self, notebook: Notebook, release: Notebook, functions: Mapping[str, str]) -> None:
        self.release, self.functions = Release(release), functions
        self.chosen: dict[str, Piece] = {}
        self.notes: list[str] = []
        self.unusual = False
        self.pieces: list[Piece] = []
        for piece in read_pieces(notebook):
            if self._is_answer(piece.cell) or not self._is_locked(piece):
                self.pieces.append(piece)
        self._note_text_cells(notebook)

    def pick(self, question: str) -> None:
        """Choose the question's answer; say where it wasn't simply in its place."""
        name = self.functions[question]
        own = belonging(self.pieces, question, self.functions)
        filled = [piece for piece in own if not self.release.is_stub(piece, question)]
        defining = [piece for piece in filled if name in piece.names]
        elsewhere = self._elsewhere(name, own)
        candidates = defining or elsewhere or filled or own
        if not candidates:
            self.notes.append(f"{question}: no answer cell was found.")
            return
        self.chosen[question] = candidates[-1]
        if doubt := _doubt(name, candidates[-1], filled, elsewhere):
            self.notes.append(f"{question}: {doubt}.")
            # The only cell that defines the function is plainly the answer, whatever its id.
            self.unusual |= len({piece.text for piece in (*defining, *elsewhere)}) > 1

    def extras(self) -> tuple[str, ...]:
        """Return the cells that the student added, without what is graded or does nothing."""
        used = {piece.text for piece in self.chosen.values()}
        added = [
            piece
            for piece in self.pieces
            if not (piece.idle or piece.text in used or self.release.adds_nothing(piece))
        ]
        broken = [piece.number for piece in added if piece.broken]
        self.notes += [f"Cell {number} has a syntax error and is left out." for number in broken]
        whole = [piece for piece in added if not piece.broken]
        self._note_magics([*self.chosen.values(), *whole])
        parser = Parser()
        sources = [self._without_graded(piece, parser) for piece in whole]
        return tuple(source for source in sources if source.strip())

    def _is_answer(self, cell: Cell) -> bool:
        return cell.solution and cell.grade_id in self.functions

    def _is_locked(self, piece: Piece) -> bool:
        home = self.release.locked_cell(piece.cell)
        if home is not None and compared(home.source) != piece.text:
            kind = "check" if home.grade else "set-up"
            note = f"The {kind} cell {shown(home.grade_id or home.id or '')} was edited; "
            self.notes.append(f"{note}the release's own is used.")
        return home is not None

    def _elsewhere(self, name: str, own: list[Piece]) -> list[Piece]:
        """Return other cells that define the function and aren't the release's."""
        others = [piece for piece in self.pieces if name in piece.names and piece not in own]
        texts = self.release.texts | {piece.text for piece in own}
        return [piece for piece in others if piece.text not in texts]

    def _without_graded(self, piece: Piece, parser: Parser) -> str:
        """Return the extra without functions that are graded: it must not replace an answer."""
        graded = frozenset(self.functions.values())
        if not piece.names & graded:
            return piece.source
        tree = parser.parse(piece.source)
        return without_names(tree, piece.source, graded) if isinstance(tree, ast.Module) else ""

    def _note_magics(self, pieces: list[Piece]) -> None:
        for number, lines in sorted({(piece.number, piece.magics) for piece in pieces}):
            if lines:
                what = "1 line" if lines == 1 else f"{lines} lines"
                self.notes.append(f"Cell {number}: {what} of IPython commented out.")

    def _note_text_cells(self, notebook: Notebook) -> None:
        for cell in notebook.cells:
            for question in {cell.grade_id, cell.id} & set(self.functions):
                if cell.kind != "code":
                    self.notes.append(f"{question}: the answer cell is {cell.kind}, not code.")


def _doubt(name: str, found: Piece, filled: list[Piece], elsewhere: list[Piece]) -> str:
    """Say why a person should look at the choice; "" where it is plain."""
    if found in elsewhere:
        return f"{name} is taken from cell {found.number}"
    if len({piece.text for piece in filled}) > 1:
        return f"of several different answer cells, cell {found.number} counts"
    if any(piece.number > found.number for piece in elsewhere):
        again = f"{name} is defined again in cell {elsewhere[-1].number}"
        return f"{again}; the answer cell counts"
    return ""
