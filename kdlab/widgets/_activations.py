"""Two networks of sigmoids, one of them normalized, that learn from the same batches.

Pure training, with no thread and no widget: `_live` runs it, `watch_activations` shows it.
"""

import copy
from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from kdlab._checks import check_count, check_positive
from kdlab.batchnorm import BatchNorm
from kdlab.data import Dataset, to_float
from kdlab.models import FeatureNet
from kdlab.models.parts import seeded
from kdlab.schemes import evaluate
from kdlab.widgets._trainee import Trainee, descend

#: The paper's hidden layers.
HIDDEN = (100, 100, 100)
#: Images whose activations are shown.
WATCHED = 256
BINS = 40
#: What a sigmoid is handed, and what it makes of it; beyond the ends counts in the last bin.
RANGES = {"inputs": (-8.0, 8.0), "outputs": (0.0, 1.0)}
#: Nearer than this to 0 or 1 a sigmoid's slope is below a fifth of its largest, 1/4.
SATURATED = 0.05


class ActivationSettings(NamedTuple):
    """What can be moved while both networks train.

    Attributes:
        learning_rate: Step size of both, > 0.
    """

    learning_rate: float

    def checked(self) -> "ActivationSettings":
        """Return itself, or raise ValueError for a value that is out of range."""
        check_positive(learning_rate=self.learning_rate)
        return self


class Activations(Trainee):
    """A network of sigmoids and its twin with batch normalization before each of them.

    Attributes:
        init_scale: Standard deviation of the first weights; a new one counts from `reset` on.
        plain, normalized: The networks.
    """

    names = ("plain", "normalized")

    def __init__(
        self, dataset: Dataset, *, init_scale: float = 0.1, batch_size: int = 60, seed: int = 0
    ) -> None:
        """Build both networks, with the same first weights.

        Raises:
            ValueError: An argument is out of range.
        """
        check_positive(init_scale=init_scale)
        check_count(2, batch_size=batch_size)
        examples = min(len(dataset.train_targets), len(dataset.test_targets))
        if examples < 2:
            raise ValueError(f"dataset must have 2 images for a batch, got {examples}")
        super().__init__(dataset, None, batch_size=batch_size, seed=seed)
        self.init_scale = init_scale
        # In training a network sees whole batches, and so does who looks into it.
        self.watched = to_float(self.test.test_images[:WATCHED])
        self.reset()

    def reset(self) -> None:
        """Go back to the first step: initial weights, first batch."""
        pixels = self.dataset.train_images[0].numel()
        widths = (pixels, *HIDDEN, len(self.dataset.class_names))
        made = [
            sigmoid_net(widths, normalized=on, init_scale=self.init_scale, seed=self.seed)
            for on in (False, True)
        ]
        self.plain, self.normalized = (network.to(self.dataset.device) for network in made)
        self.optimizers = [torch.optim.SGD(one.parameters(), lr=1.0) for one in self.networks]
        super().reset()
        self.show()

    @property
    def networks(self) -> tuple[FeatureNet, FeatureNet]:
        """The plain one and the normalized one."""
        return self.plain, self.normalized

    def step(self, settings: ActivationSettings) -> None:
        """Train both networks on the next batch."""
        images, targets = self._batch_of_several()
        for network, optimizer in zip(self.networks, self.optimizers, strict=True):
            loss = F.cross_entropy(network.train()(images), targets)
            descend(optimizer, loss, settings.learning_rate)
        self.steps += 1

    def _batch_of_several(self) -> tuple[Tensor, Tensor]:
        # What is left for the last batch of a pass may be one image, which nothing normalizes.
        while True:
            images, targets, _ = self.next_batch()
            if len(targets) > 1:
                return images, targets

    def measure(self) -> tuple[float, float]:
        """Return both test accuracies, by running statistics."""
        self.show()
        wrong = [evaluate(network, *self.test_set) for network in self.networks]
        return tuple(round(1 - errors / self.examples, 4) for errors in wrong)

    def show(self) -> None:
        """Look at what the sigmoids of each layer are handed, and what they make of it."""
        pairs = zip(self.names, self.networks, strict=True)
        self.frame = {name: look_into(network, self.watched) for name, network in pairs}


def sigmoid_net(
    widths: tuple[int, ...], *, normalized: bool, init_scale: float, seed: int
) -> FeatureNet:
    """Build the paper's network: linear layers and sigmoids, with or without normalization.

    Args:
        widths: Values per image, units of each hidden layer, classes.
        normalized: Whether what each sigmoid is handed is normalized over the batch.
        init_scale: Standard deviation of the weights; biases are 0.
        seed: Fixes the weights; they are the same with and without normalization.

    Returns:
        A network whose maps are "images" (flat), "inputs1" (what the first sigmoids are
        handed), "outputs1", "inputs2", ..., "logits".
    """
    blocks: dict[str, nn.Module] = {"images": nn.Flatten()}
    with seeded(seed):
        for number, (fan_in, fan_out) in enumerate(zip(widths, widths[1:-1], strict=False), 1):
            linear = _gaussian(fan_in, fan_out, init_scale)
            norm = [BatchNorm(fan_out)] if normalized else []
            blocks[f"inputs{number}"] = nn.Sequential(linear, *norm)
            blocks[f"outputs{number}"] = nn.Sigmoid()
        blocks["logits"] = _gaussian(*widths[-2:], init_scale)
    return FeatureNet(**blocks)


@torch.no_grad()
def look_into(network: FeatureNet, images: Tensor) -> dict:
    """Return histograms of what each layer's sigmoids are handed and make of a batch.

    The batch goes through as in training, and leaves no trace in running statistics.

    Args:
        network: From `sigmoid_net`.
        images: Float, [batch, ...].

    Returns:
        "inputs" and "outputs": for each layer the share of values in each bin of `RANGES`.
        "saturated": for each layer the share of outputs nearer than `SATURATED` to 0 or 1.
        "spread": for each layer the standard deviation of an output over the images, the mean
        over units.
    """
    maps = copy.deepcopy(network).train().features(images)
    layers = range(1, len(maps) // 2)
    told = {
        kind: [_shares(maps[f"{kind}{layer}"], ends) for layer in layers]
        for kind, ends in RANGES.items()
    }
    outputs = [maps[f"outputs{layer}"] for layer in layers]
    ends = [((out - 0.5).abs() > 0.5 - SATURATED).float().mean().item() for out in outputs]
    spreads = [out.std(dim=0).mean().item() for out in outputs]
    rounded = {"saturated": ends, "spread": spreads}
    return told | {name: [round(x, 4) for x in values] for name, values in rounded.items()}


def _gaussian(fan_in: int, fan_out: int, scale: float) -> nn.Linear:
    linear = nn.Linear(fan_in, fan_out)
    nn.init.normal_(linear.weight, std=scale)
    nn.init.zeros_(linear.bias)
    return linear


def _shares(values: Tensor, ends: tuple[float, float]) -> list[float]:
    # A network that has come apart has no numbers to show.
    values = values.float().cpu().nan_to_num().clamp(*ends)
    counts = torch.histc(values, BINS, *ends)
    return [round(share, 4) for share in (counts / values.numel()).tolist()]
