"""A normal nbgrader course with our step: release, autograde, gradebook, feedback, points."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.converters.base import NbGraderException

from kdlab.grading import find_homework, nbgrader_step
from kdlab.grading.course import make_course
from kdlab.grading.places import release_path, source_path

HOMEWORK = find_homework("hw1")
NAME = f"{HOMEWORK.name}.ipynb"
STUDENTS = ("anna", "boris", "hacker", "late", "twice")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


def nbgrader(course: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "nbgrader", *arguments]
    # As with an environment that isn't activated.
    environment = dict(os.environ) | {"PATH": os.defpath, "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command, cwd=course, capture_output=True, text=True, timeout=300, env=environment
    )


def answer(notebook: nbformat.NotebookNode, name: str) -> nbformat.NotebookNode:
    [cell] = [c for c in notebook.cells if c.metadata.get("nbgrader", {}).get("grade_id") == name]
    return cell


def hand_in(course: Path, student: str, edit=lambda notebook: None) -> None:
    """Hand in the release with the instructor's answers, edited."""
    released = nbformat.read(course / "release" / "hw1" / NAME, as_version=4)
    solved = nbformat.read(source_path(HOMEWORK), as_version=4)
    for question in HOMEWORK.questions:
        answer(released, question.id).source = answer(solved, question.id).source
    edit(released)
    folder = course / "submitted" / student / "hw1"
    folder.mkdir(parents=True)
    # Not nbformat.write: a cell pasted twice keeps its id, and nbformat would rather not.
    (folder / NAME).write_text(json.dumps(released))


def half_right(notebook) -> None:
    answer(notebook, "hw1-q1").source = "def tempered_softmax(logits, temperature): return logits"


def hostile(notebook) -> None:
    answer(notebook, "hw1-q2").source = (
        "import numpy, os\nnumpy.testing.assert_allclose = lambda *a, **k: None\n"
        "def entropy(probabilities):\n    os.system('touch owned')\n    os._exit(0)"
    )
    answer(notebook, "hw1-q2-check").source = "print('I pass')"


def duplicated(notebook) -> None:
    notebook.cells.append(copy.deepcopy(answer(notebook, "hw1-q4")))


@pytest.fixture(scope="module", autouse=True)
def alembic():
    """nbgrader calls it by name; here it is asked by the tests themselves as well."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
        yield


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("course")
    make_course(folder)
    done = nbgrader(folder, "generate_assignment", "hw1", "--create")
    assert done.returncode == 0, done.stderr
    for student, edit in zip(
        STUDENTS,
        (lambda notebook: None, half_right, hostile, lambda notebook: None, duplicated),
        strict=True,
    ):
        hand_in(folder, student, edit)
    done = nbgrader(folder, "autograde", "hw1")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def gradebook(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as opened:
        yield opened


def score(gradebook, student: str) -> float:
    return gradebook.find_submission("hw1", student).score


def test_the_release_is_the_one_that_we_generate(course):
    made = nbformat.read(course / "release" / "hw1" / NAME, as_version=4)
    ours = nbformat.read(release_path(HOMEWORK), as_version=4)
    assert [cell.source for cell in made.cells] == [cell.source for cell in ours.cells]
    assert made.cells == ours.cells


def test_points_reach_the_gradebook(gradebook):
    assert score(gradebook, "anna") == 20
    assert score(gradebook, "boris") == 17
    assert score(gradebook, "hacker") == 18
    assert score(gradebook, "twice") == 20
    assert gradebook.find_assignment("hw1").max_score == 20


def test_the_hacker_leaves_nothing_behind(course):
    assert list(course.rglob("owned")) == []


def test_partial_points_and_reasons_stand_in_the_notebook(course):
    done = nbformat.read(course / "autograded" / "boris" / "hw1" / NAME, as_version=4)
    stream, number = answer(done, "hw1-q1-check").outputs
    assert number.data["text/plain"] == "0"
    assert "wrong: 0 of 3 points" in stream.text and "expected: " in stream.text
    assert "graded apart (Landlock" in stream.text and "from seed" in stream.text


def test_the_seed_is_kept_and_the_points_come_again(course, gradebook):
    seed = (course / "kdlab_seed.json").read_text()
    assert isinstance(json.loads(seed)["seed"], int)
    before = (course / "autograded" / "boris" / "hw1" / NAME).read_text()
    done = nbgrader(course, "autograde", "hw1", "--student", "boris", "--force")
    assert done.returncode == 0, done.stderr
    assert (course / "kdlab_seed.json").read_text() == seed
    again = (course / "autograded" / "boris" / "hw1" / NAME).read_text()
    assert "from seed" in again and again.count("from seed") == before.count("from seed")
    assert score(gradebook, "boris") == 17


def test_manual_points_stay_nbgrader_s(course):
    with Gradebook(f"sqlite:///{course}/gradebook.db") as opened:
        grade = opened.find_grade("hw1-q1-check", HOMEWORK.name, "hw1", "late")
        grade.manual_score = 1.5
        opened.db.commit()
    with Gradebook(f"sqlite:///{course}/gradebook.db") as opened:
        assert score(opened, "late") == 18.5


@pytest.mark.parametrize("name", ["essay", "hw1", "hw1_temperature (1)"])
def test_a_notebook_that_is_no_homework_is_refused(name):
    step = nbgrader_step.GradeApart(seed=1)
    said = {"notebook": name, "student": "anna"}
    with pytest.raises(NbGraderException, match=r"is no homework of kdlab, so that it can't be gr"):
        step.preprocess(nbformat.v4.new_notebook(), {"nbgrader": said})


def test_feedback_and_export_work(course):
    done = nbgrader(course, "generate_feedback", "hw1")
    assert done.returncode == 0, done.stderr
    page = course / "feedback" / "boris" / "hw1" / f"{HOMEWORK.name}.html"
    assert "wrong: 0 of 3 points" in page.read_text()
    done = nbgrader(course, "export")
    assert done.returncode == 0, done.stderr
    assert "boris" in (course / "grades.csv").read_text()


def test_validate_fails_on_the_release_and_passes_on_the_source(tmp_path):
    for path, said in ((release_path(HOMEWORK), "FAILED"), (source_path(HOMEWORK), "Success")):
        copy = tmp_path / f"{said}.ipynb"
        copy.write_bytes(path.read_bytes())
        done = nbgrader(tmp_path, "validate", copy.name)
        assert said in done.stdout + done.stderr


def test_a_course_folder_keeps_what_is_there(tmp_path):
    make_course(tmp_path)
    assert make_course(tmp_path) == []
    (tmp_path / "nbgrader_config.py").write_text("# mine")
    with pytest.raises(FileExistsError, match="nbgrader_config.py exists and differs"):
        make_course(tmp_path)
    assert (tmp_path / "nbgrader_config.py").read_text() == "# mine"
