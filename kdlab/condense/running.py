"""What is around every condensing loop: rounds, draws, progress, a checkpoint, the recipe."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

import kdlab
from kdlab._checks import check_count, check_positive
from kdlab.condense.synthetic import Synthetic
from kdlab.schemes.arguments import check_kind, check_optional
from kdlab.schemes.checkpoint import Checkpoint, under
from kdlab.schemes.history import Progress


@dataclass(frozen=True)
class Condensed:
    """What a condensing loop notes; the images themselves are changed in place.

    Attributes:
        losses: Mean loss of each finished round.
        interrupted: True if it was stopped before its last round, by hand or by the time.
    """

    losses: tuple[float, ...]
    interrupted: bool = False


class Condensing:
    """Everything around a condensing loop that is the same in all of them.

    Each round has a generator of its own, made from the seed and the round's number: a run
    that goes on draws what one that was never stopped would draw. Inside ``with run:`` the
    learned tensors take gradients; an interrupt ends the loop quietly. At the end the recipe
    has one more entry.

    Args:
        synthetic: What is condensed.
        optimizer: Holds what is learned: some of `learnable`, and nothing else.
        learnable: By name, what this method can learn.
        method: Its name in the recipe.
        settings: What else the recipe tells; JSON.
        rounds: How many.
        seed: Fixes all that is drawn.
        progress: Called after every round with rounds done, rounds in all, and a note.
        seconds: A budget of wall time: no round starts later. None is none, and no clock is
            read.
        scheduler: Changes the optimizer's learning rate; it makes one step with it.
        checkpoint: Written between rounds; where its file exists, the run goes on from there.
    """

    def __init__(
        self,
        synthetic: Synthetic,
        optimizer: torch.optim.Optimizer,
        *,
        learnable: dict[str, Tensor],
        method: str,
        settings: dict,
        rounds: int,
        seed: int,
        progress: Progress | None,
        seconds: float | None,
        scheduler: torch.optim.lr_scheduler.LRScheduler | None,
        checkpoint: Checkpoint | None,
    ) -> None:
        check_count(rounds=rounds)
        check_count(0, seed=seed)
        check_positive(seconds=1 if seconds is None else seconds)
        self.learned = _learned(optimizer, learnable)
        check_optional(None, scheduler, checkpoint, optimizer)
        self.synthetic, self.optimizer, self.checkpoint = synthetic, optimizer, checkpoint
        self.scheduler, self._rounds = scheduler, rounds
        self.progress, self.seconds = progress, seconds
        rate = float(optimizer.param_groups[0]["lr"])
        with_what = {"optimizer": type(optimizer).__name__, "rate": rate, "seed": seed}
        self.told = {"method": method, "learned": list(self.learned), **settings, **with_what}
        self.losses: list[float] = []
        self.interrupted, self._noted = False, []

    def __enter__(self) -> "Condensing":
        if self.checkpoint:
            self.checkpoint.load(self)
        for tensor in self.learned.values():
            tensor.requires_grad_()
        return self

    def __exit__(self, kind, error, trace) -> bool:
        for tensor in self.learned.values():
            tensor.requires_grad_(False).grad = None
        self.interrupted = len(self.losses) < self._rounds
        stopped = kind is KeyboardInterrupt
        if kind is None or stopped:
            entry = self.told | {"rounds": len(self.losses), "kdlab": kdlab.__version__}
            self.synthetic.recipe = (*self.synthetic.recipe, entry)
        return stopped

    def rounds(self) -> Iterator[torch.Generator]:
        """Give each round its generator, on the CPU."""
        start = None if self.seconds is None else time.perf_counter()
        for number in range(len(self.losses), self._rounds):
            if start is not None and time.perf_counter() - start > self.seconds:
                return
            self._noted = []
            yield round_generator(self.told["seed"], number)
            self.losses.append(float(torch.stack(self._noted).mean()))
            if self.checkpoint:
                self.checkpoint.save(self)
            if self.progress:
                self.progress(number + 1, self._rounds, f"loss {self.losses[-1]:.4g}")

    def step(self, loss: Tensor) -> None:
        """Make one step of what is learned down the loss."""
        self._noted.append(loss.detach())
        self.optimizer.zero_grad()
        # Only what is learned: the networks' own gradients would be computed for nothing.
        loss.backward(inputs=list(self.learned.values()))
        self.optimizer.step()
        if self.scheduler is not None:
            self.scheduler.step()

    def tensors(self) -> dict[str, Tensor]:
        """Return what a checkpoint keeps of what is learned."""
        return {f"learned.{name}": tensor for name, tensor in self.learned.items()}

    def state(self) -> dict:
        """Return what a checkpoint keeps of the book-keeping."""
        return {"losses": self.losses, "told": self.told}

    def restore(self, state: dict, tensors: dict[str, Tensor]) -> None:
        """Go on from what `state` and `tensors` returned.

        Raises:
            ValueError: It is of a run with other settings, or a longer one.
        """
        if state["told"] != self.told or len(state["losses"]) > self._rounds:
            came = f"{len(state['losses'])} rounds with {state['told']}"
            raise ValueError(f"it has {came}, the run {self._rounds} with {self.told}")
        _put_back(under("learned.", tensors), self.learned)
        self.losses = list(state["losses"])

    def result(self) -> Condensed:
        """Return what was noted."""
        return Condensed(tuple(self.losses), self.interrupted)


def round_generator(seed: int, number: int) -> torch.Generator:
    """Return the generator of one round of a run."""
    mixed = np.random.SeedSequence([seed, number]).generate_state(1, np.uint64)
    return torch.Generator().manual_seed(int(mixed[0]) >> 1)


def draw_seed(generator: torch.Generator) -> int:
    """Draw the seed of a fresh network."""
    return int(torch.randint(2**31, (), generator=generator))


def _learned(optimizer: torch.optim.Optimizer, learnable: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return which tensors the optimizer holds, by name."""
    check_kind(torch.optim.Optimizer, optimizer=optimizer)
    held = {id(p) for group in optimizer.param_groups for p in group["params"]}
    learned = {name: tensor for name, tensor in learnable.items() if id(tensor) in held}
    if not learned or len(learned) < len(held):
        wanted, came = " or ".join(learnable), f"{len(learned)} of them among {len(held)}"
        raise ValueError(f"optimizer must hold {wanted} and nothing else, got {came}")
    return learned


@torch.no_grad()
def _put_back(kept: dict[str, Tensor], learned: dict[str, Tensor]) -> None:
    shapes = {name: list(tensor.shape) for name, tensor in kept.items()}
    wanted = {name: list(tensor.shape) for name, tensor in learned.items()}
    if shapes != wanted:
        raise ValueError(f"it has {shapes}, the run {wanted}")
    for name, tensor in learned.items():
        tensor.copy_(kept[name])
