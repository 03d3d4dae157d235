"""Several learners who teach each other, and maybe hear a frozen teacher: mutual learning."""

from collections.abc import Callable, Sequence
from itertools import combinations
from typing import NamedTuple

import torch
from torch import Tensor, nn

from kdlab import metrics
from kdlab._checks import check_choice, check_positive, check_temperature
from kdlab.data import Dataset
from kdlab.losses import mutual_loss
from kdlab.schemes import predict
from kdlab.schemes.mutual import ORDERS, check_different
from kdlab.widgets._trainee import Trainee, check_module, descend, momentum_sgd
from kdlab.widgets._weights import Table

LETTERS = "ABCD"


class LearnerSettings(NamedTuple):
    """What can be moved while the learners train.

    Attributes:
        temperature: T > 0 of the others' terms.
        learning_rate: Step size of all, > 0.
        order: "in turn" or "at once".
        weights: How strongly each hears each other, and last the teacher.
    """

    temperature: float
    learning_rate: float
    order: str
    weights: Table

    def checked(self) -> "LearnerSettings":
        """Return itself, or raise ValueError for a value that is out of range."""
        check_temperature(temperature=self.temperature)
        check_positive(learning_rate=self.learning_rate)
        check_choice(ORDERS, order=self.order)
        return self


class Learners(Trainee):
    """Learners A, B, ... on the same batches; a batch is what `learn_mutually` makes of it.

    Attributes:
        letters: One a learner.
        heard: The letters, and "teacher" where there is one: the columns of the weights.
    """

    def __init__(
        self,
        dataset: Dataset,
        makers: Sequence[Callable[[int], nn.Module]],
        *,
        teacher: nn.Module | None = None,
        batch_size: int = 128,
        seed: int = 0,
    ) -> None:
        """Build all; the first is made with the seed, the next with the next one, and so on.

        Raises:
            ValueError: The teacher, or what one of `makers` makes, is no module that gives one
                score a class for the test images; or two learners start with the same weights.
        """
        super().__init__(dataset, teacher, batch_size=batch_size, seed=seed)
        self.makers, self.letters = tuple(makers), tuple(LETTERS[: len(makers)])
        self.heard = (*self.letters, "teacher") if teacher is not None else self.letters
        self.names = (*self.letters, *(f"entropy_{one}" for one in self.letters), "agreement")
        self.reset()

    def reset(self) -> None:
        """Go back to the first step: initial weights, first batch, no momentum."""
        made = [make(self.seed + k) for k, make in enumerate(self.makers)]
        for k, learner in enumerate(made):
            check_module(**{f"learners[{k}]": learner})
            self.ask_once(**{f"learners[{k}]": learner.to(self.dataset.device)})
        for (j, one), (k, other) in combinations(enumerate(made), 2):
            check_different(j, one, k, other)
        self.learners = made
        self.optimizers = [momentum_sgd(learner) for learner in made]
        super().reset()

    def step(self, settings: LearnerSettings) -> None:
        """Train all learners on the next batch, in turn or at once."""
        images, targets, indices = self.next_batch()
        logits = [learner.train()(images) for learner in self.learners]
        if self.teacher_logits is not None:
            logits.append(self.teacher_logits[indices])
        everyone = range(len(self.learners))
        for group in [[k] for k in everyone] if settings.order == "in turn" else [everyone]:
            losses = [self._loss(k, logits, targets, settings) for k in group]
            for k, loss in zip(group, losses, strict=True):
                descend(self.optimizers[k], loss, settings.learning_rate)
            # Who comes later hears what this one says now.
            if group[-1] != everyone[-1]:
                with torch.no_grad():
                    logits[group[0]] = self.learners[group[0]](images)
        self.steps += 1

    def _loss(
        self, k: int, logits: list[Tensor], targets: Tensor, settings: LearnerSettings
    ) -> Tensor:
        return mutual_loss(
            logits[k],
            [score for j, score in enumerate(logits) if j != k],
            targets,
            temperature=settings.temperature,
            weights=[weight for j, weight in enumerate(settings.weights[k]) if j != k],
        )

    def measure(self) -> tuple[float, ...]:
        """Return each one's test errors, each one's mean entropy, and the agreement of pairs."""
        images, targets = self.test_set
        logits = [predict(learner, images) for learner in self.learners]
        errors = [metrics.errors(scores, targets) for scores in logits]
        # Four digits are more than a curve shows, and half as long to send.
        entropies = [round(metrics.entropy(scores).mean().item(), 4) for scores in logits]
        pairs = [metrics.agreement(*pair) for pair in combinations(logits, 2)]
        return (*errors, *entropies, round(sum(pairs) / len(pairs), 4))
