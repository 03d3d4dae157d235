"""What a worker of a run does; how Python starts several."""

import os
from collections.abc import Sequence
from contextlib import nullcontext, redirect_stdout
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor, nn

from kdlab import data
from kdlab._files import read_json, write_json
from kdlab.experiments.codistillation.settings import Settings, check_workers
from kdlab.schemes import (
    Checkpoint,
    History,
    WorkerEnded,
    codistill,
    joined,
    predict,
    run_workers,
)
from kdlab.schemes.history import Progress

#: What may differ from one start of a run to the next.
_FREE = ("epochs", "device", "folder")


def start(settings: Settings, *, workers: int = 2) -> list[dict]:
    """Start workers on this machine, wait for them, and return what each of them found.

    Args:
        settings: For all of them.
        workers: How many, at least 2; each gets an equal part of this process's torch threads.

    Returns:
        What `work` returns, in the workers' order.

    Raises:
        ValueError: There is no second worker, or not an image for each.
        RuntimeError: A worker failed or was ended; it says which and why.
    """
    # Here, so that it is fetched and told of once.
    dataset = data.load(settings.dataset)
    check_workers(workers, train=settings.train or len(dataset.train_targets))
    try:
        return run_workers(work, workers, replace(settings, dataset=dataset.name))
    except WorkerEnded as error:
        kept = (
            settings.folder and f"the same call goes on from the checkpoints in {settings.folder}"
        )
        raise WorkerEnded(f"{error}; {kept or 'without a folder nothing was kept'}") from None


def work(settings: Settings, progress: Progress | None = None) -> dict:
    """Train one worker, in a process that `torchrun` or `run_workers` has started.

    Args:
        settings: The same for all workers.
        progress: As in `train`, for this worker.

    Returns:
        "rank", "workers" and "dataset"; "examples" that this worker has learnt from; "losses" and
        "test_errors" by epoch, "test_examples"; "bytes_sent" since this process began, so without
        what was sent before it went on from a checkpoint; "seconds" of the whole run; "answers",
        the class that the network gives to each test image at last.

    Raises:
        ValueError: There is no second worker, the folder is of another run, or a checkpoint is
            damaged; without that file, all go on after an earlier epoch that each has kept.
        WorkerLost: Another worker has ended or hasn't answered in time.
    """
    # What "auto" means is the same for all, and told by one.
    with nullcontext() if os.environ.get("RANK") == "0" else redirect_stdout(None):
        dataset = data.load(settings.dataset)
    dataset = dataset.take(train=settings.train, test=settings.test, seed=settings.seed)
    device = _device(settings.device)
    with joined(device=settings.device) as (rank, workers):
        check_workers(workers, train=len(dataset.train_targets))
        checkpoint = _checkpoint(settings, dataset.name, rank, workers)
        dataset = dataset.to(device)
        model, batches = settings.network(rank).to(device), settings.batches(dataset, rank, workers)
        test = (dataset.test_images, dataset.test_targets)
        history, sent = _learn(settings, model, batches, test, checkpoint, progress)
    told = {"rank": rank, "workers": workers, "dataset": dataset.name, "bytes_sent": sent}
    answers = predict(model, test[0]).argmax(dim=1).tolist()
    return told | _noted(history) | {"examples": len(batches.targets), "answers": answers}


def work_each(runs: Sequence[Settings]) -> list[dict]:
    """Do `work` for several runs, one after the other: processes take seconds to start."""
    return [work(settings) for settings in runs]


def _learn(
    settings: Settings,
    model: nn.Module,
    batches: data.Batches,
    test: tuple[Tensor, Tensor],
    checkpoint: Checkpoint | None,
    progress: Progress | None,
) -> tuple[History, int]:
    named = ("epochs", "temperature", "lambda_", "every", "what", "burn_in", "seed")
    rest = {name: getattr(settings, name) for name in named}
    if settings.what == "nothing":
        rest |= {"what": "weights", "burn_in": settings.epochs}
    rest |= {"test": test, "checkpoint": checkpoint, "progress": progress}
    optimizer = torch.optim.Adam(model.parameters(), lr=settings.learning_rate)
    return codistill(model, batches, optimizer, **rest)


def _device(name: str) -> torch.device:
    """Return this worker's accelerator, or the CPU."""
    device = torch.device(name)
    if device.type != "cpu":
        module = torch.get_device_module(device)
        number = int(os.environ.get("LOCAL_RANK", 0)) % max(module.device_count(), 1)
        device = torch.device(device.type, number)
        module.set_device(device)
    return device


def _checkpoint(settings: Settings, dataset: str, rank: int, workers: int) -> Checkpoint | None:
    """Return a worker's checkpoint, in a folder that is this run's."""
    if settings.folder is None:
        return None
    folder = Path(settings.folder)
    folder.mkdir(parents=True, exist_ok=True)
    said = {name: value for name, value in asdict(settings).items() if name not in _FREE}
    said |= {"dataset": dataset, "workers": workers, "hidden": list(settings.hidden)}
    if (file := folder / "settings.json").exists():
        _check_same(file, said)
    elif rank == 0:
        write_json(file, said)
    return Checkpoint(folder / f"worker{rank}.safetensors", keep=2)


def _check_same(file: Path, said: dict) -> None:
    kept = read_json(file)
    for name, value in said.items():
        if kept.get(name) != value:
            told = f"{name} {kept.get(name)!r}, here it is {value!r}"
            raise ValueError(f"folder must be of this run, {file.parent} has {told}")


def _noted(history: History) -> dict:
    """Return a history as what can be sent and written."""
    return {
        "losses": list(history.losses),
        "test_errors": list(history.test_errors),
        "test_examples": history.test_examples,
        "seconds": history.seconds,
    }
