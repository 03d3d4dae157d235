"""Over a cluster of processes: each exactly once, whatever ends in between; nothing is left."""

import csv
import os
import signal
import subprocess
import sys
import time

import pytest
from _cluster import ROOT, LocalCluster, dask_setup
from _small_homework import SMALL, STUBS, data, release

import kdlab
from kdlab.grading import bench, registry
from kdlab.grading import cluster as cluster_module
from kdlab.grading.bench import Job, UnfitWorker, end_run, grade_here
from kdlab.grading.cluster import Cluster
from kdlab.grading.grade import Handed
from kdlab.grading.pool import ENDED
from kdlab.grading.records import Records
from kdlab.grading.report import write_report
from kdlab.grading.run import grade_folder
from kdlab.grading.sandbox.lane import ServerEnded

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the sandbox is Linux's")
COUNT, REAL = 500, 120


def handed(count: int, content: bytes = data()) -> list[Handed]:
    return [Handed(f"s{n}", f"s-{n}", f"{n}.ipynb", (), content, "", n) for n in range(count)]


@pytest.fixture(scope="module")
def release_file(tmp_path_factory):
    stubs = {name.removeprefix("small-"): text for name, text in STUBS.items()}
    path = tmp_path_factory.mktemp("release") / "release.ipynb"
    path.write_bytes(data(**stubs))
    return path


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    with LocalCluster(tmp_path_factory.mktemp("cluster"), workers=1, threads=3) as started:
        started.workers()
        yield started


# --- five hundred


def hand_in(folder) -> None:
    folder.mkdir()
    for number in range(COUNT - 2):
        answers = data() if number < REAL else b"no notebook"
        # The real ones are spread over all.
        (folder / f"student {number * 7 % (COUNT - 2):03}.ipynb").write_bytes(answers)
    (folder / "deadly.ipynb").write_bytes(data())
    (folder / "faulty.ipynb").write_bytes(data())


def disturbed(results, local):
    """Pass results on; a third of the way a worker is killed."""
    for number, pair in enumerate(results):
        if number % 20 == 0:
            local.note()
        if number == COUNT // 3:
            os.kill(local.workers()[0], signal.SIGKILL)
        yield pair


def test_five_hundred_with_a_killed_worker_and_a_deadly_submission(tmp_path, release_file):
    hand_in(tmp_path / "submissions")
    records = Records(tmp_path / "grades", "small", seed=3)
    came = []
    with LocalCluster(tmp_path, workers=2) as local:
        with Cluster(SMALL, local.address, release_file) as cluster:

            def grades(submissions):
                for one, result in disturbed(cluster.run(submissions), local):
                    came.append(one.key)
                    yield one, result

            summary = grade_folder(SMALL, tmp_path / "submissions", records, release_file, grades)
    assert len(came) == len(set(came)) == summary.found == COUNT
    assert (summary.graded, summary.rejected, summary.by_hand) == (REAL, COUNT - REAL, 0)
    check_results(records, sorted(came))
    check_table(records)
    assert local.left() == set()
    # A killed worker can't remove its folder: one of the killed, two of the deadly submission.
    assert len(list(tmp_path.glob("kdlab-*"))) <= 3


def check_results(records: Records, keys: list[str]) -> None:
    results = {key: records.load(key) for key in records.keys()}
    assert list(results) == keys
    assert all(result["seed"] == records.seed_for(key) for key, result in results.items())
    points = [result["points"] for result in results.values()]
    assert points.count(12) == REAL and points.count(None) == COUNT - REAL
    told = {key.partition("-")[0]: result["reason"] for key, result in results.items()}
    assert told["deadly"] == ENDED
    assert told["faulty"] == "The grader raised ZeroDivisionError; grade it by hand."
    assert sum(ENDED == result["reason"] for result in results.values()) == 1


def check_table(records: Records) -> None:
    write_report(records.folder)
    with open(records.folder / "grades.csv", encoding="utf-8-sig", newline="") as file:
        students = [row["student"] for row in csv.DictReader(file)]
    assert students == sorted(students) and len(set(students)) == COUNT


# --- how it is used


def test_workers_with_threads_grade_side_by_side_and_keep_nothing(local, release_file):
    drawn = []

    def stream():
        for one in handed(30):
            drawn.append(one)
            yield one

    local.note()
    before = set(local.seen)
    with Cluster(SMALL, local.address, release_file) as cluster:
        for number, (one, result) in enumerate(cluster.run(stream()), start=1):
            local.note()
            assert result["points"] == 12 and result["seed"] == one.seed
            assert len(drawn) <= number + 3 * cluster_module._AHEAD
    assert number == 30
    # Three sandboxes were at work, and are gone before the cluster is.
    assert len(local.seen - before) >= 3
    local.seen -= before
    assert local.left() == set()
    local.seen = before


def test_a_run_that_is_stopped_leaves_no_sandbox_and_the_next_one_works(local, release_file):
    local.note()
    before = set(local.seen)
    with pytest.raises(KeyboardInterrupt):
        with Cluster(SMALL, local.address, release_file) as cluster:
            for _ in cluster.run(iter(handed(30))):
                local.note()
                raise KeyboardInterrupt
    local.seen -= before
    assert local.left() == set()
    local.seen = before
    with Cluster(SMALL, local.address, release_file) as cluster:
        assert len(list(cluster.run(iter(handed(3))))) == 3


def test_the_largest_submission_gets_through(local, release_file):
    large = data() + b" " * (10 * 2**20 - len(data()))
    with Cluster(SMALL, local.address, release_file) as cluster:
        [(_, result)] = cluster.run(iter(handed(1, large)))
    assert result["points"] == 12


def test_two_runs_at_a_time_with_the_same_keys_get_their_own_results(local, release_file):
    wrong = data(q1="def mean(x):\n    return 0.0", q2="def variance(x):\n    return 0.0")
    with (
        Cluster(SMALL, local.address, release_file) as first,
        Cluster(SMALL, local.address, release_file) as second,
    ):
        pairs = zip(first.run(iter(handed(6))), second.run(iter(handed(6, wrong))), strict=True)
        points = {(right["points"], half["points"]) for (_, right), (_, half) in pairs}
    assert points == {(12, 4)}


# --- what can be wrong


def test_the_command_says_in_a_sentence_that_nobody_answers(tmp_path):
    (tmp_path / "submissions").mkdir()
    options = ["submissions", "--out", "grades", "--scheduler", "tcp://127.0.0.1:9"]
    start = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-m", "kdlab.grading", "grade", "hw1", *options],
        cwd=tmp_path, capture_output=True, text=True, timeout=100,
    )  # fmt: skip
    assert done.returncode == 1 and time.monotonic() - start < 25
    assert "no scheduler answers at tcp://127.0.0.1:9" in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("address", ["nowhere", "127.0.0.1", "http://127.0.0.1:9", "a b:c"])
def test_a_wrong_address_is_told(release_file, address):
    with pytest.raises(ValueError, match=f"scheduler must be an address .*, got {address}"):
        Cluster(SMALL, address, release_file)


def test_a_missing_package_is_told(release_file, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ValueError, match=r"pip install distributed"):
        Cluster(SMALL, "tcp://127.0.0.1:9", release_file)


WITHOUT = """
import sys
class Without:
    def find_spec(self, name, *rest):
        if name == "kdlab":
            raise ModuleNotFoundError("No module named 'kdlab'")
def dask_setup(worker):
    sys.meta_path.insert(0, Without())
"""
OLD = "import kdlab\nkdlab.__version__ = '0.0.9'"


@pytest.mark.parametrize(
    ("preload", "said"),
    [
        (WITHOUT, "can't work for us: No module named 'kdlab'; install the same kdlab on each"),
        (OLD, f"can't work for us: kdlab 0.0.9 is there, here is {kdlab.__version__}; install"),
        (
            "",
            "can't work for us: homework must be one of 'hw1', 'hw2', 'hw3', 'hw4', 'hw5', 'hw6', "
            "got 'small'; install",
        ),
    ],
)
def test_a_worker_that_can_t_grade_stops_the_run(tmp_path, release_file, preload, said):
    (tmp_path / "unfit.py").write_text(preload)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    settings = {"preload": "unfit", "environment": {"PYTHONPATH": path}}
    with LocalCluster(tmp_path, workers=1, **settings) as local:
        local.workers()
        with pytest.raises(OSError) as told:
            with Cluster(SMALL, local.address, release_file) as cluster:
                list(cluster.run(iter(handed(5))))
    assert said in str(told.value) and local.address in str(told.value)


@pytest.mark.parametrize("lost", ["scheduler", "worker"])
def test_where_the_cluster_ends_the_run_says_so(tmp_path, release_file, monkeypatch, lost):
    monkeypatch.setattr(cluster_module, "_NOBODY_SECONDS", 1.0)
    with LocalCluster(tmp_path, workers=1) as local:
        pids = local.workers()
        with pytest.raises(OSError) as told:
            with Cluster(SMALL, local.address, release_file) as cluster:
                for number, _ in enumerate(cluster.run(iter(handed(60)))):
                    if number == 5:
                        local.note()
                        kill(local, lost, pids)
    said = {"scheduler": f"the scheduler at {local.address} has ended", "worker": "no worker left"}
    assert said[lost] in str(told.value) and "goes on from here" in str(told.value)
    assert local.left() == set()


def kill(local: LocalCluster, lost: str, pids: list[int]) -> None:
    process = getattr(local, lost)
    process.kill()
    process.wait()
    if lost == "worker":
        for pid in pids:
            os.kill(pid, signal.SIGKILL)


# --- what runs on a worker


@pytest.fixture
def job(monkeypatch):
    monkeypatch.setattr(registry, "_HOMEWORKS", dict(registry._HOMEWORKS))
    monkeypatch.setitem(sys.modules, "kdlab.grading.questions.small", None)
    monkeypatch.setattr(bench, "grade", bench.grade)
    dask_setup(None)
    made = Job("a run", "small", release(), kdlab.__version__)
    yield made
    end_run(made)
    bench._ended.clear()


def test_a_sandbox_is_kept_for_the_next_one_and_made_anew_where_it_ended(job):
    [one] = handed(1)
    assert grade_here(one, job)["points"] == 12
    [kept] = bench._idle["small"]
    assert grade_here(one, job)["points"] == 12
    assert bench._idle["small"] == [kept]
    kept._process.kill()
    kept._process.wait()
    assert grade_here(one, job)["points"] == 12
    assert bench._idle["small"] != [kept]
    end_run(job)
    assert grade_here(one, job)["points"] == 12
    assert not bench._idle.get("small")


def test_a_submission_that_ends_every_sandbox_is_given_up(job, monkeypatch):
    tried = []

    def ends(handed, homework, release, lane, isolation):
        tried.append(lane)
        raise ServerEnded("the sandbox has ended")

    monkeypatch.setattr(bench, "grade", ends)
    with pytest.raises(ServerEnded):
        grade_here(handed(1)[0], job)
    assert len(set(tried)) == 2 and not bench._idle.get("small")


def test_a_worker_of_another_version_refuses(job, monkeypatch):
    monkeypatch.setattr(kdlab, "__version__", "0.0.9")
    with pytest.raises(UnfitWorker, match="it has kdlab 0.0.9, not "):
        grade_here(handed(1)[0], job)
