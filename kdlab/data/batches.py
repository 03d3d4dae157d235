"""Batches of a data set in memory, converted and moved a whole batch at a time.

What is said of images holds for texts too, as numbers of words or as features of any shape.
"""

from collections.abc import Iterator
from typing import NamedTuple

import torch
from jaxtyping import Float, Int64, UInt8
from torch import Tensor

from kdlab._checks import check_count, check_images, check_same_length, check_tensor


class Batch(NamedTuple):
    """What `Batches` yields.

    Attributes:
        images: Float in [0, 1], [batch, channels, height, width]; or what else was given.
        targets: int64, [batch].
        indices: Which of all images that can come these are, int64, [batch]: the example's
            number; with `shift` it is example * (2 shift + 1)^2 + place, as in `move_images`.
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
        images: UInt8[Tensor, "examples channels height width"]
        | Float[Tensor, "examples *shape"]
        | Int64[Tensor, "examples words"],
        targets: Int64[Tensor, "examples"],
        *,
        batch_size: int = 128,
        seed: int = 0,
        shift: int = 0,
    ) -> None:
        """Raise ValueError if lengths differ, nothing is there, or a count is no whole number.

        Also if what is no image shall be moved.
        """
        check_same_length(images=images, targets=targets)
        if not len(targets):
            raise ValueError("images must hold at least one image, got 0")
        check_count(batch_size=batch_size)
        check_count(0, shift=shift, seed=seed)
        if shift:
            check_images(images=images[:1])
        self.images, self.targets = images, targets
        self.batch_size, self.shift = batch_size, shift
        self.generator = torch.Generator().manual_seed(seed)

    @property
    def fixed(self) -> bool:
        """True if an example looks the same every time, so that its logits can be kept."""
        return self.shift == 0

    @property
    def members(self) -> int:
        """How many different images can come: every example at every place."""
        return len(self.targets) * count_places(self.shift)

    def __len__(self) -> int:
        return -(-len(self.targets) // self.batch_size)

    def __iter__(self) -> Iterator[Batch]:
        order = torch.randperm(len(self.targets), generator=self.generator)
        for indices in order.to(self.targets.device).split(self.batch_size):
            # index_select copies whole images: ten times as fast as images[indices] on a CPU.
            images = to_float(self.images.index_select(0, indices))
            targets = self.targets[indices]
            if self.shift:
                drawn = draw_places(len(indices), pixels=self.shift, generator=self.generator)
                drawn = drawn.to(images.device)
                images = move_images(images, drawn, pixels=self.shift)
                indices = indices * count_places(self.shift) + drawn
            yield Batch(images, targets, indices)


def to_float(
    images: UInt8[Tensor, "batch channels height width"]
    | Float[Tensor, "batch *shape"]
    | Int64[Tensor, "batch words"],
) -> Float[Tensor, "batch *shape"] | Int64[Tensor, "batch words"]:
    """Turn bytes 0..255 into floats 0..1; floats, and words' numbers in int64, pass through.

    Raises:
        ValueError: It is neither: no tensor, or one of another type.
    """
    check_tensor(images=images)
    if images.dtype == torch.uint8:
        return images.float().div_(255)
    words = images.dtype == torch.int64 and images.ndim == 2
    if not (images.is_floating_point() or words):
        raise ValueError(f"images must be uint8 or floating point, got {images.dtype}")
    return images


def count_places(pixels: int) -> int:
    """Return at how many places an image can stand that moves by up to so many pixels."""
    return (2 * pixels + 1) ** 2


def draw_places(
    count: int, *, pixels: int, generator: torch.Generator | None = None
) -> Int64[Tensor, "count"]:
    """Draw a place for each of so many images, all alike likely, on the CPU."""
    return torch.randint(0, count_places(pixels), (count,), generator=generator)


def move_images(
    images: Float[Tensor, "batch channels height width"],
    where: Int64[Tensor, "batch"],
    *,
    pixels: int,
) -> Float[Tensor, "batch channels height width"]:
    """Move each image to a place, zeros coming in at the edge.

    Args:
        images: A batch.
        where: The place of each: 0 is `pixels` to the right and down, and counting goes to the
            left, row by row; the middle one leaves an image where it is.
        pixels: Each image moves by at most so many in each direction.

    Returns:
        A new batch of the same shape.

    Raises:
        ValueError: pixels is no whole number >= 0.
    """
    check_count(0, pixels=pixels)
    _, _, height, width = images.shape
    padded = torch.nn.functional.pad(images, (pixels,) * 4)
    # A view of every place where the frame can stand; we copy one place an image.
    frames = padded.unfold(2, height, 1).unfold(3, width, 1)
    side = 2 * pixels + 1
    return frames[torch.arange(len(images), device=images.device), :, where // side, where % side]


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
    where = draw_places(len(images), pixels=pixels, generator=generator)
    return move_images(images, where.to(images.device), pixels=pixels)
