"""Data sets as tensors in memory, and batches of them.

Images stay uint8, [examples, channels, height, width]; a batch is turned into floats in
[0, 1] when it is drawn.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from kdlab._checks import check_count, check_same_length


@dataclass(frozen=True, eq=False)
class Dataset:
    """Training and test images with their classes.

    Attributes:
        name: "mnist", "fashion-mnist", "cifar10" or "digits".
        source: Where it came from, for a caption.
        train_images, test_images: uint8, [examples, channels, height, width].
        train_targets, test_targets: int64, [examples].
        class_names: One name a class.
    """

    name: str
    source: str
    train_images: UInt8[Tensor, "train channels height width"]
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

    def take(self, *, train: int | None = None, test: int | None = None, seed: int = 0):
        """Return a random part of the data set, drawn by a seed, without repeats.

        Args:
            train: How many training images; None keeps all, in order.
            test: How many test images; None keeps all, in order.
            seed: The same seed gives the same images.

        Raises:
            ValueError: A count is no whole number, or more than there are.
        """
        chosen_train = _draw(len(self.train_targets), train, seed, "train")
        chosen_test = _draw(len(self.test_targets), test, seed, "test")
        return self._chosen(chosen_train, chosen_test)

    def without(self, *classes: int) -> "Dataset":
        """Return the data set with these classes gone from the training part only."""
        kept = ~torch.isin(self.train_targets, torch.tensor(classes, device=self.device))
        return self._chosen(kept.nonzero().flatten(), slice(None))

    @property
    def device(self) -> torch.device:
        """Where the tensors are."""
        return self.train_targets.device

    def _chosen(self, train, test) -> "Dataset":
        return replace(
            self,
            train_images=self.train_images[train],
            train_targets=self.train_targets[train],
            test_images=self.test_images[test],
            test_targets=self.test_targets[test],
        )


class Batch(NamedTuple):
    """What `Batches` yields.

    Attributes:
        images: Float in [0, 1], [batch, channels, height, width].
        targets: int64, [batch].
        indices: Which examples of the whole set these are, int64, [batch].
    """

    images: Float[Tensor, "batch channels height width"]
    targets: Int64[Tensor, "batch"]
    indices: Int64[Tensor, "batch"]


class Batches:
    """Shuffled batches of a set in memory; one `for` loop over it is one epoch.

    Every epoch is shuffled afresh from one generator, so the same seed gives the same
    sequence of epochs. The last batch may be smaller. With `shift`, each image of a batch is
    moved by up to that many pixels in each direction (zeros come in), as Hinton et al. do.
    """

    def __init__(
        self,
        images: UInt8[Tensor, "examples channels height width"],
        targets: Int64[Tensor, "examples"],
        *,
        batch_size: int = 128,
        seed: int = 0,
        shift: int = 0,
    ) -> None:
        """Raise ValueError if lengths differ, or a count is no whole number."""
        check_same_length(images=images, targets=targets)
        check_count(batch_size=batch_size)
        check_count(0, shift=shift)
        self.images, self.targets = images, targets
        self.batch_size, self.shift = batch_size, shift
        self.generator = torch.Generator().manual_seed(seed)

    @property
    def fixed(self) -> bool:
        """True if an example looks the same every time, so that its logits can be kept."""
        return self.shift == 0

    def __len__(self) -> int:
        return -(-len(self.targets) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = torch.randperm(len(self.targets), generator=self.generator)
        for indices in order.to(self.targets.device).split(self.batch_size):
            images = to_float(self.images[indices])
            if self.shift:
                images = shift_images(images, pixels=self.shift, generator=self.generator)
            yield Batch(images, self.targets[indices], indices)


def to_float(
    images: UInt8[Tensor, "batch channels height width"],
) -> Float[Tensor, "batch channels height width"]:
    """Turn bytes 0..255 into floats 0..1; floats pass through."""
    return images.float().div_(255) if images.dtype == torch.uint8 else images


def shift_images(
    images: Float[Tensor, "batch channels height width"],
    *,
    pixels: int,
    generator: torch.Generator | None = None,
) -> Float[Tensor, "batch channels height width"]:
    """Move each image by its own whole number of pixels, zeros coming in at the edge.

    Args:
        images: A batch.
        pixels: Each image moves by -pixels..pixels in each direction, uniformly.
        generator: Source of the moves, on the CPU.

    Returns:
        A new batch of the same shape.

    Raises:
        ValueError: pixels is no whole number >= 0.

    References:
        Hinton et al. 2014, arXiv:1503.02531, section 3 ("jittered by up to two pixels").
    """
    check_count(0, pixels=pixels)
    batch, channels, height, width = images.shape
    moves = torch.randint(0, 2 * pixels + 1, (2, batch, 1), generator=generator)
    moves = moves.to(images.device)
    padded = torch.nn.functional.pad(images, (pixels,) * 4)
    rows = moves[0] + torch.arange(height, device=images.device)
    columns = moves[1] + torch.arange(width, device=images.device)
    each = torch.arange(batch, device=images.device)[:, None, None, None]
    every = torch.arange(channels, device=images.device)[None, :, None, None]
    return padded[each, every, rows[:, None, :, None], columns[:, None, None, :]]


def _draw(examples: int, wanted: int | None, seed: int, name: str):
    if wanted is None:
        return slice(None)
    check_count(**{name: wanted})
    if wanted > examples:
        raise ValueError(f"{name} must be at most {examples}, got {wanted}")
    return torch.randperm(examples, generator=torch.Generator().manual_seed(seed))[:wanted]


def load(name: str = "auto") -> Dataset:
    """Load a data set (first version: KDLAB_DATA's MNIST, or digits)."""
    import gzip
    import os
    from pathlib import Path

    import numpy as np

    raw = Path(os.environ.get("KDLAB_DATA", "/nowhere")) / "MNIST" / "raw"
    if name == "auto":
        name = "mnist" if raw.is_dir() else "digits"
        print(f"data: {name}")
    digits = tuple("0123456789")
    if name == "mnist":

        def read(part, kind, offset):
            packed = gzip.open(raw / f"{part}-{kind}-ubyte.gz").read()
            return torch.from_numpy(np.frombuffer(packed, np.uint8, offset=offset).copy())

        parts = []
        for part in ("train", "t10k"):
            parts.append(read(part, "images-idx3", 16).view(-1, 1, 28, 28))
            parts.append(read(part, "labels-idx1", 8).long())
        return Dataset("mnist", "KDLAB_DATA", *parts, digits)
    from sklearn.datasets import load_digits

    found = load_digits()
    small = torch.from_numpy(found.images).float()[:, None] * (255 / 16)
    images = torch.nn.functional.interpolate(small, (28, 28), mode="bilinear").round().byte()
    targets = torch.from_numpy(found.target).long()
    order = torch.randperm(len(targets), generator=torch.Generator().manual_seed(0))
    train, test = order[:1297], order[1297:]
    return Dataset(
        "digits", "scikit-learn", images[train], targets[train], images[test], targets[test], digits
    )
