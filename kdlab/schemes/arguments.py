"""Checks of what every scheme is given: a model, an optimizer, a test set, a schedule."""

import torch
from torch import Tensor, nn

from kdlab._checks import check_same_length
from kdlab.schemes.checkpoint import Checkpoint


def check_kind(kind: type, /, **named: object) -> None:
    """Raise ValueError unless every named value is of this class."""
    for name, value in named.items():
        if not isinstance(value, kind):
            wanted = f"{kind.__module__.partition('.')[0]}'s {kind.__name__}"
            raise ValueError(f"{name} must be {wanted}, got {type(value).__name__}")


def check_optional(test, scheduler, checkpoint, optimizer: torch.optim.Optimizer) -> None:
    """Raise ValueError unless each of them is None or what it must be."""
    if test is not None:
        check_pair(test=test)
    if scheduler is not None:
        check_scheduler(scheduler, optimizer)
    if checkpoint is not None:
        check_kind(Checkpoint, checkpoint=checkpoint)


def check_pair(**named: object) -> None:
    """Raise ValueError unless every named value is images and as many targets."""
    for name, pair in named.items():
        if not isinstance(pair, (tuple, list)) or len(pair) != 2:
            came = f"{len(pair)} values" if isinstance(pair, (tuple, list)) else type(pair).__name__
            raise ValueError(f"{name} must be a pair of images and targets, got {came}")
        check_same_length(**{f"{name}_images": pair[0], f"{name}_targets": pair[1]})


def check_scheduler(
    scheduler: torch.optim.lr_scheduler.LRScheduler, optimizer: torch.optim.Optimizer
) -> None:
    """Raise ValueError unless a scheduler changes this optimizer's rate."""
    check_kind(torch.optim.lr_scheduler.LRScheduler, scheduler=scheduler)
    if scheduler.optimizer is not optimizer:
        raise ValueError("scheduler must be of the optimizer that is given, got another one's")


def check_optimizer(optimizer: torch.optim.Optimizer, model: nn.Module) -> None:
    """Raise ValueError if a step of the optimizer would change nothing in the model."""
    check_kind(torch.optim.Optimizer, optimizer=optimizer)
    held = set(map(id, _held_by(optimizer)))
    reached = [p for p in model.parameters() if id(p) in held]
    if not reached:
        raise ValueError("optimizer must hold parameters of the trained model, got none of them")
    if not any(p.requires_grad for p in reached):
        raise ValueError("optimizer must hold a parameter that requires grad, got frozen ones only")


def check_held(optimizer: torch.optim.Optimizer, **named: nn.Module) -> None:
    """Raise ValueError if a module beside the model would never learn."""
    held = set(map(id, _held_by(optimizer)))
    for name, module in named.items():
        learning = [p for p in module.parameters() if p.requires_grad]
        if missing := sum(id(p) not in held for p in learning):
            told = f"{len(learning) - missing} of its {len(learning)} tensors"
            raise ValueError(f"optimizer must hold the {name}'s parameters, got {told}")


def check_number(**named: object) -> None:
    """Raise ValueError unless every named value is a loss, one number as a tensor."""
    for name, value in named.items():
        if not isinstance(value, Tensor) or value.numel() != 1:
            came = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
            raise ValueError(f"{name} must return one number, a tensor, got {came}")


def check_kept(optimizer: torch.optim.Optimizer, *modules: nn.Module) -> None:
    """Raise ValueError if a checkpoint would lose weights that the optimizer changes."""
    known = {id(p) for module in modules for p in module.parameters()}
    if lost := sum(id(p) not in known for p in _held_by(optimizer)):
        raise ValueError(f"checkpoint must know all that optimizer holds, got {lost} other weights")


def _held_by(optimizer: torch.optim.Optimizer) -> list[nn.Parameter]:
    return [p for group in optimizer.param_groups for p in group["params"]]
