"""Differentiable siamese augmentation: one random change a class, shared by real and synthetic."""

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64
from torch import Tensor

from kdlab._checks import (
    check_choice,
    check_count,
    check_fraction,
    check_length,
    check_not_negative,
    check_same_length,
)

KINDS = ("shift", "scale", "rotate", "flip", "cutout", "brightness", "saturation", "contrast")
#: What a digit stays a digit under.
DIGIT_KINDS = ("shift", "scale", "rotate", "cutout", "brightness", "contrast")


@dataclass(frozen=True)
class Augmentation:
    """What changes may be drawn, and how large they may be.

    Attributes:
        kinds: Some of `KINDS`. "flip" is for sets where left and right don't matter,
            "saturation" for colours.
        one_at_a_time: Each row has one kind, as DSA and DM have it; False is all kinds at once.
        shift: Largest shift, as a share of the side, rounded to whole pixels.
        scale: Largest factor of height and of width, drawn each for itself; the least is its
            inverse.
        rotate: Largest angle, in degrees.
        cutout: Side of the black square, as a share of the image's.
        brightness: Largest change, on the scale of [0, 1].
        saturation: The distance from grey changes by a factor 1 - saturation to 1 + saturation.
        contrast: The same for the distance from the image's mean.

    References:
        Zhao and Bilen 2021, arXiv:2102.08259, whose ranges these are; its images are
        standardized, so that its brightness changes by up to 0.5 standard deviations, and its
        square has the mean's colour. There the three changes of colour come together.
    """

    kinds: tuple[str, ...] = DIGIT_KINDS
    one_at_a_time: bool = True
    shift: float = 0.125
    scale: float = 1.2
    rotate: float = 15.0
    cutout: float = 0.5
    brightness: float = 0.15
    saturation: float = 1.0
    contrast: float = 0.5

    def __post_init__(self) -> None:
        check_length(1, kinds=self.kinds)
        check_choice(KINDS, **{f"kinds[{i}]": kind for i, kind in enumerate(self.kinds)})
        check_fraction(shift=self.shift, cutout=self.cutout, brightness=self.brightness)
        check_fraction(saturation=self.saturation, contrast=self.contrast)
        check_not_negative(rotate=self.rotate)
        if not self.scale >= 1:
            raise ValueError(f"scale must be >= 1, got {self.scale!r}")


@dataclass(frozen=True)
class Omega:
    """The drawn changes, a row for each class (or for each image).

    Attributes:
        turn: From a place in the result to one in the image, [rows, 2, 2].
        shift: Share of the side by which the image is read further right and down, [rows, 2].
        hole: Middle of the square, right and down, in [-1, 1], [rows, 2].
        hole_side: Its side over the image's, [rows]; 0 is no square.
        brightness: What is added, [rows].
        saturation, contrast: Factors, [rows].
    """

    turn: Float[Tensor, "rows 2 2"]
    shift: Float[Tensor, "rows 2"]
    hole: Float[Tensor, "rows 2"]
    hole_side: Float[Tensor, "rows"]
    brightness: Float[Tensor, "rows"]
    saturation: Float[Tensor, "rows"]
    contrast: Float[Tensor, "rows"]

    def of(self, rows: Int64[Tensor, "batch"], like: Tensor) -> "Omega":
        """Return a row for each image, on its device and in its number format."""
        fields = vars(self).values()
        return Omega(*(field.to(like)[rows] for field in fields))


def draw_omega(rows: int, augmentation: Augmentation, generator: torch.Generator) -> Omega:
    """Draw the changes of so many rows from a generator on the CPU.

    Raises:
        ValueError: rows is no whole number >= 1.
    """
    check_count(rows=rows)
    # Always as many numbers, so that what a kind draws doesn't hang on the others.
    u = 2 * torch.rand(rows, 11, generator=generator) - 1
    on = _switches(rows, augmentation, generator)
    return Omega(
        turn=_turns(u, on, augmentation),
        shift=u[:, 4:6] * augmentation.shift * on["shift"][:, None],
        hole=u[:, 6:8],
        hole_side=augmentation.cutout * on["cutout"].float(),
        brightness=u[:, 8] * augmentation.brightness * on["brightness"],
        saturation=1 + u[:, 9] * augmentation.saturation * on["saturation"],
        contrast=1 + u[:, 10] * augmentation.contrast * on["contrast"],
    )


def draw_changes(
    rows: int, augmentation: Augmentation | None, generator: torch.Generator
) -> Omega | None:
    """Draw the changes of so many rows; None where nothing shall change."""
    return None if augmentation is None else draw_omega(rows, augmentation, generator)


def augment(
    images: Float[Tensor, "batch channels height width"],
    rows: Int64[Tensor, "batch"],
    omega: Omega | None,
) -> Float[Tensor, "batch channels height width"]:
    """Change a whole batch, each image by its row of omega; gradients flow to the images.

    With its classes as rows, a real and a synthetic image of one class are changed alike; that
    is what makes the augmentation siamese.

    Args:
        images: Real or synthetic, square, on the scale of [0, 1].
        rows: Which row of omega each image follows.
        omega: What `draw_omega` gave; None changes nothing.

    Returns:
        A new batch of the same shape; black comes in at the edges.

    Raises:
        ValueError: There is no row for each image.

    References:
        Zhao and Bilen 2021, arXiv:2102.08259.
    """
    check_same_length(images=images, rows=rows)
    if omega is None:
        return images
    own = omega.of(rows, images)
    return _cut(_coloured(_moved(images, own), own), own)


def _switches(rows: int, augmentation: Augmentation, generator: torch.Generator) -> dict:
    """Return for each kind in which rows it happens."""
    kinds = augmentation.kinds
    chosen = torch.randint(len(kinds), (rows,), generator=generator)
    every = torch.full((rows,), not augmentation.one_at_a_time)
    none = torch.zeros(rows, dtype=torch.bool)
    return {k: every | (chosen == kinds.index(k)) if k in kinds else none for k in KINDS}


def _turns(u: Tensor, on: dict[str, Tensor], augmentation: Augmentation) -> Tensor:
    """Return scaling, mirroring and rotation in one matrix a row."""
    factors = torch.exp(u[:, :2] * math.log(augmentation.scale) * on["scale"][:, None])
    mirrored = torch.where((u[:, 2] < 0) & on["flip"], -1.0, 1.0)
    across, down = factors[:, 0] * mirrored, factors[:, 1]
    angle = u[:, 3] * math.radians(augmentation.rotate) * on["rotate"]
    cos, sin = angle.cos(), angle.sin()
    first, second = [across * cos, -down * sin], [across * sin, down * cos]
    return torch.stack([torch.stack(row, dim=1) for row in (first, second)], dim=1)


def _moved(images: Tensor, own: Omega) -> Tensor:
    height, width = images.shape[2:]
    sides = images.new_tensor([width, height])
    # Twice the share: an image reaches from -1 to 1.
    shift = 2 * (own.shift * sides).round() / sides
    places = torch.cat([own.turn, shift[:, :, None]], dim=2)
    grid = F.affine_grid(places, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, padding_mode="zeros", align_corners=False)


def _coloured(images: Tensor, own: Omega) -> Tensor:
    brightness, saturation, contrast = (
        factor[:, None, None, None] for factor in (own.brightness, own.saturation, own.contrast)
    )
    images = images + brightness
    if images.shape[1] > 1:
        images = torch.lerp(images.mean(dim=1, keepdim=True), images, saturation)
    return torch.lerp(images.mean(dim=(1, 2, 3), keepdim=True), images, contrast)


def _cut(images: Tensor, own: Omega) -> Tensor:
    height, width = images.shape[2:]
    across = (2 * torch.arange(width, device=images.device) + 1) / width - 1
    down = (2 * torch.arange(height, device=images.device) + 1) / height - 1
    half = own.hole_side[:, None]
    inside_x = (across - own.hole[:, :1]).abs() < half
    inside_y = (down - own.hole[:, 1:]).abs() < half
    hole = inside_y[:, None, :, None] & inside_x[:, None, None, :]
    return images.masked_fill(hole, 0.0)
