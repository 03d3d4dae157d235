"""Snapshot distillation: earlier epochs of one training teach the later ones."""

from copy import deepcopy

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import CosineAnnealingWarmRestarts

from kdlab._checks import check_count, check_fraction, check_temperature
from kdlab.data import Batches
from kdlab.losses import distillation_loss, label_smoothing_loss
from kdlab.schemes.arguments import check_kind, check_optimizer
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.evaluation import predict
from kdlab.schemes.history import History, Progress, Run
from kdlab.schemes.offline import stored_logits


def distill_snapshots(
    model: nn.Module,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    cycles: int,
    temperature: float,
    lambda_: float,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a model in cycles; in each, it learns from labels and from itself a cycle ago.

    The learning rate falls from the optimizer's to 0 along a half cosine in each cycle and then
    starts again, so that each snapshot is a finished network and the next one leaves it. The
    first cycle has labels alone.

    Args:
        model: From images to logits; changed in place, left in eval mode.
        batches: What it learns from.
        optimizer: Holds the model's parameters and the rate at which each cycle starts.
        epochs: Passes over the batches, of all cycles together.
        cycles: How many; a divisor of epochs. With 1 there is no teacher.
        temperature: T > 0 of the snapshot's term.
        lambda_: Weight of the snapshot's term, in [0, 1].
        test, seed, progress, checkpoint: As in `train`.

    Returns:
        One number an epoch.

    Raises:
        ValueError: cycles is no divisor of epochs, or another argument is of another type or
            out of range. Raised before any step.

    References:
        Yang et al. 2019, arXiv:1812.00123, which softens only the teacher (T = 2 or 3) and has
        weights of its own for labels and teacher.
    """
    check_temperature(temperature=temperature)
    check_fraction(lambda_=lambda_)
    check_kind(nn.Module, model=model)
    check_kind(Batches, batches=batches)
    check_optimizer(optimizer, model)
    length = _cycle_length(epochs, cycles)
    snapshot = deepcopy(model).requires_grad_(False)
    run = Run(
        model,
        batches,
        optimizer,
        epochs=epochs,
        test=test,
        seed=seed,
        progress=progress,
        scheduler=CosineAnnealingWarmRestarts(optimizer, length * len(batches)),
        checkpoint=checkpoint,
        beside=snapshot,
    )
    with run:
        stored = None
        for epoch in run.epochs():
            taught = epoch >= length
            if taught and epoch % length == 0:
                snapshot.load_state_dict(model.state_dict())
                stored = None
            if taught and stored is None:
                stored = stored_logits(snapshot, batches)
            for images, targets, indices in batches:
                logits = model(images)
                if not taught:
                    loss = label_smoothing_loss(logits, targets, smoothing=0.0)
                else:
                    heard = predict(snapshot, images) if stored is None else stored[indices]
                    loss = distillation_loss(
                        logits, heard, targets, temperature=temperature, lambda_=lambda_
                    )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                run.step(loss, len(targets))
    return run.history()


def _cycle_length(epochs: int, cycles: int) -> int:
    """Return the epochs of one cycle."""
    check_count(epochs=epochs, cycles=cycles)
    if epochs % cycles:
        raise ValueError(f"cycles must be a divisor of epochs, {epochs}, got {cycles}")
    return epochs // cycles
