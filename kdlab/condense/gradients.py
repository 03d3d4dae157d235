"""How differently real and synthetic images pull at a network's weights."""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from kdlab._checks import check_length
from kdlab.condense.augment import Omega, augment
from kdlab.condense.synthetic import Synthetic


def gradient_distance(real: Sequence[Tensor], synthetic: Sequence[Tensor]) -> Float[Tensor, ""]:
    r"""Compare two gradients: $1 - \cos$ of each output unit's weights, summed over all units.

    Args:
        real: A gradient for each of a network's parameters; constants.
        synthetic: As many.

    Returns:
        A scalar, 0 where all directions agree. Biases and the norm's factors don't count, as
        in the published code; a unit without a gradient counts 1.

    Raises:
        ValueError: There aren't as many, or none is of a matrix or a convolution.

    References:
        Zhao, Mopuri and Bilen 2021, arXiv:2006.05929, equation 10.
    """
    if len(real) != len(synthetic):
        raise ValueError(f"synthetic must have {len(real)} gradients, got {len(synthetic)}")
    pairs = [pair for pair in zip(real, synthetic, strict=True) if pair[0].ndim > 1]
    check_length(1, real=pairs)
    return torch.stack(
        [_angles(one.detach().flatten(1), two.flatten(1)) for one, two in pairs]
    ).sum()


def class_gradient_distance(
    network: nn.Module,
    images: Float[Tensor, "real channels height width"],
    targets: Int64[Tensor, "real"],
    synthetic: Synthetic,
    omega: Omega | None = None,
) -> Float[Tensor, ""]:
    """Sum over classes how differently real and synthetic images pull at a network.

    Args:
        network: From images to logits.
        images, targets: A real batch.
        synthetic: Its images get a gradient.
        omega: One change a class for both sides.
    """
    own_targets, distances = synthetic.targets, []
    images, own = augment(images, targets, omega), augment(synthetic.images, own_targets, omega)
    for label in own_targets.unique().tolist():
        here, mine = targets == label, own_targets == label
        wanted = _slopes(network, images[here], targets[here])
        pulls = _slopes(network, own[mine], synthetic.labels[mine], keep=True)
        distances.append(gradient_distance(wanted, pulls))
    return torch.stack(distances).sum()


def _slopes(
    network: nn.Module, images: Tensor, labels: Tensor, *, keep: bool = False
) -> tuple[Tensor, ...]:
    """Return the cross-entropy's gradient by the weights; kept, it has a gradient of its own."""
    loss = F.cross_entropy(network(images), labels)
    return torch.autograd.grad(loss, tuple(network.parameters()), create_graph=keep)


def _angles(real: Tensor, synthetic: Tensor) -> Tensor:
    # 1e-6 as in the published code; a norm's slope at 0 is 0 in torch.
    norms = torch.linalg.vector_norm(real, dim=1) * torch.linalg.vector_norm(synthetic, dim=1)
    return (1 - (real * synthetic).sum(dim=1) / (norms + 1e-6)).sum()
