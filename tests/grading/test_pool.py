"""Many submissions: each exactly once, whatever ends in between; goes on after a kill."""

import json
import os
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
from _small_homework import SMALL, data, release

from kdlab.grading import pool as pool_module
from kdlab.grading import run as run_module
from kdlab.grading.grade import Handed
from kdlab.grading.pool import ENDED, Pool
from kdlab.grading.records import Records
from kdlab.grading.run import grade_folder
from kdlab.grading.threads import Threads

fcntl = pytest.importorskip("fcntl")
pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")


def handed(count: int) -> list[Handed]:
    return [
        Handed(f"student {n}", f"student-{n}", f"{n}.ipynb", (), data(), "", n)
        for n in range(count)
    ]


@pytest.mark.parametrize("kind", [Pool, Threads])
def test_each_comes_exactly_once(kind):
    with kind(SMALL, release(), workers=2) as pool:
        found = list(pool.run(iter(handed(7))))
    assert sorted(one.key for one, _ in found) == [f"student-{n}" for n in range(7)]
    assert all(one.seed == result["seed"] and result["points"] == 12 for one, result in found)


def test_more_workers_than_submissions_is_fine():
    with Pool(SMALL, release(), workers=3) as pool:
        assert len(list(pool.run(iter(handed(1))))) == 1


def test_no_submission_is_fine():
    with Pool(SMALL, release(), workers=2) as pool:
        assert list(pool.run(iter([]))) == []


def test_a_submission_that_kills_its_worker_is_told_and_the_others_go_on(monkeypatch):
    honest = pool_module.grade

    def deadly(one, *rest):
        if one.key == "student-2":
            os.kill(os.getpid(), 9)
        return honest(one, *rest)

    monkeypatch.setattr(pool_module, "grade", deadly)
    with Pool(SMALL, release(), workers=2) as pool:
        found = {one.key: result for one, result in pool.run(iter(handed(6)))}
    assert len(found) == 6
    assert (found["student-2"]["status"], found["student-2"]["reason"]) == ("not graded", ENDED)
    assert found["student-2"]["points"] is None
    assert [found[f"student-{n}"]["points"] for n in (0, 1, 3, 4, 5)] == [12] * 5


def test_after_the_parent_is_killed_nothing_is_left(tmp_path):
    code = (
        "from _small_homework import SMALL, release\n"
        "from kdlab.grading.pool import Pool\n"
        f"lock = open({str(tmp_path / 'lock')!r}, 'w'); fcntl.flock(lock, fcntl.LOCK_EX)\n"
        "pool = Pool(SMALL, release(), workers=2)\n"
        "print(*(w.process.pid for w in pool._workers), pool._sandbox._process.pid, flush=True)\n"
        "signal.pause()"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", "import fcntl, signal\n" + code],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )
    with parent:
        started = [int(number) for number in parent.stdout.readline().split()]
        parent.kill()
    assert len(started) == 3
    until = time.monotonic() + 30
    while (left := [number for number in started if lives(number)]) and time.monotonic() < until:
        time.sleep(0.05)
    assert left == []
    with open(tmp_path / "lock") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def lives(process: int) -> bool:
    try:
        return "State:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except OSError:
        return False


def test_a_sandbox_that_dies_is_started_again():
    with Pool(SMALL, release(), workers=2) as pool:
        results = []
        for one, result in pool.run(iter(handed(6))):
            results.append((one.key, result["points"]))
            if len(results) == 2:
                pool._sandbox._process.kill()
    assert sorted(results) == [(f"student-{n}", 12) for n in range(6)]


# --- the folder


@pytest.fixture
def place(tmp_path):
    folder = tmp_path / "submissions"
    folder.mkdir()
    for name in ("anna", "boris", "王小明"):
        (folder / f"{name}.ipynb").write_bytes(data())
    (folder / "empty.ipynb").write_bytes(b"")
    return folder


@pytest.fixture
def release_file(tmp_path):
    from _small_homework import STUBS

    stubs = {name.removeprefix("small-"): text for name, text in STUBS.items()}
    path = tmp_path / "release.ipynb"
    path.write_bytes(data(**stubs))
    return path


def grade_all(place, out, release_file):
    records = Records(out, "small", seed=3)
    with Pool(SMALL, release(), workers=2) as pool:
        return records, grade_folder(SMALL, place, records, release_file, pool.run)


def test_a_folder_is_graded_and_the_next_run_goes_on(place, tmp_path, release_file):
    out = tmp_path / "grades"
    records, summary = grade_all(place, out, release_file)
    assert (summary.found, summary.graded, summary.rejected, summary.kept) == (4, 3, 1, 0)
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.json")}
    (place / "dora.ipynb").write_bytes(data(q1="def mean(x): return 0.0"))
    (out / "results" / f"{records.keys()[0]}.json").unlink()
    _, summary = grade_all(place, out, release_file)
    assert (summary.found, summary.graded + summary.rejected, summary.kept) == (5, 2, 3)
    kept = [path for path, when in before.items() if path.stat().st_mtime_ns == when]
    assert len(kept) == len(before) - 1


def test_results_by_other_questions_are_not_mixed_in(place, tmp_path, release_file, monkeypatch):
    out = tmp_path / "grades"
    grade_all(place, out, release_file)
    monkeypatch.setattr(run_module, "rules", lambda: "others")
    with pytest.raises(ValueError, match="^4 results in .* were made when the questions were oth"):
        grade_all(place, out, release_file)


def test_results_whose_files_are_gone_are_told(place, tmp_path, release_file):
    out = tmp_path / "grades"
    _, summary = grade_all(place, out, release_file)
    assert "files aren't here" not in str(summary)
    (place / "anna.ipynb").unlink()
    _, summary = grade_all(place, out, release_file)
    assert "files aren't here now: 1, for example of anna" in str(summary)


def test_a_changed_file_is_graded_anew_and_the_old_result_kept(place, tmp_path, release_file):
    out = tmp_path / "grades"
    grade_all(place, out, release_file)
    (place / "anna.ipynb").write_bytes(data(q1="def mean(x): return 0.0"))
    records, summary = grade_all(place, out, release_file)
    assert summary.graded == 1 and summary.kept == 3
    key = next(key for key in records.keys() if key.startswith("anna"))
    [older] = (out / "history" / key).glob("*.json")
    assert json.loads(older.read_text())["points"] == 12
    assert records.load(key)["points"] == 8


def test_a_clean_notebook_is_left_beside_the_grade(place, tmp_path, release_file):
    out = tmp_path / "grades"
    grade_all(place, out, release_file)
    [path] = (out / "notebooks").glob("anna*.ipynb")
    sources = [cell["source"] for cell in json.loads(path.read_text())["cells"]]
    assert any("return x.mean()" in "".join(source) for source in sources)


def test_seeds_differ_by_student_and_are_recorded(place, tmp_path, release_file):
    records, _ = grade_all(place, tmp_path / "grades", release_file)
    seeds = {key: records.load(key)["seed"] for key in records.keys()}
    assert len(set(seeds.values())) == 4
    assert seeds == {key: records.seed_for(key) for key in seeds}


def test_memory_stays_flat_over_many_submissions():
    def stream():
        for n in range(400):
            yield Handed(f"s{n}", f"s{n}", "f", (), b"x" * 100_000, "Rejected.", n)

    with Pool(SMALL, release(), workers=2) as pool:
        tracemalloc.start()
        count = sum(1 for _ in pool.run(stream()))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert count == 400 and peak < 10 * 2**20
