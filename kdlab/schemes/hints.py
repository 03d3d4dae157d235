"""Learning from the middle of a teacher: hints first, or features beside the predictions."""

from collections.abc import Callable, Mapping, Sequence

import torch
from torch import Tensor, nn

from kdlab._checks import check_fraction, check_positive, check_temperature
from kdlab.data import Batches
from kdlab.losses import distillation_loss, hint_loss
from kdlab.schemes.arguments import check_held, check_kind, check_number
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.history import History, Progress, Run
from kdlab.schemes.maps import LOGITS, Listened, Recording, tapped
from kdlab.schemes.offline import check_apart

#: From a student's maps and the teacher's, both by layer, to one number.
FeatureLoss = Callable[[Mapping[str, Tensor], Mapping[str, Tensor]], Tensor]


def learn_hints(
    student: nn.Module,
    teacher: nn.Module | Recording,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    student_layer: str,
    teacher_layer: str,
    regressor: nn.Module,
    epochs: int,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a student's lower half to foretell a teacher's layer: FitNets' first stage.

    The second stage is `distill`, by which the whole student learns. No label is used here.

    Args:
        student: From images to logits; the layers up to the guided one learn in place. Batch norms
            above it see the images, too.
        teacher: A module, left as it is, or what `record` returned for the batches' images.
        batches: What the student learns from.
        optimizer: Holds the parameters of the student and of the regressor.
        student_layer: The guided layer, by name.
        teacher_layer: The hint layer, by name.
        regressor: From the guided layer's map to the hint layer's shape; see
            `models.regressor`. Changed in place.
        epochs: Passes over the batches.
        seed: Fixes dropout.
        progress: Called after every step with steps done, steps in all, and a note.
        scheduler: Changes the learning rate; it makes one step a batch.
        checkpoint: Written between epochs, the regressor with it; where its file exists, the run
            goes on from there.

    Returns:
        The mean hint loss of each epoch; an interrupt ends the run early.

    Raises:
        ValueError: A layer isn't there, its regressed shape isn't the teacher's, the optimizer
            lacks the regressor's parameters, or another argument is of another type or out of
            range.

    References:
        Romero et al. 2015, arXiv:1412.6550, section 2.2.
    """
    check_kind(nn.Module, regressor=regressor)
    run = Run(
        student,
        batches,
        optimizer,
        epochs=epochs,
        test=None,
        seed=seed,
        progress=progress,
        scheduler=scheduler,
        checkpoint=checkpoint,
        beside=regressor,
    )
    check_apart(teacher, student)
    check_held(optimizer, regressor=regressor)
    hints = Listened(teacher, batches, [teacher_layer])
    with run, hints, tapped(student, [student_layer]) as maps:
        for _ in run.epochs():
            for images, targets, indices in batches:
                student(images)
                wanted = hints.hear(images, indices)[teacher_layer]
                loss = hint_loss(regressor(maps[student_layer]), wanted)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                run.step(loss, len(targets))
    return run.history()


def distill_features(
    student: nn.Module,
    teacher: nn.Module | Recording,
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    student_layers: Sequence[str],
    teacher_layers: Sequence[str],
    feature_loss: FeatureLoss,
    feature_weight: float,
    temperature: float,
    lambda_: float,
    epochs: int,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> History:
    """Train a student by distillation, and by a loss on layers beside it.

    The loss is `distillation_loss` plus feature_weight times what `feature_loss` returns;
    lambda = 0 leaves the labels and the features.

    Args:
        student: From images to logits; changed in place, left in eval mode.
        teacher: A module, left as it is, or what `record` returned for the batches' images.
        batches: What the student learns from.
        optimizer: Holds the student's parameters, and those of regressors in feature_loss.
        student_layers, teacher_layers: Names of the layers that feature_loss gets.
        feature_loss: Called with the student's and the teacher's maps of a batch by layer, for
            example ``lambda s, t: similarity_preserving_loss(s["block2"], t["block3"])``. Where
            it is a module it learns in train mode and is left in eval mode.
        feature_weight: Its weight, > 0.
        temperature: T > 0 of the teacher's predictions.
        lambda_: Weight of the teacher's predictions against the labels, in [0, 1].
        epochs: Passes over the batches.
        test: Images and targets on which the student is evaluated after every epoch.
        seed: Fixes dropout.
        progress: Called after every step with steps done, steps in all, and a note.
        scheduler: Changes the learning rate; it makes one step a batch.
        checkpoint: Written between epochs; where its file exists, the run goes on from there.
            Regressors are part of it where feature_loss is a module that has them.

    Returns:
        One number an epoch; an interrupt ends the run early.

    Raises:
        ValueError: A layer isn't there, the optimizer holds weights that the checkpoint does not
            know, or another argument is of another type or out of range.
    """
    check_temperature(temperature=temperature)
    check_fraction(lambda_=lambda_)
    check_positive(feature_weight=feature_weight)
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
        beside=feature_loss if isinstance(feature_loss, nn.Module) else None,
    )
    check_apart(teacher, student)
    heard = Listened(teacher, batches, teacher_layers)
    with run, heard, tapped(student, student_layers) as maps:
        for _ in run.epochs():
            for images, targets, indices in batches:
                wanted = heard.hear(images, indices)
                logits = student(images)
                loss = distillation_loss(
                    logits, wanted[LOGITS], targets, temperature=temperature, lambda_=lambda_
                )
                beside = feature_loss(maps, wanted)
                check_number(feature_loss=beside)
                loss = loss + feature_weight * beside
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                run.step(loss, len(targets))
    return run.history()
