"""Fuzz of intake: whatever is handed in, the outcome is a result or Rejected."""

import json
import os
import tempfile
from pathlib import Path

import pytest
from _intake_helpers import NAMES, answer, as_bytes, code, find, locked, notebook, zipped
from hypothesis import example, given, settings
from hypothesis import strategies as st

from kdlab.grading.intake import Cell, Notebook, Rejected, parse_notebook, pick_answers, rebuild
from kdlab.grading.intake.code import Parser
from kdlab.grading.intake.magics import without_magics
from kdlab.grading.intake.origins import origin

F = {"hw1-q1": "soft", "hw1-q2": "entropy"}
VALID = notebook(
    {"cell_type": "markdown", "source": ["# hw1\n", "é"], "metadata": {}, "id": "text"},
    locked("import torch", "hw1-imports"),
    answer("def soft(z):\n    raise NotImplementedError", "hw1-q1"),
    locked("check('hw1-q1', soft)", "hw1-q1-check", grade=True),
    answer("def entropy(p):\n    raise NotImplementedError", "hw1-q2"),
    code("%time soft(1)", "free"),
    metadata={"kernelspec": {"name": "python3", "language": "python"}},
)
DATA = as_bytes(VALID)
RELEASE = parse_notebook(DATA)
IDS = st.sampled_from([None, "", "hw1-q1", "hw1-q2", "hw1-imports", "hw1-q1-check", "free", "new"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text() | IDS
JSON = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | IDS.map(str), inner),
    max_leaves=20,
)
LINES = st.sampled_from(
    ["def soft(z):", "    return z", "soft = 1", "%time", "%%bash", "!ls \\", "x?", "check('a')"]
    + ["'''", "(", "if x:", "\\", "f'{", "\0", "\ud800", "@a", "x = !ls", "\t", "\r", "\x0c", "=1"]
    + ["def entropy(p): return p; soft = 2", "match x:", " case 1: soft = 1", "*a, soft = b"]
)
SOURCES = st.lists(LINES | st.text(), max_size=6).map("\n".join)
FLAGS = st.booleans()
CELLS = st.builds(
    Cell, st.sampled_from(["code", "markdown"]), SOURCES, IDS, IDS, FLAGS, FLAGS, FLAGS
)


def taken_in(data: bytes) -> None:
    """Take a file in as the grader does; only Rejected may come out."""
    try:
        found = parse_notebook(data)
    except Rejected as error:
        assert str(error).endswith(".") and "\n" not in str(error) and len(str(error)) < 400
        return
    for cell in found.cells:
        (cell.source + (cell.id or "") + (cell.grade_id or "")).encode()
    answered(found)


def answered(found: Notebook) -> None:
    answers = pick_answers(found, RELEASE, F)
    assert set(answers.cells) <= set(F) and answers.setup == ("import torch",)
    assert len(answers.notes) <= 21 and all(type(each) is str for each in answers.extras)
    clean = rebuild(VALID, answers)
    kept = [cell["source"] for cell in clean["cells"] if cell.get("id", "") in ("text", "free")]
    assert kept == [["# hw1\n", "é"], "%time soft(1)"]


@given(st.binary())
def test_any_bytes(data):
    taken_in(data)


@given(JSON)
def test_any_json(found):
    taken_in(json.dumps(found).encode())


@given(st.lists(JSON | CELLS.map(vars), max_size=4), JSON)
def test_any_cells_and_metadata(cells, metadata):
    taken_in(as_bytes(notebook(*cells, metadata=metadata)))


@given(st.integers(0, len(DATA)), st.integers(0, len(DATA)), st.binary(max_size=4))
def test_a_notebook_cut_and_spliced(start, end, middle):
    taken_in(DATA[:start] + middle + DATA[end:])


def places(found: object, path: tuple = ()) -> list[tuple]:
    """Return the way to every value in it."""
    inner = found.items() if isinstance(found, dict) else enumerate(found)
    ways = []
    for key, value in inner:
        ways.append((*path, key))
        if isinstance(value, (dict, list)):
            ways += places(value, (*path, key))
    return ways


@given(st.lists(st.tuples(st.sampled_from(places(VALID)), JSON), min_size=1, max_size=3))
def test_a_notebook_with_other_values(changes):
    found = json.loads(DATA)
    for way, value in changes:
        spot = found
        try:
            for key in way[:-1]:
                spot = spot[key]
            spot[way[-1]] = value
        except (TypeError, KeyError, IndexError):
            pass
    taken_in(as_bytes(found))


@given(st.lists(CELLS, max_size=6))
def test_any_cells_of_code(cells):
    answered(Notebook(tuple(cells)))


@given(SOURCES)
def test_commenting_out_keeps_the_number_of_lines(source):
    text, _, changed = without_magics(source, Parser())
    assert text.count("\n") == source.count("\n") and (changed > 0) == (text != source)


PARTS = st.sampled_from(
    ["anna", "Anna", "hw1", "hw2", "submitted", ".git", "hw1_temperature.ipynb", "a.pdf"]
    + ["hw1_temperature (1).ipynb", "x.ipynb", "x.zip", "hw1-anna", "a_1_2_x-2.ipynb", "-", "..x"]
    + ["A B_1_assignsubmission_file_", "A B_1_assignsubmission_file_x.zip", "\u202e", "é", "\udcff"]
    + ["1-2 - A B - Nov 9, 2026 1159 PM", "HW1_a_attempt_2026-11-20-23-59-01_x.ipynb", "9" * 150]
)
NAME = PARTS | st.text(st.characters(exclude_characters="/\0", max_codepoint=0x2FFF), max_size=9)
TREES = st.lists(
    st.tuples(
        st.lists(NAME, min_size=1, max_size=4), st.sampled_from(["file", "link", "zip", "dir"])
    ),
    max_size=8,
)


def check_found(place: Path, outside: bytes) -> None:
    found = find(place)
    assert len({each.key.lower() for each in found}) == len(found)
    assert found == find(place)
    for each in found:
        (each.student + each.key + each.file + "".join(each.notes)).encode()
        try:
            assert each.read() != outside
        except Rejected as error:
            str(error).encode()


def grow(place: Path, tree: list, secret: Path) -> None:
    for parts, kind in tree:
        path = place.joinpath(*(part for part in parts if part not in (".", "..", "")), "")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            if kind == "dir":
                path.mkdir()
            elif kind == "link":
                path.symlink_to(secret)
            elif path != place:
                path.write_bytes(zipped([("x.ipynb", b"x")]) if kind == "zip" else b"x")
        except OSError:
            pass


@pytest.mark.skipif(os.name != "posix", reason="names differ")
@settings(max_examples=60)
@given(TREES, st.booleans())
def test_any_tree_of_names(tree, to_folder):
    with tempfile.TemporaryDirectory() as folder:
        secret, place = Path(folder, "secret"), Path(folder, "place")
        secret.mkdir()
        place.mkdir()
        (secret / "hw1_temperature.ipynb").write_bytes(b"secret")
        grow(place, tree, secret if to_folder else secret / "hw1_temperature.ipynb")
        check_found(place, b"secret")


def is_writable(parts: list[str]) -> bool:
    return "".join(parts) != "" and "\udcff" not in "".join(parts)


@settings(max_examples=60)
@given(st.lists(st.tuples(st.lists(NAME, min_size=1, max_size=4), st.binary()), max_size=6))
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_any_zip_of_names(tree):
    files = [("/".join(parts), data) for parts, data in tree if is_writable(parts)]
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder, "class.zip")
        place.write_bytes(zipped(files))
        check_found(place, b"secret")
        assert os.listdir(folder) == ["class.zip"]


INNER = zipped(
    [("anna.ipynb", b"abc" * 9), ("boris/x.zip", zipped([("y.ipynb", b"y")])), ("c/", b"")]
)


@given(st.lists(st.tuples(st.integers(0, len(INNER) - 1), st.integers(0, 255)), max_size=6))
def test_any_damaged_zip(changes):
    data = bytearray(INNER)
    for place, value in changes:
        data[place] = value
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "anna.zip").write_bytes(bytes(data))
        check_found(Path(folder), b"secret")


@given(st.lists(NAME.filter(len), min_size=1, max_size=3), st.booleans())
@example(["_1" * 30_000 + "_assignsubmission"], True)
@example(["1" * 60_000 + "-1 - " + " - " * 20_000], False)
@example([" (1" * 20_000], True)
@example(["." * 60_000 + "/"], True)
def test_any_name_has_an_origin(parts, flat):
    found = origin(tuple(parts), flat=flat, **NAMES)
    assert found.identity and found.student
