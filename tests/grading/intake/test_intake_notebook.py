"""parse_notebook: what is read, what is refused, with which sentence."""

import json
import subprocess
import sys

import pytest
from _intake_helpers import answer, as_bytes, code, locked, notebook

from kdlab.grading.intake import Cell, Rejected, parse_notebook

GOOD = as_bytes(notebook(code("x = 1")))


def test_a_notebook_is_read_into_plain_cells():
    found = parse_notebook(
        as_bytes(
            notebook(
                {"cell_type": "markdown", "source": ["a\n", "b"], "metadata": {}},
                answer("def f(): pass", "hw1-q1"),
                locked("check()", "hw1-q1-check", grade=True),
            )
        )
    )
    assert found.cells == (
        Cell("markdown", "a\nb"),
        Cell("code", "def f(): pass", "hw1-q1", "hw1-q1", True, False, False),
        Cell("code", "check()", "hw1-q1-check", "hw1-q1-check", False, True, True),
    )
    assert found.notes == ()


def test_what_isnt_a_cell_is_left_out_with_a_note():
    found = parse_notebook(as_bytes(notebook(3, {"cell_type": ["code"]}, None, code("x"))))
    assert [cell.source for cell in found.cells] == ["x"]
    assert found.notes[0] == "Cell 1 is no cell and is left out." and len(found.notes) == 3
    many = parse_notebook(as_bytes(notebook(*[0] * 100)))
    assert len(many.notes) == 21 and many.notes[-1] == "There are 80 more such notes."


def test_wrong_metadata_is_ignored():
    cells = [
        {"cell_type": "code", "source": "x", "metadata": m} for m in (None, 3, {"nbgrader": []})
    ]
    cells.append(code("x", solution=1, locked="yes", grade_id=["q"]))
    cells[-1]["id"] = 7
    found = parse_notebook(as_bytes(notebook(*cells, metadata=[1])))
    assert found.cells == (Cell("code", "x"),) * 4


def test_characters_that_arent_text_are_replaced():
    data = json.dumps(notebook(code("a\ud800\0b\r\nc\rd", id="\udfff"))).encode()
    [cell] = parse_notebook(data).cells
    assert (cell.source, cell.id) == ("a\ufffd\ufffdb\nc\nd", "\ufffd")
    assert "aren't text" in parse_notebook(data).notes[0]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf", b" \n"])
def test_marks_and_blanks_in_front_are_fine(mark):
    assert len(parse_notebook(mark + GOOD).cells) == 1


def with_languages(kernel=None, language=None):
    return as_bytes(
        notebook(metadata={"kernelspec": kernel or {}, "language_info": {"name": language}})
    )


@pytest.mark.parametrize(
    ("kernel", "language"),
    [({"language": "python"}, "python"), ({"name": "python3"}, None), ({}, "ipython"), ({}, 3)],
)
def test_python_is_known_by_any_of_its_names(kernel, language):
    parse_notebook(with_languages(kernel, language))


DEEP = b"[" * 100_000 + b"]" * 100_000
REFUSED = [
    (b"", "The file is empty."),
    (b" \n\t", "The file is empty."),
    (GOOD.decode().encode("utf-16"), "is not UTF-8 text"),
    (GOOD.decode().encode("utf-16-le"), "is not UTF-8 text"),
    (GOOD.decode().encode("utf-32"), "is not UTF-8 text"),
    (b'{"nbformat": "\xe9"}', r"is not UTF-8 text \(byte 14\)"),
    (GOOD[:60], r"its JSON is cut off \(line 1, column \d+\)"),
    (b'{\n"a": 1,\n  oops}', r"The file is not a notebook: it is no JSON \(line 3, column 3\)\."),
    (b'{"a": 1,\n<<<<<<< HEAD\n"b": 2}', "git conflict"),
    (b"<<<<<<< HEAD\n{}", "git conflict"),
    (b"<!DOCTYPE html>", "it is a web page"),
    (b"PK\x03\x04abc", "it is a zip archive"),
    (b"%PDF-1.7", "it is a PDF"),
    (b'{"a": ' + b"1" * 5000 + b"}", "a number that takes 5 kB"),
    (b'{"a": 1, "a": 2}', 'it has "a" twice'),
    (DEEP, "nested too deeply"),
    (b'{"a":' * 100_000, "nested too deeply"),
    (b"[]", "its JSON is a list"),
    (b"3", "its JSON is a number"),
    (b"{}", "doesn't say its nbformat"),
    (as_bytes(notebook(nbformat=True)), "doesn't say its nbformat"),
    (as_bytes({"nbformat": 3, "worksheets": []}), "old format 3; convert it with"),
    (as_bytes(notebook(nbformat=5)), "format 5; only 4"),
    (as_bytes(notebook(cells={})), "no list of cells"),
    (as_bytes(notebook(cells=None)), "no list of cells"),
    (as_bytes(notebook(*[0] * 5001)), "has 5,001 cells; at most 5,000"),
    (as_bytes(notebook(code(3))), "the source of cell 1 is no text"),
    (as_bytes(notebook(code(["a", 3]))), "the source of cell 1 is no text"),
    (as_bytes(notebook(code("x" * 600_000), code("x" * 600_000))), "more than 1 MB of code"),
    (with_languages({"language": "R"}, "R"), "is written for R, not for Python"),
    (with_languages({"name": "ir"}), "is written for R, not for Python"),
    (with_languages(None, "julia\n"), "written for julia\ufffd, not"),
    (b"[" + b"[]," * 500_001 + b"0", "more than 1,000,000 values"),
    (b'{"a": "' + b'\\"' * 500_000, "cut off"),
]


@pytest.mark.parametrize(("data", "why"), REFUSED, ids=range(len(REFUSED)))
def test_it_is_refused_with_one_sentence(data, why):
    with pytest.raises(Rejected, match=why) as caught:
        parse_notebook(data)
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 200


def test_text_may_hold_any_number_of_commas_and_brackets():
    assert parse_notebook(as_bytes(notebook({**code("x"), "outputs": ["[{,:" * 500_000]})))


# What is read just stays below the limit of values; the keys are all different.
PEAK = """
import re, sys
from kdlab.grading.intake import Rejected, parse_notebook
unit, values = sys.argv[1], 999_000
number = min(10 * 2**20 // len(unit % 0), values // sum(map(unit.count, "[{,")))
data = "".join(map(unit.__mod__, range(number))).rstrip(",")
data = ("{%s}" if ":0" in unit[-4:] else "[%s]") % data
data = data.encode()
open("/proc/self/clear_refs", "w").write("5")
try:
    parse_notebook(data)
except Rejected as error:
    print(len(data), error)
peak = re.search(r"VmHWM:\\s+(\\d+) kB", open("/proc/self/status").read())
print(peak[0])
assert int(peak[1]) < 300 * 2**10
assert not {"torch", "numpy", "nbformat"} & set(sys.modules)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("unit", ["[],%.0s", '{"%07x":{}},', '"%07x":0,', '"\u4e00%07x",'])
def test_hostile_megabytes_stay_below_300_mb(unit):
    subprocess.run([sys.executable, "-c", PEAK, unit], check=True)
