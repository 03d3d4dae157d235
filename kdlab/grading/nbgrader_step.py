"""Our execution step under nbgrader's `autograde`, and the release's under `generate_assignment`.

nbgrader runs a student's code and its tests in one process. Here the notebook's answers are
graded apart, as by ``python -m kdlab.grading grade``; what nbgrader reads afterwards is the
outputs of the check cells, from which it takes the points. All else stays nbgrader's.
"""

import atexit
import os
import secrets
import sys
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from nbgrader.converters.base import NbGraderException
from nbgrader.preprocessors import NbGraderPreprocessor
from traitlets import Integer
from traitlets.config import Config

from kdlab._files import read_json, write_json
from kdlab.grading.grade import Handed, grade
from kdlab.grading.places import release_path
from kdlab.grading.pool import read_release
from kdlab.grading.registry import find_homework, homework_id
from kdlab.grading.release import STUB, is_for_instructors, strip
from kdlab.grading.release import config as release_config
from kdlab.grading.sandbox.box import Sandbox
from kdlab.grading.sandbox.isolation import is_isolated
from kdlab.grading.seeds import seed_from
from kdlab.grading.spec import Homework

_SEED_FILE = "kdlab_seed.json"
_open: dict[str, Sandbox] = {}


def configure(settings: Config) -> None:
    """Put our steps into an nbgrader course; called in its nbgrader_config.py.

    Args:
        settings: What ``get_config()`` returned.
    """
    before = f"{__name__}.DropInstructorCells"
    generate = "IncludeHeaderFooter InstantiateTests LockCells ClearSolutions ClearOutput"
    generate += " CheckCellMetadata ComputeChecksums SaveCells ClearHiddenTests ClearMarkScheme"
    generate += " ComputeChecksums CheckCellMetadata"
    settings.GenerateAssignment.preprocessors = [before, *_nbgraders(generate)]
    after = "LimitOutput SaveAutoGrades AssignLatePenalties CheckCellMetadata"
    settings.Autograde.autograde_preprocessors = [f"{__name__}.GradeApart", *_nbgraders(after)]
    before = "ClearOutput DeduplicateIds OverwriteKernelspec OverwriteCells CheckCellMetadata"
    taken = f"{__name__}.TakeEachCellOnce"
    settings.Autograde.sanitize_preprocessors = [taken, *_nbgraders(before)]
    # A check cell that a student deleted must still carry its points.
    settings.OverwriteCells.add_missing_cells = True
    settings.merge(release_config())
    # nbgrader calls `alembic` by name, also where the environment isn't activated.
    own = str(Path(sys.executable).parent)
    os.environ["PATH"] = os.pathsep.join([os.environ.get("PATH", os.defpath), own])


def _nbgraders(names: str) -> list[str]:
    return [f"nbgrader.preprocessors.{name}" for name in names.split()]


class DropInstructorCells(NbGraderPreprocessor):
    """Leave out what only instructors see, and metadata that is of no use to students."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        nb.cells = [cell for cell in nb.cells if not is_for_instructors(cell)]
        strip(nb)
        return nb, resources


class TakeEachCellOnce(NbGraderPreprocessor):
    """Leave one cell of each id: nbgrader stops at the second, and exports 0 points for it."""

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        found: dict[str, list[NotebookNode]] = {}
        for cell in nb.cells:
            if name := cell.metadata.get("nbgrader", {}).get("grade_id"):
                found.setdefault(name, []).append(cell)
        for name, cells in found.items():
            answered = [cell for cell in cells if STUB not in cell.source] or cells
            for cell in cells:
                if cell is not answered[-1]:
                    self.log.warning("%s stands twice; the last answer counts", name)
                    del cell.metadata["nbgrader"]
        return nb, resources


class GradeApart(NbGraderPreprocessor):
    """Grade the answers in the sandbox and write points and words into the check cells."""

    seed = Integer(
        None, allow_none=True, help="Seed of the course; by default drawn and kept in the course."
    ).tag(config=True)

    def preprocess(self, nb: NotebookNode, resources: dict) -> tuple[NotebookNode, dict]:
        said = resources["nbgrader"]
        homework = _homework(said["notebook"])
        name, file = said["student"], f"{said['notebook']}.ipynb"
        data = nbformat.writes(nb).encode("utf-8", errors="replace")
        handed = Handed(name, name, file, (), data, "", self._seed_for(said, homework))
        result = self._grade(handed, homework)
        if result["status"] == "not graded":
            raise NbGraderException(f"{name}: {result['reason']}")
        _write_outputs(nb, result)
        return nb, resources

    def _grade(self, handed: Handed, homework: Homework) -> dict:
        if homework.id not in _open:
            _open[homework.id] = Sandbox(homework.imports).wait()
            atexit.register(_open[homework.id].close)
        sandbox = _open[homework.id]
        release = read_release(release_path(homework))
        result = grade(handed, homework, release, sandbox.lanes[0], sandbox.isolation)
        if not is_isolated(sandbox.isolation):
            self.log.warning("%s: %s", handed.student, sandbox.isolation)
        return result

    def _seed_for(self, said: dict, homework: Homework) -> int:
        course = self.seed if self.seed is not None else _course_seed()
        return seed_from(f"{course} {homework.id} {said['student']}")


def _course_seed() -> int:
    """Return the seed that the course folder keeps; drawn at its first use."""
    path = Path.cwd() / _SEED_FILE
    if not path.exists():
        write_json(path, {"seed": secrets.randbits(48)})
    return read_json(path)["seed"]


def _homework(name: str) -> Homework:
    if (id := homework_id(name)) != name:
        return find_homework(id)
    raise NbGraderException(
        f"{name}.ipynb is no homework of kdlab, so that it can't be graded apart; "
        "take GradeApart out of nbgrader_config.py to run it as nbgrader does"
    )


def _write_outputs(nb: NotebookNode, result: dict) -> None:
    rows = {row["id"]: row for row in result["questions"]}
    for cell in nb.cells:
        if cell.cell_type != "code":
            continue
        cell.outputs, cell.execution_count = [], None
        name = cell.metadata.get("nbgrader", {}).get("grade_id", "")
        row = rows.get(name.removesuffix("-check"))
        if row and cell.metadata.nbgrader.get("grade"):
            cell.execution_count = 1
            cell.outputs = _outputs(row, result)


def _outputs(row: dict, result: dict) -> list[NotebookNode]:
    """Return what nbgrader reads: text for people, and a number that it takes as the points."""
    text = "\n".join([*_lines(row), f"inputs drawn from seed {result['seed']}", _isolation(result)])
    stream = nbformat.v4.new_output("stream", name="stdout", text=text + "\n")
    points = {"text/plain": f"{row['points']:g}"}
    number = nbformat.v4.new_output("execute_result", data=points, execution_count=1)
    return [stream, number]


def _lines(row: dict) -> list[str]:
    lines = [f"{row['status']}: {row['points']:g} of {row['maximum']:g} points"]
    for name in ("message", "case", "expected", "got", "mistake", "cause", "output"):
        if row[name]:
            lines.append(f"{name}: {row[name]}")
    lines += [f"uses {id}: {whose}" for id, whose in row["uses"].items() if whose == "reference"]
    return lines


def _isolation(result: dict) -> str:
    said = result["isolation"]
    return f"graded apart ({said})" if is_isolated(said) else said
