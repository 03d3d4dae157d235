"""A data set as tensors in memory."""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from kdlab._checks import check_count

#: Training images and targets, test images and targets.
Tensors = tuple[Tensor, Tensor, Tensor, Tensor]


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images with their classes.

    Attributes:
        name: "mnist", "fashion-mnist", "cifar10" or "digits".
        source: Where it came from, for a caption; never a path.
        train_images, test_images: uint8, [examples, channels, height, width]; training images
            that were learned, and may leave [0, 255], are float on the scale of [0, 1].
        train_targets, test_targets: int64, [examples].
        class_names: One name a class.
    """

    name: str
    source: str
    train_images: (
        UInt8[Tensor, "train channels height width"] | Float[Tensor, "train channels height width"]
    )
    train_targets: Int64[Tensor, "train"]
    test_images: UInt8[Tensor, "test channels height width"]
    test_targets: Int64[Tensor, "test"]
    class_names: tuple[str, ...]

    def __repr__(self) -> str:
        train, test = len(self.train_targets), len(self.test_targets)
        shape = "x".join(str(n) for n in self.train_images.shape[1:])
        return f"{self.name}: {train} training and {test} test images of {shape}, {self.source}"

    def to(self, device: torch.device | str) -> "Dataset":
        """Return the data set with its four tensors on a device."""
        fields = ("train_images", "train_targets", "test_images", "test_targets")
        return replace(self, **{name: getattr(self, name).to(device) for name in fields})

    def take(
        self, *, train: int | None = None, test: int | None = None, seed: int = 0
    ) -> "Dataset":
        """Return a random part of the data set, drawn by a seed, without repeats.

        Args:
            train: How many training images; None keeps all, in order.
            test: How many test images; None keeps all, in order.
            seed: The same seed gives the same images.

        Raises:
            ValueError: A count is no whole number >= 1 or more than there are, or the seed is
                no whole number >= 0.
        """
        check_count(0, seed=seed)
        chosen_train = _draw(len(self.train_targets), train, seed, "train")
        chosen_test = _draw(len(self.test_targets), test, seed, "test")
        return self._chosen(chosen_train, chosen_test)

    def without(self, *classes: int) -> "Dataset":
        """Return the data set with these classes gone from the training part only.

        Raises:
            ValueError: A class is no whole number in [0, number of classes).
        """
        for label in classes:
            check_count(0, classes=label)
            if label >= len(self.class_names):
                raise ValueError(f"classes must be in [0, {len(self.class_names)}), got {label}")
        gone = torch.tensor(classes, dtype=torch.int64, device=self.device)
        kept = ~torch.isin(self.train_targets, gone)
        return self._chosen(kept.nonzero().flatten(), slice(None))

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.train_targets.device

    def _chosen(self, train: Tensor | slice, test: Tensor | slice) -> "Dataset":
        return replace(
            self,
            train_images=self.train_images[train],
            train_targets=self.train_targets[train],
            test_images=self.test_images[test],
            test_targets=self.test_targets[test],
        )


def _draw(examples: int, wanted: int | None, seed: int, name: str) -> Tensor | slice:
    if wanted is None:
        return slice(None)
    check_count(**{name: wanted})
    if wanted > examples:
        raise ValueError(f"{name} must be at most {examples}, got {wanted}")
    return torch.randperm(examples, generator=torch.Generator().manual_seed(seed))[:wanted]
