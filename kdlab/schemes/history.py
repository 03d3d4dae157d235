"""What a scheme returns, and the book-keeping that every scheme shares."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kdlab._checks import check_count
from kdlab.data import Batches
from kdlab.schemes.arguments import check_kept, check_kind, check_optimizer, check_optional
from kdlab.schemes.checkpoint import Checkpoint, network_tensors, set_network_tensors
from kdlab.schemes.evaluation import evaluate

#: Called after every step with the steps done, the steps in all, and a short note.
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class History:
    """One number an epoch.

    Attributes:
        losses: Mean training loss of each finished epoch.
        test_errors: Test errors after each finished epoch; empty without a test set.
        test_examples: How many test images there were; 0 without a test set.
        seconds: Wall time of the whole run, evaluation included.
        interrupted: True if it was stopped before its last epoch; the model keeps what it
            has learnt until then.
    """

    losses: tuple[float, ...]
    test_errors: tuple[int, ...] = ()
    test_examples: int = 0
    seconds: float = 0.0
    interrupted: bool = False

    @property
    def test_accuracy(self) -> float:
        """Share of test images that the model gets right after the last finished epoch.

        Raises:
            ValueError: Nothing was evaluated.
        """
        if not self.test_errors:
            raise ValueError("test_accuracy needs a test set and one finished epoch")
        return (self.test_examples - self.test_errors[-1]) / self.test_examples


class Run:
    """Everything around a scheme's loop that is the same in all of them.

    Inside ``with run:`` torch's global generator is seeded (for dropout) and an interrupt
    ends the loop quietly; outside, the generator is as it was and the model is in eval mode.
    With a checkpoint it begins where the last one ended. What is trained beside the model, for
    example a regressor, has its mode and goes into the checkpoint.
    """

    def __init__(
        self,
        model: nn.Module,
        batches: Batches,
        optimizer: torch.optim.Optimizer,
        *,
        epochs: int,
        test: tuple[Tensor, Tensor] | None,
        seed: int,
        progress: Progress | None,
        scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
        checkpoint: Checkpoint | None = None,
        beside: nn.Module | None = None,
    ) -> None:
        check_count(epochs=epochs)
        check_count(0, seed=seed)
        check_kind(nn.Module, model=model)
        check_kind(Batches, batches=batches)
        check_optimizer(optimizer, model)
        check_optional(test, scheduler, checkpoint, optimizer)
        if checkpoint is not None:
            check_kept(optimizer, *_given(model, beside))
        self.model, self.test, self.seed, self.progress = model, test, seed, progress
        self.optimizer, self.scheduler, self.checkpoint = optimizer, scheduler, checkpoint
        self.batches, self.beside, self._epochs = batches, beside, epochs
        self.losses: list[float] = []
        self.test_errors: list[int] = []
        self.steps_done, self.interrupted, self._earlier = 0, False, 0.0

    def __enter__(self) -> "Run":
        self._start = time.perf_counter()
        self._generator = seeded(self.seed, self.batches.targets.device)
        self._generator.__enter__()
        try:
            if self.checkpoint:
                self.checkpoint.load(self)
        except BaseException:
            self._generator.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, kind, error, trace) -> bool:
        self._generator.__exit__(kind, error, trace)
        self._set_mode(training=False)
        self.seconds = self._spent()
        self.interrupted = kind is KeyboardInterrupt
        return self.interrupted

    def epochs(self) -> Iterator[int]:
        """Count the epochs; before each the model is put in train mode, after it evaluated."""
        for epoch in range(len(self.losses), self._epochs):
            # Every epoch, not once: whoever evaluated in between may have changed the mode.
            self._set_mode(training=True)
            self._summed, self._seen = 0.0, 0
            yield epoch
            # Evaluated first: an interrupt must leave both lists equally long.
            if self.test:
                self.test_errors.append(self._evaluate(*self.test))
            self.losses.append(self._mean_loss())
            if self.checkpoint:
                self.checkpoint.save(self)
            self._tell()

    def step(self, loss: Tensor, examples: int) -> None:
        """Note one step; the loss stays a tensor, since reading it would wait for a GPU."""
        if self.scheduler is not None:
            self.scheduler.step()
        self._summed = self._summed + loss.detach() * examples
        self._seen += examples
        self.steps_done += 1
        # An epoch's last step is told after its evaluation, so that the last note is fresh.
        if self.steps_done % len(self.batches):
            self._tell()

    def _evaluate(self, images: Tensor, targets: Tensor) -> int:
        return evaluate(self.model, images, targets)

    def _mean_loss(self) -> float:
        return float(self._summed) / max(self._seen, 1)

    def _set_mode(self, *, training: bool) -> None:
        for module in _given(self.model, self.beside):
            module.train(training)

    def _tell(self) -> None:
        if self.progress:
            note = self._note() if self.test_errors else ""
            self.progress(self.steps_done, self._epochs * len(self.batches), note)

    def _note(self) -> str:
        return f"{self.test_errors[-1]} test errors"

    def state(self) -> dict:
        """Return what a checkpoint keeps of the book-keeping."""
        return {
            "losses": self.losses,
            "test_errors": self.test_errors,
            "batches": len(self.batches),
            "seconds": self._spent(),
        }

    def tensors(self) -> dict[str, Tensor]:
        """Return the weights and random states that a checkpoint keeps."""
        return network_tensors(self._modules(), self.batches)

    def restore(self, state: dict, tensors: dict[str, Tensor]) -> None:
        """Go on from what `state` and `tensors` returned.

        Raises:
            ValueError: It is of a run with another number of batches, or a longer one.
        """
        if state["batches"] != len(self.batches) or len(state["losses"]) > self._epochs:
            came = f"{len(state['losses'])} epochs of {state['batches']} batches"
            raise ValueError(f"it has {came}, the run {self._epochs} of {len(self.batches)}")
        self.losses, self.test_errors = list(state["losses"]), list(state["test_errors"])
        self.steps_done = len(self.losses) * len(self.batches)
        self._earlier = state["seconds"]
        set_network_tensors(self._modules(), self.batches, tensors)

    def _modules(self) -> dict[str, nn.Module | None]:
        return {"model": self.model, "beside": self.beside}

    def _spent(self) -> float:
        return self._earlier + time.perf_counter() - self._start

    def history(self) -> History:
        """Return what was noted."""
        examples = len(self.test[1]) if self.test else 0
        return History(
            tuple(self.losses), tuple(self.test_errors), examples, self.seconds, self.interrupted
        )


@contextmanager
def seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed the global generators that dropout draws from; afterwards they are as they were."""
    on_cpu = device.type == "cpu"
    count = 0 if on_cpu else torch.get_device_module(device).device_count()
    with torch.random.fork_rng(range(count), device_type=device.type):
        # torch.manual_seed also seeds every accelerator, which is put back only if forked.
        (torch.default_generator if on_cpu else torch).manual_seed(seed)
        yield


def _given(*modules: nn.Module | None) -> list[nn.Module]:
    return [module for module in modules if module is not None]
