"""Self-distillation in depth: the deepest exit of one network teaches its shallow ones."""

import torch
from torch import Tensor

from kdlab._checks import check_fraction, check_temperature
from kdlab.data import Batches
from kdlab.losses import distillation_loss, label_smoothing_loss
from kdlab.schemes.arguments import check_kind
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.exits import DEEPEST, ExitNet
from kdlab.schemes.history import History, Progress
from kdlab.schemes.many import RunOfMany


def distill_exits(
    model: ExitNet,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    temperature: float,
    lambda_: float,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> dict[str, History]:
    r"""Train a network and its early exits, which hear its deepest one in the same pass.

    $\mathrm{CE}(y, q_C) + \sum_{i<C} [(1 - \lambda)\,\mathrm{CE}(y, q_i) + \lambda\,T^2\,
    \mathrm{KL}(q_C \| q_i)]$; the deepest exit's prediction $q_C$ is a constant to the others.
    Its own blocks learn from all exits behind them.

    Args:
        model: See `add_exits`; changed in place, left in eval mode.
        batches: What it learns from.
        optimizer: Holds the parameters of the network and of its exits.
        epochs: Passes over the batches.
        temperature: T > 0 of the deepest exit's term.
        lambda_: Weight of the deepest exit's term in the others' losses, in [0, 1].
        test, seed, progress, scheduler, checkpoint: As in `train`; errors are counted for each
            exit.

    Returns:
        One history for each exit, by name.

    Raises:
        ValueError: model is no `ExitNet`, or another argument is of another type or out of
            range. Raised before any step.

    References:
        Zhang et al. 2019, arXiv:1905.08094; its third term, a distance between the maps of
        shallow blocks and the deepest, is left out here.
    """
    check_kind(ExitNet, model=model)
    check_temperature(temperature=temperature)
    check_fraction(lambda_=lambda_)
    run = RunOfMany(
        model,
        [model.exit(name) for name in model.names],
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
                logits = model.exits(images)
                losses = [
                    label_smoothing_loss(scores, targets, smoothing=0.0)
                    if name == DEEPEST
                    else distillation_loss(
                        scores,
                        logits[DEEPEST],
                        targets,
                        temperature=temperature,
                        lambda_=lambda_,
                    )
                    for name, scores in logits.items()
                ]
                every = torch.stack(losses)
                optimizer.zero_grad()
                every.sum().backward()
                optimizer.step()
                run.step(every, len(targets))
    return dict(zip(model.names, run.histories(), strict=True))
