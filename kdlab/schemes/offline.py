"""Offline distillation: first the teacher learns, then the student learns from it."""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kdlab._checks import check_count, check_fraction, check_same_length, check_temperature
from kdlab.data import Batches
from kdlab.losses import distillation_loss, label_smoothing_loss
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.evaluation import evaluating, predict
from kdlab.schemes.history import History, Progress, Run


def distill(
    student: nn.Module,
    teacher: nn.Module | Float[Tensor, "members classes"],
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    temperature: float,
    lambda_: float,
    stop_soft_at: int | None = None,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a student on labels and on a teacher's softened predictions.

    Where the inputs are fixed, the teacher is asked once and its logits are looked up by the
    example's index; where they are moved, it is asked again for every batch, unless its logits
    for every place are given (`predict_moved`).

    Args:
        student: From images to logits; changed in place, left in eval mode.
        teacher: A module (its weights and modes are left as they are), or its logits for
            every example of the batches in their unshuffled order; where they are moved, those
            for every place of the first example, then of the second, and so on.
        batches: What the student learns from.
        optimizer: Holds the student's parameters.
        epochs: Passes over the batches.
        temperature: T > 0 of the teacher's term.
        lambda_: Weight of the teacher's term, in [0, 1].
        stop_soft_at: After so many epochs the student learns from labels alone, with weight 1,
            and the teacher isn't asked any more; None is never.
        test: Images and targets on which the student is evaluated after every epoch.
        seed: Fixes dropout (batches have their own); torch's global generator is left as it
            was.
        progress: Called after every step with steps done, steps in all, and a note.
        scheduler: Changes the optimizer's learning rate; it makes one step a batch.
        checkpoint: Written between epochs; where its file exists, the run goes on from there.

    Returns:
        One number an epoch. An interrupt (Ctrl-C, the stop button) ends the run early and
        returns what there is.

    Raises:
        ValueError: teacher is the student itself, or logits of another number of images; the
            optimizer holds no parameter of the student that can
            be trained; or another argument is of another type or out of range. Raised
            before any step.

    References:
        Hinton et al. 2014, arXiv:1503.02531; Cho and Hariharan 2019, arXiv:1910.01348, for
        `stop_soft_at`.
    """
    check_temperature(temperature=temperature)
    check_fraction(lambda_=lambda_)
    if stop_soft_at is not None:
        check_count(0, stop_soft_at=stop_soft_at)
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
    _check_teacher(teacher, student, batches)
    with run:
        stored = stored_logits(teacher, batches)
        for epoch in run.epochs():
            soft = stop_soft_at is None or epoch < stop_soft_at
            for images, targets, indices in batches:
                student_logits = student(images)
                if not soft:
                    loss = label_smoothing_loss(student_logits, targets, smoothing=0.0)
                else:
                    if stored is None:
                        with evaluating(teacher), torch.no_grad():
                            teacher_logits = teacher(images)
                    else:
                        teacher_logits = stored[indices]
                    loss = distillation_loss(
                        student_logits,
                        teacher_logits,
                        targets,
                        temperature=temperature,
                        lambda_=lambda_,
                    )
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                run.step(loss, len(targets))
    return run.history()


def stored_logits(teacher: nn.Module | Tensor, batches: Batches) -> Tensor | None:
    """Return a teacher's logits by `Batch.indices`; None if it must be asked for each batch."""
    if isinstance(teacher, Tensor):
        return teacher.detach().to(batches.targets.device)
    return predict(teacher, batches.images) if batches.fixed else None


def check_apart(teacher: object, student: nn.Module) -> None:
    """Raise ValueError if the teacher would change while the student learns."""
    if teacher is student:
        raise ValueError("teacher must be another model than student, got one object as both")
    if isinstance(teacher, nn.Module) and _trained(student) & _trained(teacher):
        raise ValueError("teacher must not share trainable parameters with student")


def _check_teacher(teacher: nn.Module | Tensor, student: nn.Module, batches: Batches) -> None:
    check_apart(teacher, student)
    if not isinstance(teacher, (nn.Module, Tensor)):
        came = type(teacher).__name__
        raise ValueError(f"teacher must be a module or a tensor of logits, got {came}")
    if isinstance(teacher, Tensor):
        _check_logits(teacher, batches)


def _check_logits(teacher: Tensor, batches: Batches) -> None:
    if batches.fixed:
        check_same_length(teacher=teacher, targets=batches.targets)
    elif len(teacher) != batches.members:
        wanted = f"{batches.members} rows of logits, one for each place of each example"
        raise ValueError(f"teacher must have {wanted}, got {len(teacher)}")


def _trained(model: nn.Module) -> set[int]:
    return {id(p) for p in model.parameters() if p.requires_grad}
