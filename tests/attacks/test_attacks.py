"""A whole class of attackers and a few honest students, graded in one batch by the command line.

Every attack gets what is fair, every honest student gets everything, and nothing of theirs, of
ours or of the machine is touched.
"""

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from broken import FILES, cell
from hostile import ATTACKS

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "notebooks" / "homework" / "hw1_temperature.ipynb"
QUESTION = "hw1-q2"
VICTIMS = [f"victim {number}" for number in range(1, 6)]

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation needs Linux")


def right_notebook() -> dict:
    """Return the instructor's notebook as a student who knows everything would hand it in."""
    return json.loads(nbformat.writes(nbformat.read(SOURCE, as_version=4)))


def contents(folder: Path) -> dict[str, str]:
    """Return path -> what would differ if anything there were touched."""
    found = {}
    for path in sorted(folder.rglob("*")):
        said = path.lstat()
        data = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = f"{said.st_mode} {hashlib.sha256(data).hexdigest()}"
    return found


def attack_name(number: int) -> str:
    return f"attacker {number:03d}"


def write_class(folder: Path, out: Path) -> None:
    """Write every attack, every broken file and the honest notebooks."""
    right = right_notebook()
    for name in VICTIMS:
        (folder / f"{name}.ipynb").write_text(json.dumps(right))
    for number, attack in enumerate(ATTACKS):
        hostile = json.loads(json.dumps(right))
        places = {"{out}": out, "{others}": folder, "{repository}": ROOT}
        code = attack.code
        for sign, place in places.items():
            code = code.replace(sign, str(place))
        cell(hostile, QUESTION)["source"] = code
        (folder / f"{attack_name(number)}.ipynb").write_text(json.dumps(hostile))
    for file in FILES:
        file.write(folder / file.name, right)


class Batch:
    """What the command line made of the class."""

    def __init__(self, base: Path) -> None:
        self.folder, self.out = base / "submissions", base / "grades"
        self.folder.mkdir()
        write_class(self.folder, self.out)
        self.before = contents(self.folder)
        self.sources = contents(SOURCE.parent)
        command = [sys.executable, "-m", "kdlab.grading", "grade", "hw1", str(self.folder)]
        command += ["--out", str(self.out), "--seed", "7"]
        self.done = subprocess.run(command, capture_output=True, text=True, cwd=base, timeout=900)
        results = [json.loads(path.read_text()) for path in (self.out / "results").glob("*.json")]
        self.results = {Path(result["file"]).name: result for result in results}

    def question(self, name: str) -> dict:
        [row] = [row for row in self.results[name]["questions"] if row["id"] == QUESTION]
        return row


@pytest.fixture(scope="module")
def batch(tmp_path_factory) -> Batch:
    return Batch(tmp_path_factory.mktemp("class"))


def test_the_batch_comes_to_its_end(batch):
    assert batch.done.returncode == 0, batch.done.stderr[-2000:]
    assert len(batch.results) == len(VICTIMS) + len(ATTACKS) + len(FILES)


@pytest.mark.parametrize("name", VICTIMS)
def test_the_honest_get_everything(batch, name):
    result = batch.results[f"{name}.ipynb"]
    assert (result["status"], result["points"]) == ("graded", result["maximum"])


@pytest.mark.parametrize(
    ("number", "attack"), list(enumerate(ATTACKS)), ids=[attack.name for attack in ATTACKS]
)
def test_an_attack_gets_what_is_fair(batch, number, attack):
    row = batch.question(f"{attack_name(number)}.ipynb")
    assert row["status"] in attack.statuses, row["message"]
    assert row["points"] == (row["maximum"] if attack.full else 0)


@pytest.mark.parametrize("number", range(len(ATTACKS)))
def test_the_other_answers_of_an_attacker_count(batch, number):
    result = batch.results[f"{attack_name(number)}.ipynb"]
    others = [row for row in result["questions"] if row["id"] != QUESTION]
    wrong = {row["id"]: row["message"] for row in others if row["points"] < row["maximum"]}
    assert wrong == {}


@pytest.mark.parametrize("file", FILES, ids=[file.name for file in FILES])
def test_a_broken_file_gets_what_is_fair(batch, file):
    # A newline in a name is shown as a sign that can be seen.
    result = batch.results[file.name.replace("\n", "\N{REPLACEMENT CHARACTER}")]
    assert result["status"] == file.status, result["reason"]
    if file.status == "not graded":
        assert result["points"] is None and result["reason"].endswith(".")
    else:
        assert (result["points"] == result["maximum"]) == file.full


def test_a_crash_is_a_status_and_asks_for_a_person(batch):
    for number, attack in enumerate(ATTACKS):
        result = batch.results[f"{attack_name(number)}.ipynb"]
        row = batch.question(f"{attack_name(number)}.ipynb")
        exceptional = row["status"] in ("timed out", "crashed", "out of memory")
        assert (result["status"] == "check by hand") == exceptional, attack.name


def test_no_file_of_anybody_is_touched(batch):
    assert contents(batch.folder) == batch.before
    assert contents(SOURCE.parent) == batch.sources
    assert {path.name for path in batch.out.iterdir()} <= {
        ".lock", "run.json", "results", "notebooks", "grades.csv", "report",
    }  # fmt: skip


def test_no_process_is_left(batch):
    """An orphan belongs to process 1; other sandboxes on this machine have their graders."""
    left = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            command = (folder / "cmdline").read_bytes()
            parent = (folder / "stat").read_text().rpartition(")")[2].split()[1]
        except OSError:
            continue
        if b"server.main" in command and parent == "1":
            left.append(command)
    assert left == []


def test_the_table_holds_everybody_once(batch):
    with open(batch.out / "grades.csv", encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(batch.results)
    blank = [row for row in rows if row["status"] == "not graded"]
    assert all(row["points"] == "" for row in blank)
    assert len(blank) == len([file for file in FILES if file.status == "not graded"])


def test_the_isolation_is_named(batch):
    named = {result["isolation"] for result in batch.results.values() if result["questions"]}
    assert len(named) == 1 and named.pop().startswith("Landlock")
