"""Find questions by id, and load no more than that takes."""

import subprocess
import sys
from pathlib import Path

import pytest

from kdlab.grading import check, find_homework, find_question, known_homeworks, known_ids, registry
from kdlab.grading.registry import imports_of


@pytest.mark.parametrize("id", ["KD02-E99", "KD77-E1", "", "kd02-e3", "KD02-E3 "])
def test_unknown_id_names_the_known_ones(id):
    with pytest.raises(
        ValueError, match=r"^id must be one of 'KD00-E1', .*'KD02-E7', .*, got '"
    ) as e:
        check(id, len)
    assert all(repr(known) in str(e.value) for known in known_ids())


@pytest.mark.usefixtures("unchecked_shapes")
def test_id_that_is_no_string():
    with pytest.raises(ValueError, match=r"^id must be a string such as 'KD02-E3', got an int$"):
        find_question(3)


def test_lectures_load_when_they_are_asked_for():
    code = (
        "import sys, kdlab.grading as g\n"
        "name = 'kdlab.grading.questions.lecture_0'\n"
        "before = [n for n in range(3) if name + str(n) in sys.modules]\n"
        "g.find_question('KD00-E1')\n"
        "print(before, [n for n in range(3) if name + str(n) in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[] [0]"


@pytest.mark.parametrize("id", known_homeworks())
def test_imports_are_said_twice_and_alike(id):
    assert imports_of(id) == find_homework(id).imports


def test_an_unknown_homework_names_the_known_ones():
    for find in (find_homework, imports_of):
        with pytest.raises(
            ValueError,
            match="^homework must be one of 'hw1', 'hw2', 'hw3', 'hw4', 'hw5', 'hw6', got 'hw9'$",
        ):
            find("hw9")


def test_rules_are_the_same_in_every_run_and_follow_the_questions(monkeypatch):
    before = registry.rules()
    registry.rules.cache_clear()
    assert registry.rules() == before and len(before) == 12
    read = Path.read_text
    changed = lambda path, *rest: read(path, *rest) + ("#" if path.stem == "gradient" else "")  # noqa: E731
    monkeypatch.setattr(Path, "read_text", changed)
    registry.rules.cache_clear()
    assert registry.rules() != before
    registry.rules.cache_clear()


def test_a_homework_may_be_named_by_its_notebook():
    assert registry.homework_id("hw1_temperature") == registry.homework_id("hw1") == "hw1"
    assert registry.homework_id("hw9") == "hw9"
