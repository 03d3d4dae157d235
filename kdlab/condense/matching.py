"""Condense by matching: mean embeddings under random networks, or gradients along training."""

from collections.abc import Callable
from dataclasses import asdict

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from kdlab._checks import check_count, check_positive
from kdlab.condense.augment import Augmentation, augment, draw_changes
from kdlab.condense.distances import class_embedding_distance, embed
from kdlab.condense.evaluate import learn_from
from kdlab.condense.gradients import class_gradient_distance
from kdlab.condense.real import RealImages
from kdlab.condense.running import Condensed, Condensing, draw_seed
from kdlab.condense.synthetic import Synthetic
from kdlab.models import FeatureNet
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.history import Progress


def match_distributions(
    synthetic: Synthetic,
    images: UInt8[Tensor, "real channels height width"]
    | Float[Tensor, "real channels height width"],
    targets: Int64[Tensor, "real"],
    optimizer: torch.optim.Optimizer,
    *,
    build: Callable[[int], FeatureNet],
    rounds: int,
    per_class: int = 256,
    augmentation: Augmentation | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    seconds: float | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> Condensed:
    r"""Move synthetic images until their classes' mean embeddings are the real ones' (DM).

    Each round draws a fresh random network $\psi$ that is never trained, real images of every
    class, and one augmentation $\omega_c$ a class for both sides, and makes one step down
    $\sum_c \|\frac1N\sum_i\psi(A(x_i, \omega_c)) - \frac1M\sum_j\psi(A(s_j, \omega_c))\|^2$.

    Args:
        synthetic: Where to start; its images are changed in place.
        images, targets: The real set.
        optimizer: Holds `synthetic.images`. The paper has SGD with rate 1 and momentum 0.5 for
            standardized images; on the scale of [0, 1] that is a rate of the images' variance,
            0.1 for MNIST. The sum grows with an embedding's length, and so should the rate
            fall.
        build: From a seed to a fresh network.
        rounds: How many steps.
        per_class: Real images of each class in a step.
        augmentation: What may be changed; None is nothing.
        seed: Fixes networks, real images and changes.
        progress: Called after every round with rounds done, rounds in all, and a note;
            `synthetic.images` can be looked at meanwhile.
        seconds: A budget of wall time: no round starts later. None is none.
        scheduler: Changes the optimizer's learning rate; it makes one step with it. A rate that
            falls to 0 takes the noise of the last rounds' draws out of the images.
        checkpoint: Written between rounds, which its `every` counts; where its file exists, the
            run goes on from there.

    Returns:
        One loss a round. An interrupt (Ctrl-C, the stop button) ends the run early and returns
        what there is; the recipe tells how many rounds there were.

    Raises:
        ValueError: A class has no real or no synthetic image, the optimizer holds something
            else, or another argument is of another type or out of range.

    References:
        Zhao and Bilen 2023, arXiv:2110.04181, algorithm 1. The slides it is shown on leave out
        the sum over classes.
    """
    real = _both_sides(synthetic, images, targets, per_class)
    run = Condensing(
        synthetic,
        optimizer,
        learnable={"images": synthetic.images},
        method="distribution matching",
        settings={"per_class": per_class, "augmentation": _told(augmentation)},
        rounds=rounds,
        seed=seed,
        progress=progress,
        seconds=seconds,
        scheduler=scheduler,
        checkpoint=checkpoint,
    )
    with run:
        for generator in run.rounds():
            run.step(draw_distance(synthetic, real, generator, build, augmentation))
    return run.result()


def draw_distance(
    synthetic: Synthetic,
    real: RealImages,
    generator: torch.Generator,
    build: Callable[[int], FeatureNet],
    augmentation: Augmentation | None,
) -> Float[Tensor, ""]:
    """Return what one round of `match_distributions` goes down, by a round's own generator.

    Network, changes and real images are drawn in this order; gradients flow to the synthetic
    images alone.
    """
    network = _fresh(build, generator, synthetic).requires_grad_(False)
    omega = draw_changes(synthetic.classes, augmentation, generator)
    images, targets = real.draw(generator)
    own_targets = synthetic.targets
    # All classes go through the network as one batch.
    with torch.no_grad():
        wanted = embed(network, augment(images, targets, omega))
    own = embed(network, augment(synthetic.images, own_targets, omega))
    return class_embedding_distance(wanted, targets, own, own_targets, classes=synthetic.classes)


def match_gradients(
    synthetic: Synthetic,
    images: UInt8[Tensor, "real channels height width"]
    | Float[Tensor, "real channels height width"],
    targets: Int64[Tensor, "real"],
    optimizer: torch.optim.Optimizer,
    *,
    build: Callable[[int], nn.Module],
    rounds: int,
    updates: int = 1,
    network_steps: int = 1,
    network_rate: float = 0.01,
    per_class: int = 256,
    augmentation: Augmentation | None = None,
    seed: int = 0,
    progress: Progress | None = None,
    seconds: float | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> Condensed:
    r"""Move synthetic images until they pull at a network as real ones do (DC; DSA if augmented).

    Each round starts a fresh network. It makes `updates` steps down the sum over classes of the
    `gradient_distance` between real and synthetic images' cross-entropy; after each but the last
    the network learns a little from the synthetic set.

    Args:
        synthetic: Where to start; its images are changed in place.
        images, targets: The real set.
        optimizer: Holds `synthetic.images`. The paper has SGD with rate 0.1 and momentum 0.5
            for standardized images; on the scale of [0, 1] that is 0.01 for MNIST.
        build: From a seed to a fresh network.
        rounds: How many networks are started, one after the other.
        updates: Steps of the images for each network; the paper has 1, 10 and 50 for 1, 10 and
            50 images a class.
        network_steps: Steps of the network after each update; the paper has 1, 50 and 10
            epochs.
        network_rate: Their learning rate.
        per_class, augmentation, seed, progress, seconds, scheduler, checkpoint: As in
            `match_distributions`; with an augmentation it is DSA.

    Returns:
        One mean loss a round, as `match_distributions`.

    Raises:
        ValueError: As `match_distributions`.

    References:
        Zhao, Mopuri and Bilen 2021, arXiv:2006.05929, algorithm 1; Zhao and Bilen 2021,
        arXiv:2102.08259.
    """
    check_count(updates=updates, network_steps=network_steps)
    check_positive(network_rate=network_rate)
    real = _both_sides(synthetic, images, targets, per_class)
    run = Condensing(
        synthetic,
        optimizer,
        learnable={"images": synthetic.images},
        method="gradient matching" if augmentation is None else "siamese gradient matching",
        settings={
            "updates": updates,
            "network_steps": network_steps,
            "network_rate": network_rate,
            "per_class": per_class,
            "augmentation": _told(augmentation),
        },
        rounds=rounds,
        seed=seed,
        progress=progress,
        seconds=seconds,
        scheduler=scheduler,
        checkpoint=checkpoint,
    )
    with run:
        for generator in run.rounds():
            network = _fresh(build, generator, synthetic).train()
            inner = torch.optim.SGD(network.parameters(), lr=network_rate)
            for update in range(updates):
                omega = draw_changes(synthetic.classes, augmentation, generator)
                batch = real.draw(generator)
                run.step(class_gradient_distance(network, *batch, synthetic, omega))
                if update + 1 < updates:
                    learn_from(
                        network,
                        synthetic,
                        inner,
                        steps=network_steps,
                        augmentation=augmentation,
                        generator=generator,
                    )
    return run.result()


def _both_sides(
    synthetic: Synthetic, images: Tensor, targets: Tensor, per_class: int
) -> RealImages:
    """Return what real images are drawn from; raise ValueError where a class lacks a side."""
    there = set(synthetic.targets.tolist())
    if empty := sorted(set(range(synthetic.classes)) - there):
        raise ValueError(f"synthetic must have an image of every class, got none of {empty}")
    return RealImages(images, targets, classes=synthetic.classes, per_class=per_class)


def _fresh(
    build: Callable[[int], nn.Module], generator: torch.Generator, synthetic: Synthetic
) -> nn.Module:
    return build(draw_seed(generator)).to(synthetic.images)


def _told(augmentation: Augmentation | None) -> dict | None:
    """Return what a recipe tells of an augmentation, as JSON would give it back."""
    if augmentation is None:
        return None
    return asdict(augmentation) | {"kinds": list(augmentation.kinds)}
