"""Processes that train together: joined under `torchrun`, or started from Python."""

import itertools
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import NoReturn

import torch
import torch.distributed as dist
from torch.distributed import TCPStore
from torch.multiprocessing import ProcessExitedException, ProcessRaisedException, get_context
from torch.multiprocessing.spawn import spawn

from kdlab._checks import check_count, check_positive
from kdlab.schemes.exchange import WorkerLost

_HERE = "127.0.0.1"
_LOOK_SECONDS, _LAG_SECONDS = 0.2, 20.0
_TIMES = itertools.count()


class WorkerEnded(RuntimeError):
    """A worker was ended from outside, by a signal or by the system."""


@contextmanager
def joined(*, device: str = "cpu", timeout_seconds: float = 60.0) -> Iterator[tuple[int, int]]:
    """Join the workers that `torchrun`, or `run_workers`, has started beside this process.

    Args:
        device: Where tensors that are exchanged lie: "cpu" takes gloo, any other torch's choice.
        timeout_seconds: How long to wait for a worker that doesn't answer. One that has ended is
            noticed at once.

    Yields:
        This worker's number, and how many there are.

    Raises:
        ValueError: This process was not started as one of several workers.
    """
    check_positive(timeout_seconds=timeout_seconds)
    if missing := [name for name in ("RANK", "WORLD_SIZE") if name not in os.environ]:
        raise ValueError(f"joined must be called in a worker of torchrun, got no {missing[0]}")
    backend = "gloo" if torch.device(device).type == "cpu" else None
    wait = timedelta(seconds=timeout_seconds)
    store, rank, workers = next(dist.rendezvous("env://", timeout=wait))
    # Who joins again must not find the addresses of the last time.
    store = dist.PrefixStore(f"joined {next(_TIMES)}", store)
    dist.init_process_group(backend, timeout=wait, store=store, rank=rank, world_size=workers)
    try:
        yield dist.get_rank(), dist.get_world_size()
    finally:
        dist.destroy_process_group()


def run_workers(work: Callable, workers: int, *arguments: object) -> list:
    """Start workers on this machine, wait for them, and return what each returned.

    Args:
        work: Called in each new process with the arguments; it should use `joined`. It must be
            importable there: a function of a module, not of a notebook.
        workers: How many. Each gets an equal part of this process's torch threads.
        arguments: What can be pickled.

    Returns:
        Small values, in the workers' order; numbers and texts, no tensors.

    Raises:
        WorkerEnded: A worker was ended; the others are ended, too. It says which and how.
        RuntimeError: A worker ended with an error; it says which and why.
    """
    check_count(workers=workers)
    if getattr(work, "__module__", None) == "__main__":
        raise ValueError(f"work must be importable, got {work.__name__} of this session")
    # The store outlives any worker; its port is one that is free.
    store = TCPStore(_HERE, 0, is_master=True, wait_for_workers=False)
    results = get_context("spawn").SimpleQueue()
    threads = max(1, torch.get_num_threads() // workers)
    given = (work, workers, store.port, threads, results, arguments)
    processes, found = spawn(_enter, given, nprocs=workers, join=False), {}
    try:
        _wait(processes, results, found)
    finally:
        for process in processes.processes:
            process.kill()
    return [found[rank] for rank in range(workers)]


def leave(status: int) -> NoReturn:
    """End a worker's process at once.

    On the ordinary way out a thread of torch's can abort it, after all of its work.
    """
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _enter(rank, work, workers, port, threads, results, arguments) -> None:
    """Tell a new process what `torchrun` would tell it, and work."""
    told = {"RANK": rank, "LOCAL_RANK": rank, "WORLD_SIZE": workers, "LOCAL_WORLD_SIZE": workers}
    told |= {"MASTER_ADDR": _HERE, "MASTER_PORT": port, "TORCHELASTIC_USE_AGENT_STORE": True}
    os.environ.update({name: str(value) for name, value in told.items()})
    torch.set_num_threads(threads)
    try:
        results.put((rank, work(*arguments)))
    except WorkerLost:
        # The one that is lost was the first to fail, and is to be told of; its end ends us, too.
        time.sleep(_LAG_SECONDS)
        raise
    leave(0)


def _wait(processes, results, found: dict) -> None:
    ended = False
    try:
        while not ended or not results.empty():
            while not results.empty():
                rank, value = results.get()
                found[rank] = value
            ended = ended or processes.join(timeout=_LOOK_SECONDS)
    except ProcessExitedException as error:
        how = error.signal_name or f"exit status {error.exit_code}"
        raise WorkerEnded(f"worker {error.error_index} was ended: {how}") from None
    except ProcessRaisedException as error:
        told = str(error).strip().splitlines()[-1]
        raise RuntimeError(f"worker {error.error_index} failed: {told}") from error
