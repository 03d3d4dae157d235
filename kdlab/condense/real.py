"""Real images, drawn class by class."""

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from kdlab._checks import check_count, check_images, check_same_length, check_targets
from kdlab.data import to_float


class RealImages:
    """Real images from which every round draws so many of each class.

    Args:
        images: uint8 or float, [examples, channels, height, width].
        targets: Their classes.
        classes: How many classes there are; each must have an image.
        per_class: How many are drawn of each, without repeats; all, where there are fewer.

    Raises:
        ValueError: A class has no image, lengths differ, or per_class is no whole number >= 1.
    """

    def __init__(
        self,
        images: UInt8[Tensor, "examples channels height width"]
        | Float[Tensor, "examples channels height width"],
        targets: Int64[Tensor, "examples"],
        *,
        classes: int,
        per_class: int,
    ) -> None:
        check_images(images=images)
        check_same_length(images=images, targets=targets)
        check_count(classes=classes, per_class=per_class)
        check_targets(classes, targets=targets)
        self.images, self.targets, self.per_class = images, targets, per_class
        # Drawn on the CPU, so that a seed means the same on every device.
        held = targets.cpu()
        self._members = [(held == label).nonzero().flatten() for label in range(classes)]
        if empty := [label for label, found in enumerate(self._members) if not len(found)]:
            raise ValueError(f"targets must have every class, got none of {empty}")

    def draw(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return float images and their targets, class by class, as one batch."""
        drawn = [
            found[torch.randperm(len(found), generator=generator)[: self.per_class]]
            for found in self._members
        ]
        indices = torch.cat(drawn).to(self.targets.device)
        return to_float(self.images.index_select(0, indices)), self.targets[indices]
