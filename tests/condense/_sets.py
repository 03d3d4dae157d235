"""Small real and synthetic sets, and networks for them."""

import torch
from torch import Tensor

from kdlab import models
from kdlab.condense import Synthetic, take_real

CLASSES, SIDE = 3, 8


def real_set(examples: int = 30, dtype: torch.dtype = torch.float64) -> tuple[Tensor, Tensor]:
    """Return images of 8 x 8 pixels, whose brightness tells something of their class."""
    generator = torch.Generator().manual_seed(1)
    targets = torch.arange(examples) % CLASSES
    images = torch.rand(examples, 1, SIDE, SIDE, generator=generator, dtype=dtype)
    images[:, :, :4] += 0.5 * targets[:, None, None, None]
    return images, targets


def synthetic_set(per_class: int = 1, dtype: torch.dtype = torch.float64) -> Synthetic:
    """Return the first real images as a synthetic set."""
    images, targets = real_set(dtype=dtype)
    return take_real(images, targets, torch.arange(per_class * CLASSES), classes=CLASSES)


def build(seed: int) -> models.FeatureNet:
    """Return a fresh network for these sets."""
    return models.embedding_net((4, 4), side=SIDE, classes=CLASSES, seed=seed)


def sgd(*tensors: Tensor, lr: float = 0.05) -> torch.optim.Optimizer:
    """Return an optimizer with momentum, whose state would show a step too many."""
    return torch.optim.SGD(tensors, lr=lr, momentum=0.5)


class Stopped(Exception):
    """What ends a run in the middle."""


def stop_at(round_: int, error: type[BaseException] = Stopped):
    """Return a progress that ends a run after so many rounds."""

    def progress(done, rounds, note):
        if done == round_:
            raise error

    return progress
