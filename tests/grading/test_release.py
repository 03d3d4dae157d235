"""The students' notebook: no solution, nothing hidden, never edited by hand."""

import json
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from kdlab.grading import find_homework, known_homeworks
from kdlab.grading.intake import parse_notebook
from kdlab.grading.places import release_path, source_path
from kdlab.grading.release import make_release, write_release

HOMEWORKS = [find_homework(id) for id in known_homeworks()]


@pytest.fixture(params=HOMEWORKS, ids=[homework.id for homework in HOMEWORKS])
def homework(request):
    return request.param


def source(homework):
    return nbformat.read(source_path(homework), as_version=4)


def test_the_committed_release_is_the_generated_one(homework):
    """Regenerate it: python -m kdlab.grading release hw1 --out notebooks/homework/release."""
    generated = nbformat.writes(make_release(source(homework))) + "\n"
    assert release_path(homework).read_text(encoding="utf-8") == generated


def test_a_source_that_changes_changes_the_release(homework):
    changed = source(homework)
    changed.cells[0].source += "\nOne more sentence."
    assert nbformat.writes(make_release(changed)) + "\n" != release_path(homework).read_text()


def test_every_question_has_its_cells(homework):
    cells = {c.grade_id: c for c in parse_notebook(release_path(homework).read_bytes()).cells}
    for question in homework.questions:
        answer, check = cells[question.id], cells[f"{question.id}-check"]
        assert answer.solution and not answer.locked
        assert check.grade and check.locked
        assert f'check("{question.id}", {question.name})' in check.source
        assert f"def {question.name}(" in answer.source
        assert "raise NotImplementedError" in answer.source


def test_points_of_notebook_and_spec_agree(homework):
    points = {
        cell.metadata.nbgrader.grade_id: cell.metadata.nbgrader.points
        for cell in source(homework).cells
        if cell.metadata.get("nbgrader", {}).get("grade")
    }
    assert points == {f"{q.id}-check": q.points for q in homework.questions}


def test_nothing_gives_the_solutions_away(homework):
    text = release_path(homework).read_text(encoding="utf-8")
    notebook = json.loads(text)
    for word in ("SOLUTION", "HIDDEN", "instructor"):
        assert word not in text
    for cell in notebook["cells"]:
        assert not cell.get("outputs") and cell.get("execution_count") is None
        assert set(cell["metadata"]) <= {"nbgrader", "tags", "slideshow", "deletable", "editable"}
    assert set(notebook["metadata"]) == {"kernelspec", "language_info"}
    for question in homework.questions:
        for mistake in question.mistakes:
            assert mistake.because not in text


def small_source() -> nbformat.NotebookNode:
    told = {"schema_version": 3, "task": False, "grade": False}
    answer = new_code_cell(
        "def f(x):\n    ### BEGIN SOLUTION\n    return x * 1234567890123 + 9876543210987\n"
        "    ### END SOLUTION"
    )
    answer.metadata["nbgrader"] = {"grade_id": "q1", "solution": True, "locked": False, **told}
    secret = new_markdown_cell("The trick is to add.")
    secret.metadata["tags"] = ["instructor"]
    notebook = new_notebook(cells=[new_markdown_cell("Add."), answer, secret])
    notebook.metadata["kernelspec"] = {"name": "mine", "language": "python", "display_name": "x"}
    notebook.metadata["author"] = "the instructor"
    return notebook


def test_solutions_instructor_cells_and_metadata_go():
    release = make_release(small_source())
    assert [cell.cell_type for cell in release.cells] == ["markdown", "code"]
    assert release.cells[1].source == "def f(x):\n    raise NotImplementedError"
    assert "author" not in release.metadata and release.metadata.kernelspec.name == "python3"


def test_the_source_is_left_as_it_is():
    notebook = small_source()
    make_release(notebook)
    assert notebook == small_source() or "SOLUTION" in notebook.cells[1].source


def test_a_line_of_a_solution_elsewhere_is_refused():
    notebook = small_source()
    notebook.cells[0].source = "Hint: `return x * 1234567890123 + 9876543210987`"
    with pytest.raises(ValueError, match="still holds a line of a solution"):
        make_release(notebook)


def test_a_file_that_differs_is_not_overwritten(tmp_path, homework):
    path = write_release(homework, tmp_path, source=source_path(homework))
    write_release(homework, tmp_path, source=source_path(homework))
    path.write_text("a student's own work")
    with pytest.raises(FileExistsError, match="exists and differs; give --force"):
        write_release(homework, tmp_path, source=source_path(homework))
    assert path.read_text() == "a student's own work"
    write_release(homework, tmp_path, source=source_path(homework), force=True)
    assert Path(path).read_text() == release_path(homework).read_text()
