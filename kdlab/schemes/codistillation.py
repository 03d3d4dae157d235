"""Co-distillation: workers with data of their own that teach each other now and then."""

import torch
from torch import Tensor, nn

from kdlab._checks import check_count, check_fraction, check_temperature
from kdlab.data import Batches
from kdlab.losses import mutual_loss
from kdlab.schemes.arguments import check_kind
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.exchange import Exchange, grouped
from kdlab.schemes.history import History, Progress, Run


def codistill(
    model: nn.Module,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    temperature: float = 1.0,
    lambda_: float = 0.5,
    every: int = 50,
    what: str = "weights",
    burn_in: int = 0,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[History, int]:
    r"""Train one worker's model on its labels and on the other workers' stale predictions.

    Every worker calls this, inside `joined`, with a model and batches of its own. At the
    beginning of an epoch and then every so many steps they exchange, and until the next exchange
    each hears what the others' models of that moment say to its own images, in eval mode:
    $(1 - \lambda)\,\mathrm{CE} + \lambda\,T^2$ times the mean of $\mathrm{KL}(p_j \| q)$ over
    the others.

    Args:
        model: From images to logits; changed in place, left in eval mode.
        batches: This worker's share, of as many batches as the others'.
        optimizer: Holds the model's parameters.
        epochs: Passes over the batches.
        temperature: T > 0 of the others' terms.
        lambda_: Weight of all others together, in [0, 1].
        every: Steps from one exchange to the next.
        what: "weights" or "predictions", which is sent; see `Exchange`.
        burn_in: Epochs before the first exchange, of labels alone.
        test, seed, progress, scheduler: As in `train`, each for this worker; with one seed for
            all, models that begin alike and have equal data stay alike.
        checkpoint: A path of this worker's own, with keep of at least 2. All workers go on after
            the last epoch that each of them has kept.

    Returns:
        This worker's history, and the bytes that it has sent.

    Raises:
        ValueError: The workers differ in epochs, batches an epoch, or another setting, or in
            their models where weights are sent; or an argument is of another type or out of
            range. Raised before any step.
        WorkerLost: Another worker has ended or hasn't answered in time.

    References:
        Anil et al. 2018, arXiv:1804.03235.
    """
    check_temperature(temperature=temperature)
    check_fraction(lambda_=lambda_)
    check_count(every=every)
    check_count(0, burn_in=burn_in)
    check_kind(Batches, batches=batches)
    check_kind(nn.Module, model=model)
    exchange = Exchange(model, what)
    exchange.agree(
        epochs=epochs,
        batches=len(batches),
        temperature=temperature,
        lambda_=lambda_,
        every=every,
        what=what,
        burn_in=burn_in,
    )
    run = Run(
        model,
        batches,
        optimizer,
        epochs=epochs,
        test=test,
        seed=seed,
        progress=progress,
        scheduler=scheduler,
        checkpoint=_common(checkpoint, exchange),
    )
    others = exchange.workers - 1
    with run:
        for epoch in run.epochs():
            # So that no worker is more than one epoch ahead, and their checkpoints meet.
            exchange.meet()
            for group in grouped(batches, every):
                told = epoch >= burn_in and others > 0
                heard = exchange.hear(group) if told else [[] for _ in group]
                for (images, targets, _), logits in zip(group, heard, strict=True):
                    loss = mutual_loss(
                        model(images),
                        logits,
                        targets,
                        temperature=temperature,
                        weights=[lambda_ / others] * others if told else [],
                    )
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    run.step(loss, len(targets))
    return run.history(), exchange.bytes_sent


def _common(checkpoint: Checkpoint | None, exchange: Exchange) -> Checkpoint | None:
    """Return this worker's checkpoint, going on after the last epoch that all have kept."""
    _check_checkpoint(checkpoint)
    found = {"kept": None if checkpoint is None else checkpoint.kept()}
    kept = exchange.gather(found | {"every": checkpoint and checkpoint.every})
    if checkpoint is None or None in kept["kept"]:
        if any(epochs is not None for epochs in kept["kept"]):
            raise ValueError("checkpoint must be given to all workers or to none")
        return None
    common = set.intersection(*map(set, kept["kept"]))
    # Nothing in common: one was ended before it could write its first, or files are gone.
    if not common and max(map(max, filter(None, kept["kept"])), default=0) > checkpoint.every:
        listed = " and ".join(map(str, kept["kept"]))
        raise ValueError(f"checkpoint must have an epoch that all workers kept, got {listed}")
    return checkpoint.going_on_after(max(common, default=0))


def _check_checkpoint(checkpoint: Checkpoint | None) -> None:
    if checkpoint is not None:
        check_kind(Checkpoint, checkpoint=checkpoint)
        if checkpoint.keep == 1:
            raise ValueError("checkpoint must keep at least 2 epochs, got keep=1")
