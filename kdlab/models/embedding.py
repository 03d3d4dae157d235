"""The convolutional network with which data sets are condensed."""

from itertools import pairwise

from torch import nn

from kdlab._checks import check_count
from kdlab.models.networks import FeatureNet, checked_widths
from kdlab.models.parts import AveragePool, seeded


def embedding_net(
    widths: tuple[int, ...] = (128, 128, 128),
    *,
    channels: int = 1,
    side: int = 28,
    classes: int = 10,
    seed: int = 0,
) -> FeatureNet:
    """Build [conv 3x3, instance norm, ReLU, average pool 2] blocks and one linear layer.

    The norm is one image's and one channel's: what a network says of an image doesn't depend
    on the others in its batch. The first convolution pads the images until every pooling
    halves an even side: 28 pixels become 32, and the embedding 4 x 4 places.

    Args:
        widths: Channels of each block.
        channels: Channels of the images.
        side: Their height and width.
        classes: How many logits.
        seed: Fixes the weights, and leaves torch's global generator as it was.

    Returns:
        A network whose maps are "block1", "block2", ..., "embedding" (flat), "logits".

    Raises:
        ValueError: A width, channels, side or classes is no positive whole number, or the seed
            no whole number >= 0.

    References:
        Gidaris and Komodakis 2018, arXiv:1804.09458; Zhao, Mopuri and Bilen 2021,
        arXiv:2006.05929, section 3 ("ConvNet", 128 wide).
    """
    widths = checked_widths(widths, at_least=1)
    check_count(channels=channels, side=side, classes=classes)
    check_count(0, seed=seed)
    # On both sides, so that an odd number of missing pixels gets one more.
    more = -(-(-side % 2 ** len(widths)) // 2)
    with seeded(seed):
        blocks = _blocks((channels, *widths), more)
        blocks["embedding"] = nn.Flatten()
        places = (side + 2 * more) // 2 ** len(widths)
        blocks["logits"] = nn.Linear(widths[-1] * places**2, classes)
    return FeatureNet(**blocks)


def _blocks(widths: tuple[int, ...], more: int) -> dict[str, nn.Module]:
    blocks = {}
    for number, (fan_in, fan_out) in enumerate(pairwise(widths), start=1):
        padding = 1 + more * (number == 1)
        blocks[f"block{number}"] = nn.Sequential(
            nn.Conv2d(fan_in, fan_out, 3, padding=padding),
            # As many groups as channels: an instance norm, and on a CPU a quicker one than torch's.
            nn.GroupNorm(fan_out, fan_out),
            nn.ReLU(),
            AveragePool(),
        )
    return blocks
