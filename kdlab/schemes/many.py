"""The book-keeping of a scheme that trains several models, or several exits, at once."""

from collections.abc import Sequence

from torch import Tensor, nn

from kdlab.schemes.evaluation import evaluate
from kdlab.schemes.history import History, Run


class RunOfMany(Run):
    """A `Run` with one loss and one number of test errors for each of several models.

    Args:
        model: Holds all that is trained; its mode is set and a checkpoint keeps it.
        judged: What is evaluated after each epoch, and how many losses a step has.
        rest: As for `Run`.
    """

    def __init__(self, model: nn.Module, judged: Sequence[nn.Module], *args, **rest) -> None:
        super().__init__(model, *args, **rest)
        self.judged = judged

    def _evaluate(self, images: Tensor, targets: Tensor) -> list[int]:
        return [evaluate(model, images, targets) for model in self.judged]

    def _mean_loss(self) -> list[float]:
        return (self._summed / max(self._seen, 1)).tolist()

    def _note(self) -> str:
        return ", ".join(str(errors) for errors in self.test_errors[-1]) + " test errors"

    def histories(self) -> tuple[History, ...]:
        """Return what was noted of each, in their order; the seconds are those of all."""
        examples = len(self.test[1]) if self.test else 0
        return tuple(
            History(
                tuple(losses[number] for losses in self.losses),
                tuple(errors[number] for errors in self.test_errors),
                examples,
                self.seconds,
                self.interrupted,
            )
            for number in range(len(self.judged))
        )
