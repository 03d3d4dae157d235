"""What each command of ``python -m kdlab.grading`` does with its options."""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from tqdm import tqdm

from kdlab._checks import check_count
from kdlab._files import read_json
from kdlab.grading.records import Records
from kdlab.grading.registry import find_homework, imports_of
from kdlab.grading.spec import Homework


def release(options: argparse.Namespace) -> int:
    """Write the students' notebook."""
    from kdlab.grading.places import source_path
    from kdlab.grading.release import write_release

    _check_folder(options.out)
    homework = find_homework(options.homework)
    source = options.source or source_path(homework)
    if not source.is_file():
        raise ValueError(f"{source} is not there; name the instructor's notebook by --source")
    print(write_release(homework, options.out, source=source, force=options.force))
    return 0


def grade(options: argparse.Namespace) -> int:
    """Grade a folder, store each result as it comes, and write the reports."""
    from kdlab.grading.run import grade_folder

    _check_options(options)
    _check_places(options)
    with _early_sandbox(options, options.homework) as start:
        homework = find_homework(options.homework)
        release_file = _release_file(options, homework)
        records = Records(options.out, homework.id, seed=options.seed)
        with records.lock():
            records.remember(submissions=str(options.submissions.resolve()))
            with _open_grades(options, homework, release_file, start) as grades:
                found = options.submissions
                print(grade_folder(homework, found, records, release_file, grades.run))
            return _report(records.folder)


def _check_options(options: argparse.Namespace) -> None:
    if options.scheduler and (options.unisolated or options.workers is not None):
        told = "scheduler can't be given with workers or unisolated"
        raise ValueError(f"{told}: a cluster has its own workers, and they isolate")


def _check_places(options: argparse.Namespace) -> None:
    imports_of(options.homework)
    _check_folder(options.out)
    if options.seed is not None:
        check_count(0, seed=options.seed)
    if not options.submissions.exists():
        raise ValueError(f"submissions must exist, got {options.submissions}")
    if options.out.resolve().is_relative_to(options.submissions.resolve()):
        # The next run would take our own notebooks for submissions.
        raise ValueError(f"out must lie outside of {options.submissions}, got {options.out}")


def _check_folder(out: Path) -> None:
    if out.exists() and not out.is_dir():
        raise ValueError(f"out must be a folder, got the file {out}")


def report(options: argparse.Namespace) -> int:
    """Write the class page, the students' pages and the table."""
    return _report(Records.open(options.grades).folder)


def regrade(options: argparse.Namespace) -> int:
    """Grade stored submissions again from their seeds; say which results change."""
    from kdlab.grading.run import regrade_all

    _check_options(options)
    records = Records.open(options.grades)
    homework = find_homework(records.homework)
    place = options.submissions or Path(read_json(records.folder / "run.json")["submissions"])
    keys, release_file = _wanted(records, options.student), _release_file(options, homework)
    changed = 0
    with records.lock(), _open_grades(options, homework, release_file) as grades:
        for key, older, newer in regrade_all(records, keys, place, homework, grades.run):
            changed += say_change(key, older, newer)
    print(f"{len(keys)} regraded, {changed} changed; older results are kept in history/")
    return _report(records.folder)


def course(options: argparse.Namespace) -> int:
    """Make or complete an nbgrader course folder."""
    from kdlab.grading.course import make_course

    for path in make_course(options.folder):
        print(path)
    return 0


def doctor(options: argparse.Namespace) -> int:
    """Try every wall and say which stand."""
    from kdlab.grading.doctor import examine

    return examine()


def _report(folder: Path) -> int:
    from kdlab.grading.report import write_report

    written = write_report(folder)
    pages = [path for path in written if path.name == "index.html"]
    print("\n".join(str(path) for path in [folder / "grades.csv", *pages]))
    return 0


def _release_file(options: argparse.Namespace, homework: Homework) -> Path:
    from kdlab.grading.places import release_path

    path = options.release or release_path(homework)
    if not path.is_file():
        raise ValueError(f"{path} is not there; name the students' notebook by --release")
    return path


@contextmanager
def _early_sandbox(options: argparse.Namespace, homework: str) -> Iterator[Callable]:
    """Start the sandbox while the questions are loaded; give back what opens it."""
    from kdlab.grading.sandbox.box import Early, Sandbox

    if not _isolates(options):
        yield Sandbox
        return
    early = Early(imports_of(homework), lanes=_workers(options))
    try:
        yield early.open
    finally:
        early.close()


def _isolates(options: argparse.Namespace) -> bool:
    return sys.platform == "linux" and not (options.unisolated or options.scheduler)


def _workers(options: argparse.Namespace) -> int:
    from kdlab.grading.pool import default_workers

    workers = options.workers if options.workers is not None else default_workers()
    check_count(workers=workers)
    return workers


def _open_grades(
    options: argparse.Namespace,
    homework: Homework,
    release_file: Path,
    start: Callable | None = None,
) -> AbstractContextManager:
    if options.scheduler:
        from kdlab.grading.cluster import Cluster

        return Cluster(homework, options.scheduler, release_file)
    from kdlab.grading.pool import Pool, read_release
    from kdlab.grading.sandbox.box import Sandbox
    from kdlab.grading.threads import Threads

    release, workers = read_release(release_file), _workers(options)
    if _isolates(options):
        return Pool(homework, release, workers=workers, open_sandbox=start or Sandbox)
    return Threads(homework, release, workers=workers)


def _wanted(records: Records, names: list[str] | None) -> list[str]:
    keys = records.keys()
    if not names:
        return keys
    students = {key: records.load(key)["student"] for key in keys}
    found = [key for key in keys if key in names or students[key] in names]
    if not found:
        some = ", ".join(list(students.values())[:10])
        more = f" and {len(keys) - 10} more" if len(keys) > 10 else ""
        raise ValueError(f"student must be one of {some}{more}, got {names[0]}")
    return found


def say_change(key: str, older: dict, newer: dict) -> bool:
    """Tell which points and statuses change; other words for the same are no change."""
    before, after = ({row["id"]: row for row in result["questions"]} for result in (older, newer))
    said = [
        f"{id}: {_points(before.get(id))} -> {_points(after.get(id))}"
        for id in dict.fromkeys([*before, *after])
        if _points(before.get(id)) != _points(after.get(id))
    ]
    if not said and _points(older) == _points(newer):
        return False
    told = "; ".join([f"{key}: {_points(older)} -> {_points(newer)}", *said])
    tqdm.write(told, file=sys.stderr)
    return True


def _points(result: dict | None) -> str:
    if result is None:
        return "no question"
    if result["points"] is None:
        return result["status"]
    return f"{result['points']:g} of {result['maximum']:g} ({result['status']})"
