"""How far a synthetic set is from a real one, by mean embeddings."""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor, nn

from kdlab._checks import (
    check_count,
    check_features,
    check_length,
    check_same_length,
    check_targets,
)

#: How many images a CPU takes at once: more don't fit into its caches, and maps of many MB are
#: given back to the system and fetched again at each layer. Both take longer.
_AT_ONCE = 16


def embed(
    network: nn.Module,
    images: Float[Tensor, "batch channels height width"],
    *,
    batch_size: int | None = None,
) -> Float[Tensor, "batch values"]:
    """Return the map before the logits, one flat row an image.

    Args:
        network: One of `kdlab.models`, which has `features`.
        images: A batch.
        batch_size: How many go through at once. Under an instance norm it changes the time
            alone; None is 16 on a CPU, where that is quickest, and all on another device.

    Raises:
        ValueError: batch_size is no whole number >= 1, or the network has no two maps.
    """
    size = images_at_once(images) if batch_size is None else batch_size
    check_count(batch_size=size)
    return torch.cat([_last_map(network, part) for part in images.split(size)])


def images_at_once(images: Tensor) -> int:
    """Return how many of these images go through a network quickest."""
    return _AT_ONCE if images.device.type == "cpu" else max(len(images), 1)


def mean_embedding_distance(
    real: Float[Tensor, "real *values"], synthetic: Float[Tensor, "synthetic *values"]
) -> Float[Tensor, ""]:
    r"""Square the distance of two mean embeddings: MMD^2 with the embedding's kernel.

    $\|\frac1N\sum_i\psi(x_i) - \frac1M\sum_j\psi(s_j)\|^2$, which is the mean of
    $\psi(x)^\top\psi(x')$ over real pairs, plus that over synthetic ones, minus twice that over
    mixed ones.

    Args:
        real: Embeddings of real examples.
        synthetic: Embeddings of synthetic ones.

    Returns:
        A scalar; gradients flow to both.

    Raises:
        ValueError: One of them is empty, or they are of different sizes.

    References:
        Gretton et al. 2012, JMLR 13; Zhao and Bilen 2023, arXiv:2110.04181, equation 4.
    """
    check_features(real=real, synthetic=synthetic)
    _check_same_values(real, synthetic)
    return (real.flatten(1).mean(dim=0) - synthetic.flatten(1).mean(dim=0)).square().sum()


def class_embedding_distance(
    real: Float[Tensor, "real *values"],
    real_targets: Int64[Tensor, "real"],
    synthetic: Float[Tensor, "synthetic *values"],
    synthetic_targets: Int64[Tensor, "synthetic"],
    *,
    classes: int,
) -> Float[Tensor, ""]:
    r"""Sum over classes the squared distance of the class's two mean embeddings.

    It sees swapped labels, to which `mean_embedding_distance` is blind.

    Args:
        real, synthetic: Embeddings.
        real_targets, synthetic_targets: Their classes.
        classes: How many classes there are. Those that neither side has count 0.

    Returns:
        A scalar; gradients flow to both.

    Raises:
        ValueError: One side has a class that the other lacks, a target is no class, or shapes
            don't fit.

    References:
        Zhao and Bilen 2023, arXiv:2110.04181, algorithm 1.
    """
    check_features(real=real, synthetic=synthetic)
    _check_same_values(real, synthetic)
    _check_same_classes(real_targets, synthetic_targets, classes)
    check_same_length(real=real, real_targets=real_targets)
    check_same_length(synthetic=synthetic, synthetic_targets=synthetic_targets)
    wanted = class_means(real, real_targets, classes=classes)
    own = class_means(synthetic, synthetic_targets, classes=classes)
    return (wanted - own).square().sum()


def class_means(
    embeddings: Float[Tensor, "batch *values"], targets: Int64[Tensor, "batch"], *, classes: int
) -> Float[Tensor, "classes flat"]:
    """Return the mean embedding of each class; 0 for a class that isn't there."""
    rows = embeddings.flatten(1)
    counts = torch.bincount(targets, minlength=classes).clamp_min(1)
    # A product, and no index_add: on a GPU that adds in another order each time.
    return (F.one_hot(targets, classes).to(rows).T @ rows) / counts[:, None]


def _check_same_values(real: Tensor, synthetic: Tensor) -> None:
    """Raise ValueError unless both have equally many values an example."""
    mine, theirs = real.shape[1:].numel(), synthetic.shape[1:].numel()
    if mine != theirs:
        raise ValueError(f"synthetic must have {mine} values an example, got {theirs}")


def _last_map(network: nn.Module, images: Tensor) -> Tensor:
    maps = list(network.features(images).values())
    check_length(2, maps=maps)
    return maps[-2].flatten(1)


def _check_same_classes(real_targets: Tensor, synthetic_targets: Tensor, classes: int) -> None:
    check_count(classes=classes)
    check_targets(classes, real_targets=real_targets, synthetic_targets=synthetic_targets)
    real, own = real_targets.unique().tolist(), synthetic_targets.unique().tolist()
    if real != own:
        raise ValueError(f"synthetic_targets must have the real ones' classes, {real}, got {own}")
