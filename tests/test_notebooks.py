"""Every lecture keeps the rules, and the rules see what they should.

The rules stand in notebook_rules.py. Each is tested on a tiny notebook with a planted
violation, then run on every notebook of the course.
"""

import importlib
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_rules import (
    COVERED,
    RULES,
    covers_its_items,
    has_alternative_texts,
    has_matching_covers,
    has_no_widget_state,
    has_outputs_without_errors,
    has_plain_imports,
    has_questions,
    has_short_cells,
    has_slides,
    has_sourced_numbers,
    has_stable_ids,
    has_text_between_code,
    hides_nothing,
    is_executed_in_order,
    is_valid,
    names_no_machine,
)

PATHS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))

# ---- the course keeps them -----------------------------------------------------------------


@pytest.fixture(scope="module", params=PATHS, ids=[path.stem for path in PATHS])
def path(request):
    return request.param


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_lecture_keeps_the_rule(path, rule):
    complaints = list(rule(nbformat.read(path, as_version=4)))
    assert not complaints, "\n".join(complaints)


def test_lecture_covers_its_items(path):
    assert list(covers_its_items(nbformat.read(path, as_version=4), path.stem[:2])) == []


def test_lecture_checks_its_questions(path):
    room = importlib.import_module(f"kdlab.grading.questions.lecture_{path.stem[:2]}")
    known = [question.id for question in room.QUESTIONS]
    assert all(name.startswith(f"KD{path.stem[:2]}-") for name in known)
    assert list(has_questions(nbformat.read(path, as_version=4), known)) == []


def test_lecture_is_under_two_megabytes(path):
    assert path.stat().st_size < 2_000_000


def test_the_lectures_of_the_table_are_there():
    assert {path.stem[:2] for path in PATHS} >= set(COVERED)


# ---- and the rules see what they should ----------------------------------------------------

WORDS = "word " * 60


def lecture():
    """Build a small notebook that keeps every rule."""
    png = {"data": {"image/png": "aGk="}, "metadata": {"image/png": {"alt": "a curve"}}}
    cells = [
        new_markdown_cell("# Title", id="kd99-intro"),
        new_code_cell("import math", id="kd99-imports", execution_count=1),
        new_markdown_cell(WORDS, id="kd99-text"),
        new_code_cell("show()", id="kd99-show", execution_count=2),
        new_markdown_cell(WORDS, id="kd99-task"),
        new_code_cell("def f(): ...  # your answer", id="kd99-stub", execution_count=3),
        new_code_cell('check("KD99-E1", f)', id="kd99-check", execution_count=4),
        new_markdown_cell("Bye.\n\nCovers: S0.1, S1.2", id="kd99-end"),
    ]
    cells[3].outputs = [new_output("display_data", **png)]
    for cell in cells:
        cell.metadata["slideshow"] = {"slide_type": "slide"}
    return new_notebook(cells=cells, metadata={"kdlab": {"covers": ["S0.1", "S1.2"]}})


def put(number, source):
    """Return a change that gives a cell another source."""

    def change(notebook):
        notebook.cells[number].source = source

    return change


def output(number, kind, **content):
    """Return a change that gives a cell one output."""

    def change(notebook):
        notebook.cells[number].outputs = [new_output(kind, **content)]

    return change


def setting(number, **values):
    """Return a change of a cell's own fields."""

    def change(notebook):
        notebook.cells[number].update(values)

    return change


def shown(mime, content, **metadata):
    return output(3, "display_data", data={mime: content}, metadata=metadata)


PLANTED = [
    (is_valid, setting(3, outputs=[{"output_type": "nonsense"}])),
    (has_stable_ids, setting(2, id="kd99-intro")),
    (has_stable_ids, setting(2, id="0a1b2c3d")),
    (has_stable_ids, setting(2, id="abcdef12-0a1b2c3d")),
    (has_short_cells, put(3, "a = 1\n" * 21)),
    (has_text_between_code, put(2, "word " * 39)),
    (has_text_between_code, put(2, "word " * 121)),
    (has_text_between_code, put(2, "word " * 90 + "\n\n### More\n\n" + "word " * 90)),
    (has_text_between_code, put(2, "## One\n\n" + "word " * 19 + "\n\n## Two\n\nword")),
    (has_text_between_code, put(2, "| word |\n" * 60)),
    (has_text_between_code, put(2, "$$a b c$$ " * 60)),
    (has_text_between_code, put(2, "<details>" + "word " * 60 + "</details>" + "word " * 121)),
    (has_text_between_code, put(5, "def f(): ...")),
    (is_executed_in_order, setting(3, execution_count=5)),
    (is_executed_in_order, setting(3, execution_count=None)),
    (has_outputs_without_errors, setting(3, outputs=[])),
    (has_outputs_without_errors, output(1, "error", ename="E", evalue="", traceback=[])),
    (has_outputs_without_errors, output(1, "stream", name="stderr", text="Warning: old")),
    (has_no_widget_state, lambda notebook: notebook.metadata.update(widgets={})),
    (has_no_widget_state, shown("application/vnd.jupyter.widget-view+json", {"model_id": "1"})),
    (has_slides, setting(2, metadata={})),
    (has_slides, setting(2, metadata={"slideshow": {"slide_type": "poster"}})),
    (has_plain_imports, put(1, "from math import *")),
    (has_plain_imports, put(1, "1 + 1")),
    (has_plain_imports, put(3, "def f():\n    import math")),
    (hides_nothing, put(3, "import warnings; warnings.filterwarnings('ignore')")),
    (hides_nothing, setting(3, metadata={"jupyter": {"source_hidden": True}})),
    (hides_nothing, setting(3, metadata={"tags": ["hide-input"]})),
    (has_matching_covers, put(-1, "Covers: S0.1")),
    (has_matching_covers, put(-1, "Bye.")),
    (has_matching_covers, lambda notebook: notebook.metadata.pop("kdlab")),
    (has_alternative_texts, shown("image/png", "aGk=")),
    (has_alternative_texts, shown("image/svg+xml", "<svg></svg>")),
    (has_alternative_texts, shown("text/html", '<img src="a.png">')),
    (has_alternative_texts, put(2, "![](a.png)")),
    (names_no_machine, output(1, "stream", name="stdout", text="in /home/ann/x.gz")),
    (names_no_machine, output(1, "stream", name="stdout", text=r"in C:\Users\ann")),
    (names_no_machine, put(3, "open('/tmp/x')")),
    (has_sourced_numbers, put(2, "The student makes 74 errors.")),
    (has_sourced_numbers, put(2, "It is right in 98.6 % of the cases.")),
]


@pytest.mark.parametrize("rule", RULES, ids=[rule.__name__ for rule in RULES])
def test_rule_lets_a_good_lecture_pass(rule):
    assert list(rule(lecture())) == []


@pytest.mark.parametrize(("rule", "change"), PLANTED, ids=[rule.__name__ for rule, _ in PLANTED])
def test_rule_sees_a_planted_violation(rule, change):
    notebook = lecture()
    change(notebook)
    assert list(rule(notebook)) != []


def test_every_rule_has_a_planted_violation():
    assert {rule for rule, _ in PLANTED} == set(RULES)


@pytest.mark.parametrize(
    ("rule", "change"),
    [
        (has_text_between_code, put(4, "Task.\n\n<details>Hint</details>")),
        (has_text_between_code, put(2, "word " * 90 + "\n\n## Next\n\n" + "word " * 90)),
        (has_sourced_numbers, put(2, "The paper's student makes 74 errors (arXiv:1503.02531).")),
        (has_sourced_numbers, put(2, "Ten classes, $74$ units, 3 exercises.")),
        (has_alternative_texts, shown("image/svg+xml", '<svg aria-label="bars"></svg>')),
        (names_no_machine, output(1, "stream", name="stdout", text="https://a.org/home/b 1/2/3")),
    ],
)
def test_rule_lets_this_pass(rule, change):
    notebook = lecture()
    change(notebook)
    assert list(rule(notebook)) == []


def test_items_are_compared_both_ways():
    notebook = new_notebook(metadata={"kdlab": {"covers": ["S0.1", "S0.2", "S1.1", "S4.6"]}})
    assert list(covers_its_items(notebook, "00")) == ["lecture 00 doesn't cover S1.2"]
    notebook.metadata["kdlab"]["covers"] += ["S1.2", "S2.4"]
    assert list(covers_its_items(notebook, "00")) == ["lecture 00 covers what isn't its own: S2.4"]


def test_questions_are_compared_both_ways():
    assert list(has_questions(lecture(), ["KD99-E1"])) == []
    assert list(has_questions(lecture(), [])) == ["check without a question: KD99-E1"]
    assert list(has_questions(lecture(), ["KD99-E1", "KD99-E2"])) == [
        "question without a check: KD99-E2"
    ]
