"""Learning from labels alone: the teacher's own training, and every student's control."""

import torch
from torch import Tensor, nn

from kdlab._checks import check_fraction, check_positive
from kdlab.data import Batches
from kdlab.losses import label_smoothing_loss
from kdlab.models import constrain_max_norm
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.history import History, Progress, Run


def train(
    model: nn.Module,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    smoothing: float = 0.0,
    max_norm: float | None = None,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a model on labels with cross-entropy.

    Args:
        model: From images to logits; changed in place, left in eval mode.
        batches: What it learns from.
        optimizer: Holds the model's parameters.
        epochs: Passes over the batches.
        smoothing: Label smoothing in [0, 1]; 0 is plain labels.
        max_norm: Largest norm of a linear unit's incoming weights; None is no limit.
        test: Images and targets that are evaluated after every epoch.
        seed: Fixes dropout (batches have their own); torch's global generator is left as it
            was.
        progress: Called after every step with steps done, steps in all, and a note.
        scheduler: Changes the optimizer's learning rate; it makes one step a batch.
        checkpoint: Written between epochs; where its file exists, the run goes on from there.

    Returns:
        One number an epoch. An interrupt (Ctrl-C, the stop button) ends the run early and
        returns what there is.

    Raises:
        ValueError: epochs is no positive whole number, the optimizer holds no parameter of
            the model that can be trained, or another argument is of another type or out of
            range. Raised before any step.
    """
    check_fraction(smoothing=smoothing)
    if max_norm is not None:
        check_positive(max_norm=max_norm)
    run = Run(
        model,
        batches,
        optimizer,
        epochs=epochs,
        test=test,
        seed=seed,
        progress=progress,
        scheduler=scheduler,
        checkpoint=checkpoint,
    )
    with run:
        for _ in run.epochs():
            for images, targets, _ in batches:
                loss = label_smoothing_loss(model(images), targets, smoothing=smoothing)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                if max_norm is not None:
                    constrain_max_norm(model, limit=max_norm)
                run.step(loss, len(targets))
    return run.history()
