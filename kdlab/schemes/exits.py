"""One network with several exits: classifiers on its early blocks, each usable alone."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor, nn

from kdlab._checks import check_choice, check_count, check_length
from kdlab.models import FeatureNet
from kdlab.schemes.arguments import check_kind
from kdlab.schemes.evaluation import evaluating
from kdlab.schemes.history import seeded

#: The name of the deepest exit: the network's own classifier.
DEEPEST = "logits"
# Early maps say little in their mean over all places; in 4 x 4 means they say where, too.
_PLACES = 4


class ExitNet(nn.Module):
    """A network and a classifier on each of some blocks; calling it asks the deepest exit.

    Attributes:
        net: The network, whose weights all exits share.
        heads: The classifiers by their block's name, shallow to deep.
    """

    def __init__(self, net: FeatureNet, heads: nn.ModuleDict) -> None:
        super().__init__()
        self.net, self.heads = net, heads

    @property
    def names(self) -> tuple[str, ...]:
        """The exits, shallow to deep; the last is "logits"."""
        return (*self.heads, DEEPEST)

    def forward(self, images: Float[Tensor, "batch *shape"]) -> Float[Tensor, "batch classes"]:
        return self.net(images)

    def exits(self, images: Float[Tensor, "batch *shape"]) -> dict[str, Tensor]:
        """Return every exit's logits by name, in one pass through the network."""
        maps = self.net.features(images)
        scores = {name: head(maps[name]) for name, head in self.heads.items()}
        return scores | {DEEPEST: maps[DEEPEST]}

    def exit(self, name: str) -> nn.Module:
        """Return one exit as a network of its own: the blocks up to it, and its classifier.

        It shares its weights with this one, and has none of what lies behind it.

        Raises:
            ValueError: There is no exit of this name.
        """
        check_choice(self.names, name=name)
        blocks = list(self.net.blocks)
        upto = [self.net.blocks[block] for block in blocks[: blocks.index(name) + 1]]
        head = [] if name == DEEPEST else [self.heads[name]]
        return nn.Sequential(*upto, *head)


def add_exits(
    net: FeatureNet,
    layers: Sequence[str],
    images: Float[Tensor, "batch *shape"],
    *,
    seed: int = 0,
) -> ExitNet:
    """Give a network early exits.

    A map with places is averaged to 4 x 4 of them at most; one linear layer makes the logits.

    Args:
        net: Its last block must be "logits"; shared, not copied.
        layers: The blocks that get an exit, shallow to deep.
        images: Any batch; only shapes count.
        seed: Fixes the exits' first weights, and leaves torch's global generator as it was.

    Raises:
        ValueError: There is no such block, or it comes twice or after a later one, or net is no
            `FeatureNet`.
    """
    check_kind(FeatureNet, net=net)
    check_length(1, layers=list(layers))
    check_count(0, seed=seed)
    # In eval mode: batch statistics are not to change.
    with torch.no_grad(), evaluating(net):
        maps = net.features(images)
    early = [name for name in maps if name != DEEPEST]
    check_choice(tuple(early), **{f"layers[{i}]": name for i, name in enumerate(layers)})
    if list(layers) != [name for name in early if name in layers]:
        raise ValueError(f"layers must be different, in the order of {early}, got {list(layers)}")
    classes = maps[DEEPEST].shape[-1]
    with seeded(seed, torch.device("cpu")):
        heads = {name: _head(maps[name], classes) for name in layers}
    return ExitNet(net, nn.ModuleDict(heads).to(images.device))


def _head(example: Tensor, classes: int) -> nn.Module:
    if example.dim() < 4:
        return nn.Sequential(nn.Flatten(), nn.Linear(example[0].numel(), classes))
    places = [min(_PLACES, side) for side in example.shape[2:]]
    width = example.shape[1] * places[0] * places[1]
    return nn.Sequential(nn.AdaptiveAvgPool2d(places), nn.Flatten(), nn.Linear(width, classes))
