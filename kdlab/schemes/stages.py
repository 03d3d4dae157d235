"""Trainings one after the other that are one run to whoever waits for them."""

import os
from collections.abc import Callable
from pathlib import Path

import torch

from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.history import Progress

#: Makes a learning-rate schedule from an optimizer and the steps of a training.
MakeScheduler = Callable[[torch.optim.Optimizer, int], torch.optim.lr_scheduler.LRScheduler]


def tools(
    optimizer: torch.optim.Optimizer, make_scheduler: MakeScheduler | None, steps: int
) -> dict[str, object]:
    """Return an optimizer and its schedule, for one training."""
    scheduler = None if make_scheduler is None else make_scheduler(optimizer, steps)
    return {"optimizer": optimizer, "scheduler": scheduler}


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
