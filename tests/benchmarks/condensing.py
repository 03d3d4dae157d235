"""A condensing step and an evaluation, ours and as the released code goes about them.

Theirs are written afresh after what https://github.com/VICO-UoE/DatasetCondensation does, in
`main_DM.py` and `utils.py`: a step takes class after class, each with changes of its own; an
evaluation is a DataLoader of tensors for training, one of PIL images for the test, and meters of
loss and accuracy that are read at every step. Image by image is how it changes digits for DC,
batch by batch for DSA and DM.
"""

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, TensorDataset

from kdlab import condense, models
from kdlab.condense import Augmentation, Omega, Synthetic
from kdlab.condense.augment import augment
from tests.benchmarks.loops import PilImages

STEPS, RATE, MOMENTUM, DECAY, BATCH = 1000, 0.01, 0.9, 5e-4, 256


def network(width: int) -> models.FeatureNet:
    """Return our network."""
    return models.embedding_net((width,) * 3)


def usual_network(width: int) -> models.FeatureNet:
    """Return the same weights, with torch's pooling."""
    model = network(width)
    for name in ("block1", "block2", "block3"):
        model.blocks[name][-1] = nn.AvgPool2d(2)
    return model


def networks(width: int) -> tuple[models.FeatureNet, models.FeatureNet]:
    """Return both, their weights frozen."""
    return network(width).requires_grad_(False), usual_network(width).requires_grad_(False)


def our_step(
    net: models.FeatureNet, real: Tensor, targets: Tensor, synthetic: Synthetic, omega: Omega
) -> Tensor:
    """Return the gradient of the images as `match_distributions` has it."""
    own, own_targets = synthetic.images.detach().requires_grad_(), synthetic.targets
    with torch.no_grad():
        wanted = condense.embed(net, augment(real, targets, omega))
    mine = condense.embed(net, augment(own, own_targets, omega))
    loss = condense.class_embedding_distance(wanted, targets, mine, own_targets, classes=10)
    [gradient] = torch.autograd.grad(loss, own)
    return gradient


def released_step(
    net: models.FeatureNet, real: Tensor, targets: Tensor, synthetic: Synthetic, omega: Omega
) -> Tensor:
    """Return the same gradient, class by class."""
    own, loss = synthetic.images.detach().requires_grad_(), torch.tensor(0.0)
    for label in range(10):
        means = []
        for images, classes in ((real, targets), (own, synthetic.targets)):
            images = images[classes == label]
            rows = torch.full((len(images),), label)
            embedded = net.features(augment(images, rows, omega))["embedding"]
            means.append(embedded.mean(dim=0))
        loss = loss + ((means[0].detach() - means[1]) ** 2).sum()
    loss.backward()
    return own.grad


def our_evaluation(synthetic: Synthetic, images: Tensor, targets: Tensor, width: int) -> float:
    """Return the accuracy of a network that learned from a synthetic set."""
    found = condense.evaluate_set(
        synthetic,
        images,
        targets,
        build=lambda _: network(width),
        networks=1,
        steps=STEPS,
        rate=RATE,
        momentum=MOMENTUM,
        weight_decay=DECAY,
        batch_size=BATCH,
        augmentation=Augmentation(),
    )
    return found.mean


def released_evaluation(
    synthetic: Synthetic, images: Tensor, targets: Tensor, width: int, *, one_by_one: bool
) -> float:
    """Return the accuracy by the loops of DataLoaders."""
    net, generator = usual_network(width), torch.Generator().manual_seed(0)
    pairs = TensorDataset(synthetic.images, synthetic.targets)
    loader = DataLoader(pairs, batch_size=BATCH, shuffle=True)
    tests = DataLoader(PilImages(images, targets), batch_size=BATCH)
    epochs = STEPS // len(loader)
    for rate in (RATE, RATE / 10):
        given = {"lr": rate, "momentum": MOMENTUM, "weight_decay": DECAY}
        optimizer = torch.optim.SGD(net.parameters(), **given)
        for _ in range(epochs // 2):
            _epoch(net, loader, optimizer, _changer(generator, one_by_one))
    net.eval()
    return _epoch(net, tests, None, None)


def _epoch(net: nn.Module, loader: DataLoader, optimizer, change) -> float:
    """Run an epoch of training, or of test without an optimizer; return the accuracy."""
    loss_sum, right, seen = 0.0, 0, 0
    for images, targets in loader:
        logits = net(change(images) if change else images)
        loss = F.cross_entropy(logits, targets)
        right += (logits.argmax(dim=1) == targets).sum().item()
        loss_sum, seen = loss_sum + loss.item() * len(targets), seen + len(targets)
        if optimizer is not None:
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return right / seen


def _changer(generator: torch.Generator, one_by_one: bool):
    """Return what changes each image of a batch by a draw of its own."""

    def change(images: Tensor) -> Tensor:
        omega = condense.draw_omega(len(images), Augmentation(), generator)
        rows = torch.arange(len(images))
        if not one_by_one:
            return augment(images, rows, omega)
        pairs = zip(images.split(1), rows.split(1), strict=True)
        return torch.cat([augment(image, row, omega) for image, row in pairs])

    return change
