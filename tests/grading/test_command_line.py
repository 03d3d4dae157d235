"""The command line as an assistant uses it, in its own process."""

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kdlab.grading import find_homework
from kdlab.grading.commands import say_change
from kdlab.grading.places import release_path, source_path

HOMEWORK = find_homework("hw1")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "kdlab.grading", *map(str, arguments)]


def run(*arguments: object) -> subprocess.CompletedProcess:
    environment = dict(os.environ) | {"OMP_NUM_THREADS": "1"}
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, timeout=300, env=environment
    )


@pytest.fixture
def submissions(tmp_path):
    folder = tmp_path / "submissions"
    folder.mkdir()
    right = source_path(HOMEWORK).read_bytes()
    for name in ("anna", "boris", "chen"):
        (folder / f"{name}.ipynb").write_bytes(right)
    (folder / "dora.ipynb").write_bytes(release_path(HOMEWORK).read_bytes())
    (folder / "emil.ipynb").write_text("no notebook")
    return folder


def table(grades: Path) -> dict[str, dict]:
    with open(grades / "grades.csv", encoding="utf-8-sig", newline="") as file:
        return {row["student"]: row for row in csv.DictReader(file)}


def test_a_whole_round(tmp_path, submissions):
    out = tmp_path / "for students"
    assert run("release", "hw1", "--out", out).returncode == 0
    assert (out / "hw1_temperature.ipynb").read_bytes() == release_path(HOMEWORK).read_bytes()

    grades = tmp_path / "grades"
    done = run("grade", "hw1", submissions, "--out", grades)
    assert done.returncode == 0, done.stderr
    assert "5 submissions: 0 done before, 4 graded" in done.stdout
    assert "1 not graded" in done.stdout and "5/5" in done.stderr
    rows = table(grades)
    assert [rows[name]["points"] for name in ("anna", "boris", "chen")] == ["20"] * 3
    assert (rows["dora"]["points"], rows["emil"]["points"]) == ("0", "")
    assert rows["emil"]["status"] == "not graded"
    assert "anna" in (grades / "report" / "index.html").read_text()

    again = run("grade", "hw1", submissions, "--out", grades)
    assert "5 done before, 0 graded" in again.stdout
    seeds = {name: row["seed"] for name, row in rows.items()}
    regraded = run("regrade", grades, "--student", "anna")
    assert "1 regraded, 0 changed" in regraded.stdout, regraded.stderr
    assert {name: row["seed"] for name, row in table(grades).items()} == seeds
    assert run("report", grades).returncode == 0


def test_after_a_kill_the_next_run_goes_on(tmp_path, submissions):
    for number in range(12):
        path = submissions / f"more {number}.ipynb"
        path.write_bytes(source_path(HOMEWORK).read_bytes())
    grades = tmp_path / "grades"
    process = subprocess.Popen(
        command("grade", "hw1", submissions, "--out", grades), stderr=subprocess.DEVNULL
    )
    done = _wait_for_results(grades, 3)
    process.send_signal(signal.SIGKILL)
    process.wait()
    kept = {path: path.read_bytes() for path in done}
    after = run("grade", "hw1", submissions, "--out", grades)
    assert after.returncode == 0, after.stderr
    assert "17 submissions" in after.stdout and " 0 done before" not in after.stdout
    assert {path: path.read_bytes() for path in kept} == kept
    assert len(table(grades)) == 17


def test_after_control_c_the_next_run_goes_on(tmp_path, submissions):
    grades = tmp_path / "grades"
    process = subprocess.Popen(
        command("grade", "hw1", submissions, "--out", grades, "--workers", 1),
        stderr=subprocess.PIPE,
        text=True,
    )
    _wait_for_results(grades, 1)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "stopped; nothing is lost: the same command goes on" in said
    assert "Traceback" not in said
    assert run("grade", "hw1", submissions, "--out", grades).returncode == 0
    assert len(table(grades)) == 5


def _wait_for_results(grades: Path, count: int) -> list[Path]:
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline:
        found = sorted((grades / "results").glob("*.json"))
        if len(found) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError("no results came")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ("grade", "hw9", ".", "--out", "g"),
            "homework must be one of 'hw1', 'hw2', 'hw3', 'hw4', 'hw5', 'hw6', got 'hw9'",
        ),
        (("grade", "hw1", "nowhere", "--out", "g"), "submissions must exist, got nowhere"),
        (("grade", "hw1", ".", "--out", "g"), "out must lie outside of ., got g"),
        (("grade", "hw1", ".", "--out", "../g", "--seed", "-1"), "seed must be"),
        (("grade", "hw1", ".", "--out", __file__), "out must be a folder, got the file"),
        (("release", "hw1", "--out", __file__), "out must be a folder, got the file"),
        (
            ("grade", "hw1", ".", "--out", "../g", "--scheduler", "tcp://a:1", "--workers", "2"),
            "scheduler can't be given with workers or unisolated",
        ),
        (
            ("regrade", "nowhere", "--scheduler", "tcp://a:1", "--unisolated"),
            "scheduler can't be given with workers or unisolated",
        ),
        (("report", "nowhere"), "nowhere holds no grades"),
        (("regrade", "nowhere"), "nowhere holds no grades"),
        (("release", "hw1", "--out", "g", "--source", "no.ipynb"), "no.ipynb is not there"),
        (("grade", "hw1", ".", "--out", "../g", "--release", "no.ipynb"), "no.ipynb is not there"),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    done = run(*arguments)
    assert done.returncode == 1
    assert said in done.stderr and "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_submissions_is_told(tmp_path):
    (tmp_path / "empty").mkdir()
    done = run("grade", "hw1", tmp_path / "empty", "--out", tmp_path / "g")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "submissions must hold notebooks or students' folders" in done.stderr


def test_the_notebooks_name_names_the_homework(tmp_path):
    assert run("release", "hw1_temperature", "--out", tmp_path / "out").returncode == 0


def test_a_wrong_number_of_workers_is_told(tmp_path, submissions):
    done = run("grade", "hw1", submissions, "--out", tmp_path / "g", "--workers", 0)
    assert done.returncode == 1 and "workers must be" in done.stderr


def test_an_unknown_student_is_told(tmp_path, submissions):
    from kdlab.grading.records import Records

    records = Records(tmp_path / "g", "hw1", seed=1)
    records.remember(submissions=str(submissions))
    done = run("regrade", tmp_path / "g", "--student", "nobody")
    assert done.returncode == 1 and "student must be one of" in done.stderr


def test_without_walls_every_grade_says_so(tmp_path, submissions):
    for path in submissions.iterdir():
        if path.stem != "anna":
            path.unlink()
    done = run("grade", "hw1", submissions, "--out", tmp_path / "g", "--unisolated")
    assert done.returncode == 0, done.stderr
    [path] = (tmp_path / "g" / "results").glob("*.json")
    result = json.loads(path.read_text())
    assert result["isolation"].startswith("unisolated: ")
    assert result["points"] == 20
    assert "unisolated" in (tmp_path / "g" / "report" / "index.html").read_text()


def test_the_doctor_tells_what_holds():
    done = run("doctor")
    assert done.returncode == 0, done.stdout
    assert "OPEN" not in done.stdout and "held  no network" in done.stdout
    assert "Landlock" in done.stdout


def test_a_regrade_tells_points_and_not_words(capsys):
    def result(points, **more):
        rows = [{"id": "q1", "points": points, "maximum": 3, "status": "partly", **more}]
        whole = {"points": points, "maximum": 20, "status": "graded", "questions": rows}
        return whole

    assert not say_change("anna", result(2, message="so"), result(2, message="otherwise"))
    assert capsys.readouterr().err == ""
    assert say_change("anna", result(2), result(2.5))
    told = "anna: 2 of 20 (graded) -> 2.5 of 20 (graded); "
    assert capsys.readouterr().err == told + "q1: 2 of 3 (partly) -> 2.5 of 3 (partly)\n"
    new = result(2)
    new["questions"] = [*new["questions"], {**new["questions"][0], "id": "q2"}]
    assert say_change("anna", result(2), new)
    assert "q2: no question -> 2 of 3 (partly)" in capsys.readouterr().err
    none = result(2) | {"points": None, "status": "not graded", "questions": []}
    assert not say_change("carl", none, none)
