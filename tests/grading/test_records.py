"""The folder of a grading run: nothing is lost, nothing is overwritten silently."""

import subprocess
import sys

import pytest

from kdlab._files import read_json, write_json, write_text
from kdlab.grading.records import Records


def result(points: float | None, seconds: float = 1.0) -> dict:
    return {"points": points, "seconds": seconds, "graded": "2026-11-21T10:00:00", "questions": []}


def test_a_result_comes_back(tmp_path):
    records = Records(tmp_path / "g", "hw1", seed=1)
    records.save("anna", result(3.0))
    assert records.load("anna") == result(3.0)
    assert (records.load("boris"), records.keys()) == (None, ["anna"])


def test_another_result_moves_the_older_to_the_history(tmp_path):
    records = Records(tmp_path / "g", "hw1", seed=1)
    records.save("anna", result(3.0))
    records.save("anna", result(4.0))
    records.save("anna", result(4.0, seconds=9.0))
    history = list((tmp_path / "g" / "history" / "anna").iterdir())
    assert [read_json(path)["points"] for path in history] == [3.0]
    assert records.load("anna") == result(4.0)


def test_the_seed_is_drawn_once_and_kept(tmp_path):
    first = Records(tmp_path / "g", "hw1")
    assert Records(tmp_path / "g", "hw1").seed == first.seed
    assert Records.open(tmp_path / "g").seed_for("anna") == first.seed_for("anna")
    assert Records(tmp_path / "h", "hw1").seed != first.seed
    assert first.seed_for("anna") != first.seed_for("boris")


def test_another_seed_or_homework_is_refused(tmp_path):
    Records(tmp_path / "g", "hw1", seed=1)
    with pytest.raises(ValueError, match="seed must be 1, as in .*run.json, got 2"):
        Records(tmp_path / "g", "hw1", seed=2)
    with pytest.raises(ValueError, match="holds grades of hw1, not of hw2"):
        Records(tmp_path / "g", "hw2")


def test_a_folder_with_other_things_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(ValueError, match="must be empty or hold grades, got other files"):
        Records(tmp_path, "hw1")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_folder_without_grades_is_told(tmp_path):
    with pytest.raises(ValueError, match="holds no grades"):
        Records.open(tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="flock")
def test_two_runs_do_not_write_into_one_folder(tmp_path):
    records = Records(tmp_path / "g", "hw1", seed=1)
    code = (
        "import sys; from pathlib import Path; from kdlab.grading.records import Records\n"
        "with Records(Path(sys.argv[1]), 'hw1').lock(): pass"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "g")]
    with records.lock():
        blocked = subprocess.run(command, capture_output=True, text=True)
    assert "another run is grading into" in blocked.stderr
    assert subprocess.run(command).returncode == 0


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    write_json(path, {"n": 1})

    def fail(*arguments):
        raise OSError("disk full")

    monkeypatch.setattr("os.replace", fail)
    with pytest.raises(OSError, match="disk full"):
        write_text(path, "half")
    assert [item.name for item in tmp_path.iterdir()] == ["a.json"]
    assert read_json(path) == {"n": 1}


@pytest.mark.parametrize("text", ["", "{", "[1]", "[" * 100_000])
def test_a_file_that_holds_no_object_is_named(tmp_path, text):
    path = tmp_path / "a.json"
    path.write_text(text)
    with pytest.raises(ValueError, match="a.json"):
        read_json(path)


def test_lone_surrogates_are_written(tmp_path):
    write_json(tmp_path / "a.json", {"name": "\udc80"})
    assert read_json(tmp_path / "a.json") == {"name": "?"}
