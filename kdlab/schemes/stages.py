"""Trainings one after the other that are one run to whoever waits for them."""

import os
from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from kdlab.data import Batches
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.history import History, Progress
from kdlab.schemes.offline import distill
from kdlab.schemes.supervised import train

#: Makes a learning-rate schedule from an optimizer and the steps of a training.
MakeScheduler = Callable[[torch.optim.Optimizer, int], torch.optim.lr_scheduler.LRScheduler]


def tools(
    optimizer: torch.optim.Optimizer, make_scheduler: MakeScheduler | None, steps: int
) -> dict[str, object]:
    """Return an optimizer and its schedule, for one training."""
    scheduler = None if make_scheduler is None else make_scheduler(optimizer, steps)
    return {"optimizer": optimizer, "scheduler": scheduler}


def learn_from(
    teacher: nn.Module | None,
    model: nn.Module,
    batches: Batches,
    *,
    temperature: float,
    lambda_: float,
    **rest: object,
) -> History:
    """Train a model by `distill`, or by `train` where there is no teacher; both take the rest."""
    if teacher is None:
        return train(model, batches, **rest)
    weights = {"temperature": temperature, "lambda_": lambda_}
    return distill(model, teacher, batches, **weights, **rest)


def part_of(progress: Progress | None, number: int, count: int, name: str) -> Progress | None:
    """Tell of one training's steps as a part of so many equal ones."""
    if progress is None:
        return None

    def tell(done: int, steps: int, note: str) -> None:
        progress(number * steps + done, count * steps, f"{name}: {note}" if note else name)

    return tell


def checkpoint_in(folder: str | os.PathLike | None, name: str) -> Checkpoint | None:
    """Return the checkpoint of one training; None where no folder is given."""
    return None if folder is None else Checkpoint(Path(folder) / f"{name}.safetensors")
