"""What runs on the workers of a cluster: each keeps sandboxes, one for a task at a time."""

import atexit
import sys
import threading
from dataclasses import dataclass

import kdlab
from kdlab.grading.grade import Handed, grade
from kdlab.grading.intake import Notebook
from kdlab.grading.pool import one_thread
from kdlab.grading.registry import find_homework
from kdlab.grading.sandbox.box import Sandbox
from kdlab.grading.sandbox.lane import ServerEnded
from kdlab.grading.spec import Homework

_lock = threading.Lock()
_idle: dict[str, list[Sandbox]] = {}
_ended: set[str] = set()


class UnfitWorker(RuntimeError):
    """This machine can't grade; the message says why."""


@dataclass(frozen=True)
class Job:
    """What all submissions of a run share.

    Attributes:
        run: Its name, unlike any other's.
        homework: The homework's id.
        release: The notebook that the students were given.
        version: Of the kdlab that asks.
    """

    run: str
    homework: str
    release: Notebook
    version: str


def grade_here(handed: Handed, job: Job) -> dict:
    """Grade one submission in a sandbox of this worker, which stays open for the next one.

    Raises:
        UnfitWorker: This machine can't grade.
        ServerEnded: The sandbox ended twice on this submission.
    """
    homework = _find(job)
    one_thread()
    try:
        return _grade(handed, homework, job)
    except ServerEnded:
        return _grade(handed, homework, job)


def end_run(job: Job) -> None:
    """End the idle sandboxes of a run's homework, and those at work when they are done."""
    with _lock:
        _ended.add(job.run)
        idle = _idle.pop(job.homework, [])
    for sandbox in idle:
        sandbox.close()


@atexit.register
def _end_all() -> None:
    for homework in list(_idle):
        for sandbox in _idle.pop(homework):
            sandbox.close()


def _find(job: Job) -> Homework:
    if job.version != kdlab.__version__:
        raise UnfitWorker(f"it has kdlab {kdlab.__version__}, not {job.version}")
    if sys.platform != "linux":
        raise UnfitWorker("the sandbox is Linux's")
    try:
        return find_homework(job.homework)
    except ValueError as error:
        raise UnfitWorker(str(error)) from None


def _grade(handed: Handed, homework: Homework, job: Job) -> dict:
    sandbox = _take(homework)
    try:
        result = grade(handed, homework, job.release, sandbox.lanes[0], sandbox.isolation)
    except BaseException:
        sandbox.close()
        raise
    _give_back(sandbox, job)
    return result


def _take(homework: Homework) -> Sandbox:
    with _lock:
        if idle := _idle.get(homework.id):
            return idle.pop()
    sandbox = Sandbox(homework.imports)
    try:
        return sandbox.wait()
    except ServerEnded as error:
        sandbox.close()
        raise UnfitWorker(str(error)) from None


def _give_back(sandbox: Sandbox, job: Job) -> None:
    with _lock:
        if job.run not in _ended:
            _idle.setdefault(job.homework, []).append(sandbox)
            return
    sandbox.close()
