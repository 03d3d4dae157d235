"""An experiment's units over a dask.distributed cluster, by its address; an extra (``scale``).

Teachers' answers, or their networks, go to the workers and trained networks come back; the
folder of runs is written here alone. A unit that is lost with its worker is trained again from
its start.
"""

import threading
import time
from collections.abc import Iterable
from functools import lru_cache

import torch
from filelock import FileLock
from torch import Tensor

from kdlab import data
from kdlab._cluster import connect
from kdlab.data import Dataset
from kdlab.experiments.running import Work, claim, report
from kdlab.experiments.store import weights_of
from kdlab.experiments.training import Teaching, train_unit
from kdlab.experiments.trials import Trial
from kdlab.experiments.units import Unit

_WAIT_SECONDS, _KNOCK_SECONDS = 2.0, 10.0

# Dropout draws from a generator that all threads of a worker share.
_ONE_AT_A_TIME = threading.Lock()

Pair = tuple[Unit | Trial, int]


def run_on_cluster(work: Work, seeds: Iterable[int], address: str) -> None:
    """Train every unit that isn't there yet on the workers of a cluster.

    Args:
        work: What is run; its data sets are loaded anew by each worker.
        seeds: Which seeds.
        address: The scheduler's, for example ``tcp://127.0.0.1:8786``.

    Raises:
        ValueError: address is none, or distributed isn't installed.
        OSError: No scheduler answers there, or a machine of it can't work for us.
        RuntimeError: A worker could not train a unit; it says why.
    """
    client = connect(address)
    try:
        _Farm(work, client).run([(unit, seed) for seed in seeds for unit in work.experiment.units])
    finally:
        client.close(timeout=_KNOCK_SECONDS)


class _Farm:
    def __init__(self, work: Work, client) -> None:
        self._work, self._client = work, client
        self._held: dict[object, tuple[Pair, FileLock]] = {}

    def run(self, waiting: list[Pair]) -> None:
        try:
            while waiting or self._held:
                waiting = [pair for pair in waiting if not self._settled(*pair)]
                self._gather()
        finally:
            for future, (_, lock) in self._held.items():
                future.cancel()
                lock.release()

    def _settled(self, unit: Unit | Trial, seed: int) -> bool:
        """Send a unit off if that can be done now; tell whether it needs no more care."""
        ended, lock = claim(self._work, unit, seed)
        if lock is None:
            return ended
        named = self._work.experiment.dataset_of(unit)
        given = (unit, seed, named, self._work.teaching(unit, seed))
        self._held[self._client.submit(train_there, *given, pure=False)] = (unit, seed), lock
        return True

    def _gather(self) -> None:
        """Keep what has come back; wait a little where nothing has."""
        ended = [future for future in self._held if future.done()]
        for future in ended:
            (unit, seed), lock = self._held.pop(future)
            try:
                said, weights = future.result()
                self._work.store(unit, seed).save(said, weights)
            except Exception as error:
                raise RuntimeError(f"{unit.name}, seed {seed}: {error}") from error
            finally:
                lock.release()
            self._work.watch(unit, seed, 1, 1)
        if not ended:
            time.sleep(_WAIT_SECONDS if not self._held else _WAIT_SECONDS / 10)


def train_there(
    unit: Unit | Trial, seed: int, dataset: str | None, teacher: Teaching
) -> tuple[dict, dict[str, Tensor]]:
    """Train a unit on a worker; return what is kept of it and its weights."""
    torch.set_num_threads(1)
    with _ONE_AT_A_TIME:
        loaded = None if dataset is None else _dataset(dataset)
        model, numbers, seconds = train_unit(unit, seed, loaded, teacher)
    return report(unit, seed, numbers, seconds, loaded), weights_of(model)


@lru_cache(maxsize=2)
def _dataset(name: str) -> Dataset:
    return data.load(name)
