"""Units that are several networks: learners who teach each other, and means of networks.

Each is a frozen dataclass with the methods of `imitations`, and `build`, which makes all networks
as one module. The first learner answers for a team; `Each` reads the others' numbers.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import torch
from torch import Tensor, nn

from kdlab import metrics, models, schemes
from kdlab._checks import check_choice, check_count
from kdlab.data import Batches, Dataset
from kdlab.experiments.training import steps
from kdlab.experiments.units import Recipe
from kdlab.schemes import History
from kdlab.schemes.mutual import ORDERS

# Members of a team start from different weights, and so do its units of other seeds.
_LEARNER = 10_000_000


class Team(nn.Module):
    """Several networks, of which the first answers."""

    def __init__(self, learners: Sequence[nn.Module]) -> None:
        super().__init__()
        self.learners = nn.ModuleList(learners)

    def forward(self, images: Tensor) -> Tensor:
        return self.learners[0](images)


@dataclass(frozen=True)
class Mutual:
    """`learn_mutually`, by the unit's recipe: its epochs, T and lambda are everybody's.

    Attributes:
        partners: Widths of the other learners, otherwise of the unit's own recipe.
        order: As in `learn_mutually`.
    """

    partners: tuple[tuple[int, ...], ...]
    order: str = "in turn"

    teachers: ClassVar[int] = 0

    def __post_init__(self) -> None:
        """Raise ValueError for what can't learn."""
        check_choice(ORDERS, order=self.order)
        if not self.partners:
            raise ValueError("partners must name at least one, got none")

    def check(self, team: nn.Module) -> None:
        """Raise nothing: what can be built can learn."""

    def epochs(self, recipe: Recipe) -> float:
        """Return how many epochs of plain training take as long, partners of one kind."""
        count = 1 + len(self.partners)
        # "In turn", all but the last are asked once more.
        return recipe.epochs * (count + (count - 1) / 3 * (self.order == "in turn"))

    def build(self, recipe: Recipe, seed: int) -> Team:
        """Return fresh learners, the recipe's own first."""
        every = [recipe, *(replace(recipe, widths=widths) for widths in self.partners)]
        return Team([one.build(seed + _LEARNER * number) for number, one in enumerate(every)])

    def __call__(self, recipe: Recipe, team: Team, batches: Batches, **rest) -> History:
        """Train all; return the first one's history."""
        rest |= steps(recipe, batches, team) | {"epochs": recipe.epochs, "order": self.order}
        rest |= {"temperature": recipe.temperature, "lambda_": recipe.lambda_}
        return schemes.learn_mutually(list(team.learners), batches, **rest)[0]


@dataclass(frozen=True)
class Mean:
    """Networks that were trained elsewhere, and the mean of their probabilities.

    Attributes:
        count: How many there are; their units are the teachers, all of the unit's recipe.
    """

    count: int

    def __post_init__(self) -> None:
        """Raise ValueError for a count that is none."""
        check_count(count=self.count)

    @property
    def teachers(self) -> int:
        """How many networks it needs."""
        return self.count

    def check(self, mean: models.Ensemble, *networks: nn.Module) -> None:
        """Raise ValueError where the networks are not of the recipe's kind."""
        try:
            self._fill(mean, networks)
        except RuntimeError as error:
            raise ValueError(f"networks must be of its recipe: {error}") from None

    def epochs(self, recipe: Recipe) -> float:
        """Return that nothing is trained."""
        return 0

    def build(self, recipe: Recipe, seed: int) -> models.Ensemble:
        """Return as many networks as there will be, with any weights."""
        return models.Ensemble([recipe.build(seed) for _ in range(self.count)])

    def __call__(
        self, recipe: Recipe, mean: models.Ensemble, batches: Batches, *networks: nn.Module, **rest
    ) -> History:
        """Take over the networks' weights."""
        self._fill(mean, networks)
        return History(())

    def _fill(self, mean: models.Ensemble, networks: Sequence[nn.Module]) -> None:
        for mine, network in zip(mean.models, networks, strict=True):
            mine.load_state_dict(network.state_dict())


@dataclass(frozen=True)
class Each:
    """Numbers of a team of two: the second one's errors, and what they have in common.

    "errors_second"; "errors_mean" of the mean of both predictions; "agreement", the share of test
    images that both put into one class; "entropy", the mean entropy of the first one's
    predictions in nats, and "entropy_wrong", of what it leaves to the wrong classes.
    """

    numbers: ClassVar[tuple[str, ...]] = (
        "errors_second",
        "errors_mean",
        "agreement",
        "entropy",
        "entropy_wrong",
    )

    def __call__(self, team: Team, dataset: Dataset) -> dict[str, float]:
        """Return the numbers by name."""
        targets = dataset.test_targets
        first, second = (schemes.predict(one, dataset.test_images) for one in team.learners)
        both = torch.stack([first, second]).softmax(dim=-1).mean(dim=0).log()
        return {
            "errors_second": metrics.errors(second, targets),
            "errors_mean": metrics.errors(both, targets),
            "agreement": metrics.agreement(first, second),
            **Spread()(team, dataset),
        }


@dataclass(frozen=True)
class Spread:
    """How much a network leaves open: "entropy" and "entropy_wrong", as in `Each`."""

    numbers: ClassVar[tuple[str, ...]] = ("entropy", "entropy_wrong")

    def __call__(self, model: nn.Module, dataset: Dataset) -> dict[str, float]:
        """Return the numbers by name."""
        logits = schemes.predict(model, dataset.test_images).double()
        classes = torch.arange(logits.shape[1], device=logits.device)
        wrong = logits[classes != dataset.test_targets[:, None]].view(len(logits), -1)
        return {
            "entropy": metrics.entropy(logits).mean().item(),
            "entropy_wrong": metrics.entropy(wrong).mean().item(),
        }
