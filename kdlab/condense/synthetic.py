"""A few images and their labels that stand for a whole data set, and their small file."""

import os
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int64, UInt8
from torch import Tensor, nn

from kdlab._checks import (
    check_count,
    check_images,
    check_logits,
    check_same_length,
    check_targets,
    check_temperature,
)
from kdlab.data import Dataset, to_float
from kdlab.losses import soften
from kdlab.schemes import predict
from kdlab.schemes.checkpoint import UNREADABLE, read_tensors, write_tensors

#: A probability below it has this one's logarithm.
_LEAST = 1e-9


@dataclass(eq=False)
class Synthetic:
    """A synthetic set: what is condensed is changed in place, as a student is by its scheme.

    Attributes:
        images: Float on the scale of [0, 1], which learned images may leave,
            [examples, channels, height, width].
        labels: Probabilities, [examples, classes]; a hard label is a row with a single 1.
        recipe: How it was made, oldest first; each entry can be written as JSON.
    """

    images: Float[Tensor, "examples channels height width"]
    labels: Float[Tensor, "examples classes"]
    recipe: tuple[dict, ...] = ()

    def __post_init__(self) -> None:
        check_images(images=self.images)
        check_logits(labels=self.labels)
        check_same_length(images=self.images, labels=self.labels)

    def __repr__(self) -> str:
        shape = "x".join(str(n) for n in self.images.shape[1:])
        made = ", ".join(entry["method"] for entry in self.recipe) or "no recipe"
        return f"{len(self.images)} synthetic images of {shape}, {self.classes} classes: {made}"

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return self.labels.shape[1]

    @property
    def targets(self) -> Int64[Tensor, "examples"]:
        """The likeliest class of each image."""
        return self.labels.detach().argmax(dim=1)

    @property
    def logits(self) -> Float[Tensor, "examples classes"]:
        """The labels' logarithms: a teacher's logits for `schemes.distill`, at T = 1."""
        return self.labels.detach().clamp_min(_LEAST).log()

    def to(self, device: torch.device | str) -> "Synthetic":
        """Return the set with its tensors on a device."""
        return replace(self, images=self.images.to(device), labels=self.labels.to(device))

    def copy(self) -> "Synthetic":
        """Return a set that doesn't change with this one."""
        images, labels = self.images.detach().clone(), self.labels.detach().clone()
        return replace(self, images=images, labels=labels)

    def noted(self, method: str, **settings: object) -> "Synthetic":
        """Return the set with one more entry in its recipe."""
        return replace(self, recipe=(*self.recipe, {"method": method, **settings}))

    def as_dataset(self, real: Dataset) -> Dataset:
        """Return a data set that has these images, with hard labels, in place of real's training.

        Learned or soft labels are for `distill`, as `logits`.
        """
        images, targets = self.images.detach().clone(), self.targets
        source = f"{len(targets)} synthetic images for {len(real.train_targets)}"
        return replace(real, source=source, train_images=images, train_targets=targets)

    def save(self, path: str | os.PathLike) -> None:
        """Write it as one safetensors file with its recipe; the file is whole or not there."""
        tensors = {"images": self.images, "labels": self.labels}
        write_tensors(Path(path), tensors, {"recipe": list(self.recipe)})

    @classmethod
    def load(cls, path: str | os.PathLike) -> "Synthetic":
        """Read what `save` wrote.

        Raises:
            FileNotFoundError: There is no such file.
            ValueError: It is damaged, or holds something else.
        """
        if not Path(path).exists():
            raise FileNotFoundError(f"{path} is not there")
        try:
            tensors, said = read_tensors(Path(path))
            return cls(tensors["images"], tensors["labels"], tuple(said["recipe"]))
        except (*UNREADABLE, TypeError) as error:
            told = str(error).strip().splitlines()[0]
            raise ValueError(f"{path} is no synthetic set: {told}") from None


def take_real(
    images: UInt8[Tensor, "all channels height width"] | Float[Tensor, "all channels height width"],
    targets: Int64[Tensor, "all"],
    indices: Int64[Tensor, "examples"],
    *,
    classes: int = 10,
) -> Synthetic:
    """Start from chosen real images; with a coreset's indices it is the coreset itself.

    Raises:
        ValueError: A target is no class, or lengths differ.
    """
    check_same_length(images=images, targets=targets)
    check_targets(classes, targets=targets)
    # A copy, since it will be changed.
    chosen = to_float(images[indices]).clone()
    return Synthetic(chosen, F.one_hot(targets[indices], classes).to(chosen.dtype))


def draw_noise(
    per_class: int, shape: tuple[int, int, int], *, classes: int = 10, seed: int = 0
) -> Synthetic:
    """Start from uniform noise in [0, 1], so many images a class of [channels, height, width].

    Raises:
        ValueError: per_class or classes is no whole number >= 1, or the seed none >= 0.
    """
    check_count(per_class=per_class, classes=classes)
    check_count(0, seed=seed)
    generator = torch.Generator().manual_seed(seed)
    images = torch.rand(per_class * classes, *shape, generator=generator)
    return Synthetic(images, torch.eye(classes).repeat_interleave(per_class, dim=0))


def label_softly(synthetic: Synthetic, teacher: nn.Module, *, temperature: float) -> Synthetic:
    """Return the same images with a teacher's softened predictions as labels.

    Raises:
        ValueError: temperature is outside [1e-9, 1e9], or the teacher knows other classes.
    """
    check_temperature(temperature=temperature)
    logits = predict(teacher, synthetic.images.detach())
    if logits.shape != synthetic.labels.shape:
        raise ValueError(f"teacher must know {synthetic.classes} classes, got {logits.shape[1]}")
    labels = soften(logits, temperature=temperature).to(synthetic.labels.dtype)
    return replace(synthetic.copy(), labels=labels).noted("soft labels", temperature=temperature)
