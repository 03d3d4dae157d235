"""The scripts behind make: when to install, how to clean a notebook, what the summary says."""

import json
import subprocess
import sys
from collections import Counter
from types import SimpleNamespace

import pytest
from ci_tools import FOLDER, load_tool
from nbformat.v4 import new_code_cell, new_notebook, new_output

from kdlab import course

WIDGET = "application/vnd.jupyter.widget-view+json"


@pytest.fixture
def installer(tmp_path, monkeypatch):
    """Return .ci/install.py at work in a folder where all is installed."""
    tool = load_tool("install")
    for name, content in (("ROOT", tmp_path), ("VENV", tmp_path / ".venv")):
        monkeypatch.setattr(tool, name, content)
    monkeypatch.setattr(tool, "PYTHON", tmp_path / ".venv" / "python")
    monkeypatch.setattr(tool, "STAMP", tmp_path / ".venv" / "stamp")
    (tmp_path / ".venv").mkdir()
    for name in ("requirements.txt", "pyproject.toml", ".venv/python"):
        (tmp_path / name).write_text("one")
    tool.STAMP.write_text(tool.fingerprint())
    return tool


def test_nothing_is_installed_twice(installer, monkeypatch, capsys):
    monkeypatch.setattr(installer, "make_venv", lambda: pytest.fail("made .venv again"))
    installer.main()
    assert capsys.readouterr().out == "install: .venv is up to date\n"


@pytest.mark.parametrize("name", ["requirements.txt", "pyproject.toml"])
def test_changed_file_asks_for_an_installation(installer, name):
    (installer.ROOT / name).write_text("two")
    assert not installer.is_current()


@pytest.mark.parametrize("name", [".venv/python", ".venv/stamp"])
def test_incomplete_environment_asks_for_an_installation(installer, name):
    (installer.ROOT / name).unlink()
    assert not installer.is_current()


def test_moved_folder_asks_for_an_installation(installer, monkeypatch):
    moved = installer.ROOT.with_name("moved")
    installer.ROOT.rename(moved)
    for name in ("ROOT", "VENV", "PYTHON", "STAMP"):
        parts = getattr(installer, name).relative_to(installer.ROOT.parent).parts[1:]
        monkeypatch.setattr(installer, name, moved.joinpath(*parts))
    assert installer.PYTHON.exists() and not installer.is_current()


def test_failed_installation_leaves_no_stamp(installer, monkeypatch):
    monkeypatch.setattr(installer.subprocess, "run", lambda *a, **k: SimpleNamespace(returncode=1))
    with pytest.raises(SystemExit, match="pip failed"):
        installer.install_packages()
    assert not installer.is_current()


@pytest.mark.parametrize("version", [(3, 10, 9), (3, 14, 0)])
def test_wrong_python_is_told_in_one_sentence(installer, monkeypatch, version):
    monkeypatch.setattr(installer.sys, "version_info", version)
    with pytest.raises(SystemExit, match="kdlab needs Python 3.11, 3.12 or 3.13"):
        installer.check_version()


def test_cleaning_keeps_the_still_of_a_widget():
    still = {WIDGET: {"model_id": "1"}, "image/svg+xml": "<svg/>", "text/plain": "bars"}
    cell = new_code_cell("w", outputs=[new_output("display_data", data=dict(still))])
    cell.metadata["execution"] = {"iopub.execute_input": "2026-01-01"}
    notebook = new_notebook(cells=[cell], metadata={"widgets": {"state": {}}})
    load_tool("notebooks").clean(notebook)
    assert set(cell.outputs[0].data) == {"image/svg+xml", "text/plain"}
    assert "widgets" not in notebook.metadata and "execution" not in cell.metadata


def test_cleaning_drops_what_only_a_live_kernel_shows():
    live = new_output("display_data", data={WIDGET: {"model_id": "1"}})
    assert load_tool("notebooks").clean_outputs([live]) == []


def test_cleaning_joins_pieces_of_one_stream_only():
    def piece(name, text):
        return new_output("stream", name=name, text=text)

    pieces = [
        piece("stdout", "a"),
        piece("stdout", "b"),
        piece("stderr", "c"),
        piece("stdout", "d"),
    ]
    cleaned = load_tool("notebooks").clean_outputs(pieces)
    assert [(output.name, output.text) for output in cleaned] == [
        ("stdout", "ab"),
        ("stderr", "c"),
        ("stdout", "d"),
    ]


def test_times_reach_the_row_of_their_lecture():
    table = "| [00](notebooks/00_a.ipynb) | x | TODO |\n| [01](notebooks/01_b.ipynb) | y | 9 s |\n"
    times = {"seconds": {"00": {"MNIST": 7, "digits": 5}}}
    told = load_tool("notebooks").write_times(table, times)
    assert told == table.replace("TODO", "7 s on MNIST, 5 s on digits")


def test_times_are_kept_beside_those_of_other_lectures_and_sets(tmp_path, monkeypatch):
    tool = load_tool("notebooks")
    monkeypatch.setattr(tool, "RESULTS", tmp_path / "results" / "lecture_times.json")
    monkeypatch.delenv("KDLAB_DATA", raising=False)
    tool.record("01_b", 2.4)
    tool.record("00_a", 61.0)
    (tmp_path / "MNIST").mkdir()
    monkeypatch.setenv("KDLAB_DATA", str(tmp_path))
    tool.record("00_a", 99.6)
    kept = json.loads(tool.RESULTS.read_text())
    assert kept["seconds"] == {"00": {"MNIST": 100, "digits": 61}, "01": {"digits": 2}}
    assert course.lecture_time("01", results=tool.RESULTS.parent).startswith(
        "Top to bottom: 2 s on digits ("
    )


def test_a_lecture_tells_the_time_that_was_recorded():
    told = new_code_cell('print(torch)\nprint(course.lecture_time("02"))')
    text = "Python 3\nTop to bottom: long ago (somewhere).\nlast\n"
    told.outputs = [new_output("stream", name="stdout", text=text)]
    other = new_code_cell("print(1)")
    other.outputs = [new_output("stream", name="stdout", text="Top to bottom: mine\n")]
    notebook = new_notebook(cells=[told, other])
    load_tool("notebooks").tell_time(notebook)
    assert told.outputs[0].text == f"Python 3\n{course.lecture_time('02')}\nlast\n"
    assert other.outputs[0].text == "Top to bottom: mine\n"


REPORT = """<testsuites><testsuite>
<testcase classname="t" name="good"/>
<testcase classname="t" name="bad"><failure>no</failure></testcase>
<testcase classname="t" name="worse"><error>no</error></testcase>
<testcase classname="t" name="later"><skipped>why</skipped></testcase>
</testsuite></testsuites>"""


def test_report_is_counted_by_how_tests_ended(tmp_path):
    (tmp_path / "report.xml").write_text(REPORT)
    outcome = load_tool("test").read_report(tmp_path / "report.xml")
    assert outcome.counts == Counter(passed=1, failed=1, error=1, skipped=1)
    assert outcome.lines == ["FAILED t::bad", "FAILED t::worse"]


@pytest.mark.parametrize(
    ("counts", "is_good", "line"),
    [
        (Counter(passed=3, skipped=1), True, " 3 passed, 1 skipped in 0.00s "),
        (Counter(passed=3, failed=1), False, " 1 failed, 3 passed in 0.00s "),
        (Counter(passed=3, error=1), False, " 3 passed, 1 error in 0.00s "),
        (Counter(), False, " nothing ran in 0.00s "),
    ],
)
def test_summary_ends_as_pytest_does(capsys, counts, is_good, line):
    tool = load_tool("test")
    assert tool.summarize({"unit": tool.Outcome(counts)}) is is_good
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.strip("=") == line and last.startswith("===")


def test_pytest_that_finds_no_tests_is_an_error(tmp_path, monkeypatch):
    tool = load_tool("test")
    monkeypatch.setattr(tool, "ROOT", tmp_path)
    monkeypatch.delenv("PYTEST_ADDOPTS", raising=False)
    outcome = tool.run_pytest(["-q", "-p", "no:cacheprovider", str(tmp_path)], None)
    assert outcome.counts["error"] == 1


def test_unknown_part_is_named():
    command = [sys.executable, str(FOLDER / "test.py"), "nonsense"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode and "unknown part nonsense; there are style" in done.stderr


# --- the README's tables


def test_the_readme_holds_what_was_measured():
    text = (FOLDER.parent / "README.md").read_text(encoding="utf-8")
    assert load_tool("readme").filled(text) == text


def test_a_marked_table_is_made_anew_and_the_rest_left(monkeypatch):
    tool = load_tool("readme")
    monkeypatch.setattr(tool, "TABLES", {"one": lambda: "| 1\\2 |", "two": lambda: "| 3 |"})
    text = "a\n<!-- one -->\nold\nolder\n<!-- end -->\nb\n<!-- two -->\n<!-- end -->\nc\n"
    expected = "a\n<!-- one -->\n| 1\\2 |\n<!-- end -->\nb\n<!-- two -->\n| 3 |\n<!-- end -->\nc\n"
    assert tool.filled(text) == expected == tool.filled(expected)
    assert tool.filled("nothing marked") == "nothing marked"
