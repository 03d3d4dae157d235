"""Grading a class: submissions a second, the first result, memory, and nbgrader's own rate.

    python -m tests.benchmarks.grading

The numpy homework is the tests' small one, three questions; every submission is a real one,
whose code runs. All rates are warm: the first submissions are left out. Needs nbgrader, and
distributed for the last row.
"""

import json
import logging
import os
import signal
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

from kdlab.grading import find_homework
from kdlab.grading.grade import Handed
from kdlab.grading.intake import Notebook
from kdlab.grading.places import release_path, source_path
from kdlab.grading.pool import Pool, read_release
from kdlab.grading.records import Records
from kdlab.grading.run import grade_folder
from kdlab.grading.spec import Homework
from tests.benchmarks.table import header, row

# The tests' helpers import each other by name, as pytest has it.
sys.path.append(str(Path(__file__).parents[1] / "grading"))

WORKERS, MANY, CLUSTER = 2, 2000, 500
TESTS = {
    "small-q1": "assert abs(mean(np.array([1.0, 2.0, 6.0])) - 3) < 1e-9",
    "small-q2": "assert abs(variance(np.array([1.0, 2.0, 6.0])) - 14 / 3) < 1e-9",
    "small-q3": "assert abs(guess(np.array([1.0])) - 0.75).max() < 1e-9",
}


def stream(data: bytes, number: int) -> list[Handed]:
    """Return so many submissions with the same answers and a seed each."""
    fields = [(f"s{n}", f"s-{n:04}", f"{n}.ipynb") for n in range(number)]
    return [Handed(*names, (), data, "", n) for n, names in enumerate(fields)]


def rate(homework: Homework, release: Notebook, data: bytes, number: int, warm: int) -> float:
    """Return submissions a second, after some to warm up, with full points each."""
    with Pool(homework, release, workers=WORKERS) as pool:
        for place, (_, result) in enumerate(pool.run(iter(stream(data, number + warm)))):
            if place == warm - 1:
                start = time.perf_counter()
            if result["points"] != homework.points:
                raise RuntimeError(f"full points expected: {result}")
        return number / (time.perf_counter() - start)


def write_small(folder: Path) -> tuple[Path, bytes]:
    """Write the small homework's release; return its path and a right submission."""
    from _small_homework import STUBS, data

    path = folder / "release.ipynb"
    path.write_bytes(data(**{name.removeprefix("small-"): text for name, text in STUBS.items()}))
    return path, data()


def write_course(folder: Path, students: list[str]) -> None:
    """Write a plain nbgrader course: the same cells, tests with assert, the same answers."""
    from _small_homework import data, notebook

    source = notebook()
    for cell in source["cells"]:
        question = cell["id"].removesuffix("-check")
        cell["source"] = TESTS[question] if cell["id"] != question else cell["source"]
    for place, content in (
        ("source/ps", json.dumps(source).encode()),
        *((f"submitted/{student}/ps", data()) for student in students),
    ):
        (folder / place).mkdir(parents=True)
        (folder / place / "small_statistics.ipynb").write_bytes(content)


def nbgrader_rate(folder: Path, number: int) -> float:
    """Return nbgrader's own submissions a second, in this process, after one to warm up."""
    from nbgrader.apps import NbGraderAPI
    from traitlets.config import Config

    students = [f"s{n}" for n in range(number + 1)]
    write_course(folder, students)
    settings = Config()
    settings.CourseDirectory.root = str(folder)
    # nbgrader calls `alembic` by name.
    os.environ["PATH"] += os.pathsep + str(Path(sys.executable).parent)
    api = NbGraderAPI(config=settings)
    done = [api.generate_assignment("ps", create=True), api.autograde("ps", students[0])]
    start = time.perf_counter()
    done += [api.autograde("ps", student) for student in students[1:]]
    seconds = time.perf_counter() - start
    with api.gradebook as gradebook:
        points = {gradebook.find_submission("ps", student).score for student in students}
    if not all(one["success"] for one in done) or points != {12.0}:
        raise RuntimeError(f"nbgrader gave {points}: {done}")
    return number / seconds


def measure_small(folder: Path) -> None:
    """Rows of the numpy homework, and of nbgrader on the same submissions."""
    from _small_homework import SMALL

    path, right = write_small(folder)
    halves = [rate(SMALL, read_release(path), right, 200, 20)]
    theirs = nbgrader_rate(folder / "course", 8)
    halves.append(rate(SMALL, read_release(path), right, 200, 20))
    ours = sum(halves) / 2
    row("numpy homework, two workers", f"{ours:.1f} submissions/s", "at least 30", ours >= 30)
    what = f"nbgrader's autograde ({theirs:.2f} submissions/s) against ours"
    row(what, f"{ours / theirs:.0f} times", "at least 15", ours / theirs >= 15)


def measure_training() -> None:
    """Row of the homework that trains."""
    homework = find_homework("hw1")
    release = read_release(release_path(homework))
    found = rate(homework, release, source_path(homework).read_bytes(), 20, 2)
    what = f"{homework.id}, which trains, two workers"
    row(what, f"{found:.1f} submissions/s", "at least 5", found >= 5)


def measure_first(folder: Path) -> None:
    """Row of the time from the command to the first result."""
    homework = find_homework("hw1")
    (folder / "class").mkdir()
    for name in ("anna", "boris", "chen"):
        (folder / "class" / f"{name}.ipynb").write_bytes(source_path(homework).read_bytes())
    command = [sys.executable, "-m", "kdlab.grading", "grade", "hw1", str(folder / "class")]
    start = time.perf_counter()
    process = subprocess.Popen(
        [*command, "--out", str(folder / "grades")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not list((folder / "grades" / "results").glob("*.json")) and process.poll() is None:
        time.sleep(0.01)
    seconds = time.perf_counter() - start
    process.wait()
    row("first result after the command, with torch", f"{seconds:.1f} s", "6 s", seconds <= 6)


def resident_megabytes() -> float:
    """Return this process's resident memory."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS"))


def grade_many(folder: Path) -> None:
    """Grade a folder of many, as the command does; print memory and counts as JSON."""
    from _small_homework import SMALL

    release, right = write_small(folder)
    (folder / "class").mkdir()
    for number in range(MANY):
        (folder / "class" / f"student {number:04}.ipynb").write_bytes(right)
    keys, sizes = [], {}

    def watched(results: Iterable[tuple[Handed, dict]]) -> Iterator[tuple[Handed, dict]]:
        for one, result in results:
            keys.append(one.key)
            sizes[len(keys)] = resident_megabytes() if len(keys) in (100, MANY) else 0.0
            yield one, result

    records = Records(folder / "grades", SMALL.id, seed=1)
    start = time.perf_counter()
    with Pool(SMALL, read_release(release), workers=WORKERS) as pool:
        summary = grade_folder(
            SMALL, folder / "class", records, release, lambda handed: watched(pool.run(handed))
        )
    seconds = time.perf_counter() - start
    once = summary.graded == len(keys) == len(set(keys)) == len(records.keys()) == MANY
    print(json.dumps({"sizes": [sizes[100], sizes[MANY]], "once": once, "seconds": seconds}))


def measure_many(folder: Path) -> None:
    """Row of the parent's memory; in a process of its own, as the command has."""
    command = [sys.executable, "-m", "tests.benchmarks.grading", str(folder)]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    said = json.loads(done.stdout)
    early, late = said["sizes"]
    what = f"parent after {MANY:,} submissions ({late:.0f} MB) against 100 ({early:.0f} MB)"
    row(what, f"{late - early:+.1f} MB", "within 50 MB", abs(late - early) <= 50)
    what = f"{MANY:,} submissions with all files ({MANY / said['seconds']:.1f}/s)"
    row(what, "each once" if said["once"] else "NOT each once", "each once", said["once"])


def measure_cluster(folder: Path) -> None:
    """Row of a cluster that loses a worker, and of a submission that ends its worker."""
    from _cluster import LocalCluster
    from _small_homework import SMALL

    from kdlab.grading.cluster import Cluster

    path, right = write_small(folder)
    handed = stream(right, CLUSTER)
    handed[CLUSTER // 3] = Handed("deadly", "deadly", "deadly.ipynb", (), right, "", 0)
    came = []
    with LocalCluster(folder, workers=WORKERS) as local:
        start = time.perf_counter()
        with Cluster(SMALL, local.address, path) as cluster:
            for one, result in cluster.run(iter(handed)):
                came.append((one.key, result["status"]))
                if len(came) == CLUSTER // 2:
                    local.note()
                    os.kill(local.workers()[0], signal.SIGKILL)
        seconds = time.perf_counter() - start
    graded = [key for key, status in came if status == "graded"]
    once = sorted(key for key, _ in came) == sorted(one.key for one in handed)
    fine = once and len(graded) == CLUSTER - 1 and not local.left()
    what = f"{CLUSTER} over a cluster of {WORKERS} workers, one killed, one submission deadly "
    what += f"({CLUSTER / seconds:.1f}/s)"
    row(what, "each once, none left" if fine else "NOT", "each once, no process left", fine)


def main() -> None:
    """Print the table."""
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    header("Grading")
    for measure in (measure_small, measure_first, measure_many, measure_cluster):
        with tempfile.TemporaryDirectory() as folder:
            measure(Path(folder))
    measure_training()


if __name__ == "__main__":
    if sys.argv[1:]:
        grade_many(Path(sys.argv[1]))
    else:
        main()
