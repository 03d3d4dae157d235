"""What a synthetic set is worth: the accuracy of fresh networks that learn from it alone."""

from collections.abc import Callable
from dataclasses import dataclass
from statistics import mean, stdev

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from kdlab import metrics
from kdlab._checks import check_count, check_not_negative, check_positive, check_same_length
from kdlab.condense.augment import Augmentation, augment, draw_changes
from kdlab.condense.distances import images_at_once
from kdlab.condense.running import draw_seed, round_generator
from kdlab.condense.synthetic import Synthetic
from kdlab.schemes import predict
from kdlab.schemes.history import Progress, seeded


@dataclass(frozen=True)
class Evaluation:
    """Test accuracies, each in [0, 1], of networks that differ in their seed alone."""

    accuracies: tuple[float, ...]

    @property
    def mean(self) -> float:
        """Their mean."""
        return mean(self.accuracies)

    @property
    def spread(self) -> float:
        """Their sample standard deviation; 0 of a single one."""
        return stdev(self.accuracies) if len(self.accuracies) > 1 else 0.0


def evaluate_set(
    synthetic: Synthetic,
    test_images: UInt8[Tensor, "test channels height width"]
    | Float[Tensor, "test channels height width"],
    test_targets: Int64[Tensor, "test"],
    *,
    build: Callable[[int], nn.Module],
    networks: int = 5,
    steps: int = 1000,
    rate: float = 0.01,
    momentum: float = 0.9,
    weight_decay: float = 5e-4,
    batch_size: int = 256,
    augmentation: Augmentation | None = None,
    seed: int = 0,
    progress: Progress | None = None,
) -> Evaluation:
    """Train fresh networks on a synthetic set, hard or soft labels, and test them on real images.

    Whatever the set, the same seed gives the same first weights and the same changes, so that
    methods are compared on equal terms. Half-way the rate falls to a tenth.

    Args:
        synthetic: The set; left as it is. A coreset is one, too: see `take_real`.
        test_images, test_targets: Real ones.
        build: From a seed to a fresh network; any architecture.
        networks: How many, one after the other.
        steps: Optimizer steps of each. The paper counts 1,000 epochs, which are as many steps
            for at most 256 images.
        rate, momentum, weight_decay: Of SGD.
        batch_size: Largest batch.
        augmentation: Each image is changed by its own draw; None is nothing.
        seed: Fixes everything.
        progress: Called after every network with networks done, in all, and a note.

    Returns:
        One accuracy a network.

    Raises:
        ValueError: An argument is of another type or out of range.

    References:
        Zhao and Bilen 2023, arXiv:2110.04181, section 4.1.
    """
    check_count(networks=networks, steps=steps, batch_size=batch_size)
    check_count(0, seed=seed)
    check_positive(rate=rate)
    check_not_negative(momentum=momentum, weight_decay=weight_decay)
    check_same_length(test_images=test_images, test_targets=test_targets)
    accuracies = []
    for number in range(networks):
        generator = round_generator(seed, number)
        network = build(draw_seed(generator)).to(synthetic.images)
        optimizer = torch.optim.SGD(
            network.parameters(), lr=rate, momentum=momentum, weight_decay=weight_decay
        )
        given = {"batch_size": batch_size, "augmentation": augmentation, "generator": generator}
        # For dropout, where a network has it.
        with seeded(draw_seed(generator), synthetic.images.device):
            learn_from(network, synthetic, optimizer, steps=-(-steps // 2), **given)
            optimizer.param_groups[0]["lr"] = rate / 10
            learn_from(network, synthetic, optimizer, steps=steps // 2, **given)
        accuracies.append(accuracy_on(network, test_images, test_targets))
        if progress:
            progress(number + 1, networks, f"accuracy {accuracies[-1]:.1%}")
    return Evaluation(tuple(accuracies))


def learn_from(
    network: nn.Module,
    synthetic: Synthetic,
    optimizer: torch.optim.Optimizer,
    *,
    steps: int,
    generator: torch.Generator,
    batch_size: int = 256,
    augmentation: Augmentation | None = None,
) -> None:
    """Train a network on a synthetic set by cross-entropy with its labels, hard or soft.

    Args:
        network: Changed in place, left in train mode.
        synthetic: Left as it is.
        optimizer: Holds the network's parameters.
        steps: How many; 0 is none.
        generator: Source of batches and changes, on the CPU.
        batch_size: Where the set is larger, it is shuffled and split, again and again.
        augmentation: Each image is changed by its own draw; None is nothing.
    """
    check_count(0, steps=steps)
    network.train()
    images, labels = synthetic.images.detach(), synthetic.labels.detach()
    order: list[Tensor] = []
    for _ in range(steps):
        if not order:
            order = list(torch.randperm(len(images), generator=generator).split(batch_size))
        chosen = order.pop().to(images.device)
        omega = draw_changes(len(chosen), augmentation, generator)
        rows = torch.arange(len(chosen), device=images.device)
        loss = F.cross_entropy(network(augment(images[chosen], rows, omega)), labels[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()


def accuracy_on(network: nn.Module, images: Tensor, targets: Int64[Tensor, "test"]) -> float:
    """Return the share of real images that a network gets right, in eval mode."""
    return metrics.accuracy(predict(network, images, batch_size=images_at_once(images)), targets)
