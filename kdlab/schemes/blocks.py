"""Learning block by block: each of the student's blocks on the teacher's inputs."""

from collections.abc import Sequence

import torch
from torch import Tensor

from kdlab._checks import check_fraction, check_positive, check_temperature
from kdlab.data import Batches
from kdlab.losses import block_loss, distillation_loss
from kdlab.models import FeatureNet
from kdlab.schemes.arguments import check_kind
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.history import History, Progress, Run
from kdlab.schemes.maps import LOGITS, Listened
from kdlab.schemes.offline import check_apart


def distill_blocks(
    student: FeatureNet,
    teacher: FeatureNet,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    blocks: Sequence[str],
    block_weight: float,
    temperature: float,
    lambda_: float,
    epochs: int,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a student block by block on the teacher's inputs, and as a whole: LIT.

    Each block of the student gets what the teacher's earlier blocks made, not what its own
    did, and imitates the teacher's block of the same name: `block_loss`. Beside it the whole
    student learns by `distillation_loss`, from the image on. So a block's batch norm counts
    two kinds of inputs into its running statistics; a few epochs of `distill` end that.

    Args:
        student: Its blocks take and give the same shapes as the teacher's of the same name.
        teacher: Left as it is.
        batches, optimizer, temperature, lambda_, epochs, test, seed, progress, scheduler,
            checkpoint: As in `distill_features`.
        blocks: Names of the blocks that are imitated, in both networks.
        block_weight: Weight of `block_loss`, > 0.

    Returns:
        One number an epoch; an interrupt ends the run early.

    Raises:
        ValueError: A network lacks a block, shapes don't fit, or another argument is of another
            type or out of range.

    References:
        Koratana et al. 2018, arXiv:1810.01937, which trains with a sum of both and then goes on
        with `distill` alone.
    """
    check_temperature(temperature=temperature)
    check_fraction(lambda_=lambda_)
    check_positive(block_weight=block_weight)
    check_kind(FeatureNet, student=student, teacher=teacher)
    before = _before(teacher, student, blocks)
    run = Run(
        student,
        batches,
        optimizer,
        epochs=epochs,
        test=test,
        seed=seed,
        progress=progress,
        scheduler=scheduler,
        checkpoint=checkpoint,
    )
    check_apart(teacher, student)
    with run, Listened(teacher, batches, [*teacher.blocks]) as heard:
        for _ in run.epochs():
            for images, targets, indices in batches:
                wanted = heard.hear(images, indices)
                fed = {name: wanted.get(before[name], images) for name in blocks}
                made = [_ask(student, name, given) for name, given in fed.items()]
                loss = distillation_loss(
                    student(images),
                    wanted[LOGITS],
                    targets,
                    temperature=temperature,
                    lambda_=lambda_,
                ) + block_weight * block_loss(made, [wanted[name] for name in blocks])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                run.step(loss, len(targets))
    return run.history()


def _ask(student: FeatureNet, name: str, given: Tensor) -> Tensor:
    """Return what the student's block makes of what the teacher's earlier blocks made."""
    try:
        return student.blocks[name](given)
    except RuntimeError as error:
        # Torch says so of any shape that doesn't fit; memory that runs out is another matter.
        if type(error) is not RuntimeError:
            raise
        told = f"student's {name} must take the teacher's {list(given.shape)}"
        raise ValueError(f"{told}; as wide as the teacher's, it would: {error}") from error


def _before(
    teacher: FeatureNet, student: FeatureNet, blocks: Sequence[str]
) -> dict[str, str | None]:
    """Return the teacher's block before each one; None before the first, which gets images."""
    names = [*teacher.blocks]
    if isinstance(blocks, str) or not blocks or len(set(blocks)) < len(blocks):
        raise ValueError(f"blocks must be different names of blocks, got {blocks!r}")
    for name in blocks:
        for whose, model in (("student", student), ("teacher", teacher)):
            if name not in model.blocks:
                known = ", ".join(model.blocks)
                raise ValueError(f"blocks must be of the {whose}'s {known}, got {name!r}")
    return {name: names[names.index(name) - 1] if names.index(name) else None for name in blocks}
