"""Teacher assistants: a small student learns from a middle one, who learnt from the teacher."""

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kdlab._checks import check_count, check_fraction, check_temperature
from kdlab.data import Batches
from kdlab.schemes.history import History, Progress
from kdlab.schemes.paths import Path, check_paths, prefixes
from kdlab.schemes.stages import MakeScheduler, checkpoint_in, learn_from, part_of, tools


@dataclass(frozen=True)
class Learnt:
    """A network and how it came about.

    Attributes:
        model: In eval mode.
        history: Of its own training, its teachers' not included.
    """

    model: nn.Module
    history: History


def distill_paths(
    paths: Iterable[Path],
    build: Callable[[int, int], nn.Module],
    make_batches: Callable[[int], Batches],
    make_optimizer: Callable[[nn.Module], torch.optim.Optimizer],
    *,
    epochs: int,
    temperature: float,
    lambda_: float,
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    make_scheduler: MakeScheduler | None = None,
    folder: str | os.PathLike | None = None,
) -> dict[Path, Learnt]:
    """Train every network on paths from a teacher over assistants to a student.

    The first network of a path learns from labels, each later one from labels and the one
    before it. What several paths begin with is trained once. Every network starts from the
    same seed, so that a path's numbers don't depend on the other paths.

    Args:
        paths: Sizes in the order of teaching, for example ``[(10, 2), (10, 4, 2)]``; see
            `all_paths`.
        build: Makes a fresh network of a size from a seed.
        make_batches: Makes what each network learns from, from a seed.
        make_optimizer: Makes an optimizer for a network.
        epochs: Passes over the batches, for each network.
        temperature: T > 0 of the teachers' terms.
        lambda_: Weight of the teachers' terms, in [0, 1].
        test: Images and targets that are evaluated after every epoch.
        seed: Of the weights, the batches and the dropout of each network.
        progress: Called after every step with steps done, steps in all, and a note.
        make_scheduler: Makes a schedule from an optimizer and the steps of one training, for
            example torch's `CosineAnnealingLR`; None leaves the rate as it is.
        folder: Where each network has its checkpoint, 10-4-2.safetensors; a run that was ended
            goes on there. None keeps none.

    Returns:
        What was learnt, by beginnings of the paths: ``[(10, 4)]`` is the assistant. An
        interrupt ends the run early and returns what there is, the unfinished network included.

    Raises:
        ValueError: paths are no tuples of positive whole numbers, or another argument is of
            another type or out of range; the first raised before any step.

    References:
        Mirzadeh et al. 2020, arXiv:1902.03393.
    """
    check_temperature(temperature=temperature)
    check_fraction(lambda_=lambda_)
    check_count(epochs=epochs)
    check_count(0, seed=seed)
    learnt: dict[Path, Learnt] = {}
    nodes = prefixes(check_paths(paths))
    for number, path in enumerate(nodes):
        name = "-".join(map(str, path))
        model, batches = build(path[-1], seed), make_batches(seed)
        rest = {
            **tools(make_optimizer(model), make_scheduler, epochs * len(batches)),
            "epochs": epochs,
            "test": test,
            "seed": seed,
            "progress": part_of(progress, number, len(nodes), name),
            "checkpoint": checkpoint_in(folder, name),
        }
        teacher = learnt[path[:-1]].model if len(path) > 1 else None
        weights = {"temperature": temperature, "lambda_": lambda_}
        history = learn_from(teacher, model, batches, **weights, **rest)
        learnt[path] = Learnt(model, history)
        if history.interrupted:
            break
    return learnt
