"""Several processes that share an experiment's units, on one machine."""

import contextlib
import io
import multiprocessing
import os
import queue
import time
from collections.abc import Iterator, Sequence
from multiprocessing.process import BaseProcess
from multiprocessing.queues import Queue
from pathlib import Path

import torch

from kdlab.experiments.memory import keep_memory
from kdlab.experiments.running import Watch, Work, load_all, run
from kdlab.experiments.spec import Experiment
from kdlab.experiments.units import Unit

_TELL_SECONDS, _LOOK_SECONDS, _END_SECONDS = 0.3, 0.5, 5.0


def run_in_processes(
    experiment: Experiment,
    runs: Path,
    seeds: Sequence[int],
    processes: int,
    watch: Watch,
    *,
    device: str = "cpu",
) -> None:
    """Run an experiment in so many processes, one thread each.

    They share nothing but the folder of runs, as several commands do that are started by hand.
    One thread each: a small network gains little by a second one, and its bits must not depend
    on how many processes there are.

    Args:
        experiment: What is run.
        runs: The folder of all runs.
        seeds: Which seeds.
        processes: How many.
        watch: Told, some times a second, how far each unit is.
        device: Where all of them train; a small network leaves room for others on a GPU.

    Raises:
        RuntimeError: One of them failed; it says why.
        KeyboardInterrupt: It was stopped.
    """
    context = multiprocessing.get_context("spawn")
    told = context.Queue()
    given = (experiment, runs, tuple(seeds), device, os.getpid(), told)
    workers = [context.Process(target=_work, args=given, daemon=True) for _ in range(processes)]
    with _started(workers):
        while any(worker.is_alive() for worker in workers):
            _listen(told, watch)
    _listen(told, watch)
    if failed := [worker.exitcode for worker in workers if worker.exitcode]:
        raise RuntimeError(f"a process of the run ended with status {failed[0]}")


@contextlib.contextmanager
def _started(workers: Sequence[BaseProcess]) -> Iterator[None]:
    """Start processes, and end them whatever happens."""
    try:
        for worker in workers:
            worker.start()
        yield
    finally:
        for worker in workers:
            worker.terminate()
            worker.join(_END_SECONDS)


def _listen(told: Queue, watch: Watch) -> None:
    """Hand on what the processes tell, until they are silent for a while."""
    with contextlib.suppress(queue.Empty):
        while True:
            name, unit, *rest = told.get(timeout=_LOOK_SECONDS)
            if name == "failed":
                raise RuntimeError(unit)
            watch(unit, *rest)


class _Teller:
    """Tells the parent how far a unit is, and stops when there is no parent any more."""

    def __init__(self, parent: int, told: Queue) -> None:
        self._parent, self._told, self._last = parent, told, float("-inf")

    def __call__(self, unit: Unit, seed: int, done: int, steps: int) -> None:
        now = time.monotonic()
        if now - self._last < _TELL_SECONDS and done < steps:
            return
        self._last = now
        if os.getppid() != self._parent:
            raise KeyboardInterrupt
        self._told.put(("step", unit, seed, done, steps))


def _work(
    experiment: Experiment, runs: Path, seeds: Sequence[int], device: str, parent: int, told: Queue
) -> None:
    torch.set_num_threads(1)
    keep_memory()
    try:
        # The parent has said already where the data come from.
        with contextlib.redirect_stdout(io.StringIO()):
            datasets = load_all(experiment, device)
        run(Work(experiment, runs, datasets, _Teller(parent, told)), seeds)
    except KeyboardInterrupt:
        # Stopped with its parent, which says so.
        return
    except Exception as error:
        told.put(("failed", f"{type(error).__name__}: {error}"))
