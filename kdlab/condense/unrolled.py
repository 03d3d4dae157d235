"""Dataset distillation as it began: gradients through a network's whole training."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn
from torch.func import functional_call

from kdlab._checks import check_count, check_features, check_length
from kdlab.condense.real import RealImages
from kdlab.condense.running import Condensed, Condensing, draw_seed
from kdlab.condense.synthetic import Synthetic
from kdlab.schemes.checkpoint import Checkpoint
from kdlab.schemes.history import Progress


def unroll(
    network: nn.Module,
    images: Float[Tensor, "examples channels height width"],
    labels: Float[Tensor, "examples classes"],
    step_sizes: Float[Tensor, "steps"],
) -> dict[str, Tensor]:
    r"""Return a network's weights after training, as a function of what it was trained on.

    $w_{k+1} = w_k - \eta_k \nabla_w \mathrm{CE}(f_{w_k}(s), y)$, with all images in each step.
    Gradients flow to images, labels, step sizes and the first weights.

    Args:
        network: Gives the first weights; left as it is.
        images, labels: The synthetic set.
        step_sizes: One number a step.

    Returns:
        The last weights by their name, for `torch.func.functional_call`.

    Raises:
        ValueError: There is no step.

    References:
        Wang et al. 2018, arXiv:1811.10959, section 3.
    """
    check_features(1, step_sizes=step_sizes)
    check_length(1, step_sizes=step_sizes)
    weights = dict(network.named_parameters())
    for size in step_sizes:
        loss = F.cross_entropy(functional_call(network, weights, (images,)), labels)
        slopes = torch.autograd.grad(loss, tuple(weights.values()), create_graph=True)
        pairs = zip(weights.items(), slopes, strict=True)
        weights = {name: weight - size * slope for (name, weight), slope in pairs}
    return weights


@torch.no_grad()
def follow(
    network: nn.Module, synthetic: Synthetic, step_sizes: Float[Tensor, "steps"]
) -> nn.Module:
    """Train a network on a synthetic set by the learned steps, in place; return it.

    Raises:
        ValueError: There is no step.
    """
    with torch.enable_grad():
        weights = unroll(network, synthetic.images, synthetic.labels, step_sizes.detach())
    network.load_state_dict(weights, strict=False)
    return network


def learn_unrolled(
    synthetic: Synthetic,
    images: UInt8[Tensor, "real channels height width"]
    | Float[Tensor, "real channels height width"],
    targets: Int64[Tensor, "real"],
    optimizer: torch.optim.Optimizer,
    *,
    build: Callable[[int], nn.Module],
    step_sizes: Float[Tensor, "steps"],
    rounds: int,
    start: int | None = None,
    networks: int = 1,
    per_class: int = 64,
    seed: int = 0,
    progress: Progress | None = None,
    seconds: float | None = None,
    scheduler: torch.optim.lr_scheduler.LRScheduler | None = None,
    checkpoint: Checkpoint | None = None,
) -> Condensed:
    r"""Learn images by their gradient through a network's training (Wang et al.).

    Each round trains networks by `unroll` and makes one step down the mean cross-entropy that
    they then have on real images. Labels stay probabilities: after a step, negative ones become
    0 and each row is scaled to 1. Step sizes stay positive or 0.

    Args:
        synthetic: Where to start; what the optimizer holds of it is changed in place.
        images, targets: The real set.
        optimizer: Holds one or more of `synthetic.images`, `synthetic.labels`, `step_sizes`.
        build: From a seed to a fresh network, without batch norm or dropout.
        step_sizes: Of the inner training, one a step; changed in place if the optimizer holds
            them.
        rounds: How many steps of what is learned.
        start: The seed of the one network from which all training starts; then the images are
            good for this start alone. None starts from fresh ones.
        networks: How many a step is averaged over; with a fixed start, 1 is enough.
        per_class: Real images of each class for each network.
        seed, progress, seconds, scheduler, checkpoint: As in `match_distributions`.

    Returns:
        One loss a round, as `match_distributions`.

    Raises:
        ValueError: A class has no real image, the optimizer holds something else, or another
            argument is of another type or out of range.

    References:
        Wang et al. 2018, arXiv:1811.10959, algorithm 1, with other images for each of its
        steps; Sucholutsky and Schonlau 2019, arXiv:1910.02551, and Bohdal et al. 2020,
        arXiv:2006.08572, for labels.
    """
    check_count(networks=networks)
    check_count(0, start=0 if start is None else start)
    real = RealImages(images, targets, classes=synthetic.classes, per_class=per_class)
    learnable = {"images": synthetic.images, "labels": synthetic.labels, "step_sizes": step_sizes}
    run = Condensing(
        synthetic,
        optimizer,
        learnable=learnable,
        method="unrolled training",
        settings={
            "steps": len(step_sizes),
            "start": start,
            "networks": networks,
            "per_class": per_class,
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
            losses = []
            for _ in range(networks):
                drawn = draw_seed(generator)
                network = build(drawn if start is None else start).to(synthetic.images)
                weights = unroll(network, synthetic.images, synthetic.labels, step_sizes)
                real_images, real_targets = real.draw(generator)
                logits = functional_call(network, weights, (real_images,))
                losses.append(F.cross_entropy(logits, real_targets))
            run.step(torch.stack(losses).mean())
            _keep_in_range(run.learned)
    return run.result()


@torch.no_grad()
def _keep_in_range(learned: dict[str, Tensor]) -> None:
    if "labels" in learned:
        labels = learned["labels"].clamp_(min=0)
        # A row that lost everything becomes uniform.
        labels.add_((labels.sum(dim=1, keepdim=True) == 0).to(labels))
        labels.div_(labels.sum(dim=1, keepdim=True))
    if "step_sizes" in learned:
        learned["step_sizes"].clamp_(min=0)
