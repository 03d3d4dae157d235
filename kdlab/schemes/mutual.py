"""Deep mutual learning: networks that teach each other while they learn, with no teacher."""

from collections.abc import Sequence
from contextlib import ExitStack

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kdlab._checks import check_choice, check_fraction, check_length, check_temperature
from kdlab.data import Batches
from kdlab.losses import mutual_loss
from kdlab.losses.peers import check_weights
from kdlab.schemes.arguments import check_kind, check_optimizer
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.history import History, Progress
from kdlab.schemes.many import RunOfMany
from kdlab.schemes.maps import LOGITS, Listened
from kdlab.schemes.offline import check_apart

ORDERS = ("in turn", "at once")


def learn_mutually(
    learners: Sequence[nn.Module],
    batches: Batches,
    optimizer: torch.optim.Optimizer,
    *,
    epochs: int,
    temperature: float = 1.0,
    lambda_: float | Float[Tensor, "learners others"] = 0.5,
    order: str = "in turn",
    teachers: Sequence[nn.Module] = (),
    test: tuple[Tensor, Tensor] | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> tuple[History, ...]:
    r"""Train networks on labels and on each other's predictions, batch by batch.

    Learner k has $(1 - \sum_j w_{kj})\,\mathrm{CE} + \sum_j w_{kj}\,T^2\,\mathrm{KL}(p_j \|
    p_k)$; the others' predictions are constants to it. "In turn" is the paper's algorithm: who
    comes later hears the predictions that those before have after their step. "At once", all
    hear those from before the step; then the learners don't depend on their order.

    Args:
        learners: Two or more networks from images to logits, of equal or different kinds, or one
            with teachers; changed in place, left in eval mode. They hear each other in train
            mode, dropout and batch statistics included. Their first weights must differ: two
            copies would have nothing to tell each other.
        batches: What all of them learn from.
        optimizer: Holds the parameters of all learners. A weight without a gradient must stay
            as it is, as in torch's optimizers: "in turn" makes one step a learner and batch.
        epochs: Passes over the batches.
        temperature: T > 0 of the others' terms; the paper has 1.
        lambda_: Weight of all others together, in [0, 1], shared evenly between them; or a
            table of w, a row for each learner, a column for each learner and then each teacher,
            with 0 for the learner itself.
        order: "in turn" or "at once".
        teachers: Trained networks whom all learners hear, too; left as they are.
        test, seed, progress, checkpoint: As in `train`; errors are counted for each learner.
        scheduler: Changes the optimizer's learning rates; it makes one step a batch.

    Returns:
        One history for each learner.

    Raises:
        ValueError: There are too few learners, two are one object, share weights or start alike,
            the optimizer holds none of one's parameters, or another argument is of another type
            or out of range. Raised before any step.

    References:
        Zhang et al. 2018, arXiv:1706.00384, algorithm 1. Its loss is twice ours at lambda = 1/2:
        a learning rate there is twice as much here.
    """
    check_temperature(temperature=temperature)
    check_choice(ORDERS, order=order)
    _check_learners(learners, teachers, optimizer)
    weights = _table(lambda_, len(learners), len(teachers))
    run = RunOfMany(
        nn.ModuleList(learners),
        learners,
        batches,
        optimizer,
        epochs=epochs,
        test=test,
        seed=seed,
        progress=progress,
        scheduler=scheduler,
        checkpoint=checkpoint,
    )
    # All steps of a batch, or the one step of all.
    groups = [[k] for k in range(len(learners))] if order == "in turn" else [range(len(learners))]
    with run, ExitStack() as stack:
        heard = [stack.enter_context(Listened(teacher, batches, ())) for teacher in teachers]
        for _ in run.epochs():
            for images, targets, indices in batches:
                logits = [learner(images) for learner in learners]
                logits += [teacher.hear(images, indices)[LOGITS] for teacher in heard]
                losses = {}
                for group in groups:
                    for k in group:
                        others = [score for j, score in enumerate(logits) if j != k]
                        losses[k] = mutual_loss(
                            logits[k],
                            others,
                            targets,
                            temperature=temperature,
                            weights=[w for j, w in enumerate(weights[k]) if j != k],
                        )
                    # The others' gradients are None, so that their weights stay.
                    optimizer.zero_grad(set_to_none=True)
                    torch.stack([losses[k] for k in group]).sum().backward()
                    optimizer.step()
                    if group is not groups[-1]:
                        with torch.no_grad():
                            logits[group[0]] = learners[group[0]](images)
                run.step(torch.stack(list(losses.values())), len(targets))
    return run.histories()


def _table(lambda_: float | Tensor, learners: int, teachers: int) -> list[list[float]]:
    """Return what each learner's row of weights is."""
    heard = learners + teachers
    if not isinstance(lambda_, Tensor):
        check_fraction(lambda_=lambda_)
        share = lambda_ / (heard - 1)
        return [[share * (j != k) for j in range(heard)] for k in range(learners)]
    if list(lambda_.shape) != [learners, heard]:
        wanted = f"[learners, learners and teachers], {[learners, heard]}"
        raise ValueError(f"lambda_ must have shape {wanted}, got {list(lambda_.shape)}")
    for k, row in enumerate(table := lambda_.tolist()):
        check_weights(heard, **{f"lambda_[{k}]": row})
        if row[k]:
            raise ValueError(f"lambda_[{k}][{k}] must be 0: no one teaches itself, got {row[k]:g}")
    return table


def _check_learners(
    learners: Sequence[nn.Module], teachers: Sequence[nn.Module], optimizer: object
) -> None:
    if isinstance(learners, nn.Module):
        raise ValueError("learners must be a list of networks, got one network")
    check_length(1 if teachers else 2, learners=[type(one).__name__ for one in learners])
    for k, learner in enumerate(learners):
        check_kind(nn.Module, **{f"learners[{k}]": learner})
        check_optimizer(optimizer, learner)
        for j, other in enumerate(learners[:k]):
            check_different(j, other, k, learner)
        for teacher in teachers:
            check_kind(nn.Module, teachers=teacher)
            check_apart(teacher, learner)


def check_different(j: int, other: nn.Module, k: int, learner: nn.Module) -> None:
    """Raise ValueError where learners j and k share weights, or start from the same ones."""
    mine = list(learner.parameters())
    if {id(weight) for weight in mine} & {id(weight) for weight in other.parameters()}:
        raise ValueError(f"learners must not share weights, got shared ones in {j} and {k}")
    theirs = [weight.shape for weight in other.parameters()]
    alike = theirs == [weight.shape for weight in mine]
    if alike and all(torch.equal(*pair) for pair in zip(mine, other.parameters(), strict=True)):
        raise ValueError(f"learners must start from different weights, got the same in {j} and {k}")
