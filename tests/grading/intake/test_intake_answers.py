"""pick_answers and rebuild: which cells count, and that all else is the release's."""

import json
import threading

import pytest
from _intake_helpers import answer, as_bytes, code, locked, notebook

from kdlab.grading.intake import Cell, Notebook, parse_notebook, pick_answers, rebuild

F = {"hw1-q1": "soft", "hw1-q2": "entropy"}
STUB1 = "def soft(z, T):\n    raise NotImplementedError"
STUB2 = "def entropy(p):\n    raise NotImplementedError"
IMPORTS = "import torch\nfrom kdlab.grading import check"
DEMO = "T = 2\nprint(T)"
SOFT = "def soft(z, T):\n    return z / T"
ENTROPY = "def entropy(p):\n    return -p"
TEXT = {"cell_type": "markdown", "source": "# hw1", "metadata": {}, "id": "text"}


def made(
    first=STUB1, second=STUB2, *more, imports=IMPORTS, demo=DEMO, check='check("hw1-q1", soft)'
):
    return notebook(
        TEXT,
        locked(imports, "hw1-imports"),
        answer(first, "hw1-q1"),
        locked(check, "hw1-q1-check", grade=True),
        code(demo, "demo"),
        answer(second, "hw1-q2"),
        *more,
    )


def read(found) -> Notebook:
    return parse_notebook(as_bytes(found))


RELEASE = made()


def pick(found):
    return pick_answers(read(found), read(RELEASE), F)


def test_answers_are_found_by_nbgraders_id():
    found = pick(made(SOFT, ENTROPY))
    assert found.cells == {"hw1-q1": SOFT, "hw1-q2": ENTROPY}
    assert found.extras == () and found.notes == () and not found.unusual
    assert found.setup == (IMPORTS,)


def test_the_release_itself_gives_the_stubs():
    found = pick(RELEASE)
    assert found.cells == {"hw1-q1": STUB1, "hw1-q2": STUB2} and found.extras == ()


def test_answers_are_found_by_cell_id_where_nbgraders_is_gone():
    found = pick(notebook(code(SOFT, "hw1-q1"), code(ENTROPY, "hw1-q2")))
    assert found.cells == {"hw1-q1": SOFT, "hw1-q2": ENTROPY} and not found.unusual


def test_answers_are_found_by_their_function_and_doubted():
    found = pick(
        notebook(code("def soft(): old"), code("x = 1"), code(SOFT), code("entropy = len"))
    )
    assert found.cells == {"hw1-q1": SOFT, "hw1-q2": "entropy = len"} and found.unusual
    assert "hw1-q1: soft is taken from cell 3." in found.notes


@pytest.mark.parametrize("left", [STUB1, STUB1 + "  \n\n", "", "  \n"])
def test_an_answer_beside_the_untouched_cell_counts(left):
    found = pick(made(left, ENTROPY, code("h = 2"), code(SOFT)))
    assert found.cells["hw1-q1"] == SOFT and found.extras == ("h = 2",) and not found.unusual


def test_an_imported_name_is_no_answer():
    found = pick(made(SOFT, STUB2, code("from scipy.stats import entropy")))
    assert found.cells["hw1-q2"] == STUB2 and not found.unusual


def test_a_missing_answer_is_absent_with_a_note():
    found = pick(notebook(answer(SOFT, "hw1-q1")))
    assert list(found.cells) == ["hw1-q1"]
    assert "hw1-q2: no answer cell was found." in found.notes


def test_an_answer_that_became_text_is_noted():
    found = pick(notebook({**answer(SOFT, "hw1-q1"), "cell_type": "markdown"}))
    assert "hw1-q1" not in found.cells
    assert "hw1-q1: the answer cell is markdown, not code." in found.notes


def test_identical_copies_count_once():
    found = pick(made(SOFT, ENTROPY, answer(SOFT + "\n", "hw1-q1")))
    assert not found.unusual and found.notes == () and found.extras == ()


def test_of_different_copies_the_last_that_isnt_the_stub_counts():
    last = SOFT.replace("/", "*")
    found = pick(made(SOFT, ENTROPY, answer(last, "hw1-q1"), answer(STUB1, "hw1-q1")))
    assert found.cells["hw1-q1"] == last and found.unusual
    assert found.notes == ("hw1-q1: of several different answer cells, cell 7 counts.",)


def test_a_cell_that_was_split_keeps_both_halves():
    found = pick(made("def helper(): 1", ENTROPY, answer(SOFT, "hw1-q1")))
    assert found.cells["hw1-q1"] == SOFT and found.extras == ("def helper(): 1",)


def test_a_later_definition_is_noted_and_doesnt_count():
    later = "@cache\ndef soft(z, T):\n    return 0\ndef helper(): 2"
    found = pick(made(SOFT, ENTROPY, code(later)))
    assert found.cells["hw1-q1"] == SOFT and found.unusual
    assert found.notes == ("hw1-q1: soft is defined again in cell 7; the answer cell counts.",)
    assert [extra.strip() for extra in found.extras] == ["def helper(): 2"]


def test_helpers_come_along_in_order_without_idle_cells():
    idle = ['check("hw1-q1", soft).require()', "check('hw1-q1', soft)", "%matplotlib inline", "# x"]
    more = [code(source) for source in ("a = 1", *idle, DEMO, IMPORTS, "b = a")]
    assert pick(made(SOFT, ENTROPY, *more)).extras == ("a = 1", "b = a")


def test_a_free_cell_of_the_release_comes_along_if_it_gained_names():
    assert pick(made(SOFT, ENTROPY, demo="T = 5\nprint(T)")).extras == ()
    gained = "T = 5\ndef helper(): 1"
    assert pick(made(SOFT, ENTROPY, demo=gained)).extras == (gained,)


def test_a_helper_with_a_syntax_error_is_left_out():
    found = pick(made(SOFT, ENTROPY, code("def (")))
    assert found.extras == () and found.notes == ("Cell 7 has a syntax error and is left out.",)


def test_a_warning_about_a_backslash_is_no_error():
    found = pick(made(SOFT, ENTROPY, code("pattern = '\\d'")))
    assert found.extras == ("pattern = '\\d'",) and found.notes == ()


def test_edited_checks_and_setup_are_noted_and_never_used():
    evil = "def soft(z, T): cheat"
    found = pick(made(STUB1, ENTROPY, imports=evil, check=evil))
    assert found.cells["hw1-q1"] == STUB1 and found.setup == (IMPORTS,) and found.extras == ()
    assert found.notes == (
        "The set-up cell hw1-imports was edited; the release's own is used.",
        "The check cell hw1-q1-check was edited; the release's own is used.",
    )


@pytest.mark.parametrize(
    ("source", "clean"),
    [
        ("%matplotlib inline\nx = 1", "# %matplotlib inline\nx = 1"),
        ("%%time\nx = 1", "# %%time\nx = 1"),
        ("%%bash\nrm -rf /\n", "# %%bash\n# rm -rf /\n# "),
        ("!pip install \\\n  torch\nx = 1", "# !pip install \\\n#   torch\nx = 1"),
        ("files = !ls\nx = 1", "# files = !ls\nx = 1"),
        ("?len\nlen?\nx = 1", "# ?len\n# len?\nx = 1"),
        ("def f():\n    %timeit g()\nx = 1", "def f():\n    pass  # %timeit g()\nx = 1"),
        ("x = (5\n  % 3)\n%time y", "x = (5\n  % 3)\ny  # %time"),
        ('s = """\n%time\n"""\n!ls', 's = """\n%time\n"""\n# !ls'),
        ('!echo "\nx = 1', '# !echo "\nx = 1'),
    ],
)
def test_ipython_lines_are_commented_out(source, clean):
    found = pick(made(source, ENTROPY))
    compile(found.cells["hw1-q1"], "", "exec")
    assert found.cells["hw1-q1"] == clean
    assert "of IPython commented out" in found.notes[0]


def test_python_is_left_as_it_is():
    source = SOFT + '\nx = """\n!ls\n"""'
    assert pick(made(source, ENTROPY)).cells["hw1-q1"] == source


BOMBS = [
    "(" * 100_000,
    "-" * 40_000 + "1",
    "a" + ".b" * 20_000,
    "lambda:" * 7_000 + "0",
    "a\0b",
    "\ud800",
    "x = '\\d'",
    "if a:\n pass\n" + "elif a:\n pass\n" * 3_000,
    " " * 49_000 + "?x",
    "?\n" * 20_000,
    "x = [" * 9_000,
    "f'" + "{" * 9_000,
    "a," * 400_000,
]


@pytest.mark.parametrize("bomb", BOMBS, ids=range(len(BOMBS)))
def test_hostile_code_is_an_answer_like_any_other(bomb):
    cells = (Cell("code", bomb, "hw1-q1", "hw1-q1", True), Cell("code", ENTROPY, "hw1-q2"))
    results = []
    # A thread has less stack than the main program.
    work = threading.Thread(
        target=lambda: results.append(pick_answers(Notebook(cells), read(RELEASE), F))
    )
    work.start()
    work.join()
    assert results[0].cells["hw1-q2"] == ENTROPY and "hw1-q1" in results[0].cells


def test_a_broken_cell_is_still_known_by_its_function():
    found = pick(notebook(code(SOFT + "\n)"), code("entropy(3\n")))
    assert list(found.cells) == ["hw1-q1"]


def test_the_rebuilt_notebook_is_the_release_with_the_answers():
    release = made()
    before = json.dumps(release)
    student = made(SOFT, ENTROPY, code("helper = 1"), imports="evil", check="evil")
    student["metadata"] = {"evil": 1}
    clean = rebuild(release, pick(student))
    assert json.dumps(release) == before
    sources = [cell["source"] for cell in clean["cells"]]
    checks = 'check("hw1-q1", soft)'
    assert sources == ["# hw1", IMPORTS, "helper = 1", SOFT, checks, DEMO, ENTROPY]
    code_cells = [cell for cell in clean["cells"] if cell["cell_type"] == "code"]
    assert all(cell["outputs"] == [] and not cell["execution_count"] for cell in code_cells)
    assert "evil" not in json.dumps(clean)


def test_the_rebuilt_notebook_is_valid():
    nbformat = pytest.importorskip("nbformat")
    student = made(SOFT, ENTROPY, code("helper = 1"))
    for minor in (4, 5):
        release = {**made(), "nbformat_minor": minor}
        for number, cell in enumerate(release["cells"]):
            cell["id"] = f"cell-{number}"
            if minor == 4:
                del cell["id"]
        nbformat.validate(rebuild(release, pick(student)))
