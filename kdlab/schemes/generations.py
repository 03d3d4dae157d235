"""Self-distillation over generations: a network teaches a fresh one of its own kind."""

import os
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kdlab._checks import check_count, check_fraction, check_temperature
from kdlab.data import Batches
from kdlab.models import Ensemble
from kdlab.schemes.arguments import check_pair
from kdlab.schemes.evaluation import evaluate
from kdlab.schemes.history import History, Progress
from kdlab.schemes.stages import MakeScheduler, checkpoint_in, learn_from, part_of, tools


@dataclass(frozen=True)
class Generations:
    """Networks of one kind, first to last, and how each learnt.

    Attributes:
        models: In eval mode.
        histories: One for each.
        held_out_errors: Of each, by `refine_labels`; empty where none were held out.
    """

    models: tuple[nn.Module, ...]
    histories: tuple[History, ...]
    held_out_errors: tuple[int, ...] = ()

    @property
    def best(self) -> nn.Module:
        """The first of those with the fewest errors on what was held out.

        Raises:
            ValueError: Nothing was held out.
        """
        if not self.held_out_errors:
            raise ValueError("best needs held_out errors, got none")
        return self.models[self.held_out_errors.index(min(self.held_out_errors))]

    def ensemble(self, *, since: int = 1) -> nn.Module:
        """Return the mean of all generations' probabilities as one network.

        Args:
            since: The first generation that belongs to it; the paper leaves out number 0, which
                had no teacher.

        Raises:
            ValueError: since is no whole number >= 0, or later than the last generation.
        """
        check_count(0, since=since)
        if since >= len(self.models):
            raise ValueError(f"since must be < {len(self.models)}, got {since}")
        return Ensemble(self.models[since:])


def grow_generations(
    build: Callable[[int], nn.Module],
    make_batches: Callable[[int], Batches],
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    *,
    generations: int,
    epochs: int,
    temperature: float = 1.0,
    lambda_: float = 0.5,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    make_scheduler: MakeScheduler | None = None,
    folder: str | os.PathLike | None = None,
) -> Generations:
    """Train born-again networks: each from fresh weights, taught by the one before it.

    Args:
        build: Makes a fresh network from a seed, always of the same kind.
        make_batches: Makes what each learns from, from a seed.
        make_optimizer: Makes an optimizer for a network.
        generations: How many are taught; before them number 0 learns from labels alone.
        epochs: Passes over the batches, for each.
        temperature: T > 0 of the teachers' terms; the paper has 1.
        lambda_: Weight of the teacher's term, in [0, 1].
        test: Images and targets that are evaluated after every epoch.
        seed: Generation g has seed + g for weights, batches and dropout.
        progress: Called after every step with steps done, steps in all, and a note.
        make_scheduler: Makes a schedule from an optimizer and the steps of one training, for
            example torch's `CosineAnnealingLR`; None leaves the rate as it is.
        folder: Where each has its checkpoint, generation-1.safetensors; a run that was ended
            goes on there. None keeps none.

    Returns:
        The generations, number 0 first. An interrupt ends the run early and returns what there
        is, the unfinished one included.

    Raises:
        ValueError: generations is no positive whole number, or another argument is of another
            type or out of range.

    References:
        Furlanello et al. 2018, arXiv:1805.04770: labels and teacher's predictions have equal
        weights there, the sum of both where ours is the mean.
    """
    check_count(generations=generations, epochs=epochs)
    check_temperature(temperature=temperature)
    check_fraction(lambda_=lambda_)
    check_count(0, seed=seed)
    models, histories = [], []
    for number in range(generations + 1):
        name = f"generation-{number}"
        model, batches = build(seed + number), make_batches(seed + number)
        rest = {
            **tools(make_optimizer(model), make_scheduler, epochs * len(batches)),
            "epochs": epochs,
            "test": test,
            "seed": seed + number,
            "progress": part_of(progress, number, generations + 1, name),
            "checkpoint": checkpoint_in(folder, name),
        }
        teacher = models[-1] if models else None
        weights = {"temperature": temperature, "lambda_": lambda_}
        history = learn_from(teacher, model, batches, **weights, **rest)
        models.append(model)
        histories.append(history)
        if history.interrupted:
            break
    return Generations(tuple(models), tuple(histories))


def refine_labels(
    build: Callable[[int], nn.Module],
    make_batches: Callable[[int], Batches],
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    *,
    held_out: tuple[Tensor, Tensor],
    epochs: int,
    most: int = 10,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    make_scheduler: MakeScheduler | None = None,
    folder: str | os.PathLike | None = None,
) -> Generations:
    """Refine labels: each network learns from nothing but the predictions of the one before it.

    Images that are moved have labels of their own at each place. A new network follows as long
    as the last one made fewer errors than the one before it on what is held out.

    Args:
        held_out: Images and targets that nobody learns from, nor is tested on.
        most: How many networks there are at most, the first included.
        build, make_batches, make_optimizer, epochs, test, seed, progress, make_scheduler,
            folder: As in `grow_generations`; the progress counts up to `most`.

    Returns:
        All networks, the last one included that was no better; see `Generations.best`.

    Raises:
        ValueError: held_out is no pair of images and targets, or another argument is of another
            type or out of range.

    References:
        Bagherinezhad et al. 2018, arXiv:1805.02641.
    """
    check_pair(held_out=held_out)
    check_count(most=most, epochs=epochs)
    check_count(0, seed=seed)
    models, histories, errors = [], [], []
    for number in range(most):
        name = f"generation-{number}"
        model, batches = build(seed + number), make_batches(seed + number)
        rest = {
            **tools(make_optimizer(model), make_scheduler, epochs * len(batches)),
            "epochs": epochs,
            "test": test,
            "seed": seed + number,
            "progress": part_of(progress, number, most, name),
            "checkpoint": checkpoint_in(folder, name),
        }
        teacher = models[-1] if models else None
        alone = {"temperature": 1.0, "lambda_": 1.0}
        history = learn_from(teacher, model, batches, **alone, **rest)
        models.append(model)
        histories.append(history)
        errors.append(evaluate(model, *held_out))
        if history.interrupted or (number and errors[-1] >= errors[-2]):
            break
    return Generations(tuple(models), tuple(histories), tuple(errors))
