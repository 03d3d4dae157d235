"""What the homework's guides say is so: the example works, commands exist, tables are true."""

import re
from pathlib import Path

import nbformat
import pytest
from notebook_rules import (
    has_alternative_texts,
    has_no_widget_state,
    has_outputs_without_errors,
    has_short_cells,
    has_stable_ids,
    hides_nothing,
    is_executed_in_order,
    is_valid,
    names_no_machine,
)

from kdlab.grading import check, find_homework, known_homeworks
from kdlab.grading.diagnose import find_fault
from kdlab.grading.observe import observe
from kdlab.grading.places import HOME, source_path

README = (HOME / "README.md").read_text(encoding="utf-8")
AUTHORING = (HOME / "AUTHORING.md").read_text(encoding="utf-8")
HOMEWORKS = [find_homework(id) for id in known_homeworks()]
# Imports stand in two cells here: what is drawn with kdlab is not there where answers run.
RULES = (
    has_alternative_texts,
    has_no_widget_state,
    has_outputs_without_errors,
    has_short_cells,
    has_stable_ids,
    hides_nothing,
    is_executed_in_order,
    is_valid,
    names_no_machine,
)


def example():
    """Return the question of the guide, and its spec's text."""
    [block] = re.findall(r"^```python\n(.*?)^```", AUTHORING, re.MULTILINE | re.DOTALL)
    space: dict = {}
    exec(compile(block, "AUTHORING.md", "exec"), space)
    return space["centre"], block[block.index("centre = ") :]


@pytest.mark.parametrize("homework", HOMEWORKS, ids=lambda homework: homework.id)
def test_title_cell_and_table_count_questions_minutes_and_points(homework):
    numbers = "One Two Three Four Five Six Seven Eight Nine Ten".split()
    count, points = len(homework.questions), f"{homework.points:g}"
    title = nbformat.read(source_path(homework), as_version=4).cells[0].source
    told = re.search(r"(\w+) questions, about ([0-9]+) minutes, ([0-9]+) points", title)
    [row] = re.findall(rf"^\| \[{homework.id} .*", README, re.MULTILINE)
    cells = [cell.strip() for cell in row.strip("|").split("|")]
    assert told.group(1, 3) == (numbers[count - 1], points)
    assert cells[1:] == [str(count), points, f"{told[2]} minutes"]


def test_the_example_has_twenty_lines_and_works():
    question, text = example()
    assert len(text.splitlines()) <= 20
    for case in (*question.cases, *question.fresh_cases(3)):
        right = observe(question.reference, case)
        assert (
            find_fault(right, observe(lambda z: z - z.mean(-1)[:, None], case), question.comparison)
            is None
        )
        [mistake] = question.mistakes
    wrong = observe(mistake.variants[0], question.fresh_cases(3)[0])
    right = observe(question.reference, question.fresh_cases(3)[0])
    assert find_fault(right, wrong, question.comparison)


@pytest.mark.parametrize("homework", HOMEWORKS, ids=[homework.id for homework in HOMEWORKS])
def test_the_table_is_true(homework):
    minutes = sum(question.minutes for question in homework.questions)
    row = f"| {len(homework.questions)} | {homework.points:g} | {minutes} minutes |"
    assert any(homework.name in line and row in line for line in README.splitlines())


@pytest.mark.parametrize("text", [README, AUTHORING], ids=["README", "AUTHORING"])
def test_links_and_commands_exist(text):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", text):
        assert (HOME / target).exists(), target
    for verb in re.findall(r"kdlab\.grading (\w+)", text):
        assert verb in ("release", "grade", "report", "regrade", "doctor", "course"), verb
    for path in re.findall(r"^python -m pytest (.*)$", text, re.MULTILINE):
        assert all((HOME.parents[1] / name).exists() for name in path.split())


@pytest.mark.parametrize("homework", HOMEWORKS, ids=[homework.id for homework in HOMEWORKS])
@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_the_instructor_s_notebook_keeps_the_rule(homework, rule):
    complaints = list(rule(nbformat.read(source_path(homework), as_version=4)))
    assert not complaints, "\n".join(complaints)


def test_every_homework_notebook_is_registered():
    names = {path.stem for path in Path(HOME).glob("*.ipynb")}
    assert names == {homework.name for homework in HOMEWORKS}


def test_require_raises_what_check_says():
    result = check("hw1-q2", lambda probabilities: probabilities)
    with pytest.raises(AssertionError) as caught:
        result.require()
    assert str(caught.value) == repr(result)
    assert caught.value._render_traceback_() == [repr(result)]


def test_require_is_silent_where_all_is_right(capsys):
    result = check("hw1-q2", find_homework("hw1").questions[1].reference)
    assert result.require() is None
    assert capsys.readouterr().out == repr(result) + "\n"
